/* Pictures that take part in reconstruction, and their cameras. SPDX-License-Identifier: Apache-2.0
 */
#include "scene/views.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"
#include "image/sensors.h"
#include "recon/known_cameras.h"
#include "stage/problems.h"

/* A row of the query below. */
enum {
    Q_ID,
    Q_PARENT,
    Q_HASH,
    Q_FEATURES,
    Q_KEY,
    Q_WIDTH,
    Q_HEIGHT,
    Q_ORIENTATION,
    Q_CAMERA,
    Q_LENS,
    Q_FOCAL,
    Q_FOCAL35,
    Q_LAT,
    Q_LON,
    Q_ALT,
    Q_PITCH,
    Q_TIME,
    Q_SHARPNESS,
    Q_BLURRY,
    Q_FRAME,
    Q_URI,
};
static const char *const query =
    "SELECT a.id, a.parent_id, coalesce(a.content_hash, p.content_hash), f.features, f.key,"
    " c.width, c.height, c.orientation, c.camera, c.lens, c.focal_mm, c.focal_35mm, c.latitude,"
    " c.longitude, c.altitude_m, c.pitch_deg,"
    " coalesce(a.time_s, julianday(c.taken_at) * 86400), m.sharpness,"
    " coalesce(m.score_blurry < ?1, 0) OR coalesce(m.score_motion_blur < ?2, 0), a.frame_index, a.uri"
    " FROM asset a JOIN fact_features f ON f.asset_id = a.id JOIN fact_check c ON c.asset_id = a.id"
    " LEFT JOIN fact_measure m ON m.asset_id = a.id LEFT JOIN asset p ON p.id = a.parent_id"
    " WHERE a.state = 'present' AND f.features IS NOT NULL ORDER BY a.uri, a.id";

/* What pictures must share to share a camera. */
static vd_status group_of(vd_str *out, const vd_stmt *s, int32_t w, int32_t h, vd_err *err) {
    vd_str_clear(out);
    if (vd_stmt_value(s, Q_PARENT).type != VD_NULL)
        vd_str_addf(out, "video %lld", (long long)vd_stmt_int(s, Q_PARENT));
    else if ((vd_stmt_text(s, Q_CAMERA)[0] != '\0' || vd_stmt_text(s, Q_LENS)[0] != '\0') &&
             vd_stmt_value(s, Q_FOCAL).type != VD_NULL)
        vd_str_addf(out, "%s|%s|%.4g", vd_stmt_text(s, Q_CAMERA), vd_stmt_text(s, Q_LENS),
                    vd_stmt_real(s, Q_FOCAL));
    else
        vd_str_addf(out, "asset %lld", (long long)vd_stmt_int(s, Q_ID));
    vd_str_addf(out, "|%dx%d", (int)w, (int)h);
    return vd_str_check(out, err);
}

typedef struct loader {
    vd_view_set *set;
    vd_map *groups;
    vd_str group;
    vd_known_cameras known;
    const vd_camera *given; /* of the view at hand, or NULL */
    int model;
} loader;

static vd_status new_camera(loader *l, const vd_stmt *s, int32_t w, int32_t h, vd_err *err) {
    vd_view_set *set = l->set;
    VD_TRY(VD_GROW(set->cameras, set->cap_cameras, set->n_cameras + 1, err));
    VD_TRY(VD_GROW(set->focal, set->cap_focal, set->n_cameras + 1, err));
    double f = vd_focal_px(vd_stmt_text(s, Q_CAMERA), vd_stmt_real(s, Q_FOCAL),
                           vd_stmt_real(s, Q_FOCAL35), w, h);
    vd_focal_from from = f > 0 ? VD_FOCAL_EXIF : VD_FOCAL_GUESS;
    if (!(f > 0)) f = vd_focal_guess_px(w, h);
    vd_camera c = vd_camera_simple(l->model, f, w, h);
    if (l->given != NULL) {
        c = vd_camera_scaled(l->given, (double)w / l->given->width, (double)h / l->given->height);
        c.width = w;
        c.height = h;
        from = VD_FOCAL_GIVEN;
    }
    set->cameras[set->n_cameras] = c;
    set->focal[set->n_cameras++] = from;
    return VD_OK;
}

