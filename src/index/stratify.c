/* Iterative stratification of groups. SPDX-License-Identifier: Apache-2.0
 *
 * First the items are dealt out, the rarest kind first, then they move. How far the parts are from
 * what they should have is the sum, over parts and kinds, of (have - want)^2 / want, with the
 * weight of the parts like KINDS_FOR_WEIGHT more kinds. An item moves to the part where that falls
 * most. Counts are whole and what is wanted is a product, so all sums are the same everywhere. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "index/counts.h"

enum {
    ROUNDS = 30,        /* of moves; few are ever needed */
    EXCHANGES = 4,      /* rounds of those */
    LOOKS = 4 << 20,    /* at pairs, in each */
    MOST_PARTNERS = 64, /* looked at for one item */
    NOWHERE = 255,
};
static const double KINDS_FOR_WEIGHT = 8; /* shares of pictures are what people look at first */
static const double WORTH_IT = 1e-9;      /* a move must bring more than rounding does */

typedef struct taker {
    int64_t n, weight; /* of the kind, of the item */
    uint64_t draw;
    int32_t item;
} taker;

typedef struct dealer {
    const vd_counts *c;
    const int64_t *weight;
    const uint64_t *draw;
    const double *share;
    int n_parts;
    uint8_t *part;
    int64_t *total, *left, *have; /* of kinds: in all, not yet dealt, have[part * n_kinds + kind] */
    int64_t *have_weight, all_weight;
    int64_t *first; /* [n_kinds + 1] of the items of a kind in `taker` */
    taker *taker;
} dealer;

static void dealer_reset(dealer *d) {
    vd_mem_free(d->total);
    vd_mem_free(d->left);
    vd_mem_free(d->have);
    vd_mem_free(d->have_weight);
    vd_mem_free(d->first);
    vd_mem_free(d->taker);
}

static int by_most(const void *a, const void *b) {
    const taker *p = a, *q = b;
    if (p->n != q->n) return p->n > q->n ? -1 : 1;
    if (p->weight != q->weight) return p->weight > q->weight ? -1 : 1;
    if (p->draw != q->draw) return p->draw < q->draw ? -1 : 1;
    return (p->item > q->item) - (p->item < q->item);
}

/* The items of each kind, those with most of it first; items without any kind are of one more. */
static vd_status list_takers(dealer *d, vd_err *err) {
    const vd_counts *c = d->c;
    const size_t kinds = (size_t)c->n_kinds;
    d->total = vd_mem_array(kinds, sizeof *d->total);
    d->left = vd_mem_array(kinds, sizeof *d->left);
    d->have = vd_mem_array(kinds * (size_t)d->n_parts, sizeof *d->have);
    d->have_weight = vd_mem_array((size_t)d->n_parts, sizeof *d->have_weight);
    d->first = vd_mem_array(kinds + 3, sizeof *d->first);
    d->taker = vd_mem_array((size_t)(c->n_pairs + c->n), sizeof *d->taker);
    if (d->total == NULL || d->left == NULL || d->have == NULL || d->have_weight == NULL ||
        d->first == NULL || d->taker == NULL)
        return vd_nomem(err);
    for (int64_t k = 0; k < c->n_pairs; k++) {
        d->total[c->pair[k].kind] += c->pair[k].n;
        d->first[c->pair[k].kind + 2]++;
    }
    memcpy(d->left, d->total, kinds * sizeof *d->left);
    for (int32_t k = 0; k <= c->n_kinds; k++) d->first[k + 2] += d->first[k + 1];
    for (int64_t i = 0; i < c->n; i++) {
        taker t = { 0, d->weight[i], d->draw[i], (int32_t)i };
        d->all_weight += d->weight[i];
        d->part[i] = NOWHERE;
        for (int64_t k = c->start[i]; k < c->start[i + 1]; k++) {
            t.n = c->pair[k].n;
            d->taker[d->first[c->pair[k].kind + 1]++] = t;
        }
        t.n = 0;
        if (c->start[i] == c->start[i + 1]) d->taker[d->first[c->n_kinds + 1]++] = t;
    }
    for (int32_t k = 0; k <= c->n_kinds; k++)
        qsort(d->taker + d->first[k], (size_t)(d->first[k + 1] - d->first[k]), sizeof *d->taker,
              by_most);
    return VD_OK;
}

/* What a part still wants of a kind, and of weight. */
static double wants(const dealer *d, int p, int32_t kind) {
    return d->share[p] * (double)d->total[kind] -
           (double)d->have[(int64_t)p * d->c->n_kinds + kind];
}

static double wants_weight(const dealer *d, int p) {
    return d->share[p] * (double)d->all_weight - (double)d->have_weight[p];
}

static void give(dealer *d, int32_t item, int p, int sign) {
    const vd_counts *c = d->c;
    int64_t *have = d->have + (int64_t)p * c->n_kinds;
    for (int64_t k = c->start[item]; k < c->start[item + 1]; k++)
        have[c->pair[k].kind] += sign * c->pair[k].n;
    d->have_weight[p] += sign * d->weight[item];
}

