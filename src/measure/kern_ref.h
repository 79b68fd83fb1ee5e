/* The measure kernels in plain C, from sample x0 on: with x0 at the beginning they are the
 * reference, and the vector variants call them for what is left of a row. SPDX-License-Identifier:
 * Apache-2.0 */
#ifndef VD_MEASURE_KERN_REF_H
#define VD_MEASURE_KERN_REF_H

#include <math.h>
#include <stdlib.h>

#include "measure/kern.h"

static inline void ref_row(vd_row_sums *s, const uint8_t *row, const uint8_t *previous, int x0,
                           int n) {
    int64_t sum = 0, squares = 0, low = 0, high = 0, step = 0;
    for (int x = x0; x < n; x++) {
        int v = row[x];
        sum += v;
        squares += v * v;
        low += v <= VD_CLIP_LOW;
        high += v >= VD_CLIP_HIGH;
        step += abs(v - previous[x]);
    }
    s->sum += sum;
    s->squares += squares;
    s->low += low;
    s->high += high;
    s->step += step;
}

static inline void ref_phase(int64_t out[8], const uint8_t *row, int x0, int n) {
    for (int x = x0; x < n; x++) out[x & 7] += abs(row[x] - row[x - 1]);
}

static inline void ref_isolated(int64_t out[2], const uint8_t *a, const uint8_t *b,
                                const uint8_t *c, const uint8_t *d, int x0, int n, int skip) {
    for (int x = x0; x < n; x++) {
        int step = abs(b[x] - c[x]);
        if (a[x] != b[x] || c[x] != d[x] || (x & 7) == skip) continue;
        out[0] += step == 1;
        out[1] += step >= 2 && step <= VD_BAND_STEP;
    }
}

static inline void ref_noise(uint32_t *out, const uint8_t *r0, const uint8_t *r1, const uint8_t *r2,
                             int x0, int n) {
    for (int x = x0; x < n - 1; x++) {
        int l = r0[x - 1] + r0[x + 1] + r2[x - 1] + r2[x + 1] + 4 * r1[x] -
                2 * (r0[x] + r2[x] + r1[x - 1] + r1[x + 1]);
        out[(x - 1) / VD_NOISE_BLOCK * 2] += (uint32_t)abs(l);
        out[(x - 1) / VD_NOISE_BLOCK * 2 + 1] += r1[x];
    }
}

static inline void ref_grad(vd_grad_sums *s, const uint8_t *r0, const uint8_t *r1,
                            const uint8_t *r2, int x0, int n) {
    for (int x = x0; x < n - 1; x++) {
        int nw = r0[x - 1], no = r0[x], ne = r0[x + 1], we = r1[x - 1], ce = r1[x], ea = r1[x + 1],
            sw = r2[x - 1], so = r2[x], se = r2[x + 1];
        int lap = no + so + we + ea - 4 * ce;
        int gx = (ne + 2 * ea + se) - (nw + 2 * we + sw),
            gy = (sw + 2 * so + se) - (nw + 2 * no + ne);
        int xx = (nw + 2 * we + sw) - 2 * (no + 2 * ce + so) + (ne + 2 * ea + se);
        int yy = (nw + 2 * no + ne) - 2 * (we + 2 * ce + ea) + (sw + 2 * so + se);
        int xy = (se - ne) - (sw - nw);
        s->lap += lap;
        s->lap2 += lap * lap;
        s->gx2 += gx * gx;
        s->gxgy += gx * gy;
        s->gy2 += gy * gy;
        s->xx2 += xx * xx;
        s->xxxy += xx * xy;
        s->xy2 += xy * xy;
        s->xyyy += xy * yy;
        s->yy2 += yy * yy;
    }
}

static inline void ref_add_row(float *restrict acc, const uint8_t *restrict src, float w, int n) {
    for (int x = 0; x < n; x++) acc[x] += w * (float)src[x];
}

static inline void ref_dct(float *restrict out, const float *restrict a, const float *restrict d) {
    float t[64 * 16]; /* transposed: t[column of a][row of d], so that the second product streams */
    for (int i = 0; i < 16; i++) {
        float row[64];
        for (int j = 0; j < 64; j++) row[j] = 0;
        for (int k = 0; k < 64; k++) {
            float w = d[64 * i + k];
            for (int j = 0; j < 64; j++) row[j] += w * a[64 * k + j];
        }
        for (int j = 0; j < 64; j++) t[16 * j + i] = row[j];
    }
    for (int j = 0; j < 16; j++) {
        float col[16] = { 0 };
        for (int k = 0; k < 64; k++) {
            float w = d[64 * j + k];
            for (int i = 0; i < 16; i++) col[i] += t[16 * k + i] * w;
        }
        for (int i = 0; i < 16; i++) out[16 * i + j] = col[i];
    }
}

static inline int ref_quality(const float *a) {
    int sum = 0;
    for (int i = 0; i < 63 * 64; i++) sum += abs((int)((a[i] - a[i + 64]) * 100 / 255));
    for (int i = 0; i < 64; i++)
        for (int j = 0; j < 63; j++)
            sum += abs((int)((a[64 * i + j] - a[64 * i + j + 1]) * 100 / 255));
    return sum;
}

static inline void ref_colour(vd_colour_sums *s, uint8_t *restrict bright, uint8_t *restrict luma,
                              const uint8_t *restrict rgb, int n) {
    int r[VD_COLOUR_RUN], g[VD_COLOUR_RUN], b[VD_COLOUR_RUN], top[VD_COLOUR_RUN],
        range[VD_COLOUR_RUN];
    int rg1 = 0, rg2 = 0, yb1 = 0, yb2 = 0, sat = 0, coloured = 0;
    for (int i = 0; i < n; i++) {
        r[i] = rgb[3 * i];
        g[i] = rgb[3 * i + 1];
        b[i] = rgb[3 * i + 2];
    }
    for (int i = 0; i < n; i++) {
        int rg = r[i] - g[i], yb = r[i] + g[i] - 2 * b[i];
        int hi = r[i] > g[i] ? r[i] : g[i], lo = r[i] < g[i] ? r[i] : g[i];
        hi = hi > b[i] ? hi : b[i];
        lo = lo < b[i] ? lo : b[i];
        rg1 += rg;
        rg2 += rg * rg;
        yb1 += yb;
        yb2 += yb * yb;
        top[i] = hi + (hi == 0);
        range[i] = hi - lo;
    }
    for (int i = 0; i < n; i++) {
        sat += (int)((float)range[i] * 65536.0f / (float)top[i] + 0.5f);
        coloured += range[i] > VD_COLOURED;
    }
    for (int i = 0; i < n; i++) {
        float square = (float)(241 * r[i] * r[i] + 691 * g[i] * g[i] + 68 * b[i] * b[i]);
        bright[i] = (uint8_t)(int)(sqrtf(square * 0.001f) + 0.5f);
        luma[i] = (uint8_t)((19595 * r[i] + 38470 * g[i] + 7471 * b[i] + 32768) >> 16);
    }
    s->rg += rg1;
    s->rg2 += rg2;
    s->yb += yb1;
    s->yb2 += yb2;
    s->saturation += sat;
    s->coloured += coloured;
}
#endif
