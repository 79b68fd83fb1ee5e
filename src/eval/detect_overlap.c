/* How much a prediction and an object of the truth are the same: boxes and masks by intersection
 * over union, keypoints by their distances [Ronchi and Perona 2017, Benchmarking and error
 * diagnosis in multi-instance pose estimation]. SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>

#include "base/mem.h"
#include "eval/detect_int.h"
#include "eval/sum.h"

/* numpy.spacing(1) */
static const double SPACING = 0x1p-52;

static vd_status polygon_masks(vd_mask *part, const vd_detect_set *s, const vd_detect_object *o,
                               const char *where, vd_err *err) {
    const double *v = s->number + o->outline_at;
    for (int64_t i = 0; i < o->n; i++) {
        if (o->outline == VD_OUTLINE_BOXES) {
            VD_TRY(vd_mask_from_box(&part[i], where, v, o->height, o->width, err));
            v += 4;
        } else {
            int64_t n = (int64_t)v[0];
            VD_TRY(vd_mask_from_polygon(&part[i], where, v + 1, n / 2, o->height, o->width, err));
            v += n + 1;
        }
    }
    return VD_OK;
}

static vd_status fill_polygons(vd_mask *out, const vd_detect_set *s, const vd_detect_object *o,
                               const char *where, vd_err *err) {
    vd_mask *part = vd_mem_array((size_t)o->n, sizeof *part);
    if (part == NULL) return vd_nomem(err);
    vd_status st = polygon_masks(part, s, o, where, err);
    if (st == VD_OK && o->n == 1) {
        *out = part[0];
        part[0] = (vd_mask){ 0 };
    } else if (st == VD_OK) {
        st = vd_mask_merge(out, part, o->n, false, err);
    }
    for (int64_t i = 0; i < o->n; i++) vd_mask_reset(&part[i]);
    vd_mem_free(part);
    return st;
}

vd_status vd_detect__mask(vd_mask *out, const vd_detect_set *s, const vd_detect_object *o,
                          const char *where, vd_err *err) {
    char name[64];
    if (where == NULL) {
        snprintf(name, sizeof name, "annotation %lld", (long long)o->id);
        where = name;
    }
    switch (o->outline) {
    case VD_OUTLINE_BOX: return vd_mask_from_box(out, where, o->box, o->height, o->width, err);
    case VD_OUTLINE_POLYGONS:
    case VD_OUTLINE_BOXES: return fill_polygons(out, s, o, where, err);
    case VD_OUTLINE_RUNS:
        return vd_mask_from_runs(out, where, s->number + o->outline_at, o->n, o->height, o->width,
                                 err);
    case VD_OUTLINE_TEXT:
        return vd_mask_from_text(out, where, s->text + o->outline_at, o->n, o->height, o->width,
                                 err);
    default: return vd_fail(err, VD_E_FORMAT, "%s: no \"segmentation\"", where);
    }
}

/* ---- masks ---- */

typedef struct filled {
    vd_mask mask;
    double box[4];
    int64_t area;
} filled;

static vd_status fill(filled *out, const vd_detect_set *s, const vd_detect_view *view, int64_t n,
                      vd_err *err) {
    for (int64_t i = 0; i < n; i++) {
        VD_TRY(vd_detect__mask(&out[i].mask, s, &s->object[view[i].index], NULL, err));
        vd_mask_box(&out[i].mask, out[i].box);
        out[i].area = vd_mask_area(&out[i].mask);
    }
    return VD_OK;
}

static double mask_overlap(const filled *a, const filled *b, bool crowd) {
    if (vd_box_iou(a->box, b->box, crowd) <= 0) return 0;
    if (a->mask.height != b->mask.height || a->mask.width != b->mask.width) return -1;
    int64_t common = vd_mask_common(&a->mask, &b->mask);
    if (common == 0) return 0;
    return (double)common / (double)(crowd ? a->area : a->area + b->area - common);
}

