/* A pool of threads that sleep between loops. Items are claimed one by one from an atomic counter,
 * so a slow item holds nobody up; who ran an item never changes what it computes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/pool.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/mem.h"

enum { MAX_JOBS = 256 };

typedef struct member {
    vd_pool *pool;
    pthread_t thread;
    int worker;
} member;

struct vd_pool {
    int jobs, n_threads;
    member *members;
    pthread_mutex_t lock; /* guards everything below but `next` */
    pthread_cond_t wake, done;
    uint64_t round;
    int busy;
    bool stop, in_loop;
    vd_task task;
    void *user;
    int64_t n;
    atomic_llong next;
    atomic_bool failed;
    int64_t failed_at;
    vd_status failed_with;
    vd_err failed_err;
};

static void note_failure(vd_pool *p, int64_t i, vd_status st, const vd_err *err) {
    pthread_mutex_lock(&p->lock);
    if (!atomic_load(&p->failed) || i < p->failed_at) {
        p->failed_at = i;
        p->failed_with = st;
        p->failed_err = *err;
    }
    atomic_store(&p->failed, true);
    pthread_mutex_unlock(&p->lock);
}

static void drain(vd_pool *p, int worker) {
    while (!atomic_load(&p->failed)) {
        int64_t i = atomic_fetch_add(&p->next, 1);
        if (i >= p->n) return;
        vd_err err = { 0 };
        vd_status st = p->task(p->user, i, worker, &err);
        if (st != VD_OK) note_failure(p, i, st, &err);
    }
}

static void *member_main(void *arg) {
    member *m = arg;
    vd_pool *p = m->pool;
    uint64_t seen = 0;
    pthread_mutex_lock(&p->lock);
    for (;;) {
        while (!p->stop && p->round == seen) pthread_cond_wait(&p->wake, &p->lock);
        if (p->stop) break;
        seen = p->round;
        pthread_mutex_unlock(&p->lock);
        drain(p, m->worker);
        pthread_mutex_lock(&p->lock);
        if (--p->busy == 0) pthread_cond_signal(&p->done);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

vd_status vd_pool_new(vd_pool **out, int jobs, vd_err *err) {
    if (jobs < 1 || jobs > MAX_JOBS)
        return vd_fail(err, VD_E_ARG, "pool: %d jobs, allowed are 1 to %d", jobs, MAX_JOBS);
    vd_pool *p = vd_mem_array(1, sizeof *p);
    if (p == NULL) return vd_nomem(err);
    p->jobs = jobs;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, NULL);
    pthread_cond_init(&p->done, NULL);
    p->members = vd_mem_array((size_t)jobs, sizeof *p->members);
    if (p->members == NULL) {
        vd_pool_free(p);
        return vd_nomem(err);
    }
    for (int i = 1; i < jobs; i++) {
        p->members[i] = (member){ .pool = p, .worker = i };
        if (pthread_create(&p->members[i].thread, NULL, member_main, &p->members[i]) != 0) {
            vd_pool_free(p);
            return vd_fail(err, VD_E_NOMEM, "pool: thread %d of %d refused", i + 1, jobs);
        }
        p->n_threads++;
    }
    *out = p;
    return VD_OK;
}

void vd_pool_free(vd_pool *p) {
    if (p == NULL) return;
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->lock);
    for (int i = 1; i <= p->n_threads; i++) pthread_join(p->members[i].thread, NULL);
    pthread_cond_destroy(&p->wake);
    pthread_cond_destroy(&p->done);
    pthread_mutex_destroy(&p->lock);
    vd_mem_free(p->members);
    vd_mem_free(p);
}

int vd_pool_jobs(const vd_pool *p) {
    return p != NULL ? p->jobs : 1;
}

static vd_status run_inline(int64_t n, vd_task task, void *user, vd_err *err) {
    for (int64_t i = 0; i < n; i++) VD_TRY(task(user, i, 0, err));
    return VD_OK;
}

vd_status vd_pool_for(vd_pool *p, int64_t n, vd_task task, void *user, vd_err *err) {
    if (p == NULL || p->n_threads == 0 || n <= 1) return run_inline(n, task, user, err);
    pthread_mutex_lock(&p->lock);
    if (p->in_loop) { /* nested: the outer loop owns the threads */
        pthread_mutex_unlock(&p->lock);
        return run_inline(n, task, user, err);
    }
    p->in_loop = true;
    p->task = task;
    p->user = user;
    p->n = n;
    atomic_store(&p->next, 0);
    atomic_store(&p->failed, false);
    p->busy = p->n_threads;
    p->round++;
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->lock);

    drain(p, 0);

    pthread_mutex_lock(&p->lock);
    while (p->busy > 0) pthread_cond_wait(&p->done, &p->lock);
    p->in_loop = false;
    vd_status st = VD_OK;
    if (atomic_load(&p->failed)) {
        st = p->failed_with;
        if (err != NULL && err->code == VD_OK) *err = p->failed_err;
    }
    pthread_mutex_unlock(&p->lock);
    return st;
}
