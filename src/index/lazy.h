/* The next best of many items whose worth can only fall. SPDX-License-Identifier: Apache-2.0
 *
 * Minoux's lazy greedy ("Accelerated greedy algorithms for maximizing submodular set functions",
 * 1978): what an item was worth in an earlier round bounds what it is worth now, so only items
 * whose bound reaches the top are looked at again. The picks are those of the plain greedy
 * algorithm, ties by position, whatever number of items is looked at at a time. */
#ifndef VD_INDEX_LAZY_H
#define VD_INDEX_LAZY_H

#include "base/err.h"

struct vd_pool;

typedef struct vd_lazy_entry {
    double worth;
    int32_t item, round; /* the round in which it was worth that */
} vd_lazy_entry;

/* What an item is worth now; called by many threads at once, each for items of its own. Infinities
 * are fine, NaN is not. Falling: never more than in an earlier round. */
typedef double (*vd_worth_fn)(void *user, int32_t item);

/* One writer; zeroed is valid and empty. */
typedef struct vd_lazy {
    vd_lazy_entry *heap, *batch;
    int64_t n;
    int32_t round;
    vd_worth_fn worth;
    void *user;
    struct vd_pool *pool;
} vd_lazy;

/* Items 0 .. n-1, all of them to be looked at in the first round. Fails with VD_E_NOMEM. */
vd_status vd_lazy_init(vd_lazy *l, int64_t n, vd_worth_fn worth, void *user, struct vd_pool *pool,
                       vd_err *err);
void vd_lazy_reset(vd_lazy *l);

/* Takes out the item that is worth most; *item is -1 where none is left. The caller then brings up
 * to date what `worth` reads: a new round begins. Fails with VD_E_NOMEM (of a thread). */
vd_status vd_lazy_next(vd_lazy *l, int32_t *item, double *worth, vd_err *err);
#endif
