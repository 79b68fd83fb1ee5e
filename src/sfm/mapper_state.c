/* The model under construction: every change of it goes through here, so that the counts stay true.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/mem.h"
#include "sfm/mapper_int.h"
#include "sfm/view_graph.h"

/* A keypoint enters (by = 1) or leaves (-1) the grids of its image. */
static void count_cells(vd_mapper *m, vd_sfm_observation o, int by) {
    const vd_camera *c = vd_camera_of(m, o.image);
    const double *uv = vd_pixel_of(m, o);
    vd_spread *s = &m->spread[o.image];
    double u = VD_CLAMP(uv[0] / c->width, 0, 0.999999),
           v = VD_CLAMP(uv[1] / c->height, 0, 0.999999);
    int base = 0;
    for (int level = 1; level <= VD_GRID_LEVELS; level++) {
        int side = 1 << level, at = base + (int)(v * side) * side + (int)(u * side);
        if (by > 0 && s->cell[at] == 0) s->score += side * side;
        s->cell[at] = (uint16_t)(s->cell[at] + by);
        if (by < 0 && s->cell[at] == 0) s->score -= side * side;
        base += side * side;
    }
    s->visible += by;
}

/* A track got its first point or lost its last one: its keypoints in all images notice. */
static void count_track(vd_mapper *m, int32_t track, int by) {
    for (int32_t k = m->tracks.start[track]; k < m->tracks.start[track + 1]; k++)
        count_cells(m, m->tracks.key[k], by);
}

static vd_status list_pairs(vd_mapper *m, vd_err *err) {
    const vd_sfm_input *in = m->in;
    m->pair_start = vd_mem_array((size_t)in->n_images + 2, sizeof *m->pair_start);
    m->pair_of = vd_mem_array((size_t)in->n_pairs * 2, sizeof *m->pair_of);
    m->pair_tried = vd_mem_array((size_t)in->n_pairs, 1);
    if (m->pair_start == NULL || m->pair_of == NULL || m->pair_tried == NULL) return vd_nomem(err);
    int32_t *start = m->pair_start;
    for (int32_t i = 0; i < in->n_pairs; i++) {
        start[in->pair[i].a + 2]++;
        start[in->pair[i].b + 2]++;
    }
    for (int32_t i = 0; i < in->n_images; i++) start[i + 2] += start[i + 1];
    for (int32_t i = 0; i < in->n_pairs; i++) {
        m->pair_of[start[in->pair[i].a + 1]++] = i;
        m->pair_of[start[in->pair[i].b + 1]++] = i;
    }
    return VD_OK;
}

vd_status vd_mapper_check(const vd_sfm_input *in, vd_err *err) {
    if (in->n_images < 0 || in->n_cameras < 0 || in->n_pairs < 0)
        return vd_fail(err, VD_E_ARG, "mapper: a count is negative");
    for (int32_t i = 0; i < in->n_cameras; i++) VD_TRY(vd_camera_check(&in->camera[i], err));
    for (int32_t i = 0; i < in->n_images; i++) {
        const vd_sfm_image *p = &in->image[i];
        if (p->camera < 0 || p->camera >= in->n_cameras)
            return vd_fail(err, VD_E_ARG, "mapper: image %d has camera %d of %d", i, p->camera,
                           in->n_cameras);
        for (int64_t k = 0; k < 2 * (int64_t)p->n; k++)
            if (!isfinite(p->uv[k]))
                return vd_fail(err, VD_E_ARG, "mapper: keypoint %lld of image %d is not finite",
                               (long long)(k / 2), i);
        for (int k = 0; k < 3 && p->has_position; k++)
            if (!isfinite(p->position[k]) || !(p->position_sigma_m[k] > 0))
                return vd_fail(err, VD_E_ARG, "mapper: position of image %d: %g +- %g", i,
                               p->position[k], p->position_sigma_m[k]);
    }
    return vd_tracks_check(in, err);
}

vd_status vd_mapper_init(vd_mapper *m, const vd_sfm_input *in, const uint8_t *only,
                         const vd_sfm_opt *opt, vd_pool *pool, vd_err *err) {
    size_t images = (size_t)VD_MAX(in->n_images, 1);
    m->in = in;
    m->opt = opt != NULL ? *opt : (vd_sfm_opt)VD_SFM_OPT;
    m->pool = pool;
    VD_TRY(vd_mapper_check(in, err));
    m->trusted = vd_mem_array((size_t)in->n_pairs, 1);
    m->tied = vd_mem_array(images, sizeof *m->tied);
    if (m->trusted == NULL || m->tied == NULL) return vd_nomem(err);
    VD_TRY(vd_view_graph_trust(m->trusted, in, err));
    for (int32_t k = 0; k < in->n_pairs && only != NULL; k++) m->trusted[k] &= only[k];
    VD_TRY(vd_view_graph_sizes(m->tied, in, m->trusted, err));
    VD_TRY(vd_tracks_build(&m->tracks, in, m->trusted, err));
    VD_TRY(list_pairs(m, err));
    m->info = vd_mem_array(images, sizeof *m->info);
    m->pose = vd_mem_array(images, sizeof *m->pose);
    m->spread = vd_mem_array(images, sizeof *m->spread);
    m->registered = vd_mem_array(images, sizeof *m->registered);
    m->camera = vd_mem_array((size_t)in->n_cameras, sizeof *m->camera);
    m->frozen = vd_mem_array((size_t)in->n_cameras, 1);
    m->point_of = vd_mem_array((size_t)m->tracks.n_keys, sizeof *m->point_of);
    m->track_points = vd_mem_array((size_t)m->tracks.n, sizeof *m->track_points);
    m->touched = vd_mem_array((size_t)m->tracks.n, 1);
    m->bad = vd_mem_array((size_t)m->tracks.n_keys, 1);
    if (m->info == NULL || m->pose == NULL || m->spread == NULL || m->registered == NULL ||
        m->camera == NULL || m->frozen == NULL || m->point_of == NULL || m->track_points == NULL ||
        m->touched == NULL || m->bad == NULL)
        return vd_nomem(err);
    m->stats.tracks = m->tracks.n;
    vd_mapper_begin(m);
    return VD_OK;
}

