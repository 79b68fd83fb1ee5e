/* Colour figures on the small rendition. SPDX-License-Identifier: Apache-2.0 */
#include "measure/num.h"
#include "measure/parts.h"

static int level_at(uint32_t hist[2][256], int64_t n, int percent) {
    int64_t rank = VD_MAX(1, (n * percent + 99) / 100), seen = 0;
    for (int v = 0; v < 256; v++)
        if ((seen += hist[0][v] + hist[1][v]) >= rank) return v;
    return 255;
}

void vd_colour_measure(vd_metrics *out, uint8_t *luma, const vd_pixels *small, bool grey,
                       const vd_measure_kern *kern) {
    vd_colour_sums s = { 0 };
    uint32_t bright[2][256] = { 0 }, level[2][256] = { 0 };
    int64_t count = (int64_t)small->width * small->height;
    /* every third pixel is enough for percentiles of a full-sized rendition */
    int step = count > 16384 ? 3 : 1;
    for (int64_t i = 0; i < count; i += VD_COLOUR_RUN) {
        uint8_t b[VD_COLOUR_RUN];
        int n = (int)VD_MIN(VD_COLOUR_RUN, count - i);
        kern->colour(&s, b, luma + i, small->data + 3 * i, n);
        for (int k = 0; k < n; k += step) { /* two histograms: see count_levels in full.c */
            bright[k & 1][b[k]]++;
            level[k & 1][luma[i + k]]++;
        }
    }
    double n = (double)count, rg = (double)s.rg / n, yb = (double)s.yb / n / 2;
    double rg2 = (double)s.rg2 / n, yb2 = (double)s.yb2 / n / 4;
    double spread = VD_MAX(0.0, rg2 - rg * rg) + VD_MAX(0.0, yb2 - yb * yb);
    out->colourfulness = sqrt(spread) + 0.3 * sqrt(rg * rg + yb * yb);
    out->saturation = (double)s.saturation / 65536 / n;
    out->coloured = (double)s.coloured / n;
    out->greyscale = grey || (out->coloured < 0.0005 && out->saturation < 0.05);
    int64_t seen = 0;
    for (int v = 0; v < 256; v++) seen += level[0][v] + level[1][v];
    double low = level_at(bright, seen, 5) - level_at(level, seen, 5);
    double high = level_at(bright, seen, 99) - level_at(level, seen, 99);
    out->bright_p5 = VD_CLAMP((out->p5 + low) / 255, 0.0, 1.0);
    out->bright_p99 = VD_CLAMP((out->p99 + high) / 255, 0.0, 1.0);
}
