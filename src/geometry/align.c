/* Alignment of point sets; see align.h. SPDX-License-Identifier: Apache-2.0 */
#include "geometry/align.h"

#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "geometry/ransac.h"
#include "geometry/rigid.h"
#include "math/mat.h"

vd_vec3 vd_similarity_apply(vd_similarity b_from_a, vd_vec3 x_in_a) {
    return vd_rigid_apply(b_from_a.rigid, vd_v3_mul(x_in_a, b_from_a.scale));
}

vd_similarity vd_similarity_mul(vd_similarity c_from_b, vd_similarity b_from_a) {
    vd_similarity r = { c_from_b.scale * b_from_a.scale,
                        { vd_quat_mul(c_from_b.rigid.q, b_from_a.rigid.q),
                          vd_similarity_apply(c_from_b, b_from_a.rigid.t) } };
    return r;
}

vd_similarity vd_similarity_inverse(vd_similarity b_from_a) {
    vd_rigid r = vd_rigid_inverse(b_from_a.rigid);
    r.t = vd_v3_mul(r.t, 1 / b_from_a.scale);
    return (vd_similarity){ 1 / b_from_a.scale, r };
}

vd_rigid vd_similarity_pose(vd_similarity b_from_a, vd_rigid cam_from_a) {
    vd_quat q = vd_quat_mul(cam_from_a.q, vd_quat_conj(b_from_a.rigid.q));
    vd_vec3 t =
        vd_v3_sub(vd_v3_mul(cam_from_a.t, b_from_a.scale), vd_quat_rotate(q, b_from_a.rigid.t));
    return (vd_rigid){ q, t };
}

/* Relative to the distance of points from the origin; and see vd_similarity_fit_any. */
static const double ROUNDING = 1e-9, LINE = 1e-12;

static vd_vec3 at(const double *p, int i) {
    return vd_v3(p[3 * i], p[3 * i + 1], p[3 * i + 2]);
}

static bool centroid(vd_vec3 *c, const double *p, const double *weight, int n, double total) {
    vd_vec3 sum = { 0, 0, 0 };
    for (int i = 0; i < n; i++)
        sum = vd_v3_add(sum, vd_v3_mul(at(p, i), weight != NULL ? weight[i] : 1));
    *c = vd_v3_mul(sum, 1 / total);
    return isfinite(c->x + c->y + c->z);
}

bool vd_similarity_fit_any(vd_similarity *b_from_a, double *across, const double *a,
                           const double *b, const double *weight, int n, bool with_scale) {
    double total = 0, cov[9] = { 0 }, spread = 0, spread_b = 0, u[9], s[3], v[9], r[9];
    vd_vec3 ca, cb;
    for (int i = 0; i < n; i++) total += weight != NULL ? weight[i] : 1;
    if (n < 2 || !(total > 0) || !centroid(&ca, a, weight, n, total) ||
        !centroid(&cb, b, weight, n, total))
        return false;
    for (int i = 0; i < n; i++) {
        double w = weight != NULL ? weight[i] : 1;
        vd_vec3 p = vd_v3_sub(at(a, i), ca), q = vd_v3_sub(at(b, i), cb);
        const double pv[3] = { p.x, p.y, p.z }, qv[3] = { q.x, q.y, q.z };
        spread += w * vd_v3_dot(p, p);
        spread_b += w * vd_v3_dot(q, q);
        for (int k = 0; k < 9; k++) cov[k] += w * qv[k / 3] * pv[k % 3];
    }
    /* rounding leaves points that are equal a little apart */
    double same = ROUNDING * ROUNDING * total * (vd_v3_dot(ca, ca) + vd_v3_dot(cb, cb));
    vd_svd3(u, s, v, cov);
    if (!isfinite(s[0]) || !(s[0] > 0) || !(spread > same) || !(spread_b > same)) return false;
    double sign = vd_mat3_det(u) * vd_mat3_det(v) < 0 ? -1 : 1;
    for (int i = 0; i < 3; i++) u[3 * i + 2] *= sign;
    vd_mat3_mul_nt(r, u, v);
    vd_similarity out = { with_scale ? (s[0] + s[1] + sign * s[2]) / spread : 1,
                          { vd_quat_of_matrix(r), { 0, 0, 0 } } };
    if (!(out.scale > 0) || !isfinite(out.scale)) return false;
    out.rigid.t = vd_v3_sub(cb, vd_similarity_apply(out, ca));
    *b_from_a = out;
    *across = s[1] / s[0];
    return true;
}

bool vd_similarity_fit(vd_similarity *b_from_a, const double *a, const double *b,
                       const double *weight, int n, bool with_scale) {
    vd_similarity got;
    double across;
    if (n < 3 || !vd_similarity_fit_any(&got, &across, a, b, weight, n, with_scale)) return false;
    if (!(across > LINE)) return false; /* rank 1: points on a line, on either side */
    *b_from_a = got;
    return true;
}

/* Robust alignment: models are scale, quaternion, translation. Points are few (cameras, ground
 * control), so plain sums do. */
typedef struct cloud {
    const double *a, *b, *weight;
    double *few; /* scratch: weights of a refinement */
    double limit;
    int n;
    bool with_scale;
    int32_t *order; /* positions in random order */
} cloud;

enum { STREAM_ORDER = 0x616c6731, STREAM_SAMPLE, LO_ROUNDS = 4 };

