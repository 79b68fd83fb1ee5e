/* Planted defects on pixels. Blurs work on linear light before the tone curve, where real ones
 * happen; edits of near duplicates work on the developed picture, where real edits happen.
 *
 * A blur is a list of shifts with weights: the blurred plane is the sum of the plane shifted by
 * each, row by row, out of a copy with a border that repeats the last pixels.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "synth/defect.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

enum { MAX_HALF = 300, MAX_SHIFTS = 8 * MAX_HALF };

typedef struct shift {
    int32_t x, y;
    float weight;
} shift;

/* The shifts of one blur, and how far they go. */
typedef struct blur {
    shift s[MAX_SHIFTS];
    int n;
    int32_t reach;
} blur;

static void add_shift(blur *b, int32_t x, int32_t y, double weight) {
    int i = 0;
    while (i < b->n && (b->s[i].x != x || b->s[i].y != y)) i++;
    if (i == MAX_SHIFTS) return;
    if (i == b->n) b->s[b->n++] = (shift){ x, y, 0 };
    b->s[i].weight += (float)weight;
    b->reach = VD_MAX(b->reach, VD_MAX(abs(x), abs(y)));
}

/* A copy of a plane with a border of `reach` pixels. */
static void copy_wide(float *out, const float *plane, int64_t w, int64_t h, int64_t reach) {
    const int64_t wide = w + 2 * reach;
    for (int64_t y = 0; y < h + 2 * reach; y++) {
        const float *in = plane + VD_CLAMP(y - reach, 0, h - 1) * w;
        float *row = out + y * wide;
        for (int64_t x = 0; x < reach; x++) row[x] = in[0];
        memcpy(row + reach, in, (size_t)w * sizeof *in);
        for (int64_t x = reach + w; x < wide; x++) row[x] = in[w - 1];
    }
}

static vd_status apply(vd_picture *p, const vd_synth_kern *kern, const blur *b, vd_err *err) {
    const int64_t w = p->width, h = p->height, r = b->reach, wide = w + 2 * r;
    float *copy = vd_mem_alloc((size_t)(wide * (h + 2 * r)) * sizeof *copy);
    if (copy == NULL) return vd_nomem(err);
    for (int c = 0; c < 3; c++) {
        copy_wide(copy, p->light[c], w, h, r);
        memset(p->light[c], 0, (size_t)(w * h) * sizeof *copy);
        for (int64_t y = 0; y < h; y++)
            for (int i = 0; i < b->n; i++) {
                const float *in = copy + (y + r + b->s[i].y) * wide + r + b->s[i].x;
                kern->add(p->light[c] + y * w, in, b->s[i].weight, w);
            }
    }
    vd_mem_free(copy);
    return VD_OK;
}

/* weight[k] = exp(-a k^2) for k = 0 .. n, without the maths library (math/trig.h says why): ratios
 * of neighbours are odd powers of exp(-a), which is a series for a < 1. */
static void gaussian(double *weight, int n, double a) {
    double g = 1, ratio;
    for (int k = 20; k > 0; k--) g = 1 - a / k * g;
    weight[0] = 1;
    ratio = g;
    for (int k = 1; k <= n; k++, ratio *= g * g) weight[k] = weight[k - 1] * ratio;
}

vd_status vd_defect_defocus(vd_picture *p, const vd_synth_kern *kern, double sigma_px,
                            vd_err *err) {
    const int half = VD_MIN((int)ceil(3 * sigma_px), MAX_HALF);
    double weight[MAX_HALF + 1], sum = 0;
    blur across = { .n = 0 }, down = { .n = 0 };
    gaussian(weight, half, 0.5 / (sigma_px * sigma_px));
    for (int k = -half; k <= half; k++) sum += weight[abs(k)];
    for (int k = -half; k <= half; k++) {
        add_shift(&across, k, 0, weight[abs(k)] / sum);
        add_shift(&down, 0, k, weight[abs(k)] / sum);
    }
    VD_TRY(apply(p, kern, &across, err));
    return apply(p, kern, &down, err);
}

