/* Evaluations in the catalog: what was judged, and what became of each object.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_STORE_EVALUATION_H
#define VD_STORE_EVALUATION_H

#include "store/dataset.h"

typedef struct vd_evaluation {
    const char *name, *task;        /* task: "detection", "classification", "segmentation" */
    const char *truth, *prediction; /* a file's path, or "set NAME" */
    const char *arguments, *result; /* JSON objects; docs/file-formats.md has their members */
} vd_evaluation;

/* An object of the truth, a prediction, or both where they match. */
typedef struct vd_evaluation_match {
    int64_t asset;                                       /* 0: the picture is no asset */
    const char *image;                                   /* its name in the truth */
    const char *verdict, *truth_class, *predicted_class; /* the last two may be NULL */
    double iou, score;                                   /* NaN: none */
    const double *box; /* x, y, width, height in the upright picture, px; NULL: none */
} vd_evaluation_match;

/* Counts of one picture; -1: not counted. */
typedef struct vd_evaluation_picture {
    int64_t asset, hits, misses, false_alarms;
    double harm; /* how bad it is; 0: nothing is wrong */
} vd_evaluation_picture;

/* A writer is one transaction: what was not ended leaves no trace. It replaces the evaluation of
 * the same name and is then the newest one. One thread. Fail with VD_E_ARG (the name), VD_E_NOMEM,
 * catalog errors. */
typedef struct vd_evaluation_rows vd_evaluation_rows;
vd_status vd_evaluation_begin(vd_evaluation_rows **out, vd_db *db, const vd_evaluation *e,
                              vd_err *err);
vd_status vd_evaluation_add_match(vd_evaluation_rows *r, const vd_evaluation_match *m, vd_err *err);
/* Counts of pictures that are the same asset add up. */
vd_status vd_evaluation_add_picture(vd_evaluation_rows *r, const vd_evaluation_picture *p,
                                    vd_err *err);
vd_status vd_evaluation_end(vd_evaluation_rows *r, vd_err *err); /* commits */
void vd_evaluation_free(vd_evaluation_rows *r); /* rolls back what was not ended; NULL is fine */

/* The evaluation of that name; NULL: the newest. Fails with VD_E_NOTFOUND (the message names those
 * there are), catalog errors. */
vd_status vd_evaluation_find(int64_t *id, vd_db *db, const char *name, vd_err *err);
/* Removes it with all its rows, in a transaction of its own. */
vd_status vd_evaluation_remove(vd_db *db, int64_t id, vd_err *err);
/* Whether `name` can be one: letters, digits and _-.:/ up to 100 characters. Fails with VD_E_ARG.
 */
vd_status vd_evaluation_check_name(const char *name, vd_err *err);
#endif
