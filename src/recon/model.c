/* The container of a reconstruction: memory, tracks, errors, figures, and what it must satisfy.
 * SPDX-License-Identifier: Apache-2.0 */
#include "recon/model.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"

/* Of the squared length of a quaternion: what texts of seven digits leave of one. */
static const double UNIT_TOLERANCE = 1e-6;
/* Other programs have 32-bit ids of cameras and images, the last of which says "none". */
static const int64_t MAX_ID = 0xfffffffe;

/* A point behind the camera is as far off as anything in a picture can be. */
static const double UNSEEN_ERROR_PX = 1e5;

void vd_model_reset(vd_model *m) {
    for (int32_t i = 0; i < m->n_images; i++) {
        vd_mem_free(m->images[i].name);
        vd_mem_free(m->images[i].uv);
        vd_mem_free(m->images[i].point);
    }
    vd_mem_free(m->cameras);
    vd_mem_free(m->camera_ids);
    vd_mem_free(m->images);
    vd_mem_free(m->xyz);
    vd_mem_free(m->rgb);
    vd_mem_free(m->error_px);
    vd_mem_free(m->point_ids);
    vd_mem_free(m->track_start);
    vd_mem_free(m->track_image);
    vd_mem_free(m->track_keypoint);
    *m = (vd_model){ 0 };
}

static vd_status check_count(int64_t n, const char *what, vd_err *err) {
    if (n < 0 || n > INT32_MAX)
        return vd_fail(err, VD_E_LIMIT, "model: %lld %s, limit %d", (long long)n, what, INT32_MAX);
    return VD_OK;
}

vd_status vd_model_add_cameras(vd_model *m, int64_t n, vd_err *err) {
    VD_TRY(check_count(n, "cameras", err));
    m->cameras = vd_mem_array((size_t)n, sizeof *m->cameras);
    m->camera_ids = vd_mem_array((size_t)n, sizeof *m->camera_ids);
    if (m->cameras == NULL || m->camera_ids == NULL) return vd_nomem(err);
    m->n_cameras = (int32_t)n;
    for (int64_t i = 0; i < n; i++) m->camera_ids[i] = i + 1;
    return VD_OK;
}

vd_status vd_model_add_images(vd_model *m, int64_t n, vd_err *err) {
    VD_TRY(check_count(n, "images", err));
    m->images = vd_mem_array((size_t)n, sizeof *m->images);
    if (m->images == NULL) return vd_nomem(err);
    m->n_images = (int32_t)n;
    for (int64_t i = 0; i < n; i++) {
        m->images[i].id = i + 1;
        m->images[i].cam_from_world.q.w = 1;
    }
    return VD_OK;
}

vd_status vd_model_set_image(vd_model_image *image, const char *name, size_t n_name, int64_t n,
                             vd_err *err) {
    VD_TRY(check_count(n, "keypoints of an image", err));
    image->name = vd_mem_strndup(name, n_name);
    image->uv = vd_mem_array((size_t)n, 2 * sizeof *image->uv);
    image->point = vd_mem_array((size_t)n, sizeof *image->point);
    if (image->name == NULL || image->uv == NULL || image->point == NULL) return vd_nomem(err);
    image->n = (int32_t)n;
    memset(image->point, 0xff, (size_t)n * sizeof *image->point);
    return VD_OK;
}

static vd_status room_for_tracks(vd_model *m, int64_t n, vd_err *err) {
    vd_mem_free(m->track_image);
    vd_mem_free(m->track_keypoint);
    m->track_image = vd_mem_array((size_t)n, sizeof *m->track_image);
    m->track_keypoint = vd_mem_array((size_t)n, sizeof *m->track_keypoint);
    return m->track_image != NULL && m->track_keypoint != NULL ? VD_OK : vd_nomem(err);
}

