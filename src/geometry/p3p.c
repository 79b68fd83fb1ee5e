/* Three points: see p3p.h. SPDX-License-Identifier: Apache-2.0 */
#include "geometry/p3p.h"

#include <stdbool.h>

#include "geometry/rigid.h"

/* A real root of x^3 + b x^2 + c x + d: outside of the extrema, if there are any, where Newton's
 * method runs monotonously. */
static double cubic_root(double b, double c, double d) {
    double x, disc = b * b - 3 * c;
    if (disc >= 0) {
        double v = sqrt(disc), t = (-b - v) / 3, k = ((t + b) * t + c) * t + d;
        if (k > 0) {
            x = t - sqrt(-k / (3 * t + b));
        } else {
            t = (-b + v) / 3;
            k = ((t + b) * t + c) * t + d;
            x = t + sqrt(-k / (3 * t + b));
        }
    } else {
        x = -b / 3;
        if (fabs((3 * x + 2 * b) * x + c) < 1e-4) x += 1;
    }
    for (int i = 0; i < 50; i++) {
        double f = ((x + b) * x + c) * x + d, df = (3 * x + 2 * b) * x + c, step = f / df;
        x -= step;
        if (!(fabs(step) > 1e-13 * (fabs(x) + 1e-3))) break;
    }
    return x;
}

/* The sides of the triangle and the cosines of the angles between its bearings; a23 = 1. */
typedef struct triangle {
    double a12, a13, side2; /* squared sides over |X2 - X3|^2, which is side2 */
    double c12, c13, c23;
} triangle;

/* The pair of lines that det(M1 + s M2) = 0 belongs to; false when they are not real. */
static bool line_pair(double g[3], double h[3], const triangle *t) {
    /* det M1 + ... + s^3 det M2, written out for the zeros that M1 and M2 have */
    double s0 = 1 - t->a12, s1 = -t->a13, u0 = -t->a12, u1 = 1 - t->a13, t0 = t->c23 * t->a12,
           t1 = t->c23 * t->a13, k0 = s0 * u0 - t0 * t0, k1 = s0 * u1 + s1 * u0 - 2 * t0 * t1,
           k2 = s1 * u1 - t1 * t1, p2 = t->c12 * t->c12, r2 = t->c13 * t->c13,
           pr = 2 * t->c12 * t->c13;
    double c0 = k0 - p2 * u0, c1 = k0 + k1 - p2 * u1 + pr * t0, c2 = k1 + k2 + pr * t1 - r2 * s0,
           inv = 1 / (k2 - r2 * s1);
    double s = cubic_root(c2 * inv, c1 * inv, c0 * inv);
    const double m00 = 1 + s, m01 = -t->c12, m02 = -s * t->c13, m11 = s0 + s * s1,
                 m12 = t0 + s * t1, m22 = u0 + s * u1;
    /* -adj(M) = p p^T with p the point where the lines meet */
    const double b00 = m12 * m12 - m11 * m22, b11 = m02 * m02 - m00 * m22,
                 b22 = m01 * m01 - m00 * m11, b01 = m01 * m22 - m02 * m12,
                 b02 = m02 * m11 - m01 * m12, b12 = m00 * m12 - m01 * m02;
    double p0, p1, p2x;
    if (b00 >= b11 && b00 >= b22) {
        double r = sqrt(b00);
        p0 = r, p1 = b01 / r, p2x = b02 / r;
    } else if (b11 >= b22) {
        double r = sqrt(b11);
        p0 = b01 / r, p1 = r, p2x = b12 / r;
    } else {
        double r = sqrt(b22);
        p0 = b02 / r, p1 = b12 / r, p2x = r;
    }
    if (!isfinite(p0 + p1 + p2x)) return false;
    /* M + [p]x = g h^T: its largest element has the best row and column */
    const double n[3][3] = { { m00, m01 - p2x, m02 + p1 },
                             { m01 + p2x, m11, m12 - p0 },
                             { m02 - p1, m12 + p0, m22 } };
    int row = 0, col = 0;
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            if (fabs(n[i][j]) > fabs(n[row][col])) row = i, col = j;
    for (int i = 0; i < 3; i++) {
        g[i] = n[row][i];
        h[i] = n[i][col];
    }
    return true;
}

