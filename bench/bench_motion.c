/* How well motion blur is found on photos, and told from defocus: each photo is smeared, or put out
 * of focus, in linear light at the scale of the norm, gets a sensor's noise (up to 3 levels) and is
 * coded as a JPEG of quality 60 .. 95; lengths, directions and the rest are drawn anew for each.
 * bench_motion FILE... (JPEG or PNG) prints one JSON line: the share of pictures that score below
 * the threshold of motion_blur, and the median error of the direction where they do.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "../tests/load.h"

#include "base/mem.h"
#include "base/rng.h"
#include "image/jpeg_write.h"
#include "measure/score.h"

static const double pi = 3.14159265358979323846, gamma_exponent = 2.2;

typedef enum kind { AS_IS, SMEAR, GAUSS, DISC } kind;
static const struct {
    const char *name;
    kind kind;
    double least, most; /* pixels of the norm: length, sigma, radius */
} world[] = {
    { "coded_again", AS_IS, 0, 0 },   { "smear_5_9", SMEAR, 5, 9 }, { "smear_9_25", SMEAR, 9, 25 },
    { "smear_25_60", SMEAR, 25, 60 }, { "gauss_1_4", GAUSS, 1, 4 }, { "disc_2_8", DISC, 2, 8 },
};

enum { MAX_TAPS = 1024 };
typedef struct taps {
    int n;
    float dx[MAX_TAPS], dy[MAX_TAPS], weight[MAX_TAPS];
} taps;

static void add_tap(taps *t, double dx, double dy, double weight) {
    t->dx[t->n] = (float)dx;
    t->dy[t->n] = (float)dy;
    t->weight[t->n++] = (float)weight;
}

/* The point spread function of one picture; weights add up to 1. */
static void spread(taps *t, kind k, double size, double deg) {
    double sum = 0;
    t->n = 0;
    if (k == AS_IS) add_tap(t, 0, 0, 1);
    for (int i = 0, n = 2 * (int)ceil(size); k == SMEAR && i < n; i++) {
        double u = size * ((i + 0.5) / n - 0.5);
        add_tap(t, u * cos(deg * pi / 180), -u * sin(deg * pi / 180), 1);
    }
    const int reach = k == GAUSS ? (int)ceil(2.5 * size) : (int)ceil(size + 0.5);
    for (int y = -reach; (k == GAUSS || k == DISC) && y <= reach; y++)
        for (int x = -reach; x <= reach; x++) {
            double d = hypot(x, y), w = k == GAUSS ? exp(-d * d / (2 * size * size))
                                                   : VD_CLAMP(size + 0.5 - d, 0.0, 1.0);
            if (w > 1e-3 && t->n < MAX_TAPS) add_tap(t, x, y, w);
        }
    for (int i = 0; i < t->n; i++) sum += t->weight[i];
    for (int i = 0; i < t->n; i++) t->weight[i] /= (float)sum;
}

/* Bilinear, clamped to the picture. */
static float sampled(const float *a, int w, int h, float x, float y) {
    x = VD_CLAMP(x, 0.0f, (float)w - 1.01f);
    y = VD_CLAMP(y, 0.0f, (float)h - 1.01f);
    int ix = (int)x, iy = (int)y;
    float fx = x - (float)ix, fy = y - (float)iy;
    const float *p = a + (size_t)iy * (size_t)w + ix;
    return (1 - fy) * ((1 - fx) * p[0] + fx * p[1]) + fy * ((1 - fx) * p[w] + fx * p[w + 1]);
}

