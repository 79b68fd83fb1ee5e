/* The incremental mapper on scenes whose truth is known, and on input that means no good.
 * SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "base/pool.h"
#include "sfm/tracks.h"
#include "sfm_views.h"

/* The focal length starts 10 % off, one camera a picture or one for all. */
T(intrinsics_are_found) {
    vd_err err = { 0 };
    for (int own = 0; own < 2; own++) {
        vd_rng r = t_rng(t);
        scene s = scene_make(&r, (scene_opt){ .poses = 24,
                                              .points = 2000,
                                              .model = VD_CAMERA_SIMPLE_RADIAL,
                                              .see = 0.8,
                                              .noise_px = 0.3,
                                              .own_cameras = own });
        views v = views_of(&s, &r, (views_opt){ .clutter = 50, .least = 50, .miss = 0.2 });
        vd_sfm_result out = { 0 };
        for (int i = 0; i < s.n_cameras; i++) {
            v.camera[i].params[0] *= 1.1;
            v.camera[i].params[3] = 0;
            v.refine[i] = VD_REFINE_FOCAL | VD_REFINE_EXTRA;
        }
        T_OK(vd_sfm_incremental(&out, &v.in, NULL, NULL, NULL, &err));
        T_EQ(out.n_models, 1);
        views_check(t, &out, 0, &s, 24,
                    own ? 4 : 1); /* a camera of its own knows its depth less well */
        for (int i = 0; i < s.n_cameras && out.n_models > 0; i++) {
            T_NEAR(out.model[0].camera[i].params[0], 1200, own ? 12 : 3);
            T_NEAR(out.model[0].camera[i].params[3], -0.05, own ? 0.02 : 0.005);
        }
        vd_sfm_result_reset(&out);
        views_free(&v);
        scene_free(&s);
    }
}

/* Two scenes of which nothing joins the pictures: two models, whatever order they come in. */
T(scenes_come_apart) {
    vd_err err = { 0 };
    vd_rng r = t_rng(t);
    two_scenes s = two_scenes_make(&r);
    vd_sfm_result out = { 0 };
    T_OK(vd_sfm_incremental(&out, &s.in, NULL, NULL, NULL, &err));
    T_EQ(out.n_models, 2);
    views_check(t, &out, 1, &s.a, 12, 1);
    if (out.n_models == 2) {
        T_EQ(out.model[0].n_images, 15);
        T_EQ(out.model[0].image[0], 12);
    }
    vd_sfm_result_reset(&out);
    two_scenes_free(&s);
}

/* Two halves of a ring tied by a few matches: too few to register an image across, enough to see
 * that both models are one scene. */
T(halves_of_a_scene_are_joined) {
    vd_err err = { 0 };
    vd_rng r = t_rng(t);
    scene s = scene_make(
        &r, (scene_opt){ .poses = 24, .points = 2000, .model = 0, .see = 0.8, .noise_px = 0.4 });
    views v = views_of(&s, &r, (views_opt){ .least = 50 });
    int n = 0;
    for (int i = 0; i < v.in.n_pairs; i++) {
        bool across = (v.pair[i].a < 12) != (v.pair[i].b < 12);
        if (across && v.pair[i].n > 14) v.pair[i].n = 14;
        if (!across || n++ < 6) continue;
        v.pair[i].n = 0; /* six weak pairs are left */
    }
    vd_sfm_result out = { 0 };
    vd_sfm_opt o = VD_SFM_OPT;
    o.resection_inliers = 60;
    T_OK(vd_sfm_incremental(&out, &v.in, &o, NULL, NULL, &err));
    T_EQ(out.n_models, 1);
    views_check(t, &out, 0, &s, 24, 2);
    vd_sfm_result_reset(&out);
    views_free(&v);
    scene_free(&s);
}

