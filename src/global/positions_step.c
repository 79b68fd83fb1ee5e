/* Global positioning: cost, normal equations, a step. SPDX-License-Identifier: Apache-2.0
 *
 * An observation with u = point - centre and residual r = v - d u has the derivatives -d I by the
 * point, d I by the centre, -u by d. With q = |u|^2 (1 + lambda) eliminating d leaves
 *   M = w d^2 (I - u u^T / q)    g = w d (r - u (u . r) / q)
 * in H of the point and of the centre, -M between them, and g, -g as what pulls at them; afterwards
 * d moves by u . (r - d (dx - dc)) / q. Eliminating the points next leaves for the centres
 *   sum M dc_i - sum M_i P^-1 M_j dc_j = -sum g_i + sum M_i P^-1 G
 * with P the damped sum of a point's M and G the sum of its g. Every task owns what it writes and
 * sums in the order of the observations. */
#include <math.h>
#include <string.h>

#include "global/positions_int.h"

static const double LEAST_SCALE = 1e-5;

/* Loss and its derivative by the square. */
static double loss_of(const vd_positioning *p, double square, double *weight) {
    double a = p->loss * p->loss;
    if (p->cauchy) {
        *weight = a / (a + square);
        return a * log1p(square / a);
    }
    if (square <= a) {
        *weight = 1;
        return square;
    }
    double e = sqrt(square);
    *weight = p->loss / e;
    return 2 * p->loss * e - a;
}

static double residual(double r[3], double u[3], const vd_position_obs *o, const double *centre,
                       const double *point, double d) {
    const double *x = point + 3 * (ptrdiff_t)o->point, *c = centre + 3 * (ptrdiff_t)o->camera;
    double square = 0;
    for (int i = 0; i < 3; i++) {
        u[i] = x[i] - c[i];
        r[i] = o->ray[i] - d * u[i];
        square += r[i] * r[i];
    }
    return square;
}

typedef struct costing {
    vd_positioning *p;
    const double *centre, *point, *scale;
} costing;

static vd_status cost_task(void *user, int64_t i, int worker, vd_err *err) {
    const costing *w = user;
    const vd_positioning *p = w->p;
    int64_t end = VD_MIN((i + 1) * VD_POSITION_PIECE, p->n_points);
    double sum = 0, r[3], u[3], weight;
    (void)worker;
    (void)err;
    for (int64_t k = p->of_point[i * VD_POSITION_PIECE]; k < p->of_point[end]; k++)
        sum += loss_of(p, residual(r, u, &p->obs[k], w->centre, w->point, w->scale[k]), &weight);
    p->part[i] = sum;
    return VD_OK;
}

vd_status vd_position_cost(vd_positioning *p, const double *centre, const double *point,
                           const double *scale, double *cost, vd_pool *pool, vd_err *err) {
    costing w = { p, centre, point, scale };
    VD_TRY(vd_pool_for(pool, vd_position_pieces(p), cost_task, &w, err));
    *cost = 0;
    for (int64_t i = 0; i < vd_position_pieces(p); i++) *cost += p->part[i];
    return VD_OK;
}

