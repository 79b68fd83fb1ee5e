/* The kernels for AVX2; the scan with the POPCNT instruction. The first half decides nearly always:
 * unrelated hashes differ in about 64 of its 128 bits. SPDX-License-Identifier: Apache-2.0 */
#include "index/kern.h"

#include <immintrin.h>

static int scan(int32_t *hits, const uint64_t (*base)[4], int n, const uint64_t query[4],
                int radius) {
    uint64_t q0 = query[0], q1 = query[1], q2 = query[2], q3 = query[3];
    int found = 0;
    for (int i = 0; i < n; i++) {
        int d = __builtin_popcountll(base[i][0] ^ q0) + __builtin_popcountll(base[i][1] ^ q1);
        if (d > radius) continue;
        d += __builtin_popcountll(base[i][2] ^ q2) + __builtin_popcountll(base[i][3] ^ q3);
        if (d <= radius) hits[found++] = i;
    }
    return found;
}

static inline float sum_of(const __m256 part[2]) {
    __m256 s = _mm256_add_ps(part[0], part[1]);
    __m128 q = _mm_add_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1));
    q = _mm_add_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_add_ss(q, _mm_shuffle_ps(q, q, 1)));
}

static inline int32_t sum_of_i32(__m256i v) {
    __m128i q = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    q = _mm_add_epi32(q, _mm_unpackhi_epi64(q, q));
    return _mm_cvtsi128_si32(_mm_add_epi32(q, _mm_shuffle_epi32(q, 1)));
}

#define LANES 8
#define ROWS 2
#define COLS 2
#define VF __m256
#define VI __m256i
#define M(op) _mm256_##op
#define MI(op) _mm256_##op##_si256
#define WIDEN(p) _mm256_cvtepi8_epi16(_mm_load_si128((const __m128i *)(const void *)(p)))
#define SUM_F sum_of
#define SUM_I sum_of_i32
#include "index/kern_simd.inc"

const vd_index_kern vd_index_kern_avx2 = { "avx2", scan, dots_f32, dots_i8, gain };
