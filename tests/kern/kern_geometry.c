/* The geometry kernels at every CPU level the machine has, against plain C, bit for bit: lengths
 * 16 .. 528, padding, matches that are NaN, infinite, zero or huge, matrices of zeros, both kinds
 * of directions. `kern_geometry --bench` prints timings instead. SPDX-License-Identifier:
 * Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cpu.h"
#include "base/rng.h"
#include "geometry/kern.h"

enum { MOST = 2048, PROBLEMS = 8 };

typedef struct input {
    float f[6][MOST];
    double d[6][MOST], m[12], dm[63];
    vd_soa32 f32;
    vd_soa64 f64;
    vd_metric q;
    double a[21 * PROBLEMS], b[21 * PROBLEMS];
    const char *kind;
    int n;
} input;

static int passed, failed;

static void verdict(bool same, const char *slot, const char *level, const input *in) {
    if (same) {
        passed++;
        return;
    }
    if (failed++ < 20) fprintf(stderr, "FAILED %s at %s: n %d, %s\n", slot, level, in->n, in->kind);
}

static double odd_value(vd_rng *r, int kind) {
    static const double odd[] = { 0, NAN, INFINITY, -INFINITY, 1e300, -1e-300, 1e-40, 1 };
    if (kind == 1 && vd_rng_int(r, 4) == 0) return odd[vd_rng_int(r, VD_COUNT(odd))];
    return kind == 2 ? 0 : vd_rng_normal(r);
}

/* Kinds: plausible matches (many inliers), odd values, all zero, unit directions. */
static void fill(input *in, int n, int kind, uint64_t seed) {
    static const char *name[] = { "plausible", "odd values", "zeros", "sphere" };
    vd_rng r = vd_rng_for(seed, (uint64_t)n, (uint64_t)kind);
    in->n = n;
    in->kind = name[kind];
    in->q = (vd_metric){ 1e-6, 2e-6, 16, kind == 3 ? 0.5 : 0, kind == 3 };
    for (int i = 0; i < 12; i++) in->m[i] = odd_value(&r, kind == 1 ? 0 : kind);
    if (kind == 0 || kind == 3) /* close to the identity: transfers have inliers too */
        for (int i = 0; i < 12; i++) in->m[i] = (i % 5 == 0) + 0.002 * in->m[i];
    for (int i = 0; i < 63; i++) in->dm[i] = vd_rng_normal(&r);
    for (int i = 0; i < MOST; i++) {
        double side[6];
        for (int c = 0; c < 3; c++) {
            side[c] = c == 2 ? 1 : odd_value(&r, kind);
            side[3 + c] = c == 2 ? 1 : side[c] + 0.002 * odd_value(&r, kind);
        }
        for (int c = 0; c < 6; c++) {
            double *s = side + 3 * (c / 3);
            double len = kind == 3 ? sqrt(s[0] * s[0] + s[1] * s[1] + s[2] * s[2]) : 1;
            in->d[c][i] = i < n ? side[c] / len : NAN;
            in->f[c][i] = (float)in->d[c][i];
        }
    }
    for (int c = 0; c < 3; c++) {
        in->f32.a[c] = in->f[c];
        in->f32.b[c] = in->f[3 + c];
        in->f64.a[c] = in->d[c];
        in->f64.b[c] = in->d[3 + c];
    }
    for (int i = 0; i < 21 * PROBLEMS; i++) {
        in->a[i] = odd_value(&r, kind);
        in->b[i] = odd_value(&r, kind);
    }
}

