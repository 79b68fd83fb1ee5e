/* Reading scenes back. SPDX-License-Identifier: Apache-2.0 */
#include "scene/scenes.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "recon/camera_text.h"
#include "stage/features.h"
#include "scene/imported.h"
#include "store/arrays.h"

typedef struct loader {
    const vd_dataset *ds;
    vd_db *db;
    int64_t scene, n;
    int64_t *ids;
    vd_model m;
} loader;

vd_status vd_scene_assets(int64_t **ids, int64_t *n, const vd_dataset *ds, int64_t scene,
                          vd_err *err) {
    void *data = NULL;
    int64_t number = 0;
    VD_TRY(vd_scenes_import_number(&number, vd_dataset_db(ds), err));
    VD_TRY(vd_array_read(ds, "scene_views", vd_scene_array(number, scene), VD_NPY_I64, 1, &data, n,
                         err));
    *ids = data;
    return VD_OK;
}

/* ---- cameras ---- */

static vd_status load_cameras(loader *l, vd_err *err) {
    vd_stmt *s = NULL;
    int64_t n = 0;
    bool row = true;
    vd_status st =
        vd_db_prepare(&s, l->db,
                      "SELECT id, model, width, height, params, count(*) OVER () FROM camera"
                      " WHERE id IN (SELECT camera_id FROM fact_reconstruct WHERE scene = ?1)"
                      " ORDER BY id",
                      true, err);
    if (st == VD_OK) vd_stmt_bind(s, 1, vd_val_int(l->scene));
    while (st == VD_OK && row) {
        st = vd_stmt_step(s, &row, err);
        if (st != VD_OK || !row) break;
        if (n == 0) st = vd_model_add_cameras(&l->m, vd_stmt_int(s, 5), err);
        if (st != VD_OK) break;
        vd_camera *c = &l->m.cameras[n];
        l->m.camera_ids[n++] = vd_stmt_int(s, 0);
        *c = (vd_camera){ .model = vd_camera_model_from_name(vd_stmt_text(s, 1)),
                          .width = (int32_t)vd_stmt_int(s, 2),
                          .height = (int32_t)vd_stmt_int(s, 3) };
        vd_err why = { 0 };
        if (vd_camera_parse_params(c, vd_stmt_text(s, 4), &why) != VD_OK)
            st = vd_fail(err, VD_E_FORMAT, "scene %lld: %s", (long long)l->scene, why.msg);
    }
    vd_stmt_free(s);
    return st;
}

static int32_t camera_index(const vd_model *m, int64_t id) {
    for (int32_t i = 0; i < m->n_cameras; i++)
        if (m->camera_ids[i] == id) return i;
    return -1;
}

/* ---- images ---- */

static vd_status load_keypoints(loader *l, vd_model_image *image, int64_t id, const char *uri,
                                vd_err *err) {
    vd_keypoint *kp = NULL;
    int n = 0;
    VD_TRY(vd_keypoints_load(&kp, &n, l->ds, id, err));
    vd_status st = vd_model_set_image(image, uri, strlen(uri), n, err);
    for (int k = 0; st == VD_OK && k < n; k++) {
        image->uv[2 * k] = kp[k].x;
        image->uv[2 * k + 1] = kp[k].y;
    }
    vd_mem_free(kp);
    return st;
}

