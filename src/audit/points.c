/* Verdicts: what the labels of an object say against one of them, and where it has none.
 * SPDX-License-Identifier: Apache-2.0 */
#include "audit/points.h"

#include <stdlib.h>
#include <string.h>

#include "audit/points_int.h"

/* ---- lists and tallies ---- */

vd_status vd_lists_new(vd_lists *l, int64_t n, vd_err *err) {
    l->start = vd_mem_array((size_t)n + 2, sizeof *l->start);
    return l->start != NULL ? VD_OK : vd_nomem(err);
}

vd_status vd_lists_sum(vd_lists *l, int64_t n, vd_err *err) {
    for (int64_t i = 2; i <= n + 1; i++) l->start[i] += l->start[i - 1];
    l->item = vd_mem_array((size_t)l->start[n + 1] + 1, sizeof *l->item);
    return l->item != NULL ? VD_OK : vd_nomem(err);
}

vd_status vd_lists_by(vd_lists *l, const int32_t *key, int64_t n_keys, int64_t n, vd_err *err) {
    VD_TRY(vd_lists_new(l, n_keys, err));
    for (int64_t i = 0; i < n; i++)
        if (key[i] >= 0) l->start[key[i] + 2]++;
    VD_TRY(vd_lists_sum(l, n_keys, err));
    for (int64_t i = 0; i < n; i++)
        if (key[i] >= 0) vd_lists_put(l, key[i], (int32_t)i);
    return VD_OK;
}

void vd_lists_reset(vd_lists *l) {
    vd_mem_free(l->start);
    vd_mem_free(l->item);
    *l = (vd_lists){ 0 };
}

vd_status vd_point_votes_new(vd_point_votes *t, int64_t n, vd_err *err) {
    t->count = vd_mem_array((size_t)n + 1, sizeof *t->count);
    t->list = vd_mem_array((size_t)n + 1, sizeof *t->list);
    return t->count != NULL && t->list != NULL ? VD_OK : vd_nomem(err);
}

static int by_number(const void *a, const void *b) {
    const int32_t p = *(const int32_t *)a, q = *(const int32_t *)b;
    return (p > q) - (p < q);
}

void vd_point_votes_sort(vd_point_votes *t) {
    if (t->n > 1) qsort(t->list, (size_t)t->n, sizeof *t->list, by_number);
}

void vd_point_votes_clear(vd_point_votes *t) {
    for (int32_t i = 0; i < t->n; i++) t->count[t->list[i]] = 0;
    t->n = 0;
}

void vd_point_votes_reset(vd_point_votes *t) {
    vd_mem_free(t->count);
    vd_mem_free(t->list);
    *t = (vd_point_votes){ 0 };
}

/* ---- one object ---- */

typedef struct judging {
    vd_points_work w;
    vd_points_doubts out;
    vd_lists members, points;   /* of each object */
    vd_point_votes votes;       /* by class */
    vd_point_votes shown, bare; /* by view: points of the object, those without a label */
    vd_point_votes loose;       /* by view: those under a label of its class that is of no object */
    uint8_t *has;               /* by view: it has a label of the object */
    int32_t *class_of;          /* of each object: what most of its labels say, -1 */
    vd_lists beside, beside_of; /* of each label, of each object: places in w.beside_... */
    float *x, *y;               /* of the bare points of one view */
    int64_t cap_x, cap_y;
} judging;

static vd_status add_doubt(judging *j, vd_points_doubt d, vd_err *err) {
    VD_TRY(VD_GROW(j->out.row, j->out.cap, j->out.n + 1, err));
    j->out.row[j->out.n++] = d;
    return VD_OK;
}

/* Lists the members of an object that have a class, but for one. */
static vd_status add_voters(judging *j, vd_points_doubt *d, int32_t object, int32_t but,
                            vd_err *err) {
    d->first = j->out.n_voters;
    for (int64_t i = j->members.start[object]; i < j->members.start[object + 1]; i++) {
        const int32_t a = j->members.item[i];
        if (a == but || j->w.in->label_class[a] != d->class_of_most) continue;
        VD_TRY(VD_GROW(j->out.voter, j->out.cap_voters, j->out.n_voters + 1, err));
        j->out.voter[j->out.n_voters++] = a;
    }
    d->n = j->out.n_voters - d->first;
    return VD_OK;
}

/* The class of most votes, the lower one of equals; -1: none. */
static int32_t class_of_most(const vd_point_votes *votes, int32_t but) {
    int32_t best = -1;
    for (int32_t i = 0; i < votes->n; i++) {
        const int32_t c = votes->list[i];
        if (c == but) continue;
        if (best < 0 || votes->count[c] > votes->count[best] ||
            (votes->count[c] == votes->count[best] && c < best))
            best = c;
    }
    return best;
}

