/* What is not to be believed: focal lengths, overlaps of places that look alike, pictures that get
 * no place. SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "global/agreement.h"
#include "global/doubt.h"
#include "sfm_views.h"

enum { END = 7, OBJECT = 500, AROUND = 700 };

static void see(t_case *t, scene *s, int64_t *cap, vd_rng *r, int pose, int point, double share) {
    const double *x = s->point + 3 * point;
    vd_err err = { 0 };
    vd_vec3 y = vd_rigid_apply(s->pose[pose], vd_v3(x[0], x[1], x[2]));
    const double in_cam[3] = { y.x, y.y, y.z };
    vd_bundle_obs ob = { pose, point, { 0 } };
    if (vd_rng_f64(r) > share || !vd_camera_project(&s->camera[0], in_cam, ob.uv)) return;
    if (ob.uv[0] < 0 || ob.uv[1] < 0 || ob.uv[0] > 1600 || ob.uv[1] > 1200) return;
    ob.uv[0] += 0.4 * vd_rng_normal(r);
    ob.uv[1] += 0.4 * vd_rng_normal(r);
    T_OK(VD_GROW(s->obs, *cap, s->n_obs + 1, &err));
    s->obs[s->n_obs++] = ob;
}

/* Two ends of a hall, in coordinates of their own: the same object in front of other walls. Where
 * they are one place in other light, cameras of one end see a part of everything of the other's. */
static scene two_ends(t_case *t, vd_rng *r, bool one_place) {
    scene s = { .n_cameras = 1, .n_poses = 2 * END, .n_points = OBJECT + 2 * AROUND };
    int64_t cap = 0;
    s.camera = vd_mem_array(1, sizeof *s.camera);
    s.pose = vd_mem_array(2 * END, sizeof *s.pose);
    s.pose_camera = vd_mem_array(2 * END, sizeof *s.pose_camera);
    s.point = vd_mem_array((size_t)s.n_points, 3 * sizeof *s.point);
    s.camera[0] = scene_camera(VD_CAMERA_SIMPLE_PINHOLE);
    for (int i = 0; i < 2 * END; i++) {
        double a = -1.9 + 0.1 * (i % END) + (i >= END ? 0.05 : 0);
        /* axes that do not meet: those that do fit any focal length */
        vd_vec3 at = vd_v3(0.5 * sin(2.3 * i), 0, 0.5 * cos(1.7 * i));
        s.pose[i] = scene_look(vd_v3(6 * cos(a), 6 * sin(a), 0.2 * (i % 2)), at);
    }
    for (int i = 0; i < s.n_points; i++) {
        double *x = s.point + 3 * i;
        bool object = i < OBJECT;
        x[0] = vd_rng_range(r, -1, 1) * (object ? 0.7 : 3);
        x[1] = object ? vd_rng_range(r, -0.7, 0.7) : vd_rng_range(r, 1.5, 2.5);
        x[2] = vd_rng_range(r, -1, 1) * (object ? 0.8 : 2);
        for (int p = 0; p < s.n_poses; p++) {
            bool own = object || (i - OBJECT < AROUND) == (p < END);
            double share = one_place ? (object || own ? 0.8 : 0.2) : own ? 0.8 : 0;
            see(t, &s, &cap, r, p, i, share);
        }
    }
    return s;
}

T(places_that_look_alike_are_told_apart) {
    vd_err err = { 0 };
    for (int one_place = 0; one_place < 2; one_place++) {
        vd_rng r = t_rng(t);
        scene s = two_ends(t, &r, one_place);
        views v = views_of(&s, &r, (views_opt){ .clutter = 50, .least = 50 });
        vd_sfm_result out = { 0 };
        vd_agreement a = { 0 };
        T_OK(vd_sfm_incremental(&out, &v.in, NULL, NULL, NULL, &err));
        T_NEED(out.n_models == 1 && out.model[0].n_images == 2 * END);
        T_OK(vd_model_agreement(&a, &out.model[0], &v.in, NULL, &err));
        T_EQ(a.parts, 1);
        T_EQ(a.groups, one_place ? 1 : 2);
        T_EQ(a.pairs_across, one_place ? 0 : END * END);
        for (int i = 0; i < 2 * END; i++) T_EQ(a.group[i], !one_place && i >= END);
        for (int i = 0; i < a.n; i++) T_TRUE(a.pair[i].same > 50 && a.pair[i].apart < 10);
        T_TRUE(a.share_within > 0.5);
        if (!one_place) T_LT(a.share_across, 0.5 * a.share_within);
        vd_agreement_reset(&a);
        for (int n = 0, hit = 1; hit; n++) {
            vd_mem_fail_at(n, n % 2);
            vd_status st = vd_model_agreement(&a, &out.model[0], &v.in, NULL, NULL);
            hit = vd_mem_fail_clear();
            T_EQ(st, hit ? VD_E_NOMEM : VD_OK);
            vd_agreement_reset(&a);
        }
        vd_sfm_result_reset(&out);
        views_free(&v);
        scene_free(&s);
    }
}

