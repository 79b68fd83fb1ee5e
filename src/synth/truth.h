/* The truth beside the pictures. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_SYNTH_TRUTH_H
#define VD_SYNTH_TRUTH_H

#include "base/str.h"
#include "synth/plan.h"

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

/* Each appends a whole document. `seen` has an entry a view. */
void vd_truth_cameras(vd_str *out, const vd_plan *p);
void vd_truth_coco(vd_str *out, const vd_plan *p, const vd_seen_list *seen);
void vd_truth_all(vd_str *out, const vd_plan *p);
void vd_truth_defects(vd_str *out, const vd_plan *p);
#endif
