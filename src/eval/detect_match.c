/* Which prediction found which object. SPDX-License-Identifier: Apache-2.0
 *
 * Objects are dealt out by category and picture with two stable counting sorts. Each of these groups
 * is matched by itself, for every range of areas and threshold: a prediction looks at the few
 * objects that it overlaps by the lowest threshold at least, and thresholds are bits of a word. Then
 * each category's predictions are put in the order of their scores. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "eval/detect_int.h"

enum { GROUPS_AT_A_TIME = 64, RUN = 16 };
/* COCOeval: an overlap of 1 is enough for a threshold of 1. */
static const double ALMOST_ONE = 1 - 1e-10;

typedef struct group {
    int32_t category, image;
    int64_t truth, n_truths, prediction, n_predictions; /* ranges of the sorted indices */
    int64_t out;                                        /* of its predictions' hits */
    int64_t n_out;
} group;

typedef struct ranked {
    double score;
    int64_t index;
} ranked;

/* Of one worker; grows as needed. */
typedef struct scratch {
    double *overlap;
    ranked *ranked; /* twice as many as there are predictions: the second half for sorting */
    int64_t *order; /* of the truths in a range: those that count first; then candidates */
    uint16_t *taken;
    bool *ignored;
    int64_t cap_overlap, cap_ranked, cap_order, cap_taken, cap_ignored;
} scratch;

typedef struct job {
    const vd_detect_truth *truth;
    const vd_detect_rules *rules;
    vd_detect_pair pair;
    int64_t *truth_index, *prediction_index; /* by category, image, place in the file */
    int64_t n_truths, n_predictions;
    group *group;
    int64_t n_groups, cap_groups;
    vd_detect_hits *out;
    scratch *scratch;
} job;

/* ---- sorting ---- */

static bool before(const ranked *a, const ranked *b) {
    return a->score != b->score ? a->score > b->score : a->index < b->index;
}

/* By descending score, then ascending index: short runs by insertion, then merged. `v` has room for
 * 2 n; the result lies in its first half. */
static void sort_ranked(ranked *v, int64_t n) {
    for (int64_t run = 0; run < n; run += RUN)
        for (int64_t i = run + 1; i < VD_MIN(run + RUN, n); i++) {
            ranked x = v[i];
            int64_t k = i;
            for (; k > run && before(&x, &v[k - 1]); k--) v[k] = v[k - 1];
            v[k] = x;
        }
    ranked *from = v, *to = v + n;
    for (int64_t size = RUN; size < n; size *= 2) {
        for (int64_t lo = 0; lo < n; lo += 2 * size) {
            int64_t mid = VD_MIN(lo + size, n), hi = VD_MIN(lo + 2 * size, n), a = lo, b = mid;
            for (int64_t k = lo; k < hi; k++) {
                bool left = a < mid && (b >= hi || before(&from[a], &from[b]));
                to[k] = left ? from[a++] : from[b++];
            }
        }
        ranked *swap = from;
        from = to;
        to = swap;
    }
    if (from != v) memcpy(v, from, (size_t)n * sizeof *v);
}

/* One pass of a stable counting sort; `begin` has n_keys + 1 zeros. */
static void deal(int64_t *out, const int64_t *in, int64_t n, const vd_detect_object *object,
                 bool by_category, int64_t *begin, int64_t n_keys) {
    memset(begin, 0, ((size_t)n_keys + 1) * sizeof *begin);
    for (int64_t i = 0; i < n; i++) {
        const vd_detect_object *o = &object[in[i]];
        begin[(by_category ? o->category : o->image) + 1]++;
    }
    for (int64_t k = 0; k < n_keys; k++) begin[k + 1] += begin[k];
    for (int64_t i = 0; i < n; i++) {
        const vd_detect_object *o = &object[in[i]];
        out[begin[by_category ? o->category : o->image]++] = in[i];
    }
}

/* Indices of what has a category, by category, image and place. */
static vd_status sort_side(int64_t **out, int64_t *n_out, const vd_detect_set *s,
                           const vd_detect_truth *t, vd_err *err) {
    int64_t n = 0, most = VD_MAX(t->n_images, t->n_categories);
    int64_t *a = vd_mem_array((size_t)s->n, sizeof *a), *b = vd_mem_array((size_t)s->n, sizeof *b);
    int64_t *begin = vd_mem_array((size_t)most + 2, sizeof *begin);
    vd_status st = a != NULL && b != NULL && begin != NULL ? VD_OK : vd_nomem(err);
    for (int64_t i = 0; st == VD_OK && i < s->n; i++)
        if (s->object[i].image >= 0 && s->object[i].category >= 0) a[n++] = i;
    if (st == VD_OK) {
        deal(b, a, n, s->object, false, begin, t->n_images);
        deal(a, b, n, s->object, true, begin, t->n_categories);
        *out = a;
        *n_out = n;
        a = NULL;
    }
    vd_mem_free(a);
    vd_mem_free(b);
    vd_mem_free(begin);
    return st;
}

