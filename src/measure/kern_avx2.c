/* Measure kernels for AVX2: see kern_simd.inc. SPDX-License-Identifier: Apache-2.0 */
#include "measure/kern_ref.h"

#include <immintrin.h>

#define BYTES 32
#define VI __m256i
#define M(op) _mm256_##op
#define ZERO _mm256_setzero_si256()
#define LOAD(p) _mm256_loadu_si256((const __m256i *)(const void *)(p))
#define STORE(p, v) _mm256_storeu_si256((__m256i *)(void *)(p), v)
#define LOADHALF(p) _mm_loadu_si128((const __m128i *)(const void *)(p))
#define WIDEN8(v) _mm256_cvtepu8_epi16(v)
#define OR(a, b) _mm256_or_si256(a, b)
#define ANDNOT(a, b) _mm256_andnot_si256(a, b)

static inline uint32_t reduce32(__m256i v) {
    __m128i h = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    h = _mm_add_epi32(h, _mm_shuffle_epi32(h, 0x4e));
    h = _mm_add_epi32(h, _mm_shuffle_epi32(h, 0xb1));
    return (uint32_t)_mm_cvtsi128_si32(h);
}
#define REDUCE32(v) reduce32(v)

#include "measure/kern_simd.inc"

const vd_measure_kern vd_measure_kern_avx2 = { "avx2", row,     phase, isolated, noise,
                                               grad,   add_row, dct };
