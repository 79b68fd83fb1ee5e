/* Figures of classification; see classify.h. SPDX-License-Identifier: Apache-2.0 */
#include "eval/classify.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

const char *const vd_class_number[VD_CLASS_NUMBERS] = {
    "accuracy", "top_k", "balanced_accuracy", "macro_precision", "macro_recall", "macro_f1", "ece"
};
enum { ACCURACY, TOP_K, BALANCED, PRECISION, RECALL, F1, ECE };

void vd_class_items_reset(vd_class_items *c) {
    for (int64_t i = 0; c->name != NULL && i < c->n_classes; i++) vd_mem_free(c->name[i]);
    vd_mem_free(c->name);
    vd_mem_free(c->item);
    vd_mem_free(c->id);
    vd_mem_free(c->ids);
    *c = (vd_class_items){ 0 };
}

/* Sums over items; `tally` beside it by class. */
typedef struct sums {
    int64_t n, hits, among, ranked, confident;
    int64_t count[VD_CLASS_MAX_BINS], right[VD_CLASS_MAX_BINS];
    double confidence[VD_CLASS_MAX_BINS];
} sums;

static void add_item(sums *s, vd_class_tally *tally, const vd_class_item *p,
                     const vd_class_opt *opt) {
    bool hit = p->guess == p->truth;
    s->n++;
    s->hits += hit;
    tally[p->truth].support++;
    tally[p->truth].hits += hit;
    if (p->guess >= 0) tally[p->guess].guessed++;
    s->ranked += p->rank >= 0 || p->guess < 0;
    s->among += p->rank >= 0 && p->rank < opt->top;
    if (isnan(p->confidence)) return;
    int bin = (int)VD_CLAMP(ceil(p->confidence * opt->bins) - 1, 0, opt->bins - 1);
    s->confident++;
    s->count[bin]++;
    s->right[bin] += hit;
    s->confidence[bin] += p->confidence;
}

static double ratio(int64_t a, int64_t b) {
    return b > 0 ? (double)a / (double)b : 0;
}

static void figures(double out[VD_CLASS_NUMBERS], const sums *s, const vd_class_tally *tally,
                    int64_t n_classes, const vd_class_opt *opt) {
    int64_t occurring = 0, seen = 0;
    double found = 0, precision = 0, f1 = 0, error = 0;
    for (int64_t k = 0; k < n_classes; k++) {
        const vd_class_tally *t = &tally[k];
        if (t->support + t->guessed == 0) continue;
        seen++;
        occurring += t->support > 0;
        found += ratio(t->hits, t->support);
        precision += ratio(t->hits, t->guessed);
        f1 += ratio(2 * t->hits, t->support + t->guessed);
    }
    for (int b = 0; b < opt->bins; b++)
        if (s->count[b] > 0) error += fabs((double)s->right[b] - s->confidence[b]);
    double nan = (double)NAN;
    out[ACCURACY] = s->n > 0 ? ratio(s->hits, s->n) : nan;
    out[TOP_K] = s->n > 0 && s->ranked == s->n ? ratio(s->among, s->n) : nan;
    out[BALANCED] = occurring > 0 ? found / (double)occurring : nan;
    out[PRECISION] = seen > 0 ? precision / (double)seen : nan;
    out[RECALL] = seen > 0 ? found / (double)seen : nan;
    out[F1] = seen > 0 ? f1 / (double)seen : nan;
    out[ECE] = s->confident > 0 ? error / (double)s->confident : nan;
}

void vd_class_score(double out[VD_CLASS_NUMBERS], vd_class_tally *tally, const vd_class_items *c,
                    const vd_class_opt *opt) {
    sums s = { 0 };
    memset(tally, 0, (size_t)c->n_classes * sizeof *tally);
    for (int64_t i = 0; i < c->n; i++) add_item(&s, tally, &c->item[i], opt);
    figures(out, &s, tally, c->n_classes, opt);
}

typedef struct job {
    const vd_class_items *c;
    const vd_class_opt *opt;
    uint64_t seed;
    double *out;
} job;

static vd_status replicate(void *user, int64_t b, int worker, vd_err *err) {
    const job *j = user;
    const vd_class_items *c = j->c;
    vd_rng r = vd_rng_for(j->seed, (uint64_t)b, 0);
    vd_class_tally *tally = vd_mem_array((size_t)c->n_classes, sizeof *tally);
    sums s = { 0 };
    (void)worker;
    if (tally == NULL) return vd_nomem(err);
    for (int64_t i = 0; i < c->n; i++) add_item(&s, tally, &c->item[vd_rng_int(&r, c->n)], j->opt);
    figures(j->out + b * VD_CLASS_NUMBERS, &s, tally, c->n_classes, j->opt);
    vd_mem_free(tally);
    return VD_OK;
}

vd_status vd_class_bootstrap(double *out, int64_t n_replicates, uint64_t seed,
                             const vd_class_items *c, const vd_class_opt *opt, vd_pool *pool,
                             vd_err *err) {
    job j = { c, opt, seed, out };
    return vd_pool_for(pool, n_replicates, replicate, &j, err);
}

void vd_class_confusion(int64_t *out, const vd_class_items *c) {
    memset(out, 0, (size_t)c->n_classes * (size_t)c->n_classes * sizeof *out);
    for (int64_t i = 0; i < c->n; i++)
        if (c->item[i].guess >= 0) out[c->item[i].truth * c->n_classes + c->item[i].guess]++;
}
