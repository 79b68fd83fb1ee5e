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
 *
 * Motion is looked for in the norm halved by (1 4 6 4 1) / 16. In the norm itself, what the sensor,
 * rounding to 8 bits or a JPEG coder adds after the blur is as strong as what the blur has left,
 * and the operators see less of it on diagonals than along the axes: R tells the grid there rather
 * than the motion. Only smears too short to show in the halved picture are looked for in the norm.
 */
#include "measure/num.h"
#include "measure/parts.h"

/* A smear is not told from content in a picture whose halved version has few pixels. */
enum { DIRECTIONS = 60, HALF_SIDE = VD_NORM_SIDE / 2, LEAST_SIDE = 64 };

/* The forms E2 and E1 of a picture. */
typedef struct forms {
    double q[5], g[3];
} forms;

static forms forms_of(const vd_grad_sums *s, double n) {
    /* a derivative along rows of pixels that differ by rounding only is no structure */
    const double floor_energy = 0.05 * n;
    return (forms){ { (double)s->xx2 / 16 + floor_energy, (double)s->xxxy / 16, (double)s->xy2 / 16,
                      (double)s->xyyy / 16, (double)s->yy2 / 16 + floor_energy },
                    { (double)s->gx2 / 64 + floor_energy, (double)s->gxgy / 64,
                      (double)s->gy2 / 64 + floor_energy } };
}

/* E2 and R at the direction with this cosine and sine; 0 where there is no structure. */
static double second_along(const forms *f, double c, double s) {
    double e = c * c * c * c * f->q[0] + 4 * c * c * c * s * f->q[1] + 6 * c * c * s * s * f->q[2] +
               4 * c * s * s * s * f->q[3] + s * s * s * s * f->q[4];
    return VD_MAX(0.0, e);
}

static double ratio_along(const forms *f, double c, double s) {
    double first = c * c * f->g[0] + 2 * c * s * f->g[1] + s * s * f->g[2];
    return first > 0 ? second_along(f, c, s) / first : 0;
}

/* cos and sin of i * 180 / DIRECTIONS degrees by rotation from exact start values. */
typedef struct compass {
    double c[DIRECTIONS], s[DIRECTIONS];
} compass;

static void directions(compass *d) {
    const double cs = 0.99862953475457387, sn = 0.05233595624294383; /* 3 degrees */
    d->c[0] = 1;
    d->s[0] = 0;
    for (int i = 1; i < DIRECTIONS; i++) {
        d->c[i] = d->c[i - 1] * cs - d->s[i - 1] * sn;
        d->s[i] = d->s[i - 1] * cs + d->c[i - 1] * sn;
    }
}

static double mean_ratio(const forms *f, const compass *d) {
    double sum = 0;
    for (int i = 0; i < DIRECTIONS; i++) sum += ratio_along(f, d->c[i], d->s[i]);
    return sum / DIRECTIONS;
}

/* The mean of two grey levels: processors have an instruction for many of them. */
static inline uint8_t mean2(uint8_t a, uint8_t b) {
    return (uint8_t)((a + b + 1) >> 1);
}

/* (1 4 6 4 1) / 16, `ends` and `inner` being means of the outer and of the inner two. */
static inline uint8_t binomial(uint8_t ends, uint8_t mid, uint8_t inner) {
    return mean2(inner, mean2(mid, mean2(mid, ends)));
}

/* A row of the halved picture about row `r`: (w - 3) / 2 pixels, about columns 2, 4, ... */
static void halve_row(uint8_t *restrict out, const uint8_t *restrict r, int32_t w) {
    uint8_t col[VD_NORM_SIDE], even[HALF_SIDE + 1], odd[HALF_SIDE], ends[HALF_SIDE];
    const uint8_t *a = r - 2 * (ptrdiff_t)w, *b = r - w, *d = r + w, *e = r + 2 * (ptrdiff_t)w;
    const int32_t n = (w - 3) / 2;
    for (int32_t x = 0; x < w; x++) col[x] = binomial(mean2(a[x], e[x]), r[x], mean2(b[x], d[x]));
    for (int32_t x = 0; x < w / 2; x++) {
        even[x] = col[2 * x];
        odd[x] = col[2 * x + 1];
    }
    even[w / 2] = col[w - 1]; /* of use where w is odd */
    for (int32_t x = 0; x < n; x++) ends[x] = mean2(even[x], even[x + 2]);
    for (int32_t x = 0; x < n; x++)
        out[x] = binomial(ends[x], even[x + 1], mean2(odd[x], odd[x + 1]));
}

