/* Focus: sharpness, gradient energy, and the signature of motion blur.
 * SPDX-License-Identifier: Apache-2.0
 *
 * With half-sample filters a = 2 sin(w/2) (difference) and b = cos(w/2) (mean), the 3 x 3 operators
 * used here are exact products: u = a_x b_y and v = a_y b_x give xx = u^2, xy = u v, yy = v^2, and
 * the Sobel pair is (u, v) times a common low pass. By Parseval's theorem the sums of products are
 * moments of the power spectrum, from which the energy of the second derivative along any direction
 * follows: E2(t) = sum (u cos t + v sin t)^4 = c^4 A + 4 c^3 s B + 6 c^2 s^2 C + 4 c s^3 D + s^4 E
 * and of the first alike. Their ratio R(t) is the mean squared frequency along t: content cancels,
 * and a motion blur, which removes high frequencies along its path only, leaves its minimum there.
 */
#include "measure/num.h"
#include "measure/parts.h"

enum { DIRECTIONS = 60 };

/* E2 and R at the direction with this cosine and sine; 0 where there is no structure. */
static double second_along(const double q[5], double c, double s) {
    double e = c * c * c * c * q[0] + 4 * c * c * c * s * q[1] + 6 * c * c * s * s * q[2] +
               4 * c * s * s * s * q[3] + s * s * s * s * q[4];
    return VD_MAX(0.0, e);
}

static double ratio_along(const double q[5], const double g[3], double c, double s) {
    double first = c * c * g[0] + 2 * c * s * g[1] + s * s * g[2];
    return first > 0 ? second_along(q, c, s) / first : 0;
}

/* cos and sin of i * 180 / DIRECTIONS degrees by rotation from exact start values. */
static void directions(double c[DIRECTIONS], double s[DIRECTIONS]) {
    const double cs = 0.99862953475457387, sn = 0.05233595624294383; /* 3 degrees */
    c[0] = 1;
    s[0] = 0;
    for (int i = 1; i < DIRECTIONS; i++) {
        c[i] = c[i - 1] * cs - s[i - 1] * sn;
        s[i] = s[i - 1] * cs + c[i - 1] * sn;
    }
}

static void motion(vd_metrics *out, const vd_grad_sums *s, double n) {
    /* a derivative along rows of pixels that differ by rounding only is no structure */
    const double floor_energy = 0.05 * n;
    const double q[5] = { (double)s->xx2 / 16 + floor_energy, (double)s->xxxy / 16,
                          (double)s->xy2 / 16, (double)s->xyyy / 16,
                          (double)s->yy2 / 16 + floor_energy };
    const double g[3] = { (double)s->gx2 / 64 + floor_energy, (double)s->gxgy / 64,
                          (double)s->gy2 / 64 + floor_energy };
    double c[DIRECTIONS], d[DIRECTIONS], e[DIRECTIONS], sum = 0, lowest = INFINITY, highest = 0;
    int least = 0;
    directions(c, d);
    for (int i = 0; i < DIRECTIONS; i++) {
        double r = ratio_along(q, g, c[i], d[i]);
        sum += r;
        lowest = VD_MIN(lowest, r);
        highest = VD_MAX(highest, r);
        e[i] = second_along(q, c[i], d[i]);
        if (e[i] < e[least]) least = i;
    }
    out->fineness = sum / DIRECTIONS;
    out->least_fineness = lowest;
    out->motion_anisotropy = highest > 0 ? 1 - lowest / highest : 0;
    double before = e[(least + DIRECTIONS - 1) % DIRECTIONS], after = e[(least + 1) % DIRECTIONS];
    double bend = before - 2 * e[least] + after;
    double at = least + (bend > 0 ? 0.5 * (before - after) / bend : 0);
    /* rows grow downwards: an angle counted towards +y is mirrored */
    double deg = 180 - at * (180.0 / DIRECTIONS);
    out->motion_direction_deg = deg >= 180 ? deg - 180 : deg < 0 ? deg + 180 : deg;
}

void vd_focus_measure(vd_metrics *out, const vd_pixels *norm, const vd_measure_kern *kern) {
    int32_t w = norm->width, h = norm->height;
    vd_grad_sums s = { 0 };
    out->sharpness = out->tenengrad = out->fineness = out->least_fineness = 0;
    out->motion_anisotropy = out->motion_direction_deg = 0;
    if (w < 3 || h < 3) return;
    for (int32_t y = 1; y + 1 < h; y++) {
        const uint8_t *r = norm->data + (int64_t)y * w;
        kern->grad(&s, r - w, r, r + w, w);
    }
    double n = (double)(w - 2) * (h - 2), mean = (double)s.lap / n;
    out->sharpness = VD_MAX(0.0, (double)s.lap2 / n - mean * mean);
    out->tenengrad = ((double)s.gx2 + (double)s.gy2) / n;
    motion(out, &s, n);
}