/* Whether nothing is wrong if two objects stand one behind the other: the label also fits an object
 * of its class, or the object a label of its class in that view. */
static bool is_beside(const judging *j, int32_t label, int32_t object) {
    const vd_points *in = j->w.in;
    for (int64_t i = j->beside.start[label]; i < j->beside.start[label + 1]; i++)
        if (j->class_of[j->w.beside_object[j->beside.item[i]]] == in->label_class[label])
            return true;
    for (int64_t i = j->beside_of.start[object]; i < j->beside_of.start[object + 1]; i++) {
        const int32_t other = j->w.beside_label[j->beside_of.item[i]];
        if (in->label_view[other] == in->label_view[label] &&
            in->label_class[other] == j->class_of[object])
            return true;
    }
    return false;
}

static vd_status judge_label(judging *j, int32_t object, int32_t label, int32_t all, vd_err *err) {
    const int32_t own = j->w.in->label_class[label], most = class_of_most(&j->votes, own);
    if (own < 0 || most < 0 || !j->w.pure[label]) return VD_OK;
    const int32_t agree = j->votes.count[most], mine = j->votes.count[own];
    /* boxes of two objects that are taken for one err in several views, and alike */
    const int32_t most_doubted = j->w.in->label_exact[label] ? mine : 5 * (mine - 1) + 1;
    if (!j->w.in->label_exact[label] && agree + j->w.inside[label] < VD_POINTS_EVIDENCE_BOX)
        return VD_OK;
    if (agree < 2 || agree <= most_doubted || is_beside(j, label, object)) return VD_OK;
    vd_points_doubt d = { .view = j->w.in->label_view[label],
                          .label = label,
                          .class_of_most = most,
                          .agree = agree,
                          .own = mine,
                          .against = all - agree - mine,
                          .points = j->w.inside[label] };
    VD_TRY(add_voters(j, &d, object, label, err));
    return add_doubt(j, d, err);
}

/* Counts the votes of an object's labels; how many there are. */
static int32_t count_votes(judging *j, int32_t object) {
    int32_t all = 0;
    for (int64_t i = j->members.start[object]; i < j->members.start[object + 1]; i++) {
        const int32_t c = j->w.in->label_class[j->members.item[i]];
        if (c < 0) continue;
        vd_point_votes_add(&j->votes, c);
        all++;
    }
    return all;
}

static void set_class(judging *j, int32_t object) {
    count_votes(j, object);
    j->class_of[object] = class_of_most(&j->votes, -1);
    vd_point_votes_clear(&j->votes);
}

static vd_status judge_classes(judging *j, int32_t object, vd_err *err) {
    const int32_t *member = j->members.item + j->members.start[object];
    const int64_t n = j->members.start[object + 1] - j->members.start[object];
    const int32_t all = count_votes(j, object);
    vd_status st = VD_OK;
    for (int64_t i = 0; i < n && st == VD_OK && j->votes.n > 1; i++)
        st = judge_label(j, object, member[i], all, err);
    return st;
}

/* ---- what is missing ---- */

/* Whether nothing covers an observation that may be a label of the object, which has none here: it
 * lies in corners of boxes of other objects at most, where is seen what is beside these. */
static bool is_bare(const judging *j, int32_t o) {
    const vd_points *in = j->w.in;
    const int32_t *covers = vd_covers(in, o);
    for (int32_t i = 0; i < in->n_covers[o]; i++) {
        const int32_t a = vd_cover_index(covers[i]);
        if (covers[i] >= 0 || in->label_exact[a] || j->w.object[a] < 0) return false;
    }
    return true;
}

/* Whether a label of that class, but of no object, covers an observation: it may be the one that
 * seems to be missing. */
static bool is_loose(const judging *j, int32_t o, int32_t class) {
    for (int32_t i = 0; i < j->w.in->n_covers[o]; i++) {
        const int32_t a = vd_cover_index(vd_covers(j->w.in, o)[i]);
        if (j->w.object[a] < 0 && j->w.in->label_class[a] == class) return true;
    }
    return false;
}

/* How many points of an object a view must show without a label: of boxes, whose objects may own
 * some that are beside it, half of what its labels have on average. */
static int32_t least_bare(const judging *j, int32_t object) {
    int64_t inside = 0, boxes = 0;
    for (int64_t i = j->members.start[object]; i < j->members.start[object + 1]; i++) {
        const int32_t a = j->members.item[i];
        if (j->w.in->label_exact[a]) continue;
        inside += j->w.inside[a];
        boxes++;
    }
    return VD_MAX(VD_POINTS_MISSING, boxes > 0 ? (int32_t)(inside / (2 * boxes)) : 0);
}

