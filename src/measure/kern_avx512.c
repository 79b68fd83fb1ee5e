/* Measure kernels for AVX-512 (F, BW, DQ, VL): see kern_simd.inc. SPDX-License-Identifier: Apache-2.0 */
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
#define OR(a, b) _mm512_or_si512(a, b)
#define ANDNOT(a, b) _mm512_andnot_si512(a, b)
#define REDUCE32(v) (uint32_t) _mm512_reduce_add_epi32(v)

#include "measure/kern_simd.inc"

const vd_measure_kern vd_measure_kern_avx512 = { "avx512", row,     phase, isolated, noise,
                                                 grad,     add_row, dct };
