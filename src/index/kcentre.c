/* k-centre greedy, and what is most similar. SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/pool.h"
#include "index/choose.h"
#include "index/lazy.h"

enum { TURN = 64 };

/* Centres lie together in the order in which they were taken; an item remembers how many of them it
 * has been compared with. */
typedef struct kcentre {
    const vd_vectors *v;
    vd_vectors centre;
    float *best; /* cosine to the most similar of the centres seen */
    int32_t *seen, n_centres;
    const uint8_t *taken;
} kcentre;

/* How far an item is from all centres: the negative of its best cosine. */
static double worth(void *user, int32_t item) {
    kcentre *k = user;
    float cosine[TURN];
    if (k->taken[item]) return -2;
    while (k->seen[item] < k->n_centres) {
        int n = VD_MIN(TURN, k->n_centres - k->seen[item]);
        vd_vectors_cosines(cosine, TURN, k->v, item, 1, &k->centre, k->seen[item], n);
        for (int i = 0; i < n; i++) k->best[item] = VD_MAX(k->best[item], cosine[i]);
        k->seen[item] += n;
    }
    return -(double)k->best[item];
}

static void add_centre(kcentre *k, int32_t item) {
    const vd_vectors *v = k->v;
    int64_t at = k->n_centres++;
    if (v->i8 != NULL) {
        memcpy(k->centre.i8 + at * v->stride, v->i8 + (int64_t)item * v->stride, (size_t)v->stride);
        k->centre.scale[at] = v->scale[item];
    } else {
        memcpy(k->centre.f32 + at * v->stride, v->f32 + (int64_t)item * v->stride,
               (size_t)v->stride * sizeof(float));
    }
}

/* The item most like the mean of all. */
static vd_status middle(int32_t *item, const vd_vectors *v, vd_err *err) {
    double *mean = vd_mem_array((size_t)v->stride, sizeof *mean), best = 0;
    if (mean == NULL) return vd_nomem(err);
    for (int64_t i = 0; i < v->n; i++)
        for (int d = 0; d < v->dim; d++)
            mean[d] += v->i8 != NULL ? v->i8[i * v->stride + d] * v->scale[i]
                                     : (double)v->f32[i * v->stride + d];
    for (int64_t i = 0; i < v->n; i++) {
        double sum = 0;
        for (int d = 0; d < v->dim; d++)
            sum += mean[d] * (v->i8 != NULL ? v->i8[i * v->stride + d] * v->scale[i]
                                            : (double)v->f32[i * v->stride + d]);
        if (i > 0 && sum <= best) continue;
        best = sum;
        *item = (int32_t)i;
    }
    vd_mem_free(mean);
    return VD_OK;
}

static vd_status check(const vd_vectors *v, int64_t count, const int32_t *start, int64_t n_start,
                       vd_err *err) {
    if (n_start < 0 || count < 0 || count > v->n - n_start)
        return vd_fail(err, VD_E_ARG, "choice: %lld of %lld items", (long long)count,
                       (long long)(v->n - n_start));
    for (int64_t i = 0; i < n_start; i++)
        if (start[i] < 0 || start[i] >= v->n)
            return vd_fail(err, VD_E_ARG, "choice: item %d of %lld", (int)start[i],
                           (long long)v->n);
    return VD_OK;
}

static vd_status kcentre_init(kcentre *k, uint8_t *taken, const vd_vectors *v, int64_t count,
                              const int32_t *start, int64_t n_start, vd_err *err) {
    size_t n = (size_t)v->n;
    k->v = v;
    k->taken = taken;
    k->best = vd_mem_array(n, sizeof *k->best);
    k->seen = vd_mem_array(n, sizeof *k->seen);
    int32_t *none = vd_mem_array((size_t)(count + n_start), sizeof *none);
    vd_status st = k->best == NULL || k->seen == NULL || none == NULL
                       ? vd_nomem(err)
                       : vd_vectors_take(&k->centre, v, none, count + n_start, err);
    vd_mem_free(none);
    VD_TRY(st);
    for (size_t i = 0; i < n; i++) k->best[i] = -1;
    for (int64_t i = 0; i < n_start; i++) {
        add_centre(k, start[i]);
        taken[start[i]] = 1;
    }
    return VD_OK;
}

