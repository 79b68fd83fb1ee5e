/* Segmented pictures against a truth: classes of pixels, and panoptic segments.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Each picture adds a row of sums for every class that it has; figures are made of the rows, which
 * may be weighted by picture: that is how bootstrap replicates are made.
 *
 * Classes of pixels. Intersection over union of a class counts pixels of all pictures together;
 * pixels whose true class is ignored count nowhere. Boundary IoU is the same of the pixels of a
 * class that lie within d of another class or the picture's edge, by the larger of the two
 * distances along the axes, d being a share of the picture's diagonal, rounded, at least 1 [Cheng
 * et al. 2021].
 *
 * Panoptic quality [Kirillov et al. 2019], as panopticapi has it: segments of one class match where
 * they overlap by more than half; PQ = sum of their overlaps / (TP + FP / 2 + FN / 2), SQ is the
 * mean overlap of matches, RQ = TP / (TP + FP / 2 + FN / 2); means over the classes that occur.
 * Pixels without a true segment do not count against a prediction, segments more than half within
 * those or a crowd of their class are no false alarms, crowds need not be found. */
#ifndef VD_EVAL_SEGMENT_H
#define VD_EVAL_SEGMENT_H

#include "base/err.h"

enum { VD_SEGMENT_VALUES = 6, VD_SEMANTIC_NUMBERS = 5, VD_PANOPTIC_NUMBERS = 9 };

/* Of a class in a picture. Semantic: pixels of both, of the truth, of the prediction; the same of
 * boundaries. Panoptic: sum of overlaps, TP, FP, FN. */
typedef struct vd_segment_row {
    int64_t image, category;
    double v[VD_SEGMENT_VALUES];
} vd_segment_row;

/* A zeroed one is empty. */
typedef struct vd_segment_rows {
    vd_segment_row *row;
    int64_t n, cap;
} vd_segment_rows;

void vd_segment_rows_reset(vd_segment_rows *r);

/* Values of pixels, row-major. */
typedef struct vd_segment_map {
    int32_t width, height;
    int32_t *id; /* [height * width], >= 0 */
} vd_segment_map;

typedef struct vd_semantic_opt {
    const int32_t *ignore; /* true classes that do not count */
    int n_ignore;
    double boundary; /* share of the diagonal; 0: no boundaries */
} vd_semantic_opt;

/* Adds a picture's rows. Fails with VD_E_FORMAT (sizes differ; `where` names the picture),
 * VD_E_NOMEM. */
vd_status vd_semantic_add(vd_segment_rows *rows, int64_t image, const char *where,
                          const vd_segment_map *truth, const vd_segment_map *pred,
                          const vd_semantic_opt *opt, vd_err *err);

typedef struct vd_panoptic_segment {
    int64_t id, category;
    double area; /* of the truth, as its file says; negative, and of predictions: counted */
    bool crowd;
} vd_panoptic_segment;

enum { VD_PANOPTIC_VOID = 0 };

/* The same of segments, whose ids must be those in the maps: a value of the prediction's map that
 * is no segment is an error, and so is a predicted segment without pixels. */
vd_status vd_panoptic_add(vd_segment_rows *rows, int64_t image, const char *where,
                          const vd_segment_map *truth, const vd_panoptic_segment *truths,
                          int64_t n_truths, const vd_segment_map *pred,
                          const vd_panoptic_segment *preds, int64_t n_preds, vd_err *err);

/* Totals by class, in the order of their ids: out->row[k].image is unused. `weight` of each picture
 * or NULL. Fails with VD_E_NOMEM. */
vd_status vd_segment_totals(vd_segment_rows *out, const vd_segment_rows *rows, const double *weight,
                            vd_err *err);

extern const char *const vd_semantic_number[VD_SEMANTIC_NUMBERS];
extern const char *const vd_panoptic_number[VD_PANOPTIC_NUMBERS];
/* mIoU, pixel_accuracy, mean_accuracy, fwIoU, boundary_mIoU; NaN: cannot be said. */
void vd_semantic_score(double out[VD_SEMANTIC_NUMBERS], const vd_segment_rows *totals);
/* PQ SQ RQ of all classes, of things, of stuff; 0 without any. `is_thing` of each total, or NULL.
 */
void vd_panoptic_score(double out[VD_PANOPTIC_NUMBERS], const vd_segment_rows *totals,
                       const bool *is_thing);
#endif
