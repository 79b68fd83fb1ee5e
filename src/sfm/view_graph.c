/* Pairs and triangles. SPDX-License-Identifier: Apache-2.0 */
#include "sfm/view_graph.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/sets.h"
#include "geometry/rigid.h"

/* A focal length that is wrong by half bends rotations by several degrees. */
static const double CLOSED_RAD = 0.2;
enum { MOST_TRIANGLES = 64, FIRST_ROUND = 20, SECOND_ROUND = 4 };

typedef struct edge {
    int32_t to, pair;
} edge;

typedef struct graph {
    int32_t *start; /* [n_images + 1] */
    edge *edge;     /* by neighbour */
} graph;

static int by_neighbour(const void *a, const void *b) {
    const edge *p = a, *q = b;
    if (p->to != q->to) return p->to < q->to ? -1 : 1;
    return (p->pair > q->pair) - (p->pair < q->pair);
}

static vd_status make_graph(graph *g, const vd_sfm_input *in, const uint8_t *trusted, vd_err *err) {
    g->start = vd_mem_array((size_t)in->n_images + 2, sizeof *g->start);
    g->edge = vd_mem_alloc(((size_t)in->n_pairs * 2 + 1) * sizeof *g->edge);
    if (g->start == NULL || g->edge == NULL) return vd_nomem(err);
    for (int32_t k = 0; k < in->n_pairs; k++) {
        if (!trusted[k]) continue;
        g->start[in->pair[k].a + 2]++;
        g->start[in->pair[k].b + 2]++;
    }
    for (int32_t i = 0; i < in->n_images; i++) g->start[i + 2] += g->start[i + 1];
    for (int32_t k = 0; k < in->n_pairs; k++) {
        if (!trusted[k]) continue;
        const vd_sfm_pair *p = &in->pair[k];
        g->edge[g->start[p->a + 1]++] = (edge){ p->b, k };
        g->edge[g->start[p->b + 1]++] = (edge){ p->a, k };
    }
    for (int32_t i = 0; i < in->n_images; i++)
        qsort(g->edge + g->start[i], (size_t)(g->start[i + 1] - g->start[i]), sizeof *g->edge,
              by_neighbour);
    return VD_OK;
}

/* The rotation of a pair from image `from` to the other one. */
static vd_quat turn(const vd_sfm_input *in, int32_t pair, int32_t from) {
    vd_quat q = in->pair[pair].geometry.cam2_from_cam1.q;
    return in->pair[pair].a == from ? q : vd_quat_conj(q);
}

static vd_triangles look_around(const vd_sfm_input *in, const graph *g, int32_t pair,
                                double closed_rad, int enough) {
    int32_t a = in->pair[pair].a, b = in->pair[pair].b;
    int32_t i = g->start[a], k = g->start[b];
    vd_triangles t = { 0, 0 };
    while (i < g->start[a + 1] && k < g->start[b + 1] && t.seen < MOST_TRIANGLES) {
        int32_t c = g->edge[i].to, d = g->edge[k].to;
        if (c != d) {
            c < d ? i++ : k++;
            continue;
        }
        /* to c by way of b, and at once */
        vd_quat around = vd_quat_mul(turn(in, g->edge[k].pair, b), turn(in, pair, a));
        t.seen++;
        t.closed += vd_quat_angle_rad(around, turn(in, g->edge[i].pair, a)) < closed_rad;
        if (t.closed >= enough) break;
        i++;
        k++;
    }
    return t;
}

vd_status vd_view_graph_triangles(vd_triangles *out, const vd_sfm_input *in, const uint8_t *counts,
                                  double closed_rad, int enough, vd_err *err) {
    vd_status st = VD_OK;
    graph g = { 0 };
    VD_GO(make_graph(&g, in, counts, err));
    for (int32_t k = 0; k < in->n_pairs; k++)
        out[k] = counts[k] ? look_around(in, &g, k, closed_rad, enough) : (vd_triangles){ 0, 0 };
done:
    vd_mem_free(g.start);
    vd_mem_free(g.edge);
    return st;
}

static vd_status sift(uint8_t *trusted, const vd_sfm_input *in, int many, vd_err *err) {
    vd_triangles *t = vd_mem_array((size_t)VD_MAX(in->n_pairs, 1), sizeof *t);
    if (t == NULL) return vd_nomem(err);
    vd_status st = vd_view_graph_triangles(t, in, trusted, CLOSED_RAD, 1, err);
    for (int32_t k = 0; st == VD_OK && k < in->n_pairs; k++)
        if (t[k].closed == 0 && t[k].seen >= many) trusted[k] = 0;
    vd_mem_free(t);
    return st;
}

vd_status vd_view_graph_trust(uint8_t *trusted, const vd_sfm_input *in, vd_err *err) {
    for (int32_t k = 0; k < in->n_pairs; k++) {
        int config = in->pair[k].geometry.config;
        trusted[k] = config != VD_TWO_VIEW_DEGENERATE && config != VD_TWO_VIEW_WATERMARK;
    }
    VD_TRY(sift(trusted, in, FIRST_ROUND, err));
    return sift(trusted, in, SECOND_ROUND, err);
}

vd_status vd_view_graph_sizes(int32_t *size, const vd_sfm_input *in, const uint8_t *trusted,
                              vd_err *err) {
    size_t n = (size_t)VD_MAX(in->n_images, 1);
    int32_t *parent = vd_mem_alloc(n * sizeof *parent), *count = vd_mem_array(n, sizeof *count);
    if (parent == NULL || count == NULL) {
        vd_mem_free(parent);
        vd_mem_free(count);
        return vd_nomem(err);
    }
    for (int32_t i = 0; i < in->n_images; i++) parent[i] = i;
    for (int32_t k = 0; k < in->n_pairs; k++)
        if (trusted[k]) vd_sets_join(parent, in->pair[k].a, in->pair[k].b);
    for (int32_t i = 0; i < in->n_images; i++) count[vd_sets_root(parent, i)]++;
    for (int32_t i = 0; i < in->n_images; i++) size[i] = count[vd_sets_root(parent, i)];
    vd_mem_free(parent);
    vd_mem_free(count);
    return VD_OK;
}