static vd_status add_view(loader *l, const vd_stmt *s, vd_err *err) {
    vd_view_set *set = l->set;
    int64_t camera = 0;
    int32_t w = (int32_t)vd_stmt_int(s, Q_WIDTH), h = (int32_t)vd_stmt_int(s, Q_HEIGHT);
    if (w < 1 || h < 1) return VD_OK;
    if (vd_stmt_int(s, Q_ORIENTATION) >=
        5) { /* the catalog's size is that of the upright picture */
        int32_t swap = w;
        w = h;
        h = swap;
    }
    int32_t known = vd_known_cameras_find(&l->known, vd_stmt_text(s, Q_URI), w, h);
    l->given = known >= 0 ? &l->known.m.cameras[known] : NULL;
    if (l->given != NULL) {
        vd_str_clear(&l->group);
        vd_str_addf(&l->group, "given %d|%dx%d", (int)known, (int)w, (int)h);
        VD_TRY(vd_str_check(&l->group, err));
    } else {
        VD_TRY(group_of(&l->group, s, w, h, err));
    }
    if (!vd_map_get(l->groups, l->group.data, (size_t)l->group.size, &camera)) {
        camera = set->n_cameras;
        VD_TRY(new_camera(l, s, w, h, err));
        VD_TRY(vd_map_put(l->groups, l->group.data, (size_t)l->group.size, camera, err));
    }
    VD_TRY(VD_GROW(set->views, set->cap, set->n + 1, err));
    const char *hash = vd_stmt_text(s, Q_HASH);
    const char *uri = vd_arena_text(&set->texts, vd_stmt_text(s, Q_URI));
    if (uri == NULL) return vd_nomem(err);
    uint64_t content = vd_mix64(vd_hash64(hash, strlen(hash)) ^ (uint64_t)vd_stmt_int(s, Q_KEY));
    set->views[set->n++] = (vd_view){
        .id = vd_stmt_int(s, Q_ID),
        .parent_id = vd_stmt_int(s, Q_PARENT),
        .uri = uri,
        .content = vd_mix64(content ^ (uint64_t)vd_stmt_int(s, Q_FRAME)),
        .features = (int)vd_stmt_int(s, Q_FEATURES),
        .camera = (int)camera,
        .time_s = vd_stmt_real(s, Q_TIME),
        .latitude_deg = vd_stmt_real(s, Q_LAT),
        .longitude_deg = vd_stmt_real(s, Q_LON),
        .altitude_m = vd_stmt_real(s, Q_ALT),
        .pitch_deg = vd_stmt_real(s, Q_PITCH),
        .orientation = (int)vd_stmt_int(s, Q_ORIENTATION),
        .sharpness = vd_stmt_real(s, Q_SHARPNESS),
        .blurry = vd_stmt_int(s, Q_BLURRY) != 0,
    };
    return VD_OK;
}

static int by_id(const void *x, const void *y, void *views) {
    const vd_view *v = views;
    int64_t a = v[*(const int32_t *)x].id, b = v[*(const int32_t *)y].id;
    return (a > b) - (a < b);
}

static vd_status index_ids(vd_view_set *set, vd_err *err) {
    set->by_id = vd_mem_array((size_t)set->n + 1, sizeof *set->by_id);
    if (set->by_id == NULL) return vd_nomem(err);
    for (int64_t i = 0; i < set->n; i++) set->by_id[i] = (int32_t)i;
    if (set->n > 1) qsort_r(set->by_id, (size_t)set->n, sizeof *set->by_id, by_id, set->views);
    return VD_OK;
}

/* Problems are listed when all stages are through: here the scores themselves count. */
static double threshold_of(const vd_run *run, const char *kind) {
    for (int i = 0; i < vd_n_problem_kinds; i++)
        if (strcmp(vd_problem_kinds[i].key, kind) == 0)
            return vd_problem_threshold(i, run->opt->thresholds);
    return 0;
}

vd_status vd_views_load(vd_view_set *out, vd_run *run, vd_err *err) {
    vd_status st = VD_OK;
    vd_stmt *s = NULL;
    vd_view_set set = { 0 };
    loader l = { .set = &set };
    bool row = true;
    if (run->opt->camera != NULL)
        VD_TRY(vd_known_cameras_one(&l.known, run->opt->camera, err));
    else if (run->opt->cameras != NULL)
        VD_TRY(vd_known_cameras_read(&l.known, run->opt->cameras, err));
    l.model = vd_camera_model_from_name(run->opt->camera_model);
    if (l.model < 0)
        VD_GO(vd_fail(err, VD_E_ARG, "camera-model: no model '%.40s'", run->opt->camera_model));
    VD_GO(vd_map_new(&l.groups, err));
    VD_GO(vd_db_prepare(&s, vd_dataset_db(run->ds), query, true, err));
    vd_stmt_bind(s, 1, vd_val_real(threshold_of(run, "blurry")));
    vd_stmt_bind(s, 2, vd_val_real(threshold_of(run, "motion_blur")));
    while (row) {
        VD_GO(vd_stmt_step(s, &row, err));
        if (row) VD_GO(add_view(&l, s, err));
    }
    VD_GO(index_ids(&set, err));
    *out = set;
    set = (vd_view_set){ 0 };
done:
    vd_stmt_free(s);
    vd_map_free(l.groups);
    vd_str_reset(&l.group);
    vd_known_cameras_reset(&l.known);
    vd_views_reset(&set);
    return st;
}

int64_t vd_views_find(const vd_view_set *s, int64_t id) {
    int64_t lo = 0, hi = s->n;
    while (lo < hi) {
        int64_t mid = (lo + hi) / 2;
        if (s->views[s->by_id[mid]].id < id)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < s->n && s->views[s->by_id[lo]].id == id ? s->by_id[lo] : -1;
}

static int by_time(const void *x, const void *y, void *views) {
    int32_t i = *(const int32_t *)x, j = *(const int32_t *)y;
    const vd_view *v = views, *a = &v[i], *b = &v[j];
    if (a->parent_id != b->parent_id) return i < j ? -1 : 1; /* other videos have other names */
    if (isfinite(a->time_s) != isfinite(b->time_s)) return isfinite(a->time_s) ? -1 : 1;
    if (isfinite(a->time_s) && a->time_s != b->time_s) return a->time_s < b->time_s ? -1 : 1;
    return (i > j) - (i < j);
}

void vd_views_by_time(int32_t *order, const vd_view_set *s) {
    for (int64_t i = 0; i < s->n; i++) order[i] = (int32_t)i;
    if (s->n > 1) qsort_r(order, (size_t)s->n, sizeof *order, by_time, s->views);
}

void vd_views_reset(vd_view_set *s) {
    vd_mem_free(s->views);
    vd_mem_free(s->cameras);
    vd_mem_free(s->focal);
    vd_mem_free(s->by_id);
    vd_arena_reset(&s->texts);
    *s = (vd_view_set){ 0 };
}
