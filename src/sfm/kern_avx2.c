/* Bundle adjustment kernels, level avx2: see kern_body.inc. SPDX-License-Identifier: Apache-2.0 */
#include "sfm/kern_body.inc"

const vd_sfm_kern vd_sfm_kern_avx2 = { "avx2", SLOTS };
