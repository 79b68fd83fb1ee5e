/* Labels of the views, as somebody careful would draw them, and the mistakes planted in them.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A label is an object that a view shows with VD_SYNTH_MIN_PIXELS pixels or more: its class is what
 * the object is (vd_thing), its mask the pixels at whose centres the renderer met it, its box that
 * around them, its track the instance id of the masks in truth/. Pictures are written upright, so
 * there is no other frame. */
#ifndef VD_SYNTH_LABELS_H
#define VD_SYNTH_LABELS_H

#include "label/set.h"
#include "synth/render.h"
#include "synth/truth.h"

/* Names the views and classes in an empty set; before vd_synth_labels_view. */
vd_status vd_synth_labels_begin(vd_label_set *set, const vd_plan *p, vd_err *err);

/* Runs of 0 and 1 in turn, down the columns, of the pixels of one object. A zeroed one is empty. */
typedef struct vd_runs {
    uint32_t *run;
    int64_t n, cap;
} vd_runs;
vd_status vd_runs_of(vd_runs *out, const vd_picture *p, const vd_seen *seen, vd_err *err);

/* Adds one object of a view: objects of a view in their order, views in any. */
vd_status vd_synth_labels_add(vd_label_set *set, const vd_plan *p, int64_t view,
                              const vd_seen *seen, const vd_runs *runs, vd_err *err);

/* Draws the mistakes that the options ask for, sorted by view and object: labels of
 * VD_MISTAKE_PIXELS pixels or more, of objects that at least VD_MISTAKE_VIEWS views show so, in at
 * most one of so many of those views. Where that is not enough, fewer. *item to be freed by
 * vd_mem_free. */
enum { VD_MISTAKE_PIXELS = 400, VD_MISTAKE_VIEWS = 3 };
vd_status vd_mistakes_draw(vd_mistakes *out, const vd_plan *p, const vd_seen_list *seen,
                           vd_err *err);

/* Writes the set with the mistakes as a COCO file, and sets the `label` of each mistake; *n_labels
 * are written. */
vd_status vd_synth_labels_write(const char *path, const vd_plan *p, vd_label_set *set,
                                vd_mistakes *mistakes, int64_t *n_labels, vd_err *err);
#endif
