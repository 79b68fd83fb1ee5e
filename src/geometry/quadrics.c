/* Where three quadrics meet. One unknown, x, is hidden in the coefficients: solved for y^2, yz and
 * z^2, the quadrics read
 *     y^2 = a1 y + b1 z + c1,  yz = a2 y + b2 z + c2,  z^2 = a3 y + b3 z + c3
 * with a, b linear and c quadratic in x. The identities y^2 z = yz y, yz z = z^2 y and
 * y^2 z^2 = (yz)^2 then are three equations linear in (y, z, 1); their determinant is a polynomial
 * of degree 8 in x. SPDX-License-Identifier: Apache-2.0 */
#include "geometry/quadrics.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "math/mat.h"
#include "math/poly.h"

enum { TOP = 8 };

/* A polynomial in x. */
typedef struct poly {
    double c[TOP + 1];
    int n; /* degree at most */
} poly;

static poly times(const poly *a, const poly *b) {
    poly r = { { 0 }, a->n + b->n };
    for (int i = 0; i <= a->n; i++)
        for (int j = 0; j <= b->n; j++) r.c[i + j] += a->c[i] * b->c[j];
    return r;
}

static void add(poly *to, double s, const poly *a) {
    for (int i = 0; i <= a->n; i++) to->c[i] += s * a->c[i];
    if (a->n > to->n) to->n = a->n;
}

/* to += s a b. */
static void add_times(poly *to, double s, const poly *a, const poly *b) {
    poly p = times(a, b);
    add(to, s, &p);
}

static double at(const poly *p, double x) {
    double v = 0;
    for (int i = p->n; i >= 0; i--) v = v * x + p->c[i];
    return v;
}

/* a[i], b[i], c[i] for y^2, yz, z^2; false when they cannot be solved for. */
static bool hide_x(poly a[3], poly b[3], poly c[3], const double q[3][10]) {
    const double m[9] = { q[0][3], q[0][4], q[0][5], q[1][3], q[1][4],
                          q[1][5], q[2][3], q[2][4], q[2][5] };
    double inv[9];
    if (!vd_mat3_inverse(inv, m)) return false;
    for (int i = 0; i < 3; i++) {
        double r[10] = { 0 };
        for (int k = 0; k < 3; k++)
            for (int j = 0; j < 10; j++) r[j] -= inv[3 * i + k] * q[k][j];
        a[i] = (poly){ { r[7], r[1] }, 1 };
        b[i] = (poly){ { r[8], r[2] }, 1 };
        c[i] = (poly){ { r[9], r[6], r[0] }, 2 };
    }
    return true;
}

/* The three identities as rows (of y, z, 1). */
static void identities(poly m[3][3], const poly a[3], const poly b[3], const poly c[3]) {
    memset(m, 0, 9 * sizeof **m);
    add_times(&m[0][0], 1, &b[0], &a[2]);
    add_times(&m[0][0], -1, &a[1], &b[1]);
    add(&m[0][0], -1, &c[1]);
    add_times(&m[0][1], 1, &a[0], &b[1]);
    add_times(&m[0][1], 1, &b[0], &b[2]);
    add_times(&m[0][1], -1, &a[1], &b[0]);
    add_times(&m[0][1], -1, &b[1], &b[1]);
    add(&m[0][1], 1, &c[0]);
    add_times(&m[0][2], 1, &a[0], &c[1]);
    add_times(&m[0][2], 1, &b[0], &c[2]);
    add_times(&m[0][2], -1, &a[1], &c[0]);
    add_times(&m[0][2], -1, &b[1], &c[1]);

    add_times(&m[1][0], 1, &a[1], &a[1]);
    add_times(&m[1][0], 1, &b[1], &a[2]);
    add_times(&m[1][0], -1, &a[2], &a[0]);
    add_times(&m[1][0], -1, &b[2], &a[1]);
    add(&m[1][0], -1, &c[2]);
    add_times(&m[1][1], 1, &a[1], &b[1]);
    add_times(&m[1][1], -1, &a[2], &b[0]);
    add(&m[1][1], 1, &c[1]);
    add_times(&m[1][2], 1, &a[1], &c[1]);
    add_times(&m[1][2], 1, &b[1], &c[2]);
    add_times(&m[1][2], -1, &a[2], &c[0]);
    add_times(&m[1][2], -1, &b[2], &c[1]);

    poly yy = { { 0 }, 0 }, yz = yy, zz = yy;
    add_times(&yy, 1, &a[0], &a[2]);
    add_times(&yy, -1, &a[1], &a[1]);
    add_times(&yz, 1, &a[0], &b[2]);
    add_times(&yz, 1, &b[0], &a[2]);
    add_times(&yz, -2, &a[1], &b[1]);
    add_times(&zz, 1, &b[0], &b[2]);
    add_times(&zz, -1, &b[1], &b[1]);
    const poly *square[3] = { &yy, &yz, &zz };
    for (int k = 0; k < 3; k++) {
        add_times(&m[2][0], 1, square[k], &a[k]);
        add_times(&m[2][1], 1, square[k], &b[k]);
        add_times(&m[2][2], 1, square[k], &c[k]);
    }
    add_times(&m[2][0], 1, &a[0], &c[2]);
    add_times(&m[2][0], 1, &c[0], &a[2]);
    add_times(&m[2][0], -2, &a[1], &c[1]);
    add_times(&m[2][1], 1, &b[0], &c[2]);
    add_times(&m[2][1], 1, &c[0], &b[2]);
    add_times(&m[2][1], -2, &b[1], &c[1]);
    add_times(&m[2][2], 1, &c[0], &c[2]);
    add_times(&m[2][2], -1, &c[1], &c[1]);
}

static poly determinant(poly m[3][3]) {
    poly det = { { 0 }, 0 };
    for (int k = 0; k < 3; k++) {
        int p = (k + 1) % 3, q = (k + 2) % 3;
        poly minor = { { 0 }, 0 };
        add_times(&minor, 1, &m[p][0], &m[q][1]);
        add_times(&minor, -1, &m[p][1], &m[q][0]);
        add_times(&det, 1, &minor, &m[k][2]);
    }
    return det;
}

/* (y, z) from the null vector of m(x): the largest cross product of two rows. */
static bool rest(double xyz[3], double x, poly m[3][3]) {
    double v[9], best[3] = { 0, 0, 0 }, most = 0;
    for (int i = 0; i < 9; i++) v[i] = at(&m[i / 3][i % 3], x);
    for (int r = 0; r < 3; r++) {
        const double *p = v + 3 * r, *q = v + (r + 1) % 3 * 3;
        double c[3] = { p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2],
                        p[0] * q[1] - p[1] * q[0] },
               size = c[0] * c[0] + c[1] * c[1] + c[2] * c[2];
        if (size > most) {
            most = size;
            memcpy(best, c, sizeof best);
        }
    }
    xyz[0] = x;
    xyz[1] = best[0] / best[2];
    xyz[2] = best[1] / best[2];
    return isfinite(xyz[1]) && isfinite(xyz[2]);
}

int vd_quadrics3(double xyz[8][3], const double q[3][10]) {
    poly a[3], b[3], c[3], m[3][3];
    if (!hide_x(a, b, c, q)) return 0;
    identities(m, a, b, c);
    poly det = determinant(m);
    double x[12];
    int roots = vd_poly_roots(x, det.c, TOP), n = 0;
    for (int i = 0; i < roots && n < 8; i++) n += rest(xyz[n], x[i], m);
    return n;
}
