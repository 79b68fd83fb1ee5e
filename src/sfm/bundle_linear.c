/* The first pass of an iteration: residuals and Jacobians of every chunk, points eliminated on the
 * spot. Nothing of an observation is kept; the second pass computes the Jacobians again, which
 * costs less than writing and reading them. SPDX-License-Identifier: Apache-2.0
 *
 * With U, W, V the blocks of the Hessian and V = C C^T: T = W C^-T, S = U - T T^T, b = g - T y. */
#include <string.h>

#include "sfm/bundle_int.h"

typedef struct pass {
    vd_ba *ba;
    double lambda;
} pass;

double vd_ba_damping(double diagonal, double lambda) {
    return VD_CLAMP(diagonal, 1e-6, 1e32) * lambda;
}

/* What the kernel leaves out of a record: refined parameters, and columns that are held. */
static void finish_record(vd_ba_record *r, const vd_ba_batch *b, int l, const vd_ba *ba,
                          int32_t pose) {
    const vd_ba_cam *c = &ba->cam[ba->in->pose_camera[pose]];
    int32_t block = ba->pose_block[pose];
    int held = block >= 0 ? ba->held[block] : 0;
    for (int row = 0; row < 2; row++) {
        for (int i = 0; i < c->n; i++) {
            const vd_lanes *k = b->k + row * VD_BA_PARAMS;
            r->cam[row][i] = k[c->from[i]][l];
            if (c->and_from[i] >= 0) r->cam[row][i] += k[c->and_from[i]][l];
        }
        for (int i = c->n; i < 2 * VD_BA_ROW && c->n > 0; i++) r->cam[row][i] = 0;
        for (int i = 0; i < 6 && held != 0; i++)
            if (held >> i & 1) r->pose[row][i] = 0;
    }
}

static double chunk_records(vd_ba *ba, vd_ba_scratch *s, int64_t first, int64_t end, int32_t p) {
    double cost = 0;
    vd_ba_batch *b = s->batch;
    for (int64_t o = first; o < end; o += VD_BA_LANES) {
        int n = (int)VD_MIN(end - o, VD_BA_LANES);
        for (int l = 0; l < n; l++) {
            while (o + l >= ba->start[p + 1]) p++;
            const double *x = ba->now.point + 3 * (ptrdiff_t)ba->point[p];
            for (int i = 0; i < 3; i++) b->x[i][l] = x[i];
        }
        vd_ba_load(b, ba, &ba->now, o, n);
        vd_ba_project(b, ba, &ba->now, o, n, VD_BA_JACOBIAN | ba->want);
        for (int l = 0; l < n; l++)
            cost += vd_ba_loss(ba->opt.loss, ba->opt.loss_scale_px, b->square[l]);
        ba->kern->weigh(b, VD_BA_PAD(n), ba->opt.loss, ba->opt.loss_scale_px,
                        VD_BA_JACOBIAN | ba->want);
        ba->kern->jacobians(b, VD_BA_PAD(n));
        vd_ba_record *r = s->record + (o - first);
        ba->kern->records(r, b, VD_BA_PAD(n));
        for (int l = 0; l < n; l++) finish_record(&r[l], b, l, ba, ba->pose[o + l]);
    }
    return 0.5 * cost;
}

/* V + damping = C C^T, y = C^-1 g. Damping makes V positive definite; where rounding disagrees the
 * point stays where it is. */
static bool factor_point(vd_ba_pivot *out, const double s[12], double lambda) {
    double c00 = sqrt(s[0] + vd_ba_damping(s[0], lambda));
    double c10 = s[1] / c00, c20 = s[2] / c00;
    double c11 = sqrt(s[5] + vd_ba_damping(s[5], lambda) - c10 * c10);
    double c21 = (s[6] - c20 * c10) / c11;
    double c22 = sqrt(s[10] + vd_ba_damping(s[10], lambda) - c20 * c20 - c21 * c21);
    double y0 = s[3] / c00, y1 = (s[7] - c10 * y0) / c11, y2 = (s[11] - c20 * y0 - c21 * y1) / c22;
    *out = (vd_ba_pivot){ { 1 / c00, c10, 1 / c11, c20, c21, 1 / c22 }, { y0, y1, y2 } };
    if (isfinite(y0) && isfinite(y1) && isfinite(y2)) return true;
    memset(out, 0, sizeof *out);
    return false;
}

