/* What became of each object and prediction; see detect_verdict.h. SPDX-License-Identifier:
 * Apache-2.0 */
#include "eval/detect_verdict.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "eval/detect_int.h"

enum { IMAGES_AT_A_TIME = 32 };
static const vd_outcome ABSENT = VD_OUTCOMES; /* there is no row */

const char *const vd_outcome_name[VD_OUTCOMES] = { "hit", "miss", "false_alarm", "confused",
                                                   "ignored" };

void vd_detect_verdicts_reset(vd_detect_verdicts *v) {
    vd_mem_free(v->row);
    *v = (vd_detect_verdicts){ 0 };
}

/* One side: what became of each, and which are of each image. */
typedef struct side {
    const vd_detect_set *set;
    vd_detect_verdict *of;
    int64_t *index, *begin;
} side;

typedef struct job {
    side truths, predictions;
    vd_detect_pair pair;
    int64_t n_images;
} job;

/* ---- within a class ---- */

static vd_status side_init(side *s, const vd_detect_set *set, int64_t n_images, vd_err *err) {
    s->set = set;
    s->of = vd_mem_alloc((size_t)set->n * sizeof *s->of);
    s->index = vd_mem_alloc((size_t)set->n * sizeof *s->index);
    s->begin = vd_mem_array((size_t)n_images + 1, sizeof *s->begin);
    if (s->of == NULL || s->index == NULL || s->begin == NULL) return vd_nomem(err);
    for (int64_t i = 0; i < set->n; i++)
        s->of[i] =
            (vd_detect_verdict){ (int32_t)set->object[i].image, VD_PASSED_OVER, -1, -1, -1, 0 };
    return VD_OK;
}

static void side_reset(side *s) {
    vd_mem_free(s->of);
    vd_mem_free(s->index);
    vd_mem_free(s->begin);
}

static void judge_truths(side *s) {
    for (int64_t i = 0; i < s->set->n; i++) {
        const vd_detect_object *o = &s->set->object[i];
        s->of[i].object = i;
        if (o->image < 0 || o->category < 0)
            s->of[i].verdict = ABSENT;
        else if (!(o->flags & VD_DETECT_IGNORED))
            s->of[i].verdict = VD_MISS;
    }
}

static void judge_predictions(job *j, const vd_detect_hits *hits, double least_score) {
    side *p = &j->predictions;
    for (int64_t i = 0; i < p->set->n; i++) {
        p->of[i].prediction = i;
        if (p->set->object[i].score < least_score) p->of[i].verdict = ABSENT;
    }
    for (int64_t i = 0; i < hits->begin[hits->n_categories]; i++) {
        const vd_detect_hit *h = &hits->hit[i];
        vd_detect_verdict *v = &p->of[h->prediction];
        if (v->verdict == ABSENT) continue;
        bool hit = h->hit[0] & 1, miss = h->miss[0] & 1;
        v->verdict = hit ? VD_HIT : miss ? VD_FALSE_ALARM : VD_PASSED_OVER;
        v->object = miss ? -1 : h->object;
        v->overlap = h->overlap;
        if (hit) j->truths.of[h->object].verdict = ABSENT; /* it is in the prediction's row */
    }
}

/* Those that have a row and an image, by image, stable. */
static void deal(side *s, int64_t n_images) {
    int64_t *at = s->begin;
    for (int64_t i = 0; i < s->set->n; i++)
        if (s->set->object[i].image >= 0) at[s->set->object[i].image + 1]++;
    for (int64_t k = 0; k < n_images; k++) at[k + 1] += at[k];
    for (int64_t i = 0; i < s->set->n; i++)
        if (s->set->object[i].image >= 0) s->index[at[s->set->object[i].image]++] = i;
    memmove(at + 1, at, (size_t)n_images * sizeof *at);
    at[0] = 0;
}

/* ---- across classes ---- */

typedef struct scratch {
    vd_detect_view *truth, *alarm;
    double *overlap;
    int64_t cap_truth, cap_alarm, cap_overlap, n_truths, n_alarms;
} scratch;

static vd_detect_view view_of(const vd_detect_set *s, int64_t i) {
    const vd_detect_object *o = &s->object[i];
    vd_detect_view v = { .area = o->area, .score = o->score, .index = i, .flags = o->flags };
    memcpy(v.box, o->box, sizeof v.box);
    return v;
}

static int by_score(const void *a, const void *b) {
    const vd_detect_view *p = a, *q = b;
    if (p->score != q->score) return p->score > q->score ? -1 : 1;
    return (p->index > q->index) - (p->index < q->index);
}

