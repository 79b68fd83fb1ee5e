/* The feature kernels in plain C: the reference, and the parts that the vector variants share.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_FEATURE_KERN_REF_H
#define VD_FEATURE_KERN_REF_H

#include <math.h>
#include <string.h>

#include "feature/kern.h"

/* atan(a) / (2 pi) for a in [0, 1] as an odd polynomial, error below 2e-6 turns (1.2e-5 rad):
 * coefficients of a minimax fit. */
#define VD_ATAN_0 0.1591336727142334f
#define VD_ATAN_1 (-0.052569638937711716f)
#define VD_ATAN_2 0.028673235327005386f
#define VD_ATAN_3 (-0.013553041964769363f)
#define VD_ATAN_4 0.0033175963908433914f

/* 2^v for v in [-0.5, 0.5], relative error below 1e-7: a minimax fit. */
#define VD_EXP2_0 1.0000001192092896f
#define VD_EXP2_1 0.6931472420692444f
#define VD_EXP2_2 0.2402210682630539f
#define VD_EXP2_3 0.05550297349691391f
#define VD_EXP2_4 0.009676036424934864f
#define VD_EXP2_5 0.0013410005485638976f

/* The direction of (x, y) in turns, [0, 1]; 0 for (0, 0). */
static inline float ref_turn(float y, float x) {
    float ax = fabsf(x), ay = fabsf(y), most = ax > ay ? ax : ay, least = ax > ay ? ay : ax;
    float a = least / (most > 1e-30f ? most : 1e-30f), s = a * a;
    float p = fmaf(s, VD_ATAN_4, VD_ATAN_3);
    p = fmaf(s, p, VD_ATAN_2);
    p = fmaf(s, p, VD_ATAN_1);
    p = fmaf(s, p, VD_ATAN_0) * a;
    if (ay > ax) p = 0.25f - p;
    if (x < 0) p = 0.5f - p;
    return y < 0 ? 1.0f - p : p;
}

/* 2^v for v in (-120, 0]. */
static inline float ref_exp2(float v) {
    float n = floorf(v + 0.5f), r = v - n, p = fmaf(r, VD_EXP2_5, VD_EXP2_4), scale;
    p = fmaf(r, p, VD_EXP2_3);
    p = fmaf(r, p, VD_EXP2_2);
    p = fmaf(r, p, VD_EXP2_1);
    p = fmaf(r, p, VD_EXP2_0);
    int32_t bits = ((int32_t)n + 127) << 23;
    memcpy(&scale, &bits, sizeof scale);
    return p * scale;
}

static inline void ref_blur_rows(float *dst, ptrdiff_t stride, const float *const *rows,
                                 const float *w, int radius, int n_out, int width) {
    for (int i = 0; i < n_out; i++)
        for (int x = 0; x < width; x++) {
            float sum = w[0] * rows[i + radius][x];
            for (int k = 1; k <= radius; k++)
                sum = fmaf(w[k], rows[i + radius - k][x] + rows[i + radius + k][x], sum);
            dst[i * stride + x] = sum;
        }
}

static inline void ref_blur_cols(float *dst, const float *src, const float *w, int radius,
                                 int width) {
    for (int x = 0; x < width; x++) {
        float sum = w[0] * src[x];
        for (int k = 1; k <= radius; k++) sum = fmaf(w[k], src[x - k] + src[x + k], sum);
        dst[x] = sum;
    }
}

static inline void ref_enlarge(float *restrict dst, const uint8_t *restrict a,
                               const uint8_t *restrict b, int i0, int n) {
    for (int i = i0; i < n; i++) {
        int here = a[i] + b[i];
        dst[2 * i] = 0.5f * (float)here;
        dst[2 * i + 1] = 0.25f * (float)(here + a[i + 1] + b[i + 1]);
    }
}

static inline void ref_halve(float *restrict dst, const float *restrict src, int n) {
    for (int i = 0; i < n; i++) dst[i] = src[2 * i];
}

static inline void ref_subtract(float *restrict dst, const float *restrict a,
                                const float *restrict b, int n) {
    for (int x = 0; x < n; x++) dst[x] = a[x] - b[x];
}

static inline void ref_pack(uint16_t *restrict dst, const float *restrict src, int n) {
    for (int x = 0; x < n; x++) dst[x] = (uint16_t)(int32_t)(src[x] * 256 + 0.5f);
}

static inline bool ref_is_extremum(const float *const d[9], int x) {
    float v = d[4][x], sign = v > 0 ? 1.0f : -1.0f;
    for (int k = 0; k < 9; k++)
        for (int i = -1; i <= 1; i++)
            if ((k != 4 || i != 0) && !(sign * v > sign * d[k][x + i])) return false;
    return true;
}

