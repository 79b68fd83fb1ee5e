/* Measure kernels for AVX2: see kern_simd.inc. SPDX-License-Identifier: Apache-2.0 */
#include "measure/kern_ref.h"

#include <immintrin.h>
#include <string.h>

#define BYTES 32
#define VI __m256i
#define M(op) _mm256_##op
#define ZERO _mm256_setzero_si256()
#define LOAD(p) _mm256_loadu_si256((const __m256i *)(const void *)(p))
#define STORE(p, v) _mm256_storeu_si256((__m256i *)(void *)(p), v)
#define LOADHALF(p) _mm_loadu_si128((const __m128i *)(const void *)(p))
#define WIDEN8(v) _mm256_cvtepu8_epi16(v)
#define LOWER(v) _mm256_castsi256_si128(v)
#define UPPER(v) _mm256_extracti128_si256(v, 1)
#define AND(a, b) _mm256_and_si256(a, b)
#define OR(a, b) _mm256_or_si256(a, b)
#define ANDNOT(a, b) _mm256_andnot_si256(a, b)

#define VF __m256
#define MF(op) _mm256_##op##_ps

/* The first k < 32 (16) bytes, the rest zero. */
static inline __m256i loadn(const uint8_t *p, int k) {
    uint8_t all[32] = { 0 };
    memcpy(all, p, (size_t)k);
    return LOAD(all);
}
static inline __m128i loadhalfn(const uint8_t *p, int k) {
    uint8_t all[16] = { 0 };
    memcpy(all, p, (size_t)k);
    return LOADHALF(all);
}
#define LOADN(p, k) loadn(p, k)
#define LOADHALFN(p, k) loadhalfn(p, k)
#define FIRST16(k)                                                                                 \
    _mm256_cmpgt_epi16(_mm256_set1_epi16((short)(k)),                                              \
                       _mm256_set_epi16(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0))

static inline uint32_t reduce32(__m256i v) {
    __m128i h = _mm_add_epi32(LOWER(v), UPPER(v));
    h = _mm_add_epi32(h, _mm_shuffle_epi32(h, 0x4e));
    h = _mm_add_epi32(h, _mm_shuffle_epi32(h, 0xb1));
    return (uint32_t)_mm_cvtsi128_si32(h);
}
#define REDUCE32(v) reduce32(v)
static inline int64_t reduce64(__m256i v) {
    __m128i h = _mm_add_epi64(LOWER(v), UPPER(v));
    return _mm_cvtsi128_si64(h) + _mm_extract_epi64(h, 1);
}
#define SUM64(v) reduce64(v)

#include "measure/kern_simd.inc"

const vd_measure_kern vd_measure_kern_avx2 = { "avx2", row,     phase, isolated, noise,
                                               grad,   add_row, dct,   quality,  colour };
