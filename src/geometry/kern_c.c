/* The kernels in plain C: the reference, one match and one problem at a time.
 * SPDX-License-Identifier: Apache-2.0 */
#include "geometry/kern.h"

#include <math.h>

#define V double
#define VF float
enum { LANES = 1, FLANES = 1 };
#define LOADD(p) (*(p))
#define STORED(p, v) (*(p) = (v))
#define SETD(x) ((double)(x))
#define SQRTD(v) sqrt(v)
#define ABSD(v) fabs(v)
/* |m| with the sign of s */
#define SIGNED_AS(m, s) copysign(m, s)
#define KEEP_BELOW(a, b, x) ((a) < (b) ? (x) : 0.)
#define KEEP_POSITIVE(a, x) ((a) > 0 ? (x) : 0.)
#define COUNT_BELOW(a, b) ((a) < (b))
#define LOADF(p) (*(p))
#define STOREF(p, v) (*(p) = (v))
#define SETF(x) ((float)(x))
#define SQRTF(v) sqrtf(v)
#define POSITIVEF(v) ((v) > 0 ? (v) : 0.f) /* NaN becomes 0 */
#define COUNTF(v) ((v) > 0)

#include "geometry/kern_simd.inc"
#include "geometry/kern_minimal.inc"
#include "geometry/five_point.inc"
#include "geometry/seven_point.inc"

const vd_geometry_kern vd_geometry_kern_c = {
    .name = "c",
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
