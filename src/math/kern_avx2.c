/* Dense kernels for AVX2 and FMA: see kern_simd.inc. SPDX-License-Identifier: Apache-2.0 */
#include "math/kern.h"

#include <immintrin.h>

#define VD __m256d
#define M(op) _mm256_##op
#define LANES 4
#define ROWS 4

#include "math/kern_simd.inc"

const vd_math_kern vd_math_kern_avx2 = { "avx2", tile_update, tile_solve };
