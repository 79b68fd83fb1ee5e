/* What the files of operation eval classification share. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_JUDGE_CLASSIFICATION_H
#define VD_JUDGE_CLASSIFICATION_H

#include "eval/classify.h"
#include "judge/dataset.h"

/* What one call works with. */
typedef struct vd_classification {
    vd_judge_data data;
    vd_class_items items;
    vd_class_opt opt;
    vd_class_tally *tally; /* by class */
    vd_pool *pool;
    double number[VD_CLASS_NUMBERS]; /* the headline */
    int64_t count[4];
    double *replicates;
    vd_judge_figures figures;
    vd_str slices; /* rows of slices as JSON, by commas */
} vd_classification;

/* --keep: figures, classes, confusions, and whether each item's guess was right. */
vd_status vd_classification_keep(vd_opcall *c, const vd_classification *w, vd_err *err);
#endif
