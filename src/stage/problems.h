/* Problem kinds: name, threshold, and how the score is read from the catalog.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_STAGE_PROBLEMS_H
#define VD_STAGE_PROBLEMS_H

#include "flow/run.h"

typedef struct vd_problem_kind {
    const char *key;   /* CleanVision's where the notion is the same */
    double threshold;  /* default: a score below it is a finding */
    const char *score; /* SQL over a (asset), c (check), m (measure), d (duplicates): 0 worst .. 1
                          clean, NULL where the notion does not apply */
    const char *evidence; /* SQL text: what was measured */
    const char *help;
} vd_problem_kind;

extern const vd_problem_kind vd_problem_kinds[];
extern const int vd_n_problem_kinds;

/* "blurry=0.3,dark=0.2": every kind must exist, every number lie in 0..1. "" is fine. */
vd_status vd_problem_check_thresholds(const char *list, vd_err *err);
/* The threshold of kind `i` under such a list (NULL: defaults). */
double vd_problem_threshold(int i, const char *list);

/* SELECT that gives kind, asset_id, score, evidence of every finding of kind `i` below `threshold`.
 */
void vd_problem_select(int i, double threshold, const char *condition, vd_str *sql);
#endif
