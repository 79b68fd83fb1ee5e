/* Roots of polynomials and small dense matrices, against the answers they were made from.
 * SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "math/mat.h"
#include "math/poly.h"
#include "math/roots.h"

/* c = product of (x - root) and of (x - re)^2 + im^2, times `lead`. */
static int expand(double *c, const double *root, int real, const double *re, const double *im,
                  int pairs, double lead) {
    int n = 0;
    c[0] = lead;
    for (int i = 0; i < real; i++) {
        c[n + 1] = c[n];
        for (int k = n; k > 0; k--) c[k] = c[k - 1] - root[i] * c[k];
        c[0] *= -root[i];
        n++;
    }
    for (int i = 0; i < pairs; i++) {
        double p = -2 * re[i], q = re[i] * re[i] + im[i] * im[i], d[16] = { 0 };
        for (int k = 0; k <= n; k++) {
            d[k] += q * c[k];
            d[k + 1] += p * c[k];
            d[k + 2] += c[k];
        }
        n += 2;
        memcpy(c, d, (size_t)(n + 1) * sizeof *c);
    }
    return n;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Roots that are apart by at least `apart` of their size; all must be found, to `tol`. */
static void known_roots(t_case *t, int degree, int trials, double apart, double tol, int *missed) {
    vd_rng r = t_rng(t);
    *missed = 0;
    for (int i = 0; i < trials; i++) {
        double root[12], re[6], im[6], c[16], x[12];
        int real = degree - 2 * (int)vd_rng_int(&r, degree / 2 + 1), pairs = (degree - real) / 2;
        for (int k = 0; k < real;) { /* of all sizes, as slopes of random lines are */
            root[k] = tan(vd_rng_range(&r, -1.5, 1.5));
            bool alone = true;
            for (int j = 0; j < k; j++)
                alone = alone && fabs(root[j] - root[k]) > apart * (1 + fabs(root[k]));
            k += alone;
        }
        for (int k = 0; k < pairs; k++) {
            re[k] = tan(vd_rng_range(&r, -1.2, 1.2));
            im[k] = vd_rng_range(&r, 0.1, 2) * (1 + fabs(re[k]));
        }
        int n = expand(c, root, real, re, im, pairs, exp(vd_rng_range(&r, -10, 10)));
        qsort(root, (size_t)real, sizeof *root, by_value);
        int got = vd_poly_roots(x, c, n);
        bool all = got == real;
        for (int k = 0; all && k < real; k++)
            all = fabs(x[k] - root[k]) < tol * (1 + fabs(root[k]));
        *missed += !all;
    }
}

T(sturm_finds_the_roots_of_low_degrees) {
    int missed;
    for (int n = 1; n <= 5; n++) {
        known_roots(t, n, 20000, 0.01, 1e-7, &missed);
        T_EQ(missed, 0);
    }
}

T(sturm_finds_the_roots_of_degree_10) {
    int missed; /* neighbours at 5 % make a polynomial of degree 10 ill-conditioned */
    known_roots(t, 10, 20000, 0.05, 1e-4, &missed);
    T_LT(missed, 40);
    known_roots(t, 8, 20000, 0.05, 1e-5, &missed);
    T_LT(missed, 10);
}

T(sturm_takes_awkward_polynomials) {
    double x[12];
    const double chebyshev10[11] = { -1, 0, 50, 0, -400, 0, 1120, 0, -1280, 0, 512 };
    T_EQ(vd_poly_roots(x, chebyshev10, 10), 10);
    for (int k = 0; k < 10; k++) T_NEAR(x[k], -cos((2 * k + 1) * 3.14159265358979 / 20), 1e-12);
    const double wilkinson6[7] = { 720, -1764, 1624, -735, 175, -21, 1 };
    T_EQ(vd_poly_roots(x, wilkinson6, 6), 6);
    for (int k = 0; k < 6; k++) T_NEAR(x[k], k + 1, 1e-9);
    const double none[5] = { 1, 0, 0, 0, 1 }, twice[4] = { 2, -5, 4, -1 }; /* (2 - x) (1 - x)^2 */
    T_EQ(vd_poly_roots(x, none, 4), 0);
    T_EQ(vd_poly_roots(x, twice, 3), 2);
    T_NEAR(x[0], 1, 1e-6);
    T_NEAR(x[1], 2, 1e-9);
    const double zero[3] = { 0, 0, 0 }, flat[3] = { 5, 0, 0 }, line[11] = { -3, 2 };
    T_EQ(vd_poly_roots(x, zero, 2), 0);
    T_EQ(vd_poly_roots(x, flat, 2), 0);
    T_EQ(vd_poly_roots(x, line, 10), 1);
    T_NEAR(x[0], 1.5, 1e-15);
    const double bad[3] = { 1, NAN, 1 }, huge[3] = { INFINITY, 1, 1 };
    T_EQ(vd_poly_roots(x, bad, 2), 0);
    T_EQ(vd_poly_roots(x, huge, 2), 0);
    const double origin[11] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 }; /* x^10 */
    T_EQ(vd_poly_roots(x, origin, 10), 1);
    T_NEAR(x[0], 0, 1e-3); /* where x^10 is below 1e-30 */
    vd_rng r = t_rng(t);
    for (int i = 0; i < 20000; i++) { /* anything ends, with finite roots */
        double c[13];
        for (int k = 0; k < 13; k++)
            c[k] =
                vd_rng_int(&r, 4) == 0 ? 0 : vd_rng_normal(&r) * exp(vd_rng_range(&r, -200, 200));
        int n = vd_poly_roots(x, c, 12);
        T_TRUE(n >= 0 && n <= 12);
        for (int k = 0; k < n; k++) T_TRUE(isfinite(x[k]));
    }
}

