/* What operations with bootstrap intervals share. SPDX-License-Identifier: Apache-2.0 */
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

/* Sorts v and gives the bounds of its middle 95 %; false where there are fewer than two. */
bool vd_judge_bounds(double *v, int64_t n, double *low, double *high);

/* Columns NAME_low and NAME_high out of replicates v[0], v[stride], ...; those that are NaN or not
 * above `floor` are left out. */
vd_status vd_judge_interval(vd_opcall *c, const char *name, const double *v, int64_t stride,
                            int64_t n, double floor, vd_column column[2], vd_value row[2],
                            vd_err *err);
#endif