static vd_status load_image(loader *l, vd_stmt *s, int64_t i, vd_err *err) {
    vd_model_image *image = &l->m.images[i];
    bool row = false;
    vd_stmt_bind(s, 1, vd_val_int(l->ids[i]));
    VD_TRY(vd_stmt_step(s, &row, err));
    int32_t camera = row ? camera_index(&l->m, vd_stmt_int(s, 1)) : -1;
    if (camera < 0)
        return vd_fail(err, VD_E_FORMAT, "scene %lld: asset %lld has no pose", (long long)l->scene,
                       (long long)l->ids[i]);
    image->camera = camera;
    image->cam_from_world.q =
        (vd_quat){ vd_stmt_real(s, 2), vd_stmt_real(s, 3), vd_stmt_real(s, 4), vd_stmt_real(s, 5) };
    image->cam_from_world.t = vd_v3(vd_stmt_real(s, 6), vd_stmt_real(s, 7), vd_stmt_real(s, 8));
    vd_status st = load_keypoints(l, image, l->ids[i], vd_stmt_text(s, 0), err);
    vd_stmt_reset(s);
    return st;
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static vd_status names_differ(const vd_model *m, bool *out, vd_err *err) {
    const char **name = vd_mem_array((size_t)m->n_images + 1, sizeof *name);
    if (name == NULL) return vd_nomem(err);
    for (int32_t i = 0; i < m->n_images; i++) name[i] = vd_path_name(m->images[i].name);
    qsort(name, (size_t)m->n_images, sizeof *name, by_text);
    *out = true;
    for (int32_t i = 1; i < m->n_images; i++)
        if (strcmp(name[i - 1], name[i]) == 0) *out = false;
    vd_mem_free(name);
    return VD_OK;
}

/* From URIs to names: the last component, or what follows the folder common to all. */
static vd_status shorten_names(vd_model *m, vd_err *err) {
    bool differ = false;
    size_t common = 0;
    if (m->n_images == 0) return VD_OK;
    VD_TRY(names_differ(m, &differ, err));
    const char *first = m->images[0].name;
    size_t same = strlen(first);
    for (int32_t i = 1; i < m->n_images; i++) {
        size_t k = 0;
        while (k < same && m->images[i].name[k] == first[k]) k++;
        same = k;
    }
    for (size_t k = 0; k < same; k++)
        if (first[k] == '/') common = k + 1;
    for (int32_t i = 0; i < m->n_images; i++) {
        char *name = m->images[i].name;
        const char *from = differ ? vd_path_name(name) : name + common;
        memmove(name, from, strlen(from) + 1);
    }
    return VD_OK;
}

static vd_status load_images(loader *l, vd_err *err) {
    vd_stmt *s = NULL;
    vd_status st = VD_OK;
    VD_GO(vd_model_add_images(&l->m, l->n, err));
    VD_GO(vd_db_prepare(&s, l->db,
                        "SELECT a.uri, r.camera_id, r.qw, r.qx, r.qy, r.qz, r.tx, r.ty, r.tz"
                        " FROM fact_reconstruct r JOIN asset a ON a.id = r.asset_id"
                        " WHERE r.asset_id = ?1 AND r.registered = 1",
                        true, err));
    for (int64_t i = 0; i < l->n; i++) VD_GO(load_image(l, s, i, err));
    VD_GO(shorten_names(&l->m, err));
done:
    vd_stmt_free(s);
    return st;
}

/* ---- points ---- */

static vd_status set_track(loader *l, const int32_t *rows, int64_t n, vd_err *err) {
    vd_model *m = &l->m;
    for (int64_t k = 0; k < n; k++) {
        int32_t p = rows[3 * k], v = rows[3 * k + 1], kp = rows[3 * k + 2];
        bool in_order = p >= 0 && p < m->n_points && (k == 0 || p >= rows[3 * k - 3]);
        if (!in_order || v < 0 || v >= m->n_images || kp < 0 || kp >= m->images[v].n)
            return vd_fail(err, VD_E_FORMAT, "scene %lld: row %lld of its tracks is damaged",
                           (long long)l->scene, (long long)k);
        m->track_start[p + 1] = k + 1;
        m->track_image[k] = v;
        m->track_keypoint[k] = kp;
        m->images[v].point[kp] = p;
    }
    for (int64_t p = 1; p <= m->n_points; p++)
        if (m->track_start[p] < m->track_start[p - 1]) m->track_start[p] = m->track_start[p - 1];
    return VD_OK;
}

static vd_status load_points(loader *l, vd_err *err) {
    vd_status st = VD_OK;
    void *xyz = NULL, *rgb = NULL, *error = NULL, *tracks = NULL;
    int64_t n = 0, n_rgb = 0, n_error = 0, n_track = 0;
    VD_GO(vd_array_read(l->ds, "points", l->scene, VD_NPY_F64, 3, &xyz, &n, err));
    VD_GO(vd_array_read(l->ds, "point_colours", l->scene, VD_NPY_U8, 3, &rgb, &n_rgb, err));
    VD_GO(vd_array_read(l->ds, "point_errors", l->scene, VD_NPY_F64, 1, &error, &n_error, err));
    VD_GO(vd_array_read(l->ds, "tracks", l->scene, VD_NPY_I32, 3, &tracks, &n_track, err));
    if (n_rgb != n || n_error != n)
        VD_GO(vd_fail(err, VD_E_FORMAT, "scene %lld: %lld points, %lld colours, %lld errors",
                      (long long)l->scene, (long long)n, (long long)n_rgb, (long long)n_error));
    VD_GO(vd_model_add_points(&l->m, n, n_track, err));
    memcpy(l->m.xyz, xyz, 3 * (size_t)n * sizeof *l->m.xyz);
    memcpy(l->m.rgb, rgb, 3 * (size_t)n);
    memcpy(l->m.error_px, error, (size_t)n * sizeof *l->m.error_px);
    VD_GO(set_track(l, tracks, n_track, err));
done:
    vd_mem_free(xyz);
    vd_mem_free(rgb);
    vd_mem_free(error);
    vd_mem_free(tracks);
    return st;
}

vd_status vd_scene_load(vd_model *out, const vd_dataset *ds, int64_t scene, vd_err *err) {
    vd_status st = VD_OK;
    int64_t number = 0;
    loader l = { .ds = ds, .db = vd_dataset_db(ds), .scene = scene };
    VD_TRY(vd_scenes_import_number(&number, l.db, err));
    if (number > 0) return vd_imported_load(out, ds, number, scene, err);
    VD_GO(vd_scene_assets(&l.ids, &l.n, ds, scene, err));
    VD_GO(load_cameras(&l, err));
    VD_GO(load_images(&l, err));
    VD_GO(load_points(&l, err));
    *out = l.m;
    l.m = (vd_model){ 0 };
done:
    vd_mem_free(l.ids);
    vd_model_reset(&l.m);
    return st;
}