static inline int ref_extrema(int32_t *hits, const float *const d[9], int n, float threshold) {
    int found = 0;
    for (int x = 1; x < n - 1; x++)
        if (fabsf(d[4][x]) >= threshold && ref_is_extremum(d, x)) hits[found++] = x;
    return found;
}

/* The window of the direction histogram: pixels [x0, x1] x [y0, y1] within `radius2` of (x, y),
 * all with four neighbours; empty where x0 > x1 or y0 > y1. */
typedef struct orient_window {
    int x0, x1, y0, y1;
    float radius2, falloff; /* weight 2^(falloff r^2) */
} orient_window;

static inline orient_window orient_window_at(const vd_plane16 *p, float x, float y, float scale) {
    float sigma = 1.5f * scale;
    int reach = (int)(3 * sigma), xi = (int)(x + 0.5f), yi = (int)(y + 0.5f);
    reach = reach < 1 ? 1 : reach > VD_ORIENT_REACH ? VD_ORIENT_REACH : reach;
    orient_window o = { xi - reach, xi + reach, yi - reach, yi + reach, 0, 0 };
    if (o.x0 < 1) o.x0 = 1;
    if (o.y0 < 1) o.y0 = 1;
    if (o.x1 > p->width - 2) o.x1 = p->width - 2;
    if (o.y1 > p->height - 2) o.y1 = p->height - 2;
    o.radius2 = (float)(reach * reach) + 0.6f;
    o.falloff = -0.72134752f / (sigma * sigma); /* log2(e) / 2 */
    return o;
}

enum { VD_ORIENT_MOST = (2 * VD_ORIENT_REACH + 1) * (2 * VD_ORIENT_REACH + 1) };

/* The pixels of a window, row by row: what each gives to its bin and to the next one. */
typedef struct orient_list {
    int n;
    int32_t bin[VD_ORIENT_MOST + VD_FEATURE_PAD]; /* 0 .. VD_ORIENT_BINS - 1 */
    float main[VD_ORIENT_MOST + VD_FEATURE_PAD], second[VD_ORIENT_MOST + VD_FEATURE_PAD];
} orient_list;

/* The histogram of a list. Four partial ones take pixels in turns, so that neighbours, which often
 * fall into one bin, do not wait for each other's sums. */
static inline void orient_sum(float hist[VD_ORIENT_BINS], const orient_list *l) {
    float part[4][VD_ORIENT_BINS + 1] = { { 0 } };
    for (int i = 0; i < l->n; i++) {
        float *h = part[i & 3] + l->bin[i];
        h[0] += l->main[i];
        h[1] += l->second[i];
    }
    for (int k = 0; k < 4; k++) part[k][0] += part[k][VD_ORIENT_BINS];
    for (int b = 0; b < VD_ORIENT_BINS; b++)
        hist[b] = (part[0][b] + part[1][b]) + (part[2][b] + part[3][b]);
}

static inline void ref_orient(float hist[VD_ORIENT_BINS], const vd_plane16 *p, float x, float y,
                              float scale) {
    orient_window o = orient_window_at(p, x, y, scale);
    orient_list l;
    l.n = 0;
    for (int v = o.y0; v <= o.y1; v++) {
        const uint16_t *row = p->data + v * p->stride;
        float dy = (float)v - y;
        for (int u = o.x0; u <= o.x1; u++) {
            float dx = (float)u - x, r2 = fmaf(dx, dx, dy * dy);
            if (!(r2 < o.radius2)) continue;
            float gx = (float)(row[u + 1] - row[u - 1]);
            float gy = (float)(row[u + p->stride] - row[u - p->stride]);
            float m = sqrtf(fmaf(gx, gx, gy * gy)) * ref_exp2(o.falloff * r2);
            float at = fmaf(ref_turn(gy, gx), VD_ORIENT_BINS, VD_ORIENT_BINS - 0.5f);
            int bin = (int)at;
            l.second[l.n] = (at - (float)bin) * m;
            l.main[l.n] = m - l.second[l.n];
            l.bin[l.n++] = bin < VD_ORIENT_BINS ? bin : bin - VD_ORIENT_BINS;
        }
    }
    orient_sum(hist, &l);
}

/* How the samples of a patch are shared out to the 4 histograms across: sample i lies between
 * bins first[i] and first[i] + 1 (of -1 .. 4, those outside 0 .. 3 are dropped) with these
 * weights, in which the descriptor's Gaussian window (sigma 2 bins) is contained. */
typedef struct vd_patch_share {
    int first[VD_PATCH_SIDE];
    float near[VD_PATCH_SIDE], far[VD_PATCH_SIDE];
} vd_patch_share;
extern const vd_patch_share vd_feature_share;

/* Grey levels of a patch: (VD_PATCH_SIDE + 2)^2 samples, bilinear; beyond the plane its edge. */
enum { VD_PATCH_PITCH = VD_PATCH_SIDE + 2 };

