/* Time of feature extraction: bench_sift [PICTURE.pgm [ROUNDS]]. Without a picture a synthetic
 * one of 1600 x 1067. Prints one JSON line. SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cpu.h"
#include "base/hash.h"
#include "base/rng.h"
#include "feature/sift.h"
#include "pgm.h"

/* Processor time: other work on the machine counts less. */
static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Discs of all sizes upon each other, with noise: dead leaves, whose statistics resemble a
 * photo's. */
static uint8_t *scene(int w, int h) {
    uint8_t *p = calloc((size_t)w * (size_t)h, 1);
    if (p == NULL) exit(3);
    vd_rng r = vd_rng_for(1, (uint64_t)w, (uint64_t)h);
    for (int i = 0; i < 60000; i++) {
        double radius = 2 / sqrt(1 - vd_rng_f64(&r) * 0.9995);
        int cx = (int)vd_rng_int(&r, w), cy = (int)vd_rng_int(&r, h), k = (int)radius,
            grey = 30 + (int)vd_rng_int(&r, 190);
        for (int y = VD_MAX(cy - k, 0); y <= VD_MIN(cy + k, h - 1); y++)
            for (int x = VD_MAX(cx - k, 0); x <= VD_MIN(cx + k, w - 1); x++)
                if ((x - cx) * (x - cx) + (y - cy) * (y - cy) <= radius * radius)
                    p[(size_t)y * (size_t)w + (size_t)x] = (uint8_t)grey;
    }
    for (size_t i = 0; i < (size_t)w * (size_t)h; i++)
        p[i] = (uint8_t)VD_CLAMP(p[i] + (int)lrint(2 * vd_rng_normal(&r)), 0, 255);
    return p;
}

int main(int argc, char **argv) {
    int w = 1600, h = 1067, rounds = argc > 2 ? atoi(argv[2]) : 11;
    uint8_t *luma = argc > 1 ? pgm_read(argv[1], &w, &h) : scene(w, h);
    double *t = malloc((size_t)rounds * sizeof *t);
    vd_sift_opt opt = VD_SIFT_OPT;
    vd_sift_work *work = NULL;
    vd_features f = { 0 };
    vd_err err = { 0 };
    char cpu[80];
    if (luma == NULL || t == NULL || rounds < 1 || vd_sift_work_new(&work, &err) != VD_OK) return 3;
    for (int i = -1; i < rounds; i++) {
        double start = now();
        if (vd_sift_extract_in(work, &f, luma, w, h, w, NULL, 0, &opt, &err) != VD_OK) return 3;
        if (i >= 0) t[i] = 1e3 * (now() - start);
    }
    qsort(t, (size_t)rounds, sizeof *t, by_value);
    vd_cpu_name(cpu, sizeof cpu);
    printf(
        "{\"bench\":\"sift\",\"cpu\":\"%s\",\"threads\":1,\"width\":%d,\"height\":%d,"
        "\"features\":%d,\"ms\":%.1f,\"ms_least\":%.1f,\"target_ms\":120,\"hash\":\"%016llx\"}\n",
        cpu, w, h, f.n, t[rounds / 2], t[0],
        (unsigned long long)(vd_hash64(f.desc, (size_t)f.n * VD_SIFT_DIM) ^
                             vd_hash64(f.kp, (size_t)f.n * sizeof *f.kp)));
    vd_features_reset(&f);
    vd_sift_work_free(work);
    free(luma);
    free(t);
    return 0;
}
