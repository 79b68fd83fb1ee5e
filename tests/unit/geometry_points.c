/* Triangulation and alignment, against truth, noise and outliers. SPDX-License-Identifier:
 * Apache-2.0
 */
#include "t.h"

#include "base/mem.h"
#include "geometry/align.h"
#include "geometry/rigid.h"
#include "geometry/triangulate.h"

static vd_quat random_quat(vd_rng *r) {
    return vd_quat_unit(
        (vd_quat){ vd_rng_normal(r), vd_rng_normal(r), vd_rng_normal(r), vd_rng_normal(r) });
}
static vd_vec3 random_vec(vd_rng *r) {
    return vd_v3(vd_rng_normal(r), vd_rng_normal(r), vd_rng_normal(r));
}
static double far(vd_vec3 a, vd_vec3 b) {
    return vd_v3_norm(vd_v3_sub(a, b));
}
static void put(double *to, vd_vec3 v) {
    to[0] = v.x, to[1] = v.y, to[2] = v.z;
}

/* A camera about 5 away from the origin, turned anyhow, and its ray to x with noise. */
static vd_rigid random_view(vd_rng *r, vd_vec3 x, double noise_rad, double *ray) {
    vd_vec3 centre = vd_v3_mul(vd_v3_unit(random_vec(r)), 5);
    vd_rigid pose = { random_quat(r), { 0, 0, 0 } };
    pose.t = vd_v3_mul(vd_quat_rotate(pose.q, centre), -1);
    vd_vec3 y = vd_v3_unit(vd_rigid_apply(pose, x));
    put(ray, vd_v3_unit(vd_v3_add(y, vd_v3_mul(random_vec(r), noise_rad))));
    return pose;
}

T(two_rays_meet_in_their_point) {
    vd_rng r = t_rng(t);
    for (int i = 0; i < 5000; i++) {
        vd_vec3 x = random_vec(&r), got;
        double ray[6];
        vd_rigid a = random_view(&r, x, 0, ray), b = random_view(&r, x, 0, ray + 3);
        double angle = vd_triangulation_angle_rad(vd_rigid_centre(a), vd_rigid_centre(b), x);
        T_TRUE(vd_triangulate_pair(&got, a, b, ray, ray + 3));
        T_LT(far(got, x), 1e-12 / sin(angle) + 1e-13);
        /* behind both cameras: the same lines, turned round */
        for (int k = 0; k < 6; k++) ray[k] = -ray[k];
        T_TRUE(!vd_triangulate_pair(&got, a, b, ray, ray + 3));
        T_TRUE(!vd_triangulate_pair(&got, a, a, ray, ray));
    }
}

/* No other point has a smaller sum of both angles: the claim of the closed form. */
T(two_noisy_rays_turn_as_little_as_possible) {
    vd_rng r = t_rng(t);
    for (int i = 0; i < 500; i++) {
        vd_vec3 x = random_vec(&r), got;
        double ray[6];
        vd_rigid a = random_view(&r, x, 0.01, ray), b = random_view(&r, x, 0.01, ray + 3);
        double angle = vd_triangulation_angle_rad(vd_rigid_centre(a), vd_rigid_centre(b), x);
        if (angle < 0.3 || angle > 2.8 || !vd_triangulate_pair(&got, a, b, ray, ray + 3)) continue;
        double least = vd_ray_error_rad(a, ray, got) + vd_ray_error_rad(b, ray + 3, got);
        for (int k = 0; k < 200; k++) {
            vd_vec3 y = vd_v3_add(got, vd_v3_mul(random_vec(&r), exp(vd_rng_range(&r, -9, -2))));
            T_TRUE(vd_ray_error_rad(a, ray, y) + vd_ray_error_rad(b, ray + 3, y) > least - 1e-9);
        }
    }
}

