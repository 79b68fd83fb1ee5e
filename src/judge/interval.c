/* See interval.h. SPDX-License-Identifier: Apache-2.0 */
#include "judge/interval.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cpu.h"
#include "base/mem.h"

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

double vd_judge_mean(const double *v, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += v[i] - v[0];
    return v[0] + sum / (double)n;
}

bool vd_judge_bounds(double *replicate, int64_t n, double value, double *low, double *high) {
    if (n < 2) return false;
    qsort(replicate, (size_t)n, sizeof *replicate, ascending);
    double mean = vd_judge_mean(replicate, n);
    *low = value + (quantile(replicate, n, TAIL) - mean);
    *high = value + (quantile(replicate, n, 1 - TAIL) - mean);
    return true;
}

void vd_judge_interval(const vd_judge_figures *f, int i, double *kept, vd_value out[2]) {
    double low = 0, high = 0;
    int64_t n = 0;
    for (int64_t b = 0; b < f->n_replicates; b++) {
        double v = f->replicate[b * f->stride + i];
        if (v > -1) kept[n++] = v;
    }
    bool known = f->value[i] > -1 && vd_judge_bounds(kept, n, f->value[i], &low, &high);
    out[0] = known ? vd_val_real(VD_MAX(low, 0)) : vd_val_null();
    out[1] = known ? vd_val_real(VD_MIN(high, 1)) : vd_val_null();
}

static vd_status send_people(vd_opcall *c, const vd_judge_figures *f, double *kept, vd_err *err) {
    static const vd_column column[] = { { "figure", VD_TEXT, "", "", 0 },
                                        { "value", VD_REAL, "", "", 0 },
                                        { "low", VD_REAL, "", "", 0 },
                                        { "high", VD_REAL, "", "", 0 } };
    VD_TRY(vd_out_columns(c, column, f->n_replicates > 0 ? 4 : 2, err));
    for (int i = 0; i < f->n; i++) {
        vd_value row[4] = { vd_val_text(f->name[i]), vd_val_real(f->value[i]) };
        vd_judge_interval(f, i, kept, row + 2);
        VD_TRY(vd_out_row(c, row, err));
    }
    for (int i = 0; i < f->n_counts; i++) {
        const vd_value row[4] = { vd_val_text(f->count_name[i]), vd_val_int(f->count[i]),
                                  vd_val_null(), vd_val_null() };
        VD_TRY(vd_out_row(c, row, err));
    }
    return VD_OK;
}

static vd_status send_row(vd_opcall *c, const vd_judge_figures *f, double *kept, vd_err *err) {
    static const char *const suffix[2] = { "low", "high" };
    vd_column column[4 * VD_JUDGE_MOST];
    vd_value row[4 * VD_JUDGE_MOST];
    int n = 0;
    for (int i = 0; i < f->n; i++, n++) {
        column[n] = (vd_column){ f->name[i], VD_REAL, "", "", 0 };
        row[n] = vd_val_real(f->value[i]);
    }
    for (int i = 0; i < f->n_counts; i++, n++) {
        column[n] = (vd_column){ f->count_name[i], VD_INT, "", "", 0 };
        row[n] = vd_val_int(f->count[i]);
    }
    for (int i = 0; i < f->n && f->n_replicates > 0; i++, n += 2) {
        vd_judge_interval(f, i, kept, row + n);
        for (int k = 0; k < 2; k++) {
            char text[64];
            snprintf(text, sizeof text, "%s_%s", f->name[i], suffix[k]);
            const char *copy = vd_arena_text(&c->arena, text);
            if (copy == NULL) return vd_nomem(err);
            column[n + k] = (vd_column){ copy, VD_REAL, "", "", 0 };
        }
    }
    VD_TRY(vd_out_columns(c, column, n, err));
    return vd_out_row(c, row, err);
}

vd_status vd_judge_send(vd_opcall *c, const vd_judge_figures *f, vd_err *err) {
    double *kept = vd_mem_array((size_t)f->n_replicates, sizeof *kept);
    if (kept == NULL) return vd_nomem(err);
    vd_status st = c->for_people ? send_people(c, f, kept, err) : send_row(c, f, kept, err);
    vd_mem_free(kept);
    return st;
}
