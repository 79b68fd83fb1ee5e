/* Labels beside a model's opinion, and all checks together: refused memory, empty sets.
 * SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "audit/predictions.h"
#include "audit_set.h"

/* ---- predictions ---- */

/* Twenty pictures with a car each, found with a score of 0.9 and boxes that fit; then what is
 * planted into the first ones. */
typedef struct second {
    vd_audit_set s, p;
    vd_audit_findings f;
} second;

static void second_reset(second *w) {
    vd_audit_findings_reset(&w->f);
    vd_audit_set_reset(&w->s);
    vd_audit_set_reset(&w->p);
}

static vd_status second_run(second *w, vd_err *err) {
    vd_audit_join j = { 0 };
    VD_TRY(vd_audit_join_make(&j, &w->s, &w->p, err));
    vd_status st = vd_audit_predictions(&w->f, &w->s, &w->p, &j, err);
    vd_audit_join_reset(&j);
    vd_audit_findings_sort(&w->f);
    return st;
}

static void second_begin(second *w) {
    *w = (second){ 0 };
    vd_audit_findings_init(&w->f);
    for (int i = 0; i < 2; i++) {
        add_category(&w->s, i == 0 ? "car" : "dog", NULL);
        add_category(&w->p, i == 0 ? "dog" : "car", NULL); /* in another order */
    }
    for (int i = 0; i < 20; i++) {
        add_image(&w->s, "x", 640, 480);
        add_image(&w->p, "x", 640, 480);
        add_box(&w->s, 0, 100, 100, 60, 60);
        add_guess(&w->p, 1, 101, 100, 60, 60, i % 2 ? 0.9 : 0.8);
    }
}

static void second_picture(second *w, int64_t asset) {
    add_image(&w->s, "s", 640, 480)->asset = asset;
    add_image(&w->p, "p", 640, 480)->asset = asset;
}

T(predictions_agree_with_right_labels) {
    second w;
    vd_err err = { 0 };
    second_begin(&w);
    T_OK(second_run(&w, &err));
    T_EQ(w.f.n, 0);
    second_reset(&w);
}

/* t is 0.8: a score of 0.9 counts as 3/4, one of 0.8 as 1/2, one of 1 as 1. */
T(predictions_score_by_the_formulas) {
    second w;
    vd_err err = { 0 };
    second_begin(&w);
    second_picture(&w, 100); /* overlooked: seen twice, told once */
    int64_t seen = add_guess(&w.p, 1, 300, 300, 50, 50, 0.9);
    add_guess(&w.p, 1, 302, 300, 50, 50, 0.85);
    add_guess(&w.p, 1, 10, 10, 50, 50, 0.3); /* hardly believed */
    second_picture(&w, 101);                 /* badly located: 60 x 30 of 60 x 60 in common */
    int64_t bad = add_box(&w.s, 0, 100, 130, 60, 60);
    add_guess(&w.p, 1, 100, 100, 60, 60, 0.9);
    second_picture(&w, 102); /* swapped */
    int64_t swap = add_box(&w.s, 0, 200, 200, 80, 80);
    add_guess(&w.p, 0, 200, 200, 80, 80, 1);
    second_picture(&w, 103); /* another class beside its own: 1 - (1 - 1/2) is not below 1/2 */
    add_box(&w.s, 0, 200, 200, 80, 80);
    add_guess(&w.p, 0, 200, 200, 80, 80, 1);
    add_guess(&w.p, 1, 200, 200, 80, 80, 0.8);
    second_picture(&w, 104); /* what a crowd covers is labelled */
    object_at(&w.s, add_box(&w.s, 0, 0, 0, 640, 480))->has |= VD_OBJ_CROWD;
    add_guess(&w.p, 1, 300, 300, 50, 50, 0.9);
    T_OK(second_run(&w, &err));
    T_EQ(count(&w.f, VD_AUDIT_OVERLOOKED), 1);
    T_EQ(count(&w.f, VD_AUDIT_BADLY_LOCATED), 1);
    T_EQ(count(&w.f, VD_AUDIT_SWAPPED), 1);
    const vd_audit_finding *a = find(&w.f, VD_AUDIT_OVERLOOKED, 0);
    T_NEED(a != NULL);
    T_NEAR(a->score, 0.25, 1e-9);
    T_EQ(a->other, seen + 1);
    T_EQ(a->image, 20);
    T_STR(a->name, "car");
    a = find(&w.f, VD_AUDIT_BADLY_LOCATED, bad + 1);
    T_NEED(a != NULL);
    /* each of the upper and lower edges a pixel nearer: 31 of 89 */
    T_NEAR(a->score, 1 - (1 - 31.0 / 89) / 0.7, 1e-9);
    a = find(&w.f, VD_AUDIT_SWAPPED, swap + 1);
    T_NEED(a != NULL);
    T_NEAR(a->score, 0, 1e-9);
    second_reset(&w);
}