/* The part that wants most of the kind, then of weight; what is left of a tie goes by the draw. */
static int neediest(const dealer *d, int32_t kind, uint64_t draw) {
    int best = 0, ties = 0;
    int tied[256];
    for (int p = 0; p < d->n_parts; p++) {
        double a = kind < d->c->n_kinds ? wants(d, p, kind) - wants(d, best, kind) : 0;
        if (a == 0) a = wants_weight(d, p) - wants_weight(d, best);
        if (a < 0) continue;
        if (a > 0) ties = 0;
        if (a > 0) best = p;
        tied[ties++] = p;
    }
    return tied[draw % (uint64_t)ties];
}

static void deal_kind(dealer *d, int32_t kind) {
    for (int64_t i = d->first[kind]; i < d->first[kind + 1]; i++) {
        const taker *t = &d->taker[i];
        if (d->part[t->item] != NOWHERE) continue;
        int p = neediest(d, kind, t->draw);
        d->part[t->item] = (uint8_t)p;
        give(d, t->item, p, 1);
        for (int64_t k = d->c->start[t->item]; k < d->c->start[t->item + 1]; k++)
            d->left[d->c->pair[k].kind] -= d->c->pair[k].n;
    }
}

static void deal(dealer *d) {
    for (;;) {
        int32_t rarest = -1;
        for (int32_t k = 0; k < d->c->n_kinds; k++)
            if (d->left[k] > 0 && (rarest < 0 || d->left[k] < d->left[rarest])) rarest = k;
        if (rarest < 0) break;
        deal_kind(d, rarest);
    }
    deal_kind(d, d->c->n_kinds);
}

/* By how much the distance of a part from what it should have grows when it gets the item (sign 1)
 * or loses it (-1): ((want - have -+ n)^2 - (want - have)^2) / want. */
static double growth(const dealer *d, int32_t item, int p, int sign) {
    const vd_counts *c = d->c;
    double sum = 0, n = sign * (double)d->weight[item];
    for (int64_t k = c->start[item]; k < c->start[item + 1]; k++) {
        const double m = sign * (double)c->pair[k].n;
        sum += m * (m - 2 * wants(d, p, c->pair[k].kind)) /
               (d->share[p] * (double)d->total[c->pair[k].kind]);
    }
    return sum + KINDS_FOR_WEIGHT * n * (n - 2 * wants_weight(d, p)) /
                     (d->share[p] * (double)d->all_weight);
}

static bool move_items(dealer *d) {
    bool moved = false;
    for (int32_t i = 0; i < d->c->n; i++) {
        int from = d->part[i], best = from;
        double least = -WORTH_IT, away = growth(d, i, from, -1);
        for (int p = 0; p < d->n_parts; p++) {
            double g = p != from ? away + growth(d, i, p, 1) : 0;
            if (g >= least) continue;
            least = g;
            best = p;
        }
        if (best == from) continue;
        give(d, i, from, -1);
        give(d, i, best, 1);
        d->part[i] = (uint8_t)best;
        moved = true;
    }
    return moved;
}

/* Tries an item in another part: which of some items of that part should come in return, -1: none.
 */
static int32_t find_partner(const dealer *d, int32_t i, int from, int to, double cost,
                            int64_t partners) {
    int32_t best = -1;
    double least = -WORTH_IT;
    for (int64_t t = 1, at = i; t <= partners; t++) {
        at = (at + 1 + (int64_t)(d->draw[i] % 61)) % d->c->n;
        if (d->part[at] != to) continue;
        double g = cost + growth(d, (int32_t)at, to, -1) + growth(d, (int32_t)at, from, 1);
        if (g < least) best = (int32_t)at;
        least = VD_MIN(least, g);
    }
    return best;
}

static bool exchange_items(dealer *d) {
    const int64_t n = d->c->n;
    int64_t partners = VD_CLAMP(LOOKS / VD_MAX(n, 1), 1, VD_MIN(MOST_PARTNERS, n));
    bool moved = false;
    for (int32_t i = 0; i < n; i++) {
        const int from = d->part[i];
        for (int to = 0; to < d->n_parts; to++) {
            if (to == from) continue;
            double cost = growth(d, i, from, -1) + growth(d, i, to, 1);
            give(d, i, from, -1);
            give(d, i, to, 1);
            int32_t k = find_partner(d, i, from, to, cost, partners);
            if (k < 0) {
                give(d, i, to, -1);
                give(d, i, from, 1);
                continue;
            }
            give(d, k, to, -1);
            give(d, k, from, 1);
            d->part[i] = (uint8_t)to;
            d->part[k] = (uint8_t)from;
            moved = true;
            break;
        }
    }
    return moved;
}

vd_status vd_stratify(uint8_t *part, const vd_counts *c, const int64_t *weight,
                      const uint64_t *draw, const double *share, int n_parts, vd_err *err) {
    dealer d = {
        .c = c, .weight = weight, .draw = draw, .share = share, .n_parts = n_parts, .part = part
    };
    vd_status st = VD_OK;
    VD_GO(list_takers(&d, err));
    deal(&d);
    for (int i = 0; i <= EXCHANGES; i++) {
        for (int k = 0; k < ROUNDS; k++)
            if (!move_items(&d)) break;
        if (i == EXCHANGES || !exchange_items(&d)) break;
    }
done:
    dealer_reset(&d);
    return st;
}
