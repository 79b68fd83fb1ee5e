/* Whether overlapping pictures agree. SPDX-License-Identifier: Apache-2.0 */
#include "global/agreement.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sets.h"
#include "geometry/rigid.h"

/* Points that so many images show are found again where they can be seen. */
enum { LEAST_TRACK = 3 };
/* How alike two views of a point are: the angle between them, and the distances. */
static const double ANGLE_RAD = 0.26, DISTANCE_RATIO = 1.35;
/* Pairs that should show fewer points say nothing; matches of one point that make an overlap; of
 * the pairs the part whose share is the usual one, by rank; what is too small a part of that;
 * conflicts that keep two groups apart. */
enum { LEAST_DUE = 100, LEAST_SAME = 15, LEAST_CONFLICTS = 3 };
static const double USUAL = 0.75, CONFLICT = 0.5;
/* A picture's cells, and the points that make one a place where something is shown. */
enum { CELLS = 16, SHOWN_THERE = 3 };
/* Away from the border, where keypoints are lost: a share of the picture's sides. */
static const double MARGIN = 0.05;

typedef struct work {
    const vd_sfm_model *m;
    const vd_sfm_input *in;
    int32_t *position; /* [in->n_images] in the model, or -1 */
    int32_t **point;   /* [n_images][keypoints] or -1 */
    int32_t *track;    /* [n_points] observations */
    vd_vec3 *centre;
    uint8_t **seen; /* [workers][n_points] scratch */
    int workers;
    vd_pair_agreement *pair;
} work;

static void reset(work *w) {
    for (int32_t i = 0; w->point != NULL && i < w->m->n_images; i++) vd_mem_free(w->point[i]);
    vd_mem_free(w->position);
    vd_mem_free(w->point);
    vd_mem_free(w->track);
    for (int i = 0; w->seen != NULL && i < w->workers; i++) vd_mem_free(w->seen[i]);
    vd_mem_free(w->centre);
    vd_mem_free(w->seen);
}

static vd_status init(work *w, vd_err *err) {
    const vd_sfm_model *m = w->m;
    size_t images = (size_t)m->n_images + 1;
    w->position = vd_mem_alloc(((size_t)w->in->n_images + 1) * sizeof *w->position);
    w->point = vd_mem_array(images, sizeof *w->point);
    w->track = vd_mem_alloc(((size_t)m->n_points + 1) * sizeof *w->track);
    w->centre = vd_mem_alloc(images * sizeof *w->centre);
    w->seen = vd_mem_array((size_t)w->workers, sizeof *w->seen);
    if (w->position == NULL || w->point == NULL || w->track == NULL || w->centre == NULL ||
        w->seen == NULL)
        return vd_nomem(err);
    for (int i = 0; i < w->workers; i++)
        if ((w->seen[i] = vd_mem_array((size_t)m->n_points + 1, 1)) == NULL) return vd_nomem(err);
    memset(w->position, 0xff, (size_t)w->in->n_images * sizeof *w->position);
    for (int32_t i = 0; i < m->n_images; i++) {
        size_t bytes = (size_t)w->in->image[m->image[i]].n * sizeof **w->point;
        w->position[m->image[i]] = i;
        w->centre[i] = vd_rigid_centre(m->cam_from_world[i]);
        if ((w->point[i] = vd_mem_alloc(bytes + 1)) == NULL) return vd_nomem(err);
        memset(w->point[i], 0xff, bytes);
    }
    for (int32_t p = 0; p < m->n_points; p++) {
        w->track[p] = (int32_t)(m->track[p + 1] - m->track[p]);
        for (int64_t k = m->track[p]; k < m->track[p + 1]; k++)
            w->point[w->position[m->obs[k].image]][m->obs[k].keypoint] = p;
    }
    return VD_OK;
}

/* Where image b should show a point that a shows: its cell, or -1 for nowhere. */
static int cell_due(const work *w, int32_t a, int32_t b, int32_t p) {
    const double *x = w->m->point + 3 * (ptrdiff_t)p;
    vd_vec3 at = vd_v3(x[0], x[1], x[2]), u = vd_v3_sub(at, w->centre[a]),
            v = vd_v3_sub(at, w->centre[b]), y = vd_rigid_apply(w->m->cam_from_world[b], at);
    double far_a = vd_v3_norm(u), far_b = vd_v3_norm(v), uv[2];
    const double in_cam[3] = { y.x, y.y, y.z };
    const vd_camera *c = &w->m->camera[w->in->image[w->m->image[b]].camera];
    if (w->track[p] < LEAST_TRACK || far_a > DISTANCE_RATIO * far_b ||
        far_b > DISTANCE_RATIO * far_a || vd_v3_dot(u, v) < cos(ANGLE_RAD) * far_a * far_b)
        return -1;
    if (!(y.z > 0) || !vd_camera_project(c, in_cam, uv)) return -1;
    double right = uv[0] / c->width, down = uv[1] / c->height;
    if (!(right > MARGIN && right < 1 - MARGIN && down > MARGIN && down < 1 - MARGIN)) return -1;
    return (int)(down * CELLS) * CELLS + (int)(right * CELLS);
}

