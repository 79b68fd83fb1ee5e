/* COLMAP's binary form: counts as uint64, then records without padding, little-endian.
 * SPDX-License-Identifier: Apache-2.0
 *
 *   cameras   n, then id:u32 model:i32 width:u64 height:u64 parameters:f64...
 *   images    n, then id:u32 qw qx qy qz tx ty tz:f64 camera:u32 name:bytes NUL
 *             n_keypoints, then x:f64 y:f64 point:u64 (all ones: none)
 *   points3D  n, then id:u64 x y z:f64 r g b:u8 error:f64
 *             n_track, then image:u32 keypoint:u32 */
#include "recon/bytes.h"
#include "recon/colmap_form.h"

/* The fewest bytes a record takes. */
enum {
    CAMERA_BYTES = 48,
    IMAGE_BYTES = 73,
    KEYPOINT_BYTES = 24,
    POINT_BYTES = 51,
    TRACK_BYTES = 8
};

static vd_bytes cursor(const vd_colmap_part *p) {
    return (vd_bytes){ .name = p->name, .data = p->data, .size = (int64_t)p->size };
}

/* ---- reading ---- */

static vd_status read_camera(vd_colmap_in *in, int64_t i, vd_bytes *b, vd_err *err) {
    uint32_t id = 0;
    int32_t model = 0;
    uint64_t size[2] = { 0 };
    VD_TRY(vd_bytes_get(b, &id, sizeof id, "a camera", err));
    VD_TRY(vd_bytes_get(b, &model, sizeof model, "a camera", err));
    VD_TRY(vd_bytes_get(b, size, sizeof size, "a camera", err));
    VD_TRY(vd_colmap_set_camera(in, i, b->name, id, model, size[0], size[1], err));
    return vd_bytes_get(b, in->m.cameras[i].params,
                        vd_camera_param_count(model) * (int64_t)sizeof(double),
                        "the parameters of a camera", err);
}

static vd_status read_cameras(vd_colmap_in *in, const vd_colmap_part *part, vd_err *err) {
    vd_bytes b = cursor(part);
    int64_t n = 0;
    VD_TRY(vd_bytes_count(&b, &n, CAMERA_BYTES, "cameras", err));
    VD_TRY(vd_model_add_cameras(&in->m, n, err));
    for (int64_t i = 0; i < n; i++) VD_TRY(read_camera(in, i, &b, err));
    return vd_bytes_end(&b, err);
}

static vd_status read_keypoints(vd_colmap_in *in, vd_model_image *v, vd_bytes *b, vd_err *err) {
    for (int64_t k = 0; k < v->n; k++) { /* the count says that they are there */
        uint64_t id = 0;
        VD_TRY(vd_bytes_get(b, v->uv + 2 * k, 2 * sizeof(double), "a keypoint", err));
        VD_TRY(vd_bytes_get(b, &id, sizeof id, "a keypoint", err));
        if (id > INT64_MAX && id != UINT64_MAX)
            return vd_fail(err, VD_E_LIMIT, "%s: byte %lld: point id %llu, limit %lld", b->name,
                           (long long)b->at - 8, (unsigned long long)id, (long long)INT64_MAX);
        VD_TRY(vd_colmap_set_keypoint(in, v, k, b->name, (int64_t)id, err));
    }
    return VD_OK;
}

static vd_status read_image(vd_colmap_in *in, int64_t i, vd_bytes *b, vd_err *err) {
    uint32_t id = 0, camera = 0;
    double qt[7] = { 0 };
    int64_t n = 0;
    VD_TRY(vd_bytes_get(b, &id, sizeof id, "an image", err));
    VD_TRY(vd_bytes_get(b, qt, sizeof qt, "an image", err));
    VD_TRY(vd_bytes_get(b, &camera, sizeof camera, "an image", err));
    const char *name = b->data + b->at, *end = memchr(name, '\0', (size_t)(b->size - b->at));
    if (end == NULL)
        return vd_fail(err, VD_E_FORMAT, "%s: byte %lld: the name of image %u does not end",
                       b->name, (long long)b->at, id);
    b->at += end + 1 - name;
    in->m.images[i].id = id;
    VD_TRY(vd_colmap_set_pose(in, i, b->name, qt, camera, err));
    VD_TRY(vd_bytes_count(b, &n, KEYPOINT_BYTES, "keypoints", err));
    VD_TRY(vd_model_set_image(&in->m.images[i], name, (size_t)(end - name), n, err));
    return read_keypoints(in, &in->m.images[i], b, err);
}

static vd_status read_images(vd_colmap_in *in, const vd_colmap_part *part, vd_err *err) {
    vd_bytes b = cursor(part);
    int64_t n = 0;
    VD_TRY(vd_bytes_count(&b, &n, IMAGE_BYTES, "images", err));
    VD_TRY(vd_model_add_images(&in->m, n, err));
    for (int64_t i = 0; i < n; i++) VD_TRY(read_image(in, i, &b, err));
    return vd_bytes_end(&b, err);
}

