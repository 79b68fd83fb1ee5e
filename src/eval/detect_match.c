/* Which prediction found which object. SPDX-License-Identifier: Apache-2.0
 *
 * Objects are dealt out by category and picture with two stable counting sorts. Each of these
 * groups is matched by itself, for every range of areas and threshold: a prediction looks at the
 * few objects that it overlaps by the lowest threshold at least, and thresholds are bits of a word.
 * Then each category's predictions are put in the order of their scores. */
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

/* One side's objects by category, image and place in the file. */
typedef struct side {
    vd_detect_view *view;
    int64_t *key; /* category * n_images + image */
    int64_t n;
} side;

/* Of one worker; grows as needed. */
typedef struct scratch {
    double *overlap;
    ranked *ranked;       /* twice as many as there are predictions: the second half for sorting */
    vd_detect_view *view; /* predictions of a group by descending score */
    int64_t *candidate;
    uint16_t *taken;  /* [range * n_truths + truth]: bits of thresholds */
    uint8_t *ignored; /* of each truth, bits of ranges */
    int64_t cap_overlap, cap_ranked, cap_view, cap_candidate, cap_taken, cap_ignored;
} scratch;

typedef struct job {
    const vd_detect_truth *truth;
    const vd_detect_rules *rules;
    vd_detect_pair pair;
    side truths, predictions;
    group *group;
    int64_t n_groups, cap_groups;
    vd_detect_hits *out;
    scratch *scratch;
} job;

/* ---- sorting ---- */

/* Merges two sorted runs next to each other; of equal scores those of the first come first. */
static void merge_runs(ranked *to, const ranked *a, int64_t n_a, const ranked *b, int64_t n_b) {
    const ranked *end_a = a + n_a, *end_b = b + n_b;
    while (a < end_a && b < end_b) {
        bool left = !(b->score > a->score); /* no branch: scores are in no order to foresee */
        *to++ = left ? *a : *b;
        a += left;
        b += !left;
    }
    memcpy(to, a, (size_t)(end_a - a) * sizeof *a);
    memcpy(to + (end_a - a), b, (size_t)(end_b - b) * sizeof *b);
}

/* By descending score, stable: short runs by insertion, then merged. `v` has room for 2 n; the
 * result lies in its first half. */
static void sort_ranked(ranked *v, int64_t n) {
    for (int64_t run = 0; run < n; run += RUN)
        for (int64_t i = run + 1; i < VD_MIN(run + RUN, n); i++) {
            ranked x = v[i];
            int64_t k = i;
            for (; k > run && x.score > v[k - 1].score; k--) v[k] = v[k - 1];
            v[k] = x;
        }
    ranked *from = v, *to = v + n;
    for (int64_t size = RUN; size < n; size *= 2) {
        for (int64_t lo = 0; lo < n; lo += 2 * size) {
            int64_t mid = VD_MIN(lo + size, n), hi = VD_MIN(lo + 2 * size, n);
            merge_runs(to + lo, from + lo, mid - lo, from + mid, hi - mid);
        }
        ranked *swap = from;
        from = to;
        to = swap;
    }
    if (from != v) memcpy(v, from, (size_t)n * sizeof *v);
}

/* What is sorted by: objects are large, and far apart once they are in another order. */
typedef struct place {
    int32_t image, category;
    int64_t index;
} place;

/* One pass of a stable counting sort; `begin` has n_keys + 1 elements. */
static void deal(place *out, const place *in, int64_t n, bool by_category, int64_t *begin,
                 int64_t n_keys) {
    memset(begin, 0, ((size_t)n_keys + 1) * sizeof *begin);
    for (int64_t i = 0; i < n; i++) begin[(by_category ? in[i].category : in[i].image) + 1]++;
    for (int64_t k = 0; k < n_keys; k++) begin[k + 1] += begin[k];
    for (int64_t i = 0; i < n; i++)
        out[begin[by_category ? in[i].category : in[i].image]++] = in[i];
}

/* What is asked of objects goes along into the new order, at once: there it lies together. */
static void view_places(side *out, const place *in, int64_t n, const vd_detect_set *s,
                        const vd_detect_truth *t) {
    for (int64_t i = 0; i < n; i++) {
        const vd_detect_object *o = &s->object[in[i].index];
        vd_detect_view *v = &out->view[i];
        memcpy(v->box, o->box, sizeof v->box);
        v->area = o->area;
        v->score = o->score;
        v->index = in[i].index;
        v->flags = o->flags;
        out->key[i] = in[i].category * t->n_images + in[i].image;
    }
    out->n = n;
}

