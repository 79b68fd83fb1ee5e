/* Overlooked, badly located and swapped labels; the formulas are in predictions.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "audit/predictions.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "audit/sweep.h"
#include "base/mem.h"

enum { LEAST_HITS = 10 };
static const double HIT = 0.5, WELL = 0.7, PART = 0.2, FULL_MISS = 0.7, SOFTNESS = 0.1;

typedef struct guess {
    int64_t image, row; /* index in the set; row in table label */
    int32_t category;
    double p, c; /* the score, and what it counts as */
    double box[4];
    /* among the labels of its picture */
    double any, own;   /* the largest overlap with any, with one of its class */
    int64_t own_label; /* that one; -1 */
    bool told;         /* as overlooked */
} guess;

typedef struct judge {
    vd_audit_findings *f;
    const vd_audit_set *s;
    const vd_audit_set *p;
    guess *g; /* by picture, the best score first */
    int64_t n;
    double *threshold; /* of each class */
} judge;

/* What one picture comes to, of each subtype. */
typedef struct quality {
    double weight[3], sum[3];
} quality;
enum { OVERLOOKED, BADLY_LOCATED, SWAPPED };

static void take(quality *q, int subtype, double score) {
    double w = exp(-score / SOFTNESS);
    q->weight[subtype] += w;
    q->sum[subtype] += w * score;
}

static double softmin(const quality *q, int subtype) {
    return q->weight[subtype] > 0 ? q->sum[subtype] / q->weight[subtype] : 1;
}

/* ---- predictions by picture ---- */

static int by_score(const void *pa, const void *pb) {
    const guess *a = pa, *b = pb;
    if (a->image != b->image) return a->image < b->image ? -1 : 1;
    if (a->p != b->p) return a->p > b->p ? -1 : 1;
    return a->row < b->row ? -1 : a->row > b->row;
}

static vd_status collect(judge *w, const vd_audit_join *j, vd_err *err) {
    int64_t n = 0, kept = 0;
    w->g = vd_mem_array((size_t)w->p->n_objects, sizeof *w->g);
    if (w->g == NULL) return vd_nomem(err);
    for (int64_t i = 0; i < w->p->n_objects; i++) {
        const vd_audit_object *o = &w->p->object[i];
        int32_t category = o->category == VD_LABEL_NONE ? VD_LABEL_NONE : j->category[o->category];
        if (j->image[o->image] < 0 || category == VD_LABEL_NONE || isnan(o->score)) continue;
        if (!vd_audit_placed(o)) continue;
        guess g = { .image = j->image[o->image],
                    .row = o->row,
                    .category = category,
                    .p = VD_CLAMP(o->score, 0, 1) };
        memcpy(g.box, o->box, sizeof g.box);
        w->g[n++] = g;
    }
    qsort(w->g, (size_t)n, sizeof *w->g, by_score);
    for (int64_t i = 0, of = 0; i < n; i++) {
        of = i > 0 && w->g[i].image == w->g[i - 1].image ? of + 1 : 0;
        if (of < VD_AUDIT_PREDICTIONS) w->g[kept++] = w->g[i];
    }
    w->n = kept;
    return VD_OK;
}

static bool judged(const vd_audit_object *o) {
    return !(o->has & VD_OBJ_CROWD) && vd_audit_placed(o);
}

/* ---- what a score counts as ---- */

/* For each label the best score of a prediction that is right about it. */
typedef struct hit {
    int32_t category;
    double p;
} hit;

typedef struct hits {
    hit *row;
    int64_t n, cap;
} hits;

static vd_status add_hits(const judge *w, const guess *g, int64_t n, hits *out, vd_err *err) {
    const vd_audit_image *m = &w->s->image[g->image];
    for (int64_t i = m->first; i < m->first + m->n; i++) {
        const vd_audit_object *o = &w->s->object[i];
        if (!judged(o) || o->category == VD_LABEL_NONE) continue;
        for (int64_t k = 0; k < n; k++) {
            if (g[k].category != o->category || vd_audit_iou(g[k].box, o->box) < HIT) continue;
            VD_TRY(VD_GROW(out->row, out->cap, out->n + 1, err));
            out->row[out->n++] = (hit){ o->category, g[k].p };
            break;
        }
    }
    return VD_OK;
}