/* U and g of one observation. */
static void add_normal(const vd_ba *ba, vd_ba_system *s, const vd_ba_record *r, int32_t pose) {
    const vd_ba_cam *c = &ba->cam[ba->in->pose_camera[pose]];
    const vd_sfm_kern *k = ba->kern;
    int32_t block = ba->pose_block[pose];
    double r0 = r->point[0][3], r1 = r->point[1][3];
    if (block >= 0) {
        const int32_t *own = ba->own[block];
        ptrdiff_t row = (ptrdiff_t)block * VD_BA_ROW;
        k->normal(s->block + (ptrdiff_t)own[0] * VD_BA_BLOCK, r->pose[0], r->pose[1], r->pose[0],
                  r->pose[1], 6);
        k->gradient(s->g + row, s->diagonal + row, r->pose[0], r->pose[1], r0, r1);
        for (int i = 0; i * VD_BA_ROW < c->n; i++)
            k->normal(s->block + (ptrdiff_t)own[1 + i] * VD_BA_BLOCK, r->pose[0], r->pose[1],
                      r->cam[0] + i * VD_BA_ROW, r->cam[1] + i * VD_BA_ROW, 6);
    }
    for (int i = 0; i * VD_BA_ROW < c->n; i++) {
        const int32_t *own = ba->own[c->block + i];
        ptrdiff_t row = (ptrdiff_t)(c->block + i) * VD_BA_ROW;
        const double *j0 = r->cam[0] + i * VD_BA_ROW, *j1 = r->cam[1] + i * VD_BA_ROW;
        k->gradient(s->g + row, s->diagonal + row, j0, j1, r0, r1);
        for (int e = i; e * VD_BA_ROW < c->n; e++)
            k->normal(s->block + (ptrdiff_t)own[e - i] * VD_BA_BLOCK, j0, j1,
                      r->cam[0] + e * VD_BA_ROW, r->cam[1] + e * VD_BA_ROW, VD_BA_ROW);
    }
}

/* W of a point, a row of three vectors for each of its entries. */
static void add_cross(const vd_ba *ba, double *t, const vd_ba_record *r, int64_t o) {
    const vd_ba_cam *c = &ba->cam[ba->in->pose_camera[ba->pose[o]]];
    if (ba->pose_entry[o] >= 0)
        ba->kern->cross(t + (ptrdiff_t)ba->pose_entry[o] * VD_BA_ENTRY, r->pose[0], r->pose[1],
                        r->point[0], r->point[1]);
    for (int i = 0; ba->cam_entry[o] >= 0 && i * VD_BA_ROW < c->n; i++)
        ba->kern->cross(t + (ptrdiff_t)(ba->cam_entry[o] + i) * VD_BA_ENTRY,
                        r->cam[0] + i * VD_BA_ROW, r->cam[1] + i * VD_BA_ROW, r->point[0],
                        r->point[1]);
}

/* S -= T T^T; for PCG only its diagonal blocks, apart, and T is kept. */
static void eliminate_point(const vd_ba *ba, vd_ba_system *s, double *t, int32_t p) {
    const int32_t *list = ba->entry + ba->entry_start[p];
    int m = (int)(ba->entry_start[p + 1] - ba->entry_start[p]);
    if (ba->solver != VD_SOLVER_PCG) {
        for (int e = 0; e < m; e++)
            ba->kern->eliminate(s->block, ba->at + (ptrdiff_t)list[e] * ba->n_blocks, list + e,
                                t + (ptrdiff_t)e * VD_BA_ENTRY, m - e, ba->dim[list[e]]);
        return;
    }
    for (int e = 0; e < m; e++)
        ba->kern->eliminate(s->block, ba->at, list + e, t + (ptrdiff_t)e * VD_BA_ENTRY, 1,
                            ba->dim[list[e]]);
    float *kept = ba->t + ba->entry_start[p] * VD_BA_ENTRY;
    for (int i = 0; i < m * VD_BA_ENTRY; i++) kept[i] = (float)t[i];
}

