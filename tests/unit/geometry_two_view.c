/* Two-view estimation and resection on synthetic scenes with truth: shares of outliers, planes,
 * rotations, overlays, wrong calibration, fisheyes, hostile input, memory, the same bits at every
 * CPU level. SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "base/cpu.h"
#include "base/mem.h"
#include "geometry/resection.h"
#include "geometry/two_view.h"
#include "view_scenes.h"

static const double DEG = 3.14159265358979323846 / 180;

typedef struct outcome {
    int scenes, config[VD_TWO_VIEW_CONFIGS], bad_pose;
    double worst_pose, precision, recall; /* pose of those that have one; means */
} outcome;

static void estimate_all(t_case *t, outcome *o, const view_opt *v, bool calibrated, int scenes,
                         double limit_rad) {
    *o = (outcome){ .scenes = scenes };
    for (int i = 0; i < scenes; i++) {
        view_scene s;
        vd_two_view r;
        vd_err err = { 0 };
        vd_two_view_opt opt = VD_TWO_VIEW_OPT;
        view_scene_make(&s, v, (uint64_t)(100 + i));
        uint8_t *mask = calloc((size_t)s.n + 1, 1);
        opt.item = (uint64_t)i;
        T_OK(vd_two_view_estimate(&r, mask, &s.c1, &s.c2, calibrated, s.uv1, s.uv2, s.n, &opt,
                                  &err));
        int marked = 0, right = 0, good = 0;
        for (int k = 0; k < s.n; k++) {
            marked += mask[k];
            good += s.good[k];
            right += mask[k] && s.good[k];
        }
        T_EQ(marked, r.inliers);
        o->config[r.config]++;
        o->precision += marked > 0 ? (double)right / marked / scenes : 1.0 / scenes;
        o->recall += good > 0 ? (double)right / good / scenes : 1.0 / scenes;
        double e = view_pose_error(r.cam2_from_cam1, s.cam2_from_cam1);
        o->bad_pose += e > limit_rad;
        o->worst_pose = fmax(o->worst_pose, e);
        free(mask);
        view_scene_free(&s);
    }
}

T(poses_are_found_among_outliers) {
    static const struct {
        double outliers, precision;
    } at[] = {
        { 0, 1 }, { 0.2, 0.995 }, { 0.4, 0.985 }, { 0.5, 0.98 }, { 0.6, 0.97 }, { 0.7, 0.95 }
    };
    for (int i = 0; i < VD_COUNT(at); i++) {
        outcome o;
        /* noise of 0.7 px on 0.3 rad of parallax over some hundred matches: a tenth of a degree;
         * one scene in a thousand exceeds half a degree at 70 % outliers */
        view_opt v = { VIEW_GENERAL, 600, at[i].outliers, 0.7, 0.3, VD_CAMERA_SIMPLE_RADIAL };
        estimate_all(t, &o, &v, true, 20, 1.5 * DEG);
        T_EQ(o.config[VD_TWO_VIEW_CALIBRATED], o.scenes);
        T_EQ(o.bad_pose, 0);
        T_LT(at[i].precision - 1e-9, o.precision); /* a band of 16 px of 1200 catches outliers */
        T_LT(0.99, o.recall);
    }
}

T(without_noise_the_pose_is_exact) {
    outcome o;
    view_opt v = { VIEW_GENERAL, 300, 0, 0, 0.3, VD_CAMERA_OPENCV };
    estimate_all(t, &o, &v, true, 10, 1e-6);
    T_EQ(o.config[VD_TWO_VIEW_CALIBRATED], o.scenes);
    T_EQ(o.bad_pose, 0);
    T_LT(1 - 1e-9, o.recall);
}

