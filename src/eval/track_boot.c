/* Bootstrap of tracking figures; see track.h. Percentiles of replicates [Efron, Bootstrap Methods:
 * Another Look at the Jackknife, The Annals of Statistics 1979]. SPDX-License-Identifier:
 * Apache-2.0
 */
#include <stdlib.h>

#include "base/mem.h"
#include "base/rng.h"
#include "eval/track.h"

enum { SIDES = 3 }; /* unit, unit_b, their difference */

static const uint64_t STREAM = 0x747261636b; /* of draws */

typedef struct boot {
    const vd_track_sums *unit, *unit_b;
    const int64_t *begin;
    int64_t n_strata, n_replicates;
    uint64_t seed;
    double *value; /* [SIDES][VD_TRACK_SHARES][n_replicates] */
} boot;

static double *values(const boot *b, int side, int figure) {
    return b->value + (side * VD_TRACK_SHARES + figure) * b->n_replicates;
}

static vd_status replicate(void *user, int64_t i, int worker, vd_err *err) {
    const boot *b = user;
    vd_rng r = vd_rng_for(b->seed, STREAM, (uint64_t)i);
    vd_track_sums sum = { 0 }, sum_b = { 0 };
    double a[VD_TRACK_FIGURES], c[VD_TRACK_FIGURES];
    (void)worker;
    (void)err;
    for (int64_t s = 0; s < b->n_strata; s++) {
        int64_t n = b->begin[s + 1] - b->begin[s];
        for (int64_t k = 0; k < n; k++) {
            int64_t u = b->begin[s] + vd_rng_int(&r, n);
            vd_track_sums_add(&sum, &b->unit[u], 1);
            if (b->unit_b != NULL) vd_track_sums_add(&sum_b, &b->unit_b[u], 1);
        }
    }
    vd_track_figures(a, &sum, false);
    vd_track_figures(c, &sum_b, false);
    for (int f = 0; f < VD_TRACK_SHARES; f++) {
        values(b, 0, f)[i] = a[f];
        values(b, 1, f)[i] = c[f];
        values(b, 2, f)[i] = c[f] - a[f];
    }
    return VD_OK;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of sorted values, linear between neighbours. */
static double quantile(const double *v, int64_t n, double q) {
    double at = q * (double)(n - 1);
    int64_t i = (int64_t)at;
    return i + 1 < n ? v[i] + (at - (double)i) * (v[i + 1] - v[i]) : v[n - 1];
}

static vd_track_interval interval_of(const boot *b, int figure) {
    vd_track_interval out = { 0 };
    int64_t n = b->n_replicates;
    double *one = values(b, 0, figure), *diff = values(b, 2, figure);
    int64_t above = 0, below = 0;
    for (int64_t i = 0; i < n; i++) {
        above += diff[i] >= 0;
        below += diff[i] <= 0;
    }
    out.p = VD_MIN(1, 2 * (double)VD_MAX(VD_MIN(above, below), 1) / (double)n);
    qsort(one, (size_t)n, sizeof *one, by_value);
    qsort(diff, (size_t)n, sizeof *diff, by_value);
    out.low = quantile(one, n, 0.025);
    out.high = quantile(one, n, 0.975);
    out.diff_low = quantile(diff, n, 0.025);
    out.diff_high = quantile(diff, n, 0.975);
    return out;
}

vd_status vd_track_bootstrap(vd_track_interval out[VD_TRACK_SHARES], const vd_track_sums *unit,
                             const vd_track_sums *unit_b, const int64_t *begin, int64_t n_strata,
                             int64_t n_replicates, uint64_t seed, vd_pool *pool, vd_err *err) {
    boot b = { unit, unit_b, begin, n_strata, n_replicates, seed, NULL };
    b.value = vd_mem_array((size_t)n_replicates, SIDES * VD_TRACK_SHARES * sizeof *b.value);
    if (b.value == NULL) return vd_nomem(err);
    vd_status st = vd_pool_for(pool, n_replicates, replicate, &b, err);
    for (int f = 0; f < VD_TRACK_SHARES && st == VD_OK; f++) out[f] = interval_of(&b, f);
    vd_mem_free(b.value);
    return st;
}
