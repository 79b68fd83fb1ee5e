/* Which object a point belongs to, and which label of a view an object has.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "audit/points_int.h"

/* ---- owners ---- */

/* Sure observations of each object, over its labels: how large it is to a picture. */
static vd_status sizes(double *size, const vd_points_work *w, vd_err *err) {
    const vd_points *in = w->in;
    int32_t *labels = vd_mem_array((size_t)in->n_labels + 1, sizeof *labels);
    if (labels == NULL) return vd_nomem(err);
    for (int32_t a = 0; a < in->n_labels; a++) {
        if (w->object[a] < 0) continue;
        labels[w->object[a]]++;
        size[w->object[a]] += (double)(w->of_label.start[a + 1] - w->of_label.start[a]);
    }
    for (int32_t a = 0; a < in->n_labels; a++)
        if (labels[a] > 0) size[a] /= labels[a];
    vd_mem_free(labels);
    return VD_OK;
}

/* Counts the views in which each object covers a point: a label of an object is one of a view. */
static void count_covers(vd_point_votes *by, const vd_points_work *w, int32_t p) {
    const vd_points *in = w->in;
    for (int64_t k = w->of_point.start[p]; k < w->of_point.start[p + 1]; k++) {
        const int32_t o = w->of_point.item[k];
        for (int32_t i = 0; i < in->n_covers[o]; i++) {
            const int32_t object = w->object[vd_cover_index(vd_covers(in, o)[i])];
            if (object >= 0) vd_point_votes_add(by, object);
        }
    }
}

vd_status vd_points_own(vd_points_work *w, vd_err *err) {
    vd_status st = VD_OK;
    vd_point_votes by = { 0 };
    double *size = vd_mem_array((size_t)w->in->n_labels + 1, sizeof *size);
    if (size == NULL) VD_GO(vd_nomem(err));
    VD_GO(vd_point_votes_new(&by, w->in->n_labels, err));
    VD_GO(sizes(size, w, err));
    for (int32_t p = 0; p < w->in->n_points; p++) {
        int32_t most = 0, best = -1;
        count_covers(&by, w, p);
        for (int32_t i = 0; i < by.n; i++) most = VD_MAX(most, by.count[by.list[i]]);
        for (int32_t i = 0; i < by.n && most >= 2; i++) {
            const int32_t k = by.list[i];
            if (by.count[k] < 2 || by.count[k] < VD_POINTS_NEAR * most) continue;
            if (best < 0 || size[k] < size[best] || (size[k] == size[best] && k < best)) best = k;
        }
        w->owner[p] = best;
        vd_point_votes_clear(&by);
    }
done:
    vd_mem_free(size);
    vd_point_votes_reset(&by);
    return st;
}

/* ---- members ---- */

typedef struct span {
    float x0, y0, x1, y1;
} span;

typedef struct fit {
    int32_t label, object, inside;
    bool pure;
    double part, score;
} fit;

typedef struct joining {
    vd_points_work *w;
    vd_lists of_view, labels_of_view;
    vd_point_votes seen, inside, sure; /* by object */
    span *inside_span;
    fit *fit; /* of one view */
    int64_t n_fits, cap_fits;
    int32_t *best_of_label, *best_of_object; /* index of a fit, -1 */
} joining;

static void stretch(span *s, const float xy[2], bool first) {
    if (first) *s = (span){ xy[0], xy[1], xy[0], xy[1] };
    s->x0 = VD_MIN(s->x0, xy[0]);
    s->y0 = VD_MIN(s->y0, xy[1]);
    s->x1 = VD_MAX(s->x1, xy[0]);
    s->y1 = VD_MAX(s->y1, xy[1]);
}

/* A pixel more each way: points on a line span something, too. */
static double area(span s) {
    return ((double)s.x1 - s.x0 + 1) * ((double)s.y1 - s.y0 + 1);
}

/* How well a label fits the objects whose points it covers. */
static vd_status fit_label(joining *j, int32_t label, vd_err *err) {
    const vd_points *in = j->w->in;
    const vd_lists *of = &j->w->of_label;
    span all = { 0 };
    int32_t n = 0, n_sure = 0;
    for (int64_t i = of->start[label]; i < of->start[label + 1]; i++) {
        const int64_t o = vd_cover_index(of->item[i]);
        const int32_t object = j->w->owner[in->point[o]];
        if (object < 0) continue;
        stretch(&all, in->xy + 2 * o, n++ == 0);
        stretch(&j->inside_span[object], in->xy + 2 * o,
                vd_point_votes_add(&j->inside, object) == 1);
        if (of->item[i] < 0) continue;
        n_sure++;
        vd_point_votes_add(&j->sure, object);
    }
    for (int32_t i = 0; i < j->inside.n; i++) {
        const int32_t k = j->inside.list[i], inside = j->inside.count[k];
        const double part = (double)inside / j->seen.count[k];
        if (inside < vd_points_least(in, label) || part < VD_POINTS_BESIDE) continue;
        VD_TRY(VD_GROW(j->fit, j->cap_fits, j->n_fits + 1, err));
        /* a box may show more of what is beside an object than of it */
        const int32_t sure = j->sure.count[k], times = in->label_exact[label] ? 2 : 4;
        j->fit[j->n_fits++] =
            (fit){ .label = label,
                   .object = k,
                   .inside = inside,
                   .pure = sure >= vd_points_least(in, label) && times * sure > n_sure,
                   .part = part,
                   .score = part * area(j->inside_span[k]) / area(all) };
    }
    vd_point_votes_clear(&j->inside);
    vd_point_votes_clear(&j->sure);
    return VD_OK;
}