T(planes_are_told_and_give_their_pose) {
    static const double outliers[] = { 0, 0.3, 0.6 };
    for (int i = 0; i < VD_COUNT(outliers); i++) {
        outcome o;
        view_opt v = { VIEW_PLANE, 600, outliers[i], 0.5, 0.5, VD_CAMERA_SIMPLE_PINHOLE };
        estimate_all(t, &o, &v, true, 20, 2 * DEG);
        T_EQ(o.config[VD_TWO_VIEW_PLANAR], o.scenes);
        T_LT(o.bad_pose, 3); /* a plane may have two poses that differ by little */
        T_LT(0.98, o.recall);
        estimate_all(t, &o, &v, false, 10, 9);
        T_EQ(o.config[VD_TWO_VIEW_PLANAR_OR_PANORAMIC], o.scenes);
        T_LT(0.98, o.recall);
    }
}

T(rotations_are_told) {
    static const double outliers[] = { 0, 0.3, 0.6 };
    for (int i = 0; i < VD_COUNT(outliers); i++) {
        outcome o;
        view_opt v = { VIEW_ROTATION, 600, outliers[i], 0.7, 0.3, VD_CAMERA_SIMPLE_RADIAL };
        estimate_all(t, &o, &v, true, 20, 0.1 * DEG);
        T_EQ(o.config[VD_TWO_VIEW_PANORAMIC], o.scenes);
        T_EQ(o.bad_pose, 0);
        T_LT(0.98, o.recall);
        estimate_all(t, &o, &v, false, 10, 9);
        T_EQ(o.config[VD_TWO_VIEW_PLANAR_OR_PANORAMIC], o.scenes);
    }
}

T(overlays_are_told) {
    outcome o;
    view_opt v = { VIEW_OVERLAY, 200, 0.3, 0.3, 0.3, VD_CAMERA_SIMPLE_PINHOLE };
    estimate_all(t, &o, &v, true, 20, 9);
    T_EQ(o.config[VD_TWO_VIEW_WATERMARK], o.scenes);
    estimate_all(t, &o, &v, false, 20, 9);
    T_EQ(o.config[VD_TWO_VIEW_WATERMARK], o.scenes);
}

T(uncalibrated_pairs_give_a_fundamental_matrix) {
    static const double outliers[] = { 0, 0.3, 0.5 };
    for (int i = 0; i < VD_COUNT(outliers); i++) {
        outcome o;
        view_opt v = { VIEW_GENERAL, 600, outliers[i], 0.7, 0.4, VD_CAMERA_SIMPLE_PINHOLE };
        estimate_all(t, &o, &v, false, 15, 9);
        T_EQ(o.config[VD_TWO_VIEW_UNCALIBRATED], o.scenes);
        T_LT(0.97, o.precision);
        T_LT(0.98, o.recall);
    }
}

/* A prior focal length that is wrong by a factor of two: E cannot explain what F does. */
T(wrong_calibration_shows) {
    int told = 0;
    for (int i = 0; i < 20; i++) {
        view_scene s;
        view_opt v = { VIEW_GENERAL, 600, 0.3, 0.5, 0.5, VD_CAMERA_SIMPLE_PINHOLE };
        vd_two_view r;
        vd_err err = { 0 };
        view_scene_make(&s, &v, (uint64_t)i);
        s.c1.params[0] *= i % 2 ? 2 : 0.5;
        T_OK(vd_two_view_estimate(&r, NULL, &s.c1, &s.c2, true, s.uv1, s.uv2, s.n, NULL, &err));
        told += r.config == VD_TWO_VIEW_UNCALIBRATED;
        view_scene_free(&s);
    }
    T_LT(16, told);
}

T(fisheyes_are_measured_on_the_sphere) {
    outcome o;
    view_opt v = { VIEW_GENERAL, 600, 0.3, 0.5, 0.3, VD_CAMERA_OPENCV_FISHEYE };
    estimate_all(t, &o, &v, true, 20, 0.5 * DEG);
    T_EQ(o.config[VD_TWO_VIEW_CALIBRATED], o.scenes);
    T_EQ(o.bad_pose, 0);
    T_LT(0.98, o.recall);
}

