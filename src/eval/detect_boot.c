/* Headline numbers of bootstrap replicates. SPDX-License-Identifier: Apache-2.0
 *
 * A replicate gives every picture a weight, how often it was drawn, and counts hits, false alarms
 * and objects by it; nothing is matched anew. One walk over a category's predictions serves all
 * ranges of areas and thresholds. Sums have a fixed order, a replicate is one task. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "eval/detect_int.h"

static const char frequencies[] = "rcf"; /* of LVIS */
enum { FREQUENCIES = 3 };
enum { CELLS = VD_DETECT_THRESHOLDS * VD_DETECT_AREAS };

/* False alarms before a hit, and hits with it, by weight. */
typedef struct event {
    double misses, hits;
} event;

/* Of one category: what was counted in each cell, area * n_thresholds + threshold. */
typedef struct tally {
    double positives[VD_DETECT_AREAS];
    double hits[VD_DETECT_CAPS][CELLS]; /* by cap */
    double misses[CELLS], misses_all[VD_DETECT_AREAS];
    int64_t n_events[CELLS];
} tally;

/* Sums for means over categories, of the highest cap (precision) and each cap (recall). */
typedef struct sums {
    double precision[CELLS], recall[VD_DETECT_CAPS][CELLS];
    int64_t n[VD_DETECT_AREAS];
} sums;

typedef struct scratch {
    double *weight;    /* of each image */
    double *positives; /* [category * n_areas + range] */
    event *event;      /* [cell][number] */
    int64_t cap_event;
} scratch;

/* What is left of a prediction: they are walked over again and again. */
typedef struct lean {
    int32_t image, rank;
    uint16_t hit[VD_DETECT_AREAS], miss[VD_DETECT_AREAS];
} lean;

typedef struct job {
    const vd_detect_hits *hits;
    lean *lean;          /* by category; what comes after the last hit changes nothing */
    int64_t *lean_begin; /* n_categories + 1 */
    const vd_detect_rules *rules;
    const vd_detect_category *category;
    uint64_t seed;
    double *out;
    scratch *scratch;
} job;

static void draw(const job *j, int64_t replicate, scratch *w) {
    int64_t n = j->hits->n_images, n_areas = j->rules->n_areas;
    vd_rng r = vd_rng_for(j->seed, (uint64_t)replicate, 0);
    memset(w->weight, 0, (size_t)n * sizeof *w->weight);
    memset(w->positives, 0, (size_t)(j->hits->n_categories * n_areas) * sizeof *w->positives);
    for (int64_t i = 0; i < n; i++) w->weight[vd_rng_int(&r, n)] += 1;
    for (int64_t i = 0; i < j->hits->n_positive; i++) {
        const vd_detect_positive *p = &j->hits->positive[i];
        for (int a = 0; a < n_areas; a++)
            if (p->areas >> a & 1) w->positives[p->category * n_areas + a] += w->weight[p->image];
    }
}

/* One prediction in one range. */
static void count(const vd_detect_rules *rules, const lean *h, double weight, int a, tally *t,
                  event *events, int64_t stride) {
    unsigned all = (1u << rules->n_thresholds) - 1, miss = h->miss[a];
    int base = a * rules->n_thresholds;
    if (miss == all) {
        t->misses_all[a] += weight;
        return;
    }
    for (; miss != 0; miss &= miss - 1) t->misses[base + __builtin_ctz(miss)] += weight;
    for (unsigned hit = h->hit[a]; hit != 0; hit &= hit - 1) {
        int c = base + __builtin_ctz(hit);
        for (int m = 0; m < rules->n_caps; m++)
            if (h->rank < rules->cap[m]) t->hits[m][c] += weight;
        events[c * stride + t->n_events[c]++] =
            (event){ t->misses[c] + t->misses_all[a], t->hits[rules->n_caps - 1][c] };
    }
}

static double precision_of(const event *e) {
    return e->hits / (e->misses + e->hits);
}

/* The mean of the best precision from each recall on; or the area below it. */
static double average_precision(const event *e, int64_t n, double positives,
                                const vd_detect_rules *rules) {
    double best = 0, sum = 0;
    int64_t k = n;
    if (rules->metric == VD_DETECT_VOC) {
        for (; k > 0; k--) {
            best = VD_MAX(best, precision_of(&e[k - 1]));
            sum += best * (e[k - 1].hits - (k > 1 ? e[k - 2].hits : 0)) / positives;
        }
        return sum;
    }
    for (int r = rules->n_recalls - 1; r >= 0; r--) {
        double need = rules->recall[r] * positives;
        if (n == 0 || e[n - 1].hits < need) continue;
        for (; k > 0 && e[k - 1].hits >= need; k--) best = VD_MAX(best, precision_of(&e[k - 1]));
        sum += best;
    }
    return sum / rules->n_recalls;
}

static vd_status count_category(const job *j, int64_t k, scratch *w, tally *t, vd_err *err) {
    const vd_detect_rules *rules = j->rules;
    int64_t stride = 0;
    *t = (tally){ 0 };
    for (int a = 0; a < rules->n_areas; a++) {
        t->positives[a] = w->positives[k * rules->n_areas + a];
        stride = VD_MAX(stride, j->hits->positives[k * rules->n_areas + a]);
    }
    VD_TRY(VD_GROW(w->event, w->cap_event, stride * rules->n_areas * rules->n_thresholds, err));
    for (int64_t i = j->lean_begin[k]; i < j->lean_begin[k + 1]; i++) {
        const lean *h = &j->lean[i];
        double weight = w->weight[h->image];
        if (weight == 0) continue;
        for (int a = 0; a < rules->n_areas; a++) count(rules, h, weight, a, t, w->event, stride);
    }
    return VD_OK;
}

