/* The shape of one object by itself: without an area, beyond the edges of its picture.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "audit/audit.h"

/* Sides are worded as they are stated: of turned boxes those before the turn. */
static vd_status check_box(vd_audit_findings *f, const vd_audit_set *s, int64_t object,
                           const vd_label_object *o, vd_err *err) {
    double w = o->box[2], h = o->box[3], least = fmin(w, h);
    bool finite = isfinite(o->box[0]) && isfinite(o->box[1]) && isfinite(w) && isfinite(h);
    if (!finite)
        return vd_audit_add_object(f, VD_AUDIT_DEGENERATE, s, object, 0, 0, err,
                                   "a box that is not finite");
    if (least >= 1) return VD_OK;
    /* boxes thinner than a pixel are rare but real: they can be asked for with a threshold */
    return vd_audit_add_object(f, VD_AUDIT_DEGENERATE, s, object, 0,
                               least > 0 ? 0.5 + 0.5 * least : 0, err, "%.6g x %.6g px", w, h);
}

static vd_status check_polygon(vd_audit_findings *f, const vd_audit_set *s, int64_t object,
                               const vd_label_object *o, vd_err *err) {
    for (int i = 0; i < o->n_rings; i++) {
        int32_t n = o->ring[i] < 0 ? -o->ring[i] : o->ring[i];
        if (n < 3)
            return vd_audit_add_object(f, VD_AUDIT_DEGENERATE, s, object, 0, 0, err,
                                       "a polygon of %d corners", (int)n);
    }
    double area = vd_label_area(o);
    if (area > 0) return VD_OK;
    return vd_audit_add_object(f, VD_AUDIT_DEGENERATE, s, object, 0, 0, err,
                               "a polygon of %lld corners without an area",
                               (long long)vd_label_vertices(o));
}

vd_status vd_audit_shape(vd_audit_findings *f, const vd_audit_set *s, int64_t object,
                         const vd_label_object *o, vd_err *err) {
    int64_t before = f->n;
    if (o->has & (VD_OBJ_BOX | VD_OBJ_ROTATED)) VD_TRY(check_box(f, s, object, o, err));
    if (f->n == before && o->has & VD_OBJ_POLYGON && !(o->has & VD_OBJ_MASK))
        VD_TRY(check_polygon(f, s, object, o, err));
    return VD_OK;
}
