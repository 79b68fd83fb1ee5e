/* The shape of one object by itself: without an area, beyond the edges of its picture, keypoints
 * outside of their box. SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "audit/audit.h"
#include "audit/polygon.h"

static const double LEAST_THICKNESS_PX = 0.05; /* area over the longer side: a line, when rounded */
enum { ROUNDING_PX = 1 }; /* edges of labels are rounded, and counted from 0 or from 1 */

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

static vd_status check_rings(vd_audit_findings *f, const vd_audit_set *s, int64_t object,
                             const vd_label_object *o, vd_err *err) {
    const double *xy = o->xy;
    double share = 0;
    for (int i = 0; i < o->n_rings; i++) {
        int32_t n = o->ring[i] < 0 ? -o->ring[i] : o->ring[i];
        if (n < 3)
            return vd_audit_add_object(f, VD_AUDIT_DEGENERATE, s, object, 0, 0, err,
                                       "a polygon of %d corners", (int)n);
        share = fmax(share, vd_audit_crossing(xy, n));
        xy += 2 * n;
    }
    const double *box = s->object[object].box;
    double thick = vd_label_area(o) / fmax(box[2], box[3]);
    /* loops of a bow tie have areas that cancel */
    if (share == 0 && !(thick > LEAST_THICKNESS_PX))
        return vd_audit_add_object(f, VD_AUDIT_DEGENERATE, s, object, 0, 0, err,
                                   "a polygon of %lld corners without an area",
                                   (long long)vd_label_vertices(o));
    /* a pen that crosses its own line by a pixel is no matter; a bow tie is */
    return vd_audit_add_object(f, VD_AUDIT_SELF_INTERSECTING, s, object, 0, fmax(0, 1 - 10 * share),
                               err, "a loop of %.0f %% of the polygon's area", 100 * share);
}

/* ---- the picture's edges ---- */

static vd_status check_edges(vd_audit_findings *f, const vd_audit_set *s, int64_t object,
                             vd_err *err) {
    static const char *const edge[] = { "left", "upper", "right", "lower" };
    const vd_audit_object *o = &s->object[object];
    const vd_audit_image *m = &s->image[o->image];
    int32_t w = m->width > 0 ? m->width : m->asset_width;
    int32_t h = m->height > 0 ? m->height : m->asset_height;
    if (w == 0 || h == 0 || !vd_audit_placed(o)) return VD_OK;
    double x1 = o->box[0] + o->box[2], y1 = o->box[1] + o->box[3];
    const double beyond[] = { -o->box[0], -o->box[1], x1 - w, y1 - h };
    int most = 0;
    for (int i = 1; i < 4; i++)
        if (beyond[i] > beyond[most]) most = i;
    if (beyond[most] <= ROUNDING_PX) return VD_OK;
    double in_w = fmin(x1, w) - fmax(o->box[0], 0), in_h = fmin(y1, h) - fmax(o->box[1], 0);
    double inside = fmax(in_w, 0) / o->box[2] * (fmax(in_h, 0) / o->box[3]);
    if (inside <= 0)
        return vd_audit_add_object(f, VD_AUDIT_OUTSIDE_IMAGE, s, object, 0, 0, err,
                                   "wholly outside of %d x %d, %.6g px beyond the %s edge", (int)w,
                                   (int)h, beyond[most], edge[most]);
    return vd_audit_add_object(f, VD_AUDIT_OUTSIDE_IMAGE, s, object, 0, inside, err,
                               "%.1f %% inside of %d x %d, %.6g px beyond the %s edge",
                               100 * inside, (int)w, (int)h, beyond[most], edge[most]);
}

/* ---- keypoints ---- */

/* Points of visibility 0 are not labelled: where they lie means nothing. */
static vd_status check_keypoints(vd_audit_findings *f, const vd_audit_set *s, int64_t object,
                                 const vd_label_object *o, vd_err *err) {
    enum { SLACK = 5 }; /* parts of the longer side: a fifth of it beyond halves the score */
    double worst = 0, longer = fmax(o->box[2], o->box[3]);
    int outside = 0, labelled = 0;
    if (!(longer > 0)) return VD_OK;
    for (int i = 0; i < o->n_keypoints; i++) {
        const double *p = o->keypoints + 3 * i;
        if (!(p[2] > 0)) continue;
        double dx = fmax(o->box[0] - p[0], p[0] - o->box[0] - o->box[2]);
        double dy = fmax(o->box[1] - p[1], p[1] - o->box[1] - o->box[3]);
        double far = fmax(dx, dy);
        labelled++;
        outside += far > ROUNDING_PX;
        if (far > ROUNDING_PX) worst = fmax(worst, far / longer);
    }
    return vd_audit_add_object(
        f, VD_AUDIT_KEYPOINTS_OUTSIDE, s, object, 0, fmax(0, 1 - 0.5 * SLACK * worst), err,
        "%d of %d labelled keypoints outside of the box, by up to %.0f %% of its longer side",
        outside, labelled, 100 * worst);
}

vd_status vd_audit_shape(vd_audit_findings *f, const vd_audit_set *s, int64_t object,
                         const vd_label_object *o, vd_err *err) {
    int64_t before = f->n;
    if (o->has & (VD_OBJ_BOX | VD_OBJ_ROTATED)) VD_TRY(check_box(f, s, object, o, err));
    if (f->n == before && o->has & VD_OBJ_POLYGON && !(o->has & VD_OBJ_MASK))
        VD_TRY(check_rings(f, s, object, o, err));
    if (o->has & VD_OBJ_KEYPOINTS && o->has & VD_OBJ_BOX)
        VD_TRY(check_keypoints(f, s, object, o, err));
    return check_edges(f, s, object, err);
}