/* ---- groups ---- */

static int64_t key_of(const job *j, const vd_detect_set *s, int64_t index) {
    const vd_detect_object *o = &s->object[index];
    return o->category * j->truth->n_images + o->image;
}

/* Both sides are in the same order: a merge finds what is of the same category and picture. */
static vd_status make_groups(job *j, vd_err *err) {
    const vd_detect_set *truths = j->pair.truths, *predictions = j->pair.predictions;
    const vd_detect_rules *rules = j->rules;
    int64_t g = 0, d = 0, out = 0, cap = rules->cap[rules->n_caps - 1];
    while (g < j->n_truths || d < j->n_predictions) {
        int64_t kg = g < j->n_truths ? key_of(j, truths, j->truth_index[g]) : INT64_MAX;
        int64_t kd =
            d < j->n_predictions ? key_of(j, predictions, j->prediction_index[d]) : INT64_MAX;
        int64_t key = VD_MIN(kg, kd);
        group v = { (int32_t)(key / j->truth->n_images), (int32_t)(key % j->truth->n_images) };
        v.truth = g;
        v.prediction = d;
        v.out = out;
        while (g < j->n_truths && key_of(j, truths, j->truth_index[g]) == key) g++;
        while (d < j->n_predictions && key_of(j, predictions, j->prediction_index[d]) == key) d++;
        v.n_truths = g - v.truth;
        v.n_predictions = d - v.prediction;
        v.n_out = VD_MIN(v.n_predictions, cap);
        out += v.n_out;
        VD_TRY(VD_GROW(j->group, j->cap_groups, j->n_groups + 1, err));
        j->group[j->n_groups++] = v;
        j->out->begin[v.category + 1] = out;
    }
    for (int64_t k = 0; k < j->out->n_categories; k++)
        j->out->begin[k + 1] = VD_MAX(j->out->begin[k + 1], j->out->begin[k]);
    return VD_OK;
}

/* ---- matching ---- */

static bool in_range(double area, const double range[2]) {
    return !(area < range[0] || area > range[1]);
}

/* Which objects count in a range: those first, each kind in the order of the file. */
static void order_truths(const job *j, const group *v, const double range[2], scratch *w) {
    int64_t n = 0;
    for (int64_t g = 0; g < v->n_truths; g++) {
        const vd_detect_object *o = &j->pair.truths->object[j->truth_index[v->truth + g]];
        w->ignored[g] = (o->flags & VD_DETECT_IGNORED) || !in_range(o->area, range);
        w->taken[g] = 0;
        if (!w->ignored[g]) w->order[n++] = g;
    }
    for (int64_t g = 0; g < v->n_truths; g++)
        if (w->ignored[g]) w->order[n++] = g;
}

/* The object that a prediction takes at a threshold, of the candidates in order; -1: none. Of equal
 * overlaps the last one; one that does not count only where no other is. */
static int64_t best_free(const job *j, const group *v, const scratch *w, const double *overlap,
                         const int64_t *candidate, int64_t n, int t) {
    int64_t best = -1;
    double least = VD_MIN(j->rules->threshold[t], ALMOST_ONE);
    for (int64_t i = 0; i < n; i++) {
        int64_t g = candidate[i];
        const vd_detect_object *o = &j->pair.truths->object[j->truth_index[v->truth + g]];
        if ((w->taken[g] >> t & 1) && !(o->flags & VD_DETECT_CROWD)) continue;
        if (best >= 0 && !w->ignored[best] && w->ignored[g]) break;
        if (overlap[g] < least) continue;
        least = overlap[g];
        best = g;
    }
    return best;
}

/* VOC: the object overlapped most, the first of equals, free or not. */
static int64_t best_of_all(const double *overlap, int64_t n, double least) {
    int64_t best = -1;
    for (int64_t g = 0; g < n; g++)
        if (overlap[g] >= least && (best < 0 || overlap[g] > overlap[best])) best = g;
    return best;
}

static void match_voc(const job *j, const group *v, scratch *w, vd_detect_hit *hit) {
    for (int64_t d = 0; d < v->n_out; d++) {
        int64_t g = best_of_all(w->overlap + d * v->n_truths, v->n_truths, j->rules->threshold[0]);
        if (g >= 0 && !w->ignored[g] && !w->taken[g]) {
            w->taken[g] = 1;
            hit[d].hit[0] = 1;
            hit[d].object = j->truth_index[v->truth + g];
        } else if (g < 0 || !w->ignored[g]) {
            hit[d].miss[0] = 1;
        }
    }
}

