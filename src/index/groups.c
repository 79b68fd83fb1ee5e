/* Groups. SPDX-License-Identifier: Apache-2.0 */
#include "index/groups.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sets.h"

typedef struct ranked {
    int64_t rank;
    int32_t item;
} ranked;

static int by_rank(const void *a, const void *b) {
    const ranked *p = a, *q = b;
    if (p->rank != q->rank) return p->rank < q->rank ? -1 : 1;
    return (p->item > q->item) - (p->item < q->item);
}

/* Items from best to worst; the caller frees. */
static vd_status visit_order(ranked **out, int64_t n, const int64_t *rank, vd_err *err) {
    ranked *r = vd_mem_array((size_t)n, sizeof *r);
    if (r == NULL) return vd_nomem(err);
    for (int64_t i = 0; i < n; i++) r[i] = (ranked){ rank != NULL ? rank[i] : i, (int32_t)i };
    if (rank != NULL) qsort(r, (size_t)n, sizeof *r, by_rank);
    *out = r;
    return VD_OK;
}

static vd_status check(int64_t n, const vd_pair *pair, int64_t n_pairs, vd_err *err) {
    if (n < 0 || n > INT32_MAX) return vd_fail(err, VD_E_ARG, "groups: %lld items", (long long)n);
    for (int64_t k = 0; k < n_pairs; k++)
        if (pair[k].a < 0 || pair[k].b < 0 || pair[k].a >= n || pair[k].b >= n)
            return vd_fail(err, VD_E_ARG, "groups: pair %lld is (%d, %d) of %lld items",
                           (long long)k, (int)pair[k].a, (int)pair[k].b, (long long)n);
    return VD_OK;
}

/* Both directions of every pair: the neighbours of i are to[start[i] .. start[i + 1]). */
static vd_status adjacency(int64_t **start, int32_t **to, int64_t n, const vd_pair *pair,
                           int64_t n_pairs, vd_err *err) {
    int64_t *s = vd_mem_array((size_t)n + 2, sizeof *s);
    int32_t *t = vd_mem_array((size_t)n_pairs * 2 + 1, sizeof *t);
    if (s == NULL || t == NULL) {
        vd_mem_free(s);
        vd_mem_free(t);
        return vd_nomem(err);
    }
    for (int64_t k = 0; k < n_pairs; k++) {
        s[pair[k].a + 2]++;
        s[pair[k].b + 2]++;
    }
    for (int64_t i = 0; i < n; i++) s[i + 2] += s[i + 1];
    for (int64_t k = 0; k < n_pairs; k++) {
        t[s[pair[k].a + 1]++] = pair[k].b;
        t[s[pair[k].b + 1]++] = pair[k].a;
    }
    *start = s;
    *to = t;
    return VD_OK;
}

vd_status vd_group_star(int32_t *group, int64_t n, const vd_pair *pair, int64_t n_pairs,
                        const int64_t *rank, vd_err *err) {
    vd_status st = VD_OK;
    int64_t *start = NULL;
    int32_t *to = NULL;
    ranked *order = NULL;
    VD_GO(check(n, pair, n_pairs, err));
    VD_GO(adjacency(&start, &to, n, pair, n_pairs, err));
    VD_GO(visit_order(&order, n, rank, err));
    for (int64_t i = 0; i < n; i++) group[i] = -1;
    for (int64_t k = 0; k < n; k++) {
        int32_t founder = order[k].item;
        if (group[founder] >= 0) continue;
        for (int64_t e = start[founder]; e < start[founder + 1]; e++)
            if (group[to[e]] < 0 && to[e] != founder) group[to[e]] = group[founder] = founder;
    }
done:
    vd_mem_free(start);
    vd_mem_free(to);
    vd_mem_free(order);
    return st;
}

vd_status vd_group_union(int32_t *group, int64_t n, const vd_pair *pair, int64_t n_pairs,
                         vd_err *err) {
    VD_TRY(check(n, pair, n_pairs, err));
    int32_t *parent = vd_mem_array((size_t)n, 2 * sizeof *parent);
    if (parent == NULL) return vd_nomem(err);
    int32_t *size = parent + n;
    for (int64_t i = 0; i < n; i++) parent[i] = (int32_t)i;
    for (int64_t k = 0; k < n_pairs; k++) vd_sets_join(parent, pair[k].a, pair[k].b);
    for (int64_t i = 0; i < n; i++) size[vd_sets_root(parent, (int32_t)i)]++;
    for (int64_t i = 0; i < n; i++) {
        int32_t r = vd_sets_root(parent, (int32_t)i);
        group[i] = size[r] > 1 ? r : -1;
    }
    vd_mem_free(parent);
    return VD_OK;
}

/* Equal hashes lie together, the best of them first. */
typedef struct keyed {
    uint64_t hash[VD_HASH_WORDS];
    int64_t rank;
    int32_t item;
} keyed;

static int by_hash(const void *a, const void *b) {
    const keyed *p = a, *q = b;
    for (int k = 0; k < VD_HASH_WORDS; k++)
        if (p->hash[k] != q->hash[k]) return p->hash[k] < q->hash[k] ? -1 : 1;
    if (p->rank != q->rank) return p->rank < q->rank ? -1 : 1;
    return (p->item > q->item) - (p->item < q->item);
}

