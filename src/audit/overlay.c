/* Labels as what they cover: masks as the ends of their runs, polygons as rings, boxes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "audit/overlay.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

/* Keypoints at an outline may belong to what lies behind it. */
static const double MARGIN_PX = 2;

struct vd_overlaid {
    uint32_t by; /* VD_OBJ_MASK, POLYGON, ROTATED, BOX */
    int32_t label;
    double box[4];                           /* x0, y0, x1, y1 around it */
    double middle[2], half[2], cosine, sine; /* of boxes */
    int64_t first, n;                        /* ends, or rings */
    int64_t first_xy;
    int32_t width, height; /* of the mask */
};

void vd_overlay_clear(vd_overlay *c) {
    c->n = c->n_xy = c->n_ring = c->n_ends = 0;
}

void vd_overlay_reset(vd_overlay *c) {
    vd_mem_free(c->item);
    vd_mem_free(c->xy);
    vd_mem_free(c->ring);
    vd_mem_free(c->ends);
    *c = (vd_overlay){ 0 };
}

static vd_status add_runs(vd_overlay *c, vd_overlaid *a, const vd_label_object *o, vd_err *err) {
    uint64_t at = 0;
    const uint64_t all = (uint64_t)o->mask_width * (uint64_t)o->mask_height;
    VD_TRY(VD_GROW(c->ends, c->cap_ends, c->n_ends + o->n_runs, err));
    a->first = c->n_ends;
    a->n = o->n_runs;
    a->width = o->mask_width;
    a->height = o->mask_height;
    for (int64_t i = 0; i < o->n_runs; i++) {
        at += o->runs[i];
        c->ends[c->n_ends++] = (uint32_t)VD_MIN(at, all);
    }
    return VD_OK;
}

static vd_status add_rings(vd_overlay *c, vd_overlaid *a, const vd_label_object *o, vd_err *err) {
    const int64_t n = vd_label_vertices(o);
    VD_TRY(VD_GROW(c->xy, c->cap_xy, c->n_xy + 2 * n, err));
    VD_TRY(VD_GROW(c->ring, c->cap_ring, c->n_ring + o->n_rings, err));
    a->first = c->n_ring;
    a->n = o->n_rings;
    a->first_xy = c->n_xy;
    if (n > 0) memcpy(c->xy + c->n_xy, o->xy, 2 * (size_t)n * sizeof *o->xy);
    memcpy(c->ring + c->n_ring, o->ring, (size_t)o->n_rings * sizeof *o->ring);
    c->n_xy += 2 * n;
    c->n_ring += o->n_rings;
    return VD_OK;
}

/* Of a box as labelled: x, y is the corner of an upright one, the middle of a turned one. */
static void set_box(vd_overlaid *a, const vd_label_object *o) {
    const bool turned = a->by == VD_OBJ_ROTATED;
    for (int k = 0; k < 2; k++) {
        a->half[k] = 0.5 * o->box[2 + k];
        a->middle[k] = o->box[k] + (turned ? 0 : a->half[k]);
    }
    a->cosine = turned ? cos(o->angle) : 1;
    a->sine = turned ? sin(o->angle) : 0;
}

vd_status vd_overlay_add(vd_overlay *c, const vd_label_object *o, int32_t label, vd_err *err) {
    static const uint32_t best[] = { VD_OBJ_MASK, VD_OBJ_POLYGON, VD_OBJ_BOX, VD_OBJ_ROTATED };
    vd_overlaid a = { .label = label };
    double box[4];
    for (int i = 0; i < VD_COUNT(best) && a.by == 0; i++)
        if (o->has & best[i]) a.by = best[i];
    vd_label_object shape = *o; /* a box beside a mask may be wrong */
    shape.has = a.by;
    if (a.by == 0 || o->has & VD_OBJ_CROWD || !vd_label_bounds(&shape, box)) return VD_OK;
    if (!(isfinite(box[0]) && isfinite(box[1]) && isfinite(box[2]) && isfinite(box[3])))
        return VD_OK;
    VD_TRY(VD_GROW(c->item, c->cap, c->n + 1, err));
    for (int k = 0; k < 2; k++) {
        a.box[k] = box[k];
        a.box[2 + k] = box[k] + box[2 + k];
    }
    if (a.by == VD_OBJ_MASK)
        VD_TRY(add_runs(c, &a, o, err));
    else if (a.by == VD_OBJ_POLYGON)
        VD_TRY(add_rings(c, &a, o, err));
    else
        set_box(&a, o);
    c->item[c->n++] = a;
    return VD_OK;
}