/* Pictures whose focal length is told as it is, half, or double; and the pairs that follow. */
T(a_focal_length_is_disproved) {
    const double told[] = { 1, 0.5, 2 };
    vd_err err = { 0 };
    for (int i = 0; i < VD_COUNT(told); i++) {
        vd_rng r = t_rng(t);
        scene s = two_ends(t, &r, true);
        views v = views_of(
            &s, &r,
            (views_opt){
                .clutter = 50, .least = 60, .wrong = 0.05, .focal = told[i], .estimate = 1 });
        double factor = 0;
        uint8_t yes = 1, no = 0;
        v.refine[0] = VD_REFINE_FOCAL;
        T_OK(vd_focals_doubt(&factor, &v.in, &no, NULL, &err));
        T_NEAR(factor, 1, 0);
        T_OK(vd_focals_doubt(&factor, &v.in, &yes, NULL, &err));
        T_NEAR(factor, 1 / told[i], 0);
        v.camera[0].params[0] *= factor;
        T_OK(vd_pairs_estimate(v.pair, &v.in, &factor, NULL, &err));
        for (int k = 0; k < v.in.n_pairs; k++) {
            const vd_sfm_pair *p = &v.pair[k];
            vd_rigid rel = vd_rigid_mul(s.pose[p->b], vd_rigid_inverse(s.pose[p->a]));
            T_EQ(p->geometry.config, VD_TWO_VIEW_CALIBRATED);
            T_LT(vd_quat_angle_rad(p->geometry.cam2_from_cam1.q, rel.q), 0.05);
        }
        v.refine[0] = 0; /* fixed: nobody asks */
        T_OK(vd_focals_doubt(&factor, &v.in, &yes, NULL, &err));
        T_NEAR(factor, 1, 0);
        views_free(&v);
        scene_free(&s);
    }
}

/* Five pictures from one place, by what their pairs are said to be. */
T(pairs_that_begin_nothing_say_why) {
    static const int said[][2] = { { VD_TWO_VIEW_PANORAMIC, VD_SFM_NO_PARALLAX },
                                   { VD_TWO_VIEW_WATERMARK, VD_SFM_OVERLAY },
                                   { VD_TWO_VIEW_PLANAR, VD_SFM_PLANAR },
                                   { VD_TWO_VIEW_PLANAR_OR_PANORAMIC, VD_SFM_PLANAR },
                                   { VD_TWO_VIEW_CALIBRATED, VD_SFM_NO_START } };
    vd_err err = { 0 };
    vd_rng r = t_rng(t);
    scene s = scene_make(
        &r, (scene_opt){ .poses = 5, .points = 800, .model = 0, .see = 0.9, .noise_px = 0.4 });
    for (int i = 0; i < 5; i++) s.pose[i] = s.pose[0];
    scene_see(&s, &r, 800, 0.9, 0.4, false);
    views v = views_of(&s, &r, (views_opt){ .least = 10 });
    for (int k = 0; k < VD_COUNT(said); k++) {
        vd_sfm_result out = { 0 };
        for (int i = 0; i < v.in.n_pairs; i++) v.pair[i].geometry.config = said[k][0];
        T_OK(vd_sfm_incremental(&out, &v.in, NULL, NULL, NULL, &err));
        T_EQ(out.n_models, 0);
        for (int i = 0; i < 5; i++)
            if (out.verdict[i].reason != said[k][1])
                T_FAIL("%s: image %d: %s", vd_two_view_config_name(said[k][0]), i,
                       vd_sfm_reason_name(out.verdict[i].reason));
        vd_sfm_result_reset(&out);
    }
    views_free(&v);
    scene_free(&s);
}

/* A picture that the others leave hardly anything of: too few matches to try, or enough for a rough
 * pose and none to hold it. */
T(pictures_at_the_edge_say_why) {
    vd_err err = { 0 };
    for (int rough = 0; rough < 2; rough++) {
        vd_rng r = t_rng(t);
        scene s = scene_make(
            &r,
            (scene_opt){ .poses = 13, .points = 1500, .model = 0, .see = 0.8, .noise_px = 0.4 });
        views v = views_of(&s, &r, (views_opt){ .least = 50 });
        int kept = 0;
        for (int32_t k = 0; k < v.in.n_pairs; k++)
            if (v.pair[k].b == 12) v.pair[k].n = kept++ > 0 ? 0 : rough ? 45 : 18;
        for (int32_t k = 0; rough && k < 2 * v.image[12].n; k++)
            v.uv[12][k] += (vd_rng_f64(&r) < 0.5 ? -1 : 1) * vd_rng_range(&r, 5, 7);
        vd_sfm_result out = { 0 };
        T_OK(vd_sfm_incremental(&out, &v.in, NULL, NULL, NULL, &err));
        T_NEED(out.n_models == 1);
        T_EQ(out.model[0].n_images, 12);
        T_EQ(out.verdict[12].reason, rough ? VD_SFM_DROPPED : VD_SFM_FEW_POINTS);
        T_EQ(out.verdict[12].model, -1);
        T_TRUE(out.verdict[12].inliers > 0 && out.verdict[12].inliers < out.verdict[12].of);
        vd_sfm_result_reset(&out);
        views_free(&v);
        scene_free(&s);
    }
}
