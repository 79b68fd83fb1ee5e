/* The blocks of the reduced system, and the groups of chunks that add to it.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/mem.h"
#include "sfm/bundle_int.h"

enum {
    MOST_BLOCKS = 4096, /* beyond that the table of pairs would take more than 64 MB: PCG */
    MOST_GROUPS = 16,
    /* A group is worth its own sums when it adds to every block many times. */
    WORTH = 16,
    DENSE_BELOW = 600, /* unknowns: no order of elimination saves anything worth its price */
};
static const double DENSE_FILL = 0.35; /* share of blocks that are not zero */
/* Some seconds: 1 300 poses. Conjugate gradients may take minutes where a loss weighs observations
 * very differently. */
static const double DENSE_FLOPS = 1.5e11;
static const int64_t SUMS_BYTES = 256 << 20; /* of all groups together */

/* Marks the pairs that points and cameras make, in a table of [n_blocks][n_blocks]. */
static void mark_pairs(const vd_ba *ba, uint8_t *mark) {
    ptrdiff_t n = ba->n_blocks;
    for (int32_t p = 0; p < ba->n_points; p++) {
        const int32_t *list = ba->entry + ba->entry_start[p];
        int m = (int)(ba->entry_start[p + 1] - ba->entry_start[p]);
        for (int i = 0; i < m; i++)
            for (int j = i; j < m; j++) mark[list[i] * n + list[j]] = 1;
    }
}

/* Pairs that exist whatever the points: a block with itself, a pose with its camera. */
static void mark_own(const vd_ba *ba, uint8_t *mark) {
    ptrdiff_t n = ba->n_blocks;
    for (ptrdiff_t i = 0; i < n; i++) mark[i * n + i] = 1;
    for (int32_t i = 0; i < ba->in->n_poses; i++) {
        const vd_ba_cam *c = &ba->cam[ba->in->pose_camera[i]];
        for (int k = 0; k * VD_BA_ROW < c->n && ba->pose_block[i] >= 0; k++)
            mark[ba->pose_block[i] * n + c->block + k] = 1;
    }
    for (int32_t i = 0; i < ba->in->n_cameras; i++)
        if (ba->cam[i].n > VD_BA_ROW) mark[ba->cam[i].block * n + ba->cam[i].block + 1] = 1;
}

/* column, row and at from the marks. */
static vd_status list_pairs(vd_ba *ba, const uint8_t *mark, vd_err *err) {
    ptrdiff_t n = ba->n_blocks;
    ba->column = vd_mem_array((size_t)n + 1, sizeof *ba->column);
    ba->at = vd_mem_alloc((size_t)n * (size_t)n * sizeof *ba->at);
    if (ba->column == NULL || ba->at == NULL) return vd_nomem(err);
    for (ptrdiff_t i = 0; i < n; i++)
        for (ptrdiff_t j = i; j < n; j++) ba->column[j + 1] += mark[i * n + j];
    for (ptrdiff_t j = 0; j < n; j++) ba->column[j + 1] += ba->column[j];
    ba->n_pairs = ba->column[n];
    ba->row = vd_mem_alloc((size_t)ba->n_pairs * sizeof *ba->row);
    int32_t *next = vd_mem_alloc((size_t)VD_MAX(n, 1) * sizeof *next);
    if (ba->row == NULL || next == NULL) {
        vd_mem_free(next);
        return vd_nomem(err);
    }
    memcpy(next, ba->column, (size_t)n * sizeof *next);
    for (ptrdiff_t i = 0; i < n; i++)
        for (ptrdiff_t j = i; j < n; j++) {
            if (!mark[i * n + j]) continue;
            ba->row[next[j]] = (int32_t)i;
            ba->at[i * n + j] = next[j]++;
        }
    vd_mem_free(next);
    return VD_OK;
}

static vd_status explicit_pairs(vd_ba *ba, vd_err *err) {
    vd_status st = VD_OK;
    uint8_t *mark = vd_mem_array((size_t)ba->n_blocks, (size_t)ba->n_blocks);
    if (mark == NULL) return vd_nomem(err);
    mark_pairs(ba, mark);
    mark_own(ba, mark);
    VD_GO(list_pairs(ba, mark, err));
done:
    vd_mem_free(mark);
    return st;
}

/* Without a table: the blocks of U alone, each block's own first; then the diagonal blocks of
 * T T^T for the preconditioner, to which `at` points. */