T(quadratics_and_cubics) {
    vd_rng r = t_rng(t);
    for (int i = 0; i < 50000; i++) {
        double root[3], re = vd_rng_normal(&r), im = vd_rng_range(&r, 0.01, 2), c[4], x[3];
        for (int k = 0; k < 3; k++) root[k] = vd_rng_normal(&r);
        if (i % 7 == 0) root[0] *= 1e-8;
        expand(c, root, 2, NULL, NULL, 0, vd_rng_normal(&r));
        qsort(root, 2, sizeof *root, by_value);
        T_EQ(vd_poly_quadratic(x, c), 2);
        T_NEAR(x[0], root[0], 1e-9);
        T_NEAR(x[1], root[1], 1e-9);
        bool complex_pair = i % 2;
        expand(c, root, complex_pair ? 1 : 3, &re, &im, complex_pair, vd_rng_normal(&r));
        qsort(root, complex_pair ? 1 : 3, sizeof *root, by_value);
        T_EQ(vd_poly_cubic(x, c), complex_pair ? 1 : 3);
        for (int k = 0; k < (complex_pair ? 1 : 3); k++) T_NEAR(x[k], root[k], 1e-5);
    }
    double x[3];
    T_EQ(vd_poly_quadratic(x, (const double[3]){ 1, 0, 1 }), 0);
    T_EQ(vd_poly_quadratic(x, (const double[3]){ 0, 0, 3 }), 2);
    T_EQ(vd_poly_quadratic(x, (const double[3]){ 4, 2, 0 }), 1);
    T_EQ(vd_poly_cubic(x, (const double[4]){ 4, 2, 0, 0 }), 1);
    T_EQ(vd_poly_cubic(x, (const double[4]){ 0, 0, 0, 2 }), 3);
    T_NEAR(x[0], 0, 1e-15);
}

static void random_matrix(vd_rng *r, double *a, int n, int rank) {
    for (int i = 0; i < n * n; i++) a[i] = 0;
    for (int k = 0; k < rank; k++) {
        double u[12], v[12];
        for (int i = 0; i < n; i++) u[i] = vd_rng_normal(r), v[i] = vd_rng_normal(r);
        for (int i = 0; i < n * n; i++) a[i] += u[i / n] * v[i % n];
    }
}

