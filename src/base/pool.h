/* The one place that creates threads. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_BASE_POOL_H
#define VD_BASE_POOL_H

#include "base/err.h"

typedef struct vd_pool vd_pool;

/* One task: item `i`, run by worker `worker` (0 .. jobs-1, for per-worker scratch only: results
 * must not depend on it). */
typedef vd_status (*vd_task)(void *user, int64_t i, int worker, vd_err *err);

/* A pool of `jobs` workers (1 .. 256), the caller of vd_pool_for included; jobs = 1 makes no
 * thread. */
vd_status vd_pool_new(vd_pool **out, int jobs, vd_err *err);
void vd_pool_free(vd_pool *p);
int vd_pool_jobs(const vd_pool *p);

/* Runs items 0 .. n-1, handed out in index order, and waits. After a failure no new item starts;
 * the error of the lowest failing item is returned. A NULL pool, or a call from inside a task, runs
 * inline in order. */
vd_status vd_pool_for(vd_pool *p, int64_t n, vd_task task, void *user, vd_err *err);
#endif