static bool is_better(const joining *j, int32_t i, int32_t than) {
    const fit *a = &j->fit[i], *b = than >= 0 ? &j->fit[than] : NULL;
    if (b == NULL || a->score != b->score) return b == NULL || a->score > b->score;
    if (a->inside != b->inside) return a->inside > b->inside;
    return a->label != b->label ? a->label < b->label : a->object < b->object;
}

static vd_status add_beside(vd_points_work *w, const fit *f, vd_err *err) {
    VD_TRY(VD_GROW(w->beside_label, w->cap_beside_label, w->n_beside + 1, err));
    VD_TRY(VD_GROW(w->beside_object, w->cap_beside_object, w->n_beside + 1, err));
    w->beside_label[w->n_beside] = f->label;
    w->beside_object[w->n_beside++] = f->object;
    return VD_OK;
}

/* Of the fits of a view, those are taken that are the best ones of their label and of their object.
 */
static vd_status take_fits(joining *j, vd_err *err) {
    for (int32_t i = 0; i < j->n_fits; i++) {
        int32_t *label = &j->best_of_label[j->fit[i].label],
                *object = &j->best_of_object[j->fit[i].object];
        if (j->fit[i].part < VD_POINTS_INSIDE) continue;
        if (is_better(j, i, *label)) *label = i;
        if (is_better(j, i, *object)) *object = i;
    }
    for (int32_t i = 0; i < j->n_fits; i++) {
        const fit *f = &j->fit[i];
        if (j->best_of_label[f->label] != i || j->best_of_object[f->object] != i) {
            VD_TRY(add_beside(j->w, f, err));
            continue;
        }
        j->w->object[f->label] = f->object;
        j->w->inside[f->label] = f->inside;
        j->w->pure[f->label] = f->pure;
    }
    for (int32_t i = 0; i < j->n_fits; i++) {
        j->best_of_label[j->fit[i].label] = -1;
        j->best_of_object[j->fit[i].object] = -1;
    }
    j->n_fits = 0;
    return VD_OK;
}

static vd_status join_view(joining *j, int32_t view, vd_err *err) {
    const vd_points *in = j->w->in;
    const vd_lists *labels = &j->labels_of_view;
    for (int64_t i = j->of_view.start[view]; i < j->of_view.start[view + 1]; i++) {
        const int32_t object = j->w->owner[in->point[j->of_view.item[i]]];
        if (object >= 0) vd_point_votes_add(&j->seen, object);
    }
    for (int64_t i = labels->start[view]; i < labels->start[view + 1]; i++) {
        j->w->object[labels->item[i]] = -1;
        VD_TRY(fit_label(j, labels->item[i], err));
    }
    VD_TRY(take_fits(j, err));
    vd_point_votes_clear(&j->seen);
    return VD_OK;
}

vd_status vd_points_join(vd_points_work *w, vd_err *err) {
    vd_status st = VD_OK;
    joining j = { .w = w };
    const vd_points *in = w->in;
    const size_t n = (size_t)in->n_labels + 1;
    w->n_beside = 0;
    j.inside_span = vd_mem_array(n, sizeof *j.inside_span);
    j.best_of_label = vd_mem_array(n, sizeof *j.best_of_label);
    j.best_of_object = vd_mem_array(n, sizeof *j.best_of_object);
    if (!j.inside_span || !j.best_of_label || !j.best_of_object) VD_GO(vd_nomem(err));
    memset(j.best_of_label, -1, n * sizeof *j.best_of_label);
    memset(j.best_of_object, -1, n * sizeof *j.best_of_object);
    VD_GO(vd_point_votes_new(&j.seen, in->n_labels, err));
    VD_GO(vd_point_votes_new(&j.inside, in->n_labels, err));
    VD_GO(vd_point_votes_new(&j.sure, in->n_labels, err));
    VD_GO(vd_lists_by(&j.of_view, in->view, in->n_views, in->n, err));
    VD_GO(vd_lists_by(&j.labels_of_view, in->label_view, in->n_views, in->n_labels, err));
    for (int32_t v = 0; v < in->n_views; v++) VD_GO(join_view(&j, v, err));
done:
    vd_mem_free(j.inside_span);
    vd_mem_free(j.best_of_label);
    vd_mem_free(j.best_of_object);
    vd_mem_free(j.fit);
    vd_point_votes_reset(&j.seen);
    vd_point_votes_reset(&j.inside);
    vd_point_votes_reset(&j.sure);
    vd_lists_reset(&j.of_view);
    vd_lists_reset(&j.labels_of_view);
    return st;
}
