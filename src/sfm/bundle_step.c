/* The second pass of an iteration: the points' part of the step, what the linear model promises of
 * it, and what it brings. SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/mem.h"
#include "sfm/bundle_int.h"

enum { MOST_SLICES = 64 };

typedef struct slice {
    double model, cost, square;
    int64_t behind;
} slice;

typedef struct pass {
    vd_ba *ba;
    slice *slice;
    int64_t n_slices;
} pass;

/* The step of the blocks into the lanes of their observations. */
static void load_steps(vd_ba_batch *b, const vd_ba *ba, int64_t first, int n) {
    static const double nothing[VD_BA_ROW];
    const double *from[VD_BA_LANES];
    for (int l = 0; l < VD_BA_PAD(n); l++) {
        int32_t block = ba->pose_block[ba->pose[first + (l < n ? l : 0)]];
        from[l] = block >= 0 ? ba->step + (ptrdiff_t)block * VD_BA_ROW : nothing;
    }
    ba->kern->load(b->step, from, 1, VD_BA_PAD(n));
    for (int l = 0; l < n && ba->want; l++) {
        const vd_ba_cam *c = &ba->cam[ba->in->pose_camera[ba->pose[first + l]]];
        for (int i = 0; i < VD_BA_PARAMS; i++) b->cam_step[i][l] = 0;
        for (int i = 0; i < c->n; i++) {
            double v = ba->step[(ptrdiff_t)c->block * VD_BA_ROW + i];
            b->cam_step[c->from[i]][l] = v;
            if (c->and_from[i] >= 0) b->cam_step[c->and_from[i]][l] = v;
        }
    }
}

static void load_points(vd_ba_batch *b, const vd_ba *ba, const double *point, int64_t first, int n,
                        int32_t p) {
    for (int l = 0; l < n; l++) {
        while (first + l >= ba->start[p + 1]) p++;
        const double *x = point + 3 * (ptrdiff_t)ba->point[p];
        for (int i = 0; i < 3; i++) b->x[i][l] = x[i];
    }
}

/* J times the step of the blocks, for every batch of a chunk. */
static void along_blocks(const vd_ba *ba, vd_ba_batch *b, int64_t first, int64_t end, int32_t p) {
    for (int64_t o = first; o < end; o += VD_BA_LANES, b++) {
        int n = (int)VD_MIN(end - o, VD_BA_LANES), want = VD_BA_JACOBIAN | ba->want;
        load_points(b, ba, ba->now.point, o, n, p);
        vd_ba_load(b, ba, &ba->now, o, n);
        load_steps(b, ba, o, n);
        vd_ba_project(b, ba, &ba->now, o, n, want);
        ba->kern->weigh(b, VD_BA_PAD(n), ba->opt.loss, ba->opt.loss_scale_px, want);
        ba->kern->jacobians(b, VD_BA_PAD(n));
        ba->kern->along(b, VD_BA_PAD(n), ba->want);
    }
}

/* dx = -C^-T (y + C^-1 q), q = W^T times the step of the blocks. */
static void point_step(double dx[3], const vd_ba_pivot *v, const double q[3]) {
    const double *c = v->c;
    double z0 = q[0] * c[0], z1 = (q[1] - c[1] * z0) * c[2],
           z2 = (q[2] - c[3] * z0 - c[4] * z1) * c[5];
    z0 += v->y[0];
    z1 += v->y[1];
    z2 += v->y[2];
    dx[2] = -z2 * c[5];
    dx[1] = (-z1 - c[4] * dx[2]) * c[2];
    dx[0] = (-z0 - c[1] * dx[1] - c[3] * dx[2]) * c[0];
}

/* Moves the points of a chunk and puts their steps into the lanes. */
static double move_points(vd_ba *ba, vd_ba_batch *b, int64_t first, int32_t p, int32_t end) {
    double square = 0;
    for (; p < end; p++) {
        double q[3] = { 0 }, dx[3] = { 0 };
        bool moves = ba->in->point_constant == NULL || !ba->in->point_constant[ba->point[p]];
        for (int64_t o = ba->start[p] - first; o < ba->start[p + 1] - first && moves; o++)
            for (int i = 0; i < 3; i++) q[i] += b[o / VD_BA_LANES].q[i][o % VD_BA_LANES];
        if (moves) point_step(dx, &ba->pivot[p], q);
        for (int64_t o = ba->start[p] - first; o < ba->start[p + 1] - first; o++)
            for (int i = 0; i < 3; i++) b[o / VD_BA_LANES].dx[i][o % VD_BA_LANES] = dx[i];
        for (int i = 0; i < 3; i++) {
            ptrdiff_t at = 3 * (ptrdiff_t)ba->point[p] + i;
            ba->next.point[at] = ba->now.point[at] + dx[i];
            square += dx[i] * dx[i];
        }
    }
    return square;
}

/* What the linear model says, and the cost at the new values. */
static void judge(const vd_ba *ba, slice *s, vd_ba_batch *b, int64_t first, int64_t end,
                  int32_t p) {
    for (int64_t o = first; o < end; o += VD_BA_LANES, b++) {
        int n = (int)VD_MIN(end - o, VD_BA_LANES);
        ba->kern->model(b, VD_BA_PAD(n));
        for (int l = 0; l < n; l++) s->model += 0.5 * b->model[l];
        load_points(b, ba, ba->next.point, o, n, p);
        vd_ba_load(b, ba, &ba->next, o, n);
        vd_ba_project(b, ba, &ba->next, o, n, 0);
        for (int l = 0; l < n; l++) {
            s->cost += 0.5 * vd_ba_loss(ba->opt.loss, ba->opt.loss_scale_px, b->square[l]);
            s->behind += b->ahead[l] == 0;
        }
    }
}

static vd_status slice_task(void *user, int64_t i, int worker, vd_err *err) {
    const pass *w = user;
    vd_ba *ba = w->ba;
    vd_ba_batch *b = ba->scratch[worker].batch;
    slice s = { 0 };
    (void)err;
    int64_t begin = i * ba->n_chunks / w->n_slices, end = (i + 1) * ba->n_chunks / w->n_slices;
    for (int64_t c = begin; c < end; c++) {
        int32_t p = ba->chunk[c], stop = ba->chunk[c + 1];
        int64_t first = ba->start[p], last = ba->start[stop];
        along_blocks(ba, b, first, last, p);
        s.square += move_points(ba, b, first, p, stop);
        judge(ba, &s, b, first, last, p);
    }
    w->slice[i] = s;
    return VD_OK;
}

vd_status vd_ba_try(vd_ba *ba, vd_ba_outcome *out, vd_err *err) {
    slice slices[MOST_SLICES];
    vd_ba_outcome o = { 0 };
    pass w = { ba, slices, VD_CLAMP(ba->n_chunks / 4, 1, MOST_SLICES) };
    for (int i = 0; i < ba->n_blocks * VD_BA_ROW; i++) o.square += ba->step[i] * ba->step[i];
    if (!isfinite(o.square) || !vd_ba_values_step(ba)) {
        *out = (vd_ba_outcome){ .cost = INFINITY };
        return VD_OK;
    }
    VD_TRY(vd_pool_for(ba->pool, w.n_slices, slice_task, &w, err));
    for (int64_t i = 0; i < w.n_slices; i++) {
        o.model += slices[i].model;
        o.cost += slices[i].cost;
        o.square += slices[i].square;
        o.behind += slices[i].behind;
    }
    o.model += vd_ba_prior_model(ba);
    o.cost += vd_ba_prior_cost(ba, &ba->next);
    *out = o;
    return VD_OK;
}
