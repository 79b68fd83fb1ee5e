/* Even shares of kinds, greedily. SPDX-License-Identifier: Apache-2.0
 *
 * With n_k objects of kind k chosen, N in all, the entropy of the shares is
 *     H = log2 N - (1 / N) sum_k f(n_k),   f(x) = x log2 x.
 * An item that adds s objects, h_k of kind k, makes of it log2 (N + s) - (A + D) / (N + s), where A
 * is the sum of f before and D = sum_k f(n_k + h_k) - f(n_k). So of all items of one sum s the best
 * is the one of the least D, and a round is a search for the least of some numbers. After it D has
 * changed for the items that share a kind with the chosen one, by what that kind adds; f is rounded
 * to a fixed point, so that such sums are exact. A heap of bounds, as D only grows, is slower:
 * where kinds are even already, nearly all items are nearly as good as the best, and nearly all
 * bounds must be looked at. */
#include "index/counts.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

static const double UNIT = 1 << 20;          /* of f; a bit is that many */
static const int64_t CHOSEN = INT64_MAX / 2; /* no D comes near */

typedef struct summed {
    int64_t sum;
    int32_t item;
} summed;

typedef struct pile {
    int64_t first, end, sum; /* places of the items of one sum */
} pile;

typedef struct holder {
    int32_t place, n; /* that has n of a kind */
} holder;

/* Items lie at places, by their sums. */
typedef struct evener {
    const vd_counts *c;
    int64_t *grows; /* D at each place, or CHOSEN and more */
    int32_t *item;  /* at each place */
    int64_t *first; /* [n_kinds + 1] of those that have a kind, in `with` */
    holder *with;
    pile *pile;
    int64_t n_places, n_piles;
    int64_t *have;        /* objects chosen of each kind */
    int64_t total, spent; /* N, A */
    int64_t *f;           /* f(x) up to the objects of the commonest kind */
} evener;

static void evener_reset(evener *v) {
    vd_mem_free(v->grows);
    vd_mem_free(v->item);
    vd_mem_free(v->first);
    vd_mem_free(v->with);
    vd_mem_free(v->pile);
    vd_mem_free(v->have);
    vd_mem_free(v->f);
}

/* The same on every processor, as that of the maths library is not: with x = m 2^e and
 * t = (m - 1) / (m + 1), ln m = 2 (t + t^3 / 3 + ...), where |t| < 0.172. */
static double log2_of(double x) {
    int e = 0;
    double m = frexp(x, &e), sum = 0;
    if (m < 0.70710678118654752) {
        m *= 2;
        e--;
    }
    const double t = (m - 1) / (m + 1), q = t * t;
    for (int k = 21; k > 0; k -= 2) sum = 1.0 / k + q * sum;
    return e + 2 * t * sum * 1.4426950408889634;
}

static int by_sum(const void *a, const void *b) {
    const summed *p = a, *q = b;
    if (p->sum != q->sum) return p->sum < q->sum ? -1 : 1;
    return (p->item > q->item) - (p->item < q->item);
}

/* The table of f, and the entropy if all kinds that occur were even. */
static vd_status make_table(evener *v, double *most, vd_err *err) {
    const vd_counts *c = v->c;
    int64_t kinds = 0, commonest = 0;
    v->have = vd_mem_array((size_t)c->n_kinds, sizeof *v->have);
    if (v->have == NULL) return vd_nomem(err);
    for (int64_t k = 0; k < c->n_pairs; k++) v->have[c->pair[k].kind] += c->pair[k].n;
    for (int32_t k = 0; k < c->n_kinds; k++) {
        kinds += v->have[k] > 0;
        commonest = VD_MAX(commonest, v->have[k]);
        v->have[k] = 0;
    }
    *most = kinds > 1 ? log2_of((double)kinds) : 0;
    v->f = vd_mem_array((size_t)commonest + 1, sizeof *v->f);
    if (v->f == NULL) return vd_nomem(err);
    for (int64_t x = 1; x <= commonest; x++)
        v->f[x] = llround(UNIT * (double)x * log2_of((double)x));
    return VD_OK;
}

static int64_t growth(const evener *v, int32_t item) {
    int64_t d = 0;
    for (int64_t k = v->c->start[item]; k < v->c->start[item + 1]; k++) {
        const vd_count *p = &v->c->pair[k];
        d += v->f[v->have[p->kind] + p->n] - v->f[v->have[p->kind]];
    }
    return d;
}