vd_status vd_kcentre(int32_t *chosen, float *cosine, const vd_vectors *v, int64_t count,
                     const int32_t *start, int64_t n_start, vd_pool *pool, vd_err *err) {
    vd_status st = VD_OK;
    kcentre k = { 0 };
    vd_lazy lazy = { 0 };
    uint8_t *taken = NULL;
    int64_t done = 0;
    VD_TRY(check(v, count, start, n_start, err));
    if (count == 0) return VD_OK;
    if ((taken = vd_mem_array((size_t)v->n, 1)) == NULL) VD_GO(vd_nomem(err));
    VD_GO(kcentre_init(&k, taken, v, count, start, n_start, err));
    if (n_start == 0) {
        VD_GO(middle(&chosen[0], v, err));
        if (cosine != NULL) cosine[0] = -1;
        add_centre(&k, chosen[0]);
        taken[chosen[0]] = 1;
        done = 1;
    }
    VD_GO(vd_lazy_init(&lazy, v->n, worth, &k, pool, err));
    for (; done < count; done++) {
        double far = 0;
        VD_GO(vd_lazy_next(&lazy, &chosen[done], &far, err));
        if (cosine != NULL) cosine[done] = (float)-far;
        add_centre(&k, chosen[done]);
    }
done:
    vd_lazy_reset(&lazy);
    vd_vectors_reset(&k.centre);
    vd_mem_free(k.best);
    vd_mem_free(k.seen);
    vd_mem_free(taken);
    return st;
}

/* ---- most similar ---- */

typedef struct near {
    float cosine;
    int32_t item;
} near;

typedef struct search {
    const vd_vectors *v, *like;
    near *all;
} search;

static vd_status search_task(void *user, int64_t block, int worker, vd_err *err) {
    search *s = user;
    float cosine[TURN];
    (void)worker;
    (void)err;
    for (int64_t i = block * TURN; i < VD_MIN((block + 1) * TURN, s->v->n); i++) {
        s->all[i] = (near){ -2, (int32_t)i };
        for (int64_t k = 0; k < s->like->n; k += TURN) {
            int n = (int)VD_MIN(TURN, s->like->n - k);
            vd_vectors_cosines(cosine, TURN, s->v, i, 1, s->like, k, n);
            for (int j = 0; j < n; j++) s->all[i].cosine = VD_MAX(s->all[i].cosine, cosine[j]);
        }
    }
    return VD_OK;
}

static int by_cosine(const void *a, const void *b) {
    const near *p = a, *q = b;
    if (p->cosine != q->cosine) return p->cosine > q->cosine ? -1 : 1;
    return (p->item > q->item) - (p->item < q->item);
}

vd_status vd_most_similar(int32_t *chosen, float *cosine, const vd_vectors *v, int64_t count,
                          const int32_t *like, int64_t n_like, vd_pool *pool, vd_err *err) {
    vd_status st = VD_OK;
    vd_vectors queries = { 0 };
    near *all = NULL;
    VD_TRY(check(v, 0, like, n_like, err));
    all = vd_mem_array((size_t)v->n, sizeof *all);
    if (all == NULL) VD_GO(vd_nomem(err));
    VD_GO(vd_vectors_take(&queries, v, like, n_like, err));
    search s = { v, &queries, all };
    VD_GO(vd_pool_for(pool, (v->n + TURN - 1) / TURN, search_task, &s, err));
    for (int64_t i = 0; i < n_like; i++) all[like[i]].cosine = -3; /* last, and not taken */
    qsort(all, (size_t)v->n, sizeof *all, by_cosine);
    for (int64_t i = 0; i < count; i++) {
        bool is = i < v->n && all[i].cosine > -3;
        chosen[i] = is ? all[i].item : -1;
        if (cosine != NULL) cosine[i] = is ? all[i].cosine : 0;
    }
done:
    vd_vectors_reset(&queries);
    vd_mem_free(all);
    return st;
}
