/* The kernels for AVX-512 (F, BW). The scan: two 512-bit registers hold four hashes; bits are
 * counted by nibble look-up (Mula, Kurz and Lemire 2018) and summed by SAD, then the four 64-bit
 * sums of each hash are added by permutation. Four hashes a step. SPDX-License-Identifier:
 * Apache-2.0 */
#include "index/kern.h"

#include <immintrin.h>

static inline __m512i counts(__m512i v) {
    const __m512i nibble = _mm512_set1_epi8(15),
                  table = _mm512_broadcast_i32x4(
                      _mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
    __m512i lo = _mm512_shuffle_epi8(table, _mm512_and_si512(v, nibble));
    __m512i hi = _mm512_shuffle_epi8(table, _mm512_and_si512(_mm512_srli_epi16(v, 4), nibble));
    return _mm512_sad_epu8(_mm512_add_epi8(lo, hi), _mm512_setzero_si512());
}

static int scan(int32_t *hits, const uint64_t (*base)[4], int n, const uint64_t query[4],
                int radius) {
    const __m512i q =
        _mm512_broadcast_i64x4(_mm256_loadu_si256((const __m256i *)(const void *)query));
    const __m512i limit = _mm512_set1_epi64(radius);
    int found = 0, i = 0;
    for (; i + 4 <= n; i += 4) {
        __m512i a = counts(_mm512_xor_si512(_mm512_loadu_si512(base[i]), q));
        __m512i b = counts(_mm512_xor_si512(_mm512_loadu_si512(base[i + 2]), q));
        /* pairs of words: a0+a1 b0+b1 a2+a3 b2+b3 | the same for the second hashes */
        __m512i s = _mm512_add_epi64(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
        s = _mm512_add_epi64(s, _mm512_permutex_epi64(s, 0x4e));
        unsigned hit = _mm512_cmple_epi64_mask(s, limit) & 0x33;
        if (hit == 0) continue;
        if (hit & 0x01) hits[found++] = i;
        if (hit & 0x10) hits[found++] = i + 1;
        if (hit & 0x02) hits[found++] = i + 2;
        if (hit & 0x20) hits[found++] = i + 3;
    }
    for (; i < n; i++) {
        int d = 0;
        for (int k = 0; k < 4; k++) d += __builtin_popcountll(base[i][k] ^ query[k]);
        if (d <= radius) hits[found++] = i;
    }
    return found;
}

static inline float sum_of(const __m512 part[1]) {
    __m256 s = _mm256_add_ps(_mm512_castps512_ps256(part[0]), _mm512_extractf32x8_ps(part[0], 1));
    __m128 q = _mm_add_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1));
    q = _mm_add_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_add_ss(q, _mm_shuffle_ps(q, q, 1)));
}

#define LANES 16
#define ROWS 4
#define COLS 4
#define VF __m512
#define VI __m512i
#define M(op) _mm512_##op
#define MI(op) _mm512_##op##_si512
#define WIDEN(p) _mm512_cvtepi8_epi16(_mm256_load_si256((const __m256i *)(const void *)(p)))
#define SUM_F sum_of
#define SUM_I _mm512_reduce_add_epi32
#include "index/kern_simd.inc"

const vd_index_kern vd_index_kern_avx512 = { "avx512", scan, dots_f32, dots_i8, gain };