/* Positions in another frame, one of them far off: the model goes there, in metres. */
T(positions_give_the_frame) {
    vd_err err = { 0 };
    vd_rng r = t_rng(t);
    scene s = scene_make(
        &r, (scene_opt){ .poses = 20, .points = 1500, .model = 0, .see = 0.8, .noise_px = 0.4 });
    views v = views_of(&s, &r, (views_opt){ .least = 50 });
    for (int i = 0; i < 20; i++) {
        vd_vec3 c = vd_rigid_centre(s.pose[i]);
        const double x[3] = { 10 * c.y + 500, 1000 - 10 * c.x,
                              10 * c.z + 30 }; /* turned, ten times as large */
        v.image[i].has_position = i != 3;
        for (int k = 0; k < 3; k++) {
            v.image[i].position[k] = x[k] + 0.2 * vd_rng_normal(&r) + (i == 7 ? 300 : 0);
            v.image[i].position_sigma_m[k] = 0.2;
        }
    }
    vd_sfm_result out = { 0 };
    T_OK(vd_sfm_incremental(&out, &v.in, NULL, NULL, NULL, &err));
    T_NEED(out.n_models == 1);
    views_check(t, &out, 0, &s, 20, 1);
    T_TRUE(out.model[0].in_position_frame);
    double sum = 0;
    for (int i = 0; i < 20; i++) {
        vd_vec3 c = vd_rigid_centre(s.pose[i]), d = vd_rigid_centre(out.model[0].cam_from_world[i]);
        d = vd_v3_sub(d, vd_v3(10 * c.y + 500, 1000 - 10 * c.x, 10 * c.z + 30));
        sum += vd_v3_dot(d, d) / 20;
    }
    /* seven parameters from 57 numbers of sigma 0.2: 0.2 sqrt(3 * 7 / 57) at most, about */
    T_LT(sqrt(sum), 0.2);
    T_EQ(out.model[0].positions, 19);
    T_EQ(out.model[0].positions_used, 18); /* the one that is far off is not */
    T_NEAR(out.model[0].position_rmse_m, 0.2 * sqrt(3), 0.12);
    vd_sfm_result_reset(&out);
    /* positions that have nothing to do with it are left alone */
    for (int i = 0; i < 20; i++)
        for (int k = 0; k < 3; k++) v.image[i].position[k] = vd_rng_range(&r, -100, 100);
    T_OK(vd_sfm_incremental(&out, &v.in, NULL, NULL, NULL, &err));
    T_NEED(out.n_models == 1);
    views_check(t, &out, 0, &s, 20, 1);
    T_TRUE(!out.model[0].in_position_frame);
    vd_sfm_result_reset(&out);
    views_free(&v);
    scene_free(&s);
}

/* Of all verified pairs three in five are not true: random matches with a random geometry, as many
 * as the true pairs have. */
T(most_pairs_are_wrong) {
    vd_err err = { 0 };
    vd_rng r = t_rng(t);
    scene s = scene_make(
        &r, (scene_opt){ .poses = 24, .points = 1500, .model = 0, .see = 0.8, .noise_px = 0.4 });
    views v = views_of(&s, &r, (views_opt){ .clutter = 300, .least = 150, .miss = 0.2 });
    int good = v.in.n_pairs, n = good * 5 / 2;
    vd_sfm_pair *pair = vd_mem_array((size_t)n, sizeof *pair);
    vd_sfm_match(*match)[60] = vd_mem_array((size_t)n, sizeof *match);
    memcpy(pair, v.pair, (size_t)good * sizeof *pair);
    for (int i = good; i < n; i++) {
        int a = (int)vd_rng_int(&r, 24), b = (int)vd_rng_int(&r, 23);
        b += b >= a;
        for (int k = 0; k < 60; k++)
            match[i][k] = (vd_sfm_match){ (int32_t)vd_rng_int(&r, v.image[a].n),
                                          (int32_t)vd_rng_int(&r, v.image[b].n) };
        pair[i] = pair[(int)vd_rng_int(&r, good)];
        pair[i].a = a, pair[i].b = b, pair[i].n = 60, pair[i].match = match[i];
    }
    vd_sfm_input in = v.in;
    in.pair = pair;
    in.n_pairs = n;
    vd_sfm_result out = { 0 };
    T_OK(vd_sfm_incremental(&out, &in, NULL, NULL, NULL, &err));
    T_TRUE(out.n_models >= 1);
    views_check(t, &out, 0, &s, 24, 1);
    vd_sfm_result_reset(&out);
    vd_mem_free(pair);
    vd_mem_free(match);
    views_free(&v);
    scene_free(&s);
}

/* An object whose back looks like its front: pictures from opposite sides match as if they were
 * neighbours. The pictures alone do not tell which is true; but a model never agrees with all
 * pairs, and says so. */