/* The forms of the halved picture, of which three rows are there at a time. Of a tall one, bands of
 * 8 rows in 16 are looked at: a smear is all over the picture. */
static forms forms_of_half(const vd_pixels *norm, const vd_measure_kern *kern) {
    const int32_t w = norm->width, half_w = (w - 3) / 2, half_h = (norm->height - 3) / 2;
    const bool tall = half_h > 128;
    const int32_t period = tall ? 16 : half_h, band = tall ? 8 + 2 : half_h;
    uint8_t ring[3][HALF_SIDE];
    vd_grad_sums s = { 0 };
    int64_t rows = 0;
    for (int32_t y = 0; y < half_h; y++) {
        if (y % period >= band) continue;
        halve_row(ring[y % 3], norm->data + (2 * (int64_t)y + 2) * w, w);
        if (y % period < 2) continue;
        kern->grad(&s, ring[(y - 2) % 3], ring[(y - 1) % 3], ring[y % 3], half_w);
        rows++;
    }
    return forms_of(&s, (double)(half_w - 2) * (double)rows);
}

typedef struct smear {
    double anisotropy, least, direction_deg;
} smear;

static smear smear_of(const forms *f, const compass *d) {
    double e[DIRECTIONS], lowest = INFINITY, highest = 0;
    int least = 0;
    for (int i = 0; i < DIRECTIONS; i++) {
        double c = d->c[i], s = d->s[i], r = ratio_along(f, c, s);
        /* On diagonals the operators lose some of what is fine, a spectrum along one line (which is
         * what a smear leaves across its path) twice as much of it as one that fills the plane. Two
         * figures measured on white and pink noise, still and smeared. */
        double loss = VD_MIN(r, 1.5) * 4 * c * c * s * s;
        lowest = VD_MIN(lowest, r * (1 + 0.15 * loss));
        highest = VD_MAX(highest, r * (1 + 0.3 * loss));
        e[i] = second_along(f, c, s);
        if (e[i] < e[least]) least = i;
    }
    double before = e[(least + DIRECTIONS - 1) % DIRECTIONS], after = e[(least + 1) % DIRECTIONS];
    double bend = before - 2 * e[least] + after;
    double at = least + (bend > 0 ? 0.5 * (before - after) / bend : 0);
    /* rows grow downwards: an angle counted towards +y is mirrored */
    double deg = 180 - at * (180.0 / DIRECTIONS);
    if (deg >= 180) deg -= 180;
    if (deg < 0) deg += 180;
    return (smear){ highest > 0 ? 1 - lowest / highest : 0, lowest, deg };
}

/* The figures on motion. Where the norm shows a smear clearly more, it tells the direction. */
static void motion(vd_metrics *out, const forms *norm, const forms *half, const compass *d) {
    smear brief = smear_of(norm, d), s = smear_of(half, d);
    out->motion_anisotropy = s.anisotropy;
    out->least_fineness = s.least;
    out->motion_direction_deg = (brief.least < 0.8 * s.least ? brief : s).direction_deg;
    out->short_anisotropy = brief.anisotropy;
    out->short_least = brief.least;
}

void vd_focus_measure(vd_metrics *out, const vd_pixels *norm, const vd_measure_kern *kern) {
    int32_t w = norm->width, h = norm->height;
    vd_grad_sums s = { 0 };
    out->sharpness = out->tenengrad = out->fineness = out->least_fineness = 0;
    out->motion_anisotropy = out->motion_direction_deg = 0;
    out->short_anisotropy = out->short_least = 0;
    if (w < 3 || h < 3) return;
    for (int32_t y = 1; y + 1 < h; y++) {
        const uint8_t *r = norm->data + (int64_t)y * w;
        kern->grad(&s, r - w, r, r + w, w);
    }
    double n = (double)(w - 2) * (h - 2), mean = (double)s.lap / n;
    out->sharpness = VD_MAX(0.0, (double)s.lap2 / n - mean * mean);
    out->tenengrad = ((double)s.gx2 + (double)s.gy2) / n;
    compass d;
    directions(&d);
    forms full = forms_of(&s, n);
    out->fineness = mean_ratio(&full, &d);
    if (w < LEAST_SIDE || h < LEAST_SIDE) return;
    forms half = forms_of_half(norm, kern);
    motion(out, &full, &half, &d);
}