T(svd_is_one) {
    vd_rng r = t_rng(t);
    for (int i = 0; i < 5000; i++) {
        double a[9], u[9], s[3], v[9], c[9];
        int rank = i % 4;
        random_matrix(&r, a, 3, rank);
        vd_svd3(u, s, v, a);
        T_TRUE(s[0] >= s[1] && s[1] >= s[2] && s[2] >= 0);
        if (rank < 3) T_LT(s[rank], 1e-14 * (1 + s[0]));
        vd_mat3_mul_tn(c, u, u);
        for (int k = 0; k < 9; k++) T_NEAR(c[k], k % 4 == 0, 1e-13);
        vd_mat3_mul_tn(c, v, v);
        for (int k = 0; k < 9; k++) T_NEAR(c[k], k % 4 == 0, 1e-13);
        for (int k = 0; k < 9; k++) {
            double sum = 0;
            for (int j = 0; j < 3; j++) sum += u[3 * (k / 3) + j] * s[j] * v[3 * (k % 3) + j];
            T_NEAR(sum, a[k], 1e-13 * (1 + s[0]));
        }
    }
}

T(eigenvectors_are_ones) {
    vd_rng r = t_rng(t);
    for (int i = 0; i < 400; i++) {
        int n = 1 + i % 12;
        double b[144], a[144], w[12], v[144];
        random_matrix(&r, b, n, n);
        for (int p = 0; p < n; p++)
            for (int q = 0; q < n; q++) a[p * n + q] = b[p * n + q] + b[q * n + p];
        vd_sym_eigen(w, v, a, n);
        for (int k = 0; k < n; k++) {
            if (k > 0) T_TRUE(w[k - 1] <= w[k]);
            for (int p = 0; p < n; p++) {
                double sum = 0;
                for (int q = 0; q < n; q++) sum += a[p * n + q] * v[q * n + k];
                T_NEAR(sum, w[k] * v[p * n + k], 1e-11);
            }
        }
    }
}

T(equations_are_solved) {
    vd_rng r = t_rng(t);
    for (int i = 0; i < 2000; i++) {
        int n = 1 + i % 12;
        double b[144], a[144], x[12], y[12], rhs[12];
        random_matrix(&r, b, n, n + 2);
        for (int p = 0; p < n; p++) x[p] = vd_rng_normal(&r);
        for (int p = 0; p < n; p++) {
            rhs[p] = 0;
            for (int q = 0; q < n; q++) rhs[p] += b[p * n + q] * x[q];
        }
        if (vd_lu_solve(y, b, rhs, n)) {
            double res = 0;
            for (int p = 0; p < n; p++) {
                double sum = -rhs[p];
                for (int q = 0; q < n; q++) sum += b[p * n + q] * y[q];
                res += fabs(sum);
            }
            T_LT(res, 1e-9);
        } else
            T_FAIL("a random matrix of size %d is not singular", n);
        for (int p = 0; p < n; p++)
            for (int q = 0; q < n; q++) {
                a[p * n + q] = p == q ? 1 : 0;
                for (int k = 0; k < n; k++) a[p * n + q] += b[p * n + k] * b[q * n + k];
            }
        for (int p = 0; p < n; p++) {
            rhs[p] = 0;
            for (int q = 0; q < n; q++) rhs[p] += a[p * n + q] * x[q];
        }
        T_TRUE(vd_spd_solve(y, a, rhs, n));
        for (int p = 0; p < n; p++) T_NEAR(y[p], x[p], 1e-8);
        a[0] = -1;
        T_TRUE(!vd_spd_solve(y, a, rhs, n));
    }
    double inv[9], one[9], m[9] = { 1, 2, 3, 4, 5, 6, 7, 8, 10 },
                           s[9] = { 1, 2, 3, 2, 4, 6, 1, 1, 1 };
    T_TRUE(vd_mat3_inverse(inv, m));
    vd_mat3_mul(one, m, inv);
    for (int k = 0; k < 9; k++) T_NEAR(one[k], k % 4 == 0, 1e-13);
    T_TRUE(!vd_mat3_inverse(inv, s));
    T_TRUE(!vd_lu_solve(inv, (const double[4]){ 0, 0, 0, 0 }, m, 2));
}