T(many_rays_minimise_the_squared_angles) {
    vd_rng r = t_rng(t);
    for (int i = 0; i < 300; i++) {
        vd_vec3 x = random_vec(&r), got;
        int n = 2 + i % 12;
        double ray[3 * 14], least = 0;
        vd_rigid pose[14];
        for (int k = 0; k < n; k++) pose[k] = random_view(&r, x, 0, ray + 3 * k);
        T_TRUE(vd_triangulate_multi(&got, pose, ray, n));
        T_LT(far(got, x), n == 2 ? 1e-8 : 1e-9);
        for (int k = 0; k < n; k++) pose[k] = random_view(&r, x, 0.003, ray + 3 * k);
        if (n == 2 || !vd_triangulate_multi(&got, pose, ray, n)) continue;
        for (int k = 0; k < n; k++) least += pow(vd_ray_error_rad(pose[k], ray + 3 * k, got), 2);
        for (int j = 0; j < 100; j++) {
            vd_vec3 y = vd_v3_add(got, vd_v3_mul(random_vec(&r), exp(vd_rng_range(&r, -10, -3))));
            double sum = 0;
            for (int k = 0; k < n; k++) sum += pow(vd_ray_error_rad(pose[k], ray + 3 * k, y), 2);
            T_TRUE(sum > least * (1 - 1e-4)); /* chords are angles to third order */
        }
    }
    vd_vec3 got;
    vd_rigid one[2] = { VD_RIGID_ONE, VD_RIGID_ONE };
    const double ahead[6] = { 0, 0, 1, 0, 0, 1 };
    T_TRUE(!vd_triangulate_multi(&got, one, ahead, 2)); /* parallel */
    T_TRUE(!vd_triangulate_multi(&got, one, ahead, 1));
}

static void robust_points(t_case *t, int n, double wrong, int *missed, int *false_support) {
    vd_rng r = t_rng(t);
    *missed = *false_support = 0;
    for (int i = 0; i < 300; i++) {
        vd_vec3 x = random_vec(&r), got;
        double ray[3 * 200], limit[200];
        vd_rigid pose[200];
        uint8_t mask[200], good[200];
        vd_triangulate_opt opt = VD_TRIANGULATE_OPT;
        for (int k = 0; k < n; k++) {
            good[k] = vd_rng_f64(&r) >= wrong || k < 3;
            vd_vec3 at = good[k] ? x : vd_v3_mul(random_vec(&r), 3);
            pose[k] = random_view(&r, at, 0.001, ray + 3 * k);
            limit[k] = 0.004;
        }
        opt.max_rad = limit;
        opt.min_angle_rad = 0.15; /* then 1 mrad of noise moves a point by 0.03 at most, nearly */
        opt.item = (uint64_t)i;
        int support = vd_triangulate_robust(&got, mask, pose, ray, n, &opt);
        *missed += support < 2 || far(got, x) > 0.05;
        for (int k = 0; k < n; k++) *false_support += support && mask[k] && !good[k];
    }
}

T(wrong_rays_do_not_move_the_point) {
    int missed, wrong;
    robust_points(t, 3, 0, &missed, &wrong);
    T_EQ(missed, 0);
    robust_points(t, 8, 0.4, &missed, &wrong);
    T_LT(missed, 3);
    T_LT(wrong, 30); /* a wrong ray passes within 4 mrad of the point by chance */
    robust_points(t, 100, 0.5, &missed, &wrong);
    T_EQ(missed, 0);
}

T(small_angles_are_refused) {
    vd_rigid pose[2] = { VD_RIGID_ONE, VD_RIGID_ONE };
    double ray[6] = { 0, 0, 1, 0, 0, 1 };
    uint8_t mask[2];
    vd_vec3 got = { 7, 7, 7 };
    vd_triangulate_opt opt = VD_TRIANGULATE_OPT;
    for (int i = 0; i < 2; i++) {
        pose[1].t.x = i == 0 ? -0.1 : -1; /* 0.1 or 1 aside of a point 10 away */
        put(ray + 3, vd_v3_unit(vd_v3(pose[1].t.x, 0, 10)));
        T_EQ(vd_triangulate_robust(&got, mask, pose, ray, 2, &opt), i == 0 ? 0 : 2);
        T_NEAR(got.z, i == 0 ? 7 : 10, 1e-9);
    }
    T_EQ(vd_triangulate_robust(&got, mask, pose, ray, 1, &opt), 0);
    T_EQ(vd_triangulate_robust(&got, mask, pose, ray, 0, &opt), 0);
}

