/* Bundle adjustment kernels for AVX-512: see kern_body.inc. SPDX-License-Identifier: Apache-2.0 */
#include <immintrin.h>

#include "sfm/kern.h"

#define ROW __m512d

static inline __m512d row_load(const double *p) {
    return _mm512_loadu_pd(p);
}
static inline __m512d row_load_float(const float *p) {
    return _mm512_cvtps_pd(_mm256_loadu_ps(p));
}
static inline void row_store(double *p, __m512d a) {
    _mm512_storeu_pd(p, a);
}
static inline __m512d row_scale(double s, __m512d a) {
    return _mm512_mul_pd(_mm512_set1_pd(s), a);
}
/* s a + b */
static inline __m512d row_fma(double s, __m512d a, __m512d b) {
    return _mm512_fmadd_pd(_mm512_set1_pd(s), a, b);
}
static inline __m512d row_fma2(__m512d s, __m512d a, __m512d b) {
    return _mm512_fmadd_pd(s, a, b);
}
static inline double row_dot(__m512d a, __m512d b) {
    __m512d p = _mm512_mul_pd(a, b);
    __m256d s = _mm256_add_pd(_mm512_castpd512_pd256(p), _mm512_extractf64x4_pd(p, 1));
    __m128d t = _mm_add_pd(_mm256_castpd256_pd128(s), _mm256_extractf128_pd(s, 1));
    return _mm_cvtsd_f64(t) + _mm_cvtsd_f64(_mm_unpackhi_pd(t, t));
}

/* Pairs of doubles, then pairs of quarters, then halves change places. */
static inline void row_transpose(__m512d v[VD_BA_ROW]) {
    __m512d a[VD_BA_ROW], b[VD_BA_ROW];
    for (int i = 0; i < VD_BA_ROW; i += 2) {
        a[i] = _mm512_unpacklo_pd(v[i], v[i + 1]);
        a[i + 1] = _mm512_unpackhi_pd(v[i], v[i + 1]);
    }
    for (int i = 0; i < VD_BA_ROW; i += 4)
        for (int k = 0; k < 2; k++) {
            b[i + k] = _mm512_shuffle_f64x2(a[i + k], a[i + k + 2], 0x88);
            b[i + k + 2] = _mm512_shuffle_f64x2(a[i + k], a[i + k + 2], 0xdd);
        }
    for (int k = 0; k < 4; k++) {
        v[k] = _mm512_shuffle_f64x2(b[k], b[k + 4], 0x88);
        v[k + 4] = _mm512_shuffle_f64x2(b[k], b[k + 4], 0xdd);
    }
}

#include "sfm/kern_body.inc"

const vd_sfm_kern vd_sfm_kern_avx512 = { "avx512", SLOTS };
