/* Random minimal problems with known answers, for the tests and the bench of the solvers.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A problem is made from a random pose and random points that the camera sees within 70 degrees; a
 * solver's answers are judged by the equations they must meet, and by the truth, which must be
 * among them. Without noise: minimal solvers are exact. */
#ifndef VD_TESTS_SOLVER_PROBLEMS_H
#define VD_TESTS_SOLVER_PROBLEMS_H

#include <string.h>

#include "base/rng.h"
#include "geometry/align.h"
#include "geometry/essential.h"
#include "geometry/fundamental.h"
#include "geometry/homography.h"
#include "geometry/p3p.h"
#include "geometry/p4pf.h"
#include "geometry/rigid.h"
#include "math/mat.h"

enum { SOLVER_POINTS = 24, SOLVER_ANSWERS = 10, SOLVER_SIZE = 13 };

typedef struct solver_problem {
    double a[3 * SOLVER_POINTS], b[3 * SOLVER_POINTS];
    double truth[SOLVER_SIZE]; /* in the form of the solver's answer */
} solver_problem;

typedef struct solver_answers {
    double answer[SOLVER_ANSWERS][SOLVER_SIZE];
    int n;
} solver_answers;

typedef struct solver {
    const char *name;
    int size; /* numbers of an answer */
    bool up_to_sign;
    void (*make)(solver_problem *p, vd_rng *r);
    void (*solve)(solver_answers *out, const solver_problem *p);
    double (*residual)(const solver_problem *p, const double *answer); /* relative */
} solver;

/* One number at a time: compilers evaluate arguments and initialisers in any order. */
static inline vd_quat random_rotation(vd_rng *r) {
    vd_quat q;
    q.w = vd_rng_normal(r);
    q.x = vd_rng_normal(r);
    q.y = vd_rng_normal(r);
    q.z = vd_rng_normal(r);
    return vd_quat_unit(q);
}

static inline vd_vec3 random_vector(vd_rng *r) {
    vd_vec3 v;
    v.x = vd_rng_normal(r);
    v.y = vd_rng_normal(r);
    v.z = vd_rng_normal(r);
    return v;
}

static inline vd_rigid random_motion(vd_rng *r) {
    vd_rigid m;
    m.q = random_rotation(r);
    m.t = random_vector(r);
    return m;
}

/* A point in the view of a camera with 70 degrees, 1 to 10 units deep. */
static inline vd_vec3 random_seen(vd_rng *r) {
    vd_vec3 v;
    v.z = vd_rng_range(r, 1, 10);
    v.x = v.z * vd_rng_range(r, -0.7, 0.7);
    v.y = v.z * vd_rng_range(r, -0.7, 0.7);
    return v;
}

static inline void put(double *to, vd_vec3 v) {
    to[0] = v.x, to[1] = v.y, to[2] = v.z;
}

static inline void put_pose(double m[12], vd_rigid p) {
    double r[9];
    vd_quat_matrix(r, p.q);
    for (int i = 0; i < 3; i++) {
        memcpy(m + 4 * i, r + 3 * i, 3 * sizeof *m);
        m[4 * i + 3] = i == 0 ? p.t.x : i == 1 ? p.t.y : p.t.z;
    }
}

/* n bearings b of points a of the world; truth: the pose. */
static inline void make_absolute(solver_problem *p, vd_rng *r, int n, bool plane) {
    vd_rigid world_from_cam = random_motion(r);
    vd_vec3 normal = vd_v3_unit(vd_v3_add(vd_v3(0, 0, -1.5), random_vector(r)));
    for (int i = 0; i < n; i++) {
        vd_vec3 x = random_seen(r);
        if (plane) { /* n . x = -5 */
            double d = vd_v3_dot(normal, x);
            if (d > -0.2) {
                i--;
                if (vd_rng_int(r, 50) == 0)
                    normal = vd_v3_unit(vd_v3_add(vd_v3(0, 0, -1.5), random_vector(r))), i = -1;
                continue;
            }
            x = vd_v3_mul(x, -5 / d);
        }
        put(p->b + 3 * i, vd_v3_unit(x));
        put(p->a + 3 * i, vd_rigid_apply(world_from_cam, x));
    }
    put_pose(p->truth, vd_rigid_inverse(world_from_cam));
}

static inline void make_p3p(solver_problem *p, vd_rng *r) {
    make_absolute(p, r, 3, false);
}

static inline void solve_p3p(solver_answers *out, const solver_problem *p) {
    double m[4][12];
    out->n = vd_p3p_matrices(m, p->b, p->a);
    for (int i = 0; i < out->n; i++) memcpy(out->answer[i], m[i], sizeof m[i]);
}

