/* Curves, noise and blurs of rendered captures against what is written about them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "synth_help.h"
#include "synth/defect.h"

/* The curves as their authors write them down: Narkowicz (2016) and IEC 61966-2-1. */
static double developed(double light) {
    const double x = light * 0.5, v = x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14);
    const double w = VD_CLAMP(v, 0.0, 1.0);
    return 255 * (w <= 0.0031308 ? 12.92 * w : 1.055 * pow(w, 1 / 2.4) - 0.055);
}

T(film_follows_the_written_curves) {
    vd_err err = { 0 };
    vd_picture p = { 0 };
    T_OK(vd_picture_size(&p, 4096, 2, &err));
    for (int i = 0; i < 4096; i++)
        for (int c = 0; c < 3; c++)
            p.light[c][i] = p.light[c][4096 + i] = (float)(pow(10, i / 1024.0 - 2.5) - 0.003);
    const vd_develop d = { .exposure = 1 };
    vd_picture_develop(&p, kern(), &d);
    for (int i = 0; i < 3 * 4096; i++) {
        const double light = (double)p.light[i % 3][i / 3];
        T_NEAR(p.rgb[i], developed(VD_MAX(light, 0)), 0.5 + 0.12); /* rounding, and the fit */
    }
    vd_picture_reset(&p);
}

T(sensor_noise_has_its_sigma) {
    vd_err err = { 0 };
    vd_picture p = { 0 };
    T_OK(vd_picture_size(&p, 512, 512, &err));
    const int64_t n = 512 * 512;
    for (int64_t i = 0; i < n; i++)
        for (int c = 0; c < 3; c++) p.light[c][i] = 0.4f;
    const vd_develop d = { .exposure = 1, .noise = 9, .noise_seed = 77 };
    vd_picture_develop(&p, kern(), &d);
    double sum[3] = { 0 }, sum2[3] = { 0 }, next[3] = { 0 }, below = 0, cross = 0;
    const double mean = developed((double)0.4f);
    for (int64_t i = 0; i < n; i++)
        for (int c = 0; c < 3; c++) {
            const double v = p.rgb[3 * i + c] - mean;
            sum[c] += v;
            sum2[c] += v * v;
            if (i + 1 < n) next[c] += v * (p.rgb[3 * i + 3 + c] - mean);
            if (c == 0 && i + 512 < n) below += v * (p.rgb[3 * (i + 512)] - mean);
            if (c == 0) cross += v * (p.rgb[3 * i + 1] - mean);
        }
    for (int c = 0; c < 3; c++) {
        T_NEAR(sum[c] / (double)n, 0, 5 * 9 / 512.0);
        T_NEAR(sqrt(sum2[c] / (double)n), 9, 0.1);
        T_NEAR(next[c] / sum2[c], 0, 5 / 512.0); /* neighbours know nothing of each other */
    }
    T_NEAR(below / sum2[0], 0, 5 / 512.0);
    T_NEAR(cross / sum2[0], 0.64, 0.02); /* what channels have in common: 0.8^2 */
    vd_picture_reset(&p);
}

enum { MANY = 4096 };

/* Values at random places, as one field. */
static void sample_noise(float *out, const vd_noise *noise, const float *x, const float *y,
                         const float *z, float per_width, uint32_t salt) {
    float width[MANY];
    for (int i = 0; i < MANY; i++) width[i] = per_width;
    kern()->fractal(out, noise, x, y, z, width, per_width, MANY, 0.5f, 0.7f, salt);
}

T(noise_is_smooth_centred_and_resolved) {
    static float x[MANY], y[MANY], z[MANY], a[MANY], b[MANY];
    vd_noise noise;
    vd_noise_init(&noise, 3);
    vd_rng r = t_rng(t);
    for (int i = 0; i < MANY; i++) {
        x[i] = (float)vd_rng_range(&r, -50, 50);
        y[i] = (float)vd_rng_range(&r, -50, 50);
        z[i] = (float)vd_rng_range(&r, -50, 50);
    }
    double sum = 0, sum2 = 0, both = 0, step = 0;
    sample_noise(a, &noise, x, y, z, 1000, 1);
    sample_noise(b, &noise, x, y, z, 1000, 2);
    for (int i = 0; i < MANY; i++) {
        sum += (double)a[i];
        sum2 += (double)(a[i] * a[i]);
        both += (double)(a[i] * b[i]);
    }
    /* Uniform values have a variance of 1/3, cubic weights leave (26/35)^3 of it, and octaves of
     * gain 0.7 add up to 1 / (1 - 0.49) of one: a sigma of 0.52. */
    T_NEAR(sqrt(sum2 / MANY), 0.52, 0.03);
    T_NEAR(sum / MANY, 0, 5 * 0.52 / 64);
    T_NEAR(both / sum2, 0, 5 / 64.0); /* another salt, another field */
    for (int i = 0; i < MANY; i++) x[i] += 0.0002f;
    sample_noise(b, &noise, x, y, z, 1000, 1);
    for (int i = 0; i < MANY; i++) step = VD_MAX(step, fabs((double)(a[i] - b[i])));
    T_TRUE(step > 0 && step < 0.1);
    /* pixels of half a wavelength see nothing; of a quarter, the first octave alone */
    sample_noise(a, &noise, x, y, z, 4, 1);
    for (int i = 0; i < MANY; i++) T_TRUE(a[i] == 0);
    sample_noise(a, &noise, x, y, z, 8, 1);
    kern()->fractal(b, &noise, x, y, z, x, 6.01f, VD_LANE_STEP, 0.5f, 0.7f, 1); /* n is heeded */
    double fine = 0;
    for (int i = 0; i < MANY; i++) x[i] += 0.02f;
    sample_noise(b, &noise, x, y, z, 8, 1);
    for (int i = 0; i < MANY; i++) fine = VD_MAX(fine, fabs((double)(a[i] - b[i])));
    T_TRUE(fine < 0.15); /* 0.02 of 0.5, at most 1.5 * 2 of slope a cell, and some */
}

