/* Linear assignment: which row goes with which column at the least total cost.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Shortest augmenting paths over a dense matrix of any shape [Crouse, On Implementing 2D
 * Rectangular Assignment Algorithms, IEEE Transactions on Aerospace and Electronic Systems 2016;
 * Jonker and Volgenant, A Shortest Augmenting Path Algorithm for Dense and Sparse Linear Assignment
 * Problems, Computing 1987].
 *
 * Where several assignments cost the same, metrics of tracking depend on which is taken. So the
 * order in which columns are tried, the one taken among equally near ones, and the order of the
 * floating-point operations are those of SciPy's linear_sum_assignment: the answer is the same
 * assignment, not one that is as good. */
#ifndef VD_EVAL_ASSIGN_H
#define VD_EVAL_ASSIGN_H

#include "base/err.h"

enum { VD_ASSIGN_MAX = 32767 }; /* rows, and columns */

/* Memory of the solver, used again from call to call. A zeroed one is empty and valid. One thread
 * at a time. */
typedef struct vd_assign {
    void *block;
    int64_t size; /* bytes */
} vd_assign;

void vd_assign_reset(vd_assign *a);

/* min(rows, cols) pairs: column_of[rows] is the column of each row, -1 where rows outnumber columns
 * and the row has none. cost[rows * cols] is row-major; without rows or columns there are no pairs.
 * O(n^2 m) for n the smaller side, m the larger.
 * Fails with VD_E_LIMIT (VD_ASSIGN_MAX), VD_E_NUMERIC (a cost that is not finite), VD_E_NOMEM. */
vd_status vd_assign_solve(vd_assign *a, int32_t *column_of, const double *cost, int64_t rows,
                          int64_t cols, vd_err *err);
#endif
