/* Even classes and stratified parts, against the plain algorithms. SPDX-License-Identifier:
 * Apache-2.0
 */
#include "t.h"

#include <math.h>

#include "base/mem.h"
#include "index/counts.h"

enum { N = 240, KINDS = 9, PARTS = 3 };

/* Frequent and rare kinds; every ninth item has none. */
static void some_counts(t_case *t, vd_counts *c) {
    vd_err err = { 0 };
    vd_rng r = t_rng(t);
    T_OK(vd_counts_init(c, N, KINDS, &err));
    for (int i = 0; i < N; i++) {
        for (int k = 0; k < KINDS && i % 9 != 8; k++)
            if (vd_rng_int(&r, 2 + 2 * k) == 0)
                T_OK(vd_counts_add(c, k, 1 + (int)vd_rng_int(&r, 4), &err));
        vd_counts_end(c);
    }
}

static double entropy_with(const int64_t *have, const vd_counts *c, int64_t item) {
    int64_t now[KINDS], n = 0;
    double h = 0;
    memcpy(now, have, sizeof now);
    for (int64_t k = c->start[item]; k < c->start[item + 1]; k++)
        now[c->pair[k].kind] += c->pair[k].n;
    for (int k = 0; k < KINDS; k++) n += now[k];
    for (int k = 0; k < KINDS; k++)
        if (now[k] > 0) h -= (double)now[k] / (double)n * log2((double)now[k] / (double)n);
    return h;
}

T(even_choices_are_the_plain_greedy_ones) {
    vd_err err = { 0 };
    vd_counts c = { 0 };
    int32_t chosen[N];
    double evenness[N];
    int64_t n = 0, have[KINDS] = { 0 };
    bool taken[N] = { false };
    some_counts(t, &c);
    T_OK(vd_choose_even(chosen, evenness, &n, &c, N, &err));
    for (int64_t i = 0; i < n; i++) {
        double best = -1, got = entropy_with(have, &c, chosen[i]);
        for (int k = 0; k < N; k++)
            if (!taken[k] && c.start[k] < c.start[k + 1])
                best = VD_MAX(best, entropy_with(have, &c, k));
        T_TRUE(got >= best - 1e-5); /* f has 20 bits behind the point */
        T_NEAR(evenness[i], got / log2(KINDS), 1e-5);
        T_TRUE(!taken[chosen[i]]);
        taken[chosen[i]] = true;
        for (int64_t k = c.start[chosen[i]]; k < c.start[chosen[i] + 1]; k++)
            have[c.pair[k].kind] += c.pair[k].n;
    }
    for (int k = 0; k < N; k++) T_EQ(taken[k], c.start[k] < c.start[k + 1]);
    T_OK(vd_choose_even(chosen, evenness, &n, &c, 5, &err));
    T_EQ(n, 5);
    vd_counts_reset(&c);
}

T(nothing_to_choose_from) {
    vd_err err = { 0 };
    vd_counts c = { 0 };
    int32_t chosen[1];
    double evenness[1];
    int64_t n = 7;
    T_OK(vd_counts_init(&c, 0, 0, &err));
    T_OK(vd_choose_even(chosen, evenness, &n, &c, 1, &err));
    T_EQ(n, 0);
    vd_counts_reset(&c);
    T_OK(vd_counts_init(&c, 1, 1, &err));
    T_OK(vd_counts_add(&c, 0, 3, &err));
    vd_counts_end(&c);
    T_OK(vd_choose_even(chosen, evenness, &n, &c, 1, &err));
    T_EQ(n, 1);
    T_NEAR(evenness[0], 1, 0); /* one kind is as even as it can be */
    vd_counts_reset(&c);
}

/* The sum over parts and kinds, and of weight, of (have - want)^2 / want. */
static double distance(const vd_counts *c, const int64_t *weight, const uint8_t *part,
                       const double *share) {
    double have[PARTS][KINDS + 1] = { { 0 } }, total[KINDS + 1] = { 0 }, sum = 0;
    for (int i = 0; i < N; i++) {
        for (int64_t k = c->start[i]; k < c->start[i + 1]; k++) {
            have[part[i]][c->pair[k].kind] += c->pair[k].n;
            total[c->pair[k].kind] += c->pair[k].n;
        }
        have[part[i]][KINDS] += (double)weight[i];
        total[KINDS] += (double)weight[i];
    }
    for (int p = 0; p < PARTS; p++)
        for (int k = 0; k <= KINDS; k++) {
            double want = share[p] * total[k];
            sum += (have[p][k] - want) * (have[p][k] - want) / want;
        }
    return sum;
}

T(parts_get_their_shares) {
    vd_err err = { 0 };
    const double share[PARTS] = { 0.7, 0.2, 0.1 };
    vd_counts c = { 0 };
    uint8_t part[N], again[N], drawn[N];
    int64_t weight[N];
    uint64_t draw[N];
    vd_rng r = t_rng(t);
    some_counts(t, &c);
    for (int i = 0; i < N; i++) {
        weight[i] = 4 + vd_rng_int(&r, 5);
        draw[i] = vd_rng_u64(&r);
        drawn[i] = (uint8_t)(vd_rng_int(&r, 10) < 7 ? 0 : vd_rng_int(&r, 3) < 2 ? 1 : 2);
    }
    T_OK(vd_stratify(part, &c, weight, draw, share, PARTS, &err));
    double is = distance(&c, weight, part, share);
    T_LT(is, 0.5); /* with ten strata of three parts, what is drawn has about 20 */
    T_LT(10 * is, distance(&c, weight, drawn, share));
    T_OK(vd_stratify(again, &c, weight, draw, share, PARTS, &err));
    T_TRUE(memcmp(part, again, N) == 0);
    vd_counts_reset(&c);
}

T(counts_survive_refused_memory) {
    const double share[PARTS] = { 0.7, 0.2, 0.1 };
    vd_counts c = { 0 };
    uint8_t part[N];
    int64_t weight[N], n = 0;
    uint64_t draw[N] = { 0 };
    int32_t chosen[N];
    double evenness[N];
    some_counts(t, &c);
    for (int i = 0; i < N; i++) weight[i] = 4;
    int64_t live = vd_mem_live();
    for (int way = 0; way < 2; way++) {
        bool hit = true;
        for (int at = 0; hit; at++) {
            vd_err err = { 0 };
            vd_mem_fail_at(at, false);
            vd_status st = way == 0 ? vd_choose_even(chosen, evenness, &n, &c, N, &err)
                                    : vd_stratify(part, &c, weight, draw, share, PARTS, &err);
            hit = vd_mem_fail_clear();
            T_EQ(st, hit ? VD_E_NOMEM : VD_OK);
            T_EQ(vd_mem_live(), live);
        }
    }
    vd_counts_reset(&c);
}
