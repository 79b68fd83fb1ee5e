/* Spherical k-means, and a balanced choice from a hierarchy of clusters. SPDX-License-Identifier:
 * Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/pool.h"
#include "base/rng.h"
#include "index/choose.h"

enum { TILE = 64 };

/* int8 rows as floats of unit length; float ones as they are (borrowed). */
static vd_status as_floats(vd_vectors *own, const vd_vectors **use, const vd_vectors *v,
                           vd_err *err) {
    *use = v;
    if (v->i8 == NULL) return VD_OK;
    float *row = vd_mem_array((size_t)v->n, (size_t)v->dim * sizeof *row);
    if (row == NULL) return vd_nomem(err);
    for (int64_t i = 0; i < v->n; i++)
        for (int d = 0; d < v->dim; d++) row[i * v->dim + d] = v->i8[i * v->stride + d];
    vd_status st = vd_vectors_f32(own, row, v->n, v->dim, err);
    vd_mem_free(row);
    *use = own;
    return st;
}

typedef struct kmeans {
    const vd_vectors *v;
    vd_vectors *centre;
    int32_t *label, *size, *order; /* of the items: by cluster, then position */
    float *cosine;                 /* of an item to its centre */
} kmeans;

/* The most similar centre of each item of a tile, the first of equals. */
static vd_status assign_task(void *user, int64_t tile, int worker, vd_err *err) {
    kmeans *m = user;
    float cosine[TILE * TILE];
    int64_t a = tile * TILE;
    int na = (int)VD_MIN(TILE, m->v->n - a);
    (void)worker;
    (void)err;
    for (int i = 0; i < na; i++) m->cosine[a + i] = -2;
    for (int64_t b = 0; b < m->centre->n; b += TILE) {
        int nb = (int)VD_MIN(TILE, m->centre->n - b);
        vd_vectors_cosines(cosine, TILE, m->v, a, na, m->centre, b, nb);
        for (int i = 0; i < na; i++)
            for (int k = 0; k < nb; k++)
                if (cosine[i * TILE + k] > m->cosine[a + i]) {
                    m->cosine[a + i] = cosine[i * TILE + k];
                    m->label[a + i] = (int32_t)(b + k);
                }
    }
    return VD_OK;
}

/* Counting sort by label. */
static void sort_by_label(kmeans *m) {
    int64_t k = m->centre->n;
    memset(m->size, 0, ((size_t)k + 1) * sizeof *m->size);
    for (int64_t i = 0; i < m->v->n; i++) m->size[m->label[i] + 1]++;
    for (int64_t c = 0; c < k; c++) m->size[c + 1] += m->size[c];
    for (int64_t i = 0; i < m->v->n; i++) m->order[m->size[m->label[i]]++] = (int32_t)i;
    memmove(m->size + 1, m->size, (size_t)k * sizeof *m->size); /* ends have become starts */
    m->size[0] = 0;
}

/* An empty cluster takes the item that is least like its own centre, from a cluster that has
 * others. */
static void fill_empty(kmeans *m) {
    for (int32_t c = 0; c < m->centre->n; c++) {
        if (m->size[c + 1] > m->size[c]) continue;
        int64_t worst = -1;
        for (int64_t i = 0; i < m->v->n; i++) {
            int32_t of = m->label[i];
            if (m->size[of + 1] - m->size[of] < 2) continue;
            if (worst < 0 || m->cosine[i] < m->cosine[worst]) worst = i;
        }
        if (worst < 0) return;
        m->label[worst] = c;
        m->cosine[worst] = 1;
        sort_by_label(m);
    }
}

/* The mean of a cluster's items, in order of position, scaled to unit length. */
static vd_status centre_task(void *user, int64_t c, int worker, vd_err *err) {
    kmeans *m = user;
    int dim = m->v->dim;
    (void)worker;
    if (m->size[c] == m->size[c + 1]) return VD_OK; /* fewer different items than clusters */
    double *sum = vd_mem_array((size_t)dim, sizeof *sum), length = 0;
    if (sum == NULL) return vd_nomem(err);
    for (int32_t at = m->size[c]; at < m->size[c + 1]; at++) {
        const float *row = m->v->f32 + (int64_t)m->order[at] * m->v->stride;
        for (int d = 0; d < dim; d++) sum[d] += row[d];
    }
    for (int d = 0; d < dim; d++) length += sum[d] * sum[d];
    double scale = length > 0 ? 1 / sqrt(length) : 0;
    for (int d = 0; d < dim; d++) m->centre->f32[c * m->v->stride + d] = (float)(sum[d] * scale);
    vd_mem_free(sum);
    return VD_OK;
}

