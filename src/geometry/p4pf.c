/* Four points, pose and focal length; see p4pf.h. SPDX-License-Identifier: Apache-2.0 */
#include "geometry/p4pf.h"

#include <stdbool.h>
#include <string.h>

#include "geometry/homography.h"
#include "geometry/quadrics.h"
#include "geometry/rigid.h"
#include "math/mat.h"

/* A tetrahedron flatter than this (height over size) is taken as a plane: the general solver
 * divides by its volume. */
static const double FLAT = 1e-5;
/* The two focal lengths of an exact solution may differ by this factor: noise drives them apart,
 * and three quadrics have other solutions too. */
static const double ASPECT = 1.5;

static double dot3(const double *a, const double *b) {
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/* [R | t] and the focal length from P up to scale, whose first two rows are multiplied by the focal
 * lengths; false when it is not a camera that has all points in front. */
static bool camera_of(vd_posed_focal *out, const double p[12], const double X[12]) {
    double n0 = sqrt(dot3(p, p)), n1 = sqrt(dot3(p + 4, p + 4)), n2 = sqrt(dot3(p + 8, p + 8));
    double aspect = n0 / n1, focal = sqrt(n0 * n1) / n2;
    if (!(aspect < ASPECT && aspect * ASPECT > 1) || !isfinite(focal) || !(focal > 0)) return false;
    double r[9], u[9], s[3], v[9];
    for (int i = 0; i < 3; i++) {
        r[i] = p[i] / n0;
        r[3 + i] = p[4 + i] / n1;
        r[6 + i] = p[8 + i] / n2;
    }
    double sign = vd_mat3_det(r) < 0 ? -1 : 1; /* of P's scale */
    vd_svd3(u, s, v, r);
    vd_mat3_mul_nt(r, u, v); /* the closest rotation, up to the sign */
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 3; k++) out->m[4 * i + k] = sign * r[3 * i + k];
        out->m[4 * i + 3] = sign * p[4 * i + 3] / (i == 0 ? n0 : i == 1 ? n1 : n2);
    }
    out->focal = focal;
    for (int i = 0; i < 4; i++)
        if (!(dot3(out->m + 8, X + 3 * i) + out->m[11] > 0)) return false;
    return true;
}

/* The four-dimensional space of (p1, p2) with v p1 X = u p2 X: orthonormal rows of n, by
 * Householder reflections of the four equations. */
static void row_space(double n[4][8], const double uv[8], const double X[12]) {
    double a[4][8], beta[4];
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 4; k++) {
            double x = k < 3 ? X[3 * i + k] : 1;
            a[i][k] = uv[2 * i + 1] * x;
            a[i][4 + k] = -uv[2 * i] * x;
        }
    for (int k = 0; k < 4; k++) {
        double *v = a[k], sum = 0;
        for (int i = k; i < 8; i++) sum += v[i] * v[i];
        double norm = sqrt(sum);
        beta[k] = sum > 0 ? 1 / (sum + norm * fabs(v[k])) : 0;
        v[k] += copysign(norm, v[k]);
        for (int j = k + 1; j < 4; j++) {
            double d = 0;
            for (int i = k; i < 8; i++) d += v[i] * a[j][i];
            for (int i = k; i < 8; i++) a[j][i] -= beta[k] * d * v[i];
        }
    }
    for (int c = 0; c < 4; c++) {
        for (int i = 0; i < 8; i++) n[c][i] = i == 4 + c;
        for (int k = 3; k >= 0; k--) {
            double d = 0;
            for (int i = k; i < 8; i++) d += a[k][i] * n[c][i];
            for (int i = k; i < 8; i++) n[c][i] -= beta[k] * d * a[k][i];
        }
    }
}

/* The third row that goes with the first two: (u^2 + v^2) p3 X = u p1 X + v p2 X. */
static bool third_row(double p3[4], const double p12[8], const double uv[8], const double X[12]) {
    double a[16], b[4];
    for (int i = 0; i < 4; i++) {
        double u = uv[2 * i], v = uv[2 * i + 1], q = u * u + v * v;
        b[i] = u * (dot3(p12, X + 3 * i) + p12[3]) + v * (dot3(p12 + 4, X + 3 * i) + p12[7]);
        for (int k = 0; k < 4; k++) a[4 * i + k] = q * (k < 3 ? X[3 * i + k] : 1);
    }
    return vd_lu_solve(p3, a, b, 4);
}

/* Coefficients of (sum_k a_k x_k) . (sum_k b_k x_k), x = (x, y, z, 1), in the order of quadrics.h.
 */
static void product(double q[10], const double a[4][12], int ra, const double b[4][12], int rb) {
    static const int order[4][4] = {
        { 0, 1, 2, 6 }, { 1, 3, 4, 7 }, { 2, 4, 5, 8 }, { 6, 7, 8, 9 }
    };
    memset(q, 0, 10 * sizeof *q);
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) q[order[i][j]] += dot3(a[i] + 4 * ra, b[j] + 4 * rb);
}