/* E, F and H are what the header says they are. */
T(matrices_fit_their_definition) {
    view_scene s;
    view_opt v = { VIEW_PLANE, 500, 0, 0, 0.5, VD_CAMERA_SIMPLE_RADIAL };
    vd_two_view r;
    vd_err err = { 0 };
    view_scene_make(&s, &v, 3);
    T_OK(vd_two_view_estimate(&r, NULL, &s.c1, &s.c2, true, s.uv1, s.uv2, s.n, NULL, &err));
    for (int i = 0; i < s.n; i++) {
        double a[3] = { 0, 0, 1 }, b[3] = { 0, 0, 1 }, p[3], q[3], e = 0, f = 0, h[3] = { 0 };
        T_TRUE(vd_camera_unproject(&s.c1, s.uv1 + 2 * i, a) &&
               vd_camera_unproject(&s.c2, s.uv2 + 2 * i, b));
        const double f1 = s.c1.params[0], f2 = s.c2.params[0];
        p[0] = f1 * a[0] + s.c1.params[1], p[1] = f1 * a[1] + s.c1.params[2], p[2] = 1;
        q[0] = f2 * b[0] + s.c2.params[1], q[1] = f2 * b[1] + s.c2.params[2], q[2] = 1;
        for (int j = 0; j < 9; j++) {
            e += b[j / 3] * r.E[j] * a[j % 3];
            f += q[j / 3] * r.F[j] * p[j % 3];
            h[j / 3] += r.H[j] * p[j % 3];
        }
        T_NEAR(e, 0, 1e-6);
        T_NEAR(f, 0, 1e-5); /* unit norm, pixels up to 1600 squared */
        T_NEAR(h[0] / h[2], q[0], 1e-3);
        T_NEAR(h[1] / h[2], q[1], 1e-3);
    }
    view_scene_free(&s);
}

/* The median angle between the rays, against the truth. */
T(the_median_angle_is_the_one_of_the_scene) {
    view_scene s;
    view_opt v = { VIEW_GENERAL, 501, 0, 0.2, 0.3, VD_CAMERA_SIMPLE_PINHOLE };
    vd_two_view r;
    vd_err err = { 0 };
    view_scene_make(&s, &v, 5);
    T_OK(vd_two_view_estimate(&r, NULL, &s.c1, &s.c2, true, s.uv1, s.uv2, s.n, NULL, &err));
    double angle[501];
    vd_vec3 c2 = vd_rigid_centre(s.cam2_from_cam1);
    for (int i = 0; i < s.n; i++) {
        vd_vec3 x = vd_v3(s.xyz[3 * i], s.xyz[3 * i + 1], s.xyz[3 * i + 2]), y = vd_v3_sub(x, c2);
        angle[i] = atan2(vd_v3_norm(vd_v3_cross(x, y)), vd_v3_dot(x, y));
    }
    int below = 0;
    for (int i = 0; i < s.n; i++) below += angle[i] < r.median_angle_rad;
    T_NEAR(below, 250, 10);
    view_scene_free(&s);
}

T(identical_pictures_are_a_rotation_by_nothing) {
    double uv[2 * 300];
    vd_rng rng = t_rng(t);
    vd_camera c = vd_camera_simple(VD_CAMERA_SIMPLE_PINHOLE, 1400, 1600, 1200);
    vd_two_view r;
    vd_err err = { 0 };
    for (int i = 0; i < 300; i++) {
        uv[2 * i] = vd_rng_range(&rng, 0, 1600);
        uv[2 * i + 1] = vd_rng_range(&rng, 0, 1200);
    }
    T_OK(vd_two_view_estimate(&r, NULL, &c, &c, true, uv, uv, 300, NULL, &err));
    T_EQ(r.config, VD_TWO_VIEW_PANORAMIC);
    T_EQ(r.inliers, 300);
    T_LT(vd_quat_angle_rad(r.cam2_from_cam1.q, VD_QUAT_ONE), 1e-9);
    T_OK(vd_two_view_estimate(&r, NULL, &c, &c, false, uv, uv, 300, NULL, &err));
    T_EQ(r.config, VD_TWO_VIEW_PLANAR_OR_PANORAMIC);
}

