/* Rotations of all images, the pairs that agree with them, the parts they make.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sets.h"
#include "geometry/rigid.h"
#include "global/global_int.h"
#include "global/rotations.h"
#include "sfm/view_graph.h"

static const double DISAGREES_RAD = 0.1745; /* a pair that is dropped */
static const double CLOSES_RAD = 0.087;     /* around a triangle of good pairs */
enum { ROUNDS = 3, ENOUGH_TRIANGLES = 3, LEAST_MATCHES = 15 };

/* Pairs with a rotation. Those that close triangles are first in the spanning tree, then those with
 * many matches. */
static vd_status list_edges(vd_rotation_edge *edge, int32_t *pair_of, int64_t *n,
                            const vd_global *all, vd_err *err) {
    vd_status st = VD_OK;
    vd_triangles *t = vd_mem_array((size_t)VD_MAX(all->in.n_pairs, 1), sizeof *t);
    if (t == NULL) VD_GO(vd_nomem(err));
    VD_GO(vd_view_graph_triangles(t, &all->in, all->kept, CLOSES_RAD, ENOUGH_TRIANGLES, err));
    *n = 0;
    for (int32_t k = 0; k < all->in.n_pairs; k++) {
        const vd_sfm_pair *p = &all->pair[k];
        if (!all->kept[k]) continue;
        double weight = 1 + p->n + 1e9 * t[k].closed;
        pair_of[*n] = k;
        edge[(*n)++] =
            (vd_rotation_edge){ p->a, p->b, vd_quat_unit(p->geometry.cam2_from_cam1.q), weight };
    }
done:
    vd_mem_free(t);
    return st;
}

static bool has_rotation(const vd_sfm_pair *p) {
    switch (p->geometry.config) {
    case VD_TWO_VIEW_CALIBRATED:
    case VD_TWO_VIEW_PLANAR:
    case VD_TWO_VIEW_PANORAMIC: return p->n >= LEAST_MATCHES;
    default: return false;
    }
}

/* Averages, drops what disagrees, and again, since what was dropped had pulled. */
static vd_status average(vd_global *g, vd_rotation_edge *edge, int32_t *pair_of, vd_pool *pool,
                         vd_err *err) {
    int64_t n, dropped = 1;
    for (int round = 0; round < ROUNDS && dropped > 0; round++) {
        VD_TRY(list_edges(edge, pair_of, &n, g, err));
        VD_TRY(vd_rotations_average(g->rotation, g->in.n_images, edge, n, NULL, pool, err));
        dropped = 0;
        for (int64_t k = 0; k < n; k++) {
            if (vd_rotation_error_rad(g->rotation, &edge[k]) <= DISAGREES_RAD) continue;
            g->kept[pair_of[k]] = 0;
            dropped++;
        }
    }
    return VD_OK;
}

typedef struct sized {
    int32_t images, part;
} sized;

static int by_size(const void *a, const void *b) {
    const sized *p = a, *q = b;
    if (p->images != q->images) return p->images > q->images ? -1 : 1;
    return (p->part > q->part) - (p->part < q->part);
}

static vd_status list_parts(vd_global *g, vd_err *err) {
    int32_t n = g->in.n_images;
    sized *s = vd_mem_array((size_t)VD_MAX(n, 1), sizeof *s);
    if (s == NULL) return vd_nomem(err);
    for (int32_t i = 0; i < n; i++) g->part[i] = i;
    for (int32_t k = 0; k < g->in.n_pairs; k++)
        if (g->kept[k]) vd_sets_join(g->part, g->pair[k].a, g->pair[k].b);
    for (int32_t i = 0; i < n; i++) s[i].part = i;
    for (int32_t i = 0; i < n; i++) s[g->part[i] = vd_sets_root(g->part, i)].images++;
    qsort(s, (size_t)n, sizeof *s, by_size);
    for (g->n_parts = 0; g->n_parts < n && s[g->n_parts].images > 1; g->n_parts++)
        g->order[g->n_parts] = s[g->n_parts].part;
    vd_mem_free(s);
    return VD_OK;
}

vd_status vd_global_parts(vd_global *g, vd_pool *pool, vd_err *err) {
    vd_status st = VD_OK;
    size_t images = (size_t)VD_MAX(g->in.n_images, 1), pairs = (size_t)VD_MAX(g->in.n_pairs, 1);
    vd_rotation_edge *edge = vd_mem_alloc(pairs * sizeof *edge);
    int32_t *pair_of = vd_mem_alloc(pairs * sizeof *pair_of);
    g->kept = vd_mem_array(pairs, 1);
    g->rotation = vd_mem_alloc(images * sizeof *g->rotation);
    g->part = vd_mem_alloc(images * sizeof *g->part);
    g->order = vd_mem_alloc(images * sizeof *g->order);
    if (edge == NULL || pair_of == NULL || g->kept == NULL || g->rotation == NULL ||
        g->part == NULL || g->order == NULL)
        VD_GO(vd_nomem(err));
    VD_GO(vd_view_graph_trust(g->kept, &g->in, err));
    for (int32_t k = 0; k < g->in.n_pairs; k++) g->kept[k] &= has_rotation(&g->pair[k]);
    VD_GO(average(g, edge, pair_of, pool, err));
    VD_GO(list_parts(g, err));
done:
    vd_mem_free(edge);
    vd_mem_free(pair_of);
    return st;
}