/* Sine of the angle between the bearing and the point, and how far R is from a rotation. */
static inline double pose_residual(const solver_problem *p, const double *m, int n, double focal) {
    double worst = 0, rrt[9];
    const double r[9] = { m[0], m[1], m[2], m[4], m[5], m[6], m[8], m[9], m[10] };
    vd_mat3_mul_nt(rrt, r, r);
    for (int i = 0; i < 9; i++) worst = fmax(worst, fabs(rrt[i] - (i % 4 == 0)));
    worst = fmax(worst, fabs(vd_mat3_det(r) - 1));
    for (int i = 0; i < n; i++) {
        const double *x = p->a + 3 * i;
        vd_vec3 y = vd_v3(focal * (m[0] * x[0] + m[1] * x[1] + m[2] * x[2] + m[3]),
                          focal * (m[4] * x[0] + m[5] * x[1] + m[6] * x[2] + m[7]),
                          m[8] * x[0] + m[9] * x[1] + m[10] * x[2] + m[11]);
        vd_vec3 b = vd_v3(p->b[3 * i], p->b[3 * i + 1], p->b[3 * i + 2]);
        if (vd_v3_dot(y, b) <= 0) return 9;
        worst = fmax(worst, vd_v3_norm(vd_v3_cross(vd_v3_unit(y), vd_v3_unit(b))));
    }
    return worst;
}

static inline double residual_p3p(const solver_problem *p, const double *m) {
    return pose_residual(p, m, 3, 1);
}

/* Focal lengths of 0.5 to 3 widths, in units of the width; b: (u, v, 1). */
static inline void to_pixels(solver_problem *p, vd_rng *r, int n) {
    double f = vd_rng_range(r, 0.5, 3);
    for (int i = 0; i < n; i++) {
        double *b = p->b + 3 * i;
        b[0] *= f / b[2];
        b[1] *= f / b[2];
        b[2] = 1;
    }
    p->truth[12] = f;
}

static inline void make_p4pf(solver_problem *p, vd_rng *r) {
    make_absolute(p, r, 4, false);
    to_pixels(p, r, 4);
}

static inline void make_p4pf_plane(solver_problem *p, vd_rng *r) {
    make_absolute(p, r, 4, true);
    to_pixels(p, r, 4);
}

static inline void solve_p4pf(solver_answers *out, const solver_problem *p) {
    vd_posed_focal s[VD_P4PF_MOST];
    double uv[8];
    for (int i = 0; i < 8; i++) uv[i] = p->b[i / 2 * 3 + i % 2];
    out->n = vd_p4pf(s, uv, p->a);
    for (int i = 0; i < out->n; i++) {
        memcpy(out->answer[i], s[i].m, sizeof s[i].m);
        out->answer[i][12] = s[i].focal;
    }
}

static inline double residual_p4pf(const solver_problem *p, const double *m) {
    return pose_residual(p, m, 4, m[12]);
}

/* n directions in two views; truth: E with singular values (1, 1, 0). */
static inline void make_relative(solver_problem *p, vd_rng *r, int n) {
    vd_rigid cam2_from_cam1 = random_motion(r);
    cam2_from_cam1.t = vd_v3_unit(cam2_from_cam1.t);
    for (int i = 0; i < n; i++) {
        vd_vec3 x = random_seen(r);
        put(p->a + 3 * i, vd_v3_unit(x));
        put(p->b + 3 * i, vd_v3_unit(vd_rigid_apply(cam2_from_cam1, x)));
    }
    vd_essential_from_pose(p->truth, cam2_from_cam1);
}

static inline void make_five(solver_problem *p, vd_rng *r) {
    make_relative(p, r, 5);
}

static inline void solve_five(solver_answers *out, const solver_problem *p) {
    double e[10][9];
    out->n = vd_five_point(e, p->a, p->b);
    for (int i = 0; i < out->n; i++) memcpy(out->answer[i], e[i], sizeof e[i]);
}

static inline double epipolar_residual(const solver_problem *p, const double *m, int n) {
    double worst = 0;
    for (int i = 0; i < n; i++) {
        const double *a = p->a + 3 * i, *b = p->b + 3 * i;
        vd_vec3 e = vd_mat3_apply(m, vd_v3(a[0], a[1], a[2]));
        worst = fmax(worst, fabs(vd_v3_dot(e, vd_v3(b[0], b[1], b[2]))));
    }
    return worst;
}

static inline double residual_five(const solver_problem *p, const double *e) {
    double u[9], s[3], v[9];
    vd_svd3(u, s, v, e);
    return fmax(epipolar_residual(p, e, 5), fmax(fabs(s[0] - s[1]), s[2]));
}

static inline void make_seven(solver_problem *p, vd_rng *r) {
    make_relative(p, r, 7);
    for (int i = 0; i < 9; i++) p->truth[i] *= sqrt(0.5); /* unit norm */
}

static inline void solve_seven(solver_answers *out, const solver_problem *p) {
    double f[3][9];
    out->n = vd_seven_point(f, p->a, p->b);
    for (int i = 0; i < out->n; i++) memcpy(out->answer[i], f[i], sizeof f[i]);
}

static inline double residual_seven(const solver_problem *p, const double *f) {
    return fmax(epipolar_residual(p, f, 7), fabs(vd_mat3_det(f)));
}