static int by_number(double a, double b) {
    return a < b ? -1 : a > b;
}

static int by_p(const void *pa, const void *pb) {
    const hit *a = pa, *b = pb;
    return by_number(a->p, b->p);
}

static int by_class(const void *pa, const void *pb) {
    const hit *a = pa, *b = pb;
    return a->category != b->category ? (a->category < b->category ? -1 : 1)
                                      : by_number(a->p, b->p);
}

static double counts_as(double p, double t) {
    if (p >= t) return t < 1 ? 0.5 + 0.5 * (p - t) / (1 - t) : 1;
    return 0.5 * p / t;
}

static int64_t end_of(const judge *w, int64_t at) {
    int64_t end = at;
    while (end < w->n && w->g[end].image == w->g[at].image) end++;
    return end;
}

static vd_status find_hits(judge *w, hits *out, vd_err *err) {
    for (int64_t i = 0, end; i < w->n; i = end) {
        end = end_of(w, i);
        VD_TRY(add_hits(w, w->g + i, end - i, out, err));
    }
    return VD_OK;
}

/* The lowest tenth of the scores of hits ends there; in classes with few of them, that of all. */
static vd_status set_thresholds(judge *w, vd_err *err) {
    vd_status st = VD_OK;
    hits h = { 0 };
    w->threshold = vd_mem_array((size_t)w->s->n_categories, sizeof *w->threshold);
    if (w->threshold == NULL) VD_GO(vd_nomem(err));
    VD_GO(find_hits(w, &h, err));
    if (h.n > 0) qsort(h.row, (size_t)h.n, sizeof *h.row, by_p);
    /* where nothing fits anything, scores are taken at their word */
    double all = h.n > 0 ? h.row[h.n / 10].p : 0.5;
    if (h.n > 0) qsort(h.row, (size_t)h.n, sizeof *h.row, by_class);
    for (int64_t c = 0; c < w->s->n_categories; c++) w->threshold[c] = all;
    for (int64_t i = 0, end; i < h.n; i = end) {
        for (end = i + 1; end < h.n && h.row[end].category == h.row[i].category;) end++;
        if (end - i >= LEAST_HITS) w->threshold[h.row[i].category] = h.row[i + (end - i) / 10].p;
    }
    for (int64_t i = 0; i < w->n; i++)
        w->g[i].c = counts_as(w->g[i].p, w->threshold[w->g[i].category]);
done:
    vd_mem_free(h.row);
    return st;
}

/* ---- one picture ---- */

/* A crowd covers what lies in it. */
static double overlap(const guess *g, const vd_audit_object *o) {
    if (!(o->has & VD_OBJ_CROWD)) return vd_audit_iou(g->box, o->box);
    double w = fmin(g->box[0] + g->box[2], o->box[0] + o->box[2]) - fmax(g->box[0], o->box[0]);
    double h = fmin(g->box[1] + g->box[3], o->box[1] + o->box[3]) - fmax(g->box[1], o->box[1]);
    return w > 0 && h > 0 ? w * h / (g->box[2] * g->box[3]) : 0;
}

static void place(const judge *w, guess *g, int64_t n, const vd_audit_image *m) {
    for (int64_t k = 0; k < n; k++) {
        g[k].any = g[k].own = 0;
        g[k].own_label = -1;
        for (int64_t i = m->first; i < m->first + m->n; i++) {
            const vd_audit_object *o = &w->s->object[i];
            if (!vd_audit_placed(o)) continue;
            double v = overlap(&g[k], o);
            g[k].any = fmax(g[k].any, v);
            if (o->category != g[k].category || o->has & VD_OBJ_CROWD || v <= g[k].own) continue;
            g[k].own = v;
            g[k].own_label = i;
        }
    }
}