static vd_status implicit_pairs(vd_ba *ba, vd_err *err) {
    vd_mem_free(ba->column);
    vd_mem_free(ba->row);
    vd_mem_free(ba->at);
    ba->column = ba->row = NULL;
    ba->at = vd_mem_alloc((size_t)VD_MAX(ba->n_blocks, 1) * sizeof *ba->at);
    if (ba->at == NULL) return vd_nomem(err);
    ba->n_pairs = ba->n_blocks;
    for (int32_t i = 0; i < ba->n_blocks; i++) ba->own[i][0] = i;
    for (int32_t i = 0; i < ba->in->n_poses; i++) {
        const vd_ba_cam *c = &ba->cam[ba->in->pose_camera[i]];
        for (int k = 0; k * VD_BA_ROW < c->n && ba->pose_block[i] >= 0; k++)
            ba->own[ba->pose_block[i]][1 + k] = ba->n_pairs++;
    }
    for (int32_t i = 0; i < ba->in->n_cameras; i++)
        if (ba->cam[i].n > VD_BA_ROW) ba->own[ba->cam[i].block][1] = ba->n_pairs++;
    for (int32_t i = 0; i < ba->n_blocks; i++) ba->at[i] = ba->n_pairs++;
    return VD_OK;
}

static void own_of_table(vd_ba *ba) {
    ptrdiff_t n = ba->n_blocks;
    for (ptrdiff_t i = 0; i < n; i++) ba->own[i][0] = ba->at[i * n + i];
    for (int32_t i = 0; i < ba->in->n_poses; i++) {
        const vd_ba_cam *c = &ba->cam[ba->in->pose_camera[i]];
        for (int k = 0; k * VD_BA_ROW < c->n && ba->pose_block[i] >= 0; k++)
            ba->own[ba->pose_block[i]][1 + k] = ba->at[ba->pose_block[i] * n + c->block + k];
    }
    for (int32_t i = 0; i < ba->in->n_cameras; i++)
        if (ba->cam[i].n > VD_BA_ROW)
            ba->own[ba->cam[i].block][1] = ba->at[ba->cam[i].block * n + ba->cam[i].block + 1];
}

bool vd_ba_dense_fits(const vd_ba *ba) {
    double n = ba->n_unknowns;
    return n * n * n / 3 < DENSE_FLOPS;
}

/* Dense where the matrix is small or full, sparse where it is not, PCG where either is too much. */
static int choose_solver(const vd_ba *ba) {
    double all = 0.5 * ba->n_blocks * (ba->n_blocks + 1.0);
    bool full = ba->n_pairs > DENSE_FILL * all || ba->n_unknowns <= DENSE_BELOW;
    if (full || !vd_sparse_available())
        return vd_ba_dense_fits(ba) ? VD_SOLVER_DENSE : VD_SOLVER_PCG;
    return VD_SOLVER_SPARSE; /* CHOLMOD counts the operations: vd_ba_solver_init */
}

/* How many groups pay for their memory: by the problem alone, never by the threads. */
static int32_t count_groups(const vd_ba *ba) {
    double updates = 0;
    for (int32_t p = 0; p < ba->n_points; p++) {
        double m = (double)(ba->entry_start[p + 1] - ba->entry_start[p]);
        updates += ba->solver == VD_SOLVER_PCG ? 8 * m : m * (m + 9) / 2;
    }
    double blocks = VD_MAX(ba->n_pairs, 1), bytes = blocks * VD_BA_BLOCK * sizeof(double);
    double groups = VD_MIN(updates / (WORTH * blocks), (double)SUMS_BYTES / bytes);
    groups = VD_MIN(groups, ba->n_chunks);
    return (int32_t)VD_CLAMP(groups, 1, MOST_GROUPS);
}

static vd_status init_sums(vd_ba *ba, vd_err *err) {
    size_t blocks = (size_t)VD_MAX(ba->n_pairs, 1), rows = (size_t)VD_MAX(ba->n_blocks, 1);
    ba->n_groups = count_groups(ba);
    ba->sums = vd_mem_array((size_t)ba->n_groups, sizeof *ba->sums);
    if (ba->sums == NULL) return vd_nomem(err);
    for (int32_t g = 0; g < ba->n_groups; g++) {
        vd_ba_system *s = &ba->sums[g].system;
        s->block = vd_mem_aligned(blocks * VD_BA_BLOCK * sizeof(double));
        s->g = vd_mem_aligned(rows * VD_BA_ROW * 3 * sizeof(double));
        if (s->block == NULL || s->g == NULL) return vd_nomem(err);
        s->b = s->g + rows * VD_BA_ROW;
        s->diagonal = s->b + rows * VD_BA_ROW;
    }
    return VD_OK;
}

