/* Turning by EXIF's orientation (CIPA DC-008, tag 0x0112). SPDX-License-Identifier: Apache-2.0 */
#include "label/turn.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

typedef struct turn {
    int orientation;
    double w, h;
} turn;

/* 5 transposes, 6 turns clockwise, 7 transposes about the other diagonal, 8 turns back. */
static void point(const turn *t, double *x, double *y) {
    double u = *x, v = *y;
    *x = t->orientation == 6 || t->orientation == 7 ? t->h - v : v;
    *y = t->orientation == 7 || t->orientation == 8 ? t->w - u : u;
}

static void direction(const turn *t, double *x, double *y) {
    const turn linear = { t->orientation, 0, 0 };
    point(&linear, x, y);
}

static void box(const turn *t, vd_label_object *o) {
    double x0 = o->box[0], y0 = o->box[1], x1 = x0 + o->box[2], y1 = y0 + o->box[3];
    const double w = o->box[2], h = o->box[3];
    point(t, &x0, &y0);
    point(t, &x1, &y1);
    o->box[0] = fmin(x0, x1);
    o->box[1] = fmin(y0, y1);
    o->box[2] = h;
    o->box[3] = w;
}

static void rotated(const turn *t, vd_label_object *o) {
    double c = cos(o->angle), s = sin(o->angle);
    point(t, &o->box[0], &o->box[1]);
    direction(t, &c, &s);
    o->angle = atan2(s, c);
}

static vd_status vertices(const turn *t, vd_label_object *o, vd_shape_buf *buf, vd_err *err) {
    int64_t n = vd_label_vertices(o);
    VD_TRY(VD_GROW(buf->xy, buf->cap_xy, 2 * n + 1, err));
    for (int64_t i = 0; i < n; i++) {
        double x = o->xy[2 * i], y = o->xy[2 * i + 1];
        point(t, &x, &y);
        buf->xy[2 * i] = x;
        buf->xy[2 * i + 1] = y;
    }
    o->xy = buf->xy;
    return VD_OK;
}

static vd_status keypoints(const turn *t, vd_label_object *o, vd_shape_buf *buf, vd_err *err) {
    VD_TRY(VD_GROW(buf->keypoints, buf->cap_keypoints, 3 * (int64_t)o->n_keypoints + 1, err));
    for (int i = 0; i < o->n_keypoints; i++) {
        double x = o->keypoints[3 * i], y = o->keypoints[3 * i + 1], v = o->keypoints[3 * i + 2];
        bool labelled = v > 0 || x != 0 || y != 0; /* 0, 0, 0 stands for none */
        if (labelled) point(t, &x, &y);
        buf->keypoints[3 * i] = x;
        buf->keypoints[3 * i + 1] = y;
        buf->keypoints[3 * i + 2] = v;
    }
    o->keypoints = buf->keypoints;
    return VD_OK;
}

/* Pixel by pixel: such masks are few. */
static vd_status mask_of(const turn *t, vd_label_object *o, vd_mask *out, vd_err *err) {
    int64_t w = o->mask_width, h = o->mask_height;
    const vd_mask from = { o->mask_height, o->mask_width, o->n_runs, (uint32_t *)o->runs };
    uint8_t *a = vd_mem_array((size_t)(w * h) + 1, 1), *b = vd_mem_array((size_t)(w * h) + 1, 1);
    vd_status st = a != NULL && b != NULL ? VD_OK : vd_nomem(err);
    if (st == VD_OK) {
        vd_mask_paint(&from, a, w, 1);
        for (int64_t y = 0; y < h; y++)
            for (int64_t x = 0; x < w; x++) {
                int64_t u = t->orientation == 6 || t->orientation == 7 ? h - 1 - y : y;
                int64_t v = t->orientation == 7 || t->orientation == 8 ? w - 1 - x : x;
                b[v * h + u] = a[y * w + x];
            }
        vd_mask_reset(out);
        st = vd_mask_from_bytes(out, b, h, w, h, err);
    }
    vd_mem_free(a);
    vd_mem_free(b);
    if (st != VD_OK) return st;
    o->runs = out->run;
    o->n_runs = out->n;
    o->mask_width = out->width;
    o->mask_height = out->height;
    return VD_OK;
}

vd_status vd_label_turn(vd_label_object *o, vd_shape_buf *buf, vd_mask *mask, int orientation,
                        int32_t width, int32_t height, vd_err *err) {
    const turn t = { orientation, width, height };
    if (o->has & VD_OBJ_BOX) box(&t, o);
    if (o->has & VD_OBJ_ROTATED) rotated(&t, o);
    if (o->has & (VD_OBJ_POLYGON | VD_OBJ_LINE)) VD_TRY(vertices(&t, o, buf, err));
    if (o->has & VD_OBJ_KEYPOINTS) VD_TRY(keypoints(&t, o, buf, err));
    return o->has & VD_OBJ_MASK ? mask_of(&t, o, mask, err) : VD_OK;
}
