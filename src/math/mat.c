/* Small dense matrices. Eigenvectors by Jacobi's method, and singular values by its one-sided form
 * (Hestenes): for sizes up to a dozen they are short, accurate to the last digits, also for the
 * small values that null spaces are about, and always end. SPDX-License-Identifier: Apache-2.0 */
#include "math/mat.h"

#include <string.h>

enum { SWEEPS = 30 }; /* six do for random matrices */

bool vd_mat3_inverse(double inv[9], const double a[9]) {
    double c[9];
    vd_mat3_adjugate(c, a);
    double det = a[0] * c[0] + a[1] * c[3] + a[2] * c[6], s = 1 / det;
    if (det == 0 || !isfinite(s)) return false;
    for (int i = 0; i < 9; i++) inv[i] = c[i] * s;
    return true;
}

/* The rotation (c, s) that makes the off-diagonal element p of [a p; p b] zero. */
static void jacobi(double a, double b, double p, double *c, double *s) {
    double tau = (b - a) / (2 * p);
    double t = copysign(1, tau) / (fabs(tau) + sqrt(1 + tau * tau));
    *c = 1 / sqrt(1 + t * t);
    *s = t * *c;
}

static void rotate(double *x, double *y, double c, double s) {
    double a = *x, b = *y;
    *x = c * a - s * b;
    *y = s * a + c * b;
}

static void sort_columns(double *w, double *v, int n) {
    for (int i = 0; i < n; i++) {
        int least = i;
        for (int k = i + 1; k < n; k++)
            if (w[k] < w[least]) least = k;
        if (least == i) continue;
        double t = w[i];
        w[i] = w[least];
        w[least] = t;
        for (int k = 0; k < n; k++) {
            t = v[k * n + i];
            v[k * n + i] = v[k * n + least];
            v[k * n + least] = t;
        }
    }
}

void vd_sym_eigen(double *w, double *v, const double *a, int n) {
    double m[VD_MAT_MAX * VD_MAT_MAX], total = 0;
    memcpy(m, a, (size_t)(n * n) * sizeof *m);
    for (int i = 0; i < n * n; i++) {
        v[i] = i % (n + 1) == 0;
        total += m[i] * m[i];
    }
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        double off = 0;
        for (int i = 0; i < n; i++)
            for (int j = 0; j < i; j++) off += m[i * n + j] * m[i * n + j];
        if (!(off > 1e-34 * total)) break;
        for (int p = 0; p < n; p++)
            for (int q = p + 1; q < n; q++) {
                double c, s, apq = m[p * n + q];
                if (apq == 0) continue;
                jacobi(m[p * n + p], m[q * n + q], apq, &c, &s);
                for (int k = 0; k < n; k++) rotate(&m[k * n + p], &m[k * n + q], c, s);
                for (int k = 0; k < n; k++) rotate(&m[p * n + k], &m[q * n + k], c, s);
                m[p * n + q] = m[q * n + p] = 0;
                for (int k = 0; k < n; k++) rotate(&v[k * n + p], &v[k * n + q], c, s);
            }
    }
    for (int i = 0; i < n; i++) w[i] = m[i * n + i];
    sort_columns(w, v, n);
}

/* A unit vector at right angles to the unit vector a. */
static vd_vec3 beside(vd_vec3 a) {
    vd_vec3 e = fabs(a.x) < 0.6 ? vd_v3(1, 0, 0) : vd_v3(0, 1, 0);
    return vd_v3_unit(vd_v3_cross(a, e));
}

/* Columns of u for singular values that are zero. */
static void complete(vd_vec3 u[3], const double s[3], double tiny) {
    if (!(s[0] > 0)) u[0] = vd_v3(1, 0, 0);
    if (!(s[1] > tiny)) u[1] = beside(u[0]);
    if (!(s[2] > tiny)) {
        vd_vec3 c = vd_v3_cross(u[0], u[1]);
        u[2] = vd_v3_unit(c);
    }
}