static bool is_missing(const judging *j, int32_t view, int32_t least) {
    const int32_t bare = j->bare.count[view];
    return bare >= least && bare >= VD_POINTS_BARE * j->shown.count[view] &&
           j->loose.count[view] == 0;
}

static int by_value(const void *a, const void *b) {
    const float p = *(const float *)a, q = *(const float *)b;
    return (p > q) - (p < q);
}

/* The box of the bare points but for the outermost twentieths: some may not be the object's. */
static vd_status box_of_bare(judging *j, float box[4], int32_t object, int32_t view, vd_err *err) {
    int64_t n = 0;
    VD_TRY(VD_GROW(j->x, j->cap_x, j->bare.count[view], err));
    VD_TRY(VD_GROW(j->y, j->cap_y, j->bare.count[view], err));
    for (int64_t i = j->points.start[object]; i < j->points.start[object + 1]; i++) {
        const int32_t p = j->points.item[i];
        for (int64_t k = j->w.of_point.start[p]; k < j->w.of_point.start[p + 1]; k++) {
            const int64_t o = j->w.of_point.item[k];
            if (j->w.in->view[o] != view || !is_bare(j, (int32_t)o)) continue;
            j->x[n] = j->w.in->xy[2 * o];
            j->y[n++] = j->w.in->xy[2 * o + 1];
        }
    }
    qsort(j->x, (size_t)n, sizeof *j->x, by_value);
    qsort(j->y, (size_t)n, sizeof *j->y, by_value);
    const int64_t cut = VD_MAX(n / 20, 1); /* VD_POINTS_MISSING or more are there */
    box[0] = j->x[cut];
    box[1] = j->y[cut];
    box[2] = j->x[n - 1 - cut];
    box[3] = j->y[n - 1 - cut];
    return VD_OK;
}

static void look(judging *j, int32_t object) {
    for (int64_t i = j->points.start[object]; i < j->points.start[object + 1]; i++) {
        const int32_t p = j->points.item[i];
        for (int64_t k = j->w.of_point.start[p]; k < j->w.of_point.start[p + 1]; k++) {
            const int32_t o = j->w.of_point.item[k], view = j->w.in->view[o];
            if (j->has[view]) continue;
            vd_point_votes_add(&j->shown, view);
            if (is_bare(j, o)) vd_point_votes_add(&j->bare, view);
            if (is_loose(j, o, j->class_of[object])) vd_point_votes_add(&j->loose, view);
        }
    }
    vd_point_votes_sort(&j->shown);
}

static vd_status judge_views(judging *j, int32_t object, vd_err *err) {
    const int64_t views = j->members.start[object + 1] - j->members.start[object];
    const int32_t least = least_bare(j, object);
    int32_t missing = 0;
    vd_points_doubt d = { .label = -1,
                          .class_of_most = j->class_of[object],
                          .agree = (int32_t)views };
    look(j, object);
    for (int32_t i = 0; i < j->shown.n; i++) missing += is_missing(j, j->shown.list[i], least);
    if (missing == 0 || views < 2 * missing) return VD_OK;
    d.against = missing;
    VD_TRY(add_voters(j, &d, object, -1, err));
    for (int32_t i = 0; i < j->shown.n; i++) {
        d.view = j->shown.list[i];
        d.points = j->bare.count[d.view];
        if (!is_missing(j, d.view, least)) continue;
        VD_TRY(box_of_bare(j, d.box, object, d.view, err));
        VD_TRY(add_doubt(j, d, err));
    }
    return VD_OK;
}

static vd_status judge_object(judging *j, int32_t object, vd_err *err) {
    const int64_t first = j->members.start[object], end = j->members.start[object + 1];
    if (end - first < 3) return VD_OK;
    j->out.objects++;
    vd_status st = judge_classes(j, object, err);
    for (int64_t i = first; i < end; i++) j->has[j->w.in->label_view[j->members.item[i]]] = 1;
    if (st == VD_OK) st = judge_views(j, object, err);
    for (int64_t i = first; i < end; i++) j->has[j->w.in->label_view[j->members.item[i]]] = 0;
    vd_point_votes_clear(&j->votes);
    vd_point_votes_clear(&j->shown);
    vd_point_votes_clear(&j->bare);
    vd_point_votes_clear(&j->loose);
    return st;
}

/* ---- all ---- */

