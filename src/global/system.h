/* A symmetric positive definite system with a fixed pattern, by CHOLMOD where the build has it,
 * else as a dense matrix. SPDX-License-Identifier: Apache-2.0
 *
 * The pattern is that of blocks: block column i has the diagonal block and the blocks of `other`
 * columns below i that were named. Values lie by columns of the upper triangle. One writer. */
#ifndef VD_GLOBAL_SYSTEM_H
#define VD_GLOBAL_SYSTEM_H

#include "base/pool.h"
#include "math/cholesky.h"
#include "math/sparse.h"

typedef struct vd_system {
    int32_t n, dim;         /* blocks, rows of a block */
    int32_t *column, *slot; /* [n + 1]; blocks j <= i of block column i, ascending, the last is i */
    int32_t *start, *row;   /* the same by scalars */
    double *value;          /* [start[n * dim]] */
    vd_sparse *sparse;
    vd_dense dense;
} vd_system;

/* Blocks that may be joined: pairs[n_pairs][2], in any order, repeated or not. fails: VD_E_NOMEM,
 * VD_E_LIMIT */
vd_status vd_system_init(vd_system *s, int32_t n, int32_t dim, const int32_t (*pair)[2],
                         int64_t n_pairs, vd_err *err);
void vd_system_reset(vd_system *s);
void vd_system_clear(vd_system *s);

/* Block (j, i), j < i, or the diagonal one, as a place in `value`: element (r, c) of it is at
 * [start[i * dim + c] + the result + r]. -1: not in the pattern. */
int32_t vd_system_find(const vd_system *s, int32_t j, int32_t i);
static inline double *vd_system_at(vd_system *s, int32_t i, int c, int32_t found, int r) {
    return &s->value[s->start[i * s->dim + c] + found + r];
}

/* fails: VD_E_NUMERIC when it is not positive definite, without a message */
vd_status vd_system_factor(vd_system *s, vd_pool *pool, vd_err *err);
vd_status vd_system_solve(vd_system *s, double *x, vd_err *err); /* x[n * dim] = A^-1 x */
#endif