void vd_mapper_reset(vd_mapper *m) {
    void *const all[] = { m->info,        m->pose,       m->spread,       m->camera,  m->registered,
                          m->pair_of,     m->pair_start, m->pair_tried,   m->xyz,     m->point_of,
                          m->point_track, m->point_n,    m->track_points, m->touched, m->bad,
                          m->trusted,     m->tied,       m->frozen };
    for (int i = 0; i < VD_COUNT(all); i++) vd_mem_free(all[i]);
    vd_tracks_reset(&m->tracks);
    memset(m, 0, sizeof *m);
}

void vd_mapper_begin(vd_mapper *m) {
    const vd_sfm_input *in = m->in;
    for (int32_t i = 0; i < in->n_images; i++) {
        if (m->info[i].state == VD_IMAGE_IN_MODEL) m->info[i].state = VD_IMAGE_TAKEN;
        m->info[i].tries = m->info[i].tried_at = m->info[i].observations = 0;
    }
    memset(m->spread, 0, (size_t)VD_MAX(in->n_images, 1) * sizeof *m->spread);
    memset(m->point_of, 0xff, (size_t)m->tracks.n_keys * sizeof *m->point_of);
    memset(m->track_points, 0, (size_t)m->tracks.n * sizeof *m->track_points);
    memset(m->touched, 0, (size_t)m->tracks.n);
    if (in->n_cameras > 0) memcpy(m->camera, in->camera, (size_t)in->n_cameras * sizeof *m->camera);
    memset(m->frozen, 0, (size_t)in->n_cameras);
    m->n_registered = m->n_alive = 0;
    m->n_points = 0;
    m->images_at_global = m->points_at_global = 0;
    m->in_position_frame = m->upright = false;
    m->turn_sigma_rad = m->scale_sigma = 0;
}

void vd_mapper_register(vd_mapper *m, int32_t image, vd_rigid pose) {
    m->pose[image] = pose;
    m->info[image].state = VD_IMAGE_IN_MODEL;
    m->info[image].dropped = false;
    m->registered[m->n_registered++] = image;
}

void vd_mapper_unregister(vd_mapper *m, int32_t image) {
    const vd_sfm_image *p = &m->in->image[image];
    for (int32_t k = 0; k < p->n; k++) vd_mapper_forget(m, (vd_sfm_observation){ image, k });
    m->info[image].state = VD_IMAGE_FREE;
    int32_t n = 0;
    for (int32_t i = 0; i < m->n_registered; i++)
        if (m->registered[i] != image) m->registered[n++] = m->registered[i];
    m->n_registered = n;
}

vd_status vd_mapper_add_point(vd_mapper *m, int32_t *point, const double xyz[3], int32_t track,
                              vd_err *err) {
    if (m->n_points >= INT32_MAX) return vd_fail(err, VD_E_LIMIT, "mapper: more than 2^31 points");
    VD_TRY(VD_GROW(m->xyz, m->cap_xyz, m->n_points + 1, err));
    VD_TRY(VD_GROW(m->point_track, m->cap_track, m->n_points + 1, err));
    VD_TRY(VD_GROW(m->point_n, m->cap_n, m->n_points + 1, err));
    *point = (int32_t)m->n_points++;
    memcpy(m->xyz[*point], xyz, sizeof m->xyz[0]);
    m->point_track[*point] = track;
    m->point_n[*point] = 0;
    m->n_alive++;
    if (m->track_points[track]++ == 0) count_track(m, track, 1);
    return VD_OK;
}

void vd_mapper_observe(vd_mapper *m, int32_t point, vd_sfm_observation o) {
    m->point_of[vd_key_of(m, o)] = point;
    m->point_n[point]++;
    m->info[o.image].observations++;
    m->touched[m->point_track[point]] = 1;
}

static void drop(vd_mapper *m, vd_sfm_observation o) {
    int32_t *p = &m->point_of[vd_key_of(m, o)];
    m->point_n[*p]--;
    m->touched[m->point_track[*p]] = 1;
    *p = -1;
    m->info[o.image].observations--;
}

void vd_mapper_remove_point(vd_mapper *m, int32_t point) {
    int32_t track = m->point_track[point];
    for (int32_t k = m->tracks.start[track]; k < m->tracks.start[track + 1]; k++)
        if (m->point_of[vd_key_of(m, m->tracks.key[k])] == point) drop(m, m->tracks.key[k]);
    m->n_alive--;
    if (--m->track_points[track] == 0) count_track(m, track, -1);
}

void vd_mapper_forget(vd_mapper *m, vd_sfm_observation o) {
    int32_t point = m->point_of[vd_key_of(m, o)];
    if (point < 0) return;
    drop(m, o);
    if (m->point_n[point] < 2) vd_mapper_remove_point(m, point);
}
