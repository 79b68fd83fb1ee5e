/* Motion blur: its direction and its score, on two worlds without a direction of their own whose
 * smear is known in closed form. Waves of all directions, alike in every octave as in photographs:
 * a smear of length L along d turns the amplitude of cos(k x) into that times sinc(k d L / 2).
 * Discs with step edges: the smeared level is the share of the path within the disc.
 * SPDX-License-Identifier: Apache-2.0 */
#include "load.h"
#include "t.h"

#include "measure/score.h"

enum { W = 320, H = 240, WAVES = 240, DISCS = 80 };
static const double pi = 3.14159265358979323846;

typedef struct smear {
    double length, dx, dy; /* the path, rows growing downwards */
    double sigma;          /* of a Gaussian defocus; waves only */
} smear;

static smear smear_of(double length, double deg) {
    return (smear){ length, cos(deg * pi / 180), -sin(deg * pi / 180), 0 };
}

/* out += a cos(fx x + fy y + phase), from tables of the factors. */
static void add_wave(double *out, double a, double fx, double fy, double phase) {
    double c[W], s[W];
    for (int x = 0; x < W; x++) {
        c[x] = cos(fx * x + phase);
        s[x] = sin(fx * x + phase);
    }
    for (int y = 0; y < H; y++) {
        double cy = a * cos(fy * y), sy = a * sin(fy * y);
        for (int x = 0; x < W; x++) out[y * W + x] += cy * c[x] - sy * s[x];
    }
}

/* Frequencies rise from 0.02 to 1.6 a pixel while directions follow each other by the golden ratio,
 * so that none has more of any octave than another. */
static void waves(double *out, const smear *s) {
    vd_rng r = vd_rng_for(5, 0, 0);
    for (int i = 0; i < W * H; i++) out[i] = 128;
    for (int k = 0; k < WAVES; k++) {
        double turn = k * 0.6180339887498949, u = (k + 0.5) / WAVES, f = 0.02 * pow(80, u),
               fx = f * cos(turn * pi), fy = f * sin(turn * pi);
        double half = 0.5 * s->length * (fx * s->dx + fy * s->dy);
        double a = 5 * exp(-0.5 * f * f * s->sigma * s->sigma);
        if (fabs(half) > 1e-9) a *= sin(half) / half;
        add_wave(out, a, fx, fy, vd_rng_range(&r, 0, 2 * pi));
    }
}

/* The share of a path about (x, y), seen from the centre, that lies within a disc. */
static double share(double x, double y, double radius, const smear *s) {
    double along = x * s->dx + y * s->dy;
    double chord2 = radius * radius - (x * x + y * y - along * along);
    if (s->length <= 0) return x * x + y * y < radius * radius;
    if (chord2 <= 0) return 0;
    double half = sqrt(chord2), from = VD_MAX(along - s->length / 2, -half),
           to = VD_MIN(along + s->length / 2, half);
    return to > from ? (to - from) / s->length : 0;
}

/* A pixel is the mean over points in it, as a sensor's is over its area. */
static double pixel_share(double x, double y, double radius, const smear *s) {
    enum { N = 3 };
    double sum = 0, reach = radius + s->length / 2 + 1;
    if (x * x + y * y > reach * reach) return 0;
    for (int j = 0; j < N; j++)
        for (int i = 0; i < N; i++)
            sum += share(x + (i + 0.5) / N - 0.5, y + (j + 0.5) / N - 0.5, radius, s);
    return sum / (N * N);
}

static void discs(double *out, const smear *s) {
    vd_rng r = vd_rng_for(7, 0, 0);
    for (int i = 0; i < W * H; i++) out[i] = 128;
    for (int k = 0; k < DISCS; k++) {
        double cx = vd_rng_range(&r, 0, W), cy = vd_rng_range(&r, 0, H),
               radius = vd_rng_range(&r, 6, 30), level = vd_rng_range(&r, -60, 60);
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++)
                out[y * W + x] += level * pixel_share(x - cx, y - cy, radius, s);
    }
}

typedef void (*world_fn)(double *out, const smear *s);
typedef struct verdict {
    double score, direction_deg;
} verdict;

/* What is said of such a picture with a sensor's noise. */
static verdict look(world_fn world, const smear *s, double noise) {
    static double level[W * H];
    vd_rng r = vd_rng_for(11, 0, 0);
    vd_metrics m = { 0 };
    vd_pdq pdq;
    vd_measure *ms = NULL;
    t_picture p;
    double score[VD_SCORE_KINDS] = { 0 };
    world(level, s);
    if (!t_picture_new(&p, VD_PIX_GREY8, W, H)) exit(3);
    for (int i = 0; i < W * H; i++) {
        double v = floor(level[i] + noise * vd_rng_normal(&r) + 0.5);
        p.memory[i] = (uint8_t)VD_CLAMP(v, 0.0, 255.0);
    }
    if (vd_measure_new(&ms, NULL) != VD_OK ||
        vd_measure_frame(&m, &pdq, ms, &p.frame, NULL) != VD_OK)
        exit(3);
    vd_score_picture(score, &m, 0);
    vd_measure_free(ms);
    t_picture_free(&p);
    return (verdict){ score[VD_SCORE_MOTION_BLUR], m.motion_direction_deg };
}

static double threshold(void) {
    return vd_score_table[VD_SCORE_MOTION_BLUR].threshold;
}

T(a_smear_is_found_and_its_direction_told) {
    const world_fn world[] = { waves, discs };
    for (int k = 0; k < VD_COUNT(world); k++)
        for (int length = 5; length <= 25; length += 5)
            for (int deg = 0; deg < 180; deg += 15) {
                smear s = smear_of(length, deg);
                /* 5 pixels show in the finest detail only, where noise does too */
                verdict v = look(world[k], &s, length > 5 ? 1 : 0);
                double off = fabs(v.direction_deg - deg);
                T_LT(v.score, threshold());
                T_LT(VD_MIN(off, 180 - off), 5);
            }
}

T(all_directions_are_alike) {
    for (int length = 5; length <= 25; length += 10) {
        double least = 1, most = 0;
        for (int deg = 0; deg < 180; deg += 15) {
            smear s = smear_of(length, deg);
            verdict v = look(waves, &s, 1);
            least = VD_MIN(least, v.score);
            most = VD_MAX(most, v.score);
        }
        T_LT(most - least, 0.05);
    }
}

T(sharp_or_out_of_focus_is_not_moved) {
    smear none = { 0 };
    for (int noise = 0; noise <= 8; noise += 2) {
        T_LT(0.8, look(waves, &none, noise).score);
        T_LT(0.8, look(discs, &none, noise).score);
    }
    for (int noise = 0; noise <= 4; noise++)
        for (double sigma = 0.5; sigma <= 8; sigma *= 2) {
            smear soft = { .sigma = sigma };
            T_LT(threshold() + 0.1, look(waves, &soft, noise).score);
        }
}
