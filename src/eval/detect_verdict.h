/* What became of each object and prediction. SPDX-License-Identifier: Apache-2.0
 *
 * At the lowest threshold of overlap and over all sizes a prediction is a hit, a false alarm or
 * ignored, and an object that counts is found or missed, as average precision counts them
 * (detect.h). A false alarm that overlaps an object of another class by that threshold is confused.
 * For the matrix of confusions, false alarms by descending score each take the object of another
 * class that they overlap most and that nothing has found or taken before: so each object and each
 * prediction is counted once, and the diagonal has the hits. */
#ifndef VD_EVAL_DETECT_VERDICT_H
#define VD_EVAL_DETECT_VERDICT_H

#include "eval/detect.h"

typedef enum vd_outcome {
    VD_HIT,
    VD_MISS,
    VD_FALSE_ALARM,
    VD_CONFUSED,
    VD_PASSED_OVER, /* crowds and the like, and what took them; surplus; unknown classes */
    VD_OUTCOMES,
} vd_outcome;
extern const char *const vd_outcome_name[VD_OUTCOMES]; /* hit, miss, false_alarm, ... */

typedef struct vd_detect_verdict {
    int32_t image;
    vd_outcome verdict;
    int64_t prediction, object; /* in their sets, -1: none; confused: the object of another class */
    int32_t taken;  /* a miss: the class it was taken for; a false alarm: that of the object that it
                       took for the matrix; -1: none */
    double overlap; /* with the object; of false alarms the largest with any of its class */
} vd_detect_verdict;

/* By image; in each the predictions in the order of their file, then the objects that none found.
 */
typedef struct vd_detect_verdicts {
    vd_detect_verdict *row;
    int64_t n;
} vd_detect_verdicts;

void vd_detect_verdicts_reset(vd_detect_verdicts *v);
/* Predictions below `least_score` are as if they were not there. Fails with VD_E_FORMAT (an
 * outline), VD_E_NOMEM. */
vd_status vd_detect_verdicts_make(vd_detect_verdicts *out, const vd_detect_truth *truth,
                                  const vd_detect_set *predictions, const vd_detect_hits *hits,
                                  const vd_detect_rules *rules, double least_score, vd_pool *pool,
                                  vd_err *err);

/* How often class `truth` was taken for class `predicted`; -1 stands for background. */
typedef struct vd_detect_cell {
    int32_t truth, predicted;
    int64_t count;
} vd_detect_cell;
/* The cells that are not 0, by truth, then predicted; to be freed by vd_mem_free. Fails with
 * VD_E_NOMEM. */
vd_status vd_detect_confusion(vd_detect_cell **out, int64_t *n, const vd_detect_verdicts *verdicts,
                              const vd_detect_truth *truth, const vd_detect_set *predictions,
                              vd_err *err);

/* The least score at which F1 over all classes together is largest, of equal ones the highest. */
typedef struct vd_detect_point {
    double score, precision, recall, f1; /* all 0 where nothing was found */
} vd_detect_point;
/* Fails with VD_E_NOMEM. */
vd_status vd_detect_best_point(vd_detect_point *out, const vd_detect_hits *hits,
                               const vd_detect_rules *rules, vd_err *err);
#endif
