/* Distortion functions, their Jacobians, and their inverse.
 *
 * All are of the form d = s(r^2) a + e(a): a radial factor and, for some, a small part that is not
 * radial. With q = r^2 = u^2 + v^2 the derivative of the radial part is s I + 2 s'(q) a a^T.
 *
 * The inverse is Newton's method from d itself, which nearly always does in three to five steps.
 * Its answer counts when the Jacobian keeps its orientation all the way from the axis. Otherwise
 * the solution is followed along t d, t = 0 .. 1, in small steps; where that way meets a fold there
 * is no inverse. SPDX-License-Identifier: Apache-2.0 */
#include "geometry/distort.h"

#include <math.h>

/* d, ja from the radial factor s and its derivative by q. */
static inline void radial(double s, double ds, const double a[2], double d[2], double ja[4]) {
    double u = a[0], v = a[1];
    d[0] = s * u;
    d[1] = s * v;
    ja[0] = s + 2 * ds * u * u;
    ja[1] = ja[2] = 2 * ds * u * v;
    ja[3] = s + 2 * ds * v * v;
}

static inline void column(double *jk, int i, int stride, double x, double y) {
    jk[i] = x;
    jk[i + stride] = y;
}

void vd_distort_none(const double *k, const double a[2], double d[2], double ja[4], double *jk,
                     int stride) {
    (void)k, (void)jk, (void)stride;
    radial(1, 0, a, d, ja);
}

void vd_distort_radial1(const double *k, const double a[2], double d[2], double ja[4], double *jk,
                        int stride) {
    double q = a[0] * a[0] + a[1] * a[1];
    radial(1 + k[0] * q, k[0], a, d, ja);
    if (jk != NULL) column(jk, 0, stride, q * a[0], q * a[1]);
}

void vd_distort_radial2(const double *k, const double a[2], double d[2], double ja[4], double *jk,
                        int stride) {
    double q = a[0] * a[0] + a[1] * a[1];
    radial(1 + q * (k[0] + q * k[1]), k[0] + 2 * q * k[1], a, d, ja);
    if (jk == NULL) return;
    column(jk, 0, stride, q * a[0], q * a[1]);
    column(jk, 1, stride, q * q * a[0], q * q * a[1]);
}

void vd_distort_radial4(const double *k, const double a[2], double d[2], double ja[4], double *jk,
                        int stride) {
    double q = a[0] * a[0] + a[1] * a[1];
    radial(1 + q * (k[0] + q * (k[1] + q * (k[2] + q * k[3]))),
           k[0] + q * (2 * k[1] + q * (3 * k[2] + q * 4 * k[3])), a, d, ja);
    if (jk == NULL) return;
    for (int i = 0; i < 4; i++) {
        column(jk, i, stride, q * a[0], q * a[1]);
        q *= a[0] * a[0] + a[1] * a[1];
    }
}

/* Adds the tangential part: (2 p1 u v + p2 (q + 2 u^2), 2 p2 u v + p1 (q + 2 v^2)); the columns of
 * p1 and p2 are 2 and 3 in every model that has them. */
static inline void tangential(double p1, double p2, const double a[2], double d[2], double ja[4],
                              double *jk, int stride) {
    double u = a[0], v = a[1], q = u * u + v * v;
    d[0] += 2 * p1 * u * v + p2 * (q + 2 * u * u);
    d[1] += 2 * p2 * u * v + p1 * (q + 2 * v * v);
    ja[0] += 2 * p1 * v + 6 * p2 * u;
    ja[1] += 2 * p1 * u + 2 * p2 * v;
    ja[2] += 2 * p2 * v + 2 * p1 * u;
    ja[3] += 2 * p2 * u + 6 * p1 * v;
    if (jk == NULL) return;
    column(jk, 2, stride, 2 * u * v, q + 2 * v * v);
    column(jk, 3, stride, q + 2 * u * u, 2 * u * v);
}

void vd_distort_opencv(const double *k, const double a[2], double d[2], double ja[4], double *jk,
                       int stride) {
    vd_distort_radial2(k, a, d, ja, jk, stride);
    tangential(k[2], k[3], a, d, ja, jk, stride);
}

