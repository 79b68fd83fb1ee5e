/* Models brought into other frames: that of the images' positions, that of another model.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Two models of one scene come about when no image could be registered across a weak link. Where
 * tracks have a point in both, the points say by which similarity one fits the other; what decides
 * is whether the whole settles down afterwards with all its images. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "geometry/align.h"
#include "sfm/mapper_int.h"

enum { LEAST_POSITIONS = 3, LEAST_COMMON = 20 };
static const double POSITION_SHARE = 0.5; /* of the positions that must */
static const double COMMON_SHARE = 0.4;   /* of the common points that must agree */
static const double COMMON_ERROR = 0.03;  /* by which they may differ, in distances to the camera */
static const double KEPT_SHARE = 0.95;    /* of the images that must survive a merge */

static void apply(vd_mapper *m, vd_similarity s) {
    for (int32_t i = 0; i < m->n_registered; i++) {
        vd_rigid *pose = &m->pose[m->registered[i]];
        *pose = vd_similarity_pose(s, *pose);
    }
    for (int64_t p = 0; p < m->n_points; p++) {
        double *x = m->xyz[p];
        vd_vec3 y = vd_similarity_apply(s, vd_v3(x[0], x[1], x[2]));
        x[0] = y.x;
        x[1] = y.y;
        x[2] = y.z;
    }
}

/* Centres of cameras and where they were said to be. */
static int positions(const vd_mapper *m, double *a, double *b, double *weight, double *sigma) {
    int n = 0;
    *sigma = 0;
    for (int32_t i = 0; i < m->n_registered; i++) {
        const vd_sfm_image *image = &m->in->image[m->registered[i]];
        vd_vec3 c = vd_rigid_centre(m->pose[m->registered[i]]);
        if (!image->has_position) continue;
        const double *s = image->position_sigma_m;
        double square = s[0] * s[0] + s[1] * s[1] + s[2] * s[2];
        a[3 * n] = c.x;
        a[3 * n + 1] = c.y;
        a[3 * n + 2] = c.z;
        memcpy(b + 3 * n, image->position, sizeof image->position);
        weight[n++] = 1 / square;
        *sigma += square;
    }
    *sigma = n > 0 ? sqrt(*sigma / n) : 0;
    return n;
}

vd_status vd_mapper_to_positions(vd_mapper *m, vd_err *err) {
    vd_status st = VD_OK;
    size_t n = (size_t)m->n_registered;
    double *a = vd_mem_array(n, 3 * sizeof *a), *b = vd_mem_array(n, 3 * sizeof *b);
    double *weight = vd_mem_array(n, sizeof *weight), sigma;
    vd_similarity s;
    vd_align_opt o = VD_ALIGN_OPT;
    int found, inliers = 0;
    if (a == NULL || b == NULL || weight == NULL) VD_GO(vd_nomem(err));
    found = positions(m, a, b, weight, &sigma);
    if (!m->opt.use_positions || found < LEAST_POSITIONS) goto done;
    o.max_error = VD_SFM_SIGMAS * sigma;
    o.seed = m->opt.seed;
    st = vd_similarity_fit_robust(&s, NULL, &inliers, a, b, weight, found, &o, NULL);
    if (st == VD_E_NUMERIC || (st == VD_OK && inliers < POSITION_SHARE * found)) {
        st = VD_OK; /* positions that do not fit are none */
        goto done;
    }
    if (st != VD_OK) VD_GO(vd_fail(err, st, "mapper: alignment with %d positions", found));
    apply(m, s);
    m->in_position_frame = true;
    VD_GO(vd_mapper_settle(m, true, err));
done:
    vd_mem_free(a);
    vd_mem_free(b);
    vd_mem_free(weight);
    return st;
}

/* The track of each point of a model, and the point of each track or -1. */
static void track_points(const vd_mapper *m, const vd_sfm_model *model, int32_t *point_of) {
    memset(point_of, 0xff, (size_t)m->tracks.n * sizeof *point_of);
    for (int32_t p = model->n_points - 1; p >= 0; p--) {
        vd_sfm_observation o = model->obs[model->track[p]];
        point_of[m->tracks.of[vd_key_of(m, o)]] = p;
    }
}

