/* Memory. The counters are the price of testability: two relaxed atomic additions per block.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static atomic_llong live;
static atomic_llong fail_in = -1; /* -1: no fault armed */
static atomic_bool fail_sticky;
static atomic_bool fail_hit;

bool vd_mem_refused(void) {
    long long n = atomic_load_explicit(&fail_in, memory_order_relaxed);
    if (n < 0) return false;
    n = atomic_fetch_sub_explicit(&fail_in, 1, memory_order_relaxed);
    if (n > 0) return false;
    if (n < 0) { /* another thread took the last count */
        atomic_store(&fail_in, -1);
        return atomic_load(&fail_sticky) && atomic_load(&fail_hit);
    }
    atomic_store(&fail_hit, true);
    atomic_store(&fail_in, atomic_load(&fail_sticky) ? 0 : -1);
    return true;
}

void vd_mem_fail_at(int64_t n, bool sticky) {
    atomic_store(&fail_hit, false);
    atomic_store(&fail_sticky, sticky);
    atomic_store(&fail_in, n);
}

bool vd_mem_fail_clear(void) {
    atomic_store(&fail_in, -1);
    return atomic_exchange(&fail_hit, false);
}

int64_t vd_mem_live(void) {
    return atomic_load(&live);
}

static void *counted(void *p) {
    if (p != NULL) atomic_fetch_add_explicit(&live, 1, memory_order_relaxed);
    return p;
}

void *vd_mem_alloc(size_t size) {
    if (vd_mem_refused()) return NULL;
    return counted(malloc(size ? size : 1));
}

void *vd_mem_array(size_t n, size_t size) {
    if (vd_mem_refused()) return NULL;
    return counted(calloc(n ? n : 1, size ? size : 1));
}

void *vd_mem_realloc(void *p, size_t size) {
    if (p == NULL) return vd_mem_alloc(size);
    if (vd_mem_refused()) return NULL;
    return realloc(p, size ? size : 1);
}

void vd_mem_free(void *p) {
    if (p == NULL) return;
    atomic_fetch_sub_explicit(&live, 1, memory_order_relaxed);
    free(p);
}

char *vd_mem_strndup(const char *s, size_t n) {
    char *p = vd_mem_alloc(n + 1);
    if (p == NULL) return NULL;
    memcpy(p, s, n);
    p[n] = '\0';
    return p;
}

char *vd_mem_strdup(const char *s) {
    return vd_mem_strndup(s, strlen(s));
}

void *vd_mem_aligned(size_t size) {
    if (vd_mem_refused() || size > SIZE_MAX - 64) return NULL;
    size_t rounded = (size + 63) / 64 * 64;
    return counted(aligned_alloc(64, rounded ? rounded : 64));
}

vd_status vd_mem_grow(void *p, int64_t *cap, int64_t need, size_t elem, vd_err *err) {
    void **slot = p;
    if (need <= *cap) return VD_OK;
    int64_t want = *cap < 8 ? 16 : *cap * 2;
    if (want < need) want = need;
    if ((uint64_t)want > SIZE_MAX / elem) return vd_nomem(err);
    void *grown = vd_mem_realloc(*slot, (size_t)want * elem);
    if (grown == NULL) return vd_nomem(err);
    *slot = grown;
    *cap = want;
    return VD_OK;
}