/* One prediction in one range of areas. */
static void match_one(const job *j, const group *v, int a, scratch *w, int64_t d,
                      vd_detect_hit *hit) {
    const vd_detect_rules *rules = j->rules;
    const vd_detect_object *o = &j->pair.predictions->object[hit->prediction];
    const double *overlap = w->overlap + d * v->n_truths;
    int64_t *candidate = w->order + v->n_truths, n = 0;
    uint16_t found = 0, passed = 0, all = (uint16_t)((1 << rules->n_thresholds) - 1);
    for (int64_t i = 0; i < v->n_truths; i++)
        if (!(overlap[w->order[i]] < rules->threshold[0])) candidate[n++] = w->order[i];
    for (int t = 0; n > 0 && t < rules->n_thresholds; t++) {
        int64_t g = best_free(j, v, w, overlap, candidate, n, t);
        if (g < 0) continue;
        const vd_detect_object *truth = &j->pair.truths->object[j->truth_index[v->truth + g]];
        uint16_t bit = (uint16_t)(1 << t);
        w->taken[g] |= bit;
        if (w->ignored[g]) passed |= bit;
        if (!(truth->flags & VD_DETECT_ID_ZERO)) found |= bit;
        if (a == 0 && t == 0) {
            hit->object = j->truth_index[v->truth + g];
            hit->overlap = overlap[g];
        }
    }
    if (!in_range(o->area, rules->area[a]) || (o->flags & VD_DETECT_UNLISTED))
        passed |= (uint16_t)~found;
    hit->hit[a] = (uint16_t)(found & ~passed & all);
    hit->miss[a] = (uint16_t)(~found & ~passed & all);
}

static vd_status rank_predictions(const job *j, const group *v, scratch *w, vd_err *err) {
    VD_TRY(VD_GROW(w->ranked, w->cap_ranked, 2 * v->n_predictions, err));
    for (int64_t d = 0; d < v->n_predictions; d++) {
        int64_t index = j->prediction_index[v->prediction + d];
        w->ranked[d] = (ranked){ j->pair.predictions->object[index].score, index };
    }
    sort_ranked(w->ranked, v->n_predictions);
    for (int64_t d = 0; d < v->n_out; d++)
        j->prediction_index[v->prediction + d] = w->ranked[d].index;
    return VD_OK;
}

static void init_hit(const group *v, const scratch *w, int64_t d, vd_detect_hit *hit) {
    *hit = (vd_detect_hit){ .score = w->ranked[d].score,
                            .prediction = w->ranked[d].index,
                            .object = -1,
                            .image = v->image,
                            .rank = (int32_t)d };
    for (int64_t g = 0; g < v->n_truths; g++)
        hit->overlap = VD_MAX(hit->overlap, w->overlap[d * v->n_truths + g]);
}

static vd_status match_group(const job *j, const group *v, scratch *w, vd_err *err) {
    vd_detect_hit *hit = j->out->hit + v->out;
    if (v->n_out == 0) return VD_OK;
    VD_TRY(rank_predictions(j, v, w, err));
    VD_TRY(VD_GROW(w->overlap, w->cap_overlap, v->n_out * v->n_truths, err));
    VD_TRY(VD_GROW(w->order, w->cap_order, 2 * v->n_truths, err));
    VD_TRY(VD_GROW(w->taken, w->cap_taken, v->n_truths, err));
    VD_TRY(VD_GROW(w->ignored, w->cap_ignored, v->n_truths, err));
    VD_TRY(vd_detect__overlaps(w->overlap, &j->pair, j->truth_index + v->truth, v->n_truths,
                               j->prediction_index + v->prediction, v->n_out, err));
    for (int64_t d = 0; d < v->n_out; d++) init_hit(v, w, d, &hit[d]);
    for (int a = 0; a < j->rules->n_areas; a++) {
        order_truths(j, v, j->rules->area[a], w);
        if (j->rules->metric >= VD_DETECT_VOC)
            match_voc(j, v, w, hit);
        else
            for (int64_t d = 0; d < v->n_out; d++) match_one(j, v, a, w, d, &hit[d]);
    }
    return VD_OK;
}

static vd_status match_groups(void *user, int64_t item, int worker, vd_err *err) {
    const job *j = user;
    int64_t end = VD_MIN((item + 1) * GROUPS_AT_A_TIME, j->n_groups);
    for (int64_t i = item * GROUPS_AT_A_TIME; i < end; i++)
        VD_TRY(match_group(j, &j->group[i], &j->scratch[worker], err));
    return VD_OK;
}

