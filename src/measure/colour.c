/* Colour figures on the small rendition. SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "measure/num.h"
#include "measure/parts.h"

/* A pixel is coloured when its channels differ by more than chroma subsampling and 8-bit conversions
 * leave on a grey picture. */
enum { COLOURED = 12 };

typedef struct colour_sums {
    int64_t rg, rg2, yb, yb2, saturation, coloured; /* yb = R + G - 2 B; saturation in 1/65536 */
    uint32_t bright[256], luma[256];
} colour_sums;

static void add_pixels(colour_sums *s, const uint8_t *p, int64_t n) {
    uint32_t inverse[256]; /* 65536 / max */
    inverse[0] = 0;
    for (int v = 1; v < 256; v++) inverse[v] = (65536u + (uint32_t)v / 2) / (uint32_t)v;
    for (int64_t i = 0; i < n; i++, p += 3) {
        int r = p[0], g = p[1], b = p[2];
        int hi = VD_MAX(r, VD_MAX(g, b)), lo = VD_MIN(r, VD_MIN(g, b));
        int rg = r - g, yb = r + g - 2 * b;
        s->rg += rg;
        s->rg2 += rg * rg;
        s->yb += yb;
        s->yb2 += yb * yb;
        s->saturation += (int64_t)((uint32_t)(hi - lo) * inverse[hi]);
        s->coloured += hi - lo > COLOURED;
        int square = 241 * r * r + 691 * g * g + 68 * b * b;
        s->bright[(int)(sqrtf((float)square * 0.001f) + 0.5f)]++;
        s->luma[(19595 * r + 38470 * g + 7471 * b + 32768) >> 16]++;
    }
}

static int level_at(const uint32_t hist[256], int64_t n, int percent) {
    int64_t rank = VD_MAX(1, (n * percent + 99) / 100), seen = 0;
    for (int v = 0; v < 256; v++)
        if ((seen += hist[v]) >= rank) return v;
    return 255;
}

static void bright(vd_metrics *out, const colour_sums *s, int64_t n) {
    double low = level_at(s->bright, n, 5) - level_at(s->luma, n, 5);
    double high = level_at(s->bright, n, 99) - level_at(s->luma, n, 99);
    out->bright_p5 = VD_CLAMP((out->p5 + low) / 255, 0.0, 1.0);
    out->bright_p99 = VD_CLAMP((out->p99 + high) / 255, 0.0, 1.0);
}

void vd_colour_measure(vd_metrics *out, const vd_pixels *small, bool grey) {
    colour_sums s;
    memset(&s, 0, sizeof s);
    int64_t count = (int64_t)small->width * small->height;
    double n = (double)count;
    add_pixels(&s, small->data, count);
    double rg = (double)s.rg / n, yb = (double)s.yb / n / 2;
    double rg2 = (double)s.rg2 / n, yb2 = (double)s.yb2 / n / 4;
    double spread = VD_MAX(0.0, rg2 - rg * rg) + VD_MAX(0.0, yb2 - yb * yb);
    out->colourfulness = sqrt(spread) + 0.3 * sqrt(rg * rg + yb * yb);
    out->saturation = (double)s.saturation / 65536 / n;
    out->coloured = (double)s.coloured / n;
    out->greyscale = grey || out->coloured < 0.0005;
    bright(out, &s, count);
}
