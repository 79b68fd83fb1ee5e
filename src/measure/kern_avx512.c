/* Measure kernels for AVX-512 (F, BW, DQ, VL): see kern_simd.inc. SPDX-License-Identifier:
 * Apache-2.0 */
#include "measure/kern_ref.h"

#include <immintrin.h>

#define BYTES 64
#define VI __m512i
#define M(op) _mm512_##op
#define _mm512_set1_epi64x _mm512_set1_epi64 /* the 256-bit name has an x */
#define ZERO _mm512_setzero_si512()
#define LOAD(p) _mm512_loadu_si512(p)
#define STORE(p, v) _mm512_storeu_si512(p, v)
#define LOADHALF(p) _mm256_loadu_si256((const __m256i *)(const void *)(p))
#define WIDEN8(v) _mm512_cvtepu8_epi16(v)
#define LOWER(v) _mm512_castsi512_si256(v)
#define UPPER(v) _mm512_extracti64x4_epi64(v, 1)
#define AND(a, b) _mm512_and_si512(a, b)
#define OR(a, b) _mm512_or_si512(a, b)
#define ANDNOT(a, b) _mm512_andnot_si512(a, b)
#define REDUCE32(v) (uint32_t) _mm512_reduce_add_epi32(v)

#define SUM64(v) _mm512_reduce_add_epi64(v)
#define VF __m512
#define MF(op) _mm512_##op##_ps
/* The first k bytes (lanes), the rest zero. */
#define LOADN(p, k) _mm512_maskz_loadu_epi8(_bzhi_u64(~0ull, (unsigned)(k)), p)
#define LOADHALFN(p, k) _mm256_maskz_loadu_epi8(_bzhi_u32(~0u, (unsigned)(k)), p)
#define FIRST16(k) _mm512_movm_epi16(_bzhi_u32(~0u, (unsigned)(k)))

#include "measure/kern_simd.inc"

const vd_measure_kern vd_measure_kern_avx512 = { "avx512", row,     phase, isolated, noise,
                                                 grad,     add_row, dct,   quality,  colour };
