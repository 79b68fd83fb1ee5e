/* Minimal solvers on random problems with known answers (bench_solvers takes more of them), least
 * squares solvers, what matrices decompose into, and degenerate input.
 * SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "solver_problems.h"

enum { PROBLEMS = 20000 };

/* Floors: share of answers that meet the equations, share of problems whose truth is found, answers
 * a problem. What is measured on 100 000 problems is beside them. */
static const struct {
    const char *name;
    double valid, found, fewest, most;
} floors[] = {
    { "p3p", 0.9999, 0.9999, 1.7, 1.9 },               /* 1.00000, 1.00000, 1.80 */
    { "p4pf", 0.7, 0.996, 1.2, 1.45 },                 /* 0.75, 0.998, 1.32: see below */
    { "p4pf_plane", 0.9999, 0.9999, 0.999, 1.01 },     /* 1, 1, 1 */
    { "five_point", 0.995, 0.999, 4.7, 4.9 },          /* 0.9972, 0.9996, 4.78 */
    { "seven_point", 0.9999, 0.9999, 2.7, 2.8 },       /* 1, 1, 2.75 */
    { "homography_four_point", 0.9999, 0.9999, 1, 1 }, /* 1, 1, 1 */
    { "similarity_three_point", 0.9999, 0.9999, 1, 1 },
};

/* Four points and a focal length are one equation too many: p4pf's other answers have two focal
 * lengths that it has averaged, so a quarter of its answers do not meet the equations. */
T(solvers_find_the_truth) {
    for (int i = 0; i < VD_COUNT(solvers); i++) {
        const solver *s = &solvers[i];
        solver_tally tally = { 0 };
        T_STR(s->name, floors[i].name);
        for (int k = 0; k < PROBLEMS; k++) {
            solver_problem p = { 0 };
            solver_answers got = { 0 };
            vd_rng r = vd_rng_for(17, 1, (uint64_t)k);
            s->make(&p, &r);
            s->solve(&got, &p);
            solver_judge(&tally, s, &p, &got);
        }
        double valid = (double)tally.valid / tally.answers, found = (double)tally.found / PROBLEMS,
               mean = (double)tally.answers / PROBLEMS;
        if (valid < floors[i].valid || found < floors[i].found || mean < floors[i].fewest ||
            mean > floors[i].most)
            T_FAIL("%s: valid %.5f, found %.5f, %.3f answers", s->name, valid, found, mean);
    }
}

/* All points equal, on a line, zero, NaN, infinite, huge: any number of answers, none not finite.
 */
T(solvers_survive_degenerate_input) {
    static const double odd[] = { 0, 1, -1, NAN, INFINITY, 1e300, 1e-300, -1e200 };
    vd_rng r = t_rng(t);
    for (int i = 0; i < VD_COUNT(solvers); i++)
        for (int k = 0; k < 3000; k++) {
            solver_problem p;
            solver_answers got = { 0 };
            solvers[i].make(&p, &r);
            for (int j = 0; j < 3 * SOLVER_POINTS; j++) {
                if (k % 4 == 0) p.a[j] = p.a[j % 3];         /* one point */
                if (k % 4 == 1) p.a[j] = j % 3 == 0 ? j : 1; /* a line */
                if (k % 4 == 2 && vd_rng_int(&r, 6) == 0) p.b[j] = odd[vd_rng_int(&r, 8)];
                if (k % 4 == 3 && vd_rng_int(&r, 6) == 0) p.a[j] = odd[vd_rng_int(&r, 8)];
            }
            solvers[i].solve(&got, &p);
            T_TRUE(got.n >= 0 && got.n <= SOLVER_ANSWERS);
            for (int a = 0; a < got.n; a++)
                for (int j = 0; j < solvers[i].size; j++)
                    if (!isfinite(got.answer[a][j])) {
                        T_FAIL("%s: an answer that is not finite, kind %d", solvers[i].name, k % 4);
                        return;
                    }
        }
}

T(poses_of_an_essential_matrix) {
    vd_rng r = t_rng(t);
    for (int i = 0; i < 2000; i++) {
        solver_problem p;
        vd_rigid truth = { random_rotation(&r), vd_v3_unit(random_vector(&r)) }, pose[4];
        double e[9], back[9];
        int in_front[4] = { 0 }, right = -1;
        vd_essential_from_pose(e, truth);
        for (int k = 0; k < 9; k++) e[k] *= i % 2 ? -3 : 1; /* the scale and sign do not matter */
        vd_essential_poses(pose, e);
        for (int k = 0; k < 10; k++) { /* points in front of both cameras */
            vd_vec3 x = random_seen(&r), y = vd_rigid_apply(truth, x);
            if (y.z <= 0) continue;
            put(p.a, x);
            put(p.b, y);
            for (int j = 0; j < 4; j++) in_front[j] += vd_in_front(&pose[j], p.a, p.b);
            T_TRUE(vd_in_front(&truth, p.a, p.b));
        }
        for (int j = 0; j < 4; j++) {
            double plus = 0, minus = 0;
            vd_essential_from_pose(back, pose[j]);
            for (int k = 0; k < 9; k++) {
                plus += fabs(back[k] - e[k] / (i % 2 ? -3 : 1));
                minus += fabs(back[k] + e[k] / (i % 2 ? -3 : 1));
            }
            T_LT(fmin(plus, minus), 1e-12);
            if (vd_quat_angle_rad(pose[j].q, truth.q) < 1e-6 &&
                vd_v3_dot(pose[j].t, truth.t) > 1 - 1e-9)
                right = j;
        }
        T_NEED(right >= 0);
        for (int j = 0; j < 4; j++) T_TRUE(j == right || in_front[j] <= in_front[right]);
    }
}