T(repeated_structure_shows) {
    enum { POSES = 24, POINTS = 600 };
    vd_err err = { 0 };
    vd_rng r = t_rng(t);
    scene s = scene_make(
        &r,
        (scene_opt){ .poses = POSES, .points = 10, .model = VD_CAMERA_SIMPLE_PINHOLE, .see = 0 });
    for (int i = 0; i < POSES; i++) {
        double a = 6.283185307179586 * i / POSES;
        s.pose[i] = scene_look(vd_v3(4 * cos(a), 4 * sin(a), 0.3 * sin(3 * a)), vd_v3(0, 0, 0));
    }
    scene_see(&s, &r, POINTS, 0, 0, false);
    for (int i = 0; i < POINTS / 2; i++) { /* the twin is half a turn away */
        double *x = s.point + 3 * i, *y = s.point + 3 * (i + POINTS / 2);
        y[0] = -x[0], y[1] = -x[1], y[2] = x[2];
    }
    int64_t cap = 0;
    for (int i = 0; i < POINTS; i++)
        for (int p = 0; p < POSES; p++) {
            const double *x = s.point + 3 * i;
            vd_vec3 c = vd_rigid_centre(s.pose[p]),
                    y = vd_rigid_apply(s.pose[p], vd_v3(x[0], x[1], x[2]));
            const double in_cam[3] = { y.x, y.y, y.z };
            vd_bundle_obs ob = { p, i, { 0 } };
            if (c.x * x[0] + c.y * x[1] < 0 || !vd_camera_project(&s.camera[0], in_cam, ob.uv))
                continue;
            ob.uv[0] += 0.4 * vd_rng_normal(&r), ob.uv[1] += 0.4 * vd_rng_normal(&r);
            T_OK(VD_GROW(s.obs, cap, s.n_obs + 1, &err));
            s.obs[s.n_obs++] = ob;
        }
    views v = views_of(&s, &r, (views_opt){ .least = 60 });
    int right = v.in.n_pairs, n = 0;
    vd_sfm_pair *pair = vd_mem_array((size_t)right * 2, sizeof *pair);
    memcpy(pair, v.pair, (size_t)right * sizeof *pair);
    for (int i = 0; i < right; i++) { /* the same pairs with the second picture's opposite one */
        int b = (pair[i].b + POSES / 2) % POSES;
        if (b == pair[i].a) continue;
        vd_sfm_match *m = vd_mem_array((size_t)pair[i].n, sizeof *m);
        vd_sfm_pair *q = &pair[right + n++];
        *q = (vd_sfm_pair){ .a = pair[i].a, .b = b, .match = m, .geometry = pair[i].geometry };
        for (int k = 0; k < pair[i].n; k++) {
            int p = v.point[pair[i].b][pair[i].match[k].b], twin = (p + POINTS / 2) % POINTS;
            for (int j = 0; j < v.image[b].n; j++)
                if (v.point[b][j] == twin) m[q->n++] = (vd_sfm_match){ pair[i].match[k].a, j };
        }
    }
    vd_sfm_input in = v.in;
    in.pair = pair;
    in.n_pairs = right + n;
    vd_sfm_result out = { 0 };
    T_OK(vd_sfm_incremental(&out, &in, NULL, NULL, NULL, &err));
    T_NEED(out.n_models > 0);
    T_TRUE(out.model[0].pairs_against > out.model[0].pairs / 10);
    vd_sfm_result_reset(&out);
    for (int i = 0; i < n; i++) vd_mem_free((void *)(uintptr_t)pair[right + i].match);
    vd_mem_free(pair);
    /* without the twins nothing contradicts */
    T_OK(vd_sfm_incremental(&out, &v.in, NULL, NULL, NULL, &err));
    T_NEED(out.n_models == 1);
    views_check(t, &out, 0, &s, POSES, 1);
    T_EQ(out.model[0].pairs_against, 0);
    T_EQ(out.model[0].pairs, right);
    vd_sfm_result_reset(&out);
    views_free(&v);
    scene_free(&s);
}

/* A poster: everything lies in a plane, pairs are estimated. */
T(a_plane_is_mapped) {
    vd_err err = { 0 };
    vd_rng r = t_rng(t);
    scene s = scene_make(
        &r, (scene_opt){ .poses = 10, .points = 10, .model = VD_CAMERA_SIMPLE_PINHOLE, .see = 0 });
    for (int i = 0; i < 10; i++)
        s.pose[i] =
            scene_look(vd_v3(1.5 * sin(i * 0.7), -4 + 0.3 * cos(i * 1.1), 1.2 * sin(i * 0.45)),
                       vd_v3(0.2 * sin(i), 0, 0.1 * cos(i)));
    scene_see(&s, &r, 1500, 0.8, 0.4, true);
    views v = views_of(
        &s, &r,
        (views_opt){ .clutter = 50, .least = 50, .miss = 0.2, .wrong = 0.05, .estimate = 1 });
    vd_sfm_result out = { 0 };
    int planar = 0;
    for (int i = 0; i < v.in.n_pairs; i++)
        planar += v.pair[i].geometry.config == VD_TWO_VIEW_PLANAR;
    T_TRUE(planar > v.in.n_pairs / 2); /* else this tests nothing */
    T_OK(vd_sfm_incremental(&out, &v.in, NULL, NULL, NULL, &err));
    T_EQ(out.n_models, 1);
    views_check(t, &out, 0, &s, 10, 1);
    vd_sfm_result_reset(&out);
    views_free(&v);
    scene_free(&s);
}

