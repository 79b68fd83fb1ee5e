/* Memory: every allocation of ours goes through here, so that tests can refuse the n-th one and
 * count what is still alive. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_BASE_MEM_H
#define VD_BASE_MEM_H

#include "base/err.h"

/* All return NULL when memory is refused; sizes of 0 give a valid unique pointer. Release with
 * vd_mem_free. `vd_mem_array` checks n * size for overflow and zeroes. */
void *vd_mem_alloc(size_t size);
void *vd_mem_array(size_t n, size_t size);
void *vd_mem_realloc(void *p, size_t size);
void vd_mem_free(void *p);
char *vd_mem_strdup(const char *s);
char *vd_mem_strndup(const char *s, size_t n);

/* 64-byte aligned, for pixels and vectors; release with vd_mem_free. */
void *vd_mem_aligned(size_t size);

/* Grows `*p` (elements of `elem` bytes, capacity `*cap`) so that it holds at least `need`. */
vd_status vd_mem_grow(void *p, int64_t *cap, int64_t need, size_t elem, vd_err *err);
#define VD_GROW(p, cap, need, err) vd_mem_grow(&(p), &(cap), (need), sizeof *(p), (err))

/* Fault injection for tests: the n-th allocation from now (0 = next) and, if `sticky`, all after
 * it, are refused. vd_mem_fail_clear says whether the n-th was ever asked for. */
void vd_mem_fail_at(int64_t n, bool sticky);
bool vd_mem_fail_clear(void);
bool vd_mem_refused(void); /* asked by adapters of foreign allocators: counts one allocation */
int64_t vd_mem_live(void); /* blocks alive now */

#endif
