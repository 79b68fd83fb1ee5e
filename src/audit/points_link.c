/* Links between labels, and the objects that they make: each label's points are looked up in the
 * other views, label by label, so that memory is linear in observations and links.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "audit/points_int.h"
#include "base/sets.h"

typedef struct link {
    int32_t label;         /* the other */
    int32_t common, shown; /* points that are sure: that the other has too, that its view shows */
} link;

typedef struct pair {
    int32_t a, b; /* labels, a < b */
    double share;
    int32_t common;
} pair;

typedef struct linking {
    const vd_points_work *w;
    vd_point_votes shown, common; /* by view, by label */
    int64_t *start;               /* of each label's links */
    link *link;
    pair *pair;
    int64_t n_links, cap_links, n_pairs, cap_pairs;
} linking;

/* Counts one observation of a point of the label at hand, made in another view. */
static void count(linking *l, int32_t o) {
    const vd_points *in = l->w->in;
    vd_point_votes_add(&l->shown, in->view[o]);
    for (int32_t i = 0; i < in->n_covers[o]; i++)
        vd_point_votes_add(&l->common, vd_cover_index(vd_covers(in, o)[i]));
}

/* Where an observation stands in the track of its point. */
static int64_t place_in(const int32_t *track, int64_t n, int32_t o) {
    int64_t lo = 0, hi = n - 1;
    while (lo < hi) {
        const int64_t mid = (lo + hi) / 2;
        if (track[mid] < o)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* Counts the other observations of a point; of very long tracks those that stand near `o` in it,
 * the first after the last, so that `a` counts `b` where `b` counts `a`. */
static void count_track(linking *l, int32_t o) {
    const vd_points *in = l->w->in;
    const vd_lists *of = &l->w->of_point;
    const int32_t *track = of->item + of->start[in->point[o]];
    const int64_t n = of->start[in->point[o] + 1] - of->start[in->point[o]];
    if (n <= VD_POINTS_WINDOW) {
        for (int64_t k = 0; k < n; k++)
            if (in->view[track[k]] != in->view[o]) count(l, track[k]);
        return;
    }
    const int64_t at = place_in(track, n, o) + n;
    for (int64_t d = -VD_POINTS_WINDOW / 2; d <= VD_POINTS_WINDOW / 2; d++) {
        const int32_t other = track[(at + d) % n];
        if (in->view[other] != in->view[o]) count(l, other);
    }
}

static int32_t least(const vd_points *in, int32_t a, int32_t b) {
    return VD_MAX(vd_points_least(in, a), vd_points_least(in, b));
}

/* The labels of other views that most of a label's points are in: one direction of a link. */
static vd_status lean(linking *l, int32_t label, vd_err *err) {
    const vd_lists *of = &l->w->of_label;
    for (int64_t i = of->start[label]; i < of->start[label + 1]; i++)
        if (of->item[i] >= 0) count_track(l, of->item[i]);
    vd_point_votes_sort(&l->common);
    for (int32_t i = 0; i < l->common.n; i++) {
        const int32_t other = l->common.list[i], n = l->common.count[other],
                      shown = l->shown.count[l->w->in->label_view[other]];
        if (n < least(l->w->in, label, other) || n < VD_POINTS_SHARE * shown) continue;
        VD_TRY(VD_GROW(l->link, l->cap_links, l->n_links + 1, err));
        l->link[l->n_links++] = (link){ other, n, shown };
    }
    l->start[label + 1] = l->n_links;
    vd_point_votes_clear(&l->shown);
    vd_point_votes_clear(&l->common);
    return VD_OK;
}

static const link *link_to(const linking *l, int32_t label, int32_t to) {
    int64_t lo = l->start[label], hi = l->start[label + 1];
    while (lo < hi) {
        const int64_t mid = (lo + hi) / 2;
        if (l->link[mid].label < to)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < l->start[label + 1] && l->link[lo].label == to ? &l->link[lo] : NULL;
}

static int by_share(const void *pa, const void *pb) {
    const pair *p = pa, *q = pb;
    if (p->share != q->share) return p->share > q->share ? -1 : 1;
    if (p->common != q->common) return p->common > q->common ? -1 : 1;
    if (p->a != q->a) return p->a < q->a ? -1 : 1;
    return (p->b > q->b) - (p->b < q->b);
}

/* Links that hold both ways, the best first. */
static vd_status find_pairs(linking *l, vd_err *err) {
    for (int32_t a = 0; a < l->w->in->n_labels; a++)
        for (int64_t i = l->start[a]; i < l->start[a + 1]; i++) {
            const link *to = &l->link[i], *back = to->label > a ? link_to(l, to->label, a) : NULL;
            if (back == NULL) continue;
            const double there = (double)to->common / to->shown,
                         here = (double)back->common / back->shown;
            VD_TRY(VD_GROW(l->pair, l->cap_pairs, l->n_pairs + 1, err));
            l->pair[l->n_pairs++] =
                (pair){ a, to->label, VD_MIN(there, here), VD_MIN(to->common, back->common) };
        }
    if (l->n_pairs > 1) qsort(l->pair, (size_t)l->n_pairs, sizeof *l->pair, by_share);
    return VD_OK;
}

/* Objects as sets of labels that are kept as rings: next[] leads round the labels of each. */
typedef struct rings {
    int32_t *parent, *next;
    vd_point_votes views;
} rings;

/* Whether two sets have a label of one view each. */
static bool share_view(rings *r, const int32_t *view, int32_t a, int32_t b) {
    bool shared = false;
    int32_t i = a;
    do {
        vd_point_votes_add(&r->views, view[i]);
        i = r->next[i];
    } while (i != a);
    i = b;
    do {
        shared = r->views.count[view[i]] > 0;
        i = r->next[i];
    } while (i != b && !shared);
    vd_point_votes_clear(&r->views);
    return shared;
}

static vd_status make_objects(linking *l, vd_err *err) {
    const vd_points *in = l->w->in;
    vd_status st = VD_OK;
    rings r = { .next = vd_mem_array((size_t)in->n_labels + 1, sizeof *r.next) };
    r.parent = l->w->object;
    if (r.next == NULL) VD_GO(vd_nomem(err));
    VD_GO(vd_point_votes_new(&r.views, in->n_views, err));
    for (int32_t a = 0; a < in->n_labels; a++) r.parent[a] = r.next[a] = a;
    for (int64_t i = 0; i < l->n_pairs; i++) {
        const int32_t a = vd_sets_root(r.parent, l->pair[i].a),
                      b = vd_sets_root(r.parent, l->pair[i].b);
        if (a == b || share_view(&r, in->label_view, a, b)) continue;
        vd_sets_join(r.parent, a, b);
        const int32_t after = r.next[a]; /* two rings become one */
        r.next[a] = r.next[b];
        r.next[b] = after;
    }
    for (int32_t a = 0; a < in->n_labels; a++) r.parent[a] = vd_sets_root(r.parent, a);
done:
    vd_mem_free(r.next);
    vd_point_votes_reset(&r.views);
    return st;
}

vd_status vd_points_link(vd_points_work *w, vd_err *err) {
    vd_status st = VD_OK;
    linking l = { .w = w };
    l.start = vd_mem_array((size_t)w->in->n_labels + 1, sizeof *l.start);
    if (l.start == NULL) VD_GO(vd_nomem(err));
    VD_GO(vd_point_votes_new(&l.shown, w->in->n_views, err));
    VD_GO(vd_point_votes_new(&l.common, w->in->n_labels, err));
    for (int32_t a = 0; a < w->in->n_labels; a++) VD_GO(lean(&l, a, err));
    VD_GO(find_pairs(&l, err));
    VD_GO(make_objects(&l, err));
    w->n_links = l.n_pairs;
done:
    vd_mem_free(l.start);
    vd_mem_free(l.link);
    vd_mem_free(l.pair);
    vd_point_votes_reset(&l.shown);
    vd_point_votes_reset(&l.common);
    return st;
}