static double dot(const double a[3], const double b[3]) {
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

static void sym_apply(double y[3], const double m[6], const double x[3]) {
    y[0] = m[0] * x[0] + m[1] * x[1] + m[2] * x[2];
    y[1] = m[1] * x[0] + m[3] * x[1] + m[4] * x[2];
    y[2] = m[2] * x[0] + m[4] * x[1] + m[5] * x[2];
}

static void see(const vd_positioning *p, vd_sight *s, int64_t k) {
    double r[3], u[3], w, d = p->scale[k];
    loss_of(p, residual(r, u, &p->obs[k], p->centre, p->point, d), &w);
    double ur = dot(u, r), q = dot(u, u) * (1 + p->lambda) + 1e-300;
    bool held = d <= LEAST_SCALE && ur < 0; /* it would like to be negative */
    double f = held ? 0 : 1 / q, a = w * d * d;
    s->m[0] = a * (1 - u[0] * u[0] * f);
    s->m[1] = -a * u[0] * u[1] * f;
    s->m[2] = -a * u[0] * u[2] * f;
    s->m[3] = a * (1 - u[1] * u[1] * f);
    s->m[4] = -a * u[1] * u[2] * f;
    s->m[5] = a * (1 - u[2] * u[2] * f);
    for (int i = 0; i < 3; i++) s->g[i] = w * d * (r[i] - u[i] * ur * f);
}

static double damped(double h, double lambda) {
    return h * (1 + lambda) + 1e-12;
}

/* Zeros where the block is not regular: the point then stays where it is. */
static void invert(double inv[6], const double h[6]) {
    double c0 = h[3] * h[5] - h[4] * h[4], c1 = h[2] * h[4] - h[1] * h[5],
           c2 = h[1] * h[4] - h[2] * h[3], det = h[0] * c0 + h[1] * c1 + h[2] * c2;
    double f = det > 0 && isfinite(1 / det) ? 1 / det : 0;
    inv[0] = f * c0;
    inv[1] = f * c1;
    inv[2] = f * c2;
    inv[3] = f * (h[0] * h[5] - h[2] * h[2]);
    inv[4] = f * (h[1] * h[2] - h[0] * h[4]);
    inv[5] = f * (h[0] * h[3] - h[1] * h[1]);
}

static vd_status point_task(void *user, int64_t i, int worker, vd_err *err) {
    vd_positioning *p = user;
    (void)worker;
    (void)err;
    for (int64_t x = i * VD_POSITION_PIECE; x < VD_MIN((i + 1) * VD_POSITION_PIECE, p->n_points);
         x++) {
        double h[6] = { 0 }, *g = p->pull + 3 * x;
        g[0] = g[1] = g[2] = 0;
        for (int64_t k = p->of_point[x]; k < p->of_point[x + 1]; k++) {
            see(p, &p->sight[k], k);
            for (int c = 0; c < 6; c++) h[c] += p->sight[k].m[c];
            for (int c = 0; c < 3; c++) g[c] += p->sight[k].g[c];
        }
        for (int c = 0; c < 6; c += c == 0 ? 3 : 2) h[c] = damped(h[c], p->lambda);
        invert(p->inverse + 6 * x, h);
    }
    return VD_OK;
}

/* c = a b of two symmetric matrices. */
static void sym_mul(double c[9], const double a[6], const double b[6]) {
    const double fa[9] = { a[0], a[1], a[2], a[1], a[3], a[4], a[2], a[4], a[5] },
                 fb[9] = { b[0], b[1], b[2], b[1], b[3], b[4], b[2], b[4], b[5] };
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            c[3 * i + j] =
                fa[3 * i] * fb[j] + fa[3 * i + 1] * fb[3 + j] + fa[3 * i + 2] * fb[6 + j];
}

/* What one observation of camera i adds to its block column and its right-hand side. */
static void add_sight(vd_positioning *p, int32_t i, int64_t k) {
    const double *inv = p->inverse + 6 * (ptrdiff_t)p->obs[k].point,
                 *pull = p->pull + 3 * (ptrdiff_t)p->obs[k].point, *m = p->sight[k].m;
    double a[9], y[3], *rhs = p->rhs + 3 * (ptrdiff_t)i;
    sym_mul(a, m, inv);
    for (int r = 0; r < 3; r++) {
        y[r] = a[3 * r] * pull[0] + a[3 * r + 1] * pull[1] + a[3 * r + 2] * pull[2];
        rhs[r] += y[r] - p->sight[k].g[r];
    }
    int64_t begin = p->of_point[p->obs[k].point], end = p->of_point[p->obs[k].point + 1];
    for (int64_t o = begin; o < end; o++) {
        int32_t j = p->obs[o].camera;
        if (j > i) continue;
        const double *b = p->sight[o].m;
        const double fb[9] = { b[0], b[1], b[2], b[1], b[3], b[4], b[2], b[4], b[5] };
        int32_t at = vd_system_find(&p->system, j, i);
        for (int c = 0; c < 3; c++) /* the column is of camera i, the row of camera j */
            for (int r = 0; r < (j == i ? c + 1 : 3); r++)
                *vd_system_at(&p->system, i, c, at, r) -=
                    a[3 * c] * fb[r] + a[3 * c + 1] * fb[3 + r] + a[3 * c + 2] * fb[6 + r];
    }
}

static vd_status camera_task(void *user, int64_t at, int worker, vd_err *err) {
    vd_positioning *p = user;
    int32_t i = (int32_t)at, diagonal = vd_system_find(&p->system, i, i);
    double h[6] = { 0 };
    (void)worker;
    (void)err;
    for (int c = 0; c < 3; c++) p->rhs[3 * at + c] = 0;
    for (int64_t k = p->of_camera[i]; k < p->of_camera[i + 1]; k++) {
        add_sight(p, i, p->seen[k]);
        for (int c = 0; c < 6; c++) h[c] += p->sight[p->seen[k]].m[c];
    }
    for (int c = 0; c < 6; c += c == 0 ? 3 : 2) h[c] = damped(h[c], p->lambda);
    static const int from[3][3] = { { 0, 1, 2 }, { 1, 3, 4 }, { 2, 4, 5 } };
    for (int c = 0; c < 3; c++)
        for (int r = 0; r <= c; r++) *vd_system_at(&p->system, i, c, diagonal, r) += h[from[r][c]];
    return VD_OK;
}

/* Points and scales follow the centres, whose step is in rhs. */
static vd_status follow_task(void *user, int64_t i, int worker, vd_err *err) {
    vd_positioning *p = user;
    (void)worker;
    (void)err;
    for (int64_t x = i * VD_POSITION_PIECE; x < VD_MIN((i + 1) * VD_POSITION_PIECE, p->n_points);
         x++) {
        double sum[3], dx[3], y[3], r[3], u[3];
        memcpy(sum, p->pull + 3 * x, sizeof sum);
        for (int64_t k = p->of_point[x]; k < p->of_point[x + 1]; k++) {
            sym_apply(y, p->sight[k].m, p->rhs + 3 * (ptrdiff_t)p->obs[k].camera);
            for (int c = 0; c < 3; c++) sum[c] += y[c];
        }
        sym_apply(dx, p->inverse + 6 * x, sum);
        for (int c = 0; c < 3; c++) p->next_point[3 * x + c] = p->point[3 * x + c] + dx[c];
        for (int64_t k = p->of_point[x]; k < p->of_point[x + 1]; k++) {
            const double *dc = p->rhs + 3 * (ptrdiff_t)p->obs[k].camera;
            double d = p->scale[k];
            residual(r, u, &p->obs[k], p->centre, p->point, d);
            double q = dot(u, u) * (1 + p->lambda) + 1e-300;
            for (int c = 0; c < 3; c++) r[c] -= d * (dx[c] - dc[c]);
            p->next_scale[k] = fmax(d + dot(u, r) / q, LEAST_SCALE);
        }
    }
    return VD_OK;
}

vd_status vd_position_step(vd_positioning *p, bool *solved, vd_pool *pool, vd_err *err) {
    int64_t pieces = vd_position_pieces(p);
    *solved = false;
    vd_system_clear(&p->system);
    VD_TRY(vd_pool_for(pool, pieces, point_task, p, err));
    VD_TRY(vd_pool_for(pool, p->n_cameras, camera_task, p, err));
    vd_status st = vd_system_factor(&p->system, pool, err);
    if (st == VD_E_NUMERIC) return VD_OK;
    VD_TRY(st);
    VD_TRY(vd_system_solve(&p->system, p->rhs, err));
    for (int64_t i = 0; i < 3 * (int64_t)p->n_cameras; i++)
        p->next_centre[i] = p->centre[i] + p->rhs[i];
    VD_TRY(vd_pool_for(pool, pieces, follow_task, p, err));
    *solved = true;
    return VD_OK;
}
