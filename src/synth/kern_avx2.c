/* The kernels of the renderer for AVX2. SPDX-License-Identifier: Apache-2.0 */
#define LEVEL "avx2"
#define TABLE vd_synth_kern_avx2
#include "synth/kern.inc"
