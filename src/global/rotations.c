/* Rotation averaging by reweighted least squares. SPDX-License-Identifier: Apache-2.0 */
#include "global/rotations.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sets.h"
#include "geometry/rigid.h"
#include "global/system.h"

/* Errors below this are not told apart while errors count as they are: a weight of 1 / error needs
 * an end, and a relative rotation is not known better. */
static const double SMALLEST_RAD = 2e-3;
enum { MOST_EDGES = 100, RESEATINGS = 5 }; /* of a node that are asked where it belongs; rounds */

typedef struct averaging {
    vd_quat *q;
    int32_t n;
    const vd_rotation_edge *edge;
    int64_t n_edges;
    vd_rotation_opt opt;
    int32_t *set; /* the part of the graph a node is in, by its first node */
    double *step; /* [3][n] */
    vd_system system;
} averaging;

typedef struct ranked {
    double weight;
    int64_t edge;
} ranked;

static int by_weight(const void *a, const void *b) {
    const ranked *p = a, *q = b;
    if (p->weight != q->weight) return p->weight > q->weight ? -1 : 1;
    return (p->edge > q->edge) - (p->edge < q->edge);
}

/* Tree edges as lists: for each node those it has, [n + 1] starts and [2 (n - 1)] edges. */
typedef struct tree {
    int32_t *start, *todo;
    int64_t *edge, *chosen;
    int64_t n_chosen;
} tree;

static void tree_reset(tree *t) {
    vd_mem_free(t->start);
    vd_mem_free(t->todo);
    vd_mem_free(t->edge);
    vd_mem_free(t->chosen);
}

/* [Kruskal 1956]; what is left in v->set are the parts, by their first node. */
static vd_status choose_tree(averaging *v, tree *t, vd_err *err) {
    ranked *order = vd_mem_alloc((size_t)VD_MAX(v->n_edges, 1) * sizeof *order);
    t->chosen = vd_mem_alloc(((size_t)v->n + 1) * sizeof *t->chosen);
    if (order == NULL || t->chosen == NULL) {
        vd_mem_free(order);
        return vd_nomem(err);
    }
    for (int64_t k = 0; k < v->n_edges; k++) order[k] = (ranked){ v->edge[k].weight, k };
    qsort(order, (size_t)v->n_edges, sizeof *order, by_weight);
    for (int32_t i = 0; i < v->n; i++) v->set[i] = i;
    for (int64_t k = 0; k < v->n_edges; k++) {
        const vd_rotation_edge *e = &v->edge[order[k].edge];
        if (vd_sets_join(v->set, e->a, e->b)) t->chosen[t->n_chosen++] = order[k].edge;
    }
    for (int32_t i = 0; i < v->n; i++) v->set[i] = vd_sets_root(v->set, i);
    vd_mem_free(order);
    return VD_OK;
}

static vd_status list_tree(const averaging *v, tree *t, vd_err *err) {
    t->start = vd_mem_array((size_t)v->n + 2, sizeof *t->start);
    t->edge = vd_mem_alloc(((size_t)t->n_chosen * 2 + 1) * sizeof *t->edge);
    t->todo = vd_mem_alloc((size_t)VD_MAX(v->n, 1) * sizeof *t->todo);
    if (t->start == NULL || t->edge == NULL || t->todo == NULL) return vd_nomem(err);
    for (int64_t k = 0; k < t->n_chosen; k++) {
        t->start[v->edge[t->chosen[k]].a + 2]++;
        t->start[v->edge[t->chosen[k]].b + 2]++;
    }
    for (int32_t i = 0; i < v->n; i++) t->start[i + 2] += t->start[i + 1];
    for (int64_t k = 0; k < t->n_chosen; k++) {
        t->edge[t->start[v->edge[t->chosen[k]].a + 1]++] = t->chosen[k];
        t->edge[t->start[v->edge[t->chosen[k]].b + 1]++] = t->chosen[k];
    }
    return VD_OK;
}

/* Rotations along the tree, breadth first so that few errors add up. A node that was not reached
 * yet has a quaternion of zeros. */
static void walk(averaging *v, const tree *t) {
    memset(v->q, 0, (size_t)v->n * sizeof *v->q);
    for (int32_t root = 0; root < v->n; root++) {
        int32_t head = 0, tail = 0;
        if (v->set[root] != root) continue;
        v->q[root] = VD_QUAT_ONE;
        t->todo[tail++] = root;
        while (head < tail) {
            int32_t i = t->todo[head++];
            for (int32_t k = t->start[i]; k < t->start[i + 1]; k++) {
                const vd_rotation_edge *e = &v->edge[t->edge[k]];
                int32_t to = e->a == i ? e->b : e->a;
                if (v->q[to].w != 0 || v->q[to].x != 0 || v->q[to].y != 0 || v->q[to].z != 0)
                    continue;
                vd_quat turn = e->a == i ? e->b_from_a : vd_quat_conj(e->b_from_a);
                v->q[to] = vd_quat_unit(vd_quat_mul(turn, v->q[i]));
                t->todo[tail++] = to;
            }
        }
    }
}