/* Adds what b should show of a. */
static void count_due(const work *w, vd_pair_agreement *g, int32_t a, int32_t b, uint8_t *seen) {
    const int32_t *of_a = w->point[a], *of_b = w->point[b];
    int32_t n_a = w->in->image[w->m->image[a]].n, n_b = w->in->image[w->m->image[b]].n;
    int32_t due[CELLS * CELLS] = { 0 }, shown[CELLS * CELLS] = { 0 };
    for (int32_t k = 0; k < n_b; k++)
        if (of_b[k] >= 0) seen[of_b[k]] = 1;
    for (int32_t k = 0; k < n_a; k++) {
        int cell = of_a[k] >= 0 ? cell_due(w, a, b, of_a[k]) : -1;
        if (cell < 0) continue;
        due[cell]++;
        shown[cell] += seen[of_a[k]];
    }
    for (int32_t k = 0; k < n_b; k++)
        if (of_b[k] >= 0) seen[of_b[k]] = 0;
    for (int i = 0; i < CELLS * CELLS; i++) {
        g->due += due[i];
        g->shown += shown[i];
        g->due_there += shown[i] >= SHOWN_THERE ? due[i] : 0;
    }
}

static vd_status count_pair(void *user, int64_t i, int worker, vd_err *err) {
    const work *w = user;
    vd_pair_agreement *g = &w->pair[i];
    const vd_sfm_pair *p = &w->in->pair[g->pair];
    (void)err;
    for (int32_t k = 0; k < p->n; k++) {
        int32_t x = w->point[g->a][p->match[k].a], y = w->point[g->b][p->match[k].b];
        if (x < 0 || y < 0) continue;
        g->same += x == y;
        g->apart += x != y;
    }
    count_due(w, g, g->a, g->b, w->seen[worker]);
    count_due(w, g, g->b, g->a, w->seen[worker]);
    return VD_OK;
}

static vd_status count_pairs(vd_agreement *a, const vd_sfm_model *m, const vd_sfm_input *in,
                             vd_pool *pool, vd_err *err) {
    work w = { .m = m, .in = in, .workers = pool != NULL ? vd_pool_jobs(pool) : 1 };
    vd_status st = init(&w, err);
    if (st == VD_OK) w.pair = a->pair = vd_mem_alloc(((size_t)in->n_pairs + 1) * sizeof *a->pair);
    if (st == VD_OK && a->pair == NULL) st = vd_nomem(err);
    for (int32_t k = 0; st == VD_OK && k < in->n_pairs; k++) {
        int32_t x = w.position[in->pair[k].a], y = w.position[in->pair[k].b];
        if (x >= 0 && y >= 0) a->pair[a->n++] = (vd_pair_agreement){ .pair = k, .a = x, .b = y };
    }
    if (st == VD_OK) st = vd_pool_for(pool, a->n, count_pair, &w, err);
    reset(&w);
    return st;
}

/* ---- groups ---- */

static double share_of(const vd_pair_agreement *p) {
    return (double)p->shown / p->due;
}