vd_status vd_model_add_points(vd_model *m, int64_t n, int64_t n_track, vd_err *err) {
    VD_TRY(check_count(n, "points", err));
    m->xyz = vd_mem_array((size_t)n, 3 * sizeof *m->xyz);
    m->rgb = vd_mem_array((size_t)n, 3);
    m->error_px = vd_mem_array((size_t)n, sizeof *m->error_px);
    m->point_ids = vd_mem_array((size_t)n, sizeof *m->point_ids);
    m->track_start = vd_mem_array((size_t)n + 1, sizeof *m->track_start);
    VD_TRY(room_for_tracks(m, n_track, err));
    if (m->xyz == NULL || m->rgb == NULL || m->error_px == NULL || m->point_ids == NULL ||
        m->track_start == NULL)
        return vd_nomem(err);
    m->n_points = n;
    for (int64_t i = 0; i < n; i++) {
        m->error_px[i] = -1;
        m->point_ids[i] = i + 1;
    }
    return VD_OK;
}

vd_status vd_model_track(vd_model *m, vd_err *err) {
    int64_t n = 0;
    if (m->n_points == 0) return VD_OK;
    memset(m->track_start, 0, (size_t)(m->n_points + 1) * sizeof *m->track_start);
    for (int32_t i = 0; i < m->n_images; i++)
        for (int32_t k = 0; k < m->images[i].n; k++)
            if (m->images[i].point[k] >= 0) {
                m->track_start[m->images[i].point[k] + 1]++;
                n++;
            }
    VD_TRY(room_for_tracks(m, n, err));
    for (int64_t p = 0; p < m->n_points; p++) m->track_start[p + 1] += m->track_start[p];
    /* Filling moves each start to its end; then they are moved back. */
    for (int32_t i = 0; i < m->n_images; i++)
        for (int32_t k = 0; k < m->images[i].n; k++)
            if (m->images[i].point[k] >= 0) {
                int64_t to = m->track_start[m->images[i].point[k]]++;
                m->track_image[to] = i;
                m->track_keypoint[to] = k;
            }
    memmove(m->track_start + 1, m->track_start, (size_t)m->n_points * sizeof *m->track_start);
    m->track_start[0] = 0;
    return VD_OK;
}

static double error_of(const vd_model *m, int64_t point, int64_t element) {
    const vd_model_image *image = &m->images[m->track_image[element]];
    const double *uv = image->uv + 2 * (int64_t)m->track_keypoint[element];
    const double *x = m->xyz + 3 * point;
    double r[9], at[2];
    vd_quat_matrix(r, image->cam_from_world.q);
    vd_vec3 t = image->cam_from_world.t;
    const double in_cam[3] = { r[0] * x[0] + r[1] * x[1] + r[2] * x[2] + t.x,
                               r[3] * x[0] + r[4] * x[1] + r[5] * x[2] + t.y,
                               r[6] * x[0] + r[7] * x[1] + r[8] * x[2] + t.z };
    if (!vd_camera_project(&m->cameras[image->camera], in_cam, at)) return UNSEEN_ERROR_PX;
    return VD_MIN(hypot(at[0] - uv[0], at[1] - uv[1]), UNSEEN_ERROR_PX);
}

void vd_model_update_errors(vd_model *m) {
    for (int64_t p = 0; p < m->n_points; p++) {
        int64_t begin = m->track_start[p], end = m->track_start[p + 1];
        double sum = 0;
        for (int64_t e = begin; e < end; e++) sum += error_of(m, p, e);
        m->error_px[p] = end > begin ? sum / (double)(end - begin) : -1;
    }
}

vd_model_stats vd_model_stats_of(const vd_model *m) {
    vd_model_stats s = { .cameras = m->n_cameras, .images = m->n_images, .points = m->n_points };
    int64_t known = 0;
    double sum = 0;
    if (m->n_points > 0) s.observations = m->track_start[m->n_points];
    for (int64_t p = 0; p < m->n_points; p++)
        if (m->error_px[p] >= 0) {
            sum += m->error_px[p];
            known++;
        }
    if (known > 0) s.mean_error_px = sum / (double)known;
    if (s.points > 0) s.mean_track_length = (double)s.observations / (double)s.points;
    if (s.images > 0) s.mean_observations_per_image = (double)s.observations / (double)s.images;
    return s;
}

/* ---- the check ---- */