/* k different items, at random. */
static vd_status start_at(vd_vectors *centre, const vd_vectors *v, int k, uint64_t seed,
                          vd_err *err) {
    int32_t *order = vd_mem_array((size_t)v->n, sizeof *order);
    if (order == NULL) return vd_nomem(err);
    vd_rng r = vd_rng_for(seed, 0, (uint64_t)k);
    for (int64_t i = 0; i < v->n; i++) order[i] = (int32_t)i;
    for (int64_t i = 0; i < k; i++) {
        int64_t at = i + vd_rng_int(&r, v->n - i);
        int32_t t = order[i];
        order[i] = order[at];
        order[at] = t;
    }
    vd_status st = vd_vectors_take(centre, v, order, k, err);
    vd_mem_free(order);
    return st;
}

static vd_status lloyd(kmeans *m, int rounds, vd_pool *pool, vd_err *err) {
    int64_t tiles = (m->v->n + TILE - 1) / TILE;
    for (int round = 0;; round++) {
        VD_TRY(vd_pool_for(pool, tiles, assign_task, m, err));
        sort_by_label(m);
        fill_empty(m);
        if (round == rounds) return VD_OK;
        VD_TRY(vd_pool_for(pool, m->centre->n, centre_task, m, err));
    }
}

/* `cosine` NULL or [n]: of each item to its centre. */
static vd_status cluster(int32_t *label, float *cosine, vd_vectors *centre, const vd_vectors *v,
                         int k, int rounds, uint64_t seed, vd_pool *pool, vd_err *err) {
    vd_status st = VD_OK;
    size_t n = (size_t)v->n;
    vd_vectors made = { 0 };
    kmeans m = { v, &made, NULL, NULL, NULL, NULL };
    m.label = vd_mem_array(n, sizeof *m.label);
    m.order = vd_mem_array(n, sizeof *m.order);
    m.cosine = vd_mem_array(n, sizeof *m.cosine);
    m.size = vd_mem_array((size_t)k + 1, sizeof *m.size);
    if (m.label == NULL || m.order == NULL || m.cosine == NULL || m.size == NULL)
        VD_GO(vd_nomem(err));
    VD_GO(start_at(&made, v, k, seed, err));
    VD_GO(lloyd(&m, rounds, pool, err));
    memcpy(label, m.label, n * sizeof *label);
    if (cosine != NULL) memcpy(cosine, m.cosine, n * sizeof *cosine);
    vd_vectors_reset(centre);
    *centre = made;
    made = (vd_vectors){ 0 };
done:
    vd_vectors_reset(&made);
    vd_mem_free(m.label);
    vd_mem_free(m.order);
    vd_mem_free(m.cosine);
    vd_mem_free(m.size);
    return st;
}

vd_status vd_kmeans(int32_t *label, vd_vectors *centre, const vd_vectors *v, int k, int rounds,
                    uint64_t seed, vd_pool *pool, vd_err *err) {
    vd_vectors own = { 0 };
    const vd_vectors *use = NULL;
    if (k < 1 || k > v->n || rounds < 0)
        return vd_fail(err, VD_E_ARG, "clusters: %d of %lld items in %d rounds", k, (long long)v->n,
                       rounds);
    vd_status st = as_floats(&own, &use, v, err);
    if (st == VD_OK) st = cluster(label, NULL, centre, use, k, rounds, seed, pool, err);
    vd_vectors_reset(&own);
    return st;
}

/* ---- balance ---- */