static inline void ref_sample(float patch[VD_PATCH_PITCH * VD_PATCH_PITCH], const vd_plane16 *p,
                              const vd_patch_at *at) {
    const float mid = 0.5f * (VD_PATCH_SIDE + 1), right = (float)(p->width - 1),
                bottom = (float)(p->height - 1);
    for (int i = 0; i < VD_PATCH_PITCH; i++) {
        float v = (float)i - mid, x0 = fmaf(-at->s, v, at->x), y0 = fmaf(at->c, v, at->y);
        for (int j = 0; j < VD_PATCH_PITCH; j++) {
            float u = (float)j - mid, x = fmaf(at->c, u, x0), y = fmaf(at->s, u, y0);
            x = x < 0 ? 0 : x > right ? right : x;
            y = y < 0 ? 0 : y > bottom ? bottom : y;
            int xi = (int)x, yi = (int)y;
            xi = xi > p->width - 2 ? p->width - 2 : xi;
            yi = yi > p->height - 2 ? p->height - 2 : yi;
            float fx = x - (float)xi, fy = y - (float)yi;
            const uint16_t *a = p->data + yi * p->stride + xi, *b = a + p->stride;
            float top = fmaf(fx, (float)(a[1] - a[0]), a[0]);
            float low = fmaf(fx, (float)(b[1] - b[0]), b[0]);
            patch[i * VD_PATCH_PITCH + j] = fmaf(fy, low - top, top);
        }
    }
}

/* Adds a row's 4 histograms to those of the 4 x 4 that it lies between. */
static inline void ref_add_row(float out[128], const float row[32], int i) {
    int first = vd_feature_share.first[i];
    for (int k = 0; k < 32 && first >= 0; k++)
        out[32 * first + k] = fmaf(vd_feature_share.near[i], row[k], out[32 * first + k]);
    for (int k = 0; k < 32 && first < 3; k++)
        out[32 * first + 32 + k] = fmaf(vd_feature_share.far[i], row[k], out[32 * first + 32 + k]);
}

static inline void ref_describe(float out[128], const vd_plane16 *p, const vd_patch_at *at) {
    float patch[VD_PATCH_PITCH * VD_PATCH_PITCH];
    ref_sample(patch, p, at);
    for (int k = 0; k < 128; k++) out[k] = 0;
    for (int i = 0; i < VD_PATCH_SIDE; i++) {
        const float *above = patch + i * VD_PATCH_PITCH, *row = above + VD_PATCH_PITCH,
                    *below = row + VD_PATCH_PITCH;
        float part[32] = { 0 };
        for (int j = 0; j < VD_PATCH_SIDE; j++) {
            int first = vd_feature_share.first[j];
            float gx = row[j + 2] - row[j], gy = below[j + 1] - above[j + 1];
            float m = sqrtf(fmaf(gx, gx, gy * gy)), at8 = 8 * ref_turn(gy, gx);
            int bin = (int)at8, next = (bin + 1) & 7;
            float second = (at8 - (float)bin) * m, main = m - second;
            bin &= 7;
            for (int k = 0; k < 2; k++) {
                if (first + k < 0 || first + k > 3) continue;
                float *h = part + 8 * (first + k);
                float w = k == 0 ? vd_feature_share.near[j] : vd_feature_share.far[j];
                h[bin] = fmaf(w, main, h[bin]);
                h[next] = fmaf(w, second, h[next]);
            }
        }
        ref_add_row(out, part, i);
    }
}

/* The sum of 16 lanes, halves upon halves. */
static inline float ref_fold(float lane[16]) {
    for (int half = 8; half > 0; half /= 2)
        for (int i = 0; i < half; i++) lane[i] += lane[i + half];
    return lane[0];
}

enum { VD_DESC_CLAMP_PERCENT = 20 }; /* of the Euclidean norm: Lowe, section 6.1 */

static inline void ref_normalise(uint8_t out[128], const float in[128]) {
    float lane[16] = { 0 }, v[128];
    for (int j = 0; j < 128; j += 16)
        for (int i = 0; i < 16; i++) lane[i] = fmaf(in[j + i], in[j + i], lane[i]);
    float most = 0.01f * VD_DESC_CLAMP_PERCENT * sqrtf(ref_fold(lane));
    for (int i = 0; i < 16; i++) lane[i] = 0;
    for (int j = 0; j < 128; j += 16)
        for (int i = 0; i < 16; i++) {
            v[j + i] = in[j + i] < most ? in[j + i] : most;
            lane[i] += v[j + i];
        }
    float sum = ref_fold(lane), scale = sum > 0 ? 1.0f / sum : 0;
    for (int i = 0; i < 128; i++) {
        int32_t q = (int32_t)fmaf(512.0f, sqrtf(v[i] * scale), 0.5f);
        out[i] = (uint8_t)(q > 255 ? 255 : q);
    }
}
#endif