static bool same_double(double a, double b) {
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

static bool same_doubles(const double *a, const double *b, int n) {
    bool same = true;
    for (int i = 0; i < n; i++) same = same && same_double(a[i], b[i]);
    return same;
}

static bool same_normal(const vd_normal *a, const vd_normal *b, int k) {
    return a->inliers == b->inliers && same_double(a->gain, b->gain) &&
           same_doubles(a->jtj, b->jtj, k * (k + 1) / 2) && same_doubles(a->jtr, b->jtr, k);
}

static void check_scores(const vd_geometry_kern *l, const input *in) {
    const vd_geometry_kern *c = &vd_geometry_kern_c;
    int to = (in->n + VD_KERN_STEP - 1) / VD_KERN_STEP * VD_KERN_STEP;
    for (int from = 0; from < to; from += VD_KERN_STEP * 7) {
        int p = 3, q = 3;
        double a = c->epipolar_score(&p, &in->f32, from, to, in->m, &in->q);
        double b = l->epipolar_score(&q, &in->f32, from, to, in->m, &in->q);
        verdict(same_double(a, b) && p == q, "epipolar_score", l->name, in);
        a = c->transfer_score(&p, &in->f32, from, to, in->m, &in->q);
        b = l->transfer_score(&q, &in->f32, from, to, in->m, &in->q);
        verdict(same_double(a, b) && p == q, "transfer_score", l->name, in);
    }
}

static void check_errors(const vd_geometry_kern *l, const input *in) {
    static float a[MOST + 16], b[MOST + 16];
    const vd_geometry_kern *c = &vd_geometry_kern_c;
    int n = (in->n + VD_KERN_STEP - 1) / VD_KERN_STEP * VD_KERN_STEP;
    for (int kind = 0; kind < 2; kind++) {
        memset(a, 0x55, sizeof a);
        memset(b, 0x55, sizeof b);
        (kind ? c->transfer_errors : c->epipolar_errors)(a, &in->f32, n, in->m, &in->q);
        (kind ? l->transfer_errors : l->epipolar_errors)(b, &in->f32, n, in->m, &in->q);
        bool same = memcmp(a + n, b + n, 16 * sizeof *a) == 0;
        for (int i = 0; i < n; i++) same = same && same_double((double)a[i], (double)b[i]);
        verdict(same, kind ? "transfer_errors" : "epipolar_errors", l->name, in);
    }
}

static void check_normals(const vd_geometry_kern *l, const input *in) {
    const vd_geometry_kern *c = &vd_geometry_kern_c;
    int n = (in->n + VD_KERN_BATCH - 1) / VD_KERN_BATCH * VD_KERN_BATCH;
    vd_normal a, b;
    for (int k = 5; k <= 7; k += 2) {
        c->epipolar_normal(&a, &in->f64, n, in->m, in->dm, k, &in->q);
        l->epipolar_normal(&b, &in->f64, n, in->m, in->dm, k, &in->q);
        verdict(same_normal(&a, &b, k), "epipolar_normal", l->name, in);
    }
    c->homography_normal(&a, &in->f64, n, in->m, &in->q);
    l->homography_normal(&b, &in->f64, n, in->m, &in->q);
    verdict(same_normal(&a, &b, 9), "homography_normal", l->name, in);
    for (int k = 6; k <= 7; k++) {
        c->pose_normal(&a, &in->f64, n, in->m, k == 6 ? 1 : 1.01, k, &in->q);
        l->pose_normal(&b, &in->f64, n, in->m, k == 6 ? 1 : 1.01, k, &in->q);
        verdict(same_normal(&a, &b, k), "pose_normal", l->name, in);
    }
}

static void check_minimal(const vd_geometry_kern *l, const input *in) {
    const vd_geometry_kern *c = &vd_geometry_kern_c;
    double e[2][PROBLEMS][10][9], f[2][PROBLEMS][3][9];
    int found[2][PROBLEMS];
    for (int n = 1; n <= PROBLEMS; n++) {
        c->five_point(e[0], found[0], in->a, in->b, n);
        l->five_point(e[1], found[1], in->a, in->b, n);
        bool same = memcmp(found[0], found[1], (size_t)n * sizeof(int)) == 0;
        for (int i = 0; same && i < n; i++)
            same = same_doubles(e[0][i][0], e[1][i][0], 9 * found[0][i]);
        verdict(same, "five_point", l->name, in);
        c->seven_point(f[0], found[0], in->a, in->b, n);
        l->seven_point(f[1], found[1], in->a, in->b, n);
        same = memcmp(found[0], found[1], (size_t)n * sizeof(int)) == 0;
        for (int i = 0; same && i < n; i++)
            same = same_doubles(f[0][i][0], f[1][i][0], 9 * found[0][i]);
        verdict(same, "seven_point", l->name, in);
    }
}

static double now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return 1e6 * (double)t.tv_sec + 1e-3 * (double)t.tv_nsec;
}

#define TIME(label, per, call)                                                                     \
    do {                                                                                           \
        double best = 1e30;                                                                        \
        for (int rep = 0; rep < 15; rep++) {                                                       \
            double begun = now_us();                                                               \
            for (int i = 0; i < 50; i++) call;                                                     \
            best = VD_MIN(best, (now_us() - begun) / 50 / (per));                                  \
        }                                                                                          \
        printf("%-8s %-28s %9.3f us\n", l->name, label, best);                                     \
    } while (0)

static void bench(const vd_geometry_kern *l, const input *in) {
    static double e[PROBLEMS][10][9], f[PROBLEMS][3][9];
    int inliers, found[PROBLEMS];
    vd_normal out;
    TIME("epipolar_score 2000", 1, l->epipolar_score(&inliers, &in->f32, 0, 2000, in->m, &in->q));
    TIME("transfer_score 2000", 1, l->transfer_score(&inliers, &in->f32, 0, 2000, in->m, &in->q));
    TIME("epipolar_normal 2000, 5", 1,
         l->epipolar_normal(&out, &in->f64, 2000, in->m, in->dm, 5, &in->q));
    TIME("epipolar_normal 2000, 7", 1,
         l->epipolar_normal(&out, &in->f64, 2000, in->m, in->dm, 7, &in->q));
    TIME("homography_normal 2000", 1, l->homography_normal(&out, &in->f64, 2000, in->m, &in->q));
    TIME("pose_normal 2000, 6", 1, l->pose_normal(&out, &in->f64, 2000, in->m, 1, 6, &in->q));
    TIME("five_point, one of 8", 8, l->five_point(e, found, in->a, in->b, 8));
    TIME("five_point, alone", 1, l->five_point(e, found, in->a, in->b, 1));
    TIME("seven_point, one of 8", 8, l->seven_point(f, found, in->a, in->b, 8));
}

int main(int argc, char **argv) {
    static input in;
    const vd_geometry_kern *level[3] = { &vd_geometry_kern_c };
    int levels = 1;
#if defined(__x86_64__)
    if (vd_cpu_detected() & VD_CPU_AVX2) level[levels++] = &vd_geometry_kern_avx2;
    if (vd_cpu_detected() & VD_CPU_AVX512) level[levels++] = &vd_geometry_kern_avx512;
#endif
    if (argc > 1 && strcmp(argv[1], "--bench") == 0) {
        fill(&in, 2000, 0, 1);
        for (int i = 0; i < levels; i++) bench(level[i], &in);
        return 0;
    }
    for (int i = 1; i < levels; i++)
        for (int n = 1; n <= 528; n += n < 40 ? 1 : 61)
            for (int kind = 0; kind < 4; kind++) {
                fill(&in, n, kind, 5);
                check_scores(level[i], &in);
                check_errors(level[i], &in);
                check_normals(level[i], &in);
                check_minimal(level[i], &in);
            }
    printf("kern_geometry: %d passed, %d failed, %d skipped\n", passed, failed, levels == 1);
    return failed > 0;
}
