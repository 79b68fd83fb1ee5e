/* Feature kernels for AVX-512 (F, BW, DQ, VL): see kern_simd.inc. SPDX-License-Identifier:
 * Apache-2.0 */
#include "feature/kern_ref.h"

#include <immintrin.h>

#define LANES 16
#define VF __m512
#define VI __m512i
#define VM __mmask16
#define LOADF(p) _mm512_loadu_ps(p)
#define STOREF(p, v) _mm512_storeu_ps(p, v)
#define SETF(v) _mm512_set1_ps(v)
#define ADDF(a, b) _mm512_add_ps(a, b)
#define SUBF(a, b) _mm512_sub_ps(a, b)
#define MULF(a, b) _mm512_mul_ps(a, b)
#define DIVF(a, b) _mm512_div_ps(a, b)
#define FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define MAXF(a, b) _mm512_max_ps(a, b)
#define MINF(a, b) _mm512_min_ps(a, b)
#define ABSF(a) _mm512_abs_ps(a)
#define SQRTF(a) _mm512_sqrt_ps(a)
#define FLOORF(a) _mm512_roundscale_ps(a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC)
#define ABOVE(a, b) _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ)
#define BITS(m) ((unsigned)(m))
#define WHERE(m, yes, no) _mm512_mask_blend_ps(m, no, yes)
#define COUNTING _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
#define LOADI(p) _mm512_loadu_si512(p)
#define STOREI(p, v) _mm512_storeu_si512(p, v)
#define SETI(v) _mm512_set1_epi32(v)
#define ADDI(a, b) _mm512_add_epi32(a, b)
#define SUBI(a, b) _mm512_sub_epi32(a, b)
#define MULI(a, b) _mm512_mullo_epi32(a, b)
#define MINI(a, b) _mm512_min_epi32(a, b)
#define ANDI(a, b) _mm512_and_si512(a, b)
#define SHIFTLEFT(a, n) _mm512_slli_epi32(a, n)
#define TOINT(a) _mm512_cvttps_epi32(a)
#define TOFLOAT(a) _mm512_cvtepi32_ps(a)
#define ASFLOAT(a) _mm512_castsi512_ps(a)
#define LOAD16(p) _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(const void *)(p)))
#define STORE16(p, v) _mm256_storeu_si256((__m256i *)(void *)(p), _mm512_cvtusepi32_epi16(v))
#define LOW16(a) _mm512_and_si512(a, _mm512_set1_epi32(0xffff))
#define HIGH16(a) _mm512_srli_epi32(a, 16)

#define MINU(a, b) _mm512_min_epu32(a, b)
/* Lane i is lane at[i] of v. */
#define MOVEF(v, at) _mm512_permutexvar_ps(at, v)
#define MOVEI(v, at) _mm512_permutexvar_epi32(at, v)
/* The pixels to the left and to the right of a vector's, by the vectors beside it. */
#define LEFT(before, here, row)                                                                    \
    _mm512_castsi512_ps(                                                                           \
        _mm512_alignr_epi32(_mm512_castps_si512(here), _mm512_castps_si512(before), 15))
#define RIGHT(here, after, row)                                                                    \
    _mm512_castsi512_ps(                                                                           \
        _mm512_alignr_epi32(_mm512_castps_si512(after), _mm512_castps_si512(here), 1))
#define LOAD8(p) _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(const void *)(p)))
/* Floats of two vectors in turns: the first, then the second half. */
#define ZIP0(a, b)                                                                                 \
    _mm512_permutex2var_ps(                                                                        \
        a, _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23), b)
#define ZIP1(a, b)                                                                                 \
    _mm512_permutex2var_ps(                                                                        \
        a, _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), b)
/* Every second float of two vectors. */
#define EVEN(a, b)                                                                                 \
    _mm512_permutex2var_ps(                                                                        \
        a, _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30), b)
/* Where v is at least `least` in size, above zero and above `high`, or not above and below `low`.
 */
#define PEAKS(v, least, high, low) peaks(v, least, high, low)

static inline __mmask16 peaks(__m512 v, __m512 least, __m512 high, __m512 low) {
    const __m512 zero = _mm512_setzero_ps();
    __mmask16 strong = _mm512_cmp_ps_mask(_mm512_abs_ps(v), least, _CMP_GE_OQ);
    __mmask16 up = _mm512_mask_cmp_ps_mask(strong, v, _mm512_max_ps(high, zero), _CMP_GT_OQ);
    __mmask16 down = _mm512_mask_cmp_ps_mask(strong, v, low, _CMP_LT_OQ);
    return (__mmask16)(up | _mm512_mask_cmp_ps_mask(down, v, zero, _CMP_LE_OQ));
}

/* A row's blur from three aligned vectors: those beside a pixel come by shifting them over each
 * other, since half of all unaligned loads of 64 bytes would touch two cache lines. The radius is
 * a constant where this is inlined. */
static inline __attribute__((always_inline)) void blur_of(float *dst, const float *src,
                                                          const float *w, int radius, int width) {
    __m512 before = _mm512_loadu_ps(src - 16), here = _mm512_loadu_ps(src);
    for (int x = 0; x < width; x += 16) {
        __m512 after = _mm512_loadu_ps(src + x + 16), a = _mm512_mul_ps(_mm512_set1_ps(w[0]), here);
#define SIDE(p, q, n)                                                                              \
    _mm512_castsi512_ps(_mm512_alignr_epi32(_mm512_castps_si512(q), _mm512_castps_si512(p), n))
#define LOADED(k)                                                                                  \
    if (k <= radius)                                                                               \
        a = _mm512_fmadd_ps(                                                                       \
            _mm512_set1_ps(w[k]),                                                                  \
            _mm512_add_ps(_mm512_loadu_ps(src + x - k), _mm512_loadu_ps(src + x + k)), a);
#define STEP(k)                                                                                    \
    if (k <= radius)                                                                               \
        a = _mm512_fmadd_ps(_mm512_set1_ps(w[k]),                                                  \
                            _mm512_add_ps(SIDE(before, here, 16 - k), SIDE(here, after, k)), a);
        STEP(1)
        STEP(2)
        LOADED(3)
        STEP(4)
        STEP(5)
        LOADED(6)
        STEP(7)
        STEP(8)
        LOADED(9)
        STEP(10)
        STEP(11)
        LOADED(12)
        STEP(13)
        STEP(14)
        LOADED(15)
#undef STEP
#undef SIDE
        for (int k = 16; k <= radius; k++)
            a = _mm512_fmadd_ps(
                _mm512_set1_ps(w[k]),
                _mm512_add_ps(_mm512_loadu_ps(src + x - k), _mm512_loadu_ps(src + x + k)), a);
        _mm512_storeu_ps(dst + x, a);
        before = here;
        here = after;
    }
}

static void blur_cols(float *dst, const float *src, const float *w, int radius, int width) {
    switch (radius) {
    case 4: blur_of(dst, src, w, 4, width); break;
    case 5: blur_of(dst, src, w, 5, width); break;
    case 6: blur_of(dst, src, w, 6, width); break;
    case 7: blur_of(dst, src, w, 7, width); break;
    case 8: blur_of(dst, src, w, 8, width); break;
    case 10: blur_of(dst, src, w, 10, width); break;
    case 13: blur_of(dst, src, w, 13, width); break;
    default: blur_of(dst, src, w, radius, width);
    }
}

#include "feature/kern_simd.inc"

const vd_feature_kern vd_feature_kern_avx512 = { "avx512", blur_rows, blur_cols, enlarge,
                                                 halve,    subtract,  pack,      extrema,
                                                 orient,   describe,  normalise };