/* The median distance of common points to the camera that saw them first. */
static int by_value(const void *a, const void *b) {
    double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

static double depth_of(const vd_sfm_model *model, int32_t p) {
    int32_t image = model->obs[model->track[p]].image, lo = 0, hi = model->n_images - 1;
    while (lo < hi) {
        int32_t mid = (lo + hi) / 2;
        if (model->image[mid] < image)
            lo = mid + 1;
        else
            hi = mid;
    }
    const double *x = model->point + 3 * (ptrdiff_t)p;
    return vd_v3_norm(vd_rigid_apply(model->cam_from_world[lo], vd_v3(x[0], x[1], x[2])));
}

/* The similarity from model b to model a by their common points; *common = 0 where there is none.
 */
static vd_status fit_models(const vd_mapper *m, vd_similarity *a_from_b, int *common,
                            const vd_sfm_model *a, const vd_sfm_model *b, vd_err *err) {
    vd_status st = VD_OK;
    size_t most = (size_t)VD_MIN(a->n_points, b->n_points) + 1;
    int32_t *in_a = vd_mem_alloc((size_t)VD_MAX(m->tracks.n, 1) * sizeof *in_a), n = 0;
    double *x = vd_mem_alloc(most * 3 * sizeof *x), *y = vd_mem_alloc(most * 3 * sizeof *y),
           *depth = vd_mem_alloc(most * sizeof *depth);
    vd_align_opt o = VD_ALIGN_OPT;
    *common = 0;
    if (in_a == NULL || x == NULL || y == NULL || depth == NULL) VD_GO(vd_nomem(err));
    track_points(m, a, in_a);
    for (int32_t p = 0; p < b->n_points && n + 1 < (int32_t)most; p++) {
        int32_t *q = &in_a[m->tracks.of[vd_key_of(m, b->obs[b->track[p]])]];
        if (*q < 0) continue;
        memcpy(x + 3 * n, b->point + 3 * (ptrdiff_t)p, 3 * sizeof *x);
        memcpy(y + 3 * n, a->point + 3 * (ptrdiff_t)*q, 3 * sizeof *y);
        depth[n++] = depth_of(a, *q);
        *q = -1; /* a track counts once */
    }
    if (n < LEAST_COMMON) goto done;
    qsort(depth, (size_t)n, sizeof *depth, by_value);
    o.max_error = COMMON_ERROR * depth[n / 2];
    o.seed = m->opt.seed;
    st = vd_similarity_fit_robust(a_from_b, NULL, common, x, y, NULL, n, &o, NULL);
    if (st == VD_E_NUMERIC) st = VD_OK;
    if (st != VD_OK) VD_GO(vd_fail(err, st, "mapper: alignment of two models"));
    if (*common < LEAST_COMMON || *common < COMMON_SHARE * n) *common = 0;
done:
    vd_mem_free(in_a);
    vd_mem_free(x);
    vd_mem_free(y);
    vd_mem_free(depth);
    return st;
}

/* A model into the state, its world changed by `s`. */
static vd_status take_in(vd_mapper *m, const vd_sfm_model *model, vd_similarity s, vd_err *err) {
    for (int32_t i = 0; i < model->n_images; i++)
        vd_mapper_register(m, model->image[i], vd_similarity_pose(s, model->cam_from_world[i]));
    for (int32_t p = 0; p < model->n_points; p++) {
        const double *from = model->point + 3 * (ptrdiff_t)p;
        vd_vec3 y = vd_similarity_apply(s, vd_v3(from[0], from[1], from[2]));
        const double x[3] = { y.x, y.y, y.z };
        int32_t track = m->tracks.of[vd_key_of(m, model->obs[model->track[p]])], point;
        VD_TRY(vd_mapper_add_point(m, &point, x, track, err));
        for (int64_t k = model->track[p]; k < model->track[p + 1]; k++)
            vd_mapper_observe(m, point, model->obs[k]);
    }
    return VD_OK;
}

vd_status vd_mapper_merge(vd_mapper *m, const vd_sfm_model *a, const vd_sfm_model *b, bool *merged,
                          vd_err *err) {
    vd_similarity a_from_b;
    int common;
    *merged = false;
    VD_TRY(fit_models(m, &a_from_b, &common, a, b, err));
    if (common == 0) return VD_OK;
    vd_mapper_begin(m);
    /* cameras by the model that has more images: the other one follows */
    memcpy(m->camera, a->camera, (size_t)a->n_cameras * sizeof *m->camera);
    for (int32_t i = 0; i < b->n_images; i++) {
        int32_t camera = m->in->image[b->image[i]].camera;
        bool in_a = false;
        for (int32_t k = 0; k < a->n_images && !in_a; k++)
            in_a = m->in->image[a->image[k]].camera == camera;
        if (!in_a) m->camera[camera] = b->camera[camera];
    }
    VD_TRY(take_in(m, a, VD_SIMILARITY_ONE, err));
    VD_TRY(take_in(m, b, a_from_b, err));
    int64_t changed = 0;
    VD_TRY(vd_mapper_retriangulate(m, true, &changed, err));
    VD_TRY(vd_mapper_settle(m, true, err));
    *merged = m->n_registered >= KEPT_SHARE * (a->n_images + b->n_images);
    return VD_OK;
}
