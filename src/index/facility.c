/* Facility location. SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/rng.h"
#include "index/choose.h"
#include "index/kern.h"
#include "index/lazy.h"

enum {
    STEPS = 32767, /* cosines are kept in steps of 1 / STEPS */
    TILE = 64,     /* rows and columns of the table that are made at a time */
};

/* cos[i][k]: how much choosing candidate i does for client k. */
typedef struct table {
    const vd_vectors *rows, *cols;
    bool square; /* both are the same items: half of it follows from the other half */
    uint16_t *cos;
} table;

static uint16_t in_steps(float cosine) {
    return (uint16_t)(VD_MAX(cosine, 0.0f) * STEPS + 0.5f);
}

/* Whole rows of a tile at a time: the columns of a large table lie in the same few cache lines. */
static void fill_tile(table *t, int64_t a, int na, int64_t b, int nb) {
    float cosine[TILE * TILE];
    uint16_t steps[TILE * TILE], turned[TILE];
    int64_t n = t->cols->n;
    vd_vectors_cosines(cosine, TILE, t->rows, a, na, t->cols, b, nb);
    for (int i = 0; i < na; i++) {
        for (int k = 0; k < nb; k++) steps[i * TILE + k] = in_steps(cosine[i * TILE + k]);
        memcpy(t->cos + (a + i) * n + b, steps + i * TILE, (size_t)nb * sizeof *steps);
    }
    for (int k = 0; t->square && k < nb; k++) {
        for (int i = 0; i < na; i++) turned[i] = steps[i * TILE + k];
        memcpy(t->cos + (b + k) * n + a, turned, (size_t)na * sizeof *turned);
    }
}

static vd_status fill_task(void *user, int64_t i, int worker, vd_err *err) {
    table *t = user;
    int64_t a = i * TILE;
    (void)worker;
    (void)err;
    for (int64_t b = t->square ? a : 0; b < t->cols->n; b += TILE)
        fill_tile(t, a, (int)VD_MIN(TILE, t->rows->n - a), b, (int)VD_MIN(TILE, t->cols->n - b));
    return VD_OK;
}

static vd_status table_init(table *t, const vd_vectors *rows, const vd_vectors *cols, vd_pool *pool,
                            vd_err *err) {
    *t = (table){ rows, cols, rows == cols, NULL };
    t->cos = vd_mem_aligned((size_t)rows->n * (size_t)cols->n * sizeof *t->cos);
    if (t->cos == NULL) return vd_nomem(err);
    return vd_pool_for(pool, (rows->n + TILE - 1) / TILE, fill_task, t, err);
}

/* ---- greedy over a table ---- */

typedef struct greedy {
    const table *t;
    const vd_index_kern *kern;
    uint16_t *best; /* of each client */
} greedy;

static double worth(void *user, int32_t item) {
    const greedy *g = user;
    int64_t n = g->t->cols->n;
    return (double)g->kern->gain(g->t->cos + item * n, g->best, n);
}

/* chosen[count] are rows of the table, gain[count] NULL or in steps. */
static vd_status choose(int32_t *chosen, double *gain, const table *t, int64_t count, vd_pool *pool,
                        vd_err *err) {
    vd_status st = VD_OK;
    vd_lazy lazy = { 0 };
    int64_t n = t->cols->n;
    greedy g = { t, vd_index_kern_for(vd_cpu_features()), vd_mem_array((size_t)n, 2) };
    if (g.best == NULL) return vd_nomem(err);
    VD_GO(vd_lazy_init(&lazy, t->rows->n, worth, &g, pool, err));
    for (int64_t i = 0; i < count; i++) {
        VD_GO(vd_lazy_next(&lazy, &chosen[i], gain != NULL ? &gain[i] : NULL, err));
        const uint16_t *row = t->cos + chosen[i] * n;
        for (int64_t k = 0; k < n; k++) g.best[k] = VD_MAX(g.best[k], row[k]);
    }
done:
    vd_lazy_reset(&lazy);
    vd_mem_free(g.best);
    return st;
}

