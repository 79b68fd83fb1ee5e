/* Scenes in the report against a catalog of known content: what the page embeds is decoded again
 * and compared with the arrays. A point's colour says which point of the arrays it is.
 * SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "base/mem.h"
#include "base/path.h"
#include "image/resize.h"
#include "json_at.h"
#include "report/data.h"
#include "stage/stages.h"
#include "store/arrays.h"
#include "tmpdir.h"

enum { POINTS = 3000, FAR = 20, VIEWS = 6, SCENES = 8 };

typedef struct world {
    t_dir dir;
    vd_dataset *ds;
    vd_db *db;
    double *xyz; /* of every scene */
    uint8_t *rgb;
    vd_str json;
} world;

/* A slab of points, with some far away. */
static void make_points(t_case *t, world *w) {
    vd_rng r = t_rng(t);
    w->xyz = malloc(3 * POINTS * sizeof *w->xyz);
    w->rgb = malloc(3 * POINTS);
    for (int i = 0; i < POINTS; i++) {
        const bool away = i % (POINTS / FAR) == 7;
        for (int k = 0; k < 3; k++) {
            w->xyz[3 * i + k] = vd_rng_range(&r, -1, 1) * (k + 1) + (away && k == 0 ? 1e5 : 0);
            w->rgb[3 * i + k] = (uint8_t)(i >> 8 * k);
        }
    }
}

static vd_status put_arrays(const world *w, int64_t scene, int64_t n, vd_err *err) {
    const vd_npy xyz = { .type = VD_NPY_F64, .n_dims = 2, .dim = { n, 3 } };
    const vd_npy rgb = { .type = VD_NPY_U8, .n_dims = 2, .dim = { n, 3 } };
    VD_TRY(vd_array_write(w->ds, "points", scene, &xyz, w->xyz, err));
    return vd_array_write(w->ds, "point_colours", scene, &rgb, w->rgb, err);
}

static vd_status put_scene(const world *w, int64_t id, int georeferenced, vd_err *err) {
    char sql[256];
    snprintf(sql, sizeof sql,
             "INSERT INTO scene(id, pictures, registered, points, observations, reprojection_px,"
             " track_length, angle_deg, georeferenced, gps_residual_m) VALUES"
             "(%d, 8, %d, %d, 9000, 0.5, 3.25, 12, %d, 1.5)",
             (int)id, VIEWS, POINTS, georeferenced);
    return vd_db_exec(w->db, sql, err);
}

/* Six pictures in a row along x that look along +y with their tops to -x, as the pixels are stored:
 * the last has an orientation that says so. cam_from_world has rows right (0 0 1), down (1 0 0),
 * forward (0 1 0): the quaternion (1 1 1 1) / 2, for it takes x to y, y to z, z to x. */
static vd_status put_views(const world *w, int64_t scene, vd_err *err) {
    for (int i = 0; i < VIEWS; i++) {
        const int id = (int)scene * 100 + i;
        char sql[768];
        snprintf(
            sql, sizeof sql,
            "INSERT INTO asset(id, uri, kind, size) VALUES(%d, '/x/%d.jpg', 'image', 9);"
            "INSERT INTO fact_check(asset_id, key, verdict, orientation) VALUES(%d, 1, 'ok', %d);"
            "INSERT INTO thumbnail(asset_id, jpeg) VALUES(%d, x'ffd8ff');"
            "INSERT INTO fact_reconstruct(asset_id, key, scene, registered, camera_id, qw, qx,"
            " qy, qz, tx, ty, tz, scene_points) VALUES(%d, 1, %d, 1, 1, 0.5, 0.5, 0.5, 0.5,"
            " 0, %d, 0, 77)",
            id, id, id, i == VIEWS - 1 ? 6 : 1, id, id, (int)scene, -i);
        VD_TRY(vd_db_exec(w->db, sql, err));
    }
    return VD_OK;
}

static vd_status put_unplaced(const world *w, vd_err *err) {
    return vd_db_exec(
        w->db,
        "INSERT INTO camera VALUES(1, 'PINHOLE', 400, 300, '200,200,200,150', 'exif');"
        "INSERT INTO asset(id, uri, kind, size) VALUES(11, '/x/a', 'image', 9),"
        " (12, '/x/b', 'image', 9), (13, '/x/c', 'image', 9), (14, '/x/d', 'image', 9);"
        "UPDATE asset SET state = 'vanished' WHERE id = 14;"
        "INSERT INTO fact_reconstruct(asset_id, key, registered, unregistered_reason,"
        " unregistered_detail) VALUES(11, 1, 0, 'blurred', '<b>'), (12, 1, 0, 'resection', '3 of"
        " 50'), (13, 1, 0, 'resection', '4 of 50'), (14, 1, 0, 'resection', 'gone')",
        err);
}