/* Points (u, v) of the line l on the conic u^2 + 1 - 2 c13 u = a13 (v^2 + 1 - 2 c23 v). */
static int on_line(double u[2], double v[2], const double l[3], const triangle *t) {
    double a, b, c, w0, w1;
    bool by_v = fabs(l[0]) > fabs(l[1]);
    if (by_v) { /* u = w0 + w1 v */
        w0 = -l[2] / l[0], w1 = -l[1] / l[0];
        a = w1 * w1 - t->a13;
        b = w0 * w1 - t->c13 * w1 + t->a13 * t->c23;
        c = (w0 - 2 * t->c13) * w0 + 1 - t->a13;
    } else { /* v = w0 + w1 u */
        w0 = -l[2] / l[1], w1 = -l[0] / l[1];
        a = 1 - t->a13 * w1 * w1;
        b = -t->c13 - t->a13 * (w0 * w1 - t->c23 * w1);
        c = 1 - t->a13 * ((w0 - 2 * t->c23) * w0 + 1);
    }
    double d = b * b - a * c;
    if (!(d >= 0)) return 0;
    double q = -(b + (b < 0 ? -sqrt(d) : sqrt(d)));
    const double z[2] = { q / a, c / q };
    int n = 0;
    for (int i = 0; i < 2; i++) {
        double other = w0 + w1 * z[i], x = by_v ? other : z[i], y = by_v ? z[i] : other;
        if (!(x > 0 && y > 0) || !isfinite(x + y)) continue;
        u[n] = x;
        v[n++] = y;
    }
    return n;
}

/* Newton's method on the three laws of cosines (sides over |X2 - X3|). */
static bool polish(double d[3], const triangle *t) {
    for (int i = 0; i < 3; i++) {
        double r12 = d[0] * d[0] + d[1] * d[1] - 2 * d[0] * d[1] * t->c12 - t->a12,
               r13 = d[0] * d[0] + d[2] * d[2] - 2 * d[0] * d[2] * t->c13 - t->a13,
               r23 = d[1] * d[1] + d[2] * d[2] - 2 * d[1] * d[2] * t->c23 - 1;
        if (fabs(r12) + fabs(r13) + fabs(r23) < 1e-14) break;
        /* halves of the derivatives; each equation has two of the three unknowns */
        double p0 = d[0] - d[1] * t->c12, p1 = d[1] - d[0] * t->c12, q0 = d[0] - d[2] * t->c13,
               q2 = d[2] - d[0] * t->c13, s1 = d[1] - d[2] * t->c23, s2 = d[2] - d[1] * t->c23;
        double det = -p0 * q2 * s1 - p1 * q0 * s2, f = 0.5 / det;
        double e0 = -q2 * s1 * r12 - p1 * s2 * r13 + p1 * q2 * r23,
               e1 = -q0 * s2 * r12 + p0 * s2 * r13 - p0 * q2 * r23,
               e2 = q0 * s1 * r12 - p0 * s1 * r13 - p1 * q0 * r23;
        if (!isfinite(f)) break;
        d[0] -= f * e0;
        d[1] -= f * e1;
        d[2] -= f * e2;
    }
    double r12 = d[0] * d[0] + d[1] * d[1] - 2 * d[0] * d[1] * t->c12 - t->a12,
           r13 = d[0] * d[0] + d[2] * d[2] - 2 * d[0] * d[2] * t->c13 - t->a13,
           r23 = d[1] * d[1] + d[2] * d[2] - 2 * d[1] * d[2] * t->c23 - 1;
    double size = d[0] * d[0] + d[1] * d[1] + d[2] * d[2];
    return d[0] > 0 && d[1] > 0 && d[2] > 0 &&
           fabs(r12) + fabs(r13) + fabs(r23) < 1e-10 * (1 + size);
}