/* Places, and the places of each kind. */
static vd_status make_index(evener *v, const summed *by, vd_err *err) {
    const vd_counts *c = v->c;
    size_t n = (size_t)v->n_places;
    v->grows = vd_mem_array(n, sizeof *v->grows);
    v->item = vd_mem_array(n, sizeof *v->item);
    v->pile = vd_mem_array(n, sizeof *v->pile);
    v->first = vd_mem_array((size_t)c->n_kinds + 1, sizeof *v->first);
    v->with = vd_mem_array((size_t)c->n_pairs, sizeof *v->with);
    if (v->grows == NULL || v->item == NULL || v->pile == NULL || v->first == NULL ||
        v->with == NULL)
        return vd_nomem(err);
    for (int64_t k = 0; k < c->n_pairs; k++) v->first[c->pair[k].kind]++;
    for (int32_t k = 0; k < c->n_kinds; k++) v->first[k + 1] += v->first[k]; /* now their ends */
    for (int64_t at = v->n_places; at-- > 0;) {
        int32_t i = by[at].item;
        v->item[at] = i;
        v->grows[at] = growth(v, i);
        for (int64_t k = c->start[i]; k < c->start[i + 1]; k++)
            v->with[--v->first[c->pair[k].kind]] = (holder){ (int32_t)at, c->pair[k].n };
    }
    for (int64_t at = 0; at < v->n_places; at++) {
        if (at == 0 || by[at].sum != by[at - 1].sum)
            v->pile[v->n_piles++] = (pile){ at, at, by[at].sum };
        v->pile[v->n_piles - 1].end++;
    }
    return VD_OK;
}

static vd_status make_piles(evener *v, vd_err *err) {
    const vd_counts *c = v->c;
    summed *by = vd_mem_array((size_t)c->n, sizeof *by);
    if (by == NULL) return vd_nomem(err);
    for (int64_t i = 0; i < c->n; i++) {
        int64_t sum = 0;
        for (int64_t k = c->start[i]; k < c->start[i + 1]; k++) sum += c->pair[k].n;
        if (sum > 0) by[v->n_places++] = (summed){ sum, (int32_t)i };
    }
    qsort(by, (size_t)v->n_places, sizeof *by, by_sum);
    vd_status st = make_index(v, by, err);
    vd_mem_free(by);
    return st;
}

/* The place of the least D, the first of equal ones. */
static int64_t least_of(const evener *v, const pile *p) {
    int64_t best = p->first;
    for (int64_t at = p->first + 1; at < p->end; at++)
        if (v->grows[at] < v->grows[best]) best = at;
    return best;
}

/* The place of the best item, -1 where none is left; *h is the entropy with it. */
static int64_t find_best(const evener *v, double *h) {
    int64_t best = -1;
    for (int64_t i = 0; i < v->n_piles; i++) {
        const pile *p = &v->pile[i];
        int64_t at = least_of(v, p);
        if (v->grows[at] >= CHOSEN) continue;
        double all = (double)(v->total + p->sum);
        double is = log2_of(all) - (double)(v->spent + v->grows[at]) / (UNIT * all);
        if (best >= 0 && (is < *h || (is == *h && v->item[at] > v->item[best]))) continue;
        best = at;
        *h = is;
    }
    return best;
}

/* So many more of a kind are chosen. */
static void add_kind(evener *v, int32_t kind, int32_t n) {
    const int64_t *before = v->f + v->have[kind], *now = before + n;
    for (int64_t w = v->first[kind]; w < v->first[kind + 1]; w++) {
        const holder *o = &v->with[w];
        if (v->grows[o->place] < CHOSEN)
            v->grows[o->place] += now[o->n] - now[0] - before[o->n] + before[0];
    }
    v->have[kind] += n;
    v->total += n;
}

static void take(evener *v, int64_t at) {
    const vd_counts *c = v->c;
    const int32_t item = v->item[at];
    v->spent += v->grows[at];
    v->grows[at] = CHOSEN;
    for (int64_t k = c->start[item]; k < c->start[item + 1]; k++)
        add_kind(v, c->pair[k].kind, c->pair[k].n);
}

vd_status vd_choose_even(int32_t *chosen, double *evenness, int64_t *n_chosen, const vd_counts *c,
                         int64_t count, vd_err *err) {
    evener v = { .c = c };
    double most = 0, h = 0;
    int64_t n = 0;
    vd_status st = VD_OK;
    VD_GO(make_table(&v, &most, err));
    VD_GO(make_piles(&v, err));
    for (; n < count; n++) {
        int64_t at = find_best(&v, &h);
        if (at < 0) break;
        chosen[n] = v.item[at];
        evenness[n] = most > 0 ? VD_CLAMP(h / most, 0, 1) : 1;
        take(&v, at);
    }
    *n_chosen = n;
done:
    evener_reset(&v);
    return st;
}
