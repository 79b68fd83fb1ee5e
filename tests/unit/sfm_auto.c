/* Which mapper's result is kept. SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "global/auto.h"
#include "global/global.h"
#include "sfm_views.h"

T(one_scene_is_worth_more_than_its_halves) {
    int64_t all[2] = { 0, 100 }, half[2] = { 0, 50 }; /* of one point each */
    vd_sfm_model whole = { .n_images = 10, .pairs = 40, .n_points = 1, .track = all };
    vd_sfm_model part = { .n_images = 5, .pairs = 10, .n_points = 1, .track = half };
    vd_sfm_model halves[2] = { part, part };
    vd_sfm_result r = { .n_models = 1, .model = &whole };
    T_EQ(vd_sfm_worth(&r), 1000);
    whole.pairs_against = 30; /* folded onto itself */
    T_EQ(vd_sfm_worth(&r), 250);
    r = (vd_sfm_result){ .n_models = 2, .model = halves };
    T_EQ(vd_sfm_worth(&r), 500);
    T_EQ(vd_sfm_worth(&(vd_sfm_result){ 0 }), 0);
}

static bool same(const vd_sfm_result *a, const vd_sfm_result *b) {
    if (a->n_models != b->n_models || a->n_models == 0) return false;
    for (int i = 0; i < a->n_models; i++) {
        const vd_sfm_model *p = &a->model[i], *q = &b->model[i];
        if (p->n_images != q->n_images || p->n_points != q->n_points) return false;
        if (memcmp(p->point, q->point, (size_t)p->n_points * 3 * sizeof *p->point) != 0)
            return false;
    }
    return true;
}

typedef struct set {
    scene s;
    views v;
} set;

static set make(t_case *t) {
    vd_rng r = t_rng(t);
    set x = { .s = scene_make(&r, (scene_opt){ .poses = 12,
                                               .points = 800,
                                               .model = VD_CAMERA_SIMPLE_RADIAL,
                                               .see = 0.7,
                                               .noise_px = 0.5 }) };
    x.v = views_of(&x.s, &r, (views_opt){ .clutter = 50, .wrong = 0.03, .least = 40 });
    return x;
}

static void drop(set *x) {
    views_free(&x->v);
    scene_free(&x->s);
}

T(a_small_set_that_comes_out_whole_is_the_incremental_mappers) {
    vd_err err = { 0 };
    set x = make(t);
    vd_sfm_result a = { 0 }, b = { 0 };
    T_OK(vd_sfm_map(&a, &x.v.in, NULL, VD_MAPPER_AUTO, NULL, NULL, &err));
    T_OK(vd_sfm_incremental(&b, &x.v.in, NULL, NULL, NULL, &err));
    T_TRUE(same(&a, &b));
    vd_sfm_result_reset(&a);
    vd_sfm_result_reset(&b);
    drop(&x);
}

/* No pair is good enough for the incremental mapper to begin with. */
T(the_other_mapper_is_tried_where_the_first_leaves_all_over) {
    vd_err err = { 0 };
    set x = make(t);
    vd_sfm_opt opt = VD_SFM_OPT;
    vd_sfm_result a = { 0 }, b = { 0 };
    opt.start_inliers = 1 << 20;
    T_OK(vd_sfm_incremental(&a, &x.v.in, &opt, NULL, NULL, &err));
    T_EQ(a.n_models, 0);
    vd_sfm_result_reset(&a);
    T_OK(vd_sfm_map(&a, &x.v.in, NULL, VD_MAPPER_AUTO, &opt, NULL, &err));
    T_OK(vd_sfm_global(&b, &x.v.in, &opt, NULL, NULL, &err));
    T_TRUE(same(&a, &b));
    T_EQ(a.model[0].n_images, 12);
    vd_sfm_result_reset(&a);
    vd_sfm_result_reset(&b);
    drop(&x);
}

T(refused_allocations_are_survived) {
    set x = make(t);
    vd_sfm_opt opt = VD_SFM_OPT;
    bool hit = true;
    opt.start_inliers = 1 << 20;
    for (int n = 0; hit; n += 1 + n / 8) {
        vd_err err = { 0 };
        vd_sfm_result out = { 0 };
        int64_t live = vd_mem_live();
        vd_mem_fail_at(n, true);
        vd_status st = vd_sfm_map(&out, &x.v.in, NULL, VD_MAPPER_AUTO, &opt, NULL, &err);
        hit = vd_mem_fail_clear();
        T_EQ(st, hit ? VD_E_NOMEM : VD_OK);
        vd_sfm_result_reset(&out);
        T_EQ(vd_mem_live(), live);
    }
    drop(&x);
}