/* What has an image and a category. */
static vd_status sort_side(side *out, const vd_detect_set *s, const vd_detect_truth *t,
                           vd_err *err) {
    int64_t most = VD_MAX(t->n_images, t->n_categories), n = 0;
    place *a = vd_mem_alloc((size_t)s->n * sizeof *a), *b = vd_mem_alloc((size_t)s->n * sizeof *b);
    int64_t *begin = vd_mem_alloc(((size_t)most + 2) * sizeof *begin);
    out->view = vd_mem_alloc((size_t)s->n * sizeof *out->view);
    out->key = vd_mem_alloc((size_t)s->n * sizeof *out->key);
    bool ok = a != NULL && b != NULL && begin != NULL && out->view != NULL && out->key != NULL;
    for (int64_t i = 0; ok && i < s->n; i++) {
        const vd_detect_object *o = &s->object[i];
        if (o->image >= 0 && o->category >= 0)
            a[n++] = (place){ (int32_t)o->image, (int32_t)o->category, i };
    }
    if (ok) {
        deal(b, a, n, false, begin, t->n_images);
        deal(a, b, n, true, begin, t->n_categories);
        view_places(out, a, n, s, t);
    }
    vd_mem_free(a);
    vd_mem_free(b);
    vd_mem_free(begin);
    return ok ? VD_OK : vd_nomem(err);
}

/* ---- groups ---- */

/* Both sides are in the same order: a merge finds what is of the same category and picture. */
static vd_status make_groups(job *j, vd_err *err) {
    const side *t = &j->truths, *p = &j->predictions;
    int64_t g = 0, d = 0, out = 0, cap = j->rules->cap[j->rules->n_caps - 1];
    while (g < t->n || d < p->n) {
        int64_t kg = g < t->n ? t->key[g] : INT64_MAX, kd = d < p->n ? p->key[d] : INT64_MAX;
        int64_t key = VD_MIN(kg, kd);
        group v = { .category = (int32_t)(key / j->truth->n_images),
                    .image = (int32_t)(key % j->truth->n_images),
                    .truth = g,
                    .prediction = d,
                    .out = out };
        while (g < t->n && t->key[g] == key) g++;
        while (d < p->n && p->key[d] == key) d++;
        v.n_truths = g - v.truth;
        v.n_predictions = d - v.prediction;
        v.n_out = VD_MIN(v.n_predictions, cap);
        out += v.n_out;
        j->out->begin[v.category + 1] = out;
        if (v.n_out == 0) continue;
        VD_TRY(VD_GROW(j->group, j->cap_groups, j->n_groups + 1, err));
        j->group[j->n_groups++] = v;
    }
    for (int64_t k = 0; k < j->out->n_categories; k++)
        j->out->begin[k + 1] = VD_MAX(j->out->begin[k + 1], j->out->begin[k]);
    return VD_OK;
}

/* ---- matching ---- */

static bool in_range(double area, const double range[2]) {
    return !(area < range[0] || area > range[1]);
}

static const vd_detect_view *truth_of(const job *j, const group *v, int64_t g) {
    return &j->truths.view[v->truth + g];
}

/* Which objects do not count in which ranges. */
static void mark_ignored(const job *j, const group *v, scratch *w) {
    for (int64_t g = 0; g < v->n_truths; g++) {
        const vd_detect_view *o = truth_of(j, v, g);
        w->ignored[g] = 0;
        for (int a = 0; a < j->rules->n_areas; a++)
            if ((o->flags & VD_DETECT_IGNORED) || !in_range(o->area, j->rules->area[a]))
                w->ignored[g] |= (uint8_t)(1 << a);
    }
    memset(w->taken, 0, (size_t)(v->n_truths * j->rules->n_areas) * sizeof *w->taken);
}

/* One prediction that overlaps some objects: n candidates in the order of the file. */
typedef struct bid {
    const double *overlap;
    const int64_t *candidate;
    int64_t n;
} bid;

/* The object that a prediction takes at a threshold in a range: the one overlapped most, of equals
 * the last; one that does not count only where no other is. -1: none. */
