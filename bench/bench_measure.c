/* Time of everything that is computed on one decoded picture: renditions, metrics, PDQ.
 * bench_measure [WIDTH HEIGHT]: prints one JSON line. SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cpu.h"
#include "base/rng.h"
#include "measure/measure.h"

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

/* A smooth scene with texture and noise, 4:2:0; every copy lies elsewhere, as decoded pictures do.
 */
static uint8_t *scene(int w, int h) {
    uint8_t *p = malloc((size_t)w * (size_t)h * 3 / 2 + 64);
    if (p == NULL) exit(3);
    vd_rng r = vd_rng_for(1, (uint64_t)w, (uint64_t)h);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            uint64_t u = vd_rng_u64(&r);
            int noise = (int)(u & 7) + (int)(u >> 3 & 7) - 7, edge = (x / 37 + y / 53) % 2 * 40;
            p[(size_t)y * (size_t)w + (size_t)x] =
                (uint8_t)VD_CLAMP(60 + 120 * x / w + edge + noise, 0, 255);
        }
    memset(p + (size_t)w * (size_t)h, 120, (size_t)w * (size_t)h / 2);
    return p;
}

/* The least and the median of `rounds` pictures. */
typedef struct timing {
    double least, median;
} timing;

static timing time_us(vd_measure *m, int w, int h, int rounds, double *sharpness) {
    enum { COPIES = 3 };
    uint8_t *p[COPIES];
    double *t = malloc((size_t)rounds * sizeof *t);
    vd_err err = { 0 };
    if (t == NULL) exit(3);
    for (int i = 0; i < COPIES; i++) p[i] = scene(w, h);
    for (int i = -2; i < rounds; i++) {
        uint8_t *y = p[(i + 2) % COPIES], *c = y + (size_t)w * (size_t)h;
        vd_frame f = { .format = VD_PIX_YCC8, .width = w, .height = h, .orientation = 1 };
        f.plane[0] = (vd_plane){ y, w, w, h };
        f.plane[1] = (vd_plane){ c, w / 2, w / 2, h / 2 };
        f.plane[2] = (vd_plane){ c + (size_t)(w / 2) * (size_t)(h / 2), w / 2, w / 2, h / 2 };
        vd_metrics out;
        vd_pdq pdq;
        double start = now();
        if (vd_measure_frame(&out, &pdq, m, &f, &err) != VD_OK) exit(3);
        if (i >= 0) t[i] = 1e6 * (now() - start);
        *sharpness = out.sharpness;
    }
    qsort(t, (size_t)rounds, sizeof *t, by_value);
    timing v = { t[0], t[rounds / 2] };
    for (int i = 0; i < COPIES; i++) free(p[i]);
    free(t);
    return v;
}

int main(void) {
    vd_measure *m = NULL;
    vd_err err = { 0 };
    char cpu[80];
    double s0, s1, s2;
    vd_cpu_name(cpu, sizeof cpu);
    if (vd_measure_new(&m, &err) != VD_OK) return 3;
    timing large = time_us(m, 3072, 2048, 31, &s0), tiny = time_us(m, 32, 32, 2001, &s1),
           middle = time_us(m, 500, 375, 201, &s2);
    printf("{\"bench\":\"measure\",\"cpu\":\"%s\",\"threads\":1,\"ms_per_6mp\":%.3f,"
           "\"ms_per_6mp_least\":%.3f,\"us_per_32x32\":%.2f,\"us_per_32x32_least\":%.2f,"
           "\"us_per_500x375\":%.1f,\"us_per_500x375_least\":%.1f,\"sharpness_6mp\":%.6f}\n",
           cpu, large.median / 1e3, large.least / 1e3, tiny.median, tiny.least, middle.median,
           middle.least, s0);
    vd_measure_free(m);
    return 0;
}
