/* Models as the caller gets them. SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sfm/mapper_int.h"

/* Rotations that differ by more contradict each other, whatever the focal length was thought to be.
 */
static const double AGAINST_RAD = 0.2;

void vd_sfm_model_reset(vd_sfm_model *model) {
    vd_mem_free(model->image);
    vd_mem_free(model->cam_from_world);
    vd_mem_free(model->camera);
    vd_mem_free(model->point);
    vd_mem_free(model->error_px);
    vd_mem_free(model->track);
    vd_mem_free(model->obs);
    *model = (vd_sfm_model){ 0 };
}

void vd_sfm_result_reset(vd_sfm_result *r) {
    for (int32_t i = 0; i < r->n_models; i++) vd_sfm_model_reset(&r->model[i]);
    vd_mem_free(r->model);
    vd_mem_free(r->verdict);
    *r = (vd_sfm_result){ 0 };
}

const char *vd_sfm_reason_name(int reason) {
    static const char *const name[] = { "registered",  "no_overlap", "no_parallax", "overlay",
                                        "planar",      "no_start",   "few_points",  "resection",
                                        "small_model", "dropped" };
    return reason >= 0 && reason < VD_COUNT(name) ? name[reason] : "unknown";
}

static vd_status allocate(vd_sfm_model *out, const vd_mapper *m, int64_t n_obs, vd_err *err) {
    size_t images = (size_t)VD_MAX(m->n_registered, 1), points = (size_t)VD_MAX(m->n_alive, 1);
    out->image = vd_mem_alloc(images * sizeof *out->image);
    out->cam_from_world = vd_mem_alloc(images * sizeof *out->cam_from_world);
    out->camera = vd_mem_alloc((size_t)VD_MAX(m->in->n_cameras, 1) * sizeof *out->camera);
    out->point = vd_mem_alloc(points * 3 * sizeof *out->point);
    out->error_px = vd_mem_alloc(points * sizeof *out->error_px);
    out->track = vd_mem_alloc((points + 1) * sizeof *out->track);
    out->obs = vd_mem_alloc((size_t)VD_MAX(n_obs, 1) * sizeof *out->obs);
    return out->image != NULL && out->cam_from_world != NULL && out->camera != NULL &&
                   out->point != NULL && out->error_px != NULL && out->track != NULL &&
                   out->obs != NULL
               ? VD_OK
               : vd_nomem(err);
}

/* The cosine of the widest angle between rays to a point, of its first observations when there are
 * very many. */
static double widest(const vd_mapper *m, const double x[3], const vd_sfm_observation *o,
                     int64_t n) {
    enum { MOST = 32 };
    vd_vec3 ray[MOST];
    double cosine = 1;
    n = VD_MIN(n, MOST);
    for (int i = 0; i < n; i++) {
        vd_vec3 c = vd_rigid_centre(m->pose[o[i].image]);
        ray[i] = vd_v3_unit(vd_v3_sub(vd_v3(x[0], x[1], x[2]), c));
        for (int k = 0; k < i; k++) cosine = fmin(cosine, vd_v3_dot(ray[i], ray[k]));
    }
    return cosine;
}