/* ---- the whole ---- */

/* A category's predictions in the order of scores; of equal ones first those of the first image. */
static vd_status sort_category(void *user, int64_t k, int worker, vd_err *err) {
    const job *j = user;
    scratch *w = &j->scratch[worker];
    vd_detect_hit *hit = j->out->hit + j->out->begin[k];
    int64_t n = j->out->begin[k + 1] - j->out->begin[k];
    VD_TRY(VD_GROW(w->ranked, w->cap_ranked, 2 * n, err));
    vd_detect_hit *copy = vd_mem_alloc((size_t)n * sizeof *copy);
    if (copy == NULL) return vd_nomem(err);
    if (n > 0) memcpy(copy, hit, (size_t)n * sizeof *copy);
    for (int64_t i = 0; i < n; i++) w->ranked[i] = (ranked){ hit[i].score, i };
    sort_ranked(w->ranked, n);
    for (int64_t i = 0; i < n; i++) hit[i] = copy[w->ranked[i].index];
    vd_mem_free(copy);
    return VD_OK;
}

static void count_positives(const job *j) {
    const vd_detect_rules *rules = j->rules;
    for (int64_t i = 0; i < j->n_truths; i++) {
        const vd_detect_object *o = &j->pair.truths->object[j->truth_index[i]];
        vd_detect_positive p = { (int32_t)o->image, (int32_t)o->category, 0 };
        if (o->flags & VD_DETECT_IGNORED) continue;
        for (int a = 0; a < rules->n_areas; a++) {
            if (!in_range(o->area, rules->area[a])) continue;
            p.areas |= (uint8_t)(1 << a);
            j->out->positives[o->category * rules->n_areas + a]++;
        }
        if (p.areas != 0) j->out->positive[j->out->n_positive++] = p;
    }
}

static vd_status run(job *j, vd_pool *pool, vd_err *err) {
    const vd_detect_truth *t = j->truth;
    vd_detect_hits *h = j->out;
    VD_TRY(sort_side(&j->truth_index, &j->n_truths, j->pair.truths, t, err));
    VD_TRY(sort_side(&j->prediction_index, &j->n_predictions, j->pair.predictions, t, err));
    h->begin = vd_mem_array((size_t)h->n_categories + 1, sizeof *h->begin);
    h->positives =
        vd_mem_array((size_t)h->n_categories * (size_t)j->rules->n_areas, sizeof *h->positives);
    h->positive = vd_mem_array((size_t)j->n_truths, sizeof *h->positive);
    if (h->begin == NULL || h->positives == NULL || h->positive == NULL) return vd_nomem(err);
    count_positives(j);
    VD_TRY(make_groups(j, err));
    h->hit = vd_mem_alloc((size_t)h->begin[h->n_categories] * sizeof *h->hit);
    j->scratch = vd_mem_array(pool != NULL ? (size_t)vd_pool_jobs(pool) : 1, sizeof *j->scratch);
    if (h->hit == NULL || j->scratch == NULL) return vd_nomem(err);
    int64_t items = (j->n_groups + GROUPS_AT_A_TIME - 1) / GROUPS_AT_A_TIME;
    VD_TRY(vd_pool_for(pool, items, match_groups, j, err));
    return vd_pool_for(pool, h->n_categories, sort_category, j, err);
}

vd_status vd_detect_match(vd_detect_hits *out, const vd_detect_truth *truth,
                          const vd_detect_set *predictions, const vd_detect_rules *rules,
                          vd_pool *pool, vd_err *err) {
    vd_detect_hits h = { .n_images = truth->n_images, .n_categories = truth->n_categories };
    job j = { .truth = truth,
              .rules = rules,
              .pair = { &truth->objects, predictions, rules },
              .out = &h };
    vd_status st = run(&j, pool, err);
    int jobs = pool != NULL ? vd_pool_jobs(pool) : 1;
    for (int i = 0; j.scratch != NULL && i < jobs; i++) {
        vd_mem_free(j.scratch[i].overlap);
        vd_mem_free(j.scratch[i].ranked);
        vd_mem_free(j.scratch[i].order);
        vd_mem_free(j.scratch[i].taken);
        vd_mem_free(j.scratch[i].ignored);
    }
    vd_mem_free(j.scratch);
    vd_mem_free(j.truth_index);
    vd_mem_free(j.prediction_index);
    vd_mem_free(j.group);
    if (st == VD_OK)
        *out = h;
    else
        vd_detect_hits_reset(&h);
    return st;
}