/* k1 k2 p1 p2 k3 k4 k5 k6: s = (1 + k1 q + k2 q^2 + k3 q^3) / (1 + k4 q + k5 q^2 + k6 q^3). */
void vd_distort_full_opencv(const double *k, const double a[2], double d[2], double ja[4],
                            double *jk, int stride) {
    double q = a[0] * a[0] + a[1] * a[1];
    double n = 1 + q * (k[0] + q * (k[1] + q * k[4])), m = 1 + q * (k[5] + q * (k[6] + q * k[7]));
    double dn = k[0] + q * (2 * k[1] + q * 3 * k[4]), dm = k[5] + q * (2 * k[6] + q * 3 * k[7]);
    double s = m > 0 ? n / m : NAN; /* beyond a pole there is no lens */
    radial(s, (dn - s * dm) / m, a, d, ja);
    tangential(k[2], k[3], a, d, ja, jk, stride);
    if (jk == NULL) return;
    static const int above[3] = { 0, 1, 4 };
    double p = q / m;
    for (int i = 0; i < 3; i++, p *= q) {
        column(jk, above[i], stride, p * a[0], p * a[1]);
        column(jk, 5 + i, stride, -s * p * a[0], -s * p * a[1]);
    }
}

void vd_atan_ratio(double t, double *g, double *h) {
    double q = t * t;
    if (q < 1e-3) { /* the next term is below 1e-17 */
        *g = 1 - q * (1. / 3 - q * (1. / 5 - q * (1. / 7 - q * (1. / 9 - q / 11))));
        *h = -2. / 3 + q * (4. / 5 - q * (6. / 7 - q * (8. / 9 - q * (10. / 11 - q * 12 / 13))));
        return;
    }
    *g = atan(t) / t;
    *h = (1 / (1 + q) - *g) / q;
}

/* T / omega with T = 2 tan(omega / 2), and its derivative by omega. */
static void fov_ratio(double w, double *ratio, double *dratio) {
    double t = 2 * tan(w / 2);
    if (w * w < 1e-4) {
        *ratio = 1 + w * w * (1. / 12 + w * w * (1. / 120 + w * w * 17 / 20160));
        *dratio = w * (1. / 6 + w * w * (1. / 30 + w * w * 17 / 3360));
        return;
    }
    *ratio = t / w;
    *dratio = (1 + t * t / 4 - *ratio) / w;
}

/* [Devernay and Faugeras 2001] Straight lines have to be straight: r_d = atan(r T) / omega, so
 * s = (T / omega) g(T r). */
void vd_distort_fov(const double *k, const double a[2], double d[2], double ja[4], double *jk,
                    int stride) {
    double w = k[0], q = a[0] * a[0] + a[1] * a[1], tan2 = 2 * tan(w / 2), ratio, dratio, g, h;
    fov_ratio(w, &ratio, &dratio);
    vd_atan_ratio(tan2 * sqrt(q), &g, &h);
    radial(ratio * g, ratio * h * tan2 * tan2 / 2, a, d, ja);
    if (jk == NULL) return;
    double dw = dratio * g + ratio * h * tan2 * q * (1 + tan2 * tan2 / 4);
    column(jk, 0, stride, dw * a[0], dw * a[1]);
}

/* Its inverse: r = tan(r_d omega) / T, while r_d omega is below 90 degrees. */
static bool undistort_fov(const double *k, const double d[2], double a[2]) {
    double x = sqrt(d[0] * d[0] + d[1] * d[1]) * fabs(k[0]), q = x * x, ratio, unused;
    if (!(x < 1.5707963267948966) || !(fabs(k[0]) < 3.141592653589793)) return false;
    fov_ratio(k[0], &ratio, &unused);
    double t =
        q < 1e-3 ? 1 + q * (1. / 3 + q * (2. / 15 + q * (17. / 315 + q * 62 / 2835))) : tan(x) / x;
    a[0] = d[0] * t / ratio;
    a[1] = d[1] * t / ratio;
    return true;
}

/* k1 k2 p1 p2 k3 k4 sx1 sy1. */
void vd_distort_thin_prism(const double *k, const double a[2], double d[2], double ja[4],
                           double *jk, int stride) {
    double u = a[0], v = a[1], q = u * u + v * v;
    radial(1 + q * (k[0] + q * (k[1] + q * (k[4] + q * k[5]))),
           k[0] + q * (2 * k[1] + q * (3 * k[4] + q * 4 * k[5])), a, d, ja);
    tangential(k[2], k[3], a, d, ja, jk, stride);
    d[0] += k[6] * q;
    d[1] += k[7] * q;
    ja[0] += 2 * k[6] * u;
    ja[1] += 2 * k[6] * v;
    ja[2] += 2 * k[7] * u;
    ja[3] += 2 * k[7] * v;
    if (jk == NULL) return;
    static const int order[4] = { 0, 1, 4, 5 };
    double p = q;
    for (int i = 0; i < 4; i++, p *= q) column(jk, order[i], stride, p * u, p * v);
    column(jk, 6, stride, q, 0);
    column(jk, 7, stride, 0, q);
}

