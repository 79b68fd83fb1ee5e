/* Which mapper and which start do better. SPDX-License-Identifier: Apache-2.0 */
#include "global/auto.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "global/calibrate.h"
#include "global/global.h"
#include "sfm/view_graph.h"

enum { MANY = 300 };                    /* an image at a time takes long for many, and drifts */
static const double ENOUGH = 0.9;       /* of what a perfect result would be */
static const double OTHER_START = 0.05; /* share of a focal length that makes for another start */

static double kept_share(const vd_sfm_model *m) {
    return 1 - (double)m->pairs_against / VD_MAX(m->pairs, 1);
}

double vd_sfm_worth(const vd_sfm_result *r) {
    double worth = 0;
    for (int32_t i = 0; i < r->n_models; i++) {
        const vd_sfm_model *m = &r->model[i];
        worth += (double)m->n_images * (double)m->track[m->n_points] * kept_share(m);
    }
    return worth;
}

/* The same by images alone, beside which a perfect result is known. Pairs that a model contradicts
 * do not count here: where structure repeats, it is right to. */
static double wholeness(const vd_sfm_result *r) {
    double sum = 0;
    for (int32_t i = 0; i < r->n_models; i++)
        sum += (double)r->model[i].n_images * r->model[i].n_images;
    return sum;
}

/* Of a result that has each component of the view graph in one piece. */
static vd_status most_wholeness(double *out, const vd_sfm_input *in, int least_images,
                                vd_err *err) {
    int32_t *size = vd_mem_array((size_t)VD_MAX(in->n_images, 1), sizeof *size);
    uint8_t *trusted = vd_mem_alloc((size_t)VD_MAX(in->n_pairs, 1));
    vd_status st = size != NULL && trusted != NULL ? VD_OK : vd_nomem(err);
    *out = 0;
    VD_GO(st);
    VD_GO(vd_view_graph_trust(trusted, in, err));
    VD_GO(vd_view_graph_sizes(size, in, trusted, err));
    for (int32_t i = 0; i < in->n_images; i++) *out += size[i] >= least_images ? size[i] : 0;
done:
    vd_mem_free(size);
    vd_mem_free(trusted);
    return st;
}

/* The better of two results becomes *best, the other is freed. */
static void keep_better(vd_sfm_result *best, vd_sfm_result *other) {
    if (vd_sfm_worth(other) > vd_sfm_worth(best)) {
        const vd_sfm_result better = *other;
        *other = *best;
        *best = better;
    }
    vd_sfm_result_reset(other);
}

/* The incremental mapper from focal lengths of the view graph, if they are others. */
static vd_status from_view_graph(vd_sfm_result *best, const vd_sfm_input *in,
                                 const uint8_t *guessed, const vd_sfm_opt *opt, vd_pool *pool,
                                 vd_err *err) {
    size_t bytes = (size_t)VD_MAX(in->n_cameras, 1) * sizeof *in->camera;
    vd_sfm_result other = { 0 };
    vd_sfm_input changed = *in;
    vd_camera *camera = vd_mem_alloc(bytes);
    vd_status st = VD_OK;
    bool others = false;
    if (camera == NULL) return vd_nomem(err);
    memcpy(camera, in->camera, (size_t)in->n_cameras * sizeof *camera);
    changed.camera = camera;
    VD_GO(vd_sfm_calibrate(camera, in, guessed, pool, err));
    for (int32_t i = 0; i < in->n_cameras; i++)
        others |= fabs(vd_camera_mean_focal(&camera[i]) / vd_camera_mean_focal(&in->camera[i]) -
                       1) > OTHER_START;
    if (others) {
        VD_GO(vd_sfm_incremental(&other, &changed, opt, NULL, pool, err));
        keep_better(best, &other);
    }
done:
    vd_mem_free(camera);
    return st;
}

static vd_status incremental(vd_sfm_result *out, const vd_sfm_input *in, const uint8_t *guessed,
                             const vd_sfm_opt *opt, vd_pool *pool, vd_err *err) {
    bool any = false;
    VD_TRY(vd_sfm_incremental(out, in, opt, NULL, pool, err));
    for (int32_t i = 0; guessed != NULL && i < in->n_cameras; i++) any |= guessed[i] != 0;
    return any ? from_view_graph(out, in, guessed, opt, pool, err) : VD_OK;
}

vd_status vd_sfm_map(vd_sfm_result *out, const vd_sfm_input *in, const uint8_t *guessed,
                     enum vd_sfm_mapper mapper, const vd_sfm_opt *opt, vd_pool *pool, vd_err *err) {
    static const vd_sfm_opt usual = VD_SFM_OPT;
    bool global = mapper == VD_MAPPER_GLOBAL || (mapper == VD_MAPPER_AUTO && in->n_images > MANY);
    vd_sfm_result best = { 0 }, other = { 0 };
    vd_status st = VD_OK;
    double most;
    VD_GO(global ? vd_sfm_global(&best, in, opt, NULL, pool, err)
                 : incremental(&best, in, guessed, opt, pool, err)); /* check `in` as well */
    VD_GO(most_wholeness(&most, in, opt != NULL ? opt->least_images : usual.least_images, err));
    if (mapper == VD_MAPPER_AUTO && wholeness(&best) < ENOUGH * most) {
        VD_GO(global ? incremental(&other, in, guessed, opt, pool, err)
                     : vd_sfm_global(&other, in, opt, NULL, pool, err));
        keep_better(&best, &other);
    }
    *out = best;
    best = (vd_sfm_result){ 0 };
done:
    vd_sfm_result_reset(&best);
    vd_sfm_result_reset(&other);
    return st;
}