static vd_model to_model(vd_similarity s) {
    return (vd_model){ { s.scale, s.rigid.q.w, s.rigid.q.x, s.rigid.q.y, s.rigid.q.z, s.rigid.t.x,
                         s.rigid.t.y, s.rigid.t.z } };
}

static vd_similarity of_model(const vd_model *m) {
    const double *v = m->v;
    return (vd_similarity){ v[0], { { v[1], v[2], v[3], v[4] }, { v[5], v[6], v[7] } } };
}

/* Squared distance in thresholds. */
static double error_of(const cloud *c, const vd_similarity *s, int i) {
    vd_vec3 e = vd_v3_sub(vd_similarity_apply(*s, at(c->a, i)), at(c->b, i));
    return vd_v3_dot(e, e) / c->limit;
}

static double score_cloud(const void *data, const vd_model *m, int from, int to, int *inliers) {
    const cloud *c = data;
    vd_similarity s = of_model(m);
    double gain = 0;
    for (int i = from; i < to; i++) {
        double e = error_of(c, &s, c->order[i]);
        if (!(e < 1)) continue;
        gain += 1 - e;
        ++*inliers;
    }
    return gain;
}

static void solve_cloud(const void *data, const int32_t (*sample)[VD_RANSAC_SAMPLE], int count,
                        vd_model (*model)[VD_RANSAC_MODELS], int *found) {
    const cloud *c = data;
    for (int s = 0; s < count; s++) {
        double a[9], b[9];
        vd_similarity got;
        for (int i = 0; i < 3; i++) {
            memcpy(a + 3 * i, c->a + 3 * c->order[sample[s][i]], 3 * sizeof *a);
            memcpy(b + 3 * i, c->b + 3 * c->order[sample[s][i]], 3 * sizeof *b);
        }
        found[s] = vd_similarity_fit(&got, a, b, NULL, 3, c->with_scale);
        if (found[s]) model[s][0] = to_model(got);
    }
}

/* Least squares on the inliers, until they stay the same or for a few rounds. */
static bool refit(const cloud *c, vd_model *m, bool weighted) {
    vd_similarity s = of_model(m);
    double last = -1;
    bool any = false;
    for (int round = 0; round < LO_ROUNDS; round++) {
        double sum = 0;
        for (int i = 0; i < c->n; i++) {
            bool in = error_of(c, &s, i) < 1;
            c->few[i] = in ? (weighted && c->weight != NULL ? c->weight[i] : 1) : 0;
            sum += in;
        }
        if (sum == last || !vd_similarity_fit(&s, c->a, c->b, c->few, c->n, c->with_scale)) break;
        last = sum;
        any = true;
    }
    *m = to_model(s);
    return any;
}

static bool refine_cloud(const void *data, vd_model *m) {
    return refit(data, m, false);
}
static bool finish_cloud(const void *data, vd_model *m) {
    return refit(data, m, true);
}

static vd_status check_cloud(const vd_align_opt *o, int n, vd_err *err) {
    if (!(o->max_error > 0) || !isfinite(o->max_error))
        return vd_fail(err, VD_E_ARG, "alignment: max_error %g, must be positive", o->max_error);
    if (!(o->confidence > 0 && o->confidence < 1) || o->max_trials < 1 || n < 0)
        return vd_fail(err, VD_E_ARG,
                       "alignment: confidence %g, max_trials %d, %d points: out of range",
                       o->confidence, o->max_trials, n);
    return VD_OK;
}

vd_status vd_similarity_fit_robust(vd_similarity *b_from_a, uint8_t *mask, int *inliers,
                                   const double *a, const double *b, const double *weight, int n,
                                   const vd_align_opt *opt, vd_err *err) {
    VD_TRY(check_cloud(opt, n, err));
    vd_status st = VD_OK;
    cloud c = { .a = a,
                .b = b,
                .weight = weight,
                .limit = opt->max_error * opt->max_error,
                .n = n,
                .with_scale = opt->with_scale };
    c.few = vd_mem_array((size_t)n + 1, sizeof *c.few);
    c.order = vd_mem_array((size_t)n + 1, sizeof *c.order);
    if (c.few == NULL || c.order == NULL) VD_GO(vd_nomem(err));
    vd_rng r = vd_rng_for(opt->seed, STREAM_ORDER, opt->item);
    for (int i = 0; i < n; i++) {
        int k = (int)vd_rng_int(&r, i + 1);
        c.order[i] = c.order[k];
        c.order[k] = i;
    }
    const vd_estimator e = { .data = &c,
                             .n = n,
                             .sample = 3,
                             .solve = solve_cloud,
                             .score = score_cloud,
                             .refine = refine_cloud,
                             .finish = finish_cloud };
    const vd_ransac_opt ro = { opt->confidence, 0,        opt->max_trials, opt->seed,
                               STREAM_SAMPLE,   opt->item };
    vd_ransac_result best = { .gain = 0 };
    vd_ransac_run(&best, &e, &ro);
    vd_ransac_finish(&best, &e);
    if (!(best.gain > 0) || best.inliers < 3)
        VD_GO(vd_fail(err, VD_E_NUMERIC, "alignment: no three of %d points agree within %g", n,
                      opt->max_error));
    vd_similarity s = of_model(&best.model);
    for (int i = 0; mask != NULL && i < n; i++) mask[i] = error_of(&c, &s, i) < 1;
    if (inliers != NULL) *inliers = best.inliers;
    *b_from_a = s;
done:
    vd_mem_free(c.few);
    vd_mem_free(c.order);
    return st;
}