T(unrelated_pictures_are_degenerate) {
    for (int n = 0; n < 400; n += n < 20 ? 1 : 19) {
        view_scene s;
        view_opt v = { VIEW_GENERAL, n, 1, 0, 0.3, VD_CAMERA_SIMPLE_PINHOLE };
        vd_two_view r;
        uint8_t mask[400];
        vd_err err = { 0 };
        view_scene_make(&s, &v, (uint64_t)n);
        memset(mask, 1, sizeof mask);
        T_OK(vd_two_view_estimate(&r, mask, &s.c1, &s.c2, n % 3, s.uv1, s.uv2, n, NULL, &err));
        T_EQ(r.config, VD_TWO_VIEW_DEGENERATE);
        T_EQ(r.inliers, 0);
        for (int i = 0; i < n; i++) T_EQ(mask[i], 0);
        view_scene_free(&s);
    }
}

/* One point, one line, coordinates that are no numbers or far outside: an answer, finite. */
T(hostile_matches_are_no_danger) {
    static const double odd[] = { 0, NAN, INFINITY, -INFINITY, 1e300, -1e300, 1e-300, 800, 1e7 };
    vd_rng rng = t_rng(t);
    vd_camera c = vd_camera_simple(VD_CAMERA_RADIAL, 1400, 1600, 1200);
    c.params[3] = -0.2;
    for (int i = 0; i < 120; i++) {
        enum { N = 80 };
        double a[2 * N], b[2 * N];
        vd_two_view r;
        vd_rigid pose;
        double xyz[3 * N];
        vd_err err = { 0 };
        vd_two_view_opt opt = VD_TWO_VIEW_OPT;
        opt.max_trials = 300;
        for (int k = 0; k < 2 * N; k++) {
            a[k] = i % 4 == 0 ? 400 : vd_rng_range(&rng, 0, 1200);
            b[k] = i % 4 == 1 ? 500 : i % 4 == 2 && k % 2 ? b[k - 1] : vd_rng_range(&rng, 0, 1200);
            if (i % 3 == 0 && vd_rng_int(&rng, 5) == 0) a[k] = odd[vd_rng_int(&rng, 9)];
        }
        for (int k = 0; k < 3 * N; k++)
            xyz[k] = i % 3 == 1 && vd_rng_int(&rng, 5) == 0 ? odd[vd_rng_int(&rng, 9)]
                     : i % 5 == 0                           ? 1
                                                            : vd_rng_normal(&rng);
        for (int calibrated = 0; calibrated < 2; calibrated++) {
            T_OK(vd_two_view_estimate(&r, NULL, &c, &c, calibrated, a, b, N, &opt, &err));
            for (int k = 0; k < 9; k++)
                T_TRUE(isfinite(r.E[k]) && isfinite(r.F[k]) && isfinite(r.H[k]));
            T_TRUE(isfinite(vd_v3_norm(r.cam2_from_cam1.t)) && isfinite(r.median_angle_rad));
        }
        int inliers;
        vd_camera guess = c;
        T_OK(vd_resection(&pose, NULL, &inliers, &c, a, xyz, N, NULL, &err));
        T_TRUE(isfinite(vd_v3_norm(pose.t)) && isfinite(pose.q.w));
        T_OK(vd_resection_focal(&pose, &guess, NULL, &inliers, a, xyz, N, NULL, &err));
        T_TRUE(isfinite(vd_v3_norm(pose.t)) && guess.params[0] > 0);
    }
}