static vd_status init_scratch(vd_ba *ba, vd_err *err) {
    int jobs = vd_pool_jobs(ba->pool);
    size_t batches = (size_t)(ba->longest + VD_BA_LANES - 1) / VD_BA_LANES;
    int64_t records = VD_BA_PAD(VD_MAX(ba->longest, 1)); /* kernels write eight at a time */
    ba->scratch = vd_mem_array((size_t)jobs, sizeof *ba->scratch);
    if (ba->scratch == NULL) return vd_nomem(err);
    for (int j = 0; j < jobs; j++) {
        vd_ba_scratch *s = &ba->scratch[j];
        s->batch = vd_mem_aligned(VD_MAX(batches, 1) * sizeof *s->batch);
        s->record = vd_mem_aligned((size_t)records * sizeof *s->record);
        s->t = vd_mem_aligned((size_t)VD_MAX(ba->longest_entries, 1) * VD_BA_ENTRY * sizeof *s->t);
        if (s->batch == NULL || s->record == NULL || s->t == NULL) return vd_nomem(err);
        memset(s->batch, 0, VD_MAX(batches, 1) * sizeof *s->batch);
        memset(s->record, 0, (size_t)records * sizeof *s->record);
    }
    return VD_OK;
}

vd_status vd_ba_system_init(vd_ba *ba, vd_err *err) {
    size_t rows = (size_t)VD_MAX(ba->n_blocks, 1);
    ba->own = vd_mem_alloc(rows * sizeof *ba->own);
    ba->step = vd_mem_aligned(rows * VD_BA_ROW * sizeof *ba->step);
    ba->pivot = vd_mem_array((size_t)ba->n_points, sizeof *ba->pivot);
    if (ba->own == NULL || ba->step == NULL || ba->pivot == NULL) return vd_nomem(err);
    memset(ba->own, 0xff, rows * sizeof *ba->own);
    ba->solver = ba->opt.solver;
    if (ba->solver != VD_SOLVER_PCG && ba->n_blocks > MOST_BLOCKS) {
        if (ba->solver != VD_SOLVER_AUTO)
            return vd_fail(err, VD_E_LIMIT, "bundle: %d blocks, a factorisation takes %d",
                           ba->n_blocks, MOST_BLOCKS);
        ba->solver = VD_SOLVER_PCG;
    }
    if (ba->solver != VD_SOLVER_PCG) {
        VD_TRY(explicit_pairs(ba, err));
        own_of_table(ba);
        if (ba->solver == VD_SOLVER_AUTO) ba->solver = choose_solver(ba);
    }
    VD_TRY(vd_ba_solver_init(ba, err));
    if (ba->solver == VD_SOLVER_PCG) VD_TRY(implicit_pairs(ba, err));
    VD_TRY(init_sums(ba, err));
    return init_scratch(ba, err);
}

void vd_ba_reset(vd_ba *ba) {
    for (int32_t g = 0; ba->sums != NULL && g < ba->n_groups; g++) {
        vd_mem_free(ba->sums[g].system.block);
        vd_mem_free(ba->sums[g].system.g);
    }
    for (int j = 0; ba->scratch != NULL && j < vd_pool_jobs(ba->pool); j++) {
        vd_mem_free(ba->scratch[j].batch);
        vd_mem_free(ba->scratch[j].record);
        vd_mem_free(ba->scratch[j].t);
    }
    void *const all[] = { ba->pose_block, ba->cam,       ba->dim,   ba->held,  ba->point,
                          ba->start,      ba->pose,      ba->uv,    ba->entry, ba->entry_start,
                          ba->pose_entry, ba->cam_entry, ba->chunk, ba->sums,  ba->scratch,
                          ba->column,     ba->row,       ba->at,    ba->own,   ba->pivot,
                          ba->step,       ba->offset,    ba->rhs,   ba->t,     ba->precondition,
                          ba->work };
    for (int i = 0; i < VD_COUNT(all); i++) vd_mem_free(all[i]);
    vd_ba_values_reset(&ba->now);
    vd_ba_values_reset(&ba->next);
    vd_dense_reset(&ba->dense);
    vd_sparse_free(ba->sparse);
    memset(ba, 0, sizeof *ba);
}
