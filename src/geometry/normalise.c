/* Hartley's normalisation. SPDX-License-Identifier: Apache-2.0 */
#include "geometry/normalise.h"

#include <math.h>
#include <string.h>

bool vd_scaling_of(vd_scaling *out, const double *points, const double *weight, int n) {
    double total = 0, x = 0, y = 0, far = 0;
    for (int i = 0; i < n; i++) {
        double w = weight != NULL ? weight[i] : 1;
        total += w;
        x += w * points[3 * i];
        y += w * points[3 * i + 1];
    }
    x /= total;
    y /= total;
    for (int i = 0; i < n; i++) {
        double dx = points[3 * i] - x, dy = points[3 * i + 1] - y;
        far += (weight != NULL ? weight[i] : 1) * sqrt(dx * dx + dy * dy);
    }
    double s = sqrt(2) * total / far;
    if (!(total > 0) || !isfinite(s) || !(s > 0)) return false;
    *out = (vd_scaling){ s, x, y };
    return true;
}

void vd_scaling_matrix(double m[9], vd_scaling s) {
    memcpy(m, (const double[9]){ s.s, 0, -s.s * s.cx, 0, s.s, -s.s * s.cy, 0, 0, 1 },
           9 * sizeof *m);
}

void vd_scaling_inverse(double m[9], vd_scaling s) {
    memcpy(m, (const double[9]){ 1 / s.s, 0, s.cx, 0, 1 / s.s, s.cy, 0, 0, 1 }, 9 * sizeof *m);
}
