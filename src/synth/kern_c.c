/* The kernels of the renderer in plain C: the reference, for any processor.
 * SPDX-License-Identifier: Apache-2.0 */
#define LEVEL "c"
#define TABLE vd_synth_kern_c
#include "synth/kern.inc"
