/* Minimal solvers on random problems with known answers: bench_solvers [PROBLEMS]. One JSON line a
 * solver: time a call, real solutions a call, share of them that meet the equations, share of
 * problems whose truth is among them, and the error of the best. SPDX-License-Identifier:
 * Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../tests/solver_problems.h"
#include "base/cpu.h"
#include "base/mem.h"
#include "geometry/kern.h"

enum { CHUNK = 1000, PASSES = 5 };

static double now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return 1e6 * (double)t.tv_sec + 1e-3 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print(const char *name, double us, const solver_tally *t) {
    qsort(t->error, (size_t)t->problems, sizeof *t->error, by_value);
    printf("{\"bench\":\"solver\",\"solver\":\"%s\",\"problems\":%d,\"us_per_call\":%.3f,"
           "\"solutions\":%.3f,\"valid_percent\":%.3f,\"found_percent\":%.3f,"
           "\"median_error\":%.2g,\"error_99_percent\":%.2g}\n",
           name, t->problems, us, (double)t->answers / t->problems,
           t->answers > 0 ? 100.0 * t->valid / t->answers : 0, 100.0 * t->found / t->problems,
           t->error[t->problems / 2], t->error[t->problems - 1 - t->problems / 100]);
    fflush(stdout);
}

/* The least of some passes over problems that stay in the cache. */
static void run(const solver *s, int problems) {
    static solver_problem p[CHUNK];
    static solver_answers got[CHUNK];
    solver_tally t = { .error = vd_mem_array((size_t)problems, sizeof(double)) };
    double total = 0;
    if (t.error == NULL) exit(3);
    for (int from = 0; from < problems; from += CHUNK) {
        int n = VD_MIN(CHUNK, problems - from);
        double best = 1e30;
        for (int i = 0; i < n; i++) {
            vd_rng r = vd_rng_for(17, 1, (uint64_t)(from + i));
            s->make(&p[i], &r);
        }
        for (int pass = 0; pass < PASSES; pass++) {
            double begun = now_us();
            for (int i = 0; i < n; i++) s->solve(&got[i], &p[i]);
            best = VD_MIN(best, now_us() - begun);
        }
        total += best;
        for (int i = 0; i < n; i++) solver_judge(&t, s, &p[i], &got[i]);
    }
    print(s->name, total / problems, &t);
    vd_mem_free(t.error);
}

/* The same problems eight at a time, as robust estimation asks for them. */
static void run_batched(const solver *s, int points, int problems) {
    static solver_problem p[VD_KERN_BATCH];
    static double a[VD_KERN_BATCH * 21], b[VD_KERN_BATCH * 21], e[VD_KERN_BATCH][10][9],
        f[VD_KERN_BATCH][3][9];
    const vd_geometry_kern *k = vd_geometry_kern_for(vd_cpu_features());
    solver_tally t = { .error = vd_mem_array((size_t)problems, sizeof(double)) };
    double total = 0;
    char name[64];
    if (t.error == NULL) exit(3);
    problems -= problems % VD_KERN_BATCH;
    for (int from = 0; from < problems; from += VD_KERN_BATCH) {
        int found[VD_KERN_BATCH];
        double best = 1e30;
        for (int i = 0; i < VD_KERN_BATCH; i++) {
            vd_rng r = vd_rng_for(17, 1, (uint64_t)(from + i));
            s->make(&p[i], &r);
            memcpy(a + 3 * points * i, p[i].a, 3 * (size_t)points * sizeof *a);
            memcpy(b + 3 * points * i, p[i].b, 3 * (size_t)points * sizeof *b);
        }
        for (int pass = 0; pass < PASSES; pass++) {
            double begun = now_us();
            if (points == 5)
                k->five_point(e, found, a, b, VD_KERN_BATCH);
            else
                k->seven_point(f, found, a, b, VD_KERN_BATCH);
            best = VD_MIN(best, now_us() - begun);
        }
        total += best;
        for (int i = 0; i < VD_KERN_BATCH; i++) {
            solver_answers got = { .n = found[i] };
            for (int m = 0; m < found[i]; m++)
                memcpy(got.answer[m], points == 5 ? e[i][m] : f[i][m], 9 * sizeof(double));
            solver_judge(&t, s, &p[i], &got);
        }
    }
    snprintf(name, sizeof name, "%s x8 %s", s->name, k->name);
    print(name, total / problems, &t);
    vd_mem_free(t.error);
}

int main(int argc, char **argv) {
    int problems = argc > 1 ? atoi(argv[1]) : 100000;
    if (problems < VD_KERN_BATCH) {
        fprintf(stderr, "bench_solvers: %d problems, at least %d are needed\n", problems,
                VD_KERN_BATCH);
        return 2;
    }
    for (int i = 0; i < VD_COUNT(solvers); i++) {
        run(&solvers[i], problems);
        if (strcmp(solvers[i].name, "five_point") == 0) run_batched(&solvers[i], 5, problems);
        if (strcmp(solvers[i].name, "seven_point") == 0) run_batched(&solvers[i], 7, problems);
    }
    return 0;
}
