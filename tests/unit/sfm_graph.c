/* The view graph: pairs that contradict the others, components, focal lengths from fundamental
 * matrices. SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "sfm/calibrate.h"
#include "sfm/view_graph.h"
#include "sfm_views.h"

/* A ring of cameras of its own focal length each, between half and twice the guess. */
static scene many_cameras(vd_rng *r, int poses) {
    scene s = scene_make(r, (scene_opt){ .poses = poses,
                                         .points = 10,
                                         .model = VD_CAMERA_SIMPLE_RADIAL,
                                         .see = 0,
                                         .own_cameras = true });
    for (int i = 0; i < poses; i++) {
        s.camera[i].params[0] = 1200 * exp(vd_rng_range(r, -0.6, 0.6));
        s.camera[i].params[3] = 0;
        double a = 6.283185307179586 * i / poses;
        vd_vec3 at = scene_normal(r, 0.4);
        double d = 3 * s.camera[i].params[0] / 1200; /* who zooms stands farther away */
        s.pose[i] = scene_look(vd_v3(d * cos(a), d * sin(a), vd_rng_normal(r)), at);
    }
    scene_see(&s, r, 1000, 0.6, 0.5, false);
    return s;
}

T(focal_lengths_are_found_from_pairs) {
    vd_rng r = t_rng(t);
    vd_err err = { 0 };
    scene s = many_cameras(&r, 16);
    views v = views_of(&s, &r, (views_opt){ .least = 80, .wrong = 0.05, .estimate = 2 });
    uint8_t *trusted = vd_mem_array((size_t)v.in.n_pairs, 1);
    double before = 0, after = 0, worst = 0;
    for (int i = 0; i < 16; i++) {
        before = fmax(before, fabs(log(1200 / s.camera[i].params[0])));
        v.camera[i].params[0] = 1200;
        v.refine[i] = i == 5 ? 0 : VD_REFINE_FOCAL;
    }
    v.camera[5] = s.camera[5];
    memset(trusted, 1, (size_t)v.in.n_pairs);
    T_OK(vd_view_graph_calibrate(v.camera, &v.in, trusted, &err));
    for (int i = 0; i < 16; i++) {
        double e = fabs(log(v.camera[i].params[0] / s.camera[i].params[0]));
        after += e / 16;
        worst = fmax(worst, e);
    }
    T_TRUE(before > 0.4);
    T_LT(after, 0.03);
    T_LT(worst, 0.15);
    T_TRUE(v.camera[5].params[0] == s.camera[5].params[0]); /* which was not to be touched */
    vd_mem_free(trusted);
    views_free(&v);
    scene_free(&s);
}

/* Without uncalibrated pairs nothing moves, whatever the matrices say. */
T(what_is_calibrated_is_left_alone) {
    vd_rng r = t_rng(t);
    vd_err err = { 0 };
    scene s = many_cameras(&r, 8);
    views v = views_of(&s, &r, (views_opt){ .least = 80, .estimate = 1 });
    uint8_t *trusted = vd_mem_array((size_t)v.in.n_pairs, 1);
    memset(trusted, 1, (size_t)v.in.n_pairs);
    memset(v.refine, VD_REFINE_FOCAL, 8);
    int calibrated = 0;
    for (int i = 0; i < v.in.n_pairs; i++)
        calibrated += v.pair[i].geometry.config == VD_TWO_VIEW_CALIBRATED;
    T_EQ(calibrated, v.in.n_pairs);
    T_OK(vd_view_graph_calibrate(v.camera, &v.in, trusted, &err));
    T_TRUE(memcmp(v.camera, s.camera, 8 * sizeof *v.camera) == 0);
    vd_mem_free(trusted);
    views_free(&v);
    scene_free(&s);
}

static vd_quat any_turn(vd_rng *r) {
    vd_vec3 v = scene_normal(r, 1);
    return vd_quat_unit((vd_quat){ vd_rng_normal(r), v.x, v.y, v.z });
}

/* Wrong rotations among right ones: every wrong pair goes, no right one does. */
T(pairs_that_close_no_triangle_are_not_trusted) {
    enum { N = 20, WRONG = 60 };
    vd_rng r = t_rng(t);
    vd_err err = { 0 };
    vd_sfm_image image[N] = { { 0 } };
    vd_sfm_pair pair[N * N];
    uint8_t trusted[N * N];
    vd_quat q[N];
    int n = 0, wrong[N * N] = { 0 };
    for (int i = 0; i < N; i++) q[i] = any_turn(&r);
    for (int a = 0; a < N; a++)
        for (int b = a + 1; b < N; b++) {
            vd_quat rel = vd_quat_mul(q[b], vd_quat_conj(q[a]));
            wrong[n] = vd_rng_f64(&r) < 0.3;
            if (wrong[n]) rel = any_turn(&r);
            rel = vd_quat_mul(rel, vd_quat_exp(scene_normal(&r, 0.02)));
            pair[n++] = (vd_sfm_pair){ .a = b,
                                       .b = a,
                                       .geometry = {
                                           .config = VD_TWO_VIEW_CALIBRATED,
                                           .cam2_from_cam1 = { vd_quat_conj(rel), { 1, 0, 0 } } } };
        }
    pair[3].geometry.config = VD_TWO_VIEW_WATERMARK;
    pair[4].geometry.config = VD_TWO_VIEW_UNCALIBRATED; /* no rotation: counts, and is no judge */
    vd_sfm_input in = { .n_images = N, .n_pairs = n, .image = image, .pair = pair };
    T_OK(vd_view_graph_trust(trusted, &in, &err));
    int kept_wrong = 0;
    for (int i = 0; i < n; i++) {
        if (i == 3) T_EQ(trusted[i], 0);
        if (i == 4) T_EQ(trusted[i], 1);
        if (i == 3 || i == 4) continue;
        if (!wrong[i]) T_EQ(trusted[i], 1);
        kept_wrong += wrong[i] && trusted[i];
    }
    T_TRUE(kept_wrong <=
           2); /* one in ten thousand triangles closes by chance, but there are many */
    int32_t component[N], size[N];
    T_OK(vd_view_graph_components(component, size, &in, trusted, &err));
    for (int i = 0; i < N; i++) {
        T_EQ(component[i], 0);
        T_EQ(size[i], N);
    }
    memset(trusted, 0, sizeof trusted);
    trusted[0] = 1; /* of images 1 and 0 */
    T_OK(vd_view_graph_components(component, size, &in, trusted, &err));
    T_EQ(size[0], 2);
    T_EQ(component[1], 0);
    T_EQ(size[2], 1);
    T_EQ(component[2], 2);
}