/* The overlap once each edge of the prediction has moved by up to a pixel towards the label's: of
 * small objects a rounded edge is a large part. */
static double lenient_iou(const double guess_box[4], const double label[4]) {
    double b[4];
    for (int k = 0; k < 2; k++) {
        double lo = guess_box[k], hi = lo + guess_box[k + 2];
        double to_lo = label[k], to_hi = to_lo + label[k + 2];
        lo += VD_CLAMP(to_lo - lo, -1, 1);
        hi += VD_CLAMP(to_hi - hi, -1, 1);
        b[k] = lo;
        b[k + 2] = hi - lo;
    }
    return b[2] > 0 && b[3] > 0 ? vd_audit_iou(b, label) : 0;
}

/* The label's class and another of which neither is above the other. */
static bool contradicts(const vd_audit_set *s, int32_t label, int32_t other) {
    const char *up = s->category[label].parent, *up_other = s->category[other].parent;
    if (label == other) return false;
    if (up != NULL && strcmp(up, s->category[other].name) == 0) return false;
    return up_other == NULL || strcmp(up_other, s->category[label].name) != 0;
}

static vd_status check_location(judge *w, const guess *g, int64_t n, int64_t label, quality *q,
                                vd_err *err) {
    const vd_audit_object *o = &w->s->object[label];
    const guess *best = NULL;
    double at = 0, score = 1;
    for (int64_t k = 0; k < n; k++) {
        if (g[k].own_label != label) continue;
        double v = lenient_iou(g[k].box, o->box);
        /* even a doubtful prediction speaks for a label that it fits */
        if (v >= WELL && g[k].c >= 0.5 * HIT) return take(q, BADLY_LOCATED, 1), VD_OK;
        if (v < PART || g[k].c < 0.25 || (best != NULL && g[k].c * v <= best->c * at)) continue;
        best = &g[k];
        at = v;
    }
    if (best != NULL) score = 1 - fmin(1, 2 * best->c) * fmin(1, (1 - at) / FULL_MISS);
    take(q, BADLY_LOCATED, score);
    if (best == NULL || at >= WELL) return VD_OK;
    return vd_audit_add_object(w->f, VD_AUDIT_BADLY_LOCATED, w->s, label, best->row, score, err,
                               "a prediction of the same class, score %.3f, overlaps it by %.0f %%",
                               best->p, 100 * at);
}

static vd_status check_class(judge *w, const guess *g, int64_t n, int64_t label, quality *q,
                             vd_err *err) {
    const vd_audit_object *o = &w->s->object[label];
    const guess *best = NULL;
    double own = 0, most = 0, at = 0;
    for (int64_t k = 0; k < n; k++) {
        double v = vd_audit_iou(g[k].box, o->box);
        if (v < HIT) continue;
        if (g[k].category == o->category) own = fmax(own, g[k].c);
        /* what has a label of its own class says nothing about this one */
        if (g[k].own >= HIT || g[k].c * v <= most) continue;
        if (!contradicts(w->s, o->category, g[k].category)) continue;
        best = &g[k];
        at = v;
        most = g[k].c * v;
    }
    double score = best != NULL ? 1 - fmax(0, most - own) : 1;
    take(q, SWAPPED, score);
    if (best == NULL) return VD_OK;
    return vd_audit_add_object(w->f, VD_AUDIT_SWAPPED, w->s, label, best->row, score, err,
                               "a prediction says '%.80s', score %.3f, and overlaps it by %.0f %%",
                               w->s->category[best->category].name, best->p, 100 * at);
}

static bool seen_before(const guess *g, int64_t k) {
    for (int64_t i = 0; i < k; i++)
        if (g[i].told && vd_audit_iou(g[i].box, g[k].box) >= HIT) return true;
    return false;
}