static double point_task(const pass *w, vd_ba_sums *sums, vd_ba_scratch *scratch, int32_t p,
                         const vd_ba_record *r) {
    vd_ba *ba = w->ba;
    double v[12] = { 0 };
    int n = (int)(ba->start[p + 1] - ba->start[p]);
    int m = (int)(ba->entry_start[p + 1] - ba->entry_start[p]);
    for (int i = 0; i < n; i++) add_normal(ba, &sums->system, &r[i], ba->pose[ba->start[p] + i]);
    if (ba->in->point_constant != NULL && ba->in->point_constant[ba->point[p]]) return 0;
    ba->kern->point_sums(v, r, n);
    bool moves = factor_point(&ba->pivot[p], v, w->lambda);
    memset(scratch->t, 0, (size_t)m * VD_BA_ENTRY * sizeof *scratch->t);
    for (int i = 0; i < n && moves; i++) add_cross(ba, scratch->t, &r[i], ba->start[p] + i);
    for (int e = 0; e < m; e++)
        ba->kern->whiten(scratch->t + (ptrdiff_t)e * VD_BA_ENTRY,
                         sums->system.b + (ptrdiff_t)ba->entry[ba->entry_start[p] + e] * VD_BA_ROW,
                         ba->pivot[p].c, ba->pivot[p].y);
    eliminate_point(ba, &sums->system, scratch->t, p);
    return fmax(fabs(v[3]), fmax(fabs(v[7]), fabs(v[11])));
}

static vd_status group_task(void *user, int64_t g, int worker, vd_err *err) {
    const pass *w = user;
    vd_ba *ba = w->ba;
    vd_ba_sums *sums = &ba->sums[g];
    vd_ba_scratch *scratch = &ba->scratch[worker];
    (void)err;
    memset(sums->system.block, 0, (size_t)ba->n_pairs * VD_BA_BLOCK * sizeof(double));
    memset(sums->system.g, 0, (size_t)ba->n_blocks * VD_BA_ROW * 3 * sizeof(double));
    sums->cost = sums->gradient = 0;
    int64_t begin = g * ba->n_chunks / ba->n_groups, end = (g + 1) * ba->n_chunks / ba->n_groups;
    for (int64_t c = begin; c < end; c++) {
        int32_t p = ba->chunk[c];
        int64_t first = ba->start[p], last = ba->start[ba->chunk[c + 1]];
        sums->cost += chunk_records(ba, scratch, first, last, p);
        for (; p < ba->chunk[c + 1]; p++) {
            double g_max = point_task(w, sums, scratch, p, scratch->record + ba->start[p] - first);
            sums->gradient = fmax(sums->gradient, g_max);
        }
    }
    return VD_OK;
}

enum { SUM_PIECE = 64 }; /* blocks that one task adds up */

static vd_status add_task(void *user, int64_t i, int worker, vd_err *err) {
    const pass *w = user;
    vd_ba *ba = w->ba;
    int64_t begin = i * SUM_PIECE * VD_BA_BLOCK,
            end = VD_MIN(begin + SUM_PIECE * VD_BA_BLOCK, (int64_t)ba->n_pairs * VD_BA_BLOCK);
    double *to = ba->sums[0].system.block;
    (void)worker;
    (void)err;
    for (int32_t g = 1; g < ba->n_groups; g++) {
        const double *from = ba->sums[g].system.block;
        for (int64_t k = begin; k < end; k++) to[k] += from[k];
    }
    return VD_OK;
}

static vd_status add_groups(const pass *w, vd_err *err) {
    vd_ba *ba = w->ba;
    if (ba->n_groups == 1) return VD_OK;
    VD_TRY(
        vd_pool_for(ba->pool, (ba->n_pairs + SUM_PIECE - 1) / SUM_PIECE, add_task, (void *)w, err));
    for (int32_t g = 1; g < ba->n_groups; g++) { /* g, b and the diagonal lie together */
        double *to = ba->sums[0].system.g;
        const double *from = ba->sums[g].system.g;
        for (int64_t k = 0; k < (int64_t)ba->n_blocks * VD_BA_ROW * 3; k++) to[k] += from[k];
        ba->sums[0].cost += ba->sums[g].cost;
        ba->sums[0].gradient = fmax(ba->sums[0].gradient, ba->sums[g].gradient);
    }
    return VD_OK;
}

vd_status vd_ba_linearise(vd_ba *ba, double lambda, double *cost, double *gradient, vd_err *err) {
    pass w = { ba, lambda };
    VD_TRY(vd_pool_for(ba->pool, ba->n_groups, group_task, &w, err));
    VD_TRY(add_groups(&w, err));
    vd_ba_system *s = &ba->sums[0].system;
    vd_ba_prior_linearise(ba, s);
    double most = ba->sums[0].gradient;
    for (int64_t k = 0; k < (int64_t)ba->n_blocks * VD_BA_ROW; k++) {
        s->b[k] += s->g[k];
        most = fmax(most, fabs(s->g[k]));
    }
    *cost = ba->sums[0].cost + vd_ba_prior_cost(ba, &ba->now);
    *gradient = most;
    return VD_OK;
}