static void add_category(const job *j, int64_t k, const scratch *w, const tally *t, sums *s) {
    const vd_detect_rules *rules = j->rules;
    int64_t stride = 0;
    for (int a = 0; a < rules->n_areas; a++)
        stride = VD_MAX(stride, j->hits->positives[k * rules->n_areas + a]);
    for (int a = 0; a < rules->n_areas; a++) {
        if (!(t->positives[a] > 0)) continue;
        s->n[a]++;
        for (int i = 0; i < rules->n_thresholds; i++) {
            int c = a * rules->n_thresholds + i;
            s->precision[c] +=
                average_precision(w->event + c * stride, t->n_events[c], t->positives[a], rules);
            for (int m = 0; m < rules->n_caps; m++)
                s->recall[m][c] += t->hits[m][c] / t->positives[a];
        }
    }
}

static void headlines(const job *j, const sums *all, const sums *group, double *out) {
    const vd_detect_number *number;
    int n = vd_detect__numbers(j->rules, &number);
    for (int i = 0; i < n; i++) {
        const vd_detect_number *q = &number[i];
        const char *in = q->frequency != 0 ? strchr(frequencies, q->frequency) : NULL;
        const sums *s = in != NULL ? &group[in - frequencies] : all;
        double sum = 0;
        int count_t = 0, base = q->area * j->rules->n_thresholds;
        for (int t = 0; t < j->rules->n_thresholds; t++) {
            if (q->threshold >= 0 && t != q->threshold) continue;
            sum += q->recall ? s->recall[q->cap][base + t] : s->precision[base + t];
            count_t++;
        }
        out[i] = s->n[q->area] > 0 ? sum / ((double)s->n[q->area] * count_t) : -1;
    }
}

static vd_status replicate(void *user, int64_t b, int worker, vd_err *err) {
    const job *j = user;
    scratch *w = &j->scratch[worker];
    sums all = { 0 }, group[FREQUENCIES] = { { { 0 } } };
    tally t;
    draw(j, b, w);
    for (int64_t k = 0; k < j->hits->n_categories; k++) {
        VD_TRY(count_category(j, k, w, &t, err));
        add_category(j, k, w, &t, &all);
        for (int g = 0;
             j->rules->metric == VD_DETECT_LVIS && j->category != NULL && g < FREQUENCIES; g++)
            if (j->category[k].frequency == frequencies[g]) add_category(j, k, w, &t, &group[g]);
    }
    headlines(j, &all, group, j->out + b * VD_DETECT_NUMBERS);
    return VD_OK;
}

static vd_status make_lean(job *j, vd_err *err) {
    const vd_detect_hits *h = j->hits;
    j->lean = vd_mem_alloc((size_t)h->begin[h->n_categories] * sizeof *j->lean);
    j->lean_begin = vd_mem_array((size_t)h->n_categories + 1, sizeof *j->lean_begin);
    if (j->lean == NULL || j->lean_begin == NULL) return vd_nomem(err);
    int64_t n = 0, areas = j->rules->n_areas;
    for (int64_t k = 0; k < h->n_categories; k++) {
        int64_t last = n; /* after the last hit */
        for (int64_t i = h->begin[k]; i < h->begin[k + 1]; i++) {
            const vd_detect_hit *p = &h->hit[i];
            lean *q = &j->lean[n++];
            *q = (lean){ .image = p->image, .rank = p->rank };
            memcpy(q->hit, p->hit, sizeof q->hit);
            memcpy(q->miss, p->miss, sizeof q->miss);
            for (int a = 0; a < areas; a++)
                if (p->hit[a] != 0) last = n;
        }
        n = last;
        j->lean_begin[k + 1] = n;
    }
    return VD_OK;
}

vd_status vd_detect_bootstrap(double *out, int64_t n_replicates, uint64_t seed,
                              const vd_detect_hits *hits, const vd_detect_rules *rules,
                              const vd_detect_category *categories, vd_pool *pool, vd_err *err) {
    int jobs = pool != NULL ? vd_pool_jobs(pool) : 1;
    job j = { .hits = hits, .rules = rules, .category = categories, .seed = seed, .out = out };
    vd_status st = make_lean(&j, err);
    j.scratch = vd_mem_array((size_t)jobs, sizeof *j.scratch);
    if (st == VD_OK && j.scratch == NULL) st = vd_nomem(err);
    for (int i = 0; i < jobs && st == VD_OK; i++) {
        scratch *w = &j.scratch[i];
        w->weight = vd_mem_array((size_t)hits->n_images, sizeof *w->weight);
        w->positives =
            vd_mem_array((size_t)hits->n_categories * (size_t)rules->n_areas, sizeof *w->positives);
        if (w->weight == NULL || w->positives == NULL) st = vd_nomem(err);
    }
    if (st == VD_OK) st = vd_pool_for(pool, n_replicates, replicate, &j, err);
    for (int i = 0; j.scratch != NULL && i < jobs; i++) {
        vd_mem_free(j.scratch[i].weight);
        vd_mem_free(j.scratch[i].positives);
        vd_mem_free(j.scratch[i].event);
    }
    vd_mem_free(j.scratch);
    vd_mem_free(j.lean);
    vd_mem_free(j.lean_begin);
    return st;
}