/* How long all tracks are together, by which the file itself is walked through once. */
static vd_status count_tracks(vd_bytes b, int64_t n, int64_t *out, vd_err *err) {
    int64_t sum = 0, n_track = 0;
    for (int64_t i = 0; i < n; i++) {
        char head[POINT_BYTES - 8];
        VD_TRY(vd_bytes_get(&b, head, sizeof head, "a point", err));
        VD_TRY(vd_bytes_count(&b, &n_track, TRACK_BYTES, "elements of a track", err));
        b.at += n_track * TRACK_BYTES;
        sum += n_track;
    }
    *out = sum;
    return VD_OK;
}

static vd_status read_point(vd_model *m, int64_t i, vd_bytes *b, vd_err *err) {
    uint64_t id = 0;
    int64_t n = 0, at = m->track_start[i];
    VD_TRY(vd_bytes_get(b, &id, sizeof id, "a point", err));
    if (id > INT64_MAX)
        return vd_fail(err, VD_E_LIMIT, "%s: byte %lld: point id %llu, limit %lld", b->name,
                       (long long)b->at - 8, (unsigned long long)id, (long long)INT64_MAX);
    m->point_ids[i] = (int64_t)id;
    VD_TRY(vd_bytes_get(b, m->xyz + 3 * i, 3 * sizeof(double), "a point", err));
    VD_TRY(vd_bytes_get(b, m->rgb + 3 * i, 3, "a point", err));
    VD_TRY(vd_bytes_get(b, &m->error_px[i], sizeof(double), "a point", err));
    VD_TRY(vd_bytes_count(b, &n, TRACK_BYTES, "elements of a track", err));
    for (int64_t e = at; e < at + n; e++) {
        uint32_t element[2] = { 0 };
        VD_TRY(vd_bytes_get(b, element, sizeof element, "a track", err));
        if (element[1] > INT32_MAX)
            return vd_fail(err, VD_E_LIMIT, "%s: byte %lld: keypoint %u, limit %d", b->name,
                           (long long)b->at - 4, element[1], INT32_MAX);
        m->track_image[e] = (int32_t)element[0];
        m->track_keypoint[e] = (int32_t)element[1];
    }
    m->track_start[i + 1] = at + n;
    return VD_OK;
}

static vd_status read_points(vd_colmap_in *in, const vd_colmap_part *part, vd_err *err) {
    vd_bytes b = cursor(part);
    int64_t n = 0, n_track = 0;
    VD_TRY(vd_bytes_count(&b, &n, POINT_BYTES, "points", err));
    VD_TRY(count_tracks(b, n, &n_track, err));
    VD_TRY(vd_model_add_points(&in->m, n, n_track, err));
    for (int64_t i = 0; i < n; i++) VD_TRY(read_point(&in->m, i, &b, err));
    return vd_bytes_end(&b, err);
}

/* ---- writing ---- */

static vd_status write_cameras(vd_str *s, const vd_model *m, vd_err *err) {
    (void)err;
    vd_bytes_put_u64(s, m->n_cameras);
    for (int32_t i = 0; i < m->n_cameras; i++) {
        const vd_camera *c = &m->cameras[i];
        vd_bytes_put_u32(s, m->camera_ids[i]);
        vd_bytes_put_u32(s, c->model);
        vd_bytes_put_u64(s, c->width);
        vd_bytes_put_u64(s, c->height);
        vd_bytes_put(s, c->params, (size_t)vd_camera_param_count(c->model) * sizeof(double));
    }
    return VD_OK;
}

static vd_status write_images(vd_str *s, const vd_model *m, vd_err *err) {
    (void)err;
    vd_bytes_put_u64(s, m->n_images);
    for (int32_t i = 0; i < m->n_images; i++) {
        const vd_model_image *v = &m->images[i];
        vd_quat q = v->cam_from_world.q;
        vd_vec3 t = v->cam_from_world.t;
        const double qt[7] = { q.w, q.x, q.y, q.z, t.x, t.y, t.z };
        vd_bytes_put_u32(s, v->id);
        vd_bytes_put(s, qt, sizeof qt);
        vd_bytes_put_u32(s, m->camera_ids[v->camera]);
        vd_bytes_put(s, v->name, strlen(v->name) + 1);
        vd_bytes_put_u64(s, v->n);
        for (int64_t k = 0; k < v->n; k++) {
            vd_bytes_put(s, v->uv + 2 * k, 2 * sizeof(double));
            vd_bytes_put_u64(s, v->point[k] < 0 ? -1 : m->point_ids[v->point[k]]);
        }
    }
    return VD_OK;
}

static vd_status write_points(vd_str *s, const vd_model *m, vd_err *err) {
    (void)err;
    vd_bytes_put_u64(s, m->n_points);
    for (int64_t i = 0; i < m->n_points; i++) {
        int64_t begin = m->track_start[i], end = m->track_start[i + 1];
        vd_bytes_put_u64(s, m->point_ids[i]);
        vd_bytes_put(s, m->xyz + 3 * i, 3 * sizeof(double));
        vd_bytes_put(s, m->rgb + 3 * i, 3);
        vd_bytes_put(s, &m->error_px[i], sizeof(double));
        vd_bytes_put_u64(s, end - begin);
        for (int64_t e = begin; e < end; e++) {
            vd_bytes_put_u32(s, m->images[m->track_image[e]].id);
            vd_bytes_put_u32(s, m->track_keypoint[e]);
        }
    }
    return VD_OK;
}

const vd_colmap_codec vd_colmap_binary = { { read_cameras, read_images, read_points },
                                           { write_cameras, write_images, write_points } };
