/* What the files of operation eval detection share. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_JUDGE_DETECTION_H
#define VD_JUDGE_DETECTION_H

#include "eval/detect.h"
#include "judge/dataset.h"

#define VD_OBJECT_AREA "object_area" /* --by that needs no facts */

/* What one call works with. */
typedef struct vd_detection {
    vd_detect_rules rules;
    vd_judge_data data;
    vd_detect_truth truth;
    int sides;            /* 1, or 2 where predictions are compared */
    vd_detect_set set[2]; /* predictions, and those they are compared with */
    int64_t surplus;      /* predictions of pictures that the truth has not */
    vd_detect_hits hits[2];
    vd_detect_curves curves[2];
    double *replicates[2];
    int64_t n_replicates;
    vd_pool *pool;
    double number[VD_DETECT_NUMBERS]; /* the headline */
    int64_t count[4];
    vd_judge_figures figures;
    vd_str slices; /* rows of slices as JSON, by commas */
} vd_detection;

/* Replicates of hits, to be freed by vd_mem_free; NULL where none are asked for. Fails with
 * VD_E_NOMEM. */
vd_status vd_detection_replicates(double **out, const vd_opcall *c, const vd_detection *w,
                                  const vd_detect_hits *hits, const vd_detect_rules *rules,
                                  vd_err *err);

/* One row a figure: both sides, and their difference. */
vd_status vd_detection_comparison(vd_opcall *c, const vd_detection *w, vd_err *err);
/* One row a slice by each of by[n]; with two sides one a slice and figure. */
vd_status vd_detection_slices(vd_opcall *c, vd_detection *w, const char *const *by, int n,
                              vd_err *err);
/* --keep: the figures, curves and confusions, and what became of each object. */
vd_status vd_detection_keep(vd_opcall *c, const vd_detection *w, vd_err *err);
#endif