static int by_value(const void *a, const void *b) {
    double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

static void export_point(vd_sfm_model *out, const vd_mapper *m, int32_t p, double *errors) {
    int32_t track = m->point_track[p], at = out->n_points++;
    int64_t begin = out->track[at], end = begin;
    double sum = 0;
    memcpy(out->point + 3 * (ptrdiff_t)at, m->xyz[p], sizeof m->xyz[0]);
    for (int32_t k = m->tracks.start[track]; k < m->tracks.start[track + 1]; k++) {
        vd_sfm_observation o = m->tracks.key[k];
        if (m->point_of[vd_key_of(m, o)] != p) continue;
        sum += sqrt(vd_mapper_error(m, m->xyz[p], o));
        out->obs[end++] = o;
    }
    out->error_px[at] = sum / (double)VD_MAX(end - begin, 1);
    out->track[at + 1] = end;
    *errors += sum;
}

static int by_image(const void *a, const void *b) {
    int32_t p = *(const int32_t *)a, q = *(const int32_t *)b;
    return (p > q) - (p < q);
}

static void export_images(vd_sfm_model *out, const vd_mapper *m) {
    out->n_images = m->n_registered;
    memcpy(out->image, m->registered, (size_t)m->n_registered * sizeof *out->image);
    qsort(out->image, (size_t)out->n_images, sizeof *out->image, by_image);
    for (int32_t i = 0; i < out->n_images; i++) out->cam_from_world[i] = m->pose[out->image[i]];
    out->n_cameras = m->in->n_cameras;
    memcpy(out->camera, m->camera, (size_t)out->n_cameras * sizeof *out->camera);
}

/* How far the cameras are from where their images say, of those that are near. */
static void count_positions(vd_sfm_model *out, const vd_mapper *m) {
    double sum = 0;
    for (int32_t i = 0; i < m->n_registered; i++) {
        const vd_sfm_image *image = &m->in->image[m->registered[i]];
        const double *p = image->position, *s = image->position_sigma_m;
        vd_vec3 d = vd_v3_sub(vd_rigid_centre(m->pose[m->registered[i]]), vd_v3(p[0], p[1], p[2]));
        if (!image->has_position) continue;
        out->positions++;
        double limit = VD_SFM_SIGMAS * VD_SFM_SIGMAS * (s[0] * s[0] + s[1] * s[1] + s[2] * s[2]);
        if (!m->in_position_frame || vd_v3_dot(d, d) > limit) continue;
        out->positions_used++;
        sum += vd_v3_dot(d, d);
    }
    if (out->positions_used > 0) out->position_rmse_m = sqrt(sum / out->positions_used);
}

static void count_pairs(vd_sfm_model *out, const vd_mapper *m) {
    for (int32_t i = 0; i < m->in->n_pairs; i++) {
        const vd_sfm_pair *p = &m->in->pair[i];
        int config = p->geometry.config;
        if (m->info[p->a].state != VD_IMAGE_IN_MODEL || m->info[p->b].state != VD_IMAGE_IN_MODEL)
            continue;
        if (config != VD_TWO_VIEW_CALIBRATED && config != VD_TWO_VIEW_PANORAMIC) continue;
        vd_quat q = vd_quat_mul(m->pose[p->b].q, vd_quat_conj(m->pose[p->a].q));
        out->pairs++;
        out->pairs_against += vd_quat_angle_rad(q, p->geometry.cam2_from_cam1.q) > AGAINST_RAD;
    }
}

vd_status vd_model_export(vd_sfm_model *out, const vd_mapper *m, vd_err *err) {
    vd_sfm_model model = { 0 };
    vd_status st = VD_OK;
    int64_t n_obs = 0;
    double errors = 0, *angle = vd_mem_alloc((size_t)VD_MAX(m->n_alive, 1) * sizeof *angle);
    if (angle == NULL) return vd_nomem(err);
    for (int32_t i = 0; i < m->n_registered; i++) n_obs += m->info[m->registered[i]].observations;
    VD_GO(allocate(&model, m, n_obs, err));
    export_images(&model, m);
    model.track[0] = 0;
    for (int32_t p = 0; p < m->n_points; p++) {
        if (m->point_n[p] == 0) continue;
        export_point(&model, m, p, &errors);
        const int64_t *t = &model.track[model.n_points - 1];
        angle[model.n_points - 1] = widest(m, m->xyz[p], model.obs + t[0], t[1] - t[0]);
    }
    if (model.n_points > 0) {
        qsort(angle, (size_t)model.n_points, sizeof *angle, by_value);
        model.median_angle_rad = acos(VD_CLAMP(angle[model.n_points / 2], -1, 1));
        model.mean_error_px = errors / (double)n_obs;
        model.mean_track = (double)n_obs / model.n_points;
    }
    model.in_position_frame = m->in_position_frame;
    model.upright = m->upright;
    model.turn_sigma_rad = m->turn_sigma_rad;
    model.scale_sigma = m->scale_sigma;
    count_positions(&model, m);
    count_pairs(&model, m);
    *out = model;
    model = (vd_sfm_model){ 0 };
done:
    vd_mem_free(angle);
    vd_sfm_model_reset(&model);
    return st;
}
