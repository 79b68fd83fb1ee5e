/* Hamming pairs. Two tables of hashes are joined: the same one with itself, or the hashes with one
 * variant of each. A table keeps its hashes sorted by the current band, so that buckets lie in one
 * piece. SPDX-License-Identifier: Apache-2.0 */
#include "index/hamming.h"

#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/mem.h"
#include "base/pool.h"
#include "index/kern.h"

enum {
    BANDS = 16,
    BUCKETS = 65536,
    TASKS = 256, /* each takes 256 buckets; fixed, so that nothing depends on the threads */
    MOST_DIFFERENCES = 3, /* more bits of tolerance in a band than this: compare all */
    MOST_MASKS = 1 + 16 + 120 + 560,
    ALL_BELOW = 6000, /* measured: sorting 16 times costs as much as comparing these */
    SCAN_MOST = 4096, /* hashes a scan call looks at */
};

typedef struct table {
    const uint64_t (*hash)[4]; /* as given, with a step of `step` hashes */
    int64_t n, step;
    uint64_t (*sorted)[4];
    int32_t *item;  /* input position of sorted[i] */
    int32_t *start; /* BUCKETS + 1 */
} table;

typedef struct join {
    table left, right;
    bool self;
    int radius, band, n_masks;
    uint16_t mask[MOST_MASKS];
    vd_pairs part[TASKS];
    const vd_index_kern *kern;
    int64_t max_pairs;
} join;

void vd_pairs_reset(vd_pairs *p) {
    vd_mem_free(p->pair);
    *p = (vd_pairs){ 0 };
}

static unsigned band_of(const uint64_t hash[4], int band) {
    return (unsigned)(hash[band / 4] >> (band % 4 * 16)) & 0xffff;
}

static void table_free(table *t) {
    vd_mem_free(t->sorted);
    vd_mem_free(t->item);
    vd_mem_free(t->start);
    *t = (table){ 0 };
}

static vd_status table_new(table *t, const uint64_t (*hash)[4], int64_t n, int64_t step,
                           vd_err *err) {
    *t = (table){ .hash = hash, .n = n, .step = step };
    t->sorted = vd_mem_array((size_t)n, sizeof *t->sorted);
    t->item = vd_mem_array((size_t)n, sizeof *t->item);
    t->start = vd_mem_array(BUCKETS + 1, sizeof *t->start);
    return t->sorted == NULL || t->item == NULL || t->start == NULL ? vd_nomem(err) : VD_OK;
}

/* Counting sort by the value of one band; equal values stay in input order. */
static void table_sort(table *t, int band) {
    memset(t->start, 0, (BUCKETS + 1) * sizeof *t->start);
    for (int64_t i = 0; i < t->n; i++) t->start[band_of(t->hash[i * t->step], band) + 1]++;
    for (int k = 0; k < BUCKETS; k++) t->start[k + 1] += t->start[k];
    for (int64_t i = 0; i < t->n; i++) {
        const uint64_t *h = t->hash[i * t->step];
        int32_t at = t->start[band_of(h, band)]++;
        memcpy(t->sorted[at], h, sizeof t->sorted[at]);
        t->item[at] = (int32_t)i;
    }
    memmove(t->start + 1, t->start, BUCKETS * sizeof *t->start); /* ends have become starts */
    t->start[0] = 0;
}

/* Whether an earlier band has found (or will have found) the pair. */
static bool seen_before(const join *j, const uint64_t a[4], const uint64_t b[4]) {
    for (int band = 0; band < j->band; band++)
        if (__builtin_popcount(band_of(a, band) ^ band_of(b, band)) <= j->radius / BANDS)
            return true;
    return false;
}

static vd_status emit(join *j, vd_pairs *out, int32_t a, int32_t b, int distance, vd_err *err) {
    if (a == b) return VD_OK; /* a hash and its own variant */
    if (j->max_pairs > 0 && out->n >= j->max_pairs)
        return vd_fail(err, VD_E_LIMIT, "near duplicates: more than %lld pairs",
                       (long long)j->max_pairs);
    VD_TRY(VD_GROW(out->pair, out->cap, out->n + 1, err));
    out->pair[out->n++] = (vd_pair){ VD_MIN(a, b), VD_MAX(a, b), distance };
    return VD_OK;
}

