/* Image kernels for AVX-512 (F, BW, DQ, VL): see kern_simd.inc. SPDX-License-Identifier: Apache-2.0
 */
#include "image/kern.h"

#include <immintrin.h>

#define LANES 16
#define VI __m512i
#define M(op) _mm512_##op
#define ZERO _mm512_setzero_si512()
#define LOAD(p) _mm512_loadu_si512(p)
#define STORE(p, v) _mm512_storeu_si512(p, v)
#define LOADHALF(p) _mm256_loadu_si256((const __m256i *)(const void *)(p))
#define WIDEN8(v) _mm512_cvtepu8_epi16(v)
#define LOADHALFN(p, k) _mm256_maskz_loadu_epi8(_bzhi_u32(~0u, (unsigned)(k)), p)
#define STOREN(p, v, k) _mm512_mask_storeu_epi16(p, _bzhi_u32(~0u, (unsigned)(k)), v)

/* Word indices (s, s + 1) of each output's first pair, relative to the first output. */
static inline __m512i pair_index(__m512i at, int32_t base) {
    __m512i s = _mm512_sub_epi32(at, _mm512_set1_epi32(base));
    return _mm512_or_si512(s, _mm512_slli_epi32(_mm512_add_epi32(s, _mm512_set1_epi32(1)), 16));
}
#define PAIRS_BEGIN(src, start, j, taps, at)                                                       \
    int32_t base_ = (start)[j];                                                                    \
    bool near_ = (start)[(j) + LANES - 1] + (taps)-base_ <= 64;                                    \
    __m512i index_ = pair_index(at, base_), lo_ = LOAD((src) + base_),                             \
            hi_ = LOAD((src) + base_ + 32);
#define PAIRS(src, at, k)                                                                          \
    (near_ ? _mm512_permutex2var_epi16(                                                            \
                 lo_, _mm512_add_epi16(index_, _mm512_set1_epi16((short)(k))), hi_)                \
           : _mm512_i32gather_epi32(at, (const void *)((src) + (k)), 2))
#define STORE_BYTES(p, v) _mm_storeu_si128((__m128i *)(void *)(p), _mm512_cvtepi32_epi8(v))

#include "image/kern_simd.inc"

const vd_image_kern vd_image_kern_avx512 = { "avx512", reduce_rows, reduce_cols, luma_rgb,
                                             rgb_ycc };