T(predictions_without_pictures_or_classes_say_nothing) {
    second w;
    vd_err err = { 0 };
    second_begin(&w);
    for (int64_t i = 0; i < w.p.n_images; i++) {
        w.p.image[i].asset = 0;
        w.p.image[i].name = "elsewhere";
    }
    T_OK(second_run(&w, &err));
    T_EQ(w.f.n, 0);
    second_reset(&w);
}

/* ---- classes of whole pictures ---- */

T(wrong_classes_are_those_of_confident_learning) {
    enum { N = 200 };
    vd_audit_set s = { 0 };
    vd_audit_findings f;
    vd_err err = { 0 };
    static double p[2 * N];
    static int64_t asset[N];
    vd_audit_findings_init(&f);
    for (int i = 0; i < 2; i++) add_category(&s, i == 0 ? "cat" : "dog", NULL);
    for (int i = 0; i < N; i++) {
        bool dog = i % 2, wrong = i == 10 || i == 31;
        add_image(&s, "x", 9, 9);
        object_at(&s, add_box(&s, dog != wrong, 0, 0, 0, 0))->has = 0;
        asset[N - 1 - i] = i + 1; /* in another order */
        p[2 * (N - 1 - i) + dog] = 0.95;
        p[2 * (N - 1 - i) + !dog] = 0.05;
    }
    vd_audit_probabilities q = { p, N, 2, asset };
    T_OK(vd_audit_wrong_classes(&f, &s, &q, &err));
    T_EQ(f.n, 2);
    T_TRUE(find(&f, VD_AUDIT_WRONG_CLASS, 11) != NULL);
    T_TRUE(find(&f, VD_AUDIT_WRONG_CLASS, 32) != NULL);
    q.classes = 3;
    T_EQ(vd_audit_wrong_classes(&f, &s, &q, NULL), VD_E_ARG);
    q.classes = 2;
    q.asset = NULL;
    q.n = N - 1;
    T_EQ(vd_audit_wrong_classes(&f, &s, &q, NULL), VD_E_ARG);
    vd_audit_findings_reset(&f);
    vd_audit_set_reset(&s);
}

/* ---- refused memory, and empty sets ---- */

static vd_status all_checks(second *w, vd_err *err) {
    VD_TRY(vd_audit_missing(&w->f, &w->s, err));
    VD_TRY(vd_audit_sizes(&w->f, &w->s, err));
    VD_TRY(vd_audit_twice(&w->f, &w->s, err));
    VD_TRY(vd_audit_category_names(&w->f, &w->s, err));
    VD_TRY(vd_audit_unused(&w->f, &w->s, err));
    VD_TRY(vd_audit_unknown(&w->f, &w->s, err));
    VD_TRY(vd_audit_doubles(&w->f, &w->s, err));
    VD_TRY(vd_audit_copies(&w->f, &w->s, err));
    VD_TRY(vd_audit_outliers(&w->f, &w->s, err));
    VD_TRY(vd_audit_tracks(&w->f, &w->s, err));
    return second_run(w, err);
}

T(checks_survive_every_refusal) {
    second w;
    vd_err err = { 0 };
    second_begin(&w);
    for (int k = 0; k < 2; k++) {
        vd_audit_image *m = add_image(&w.s, "twice", 640, 480);
        m->asset = 500;
        m->sequence = "s";
        m->frame = k;
        add_box(&w.s, k, 5, 5, 50, 50);
        object_at(&w.s, add_box(&w.s, k, 5, 5, 50, 50))->has = VD_OBJ_BOX | VD_OBJ_TRACK;
    }
    int64_t before = vd_mem_live();
    for (int64_t n = 0, hit = 1; hit; n++) {
        vd_audit_findings_init(&w.f);
        vd_mem_fail_at(n, false);
        vd_status st = all_checks(&w, &err);
        hit = vd_mem_fail_clear();
        if (st != (hit ? VD_E_NOMEM : VD_OK)) T_FAIL("allocation %lld: %d", (long long)n, st);
        if (!hit) T_TRUE(w.f.n >= 5);
        vd_audit_findings_reset(&w.f);
        T_EQ(vd_mem_live(), before);
        err = (vd_err){ 0 };
        T_LT((double)n, 10000);
    }
    second_reset(&w);
}

T(an_empty_set_has_nothing_wrong) {
    second w = { 0 };
    vd_err err = { 0 };
    vd_audit_findings_init(&w.f);
    T_OK(all_checks(&w, &err));
    T_EQ(w.f.n, 0);
    second_reset(&w);
}
