/* The truth beside the pictures. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_SYNTH_TRUTH_H
#define VD_SYNTH_TRUTH_H

#include "base/str.h"
#include "synth/plan.h"

/* Slivers of fewer pixels are no annotation. */
enum { VD_SYNTH_MIN_PIXELS = 16 };

/* Where an object is seen in a view: its pixels, and their box [x0, x1) x [y0, y1). */
typedef struct vd_seen {
    int32_t object;
    int64_t pixels;
    int32_t x0, y0, x1, y1;
} vd_seen;

/* All objects that one view shows, in their order. */
typedef struct vd_seen_list {
    vd_seen *item;
    int n;
} vd_seen_list;

/* A label that is wrong. */
typedef struct vd_mistake {
    int64_t view;
    int32_t object;
    vd_thing written; /* its class in labels.json; VD_N_THINGS: it is left out there */
    int64_t label;    /* its id there; 0: left out */
} vd_mistake;

typedef struct vd_mistakes {
    vd_mistake *item;
    int64_t n;
} vd_mistakes;

/* Each appends a whole document. `seen` has an entry a view. */
void vd_truth_cameras(vd_str *out, const vd_plan *p);
void vd_truth_coco(vd_str *out, const vd_plan *p, const vd_seen_list *seen);
void vd_truth_all(vd_str *out, const vd_plan *p, const vd_mistakes *m);
void vd_truth_defects(vd_str *out, const vd_plan *p, const vd_mistakes *m);
#endif
