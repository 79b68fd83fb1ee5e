/* Distributions for the report. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_OPS_REPORT_METRICS_H
#define VD_OPS_REPORT_METRICS_H

#include "base/str.h"
#include "store/dataset.h"

enum { VD_REPORT_SCORE_BINS = 21 }; /* 20 over [0, 1), and one for 1 */

typedef struct vd_distributions vd_distributions;

/* Reads every metric and every stored score of all pictures in two passes over the catalog: the
 * first finds ranges and percentiles (to 0.2 %), the second counts. Memory does not depend on the
 * number of assets. `thresholds` are the effective ones, in the order of vd_problem_kinds. */
vd_status vd_distributions_new(vd_distributions **out, vd_dataset *ds, const double *thresholds,
                               vd_err *err);
void vd_distributions_free(vd_distributions *d);

/* Appends a JSON array of the metrics: name, unit, help, percentiles, scale, bins, threshold lines.
 */
void vd_distributions_json(vd_str *out, const vd_distributions *d);

/* Counts of the scores of a kind of problem, NULL where it has no stored score. Borrowed. */
const int64_t *vd_distributions_scores(const vd_distributions *d, const char *kind);
#endif