T(arguments_are_checked) {
    vd_camera c = vd_camera_simple(VD_CAMERA_PINHOLE, 1000, 640, 480), bad = c;
    vd_camera fish = vd_camera_simple(VD_CAMERA_OPENCV_FISHEYE, 300, 640, 480);
    double uv[2] = { 1, 1 }, xyz[3] = { 1, 1, 1 };
    vd_two_view r = { .config = 77 };
    vd_rigid pose = VD_RIGID_ONE;
    vd_two_view_opt opt = VD_TWO_VIEW_OPT;
    vd_resection_opt ropt = VD_RESECTION_OPT;
    bad.params[0] = -1;
    T_EQ(vd_two_view_estimate(&r, NULL, &bad, &c, true, uv, uv, 1, NULL, NULL), VD_E_ARG);
    T_EQ(vd_two_view_estimate(&r, NULL, &c, &bad, true, uv, uv, 1, NULL, NULL), VD_E_ARG);
    T_EQ(vd_two_view_estimate(&r, NULL, &c, &c, true, uv, uv, -1, NULL, NULL), VD_E_ARG);
    opt.max_error_px = 0;
    T_EQ(vd_two_view_estimate(&r, NULL, &c, &c, true, uv, uv, 1, &opt, NULL), VD_E_ARG);
    opt.max_error_px = 4;
    opt.confidence = 1;
    T_EQ(vd_two_view_estimate(&r, NULL, &c, &c, true, uv, uv, 1, &opt, NULL), VD_E_ARG);
    T_EQ(r.config, 77);
    T_EQ(vd_resection(&pose, NULL, NULL, &bad, uv, xyz, 1, NULL, NULL), VD_E_ARG);
    ropt.max_error_px = NAN;
    T_EQ(vd_resection(&pose, NULL, NULL, &c, uv, xyz, 1, &ropt, NULL), VD_E_ARG);
    T_EQ(vd_resection_focal(&pose, &fish, NULL, NULL, uv, xyz, 1, NULL, NULL), VD_E_UNSUPPORTED);
    T_STR(vd_two_view_config_name(VD_TWO_VIEW_PANORAMIC), "panoramic");
    T_TRUE(vd_two_view_config_name(99) == NULL);
}

T(memory_that_runs_out_is_reported) {
    view_scene s;
    view_opt v = { VIEW_GENERAL, 100, 0.2, 0.5, 0.3, VD_CAMERA_SIMPLE_PINHOLE };
    view_scene_make(&s, &v, 1);
    for (int kind = 0; kind < 2; kind++) {
        bool hit = true;
        for (int n = 0; hit; n++) {
            vd_two_view r;
            vd_rigid pose;
            int inliers;
            vd_mem_fail_at(n, false);
            vd_status st = kind == 0 ? vd_two_view_estimate(&r, NULL, &s.c1, &s.c2, true, s.uv1,
                                                            s.uv2, s.n, NULL, NULL)
                                     : vd_resection(&pose, NULL, &inliers, &s.c2, s.uv2, s.xyz, s.n,
                                                    NULL, NULL);
            hit = vd_mem_fail_clear();
            T_EQ(st, hit ? VD_E_NOMEM : VD_OK);
            T_EQ(vd_mem_live(), 0);
        }
    }
    view_scene_free(&s);
}

/* The same bits whatever the processor offers. */
T(results_do_not_depend_on_the_processor) {
    static const char *const level[] = { "c", "avx2", "avx512" };
    for (int i = 0; i < 12; i++) {
        view_scene s;
        view_opt v = { (view_kind)(i % 4),
                       400,
                       0.4,
                       0.7,
                       0.3,
                       i % 2 ? VD_CAMERA_SIMPLE_RADIAL : VD_CAMERA_OPENCV_FISHEYE };
        vd_two_view r[3];
        vd_rigid pose[3];
        uint8_t mask[3][400];
        if (v.kind == VIEW_OVERLAY) v.model = VD_CAMERA_SIMPLE_PINHOLE;
        view_scene_make(&s, &v, (uint64_t)i);
        for (int k = 0; k < 3; k++) {
            vd_err err = { 0 };
            int inliers;
            setenv("VIDIMUS_CPU", level[k], 1);
            memset(&r[k], 0, sizeof r[k]);
            T_OK(vd_two_view_estimate(&r[k], mask[k], &s.c1, &s.c2, i < 8, s.uv1, s.uv2, s.n, NULL,
                                      &err));
            T_OK(vd_resection(&pose[k], NULL, &inliers, &s.c2, s.uv2, s.xyz, s.n, NULL, &err));
            T_TRUE(memcmp(&r[k], &r[0], sizeof r[0]) == 0);
            T_TRUE(memcmp(&pose[k], &pose[0], sizeof pose[0]) == 0);
            T_TRUE(memcmp(mask[k], mask[0], sizeof mask[0]) == 0);
        }
        unsetenv("VIDIMUS_CPU");
        view_scene_free(&s);
    }
}

