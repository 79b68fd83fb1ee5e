/* The budget is a counter under a lock; the order of service is a ticket. SPDX-License-Identifier:
 * Apache-2.0 */
#include "stage/budget.h"

#include <pthread.h>

#include "base/mem.h"

struct vd_budget {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int64_t total, in_use, peak;
    int64_t holders;        /* grants given, however small */
    uint64_t drawn, served; /* tickets */
};

vd_status vd_budget_new(vd_budget **out, int64_t total, vd_err *err) {
    vd_budget *b = vd_mem_array(1, sizeof *b);
    if (b == NULL) return vd_nomem(err);
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->changed, NULL);
    b->total = total;
    *out = b;
    return VD_OK;
}

void vd_budget_free(vd_budget *b) {
    if (b == NULL) return;
    pthread_cond_destroy(&b->changed);
    pthread_mutex_destroy(&b->lock);
    vd_mem_free(b);
}

void vd_budget_acquire(vd_budget *b, int64_t bytes) {
    pthread_mutex_lock(&b->lock);
    uint64_t ticket = b->drawn++;
    while (b->served != ticket || (b->holders > 0 && bytes > b->total - b->in_use))
        pthread_cond_wait(&b->changed, &b->lock);
    b->served++;
    b->holders++;
    b->in_use += bytes;
    b->peak = VD_MAX(b->peak, b->in_use);
    pthread_cond_broadcast(&b->changed);
    pthread_mutex_unlock(&b->lock);
}

void vd_budget_release(vd_budget *b, int64_t bytes) {
    pthread_mutex_lock(&b->lock);
    b->in_use -= bytes;
    b->holders--;
    pthread_cond_broadcast(&b->changed);
    pthread_mutex_unlock(&b->lock);
}

int64_t vd_budget_in_use(vd_budget *b) {
    pthread_mutex_lock(&b->lock);
    int64_t n = b->in_use;
    pthread_mutex_unlock(&b->lock);
    return n;
}

int64_t vd_budget_peak(vd_budget *b) {
    pthread_mutex_lock(&b->lock);
    int64_t n = b->peak;
    pthread_mutex_unlock(&b->lock);
    return n;
}
