/* Copies of a picture that are labelled differently. SPDX-License-Identifier: Apache-2.0
 *
 * Copies are pictures of the same bytes (or of the same asset, listed twice), and pictures that
 * look the same. Boxes are compared as fractions of the picture. An object's votes are the other
 * copies that have its class at the same place; votes against it those that have another class
 * there, nearly the same box. Where more are against it than for it, it is told; where as many, the
 * one of the later copy. Classes of whole pictures (objects without a place) are compared as sets:
 * told is what differs from the most common one. Of the same bytes, an object that no other copy
 * has is told, too. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit.h"
#include "audit/sweep.h"
#include "base/hash.h"
#include "base/mem.h"

static const double SAME_PLACE = 0.5, SAME_BOX = 0.8;
static const double EXACT_SCORE = 0, NEAR_SCORE = 0.2, LACKING_SCORE = 0.3;

typedef struct member {
    int64_t group, image;
} member;

/* What other copies say about one object. */
typedef struct votes {
    int64_t object;
    int32_t copies; /* others, in all */
    int32_t with, against,
        unlike;    /* copies with its class, another class, any class at its place */
    int64_t rival; /* an object of another class; -1: none */
    int64_t last_with, last_against, last_unlike; /* the last copies that were counted */
} votes;

typedef struct copies {
    const vd_audit_set *s;
    vd_audit_findings *f;
    votes *v;          /* of the objects of one group, with a place */
    vd_sweep_box *box; /* theirs */
    int64_t n, cap_v, cap_box;
    bool exact;
} copies;

static int by_group(const void *pa, const void *pb) {
    const member *a = pa, *b = pb;
    if (a->group != b->group) return a->group < b->group ? -1 : 1;
    return a->image < b->image ? -1 : a->image > b->image;
}

/* ---- objects with a place ---- */

static void vote(votes *a, const vd_audit_set *s, const votes *b, double iou, bool counts) {
    const vd_audit_object *p = &s->object[a->object], *q = &s->object[b->object];
    if (a->last_unlike != q->image) a->unlike++;
    a->last_unlike = q->image;
    if (p->category == q->category) {
        if (a->last_with != q->image) a->with++;
        a->last_with = q->image;
    } else if (iou >= SAME_BOX && counts) {
        if (a->last_against != q->image) a->against++;
        a->last_against = q->image;
        if (a->rival < 0 || b->object < a->rival) a->rival = b->object;
    }
}

static bool same_bytes(const vd_audit_image *a, const vd_audit_image *b) {
    return a->asset == b->asset || (a->exact != 0 && a->exact == b->exact);
}

/* Pairs come by place, and copies of one picture are not told apart by it: the last copy counted is
 * enough to count each once where a copy has one object there, and nearly so where it has more. */
static vd_status on_pair(void *user, int64_t a, int64_t b, double iou, vd_err *err) {
    copies *c = user;
    votes *p = &c->v[a], *q = &c->v[b];
    const vd_audit_object *o = &c->s->object[p->object], *r = &c->s->object[q->object];
    (void)err;
    if (o->image == r->image) return VD_OK;
    /* those of the same bytes were compared before */
    bool counts = c->exact || !same_bytes(&c->s->image[o->image], &c->s->image[r->image]);
    vote(p, c->s, q, iou, counts);
    vote(q, c->s, p, iou, counts);
    return VD_OK;
}

static vd_status tell_object(copies *c, const votes *v, vd_err *err) {
    const vd_audit_set *s = c->s;
    const vd_audit_object *o = &s->object[v->object];
    bool outvoted =
        v->rival >= 0 && (v->against > v->with + 1 ||
                          (v->against == v->with + 1 && s->object[v->rival].image < o->image));
    if (outvoted) {
        const vd_audit_object *r = &s->object[v->rival];
        return vd_audit_add_object(
            c->f, VD_AUDIT_INCONSISTENT_COPIES, s, v->object, r->row,
            c->exact ? EXACT_SCORE : NEAR_SCORE, err, "a '%.60s' in %d of %d %s, such as '%.120s'",
            vd_audit_class(s, v->rival), v->against, v->copies,
            c->exact ? "copies" : "pictures that look the same", s->image[r->image].name);
    }
    if (!c->exact || v->unlike > 0) return VD_OK;
    return vd_audit_add_object(c->f, VD_AUDIT_INCONSISTENT_COPIES, s, v->object, 0, LACKING_SCORE,
                               err, "%d other %s of the picture %s nothing there", v->copies,
                               v->copies == 1 ? "copy" : "copies", v->copies == 1 ? "has" : "have");
}

static vd_status add_places(copies *c, const vd_audit_image *m, int32_t others, vd_err *err) {
    double w = m->width > 0 ? m->width : m->asset_width;
    double h = m->height > 0 ? m->height : m->asset_height;
    if (!(w > 0 && h > 0)) w = h = 1; /* of equal size, then */
    for (int64_t i = m->first; i < m->first + m->n; i++) {
        const vd_audit_object *o = &c->s->object[i];
        if (!vd_audit_placed(o) || o->has & VD_OBJ_CROWD) continue;
        VD_TRY(VD_GROW(c->v, c->cap_v, c->n + 1, err));
        VD_TRY(VD_GROW(c->box, c->cap_box, c->n + 1, err));
        c->v[c->n] = (votes){ .object = i,
                              .copies = others,
                              .rival = -1,
                              .last_with = -1,
                              .last_against = -1,
                              .last_unlike = -1 };
        c->box[c->n] =
            (vd_sweep_box){ { o->box[0] / w, o->box[1] / h, o->box[2] / w, o->box[3] / h }, c->n };
        c->n++;
    }
    return VD_OK;
}

