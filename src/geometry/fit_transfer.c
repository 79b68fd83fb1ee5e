/* Homographies, rotations and poses as models of robust estimation: all move a point and compare
 * directions. SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "geometry/fit.h"
#include "geometry/fit_rounds.h"
#include "geometry/homography.h"
#include "geometry/lm.h"
#include "geometry/p3p.h"
#include "geometry/p4pf.h"
#include "geometry/rigid.h"
#include "math/mat.h"

typedef struct task {
    const vd_fit *f;
    vd_soa64 d;
    vd_metric metric;
    int n;
} task;

/* The 12 numbers that scores take: [H | 0], [R | t], or the latter with rows times focal length. */
static void widened(double m[12], const double h[9]) {
    for (int i = 0; i < 3; i++) {
        memcpy(m + 4 * i, h + 3 * i, 3 * sizeof *m);
        m[4 * i + 3] = 0;
    }
}

static void with_focal(double m[12], const double *pose, double focal) {
    for (int i = 0; i < 12; i++) m[i] = pose[i] * (i < 8 ? focal : 1);
}

static double score12(const vd_fit *f, const double m[12], int from, int to, int *inliers) {
    to = to == f->soa->n ? f->soa->padded : to;
    return f->kern->transfer_score(inliers, &f->soa->f32, from, to, m, &f->metric);
}

static double score_homography(const void *data, const vd_model *m, int from, int to,
                               int *inliers) {
    double w[12];
    widened(w, m->v);
    return score12(data, w, from, to, inliers);
}

static double score_pose(const void *data, const vd_model *m, int from, int to, int *inliers) {
    return score12(data, m->v, from, to, inliers);
}

static double score_focal(const void *data, const vd_model *m, int from, int to, int *inliers) {
    double w[12];
    with_focal(w, m->v, m->v[12]);
    return score12(data, w, from, to, inliers);
}

void vd_fit_transfer_errors(const vd_fit *f, const double m[12]) {
    f->kern->transfer_errors(f->soa->error, &f->soa->f32, f->soa->padded, m, &f->metric);
}

static void gather(double *a, double *b, const vd_soa *s, const int32_t *at, int n) {
    for (int i = 0; i < n; i++)
        for (int c = 0; c < 3; c++) {
            a[3 * i + c] = s->d[c][at[i]];
            b[3 * i + c] = s->d[3 + c][at[i]];
        }
}

static void solve_homography(const void *data, const int32_t (*sample)[VD_RANSAC_SAMPLE], int count,
                             vd_model (*model)[VD_RANSAC_MODELS], int *found) {
    const vd_fit *f = data;
    double a[12], b[12];
    for (int s = 0; s < count; s++) {
        gather(a, b, f->soa, sample[s], 4);
        found[s] = vd_homography_four_point(model[s][0].v, a, b);
    }
}

static void solve_pose(const void *data, const int32_t (*sample)[VD_RANSAC_SAMPLE], int count,
                       vd_model (*model)[VD_RANSAC_MODELS], int *found) {
    const vd_fit *f = data;
    double a[9], b[9], m[4][12];
    for (int s = 0; s < count; s++) {
        gather(a, b, f->soa, sample[s], 3);
        for (int i = 0; i < 3 && !f->metric.sphere; i++) { /* bearings have length 1 */
            double w = 1 / sqrt(b[3 * i] * b[3 * i] + b[3 * i + 1] * b[3 * i + 1] + 1);
            for (int c = 0; c < 3; c++) b[3 * i + c] *= w;
        }
        found[s] = vd_p3p_matrices(m, b, a);
        for (int i = 0; i < found[s]; i++) memcpy(model[s][i].v, m[i], sizeof m[i]);
    }
}

static void solve_focal(const void *data, const int32_t (*sample)[VD_RANSAC_SAMPLE], int count,
                        vd_model (*model)[VD_RANSAC_MODELS], int *found) {
    const vd_fit *f = data;
    double a[12], b[12], uv[8];
    vd_posed_focal p[VD_P4PF_MOST];
    for (int s = 0; s < count; s++) {
        gather(a, b, f->soa, sample[s], 4);
        for (int i = 0; i < 8; i++) uv[i] = b[i / 2 * 3 + i % 2];
        found[s] = vd_p4pf(p, uv, a);
        for (int i = 0; i < found[s]; i++) {
            memcpy(model[s][i].v, p[i].m, sizeof p[i].m);
            model[s][i].v[12] = p[i].focal;
        }
    }
}

/* Packs what the scratch errors allow. */
static bool pack(task *t, const vd_fit *f, int least, int most, double soft) {
    int kept;
    t->f = f;
    t->metric = f->metric;
    t->metric.soft = soft;
    t->n = vd_soa_pack(f->soa, &t->d, (float)(VD_FIT_REACH * VD_FIT_REACH), most, &kept);
    return kept >= least;
}

static void homography_normal(vd_normal *out, const void *data, const double *s) {
    const task *t = data;
    t->f->kern->homography_normal(out, &t->d, t->n, s, &t->metric);
}

/* The scale of H is free: damping keeps it where it is, this at 1. */
static void homography_move(double *to, const double *from, const double *step) {
    double sum = 0;
    for (int i = 0; i < 9; i++) sum += (to[i] = from[i] + step[i]) * (from[i] + step[i]);
    for (int i = 0; i < 9; i++) to[i] /= sqrt(sum);
}

