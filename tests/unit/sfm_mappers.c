/* What holds of both mappers, on scenes whose truth is known and on input that means no good.
 * SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "base/pool.h"
#include "global/global.h"
#include "sfm_views.h"

static const struct {
    const char *name;
    vd_status (*map)(vd_sfm_result *out, const vd_sfm_input *in, const vd_sfm_opt *opt,
                     vd_sfm_stats *stats, vd_pool *pool, vd_err *err);
    int estimate; /* what it is given: pairs with true geometry or estimated ones */
} mappers[] = { { "incremental", vd_sfm_incremental, 0 }, { "global", vd_sfm_global, 1 } };

T(a_ring_is_mapped_whole) {
    const int poses[] = { 12, 30, 100 };
    for (int i = 0; i < VD_COUNT(poses) * VD_COUNT(mappers); i++) {
        vd_err err = { 0 };
        vd_rng r = t_rng(t);
        int n = poses[i / VD_COUNT(mappers)], k = i % VD_COUNT(mappers);
        scene s = scene_make(&r, (scene_opt){ .poses = n,
                                              .points = 2000,
                                              .model = VD_CAMERA_SIMPLE_RADIAL,
                                              .see = 0.7,
                                              .noise_px = 0.5 });
        views v = views_of(&s, &r,
                           (views_opt){ .clutter = 100,
                                        .wrong = 0.03,
                                        .least = 50,
                                        .miss = 0.3,
                                        .estimate = mappers[k].estimate });
        vd_sfm_result out = { 0 };
        T_OK(mappers[k].map(&out, &v.in, NULL, NULL, NULL, &err));
        T_EQ(out.n_models, 1);
        views_check(t, &out, 0, &s, n, 1);
        vd_sfm_result_reset(&out);
        views_free(&v);
        scene_free(&s);
    }
}

/* Focal lengths wrong by a factor of two either way, pairs verified with them or without. */
T(a_wrong_focal_length_is_mended) {
    for (int round = 0; round < 4 * VD_COUNT(mappers); round++) {
        vd_err err = { 0 };
        vd_rng r = t_rng(t);
        scene s = scene_make(&r, (scene_opt){ .poses = 24,
                                              .points = 2000,
                                              .model = VD_CAMERA_SIMPLE_PINHOLE,
                                              .see = 0.8,
                                              .noise_px = 0.3 });
        views v = views_of(&s, &r,
                           (views_opt){ .clutter = 50,
                                        .least = 50,
                                        .miss = 0.2,
                                        .wrong = 0.05,
                                        .focal = round & 1 ? 2 : 0.5,
                                        .estimate = 1 + round / 2 % 2 });
        vd_sfm_result out = { 0 };
        v.refine[0] = VD_REFINE_FOCAL;
        T_OK(mappers[round / 4].map(&out, &v.in, NULL, NULL, NULL, &err));
        T_EQ(out.n_models, 1);
        views_check(t, &out, 0, &s, 24, 1);
        if (out.n_models > 0) T_NEAR(out.model[0].camera[0].params[0], 1200, 3);
        vd_sfm_result_reset(&out);
        views_free(&v);
        scene_free(&s);
    }
}

T(threads_change_no_bit) {
    const int jobs[] = { 1, 2, 8 };
    for (int k = 0; k < VD_COUNT(mappers); k++) {
        uint64_t first = 0;
        for (int i = 0; i < VD_COUNT(jobs); i++) {
            vd_err err = { 0 };
            vd_rng r = t_rng(t);
            vd_pool *pool = NULL;
            scene s = scene_make(&r, (scene_opt){ .poses = 20,
                                                  .points = 1500,
                                                  .model = VD_CAMERA_RADIAL,
                                                  .see = 0.7,
                                                  .noise_px = 0.5 });
            views v = views_of(&s, &r,
                               (views_opt){ .clutter = 50,
                                            .wrong = 0.05,
                                            .least = 50,
                                            .miss = 0.2,
                                            .estimate = mappers[k].estimate });
            vd_sfm_result out = { 0 };
            v.refine[0] = 7;
            T_OK(vd_pool_new(&pool, jobs[i], &err));
            T_OK(mappers[k].map(&out, &v.in, NULL, NULL, pool, &err));
            T_TRUE(out.n_models > 0);
            if (i == 0) first = views_digest(&out);
            if (views_digest(&out) != first)
                T_FAIL("%s, %d jobs: other bits", mappers[k].name, jobs[i]);
            vd_sfm_result_reset(&out);
            vd_pool_free(pool);
            views_free(&v);
            scene_free(&s);
        }
    }
}

