/* Dense kernels for AVX-512: see kern_simd.inc. SPDX-License-Identifier: Apache-2.0 */
#include "math/kern.h"

#include <immintrin.h>

#define VD __m512d
#define M(op) _mm512_##op
#define LANES 8
#define ROWS 8

#include "math/kern_simd.inc"

const vd_math_kern vd_math_kern_avx512 = { "avx512", tile_update, tile_solve };
