/* Rigid motions and rotations beyond math/vec.h: composing, inverting, quaternions from matrices,
 * the exponential map. By value, header only. SPDX-License-Identifier: Apache-2.0
 *
 * A transform is named b_from_a; c_from_a = vd_rigid_mul(c_from_b, b_from_a). Rotation vectors are
 * angle (radians) times unit axis, and act from the left: vd_quat_mul(vd_quat_exp(w), q). */
#ifndef VD_GEOMETRY_RIGID_H
#define VD_GEOMETRY_RIGID_H

#include <stdbool.h>

#include "math/vec.h"

static const vd_quat VD_QUAT_ONE = { 1, 0, 0, 0 };
static const vd_rigid VD_RIGID_ONE = { { 1, 0, 0, 0 }, { 0, 0, 0 } };

static inline vd_quat vd_quat_mul(vd_quat a, vd_quat b) {
    return (vd_quat){ a.w * b.w - a.x * b.x - a.y * b.y - a.z * b.z,
                      a.w * b.x + a.x * b.w + a.y * b.z - a.z * b.y,
                      a.w * b.y - a.x * b.z + a.y * b.w + a.z * b.x,
                      a.w * b.z + a.x * b.y - a.y * b.x + a.z * b.w };
}

static inline vd_quat vd_quat_conj(vd_quat q) {
    return (vd_quat){ q.w, -q.x, -q.y, -q.z };
}

/* Unit length with w >= 0; the identity for a zero quaternion. */
static inline vd_quat vd_quat_unit(vd_quat q) {
    double n = sqrt(q.w * q.w + q.x * q.x + q.y * q.y + q.z * q.z);
    if (!(n > 0)) return VD_QUAT_ONE;
    double s = (q.w < 0 ? -1 : 1) / n;
    return (vd_quat){ q.w * s, q.x * s, q.y * s, q.z * s };
}

static inline vd_vec3 vd_quat_rotate(vd_quat q, vd_vec3 v) {
    vd_vec3 u = vd_v3(q.x, q.y, q.z), t = vd_v3_mul(vd_v3_cross(u, v), 2);
    return vd_v3_add(vd_v3_add(v, vd_v3_mul(t, q.w)), vd_v3_cross(u, t));
}

/* The quaternion of a rotation matrix, w >= 0. [Shepperd 1978]: divide by the largest component. */
static inline vd_quat vd_quat_of_matrix(const double m[9]) {
    double w = 1 + m[0] + m[4] + m[8], x = 1 + m[0] - m[4] - m[8], y = 1 - m[0] + m[4] - m[8],
           z = 1 - m[0] - m[4] + m[8];
    if (w >= x && w >= y && w >= z)
        return vd_quat_unit((vd_quat){ w, m[7] - m[5], m[2] - m[6], m[3] - m[1] });
    if (x >= y && x >= z)
        return vd_quat_unit((vd_quat){ m[7] - m[5], x, m[1] + m[3], m[2] + m[6] });
    if (y >= z) return vd_quat_unit((vd_quat){ m[2] - m[6], m[1] + m[3], y, m[5] + m[7] });
    return vd_quat_unit((vd_quat){ m[3] - m[1], m[2] + m[6], m[5] + m[7], z });
}

/* Whether a matrix, perhaps of few digits, is one: orthonormal within `tolerance`, not mirrored. */
static inline bool vd_is_rotation(const double m[9], double tolerance) {
    vd_vec3 a = vd_v3(m[0], m[1], m[2]), b = vd_v3(m[3], m[4], m[5]), c = vd_v3(m[6], m[7], m[8]);
    return fabs(vd_v3_dot(a, a) - 1) <= tolerance && fabs(vd_v3_dot(b, b) - 1) <= tolerance &&
           fabs(vd_v3_dot(c, c) - 1) <= tolerance && fabs(vd_v3_dot(a, b)) <= tolerance &&
           fabs(vd_v3_dot(b, c)) <= tolerance && fabs(vd_v3_dot(c, a)) <= tolerance &&
           vd_v3_dot(vd_v3_cross(a, b), c) > 0;
}

/* The rotation of a rotation vector. */
static inline vd_quat vd_quat_exp(vd_vec3 w) {
    double q = vd_v3_dot(w, w), a = sqrt(q);
    /* sin(a / 2) / a; the next term of the series is below 1e-18 */
    double s = q < 1e-6 ? 0.5 - q * (1. / 48 - q / 3840) : sin(a / 2) / a;
    return (vd_quat){ cos(a / 2), s * w.x, s * w.y, s * w.z };
}

/* The rotation vector of a unit quaternion, of length 0 .. pi. */
static inline vd_vec3 vd_quat_log(vd_quat q) {
    double n = sqrt(q.x * q.x + q.y * q.y + q.z * q.z), w = fabs(q.w);
    double s = n < 1e-9 ? 2 / w : 2 * atan2(n, w) / n;
    if (q.w < 0) s = -s;
    return vd_v3(s * q.x, s * q.y, s * q.z);
}

/* The angle between two rotations, 0 .. pi. */
static inline double vd_quat_angle_rad(vd_quat a, vd_quat b) {
    vd_quat d = vd_quat_mul(a, vd_quat_conj(b));
    return 2 * atan2(sqrt(d.x * d.x + d.y * d.y + d.z * d.z), fabs(d.w));
}

static inline vd_rigid vd_rigid_mul(vd_rigid c_from_b, vd_rigid b_from_a) {
    return (vd_rigid){ vd_quat_mul(c_from_b.q, b_from_a.q),
                       vd_v3_add(vd_quat_rotate(c_from_b.q, b_from_a.t), c_from_b.t) };
}

static inline vd_rigid vd_rigid_inverse(vd_rigid b_from_a) {
    vd_quat q = vd_quat_conj(b_from_a.q);
    return (vd_rigid){ q, vd_v3_mul(vd_quat_rotate(q, b_from_a.t), -1) };
}

static inline vd_vec3 vd_rigid_apply(vd_rigid b_from_a, vd_vec3 x_in_a) {
    return vd_v3_add(vd_quat_rotate(b_from_a.q, x_in_a), b_from_a.t);
}

/* The origin of b in a: for cam_from_world the place of the camera. */
static inline vd_vec3 vd_rigid_centre(vd_rigid b_from_a) {
    return vd_v3_mul(vd_quat_rotate(vd_quat_conj(b_from_a.q), b_from_a.t), -1);
}
#endif
