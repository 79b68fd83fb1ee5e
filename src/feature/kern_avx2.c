/* Feature kernels for AVX2 and FMA: see kern_simd.inc. SPDX-License-Identifier: Apache-2.0 */
#include "feature/kern_ref.h"

#include <immintrin.h>

#define LANES 8
#define VF __m256
#define VI __m256i
#define VM __m256
#define LOADF(p) _mm256_loadu_ps(p)
#define STOREF(p, v) _mm256_storeu_ps(p, v)
#define SETF(v) _mm256_set1_ps(v)
#define ADDF(a, b) _mm256_add_ps(a, b)
#define SUBF(a, b) _mm256_sub_ps(a, b)
#define MULF(a, b) _mm256_mul_ps(a, b)
#define DIVF(a, b) _mm256_div_ps(a, b)
#define FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define MAXF(a, b) _mm256_max_ps(a, b)
#define MINF(a, b) _mm256_min_ps(a, b)
#define ABSF(a) _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a)
#define SQRTF(a) _mm256_sqrt_ps(a)
#define FLOORF(a) _mm256_floor_ps(a)
#define ABOVE(a, b) _mm256_cmp_ps(a, b, _CMP_GT_OQ)
#define NOTBELOW(a, b) _mm256_cmp_ps(a, b, _CMP_GE_OQ)
#define NOTABOVE(a, b) _mm256_cmp_ps(a, b, _CMP_LE_OQ)
#define ANDM(a, b) _mm256_and_ps(a, b)
#define ORM(a, b) _mm256_or_ps(a, b)
#define BITS(m) ((unsigned)_mm256_movemask_ps(m))
#define ANY(m) (BITS(m) != 0)
#define WHERE(m, yes, no) _mm256_blendv_ps(no, yes, m)
#define COUNTING _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)
#define STOREI(p, v) _mm256_storeu_si256((__m256i *)(void *)(p), v)
#define SETI(v) _mm256_set1_epi32(v)
#define ADDI(a, b) _mm256_add_epi32(a, b)
#define SUBI(a, b) _mm256_sub_epi32(a, b)
#define MULI(a, b) _mm256_mullo_epi32(a, b)
#define MINI(a, b) _mm256_min_epi32(a, b)
#define ANDI(a, b) _mm256_and_si256(a, b)
#define SHIFTLEFT(a, n) _mm256_slli_epi32(a, n)
#define TOINT(a) _mm256_cvttps_epi32(a)
#define TOFLOAT(a) _mm256_cvtepi32_ps(a)
#define ASFLOAT(a) _mm256_castsi256_ps(a)
#define LOAD16(p) _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(const void *)(p)))
#define GATHER16(p, at) _mm256_i32gather_epi32((const int *)(const void *)(p), at, 2)
#define LOW16(a) _mm256_and_si256(a, _mm256_set1_epi32(0xffff))
#define HIGH16(a) _mm256_srli_epi32(a, 16)
#define STORE16(p, v) store16(p, v)

static inline void store16(uint16_t *p, __m256i v) {
    __m128i h = _mm_packus_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    _mm_storeu_si128((__m128i *)(void *)p, h);
}

#include "feature/kern_simd.inc"

const vd_feature_kern vd_feature_kern_avx2 = { "avx2",  blur_rows, blur_cols, subtract, pack,
                                               extrema, orient,    describe,  normalise };
