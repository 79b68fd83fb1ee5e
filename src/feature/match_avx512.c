/* Matching for AVX-512 (F, BW) without VNNI: see match_simd.inc. SPDX-License-Identifier:
 * Apache-2.0 */
#include "feature/match_kern.h"

#include <immintrin.h>
#include <string.h>

enum { ROWS = 6, GROUPS = 4, LANES = 16 };
#define EACH_ROW(f) f(0) f(1) f(2) f(3) f(4) f(5)
#define EACH_COLUMN(f) f(0) f(1) f(2) f(3)
#define EACH_CELL(f, r) f(r, 0) f(r, 1) f(r, 2) f(r, 3)
#define IN_REGISTER(v) "+v"(v)
#define VI __m512i
#define M(op) _mm512_##op
#define LOAD(p) _mm512_loadu_si512(p)
#define STORE(p, v) _mm512_storeu_si512(p, v)
#define WIDEN(p) _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)(const void *)(p)))
#define ABOVE(a, b) ((unsigned)_mm512_cmpgt_epi32_mask(a, b))
#define WHERE_ABOVE(a, b, yes, no) _mm512_mask_mov_epi32(no, _mm512_cmpgt_epi32_mask(a, b), yes)
#define SUM32(v) _mm512_reduce_add_epi32(v)

#include "feature/match_wide.inc"
#include "feature/match_near512.inc"

static int32_t dot8(const int8_t *a, const int8_t *b, int n) {
    return vd_dot8(a, b, n);
}

const vd_match_kern vd_match_kern_avx512 = { "avx512",  ROW_BYTES, ROW_BYTES, ROWS,
                                             pack_rows, pack_cols, top2,      dot,
                                             dot8,      dots,      near_line };
