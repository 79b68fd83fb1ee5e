/* Votes about labels: each label's points are looked up in the other views, label by label, with
 * counts of views and labels that are cleared after each; so memory is linear in observations,
 * labels and links. SPDX-License-Identifier: Apache-2.0 */
#include "audit/points.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sets.h"

typedef struct link {
    int32_t label;  /* the other */
    int32_t common; /* points */
} link;

/* Lists of numbers: those of i are item[start[i]] .. item[start[i + 1] - 1]. */
typedef struct lists {
    int64_t *start;
    int32_t *item;
} lists;

typedef struct work {
    const vd_points *in;
    vd_points_doubts out;
    lists of_point; /* observations of each point */
    lists of_label; /* observations that each label covers */
    int64_t *link_start;
    link *link;
    int64_t n_links, cap_links;
    /* counts about one label or object at a time, and what of them is not 0 */
    int32_t *shown, *common, *votes; /* by view, label, class */
    int32_t *view_list, *label_list;
    int32_t n_view_list, n_label_list;
    /* objects */
    int32_t *parent;
    lists labels_of; /* labels of each object, by its first label */
    lists points_of; /* points that two labels of it cover */
    int32_t *bare;   /* by view: those under no label */
    float (*box)[4]; /* around them */
    uint8_t *has;    /* by view: it has a label of the object */
} work;

static void lists_reset(lists *l) {
    vd_mem_free(l->start);
    vd_mem_free(l->item);
    *l = (lists){ 0 };
}

/* ---- lists by counting: count into start[i + 2], sum, fill by start[i + 1]++ ---- */

static vd_status lists_count(lists *l, int64_t n, vd_err *err) {
    l->start = vd_mem_array((size_t)n + 2, sizeof *l->start);
    return l->start != NULL ? VD_OK : vd_nomem(err);
}

static vd_status lists_sum(lists *l, int64_t n, vd_err *err) {
    for (int64_t i = 2; i <= n + 1; i++) l->start[i] += l->start[i - 1];
    l->item = vd_mem_array((size_t)l->start[n + 1] + 1, sizeof *l->item);
    return l->item != NULL ? VD_OK : vd_nomem(err);
}

static void lists_put(lists *l, int32_t i, int32_t item) {
    l->item[l->start[i + 1]++] = item;
}

/* Lists the observations by `key` of n; negative ones are left out. */
static vd_status lists_by(lists *l, const int32_t *key, int64_t n_keys, int64_t n, vd_err *err) {
    VD_TRY(lists_count(l, n_keys, err));
    for (int64_t i = 0; i < n; i++)
        if (key[i] >= 0) l->start[key[i] + 2]++;
    VD_TRY(lists_sum(l, n_keys, err));
    for (int64_t i = 0; i < n; i++)
        if (key[i] >= 0) lists_put(l, key[i], (int32_t)i);
    return VD_OK;
}

/* ---- links ---- */

/* Counts one observation of a point of the label at hand, made in another view. */
static void count(work *w, int32_t o) {
    const int32_t view = w->in->view[o], label = w->in->label[o];
    if (label == VD_POINTS_UNSURE) return;
    if (w->shown[view]++ == 0) w->view_list[w->n_view_list++] = view;
    if (label >= 0 && w->common[label]++ == 0) w->label_list[w->n_label_list++] = label;
}

/* Counts the other observations of a point; of very long tracks those that stand near `o` in it,
 * the first after the last, so that `a` counts `b` where `b` counts `a`. */
static void count_track(work *w, int32_t o) {
    const int32_t *track = w->of_point.item + w->of_point.start[w->in->point[o]];
    const int64_t n = w->of_point.start[w->in->point[o] + 1] - w->of_point.start[w->in->point[o]];
    const int32_t view = w->in->view[o];
    if (n <= VD_POINTS_WINDOW) {
        for (int64_t k = 0; k < n; k++)
            if (w->in->view[track[k]] != view) count(w, track[k]);
        return;
    }
    int64_t lo = 0, hi = n - 1; /* tracks are in the order of observations */
    while (lo < hi) {
        const int64_t mid = (lo + hi) / 2;
        if (track[mid] < o)
            lo = mid + 1;
        else
            hi = mid;
    }
    for (int64_t d = -VD_POINTS_WINDOW / 2; d <= VD_POINTS_WINDOW / 2; d++) {
        const int32_t other = track[(lo + d + n) % n];
        if (w->in->view[other] != view) count(w, other);
    }
}

static void forget(work *w) {
    for (int32_t i = 0; i < w->n_view_list; i++) w->shown[w->view_list[i]] = 0;
    for (int32_t i = 0; i < w->n_label_list; i++) w->common[w->label_list[i]] = 0;
    w->n_view_list = w->n_label_list = 0;
}

