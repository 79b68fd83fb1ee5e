/* Lazy greedy: a heap of bounds. SPDX-License-Identifier: Apache-2.0 */
#include "index/lazy.h"

#include "base/mem.h"
#include "base/pool.h"

enum {
    FIRST_BATCH = 32, /* items looked at again at a time, doubled while none of them is it */
    MOST_BATCH = 4096,
    SHARE = 16, /* of them for one task */
};

static bool before(const vd_lazy_entry *a, const vd_lazy_entry *b) {
    return a->worth != b->worth ? a->worth > b->worth : a->item < b->item;
}

static void sift_down(vd_lazy *l, int64_t at) {
    vd_lazy_entry e = l->heap[at];
    for (int64_t child; (child = 2 * at + 1) < l->n; at = child) {
        if (child + 1 < l->n && before(&l->heap[child + 1], &l->heap[child])) child++;
        if (!before(&l->heap[child], &e)) break;
        l->heap[at] = l->heap[child];
    }
    l->heap[at] = e;
}

static vd_lazy_entry pop(vd_lazy *l) {
    vd_lazy_entry top = l->heap[0];
    l->heap[0] = l->heap[--l->n];
    if (l->n > 0) sift_down(l, 0);
    return top;
}

static void push(vd_lazy *l, vd_lazy_entry e) {
    int64_t at = l->n++;
    for (; at > 0 && before(&e, &l->heap[(at - 1) / 2]); at = (at - 1) / 2)
        l->heap[at] = l->heap[(at - 1) / 2];
    l->heap[at] = e;
}

typedef struct look {
    vd_lazy *l;
    vd_lazy_entry *entry;
    int64_t n;
} look;

static vd_status look_task(void *user, int64_t i, int worker, vd_err *err) {
    look *k = user;
    (void)worker;
    (void)err;
    for (int64_t e = i * SHARE; e < VD_MIN((i + 1) * SHARE, k->n); e++) {
        k->entry[e].worth = k->l->worth(k->l->user, k->entry[e].item);
        k->entry[e].round = k->l->round;
    }
    return VD_OK;
}

static vd_status look_again(vd_lazy *l, vd_lazy_entry *entry, int64_t n, vd_err *err) {
    look k = { l, entry, n };
    return vd_pool_for(l->pool, (n + SHARE - 1) / SHARE, look_task, &k, err);
}

vd_status vd_lazy_init(vd_lazy *l, int64_t n, vd_worth_fn worth, void *user, vd_pool *pool,
                       vd_err *err) {
    *l = (vd_lazy){ .worth = worth, .user = user, .pool = pool };
    l->heap = vd_mem_array((size_t)n, sizeof *l->heap);
    l->batch = vd_mem_array(MOST_BATCH, sizeof *l->batch);
    if (l->heap == NULL || l->batch == NULL) {
        vd_lazy_reset(l);
        return vd_nomem(err);
    }
    for (int64_t i = 0; i < n; i++) l->heap[i].item = (int32_t)i;
    vd_status st = look_again(l, l->heap, n, err);
    l->n = n;
    for (int64_t at = n / 2; at-- > 0;) sift_down(l, at);
    if (st != VD_OK) vd_lazy_reset(l);
    return st;
}

void vd_lazy_reset(vd_lazy *l) {
    vd_mem_free(l->heap);
    vd_mem_free(l->batch);
    *l = (vd_lazy){ 0 };
}

vd_status vd_lazy_next(vd_lazy *l, int32_t *item, double *worth, vd_err *err) {
    *item = -1;
    for (int64_t size = FIRST_BATCH; l->n > 0; size = VD_MIN(2 * size, MOST_BATCH)) {
        int64_t n = 0;
        while (n < size && l->n > 0 && l->heap[0].round < l->round) l->batch[n++] = pop(l);
        if (n == 0) {
            vd_lazy_entry top = pop(l);
            *item = top.item;
            if (worth != NULL) *worth = top.worth;
            l->round++;
            return VD_OK;
        }
        VD_TRY(look_again(l, l->batch, n, err));
        for (int64_t i = 0; i < n; i++) push(l, l->batch[i]);
    }
    return VD_OK;
}
