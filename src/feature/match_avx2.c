/* Matching for AVX2: see match_simd.inc. SPDX-License-Identifier: Apache-2.0 */
#include "feature/match_kern.h"

#include <immintrin.h>
#include <string.h>

enum { ROWS = 6, GROUPS = 2, LANES = 8 };
#define EACH_ROW(f) f(0) f(1) f(2) f(3) f(4) f(5)
#define EACH_COLUMN(f) f(0) f(1)
#define EACH_CELL(f, r) f(r, 0) f(r, 1)
#define IN_REGISTER(v) "+x"(v)
#define VI __m256i
#define M(op) _mm256_##op
#define LOAD(p) _mm256_loadu_si256((const __m256i *)(const void *)(p))
#define STORE(p, v) _mm256_storeu_si256((__m256i *)(void *)(p), v)
#define WIDEN(p) _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(const void *)(p)))
#define ABOVE(a, b) ((unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpgt_epi32(a, b))))
#define WHERE_ABOVE(a, b, yes, no) _mm256_blendv_epi8(no, yes, _mm256_cmpgt_epi32(a, b))

static inline int32_t sum32(__m256i v) {
    __m128i h = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    h = _mm_add_epi32(h, _mm_shuffle_epi32(h, 0x4e));
    h = _mm_add_epi32(h, _mm_shuffle_epi32(h, 0xb1));
    return _mm_cvtsi128_si32(h);
}
#define SUM32(v) sum32(v)

#include "feature/match_wide.inc"

static int32_t dot8(const int8_t *a, const int8_t *b, int n) {
    return vd_dot8(a, b, n);
}

static int near_line(int32_t *out, const double *u, const double *v, const double *back, int n,
                     const double l[3], double scale, double e) {
    const __m256d l0 = _mm256_set1_pd(l[0]), l1 = _mm256_set1_pd(l[1]), l2 = _mm256_set1_pd(l[2]),
                  limit = _mm256_set1_pd(e), times = _mm256_set1_pd(scale),
                  sign = _mm256_set1_pd(-0.0);
    int count = 0, whole = n & ~3;
    for (int i = 0; i < whole; i += 4) {
        __m256d x = _mm256_loadu_pd(u + i), y = _mm256_loadu_pd(v + i);
        __m256d d = _mm256_add_pd(_mm256_add_pd(_mm256_mul_pd(l0, x), _mm256_mul_pd(l1, y)), l2);
        d = _mm256_andnot_pd(sign, d);
        __m256d near = _mm256_cmp_pd(d, limit, _CMP_LE_OQ),
                also =
                    _mm256_cmp_pd(_mm256_mul_pd(d, _mm256_mul_pd(times, _mm256_loadu_pd(back + i))),
                                  limit, _CMP_LE_OQ);
        unsigned use = (unsigned)_mm256_movemask_pd(_mm256_and_pd(near, also));
        for (; use != 0; use &= use - 1) out[count++] = i + __builtin_ctz(use);
    }
    return count + vd_near_line(out + count, u, v, back, whole, n, l, scale, e);
}

const vd_match_kern vd_match_kern_avx2 = { "avx2", ROW_BYTES, ROW_BYTES, ROWS, pack_rows, pack_cols,
                                           top2,   dot,       dot8,      dots, near_line };