/* The observations that each label covers. */
static vd_status list_covered(vd_lists *l, const vd_points *in, vd_err *err) {
    VD_TRY(vd_lists_new(l, in->n_labels, err));
    for (int64_t o = 0; o < in->n; o++)
        for (int32_t i = 0; i < in->n_covers[o]; i++)
            l->start[vd_cover_index(vd_covers(in, o)[i]) + 2]++;
    VD_TRY(vd_lists_sum(l, in->n_labels, err));
    for (int64_t o = 0; o < in->n; o++)
        for (int32_t i = 0; i < in->n_covers[o]; i++) {
            const int32_t c = vd_covers(in, o)[i];
            vd_lists_put(l, vd_cover_index(c), c < 0 ? (int32_t)(-1 - o) : (int32_t)o);
        }
    return VD_OK;
}

static vd_status allocate(judging *j, vd_err *err) {
    vd_points_work *w = &j->w;
    const size_t labels = (size_t)w->in->n_labels + 1;
    w->object = vd_mem_array(labels, sizeof *w->object);
    w->inside = vd_mem_array(labels, sizeof *w->inside);
    w->pure = vd_mem_array(labels, sizeof *w->pure);
    w->owner = vd_mem_array((size_t)w->in->n_points + 1, sizeof *w->owner);
    j->has = vd_mem_array((size_t)w->in->n_views + 1, sizeof *j->has);
    j->class_of = vd_mem_array(labels, sizeof *j->class_of);
    if (!w->object || !w->inside || !j->class_of || !w->pure || !w->owner || !j->has)
        return vd_nomem(err);
    VD_TRY(vd_point_votes_new(&j->votes, w->in->n_classes, err));
    VD_TRY(vd_point_votes_new(&j->shown, w->in->n_views, err));
    VD_TRY(vd_point_votes_new(&j->loose, w->in->n_views, err));
    return vd_point_votes_new(&j->bare, w->in->n_views, err);
}

static void judging_reset(judging *j) {
    vd_lists_reset(&j->w.of_point);
    vd_lists_reset(&j->w.of_label);
    vd_lists_reset(&j->members);
    vd_lists_reset(&j->points);
    vd_mem_free(j->w.object);
    vd_mem_free(j->w.inside);
    vd_mem_free(j->w.pure);
    vd_mem_free(j->w.owner);
    vd_mem_free(j->w.beside_label);
    vd_mem_free(j->w.beside_object);
    vd_mem_free(j->has);
    vd_mem_free(j->class_of);
    vd_lists_reset(&j->beside);
    vd_lists_reset(&j->beside_of);
    vd_mem_free(j->x);
    vd_mem_free(j->y);
    vd_point_votes_reset(&j->votes);
    vd_point_votes_reset(&j->shown);
    vd_point_votes_reset(&j->bare);
    vd_point_votes_reset(&j->loose);
    vd_points_doubts_reset(&j->out);
}

static vd_status judge(judging *j, vd_err *err) {
    vd_points_work *w = &j->w;
    const vd_points *in = w->in;
    VD_TRY(allocate(j, err));
    VD_TRY(vd_lists_by(&w->of_point, in->point, in->n_points, in->n, err));
    VD_TRY(list_covered(&w->of_label, in, err));
    VD_TRY(vd_points_link(w, err));
    for (int round = 0; round < 2; round++) {
        VD_TRY(vd_points_own(w, err));
        VD_TRY(vd_points_join(w, err));
    }
    VD_TRY(vd_lists_by(&j->members, w->object, in->n_labels, in->n_labels, err));
    VD_TRY(vd_lists_by(&j->points, w->owner, in->n_labels, in->n_points, err));
    VD_TRY(vd_lists_by(&j->beside, w->beside_label, in->n_labels, w->n_beside, err));
    VD_TRY(vd_lists_by(&j->beside_of, w->beside_object, in->n_labels, w->n_beside, err));
    for (int32_t a = 0; a < in->n_labels; a++) set_class(j, a);
    for (int32_t a = 0; a < in->n_labels; a++) VD_TRY(judge_object(j, a, err));
    return VD_OK;
}

vd_status vd_points_judge(vd_points_doubts *out, const vd_points *in, vd_err *err) {
    judging j = { .w = { .in = in } };
    if (in->n > INT32_MAX)
        return vd_fail(err, VD_E_LIMIT, "labels: %lld observations of points, the limit is %d",
                       (long long)in->n, INT32_MAX);
    vd_status st = judge(&j, err);
    if (st == VD_OK) {
        vd_points_doubts_reset(out);
        j.out.links = j.w.n_links;
        *out = j.out;
        j.out = (vd_points_doubts){ 0 };
    }
    judging_reset(&j);
    return st;
}

void vd_points_doubts_reset(vd_points_doubts *d) {
    vd_mem_free(d->row);
    vd_mem_free(d->voter);
    *d = (vd_points_doubts){ 0 };
}