/* stands_for[i] = the best item with the same hash. */
static vd_status collapse(int32_t *stands_for, const uint64_t (*hash)[VD_HASH_WORDS], int64_t n,
                          const int64_t *rank, vd_err *err) {
    keyed *k = vd_mem_array((size_t)n, sizeof *k);
    if (k == NULL) return vd_nomem(err);
    for (int64_t i = 0; i < n; i++) {
        memcpy(k[i].hash, hash[i], sizeof k[i].hash);
        k[i].rank = rank != NULL ? rank[i] : i;
        k[i].item = (int32_t)i;
    }
    qsort(k, (size_t)n, sizeof *k, by_hash);
    for (int64_t i = 0, first = 0; i < n; i++) {
        if (memcmp(k[i].hash, k[first].hash, sizeof k[i].hash) != 0) first = i;
        stands_for[k[i].item] = k[first].item;
    }
    vd_mem_free(k);
    return VD_OK;
}

/* Working memory of vd_near_groups: the distinct items and what is known of them. */
typedef struct distinct {
    int32_t *stands_for, *item, *group; /* item[u] = input position of distinct item u */
    int64_t *rank, n;
    uint64_t (*hash)[VD_HASH_WORDS], (*variant)[VD_HASH_WORDS];
} distinct;

static vd_status gather(distinct *d, const uint64_t (*hash)[VD_HASH_WORDS],
                        const uint64_t (*variant)[VD_HASH_WORDS], int n_variants, int64_t n,
                        const int64_t *rank, vd_err *err) {
    d->stands_for = vd_mem_array((size_t)n, sizeof *d->stands_for);
    d->item = vd_mem_array((size_t)n, sizeof *d->item);
    d->group = vd_mem_array((size_t)n, sizeof *d->group);
    d->rank = vd_mem_array((size_t)n, sizeof *d->rank);
    d->hash = vd_mem_array((size_t)n, sizeof *d->hash);
    if (d->stands_for == NULL || d->item == NULL || d->group == NULL || d->rank == NULL ||
        d->hash == NULL)
        return vd_nomem(err);
    if (variant != NULL) {
        d->variant = vd_mem_array((size_t)n, (size_t)n_variants * sizeof *d->variant);
        if (d->variant == NULL) return vd_nomem(err);
    }
    VD_TRY(collapse(d->stands_for, hash, n, rank, err));
    for (int64_t i = 0; i < n; i++) {
        if (d->stands_for[i] != i) continue;
        d->item[d->n] = (int32_t)i;
        d->rank[d->n] = rank != NULL ? rank[i] : i;
        memcpy(d->hash[d->n], hash[i], sizeof *d->hash);
        if (variant != NULL)
            memcpy(d->variant + d->n * n_variants, variant + i * n_variants,
                   (size_t)n_variants * sizeof *d->variant);
        d->n++;
    }
    return VD_OK;
}

/* From the distinct items back to all: a copy goes where the one that stands for it goes. */
static void spread(int32_t *group, const distinct *d, int64_t n) {
    for (int64_t i = 0; i < n; i++) group[i] = -1;
    for (int64_t u = 0; u < d->n; u++)
        if (d->group[u] >= 0) group[d->item[u]] = d->item[d->group[u]];
    for (int64_t i = 0; i < n; i++) {
        int32_t s = d->stands_for[i];
        if (s == i) continue;
        if (group[s] < 0) group[s] = s;
        group[i] = group[s];
    }
}

static void distances(int32_t *distance, const int32_t *group,
                      const uint64_t (*hash)[VD_HASH_WORDS],
                      const uint64_t (*variant)[VD_HASH_WORDS], int n_variants, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        distance[i] = 0;
        if (group[i] < 0 || group[i] == i) continue;
        distance[i] = vd_hamming(hash[i], hash[group[i]]);
        for (int v = 0; variant != NULL && v < n_variants; v++)
            distance[i] =
                VD_MIN(distance[i], vd_hamming(hash[group[i]], variant[i * n_variants + v]));
    }
}

vd_status vd_near_groups(int32_t *group, int32_t *distance, const uint64_t (*hash)[VD_HASH_WORDS],
                         const uint64_t (*variant)[VD_HASH_WORDS], int n_variants, int64_t n,
                         const int64_t *rank, const vd_hamming_opt *opt, struct vd_pool *pool,
                         vd_err *err) {
    vd_status st = VD_OK;
    distinct d = { 0 };
    vd_pairs pairs = { 0 };
    if (n < 0 || n > INT32_MAX) return vd_fail(err, VD_E_ARG, "groups: %lld items", (long long)n);
    VD_GO(gather(&d, hash, variant, n_variants, n, rank, err));
    VD_GO(vd_hamming_pairs_variants(&pairs, (const uint64_t(*)[VD_HASH_WORDS])d.hash,
                                    (const uint64_t(*)[VD_HASH_WORDS])d.variant, n_variants, d.n,
                                    opt, pool, err));
    VD_GO(vd_group_star(d.group, d.n, pairs.pair, pairs.n, d.rank, err));
    spread(group, &d, n);
    if (distance != NULL) distances(distance, group, hash, variant, n_variants, n);
done:
    vd_pairs_reset(&pairs);
    vd_mem_free(d.stands_for);
    vd_mem_free(d.item);
    vd_mem_free(d.group);
    vd_mem_free(d.rank);
    vd_mem_free(d.hash);
    vd_mem_free(d.variant);
    return st;
}
