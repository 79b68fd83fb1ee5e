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
#define NOTBELOW(a, b) _mm512_cmp_ps_mask(a, b, _CMP_GE_OQ)
#define NOTABOVE(a, b) _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ)
#define ANDM(a, b) ((__mmask16)((a) & (b)))
#define ORM(a, b) ((__mmask16)((a) | (b)))
#define ANY(m) ((m) != 0)
#define BITS(m) ((unsigned)(m))
#define WHERE(m, yes, no) _mm512_mask_blend_ps(m, no, yes)
#define COUNTING _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
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
#define GATHER16(p, at) _mm512_i32gather_epi32(at, p, 2)
#define LOW16(a) _mm512_and_si512(a, _mm512_set1_epi32(0xffff))
#define HIGH16(a) _mm512_srli_epi32(a, 16)

#include "feature/kern_simd.inc"

const vd_feature_kern vd_feature_kern_avx512 = { "avx512", blur_rows, blur_cols, subtract, pack,
                                                 extrema,  orient,    describe,  normalise };