/* Steps of Newton's method: quadratic once near; a solution is only ever followed from nearby. */
enum { NEWTON_STEPS = 12, FOLLOW_STEPS = 64, WAY_PARTS = 4 };
/* A step this small beside the distorted radius is the last: the next would be about its square. */
static const double CONVERGED = 1e-8;

static bool inward(double ja0, double ja1, double ja2, double ja3) {
    return !(ja0 * ja3 - ja1 * ja2 > 0 && ja0 + ja3 > 0);
}

/* Newton from a; true when it converged where the distortion keeps its orientation. */
static bool newton(vd_distort_fn distort, const double *k, const double d[2], double a[2]) {
    double scale = fabs(d[0]) + fabs(d[1]), e[2], j[4];
    for (int i = 0; i < NEWTON_STEPS; i++) {
        distort(k, a, e, j, NULL, 0);
        double x = d[0] - e[0], y = d[1] - e[1], inv = 1 / (j[0] * j[3] - j[1] * j[2]);
        if (inward(j[0], j[1], j[2], j[3])) return false;
        double u = (j[3] * x - j[1] * y) * inv, v = (j[0] * y - j[2] * x) * inv;
        a[0] += u;
        a[1] += v;
        if (fabs(u) + fabs(v) <= CONVERGED * scale) return true;
    }
    return false;
}

/* Whether the straight way from the axis to a, where all is well, stays inside the domain. */
static bool way_is_free(vd_distort_fn distort, const double *k, const double a[2]) {
    if (distort == vd_distort_opencv) { /* bounds of what the derivative loses; most pass */
        double q = a[0] * a[0] + a[1] * a[1];
        double lost =
            3 * fabs(k[0]) * q + 5 * fabs(k[1]) * q * q + 9 * (fabs(k[2]) + fabs(k[3])) * sqrt(q);
        if (lost < 1) return true;
    }
    for (int i = 1; i < WAY_PARTS; i++) {
        double t = (double)i / WAY_PARTS, at[2] = { t * a[0], t * a[1] }, e[2], j[4];
        distort(k, at, e, j, NULL, 0);
        if (inward(j[0], j[1], j[2], j[3])) return false;
    }
    return true;
}

/* Coefficients of a radial polynomial; 0 for other models. */
static int radial_terms(vd_distort_fn distort) {
    return distort == vd_distort_radial1   ? 1
           : distort == vd_distort_radial2 ? 2
           : distort == vd_distort_radial4 ? 4
                                           : 0;
}

/* Newton's method on the radius alone, which is what most cameras have. False where the radius
 * might fold before it: 1 - sum (2 i + 1) |k_i| r^2i > 0 says that it does not. */
static bool undistort_radial(const double *k, int n, const double d[2], double a[2]) {
    double rd = sqrt(d[0] * d[0] + d[1] * d[1]), r = rd;
    for (int i = 0; i < NEWTON_STEPS; i++) {
        double q = r * r, s = 0, ds = 0, bound = 0;
        for (int j = n - 1; j >= 0; j--) {
            s = (s + k[j]) * q;
            ds = (ds + (2 * j + 3) * k[j]) * q;
            bound = (bound + (2 * j + 3) * fabs(k[j])) * q;
        }
        if (!(bound < 1)) return false;
        double step = (r * (1 + s) - rd) / (1 + ds);
        r -= step;
        if (fabs(step) > CONVERGED * rd) continue;
        double inv = r / rd;
        a[0] = d[0] * inv;
        a[1] = d[1] * inv;
        return true;
    }
    return false;
}

bool vd_undistort(vd_distort_fn distort, const double *k, const double d[2], double a[2]) {
    double x[2] = { d[0], d[1] };
    if (distort == vd_distort_fov) return undistort_fov(k, d, a);
    if (distort == vd_distort_none || (d[0] == 0 && d[1] == 0)) {
        a[0] = d[0];
        a[1] = d[1];
        return true;
    }
    int terms = radial_terms(distort);
    if (terms > 0 && undistort_radial(k, terms, d, a)) return true;
    bool found = newton(distort, k, d, x) && way_is_free(distort, k, x);
    if (!found) {
        x[0] = x[1] = 0;
        for (int i = 1; i <= FOLLOW_STEPS; i++) {
            double t = (double)i / FOLLOW_STEPS;
            if (!newton(distort, k, (const double[2]){ t * d[0], t * d[1] }, x)) return false;
        }
        found = way_is_free(distort, k, x);
    }
    if (!found || !isfinite(x[0]) || !isfinite(x[1])) return false;
    a[0] = x[0];
    a[1] = x[1];
    return true;
}
