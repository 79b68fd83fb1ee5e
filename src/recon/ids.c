/* A table by id where ids are dense, as they mostly are; else the ids in order, to be searched.
 * SPDX-License-Identifier: Apache-2.0 */
#include "recon/ids.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { DENSE = 4, DENSE_MORE = 1024 }; /* a table up to so many times the ids, and so much more */

typedef struct pair {
    int64_t id;
    int32_t index;
} pair;

static int by_id(const void *a, const void *b) {
    const pair *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

static vd_status twice(const char *where, const char *what, int64_t id, vd_err *err) {
    return vd_fail(err, VD_E_FORMAT, "%s: two %ss have the id %lld", where, what, (long long)id);
}

static vd_status fill_table(vd_ids *t, const int64_t *ids, const char *where, const char *what,
                            vd_err *err) {
    t->table = vd_mem_array((size_t)t->n_table, sizeof *t->table);
    if (t->table == NULL) return vd_nomem(err);
    memset(t->table, 0xff, (size_t)t->n_table * sizeof *t->table);
    for (int64_t i = 0; i < t->n; i++) {
        int32_t *slot = &t->table[ids[i] - t->first];
        if (*slot >= 0) return twice(where, what, ids[i], err);
        *slot = (int32_t)i;
    }
    return VD_OK;
}

static vd_status fill_sorted(vd_ids *t, const int64_t *ids, const char *where, const char *what,
                             vd_err *err) {
    vd_status st = VD_OK;
    pair *pairs = vd_mem_array((size_t)t->n, sizeof *pairs);
    t->sorted = vd_mem_array((size_t)t->n, sizeof *t->sorted);
    t->index = vd_mem_array((size_t)t->n, sizeof *t->index);
    if (pairs == NULL || t->sorted == NULL || t->index == NULL) VD_GO(vd_nomem(err));
    for (int64_t i = 0; i < t->n; i++) pairs[i] = (pair){ ids[i], (int32_t)i };
    qsort(pairs, (size_t)t->n, sizeof *pairs, by_id);
    for (int64_t i = 0; i < t->n; i++) {
        if (i > 0 && pairs[i].id == pairs[i - 1].id) VD_GO(twice(where, what, pairs[i].id, err));
        t->sorted[i] = pairs[i].id;
        t->index[i] = pairs[i].index;
    }
done:
    vd_mem_free(pairs);
    return st;
}

vd_status vd_ids_init(vd_ids *out, const int64_t *ids, int64_t n, const char *where,
                      const char *what, vd_err *err) {
    vd_ids t = { .n = n };
    int64_t last = 0;
    for (int64_t i = 0; i < n; i++) {
        t.first = i == 0 ? ids[i] : VD_MIN(t.first, ids[i]);
        last = i == 0 ? ids[i] : VD_MAX(last, ids[i]);
    }
    bool dense = last - t.first < DENSE * n + DENSE_MORE;
    if (dense) t.n_table = last - t.first + 1;
    vd_status st =
        dense ? fill_table(&t, ids, where, what, err) : fill_sorted(&t, ids, where, what, err);
    if (st == VD_OK)
        *out = t;
    else
        vd_ids_reset(&t);
    return st;
}

void vd_ids_reset(vd_ids *t) {
    vd_mem_free(t->table);
    vd_mem_free(t->sorted);
    vd_mem_free(t->index);
    *t = (vd_ids){ 0 };
}

int32_t vd_ids_find(const vd_ids *t, int64_t id) {
    if (t->table != NULL)
        return t->n > 0 && id >= t->first && id - t->first < t->n_table ? t->table[id - t->first]
                                                                        : -1;
    int64_t low = 0, high = t->n;
    while (low < high) {
        int64_t mid = low + (high - low) / 2;
        if (t->sorted[mid] < id)
            low = mid + 1;
        else
            high = mid;
    }
    return low < t->n && t->sorted[low] == id ? t->index[low] : -1;
}
