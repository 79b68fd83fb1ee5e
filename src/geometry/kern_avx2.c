/* The kernels for AVX2. SPDX-License-Identifier: Apache-2.0 */
#include "geometry/kern.h"

#include <immintrin.h>

#define V __m256d
#define VF __m256
enum { LANES = 4, FLANES = 8 };
#define LOADD(p) _mm256_loadu_pd(p)
#define STORED(p, v) _mm256_storeu_pd(p, v)
#define SETD(x) _mm256_set1_pd(x)
#define SQRTD(v) _mm256_sqrt_pd(v)
#define ABSD(v) _mm256_andnot_pd(SETD(-0.), v)
/* |m| with the sign of s */
#define SIGNED_AS(m, s) _mm256_or_pd(_mm256_andnot_pd(SETD(-0.), m), _mm256_and_pd(SETD(-0.), s))
#define KEEP_BELOW(a, b, x) _mm256_and_pd(_mm256_cmp_pd(a, b, _CMP_LT_OQ), x)
#define KEEP_POSITIVE(a, x) KEEP_BELOW(_mm256_setzero_pd(), a, x)
#define COUNT_BELOW(a, b)                                                                          \
    __builtin_popcount((unsigned)_mm256_movemask_pd(_mm256_cmp_pd(a, b, _CMP_LT_OQ)))
#define LOADF(p) _mm256_loadu_ps(p)
#define STOREF(p, v) _mm256_storeu_ps(p, v)
#define SETF(x) _mm256_set1_ps(x)
#define SQRTF(v) _mm256_sqrt_ps(v)
#define POSITIVEF(v) _mm256_max_ps(v, _mm256_setzero_ps()) /* NaN becomes 0 */
#define COUNTF(v)                                                                                  \
    __builtin_popcount(                                                                            \
        (unsigned)_mm256_movemask_ps(_mm256_cmp_ps(_mm256_setzero_ps(), v, _CMP_LT_OQ)))

#include "geometry/kern_simd.inc"
#include "geometry/kern_minimal.inc"
#include "geometry/five_point.inc"
#include "geometry/seven_point.inc"

const vd_geometry_kern vd_geometry_kern_avx2 = {
    .name = "avx2",
    .epipolar_score = epipolar_score,
    .transfer_score = transfer_score,
    .epipolar_errors = epipolar_errors,
    .transfer_errors = transfer_errors,
    .epipolar_normal = epipolar_normal,
    .homography_normal = homography_normal,
    .pose_normal = pose_normal,
    .five_point = five_point,
    .seven_point = seven_point,
};