static int64_t best_free(const job *j, const group *v, const scratch *w, const bid *p, int a,
                         int t) {
    const uint16_t *taken = w->taken + a * v->n_truths;
    double least = VD_MIN(j->rules->threshold[t], ALMOST_ONE);
    int64_t best = -1;
    for (int ignored = 0; ignored < 2 && best < 0; ignored++)
        for (int64_t i = 0; i < p->n; i++) {
            int64_t g = p->candidate[i];
            if ((w->ignored[g] >> a & 1) != ignored || p->overlap[g] < least) continue;
            if ((taken[g] >> t & 1) && !(truth_of(j, v, g)->flags & VD_DETECT_CROWD)) continue;
            least = p->overlap[g];
            best = g;
        }
    return best;
}

/* VOC: the object overlapped most, the first of equals, free or not. */
static void match_voc(const job *j, const group *v, scratch *w, const bid *p, vd_detect_hit *hit) {
    int64_t best = -1;
    for (int64_t i = 0; i < p->n; i++)
        if (best < 0 || p->overlap[p->candidate[i]] > p->overlap[best]) best = p->candidate[i];
    if (best >= 0 && !w->ignored[best] && !w->taken[best]) {
        w->taken[best] = 1;
        hit->hit[0] = 1;
        hit->object = truth_of(j, v, best)->index;
    } else if (best < 0 || !w->ignored[best]) {
        hit->miss[0] = 1;
    }
}

/* At which thresholds a prediction finds something (bits), and where that does not count. */
static void match_range(const job *j, const group *v, scratch *w, const bid *p, int a,
                        vd_detect_hit *hit, unsigned *found, unsigned *passed) {
    for (int t = 0; t < j->rules->n_thresholds; t++) {
        int64_t g = best_free(j, v, w, p, a, t);
        if (g < 0) continue;
        unsigned bit = 1u << t;
        w->taken[a * v->n_truths + g] |= (uint16_t)bit;
        if (w->ignored[g] >> a & 1) *passed |= bit;
        if (!(truth_of(j, v, g)->flags & VD_DETECT_ID_ZERO)) *found |= bit;
        if (a > 0 || t > 0) continue;
        hit->object = truth_of(j, v, g)->index;
        hit->overlap = p->overlap[g];
    }
}

static void match_one(const job *j, const group *v, scratch *w, int64_t d, vd_detect_hit *hit) {
    const vd_detect_rules *rules = j->rules;
    const vd_detect_view *o = &w->view[d];
    bid p = { w->overlap + d * v->n_truths, w->candidate, 0 };
    unsigned all = (1u << rules->n_thresholds) - 1;
    for (int64_t g = 0; g < v->n_truths; g++) {
        hit->overlap = VD_MAX(hit->overlap, p.overlap[g]);
        if (!(p.overlap[g] < rules->threshold[0])) w->candidate[p.n++] = g;
    }
    if (rules->metric >= VD_DETECT_VOC) {
        match_voc(j, v, w, &p, hit);
        return;
    }
    for (int a = 0; a < rules->n_areas; a++) {
        unsigned found = 0, passed = 0;
        if (p.n > 0) match_range(j, v, w, &p, a, hit, &found, &passed);
        if (!in_range(o->area, rules->area[a]) || (o->flags & VD_DETECT_UNLISTED)) passed |= ~found;
        hit->hit[a] = (uint16_t)(found & ~passed & all);
        hit->miss[a] = (uint16_t)(~found & ~passed & all);
    }
}

static vd_status rank_predictions(const job *j, const group *v, scratch *w, vd_err *err) {
    const vd_detect_view *view = j->predictions.view + v->prediction;
    VD_TRY(VD_GROW(w->ranked, w->cap_ranked, 2 * v->n_predictions, err));
    VD_TRY(VD_GROW(w->view, w->cap_view, v->n_out, err));
    for (int64_t d = 0; d < v->n_predictions; d++) w->ranked[d] = (ranked){ view[d].score, d };
    sort_ranked(w->ranked, v->n_predictions);
    for (int64_t d = 0; d < v->n_out; d++) w->view[d] = view[w->ranked[d].index];
    return VD_OK;
}