static vd_status mask_overlaps(double *out, const vd_detect_pair *p, const vd_detect_view *truth,
                               int64_t n_truths, const vd_detect_view *prediction,
                               int64_t n_predictions, vd_err *err) {
    filled *m = vd_mem_array((size_t)(n_truths + n_predictions), sizeof *m);
    if (m == NULL) return vd_nomem(err);
    vd_status st = fill(m, p->truths, truth, n_truths, err);
    if (st == VD_OK) st = fill(m + n_truths, p->predictions, prediction, n_predictions, err);
    for (int64_t d = 0; d < n_predictions && st == VD_OK; d++)
        for (int64_t g = 0; g < n_truths; g++)
            out[d * n_truths + g] =
                mask_overlap(&m[n_truths + d], &m[g], truth[g].flags & VD_DETECT_CROWD);
    for (int64_t i = 0; i < n_truths + n_predictions; i++) vd_mask_reset(&m[i].mask);
    vd_mem_free(m);
    return st;
}

/* ---- keypoints ---- */

/* How far v lies outside of lo .. hi. */
static double outside(double v, double lo, double hi) {
    return fmax(0, lo - v) + fmax(0, v - hi);
}

/* Object keypoint similarity: over labelled keypoints, or all against twice the box's size around
 * it where none is labelled. The order of operations is COCOeval's. */
static double similarity(const double *g, const double *d, const vd_detect_object *truth,
                         const vd_detect_rules *rules) {
    double e[VD_DETECT_KEYPOINTS_MAX];
    const double *b = truth->box;
    int labelled = 0, n = 0;
    for (int i = 0; i < rules->n_keypoints; i++) labelled += g[3 * i + 2] > 0;
    for (int i = 0; i < rules->n_keypoints; i++, g += 3, d += 3) {
        double dx = d[0] - g[0], dy = d[1] - g[1], s = rules->sigma[i] * 2;
        if (labelled == 0) {
            dx = outside(d[0], b[0] - b[2], b[0] + b[2] * 2);
            dy = outside(d[1], b[1] - b[3], b[1] + b[3] * 2);
        } else if (!(g[2] > 0)) {
            continue;
        }
        e[n++] = exp(-((dx * dx + dy * dy) / (s * s) / (truth->area + SPACING) / 2));
    }
    return vd_sum_pairwise(e, n) / n;
}

static double keypoint_overlap(const vd_detect_pair *p, const vd_detect_view *truth,
                               const vd_detect_view *prediction) {
    const vd_detect_object *g = &p->truths->object[truth->index];
    const vd_detect_object *d = &p->predictions->object[prediction->index];
    return similarity(p->truths->number + g->keypoints_at, p->predictions->number + d->keypoints_at,
                      g, p->rules);
}

/* ---- boxes ---- */

/* vd_box_iou, in line; sides are finite, so that there is no NaN to order. */
static double box_overlap(const double *a, const double *b, bool crowd) {
    double w = VD_MIN(a[2] + a[0], b[2] + b[0]) - VD_MAX(a[0], b[0]);
    double h = VD_MIN(a[3] + a[1], b[3] + b[1]) - VD_MAX(a[1], b[1]);
    if (w <= 0 || h <= 0) return 0;
    double common = w * h, area = a[2] * a[3];
    return common / (crowd ? area : area + b[2] * b[3] - common);
}

vd_status vd_detect__overlaps(double *out, const vd_detect_pair *p, const vd_detect_view *truth,
                              int64_t n_truths, const vd_detect_view *prediction,
                              int64_t n_predictions, vd_err *err) {
    if (n_truths == 0) return VD_OK;
    if (p->rules->type == VD_DETECT_SEGM)
        return mask_overlaps(out, p, truth, n_truths, prediction, n_predictions, err);
    for (int64_t d = 0; d < n_predictions; d++)
        for (int64_t g = 0; g < n_truths; g++)
            out[d * n_truths + g] =
                p->rules->type == VD_DETECT_BBOX
                    ? box_overlap(prediction[d].box, truth[g].box, truth[g].flags & VD_DETECT_CROWD)
                    : keypoint_overlap(p, &truth[g], &prediction[d]);
    return VD_OK;
}
