/* Essential and fundamental matrices as models of robust estimation. Both are refined on Sampson's
 * error, E over the five parameters of its pose, F over the seven of its singular value
 * decomposition [Bartoli and Sturm 2004]. SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "geometry/essential.h"
#include "geometry/fit.h"
#include "geometry/fit_rounds.h"
#include "geometry/lm.h"
#include "geometry/rigid.h"
#include "math/mat.h"

/* A refinement: matches, as LM sees them. */
typedef struct task {
    const vd_fit *f;
    vd_soa64 d;
    vd_metric metric;
    int n;
} task;

static double score(const void *data, const vd_model *m, int from, int to, int *inliers) {
    const vd_fit *f = data;
    to = to == f->soa->n ? f->soa->padded : to;
    return f->kern->epipolar_score(inliers, &f->soa->f32, from, to, m->v, &f->metric);
}

void vd_fit_epipolar_errors(const vd_fit *f, const double m[9]) {
    f->kern->epipolar_errors(f->soa->error, &f->soa->f32, f->soa->padded, m, &f->metric);
}

static void gather(double *a, double *b, const vd_soa *s, const int32_t *at, int n) {
    for (int i = 0; i < n; i++)
        for (int c = 0; c < 3; c++) {
            a[3 * i + c] = s->d[c][at[i]];
            b[3 * i + c] = s->d[3 + c][at[i]];
        }
}

static void solve5(const void *data, const int32_t (*sample)[VD_RANSAC_SAMPLE], int count,
                   vd_model (*model)[VD_RANSAC_MODELS], int *found) {
    const vd_fit *f = data;
    double a[15 * VD_RANSAC_BATCH] = { 0 }, b[15 * VD_RANSAC_BATCH] = { 0 },
                  e[VD_RANSAC_BATCH][10][9];
    for (int s = 0; s < count; s++) gather(a + 15 * s, b + 15 * s, f->soa, sample[s], 5);
    f->kern->five_point(e, found, a, b, count);
    for (int s = 0; s < count; s++)
        for (int i = 0; i < found[s]; i++) memcpy(model[s][i].v, e[s][i], sizeof e[s][i]);
}

static void solve7(const void *data, const int32_t (*sample)[VD_RANSAC_SAMPLE], int count,
                   vd_model (*model)[VD_RANSAC_MODELS], int *found) {
    const vd_fit *f = data;
    double a[21 * VD_RANSAC_BATCH] = { 0 }, b[21 * VD_RANSAC_BATCH] = { 0 },
                  e[VD_RANSAC_BATCH][3][9];
    for (int s = 0; s < count; s++) gather(a + 21 * s, b + 21 * s, f->soa, sample[s], 7);
    f->kern->seven_point(e, found, a, b, count);
    for (int s = 0; s < count; s++)
        for (int i = 0; i < found[s]; i++) memcpy(model[s][i].v, e[s][i], sizeof e[s][i]);
}

/* Packs what `m` explains, within `reach` thresholds, for a refinement with loss `soft`. */
static bool pack(task *t, const vd_fit *f, const double m[9], int least, double reach, int most,
                 double soft) {
    int kept;
    vd_fit_epipolar_errors(f, m);
    t->f = f;
    t->metric = f->metric;
    t->metric.soft = soft;
    t->n = vd_soa_pack(f->soa, &t->d, (float)(reach * reach), most, &kept);
    return kept >= least;
}

/* State of E: R (9), t (3). */
static void essential_matrix(double e[9], const double *s) {
    double cross[9];
    vd_mat3_cross(cross, vd_v3(s[9], s[10], s[11]));
    vd_mat3_mul(e, cross, s);
}

/* Two unit vectors at right angles to t and each other. */
static void tangents(vd_vec3 b[2], vd_vec3 t) {
    vd_vec3 e = fabs(t.x) < 0.6 ? vd_v3(1, 0, 0) : vd_v3(0, 1, 0);
    b[0] = vd_v3_unit(vd_v3_cross(t, e));
    b[1] = vd_v3_cross(t, b[0]);
}

static vd_vec3 axis(int i) {
    return vd_v3(i == 0, i == 1, i == 2);
}

static void essential_normal(vd_normal *out, const void *data, const double *s) {
    const task *t = data;
    double e[9], dm[5 * 9], tx[9], cross[9], turned[9];
    vd_vec3 at = vd_v3(s[9], s[10], s[11]), b[2];
    essential_matrix(e, s);
    vd_mat3_cross(tx, at);
    tangents(b, at);
    for (int i = 0; i < 3; i++) { /* [t]x [e_i]x R */
        vd_mat3_cross(cross, axis(i));
        vd_mat3_mul(turned, cross, s);
        vd_mat3_mul(dm + 9 * i, tx, turned);
    }
    for (int i = 0; i < 2; i++) {
        vd_mat3_cross(cross, b[i]);
        vd_mat3_mul(dm + 27 + 9 * i, cross, s);
    }
    t->f->kern->epipolar_normal(out, &t->d, t->n, e, dm, 5, &t->metric);
}

static void turn(double to[9], const double from[9], const double w[3]) {
    double m[9];
    vd_quat_matrix(m, vd_quat_exp(vd_v3(w[0], w[1], w[2])));
    vd_mat3_mul(to, m, from);
}

