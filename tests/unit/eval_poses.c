/* Metrics of poses: cases whose answer is known by construction, and what is missing. That figures
 * equal the reference script's is tests/recon/pose_eval.py's to show. SPDX-License-Identifier:
 * Apache-2.0 */
#include "t.h"

#include "base/mem.h"
#include "eval/poses.h"
#include "eval/truth.h"
#include "geometry/rigid.h"
#include "unit/tmpdir.h"

static void add(vd_pose_set *s, const char *name, vd_quat q, vd_vec3 centre) {
    double r[9];
    vd_quat_matrix(r, vd_quat_unit(q));
    if (vd_pose_set_add(s, name, r, centre, NULL) != VD_OK) abort();
}

static vd_vec3 random_vec(vd_rng *r, double size) {
    return vd_v3(vd_rng_normal(r) * size, vd_rng_normal(r) * size, vd_rng_normal(r) * size);
}

/* A truth of n cameras, and the model that sees it from another world: x' = (R x + t) / scale. */
static void worlds(vd_rng *r, int n, double scale, vd_pose_set *truth, vd_pose_set *model) {
    vd_quat turn = vd_quat_exp(random_vec(r, 1));
    vd_vec3 shift = random_vec(r, 10);
    for (int i = 0; i < n; i++) {
        char name[32];
        vd_quat q = vd_quat_exp(random_vec(r, 1));
        vd_vec3 c = random_vec(r, 3);
        snprintf(name, sizeof name, "%03d.jpg", n - 1 - i);
        add(truth, name, q, c);
        vd_vec3 moved = vd_v3_mul(vd_v3_add(vd_quat_rotate(turn, c), shift), 1 / scale);
        add(model, name, vd_quat_mul(q, vd_quat_conj(turn)), moved);
    }
}

T(another_world_is_no_error) {
    vd_rng r = t_rng(t);
    for (int n = 3; n < 40; n += 6) {
        vd_pose_set truth = { 0 }, model = { 0 };
        vd_pose_score s;
        vd_err err = { 0 };
        worlds(&r, n, 0.25, &truth, &model);
        T_OK(vd_pose_eval(&s, NULL, &model, &truth, &err));
        T_EQ(s.registered, n);
        T_EQ(s.total, n);
        T_NEAR(s.scale, 0.25, 1e-12);
        T_NEAR(s.centre_rmse, 0, 1e-12);
        T_NEAR(s.centre_max, 0, 1e-12);
        T_NEAR(s.rotation_deg, 0, 3e-6); /* what an arc cosine near 1 can resolve */
        for (int i = 0; i < VD_POSE_AUCS; i++) T_NEAR(s.auc[i], 100, 1e-3);
        vd_pose_set_reset(&truth);
        vd_pose_set_reset(&model);
    }
}

/* Every camera of the model turned by 2 degrees about its own axis: pairs of cameras that look
 * along one axis have the same relative rotation, and directions 2 degrees off. */
T(a_turn_of_two_degrees) {
    vd_pose_set truth = { 0 }, model = { 0 };
    vd_pose_score s;
    vd_pose_error e[4];
    vd_err err = { 0 };
    vd_quat turn = vd_quat_exp(vd_v3(0, 0, 2 * 3.14159265358979323846 / 180));
    for (int i = 0; i < 4; i++) {
        const char name[] = { (char)('a' + i), '\0' };
        vd_vec3 c = vd_v3(i % 2, i / 2, 0); /* a square across the axis */
        add(&truth, name, VD_QUAT_ONE, c);
        add(&model, name, turn, c);
    }
    T_OK(vd_pose_eval(&s, e, &model, &truth, &err));
    T_NEAR(s.centre_rmse, 0, 1e-12);
    T_NEAR(s.rotation_deg, 2, 1e-9);
    T_NEAR(e[3].rotation_deg, 2, 1e-9);
    T_NEAR(s.auc[0], 0, 0);
    /* the share goes up along the diagonal to the first of six pairs at 2, then is one from 2 on */
    T_NEAR(s.auc[1], 100 * (2 * 1. / 6 / 2 + 1) / 3, 1e-6);
    T_NEAR(s.auc[2], 100 * (2 * 1. / 6 / 2 + 3) / 5, 1e-6);
    vd_pose_set_reset(&truth);
    vd_pose_set_reset(&model);
}