/* One hash against a run of the right table. */
static vd_status against(join *j, vd_pairs *out, const uint64_t query[4], int32_t item,
                         int64_t first, int64_t end, bool all, vd_err *err) {
    int32_t hits[SCAN_MOST];
    const uint64_t(*base)[4] = all ? j->right.hash : (const uint64_t(*)[4])j->right.sorted;
    for (int64_t at = first; at < end; at += SCAN_MOST) {
        int n = (int)VD_MIN(SCAN_MOST, end - at);
        int found = j->kern->scan(hits, base + at, n, query, j->radius);
        for (int k = 0; k < found; k++) {
            const uint64_t *other = base[at + hits[k]];
            if (!all && seen_before(j, query, other)) continue;
            int32_t b = all ? (int32_t)(at + hits[k]) : j->right.item[at + hits[k]];
            VD_TRY(emit(j, out, item, b, vd_hamming(query, other), err));
        }
    }
    return VD_OK;
}

static vd_status buckets_task(void *user, int64_t i, int worker, vd_err *err) {
    join *j = user;
    (void)worker;
    const int32_t *ls = j->left.start, *rs = j->right.start;
    for (int64_t key = i * (BUCKETS / TASKS); key < (i + 1) * (BUCKETS / TASKS); key++) {
        for (int m = 0; m < j->n_masks && ls[key] < ls[key + 1]; m++) {
            int64_t other = key ^ j->mask[m];
            if (j->self && other < key) continue;
            for (int32_t a = ls[key]; a < ls[key + 1]; a++) {
                int32_t first = j->self && other == key ? a + 1 : rs[other];
                if (first >= rs[other + 1]) continue;
                VD_TRY(against(j, &j->part[i], (const uint64_t *)j->left.sorted[a], j->left.item[a],
                               first, rs[other + 1], false, err));
            }
        }
    }
    return VD_OK;
}

static vd_status all_task(void *user, int64_t i, int worker, vd_err *err) {
    join *j = user;
    (void)worker;
    for (int64_t a = i; a < j->left.n; a += TASKS)
        VD_TRY(against(j, &j->part[i], j->left.hash[a * j->left.step], (int32_t)a,
                       j->self ? a + 1 : 0, j->right.n, true, err));
    return VD_OK;
}

static void make_masks(join *j) {
    j->n_masks = 0;
    for (unsigned m = 0; m < BUCKETS; m++)
        if (__builtin_popcount(m) <= j->radius / BANDS) j->mask[j->n_masks++] = (uint16_t)m;
}

static vd_status run(join *j, bool all, vd_pool *pool, vd_err *err) {
    if (all) return vd_pool_for(pool, TASKS, all_task, j, err);
    make_masks(j);
    for (j->band = 0; j->band < BANDS; j->band++) {
        table_sort(&j->left, j->band);
        if (!j->self)
            table_sort(&j->right, j->band);
        else
            j->right = j->left;
        VD_TRY(vd_pool_for(pool, TASKS, buckets_task, j, err));
    }
    return VD_OK;
}

static int by_b(const void *x, const void *y) {
    const vd_pair *p = x, *q = y;
    return p->b != q->b ? (p->b > q->b) - (p->b < q->b)
                        : (p->distance > q->distance) - (p->distance < q->distance);
}

