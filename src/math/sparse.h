/* Cholesky factorisation of a sparse symmetric positive definite matrix, by CHOLMOD; the adapter is
 * cholmod.c. SPDX-License-Identifier: Apache-2.0
 *
 * The pattern is analysed once (fill-reducing order, supernodes), values may come many times. It
 * runs on one thread, so the result does not depend on the number of jobs; it does depend on the
 * BLAS, which chooses its kernels by processor. One writer. */
#ifndef VD_MATH_SPARSE_H
#define VD_MATH_SPARSE_H

#include "base/err.h"

typedef struct vd_sparse vd_sparse;

/* Whether this build has it. */
bool vd_sparse_available(void);

/* The pattern of the upper triangle by columns: the rows of column j, ascending and <= j, are
 * row[start[j] .. start[j + 1]).
 * shapes : start[n + 1], row[start[n]]; both are copied
 * fails  : VD_E_UNSUPPORTED (no CHOLMOD in this build), VD_E_NOMEM, VD_E_LIMIT (too much fill) */
vd_status vd_sparse_new(vd_sparse **out, int n, const int32_t *start, const int32_t *row,
                        vd_err *err);
void vd_sparse_free(vd_sparse *s);

/* Multiplications that one factorisation takes, and its entries: to choose by. */
double vd_sparse_flops(const vd_sparse *s);
double vd_sparse_fill(const vd_sparse *s);

/* Where the caller writes the values, in the order of `row`; valid until free. */
double *vd_sparse_values(vd_sparse *s);

/* Fails: VD_E_NUMERIC when the matrix is not positive definite, without a message; VD_E_NOMEM. */
vd_status vd_sparse_factor(vd_sparse *s, vd_err *err);

/* x = A^-1 x after vd_sparse_factor. shapes: x[n]. fails: VD_E_NOMEM */
vd_status vd_sparse_solve(vd_sparse *s, double *x, vd_err *err);
#endif