void vd_share_evenly(int64_t *share, const int64_t *cap, int64_t n, int64_t count) {
    memset(share, 0, (size_t)n * sizeof *share);
    while (count > 0) { /* every round fills a part up, or is the last but one */
        int64_t open = 0, each;
        for (int64_t i = 0; i < n; i++) open += share[i] < cap[i];
        if (open == 0) return;
        each = VD_MAX(count / open, 1);
        for (int64_t i = 0; i < n && count > 0; i++) {
            int64_t more = VD_MIN(VD_MIN(each, cap[i] - share[i]), count);
            share[i] += more;
            count -= more;
        }
    }
}

enum { MAX_LEVELS = 8 };

/* Level 0 are the items, level l their clusters, whose members are of level l - 1. */
typedef struct tree {
    int levels;
    int64_t n[MAX_LEVELS + 1];
    int32_t *label[MAX_LEVELS]; /* the cluster, one level up */
    int64_t *items[MAX_LEVELS + 1];
    float *cosine; /* of items to their lowest centres */
} tree;

static void tree_reset(tree *t) {
    for (int l = 0; l < MAX_LEVELS; l++) vd_mem_free(t->label[l]);
    for (int l = 0; l <= MAX_LEVELS; l++) vd_mem_free(t->items[l]);
    vd_mem_free(t->cosine);
}

/* How many items lie below each cluster. */
static vd_status count_items(tree *t, int level, vd_err *err) {
    t->items[level] = vd_mem_array((size_t)t->n[level], sizeof *t->items[level]);
    if (t->items[level] == NULL) return vd_nomem(err);
    for (int64_t i = 0; i < t->n[level]; i++) t->items[level][i] = level == 0;
    for (int64_t i = 0; level > 0 && i < t->n[level - 1]; i++)
        t->items[level][t->label[level - 1][i]] += t->items[level - 1][i];
    return VD_OK;
}

static vd_status grow(tree *t, const vd_vectors *v, const vd_balance_opt *o, vd_pool *pool,
                      vd_err *err) {
    vd_status st = VD_OK;
    vd_vectors below = { 0 }, centre = { 0 };
    double branch = o->branch > 0 ? o->branch : pow((double)v->n, 1.0 / (o->levels + 1));
    t->n[0] = v->n;
    t->cosine = vd_mem_array((size_t)v->n, sizeof *t->cosine);
    if (t->cosine == NULL) VD_GO(vd_nomem(err));
    VD_GO(count_items(t, 0, err));
    for (int l = 0; l < o->levels; l++) {
        int64_t k = VD_MAX((int64_t)ceil((double)t->n[l] / VD_MAX(branch, 2)), 1);
        t->label[l] = vd_mem_array((size_t)t->n[l], sizeof *t->label[l]);
        if (t->label[l] == NULL) VD_GO(vd_nomem(err));
        VD_GO(cluster(t->label[l], l == 0 ? t->cosine : NULL, &centre, l == 0 ? v : &below, (int)k,
                      o->rounds, o->seed + (uint64_t)l, pool, err));
        vd_vectors_reset(&below);
        below = centre;
        centre = (vd_vectors){ 0 };
        t->n[l + 1] = k;
        t->levels = l + 1;
        VD_GO(count_items(t, l + 1, err));
    }
done:
    vd_vectors_reset(&below);
    vd_vectors_reset(&centre);
    return st;
}

/* Members of a level by cluster: member[start[c] .. start[c + 1]). */
static void members_of(int32_t *member, int64_t *start, const int32_t *label, int64_t n,
                       int64_t clusters) {
    memset(start, 0, ((size_t)clusters + 2) * sizeof *start);
    for (int64_t i = 0; i < n; i++) start[label[i] + 2]++;
    for (int64_t c = 0; c <= clusters; c++) start[c + 1] += start[c];
    for (int64_t i = 0; i < n; i++) member[start[label[i] + 1]++] = (int32_t)i;
}

