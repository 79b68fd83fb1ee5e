/* Which labels of a picture cover a place. SPDX-License-Identifier: Apache-2.0
 *
 * Those whose mask or polygon has the place, or in whose box it lies. A box also has what is seen
 * beside its object, in its corners most of all: there it is not sure, but in the ellipse that
 * touches its sides. Lines, keypoints and crowds cover nothing. */
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

/* Adds a label by the best of its shapes; what covers nothing is left out. Fails with VD_E_NOMEM.
 */
vd_status vd_overlay_add(vd_overlay *c, const vd_label_object *o, int32_t label, vd_err *err);

/* Appends the labels at a place to cover[*n], which has room for all of them: as the label, or as
 * -1 - label where it is not sure. In the order in which they were added. */
void vd_overlay_at(const vd_overlay *c, double x, double y, int32_t *cover, int64_t *n);
#endif
