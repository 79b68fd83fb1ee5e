/* 3-vectors, 3x3 matrices (row-major), unit quaternions and rigid motions, by value.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_MATH_VEC_H
#define VD_MATH_VEC_H

#include <math.h>

typedef struct vd_vec3 {
    double x, y, z;
} vd_vec3;

typedef struct vd_quat {
    double w, x, y, z; /* Hamilton */
} vd_quat;

/* x_in_b = R(q) x_in_a + t, named b_from_a. */
typedef struct vd_rigid {
    vd_quat q;
    vd_vec3 t;
} vd_rigid;

static inline vd_vec3 vd_v3(double x, double y, double z) {
    return (vd_vec3){ x, y, z };
}
static inline vd_vec3 vd_v3_add(vd_vec3 a, vd_vec3 b) {
    return vd_v3(a.x + b.x, a.y + b.y, a.z + b.z);
}
static inline vd_vec3 vd_v3_sub(vd_vec3 a, vd_vec3 b) {
    return vd_v3(a.x - b.x, a.y - b.y, a.z - b.z);
}
static inline vd_vec3 vd_v3_mul(vd_vec3 a, double s) {
    return vd_v3(a.x * s, a.y * s, a.z * s);
}
static inline double vd_v3_dot(vd_vec3 a, vd_vec3 b) {
    return a.x * b.x + a.y * b.y + a.z * b.z;
}
static inline vd_vec3 vd_v3_cross(vd_vec3 a, vd_vec3 b) {
    return vd_v3(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x);
}
static inline double vd_v3_norm(vd_vec3 a) {
    return sqrt(vd_v3_dot(a, a));
}
static inline vd_vec3 vd_v3_unit(vd_vec3 a) {
    return vd_v3_mul(a, 1.0 / vd_v3_norm(a));
}

/* m = R(q). */
static inline void vd_quat_matrix(double m[9], vd_quat q) {
    m[0] = 1 - 2 * (q.y * q.y + q.z * q.z);
    m[1] = 2 * (q.x * q.y - q.w * q.z);
    m[2] = 2 * (q.x * q.z + q.w * q.y);
    m[3] = 2 * (q.x * q.y + q.w * q.z);
    m[4] = 1 - 2 * (q.x * q.x + q.z * q.z);
    m[5] = 2 * (q.y * q.z - q.w * q.x);
    m[6] = 2 * (q.x * q.z - q.w * q.y);
    m[7] = 2 * (q.y * q.z + q.w * q.x);
    m[8] = 1 - 2 * (q.x * q.x + q.y * q.y);
}
#endif
