/* How figures are shown: with their bootstrap intervals, for people and for programs.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_JUDGE_INTERVAL_H
#define VD_JUDGE_INTERVAL_H

#include "base/pool.h"
#include "ops/op.h"

#define BOOTSTRAP_ARGS                                                                             \
    { .name = "bootstrap",                                                                         \
      .type = VD_T_INT,                                                                            \
      .max = 100000,                                                                               \
      .def = "200",                                                                                \
      .help = "replicates for intervals, drawn from the items; 0: none" },                         \
        { .name = "seed", .type = VD_T_INT, .def = "0", .help = "of the draws" }, {                \
        .name = "jobs", .type = VD_T_INT, .max = 256, .def = "0",                                  \
        .help = "workers; 0: one a processor"                                                      \
    }

vd_status vd_judge_pool(vd_pool **out, const vd_opcall *c, vd_err *err);

/* The mean of n > 0 numbers; of equal ones exactly theirs. */
double vd_judge_mean(const double *v, int64_t n);

/* A 95 % interval of `value` out of n replicates, which are sorted: their quantiles as they lie
 * about their mean, laid about the value. Replicates have a bias of their own (a curve's best
 * precision is the better the fewer objects there are), which so falls out. False where there are
 * fewer than two.
 */
bool vd_judge_bounds(double *replicate, int64_t n, double value, double *low, double *high);

/* Figures between 0 and 1, and counts. */
typedef struct vd_judge_figures {
    const char *const *name;
    const double *value; /* NaN: cannot be said; -1: there is nothing to judge */
    int n;
    const char *const *count_name;
    const int64_t *count;
    int n_counts;
    const double *replicate; /* of figure i: replicate[b * stride + i]; NaN and -1 are left out */
    int64_t stride, n_replicates;
} vd_judge_figures;

enum { VD_JUDGE_MOST = 16 }; /* figures, and counts */

/* The 95 % interval of figure i, within 0 and 1; nulls where there is none. `kept` has room for
 * n_replicates numbers. */
void vd_judge_interval(const vd_judge_figures *f, int i, double *kept, vd_value out[2]);

/* Sends one row with columns NAME, the counts, NAME_low and NAME_high; people get a row a figure.
 */
vd_status vd_judge_send(vd_opcall *c, const vd_judge_figures *f, vd_err *err);
#endif