/* From the shares of clusters to those of their members, one level down. */
static vd_status share_down(int64_t **share, const tree *t, int level, vd_err *err) {
    vd_status st = VD_OK;
    int64_t n = t->n[level - 1], k = t->n[level];
    int32_t *member = vd_mem_array((size_t)n, sizeof *member);
    int64_t *start = vd_mem_array((size_t)k + 2, sizeof *start),
            *cap = vd_mem_array((size_t)n, sizeof *cap),
            *part = vd_mem_array((size_t)n, sizeof *part),
            *below = vd_mem_array((size_t)n, sizeof *below);
    if (member == NULL || start == NULL || cap == NULL || part == NULL || below == NULL)
        VD_GO(vd_nomem(err));
    members_of(member, start, t->label[level - 1], n, k);
    for (int64_t c = 0; c < k; c++) {
        int64_t size = start[c + 1] - start[c];
        for (int64_t i = 0; i < size; i++) cap[i] = t->items[level - 1][member[start[c] + i]];
        vd_share_evenly(part, cap, size, (*share)[c]);
        for (int64_t i = 0; i < size; i++) below[member[start[c] + i]] = part[i];
    }
    vd_mem_free(*share);
    *share = below;
    below = NULL;
done:
    vd_mem_free(member);
    vd_mem_free(start);
    vd_mem_free(cap);
    vd_mem_free(part);
    vd_mem_free(below);
    return st;
}

typedef struct ranked {
    int32_t cluster, item;
    float cosine;
} ranked;

static int by_rank(const void *a, const void *b) {
    const ranked *p = a, *q = b;
    if (p->cluster != q->cluster) return p->cluster < q->cluster ? -1 : 1;
    if (p->cosine != q->cosine) return p->cosine > q->cosine ? -1 : 1;
    return (p->item > q->item) - (p->item < q->item);
}

/* Of each lowest cluster the items most like its centre, share[c] of them. */
static vd_status take_middles(int32_t *chosen, const tree *t, const int64_t *share, vd_err *err) {
    ranked *r = vd_mem_array((size_t)t->n[0], sizeof *r);
    if (r == NULL) return vd_nomem(err);
    for (int64_t i = 0; i < t->n[0]; i++)
        r[i] = (ranked){ t->label[0][i], (int32_t)i, t->cosine[i] };
    qsort(r, (size_t)t->n[0], sizeof *r, by_rank);
    int64_t done = 0, first = 0;
    for (int64_t i = 0; i < t->n[0]; i++) {
        if (r[i].cluster != r[first].cluster) first = i;
        if (i - first < share[r[i].cluster]) chosen[done++] = r[i].item;
    }
    vd_mem_free(r);
    return VD_OK;
}

static vd_status choose_balanced(int32_t *chosen, const tree *t, int64_t count, vd_err *err) {
    vd_status st = VD_OK;
    int top = t->levels;
    int64_t *share = vd_mem_array((size_t)t->n[top], sizeof *share);
    if (share == NULL) return vd_nomem(err);
    vd_share_evenly(share, t->items[top], t->n[top], count);
    for (int l = top; l > 1; l--) VD_GO(share_down(&share, t, l, err));
    st = take_middles(chosen, t, share, err);
done:
    vd_mem_free(share);
    return st;
}

vd_status vd_balance(int32_t *chosen, const vd_vectors *v, int64_t count, const vd_balance_opt *opt,
                     vd_pool *pool, vd_err *err) {
    vd_balance_opt o = opt != NULL ? *opt : (vd_balance_opt)VD_BALANCE_OPT;
    vd_status st = VD_OK;
    vd_vectors own = { 0 };
    const vd_vectors *use = NULL;
    tree t = { 0 };
    if (count < 0 || count > v->n)
        return vd_fail(err, VD_E_ARG, "choice: %lld of %lld items", (long long)count,
                       (long long)v->n);
    if (o.levels < 1 || o.levels > MAX_LEVELS || o.branch < 0 || o.rounds < 0)
        return vd_fail(err, VD_E_ARG, "choice: %d levels of clusters, allowed are 1 to %d",
                       o.levels, MAX_LEVELS);
    if (count == 0) return VD_OK;
    VD_GO(as_floats(&own, &use, v, err));
    VD_GO(grow(&t, use, &o, pool, err));
    st = choose_balanced(chosen, &t, count, err);
done:
    tree_reset(&t);
    vd_vectors_reset(&own);
    return st;
}