/* Places along the way, each between four pixels. */
vd_status vd_defect_motion(vd_picture *p, const vd_synth_kern *kern, double length_px,
                           double angle_rad, vd_err *err) {
    const int taps = VD_CLAMP((int)ceil(length_px), 2, 2 * MAX_HALF);
    const double dx = vd_cos(angle_rad) * length_px, dy = vd_sin(angle_rad) * length_px;
    blur b = { .n = 0 };
    for (int k = 0; k < taps; k++) {
        const double u = (k + 0.5) / taps - 0.5, x = u * dx, y = u * dy;
        const double fx = x - floor(x), fy = y - floor(y);
        const int32_t xi = (int32_t)floor(x), yi = (int32_t)floor(y);
        add_shift(&b, xi, yi, (1 - fx) * (1 - fy) / taps);
        add_shift(&b, xi + 1, yi, fx * (1 - fy) / taps);
        add_shift(&b, xi, yi + 1, (1 - fx) * fy / taps);
        add_shift(&b, xi + 1, yi + 1, fx * fy / taps);
    }
    return apply(p, kern, &b, err);
}

void vd_defect_flat(vd_picture *p, uint64_t seed) {
    vd_rng r = vd_rng_for(seed, 0x666c6174, 0);
    const float gx = (float)vd_rng_range(&r, -0.006, 0.006),
                gy = (float)vd_rng_range(&r, -0.006, 0.006);
    for (int c = 0; c < 3; c++) {
        const float light = (float)vd_rng_range(&r, 0.35, 0.5);
        for (int32_t y = 0; y < p->height; y++)
            for (int32_t x = 0; x < p->width; x++)
                p->light[c][(int64_t)y * p->width + x] =
                    light *
                    (1 + gx * (float)x / (float)p->width + gy * (float)y / (float)p->height);
    }
}

/* How much of the pixel [i, i + 1) lies in [lo, hi). */
static float overlap(int32_t i, double lo, double hi) {
    return (float)(VD_MIN(i + 1.0, hi) - VD_MAX((double)i, lo));
}

/* sum = the weighted rows of the band [y0, y1), 3 values a pixel. */
static void add_rows(float *sum, const vd_picture *p, double y0, double y1) {
    const int64_t n = 3 * (int64_t)p->width;
    memset(sum, 0, (size_t)n * sizeof *sum);
    for (int32_t y = (int32_t)floor(y0); y < y1; y++) {
        const uint8_t *row = p->rgb + n * VD_CLAMP(y, 0, p->height - 1);
        const float w = overlap(y, y0, y1) / (float)(y1 - y0);
        for (int64_t i = 0; i < n; i++) sum[i] += w * (float)row[i];
    }
}

/* The box about a target pixel: its own size where the picture shrinks, one source pixel where it
 * does not. */
vd_status vd_defect_resample(uint8_t *out, int32_t width, int32_t height, const vd_picture *p,
                             int32_t x0, int32_t y0, int32_t x1, int32_t y1, double gain,
                             vd_err *err) {
    const double sx = (double)(x1 - x0) / width, sy = (double)(y1 - y0) / height;
    const double rx = VD_MAX(sx, 1) / 2, ry = VD_MAX(sy, 1) / 2;
    float *sum = vd_mem_array(3 * (size_t)p->width, sizeof *sum);
    if (sum == NULL) return vd_nomem(err);
    for (int32_t y = 0; y < height; y++) {
        const double cy = y0 + (y + 0.5) * sy;
        add_rows(sum, p, cy - ry, cy + ry);
        for (int32_t x = 0; x < width; x++) {
            const double cx = x0 + (x + 0.5) * sx, lo = cx - rx, hi = cx + rx;
            const float k = (float)(gain / (hi - lo));
            float v[3] = { 0.5f, 0.5f, 0.5f };
            for (int32_t i = (int32_t)floor(lo); i < hi; i++) {
                const float w = overlap(i, lo, hi) * k,
                            *at = sum + 3 * (int64_t)VD_CLAMP(i, 0, p->width - 1);
                for (int c = 0; c < 3; c++) v[c] += w * at[c];
            }
            for (int c = 0; c < 3; c++)
                out[3 * ((int64_t)y * width + x) + c] = (uint8_t)VD_CLAMP(v[c], 0.0f, 255.0f);
        }
    }
    vd_mem_free(sum);
    return VD_OK;
}
