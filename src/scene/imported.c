/* Scenes that came from another program; see imported.h. Arrays are written first, under ids that
 * nothing speaks of yet; one transaction then turns the catalog to them. SPDX-License-Identifier:
 * Apache-2.0 */
#include "scene/imported.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"
#include "geometry/rigid.h"
#include "recon/camera_text.h"
#include "recon/colmap.h"
#include "store/arrays.h"

enum { VERSION = 1, MOST_SCENES = 1000000 };
static const char *const part_array[VD_COLMAP_PARTS] = { "model_cameras", "model_images",
                                                         "model_points3D" };
static const char *const scene_array[] = { "points", "point_colours", "point_errors", "tracks",
                                           "scene_views" };

int64_t vd_scene_array(int64_t number, int64_t scene) {
    return number * MOST_SCENES + scene;
}

vd_status vd_scenes_import_number(int64_t *number, vd_db *db, vd_err *err) {
    return vd_db_int(
        db, "SELECT CAST(value AS INTEGER) FROM dataset_state WHERE name = 'scenes_imported'",
        number, err);
}

void vd_scenes_import_remove(const vd_dataset *ds, int64_t number, int64_t n_scenes) {
    for (int64_t k = 1; k <= n_scenes; k++) {
        for (int i = 0; i < VD_COUNT(scene_array); i++)
            vd_array_remove(ds, scene_array[i], vd_scene_array(number, k));
        for (int i = 0; i < VD_COLMAP_PARTS; i++)
            vd_array_remove(ds, part_array[i], vd_scene_array(number, k));
    }
}

/* ---- arrays ---- */

static vd_status write_model(const vd_dataset *ds, int64_t id, const vd_model *m, vd_err *err) {
    vd_str part[VD_COLMAP_PARTS] = { { 0 } };
    vd_status st = vd_colmap_emit(part, m, VD_COLMAP_BINARY, err);
    for (int i = 0; st == VD_OK && i < VD_COLMAP_PARTS; i++) {
        const vd_npy shape = { .type = VD_NPY_U8, .n_dims = 1, .dim = { part[i].size } };
        st = vd_array_write(ds, part_array[i], id, &shape, vd_str_text(&part[i]), err);
    }
    for (int i = 0; i < VD_COLMAP_PARTS; i++) vd_str_reset(&part[i]);
    return st;
}

static vd_status write_tracks(const vd_dataset *ds, int64_t id, const vd_model *m, vd_err *err) {
    int64_t n = m->n_points > 0 ? m->track_start[m->n_points] : 0;
    const vd_npy shape = { .type = VD_NPY_I32, .n_dims = 2, .dim = { n, 3 } };
    int32_t *rows = vd_mem_array((size_t)n + 1, 3 * sizeof *rows);
    if (rows == NULL) return vd_nomem(err);
    for (int64_t p = 0; p < m->n_points; p++)
        for (int64_t e = m->track_start[p]; e < m->track_start[p + 1]; e++) {
            rows[3 * e] = (int32_t)p;
            rows[3 * e + 1] = m->track_image[e];
            rows[3 * e + 2] = m->track_keypoint[e];
        }
    vd_status st = vd_array_write(ds, "tracks", id, &shape, rows, err);
    vd_mem_free(rows);
    return st;
}

static vd_status write_arrays(const vd_dataset *ds, int64_t id, const vd_imported_scene *s,
                              vd_err *err) {
    const vd_model *m = s->model;
    const vd_npy xyz = { .type = VD_NPY_F64, .n_dims = 2, .dim = { m->n_points, 3 } };
    const vd_npy rgb = { .type = VD_NPY_U8, .n_dims = 2, .dim = { m->n_points, 3 } };
    const vd_npy error = { .type = VD_NPY_F64, .n_dims = 1, .dim = { m->n_points } };
    const vd_npy views = { .type = VD_NPY_I64, .n_dims = 1, .dim = { m->n_images } };
    VD_TRY(write_model(ds, id, m, err));
    VD_TRY(write_tracks(ds, id, m, err));
    VD_TRY(vd_array_write(ds, "points", id, &xyz, m->xyz, err));
    VD_TRY(vd_array_write(ds, "point_colours", id, &rgb, m->rgb, err));
    VD_TRY(vd_array_write(ds, "point_errors", id, &error, m->error_px, err));
    return vd_array_write(ds, "scene_views", id, &views, s->assets, err);
}