static int by_value(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Files mostly have their ids in order; then nothing is copied. */
static vd_status check_ids(const int64_t *ids, int64_t n, int64_t max, const char *where,
                           const char *what, vd_err *err) {
    vd_status st = VD_OK;
    int64_t *sorted = NULL;
    bool in_order = true;
    for (int64_t i = 0; i < n; i++) {
        if (ids[i] < 0 || ids[i] > max)
            return vd_fail(err, VD_E_FORMAT, "%s: id %lld of %s %lld is outside 0 to %lld", where,
                           (long long)ids[i], what, (long long)i, (long long)max);
        in_order = in_order && (i == 0 || ids[i - 1] < ids[i]);
    }
    if (in_order) return VD_OK;
    sorted = vd_mem_array((size_t)n, sizeof *sorted);
    if (sorted == NULL) return vd_nomem(err);
    memcpy(sorted, ids, (size_t)n * sizeof *sorted);
    qsort(sorted, (size_t)n, sizeof *sorted, by_value);
    for (int64_t i = 1; i < n && st == VD_OK; i++)
        if (sorted[i - 1] == sorted[i])
            st = vd_fail(err, VD_E_FORMAT, "%s: two %ss have the id %lld", where, what,
                         (long long)sorted[i]);
    vd_mem_free(sorted);
    return st;
}

static vd_status check_cameras(const vd_model *m, const char *where, vd_err *err) {
    vd_err why = { 0 };
    for (int32_t i = 0; i < m->n_cameras; i++)
        if (vd_camera_check(&m->cameras[i], &why) != VD_OK)
            return vd_fail(err, VD_E_FORMAT, "%s: camera %lld: %s", where,
                           (long long)m->camera_ids[i], why.msg);
    return check_ids(m->camera_ids, m->n_cameras, MAX_ID, where, "camera", err);
}

static vd_status check_keypoints(const vd_model *m, const vd_model_image *v, const char *where,
                                 vd_err *err) {
    for (int64_t k = 0; k < v->n; k++) {
        if (!isfinite(v->uv[2 * k]) || !isfinite(v->uv[2 * k + 1]))
            return vd_fail(err, VD_E_FORMAT, "%s: image '%.100s': keypoint %lld is not finite",
                           where, v->name, (long long)k);
        if (v->point[k] < -1 || v->point[k] >= m->n_points)
            return vd_fail(err, VD_E_FORMAT,
                           "%s: image '%.100s': keypoint %lld sees point %d, there are %lld", where,
                           v->name, (long long)k, v->point[k], (long long)m->n_points);
    }
    return VD_OK;
}

static vd_status check_image(const vd_model *m, const vd_model_image *v, const char *where,
                             vd_err *err) {
    vd_quat q = v->cam_from_world.q;
    vd_vec3 t = v->cam_from_world.t;
    double norm2 = q.w * q.w + q.x * q.x + q.y * q.y + q.z * q.z;
    if (v->name == NULL || v->name[0] == '\0')
        return vd_fail(err, VD_E_FORMAT, "%s: image %lld has no name", where, (long long)v->id);
    if (v->camera < 0 || v->camera >= m->n_cameras)
        return vd_fail(err, VD_E_FORMAT, "%s: image '%.100s': camera %d, there are %d", where,
                       v->name, v->camera, m->n_cameras);
    if (!(fabs(norm2 - 1) < UNIT_TOLERANCE))
        return vd_fail(err, VD_E_FORMAT, "%s: image '%.100s': a rotation of squared length %g",
                       where, v->name, norm2);
    if (!isfinite(t.x) || !isfinite(t.y) || !isfinite(t.z))
        return vd_fail(err, VD_E_FORMAT, "%s: image '%.100s': its translation is not finite", where,
                       v->name);
    return check_keypoints(m, v, where, err);
}

static vd_status check_images(const vd_model *m, const char *where, vd_err *err) {
    vd_status st = VD_OK;
    vd_map *names = NULL;
    int64_t *ids = vd_mem_array((size_t)m->n_images, sizeof *ids);
    if (ids == NULL) return vd_nomem(err);
    VD_GO(vd_map_new(&names, err));
    for (int32_t i = 0; i < m->n_images; i++) {
        const vd_model_image *v = &m->images[i];
        ids[i] = v->id;
        VD_GO(check_image(m, v, where, err));
        VD_GO(vd_map_put(names, v->name, strlen(v->name), i, err));
        if (vd_map_size(names) != i + 1)
            VD_GO(vd_fail(err, VD_E_FORMAT, "%s: two images are named '%.100s'", where, v->name));
    }
    st = check_ids(ids, m->n_images, MAX_ID, where, "image", err);
done:
    vd_map_free(names);
    vd_mem_free(ids);
    return st;
}

static vd_status check_points(const vd_model *m, const char *where, vd_err *err) {
    for (int64_t p = 0; p < m->n_points; p++) {
        const double *x = m->xyz + 3 * p;
        if (!isfinite(x[0]) || !isfinite(x[1]) || !isfinite(x[2]) || !isfinite(m->error_px[p]))
            return vd_fail(err, VD_E_FORMAT, "%s: point %lld is not finite", where,
                           (long long)m->point_ids[p]);
        if (m->track_start[p] < 0 || m->track_start[p + 1] < m->track_start[p])
            return vd_fail(err, VD_E_FORMAT, "%s: the track of point %lld ends before it begins",
                           where, (long long)m->point_ids[p]);
    }
    return check_ids(m->point_ids, m->n_points, INT64_MAX - 1, where, "point", err);
}

/* Every element is a keypoint that says the same, and takes one that no other element took. */
static vd_status check_elements(const vd_model *m, const int64_t *first, uint8_t *taken,
                                const char *where, vd_err *err) {
    for (int64_t p = 0; p < m->n_points; p++)
        for (int64_t e = m->track_start[p]; e < m->track_start[p + 1]; e++) {
            int32_t i = m->track_image[e], k = m->track_keypoint[e];
            if (i < 0 || i >= m->n_images || k < 0 || k >= m->images[i].n)
                return vd_fail(err, VD_E_FORMAT,
                               "%s: the track of point %lld has keypoint %d of image %d, which is "
                               "not there",
                               where, (long long)m->point_ids[p], k, i);
            int64_t at = first[i] + k;
            if (m->images[i].point[k] != p || taken[at] != 0)
                return vd_fail(err, VD_E_FORMAT,
                               "%s: the track of point %lld has keypoint %d of '%.100s', which "
                               "belongs elsewhere",
                               where, (long long)m->point_ids[p], k, m->images[i].name);
            taken[at] = 1;
        }
    return VD_OK;
}

static vd_status check_tracks(const vd_model *m, const char *where, vd_err *err) {
    vd_status st = VD_OK;
    uint8_t *taken = NULL;
    int64_t n = 0, *first = vd_mem_array((size_t)m->n_images, sizeof *first);
    if (first == NULL) return vd_nomem(err);
    for (int32_t i = 0; i < m->n_images; n += m->images[i++].n) first[i] = n;
    taken = vd_mem_array((size_t)n, 1);
    if (taken == NULL) VD_GO(vd_nomem(err));
    VD_GO(check_elements(m, first, taken, where, err));
    for (int32_t i = 0; i < m->n_images; i++)
        for (int32_t k = 0; k < m->images[i].n; k++)
            if (m->images[i].point[k] >= 0 && taken[first[i] + k] == 0)
                VD_GO(vd_fail(
                    err, VD_E_FORMAT,
                    "%s: image '%.100s': keypoint %d sees point %lld, whose track lacks it", where,
                    m->images[i].name, k, (long long)m->point_ids[m->images[i].point[k]]));
done:
    vd_mem_free(first);
    vd_mem_free(taken);
    return st;
}

vd_status vd_model_check(const vd_model *m, const char *where, vd_err *err) {
    VD_TRY(check_cameras(m, where, err));
    VD_TRY(check_images(m, where, err));
    VD_TRY(check_points(m, where, err));
    return check_tracks(m, where, err);
}