/* The false alarms of an image by descending score, and the objects that count. */
static vd_status gather(const job *j, int64_t image, scratch *w, vd_err *err) {
    const side *t = &j->truths, *p = &j->predictions;
    VD_TRY(VD_GROW(w->truth, w->cap_truth, t->begin[image + 1] - t->begin[image], err));
    VD_TRY(VD_GROW(w->alarm, w->cap_alarm, p->begin[image + 1] - p->begin[image], err));
    w->n_truths = w->n_alarms = 0;
    for (int64_t k = t->begin[image]; k < t->begin[image + 1]; k++) {
        const vd_detect_object *o = &t->set->object[t->index[k]];
        if (o->category >= 0 && !(o->flags & VD_DETECT_IGNORED))
            w->truth[w->n_truths++] = view_of(t->set, t->index[k]);
    }
    for (int64_t k = p->begin[image]; k < p->begin[image + 1]; k++)
        if (p->of[p->index[k]].verdict == VD_FALSE_ALARM)
            w->alarm[w->n_alarms++] = view_of(p->set, p->index[k]);
    if (w->n_alarms > 1) qsort(w->alarm, (size_t)w->n_alarms, sizeof *w->alarm, by_score);
    return VD_OK;
}

static int64_t class_of(const vd_detect_set *s, const vd_detect_view *v) {
    return s->object[v->index].category;
}

/* The object of another class that is overlapped most, of equals the first; -1: none. */
static int64_t other_class(const job *j, const scratch *w, int64_t a, bool free_only) {
    const double *overlap = w->overlap + a * w->n_truths;
    double least = j->pair.rules->threshold[0];
    int64_t best = -1, own = class_of(j->predictions.set, &w->alarm[a]);
    for (int64_t g = 0; g < w->n_truths; g++) {
        const vd_detect_verdict *v = &j->truths.of[w->truth[g].index];
        if (class_of(j->truths.set, &w->truth[g]) == own || overlap[g] < least) continue;
        if (free_only && (v->verdict != VD_MISS || v->taken >= 0)) continue;
        if (best < 0 || overlap[g] > overlap[best]) best = g;
    }
    return best;
}

static vd_status across_classes(const job *j, int64_t image, scratch *w, vd_err *err) {
    VD_TRY(gather(j, image, w, err));
    if (w->n_truths == 0 || w->n_alarms == 0) return VD_OK;
    VD_TRY(VD_GROW(w->overlap, w->cap_overlap, w->n_truths * w->n_alarms, err));
    VD_TRY(vd_detect__overlaps(w->overlap, &j->pair, w->truth, w->n_truths, w->alarm, w->n_alarms,
                               err));
    for (int64_t a = 0; a < w->n_alarms; a++) {
        vd_detect_verdict *v = &j->predictions.of[w->alarm[a].index];
        int64_t most = other_class(j, w, a, false), mine = other_class(j, w, a, true);
        if (most < 0) continue;
        v->verdict = VD_CONFUSED;
        v->object = w->truth[most].index;
        v->overlap = w->overlap[a * w->n_truths + most];
        if (mine < 0) continue;
        v->taken = (int32_t)class_of(j->truths.set, &w->truth[mine]);
        j->truths.of[w->truth[mine].index].taken =
            (int32_t)class_of(j->predictions.set, &w->alarm[a]);
    }
    return VD_OK;
}

static vd_status some_images(void *user, int64_t item, int worker, vd_err *err) {
    const job *j = user;
    scratch w = { 0 };
    vd_status st = VD_OK;
    int64_t end = VD_MIN((item + 1) * IMAGES_AT_A_TIME, j->n_images);
    (void)worker;
    for (int64_t i = item * IMAGES_AT_A_TIME; i < end && st == VD_OK; i++)
        st = across_classes(j, i, &w, err);
    vd_mem_free(w.truth);
    vd_mem_free(w.alarm);
    vd_mem_free(w.overlap);
    return st;
}

/* ---- rows ---- */

static vd_status collect(vd_detect_verdicts *out, const job *j, vd_err *err) {
    const side *const both[2] = { &j->predictions, &j->truths };
    out->row = vd_mem_alloc((size_t)(both[0]->set->n + both[1]->set->n) * sizeof *out->row);
    if (out->row == NULL) return vd_nomem(err);
    for (int64_t image = 0; image < j->n_images; image++)
        for (int k = 0; k < 2; k++)
            for (int64_t i = both[k]->begin[image]; i < both[k]->begin[image + 1]; i++) {
                const vd_detect_verdict *v = &both[k]->of[both[k]->index[i]];
                if (v->verdict != ABSENT) out->row[out->n++] = *v;
            }
    return VD_OK;
}

static vd_status run(vd_detect_verdicts *out, job *j, const vd_detect_hits *hits,
                     double least_score, vd_pool *pool, vd_err *err) {
    VD_TRY(side_init(&j->truths, j->pair.truths, j->n_images, err));
    VD_TRY(side_init(&j->predictions, j->pair.predictions, j->n_images, err));
    judge_truths(&j->truths);
    judge_predictions(j, hits, least_score);
    deal(&j->truths, j->n_images);
    deal(&j->predictions, j->n_images);
    int64_t items = (j->n_images + IMAGES_AT_A_TIME - 1) / IMAGES_AT_A_TIME;
    VD_TRY(vd_pool_for(pool, items, some_images, j, err));
    return collect(out, j, err);
}