static int general(vd_posed_focal *out, const double uv[8], const double X[12]) {
    double n[4][8], p[4][12], q[3][10], xyz[8][3];
    row_space(n, uv, X);
    for (int k = 0; k < 4; k++) {
        memcpy(p[k], n[k], sizeof n[k]);
        if (!third_row(p[k] + 8, n[k], uv, X)) return 0;
    }
    product(q[0], (const double(*)[12])p, 0, (const double(*)[12])p, 1);
    product(q[1], (const double(*)[12])p, 0, (const double(*)[12])p, 2);
    product(q[2], (const double(*)[12])p, 1, (const double(*)[12])p, 2);
    int found = vd_quadrics3(xyz, (const double(*)[10])q), kept = 0;
    for (int i = 0; i < found; i++) {
        double m[12];
        for (int k = 0; k < 12; k++)
            m[k] = xyz[i][0] * p[0][k] + xyz[i][1] * p[1][k] + xyz[i][2] * p[2][k] + p[3][k];
        kept += camera_of(&out[kept], m, X);
    }
    return kept;
}

/* Axes of the plane of the four points: e1, e2 in it, e3 across. */
static bool plane_axes(vd_vec3 e[3], const vd_vec3 x[4]) {
    vd_vec3 u = vd_v3_sub(x[1], x[0]), n = { 0, 0, 0 };
    double most = 0;
    for (int i = 1; i < 4; i++)
        for (int j = i + 1; j < 4; j++) {
            vd_vec3 c = vd_v3_cross(vd_v3_sub(x[i], x[0]), vd_v3_sub(x[j], x[0]));
            if (vd_v3_dot(c, c) > most) {
                most = vd_v3_dot(c, c);
                n = c;
            }
        }
    if (!(most > 0) || !(vd_v3_dot(u, u) > 0)) return false;
    e[2] = vd_v3_unit(n);
    e[0] = vd_v3_unit(vd_v3_sub(u, vd_v3_mul(e[2], vd_v3_dot(u, e[2]))));
    e[1] = vd_v3_cross(e[2], e[0]);
    return true;
}

/* h = diag(f, f, 1) (r1 r2 t) up to scale: r1 . r2 = 0 and |r1| = |r2| are linear in 1 / f^2. */
static int planar(vd_posed_focal *out, const double uv[8], const double X[12]) {
    vd_vec3 x[4], e[3];
    double a[12], b[12], h[9];
    for (int i = 0; i < 4; i++) x[i] = vd_v3(X[3 * i], X[3 * i + 1], X[3 * i + 2]);
    if (!plane_axes(e, x)) return 0;
    for (int i = 0; i < 4; i++) {
        vd_vec3 d = vd_v3_sub(x[i], x[0]);
        a[3 * i] = vd_v3_dot(d, e[0]);
        a[3 * i + 1] = vd_v3_dot(d, e[1]);
        b[3 * i] = uv[2 * i];
        b[3 * i + 1] = uv[2 * i + 1];
        a[3 * i + 2] = b[3 * i + 2] = 1;
    }
    if (!vd_homography_four_point(h, a, b)) return 0;
    double p = h[0] * h[1] + h[3] * h[4], q = h[0] * h[0] + h[3] * h[3] - h[1] * h[1] - h[4] * h[4],
           r = h[6] * h[7], s = h[6] * h[6] - h[7] * h[7];
    double w = -(p * r + q * s) / (p * p + q * q); /* least squares of w p + r = 0, w q + s = 0 */
    if (!(w > 0) || !isfinite(w)) return 0;
    double f = 1 / sqrt(w);
    vd_vec3 r1 = vd_v3(h[0] / f, h[3] / f, h[6]), r2 = vd_v3(h[1] / f, h[4] / f, h[7]);
    double scale = 2 / (vd_v3_norm(r1) + vd_v3_norm(r2));
    vd_vec3 r3 = vd_v3_cross(vd_v3_mul(r1, scale), vd_v3_mul(r2, scale));
    r3 = vd_v3_mul(r3, 1 / scale);
    const double c1[3] = { r1.x, r1.y, r1.z }, c2[3] = { r2.x, r2.y, r2.z },
                 c3[3] = { r3.x, r3.y, r3.z }, t[3] = { h[2] / f, h[5] / f, h[8] };
    double m[12];
    for (int i = 0; i < 3; i++) {
        double g = i < 2 ? f : 1; /* camera_of wants focal lengths in the rows */
        m[4 * i] = g * (c1[i] * e[0].x + c2[i] * e[1].x + c3[i] * e[2].x);
        m[4 * i + 1] = g * (c1[i] * e[0].y + c2[i] * e[1].y + c3[i] * e[2].y);
        m[4 * i + 2] = g * (c1[i] * e[0].z + c2[i] * e[1].z + c3[i] * e[2].z);
        m[4 * i + 3] = g * t[i] - m[4 * i] * x[0].x - m[4 * i + 1] * x[0].y - m[4 * i + 2] * x[0].z;
    }
    return camera_of(out, m, X);
}

int vd_p4pf(vd_posed_focal out[VD_P4PF_MOST], const double uv[8], const double X[12]) {
    vd_vec3 d[3];
    double size = 0;
    for (int i = 0; i < 3; i++) {
        d[i] = vd_v3(X[3 * i + 3] - X[0], X[3 * i + 4] - X[1], X[3 * i + 5] - X[2]);
        size = fmax(size, vd_v3_norm(d[i]));
    }
    double volume = fabs(vd_v3_dot(vd_v3_cross(d[0], d[1]), d[2]));
    if (!(size > 0) || !isfinite(size)) return 0;
    return volume > FLAT * size * size * size ? general(out, uv, X) : planar(out, uv, X);
}