/* ---- in parts ---- */

/* A random order of 0 .. n-1. */
static vd_status shuffle(int32_t **out, int64_t n, uint64_t seed, uint64_t stream, vd_err *err) {
    int32_t *order = vd_mem_array((size_t)n, sizeof *order);
    if (order == NULL) return vd_nomem(err);
    vd_rng r = vd_rng_for(seed, stream, 0);
    for (int64_t i = 0; i < n; i++) {
        int64_t at = vd_rng_int(&r, i + 1);
        order[i] = order[at];
        order[at] = (int32_t)i;
    }
    *out = order;
    return VD_OK;
}

static int by_number(const void *a, const void *b) {
    const int32_t *p = a, *q = b;
    return (*p > *q) - (*p < *q);
}

/* What one part chooses for itself, as positions among all items. */
static vd_status choose_part(int32_t *chosen, const vd_vectors *v, int32_t *item, int64_t n,
                             int64_t count, vd_pool *pool, vd_err *err) {
    vd_status st = VD_OK;
    vd_vectors part = { 0 };
    table t = { 0 };
    qsort(item, (size_t)n, sizeof *item, by_number); /* so that ties go to the lower position */
    VD_GO(vd_vectors_take(&part, v, item, n, err));
    VD_GO(table_init(&t, &part, &part, pool, err));
    VD_GO(choose(chosen, NULL, &t, count, pool, err));
    for (int64_t i = 0; i < count; i++) chosen[i] = item[chosen[i]];
done:
    vd_mem_free(t.cos);
    vd_vectors_reset(&part);
    return st;
}

/* How the items are cut up. */
typedef struct cut {
    int64_t parts, share; /* each chooses so many */
    int64_t clients;      /* of the last choice */
} cut;

static cut cut_of(int64_t n, int64_t count, const vd_facility_opt *o) {
    cut c = { .parts = (n + o->part - 1) / o->part };
    int64_t most = (n + c.parts - 1) / c.parts, needed = (count + c.parts - 1) / c.parts;
    int64_t fit = o->bytes / 2 / VD_MAX(n, 1) / c.parts;
    c.share = VD_MIN(most, VD_MAX(fit, 2 * needed));
    c.clients = VD_CLAMP(o->bytes / 2 / VD_MAX(c.share * c.parts, 1), 1, n);
    return c;
}

/* The choice among `candidate` that is best for all, or for a sample of all. */
static vd_status choose_last(int32_t *chosen, double *gain, const vd_vectors *v,
                             const int32_t *candidate, int64_t n, int64_t clients, int64_t count,
                             uint64_t seed, vd_pool *pool, vd_err *err) {
    vd_status st = VD_OK;
    vd_vectors rows = { 0 }, cols = { 0 };
    int32_t *sample = NULL;
    table t = { 0 };
    VD_GO(vd_vectors_take(&rows, v, candidate, n, err));
    if (clients < v->n) {
        VD_GO(shuffle(&sample, v->n, seed, 1, err));
        VD_GO(vd_vectors_take(&cols, v, sample, clients, err));
    }
    VD_GO(table_init(&t, &rows, clients < v->n ? &cols : v, pool, err));
    VD_GO(choose(chosen, gain, &t, count, pool, err));
    for (int64_t i = 0; i < count; i++) chosen[i] = candidate[chosen[i]];
    for (int64_t i = 0; gain != NULL && i < count; i++) gain[i] /= (double)clients * STEPS;
done:
    vd_mem_free(t.cos);
    vd_mem_free(sample);
    vd_vectors_reset(&rows);
    vd_vectors_reset(&cols);
    return st;
}