static vd_similarity random_similarity(vd_rng *r) {
    vd_similarity s = { exp(vd_rng_range(r, -3, 3)), { random_quat(r), random_vec(r) } };
    return s;
}

static double similarity_error(vd_similarity a, vd_similarity b) {
    return fabs(a.scale / b.scale - 1) + vd_quat_angle_rad(a.rigid.q, b.rigid.q) +
           far(a.rigid.t, b.rigid.t);
}

T(similarities_compose_and_invert) {
    vd_rng r = t_rng(t);
    for (int i = 0; i < 2000; i++) {
        vd_similarity b_from_a = random_similarity(&r), c_from_b = random_similarity(&r);
        vd_vec3 x = random_vec(&r), y = vd_similarity_apply(b_from_a, x);
        vd_vec3 z = vd_similarity_apply(c_from_b, y);
        T_LT(far(vd_similarity_apply(vd_similarity_mul(c_from_b, b_from_a), x), z), 1e-11);
        T_LT(far(vd_similarity_apply(vd_similarity_inverse(b_from_a), y), x), 1e-12);
        /* a camera sees the same directions in the changed world */
        vd_rigid cam_from_a = { random_quat(&r), random_vec(&r) },
                 cam_from_b = vd_similarity_pose(b_from_a, cam_from_a);
        vd_vec3 p = vd_rigid_apply(cam_from_a, x), q = vd_rigid_apply(cam_from_b, y);
        T_LT(far(vd_v3_mul(p, b_from_a.scale), q), 1e-11);
    }
}

T(alignment_is_least_squares) {
    vd_rng r = t_rng(t);
    for (int i = 0; i < 300; i++) {
        enum { N = 30 };
        double a[3 * N], b[3 * N], w[N], least = 0;
        vd_similarity truth = random_similarity(&r), s;
        bool scaled = i % 2;
        if (!scaled) truth.scale = 1;
        for (int k = 0; k < N; k++) {
            vd_vec3 x = random_vec(&r), y = vd_similarity_apply(truth, x);
            if (i % 3 == 0) x.z = 0, y = vd_similarity_apply(truth, x); /* in a plane */
            put(a + 3 * k, x);
            put(b + 3 * k, vd_v3_add(y, vd_v3_mul(random_vec(&r), 0.01 * truth.scale)));
            w[k] = vd_rng_f64(&r);
        }
        T_NEED(vd_similarity_fit(&s, a, b, w, N, scaled));
        T_LT(similarity_error(s, truth), 0.1 * (1 + truth.scale));
        for (int j = 0; j <= 50; j++) { /* the first is s itself */
            vd_similarity near = s;
            double sum = 0, by = exp(vd_rng_range(&r, -9, -2));
            if (j > 0 && scaled) near.scale *= 1 + by * vd_rng_normal(&r);
            if (j > 0) {
                near.rigid.q = vd_quat_mul(vd_quat_exp(vd_v3_mul(random_vec(&r), by)), s.rigid.q);
                near.rigid.t = vd_v3_add(s.rigid.t, vd_v3_mul(random_vec(&r), by * s.scale));
            }
            for (int k = 0; k < N; k++) {
                vd_vec3 e = vd_v3_sub(
                    vd_similarity_apply(near, vd_v3(a[3 * k], a[3 * k + 1], a[3 * k + 2])),
                    vd_v3(b[3 * k], b[3 * k + 1], b[3 * k + 2]));
                sum += w[k] * vd_v3_dot(e, e);
            }
            if (j == 0) least = sum;
            T_TRUE(sum >= least * (1 - 1e-9));
        }
    }
    double line[12] = { 0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3 }, bad[12] = { NAN };
    vd_similarity s = VD_SIMILARITY_ONE;
    T_TRUE(!vd_similarity_fit(&s, line, line, NULL, 4, true));
    T_TRUE(!vd_similarity_fit(&s, line, bad, NULL, 4, true));
    T_TRUE(!vd_similarity_fit(&s, line, line, NULL, 2, true));
}

