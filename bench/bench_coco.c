/* eval detection without reading files: bench_coco TRUTH RESULTS bbox|segm|keypoints [JOBS]
 * [REPEATS]. What is timed is matching, precision and recall, and the headline numbers; masks are
 * filled and decoded within it. Prints one JSON line: wall and processor seconds, of the fastest
 * repeat and the median. SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "eval/detect.h"

enum { MAX_REPEATS = 100, REPLICATES = 200 };

static double cpu_seconds(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)u.ru_utime.tv_sec + 1e-6 * (double)u.ru_utime.tv_usec +
           (double)u.ru_stime.tv_sec + 1e-6 * (double)u.ru_stime.tv_usec;
}

static int ascending(const void *a, const void *b) {
    double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

typedef struct input {
    vd_detect_rules rules;
    vd_detect_truth truth;
    vd_detect_set set;
    vd_pool *pool;
} input;

static vd_status once(const input *in, vd_detect_hits *hits, double *ap, vd_err *err) {
    vd_detect_curves curves = { 0 };
    double number[VD_DETECT_NUMBERS] = { 0 };
    vd_detect_hits_reset(hits);
    vd_status st = vd_detect_match(hits, &in->truth, &in->set, &in->rules, in->pool, err);
    if (st == VD_OK) st = vd_detect_curves_make(&curves, hits, &in->rules, in->pool, err);
    if (st == VD_OK)
        st = vd_detect_summarise(number, &curves, &in->rules, in->truth.category, 0,
                                 in->truth.n_categories, err);
    vd_detect_curves_reset(&curves);
    *ap = number[0];
    return st;
}

static vd_status measure(const input *in, int repeats, vd_err *err) {
    static double out[REPLICATES * VD_DETECT_NUMBERS];
    double wall[MAX_REPEATS], cpu[MAX_REPEATS], ap = 0;
    vd_detect_hits hits = { 0 };
    vd_status st = VD_OK;
    for (int i = 0; i < repeats && st == VD_OK; i++) {
        double w = vd_time_mono_s(), c = cpu_seconds();
        st = once(in, &hits, &ap, err);
        wall[i] = vd_time_mono_s() - w;
        cpu[i] = cpu_seconds() - c;
    }
    double c = cpu_seconds();
    if (st == VD_OK)
        st = vd_detect_bootstrap(out, REPLICATES, 0, &hits, &in->rules, in->truth.category,
                                 in->pool, err);
    c = cpu_seconds() - c;
    qsort(wall, (size_t)repeats, sizeof *wall, ascending);
    qsort(cpu, (size_t)repeats, sizeof *cpu, ascending);
    if (st == VD_OK)
        printf("{\"wall\": %.5f, \"wall_median\": %.5f, \"cpu\": %.5f, \"cpu_median\": %.5f, "
               "\"bootstrap_cpu\": %.4f, \"replicates\": %d, \"jobs\": %d, \"AP\": %.17g}\n",
               wall[0], wall[repeats / 2], cpu[0], cpu[repeats / 2], c, REPLICATES,
               vd_pool_jobs(in->pool), ap);
    vd_detect_hits_reset(&hits);
    return st;
}

int main(int argc, char **argv) {
    static const char *const types[] = { "bbox", "segm", "keypoints" };
    input in = { 0 };
    vd_err err = { 0 };
    int type = 0, jobs = argc > 4 ? atoi(argv[4]) : 2, repeats = argc > 5 ? atoi(argv[5]) : 5;
    if (argc < 4 || repeats < 1 || repeats > MAX_REPEATS) {
        fprintf(stderr, "usage: bench_coco TRUTH RESULTS bbox|segm|keypoints [JOBS] [REPEATS]\n");
        return 2;
    }
    for (int i = 0; i < VD_COUNT(types); i++)
        if (strcmp(argv[3], types[i]) == 0) type = i;
    vd_detect_rules_init(&in.rules, VD_DETECT_COCO, (vd_detect_type)type);
    vd_status st = vd_pool_new(&in.pool, jobs, &err);
    if (st == VD_OK) st = vd_detect_read_truth(&in.truth, argv[1], NULL, 0, &in.rules, &err);
    if (st == VD_OK)
        st = vd_detect_read_predictions(&in.set, argv[2], NULL, 0, &in.truth, &in.rules, &err);
    if (st == VD_OK) st = measure(&in, repeats, &err);
    if (st != VD_OK) fprintf(stderr, "bench_coco: %s\n", err.msg);
    vd_detect_set_reset(&in.set);
    vd_detect_truth_reset(&in.truth);
    vd_pool_free(in.pool);
    return st == VD_OK ? 0 : 3;
}