static vd_status in_parts(int32_t *chosen, double *gain, const vd_vectors *v, int64_t count,
                          const vd_facility_opt *o, vd_pool *pool, vd_err *err) {
    vd_status st = VD_OK;
    int32_t *order = NULL, *candidate = NULL;
    int64_t n = 0;
    cut c = cut_of(v->n, count, o);
    VD_GO(shuffle(&order, v->n, o->seed, 0, err));
    candidate = vd_mem_array((size_t)(c.parts * c.share), sizeof *candidate);
    if (candidate == NULL) VD_GO(vd_nomem(err));
    for (int64_t p = 0; p < c.parts; p++) {
        int64_t from = v->n * p / c.parts, to = v->n * (p + 1) / c.parts;
        int64_t share = VD_MIN(c.share, to - from);
        VD_GO(choose_part(candidate + n, v, order + from, to - from, share, pool, err));
        n += share;
    }
    qsort(candidate, (size_t)n, sizeof *candidate, by_number);
    st = choose_last(chosen, gain, v, candidate, n, c.clients, count, o->seed, pool, err);
done:
    vd_mem_free(order);
    vd_mem_free(candidate);
    return st;
}

vd_status vd_facility(int32_t *chosen, double *gain, const vd_vectors *v, int64_t count,
                      const vd_facility_opt *opt, vd_pool *pool, vd_err *err) {
    vd_facility_opt o = opt != NULL ? *opt : (vd_facility_opt)VD_FACILITY_OPT;
    if (count < 0 || count > v->n)
        return vd_fail(err, VD_E_ARG, "choice: %lld of %lld items", (long long)count,
                       (long long)v->n);
    if (o.part < 1 || o.bytes < 1)
        return vd_fail(err, VD_E_ARG, "choice: parts of %lld items, %lld bytes", (long long)o.part,
                       (long long)o.bytes);
    if (count == 0) return VD_OK;
    if (v->n > o.exact) return in_parts(chosen, gain, v, count, &o, pool, err);
    table t = { 0 };
    vd_status st = table_init(&t, v, v, pool, err);
    if (st == VD_OK) st = choose(chosen, gain, &t, count, pool, err);
    for (int64_t i = 0; st == VD_OK && gain != NULL && i < count; i++)
        gain[i] /= (double)v->n * STEPS;
    vd_mem_free(t.cos);
    return st;
}

/* ---- the objective ---- */

typedef struct valuing {
    const vd_vectors *v, *chosen;
    int64_t *sum; /* of each block */
} valuing;

static vd_status value_task(void *user, int64_t block, int worker, vd_err *err) {
    valuing *s = user;
    float cosine[TILE * TILE];
    uint16_t best[TILE] = { 0 };
    int64_t a = block * TILE;
    int na = (int)VD_MIN(TILE, s->v->n - a);
    (void)worker;
    (void)err;
    for (int64_t b = 0; b < s->chosen->n; b += TILE) {
        int nb = (int)VD_MIN(TILE, s->chosen->n - b);
        vd_vectors_cosines(cosine, TILE, s->v, a, na, s->chosen, b, nb);
        for (int i = 0; i < na; i++)
            for (int k = 0; k < nb; k++) best[i] = VD_MAX(best[i], in_steps(cosine[i * TILE + k]));
    }
    for (int i = 0; i < na; i++) s->sum[block] += best[i];
    return VD_OK;
}

vd_status vd_facility_value(double *value, const vd_vectors *v, const int32_t *chosen,
                            int64_t count, vd_pool *pool, vd_err *err) {
    vd_status st = VD_OK;
    vd_vectors centres = { 0 };
    int64_t blocks = (v->n + TILE - 1) / TILE, sum = 0;
    int64_t *part = vd_mem_array((size_t)blocks, sizeof *part);
    if (part == NULL) return vd_nomem(err);
    VD_GO(vd_vectors_take(&centres, v, chosen, count, err));
    valuing s = { v, &centres, part };
    VD_GO(vd_pool_for(pool, blocks, value_task, &s, err));
    for (int64_t i = 0; i < blocks; i++) sum += part[i];
    *value = v->n > 0 ? (double)sum / ((double)v->n * STEPS) : 0;
done:
    vd_vectors_reset(&centres);
    vd_mem_free(part);
    return st;
}