vd_status vd_detect_verdicts_make(vd_detect_verdicts *out, const vd_detect_truth *truth,
                                  const vd_detect_set *predictions, const vd_detect_hits *hits,
                                  const vd_detect_rules *rules, double least_score, vd_pool *pool,
                                  vd_err *err) {
    vd_detect_verdicts v = { 0 };
    job j = { .pair = { &truth->objects, predictions, rules }, .n_images = truth->n_images };
    vd_status st = run(&v, &j, hits, least_score, pool, err);
    side_reset(&j.truths);
    side_reset(&j.predictions);
    if (st == VD_OK)
        *out = v;
    else
        vd_detect_verdicts_reset(&v);
    return st;
}

/* ---- confusion ---- */

static int by_cell(const void *a, const void *b) {
    const vd_detect_cell *p = a, *q = b;
    if (p->truth != q->truth) return p->truth < q->truth ? -1 : 1;
    return (p->predicted > q->predicted) - (p->predicted < q->predicted);
}

/* What a row counts as; false: as nothing, or in another row. */
static bool cell_of(vd_detect_cell *out, const vd_detect_verdict *v, const vd_detect_truth *truth,
                    const vd_detect_set *predictions) {
    const vd_detect_object *t = v->object >= 0 ? &truth->objects.object[v->object] : NULL;
    const vd_detect_object *p = v->prediction >= 0 ? &predictions->object[v->prediction] : NULL;
    bool alarm = v->verdict == VD_FALSE_ALARM || v->verdict == VD_CONFUSED;
    if (v->verdict == VD_HIT)
        *out = (vd_detect_cell){ (int32_t)t->category, (int32_t)p->category, 1 };
    else if (v->verdict == VD_MISS)
        *out = (vd_detect_cell){ (int32_t)t->category, v->taken, 1 };
    else if (alarm)
        *out = (vd_detect_cell){ -1, (int32_t)p->category, 1 };
    return v->verdict == VD_HIT || v->verdict == VD_MISS || (alarm && v->taken < 0);
}

vd_status vd_detect_confusion(vd_detect_cell **out, int64_t *n, const vd_detect_verdicts *verdicts,
                              const vd_detect_truth *truth, const vd_detect_set *predictions,
                              vd_err *err) {
    int64_t all = 0, k = 0;
    vd_detect_cell *cell = vd_mem_alloc((size_t)verdicts->n * sizeof *cell);
    if (cell == NULL) return vd_nomem(err);
    for (int64_t i = 0; i < verdicts->n; i++)
        all += cell_of(&cell[all], &verdicts->row[i], truth, predictions);
    if (all > 1) qsort(cell, (size_t)all, sizeof *cell, by_cell);
    for (int64_t i = 0; i < all; i++) {
        if (k > 0 && by_cell(&cell[k - 1], &cell[i]) == 0)
            cell[k - 1].count++;
        else
            cell[k++] = cell[i];
    }
    *out = cell;
    *n = k;
    return VD_OK;
}

/* ---- the best score to cut at ---- */

typedef struct scored {
    double score;
    bool hit;
} scored;

static int descending(const void *a, const void *b) {
    double p = ((const scored *)a)->score, q = ((const scored *)b)->score;
    return (p < q) - (p > q);
}

vd_status vd_detect_best_point(vd_detect_point *out, const vd_detect_hits *hits,
                               const vd_detect_rules *rules, vd_err *err) {
    int64_t n = 0, found = 0, positives = 0, all = hits->begin[hits->n_categories];
    scored *s = vd_mem_alloc((size_t)all * sizeof *s);
    vd_detect_point best = { 0 };
    if (s == NULL) return vd_nomem(err);
    for (int64_t k = 0; k < hits->n_categories; k++)
        positives += hits->positives[k * rules->n_areas];
    for (int64_t i = 0; i < all; i++)
        if ((hits->hit[i].hit[0] | hits->hit[i].miss[0]) & 1)
            s[n++] = (scored){ hits->hit[i].score, hits->hit[i].hit[0] & 1 };
    if (n > 1) qsort(s, (size_t)n, sizeof *s, descending);
    for (int64_t i = 0; i < n; i++) {
        found += s[i].hit;
        if (found == 0 || (i + 1 < n && s[i + 1].score == s[i].score)) continue;
        double f1 = 2 * (double)found / (double)(i + 1 + positives);
        if (f1 > best.f1)
            best = (vd_detect_point){ s[i].score, (double)found / (double)(i + 1),
                                      (double)found / (double)positives, f1 };
    }
    vd_mem_free(s);
    *out = best;
    return VD_OK;
}