/* ---- rows ---- */

typedef struct writer {
    vd_db *db;
    const char *format;
    vd_stmt *config, *camera, *scene, *fact;
    vd_map *placed; /* assets */
    int64_t n_cameras;
    int64_t *camera_id; /* of the scene at hand */
} writer;

static vd_status writer_init(writer *w, vd_err *err) {
    VD_TRY(vd_db_prepare(&w->config, w->db,
                         "INSERT OR IGNORE INTO stage_config(key, stage, version, params, inputs)"
                         " VALUES(?1, 'import', ?2, ?3, '')",
                         true, err));
    VD_TRY(vd_db_prepare(&w->camera, w->db,
                         "INSERT INTO camera(id, model, width, height, params, focal_from)"
                         " VALUES(?1, ?2, ?3, ?4, ?5, 'imported')",
                         true, err));
    VD_TRY(vd_db_prepare(&w->scene, w->db,
                         "INSERT INTO scene(id, pictures, registered, points, observations,"
                         " reprojection_px, track_length, angle_deg, georeferenced)"
                         " VALUES(?1, ?2, ?2, ?3, ?4, ?5, ?6, ?7, 0)",
                         true, err));
    VD_TRY(vd_db_prepare(&w->fact, w->db,
                         "INSERT INTO fact_reconstruct(asset_id, key, scene, registered, camera_id,"
                         " qw, qx, qy, qz, tx, ty, tz, centre_x, centre_y, centre_z, scene_points)"
                         " VALUES(?1, ?2, ?3, 1, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14,"
                         " ?15)",
                         true, err));
    return vd_map_new(&w->placed, err);
}

static void writer_reset(writer *w) {
    vd_stmt_free(w->config);
    vd_stmt_free(w->camera);
    vd_stmt_free(w->scene);
    vd_stmt_free(w->fact);
    vd_map_free(w->placed);
    vd_mem_free(w->camera_id);
}

/* Like the key of a stage, of what there is to say about an import. */
static vd_status write_config(writer *w, const char *from, int64_t *key, vd_err *err) {
    vd_str params = { 0 };
    vd_str_addf(&params, "format=%s;from=%s;", w->format, from);
    vd_status st = vd_str_check(&params, err);
    if (st == VD_OK) {
        uint64_t h = vd_hash64(params.data, (size_t)params.size);
        *key = (int64_t)(vd_mix64(h ^ VERSION) >> 1);
        const vd_value v[] = { vd_val_int(*key), vd_val_int(VERSION), vd_val_text(params.data) };
        st = vd_stmt_run(w->config, v, VD_COUNT(v), err);
    }
    vd_str_reset(&params);
    return st;
}