static vd_status start(averaging *v, vd_err *err) {
    vd_status st = VD_OK;
    tree t = { 0 };
    VD_GO(choose_tree(v, &t, err));
    VD_GO(list_tree(v, &t, err));
    walk(v, &t);
done:
    tree_reset(&t);
    return st;
}

/* The error of an edge as a rotation vector of the world's frame: with q' = q exp(w) it becomes
 * error + w_a - w_b. */
static vd_vec3 error_of(const vd_quat *q, const vd_rotation_edge *e) {
    return vd_quat_log(vd_quat_mul(vd_quat_conj(q[e->b]), vd_quat_mul(e->b_from_a, q[e->a])));
}

double vd_rotation_error_rad(const vd_quat *cam_from_world, const vd_rotation_edge *edge) {
    return vd_v3_norm(error_of(cam_from_world, edge));
}

static double weight_of(const averaging *v, double error, bool robust) {
    if (!robust) return 1 / fmax(error, SMALLEST_RAD);
    double s = v->opt.robust_rad * v->opt.robust_rad, w = s / (s + error * error);
    return w * w; /* [Geman and McClure 1985] */
}

/* The weighted Laplacian and the right-hand sides. A first node is held by a one on its diagonal.
 */
static void build(averaging *v, bool robust) {
    vd_system *s = &v->system;
    vd_system_clear(s);
    memset(v->step, 0, (size_t)v->n * 3 * sizeof *v->step);
    for (int64_t k = 0; k < v->n_edges; k++) {
        const vd_rotation_edge *e = &v->edge[k];
        vd_vec3 r = error_of(v->q, e);
        double w = weight_of(v, vd_v3_norm(r), robust);
        const double x[3] = { w * r.x, w * r.y, w * r.z };
        int32_t lo = VD_MIN(e->a, e->b), hi = VD_MAX(e->a, e->b);
        for (int c = 0; c < 3; c++) {
            v->step[c * (ptrdiff_t)v->n + e->a] -= x[c];
            v->step[c * (ptrdiff_t)v->n + e->b] += x[c];
        }
        *vd_system_at(s, lo, 0, vd_system_find(s, lo, lo), 0) += w;
        *vd_system_at(s, hi, 0, vd_system_find(s, hi, hi), 0) += w;
        if (v->set[lo] != lo) *vd_system_at(s, hi, 0, vd_system_find(s, lo, hi), 0) -= w;
    }
    for (int32_t i = 0; i < v->n; i++) {
        double *d = vd_system_at(s, i, 0, vd_system_find(s, i, i), 0);
        if (v->set[i] == i) {
            *d = 1;
            for (int c = 0; c < 3; c++) v->step[c * (ptrdiff_t)v->n + i] = 0;
        } else {
            *d *= 1 + 1e-12; /* nodes that hang on edges of nearly no weight */
            *d += 1e-12;
        }
    }
}

static vd_status iterate(averaging *v, bool robust, double *change, vd_pool *pool, vd_err *err) {
    double sum = 0;
    build(v, robust);
    vd_status st = vd_system_factor(&v->system, pool, err);
    *change = 0;
    if (st == VD_E_NUMERIC) return VD_OK; /* as good as it gets */
    VD_TRY(st);
    for (int c = 0; c < 3; c++)
        VD_TRY(vd_system_solve(&v->system, v->step + c * (ptrdiff_t)v->n, err));
    for (int32_t i = 0; i < v->n; i++) {
        vd_vec3 w = vd_v3(v->step[i], v->step[v->n + i], v->step[2 * (ptrdiff_t)v->n + i]);
        double size = vd_v3_norm(w);
        if (!isfinite(size)) continue;
        v->q[i] = vd_quat_unit(vd_quat_mul(v->q[i], vd_quat_exp(w)));
        sum += size;
    }
    *change = sum / v->n;
    return VD_OK;
}

/* How many of a node's edges agree with a rotation of it. */
static int supporters(const averaging *v, const int64_t *edge, int n, int32_t i, vd_quat q) {
    int count = 0;
    for (int k = 0; k < n; k++) {
        const vd_rotation_edge *e = &v->edge[edge[k]];
        vd_quat turn = e->a == i ? vd_quat_conj(e->b_from_a) : e->b_from_a;
        count += vd_quat_angle_rad(vd_quat_mul(turn, v->q[e->a == i ? e->b : e->a]), q) <
                 v->opt.robust_rad;
    }
    return count;
}

/* A node that few of its edges agree with goes where most want it: least squares, however weighted,
 * do not find out of a start that is wrong by a right angle. */