/* A point of light, blurred: its moments are those of the blur. */
T(blurs_have_their_width) {
    vd_err err = { 0 };
    vd_picture p = { 0 };
    T_OK(vd_picture_size(&p, 200, 180, &err));
    for (int kind = 0; kind < 2; kind++) {
        for (int c = 0; c < 3; c++) {
            memset(p.light[c], 0, 200 * 180 * sizeof(float));
            p.light[c][90 * 200 + 100] = (float)(c + 1);
        }
        if (kind == 0)
            T_OK(vd_defect_defocus(&p, kern(), 4.5, &err));
        else
            T_OK(vd_defect_motion(&p, kern(), 30, 0.6, &err));
        for (int c = 0; c < 3; c++) {
            double m = 0, mx = 0, my = 0, xx = 0, yy = 0, xy = 0;
            for (int i = 0; i < 200 * 180; i++) {
                const double v = (double)p.light[c][i], x = i % 200 - 100, y = i / 200 - 90;
                m += v;
                mx += v * x;
                my += v * y;
                xx += v * x * x;
                yy += v * y * y;
                xy += v * x * y;
            }
            T_NEAR(m, c + 1, 1e-4);
            T_NEAR(mx / m, 0, 1e-3);
            T_NEAR(my / m, 0, 1e-3);
            /* a line of length L: L^2 / 12 along it; its taps and their four pixels add a little */
            const double line = 30 * 30 / 12.0, cs = cos(0.6), sn = sin(0.6);
            T_NEAR(xx / m, kind == 0 ? 4.5 * 4.5 : line * cs * cs, kind == 0 ? 0.6 : 0.4);
            T_NEAR(yy / m, kind == 0 ? 4.5 * 4.5 : line * sn * sn, kind == 0 ? 0.6 : 0.4);
            T_NEAR(xy / m, kind == 0 ? 0 : line * cs * sn, 0.4);
        }
    }
    vd_picture_reset(&p);
}

/* The mean of a box on a slope is the slope at its middle: it stays, whatever the scale. */
T(resampling_keeps_slopes) {
    vd_err err = { 0 };
    vd_picture p = { 0 };
    static uint8_t out[3 * 160 * 160];
    T_OK(vd_picture_size(&p, 120, 90, &err));
    for (int i = 0; i < 120 * 90; i++)
        for (int c = 0; c < 3; c++) p.rgb[3 * i + c] = (uint8_t)(i % 120 + i / 120 + 10 * c);
    const int size[][2] = { { 90, 50 }, { 47, 23 }, { 110, 86 }, { 150, 130 } };
    for (int k = 0; k < VD_COUNT(size); k++) {
        const int w = size[k][0], h = size[k][1];
        double off = 0;
        T_OK(vd_defect_resample(out, w, h, &p, 4, 2, 114, 88, 0.9, &err));
        for (int y = 1; y < h - 1; y++)
            for (int x = 1; x < w - 1; x++)
                for (int c = 0; c < 3; c++) {
                    const double sx = 4 + (x + 0.5) * 110 / w, sy = 2 + (y + 0.5) * 86 / h;
                    const double want = 0.9 * (sx - 0.5 + sy - 0.5 + 10 * c);
                    off = VD_MAX(off, fabs(out[3 * (y * w + x) + c] - want));
                }
        T_LT(off, 0.5 + 0.25 * 0.9); /* rounding, and pixels are stairs: 1/8 off along each axis */
    }
    vd_picture_reset(&p);
}

T(zz_nothing_is_left) {
    T_EQ(vd_mem_live(), 0);
}
