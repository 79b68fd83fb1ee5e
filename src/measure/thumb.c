/* The blur figures of CleanVision 0.3 (github.com/cleanlab/cleanvision, Apache-2.0), from the
 * definitions in its documentation: the picture is shrunk to 64 pixels on the long side by a
 * bicubic filter (Keys 1981, a = -0.5, support scaled with the reduction), and the standard
 * deviations of an 8-neighbour edge filter (clamped to 0 .. 255, the outermost pixels kept as they
 * are) and of the histogram's counts are taken. SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "measure/num.h"
#include "measure/parts.h"

enum { SIDE = 64, MOST_TAPS = 20, SMALL = VD_SMALL_SIDE };

/* What Python's float floor division gives, on which the reference's size depends. */
static int32_t floor_div(double a, double b) {
    double mod = fmod(a, b), div = (a - mod) / b, whole = floor(div);
    return (int32_t)(div - whole > 0.5 ? whole + 1 : whole);
}

static double keys(double x) {
    x = x < 0 ? -x : x;
    if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
    if (x < 2) return ((-0.5 * x + 2.5) * x - 4) * x + 2;
    return 0;
}

typedef struct taps {
    int first, n;
    float w[MOST_TAPS];
} taps;

/* Output o of `in` samples reduced to `out`; in <= 4 * SIDE keeps the support below MOST_TAPS. */
static taps filter_at(int o, int in, int out) {
    double scale = VD_MAX(1.0, (double)in / out), centre = (o + 0.5) * in / out, sum = 0;
    double w[MOST_TAPS];
    taps t = { 0 };
    t.first = (int)VD_MAX(0.0, centre - 2 * scale + 0.5);
    int end = (int)VD_MIN((double)in, centre + 2 * scale + 0.5);
    for (int x = t.first; x < end && t.n < MOST_TAPS; x++) {
        w[t.n] = keys((x + 0.5 - centre) / scale);
        sum += w[t.n++];
    }
    for (int i = 0; i < t.n; i++) t.w[i] = (float)(w[i] / sum);
    return t;
}

static uint8_t to8(float v) {
    return (uint8_t)(VD_CLAMP(v, 0.0f, 255.0f) + 0.5f);
}

enum { TOGETHER = 8 };

static void shrink(uint8_t *out, int ow, int oh, const uint8_t *luma, int w, int h,
                   const vd_measure_kern *kern) {
    taps tx[SIDE];
    for (int j = 0; j < ow; j++) tx[j] = filter_at(j, w, ow);
    for (int o = 0; o < oh; o += TOGETHER) {
        float rows[TOGETHER * SMALL] = { 0 };
        int n = VD_MIN(TOGETHER, oh - o);
        for (int r = 0; r < n; r++) {
            taps ty = filter_at(o + r, h, oh);
            for (int k = 0; k < ty.n; k++)
                kern->add_row(rows + r * SMALL, luma + (ptrdiff_t)(ty.first + k) * w, ty.w[k], w);
        }
        for (int j = 0; j < ow; j++) {
            float sum[TOGETHER] = { 0 };
            for (int k = 0; k < tx[j].n; k++)
                for (int r = 0; r < TOGETHER; r++)
                    sum[r] += tx[j].w[k] * rows[r * SMALL + tx[j].first + k];
            for (int r = 0; r < n; r++) out[(o + r) * ow + j] = to8(sum[r]);
        }
    }
}

/* Sum and sum of squares of the edge filter over one row; the outermost pixels stand for
 * themselves. */
static void edge_row(int64_t *sum, int64_t *squares, const uint8_t *t, int w, int h, int y) {
    int edge[SIDE], a = 0, b = 0;
    const uint8_t *p = t + y * w;
    for (int x = 0; x < w; x++) edge[x] = p[x];
    if (y > 0 && y < h - 1)
        for (int x = 1; x < w - 1; x++) {
            const uint8_t *n = p + x - w, *c = p + x, *s = p + x + w;
            int e = 8 * c[0] - (n[-1] + n[0] + n[1] + c[-1] + c[1] + s[-1] + s[0] + s[1]);
            e = e < 0 ? 0 : e;
            edge[x] = e > 255 ? 255 : e;
        }
    for (int x = 0; x < w; x++) {
        a += edge[x];
        b += edge[x] * edge[x];
    }
    *sum += a;
    *squares += b;
}

void vd_thumb_measure(vd_metrics *out, const uint8_t *luma, int32_t sw, int32_t sh, int32_t w,
                      int32_t h, const vd_measure_kern *kern) {
    uint8_t t[SIDE * SIDE];
    int ow = sw, oh = sh;
    if (VD_MAX(w, h) > SIDE) {
        double ratio = (double)VD_MAX(w, h) / SIDE;
        ow = VD_MIN(ow, VD_MAX(1, floor_div(w, ratio)));
        oh = VD_MIN(oh, VD_MAX(1, floor_div(h, ratio)));
    }
    if (ow == sw && oh == sh)
        memcpy(t, luma, (size_t)sw * (size_t)sh);
    else
        shrink(t, ow, oh, luma, sw, sh, kern);
    int64_t sum = 0, squares = 0, count[256] = { 0 }, n = (int64_t)ow * oh, peaks = 0;
    for (int y = 0; y < oh; y++) edge_row(&sum, &squares, t, ow, oh, y);
    for (int64_t k = 0; k < n; k++) count[t[k]]++;
    for (int v = 0; v < 256; v++) peaks += count[v] * count[v];
    double mean = (double)sum / (double)n, level = (double)n / 256;
    out->thumb_edges = sqrt(VD_MAX(0.0, (double)squares / (double)n - mean * mean));
    out->thumb_peaks = sqrt(VD_MAX(0.0, (double)peaks / 256 - level * level));
}
