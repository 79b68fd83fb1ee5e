/* Relative motions of pairs that have none, or that were found with other focal lengths.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/mem.h"
#include "global/calibrate.h"
#include "global/global_int.h"
#include "sfm/mapper_int.h"

typedef struct moving {
    vd_global *g;
    const vd_sfm_input *given;
} moving;

/* A focal length that moved by that share makes for another motion. */
static const double OTHER_FOCAL = 0.02;

static bool other(const vd_camera *a, const vd_camera *b) {
    double f = vd_camera_mean_focal(a), g = vd_camera_mean_focal(b);
    return fabs(f - g) > OTHER_FOCAL * g;
}

static bool wanted(const moving *w, int64_t k) {
    const vd_sfm_pair *p = &w->g->pair[k];
    int32_t a = w->given->image[p->a].camera, b = w->given->image[p->b].camera;
    switch (p->geometry.config) {
    case VD_TWO_VIEW_UNCALIBRATED:
    case VD_TWO_VIEW_PLANAR_OR_PANORAMIC: return true;
    case VD_TWO_VIEW_DEGENERATE:
    case VD_TWO_VIEW_WATERMARK: return false;
    }
    return other(&w->g->camera[a], &w->given->camera[a]) ||
           other(&w->g->camera[b], &w->given->camera[b]);
}

static vd_status move_task(void *user, int64_t k, int worker, vd_err *err) {
    const moving *w = user;
    vd_sfm_pair *p = &w->g->pair[k];
    const vd_sfm_image *a = &w->given->image[p->a], *b = &w->given->image[p->b];
    vd_two_view_opt o = VD_TWO_VIEW_OPT;
    (void)worker;
    if (p->n <= 0 || !wanted(w, k)) return VD_OK;
    double *uv = vd_mem_alloc((size_t)p->n * 4 * sizeof *uv);
    if (uv == NULL) return vd_nomem(err);
    for (int32_t i = 0; i < p->n; i++) {
        memcpy(uv + 2 * i, a->uv + 2 * (ptrdiff_t)p->match[i].a, 2 * sizeof *uv);
        memcpy(uv + 2 * (p->n + i), b->uv + 2 * (ptrdiff_t)p->match[i].b, 2 * sizeof *uv);
    }
    o.max_error_px = w->g->max_error_px;
    o.min_e_share = 0; /* an essential matrix whatever its share: it is this or nothing */
    o.seed = w->g->seed;
    o.item = (uint64_t)k;
    vd_status st =
        vd_two_view_estimate(&p->geometry, NULL, &w->g->camera[a->camera], &w->g->camera[b->camera],
                             true, uv, uv + 2 * p->n, p->n, &o, err);
    vd_mem_free(uv);
    return st;
}

static vd_status calibrate(vd_global *g, vd_pool *pool, vd_err *err) {
    uint8_t *moves = vd_mem_array((size_t)VD_MAX(g->in.n_cameras, 1), 1);
    if (moves == NULL) return vd_nomem(err);
    for (int32_t i = 0; i < g->in.n_cameras && g->in.camera_refine != NULL; i++)
        moves[i] = (g->in.camera_refine[i] & VD_REFINE_FOCAL) != 0;
    vd_status st = vd_sfm_calibrate(g->camera, &g->in, moves, pool, err);
    vd_mem_free(moves);
    return st;
}

vd_status vd_global_relative(vd_global *g, vd_pool *pool, vd_err *err) {
    const vd_sfm_input given = g->in;
    moving w = { g, &given };
    g->camera = vd_mem_alloc((size_t)VD_MAX(given.n_cameras, 1) * sizeof *g->camera);
    g->pair = vd_mem_alloc((size_t)VD_MAX(given.n_pairs, 1) * sizeof *g->pair);
    if (g->camera == NULL || g->pair == NULL) return vd_nomem(err);
    if (given.n_cameras > 0)
        memcpy(g->camera, given.camera, (size_t)given.n_cameras * sizeof *g->camera);
    if (given.n_pairs > 0) memcpy(g->pair, given.pair, (size_t)given.n_pairs * sizeof *g->pair);
    VD_TRY(calibrate(g, pool, err));
    VD_TRY(vd_pool_for(pool, given.n_pairs, move_task, &w, err));
    g->in.camera = g->camera;
    g->in.pair = g->pair;
    return VD_OK;
}
