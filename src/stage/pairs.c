/* Choosing pairs. SPDX-License-Identifier: Apache-2.0 */
#include "stage/pairs.h"

#include <stdlib.h>

#include "base/mem.h"

/* Up to so many pictures every pair is compared: the number grows with the square. */
enum { EXHAUSTIVE = 200 };

void vd_pair_list_reset(vd_pair_list *l) {
    vd_mem_free(l->pairs);
    *l = (vd_pair_list){ 0 };
}

vd_status vd_pair_list_add(vd_pair_list *l, int32_t a, int32_t b, vd_err *err) {
    if (a == b) return VD_OK;
    VD_TRY(VD_GROW(l->pairs, l->cap, l->n + 1, err));
    l->pairs[l->n++] = (vd_pair){ VD_MIN(a, b), VD_MAX(a, b) };
    return VD_OK;
}

static int by_views(const void *x, const void *y) {
    const vd_pair *p = x, *q = y;
    if (p->a != q->a) return p->a < q->a ? -1 : 1;
    return (p->b > q->b) - (p->b < q->b);
}

void vd_pair_list_sort(vd_pair_list *l) {
    int64_t n = 0;
    if (l->n > 1) qsort(l->pairs, (size_t)l->n, sizeof *l->pairs, by_views);
    for (int64_t i = 0; i < l->n; i++)
        if (n == 0 || by_views(&l->pairs[n - 1], &l->pairs[i]) != 0) l->pairs[n++] = l->pairs[i];
    l->n = n;
}

vd_status vd_pairs_choose(vd_pair_list *out, vd_run *run, const vd_view_set *views, vd_err *err) {
    vd_pair_list l = { 0 };
    vd_status st = VD_OK;
    (void)run;
    int64_t reach = views->n <= EXHAUSTIVE ? views->n : EXHAUSTIVE;
    for (int64_t a = 0; a < views->n; a++)
        for (int64_t b = a + 1; b < VD_MIN(views->n, a + reach); b++)
            VD_GO(vd_pair_list_add(&l, (int32_t)a, (int32_t)b, err));
    vd_pair_list_sort(&l);
    *out = l;
    l = (vd_pair_list){ 0 };
done:
    vd_pair_list_reset(&l);
    return st;
}
