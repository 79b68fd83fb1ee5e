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
#define BITS(m) ((unsigned)_mm256_movemask_ps(m))
#define WHERE(m, yes, no) _mm256_blendv_ps(no, yes, m)
#define COUNTING _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)
#define LOADI(p) _mm256_loadu_si256((const __m256i *)(const void *)(p))
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
#define LOW16(a) _mm256_and_si256(a, _mm256_set1_epi32(0xffff))
#define HIGH16(a) _mm256_srli_epi32(a, 16)
#define MINU(a, b) _mm256_min_epu32(a, b)
/* Lane i is lane at[i] of v. */
#define MOVEF(v, at) _mm256_permutevar8x32_ps(v, at)
#define MOVEI(v, at) _mm256_permutevar8x32_epi32(v, at)
/* The pixels to the left and to the right of a vector's. */
#define LEFT(before, here, row) ((void)(before), LOADF((row)-1))
#define RIGHT(here, after, row) ((void)(after), LOADF((row) + 1))
#define LOAD8(p) _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)(p)))
/* Floats of two vectors in turns: the first, then the second half. */
#define ZIP0(a, b) _mm256_permute2f128_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b), 0x20)
#define ZIP1(a, b) _mm256_permute2f128_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b), 0x31)
#define EVEN(a, b) even(a, b)
#define PEAKS(v, least, high, low) peaks(v, least, high, low)
#define STORE16(p, v) store16(p, v)

/* Every second float of two vectors. */
static inline __m256 even(__m256 a, __m256 b) {
    __m256 s = _mm256_shuffle_ps(a, b, 0x88);
    return _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(s), 0xd8));
}

/* Where v is at least `least` in size, above zero and above `high`, or not above and below `low`.
 */
static inline __m256 peaks(__m256 v, __m256 least, __m256 high, __m256 low) {
    const __m256 zero = _mm256_setzero_ps();
    __m256 up = ABOVE(v, _mm256_max_ps(high, zero)),
           down = _mm256_and_ps(ABOVE(low, v), _mm256_cmp_ps(v, zero, _CMP_LE_OQ));
    return _mm256_and_ps(_mm256_cmp_ps(ABSF(v), least, _CMP_GE_OQ), _mm256_or_ps(up, down));
}

static void blur_cols(float *dst, const float *src, const float *w, int radius, int width) {
    for (int x = 0; x < width; x += 8) {
        __m256 a = _mm256_mul_ps(_mm256_set1_ps(w[0]), _mm256_loadu_ps(src + x));
        for (int k = 1; k <= radius; k++)
            a = _mm256_fmadd_ps(
                _mm256_set1_ps(w[k]),
                _mm256_add_ps(_mm256_loadu_ps(src + x - k), _mm256_loadu_ps(src + x + k)), a);
        _mm256_storeu_ps(dst + x, a);
    }
}

static inline void store16(uint16_t *p, __m256i v) {
    __m128i h = _mm_packus_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    _mm_storeu_si128((__m128i *)(void *)p, h);
}

#include "feature/kern_simd.inc"

const vd_feature_kern vd_feature_kern_avx2 = { "avx2", blur_rows, blur_cols, enlarge,
                                               halve,  subtract,  pack,      extrema,
                                               orient, describe,  normalise };
