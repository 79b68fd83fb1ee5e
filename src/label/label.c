/* Losses and simple geometry of objects. SPDX-License-Identifier: Apache-2.0 */
#include "label/label.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

vd_status vd_label_lose(vd_label_report *r, vd_err *err, const char *what, const char *fmt, ...) {
    int64_t i = 0;
    if (r == NULL) return VD_OK;
    while (i < r->n && strcmp(r->loss[i].what, what) != 0) i++;
    if (i == r->n) {
        VD_TRY(VD_GROW(r->loss, r->cap, r->n + 1, err));
        r->loss[r->n++] = (vd_label_loss){ .what = what };
    }
    vd_label_loss *l = &r->loss[i];
    if (l->count < VD_LOSS_EXAMPLES) {
        char text[256];
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(text, sizeof text, fmt, ap);
        va_end(ap);
        l->example[l->count] = vd_mem_strdup(text);
        if (l->example[l->count] == NULL) return vd_nomem(err);
    }
    l->count++;
    return VD_OK;
}

int64_t vd_label_lost(const vd_label_report *r, const char *what) {
    for (int64_t i = 0; i < r->n; i++)
        if (strcmp(r->loss[i].what, what) == 0) return r->loss[i].count;
    return 0;
}

void vd_label_report_reset(vd_label_report *r) {
    for (int64_t i = 0; i < r->n; i++)
        for (int k = 0; k < VD_LOSS_EXAMPLES; k++) vd_mem_free(r->loss[i].example[k]);
    vd_mem_free(r->loss);
    *r = (vd_label_report){ 0 };
}

int64_t vd_label_vertices(const vd_label_object *o) {
    int64_t n = 0;
    for (int i = 0; i < o->n_rings; i++) n += o->ring[i] < 0 ? -(int64_t)o->ring[i] : o->ring[i];
    return n;
}

/* ---- bounds and area ---- */

typedef struct bounds {
    double x0, y0, x1, y1;
} bounds;

static void take(bounds *b, double x, double y) {
    b->x0 = fmin(b->x0, x);
    b->y0 = fmin(b->y0, y);
    b->x1 = fmax(b->x1, x);
    b->y1 = fmax(b->y1, y);
}

/* A run that passes the end of a column covers whole height. */
static void take_mask(bounds *b, const vd_label_object *o) {
    uint64_t at = 0, h = (uint64_t)o->mask_height;
    for (int64_t i = 0; i < o->n_runs; at += o->runs[i++]) {
        if (i % 2 == 0 || o->runs[i] == 0) continue;
        uint64_t last = at + o->runs[i] - 1;
        bool turns = at / h != last / h;
        take(b, (double)(at / h), turns ? 0 : (double)(at % h));
        take(b, (double)(last / h + 1), turns ? (double)h : (double)(last % h + 1));
    }
}

bool vd_label_bounds(const vd_label_object *o, double box[4]) {
    bounds b = { INFINITY, INFINITY, -INFINITY, -INFINITY };
    if (o->has & VD_OBJ_BOX) {
        memcpy(box, o->box, sizeof o->box);
        return true;
    }
    if (o->has & VD_OBJ_ROTATED) {
        double xy[8];
        vd_label_corners(o, xy);
        for (int i = 0; i < 4; i++) take(&b, xy[2 * i], xy[2 * i + 1]);
    } else if (o->has & (VD_OBJ_POLYGON | VD_OBJ_LINE)) {
        for (int64_t i = 0, n = vd_label_vertices(o); i < n; i++)
            take(&b, o->xy[2 * i], o->xy[2 * i + 1]);
    } else if (o->has & VD_OBJ_MASK) {
        take_mask(&b, o);
    } else if (o->has & VD_OBJ_KEYPOINTS) {
        for (int i = 0; i < o->n_keypoints; i++)
            if (o->keypoints[3 * i + 2] > 0) take(&b, o->keypoints[3 * i], o->keypoints[3 * i + 1]);
    }
    if (!(b.x1 >= b.x0)) return false;
    const double out[4] = { b.x0, b.y0, b.x1 - b.x0, b.y1 - b.y0 };
    memcpy(box, out, sizeof out);
    return true;
}

static double ring_area(const double *xy, int64_t n) {
    double twice = 0;
    for (int64_t i = 0; i < n; i++) {
        const double *a = xy + 2 * i, *b = xy + 2 * ((i + 1) % n);
        twice += a[0] * b[1] - a[1] * b[0];
    }
    return 0.5 * fabs(twice);
}