static vd_status match_group(const job *j, const group *v, scratch *w, vd_err *err) {
    vd_detect_hit *hit = j->out->hit + v->out;
    VD_TRY(rank_predictions(j, v, w, err));
    VD_TRY(VD_GROW(w->overlap, w->cap_overlap, v->n_out * v->n_truths + 1, err));
    VD_TRY(VD_GROW(w->candidate, w->cap_candidate, v->n_truths, err));
    VD_TRY(VD_GROW(w->taken, w->cap_taken, v->n_truths * j->rules->n_areas + 1, err));
    VD_TRY(VD_GROW(w->ignored, w->cap_ignored, v->n_truths, err));
    VD_TRY(vd_detect__overlaps(w->overlap, &j->pair, j->truths.view + v->truth, v->n_truths,
                               w->view, v->n_out, err));
    mark_ignored(j, v, w);
    for (int64_t d = 0; d < v->n_out; d++) {
        hit[d] = (vd_detect_hit){ .score = w->view[d].score,
                                  .prediction = w->view[d].index,
                                  .object = -1,
                                  .image = v->image,
                                  .rank = (int32_t)d };
        match_one(j, v, w, d, &hit[d]);
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
    if (n == 0) return VD_OK;
    VD_TRY(VD_GROW(w->ranked, w->cap_ranked, 2 * n, err));
    vd_detect_hit *copy = vd_mem_alloc((size_t)n * sizeof *copy);
    if (copy == NULL) return vd_nomem(err);
    memcpy(copy, hit, (size_t)n * sizeof *copy);
    for (int64_t i = 0; i < n; i++) w->ranked[i] = (ranked){ hit[i].score, i };
    sort_ranked(w->ranked, n);
    for (int64_t i = 0; i < n; i++) hit[i] = copy[w->ranked[i].index];
    vd_mem_free(copy);
    return VD_OK;
}

static void count_positives(const job *j) {
    const vd_detect_rules *rules = j->rules;
    for (int64_t i = 0; i < j->truths.n; i++) {
        const vd_detect_view *o = &j->truths.view[i];
        int64_t category = j->truths.key[i] / j->truth->n_images;
        vd_detect_positive p = { (int32_t)(j->truths.key[i] % j->truth->n_images),
                                 (int32_t)category, 0 };
        if (o->flags & VD_DETECT_IGNORED) continue;
        for (int a = 0; a < rules->n_areas; a++) {
            if (!in_range(o->area, rules->area[a])) continue;
            p.areas |= (uint8_t)(1 << a);
            j->out->positives[category * rules->n_areas + a]++;
        }
        if (p.areas != 0) j->out->positive[j->out->n_positive++] = p;
    }
}

static vd_status run(job *j, vd_pool *pool, vd_err *err) {
    const vd_detect_truth *t = j->truth;
    vd_detect_hits *h = j->out;
    VD_TRY(sort_side(&j->truths, j->pair.truths, t, err));
    VD_TRY(sort_side(&j->predictions, j->pair.predictions, t, err));
    h->begin = vd_mem_array((size_t)h->n_categories + 1, sizeof *h->begin);
    h->positives =
        vd_mem_array((size_t)h->n_categories * (size_t)j->rules->n_areas, sizeof *h->positives);
    h->positive = vd_mem_array((size_t)j->truths.n, sizeof *h->positive);
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
    job j = {
        .truth = truth, .rules = rules, .pair = { &truth->objects, predictions, rules }, .out = &h
    };
    vd_status st = run(&j, pool, err);
    int jobs = pool != NULL ? vd_pool_jobs(pool) : 1;
    for (int i = 0; j.scratch != NULL && i < jobs; i++) {
        vd_mem_free(j.scratch[i].overlap);
        vd_mem_free(j.scratch[i].ranked);
        vd_mem_free(j.scratch[i].view);
        vd_mem_free(j.scratch[i].candidate);
        vd_mem_free(j.scratch[i].taken);
        vd_mem_free(j.scratch[i].ignored);
    }
    vd_mem_free(j.scratch);
    vd_mem_free(j.truths.view);
    vd_mem_free(j.truths.key);
    vd_mem_free(j.predictions.view);
    vd_mem_free(j.predictions.key);
    vd_mem_free(j.group);
    if (st == VD_OK)
        *out = h;
    else
        vd_detect_hits_reset(&h);
    return st;
}
