/* Focal lengths by the view graph. SPDX-License-Identifier: Apache-2.0
 *
 * With F = U diag(s1, s2, 0) V^T between points seen from the principal point in units of the given
 * focal lengths, and C = diag(k^2, k^2, 1) for a focal length that is k times the given one:
 *   (s1^2 v1.C_a v1, s1 s2 v1.C_a v2, s2^2 v2.C_a v2) ~ (u2.C_b u2, -u1.C_b u2, u1.C_b u1) */
#include "global/focal.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "global/system.h"
#include "math/mat.h"

enum { STEPS = 8, SWEEPS = 3, ITERATIONS = 50 };
static const double STEP = 0.25;   /* of the first search, in the logarithm */
static const double SCALE = 0.03;  /* sine at which a pair begins to count less */
static const double PRIOR = 0.05;  /* what a factor of e costs, in pairs */
static const double CLEARLY = 0.8; /* share of the cost that is left where k is believed */
static const double FARTHEST = 2;  /* logarithm of a factor */
enum { LEAST_PAIRS = 3 };

/* The forms of a pair: row i of a is p[i] k_a^2 + q[i], the same for b. */
typedef struct form {
    int32_t a, b;
    double pa[3], qa[3], pb[3], qb[3];
} form;

typedef struct focals {
    double *x, *next, *step; /* [n] logarithms of the factors */
    const uint8_t *moves;
    int32_t n;
    form *form;
    int64_t n_forms;
    int64_t *start, *list; /* forms of each camera */
    vd_system system;
} focals;

/* The plane's part and the axis' part of a quadratic form's value. */
static void parts(double *p, double *q, const double *m, int i, int j, double factor) {
    *p = factor * (m[i] * m[j] + m[3 + i] * m[3 + j]);
    *q = factor * m[6 + i] * m[6 + j];
}

static void make_form(form *f, const vd_focal_pair *pair, const vd_camera *camera) {
    double ka[9], kb[9], t[9], m[9], u[9], s[3], v[9];
    f->a = pair->a;
    f->b = pair->b;
    vd_camera_matrix(&camera[pair->a], ka);
    vd_camera_matrix(&camera[pair->b], kb);
    vd_mat3_mul(t, pair->F, ka);
    vd_mat3_mul_tn(m, kb, t);
    double norm = 0;
    for (int i = 0; i < 9; i++) norm += m[i] * m[i];
    for (int i = 0; i < 9 && norm > 0; i++) m[i] /= sqrt(norm);
    vd_svd3(u, s, v, m);
    parts(&f->pa[0], &f->qa[0], v, 0, 0, s[0] * s[0]);
    parts(&f->pa[1], &f->qa[1], v, 0, 1, s[0] * s[1]);
    parts(&f->pa[2], &f->qa[2], v, 1, 1, s[1] * s[1]);
    parts(&f->pb[0], &f->qb[0], u, 1, 1, 1);
    parts(&f->pb[1], &f->qb[1], u, 0, 1, -1);
    parts(&f->pb[2], &f->qb[2], u, 0, 0, 1);
}

/* The unit vector of a form and its derivative by the logarithm of k. */
static void unit(double y[3], double d[3], const double p[3], const double q[3], double x) {
    double k = exp(2 * x), norm = 1e-300, along = 0;
    for (int i = 0; i < 3; i++) {
        y[i] = p[i] * k + q[i];
        d[i] = 2 * p[i] * k;
        norm += y[i] * y[i];
    }
    norm = sqrt(norm);
    for (int i = 0; i < 3; i++) {
        y[i] /= norm;
        d[i] /= norm;
        along += y[i] * d[i];
    }
    for (int i = 0; i < 3; i++) d[i] -= along * y[i];
}

static void cross(double c[3], const double a[3], const double b[3]) {
    c[0] = a[1] * b[2] - a[2] * b[1];
    c[1] = a[2] * b[0] - a[0] * b[2];
    c[2] = a[0] * b[1] - a[1] * b[0];
}

