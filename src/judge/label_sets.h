/* Label sets of a catalog as truths and predictions. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_JUDGE_LABEL_SETS_H
#define VD_JUDGE_LABEL_SETS_H

#include "eval/classify.h"
#include "eval/detect.h"
#include "judge/dataset.h"

/* The set --truth-set. Images and categories keep the ids of their source, so that files of results
 * fit; where these are not unique, they are counted from 1. Fills d->asset. Fails with
 * VD_E_NOTFOUND, VD_E_FORMAT (keypoints of another number), VD_E_NOMEM, catalog errors. */
vd_status vd_judge_set_truth(vd_detect_truth *out, vd_judge_data *d, const char *name,
                             const vd_detect_rules *rules, vd_err *err);
/* A set of predictions: pictures are those of the truth that are the same asset, or, without one,
 * have the same name; classes go by name. Where a name is but the id of the source (files of
 * results have no others), it is that of the truth. `surplus`: objects of pictures that the truth
 * has not. */
vd_status vd_judge_set_predictions(vd_detect_set *out, int64_t *surplus, const vd_judge_data *d,
                                   const char *name, const vd_detect_truth *truth,
                                   const vd_detect_rules *rules, vd_err *err);
/* Classes of pictures: a picture's class is that of its object of the highest score, the first of
 * equals; pictures without any are none of the items. Fills d->asset by item. */
vd_status vd_judge_set_classes(vd_class_items *out, vd_judge_data *d, const char *truth,
                               const char *pred, vd_err *err);
#endif
