/* The same object labelled twice in a picture, or with two classes. SPDX-License-Identifier:
 * Apache-2.0
 *
 * What overlaps is the upright box; where both have outlines, times the ratio of how much of its
 * box each fills: a mask may have the box of another without being like it. Crowds overlap others
 * by nature. Of each object the most similar one before it is told, of its own class and of
 * another. */
#include <math.h>
#include <string.h>

#include "audit/audit.h"
#include "audit/sweep.h"
#include "base/mem.h"

typedef struct rival {
    double alike;
    int64_t object; /* -1: none */
} rival;

typedef struct doubles {
    const vd_audit_set *s;
    vd_sweep_box *box;
    rival *own, *other; /* of each object of the picture */
    int64_t first, cap_box, cap_own, cap_other;
} doubles;

static bool parent_of(const vd_audit_set *s, int32_t a, int32_t b) {
    const char *up = s->category[b].parent;
    return up != NULL && strcmp(up, s->category[a].name) == 0;
}

/* A class and the class above it are no contradiction. */
static bool exclude_each_other(const vd_audit_set *s, int32_t a, int32_t b) {
    if (a == VD_LABEL_NONE || b == VD_LABEL_NONE) return false;
    return !parent_of(s, a, b) && !parent_of(s, b, a);
}

static double alike(const vd_audit_object *a, const vd_audit_object *b, double iou) {
    const uint32_t outline = VD_OBJ_POLYGON | VD_OBJ_MASK | VD_OBJ_ROTATED;
    const double ten_degrees = 0.1745;
    if (!(a->has & outline) || !(b->has & outline)) return iou;
    if (fabs(sin((double)a->angle - (double)b->angle)) > sin(ten_degrees)) return 0;
    if (!(a->area > 0 && b->area > 0)) return iou;
    double p = a->area / (a->box[2] * a->box[3]), q = b->area / (b->box[2] * b->box[3]);
    return iou * fmin(p, q) / fmax(p, q);
}

static void keep(rival *r, double v, int64_t object) {
    if (v > r->alike || (v == r->alike && object < r->object)) *r = (rival){ v, object };
}

static vd_status on_pair(void *user, int64_t a, int64_t b, double iou, vd_err *err) {
    doubles *d = user;
    int64_t early = VD_MIN(a, b), late = VD_MAX(a, b);
    const vd_audit_object *p = &d->s->object[early], *q = &d->s->object[late];
    double v = alike(p, q, iou);
    (void)err;
    if (p->category == q->category)
        keep(&d->own[late - d->first], v, early);
    else if (exclude_each_other(d->s, p->category, q->category))
        keep(&d->other[late - d->first], v, early);
    return VD_OK;
}

static vd_status tell(vd_audit_findings *f, doubles *d, int64_t object, vd_err *err) {
    const vd_audit_set *s = d->s;
    rival own = d->own[object - d->first], other = d->other[object - d->first];
    if (own.object >= 0) {
        double score = fmax(0, 1 - own.alike);
        int64_t row = s->object[own.object].row;
        bool same = score < f->threshold[VD_AUDIT_DUPLICATE_BOX];
        VD_TRY(vd_audit_add_object(f, same ? VD_AUDIT_DUPLICATE_BOX : VD_AUDIT_NEAR_DUPLICATE_BOX,
                                   s, object, row, score, err,
                                   "overlaps label %lld of the same class by %.1f %%",
                                   (long long)row, 100 * own.alike));
    }
    if (other.object < 0) return VD_OK;
    int64_t row = s->object[other.object].row;
    return vd_audit_add_object(f, VD_AUDIT_TWO_CLASSES, s, object, row, fmax(0, 1 - other.alike),
                               err, "overlaps label %lld, a '%.80s', by %.1f %%", (long long)row,
                               vd_audit_class(s, other.object), 100 * other.alike);
}

static vd_status check_image(vd_audit_findings *f, doubles *d, const vd_audit_image *m,
                             double least, vd_err *err) {
    int64_t n = 0;
    VD_TRY(VD_GROW(d->box, d->cap_box, m->n, err));
    VD_TRY(VD_GROW(d->own, d->cap_own, m->n, err));
    VD_TRY(VD_GROW(d->other, d->cap_other, m->n, err));
    d->first = m->first;
    for (int64_t i = m->first; i < m->first + m->n; i++) {
        const vd_audit_object *o = &d->s->object[i];
        d->own[i - m->first] = d->other[i - m->first] = (rival){ 0, -1 };
        if (o->has & VD_OBJ_CROWD || !vd_audit_placed(o)) continue;
        vd_sweep_box *b = &d->box[n++];
        memcpy(b->at, o->box, sizeof b->at);
        b->i = i;
    }
    VD_TRY(vd_audit_sweep(d->box, n, least, on_pair, d, err));
    for (int64_t i = m->first; i < m->first + m->n; i++) VD_TRY(tell(f, d, i, err));
    return VD_OK;
}

vd_status vd_audit_doubles(vd_audit_findings *f, const vd_audit_set *s, vd_err *err) {
    const double widest = 0.9; /* thresholds beyond it would find what merely touches */
    double far =
        fmax(f->threshold[VD_AUDIT_DUPLICATE_BOX],
             fmax(f->threshold[VD_AUDIT_NEAR_DUPLICATE_BOX], f->threshold[VD_AUDIT_TWO_CLASSES]));
    doubles d = { .s = s };
    vd_status st = VD_OK;
    for (int64_t i = 0; i < s->n_images && st == VD_OK; i++)
        if (s->image[i].n > 1) st = check_image(f, &d, &s->image[i], 1 - fmin(far, widest), err);
    vd_mem_free(d.box);
    vd_mem_free(d.own);
    vd_mem_free(d.other);
    return st;
}
