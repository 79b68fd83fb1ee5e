/* Small dense matrices, row-major. SPDX-License-Identifier: Apache-2.0
 *
 * 3 x 3 products may not be written over their inputs. */
#ifndef VD_MATH_MAT_H
#define VD_MATH_MAT_H

#include <stdbool.h>

#include "math/vec.h"

static inline void vd_mat3_mul(double c[9], const double a[9], const double b[9]) {
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            c[3 * i + j] = a[3 * i] * b[j] + a[3 * i + 1] * b[3 + j] + a[3 * i + 2] * b[6 + j];
}
static inline void vd_mat3_transpose(double t[9], const double a[9]) {
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) t[3 * j + i] = a[3 * i + j];
}
/* c = a b^T, c = a^T b. */
static inline void vd_mat3_mul_nt(double c[9], const double a[9], const double b[9]) {
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            c[3 * i + j] =
                a[3 * i] * b[3 * j] + a[3 * i + 1] * b[3 * j + 1] + a[3 * i + 2] * b[3 * j + 2];
}
static inline void vd_mat3_mul_tn(double c[9], const double a[9], const double b[9]) {
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            c[3 * i + j] = a[i] * b[j] + a[3 + i] * b[3 + j] + a[6 + i] * b[6 + j];
}
static inline vd_vec3 vd_mat3_apply(const double m[9], vd_vec3 v) {
    return vd_v3(m[0] * v.x + m[1] * v.y + m[2] * v.z, m[3] * v.x + m[4] * v.y + m[5] * v.z,
                 m[6] * v.x + m[7] * v.y + m[8] * v.z);
}
/* m^T v. */
static inline vd_vec3 vd_mat3_apply_t(const double m[9], vd_vec3 v) {
    return vd_v3(m[0] * v.x + m[3] * v.y + m[6] * v.z, m[1] * v.x + m[4] * v.y + m[7] * v.z,
                 m[2] * v.x + m[5] * v.y + m[8] * v.z);
}
/* [v]x: the matrix of the cross product from the left. */
static inline void vd_mat3_cross(double m[9], vd_vec3 v) {
    m[0] = m[4] = m[8] = 0;
    m[1] = -v.z;
    m[2] = v.y;
    m[3] = v.z;
    m[5] = -v.x;
    m[6] = -v.y;
    m[7] = v.x;
}
static inline double vd_mat3_det(const double m[9]) {
    return m[0] * (m[4] * m[8] - m[5] * m[7]) - m[1] * (m[3] * m[8] - m[5] * m[6]) +
           m[2] * (m[3] * m[7] - m[4] * m[6]);
}
/* The transposed matrix of cofactors: a * adj(a) = det(a) I. */
static inline void vd_mat3_adjugate(double c[9], const double a[9]) {
    c[0] = a[4] * a[8] - a[5] * a[7];
    c[1] = a[2] * a[7] - a[1] * a[8];
    c[2] = a[1] * a[5] - a[2] * a[4];
    c[3] = a[5] * a[6] - a[3] * a[8];
    c[4] = a[0] * a[8] - a[2] * a[6];
    c[5] = a[2] * a[3] - a[0] * a[5];
    c[6] = a[3] * a[7] - a[4] * a[6];
    c[7] = a[1] * a[6] - a[0] * a[7];
    c[8] = a[0] * a[4] - a[1] * a[3];
}
bool vd_mat3_inverse(double inv[9], const double a[9]); /* false: singular */

enum { VD_MAT_MAX = 12 };

/* Eigenvalues w[n], ascending, and unit eigenvectors in the columns of v[n * n] of a symmetric
 * matrix, n <= VD_MAT_MAX. */
void vd_sym_eigen(double *w, double *v, const double *a, int n);

/* a = u diag(s) v^T with s[0] >= s[1] >= s[2] >= 0; u and v are orthogonal, of any handedness. */
void vd_svd3(double u[9], double s[3], double v[9], const double a[9]);

/* Solves a x = b for a symmetric positive definite a, n <= VD_MAT_MAX; only its lower triangle is
 * read. False, and x untouched: not positive definite. */
bool vd_spd_solve(double *x, const double *a, const double *b, int n);

/* Solves a x = b by elimination with partial pivoting, n <= VD_MAT_MAX. False: singular. */
bool vd_lu_solve(double *x, const double *a, const double *b, int n);
#endif