/* A mirrored set is no rotation: the fit must not give a reflection. */
T(alignment_never_mirrors) {
    vd_rng r = t_rng(t);
    for (int i = 0; i < 500; i++) {
        double a[30], b[30], m[9];
        vd_similarity s;
        for (int k = 0; k < 30; k++) a[k] = vd_rng_normal(&r), b[k] = k % 3 == 0 ? -a[k] : a[k];
        T_NEED(vd_similarity_fit(&s, a, b, NULL, 10, true));
        vd_quat_matrix(m, s.rigid.q);
        T_NEAR(m[0] * (m[4] * m[8] - m[5] * m[7]) - m[1] * (m[3] * m[8] - m[5] * m[6]) +
                   m[2] * (m[3] * m[7] - m[4] * m[6]),
               1, 1e-12);
    }
}

T(alignment_survives_outliers) {
    vd_rng r = t_rng(t);
    vd_err err = { 0 };
    for (int i = 0; i < 100; i++) {
        enum { N = 60 };
        double a[3 * N], b[3 * N];
        uint8_t mask[N];
        int inliers, good = 0;
        vd_similarity truth = random_similarity(&r), s;
        vd_align_opt opt = VD_ALIGN_OPT;
        opt.max_error = 0.05 * truth.scale;
        opt.item = (uint64_t)i;
        for (int k = 0; k < N; k++) {
            vd_vec3 x = random_vec(&r), y = vd_similarity_apply(truth, x);
            bool ok = k % 5 < 2; /* two in five */
            good += ok;
            if (!ok) y = vd_v3_add(y, vd_v3_mul(random_vec(&r), 3 * truth.scale));
            put(a + 3 * k, x);
            put(b + 3 * k, vd_v3_add(y, vd_v3_mul(random_vec(&r), 0.01 * truth.scale)));
        }
        T_OK(vd_similarity_fit_robust(&s, mask, &inliers, a, b, NULL, N, &opt, &err));
        T_LT(similarity_error(s, truth), 0.03 * (1 + truth.scale));
        T_TRUE(inliers >= good - 1 && inliers <= good + 2);
        for (int k = 0; k < N; k++) inliers -= mask[k];
        T_EQ(inliers, 0);
    }
}

T(robust_alignment_says_what_is_wrong) {
    vd_align_opt opt = VD_ALIGN_OPT;
    double line[12] = { 0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3 },
           some[12] = { 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1 };
    vd_similarity s = VD_SIMILARITY_ONE;
    T_EQ(vd_similarity_fit_robust(&s, NULL, NULL, line, line, NULL, 4, &opt, NULL), VD_E_ARG);
    opt.max_error = 0.1;
    T_EQ(vd_similarity_fit_robust(&s, NULL, NULL, line, line, NULL, 4, &opt, NULL), VD_E_NUMERIC);
    T_EQ(vd_similarity_fit_robust(&s, NULL, NULL, line, line, NULL, 0, &opt, NULL), VD_E_NUMERIC);
    T_EQ(vd_similarity_fit_robust(&s, NULL, NULL, some, some, NULL, 4, &opt, NULL), VD_OK);
    bool hit = true;
    for (int n = 0; hit; n++) {
        vd_mem_fail_at(n, false);
        vd_status st = vd_similarity_fit_robust(&s, NULL, NULL, some, some, NULL, 4, &opt, NULL);
        hit = vd_mem_fail_clear();
        T_EQ(st, hit ? VD_E_NOMEM : VD_OK);
        T_EQ(vd_mem_live(), 0);
    }
}