/* ---- classes of whole pictures ---- */

typedef struct class_set {
    uint64_t hash; /* 0: none */
    int64_t image;
    int64_t object; /* its first one without a place */
    int32_t n;
} class_set;

static int by_category(const void *pa, const void *pb) {
    int32_t a = *(const int32_t *)pa, b = *(const int32_t *)pb;
    return a < b ? -1 : a > b;
}

static class_set classes_of(const vd_audit_set *s, int64_t image) {
    enum { MOST = 256 };
    const vd_audit_image *m = &s->image[image];
    class_set out = { .image = image, .object = -1 };
    int32_t list[MOST];
    for (int64_t i = m->first; i < m->first + m->n; i++) {
        const vd_audit_object *o = &s->object[i];
        if (o->has & VD_OBJ_SHAPES || o->category == VD_LABEL_NONE) continue;
        if (out.object < 0) out.object = i;
        if (out.n < MOST) list[out.n++] = o->category;
    }
    if (out.n == 0) return out;
    qsort(list, (size_t)out.n, sizeof *list, by_category);
    out.hash = vd_hash64(list, (size_t)out.n * sizeof *list) | 1;
    return out;
}

static int by_hash(const void *pa, const void *pb) {
    const class_set *a = pa, *b = pb;
    if (a->hash != b->hash) return a->hash < b->hash ? -1 : 1;
    return a->image < b->image ? -1 : a->image > b->image;
}

/* The first picture of the most common set; of equals that whose first picture comes first. */
static int64_t most_common(const class_set *k, int64_t n, int64_t *count) {
    int64_t best = 0;
    *count = 0;
    for (int64_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && k[end].hash == k[i].hash;) end++;
        bool more = end - i > *count || (end - i == *count && k[i].image < k[best].image);
        if (!more) continue;
        best = i;
        *count = end - i;
    }
    return best;
}

static vd_status check_classes(copies *c, const member *m, int64_t n, vd_err *err) {
    const vd_audit_set *s = c->s;
    vd_status st = VD_OK;
    int64_t k = 0, most = 0;
    class_set *set = vd_mem_array((size_t)n, sizeof *set);
    if (set == NULL) return vd_nomem(err);
    for (int64_t i = 0; i < n; i++) {
        class_set one = classes_of(s, m[i].image);
        if (one.hash != 0) set[k++] = one;
    }
    qsort(set, (size_t)k, sizeof *set, by_hash);
    int64_t best = k > 0 ? most_common(set, k, &most) : 0;
    for (int64_t i = 0; i < k && st == VD_OK; i++) {
        const class_set *usual = &set[best];
        if (set[i].hash == usual->hash) continue;
        if (!c->exact && same_bytes(&s->image[set[i].image], &s->image[usual->image])) continue;
        st = vd_audit_add_object(
            c->f, VD_AUDIT_INCONSISTENT_COPIES, s, set[i].object, s->object[usual->object].row,
            c->exact ? EXACT_SCORE : NEAR_SCORE, err,
            "'%.60s'%s in %lld of %lld %s, such as '%.120s'", vd_audit_class(s, usual->object),
            usual->n > 1 ? " and more" : "", (long long)most, (long long)k,
            c->exact ? "copies" : "pictures that look the same", s->image[usual->image].name);
    }
    vd_mem_free(set);
    return st;
}

/* ---- groups ---- */

static vd_status check_group(copies *c, const member *m, int64_t n, vd_err *err) {
    c->n = 0;
    VD_TRY(check_classes(c, m, n, err));
    for (int64_t i = 0; i < n; i++)
        VD_TRY(add_places(c, &c->s->image[m[i].image], (int32_t)(n - 1), err));
    VD_TRY(vd_audit_sweep(c->box, c->n, SAME_PLACE, on_pair, c, err));
    for (int64_t i = 0; i < c->n; i++) VD_TRY(tell_object(c, &c->v[i], err));
    return VD_OK;
}

static int64_t group_of(const vd_audit_image *m, bool exact) {
    if (m->asset == 0) return 0;
    return !exact ? m->near : m->exact != 0 ? m->exact : m->asset;
}

static vd_status check_groups(copies *c, member *m, vd_err *err) {
    int64_t n = 0;
    for (int64_t i = 0; i < c->s->n_images; i++) {
        int64_t group = group_of(&c->s->image[i], c->exact);
        if (group != 0) m[n++] = (member){ group, i };
    }
    qsort(m, (size_t)n, sizeof *m, by_group);
    for (int64_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && m[end].group == m[i].group;) end++;
        if (end - i > 1) VD_TRY(check_group(c, m + i, end - i, err));
    }
    return VD_OK;
}

vd_status vd_audit_copies(vd_audit_findings *f, const vd_audit_set *s, vd_err *err) {
    copies c = { .s = s, .f = f, .exact = true };
    member *m = vd_mem_array((size_t)s->n_images, sizeof *m);
    if (m == NULL) return vd_nomem(err);
    vd_status st = check_groups(&c, m, err);
    c.exact = false;
    if (st == VD_OK) st = check_groups(&c, m, err);
    vd_mem_free(m);
    vd_mem_free(c.v);
    vd_mem_free(c.box);
    return st;
}
