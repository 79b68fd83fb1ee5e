/* Image kernels for AVX2: see kern_simd.inc. SPDX-License-Identifier: Apache-2.0 */
#include "image/kern.h"

#include <immintrin.h>
#include <string.h>

#define LANES 8
#define VI __m256i
#define M(op) _mm256_##op
#define ZERO _mm256_setzero_si256()
#define LOAD(p) _mm256_loadu_si256((const __m256i *)(const void *)(p))
#define STORE(p, v) _mm256_storeu_si256((__m256i *)(void *)(p), v)
#define LOADHALF(p) _mm_loadu_si128((const __m128i *)(const void *)(p))
#define WIDEN8(v) _mm256_cvtepu8_epi16(v)
#define PAIRS_BEGIN(src, start, j, taps, at)
#define PAIRS(src, at, k) _mm256_i32gather_epi32((const int *)(const void *)((src) + (k)), at, 2)

static inline __m128i loadhalfn(const uint8_t *p, int k) {
    uint8_t all[16] = { 0 };
    memcpy(all, p, (size_t)k);
    return LOADHALF(all);
}
#define LOADHALFN(p, k) loadhalfn(p, k)

static inline void storen(uint16_t *p, __m256i v, int k) {
    uint16_t all[16];
    STORE(all, v);
    memcpy(p, all, (size_t)k * 2);
}
#define STOREN(p, v, k) storen(p, v, k)

static inline void store_bytes(uint8_t *dst, __m256i v) {
    __m256i w = _mm256_packus_epi32(v, v), b = _mm256_packus_epi16(w, w);
    int32_t lo = _mm256_extract_epi32(b, 0), hi = _mm256_extract_epi32(b, 4);
    memcpy(dst, &lo, 4);
    memcpy(dst + 4, &hi, 4);
}
#define STORE_BYTES(p, v) store_bytes(p, v)

#include "image/kern_simd.inc"

const vd_image_kern vd_image_kern_avx2 = { "avx2", reduce_rows, reduce_cols, luma_rgb, rgb_ycc };