static vd_vec3 row(const double *m, int i) {
    return vd_v3(m[3 * i], m[3 * i + 1], m[3 * i + 2]);
}

/* The motion that takes the triangle (p, its sides u, w and normal n) to the one in the camera;
 * inv has the rows of (u w n)^-1. */
static void pose_of(double m[12], vd_vec3 p, const vd_vec3 inv[3], vd_vec3 y1, vd_vec3 y2,
                    vd_vec3 y3) {
    vd_vec3 a = vd_v3_sub(y2, y1), b = vd_v3_sub(y3, y1), c = vd_v3_cross(a, b);
    const double to[9] = { a.x, b.x, c.x, a.y, b.y, c.y, a.z, b.z, c.z },
                 y[3] = { y1.x, y1.y, y1.z };
    for (int i = 0; i < 3; i++) {
        const double *s = to + 3 * i;
        double *r = m + 4 * i;
        r[0] = s[0] * inv[0].x + s[1] * inv[1].x + s[2] * inv[2].x;
        r[1] = s[0] * inv[0].y + s[1] * inv[1].y + s[2] * inv[2].y;
        r[2] = s[0] * inv[0].z + s[1] * inv[1].z + s[2] * inv[2].z;
        r[3] = y[i] - (r[0] * p.x + r[1] * p.y + r[2] * p.z);
    }
}

int vd_p3p_matrices(double m[4][12], const double x[9], const double X[9]) {
    const vd_vec3 p1 = row(X, 0), p2 = row(X, 1), p3 = row(X, 2), x1 = row(x, 0), x2 = row(x, 1),
                  x3 = row(x, 2);
    vd_vec3 u = vd_v3_sub(p2, p1), w = vd_v3_sub(p3, p1), s = vd_v3_sub(p3, p2),
            n = vd_v3_cross(u, w);
    triangle t;
    double area = vd_v3_dot(n, n), uu = vd_v3_dot(u, u), wv = vd_v3_dot(w, w), g[2][3];
    t.side2 = vd_v3_dot(s, s);
    /* the sine of the angle at X1, squared: 1e-7 of a radian is a line */
    if (!(area > 1e-14 * uu * wv) || !(t.side2 > 0)) return 0;
    t.a12 = uu / t.side2;
    t.a13 = wv / t.side2;
    t.c12 = vd_v3_dot(x1, x2);
    t.c13 = vd_v3_dot(x1, x3);
    t.c23 = vd_v3_dot(x2, x3);
    if (!line_pair(g[0], g[1], &t)) return 0;
    /* rows of (u w n)^-1: w x n, n x u, u x w over the determinant |n|^2 */
    const vd_vec3 inv[3] = { vd_v3_mul(vd_v3_cross(w, n), 1 / area),
                             vd_v3_mul(vd_v3_cross(n, u), 1 / area), vd_v3_mul(n, 1 / area) };
    double size = sqrt(t.side2);
    int found = 0;
    for (int line = 0; line < 2; line++) {
        double us[2], vs[2];
        int k = on_line(us, vs, g[line], &t);
        for (int i = 0; i < k && found < 4; i++) {
            double d3 = 1 / sqrt(vs[i] * vs[i] + 1 - 2 * vs[i] * t.c23),
                   d[3] = { us[i] * d3, vs[i] * d3, d3 };
            if (!polish(d, &t)) continue;
            pose_of(m[found++], p1, inv, vd_v3_mul(x1, size * d[0]), vd_v3_mul(x2, size * d[1]),
                    vd_v3_mul(x3, size * d[2]));
        }
    }
    return found;
}

int vd_p3p(vd_rigid cam_from_world[4], const double x[9], const double X[9]) {
    double m[4][12];
    int n = vd_p3p_matrices(m, x, X);
    for (int i = 0; i < n; i++) {
        const double *p = m[i], r[9] = { p[0], p[1], p[2], p[4], p[5], p[6], p[8], p[9], p[10] };
        cam_from_world[i] = (vd_rigid){ vd_quat_of_matrix(r), vd_v3(p[3], p[7], p[11]) };
    }
    return n;
}
