/* Planted defects on pixels. Blurs work on linear light before the tone curve, where real ones
 * happen; edits of near duplicates work on the developed picture, where real edits happen.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "synth/defect.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

enum { MAX_TAPS = 257 };

/* Adds up `n` taps of one row or column at a time: out[i] = sum of weight[k] * in[i + k - n / 2].
 */
static void blur_line(vd_p3f *out, const vd_p3f *in, int64_t count, const float *weight, int n) {
    for (int64_t i = 0; i < count; i++) {
        vd_p3f sum = { 0, 0, 0 };
        for (int k = 0; k < n; k++) {
            int64_t j = VD_CLAMP(i + k - n / 2, 0, count - 1);
            sum.x += weight[k] * in[j].x;
            sum.y += weight[k] * in[j].y;
            sum.z += weight[k] * in[j].z;
        }
        out[i] = sum;
    }
}

vd_status vd_defect_defocus(vd_picture *p, double sigma_px, vd_err *err) {
    float weight[MAX_TAPS];
    int half = VD_MIN((int)ceil(3 * sigma_px), MAX_TAPS / 2), n = 2 * half + 1;
    double sum = 0;
    for (int k = 0; k < n; k++) sum += exp(-0.5 * (k - half) * (k - half) / (sigma_px * sigma_px));
    for (int k = 0; k < n; k++)
        weight[k] = (float)(exp(-0.5 * (k - half) * (k - half) / (sigma_px * sigma_px)) / sum);
    int64_t w = p->width, h = p->height, longest = VD_MAX(w, h);
    vd_p3f *line = vd_mem_array((size_t)longest * 2, sizeof *line), *out = line + longest;
    if (line == NULL) return vd_nomem(err);
    for (int64_t y = 0; y < h; y++) {
        blur_line(out, p->light + y * w, w, weight, n);
        memcpy(p->light + y * w, out, (size_t)w * sizeof *out);
    }
    for (int64_t x = 0; x < w; x++) {
        for (int64_t y = 0; y < h; y++) line[y] = p->light[y * w + x];
        blur_line(out, line, h, weight, n);
        for (int64_t y = 0; y < h; y++) p->light[y * w + x] = out[y];
    }
    vd_mem_free(line);
    return VD_OK;
}

static vd_p3f sample(const vd_p3f *light, int32_t w, int32_t h, double x, double y) {
    x = VD_CLAMP(x, 0, w - 1.001);
    y = VD_CLAMP(y, 0, h - 1.001);
    int32_t xi = (int32_t)x, yi = (int32_t)y;
    float fx = (float)(x - xi), fy = (float)(y - yi), g = 1 - fx, k = 1 - fy;
    const vd_p3f *a = light + (int64_t)yi * w + xi, *b = a + w;
    return (vd_p3f){ k * (g * a[0].x + fx * a[1].x) + fy * (g * b[0].x + fx * b[1].x),
                     k * (g * a[0].y + fx * a[1].y) + fy * (g * b[0].y + fx * b[1].y),
                     k * (g * a[0].z + fx * a[1].z) + fy * (g * b[0].z + fx * b[1].z) };
}

vd_status vd_defect_motion(vd_picture *p, double length_px, double angle_rad, vd_err *err) {
    const int64_t n = (int64_t)p->width * p->height;
    vd_p3f *out = vd_mem_alloc((size_t)n * sizeof *out);
    if (out == NULL) return vd_nomem(err);
    const int taps = VD_MAX((int)ceil(length_px), 2);
    const double dx = cos(angle_rad) * length_px, dy = sin(angle_rad) * length_px;
    for (int32_t y = 0; y < p->height; y++)
        for (int32_t x = 0; x < p->width; x++) {
            vd_p3f sum = { 0, 0, 0 };
            for (int k = 0; k < taps; k++) {
                double u = (k + 0.5) / taps - 0.5;
                vd_p3f c = sample(p->light, p->width, p->height, x + u * dx, y + u * dy);
                sum = (vd_p3f){ sum.x + c.x, sum.y + c.y, sum.z + c.z };
            }
            float m = 1.0f / (float)taps;
            out[(int64_t)y * p->width + x] = (vd_p3f){ sum.x * m, sum.y * m, sum.z * m };
        }
    memcpy(p->light, out, (size_t)n * sizeof *out);
    vd_mem_free(out);
    return VD_OK;
}

void vd_defect_flat(vd_picture *p, uint64_t seed) {
    vd_rng r = vd_rng_for(seed, 0x666c6174, 0);
    float c[3], gx = (float)vd_rng_range(&r, -0.006, 0.006),
                gy = (float)vd_rng_range(&r, -0.006, 0.006);
    for (int k = 0; k < 3; k++) c[k] = (float)vd_rng_range(&r, 0.35, 0.5);
    for (int32_t y = 0; y < p->height; y++)
        for (int32_t x = 0; x < p->width; x++) {
            float k = 1 + gx * (float)x / (float)p->width + gy * (float)y / (float)p->height;
            p->light[(int64_t)y * p->width + x] = (vd_p3f){ c[0] * k, c[1] * k, c[2] * k };
        }
}

/* The weighted mean of channel `b` over the box about a target pixel: its own size where the
 * picture shrinks, one source pixel where it does not. */
static double box_mean(const vd_picture *p, double x0, double x1, double y0, double y1, int b) {
    double sum = 0, weight = 0;
    for (int32_t y = (int32_t)floor(y0); y < y1; y++) {
        double wy = VD_MIN(y + 1.0, y1) - VD_MAX((double)y, y0);
        int32_t yc = VD_CLAMP(y, 0, p->height - 1);
        for (int32_t x = (int32_t)floor(x0); x < x1; x++) {
            double w = wy * (VD_MIN(x + 1.0, x1) - VD_MAX((double)x, x0));
            int32_t xc = VD_CLAMP(x, 0, p->width - 1);
            sum += w * p->rgb[3 * ((int64_t)yc * p->width + xc) + b];
            weight += w;
        }
    }
    return sum / weight;
}

void vd_defect_resample(uint8_t *out, int32_t width, int32_t height, const vd_picture *p,
                        int32_t x0, int32_t y0, int32_t x1, int32_t y1, double gain) {
    const double sx = (double)(x1 - x0) / width, sy = (double)(y1 - y0) / height;
    const double rx = VD_MAX(sx, 1) / 2, ry = VD_MAX(sy, 1) / 2;
    for (int32_t y = 0; y < height; y++)
        for (int32_t x = 0; x < width; x++) {
            double cx = x0 + (x + 0.5) * sx, cy = y0 + (y + 0.5) * sy;
            for (int b = 0; b < 3; b++) {
                double v = gain * box_mean(p, cx - rx, cx + rx, cy - ry, cy + ry, b) + 0.5;
                out[3 * ((int64_t)y * width + x) + b] = (uint8_t)VD_CLAMP(v, 0.0, 255.0);
            }
        }
}