/* A tripod: rotations about one place, pairs are estimated, some noise in the place. */
T(a_turning_camera_gives_no_model) {
    vd_err err = { 0 };
    vd_rng r = t_rng(t);
    scene s = scene_make(
        &r, (scene_opt){ .poses = 8, .points = 10, .model = VD_CAMERA_SIMPLE_PINHOLE, .see = 0 });
    for (int i = 0; i < 8; i++)
        s.pose[i] = scene_look(vd_v3(0, -4, 0), vd_v3(0.8 * sin(i * 0.7), 0, 0.5 * cos(i * 1.3)));
    scene_see(&s, &r, 1500, 0.8, 0.4, false);
    views v = views_of(
        &s, &r,
        (views_opt){ .clutter = 50, .least = 50, .miss = 0.2, .wrong = 0.05, .estimate = 1 });
    vd_sfm_result out = { 0 };
    T_OK(vd_sfm_incremental(&out, &v.in, NULL, NULL, NULL, &err));
    T_EQ(out.n_models, 0);
    for (int i = 0; i < 8; i++)
        if (out.verdict[i].reason != VD_SFM_NO_PARALLAX)
            T_FAIL("image %d: %s", i, vd_sfm_reason_name(out.verdict[i].reason));
    vd_sfm_result_reset(&out);
    views_free(&v);
    scene_free(&s);
}

T(two_pictures_are_a_small_model) {
    vd_err err = { 0 };
    vd_rng r = t_rng(t);
    scene s = scene_make(
        &r, (scene_opt){
                .poses = 2, .points = 800, .model = 0, .see = 0.9, .noise_px = 0.4, .turns = 0.1 });
    views v = views_of(&s, &r, (views_opt){ .least = 10 });
    vd_sfm_result out = { 0 };
    T_OK(vd_sfm_incremental(&out, &v.in, NULL, NULL, NULL, &err));
    T_EQ(out.n_models, 0);
    for (int i = 0; i < 2; i++) {
        T_EQ(out.verdict[i].reason, VD_SFM_SMALL_MODEL);
        T_EQ(out.verdict[i].of, 2);
        T_TRUE(out.verdict[i].inliers > 100);
        T_EQ(out.verdict[i].best, 1 - i);
    }
    vd_sfm_result_reset(&out);
    vd_sfm_opt o = VD_SFM_OPT;
    o.least_images = 2;
    T_OK(vd_sfm_incremental(&out, &v.in, &o, NULL, NULL, &err));
    T_EQ(out.n_models, 1);
    vd_sfm_result_reset(&out);
    views_free(&v);
    scene_free(&s);
}

/* One picture of another place, tied to the ring by a wrong pair: its pose must fail. */
T(a_stranger_is_not_placed) {
    vd_err err = { 0 };
    vd_rng r = t_rng(t);
    scene s = scene_make(
        &r, (scene_opt){ .poses = 13, .points = 1500, .model = 0, .see = 0.8, .noise_px = 0.4 });
    views v = views_of(&s, &r, (views_opt){ .least = 50 });
    for (int32_t k = 0; k < 2 * v.image[12].n; k++) v.uv[12][k] = vd_rng_range(&r, 0, 1200);
    vd_sfm_result out = { 0 };
    T_OK(vd_sfm_incremental(&out, &v.in, NULL, NULL, NULL, &err));
    T_EQ(out.n_models, 1);
    views_check(t, &out, 0, &s, 12, 1);
    T_EQ(out.verdict[12].reason, VD_SFM_RESECTION);
    T_TRUE(out.verdict[12].of > 50);
    T_TRUE(out.verdict[12].inliers < 30);
    vd_sfm_result_reset(&out);
    views_free(&v);
    scene_free(&s);
}