static void resect_all(t_case *t, const view_opt *v, bool focal, double limit_rad,
                       double limit_focal) {
    for (int i = 0; i < 20; i++) {
        view_scene s;
        vd_rigid pose;
        vd_err err = { 0 };
        int inliers, good = 0, right = 0;
        vd_resection_opt opt = VD_RESECTION_OPT;
        view_scene_make(&s, v, (uint64_t)i);
        uint8_t *mask = calloc((size_t)s.n + 1, 1);
        vd_camera c = s.c2;
        opt.max_error_px = 6;
        opt.item = (uint64_t)i;
        /* far from the origin, as map coordinates are: x_cam1 = x_world - offset */
        vd_vec3 offset = vd_v3(4e5, -3e6, 500);
        for (int k = 0; k < s.n; k++) {
            s.xyz[3 * k] += offset.x, s.xyz[3 * k + 1] += offset.y, s.xyz[3 * k + 2] += offset.z;
        }
        if (focal) {
            c.params[0] *= i % 2 ? 1.7 : 0.6;
            T_OK(vd_resection_focal(&pose, &c, mask, &inliers, s.uv2, s.xyz, s.n, &opt, &err));
            T_NEAR(c.params[0] / s.c2.params[0], 1, limit_focal);
        } else
            T_OK(vd_resection(&pose, mask, &inliers, &c, s.uv2, s.xyz, s.n, &opt, &err));
        vd_rigid back = { VD_QUAT_ONE, offset };
        pose = vd_rigid_mul(pose, back);
        T_LT(vd_quat_angle_rad(pose.q, s.cam2_from_cam1.q), limit_rad);
        T_LT(vd_v3_norm(vd_v3_sub(pose.t, s.cam2_from_cam1.t)),
             limit_rad * 10 + 10 * limit_focal * focal);
        for (int k = 0; k < s.n; k++) {
            good += s.good[k];
            right += s.good[k] && mask[k];
            inliers -= mask[k];
        }
        T_EQ(inliers, 0);
        /* fisheyes that fold soon after 80 degrees squeeze large angles into a pixel: see
         * resection.h */
        T_LT((vd_camera_is_fisheye(v->model) ? 0.95 : 0.98) * good, right + 1e-9);
        free(mask);
        view_scene_free(&s);
    }
}

T(cameras_are_resected_among_outliers) {
    static const double outliers[] = { 0, 0.3, 0.5, 0.7 };
    for (int i = 0; i < VD_COUNT(outliers); i++) {
        view_opt v = { VIEW_GENERAL, 400, outliers[i], 0.7, 0.3, VD_CAMERA_OPENCV };
        resect_all(t, &v, false, 0.3 * DEG, 0);
        v.model = VD_CAMERA_THIN_PRISM_FISHEYE;
        resect_all(t, &v, false, 0.5 * DEG, 0);
        v.kind = VIEW_PLANE;
        v.model = VD_CAMERA_SIMPLE_PINHOLE;
        resect_all(t, &v, false, 0.5 * DEG, 0);
    }
}

T(unknown_focal_lengths_are_found) {
    static const double outliers[] = { 0, 0.3, 0.5 };
    for (int i = 0; i < VD_COUNT(outliers); i++) {
        view_opt v = { VIEW_GENERAL, 400, outliers[i], 0.7, 0.3, VD_CAMERA_SIMPLE_PINHOLE };
        resect_all(t, &v, true, 1 * DEG, 0.03);
        v.kind = VIEW_PLANE; /* oblique enough in these scenes to know the focal length roughly */
        v.noise_px = 0.1;
        resect_all(t, &v, true, 3 * DEG, 0.2);
    }
}
