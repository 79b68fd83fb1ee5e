/* Sparse counts. SPDX-License-Identifier: Apache-2.0 */
#include "index/counts.h"

#include "base/mem.h"

vd_status vd_counts_init(vd_counts *c, int64_t n, int32_t n_kinds, vd_err *err) {
    int64_t *start = vd_mem_array((size_t)n + 1, sizeof *start);
    if (start == NULL) return vd_nomem(err);
    *c = (vd_counts){ .start = start, .n_kinds = n_kinds };
    return VD_OK;
}

void vd_counts_reset(vd_counts *c) {
    vd_mem_free(c->start);
    vd_mem_free(c->pair);
    *c = (vd_counts){ 0 };
}

vd_status vd_counts_add(vd_counts *c, int32_t kind, int32_t n, vd_err *err) {
    VD_TRY(VD_GROW(c->pair, c->cap, c->n_pairs + 1, err));
    c->pair[c->n_pairs++] = (vd_count){ kind, n };
    return VD_OK;
}

void vd_counts_end(vd_counts *c) {
    c->start[++c->n] = c->n_pairs;
}
