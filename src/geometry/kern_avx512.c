/* The kernels for AVX-512. SPDX-License-Identifier: Apache-2.0 */
#include "geometry/kern.h"

#include <immintrin.h>

#define V __m512d
#define VF __m512
enum { LANES = 8, FLANES = 16 };
#define LOADD(p) _mm512_loadu_pd(p)
#define STORED(p, v) _mm512_storeu_pd(p, v)
#define SETD(x) _mm512_set1_pd(x)
#define SQRTD(v) _mm512_sqrt_pd(v)
#define ABSD(v) _mm512_abs_pd(v)
/* |m| with the sign of s */
#define SIGNED_AS(m, s) _mm512_or_pd(_mm512_andnot_pd(SETD(-0.), m), _mm512_and_pd(SETD(-0.), s))
#define KEEP_BELOW(a, b, x) _mm512_maskz_mov_pd(_mm512_cmp_pd_mask(a, b, _CMP_LT_OQ), x)
#define KEEP_POSITIVE(a, x) KEEP_BELOW(_mm512_setzero_pd(), a, x)
#define COUNT_BELOW(a, b) __builtin_popcount(_mm512_cmp_pd_mask(a, b, _CMP_LT_OQ))
#define LOADF(p) _mm512_loadu_ps(p)
#define STOREF(p, v) _mm512_storeu_ps(p, v)
#define SETF(x) _mm512_set1_ps(x)
#define SQRTF(v) _mm512_sqrt_ps(v)
#define POSITIVEF(v) _mm512_max_ps(v, _mm512_setzero_ps()) /* NaN becomes 0 */
#define COUNTF(v) __builtin_popcount(_mm512_cmp_ps_mask(_mm512_setzero_ps(), v, _CMP_LT_OQ))

#include "geometry/kern_simd.inc"
#include "geometry/kern_minimal.inc"
#include "geometry/five_point.inc"
#include "geometry/seven_point.inc"

const vd_geometry_kern vd_geometry_kern_avx512 = {
    .name = "avx512",
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
