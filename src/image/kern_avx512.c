/* Image kernels for AVX-512 (F, BW, DQ, VL): see kern_simd.inc. SPDX-License-Identifier: Apache-2.0 */
#include "image/kern.h"

#include <immintrin.h>

#define LANES 16
#define VI __m512i
#define M(op) _mm512_##op
#define ZERO _mm512_setzero_si512()
#define LOAD(p) _mm512_loadu_si512(p)
#define STORE(p, v) _mm512_storeu_si512(p, v)
#define LOADHALF(p) _mm256_loadu_si256((const __m256i *)(const void *)(p))
#define WIDEN8(v) _mm512_cvtepu8_epi16(v)
#define GATHER2(base, at) _mm512_i32gather_epi32(at, (const void *)(base), 2)
#define STORE_BYTES(p, v) _mm_storeu_si128((__m128i *)(void *)(p), _mm512_cvtepi32_epi8(v))

#include "image/kern_simd.inc"

const vd_image_kern vd_image_kern_avx512 = { "avx512", reduce_rows, reduce_cols, luma_rgb,
                                             rgb_ycc };