/* ---- one label, one place ---- */

static bool in_mask(const vd_overlay *c, const vd_overlaid *a, double x, double y) {
    if (!(x >= 0 && y >= 0 && x < a->width && y < a->height)) return false;
    const uint32_t at = (uint32_t)x * (uint32_t)a->height + (uint32_t)y;
    int64_t lo = 0, hi = a->n; /* runs that end at or before it */
    while (lo < hi) {
        const int64_t mid = (lo + hi) / 2;
        if (c->ends[a->first + mid] <= at)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < a->n && lo % 2 == 1;
}

/* Whether a ray to the right crosses a ring an odd number of times. */
static bool in_ring(const double *xy, int32_t n, double x, double y) {
    bool in = false;
    for (int32_t i = 0, k = n - 1; i < n; k = i++) {
        const double *p = xy + 2 * (int64_t)i, *q = xy + 2 * (int64_t)k;
        if ((p[1] > y) == (q[1] > y)) continue;
        in ^= x < p[0] + (y - p[1]) / (q[1] - p[1]) * (q[0] - p[0]);
    }
    return in;
}

static bool in_polygon(const vd_overlay *c, const vd_overlaid *a, double x, double y) {
    const double *xy = c->xy + a->first_xy;
    bool in = false; /* the ring before, its holes taken out */
    for (int64_t i = 0; i < a->n; i++) {
        const int32_t n = c->ring[a->first + i];
        if (n >= 0) {
            if (in) return true;
            in = in_ring(xy, n, x, y);
        } else if (in) {
            in = !in_ring(xy, -n, x, y);
        }
        xy += 2 * (int64_t)(n < 0 ? -n : n);
    }
    return in;
}

/* 0 outside of the box, 1 in its corners, 2 in the ellipse. */
static int in_box(const vd_overlaid *a, double x, double y) {
    const double dx = x - a->middle[0], dy = y - a->middle[1];
    const double u = (a->cosine * dx + a->sine * dy) / a->half[0],
                 v = (a->cosine * dy - a->sine * dx) / a->half[1];
    if (!(fabs(u) <= 1 && fabs(v) <= 1)) return 0;
    return u * u + v * v <= 1 ? 2 : 1;
}

/* 2 where the shape has the place and all within MARGIN_PX of it, 1 near its outline, 0 outside. */
static int in_shape(const vd_overlay *c, const vd_overlaid *a, double x, double y) {
    static const double step[5][2] = { { 0, 0 }, { -1, 0 }, { 1, 0 }, { 0, -1 }, { 0, 1 } };
    for (int i = 0; i < VD_COUNT(step); i++) {
        const double px = x + MARGIN_PX * step[i][0], py = y + MARGIN_PX * step[i][1];
        if (!(a->by == VD_OBJ_MASK ? in_mask(c, a, px, py) : in_polygon(c, a, px, py)))
            return i > 0;
    }
    return 2;
}

void vd_overlay_at(const vd_overlay *c, double x, double y, int32_t *cover, int64_t *n) {
    for (int64_t i = 0; i < c->n; i++) {
        const vd_overlaid *a = &c->item[i];
        if (!(x >= a->box[0] && x <= a->box[2] && y >= a->box[1] && y <= a->box[3])) continue;
        const int in =
            a->by & (VD_OBJ_MASK | VD_OBJ_POLYGON) ? in_shape(c, a, x, y) : in_box(a, x, y);
        if (in > 0) cover[(*n)++] = in == 2 ? a->label : -1 - a->label;
    }
}
