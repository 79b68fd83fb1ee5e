/* The pattern and both solvers. SPDX-License-Identifier: Apache-2.0 */
#include "global/system.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static int by_block(const void *a, const void *b) {
    const int32_t *p = a, *q = b;
    if (p[0] != q[0]) return p[0] < q[0] ? -1 : 1;
    return (p[1] > q[1]) - (p[1] < q[1]);
}

/* All blocks as (column, row), sorted and once each. */
static vd_status list_blocks(vd_system *s, const int32_t (*pair)[2], int64_t n_pairs, vd_err *err) {
    int64_t n = 0, all = n_pairs + s->n;
    int32_t(*block)[2] = vd_mem_alloc((size_t)VD_MAX(all, 1) * sizeof *block);
    s->column = vd_mem_array((size_t)s->n + 1, sizeof *s->column);
    s->slot = vd_mem_alloc((size_t)VD_MAX(all, 1) * sizeof *s->slot);
    if (block == NULL || s->column == NULL || s->slot == NULL) {
        vd_mem_free(block);
        return vd_nomem(err);
    }
    for (int64_t k = 0; k < n_pairs; k++) {
        block[k][0] = VD_MAX(pair[k][0], pair[k][1]);
        block[k][1] = VD_MIN(pair[k][0], pair[k][1]);
    }
    for (int32_t i = 0; i < s->n; i++) block[n_pairs + i][0] = block[n_pairs + i][1] = i;
    qsort(block, (size_t)all, sizeof *block, by_block);
    for (int64_t k = 0; k < all; k++) {
        if (k > 0 && by_block(block[k], block[k - 1]) == 0) continue;
        s->slot[n++] = block[k][1];
        s->column[block[k][0] + 1] = (int32_t)n;
    }
    vd_mem_free(block);
    return VD_OK;
}

static vd_status list_rows(vd_system *s, vd_err *err) {
    int32_t at = 0;
    int64_t total = (int64_t)s->dim * s->dim * s->column[s->n];
    if (total > INT32_MAX)
        return vd_fail(err, VD_E_LIMIT, "system: %lld entries", (long long)total);
    s->start = vd_mem_array((size_t)s->n * (size_t)s->dim + 1, sizeof *s->start);
    s->row = vd_mem_alloc((size_t)VD_MAX(total, 1) * sizeof *s->row);
    if (s->start == NULL || s->row == NULL) return vd_nomem(err);
    for (int32_t i = 0; i < s->n; i++)
        for (int c = 0; c < s->dim; c++) {
            for (int32_t k = s->column[i]; k < s->column[i + 1]; k++)
                for (int r = 0; r < (s->slot[k] == i ? c + 1 : s->dim); r++)
                    s->row[at++] = s->slot[k] * s->dim + r;
            s->start[i * s->dim + c + 1] = at;
        }
    return VD_OK;
}

vd_status vd_system_init(vd_system *s, int32_t n, int32_t dim, const int32_t (*pair)[2],
                         int64_t n_pairs, vd_err *err) {
    vd_status st = VD_OK;
    *s = (vd_system){ .n = n, .dim = dim };
    if (n_pairs > INT32_MAX / 2) return vd_fail(err, VD_E_LIMIT, "system: too many blocks");
    VD_GO(list_blocks(s, pair, n_pairs, err));
    VD_GO(list_rows(s, err));
    if (vd_sparse_available()) {
        VD_GO(vd_sparse_new(&s->sparse, n * dim, s->start, s->row, err));
        s->value = vd_sparse_values(s->sparse);
    } else {
        VD_GO(vd_dense_init(&s->dense, n * dim, err));
        s->value = vd_mem_array((size_t)s->start[n * dim], sizeof *s->value);
        if (s->value == NULL) VD_GO(vd_nomem(err));
    }
done:
    if (st != VD_OK) vd_system_reset(s);
    return st;
}

void vd_system_reset(vd_system *s) {
    if (s->sparse == NULL) vd_mem_free(s->value);
    vd_sparse_free(s->sparse);
    vd_dense_reset(&s->dense);
    vd_mem_free(s->column);
    vd_mem_free(s->slot);
    vd_mem_free(s->start);
    vd_mem_free(s->row);
    *s = (vd_system){ 0 };
}

void vd_system_clear(vd_system *s) {
    memset(s->value, 0, (size_t)s->start[s->n * s->dim] * sizeof *s->value);
}

int32_t vd_system_find(const vd_system *s, int32_t j, int32_t i) {
    int32_t lo = s->column[i], hi = s->column[i + 1] - 1;
    while (lo < hi) {
        int32_t mid = (lo + hi) / 2;
        if (s->slot[mid] < j)
            lo = mid + 1;
        else
            hi = mid;
    }
    return s->slot[lo] == j ? (lo - s->column[i]) * s->dim : -1;
}

static void fill_dense(vd_system *s) {
    vd_dense_clear(&s->dense);
    for (int32_t c = 0; c < s->n * s->dim; c++)
        for (int32_t k = s->start[c]; k < s->start[c + 1]; k++)
            s->dense.a[(ptrdiff_t)s->row[k] * s->dense.pitch + c] = s->value[k];
}

vd_status vd_system_factor(vd_system *s, vd_pool *pool, vd_err *err) {
    if (s->sparse != NULL) return vd_sparse_factor(s->sparse, err);
    fill_dense(s);
    return vd_dense_factor(&s->dense, pool);
}

vd_status vd_system_solve(vd_system *s, double *x, vd_err *err) {
    if (s->sparse != NULL) return vd_sparse_solve(s->sparse, x, err);
    vd_dense_solve(&s->dense, x);
    return VD_OK;
}
