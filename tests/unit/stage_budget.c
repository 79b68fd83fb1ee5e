/* The memory budget: never above its total but for one that is alone, everyone gets in, in order.
 * SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include <stdatomic.h>

#include "base/mem.h"
#include "base/pool.h"
#include "stage/budget.h"

enum { TOTAL = 1000, JOBS = 8, ITEMS = 4000 };

typedef struct crowd {
    vd_budget *b;
    atomic_llong in_use, most, holders, alone_broken;
} crowd;

/* Takes what it needs as a decoder does: sometimes gives it back for more. */
static vd_status item(void *user, int64_t i, int worker, vd_err *err) {
    crowd *c = user;
    (void)worker, (void)err;
    int64_t first = (i * 7919) % 700, then = i % 11 == 0 ? 1500 : (i * 104729) % 900;
    for (int k = 0; k < 2; k++) {
        int64_t n = k == 0 ? first : then;
        vd_budget_acquire(c->b, n);
        long long now = atomic_fetch_add(&c->in_use, n) + n;
        int64_t others = atomic_fetch_add(&c->holders, 1);
        long long most = atomic_load(&c->most);
        while (now > most && !atomic_compare_exchange_weak(&c->most, &most, now)) {
        }
        if (now > TOTAL && others > 0) atomic_fetch_add(&c->alone_broken, 1);
        atomic_fetch_sub(&c->holders, 1);
        atomic_fetch_sub(&c->in_use, n);
        vd_budget_release(c->b, n);
    }
    return VD_OK;
}

T(a_crowd_stays_within_the_total) {
    vd_err err = { 0 };
    vd_pool *pool = NULL;
    crowd c = { 0 };
    T_OK(vd_budget_new(&c.b, TOTAL, &err));
    T_OK(vd_pool_new(&pool, JOBS, &err));
    T_OK(vd_pool_for(pool, ITEMS, item, &c, &err)); /* and ends: nobody waits for ever */
    T_EQ(atomic_load(&c.alone_broken), 0);
    T_EQ(vd_budget_in_use(c.b), 0);
    T_EQ(vd_budget_peak(c.b), 1500); /* the large ones, and no sum with one */
    T_TRUE(atomic_load(&c.most) <= 1500);
    vd_pool_free(pool);
    vd_budget_free(c.b);
}

T(one_that_is_alone_gets_in_whatever_its_size) {
    vd_err err = { 0 };
    vd_budget *b = NULL;
    T_OK(vd_budget_new(&b, 0, &err));
    vd_budget_acquire(b, INT64_MAX / 2);
    T_EQ(vd_budget_in_use(b), INT64_MAX / 2);
    vd_budget_release(b, INT64_MAX / 2);
    vd_budget_acquire(b, 0);
    vd_budget_release(b, 0);
    T_EQ(vd_budget_in_use(b), 0);
    vd_budget_free(b);
}

T(refused_memory_leaves_nothing) {
    vd_err err = { 0 };
    vd_budget *b = NULL;
    vd_mem_fail_at(0, false);
    T_EQ(vd_budget_new(&b, 1, &err), VD_E_NOMEM);
    T_TRUE(vd_mem_fail_clear());
    T_TRUE(b == NULL);
}