/* The parts in one list ordered by (a, b), each pair once with its least distance. */
static vd_status merge(vd_pairs *out, join *j, int64_t n, vd_err *err) {
    vd_pairs r = { 0 };
    int64_t total = 0, kept = 0, *at = vd_mem_array((size_t)n + 1, sizeof *at);
    vd_status st = VD_OK;
    if (at == NULL) return vd_nomem(err);
    for (int i = 0; i < TASKS; i++) total += j->part[i].n;
    if (j->max_pairs > 0 && total > j->max_pairs)
        VD_GO(vd_fail(err, VD_E_LIMIT, "near duplicates: %lld pairs, limit %lld", (long long)total,
                      (long long)j->max_pairs));
    if (total > 0) VD_GO(VD_GROW(r.pair, r.cap, total, err));
    for (int i = 0; i < TASKS; i++)
        for (int64_t k = 0; k < j->part[i].n; k++) at[j->part[i].pair[k].a + 1]++;
    for (int64_t a = 0; a < n; a++) at[a + 1] += at[a];
    for (int i = 0; i < TASKS; i++)
        for (int64_t k = 0; k < j->part[i].n; k++)
            r.pair[at[j->part[i].pair[k].a]++] = j->part[i].pair[k];
    for (int64_t first = 0, end; first < total; first = end) {
        for (end = first; end < total && r.pair[end].a == r.pair[first].a;) end++;
        qsort(r.pair + first, (size_t)(end - first), sizeof *r.pair, by_b);
        for (int64_t k = first; k < end; k++)
            if (k == first || r.pair[k].b != r.pair[k - 1].b) r.pair[kept++] = r.pair[k];
    }
    r.n = kept;
    vd_pairs_reset(out);
    *out = r;
done:
    vd_mem_free(at);
    return st;
}

static vd_status check(const vd_hamming_opt *opt, int64_t n, vd_err *err) {
    if (opt->radius < 0 || opt->radius > 255)
        return vd_fail(err, VD_E_ARG, "near duplicates: radius %d, allowed are 0 to 255",
                       opt->radius);
    if (n < 0 || n > INT32_MAX)
        return vd_fail(err, VD_E_ARG, "near duplicates: %lld hashes", (long long)n);
    return VD_OK;
}

vd_status vd_hamming_pairs_variants(vd_pairs *out, const uint64_t (*hash)[4],
                                    const uint64_t (*variant)[4], int n_variants, int64_t n,
                                    const vd_hamming_opt *opt, vd_pool *pool, vd_err *err) {
    vd_hamming_opt o = opt != NULL ? *opt : (vd_hamming_opt)VD_HAMMING_OPT;
    VD_TRY(check(&o, n, err));
    vd_status st = VD_OK;
    bool self = variant == NULL;
    bool all =
        n < (o.all_below > 0 ? o.all_below : ALL_BELOW) || o.radius / BANDS > MOST_DIFFERENCES;
    uint64_t(*copy)[4] = NULL;
    join *j = vd_mem_array(1, sizeof *j);
    if (j == NULL) return vd_nomem(err);
    j->self = self;
    j->radius = o.radius;
    j->max_pairs = o.max_pairs;
    j->kern = vd_index_kern_for(vd_cpu_features());
    VD_GO(table_new(&j->left, hash, n, 1, err));
    if (!self && (copy = vd_mem_array((size_t)n, sizeof *copy)) == NULL) VD_GO(vd_nomem(err));
    if (self)
        j->right = j->left;
    else
        VD_GO(table_new(&j->right, (const uint64_t(*)[4])copy, n, 1, err));
    for (int v = 0; v < (self ? 1 : n_variants); v++) {
        for (int64_t i = 0; !self && i < n; i++)
            memcpy(copy[i], variant[i * n_variants + v], sizeof copy[i]);
        VD_GO(run(j, all, pool, err));
    }
    VD_GO(merge(out, j, n, err));
done:
    for (int i = 0; i < TASKS; i++) vd_pairs_reset(&j->part[i]);
    if (!self) table_free(&j->right);
    table_free(&j->left);
    vd_mem_free(copy);
    vd_mem_free(j);
    return st;
}

vd_status vd_hamming_pairs(vd_pairs *out, const uint64_t (*hash)[4], int64_t n,
                           const vd_hamming_opt *opt, vd_pool *pool, vd_err *err) {
    return vd_hamming_pairs_variants(out, hash, NULL, 0, n, opt, pool, err);
}
