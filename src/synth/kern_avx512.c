/* The kernels of the renderer for AVX-512. SPDX-License-Identifier: Apache-2.0 */
#define LEVEL "avx512"
#define TABLE vd_synth_kern_avx512
#include "synth/kern.inc"