static void essential_move(double *to, const double *from, const double *step) {
    vd_vec3 t = vd_v3(from[9], from[10], from[11]), b[2];
    tangents(b, t);
    t = vd_v3_add(t, vd_v3_add(vd_v3_mul(b[0], step[3]), vd_v3_mul(b[1], step[4])));
    t = vd_v3_unit(t);
    turn(to, from, step);
    to[9] = t.x, to[10] = t.y, to[11] = t.z;
}

static bool refine_essential(const vd_fit *f, vd_model *m, double reach, int most, double soft,
                             int rounds, double least) {
    task t;
    vd_rigid pose[4];
    double s[12];
    if (!pack(&t, f, m->v, 6, reach, most, soft)) return false;
    vd_essential_poses(pose, m->v);
    vd_quat_matrix(s, pose[0].q);
    s[9] = pose[0].t.x, s[10] = pose[0].t.y, s[11] = pose[0].t.z;
    const vd_lm lm = { 5, 12, &t, essential_normal, essential_move };
    vd_lm_run(&lm, s, rounds, least);
    essential_matrix(m->v, s);
    return true;
}

static bool refine5(const void *data, vd_model *m) {
    return refine_essential(data, m, VD_FIT_REACH, VD_SOA_SUBSET, 0, VD_FIT_ROUNDS, VD_FIT_LEAST);
}
static bool finish5(const void *data, vd_model *m) {
    const vd_fit *f = data;
    return refine_essential(f, m, VD_FIT_REACH, f->soa->n, VD_FIT_SOFT, VD_FIT_LAST_ROUNDS,
                            VD_FIT_LAST_LEAST);
}

/* State of F: U (9), V (9), s: F = U diag(1, s, 0) V^T. */
static void fundamental_matrix(double m[9], const double *s) {
    for (int i = 0; i < 9; i++) {
        int r = i / 3 * 3, c = i % 3 * 3;
        m[i] = s[r] * s[9 + c] + s[18] * s[r + 1] * s[9 + c + 1];
    }
}

/* a = u diag(1, s, 0) [e_i]x^T v^T, or with the turn on the left. */
static void fundamental_normal(vd_normal *out, const void *data, const double *s) {
    const task *t = data;
    const double *u = s, *v = s + 9, mid[9] = { 1, 0, 0, 0, s[18], 0, 0, 0, 0 };
    double m[9], dm[7 * 9], cross[9], p[9], q[9];
    fundamental_matrix(m, s);
    for (int i = 0; i < 3; i++) {
        vd_mat3_cross(cross, axis(i));
        vd_mat3_mul(p, cross, mid);
        vd_mat3_mul(q, u, p);
        vd_mat3_mul_nt(dm + 9 * i, q, v);
        vd_mat3_mul_nt(p, mid, cross);
        vd_mat3_mul(q, u, p);
        vd_mat3_mul_nt(dm + 27 + 9 * i, q, v);
    }
    for (int i = 0; i < 9; i++) dm[54 + i] = u[i / 3 * 3 + 1] * v[i % 3 * 3 + 1];
    t->f->kern->epipolar_normal(out, &t->d, t->n, m, dm, 7, &t->metric);
}

/* U exp(w): turns from the right. */
static void turn_right(double to[9], const double from[9], const double w[3]) {
    double m[9];
    vd_quat_matrix(m, vd_quat_exp(vd_v3(w[0], w[1], w[2])));
    vd_mat3_mul(to, from, m);
}

static void fundamental_move(double *to, const double *from, const double *step) {
    turn_right(to, from, step);
    turn_right(to + 9, from + 9, step + 3);
    to[18] = from[18] + step[6];
}

static bool refine_fundamental(const vd_fit *f, vd_model *m, double reach, int most, double soft,
                               int rounds, double least) {
    task t;
    double s[19], sv[3];
    if (!pack(&t, f, m->v, 8, reach, most, soft)) return false;
    vd_svd3(s, sv, s + 9, m->v);
    s[18] = sv[1] / sv[0];
    if (!isfinite(s[18])) return false;
    const vd_lm lm = { 7, 19, &t, fundamental_normal, fundamental_move };
    vd_lm_run(&lm, s, rounds, least);
    fundamental_matrix(m->v, s);
    return true;
}

static bool refine7(const void *data, vd_model *m) {
    return refine_fundamental(data, m, VD_FIT_REACH, VD_SOA_SUBSET, 0, VD_FIT_ROUNDS, VD_FIT_LEAST);
}
static bool finish7(const void *data, vd_model *m) {
    const vd_fit *f = data;
    return refine_fundamental(f, m, VD_FIT_REACH, f->soa->n, VD_FIT_SOFT, VD_FIT_LAST_ROUNDS,
                              VD_FIT_LAST_LEAST);
}

vd_estimator vd_fit_essential(const vd_fit *f) {
    return (vd_estimator){ .data = f,
                           .n = f->soa->n,
                           .sample = 5,
                           .solve = solve5,
                           .score = score,
                           .refine = refine5,
                           .finish = finish5 };
}

vd_estimator vd_fit_fundamental(const vd_fit *f) {
    return (vd_estimator){ .data = f,
                           .n = f->soa->n,
                           .sample = 7,
                           .solve = solve7,
                           .score = score,
                           .refine = refine7,
                           .finish = finish7 };
}