static bool reseat(averaging *v, const int64_t *edge, int n, int32_t i) {
    int have = supporters(v, edge, n, i, v->q[i]), best = have;
    if (2 * have > n) return false;
    for (int k = 0; k < n; k++) {
        const vd_rotation_edge *e = &v->edge[edge[k]];
        vd_quat turn = e->a == i ? vd_quat_conj(e->b_from_a) : e->b_from_a;
        vd_quat q = vd_quat_unit(vd_quat_mul(turn, v->q[e->a == i ? e->b : e->a]));
        int count = supporters(v, edge, n, i, q);
        if (count <= best) continue;
        best = count;
        v->q[i] = q;
    }
    return best > have;
}

static vd_status reseat_all(averaging *v, int64_t *moved, vd_err *err) {
    int32_t *at = vd_mem_array((size_t)v->n + 2, sizeof *at);
    int64_t *list = vd_mem_alloc(((size_t)v->n_edges * 2 + 1) * sizeof *list);
    vd_status st = at != NULL && list != NULL ? VD_OK : vd_nomem(err);
    for (int64_t k = 0; k < v->n_edges && st == VD_OK; k++) {
        at[v->edge[k].a + 2]++;
        at[v->edge[k].b + 2]++;
    }
    for (int32_t i = 0; i < v->n && st == VD_OK; i++) at[i + 2] += at[i + 1];
    for (int64_t k = 0; k < v->n_edges && st == VD_OK; k++) {
        list[at[v->edge[k].a + 1]++] = k;
        list[at[v->edge[k].b + 1]++] = k;
    }
    *moved = 0;
    for (int32_t i = 0; i < v->n && st == VD_OK; i++)
        if (v->set[i] != i)
            *moved += reseat(v, list + at[i], VD_MIN(at[i + 1] - at[i], MOST_EDGES), i);
    vd_mem_free(at);
    vd_mem_free(list);
    return st;
}

static vd_status make_system(averaging *v, vd_err *err) {
    int32_t(*pair)[2] = vd_mem_alloc((size_t)VD_MAX(v->n_edges, 1) * sizeof *pair);
    if (pair == NULL) return vd_nomem(err);
    for (int64_t k = 0; k < v->n_edges; k++) {
        pair[k][0] = v->edge[k].a;
        pair[k][1] = v->edge[k].b;
    }
    vd_status st = vd_system_init(&v->system, v->n, 1, (const int32_t(*)[2])pair, v->n_edges, err);
    vd_mem_free(pair);
    return st;
}

static vd_status converge(averaging *v, bool robust, int most, vd_pool *pool, vd_err *err) {
    for (int i = 0; i < most; i++) {
        double change;
        VD_TRY(iterate(v, robust, &change, pool, err));
        if (change < v->opt.converged_rad) break;
    }
    return VD_OK;
}

static vd_status check(const averaging *v, vd_err *err) {
    for (int64_t k = 0; k < v->n_edges; k++) {
        const vd_rotation_edge *e = &v->edge[k];
        const vd_quat *q = &e->b_from_a;
        double square = q->w * q->w + q->x * q->x + q->y * q->y + q->z * q->z;
        if (e->a < 0 || e->b < 0 || e->a >= v->n || e->b >= v->n || e->a == e->b)
            return vd_fail(err, VD_E_ARG, "rotations: edge %lld joins %d and %d of %d",
                           (long long)k, e->a, e->b, v->n);
        if (!(fabs(square - 1) < 1e-3) || !(e->weight > 0))
            return vd_fail(err, VD_E_ARG, "rotations: edge %lld is no rotation with a weight",
                           (long long)k);
    }
    return VD_OK;
}

vd_status vd_rotations_average(vd_quat *cam_from_world, int32_t n, const vd_rotation_edge *edge,
                               int64_t n_edges, const vd_rotation_opt *opt, vd_pool *pool,
                               vd_err *err) {
    vd_status st = VD_OK;
    averaging v = { .q = cam_from_world, .n = n, .edge = edge, .n_edges = n_edges };
    int64_t moved = 1;
    v.opt = opt != NULL ? *opt : (vd_rotation_opt)VD_ROTATION_OPT;
    if (n <= 0) return VD_OK;
    VD_TRY(check(&v, err));
    v.set = vd_mem_alloc((size_t)n * sizeof *v.set);
    v.step = vd_mem_alloc((size_t)n * 3 * sizeof *v.step);
    if (v.set == NULL || v.step == NULL) VD_GO(vd_nomem(err));
    VD_GO(start(&v, err));
    VD_GO(make_system(&v, err));
    for (int round = 0; round < RESEATINGS && moved > 0; round++) {
        VD_GO(converge(&v, false, v.opt.l1_iterations, pool, err));
        VD_GO(reseat_all(&v, &moved, err));
    }
    VD_GO(converge(&v, true, v.opt.robust_iterations, pool, err));
done:
    vd_system_reset(&v.system);
    vd_mem_free(v.set);
    vd_mem_free(v.step);
    return st;
}
