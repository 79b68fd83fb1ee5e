/* Distributions for the report. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_REPORT_METRICS_H
#define VD_REPORT_METRICS_H

#include "base/str.h"
#include "store/dataset.h"

enum { VD_REPORT_SCORE_BINS = 21 }; /* 20 over [0, 1), and one for 1 */

typedef struct vd_distributions vd_distributions;

/* Every metric and every stored score of all pictures, seen twice: the first time for ranges and
 * percentiles (to 0.2 %), the second time to count exactly in bins between them. Memory does not
 * depend on the number of pictures. The caller brings the values; in order:
 *
 *     new, columns, sketch and scores of each picture, ranges, count of each picture, json */
vd_status vd_distributions_new(vd_distributions **out, vd_err *err);
void vd_distributions_free(vd_distributions *d);

int vd_distributions_metrics(const vd_distributions *d); /* how many values a picture has */
int vd_distributions_n_scores(const vd_distributions *d);

/* Appends ", column" for each metric, then for each score if `scores`, over the tables asset a,
 * fact_check c, fact_measure m and fact_fingerprint f. */
void vd_distributions_columns(const vd_distributions *d, bool scores, vd_str *sql);

/* NaN: not known. */
void vd_distributions_sketch(vd_distributions *d, const double *metrics);
void vd_distributions_score(vd_distributions *d, const double *scores);
void vd_distributions_count(vd_distributions *d, const double *metrics);

/* After the last sketch. `thresholds` are the effective ones, in the order of vd_problem_kinds. */
void vd_distributions_ranges(vd_distributions *d, const double *thresholds);

/* Appends a JSON array of the metrics: name, unit, help, percentiles, scale, bins, threshold lines.
 */
void vd_distributions_json(vd_str *out, const vd_distributions *d);

/* Counts of the scores of a kind of problem, NULL where it has no stored score. Borrowed. */
const int64_t *vd_distributions_scores(const vd_distributions *d, const char *kind);
#endif