static bool degrade(t_picture *out, const vd_pixels *norm, const taps *t, vd_rng *r) {
    const int w = norm->width, h = norm->height;
    const double noise = vd_rng_range(r, 0, 3);
    vd_jpeg_opt opt = VD_JPEG_OPT;
    vd_str bytes = { 0 };
    t_picture p;
    float *light = malloc((size_t)w * (size_t)h * sizeof *light);
    opt.quality = 60 + (int)vd_rng_int(r, 36);
    if (light == NULL || !t_picture_new(&p, VD_PIX_GREY8, w, h)) exit(3);
    for (int i = 0; i < w * h; i++) light[i] = (float)pow(norm->data[i] / 255.0, gamma_exponent);
    for (int i = 0; i < w * h; i++) {
        float sum = 0, x = (float)(i % w), y = (float)(i / w);
        for (int k = 0; k < t->n; k++)
            sum += t->weight[k] * sampled(light, w, h, x + t->dx[k], y + t->dy[k]);
        double v = 255 * pow((double)sum, 1 / gamma_exponent) + noise * vd_rng_normal(r) + 0.5;
        p.memory[i] = (uint8_t)VD_CLAMP(v, 0.0, 255.0);
    }
    bool ok = vd_jpeg_write(&bytes, &p.frame, &opt, NULL) == VD_OK &&
              t_load_jpeg_bytes(out, (const uint8_t *)bytes.data, (size_t)bytes.size);
    vd_str_reset(&bytes);
    t_picture_free(&p);
    free(light);
    return ok;
}

typedef struct tally {
    int pictures, found;
    double *error_deg; /* of those found */
} tally;

static void judge(tally *t, vd_measure *m, const vd_frame *f, double deg) {
    vd_metrics x;
    vd_pdq pdq;
    double score[VD_SCORE_KINDS];
    if (vd_measure_frame(&x, &pdq, m, f, NULL) != VD_OK) exit(3);
    vd_score_picture(score, &x, 0);
    t->pictures++;
    if (score[VD_SCORE_MOTION_BLUR] >= vd_score_table[VD_SCORE_MOTION_BLUR].threshold) return;
    double off = fabs(x.motion_direction_deg - deg);
    t->error_deg[t->found++] = VD_MIN(off, 180 - off);
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    tally as_is = { 0 }, t[VD_COUNT(world)] = { 0 };
    vd_measure *m = NULL;
    vd_scratch s = { 0 };
    static taps psf;
    size_t room = sizeof(double) * (size_t)argc;
    if (vd_measure_new(&m, NULL) != VD_OK || (as_is.error_deg = malloc(room)) == NULL) return 3;
    for (int k = 0; k < VD_COUNT(world); k++)
        if ((t[k].error_deg = malloc(room)) == NULL) return 3;
    for (int i = 1; i < argc; i++) {
        t_picture p, q;
        if (!t_load(&p, argv[i])) continue;
        judge(&as_is, m, &p.frame, 0);
        if (vd_rendition_make(&s, &p.frame, NULL, NULL) != VD_OK) return 3;
        for (int k = 0; s.norm.width >= 64 && s.norm.height >= 64 && k < VD_COUNT(world); k++) {
            vd_rng r = vd_rng_for(1, (uint64_t)k, (uint64_t)i);
            double size = vd_rng_range(&r, world[k].least, world[k].most),
                   deg = vd_rng_range(&r, 0, 180);
            spread(&psf, world[k].kind, size, deg);
            if (!degrade(&q, &s.norm, &psf, &r)) return 3;
            judge(&t[k], m, &q.frame, deg);
            t_picture_free(&q);
        }
        t_picture_free(&p);
    }
    printf("{\"bench\":\"motion\",\"pictures\":%d,\"found_as_is\":%d", as_is.pictures, as_is.found);
    for (int k = 0; k < VD_COUNT(world); k++) {
        printf(",\"%s\":%.3f", world[k].name, t[k].found / VD_MAX(t[k].pictures, 1.0));
        qsort(t[k].error_deg, (size_t)t[k].found, sizeof(double), by_value);
        if (world[k].kind == SMEAR && t[k].found > 0)
            printf(",\"%s_error_deg\":%.1f", world[k].name, t[k].error_deg[t[k].found / 2]);
        free(t[k].error_deg);
    }
    printf("}\n");
    free(as_is.error_deg);
    vd_scratch_reset(&s);
    vd_measure_free(m);
    return 0;
}