T(eight_points_or_more_by_least_squares) {
    vd_rng r = t_rng(t);
    for (int i = 0; i < 200; i++) {
        enum { N = 100 };
        double a[3 * N], b[3 * N], f[9], w[N], truth[9];
        vd_rigid m = { vd_quat_exp(vd_v3_mul(random_vector(&r), 0.1)), random_vector(&r) };
        int n = i % 2 ? 8 : N;
        vd_essential_from_pose(truth, m);
        for (int k = 0; k < n;) {
            vd_vec3 x = random_seen(&r), y = vd_rigid_apply(m, x);
            if (y.z < 0.1) continue;
            put(a + 3 * k, vd_v3_mul(x, 1 / x.z));
            put(b + 3 * k, vd_v3_mul(y, 1 / y.z));
            w[k] = 1;
            if (n == N && k % 10 == 0) { /* wrong, and said to be */
                b[3 * k] += 1;
                w[k] = 0;
            }
            k++;
        }
        T_NEED(vd_eight_point(f, a, b, n == N ? w : NULL, n));
        T_NEAR(vd_mat3_det(f), 0, 1e-12);
        double plus = 0, minus = 0, size = 0;
        for (int k = 0; k < 9; k++) size += truth[k] * truth[k];
        for (int k = 0; k < 9; k++) {
            plus += fabs(f[k] - truth[k] / sqrt(size));
            minus += fabs(f[k] + truth[k] / sqrt(size));
        }
        T_LT(fmin(plus, minus), n == N ? 1e-8 : 1e-4); /* eight may lie badly */
        T_TRUE(!vd_eight_point(f, a, b, NULL, 7));
    }
    double same[24] = { 0 }, f[9];
    T_TRUE(!vd_eight_point(f, same, same, NULL, 8));
}

T(homographies_by_least_squares) {
    vd_rng r = t_rng(t);
    for (int i = 0; i < 500; i++) {
        enum { N = 40 };
        double a[3 * N], b[3 * N], h[9], truth[9], size = 0;
        int n = i % 2 ? 4 : N;
        vd_quat_matrix(truth, vd_quat_exp(vd_v3_mul(random_vector(&r), 0.1)));
        for (int k = 0; k < 9; k++) truth[k] += 0.1 * vd_rng_normal(&r);
        for (int k = 0; k < 9; k++) size += truth[k] * truth[k];
        for (int k = 0; k < n;) {
            vd_vec3 x = vd_v3(vd_rng_range(&r, -1, 1), vd_rng_range(&r, -1, 1), 1),
                    y = vd_mat3_apply(truth, x);
            if (y.z < 0.1) continue;
            put(a + 3 * k, x);
            put(b + 3 * k, vd_v3_mul(y, 1 / y.z));
            k++;
        }
        T_NEED(vd_homography_linear(h, a, b, NULL, n));
        for (int k = 0; k < 9; k++) T_NEAR(h[k], truth[k] / sqrt(size), n == N ? 1e-9 : 1e-4);
        T_TRUE(!vd_homography_linear(h, a, b, NULL, 3));
    }
}

/* A plane and a motion give H; among the motions of H is that one, with that normal. */
T(motions_of_a_homography) {
    vd_rng r = t_rng(t);
    for (int i = 0; i < 5000; i++) {
        vd_rigid m = { random_rotation(&r), random_vector(&r) };
        vd_vec3 n = vd_v3_unit(random_vector(&r));
        double h[9], s = i % 2 ? -2 : 0.5, best = 9;
        vd_homography_motion out[4];
        vd_quat_matrix(h, m.q);
        for (int k = 0; k < 9; k++) {
            double t_k = k < 3 ? m.t.x : k < 6 ? m.t.y : m.t.z;
            h[k] += t_k * (k % 3 == 0 ? n.x : k % 3 == 1 ? n.y : n.z);
        }
        if (fabs(vd_mat3_det(h)) < 1e-2) continue; /* the second camera in the plane */
        if (vd_mat3_det(h) < 0) continue;          /* it looks at the plane's other side */
        for (int k = 0; k < 9; k++) h[k] *= s;
        int got = vd_homography_motions(out, h);
        T_EQ(got, 4);
        for (int k = 0; k < got; k++) {
            double e = vd_quat_angle_rad(out[k].cam2_from_cam1.q, m.q) +
                       vd_v3_norm(vd_v3_sub(out[k].cam2_from_cam1.t, m.t)) +
                       vd_v3_norm(vd_v3_sub(out[k].normal, n));
            best = fmin(best, e);
        }
        T_LT(best, 1e-5);
    }
    double r9[9];
    vd_homography_motion out[4];
    vd_quat q = vd_quat_exp(vd_v3(0.1, 0.2, -0.3));
    vd_quat_matrix(r9, q);
    for (int k = 0; k < 9; k++) r9[k] *= -3;
    T_EQ(vd_homography_motions(out, r9), 1); /* a rotation */
    T_NEAR(vd_v3_norm(out[0].cam2_from_cam1.t), 0, 0);
    T_LT(vd_quat_angle_rad(out[0].cam2_from_cam1.q, q), 1e-12);
    const double flat[9] = { 1, 2, 3, 2, 4, 6, 1, 0, 0 };
    T_EQ(vd_homography_motions(out, flat), 0);
}