static bool refine_homography(const vd_fit *f, vd_model *m, int most, double soft, int rounds,
                              double least) {
    task t;
    double w[12];
    widened(w, m->v);
    vd_fit_transfer_errors(f, w);
    if (!pack(&t, f, 5, most, soft)) return false;
    const vd_lm lm = { 9, 9, &t, homography_normal, homography_move };
    vd_lm_run(&lm, m->v, rounds, least);
    return true;
}

static bool refine4(const void *data, vd_model *m) {
    return refine_homography(data, m, VD_SOA_SUBSET, 0, VD_FIT_ROUNDS, VD_FIT_LEAST);
}
static bool finish4(const void *data, vd_model *m) {
    const vd_fit *f = data;
    return refine_homography(f, m, f->soa->n, VD_FIT_SOFT, VD_FIT_LAST_ROUNDS, VD_FIT_LAST_LEAST);
}

static void pose_normal(vd_normal *out, const void *data, const double *s) {
    const task *t = data;
    t->f->kern->pose_normal(out, &t->d, t->n, s, 1, 6, &t->metric);
}

/* R turned from the left, t moved; `to` is not `from`. */
static void pose_move(double *to, const double *from, const double *step) {
    double r[9];
    vd_quat_matrix(r, vd_quat_exp(vd_v3(step[0], step[1], step[2])));
    for (int i = 0; i < 3; i++) {
        for (int c = 0; c < 3; c++)
            to[4 * i + c] =
                r[3 * i] * from[c] + r[3 * i + 1] * from[4 + c] + r[3 * i + 2] * from[8 + c];
        to[4 * i + 3] = from[4 * i + 3] + step[3 + i];
    }
}

static void focal_normal(vd_normal *out, const void *data, const double *s) {
    const task *t = data;
    t->f->kern->pose_normal(out, &t->d, t->n, s, s[12], 7, &t->metric);
}

static void focal_move(double *to, const double *from, const double *step) {
    pose_move(to, from, step);
    to[12] = from[12] * exp(VD_CLAMP(step[6], -1, 1));
}

static bool refine_pose_task(const vd_fit *f, vd_model *m, bool focal, int most, double soft,
                             int rounds, double least) {
    task t;
    double w[12];
    with_focal(w, m->v, focal ? m->v[12] : 1);
    vd_fit_transfer_errors(f, w);
    if (!pack(&t, f, focal ? 5 : 4, most, soft)) return false;
    const vd_lm lm = { focal ? 7 : 6, focal ? 13 : 12, &t, focal ? focal_normal : pose_normal,
                       focal ? focal_move : pose_move };
    vd_lm_run(&lm, m->v, rounds, least);
    return true;
}

static bool refine3(const void *data, vd_model *m) {
    return refine_pose_task(data, m, false, VD_SOA_SUBSET, 0, VD_FIT_ROUNDS, VD_FIT_LEAST);
}
static bool finish3(const void *data, vd_model *m) {
    const vd_fit *f = data;
    return refine_pose_task(f, m, false, f->soa->n, VD_FIT_SOFT, VD_FIT_LAST_ROUNDS,
                            VD_FIT_LAST_LEAST);
}
static bool refine3f(const void *data, vd_model *m) {
    return refine_pose_task(data, m, true, VD_SOA_SUBSET, 0, VD_FIT_ROUNDS, VD_FIT_LEAST);
}
static bool finish3f(const void *data, vd_model *m) {
    const vd_fit *f = data;
    return refine_pose_task(f, m, true, f->soa->n, VD_FIT_SOFT, VD_FIT_LAST_ROUNDS,
                            VD_FIT_LAST_LEAST);
}

/* A rotation is a pose that stays in place: its three parameters are the first of six. */
static void rotation_move(double *to, const double *from, const double *step) {
    pose_move(to, from, (const double[6]){ step[0], step[1], step[2], 0, 0, 0 });
}

double vd_fit_rotation(const vd_fit *f, double r[9], int *inliers) {
    task t;
    double m[12];
    widened(m, r);
    for (int pass = 0; pass < 2; pass++) { /* what it explains changes with it */
        vd_fit_transfer_errors(f, m);
        if (!pack(&t, f, 2, f->soa->n, VD_FIT_SOFT)) break;
        const vd_lm lm = { 3, 12, &t, pose_normal, rotation_move };
        vd_lm_run(&lm, m, VD_FIT_LAST_ROUNDS, VD_FIT_LAST_LEAST);
    }
    for (int i = 0; i < 9; i++) r[i] = m[i / 3 * 4 + i % 3];
    *inliers = 0;
    return score12(f, m, 0, f->soa->n, inliers);
}

int vd_fit_inliers(const vd_fit *f, int32_t *pool) {
    int n = 0;
    for (int i = 0; i < f->soa->n; i++)
        if (f->soa->error[i] < 1) pool[n++] = i;
    return n;
}

vd_estimator vd_fit_homography(const vd_fit *f) {
    return (vd_estimator){ .data = f,
                           .n = f->soa->n,
                           .sample = 4,
                           .solve = solve_homography,
                           .score = score_homography,
                           .refine = refine4,
                           .finish = finish4 };
}

vd_estimator vd_fit_pose(const vd_fit *f) {
    return (vd_estimator){ .data = f,
                           .n = f->soa->n,
                           .sample = 3,
                           .solve = solve_pose,
                           .score = score_pose,
                           .refine = refine3,
                           .finish = finish3 };
}

vd_estimator vd_fit_pose_focal(const vd_fit *f) {
    return (vd_estimator){ .data = f,
                           .n = f->soa->n,
                           .sample = 4,
                           .solve = solve_focal,
                           .score = score_focal,
                           .refine = refine3f,
                           .finish = finish3f };
}
