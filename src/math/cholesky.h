/* Cholesky factorisation of a dense symmetric positive definite matrix. SPDX-License-Identifier:
 * Apache-2.0
 *
 * A = U^T U by tiles of VD_TILE, right-looking: factor the diagonal tile, solve the tiles right of
 * it, update the triangle below. Tiles are independent tasks and every sum has one order, so the
 * result does not depend on the threads or on the processor. cost: n^3 / 3. */
#ifndef VD_MATH_CHOLESKY_H
#define VD_MATH_CHOLESKY_H

#include "base/pool.h"

/* Only a[i][j] with i <= j is read and written. `pitch` rows and columns are there, a multiple of
 * VD_TILE; those from n on are padding, which vd_dense_init sets to the identity. One writer. */
typedef struct vd_dense {
    int n, pitch;
    double *a;      /* [pitch][pitch] */
    double *packed; /* scratch: one row of tiles */
} vd_dense;

/* A zero matrix; fails: VD_E_LIMIT (n beyond 30000), VD_E_NOMEM. */
vd_status vd_dense_init(vd_dense *d, int n, vd_err *err);
void vd_dense_reset(vd_dense *d);
void vd_dense_clear(vd_dense *d); /* zeros again, for the next matrix */

/* Fails: VD_E_NUMERIC when a pivot is not positive, without a message. */
vd_status vd_dense_factor(vd_dense *d, vd_pool *pool);

/* x = A^-1 x after vd_dense_factor; x[n]. */
void vd_dense_solve(const vd_dense *d, double *x);
#endif