T(centre_figures) {
    static const double off[5] = { 1, 2, 3, 4, 40 };
    vd_pose_set truth = { 0 }, model = { 0 };
    vd_pose_score s;
    vd_err err = { 0 };
    /* errors that a similarity does not take up: far cameras fix it, pairs of opposite errors */
    for (int i = 0; i < 10; i++) {
        char name[8];
        double side = i % 2 ? 1 : -1, far = 1e7;
        vd_vec3 c = vd_v3(far * (i / 2 % 3 - 1), far * (i / 2 % 2), far * (i / 2 / 4));
        snprintf(name, sizeof name, "%d", i);
        add(&truth, name, VD_QUAT_ONE, c);
        add(&model, name, VD_QUAT_ONE, vd_v3_add(c, vd_v3(0, 0, side * off[i / 2])));
    }
    T_OK(vd_pose_eval(&s, NULL, &model, &truth, &err));
    T_NEAR(s.centre_mean, 10, 1e-3);
    T_NEAR(s.centre_median, 3, 1e-3);
    T_NEAR(s.centre_max, 40, 1e-3);
    T_NEAR(s.centre_rmse, sqrt((1 + 4 + 9 + 16 + 1600) / 5.), 1e-3);
    vd_pose_set_reset(&truth);
    vd_pose_set_reset(&model);
}

T(missing_images_count) {
    vd_rng r = t_rng(t);
    vd_pose_set truth = { 0 }, model = { 0 };
    vd_pose_score s;
    vd_pose_error e[10];
    vd_err err = { 0 };
    worlds(&r, 10, 2, &truth, &model);
    vd_mem_free(model.pose[4].name);
    model.pose[4].name = vd_mem_strdup("no such.jpg");
    T_OK(vd_pose_eval(&s, e, &model, &truth, &err));
    T_EQ(s.registered, 9);
    T_EQ(s.total, 10);
    T_EQ(e[4].index, -1);
    T_TRUE(isnan(e[4].centre) && isnan(e[4].rotation_deg));
    T_NEAR(s.auc[2], 100 * 36. / 45, 1e-3);
    T_NEAR(s.centre_rmse, 0, 1e-12);
    vd_pose_set_reset(&truth);
    vd_pose_set_reset(&model);
}

T(names_match_in_full_or_at_their_end) {
    static const char *const in_truth[] = { "a/1.jpg", "b/1.jpg", "c/2.jpg", "3.jpg", "d/4.jpg" };
    static const char *const in_model[] = { "b/1.jpg", "a/1.jpg", "2.jpg",
                                            "x/3.jpg", "e/4.jpg", "f/4.jpg" };
    static const int want[] = { 1, 0, 2, 3, -1 }; /* two in the model end in 4.jpg */
    vd_rng r = t_rng(t);
    vd_pose_set truth = { 0 }, model = { 0 };
    vd_pose_score s;
    vd_pose_error e[5];
    vd_err err = { 0 };
    for (int i = 0; i < 5; i++) add(&truth, in_truth[i], VD_QUAT_ONE, random_vec(&r, 1));
    for (int i = 0; i < 6; i++) add(&model, in_model[i], VD_QUAT_ONE, random_vec(&r, 1));
    T_OK(vd_pose_eval(&s, e, &model, &truth, &err));
    for (int i = 0; i < 5; i++) T_EQ(e[i].index, want[i]);
    vd_pose_set_reset(&truth);
    vd_pose_set_reset(&model);
}

static vd_pose_score line_or_point(t_case *t, vd_vec3 step, int n) {
    vd_pose_set truth = { 0 }, model = { 0 };
    vd_pose_score s = { 0 };
    vd_err err = { 0 };
    for (int i = 0; i < n; i++) {
        const char name[] = { (char)('a' + i), '\0' };
        add(&truth, name, VD_QUAT_ONE, vd_v3_add(vd_v3(7, 8, 9), vd_v3_mul(step, i * i)));
        add(&model, name, VD_QUAT_ONE, vd_v3_mul(step, 3 * i * i));
    }
    if (vd_pose_eval(&s, NULL, &model, &truth, &err) != VD_OK) T_FAIL("%s", err.msg);
    vd_pose_set_reset(&truth);
    vd_pose_set_reset(&model);
    return s;
}

T(what_cannot_be_said_is_missing) {
    vd_pose_score s = line_or_point(t, vd_v3(1, 2, -1), 6); /* in a line */
    T_NEAR(s.centre_rmse, 0, 1e-12);
    T_NEAR(s.scale, 1. / 3, 1e-12);
    T_TRUE(isnan(s.rotation_deg));
    T_NEAR(s.auc[0], 100, 1e-3);
    s = line_or_point(t, vd_v3(0, 0, 0), 6); /* at one place */
    T_TRUE(isnan(s.centre_rmse) && isnan(s.scale) && isnan(s.rotation_deg));
    T_EQ(s.registered, 6);
    s = line_or_point(t, vd_v3(1, 0, 0), 2); /* too few */
    T_TRUE(isnan(s.centre_rmse));
    T_NEAR(s.auc[0], 100, 1e-3);
    s = line_or_point(t, vd_v3(1, 0, 0), 1);
    T_TRUE(isnan(s.auc[0]));
    s = line_or_point(t, vd_v3(1, 0, 0), 0);
    T_EQ(s.total, 0);
    T_TRUE(isnan(s.auc[2]) && isnan(s.centre_rmse));
}