static int by_number(const void *a, const void *b) {
    const int32_t p = *(const int32_t *)a, q = *(const int32_t *)b;
    return (p > q) - (p < q);
}

/* The labels to which most of a label's points belong, by view: one direction of a link. */
static vd_status lean(work *w, int32_t label, vd_err *err) {
    for (int64_t i = w->of_label.start[label]; i < w->of_label.start[label + 1]; i++)
        count_track(w, w->of_label.item[i]);
    if (w->n_label_list > 1)
        qsort(w->label_list, (size_t)w->n_label_list, sizeof *w->label_list, by_number);
    for (int32_t i = 0; i < w->n_label_list; i++) {
        const int32_t other = w->label_list[i], n = w->common[other];
        if (n < VD_POINTS_LINK || 2 * n <= w->shown[w->in->label_view[other]]) continue;
        VD_TRY(VD_GROW(w->link, w->cap_links, w->n_links + 1, err));
        w->link[w->n_links++] = (link){ other, n };
    }
    w->link_start[label + 1] = w->n_links;
    forget(w);
    return VD_OK;
}

static bool leans(const work *w, int32_t label, int32_t to) {
    int64_t lo = w->link_start[label], hi = w->link_start[label + 1];
    while (lo < hi) {
        const int64_t mid = (lo + hi) / 2;
        if (w->link[mid].label < to)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < w->link_start[label + 1] && w->link[lo].label == to;
}

/* Keeps what leans both ways. A link that goes loses its points, not its place: others are still to
 * be looked up. */
static void keep_mutual(work *w) {
    int64_t n = 0, from = 0;
    for (int32_t a = 0; a < w->in->n_labels; a++)
        for (int64_t i = w->link_start[a]; i < w->link_start[a + 1]; i++)
            if (!leans(w, w->link[i].label, a)) w->link[i].common = 0;
    for (int32_t a = 0; a < w->in->n_labels; a++) {
        for (int64_t i = from; i < w->link_start[a + 1]; i++)
            if (w->link[i].common > 0) w->link[n++] = w->link[i];
        from = w->link_start[a + 1];
        w->link_start[a + 1] = n;
    }
    w->n_links = n;
    w->out.links = n / 2;
}

static vd_status find_links(work *w, vd_err *err) {
    for (int32_t a = 0; a < w->in->n_labels; a++) VD_TRY(lean(w, a, err));
    keep_mutual(w);
    return VD_OK;
}

/* ---- classes ---- */

/* The class of most votes, the lower one of equals; -1: none. */
static int32_t most_of(const work *w, const link *l, int64_t n) {
    int32_t best = -1;
    for (int64_t i = 0; i < n; i++) {
        const int32_t c = w->in->label_class[l[i].label];
        if (c < 0 || c == best) continue;
        if (best < 0 || w->votes[c] > w->votes[best] || (w->votes[c] == w->votes[best] && c < best))
            best = c;
    }
    return best;
}

static vd_status add_doubt(work *w, vd_points_doubt d, vd_err *err) {
    VD_TRY(VD_GROW(w->out.row, w->out.cap, w->out.n + 1, err));
    w->out.row[w->out.n++] = d;
    return VD_OK;
}

static vd_status add_voter(work *w, int32_t label, vd_err *err) {
    VD_TRY(VD_GROW(w->out.voter, w->out.cap_voters, w->out.n_voters + 1, err));
    w->out.voter[w->out.n_voters++] = label;
    return VD_OK;
}

static vd_status judge_class(work *w, int32_t label, vd_err *err) {
    const vd_points *in = w->in;
    const link *l = w->link + w->link_start[label];
    const int64_t n = w->link_start[label + 1] - w->link_start[label];
    const int32_t own = in->label_class[label];
    int32_t all = 0, best, agree = 0, mine = 0;
    if (own < 0) return VD_OK;
    for (int64_t i = 0; i < n; i++) {
        const int32_t c = in->label_class[l[i].label];
        if (c < 0) continue;
        w->votes[c]++;
        all++;
    }
    best = most_of(w, l, n);
    if (best >= 0) agree = w->votes[best];
    mine = w->votes[own] + 1;
    for (int64_t i = 0; i < n; i++)
        if (in->label_class[l[i].label] >= 0) w->votes[in->label_class[l[i].label]] = 0;
    if (best < 0 || best == own || agree < 2 || agree <= mine) return VD_OK;
    vd_points_doubt d = { .view = in->label_view[label],
                          .label = label,
                          .class_of_most = best,
                          .agree = agree,
                          .own = mine,
                          .against = all + 1 - agree - mine,
                          .first = w->out.n_voters };
    for (int64_t i = 0; i < n; i++) {
        if (in->label_class[l[i].label] != best) continue;
        VD_TRY(add_voter(w, l[i].label, err));
        d.points += l[i].common;
    }
    d.n = w->out.n_voters - d.first;
    return add_doubt(w, d, err);
}

/* ---- objects ---- */

/* Links labels to objects: parent[] is the first label of each. */
static vd_status find_objects(work *w, vd_err *err) {
    const int32_t n = w->in->n_labels;
    for (int32_t a = 0; a < n; a++) w->parent[a] = a;
    for (int32_t a = 0; a < n; a++)
        for (int64_t i = w->link_start[a]; i < w->link_start[a + 1]; i++)
            vd_sets_join(w->parent, a, w->link[i].label);
    for (int32_t a = 0; a < n; a++) w->parent[a] = vd_sets_root(w->parent, a);
    return lists_by(&w->labels_of, w->parent, n, n, err);
}

/* Calls for each object and point of which two of its labels cover it: counts, or fills. */
static void core_points(work *w, bool fill) {
    const vd_points *in = w->in;
    for (int32_t p = 0; p < in->n_points; p++) {
        const int64_t end = w->of_point.start[p + 1];
        for (int64_t i = w->of_point.start[p]; i < end; i++) {
            const int32_t a = in->label[w->of_point.item[i]];
            if (a < 0) continue;
            const int32_t object = w->parent[a];
            if (++w->common[object] != 2) continue;
            if (fill)
                lists_put(&w->points_of, object, p);
            else
                w->points_of.start[object + 2]++;
        }
        for (int64_t i = w->of_point.start[p]; i < end; i++)
            if (in->label[w->of_point.item[i]] >= 0)
                w->common[w->parent[in->label[w->of_point.item[i]]]] = 0;
    }
}

/* Counts where a view that has no label of the object shows a point of it. */
static void look_at(work *w, int32_t o) {
    const vd_points *in = w->in;
    const int32_t view = in->view[o];
    const float x = in->xy[2 * (int64_t)o], y = in->xy[2 * (int64_t)o + 1];
    if (w->has[view]) return;
    if (w->shown[view]++ == 0) w->view_list[w->n_view_list++] = view;
    if (in->label[o] != VD_POINTS_NO_LABEL) return;
    float *b = w->box[view];
    if (w->bare[view]++ == 0) {
        b[0] = b[2] = x;
        b[1] = b[3] = y;
    }
    b[0] = VD_MIN(b[0], x);
    b[1] = VD_MIN(b[1], y);
    b[2] = VD_MAX(b[2], x);
    b[3] = VD_MAX(b[3], y);
}

static bool is_missing(const work *w, int32_t view) {
    return w->bare[view] >= VD_POINTS_MISSING && w->bare[view] >= VD_POINTS_BARE * w->shown[view];
}

static vd_status report_missing(work *w, int32_t object, int32_t views, int32_t missing,
                                vd_err *err) {
    const vd_points *in = w->in;
    const int32_t *label = w->labels_of.item + w->labels_of.start[object];
    const int64_t n = w->labels_of.start[object + 1] - w->labels_of.start[object],
                  first = w->out.n_voters;
    int32_t most = -1;
    for (int64_t i = 0; i < n; i++)
        if (in->label_class[label[i]] >= 0) w->votes[in->label_class[label[i]]]++;
    for (int64_t i = 0; i < n; i++) {
        const int32_t c = in->label_class[label[i]];
        if (c >= 0 && (most < 0 || w->votes[c] > w->votes[most] ||
                       (w->votes[c] == w->votes[most] && c < most)))
            most = c;
    }
    for (int64_t i = 0; i < n; i++)
        if (in->label_class[label[i]] >= 0) w->votes[in->label_class[label[i]]] = 0;
    for (int64_t i = 0; i < n; i++)
        if (in->label_class[label[i]] == most) VD_TRY(add_voter(w, label[i], err));
    for (int32_t i = 0; i < w->n_view_list; i++) {
        const int32_t view = w->view_list[i];
        if (!is_missing(w, view)) continue;
        vd_points_doubt d = { .view = view,
                              .label = -1,
                              .class_of_most = most,
                              .agree = views,
                              .against = missing,
                              .points = w->bare[view],
                              .first = first,
                              .n = w->out.n_voters - first };
        memcpy(d.box, w->box[view], sizeof d.box);
        VD_TRY(add_doubt(w, d, err));
    }
    return VD_OK;
}

static vd_status judge_object(work *w, int32_t object, vd_err *err) {
    vd_status st = VD_OK;
    const lists *l = &w->labels_of;
    int32_t views = 0, missing = 0;
    for (int64_t i = l->start[object]; i < l->start[object + 1]; i++) {
        const int32_t view = w->in->label_view[l->item[i]];
        views += !w->has[view];
        w->has[view] = 1;
    }
    if (views >= 3) {
        w->out.objects++;
        for (int64_t i = w->points_of.start[object]; i < w->points_of.start[object + 1]; i++) {
            const int32_t p = w->points_of.item[i];
            for (int64_t k = w->of_point.start[p]; k < w->of_point.start[p + 1]; k++)
                look_at(w, w->of_point.item[k]);
        }
        qsort(w->view_list, (size_t)w->n_view_list, sizeof *w->view_list, by_number);
        for (int32_t i = 0; i < w->n_view_list; i++) missing += is_missing(w, w->view_list[i]);
        if (missing > 0 && views >= 2 * missing)
            st = report_missing(w, object, views, missing, err);
    }
    for (int32_t i = 0; i < w->n_view_list; i++) w->bare[w->view_list[i]] = 0;
    forget(w);
    for (int64_t i = l->start[object]; i < l->start[object + 1]; i++)
        w->has[w->in->label_view[l->item[i]]] = 0;
    return st;
}

/* ---- all ---- */

static vd_status allocate(work *w, vd_err *err) {
    const size_t views = (size_t)w->in->n_views + 1, labels = (size_t)w->in->n_labels + 1,
                 classes = (size_t)w->in->n_classes + 1;
    w->link_start = vd_mem_array(labels, sizeof *w->link_start);
    w->shown = vd_mem_array(views, sizeof *w->shown);
    w->common = vd_mem_array(labels, sizeof *w->common);
    w->votes = vd_mem_array(classes, sizeof *w->votes);
    w->view_list = vd_mem_array(views, sizeof *w->view_list);
    w->label_list = vd_mem_array(labels, sizeof *w->label_list);
    w->parent = vd_mem_array(labels, sizeof *w->parent);
    w->bare = vd_mem_array(views, sizeof *w->bare);
    w->box = vd_mem_array(views, sizeof *w->box);
    w->has = vd_mem_array(views, sizeof *w->has);
    const bool all = w->link_start && w->shown && w->common && w->votes && w->view_list &&
                     w->label_list && w->parent && w->bare && w->box && w->has;
    return all ? VD_OK : vd_nomem(err);
}

static void work_reset(work *w) {
    lists_reset(&w->of_point);
    lists_reset(&w->of_label);
    lists_reset(&w->labels_of);
    lists_reset(&w->points_of);
    vd_mem_free(w->link_start);
    vd_mem_free(w->link);
    vd_mem_free(w->shown);
    vd_mem_free(w->common);
    vd_mem_free(w->votes);
    vd_mem_free(w->view_list);
    vd_mem_free(w->label_list);
    vd_mem_free(w->parent);
    vd_mem_free(w->bare);
    vd_mem_free(w->box);
    vd_mem_free(w->has);
    vd_points_doubts_reset(&w->out);
}

static vd_status judge(work *w, vd_err *err) {
    const vd_points *in = w->in;
    VD_TRY(allocate(w, err));
    VD_TRY(lists_by(&w->of_point, in->point, in->n_points, in->n, err));
    VD_TRY(lists_by(&w->of_label, in->label, in->n_labels, in->n, err));
    VD_TRY(find_links(w, err));
    for (int32_t a = 0; a < in->n_labels; a++) VD_TRY(judge_class(w, a, err));
    VD_TRY(find_objects(w, err));
    VD_TRY(lists_count(&w->points_of, in->n_labels, err));
    core_points(w, false);
    VD_TRY(lists_sum(&w->points_of, in->n_labels, err));
    core_points(w, true);
    for (int32_t a = 0; a < in->n_labels; a++)
        if (w->parent[a] == a) VD_TRY(judge_object(w, a, err));
    return VD_OK;
}

vd_status vd_points_judge(vd_points_doubts *out, const vd_points *in, vd_err *err) {
    work w = { .in = in };
    if (in->n > INT32_MAX)
        return vd_fail(err, VD_E_LIMIT, "labels: %lld observations of points, the limit is %d",
                       (long long)in->n, INT32_MAX);
    vd_status st = judge(&w, err);
    if (st == VD_OK) {
        vd_points_doubts_reset(out);
        *out = w.out;
        w.out = (vd_points_doubts){ 0 };
    }
    work_reset(&w);
    return st;
}

void vd_points_doubts_reset(vd_points_doubts *d) {
    vd_mem_free(d->row);
    vd_mem_free(d->voter);
    *d = (vd_points_doubts){ 0 };
}