void vd_svd3(double u[9], double s[3], double v[9], const double a[9]) {
    vd_vec3 col[3], right[3] = { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } };
    for (int j = 0; j < 3; j++) col[j] = vd_v3(a[j], a[3 + j], a[6 + j]);
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        bool turned = false;
        for (int p = 0; p < 2; p++)
            for (int q = p + 1; q < 3; q++) {
                double x = vd_v3_dot(col[p], col[p]), y = vd_v3_dot(col[q], col[q]),
                       d = vd_v3_dot(col[p], col[q]), cs, sn;
                if (!(d * d > 1e-32 * x * y)) continue;
                turned = true;
                jacobi(x, y, d, &cs, &sn);
                rotate(&col[p].x, &col[q].x, cs, sn);
                rotate(&col[p].y, &col[q].y, cs, sn);
                rotate(&col[p].z, &col[q].z, cs, sn);
                rotate(&right[p].x, &right[q].x, cs, sn);
                rotate(&right[p].y, &right[q].y, cs, sn);
                rotate(&right[p].z, &right[q].z, cs, sn);
            }
        if (!turned) break;
    }
    for (int j = 0; j < 3; j++) s[j] = vd_v3_norm(col[j]);
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2 - i; j++)
            if (s[j] < s[j + 1]) {
                double t = s[j];
                vd_vec3 c = col[j], r = right[j];
                s[j] = s[j + 1], s[j + 1] = t;
                col[j] = col[j + 1], col[j + 1] = c;
                right[j] = right[j + 1], right[j + 1] = r;
            }
    double tiny = 1e-14 * s[0];
    for (int j = 0; j < 3; j++)
        if (s[j] > 0) col[j] = vd_v3_mul(col[j], 1 / s[j]);
    complete(col, s, tiny);
    for (int j = 0; j < 3; j++) {
        u[j] = col[j].x, u[3 + j] = col[j].y, u[6 + j] = col[j].z;
        v[j] = right[j].x, v[3 + j] = right[j].y, v[6 + j] = right[j].z;
    }
}

bool vd_spd_solve(double *x, const double *a, const double *b, int n) {
    double l[VD_MAT_MAX * VD_MAT_MAX], y[VD_MAT_MAX];
    for (int i = 0; i < n; i++) {
        double t = b[i];
        for (int j = 0; j <= i; j++) {
            double sum = a[i * n + j];
            for (int k = 0; k < j; k++) sum -= l[i * n + k] * l[j * n + k];
            if (j == i) {
                if (!(sum > 0) || !isfinite(sum)) return false;
                l[i * n + i] = 1 / sqrt(sum);
            } else {
                l[i * n + j] = sum * l[j * n + j];
                t -= l[i * n + j] * y[j];
            }
        }
        y[i] = t * l[i * n + i];
    }
    for (int i = n - 1; i >= 0; i--) {
        for (int k = i + 1; k < n; k++) y[i] -= l[k * n + i] * y[k];
        y[i] *= l[i * n + i];
    }
    memcpy(x, y, (size_t)n * sizeof *x);
    return true;
}

bool vd_lu_solve(double *x, const double *a, const double *b, int n) {
    double m[VD_MAT_MAX * VD_MAT_MAX], y[VD_MAT_MAX];
    memcpy(m, a, (size_t)(n * n) * sizeof *m);
    memcpy(y, b, (size_t)n * sizeof *y);
    for (int k = 0; k < n; k++) {
        int best = k;
        for (int i = k + 1; i < n; i++)
            if (fabs(m[i * n + k]) > fabs(m[best * n + k])) best = i;
        if (!(fabs(m[best * n + k]) > 0)) return false;
        if (best != k) {
            for (int j = k; j < n; j++) rotate(&m[k * n + j], &m[best * n + j], 0, 1);
            rotate(&y[k], &y[best], 0, 1);
        }
        for (int i = k + 1; i < n; i++) {
            double f = m[i * n + k] / m[k * n + k];
            for (int j = k + 1; j < n; j++) m[i * n + j] -= f * m[k * n + j];
            y[i] -= f * y[k];
        }
    }
    for (int i = n - 1; i >= 0; i--) {
        for (int k = i + 1; k < n; k++) y[i] -= m[i * n + k] * y[k];
        y[i] /= m[i * n + i];
        if (!isfinite(y[i])) return false;
    }
    memcpy(x, y, (size_t)n * sizeof *x);
    return true;
}