/* A mirrored world is no similarity: there must be an error. */
T(no_mirrors) {
    vd_rng r = t_rng(t);
    vd_pose_set truth = { 0 }, model = { 0 };
    vd_pose_score s;
    vd_err err = { 0 };
    for (int i = 0; i < 8; i++) {
        const char name[] = { (char)('a' + i), '\0' };
        vd_vec3 c = random_vec(&r, 1);
        add(&truth, name, VD_QUAT_ONE, c);
        add(&model, name, VD_QUAT_ONE, vd_v3(-c.x, c.y, c.z));
    }
    T_OK(vd_pose_eval(&s, NULL, &model, &truth, &err));
    T_TRUE(s.centre_rmse > 0.1);
    vd_pose_set_reset(&truth);
    vd_pose_set_reset(&model);
}

/* ---- truths ---- */

T(strecha_files) {
    static const char text[] = "1 0 2 0 3 4 0 0 1\n0 0 0\n0 0 1\n1 0 0\n0 1 0\n5 6 7\n3072 2048\n";
    t_dir d = t_dir_new();
    vd_pose_set s = { 0 };
    vd_err err = { 0 };
    T_TRUE(!vd_truth_is_strecha(d.path));
    t_dir_put(&d, "b.jpg.camera", text, sizeof text - 1);
    t_dir_put(&d, "a.jpg.camera", text, sizeof text - 1);
    t_dir_put(&d, "readme.txt", text, sizeof text - 1);
    T_TRUE(vd_truth_is_strecha(d.path));
    T_OK(vd_truth_read_strecha(&s, d.path, &err));
    T_EQ(s.n, 2);
    T_STR(s.pose[0].name, "a.jpg");
    T_STR(s.pose[1].name, "b.jpg");
    T_NEAR(s.pose[1].centre.y, 6, 0);
    T_NEAR(s.pose[1].r[1], 1, 0); /* of the world in the camera */
    T_NEAR(s.pose[1].r[3], 0, 0);
    T_NEAR(s.pose[1].r[6], 1, 0);
    vd_pose_set_reset(&s);
    t_dir_put(&d, "c.jpg.camera", text, (size_t)(strstr(text, "7\n") - text));
    T_EQ(vd_truth_read_strecha(&s, d.path, &err), VD_E_FORMAT);
    T_TRUE(strstr(err.msg, "c.jpg.camera: number 24 of 24 is missing") != NULL);
    t_dir_put(&d, "c.jpg.camera", "1 0 2 0 3 4 0 0 1 0 0 0 0 0 1 1 0 0 0 2 0 5 6 7", 48);
    err = (vd_err){ 0 };
    T_EQ(vd_truth_read_strecha(&s, d.path, &err), VD_E_FORMAT);
    T_TRUE(strstr(err.msg, "numbers 13 to 21 are no rotation") != NULL);
    err = (vd_err){ 0 };
    T_EQ(vd_truth_read_strecha(&s, t_dir_at(&d, "none"), &err), VD_E_IO);
    t_dir_free(&d);
}

T(survives_refused_memory) {
    static const char json[] =
        "{\"images\":[{\"file\":\"a\",\"cam_from_world\":{\"qw\":1,\"qx\":0,\"qy\":0,"
        "\"qz\":0,\"tx\":1,\"ty\":2,\"tz\":3}},{\"file\":\"b\",\"cam_from_world\":{\"qw\":0,"
        "\"qx\":1,\"qy\":0,\"qz\":0,\"tx\":1,\"ty\":2,\"tz\":4}}]}";
    for (int n = 0, hit = 1; hit; n++) {
        int64_t before = vd_mem_live();
        vd_pose_set s = { 0 };
        vd_pose_score score;
        vd_err err = { 0 };
        vd_mem_fail_at(n, false);
        vd_status st = vd_truth_parse_json(&s, "doc", json, sizeof json - 1, &err);
        if (st == VD_OK) st = vd_pose_eval(&score, NULL, &s, &s, &err);
        hit = vd_mem_fail_clear();
        T_EQ(st, hit ? VD_E_NOMEM : VD_OK);
        if (!hit) T_EQ(score.registered, 2);
        vd_pose_set_reset(&s);
        T_EQ(vd_mem_live(), before);
    }
}
