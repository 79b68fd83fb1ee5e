/* A model's predictions as a second opinion on labels. SPDX-License-Identifier: Apache-2.0
 *
 * In the spirit of ObjectLab [Tkachenko, Thyagarajan and Mueller 2023, ObjectLab: automated
 * diagnosis of mislabeled images in object detection data]: overlooked are confident predictions
 * where no label is, badly located are labels that a confident prediction of their class overlaps
 * in part, swapped those where a confident prediction says another class and none says their own.
 * What differs: confidence is relative to the model. Of the scores that a class's labels get from
 * predictions that are right about them (of that class, at an IoU of 0.5 at least), nine tenths are
 * above t, the class's threshold; a score p counts as
 *
 *     c = 1/2 + (p - t) / (2 (1 - t))   for p >= t,   p / (2 t) below
 *
 * so that models whose scores mean little more than an order are judged alike. Of classes with less
 * than 10 such labels t is that of all. With IoU o the scores are
 *
 *     overlooked     1 - c (1 - o), o the largest overlap with any label; c at least 1/2
 *     badly_located  1 - min(1, 2 c) min(1, (1 - o) / 0.7), where no prediction fits well (0.7); o
 * is the best that moving each edge of the prediction by a pixel can make of it, and at least 0.2
 *     swapped        1 - (c o - c'), c' of the best prediction of the label's own class there
 *     poor_image     the geometric mean of the softmin (temperature 0.1) of each of the three
 *
 * Of several predictions of one unlabelled object the best counts. What covers a crowd overlaps it.
 */
#ifndef VD_AUDIT_PREDICTIONS_H
#define VD_AUDIT_PREDICTIONS_H

#include "audit/audit.h"

/* Which pictures and categories of predictions are which of a set; a zeroed one is empty. */
typedef struct vd_audit_join {
    int64_t *image;                 /* index in the set; -1: not there */
    int32_t *category;              /* VD_LABEL_NONE: not there */
    int64_t n_images, n_categories; /* that are there */
} vd_audit_join;
void vd_audit_join_reset(vd_audit_join *j);
vd_status vd_audit_join_make(vd_audit_join *out, const vd_audit_set *s, const vd_audit_set *p,
                             vd_err *err);

/* The predictions of the highest score that a picture is judged by. */
enum { VD_AUDIT_PREDICTIONS = 300 };

/* Pictures without any prediction are judged, too, where the predictions have the picture; of
 * others nothing is known. Fails with VD_E_NOMEM. */
vd_status vd_audit_predictions(vd_audit_findings *f, const vd_audit_set *s, const vd_audit_set *p,
                               const vd_audit_join *j, vd_err *err);

/* A model's probabilities of classes of whole pictures. */
typedef struct vd_audit_probabilities {
    const double *p; /* [n][classes], in the order of the set's categories */
    int64_t n, classes;
    const int64_t *asset; /* [n]; NULL: the set's pictures in their order */
} vd_audit_probabilities;

/* wrong_class, of pictures with one class (objects without a place). Fails with VD_E_ARG (sizes
 * that do not fit, rows that do not sum to 1), VD_E_NOMEM. */
vd_status vd_audit_wrong_classes(vd_audit_findings *f, const vd_audit_set *s,
                                 const vd_audit_probabilities *q, vd_err *err);
#endif