static double dot(const double a[3], const double b[3]) {
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/* The residual in units of SCALE, and its derivatives if wanted. */
static double residual(double r[3], double ja[3], double jb[3], const form *f, const double *x) {
    double a[3], da[3], b[3], db[3];
    unit(a, da, f->pa, f->qa, x[f->a]);
    unit(b, db, f->pb, f->qb, x[f->b]);
    cross(r, a, b);
    cross(ja, da, b);
    cross(jb, a, db);
    for (int i = 0; i < 3; i++) {
        r[i] /= SCALE;
        ja[i] /= SCALE;
        jb[i] /= SCALE;
    }
    return dot(r, r);
}

/* [Cauchy]'s loss of the pairs in `list`, or of all. */
static double cost_of(const focals *w, const double *x, const int64_t *list, int64_t n) {
    double sum = 0, r[3], ja[3], jb[3];
    for (int64_t k = 0; k < n; k++)
        sum += log1p(residual(r, ja, jb, &w->form[list != NULL ? list[k] : k], x));
    return sum;
}

static double total(const focals *w, const double *x) {
    double sum = cost_of(w, x, NULL, w->n_forms);
    for (int32_t i = 0; i < w->n; i++)
        if (w->moves[i]) sum += PRIOR * x[i] * x[i];
    return sum;
}

/* One factor for all that move, then each on its own: the cost has more than one valley. */
static void search(focals *w) {
    double best = INFINITY, at = 0;
    for (int k = -STEPS; k <= STEPS; k++) {
        for (int32_t i = 0; i < w->n; i++) w->next[i] = w->moves[i] ? k * STEP : 0;
        double cost = total(w, w->next);
        if (!(cost < best)) continue;
        best = cost;
        at = k * STEP;
    }
    for (int32_t i = 0; i < w->n; i++) w->x[i] = w->moves[i] ? at : 0;
    for (int sweep = 0; sweep < SWEEPS; sweep++)
        for (int32_t i = 0; i < w->n; i++) {
            if (!w->moves[i]) continue;
            double keep = w->x[i], least = INFINITY;
            for (int k = -STEPS; k <= STEPS; k++) {
                w->x[i] = k * STEP;
                double cost = PRIOR * w->x[i] * w->x[i] + cost_of(w, w->x, w->list + w->start[i],
                                                                  w->start[i + 1] - w->start[i]);
                if (!(cost < least)) continue;
                least = cost;
                keep = w->x[i];
            }
            w->x[i] = keep;
        }
}

static void build(focals *w, double lambda) {
    vd_system *s = &w->system;
    vd_system_clear(s);
    memset(w->step, 0, (size_t)w->n * sizeof *w->step);
    for (int64_t k = 0; k < w->n_forms; k++) {
        const form *f = &w->form[k];
        double r[3], ja[3], jb[3], weight = 1 / (1 + residual(r, ja, jb, f, w->x));
        if (f->a == f->b)
            for (int i = 0; i < 3; i++) ja[i] += jb[i], jb[i] = 0;
        if (!w->moves[f->a]) memset(ja, 0, sizeof ja);
        if (!w->moves[f->b]) memset(jb, 0, sizeof jb);
        int32_t lo = VD_MIN(f->a, f->b), hi = VD_MAX(f->a, f->b);
        *vd_system_at(s, f->a, 0, vd_system_find(s, f->a, f->a), 0) += weight * dot(ja, ja);
        *vd_system_at(s, f->b, 0, vd_system_find(s, f->b, f->b), 0) += weight * dot(jb, jb);
        if (lo != hi) *vd_system_at(s, hi, 0, vd_system_find(s, lo, hi), 0) += weight * dot(ja, jb);
        w->step[f->a] -= weight * dot(ja, r);
        w->step[f->b] -= weight * dot(jb, r);
    }
    for (int32_t i = 0; i < w->n; i++) {
        double *d = vd_system_at(s, i, 0, vd_system_find(s, i, i), 0);
        *d = (*d + PRIOR) * (1 + lambda);
        if (w->moves[i]) w->step[i] -= PRIOR * w->x[i];
    }
}

static vd_status descend(focals *w, vd_pool *pool, vd_err *err) {
    double cost = total(w, w->x), lambda = 1e-3;
    for (int i = 0; i < ITERATIONS && lambda < 1e6; i++) {
        build(w, lambda);
        vd_status st = vd_system_factor(&w->system, pool, err);
        if (st == VD_OK) st = vd_system_solve(&w->system, w->step, err);
        if (st != VD_OK && st != VD_E_NUMERIC) return st;
        for (int32_t k = 0; k < w->n; k++) w->next[k] = w->x[k] + w->step[k];
        double next = st == VD_OK ? total(w, w->next) : INFINITY;
        if (!(next < cost)) {
            lambda *= 8;
            continue;
        }
        double *t = w->x;
        w->x = w->next;
        w->next = t;
        bool still = next > cost * (1 - 1e-8);
        cost = next;
        lambda /= 4;
        if (still) break;
    }
    return VD_OK;
}

/* What the pairs of a camera gain must be clear; `next` serves as what was given, all zero. */
static void accept(double *factor, focals *w) {
    memset(w->next, 0, (size_t)w->n * sizeof *w->next);
    for (int32_t i = 0; i < w->n; i++) {
        const int64_t *list = w->list + w->start[i];
        int64_t n = w->start[i + 1] - w->start[i];
        factor[i] = 1;
        if (!w->moves[i] || n < LEAST_PAIRS || !(fabs(w->x[i]) < FARTHEST)) continue;
        if (cost_of(w, w->x, list, n) < CLEARLY * cost_of(w, w->next, list, n))
            factor[i] = exp(w->x[i]);
    }
}

static vd_status check(const vd_focal_pair *pair, int64_t n, int32_t cameras, vd_err *err) {
    for (int64_t k = 0; k < n; k++) {
        if (pair[k].a < 0 || pair[k].b < 0 || pair[k].a >= cameras || pair[k].b >= cameras)
            return vd_fail(err, VD_E_ARG, "focal lengths: pair %lld is of cameras %d and %d of %d",
                           (long long)k, pair[k].a, pair[k].b, cameras);
        for (int i = 0; i < 9; i++)
            if (!isfinite(pair[k].F[i]))
                return vd_fail(err, VD_E_ARG, "focal lengths: matrix %lld is not finite",
                               (long long)k);
    }
    return VD_OK;
}

static vd_status prepare(focals *w, const vd_camera *camera, const vd_focal_pair *pair,
                         vd_err *err) {
    size_t n = (size_t)w->n, m = (size_t)VD_MAX(w->n_forms, 1);
    int32_t(*joined)[2] = vd_mem_alloc(m * sizeof *joined);
    w->x = vd_mem_array(n, sizeof *w->x);
    w->next = vd_mem_array(n, sizeof *w->next);
    w->step = vd_mem_array(n, sizeof *w->step);
    w->form = vd_mem_alloc(m * sizeof *w->form);
    w->start = vd_mem_array(n + 2, sizeof *w->start);
    w->list = vd_mem_alloc(2 * m * sizeof *w->list);
    if (joined == NULL || w->x == NULL || w->next == NULL || w->step == NULL || w->form == NULL ||
        w->start == NULL || w->list == NULL) {
        vd_mem_free(joined);
        return vd_nomem(err);
    }
    for (int64_t k = 0; k < w->n_forms; k++) {
        make_form(&w->form[k], &pair[k], camera);
        joined[k][0] = pair[k].a;
        joined[k][1] = pair[k].b;
        w->start[pair[k].a + 2]++;
        if (pair[k].b != pair[k].a) w->start[pair[k].b + 2]++;
    }
    for (int32_t i = 0; i < w->n; i++) w->start[i + 2] += w->start[i + 1];
    for (int64_t k = 0; k < w->n_forms; k++) {
        w->list[w->start[pair[k].a + 1]++] = k;
        if (pair[k].b != pair[k].a) w->list[w->start[pair[k].b + 1]++] = k;
    }
    vd_status st =
        vd_system_init(&w->system, w->n, 1, (const int32_t(*)[2])joined, w->n_forms, err);
    vd_mem_free(joined);
    return st;
}

vd_status vd_focals_find(double *factor, const vd_camera *camera, const uint8_t *moves,
                         int32_t n_cameras, const vd_focal_pair *pair, int64_t n_pairs,
                         vd_pool *pool, vd_err *err) {
    vd_status st = VD_OK;
    focals w = { .moves = moves, .n = n_cameras, .n_forms = n_pairs };
    if (n_cameras <= 0) return VD_OK;
    VD_TRY(check(pair, n_pairs, n_cameras, err));
    VD_GO(prepare(&w, camera, pair, err));
    search(&w);
    VD_GO(descend(&w, pool, err));
    accept(factor, &w);
done:
    vd_system_reset(&w.system);
    vd_mem_free(w.x);
    vd_mem_free(w.next);
    vd_mem_free(w.step);
    vd_mem_free(w.form);
    vd_mem_free(w.start);
    vd_mem_free(w.list);
    return st;
}
