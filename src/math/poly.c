/* Real roots of polynomials: closed forms up to degree 3, Sturm's theorem above.
 * SPDX-License-Identifier: Apache-2.0 */
#include "math/poly.h"

#include <math.h>

#include "math/roots.h"

int vd_poly_quadratic(double x[2], const double c[3]) {
    double a = c[2], b = c[1] / 2, d = b * b - a * c[0];
    if (a == 0) {
        if (c[1] == 0) return 0;
        x[0] = -c[0] / c[1];
        return 1;
    }
    if (!(d >= 0)) return 0;
    /* the sum without cancellation gives one root, the product of both the other */
    double q = -(b + copysign(sqrt(d), b)), r = q / a, s = q != 0 ? c[0] / q : 0;
    x[0] = r < s ? r : s;
    x[1] = r < s ? s : r;
    return 2;
}

/* Two steps of Newton's method: takes the closed form from some 1e-12 to rounding. */
static double polished(const double c[4], double x) {
    for (int i = 0; i < 2; i++) {
        double f = ((c[3] * x + c[2]) * x + c[1]) * x + c[0],
               d = (3 * c[3] * x + 2 * c[2]) * x + c[1];
        double y = x - f / d;
        if (!isfinite(y) || fabs(y - x) > 1e-3 * (1 + fabs(x))) break;
        x = y;
    }
    return x;
}

int vd_poly_cubic(double x[3], const double c[4]) {
    static const double THIRD_TURN = 2.0943951023931953;
    double most = fabs(c[0]) + fabs(c[1]) + fabs(c[2]);
    if (!(fabs(c[3]) > 1e-14 * most)) return vd_poly_quadratic(x, c);
    /* x = t - shift gives t^3 + 3 p t + 2 q = 0 */
    double a = c[2] / c[3], b = c[1] / c[3], shift = a / 3;
    double p = b / 3 - shift * shift, q = shift * shift * shift - shift * b / 2 + c[0] / c[3] / 2;
    double d = q * q + p * p * p;
    if (d > 0) {
        double u = -copysign(cbrt(fabs(q) + sqrt(d)), q);
        x[0] = polished(c, (u != 0 ? u - p / u : 0) - shift);
        return 1;
    }
    double r = sqrt(-p), phi = r > 0 ? acos(fmax(-1, fmin(1, -q / (r * r * r)))) / 3 : 0;
    x[0] = polished(c, 2 * r * cos(phi + THIRD_TURN) - shift);
    x[1] = polished(c, 2 * r * cos(phi - THIRD_TURN) - shift);
    x[2] = polished(c, 2 * r * cos(phi) - shift);
    return 3;
}

int vd_poly_roots(double *x, const double *c, int n) {
    double most = 0;
    for (int i = 0; i <= n; i++) most += fabs(c[i]);
    if (!isfinite(most)) return 0;
    while (n > 0 && !(fabs(c[n]) > 1e-15 * most)) n--;
    if (n < 1) return 0;
    int found = vd_roots_inline(x, c, n);
    for (int i = 1; i < found; i++) { /* few: insertion */
        double v = x[i];
        int k = i;
        for (; k > 0 && x[k - 1] > v; k--) x[k] = x[k - 1];
        x[k] = v;
    }
    return found;
}
