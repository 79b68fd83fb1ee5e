/* Linear assignment; see assign.h.
 *
 * Rows are assigned one after the other. For each, Dijkstra's search over reduced costs
 * c[i, j] - u[i] - v[j] >= 0 grows a tree of alternating paths until the nearest column that is not
 * in it is a free one; the path is then flipped, and the potentials u and v are raised so that
 * reduced costs stay non-negative and are 0 on the assignment.
 * SPDX-License-Identifier: Apache-2.0 */
#include "eval/assign.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

typedef struct solver {
    const double *cost; /* [rows * cols], rows <= cols */
    int32_t rows, cols;
    double *turned;   /* the transpose, where the caller's matrix is tall */
    double *u, *v;    /* potentials of rows and columns */
    double *distance; /* of columns from the row that is being assigned */
    int32_t *parent;  /* the row from which a column was reached */
    int32_t *row_of, *column_of;
    int32_t *open;                   /* columns outside the tree */
    int32_t *tree_row, *tree_column; /* in the order in which they came */
    int32_t n_tree;
} solver;

void vd_assign_reset(vd_assign *a) {
    vd_mem_free(a->block);
    *a = (vd_assign){ 0 };
}

/* Shares the block out: doubles first, so that all are aligned. */
static vd_status lay_out(vd_assign *a, solver *s, bool tall, vd_err *err) {
    int64_t n = s->rows, m = s->cols, turned = tall ? n * m : 0;
    int64_t need = 8 * (turned + n + 2 * m) + 4 * (2 * n + 4 * m);
    if (need > a->size) {
        int64_t size = need + need / 2; /* frames of a sequence grow by and by */
        vd_mem_free(a->block);
        a->size = 0;
        a->block = vd_mem_alloc((size_t)size);
        if (a->block == NULL) return vd_nomem(err);
        a->size = size;
    }
    double *d = a->block;
    s->turned = d, d += turned;
    s->u = d, d += n;
    s->v = d, d += m;
    s->distance = d, d += m;
    int32_t *i = (int32_t *)d;
    s->column_of = i, i += n;
    s->tree_row = i, i += n;
    s->row_of = i, i += m;
    s->parent = i, i += m;
    s->open = i, i += m;
    s->tree_column = i;
    return VD_OK;
}

/* Grows the tree of `row` to the nearest free column, which is returned, at distance `*reach`. Of
 * equally near columns a free one is taken, and of these the last in `open`. */
static int32_t search(solver *s, int32_t row, double *reach) {
    int32_t n_open = s->cols;
    double so_far = 0;
    s->n_tree = 0;
    for (int32_t k = 0; k < s->cols; k++) {
        s->open[k] = s->cols - 1 - k; /* so that a matrix of equal costs gives the diagonal */
        s->distance[k] = (double)INFINITY;
    }
    for (int32_t i = row;;) {
        const double *cost = s->cost + (int64_t)i * s->cols;
        double lowest = (double)INFINITY, u = s->u[i];
        int32_t at = -1;
        s->tree_row[s->n_tree] = i;
        for (int32_t k = 0; k < n_open; k++) {
            int32_t j = s->open[k];
            double d = so_far + cost[j] - u - s->v[j];
            if (d < s->distance[j]) {
                s->distance[j] = d;
                s->parent[j] = i;
            }
            if (s->distance[j] < lowest || (s->distance[j] == lowest && s->row_of[j] < 0)) {
                lowest = s->distance[j];
                at = k;
            }
        }
        if (at < 0) return -1;
        so_far = lowest;
        int32_t j = s->open[at];
        s->tree_column[s->n_tree++] = j;
        s->open[at] = s->open[--n_open];
        if (s->row_of[j] < 0) {
            *reach = so_far;
            return j;
        }
        i = s->row_of[j];
    }
}

static void raise_potentials(solver *s, double reach) {
    s->u[s->tree_row[0]] += reach;
    for (int32_t k = 1; k < s->n_tree; k++) { /* came by the column that they are assigned to */
        int32_t i = s->tree_row[k];
        s->u[i] += reach - s->distance[s->column_of[i]];
    }
    for (int32_t k = 0; k < s->n_tree; k++) {
        int32_t j = s->tree_column[k];
        s->v[j] -= reach - s->distance[j];
    }
}

static void flip_path(solver *s, int32_t row, int32_t j) {
    for (int32_t i = -1; i != row;) {
        i = s->parent[j];
        s->row_of[j] = i;
        int32_t before = s->column_of[i];
        s->column_of[i] = j;
        j = before;
    }
}

static vd_status assign_all(solver *s, vd_err *err) {
    for (int32_t i = 0; i < s->rows; i++) s->u[i] = 0, s->column_of[i] = -1;
    for (int32_t j = 0; j < s->cols; j++) s->v[j] = 0, s->row_of[j] = -1;
    for (int32_t i = 0; i < s->rows; i++) {
        double reach = 0;
        int32_t j = search(s, i, &reach);
        if (j < 0) return vd_fail(err, VD_E_NUMERIC, "assignment: row %d cannot be assigned", i);
        raise_potentials(s, reach);
        flip_path(s, i, j);
    }
    return VD_OK;
}

vd_status vd_assign_solve(vd_assign *a, int32_t *column_of, const double *cost, int64_t rows,
                          int64_t cols, vd_err *err) {
    if (rows < 0 || cols < 0 || rows > VD_ASSIGN_MAX || cols > VD_ASSIGN_MAX)
        return vd_fail(err, VD_E_LIMIT, "assignment: %lld x %lld exceeds the limit of %d",
                       (long long)rows, (long long)cols, VD_ASSIGN_MAX);
    if (rows == 0) return VD_OK;
    for (int64_t k = 0; k < rows * cols; k++)
        if (!isfinite(cost[k]))
            return vd_fail(err, VD_E_NUMERIC, "assignment: cost %lld, %lld is not finite",
                           (long long)(k / cols), (long long)(k % cols));
    bool tall = rows > cols;
    solver s = { .cost = cost,
                 .rows = (int32_t)(tall ? cols : rows),
                 .cols = (int32_t)(tall ? rows : cols) };
    VD_TRY(lay_out(a, &s, tall, err));
    if (tall) {
        for (int64_t i = 0; i < rows; i++)
            for (int64_t j = 0; j < cols; j++) s.turned[j * rows + i] = cost[i * cols + j];
        s.cost = s.turned;
    }
    VD_TRY(assign_all(&s, err));
    memcpy(column_of, tall ? s.row_of : s.column_of, (size_t)rows * sizeof *column_of);
    return VD_OK;
}