/* Without parallax there is nothing to place; without pairs or images nothing to do. */
static void check_nothing(t_case *t, int k) {
    vd_err err = { 0 };
    vd_rng r = t_rng(t);
    scene s = scene_make(
        &r, (scene_opt){ .poses = 5, .points = 800, .model = 0, .see = 0.9, .noise_px = 0.4 });
    for (int i = 0; i < 5; i++) s.pose[i] = s.pose[0]; /* the same picture five times */
    views v = views_of(&s, &r, (views_opt){ .least = 10 });
    vd_sfm_result out = { 0 };
    int pairs = v.in.n_pairs;
    for (int i = 0; i < pairs; i++) v.pair[i].geometry.config = VD_TWO_VIEW_PANORAMIC;
    T_OK(mappers[k].map(&out, &v.in, NULL, NULL, NULL, &err));
    T_EQ(out.n_models, 0);
    for (int i = 0; i < 5; i++) T_EQ(out.verdict[i].reason, VD_SFM_NO_PARALLAX);
    vd_sfm_result_reset(&out);
    v.in.n_pairs = 0;
    T_OK(mappers[k].map(&out, &v.in, NULL, NULL, NULL, &err));
    T_EQ(out.n_models, 0);
    for (int i = 0; i < 5; i++) {
        T_EQ(out.verdict[i].reason, VD_SFM_NO_OVERLAP);
        T_EQ(out.verdict[i].best, -1);
    }
    vd_sfm_result_reset(&out);
    vd_sfm_input nothing = { 0 };
    T_OK(mappers[k].map(&out, &nothing, NULL, NULL, NULL, &err));
    T_EQ(out.n_models, 0);
    vd_sfm_result_reset(&out);
    v.in.n_pairs = pairs; /* for views_free */
    views_free(&v);
    scene_free(&s);
}

T(what_has_no_parallax_gives_no_model) {
    for (int k = 0; k < VD_COUNT(mappers); k++) check_nothing(t, k);
}

T(bad_input_is_an_error) {
    vd_rng r = t_rng(t);
    scene s = scene_make(&r, (scene_opt){ .poses = 4, .points = 200, .model = 0, .see = 0.9 });
    views v = views_of(&s, &r, (views_opt){ .least = 10 });
    T_NEED(v.in.n_pairs > 1);
    for (int i = 0; i < 6 * VD_COUNT(mappers); i++) {
        vd_err err = { 0 };
        vd_sfm_result out = { 0 };
        vd_sfm_image image = v.image[1];
        vd_sfm_pair pair = v.pair[1];
        double uv = v.uv[1][3], focal = v.camera[0].params[0];
        switch (i % 6) {
        case 0: v.image[1].camera = 1; break;
        case 1: v.image[1].n = -4; break;
        case 2: v.pair[1].b = v.pair[1].a; break;
        case 3: v.uv[1][3] = NAN; break;
        case 4: v.camera[0].params[0] = -1; break;
        case 5: v.image[1].has_position = true; break; /* with a sigma of 0 */
        }
        T_EQ(mappers[i / 6].map(&out, &v.in, NULL, NULL, NULL, &err), VD_E_ARG);
        T_TRUE(err.msg[0] != 0 && out.n_models == 0);
        v.image[1] = image;
        v.pair[1] = pair;
        v.uv[1][3] = uv;
        v.camera[0].params[0] = focal;
    }
    views_free(&v);
    scene_free(&s);
}

/* A refused allocation anywhere: an error, nothing leaked. The step grows, since there are
 * thousands. */
static void check_refused(t_case *t, int k) {
    vd_rng r = t_rng(t);
    scene s = scene_make(
        &r, (scene_opt){
                .poses = 5, .points = 300, .model = 0, .see = 0.9, .noise_px = 0.3, .turns = 0.4 });
    views v = views_of(
        &s, &r,
        (views_opt){ .least = 10, .focal = k == 1 ? 1.2 : 0, .estimate = 2 * mappers[k].estimate });
    bool hit = true;
    if (k == 1) v.refine[0] = VD_REFINE_FOCAL; /* so that the view graph is asked */
    for (int n = 0; hit; n += 1 + n / 12) {
        vd_err err = { 0 };
        vd_sfm_result out = { 0 };
        int64_t live = vd_mem_live();
        vd_mem_fail_at(n, true);
        vd_status st = mappers[k].map(&out, &v.in, NULL, NULL, NULL, &err);
        hit = vd_mem_fail_clear();
        T_EQ(st, hit ? VD_E_NOMEM : VD_OK);
        vd_sfm_result_reset(&out);
        T_EQ(vd_mem_live(), live);
    }
    views_free(&v);
    scene_free(&s);
}

T(refused_allocations_are_survived) {
    for (int k = 0; k < VD_COUNT(mappers); k++) check_refused(t, k);
}
