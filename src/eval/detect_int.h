/* Shared by the files of detections. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_EVAL_DETECT_INT_H
#define VD_EVAL_DETECT_INT_H

#include "eval/detect.h"

/* The filled outline of an object. Fails with VD_E_FORMAT, VD_E_LIMIT, VD_E_NOMEM. */
vd_status vd_detect__mask(vd_mask *out, const vd_detect_set *s, const vd_detect_object *o,
                          const char *where, vd_err *err);

/* Images and categories in the order of their ids, which must be unique; so must annotations'. */
vd_status vd_detect__sort_ids(vd_detect_truth *t, const char *where, vd_err *err);
vd_status vd_detect__resolve(vd_detect_set *s, const vd_detect_truth *t,
                             const vd_detect_rules *rules, bool truth, const char *where,
                             vd_err *err);
/* LVIS: drops what does not count (category -1). */
vd_status vd_detect__federate(vd_detect_set *s, const vd_detect_truth *t, const char *where,
                              vd_err *err);

/* What matching asks of an object, in one line of the cache. */
typedef struct vd_detect_view {
    double box[4], area, score;
    int64_t index; /* in its set */
    uint8_t flags;
} vd_detect_view;

/* Overlaps of predictions with objects of the truth, out[d * n_truths + g]. */
typedef struct vd_detect_pair {
    const vd_detect_set *truths, *predictions;
    const vd_detect_rules *rules;
} vd_detect_pair;
vd_status vd_detect__overlaps(double *out, const vd_detect_pair *pair, const vd_detect_view *truth,
                              int64_t n_truths, const vd_detect_view *prediction,
                              int64_t n_predictions, vd_err *err);

/* What a headline number averages: precision or recall, at which threshold (-1: all), in which
 * range of areas, below which cap, and of which frequency of LVIS (0: all). */
typedef struct vd_detect_number {
    bool recall;
    int threshold, area, cap;
    char frequency;
} vd_detect_number;
int vd_detect__numbers(const vd_detect_rules *rules, const vd_detect_number **out);
#endif