/* A label of its class that no other prediction fits is badly located rather than somewhere else.
 */
static bool belongs_to_label(const guess *g, int64_t n, int64_t k) {
    if (g[k].own < PART) return false;
    for (int64_t i = 0; i < n; i++)
        if (g[i].own_label == g[k].own_label && g[i].own >= HIT) return false;
    return true;
}

static vd_status check_overlooked(judge *w, guess *g, int64_t n, quality *q, vd_err *err) {
    for (int64_t k = 0; k < n; k++) {
        if (g[k].c < 0.5) continue;
        bool explained = g[k].any >= HIT || belongs_to_label(g, n, k) || seen_before(g, k);
        double score = explained ? 1 : 1 - g[k].c * (1 - g[k].any);
        take(q, OVERLOOKED, score);
        if (explained) continue;
        const vd_audit_image *m = &w->s->image[g[k].image];
        vd_audit_finding row = { .kind = VD_AUDIT_OVERLOOKED,
                                 .image = (int32_t)g[k].image,
                                 .image_row = m->row,
                                 .asset = m->asset,
                                 .other = g[k].row,
                                 .name = w->s->category[g[k].category].name,
                                 .score = score };
        memcpy(row.box, g[k].box, sizeof row.box);
        g[k].told = score < w->f->threshold[VD_AUDIT_OVERLOOKED];
        VD_TRY(vd_audit_add(w->f, &row, err,
                            "predicted with score %.3f; the nearest label overlaps it by %.0f %%",
                            g[k].p, 100 * g[k].any));
    }
    return VD_OK;
}

static vd_status judge_picture(judge *w, int64_t image, guess *g, int64_t n, vd_err *err) {
    const vd_audit_image *m = &w->s->image[image];
    quality q = { { 0 }, { 0 } };
    place(w, g, n, m);
    for (int64_t i = m->first; i < m->first + m->n; i++) {
        const vd_audit_object *o = &w->s->object[i];
        if (!judged(o) || o->category == VD_LABEL_NONE) continue;
        VD_TRY(check_location(w, g, n, i, &q, err));
        VD_TRY(check_class(w, g, n, i, &q, err));
    }
    VD_TRY(check_overlooked(w, g, n, &q, err));
    double v[3] = { softmin(&q, OVERLOOKED), softmin(&q, BADLY_LOCATED), softmin(&q, SWAPPED) };
    return vd_audit_add_image(
        w->f, VD_AUDIT_POOR_IMAGE, w->s, image, cbrt(fmax(v[0], 0) * fmax(v[1], 0) * fmax(v[2], 0)),
        err, "overlooked %.2f, badly located %.2f, swapped %.2f", v[0], v[1], v[2]);
}

static vd_status judge_all(judge *w, const vd_audit_join *j, vd_err *err) {
    vd_status st = VD_OK;
    bool *there = vd_mem_array((size_t)w->s->n_images, sizeof *there);
    if (there == NULL) return vd_nomem(err);
    for (int64_t i = 0; i < w->p->n_images; i++)
        if (j->image[i] >= 0) there[j->image[i]] = true;
    for (int64_t i = 0, at = 0, end; i < w->s->n_images && st == VD_OK; i++, at = end) {
        for (end = at; end < w->n && w->g[end].image == i;) end++;
        if (there[i]) st = judge_picture(w, i, w->g + at, end - at, err);
    }
    vd_mem_free(there);
    return st;
}

vd_status vd_audit_predictions(vd_audit_findings *f, const vd_audit_set *s, const vd_audit_set *p,
                               const vd_audit_join *j, vd_err *err) {
    judge w = { .f = f, .s = s, .p = p };
    vd_status st = VD_OK;
    VD_GO(collect(&w, j, err));
    VD_GO(set_thresholds(&w, err));
    VD_GO(judge_all(&w, j, err));
done:
    vd_mem_free(w.g);
    vd_mem_free(w.threshold);
    return st;
}
