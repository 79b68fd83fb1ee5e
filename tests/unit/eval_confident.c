/* Confident learning on labels whose errors were planted. SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "base/mem.h"
#include "eval/confident.h"

enum { N = 3000, K = 5 };

/* Items of K classes; a model that is right and sure of itself to a degree that differs by class,
 * give or take `noise`; every label of class 1 is turned to 2 with probability 0.2, of class 3 to 0
 * with 0.1. */
typedef struct world {
    int32_t truth[N], label[N];
    double p[N * K];
    int64_t planted;
} world;

static void make_world(t_case *t, world *w, double noise) {
    static const double sure[K] = { 4, 3, 2.5, 4, 3 };
    vd_rng r = t_rng(t);
    w->planted = 0;
    for (int i = 0; i < N; i++) {
        double sum = 0;
        int truth = (int)vd_rng_int(&r, K);
        w->truth[i] = w->label[i] = truth;
        for (int k = 0; k < K; k++) {
            w->p[i * K + k] = exp((k == truth) * sure[truth] + noise * vd_rng_normal(&r));
            sum += w->p[i * K + k];
        }
        for (int k = 0; k < K; k++) w->p[i * K + k] /= sum;
        double u = vd_rng_f64(&r);
        if (truth == 1 && u < 0.2) w->label[i] = 2;
        if (truth == 3 && u < 0.1) w->label[i] = 0;
        w->planted += w->label[i] != truth;
    }
}

/* With probabilities that are the same for all items of a true class the estimate is exact
 * (theorem 1 of the paper), and so is the list. */
T(an_ideal_model_finds_them_all) {
    static world w;
    vd_err err = { 0 };
    vd_confident c = { 0 };
    make_world(t, &w, 0);
    T_OK(vd_confident_joint(&c, w.label, w.p, N, K, &err));
    double truth[K][K] = { { 0 } };
    for (int i = 0; i < N; i++) truth[w.label[i]][w.truth[i]] += 1.0 / N;
    for (int g = 0; g < K; g++)
        for (int k = 0; k < K; k++) T_NEAR(c.joint[g * K + k], truth[g][k], 1e-12);
    for (int rule = 0; rule <= VD_CONFIDENT_COUNTS; rule++) {
        vd_label_issue *found = NULL;
        int64_t n = 0;
        T_OK(vd_confident_find(&found, &n, &c, w.label, w.p, (vd_confident_rule)rule, &err));
        T_EQ(n, w.planted);
        for (int64_t i = 0; i < n; i++) T_EQ(found[i].guess, w.truth[found[i].item]);
        vd_mem_free(found);
    }
    vd_confident_reset(&c);
}

/* A real one is less sure of some items than of others: it misses errors, but hardly errs. */
T(planted_errors_are_found) {
    static world w;
    vd_err err = { 0 };
    vd_confident c = { 0 };
    make_world(t, &w, 0.5);
    T_OK(vd_confident_joint(&c, w.label, w.p, N, K, &err));
    for (int rule = 0; rule <= VD_CONFIDENT_COUNTS; rule++) {
        vd_label_issue *found = NULL;
        int64_t n = 0, hits = 0;
        T_OK(vd_confident_find(&found, &n, &c, w.label, w.p, (vd_confident_rule)rule, &err));
        for (int64_t i = 0; i < n; i++) {
            hits += w.label[found[i].item] != w.truth[found[i].item];
            T_TRUE(found[i].guess != found[i].given && found[i].margin >= 0);
            if (i > 0) T_TRUE(found[i].self >= found[i - 1].self);
        }
        if (2 * hits < w.planted || 10 * hits < 9 * n)
            T_FAIL("rule %d: %lld found, %lld of %lld planted", rule, (long long)n, (long long)hits,
                   (long long)w.planted);
        vd_mem_free(found);
    }
    vd_confident_reset(&c);
}

/* Worked by hand: item 2 is labelled 0 and confidently 1. */
T(a_small_case_by_hand) {
    const int32_t label[] = { 0, 0, 0, 1, 1 };
    const double p[] = { 0.95, 0.05, 0.9, 0.1, 0.2, 0.8, 0.3, 0.7, 0.4, 0.6 };
    vd_err err = { 0 };
    vd_confident c = { 0 };
    vd_label_issue *found = NULL;
    int64_t n = 0;
    T_OK(vd_confident_joint(&c, label, p, 5, 2, &err));
    T_NEAR(c.threshold[0], (0.95 + 0.9 + 0.2) / 3, 1e-12);
    T_NEAR(c.threshold[1], 0.65, 1e-12);
    const int64_t count[] = { 2, 1, 0, 1 };
    for (int i = 0; i < 4; i++) T_EQ(c.count[i], count[i]);
    const double joint[] = { 0.4, 0.2, 0, 0.4 };
    for (int i = 0; i < 4; i++) T_NEAR(c.joint[i], joint[i], 1e-12);
    T_OK(vd_confident_find(&found, &n, &c, label, p, VD_CONFIDENT_NOISE_RATE, &err));
    T_EQ(n, 1);
    T_EQ(found[0].item, 2);
    T_NEAR(found[0].margin, 0.6, 1e-12);
    vd_mem_free(found);
    vd_confident_reset(&c);
}

T(what_is_no_probability_is_refused) {
    const int32_t label[] = { 0, 1 }, none[] = { 0, 2 };
    const double p[] = { 0.5, 0.5, 0.5, 0.5 }, nan[] = { 0.5, 0.5, NAN, 0.5 },
                 sum[] = { 0.5, 0.5, 0.5, 0.7 };
    vd_err err = { 0 };
    vd_confident c = { 0 };
    T_EQ(vd_confident_joint(&c, none, p, 2, 2, &err), VD_E_ARG);
    T_TRUE(strstr(err.msg, "item 1 has label 2") != NULL);
    err = (vd_err){ 0 };
    T_EQ(vd_confident_joint(&c, label, nan, 2, 2, &err), VD_E_ARG);
    err = (vd_err){ 0 };
    T_EQ(vd_confident_joint(&c, label, sum, 2, 2, &err), VD_E_ARG);
    T_TRUE(strstr(err.msg, "1.2") != NULL);
    err = (vd_err){ 0 };
    T_EQ(vd_confident_joint(&c, label, p, 2, 0, &err), VD_E_ARG);
    T_EQ(c.classes, 0);
    /* nothing, and classes without items, are fine */
    err = (vd_err){ 0 };
    vd_label_issue *found = NULL;
    int64_t n = 7;
    T_OK(vd_confident_joint(&c, label, p, 0, 2, &err));
    T_OK(vd_confident_find(&found, &n, &c, label, p, VD_CONFIDENT_BOTH, &err));
    T_EQ(n, 0);
    vd_mem_free(found);
    vd_confident_reset(&c);
}

T(refused_memory_is_survived) {
    static world w;
    make_world(t, &w, 0.5);
    for (int64_t k = 0;; k++) {
        vd_err err = { 0 };
        vd_confident c = { 0 };
        vd_label_issue *found = NULL;
        int64_t n = 0, before = vd_mem_live();
        vd_mem_fail_at(k, false);
        vd_status st = vd_confident_joint(&c, w.label, w.p, N, K, &err);
        if (st == VD_OK)
            st = vd_confident_find(&found, &n, &c, w.label, w.p, VD_CONFIDENT_BOTH, &err);
        bool hit = vd_mem_fail_clear();
        vd_mem_free(found);
        vd_confident_reset(&c);
        T_EQ(vd_mem_live(), before);
        T_EQ(st, hit ? VD_E_NOMEM : VD_OK);
        if (!hit) break;
    }
}