/* Points of a plane in view of both; truth: H of unit norm. */
static inline void make_homography(solver_problem *p, vd_rng *r) {
    double h[9], sum = 0;
    vd_rigid m = random_motion(r);
    vd_vec3 n = vd_v3_unit(vd_v3_add(vd_v3(0, 0, 1.5), random_vector(r)));
    vd_quat_matrix(h, m.q);
    for (int i = 0; i < 9; i++) { /* R + t n^T / 5 */
        double t = i < 3   ? m.t.x
                   : i < 6 ? m.t.y
                           : m.t.z,
               k = i % 3 == 0   ? n.x
                   : i % 3 == 1 ? n.y
                                : n.z;
        h[i] += t * k / 5;
        sum += h[i] * h[i];
    }
    for (int i = 0; i < 9; i++) p->truth[i] = h[i] / sqrt(sum);
    for (int i = 0; i < 4; i++) {
        vd_vec3 x = random_seen(r);
        put(p->a + 3 * i, vd_v3_unit(x));
        put(p->b + 3 * i, vd_v3_unit(vd_mat3_apply(h, x)));
    }
}

static inline void solve_homography(solver_answers *out, const solver_problem *p) {
    out->n = vd_homography_four_point(out->answer[0], p->a, p->b);
}

static inline double residual_homography(const solver_problem *p, const double *h) {
    double worst = 0;
    for (int i = 0; i < 4; i++) {
        const double *a = p->a + 3 * i, *b = p->b + 3 * i;
        vd_vec3 y = vd_mat3_apply(h, vd_v3(a[0], a[1], a[2]));
        worst = fmax(worst, vd_v3_norm(vd_v3_sub(vd_v3_unit(y), vd_v3(b[0], b[1], b[2]))));
    }
    return worst;
}

/* b = s R a + t of three points; truth: [s R | t] and s. */
static inline void make_similarity(solver_problem *p, vd_rng *r) {
    vd_similarity b_from_a;
    b_from_a.scale = exp(vd_rng_range(r, -3, 3));
    b_from_a.rigid = random_motion(r);
    for (int i = 0; i < 3; i++) {
        vd_vec3 x = random_vector(r);
        put(p->a + 3 * i, x);
        put(p->b + 3 * i, vd_similarity_apply(b_from_a, x));
    }
    put_pose(p->truth, b_from_a.rigid);
    p->truth[12] = b_from_a.scale;
}

static inline void solve_similarity(solver_answers *out, const solver_problem *p) {
    vd_similarity s;
    out->n = vd_similarity_fit(&s, p->a, p->b, NULL, 3, true);
    put_pose(out->answer[0], s.rigid);
    out->answer[0][12] = s.scale;
}

static inline double residual_similarity(const solver_problem *p, const double *m) {
    double worst = 0;
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++) {
            const double *a = p->a + 3 * i, *row = m + 4 * k;
            double y = m[12] * (row[0] * a[0] + row[1] * a[1] + row[2] * a[2]) + row[3];
            worst = fmax(worst, fabs(y - p->b[3 * i + k]) / (1 + m[12]));
        }
    return worst;
}

static const solver solvers[] = {
    { "p3p", 12, false, make_p3p, solve_p3p, residual_p3p },
    { "p4pf", 13, false, make_p4pf, solve_p4pf, residual_p4pf },
    { "p4pf_plane", 13, false, make_p4pf_plane, solve_p4pf, residual_p4pf },
    { "five_point", 9, true, make_five, solve_five, residual_five },
    { "seven_point", 9, true, make_seven, solve_seven, residual_seven },
    { "homography_four_point", 9, false, make_homography, solve_homography, residual_homography },
    { "similarity_three_point", 13, false, make_similarity, solve_similarity, residual_similarity },
};

/* An answer counts as valid below this residual, as the truth below this distance. */
static const double SOLVER_VALID = 1e-7, SOLVER_FOUND = 1e-4;

typedef struct solver_tally {
    int problems, answers, valid, found;
    double *error; /* of the best answer, one a problem; may be NULL */
} solver_tally;

static inline double solver_distance(const solver *s, const double *a, const double *truth) {
    double plus = 0, minus = 0, size = 0;
    for (int i = 0; i < s->size; i++) {
        plus += (a[i] - truth[i]) * (a[i] - truth[i]);
        minus += (a[i] + truth[i]) * (a[i] + truth[i]);
        size += truth[i] * truth[i];
    }
    return sqrt((s->up_to_sign && minus < plus ? minus : plus) / size);
}

static inline void solver_judge(solver_tally *t, const solver *s, const solver_problem *p,
                                const solver_answers *got) {
    double best = INFINITY;
    for (int i = 0; i < got->n; i++) {
        t->valid += s->residual(p, got->answer[i]) < SOLVER_VALID;
        best = fmin(best, solver_distance(s, got->answer[i], p->truth));
    }
    if (t->error != NULL) t->error[t->problems] = best;
    t->problems++;
    t->answers += got->n;
    t->found += best < SOLVER_FOUND;
}
#endif
