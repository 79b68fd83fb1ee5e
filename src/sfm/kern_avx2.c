/* Bundle adjustment kernels for AVX2 and FMA: see kern_body.inc. SPDX-License-Identifier:
 * Apache-2.0
 */
#include <immintrin.h>

#include "sfm/kern.h"

#define ROW row8

typedef struct row8 {
    __m256d lo, hi;
} row8;

static inline row8 row_load(const double *p) {
    return (row8){ _mm256_loadu_pd(p), _mm256_loadu_pd(p + 4) };
}
static inline row8 row_load_float(const float *p) {
    return (row8){ _mm256_cvtps_pd(_mm_loadu_ps(p)), _mm256_cvtps_pd(_mm_loadu_ps(p + 4)) };
}
static inline void row_store(double *p, row8 a) {
    _mm256_storeu_pd(p, a.lo);
    _mm256_storeu_pd(p + 4, a.hi);
}
static inline row8 row_scale(double s, row8 a) {
    __m256d v = _mm256_set1_pd(s);
    return (row8){ _mm256_mul_pd(a.lo, v), _mm256_mul_pd(a.hi, v) };
}
/* s a + b */
static inline row8 row_fma(double s, row8 a, row8 b) {
    __m256d v = _mm256_set1_pd(s);
    return (row8){ _mm256_fmadd_pd(v, a.lo, b.lo), _mm256_fmadd_pd(v, a.hi, b.hi) };
}
static inline row8 row_fma2(row8 s, row8 a, row8 b) {
    return (row8){ _mm256_fmadd_pd(s.lo, a.lo, b.lo), _mm256_fmadd_pd(s.hi, a.hi, b.hi) };
}
static inline double row_dot(row8 a, row8 b) {
    __m256d s = _mm256_add_pd(_mm256_mul_pd(a.lo, b.lo), _mm256_mul_pd(a.hi, b.hi));
    __m128d t = _mm_add_pd(_mm256_castpd256_pd128(s), _mm256_extractf128_pd(s, 1));
    return _mm_cvtsd_f64(t) + _mm_cvtsd_f64(_mm_unpackhi_pd(t, t));
}

static inline void transpose4(__m256d *a, __m256d *b, __m256d *c, __m256d *d) {
    __m256d p = _mm256_unpacklo_pd(*a, *b), q = _mm256_unpackhi_pd(*a, *b),
            r = _mm256_unpacklo_pd(*c, *d), s = _mm256_unpackhi_pd(*c, *d);
    *a = _mm256_permute2f128_pd(p, r, 0x20);
    *b = _mm256_permute2f128_pd(q, s, 0x20);
    *c = _mm256_permute2f128_pd(p, r, 0x31);
    *d = _mm256_permute2f128_pd(q, s, 0x31);
}

static inline void row_transpose(row8 v[VD_BA_ROW]) {
    for (int i = 0; i < VD_BA_ROW; i += 4) {
        transpose4(&v[i].lo, &v[i + 1].lo, &v[i + 2].lo, &v[i + 3].lo);
        transpose4(&v[i].hi, &v[i + 1].hi, &v[i + 2].hi, &v[i + 3].hi);
    }
    for (int i = 0; i < 4; i++) {
        __m256d t = v[i].hi;
        v[i].hi = v[4 + i].lo;
        v[4 + i].lo = t;
    }
}

#include "sfm/kern_body.inc"

const vd_sfm_kern vd_sfm_kern_avx2 = { "avx2", SLOTS };
