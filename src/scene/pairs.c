/* Choosing pairs. SPDX-License-Identifier: Apache-2.0 */
#include "scene/pairs.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

enum {
    IN_TIME = 5,   /* pictures after each */
    IN_SPACE = 10, /* nearest to each */
};

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

static vd_status all_pairs(vd_pair_list *l, int64_t n, vd_err *err) {
    for (int64_t a = 0; a < n; a++)
        for (int64_t b = a + 1; b < n; b++)
            VD_TRY(vd_pair_list_add(l, (int32_t)a, (int32_t)b, err));
    return VD_OK;
}

/* Pictures taken one after the other: frames of a video by time, others by time, or as their files
 * come. */
static vd_status neighbours_in_time(vd_pair_list *l, const vd_view_set *v, vd_err *err) {
    int32_t *order = vd_mem_array((size_t)v->n + 1, sizeof *order);
    if (order == NULL) return vd_nomem(err);
    vd_views_by_time(order, v);
    vd_status st = VD_OK;
    for (int64_t i = 0; st == VD_OK && i < v->n; i++)
        for (int64_t k = 1; st == VD_OK && k <= IN_TIME && i + k < v->n; k++)
            st = vd_pair_list_add(l, order[i], order[i + k], err);
    vd_mem_free(order);
    return st;
}

/* The nearest by GPS, by the distance on the ground. */
static vd_status neighbours_in_space(vd_pair_list *l, const vd_view_set *v, vd_err *err) {
    for (int64_t i = 0; i < v->n; i++) {
        vd_best best[IN_SPACE];
        int n = 0;
        const vd_view *a = &v->views[i];
        double east = cos(a->latitude_deg * 0.017453292519943295);
        if (!isfinite(a->latitude_deg)) continue;
        for (int64_t j = 0; j < v->n; j++) {
            const vd_view *b = &v->views[j];
            double dy = b->latitude_deg - a->latitude_deg;
            double dx = east * (b->longitude_deg - a->longitude_deg);
            if (j != i && isfinite(dx) && isfinite(dy))
                vd_best_add(best, &n, IN_SPACE, (float)-(dx * dx + dy * dy), (int32_t)j);
        }
        for (int k = 0; k < n; k++) VD_TRY(vd_pair_list_add(l, (int32_t)i, best[k].view, err));
    }
    return VD_OK;
}

vd_status vd_pairs_choose(vd_pair_list *out, vd_run *run, const vd_view_set *views, vd_err *err) {
    vd_pair_list l = { 0 };
    vd_status st = VD_OK;
    if (run->opt->exhaustive || views->n <= VD_EXHAUSTIVE) {
        VD_GO(all_pairs(&l, views->n, err));
    } else {
        VD_GO(vd_pairs_alike(&l, run, views, err));
        VD_GO(neighbours_in_time(&l, views, err));
        VD_GO(neighbours_in_space(&l, views, err));
    }
    vd_pair_list_sort(&l);
    *out = l;
    l = (vd_pair_list){ 0 };
done:
    vd_pair_list_reset(&l);
    return st;
}
