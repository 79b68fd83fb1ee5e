/* Matching for AVX-512 (F, BW): see match_madd.inc. SPDX-License-Identifier: Apache-2.0 */
#include "feature/match_kern.h"

#include <immintrin.h>
#include <string.h>

enum { ROWS = 6, GROUPS = 4, LANES = 16 };
#define VI __m512i
#define M(op) _mm512_##op
#define LOAD(p) _mm512_loadu_si512(p)
#define STORE(p, v) _mm512_storeu_si512(p, v)
#define WIDEN(p) _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)(const void *)(p)))
#define ABOVE(a, b) ((unsigned)_mm512_cmpgt_epi32_mask(a, b))
#define WHERE_ABOVE(a, b, yes, no) _mm512_mask_mov_epi32(no, _mm512_cmpgt_epi32_mask(a, b), yes)
#define SUM32(v) _mm512_reduce_add_epi32(v)

#include "feature/match_madd.inc"

const vd_match_kern vd_match_kern_avx512 = { "avx512",  WIDE,      WIDE, ROWS,
                                             pack_rows, pack_cols, top2, dot };
