/* Labels of a picture that was resized; see fit.h. SPDX-License-Identifier: Apache-2.0 */
#include "publish/fit.h"

#include <math.h>

#include "base/mem.h"

bool vd_fit_same(const vd_fit *f) {
    bool known = f->from_width > 0 && f->from_height > 0 && f->width > 0 && f->height > 0;
    return !known || (f->from_width == f->width && f->from_height == f->height);
}

static void rotated(vd_label_object *o, double sx, double sy) {
    double c = cos(o->angle), s = sin(o->angle);
    o->box[0] *= sx;
    o->box[1] *= sy;
    o->box[2] *= hypot(sx * c, sy * s);
    o->box[3] *= hypot(sx * s, sy * c);
    o->angle = atan2(sy * s, sx * c);
}

static vd_status points(const double **xy, double **to, int64_t *cap, int64_t n, int stride,
                        double sx, double sy, vd_err *err) {
    VD_TRY(vd_mem_grow(to, cap, stride * n + 1, sizeof **to, err));
    for (int64_t i = 0; i < n; i++) {
        const double *p = *xy + stride * i;
        double *q = *to + stride * i;
        q[0] = p[0] * sx;
        q[1] = p[1] * sy;
        if (stride == 3) q[2] = p[2];
    }
    *xy = *to;
    return VD_OK;
}

static vd_status nearest(vd_label_object *o, vd_mask *out, const vd_fit *f, vd_err *err) {
    const vd_mask from = { o->mask_height, o->mask_width, o->n_runs, (uint32_t *)o->runs };
    vd_mask_reset(out);
    VD_TRY(vd_mask_resize(out, &from, f->height, f->width, err));
    o->runs = out->run;
    o->n_runs = out->n;
    o->mask_width = out->width;
    o->mask_height = out->height;
    return VD_OK;
}

vd_status vd_fit_object(vd_label_object *o, vd_shape_buf *buf, vd_mask *mask, const vd_fit *f,
                        vd_err *err) {
    if (vd_fit_same(f)) return VD_OK;
    const double sx = (double)f->width / f->from_width, sy = (double)f->height / f->from_height;
    if (o->has & VD_OBJ_ROTATED) {
        rotated(o, sx, sy);
    } else if (o->has & VD_OBJ_BOX) {
        for (int k = 0; k < 4; k++) o->box[k] *= k % 2 == 0 ? sx : sy;
    }
    if (o->has & VD_OBJ_AREA) o->area *= sx * sy;
    if (o->has & (VD_OBJ_POLYGON | VD_OBJ_LINE))
        VD_TRY(points(&o->xy, &buf->xy, &buf->cap_xy, vd_label_vertices(o), 2, sx, sy, err));
    if (o->has & VD_OBJ_KEYPOINTS)
        VD_TRY(points(&o->keypoints, &buf->keypoints, &buf->cap_keypoints, o->n_keypoints, 3, sx,
                      sy, err));
    return o->has & VD_OBJ_MASK && o->n_runs > 0 ? nearest(o, mask, f, err) : VD_OK;
}