double vd_label_area(const vd_label_object *o) {
    double sum = 0;
    if (o->has & VD_OBJ_MASK) {
        for (int64_t i = 1; i < o->n_runs; i += 2) sum += o->runs[i];
        return sum;
    }
    if (o->has & VD_OBJ_POLYGON) {
        const double *xy = o->xy;
        for (int i = 0; i < o->n_rings; i++) {
            int64_t n = o->ring[i] < 0 ? -(int64_t)o->ring[i] : o->ring[i];
            sum += o->ring[i] < 0 ? -ring_area(xy, n) : ring_area(xy, n);
            xy += 2 * n;
        }
        return sum;
    }
    return o->has & (VD_OBJ_BOX | VD_OBJ_ROTATED) ? o->box[2] * o->box[3] : 0;
}

void vd_label_corners(const vd_label_object *o, double xy[8]) {
    double c = cos(o->angle), s = sin(o->angle), w = 0.5 * o->box[2], h = 0.5 * o->box[3];
    static const double sx[] = { -1, 1, 1, -1 }, sy[] = { -1, -1, 1, 1 };
    for (int i = 0; i < 4; i++) {
        double x = sx[i] * w, y = sy[i] * h;
        xy[2 * i] = o->box[0] + c * x - s * y;
        xy[2 * i + 1] = o->box[1] + s * x + c * y;
    }
}

bool vd_label_rotated_of(vd_label_object *o, const double xy[8], double tolerance) {
    double ux = xy[2] - xy[0], uy = xy[3] - xy[1], vx = xy[6] - xy[0], vy = xy[7] - xy[1];
    double w = hypot(ux, uy), h = hypot(vx, vy);
    bool closes =
        fabs(xy[0] + ux + vx - xy[4]) <= tolerance && fabs(xy[1] + uy + vy - xy[5]) <= tolerance;
    bool square = fabs(ux * vx + uy * vy) <= tolerance * fmax(w, h);
    if (!(w > 0 && h > 0 && closes && square && ux * vy - uy * vx > 0)) return false;
    o->has |= VD_OBJ_ROTATED;
    o->box[0] = 0.25 * (xy[0] + xy[2] + xy[4] + xy[6]);
    o->box[1] = 0.25 * (xy[1] + xy[3] + xy[5] + xy[7]);
    o->box[2] = w;
    o->box[3] = h;
    o->angle = atan2(uy, ux);
    return true;
}

/* ---- what no reader lets pass ---- */

static bool all_finite(const double *v, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(v[i])) return false;
    return true;
}

static const char *wrong_mask(const vd_label_object *o) {
    uint64_t sum = 0;
    if (o->mask_width < 1 || o->mask_height < 1 || o->mask_width > VD_LABEL_MAX_SIDE ||
        o->mask_height > VD_LABEL_MAX_SIDE)
        return "a mask without a size";
    for (int64_t i = 0; i < o->n_runs; i++) sum += o->runs[i];
    return sum == (uint64_t)o->mask_width * (uint64_t)o->mask_height
               ? NULL
               : "runs that do not add up to the size of the mask";
}

const char *vd_label_wrong(const vd_label_object *o) {
    if (o->has & (VD_OBJ_BOX | VD_OBJ_ROTATED)) {
        if (!all_finite(o->box, 4) || !isfinite(o->angle)) return "a box that is not finite";
        if (o->box[2] < 0 || o->box[3] < 0) return "a box with a negative side";
    }
    if (o->has & (VD_OBJ_POLYGON | VD_OBJ_LINE)) {
        int least = o->has & VD_OBJ_POLYGON ? 3 : 1;
        for (int i = 0; i < o->n_rings; i++)
            if (o->ring[i] < least && o->ring[i] > -least)
                return "a polygon of less than 3 vertices";
        if (!all_finite(o->xy, 2 * vd_label_vertices(o))) return "a vertex that is not finite";
    }
    if (o->has & VD_OBJ_KEYPOINTS && !all_finite(o->keypoints, 3 * (int64_t)o->n_keypoints))
        return "a keypoint that is not finite";
    if (o->has & VD_OBJ_SCORE && !isfinite(o->score)) return "a score that is not finite";
    return o->has & VD_OBJ_MASK ? wrong_mask(o) : NULL;
}