static int by_value(const void *a, const void *b) {
    double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

/* What a pair of the better kind shows of what it should; 0 where no pair says. */
static vd_status usual_share(double *out, const vd_agreement *a, vd_err *err) {
    double *v = vd_mem_alloc(((size_t)a->n + 1) * sizeof *v);
    int n = 0;
    if (v == NULL) return vd_nomem(err);
    for (int32_t i = 0; i < a->n; i++)
        if (a->pair[i].due >= LEAST_DUE) v[n++] = share_of(&a->pair[i]);
    if (n > 1) qsort(v, (size_t)n, sizeof *v, by_value);
    *out = n > 0 ? v[(int)(USUAL * (n - 1))] : 0;
    vd_mem_free(v);
    return VD_OK;
}

/* They share points, but little of what they should: that is missing in whole places, and nearly
 * all there where anything is. Light that changed, or haste, loses points everywhere. */
static bool conflicts(const vd_pair_agreement *p, double usual) {
    return p->due >= LEAST_DUE && p->same >= LEAST_SAME && share_of(p) < CONFLICT * usual &&
           p->shown >= CONFLICT * usual * p->due_there;
}

static bool agrees(const vd_pair_agreement *p, double usual) {
    return p->due >= LEAST_DUE && share_of(p) >= CONFLICT * usual;
}

static int by_same(const void *x, const void *y) {
    const vd_pair_agreement *p = x, *q = y;
    if (p->same != q->same) return p->same > q->same ? -1 : 1;
    return (p->pair > q->pair) - (p->pair < q->pair);
}

static int by_pair(const void *x, const void *y) {
    const vd_pair_agreement *p = x, *q = y;
    return (p->pair > q->pair) - (p->pair < q->pair);
}

static bool doubtful(const vd_agreement *a, int32_t *set, int32_t i, int32_t k, double usual) {
    int32_t x = vd_sets_root(set, i), y = vd_sets_root(set, k);
    int n = 0;
    for (int32_t j = 0; j < a->n && n < LEAST_CONFLICTS; j++) {
        int32_t v = vd_sets_root(set, a->pair[j].a), w = vd_sets_root(set, a->pair[j].b);
        n += ((v == x && w == y) || (v == y && w == x)) && conflicts(&a->pair[j], usual);
    }
    return n >= LEAST_CONFLICTS;
}

/* Images that agree, directly or by way of others, are a group; groups that share points join
 * unless they conflict. */
static void join_groups(int32_t *set, vd_agreement *a, double usual) {
    qsort(a->pair, (size_t)a->n, sizeof *a->pair, by_same);
    for (int32_t i = 0; i < a->n; i++)
        if (agrees(&a->pair[i], usual)) vd_sets_join(set, a->pair[i].a, a->pair[i].b);
    for (int32_t i = 0; i < a->n; i++) {
        const vd_pair_agreement *p = &a->pair[i];
        if (p->same >= LEAST_SAME && vd_sets_root(set, p->a) != vd_sets_root(set, p->b) &&
            !doubtful(a, set, p->a, p->b, usual))
            vd_sets_join(set, p->a, p->b);
    }
    qsort(a->pair, (size_t)a->n, sizeof *a->pair, by_pair);
}

/* Sets as numbers from 0, by their first member. */
static int32_t number(int32_t *set, int32_t n) {
    int32_t count = 0;
    for (int32_t i = 0; i < n; i++) {
        int32_t root = vd_sets_root(set, i); /* a lower one, numbered already, or i itself */
        set[i] = root;
    }
    for (int32_t i = 0; i < n; i++) set[i] = set[i] == i ? -1 - count++ : set[i];
    for (int32_t i = 0; i < n; i++) set[i] = set[i] < 0 ? set[i] : set[set[i]];
    for (int32_t i = 0; i < n; i++) set[i] = -1 - set[i];
    return count;
}

static void sum_shares(vd_agreement *a) {
    int64_t due[2] = { 0 }, shown[2] = { 0 };
    for (int32_t i = 0; i < a->n; i++) {
        int across = a->group[a->pair[i].a] != a->group[a->pair[i].b];
        due[across] += a->pair[i].due;
        shown[across] += a->pair[i].shown;
        a->pairs_across += across;
    }
    a->share_within = due[0] > 0 ? (double)shown[0] / (double)due[0] : 0;
    a->share_across = due[1] > 0 ? (double)shown[1] / (double)due[1] : 0;
}

vd_status vd_model_agreement(vd_agreement *out, const vd_sfm_model *m, const vd_sfm_input *in,
                             vd_pool *pool, vd_err *err) {
    vd_status st = VD_OK;
    vd_agreement a = { 0 };
    double usual = 0;
    VD_GO(count_pairs(&a, m, in, pool, err));
    VD_GO(usual_share(&usual, &a, err));
    a.group = vd_mem_alloc(((size_t)m->n_images + 1) * sizeof *a.group);
    a.part = vd_mem_alloc(((size_t)m->n_images + 1) * sizeof *a.part);
    if (a.group == NULL || a.part == NULL) VD_GO(vd_nomem(err));
    for (int32_t i = 0; i < m->n_images; i++) a.group[i] = a.part[i] = i;
    for (int32_t i = 0; i < a.n; i++)
        if (a.pair[i].same >= LEAST_SAME) vd_sets_join(a.part, a.pair[i].a, a.pair[i].b);
    join_groups(a.group, &a, usual);
    a.groups = number(a.group, m->n_images);
    a.parts = number(a.part, m->n_images);
    sum_shares(&a);
    *out = a;
    a = (vd_agreement){ 0 };
done:
    vd_agreement_reset(&a);
    return st;
}

void vd_agreement_reset(vd_agreement *a) {
    vd_mem_free(a->pair);
    vd_mem_free(a->group);
    vd_mem_free(a->part);
    *a = (vd_agreement){ 0 };
}