static vd_status write_cameras(writer *w, const vd_model *m, vd_err *err) {
    vd_str params = { 0 };
    vd_status st = VD_OK;
    vd_mem_free(w->camera_id);
    w->camera_id = vd_mem_array((size_t)m->n_cameras + 1, sizeof *w->camera_id);
    if (w->camera_id == NULL) return vd_nomem(err);
    for (int32_t i = 0; st == VD_OK && i < m->n_cameras; i++) {
        const vd_camera *c = &m->cameras[i];
        w->camera_id[i] = ++w->n_cameras;
        vd_str_clear(&params);
        vd_camera_put_params(&params, c);
        st = vd_str_check(&params, err);
        const vd_value v[] = { vd_val_int(w->camera_id[i]),
                               vd_val_text(vd_camera_model_name(c->model)), vd_val_int(c->width),
                               vd_val_int(c->height), vd_val_text(vd_str_text(&params)) };
        if (st == VD_OK) st = vd_stmt_run(w->camera, v, VD_COUNT(v), err);
    }
    vd_str_reset(&params);
    return st;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The widest angle between two rays to a point, of its first observations when there are many. */
static double widest_angle(const vd_model *m, int64_t p) {
    enum { MOST = 32 };
    vd_vec3 ray[MOST];
    double cosine = 1;
    int64_t n = VD_MIN(m->track_start[p + 1] - m->track_start[p], MOST);
    for (int i = 0; i < n; i++) {
        int32_t image = m->track_image[m->track_start[p] + i];
        vd_vec3 x = vd_v3(m->xyz[3 * p], m->xyz[3 * p + 1], m->xyz[3 * p + 2]);
        ray[i] = vd_v3_unit(vd_v3_sub(x, vd_rigid_centre(m->images[image].cam_from_world)));
        for (int k = 0; k < i; k++) cosine = fmin(cosine, vd_v3_dot(ray[i], ray[k]));
    }
    return acos(VD_CLAMP(cosine, -1, 1)) * (180 / 3.14159265358979323846);
}

static vd_status median_angle(double *deg, const vd_model *m, vd_err *err) {
    double *angle = vd_mem_array((size_t)m->n_points + 1, sizeof *angle);
    if (angle == NULL) return vd_nomem(err);
    for (int64_t p = 0; p < m->n_points; p++) angle[p] = widest_angle(m, p);
    if (m->n_points > 0) qsort(angle, (size_t)m->n_points, sizeof *angle, by_value);
    *deg = m->n_points > 0 ? angle[m->n_points / 2] : (double)NAN;
    vd_mem_free(angle);
    return VD_OK;
}

static vd_status write_scene(writer *w, int64_t scene, const vd_model *m, vd_err *err) {
    const vd_model_stats s = vd_model_stats_of(m);
    double angle = 0;
    VD_TRY(median_angle(&angle, m, err));
    const vd_value v[] = { vd_val_int(scene),
                           vd_val_int(s.images),
                           vd_val_int(s.points),
                           vd_val_int(s.observations),
                           s.points > 0 ? vd_val_real(s.mean_error_px) : vd_val_null(),
                           s.points > 0 ? vd_val_real(s.mean_track_length) : vd_val_null(),
                           vd_val_real(angle) };
    return vd_stmt_run(w->scene, v, VD_COUNT(v), err);
}

static vd_status write_image(writer *w, const vd_model_image *v, int64_t asset, int64_t scene,
                             int64_t key, vd_err *err) {
    const vd_quat q = v->cam_from_world.q;
    const vd_vec3 t = v->cam_from_world.t, c = vd_rigid_centre(v->cam_from_world);
    const double pose[] = { q.w, q.x, q.y, q.z, t.x, t.y, t.z, c.x, c.y, c.z };
    enum { FIRST = 4, N = FIRST + VD_COUNT(pose) + 1 };
    vd_value out[N] = { vd_val_int(asset), vd_val_int(key), vd_val_int(scene),
                        vd_val_int(w->camera_id[v->camera]) };
    int64_t seen = 0, points = 0;
    if (vd_map_get(w->placed, &asset, sizeof asset, &seen)) return VD_OK;
    VD_TRY(vd_map_put(w->placed, &asset, sizeof asset, scene, err));
    for (int32_t k = 0; k < v->n; k++) points += v->point[k] >= 0;
    for (int i = 0; i < VD_COUNT(pose); i++) out[FIRST + i] = vd_val_real(pose[i]);
    out[N - 1] = vd_val_int(points);
    return vd_stmt_run(w->fact, out, N, err);
}

static vd_status write_rows(writer *w, int64_t number, const vd_imported_scene *s, int n,
                            vd_err *err) {
    char state[64];
    VD_TRY(vd_db_exec(w->db,
                      "DELETE FROM fact_reconstruct; DELETE FROM scene; DELETE FROM camera;"
                      "DELETE FROM dataset_state WHERE name = 'reconstruct_key'",
                      err));
    for (int k = 0; k < n; k++) {
        const vd_model *m = s[k].model;
        int64_t key = 0;
        VD_TRY(write_config(w, s[k].from, &key, err));
        VD_TRY(write_cameras(w, m, err));
        VD_TRY(write_scene(w, k + 1, m, err));
        for (int32_t i = 0; i < m->n_images; i++)
            VD_TRY(write_image(w, &m->images[i], s[k].assets[i], k + 1, key, err));
    }
    snprintf(state, sizeof state, "%lld", (long long)number);
    vd_stmt *set = NULL;
    const vd_value v[] = { vd_val_text(state) };
    VD_TRY(vd_db_prepare(&set, w->db,
                         "INSERT OR REPLACE INTO dataset_state(name, value)"
                         " VALUES('scenes_imported', ?1)",
                         true, err));
    vd_status st = vd_stmt_run(set, v, 1, err);
    vd_stmt_free(set);
    return st;
}

vd_status vd_scenes_import(vd_dataset *ds, const char *format, const vd_imported_scene *scenes,
                           int n, vd_err *err) {
    vd_status st = VD_OK;
    vd_db *db = vd_dataset_db(ds);
    writer w = { .db = db, .format = format };
    int64_t before = -1, n_before = 0;
    if (n >= MOST_SCENES)
        return vd_fail(err, VD_E_LIMIT, "import: %d scenes, limit %d", n, MOST_SCENES - 1);
    VD_GO(vd_scenes_import_number(&before, db, err));
    VD_GO(vd_db_int(db, "SELECT count(*) FROM scene", &n_before, err));
    for (int k = 0; k < n; k++)
        VD_GO(write_arrays(ds, vd_scene_array(before + 1, k + 1), &scenes[k], err));
    VD_GO(vd_db_begin(db, err));
    VD_GO(writer_init(&w, err));
    VD_GO(write_rows(&w, before + 1, scenes, n, err));
    VD_GO(vd_db_commit(db, err));
done:
    if (st != VD_OK) vd_db_rollback(db);
    writer_reset(&w);
    if (st == VD_OK)
        vd_scenes_import_remove(ds, before, n_before);
    else if (before >= 0)
        vd_scenes_import_remove(ds, before + 1, n);
    return st;
}

/* ---- reading back ---- */

vd_status vd_imported_load(vd_model *out, const vd_dataset *ds, int64_t number, int64_t scene,
                           vd_err *err) {
    vd_status st = VD_OK;
    vd_colmap_part part[VD_COLMAP_PARTS] = { { 0 } };
    for (int i = 0; i < VD_COLMAP_PARTS; i++) {
        void *data = NULL;
        int64_t size = 0;
        VD_GO(vd_array_read(ds, part_array[i], vd_scene_array(number, scene), VD_NPY_U8, 1, &data,
                            &size, err));
        part[i] = (vd_colmap_part){ part_array[i], data, (size_t)size };
    }
    st = vd_colmap_parse(out, VD_COLMAP_BINARY, part, err);
done:
    for (int i = 0; i < VD_COLMAP_PARTS; i++) vd_mem_free((void *)part[i].data);
    return st;
}

/* ---- our keypoints and theirs ---- */

typedef struct place {
    double u, v;
    int32_t point;
} place;

static int by_row(const void *a, const void *b) {
    const place *x = a, *y = b;
    if (x->v != y->v) return x->v < y->v ? -1 : 1;
    if (x->u != y->u) return x->u < y->u ? -1 : 1;
    return (x->point > y->point) - (x->point < y->point);
}

static int32_t nearest(const place *p, int32_t n, double u, double v, double radius) {
    int32_t lo = 0, hi = n, best = -1;
    double least = radius * radius;
    while (lo < hi) {
        int32_t mid = lo + (hi - lo) / 2;
        if (p[mid].v < v - radius)
            lo = mid + 1;
        else
            hi = mid;
    }
    for (; lo < n && p[lo].v <= v + radius; lo++) {
        double du = p[lo].u - u, dv = p[lo].v - v, d2 = du * du + dv * dv;
        if (d2 > least || (d2 == least && best >= 0)) continue;
        least = d2;
        best = p[lo].point;
    }
    return best;
}

vd_status vd_imported_points(int32_t *point, const vd_keypoint *kp, int n,
                             const vd_model_image *image, const vd_camera *camera, vd_err *err) {
    static const double share = 1e-3;
    double radius = share * VD_MAX(camera->width, camera->height);
    int32_t n_seen = 0;
    place *seen = vd_mem_array((size_t)image->n + 1, sizeof *seen);
    if (seen == NULL) return vd_nomem(err);
    for (int32_t k = 0; k < image->n; k++)
        if (image->point[k] >= 0)
            seen[n_seen++] = (place){ image->uv[2 * k], image->uv[2 * k + 1], image->point[k] };
    if (n_seen > 1) qsort(seen, (size_t)n_seen, sizeof *seen, by_row);
    for (int i = 0; i < n; i++) point[i] = nearest(seen, n_seen, kp[i].x, kp[i].y, radius);
    vd_mem_free(seen);
    return VD_OK;
}