static vd_status world_make(t_case *t, world *w, int scenes, vd_err *err) {
    vd_str path = { 0 };
    w->dir = t_dir_new();
    make_points(t, w);
    vd_str_addf(&path, "%s/d.vidimus", w->dir.path);
    vd_status st = vd_dataset_open(&w->ds, path.data, VD_DB_CREATE, &vd_stage_schema, err);
    vd_str_reset(&path);
    if (st != VD_OK) return st;
    w->db = vd_dataset_db(w->ds);
    VD_TRY(put_unplaced(w, err));
    for (int i = 1; i <= scenes; i++) {
        VD_TRY(put_scene(w, i, i == 2, err));
        VD_TRY(put_views(w, i, err));
        VD_TRY(put_arrays(w, i, POINTS, err));
    }
    return VD_OK;
}

static void world_free(world *w) {
    vd_dataset_close(w->ds);
    vd_str_reset(&w->json);
    free(w->xyz);
    free(w->rgb);
    t_dir_free(&w->dir);
}

/* ---- reading what the page will read ---- */

static int digit_of(char c) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *p = c != '\0' ? strchr(digits, c) : NULL;
    return p != NULL ? (int)(p - digits) : -1;
}

/* The bytes of base64 at a path; the caller frees them. */
static uint8_t *decode(const world *w, const char *path, int64_t *n) {
    vd_str text = { 0 };
    *n = 0;
    if (!json_text(&text, w->db, "json_extract(?1, ?2)", &w->json, path)) return NULL;
    uint8_t *out = malloc((size_t)text.size + 1);
    uint32_t bits = 0;
    for (int64_t i = 0; i < text.size; i++) {
        const int d = digit_of(text.data[i]);
        if (d < 0) break;
        bits = bits << 6 | (uint32_t)d;
        if (i % 4 != 0) out[(*n)++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
    }
    vd_str_reset(&text);
    return out;
}

static double at(const world *w, const char *path) {
    return json_at(w->db, &w->json, path);
}

static int64_t shown_points(t_case *t, const world *w, int scene) {
    char path[96];
    int64_t n_xyz = 0, n_rgb = 0;
    snprintf(path, sizeof path, "$.scenes.list[%d].cloud.xyz", scene);
    uint8_t *xyz = decode(w, path, &n_xyz);
    snprintf(path, sizeof path, "$.scenes.list[%d].cloud.rgb", scene);
    uint8_t *rgb = decode(w, path, &n_rgb);
    snprintf(path, sizeof path, "$.scenes.list[%d].cloud.n", scene);
    T_EQ(n_rgb, 3 * (int64_t)at(w, path));
    T_EQ(n_xyz, 6 * (int64_t)at(w, path));
    free(xyz);
    free(rgb);
    return n_rgb / 3;
}

/* ---- */

T(the_page_has_every_point_of_the_scene) {
    vd_err err = { 0 };
    world w = { .ds = NULL };
    int64_t n = 0, n_rgb = 0, found = 0;
    double lo[3], size[3], worst = 0;
    uint8_t seen[POINTS] = { 0 };
    T_OK(world_make(t, &w, 1, &err));
    T_OK(vd_report_data(&w.json, w.ds, NULL, &err));
    T_EQ(at(&w, "$.scenes.list[0].health.points"), POINTS);
    T_EQ(at(&w, "$.scenes.list[0].cloud.n"), POINTS - FAR);
    T_EQ(at(&w, "$.scenes.list[0].cloud.outside"), FAR);
    for (int k = 0; k < 3; k++) {
        char path[96];
        snprintf(path, sizeof path, "$.scenes.list[0].cloud.lo[%d]", k);
        lo[k] = at(&w, path);
        snprintf(path, sizeof path, "$.scenes.list[0].cloud.size[%d]", k);
        size[k] = at(&w, path);
        T_TRUE(lo[k] >= -3 * (k + 1) && size[k] <= 6 * (k + 1) && size[k] > 1.9 * (k + 1));
    }
    uint8_t *xyz = decode(&w, "$.scenes.list[0].cloud.xyz", &n);
    uint8_t *rgb = decode(&w, "$.scenes.list[0].cloud.rgb", &n_rgb);
    T_NEED(n == 6 * (POINTS - FAR) && n_rgb == 3 * (POINTS - FAR));
    for (int64_t i = 0; i < n_rgb / 3; i++) {
        const int point = rgb[3 * i] | rgb[3 * i + 1] << 8 | rgb[3 * i + 2] << 16;
        T_NEED(point < POINTS && !seen[point]);
        seen[point] = 1;
        found++;
        for (int k = 0; k < 3; k++) {
            const int q = xyz[6 * i + 2 * k] | xyz[6 * i + 2 * k + 1] << 8;
            worst = fmax(worst, fabs(lo[k] + size[k] * q / 65535 - w.xyz[3 * point + k]) / size[k]);
        }
    }
    T_EQ(found, POINTS - FAR);
    T_LT(worst, 0.5001 / 65535);
    free(xyz);
    free(rgb);
    world_free(&w);
}

/* What is at the four corners of an upright picture whose stored pixels are numbered. */
static vd_status turned(int32_t corner[4], int orientation, vd_err *err) {
    vd_pixels stored = { 0 }, upright = { 0 };
    vd_status st = VD_OK;
    VD_GO(vd_pixels_shape(&stored, 2, 2, 1, err));
    for (int i = 0; i < 4; i++) stored.data[i] = (uint8_t)i;
    VD_GO(vd_pixels_orient(&upright, &stored, orientation, err));
    corner[0] = upright.data[0];
    corner[1] = upright.data[1];
    corner[2] = upright.data[3];
    corner[3] = upright.data[2];
done:
    vd_pixels_reset(&stored);
    vd_pixels_reset(&upright);
    return st;
}

T(cameras_stand_upright_where_they_were) {
    vd_err err = { 0 };
    world w = { .ds = NULL };
    vd_str thumb = { 0 };
    T_OK(world_make(t, &w, 2, &err));
    T_EQ(length_of(w.db, &w.json, "$.scenes"), 0);
    for (int o = 1; o <= 8; o++) {
        char sql[96];
        int32_t corner[4];
        snprintf(sql, sizeof sql, "UPDATE fact_check SET orientation = %d WHERE asset_id = 105", o);
        T_OK(vd_db_exec(w.db, sql, &err));
        vd_str_clear(&w.json);
        T_OK(vd_report_data(&w.json, w.ds, NULL, &err));
        T_OK(turned(corner, o, &err));
        const int camera = (int)at(&w, "$.scenes.list[0].views[5].camera");
        T_EQ(camera, o == 1 ? 0 : 1);
        for (int k = 0; k < 4; k++) { /* 400 x 300 at a focal length of 200: corners at 1, 0.75 */
            char path[96];
            snprintf(path, sizeof path, "$.scenes.list[0].cameras[%d].corners[%d]", camera, 2 * k);
            T_NEAR(at(&w, path), corner[k] % 2 != 0 ? 1 : -1, 1e-9);
            snprintf(path, sizeof path, "$.scenes.list[0].cameras[%d].corners[%d]", camera,
                     2 * k + 1);
            T_NEAR(at(&w, path), corner[k] / 2 != 0 ? 0.75 : -0.75, 1e-9);
        }
    }
    T_EQ(length_of(w.db, &w.json, "$.scenes.list[0].views"), VIEWS);
    T_NEAR(at(&w, "$.scenes.list[0].views[4].c[0]"), 4, 1e-12); /* centre: down is x */
    T_NEAR(at(&w, "$.scenes.list[0].views[4].c[1]"), 0, 1e-12);
    T_EQ(at(&w, "$.scenes.list[0].views[4].points"), 77);
    T_EQ(at(&w, "$.scenes.list[0].cameras[0].focal_px"), 200);
    T_TRUE(at(&w, "$.scenes.list[0].up[0]") < -0.9); /* five of six have their tops at -x */
    T_NEAR(at(&w, "$.scenes.list[1].up[2]"), 1, 0);  /* with GPS it is what the frame says */
    T_TRUE(json_text(&thumb, w.db, "json_extract(?1, ?2)", &w.json, "$.thumbs.\"105\""));
    T_STR(vd_str_text(&thumb), "/9j/"); /* ff d8 ff */
    vd_str_reset(&thumb);
    world_free(&w);
}

T(unplaced_pictures_by_reason) {
    vd_err err = { 0 };
    world w = { .ds = NULL };
    T_OK(world_make(t, &w, 0, &err));
    T_OK(vd_report_data(&w.json, w.ds, NULL, &err));
    T_EQ(at(&w, "$.scenes.pictures"), 3); /* one has vanished */
    T_EQ(length_of(w.db, &w.json, "$.scenes.list"), 0);
    T_EQ(length_of(w.db, &w.json, "$.scenes.unplaced"), 2);
    T_EQ(at(&w, "$.scenes.unplaced[0].group.count"), 2);
    T_EQ(at(&w, "$.scenes.unplaced[0].list[0].id"), 12);
    T_EQ(at(&w, "$.scenes.unplaced[0].list[1].id"), 13);
    T_EQ(at(&w, "$.scenes.unplaced[1].list[0].id"), 11);
    world_free(&w);
}

T(scenes_share_what_a_page_holds) {
    vd_err err = { 0 };
    world w = { .ds = NULL };
    vd_report_opt o = VD_REPORT_OPT;
    vd_str again = { 0 };
    T_OK(world_make(t, &w, SCENES, &err));
    o.points = 400; /* 2000 of all: 250 each of 8 */
    o.views = 4;    /* 20 of all: 2 each */
    T_OK(vd_report_data(&w.json, w.ds, &o, &err));
    for (int i = 0; i < SCENES; i++) {
        char path[64];
        T_EQ(shown_points(t, &w, i), 250);
        snprintf(path, sizeof path, "$.scenes.list[%d].views", i);
        T_EQ(length_of(w.db, &w.json, path), 2);
    }
    T_OK(vd_report_data(&again, w.ds, &o, &err));
    const char *a = strstr(w.json.data, "\"scenes\""), *b = strstr(again.data, "\"scenes\"");
    T_NEED(a != NULL && b != NULL);
    T_STR(a, b);
    vd_str_clear(&w.json);
    o.points = 0;
    o.scenes = 3;
    T_OK(vd_report_data(&w.json, w.ds, &o, &err));
    T_EQ(length_of(w.db, &w.json, "$.scenes.list"), 3);
    T_EQ(at(&w, "$.scenes.count"), SCENES);
    T_EQ(shown_points(t, &w, 0), 0);
    vd_str_reset(&again);
    world_free(&w);
}

T(damaged_scenes_say_so) {
    vd_err err = { 0 };
    world w = { .ds = NULL };
    vd_str path = { 0 }, why = { 0 };
    T_OK(world_make(t, &w, 4, &err));
    vd_array_remove(w.ds, "points", 1);
    T_OK(vd_array_path(&path, w.ds, "point_colours", 2, &err));
    T_EQ(truncate(path.data, 500), 0);
    T_OK(put_arrays(&w, 3, POINTS - 1, &err)); /* of another run */
    T_OK(vd_db_exec(
        w.db,
        "UPDATE fact_reconstruct SET qw = NULL WHERE asset_id = 400;"
        "UPDATE fact_reconstruct SET tx = 9e999 WHERE asset_id = 401;"
        "UPDATE fact_reconstruct SET qw = 0, qx = 0, qy = 0, qz = 0 WHERE asset_id = 402;"
        "UPDATE camera SET params = '1,2,<x>,'; UPDATE fact_check SET orientation = 99",
        &err));
    T_OK(vd_report_data(&w.json, w.ds, NULL, &err));
    for (int i = 0; i < 3; i++) {
        char at_why[64];
        snprintf(at_why, sizeof at_why, "$.scenes.list[%d].why", i);
        T_TRUE(json_text(&why, w.db, "json_extract(?1, ?2)", &w.json, at_why));
        snprintf(at_why, sizeof at_why, "$.scenes.list[%d].views", i);
        T_EQ(length_of(w.db, &w.json, at_why), VIEWS);
    }
    T_EQ(length_of(w.db, &w.json, "$.scenes.list[3].views"), VIEWS - 3);
    T_EQ(length_of(w.db, &w.json, "$.scenes.list[3].cameras"), 1);
    T_TRUE(at(&w, "$.scenes.list[3].cameras[0].corners[0]") < -0.1); /* of a common lens */
    vd_str_reset(&path);
    vd_str_reset(&why);
    world_free(&w);
}

T(scenes_survive_refused_memory) {
    world w = { .ds = NULL };
    vd_err err = { 0 };
    T_OK(world_make(t, &w, 2, &err));
    for (int n = 0; n < 4000; n = n < 40 ? n + 1 : n + 13) {
        vd_err e = { 0 };
        vd_str json = { 0 };
        vd_mem_fail_at(n, false);
        vd_status st = vd_report_data(&json, w.ds, NULL, &e);
        bool hit = vd_mem_fail_clear();
        T_EQ(st, hit ? VD_E_NOMEM : VD_OK);
        vd_str_reset(&json);
        if (!hit) break;
    }
    world_free(&w);
    T_EQ(vd_mem_live(), 0);
}
