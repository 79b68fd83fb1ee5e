/* See interval.h. SPDX-License-Identifier: Apache-2.0 */
#include "judge/interval.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/cpu.h"

/* A 95 % interval: what lies outside on either side. */
static const double TAIL = 0.025;

vd_status vd_judge_pool(vd_pool **out, const vd_opcall *c, vd_err *err) {
    int jobs = (int)vd_arg_int(c, "jobs");
    return vd_pool_new(out, jobs > 0 ? jobs : vd_cpu_count(), err);
}

static int ascending(const void *a, const void *b) {
    double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

/* Between sorted values, as far along as `share` says. */
static double quantile(const double *v, int64_t n, double share) {
    double at = share * (double)(n - 1);
    int64_t i = (int64_t)at;
    return i + 1 < n ? v[i] + (at - (double)i) * (v[i + 1] - v[i]) : v[n - 1];
}

bool vd_judge_bounds(double *v, int64_t n, double *low, double *high) {
    if (n < 2) return false;
    qsort(v, (size_t)n, sizeof *v, ascending);
    *low = quantile(v, n, TAIL);
    *high = quantile(v, n, 1 - TAIL);
    return true;
}

vd_status vd_judge_interval(vd_opcall *c, const char *name, const double *v, int64_t stride,
                            int64_t n, double floor, vd_column column[2], vd_value row[2],
                            vd_err *err) {
    static const char *const suffix[2] = { "low", "high" };
    double bound[2] = { 0, 0 }, *kept = vd_arena_alloc(&c->arena, (size_t)n * sizeof *kept);
    int64_t m = 0;
    if (kept == NULL) return vd_nomem(err);
    for (int64_t i = 0; i < n; i++)
        if (v[i * stride] > floor) kept[m++] = v[i * stride];
    bool known = vd_judge_bounds(kept, m, &bound[0], &bound[1]);
    for (int i = 0; i < 2; i++) {
        char text[64];
        snprintf(text, sizeof text, "%s_%s", name, suffix[i]);
        const char *copy = vd_arena_text(&c->arena, text);
        if (copy == NULL) return vd_nomem(err);
        column[i] = (vd_column){ copy, VD_REAL, "", "", 0 };
        row[i] = known ? vd_val_real(bound[i]) : vd_val_null();
    }
    return VD_OK;
}
