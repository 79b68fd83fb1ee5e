/* The reduced system with damping, as the dense or the sparse solver wants it.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A column whose diagonal is zero belongs to an unknown that nothing depends on or that is held:
 * one on the diagonal then gives it a step of zero. */
#include "base/mem.h"
#include "sfm/bundle_int.h"

static const double SPARSE_FLOPS = 4e10; /* beyond, the others are quicker */

/* Rows of the sparse matrix, column by column, from the blocks. */
static vd_status sparse_pattern(vd_ba *ba, vd_err *err) {
    int n = ba->n_unknowns;
    int64_t total = 0;
    for (int32_t b = 0; b < ba->n_blocks; b++)
        for (int32_t k = ba->column[b]; k < ba->column[b + 1]; k++)
            total += (int64_t)ba->dim[b] * ba->dim[ba->row[k]];
    if (total > INT32_MAX)
        return vd_fail(err, VD_E_LIMIT, "bundle: %lld entries in the reduced system",
                       (long long)total);
    int32_t *start = vd_mem_array((size_t)n + 1, sizeof *start);
    int32_t *row = vd_mem_alloc((size_t)total * sizeof *row), at = 0;
    vd_status st = start != NULL && row != NULL ? VD_OK : vd_nomem(err);
    for (int32_t b = 0; b < ba->n_blocks && st == VD_OK; b++)
        for (int c = 0; c < ba->dim[b]; c++) {
            for (int32_t k = ba->column[b]; k < ba->column[b + 1]; k++) {
                int32_t a = ba->row[k];
                for (int r = 0; r < (a == b ? c + 1 : ba->dim[a]); r++)
                    row[at++] = ba->offset[a] + r;
            }
            start[ba->offset[b] + c + 1] = at;
        }
    if (st == VD_OK) st = vd_sparse_new(&ba->sparse, n, start, row, err);
    vd_mem_free(start);
    vd_mem_free(row);
    return st;
}

vd_status vd_ba_solver_init(vd_ba *ba, vd_err *err) {
    bool chosen = ba->opt.solver != VD_SOLVER_AUTO;
    ba->rhs = vd_mem_array((size_t)ba->n_unknowns, sizeof *ba->rhs);
    if (ba->rhs == NULL) return vd_nomem(err);
    if (ba->solver == VD_SOLVER_SPARSE) {
        VD_TRY(sparse_pattern(ba, err));
        if (!chosen && vd_sparse_flops(ba->sparse) > SPARSE_FLOPS)
            ba->solver = vd_ba_dense_fits(ba) ? VD_SOLVER_DENSE : VD_SOLVER_PCG;
    }
    if (ba->solver == VD_SOLVER_DENSE) return vd_dense_init(&ba->dense, ba->n_unknowns, err);
    return ba->solver == VD_SOLVER_PCG ? vd_ba_pcg_init(ba, err) : VD_OK;
}

/* An element of the damped system; `d` is the diagonal of U there. */
static double element(double v, bool diagonal, double d, double lambda) {
    if (!diagonal) return v;
    return d > 0 ? v + vd_ba_damping(d, lambda) : 1;
}

static void fill_dense(vd_ba *ba, double lambda) {
    const vd_ba_system *s = &ba->sums[0].system;
    vd_dense_clear(&ba->dense);
    for (int32_t b = 0; b < ba->n_blocks; b++)
        for (int32_t k = ba->column[b]; k < ba->column[b + 1]; k++) {
            int32_t a = ba->row[k];
            const double *block = s->block + (ptrdiff_t)k * VD_BA_BLOCK;
            for (int r = 0; r < ba->dim[a]; r++) {
                double *to = ba->dense.a + (ptrdiff_t)(ba->offset[a] + r) * ba->dense.pitch;
                for (int c = a == b ? r : 0; c < ba->dim[b]; c++)
                    to[ba->offset[b] + c] =
                        element(block[VD_BA_ROW * r + c], a == b && r == c,
                                s->diagonal[(ptrdiff_t)a * VD_BA_ROW + r], lambda);
            }
        }
}

static void fill_sparse(vd_ba *ba, double lambda) {
    const vd_ba_system *s = &ba->sums[0].system;
    double *to = vd_sparse_values(ba->sparse);
    for (int32_t b = 0; b < ba->n_blocks; b++)
        for (int c = 0; c < ba->dim[b]; c++)
            for (int32_t k = ba->column[b]; k < ba->column[b + 1]; k++) {
                int32_t a = ba->row[k];
                const double *block = s->block + (ptrdiff_t)k * VD_BA_BLOCK;
                for (int r = 0; r < (a == b ? c + 1 : ba->dim[a]); r++)
                    *to++ = element(block[VD_BA_ROW * r + c], a == b && r == c,
                                    s->diagonal[(ptrdiff_t)a * VD_BA_ROW + r], lambda);
            }
}

vd_status vd_ba_solve(vd_ba *ba, double lambda, vd_err *err) {
    const double *b = ba->sums[0].system.b;
    if (ba->solver == VD_SOLVER_PCG) return vd_ba_pcg(ba, lambda, err);
    for (int32_t i = 0; i < ba->n_blocks; i++)
        for (int c = 0; c < ba->dim[i]; c++)
            ba->rhs[ba->offset[i] + c] = -b[(ptrdiff_t)i * VD_BA_ROW + c];
    if (ba->solver == VD_SOLVER_DENSE) {
        fill_dense(ba, lambda);
        VD_TRY(vd_dense_factor(&ba->dense, ba->pool));
        vd_dense_solve(&ba->dense, ba->rhs);
    } else {
        fill_sparse(ba, lambda);
        VD_TRY(vd_sparse_factor(ba->sparse, err));
        VD_TRY(vd_sparse_solve(ba->sparse, ba->rhs, err));
    }
    for (int32_t i = 0; i < ba->n_blocks; i++)
        for (int c = 0; c < VD_BA_ROW; c++)
            ba->step[(ptrdiff_t)i * VD_BA_ROW + c] =
                c < ba->dim[i] ? ba->rhs[ba->offset[i] + c] : 0;
    return VD_OK;
}
