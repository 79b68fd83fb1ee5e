/* Which label of a picture covers a place. SPDX-License-Identifier: Apache-2.0
 *
 * The smallest label whose mask or polygon has the place, or in whose box it lies. A box also has
 * what is seen beside its object, in its corners most of all: what lies outside of the ellipse in
 * it is unsure, unless a smaller label has it. Lines, keypoints and crowds cover nothing. */
#ifndef VD_AUDIT_OVERLAY_H
#define VD_AUDIT_OVERLAY_H

#include "label/label.h"

typedef struct vd_overlaid vd_overlaid;

/* Labels of one picture. Zeroed is empty; reused from picture to picture. One writer. */
typedef struct vd_overlay {
    vd_overlaid *item;
    double *xy;     /* vertices */
    int32_t *ring;  /* their counts, as in vd_label_object */
    uint32_t *ends; /* of runs */
    int64_t n, cap, n_xy, cap_xy, n_ring, cap_ring, n_ends, cap_ends;
} vd_overlay;
void vd_overlay_clear(vd_overlay *c);
void vd_overlay_reset(vd_overlay *c);

/* Adds a label by the best of its shapes; what covers nothing is left out. `label` is what
 * vd_overlay_at answers. Fails with VD_E_NOMEM. */
vd_status vd_overlay_add(vd_overlay *c, const vd_label_object *o, int32_t label, vd_err *err);
void vd_overlay_ready(vd_overlay *c); /* after the last label, before the first question */

/* The label at a place; VD_POINTS_NO_LABEL, VD_POINTS_UNSURE (points.h). */
int32_t vd_overlay_at(const vd_overlay *c, double x, double y);
#endif
