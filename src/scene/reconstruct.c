/* Stage reconstruct: scenes in 3D from the verified pairs. SPDX-License-Identifier: Apache-2.0
 *
 * Each picture learns its scene and pose, or why it has none. A scene's points lie in arrays:
 * points (float64, n x 3), point_colours (uint8, n x 3), point_errors (float64, n, pixels),
 * scene_views (int64: asset ids of its registered pictures) and tracks (int32, m x 3: point,
 * position in scene_views, keypoint; by point). Poses are cam_from_world of the picture as stored.
 */
#include "stage/stages.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"
#include "geometry/rigid.h"
#include "global/auto.h"
#include "sfm/bundle.h"
#include "stage/features.h"
#include "scene/health.h"
#include "scene/imported.h"
#include "scene/scene_input.h"
#include "store/arrays.h"

enum {
    C_SCENE,
    C_REGISTERED,
    C_REASON,
    C_DETAIL,
    C_CAMERA,
    C_QW,
    C_QX,
    C_QY,
    C_QZ,
    C_TX,
    C_TY,
    C_TZ,
    C_X,
    C_Y,
    C_Z,
    C_POINTS,
    N_COLUMNS
};

static const vd_column columns[N_COLUMNS] = {
    [C_SCENE] = { "scene", VD_INT, "", "the scene it belongs to, 1 the largest", VD_COL_INDEX },
    [C_REGISTERED] = { "registered", VD_INT, "", "1 where its place in the scene is known", 0 },
    [C_REASON] = { "unregistered_reason", VD_TEXT, "", "why it is not", VD_COL_INDEX },
    [C_DETAIL] = { "unregistered_detail", VD_TEXT, "", "the evidence", 0 },
    [C_CAMERA] = { "camera_id", VD_INT, "", "row of table camera with its intrinsics", 0 },
    [C_QW] = { "qw", VD_REAL, "", "rotation of cam_from_world, a unit quaternion", 0 },
    [C_QX] = { "qx", VD_REAL, "", "", 0 },
    [C_QY] = { "qy", VD_REAL, "", "", 0 },
    [C_QZ] = { "qz", VD_REAL, "", "", 0 },
    [C_TX] = { "tx", VD_REAL, "scene units", "translation of cam_from_world", 0 },
    [C_TY] = { "ty", VD_REAL, "scene units", "", 0 },
    [C_TZ] = { "tz", VD_REAL, "scene units", "", 0 },
    [C_X] = { "centre_x", VD_REAL, "scene units",
              "where the camera stood; metres east in a scene with GPS", 0 },
    [C_Y] = { "centre_y", VD_REAL, "scene units", "metres north in a scene with GPS", 0 },
    [C_Z] = { "centre_z", VD_REAL, "scene units", "metres up in a scene with GPS", 0 },
    [C_POINTS] = { "scene_points", VD_INT, "", "points of the scene that it shows", 0 },
};

const vd_table_decl vd_table_reconstruct = { "fact_reconstruct", columns, N_COLUMNS };

typedef struct stage {
    vd_run *run;
    vd_db *db;
    int index;
    vd_view_set views;
    vd_scene_input in;
    vd_sfm_result result;
    vd_agreement *agreement; /* of each model */
    int64_t next_camera;
    int64_t *camera_id; /* of each registered view */
} stage;

/* ---- arrays of a scene ---- */

typedef struct colours {
    uint8_t **of; /* of each view's keypoints, once read */
    int *n;
} colours;

static vd_status colour_at(stage *s, colours *c, const vd_sfm_observation *o, uint8_t rgb[3],
                           vd_err *err) {
    int32_t v = o->image;
    if (c->of[v] == NULL)
        VD_TRY(vd_colours_load(&c->of[v], &c->n[v], s->run->ds, s->views.views[v].id, err));
    memset(rgb, 128, 3);
    if (o->keypoint >= 0 && o->keypoint < c->n[v]) memcpy(rgb, c->of[v] + 3 * o->keypoint, 3);
    return VD_OK;
}

/* The mean colour of the keypoints that show each point. */
static vd_status point_colours(stage *s, const vd_sfm_model *m, uint8_t *rgb, vd_err *err) {
    vd_status st = VD_OK;
    colours c = { vd_mem_array((size_t)s->views.n, sizeof *c.of),
                  vd_mem_array((size_t)s->views.n, sizeof *c.n) };
    if (c.of == NULL || c.n == NULL) VD_GO(vd_nomem(err));
    for (int32_t p = 0; p < m->n_points; p++) {
        int sum[3] = { 0 }, n = (int)(m->track[p + 1] - m->track[p]);
        for (int64_t k = m->track[p]; k < m->track[p + 1]; k++) {
            uint8_t one[3];
            VD_GO(colour_at(s, &c, &m->obs[k], one, err));
            for (int i = 0; i < 3; i++) sum[i] += one[i];
        }
        for (int i = 0; i < 3; i++) rgb[3 * p + i] = (uint8_t)(n > 0 ? (sum[i] + n / 2) / n : 128);
    }
done:
    for (int64_t i = 0; c.of != NULL && i < s->views.n; i++) vd_mem_free(c.of[i]);
    vd_mem_free(c.of);
    vd_mem_free(c.n);
    return st;
}

static vd_status write_tracks(stage *s, int64_t scene, const vd_sfm_model *m, vd_err *err) {
    vd_status st = VD_OK;
    int64_t n = m->track[m->n_points];
    int32_t *rows = vd_mem_array(3 * (size_t)n + 1, sizeof *rows);
    int32_t *position = vd_mem_array((size_t)s->views.n + 1, sizeof *position);
    int64_t *ids = vd_mem_array((size_t)m->n_images + 1, sizeof *ids);
    const vd_npy shape = { .type = VD_NPY_I32, .n_dims = 2, .dim = { n, 3 } };
    const vd_npy list = { .type = VD_NPY_I64, .n_dims = 1, .dim = { m->n_images } };
    if (rows == NULL || position == NULL || ids == NULL) VD_GO(vd_nomem(err));
    for (int32_t i = 0; i < m->n_images; i++) {
        position[m->image[i]] = i;
        ids[i] = s->views.views[m->image[i]].id;
    }
    for (int32_t p = 0; p < m->n_points; p++)
        for (int64_t k = m->track[p]; k < m->track[p + 1]; k++) {
            rows[3 * k] = p;
            rows[3 * k + 1] = position[m->obs[k].image];
            rows[3 * k + 2] = m->obs[k].keypoint;
        }
    VD_GO(vd_array_write(s->run->ds, "tracks", scene, &shape, rows, err));
    VD_GO(vd_array_write(s->run->ds, "scene_views", scene, &list, ids, err));
done:
    vd_mem_free(rows);
    vd_mem_free(position);
    vd_mem_free(ids);
    return st;
}

static vd_status write_arrays(stage *s, int64_t scene, const vd_sfm_model *m, vd_err *err) {
    const vd_npy xyz = { .type = VD_NPY_F64, .n_dims = 2, .dim = { m->n_points, 3 } };
    const vd_npy rgb = { .type = VD_NPY_U8, .n_dims = 2, .dim = { m->n_points, 3 } };
    const vd_npy error = { .type = VD_NPY_F64, .n_dims = 1, .dim = { m->n_points } };
    uint8_t *c = vd_mem_alloc(3 * (size_t)m->n_points + 1);
    vd_status st = c != NULL ? point_colours(s, m, c, err) : vd_nomem(err);
    if (st == VD_OK) st = vd_array_write(s->run->ds, "points", scene, &xyz, m->point, err);
    if (st == VD_OK) st = vd_array_write(s->run->ds, "point_colours", scene, &rgb, c, err);
    if (st == VD_OK)
        st = vd_array_write(s->run->ds, "point_errors", scene, &error, m->error_px, err);
    if (st == VD_OK) st = write_tracks(s, scene, m, err);
    vd_mem_free(c);
    return st;
}

/* ---- rows ---- */

static vd_status write_cameras(stage *s, const vd_sfm_model *m, vd_stmt *insert, vd_err *err) {
    static const char *const from[] = { "guess", "exif", "given" };
    vd_status st = VD_OK;
    vd_str params = { 0 };
    int64_t *id = vd_mem_array((size_t)s->views.n_cameras + 1, sizeof *id);
    if (id == NULL) return vd_nomem(err);
    for (int32_t i = 0; i < m->n_images; i++) {
        int camera = s->views.views[m->image[i]].camera;
        const vd_camera *c = &m->camera[camera];
        if (id[camera] == 0) {
            id[camera] = ++s->next_camera;
            vd_str_clear(&params);
            vd_camera_put_params(&params, c);
            VD_GO(vd_str_check(&params, err));
            const vd_value v[] = {
                vd_val_int(id[camera]),   vd_val_text(vd_camera_model_name(c->model)),
                vd_val_int(c->width),     vd_val_int(c->height),
                vd_val_text(params.data), vd_val_text(from[s->views.focal[camera]])
            };
            VD_GO(vd_stmt_run(insert, v, VD_COUNT(v), err));
        }
        s->camera_id[m->image[i]] = id[camera];
    }
done:
    vd_str_reset(&params);
    vd_mem_free(id);
    return st;
}

static int64_t pictures_of(const stage *s, int32_t model) {
    int64_t n = 0;
    for (int64_t i = 0; i < s->views.n; i++) n += s->result.verdict[i].model == model;
    return n;
}

static vd_status write_scene(stage *s, int32_t k, vd_stmt *insert, vd_err *err) {
    const vd_health_of health = { &s->views, &s->in, &s->result, k, &s->agreement[k] };
    vd_str warning = { 0 };
    double coverage = 0;
    vd_status st = vd_health_coverage(&coverage, &health, err);
    if (st == VD_OK) st = vd_health_warning(&warning, &health, err);
    const vd_sfm_model *m = &s->result.model[k];
    bool geo = m->in_position_frame && s->in.has_origin;
    const vd_geodetic o = s->in.origin;
    vd_value v[] = {
        vd_val_int(k + 1),
        vd_val_int(pictures_of(s, k)),
        vd_val_int(m->n_images),
        vd_val_int(m->n_points),
        vd_val_int(m->track[m->n_points]),
        vd_val_real(m->mean_error_px),
        vd_val_real(m->mean_track),
        vd_val_real(m->median_angle_rad * (180 / 3.14159265358979323846)),
        vd_val_real(coverage),
        vd_val_int(geo),
        geo ? vd_val_real(m->position_rmse_m) : vd_val_null(),
        warning.size > 0 ? vd_val_text(warning.data) : vd_val_null(),
        geo ? vd_val_real(o.latitude_deg) : vd_val_null(),
        geo ? vd_val_real(o.longitude_deg) : vd_val_null(),
        geo ? vd_val_real(o.height_m) : vd_val_null(),
    };
    if (st == VD_OK) st = vd_stmt_run(insert, v, VD_COUNT(v), err);
    vd_str_reset(&warning);
    return st;
}

/* ---- verdicts ---- */

enum { FEW_FEATURES = 200 };

/* How many pairs of a picture were taken away since they join places that look alike, and the
 * scene at their other ends, 0 for none. */
static int parted_of(const stage *s, int64_t i, int *scene) {
    int n = 0;
    *scene = 0;
    for (int64_t k = 0; k < s->in.n_parted; k++) {
        const vd_parted_pair *p = &s->in.parted[k];
        if (p->a != i && p->b != i) continue;
        int model = s->result.verdict[p->a == i ? p->b : p->a].model;
        if (model >= 0) *scene = model + 1;
        n++;
    }
    return n;
}

static void evidence(vd_str *detail, const vd_sfm_verdict *v) {
    switch (v->reason) {
    case VD_SFM_NO_PARALLAX: vd_str_add(detail, "; seen from one place"); break;
    case VD_SFM_OVERLAY: vd_str_add(detail, "; all at the border, where they do not move"); break;
    case VD_SFM_PLANAR: vd_str_add(detail, "; all in one plane"); break;
    case VD_SFM_FEW_POINTS:
        vd_str_addf(detail, "; %d of its %d features show a point", (int)v->inliers, (int)v->of);
        break;
    case VD_SFM_RESECTION:
        vd_str_addf(detail, "; %d of %d points agree on a place", (int)v->inliers, (int)v->of);
        break;
    case VD_SFM_SMALL_MODEL: vd_str_addf(detail, "; its model had %d pictures", (int)v->of); break;
    case VD_SFM_DROPPED:
        vd_str_addf(detail, "; placed, but %d of %d points were left", (int)v->inliers, (int)v->of);
        break;
    default: break;
    }
}

/* What the mapper found, in the light of what the catalog knows of the picture. */
static void reason_of(const stage *s, int64_t i, vd_value *name, vd_str *detail) {
    const vd_sfm_verdict *v = &s->result.verdict[i];
    const vd_view *w = &s->views.views[i];
    const char *reason = vd_sfm_reason_name(v->reason);
    int scene, parted = parted_of(s, i, &scene);
    vd_str_clear(detail);
    if (v->reason == VD_SFM_NO_OVERLAP && parted > 0 && scene > 0) {
        reason = "other_scene";
        vd_str_addf(detail,
                    "all its %d overlaps are with pictures of scene %d, which show other things"
                    " around what is alike",
                    parted, scene);
    } else if (w->blurry && (v->reason == VD_SFM_NO_OVERLAP || v->reason == VD_SFM_SMALL_MODEL)) {
        reason = "blurred";
        vd_str_addf(detail, "blurred, and no other picture has enough points in common with its %d",
                    w->features);
    } else if (v->reason == VD_SFM_NO_OVERLAP && w->features < FEW_FEATURES) {
        reason = "too_few_features";
        vd_str_addf(detail, "%d features", w->features);
    } else if (v->reason == VD_SFM_NO_OVERLAP) {
        vd_str_addf(detail, "%d features, no other picture shares its geometry", w->features);
    } else {
        vd_str_addf(detail, "%d verified pair%s", (int)v->pairs, v->pairs == 1 ? "" : "s");
        if (v->best >= 0)
            vd_str_addf(detail, ", the best with %s by %d matches",
                        vd_path_name(s->views.views[v->best].uri), (int)v->best_matches);
        if (v->best >= 0 && s->result.verdict[v->best].model >= 0)
            vd_str_addf(detail, ", which is in scene %d",
                        (int)s->result.verdict[v->best].model + 1);
        evidence(detail, v);
        if (w->blurry) vd_str_add(detail, "; blurred");
    }
    *name = vd_val_text(reason);
}

static void pose_values(vd_value *out, const vd_rigid *pose) {
    vd_vec3 c = vd_v3_mul(vd_quat_rotate(vd_quat_conj(pose->q), pose->t), -1);
    const double v[] = { pose->q.w, pose->q.x, pose->q.y, pose->q.z, pose->t.x,
                         pose->t.y, pose->t.z, c.x,       c.y,       c.z };
    for (int i = 0; i < VD_COUNT(v); i++) out[C_QW + i] = vd_val_real(v[i]);
}

static const vd_rigid *pose_of(const vd_sfm_model *m, int64_t view) {
    for (int32_t i = 0; i < m->n_images; i++)
        if (m->image[i] == view) return &m->cam_from_world[i];
    return NULL;
}

static vd_status write_view(stage *s, vd_writer *w, int64_t i, vd_str *detail, vd_err *err) {
    const vd_sfm_verdict *v = &s->result.verdict[i];
    vd_value out[N_COLUMNS] = { 0 };
    const vd_rigid *pose = v->model >= 0 && v->reason == VD_SFM_REGISTERED
                               ? pose_of(&s->result.model[v->model], i)
                               : NULL;
    if (v->model >= 0) out[C_SCENE] = vd_val_int(v->model + 1);
    out[C_REGISTERED] = vd_val_int(pose != NULL);
    if (pose != NULL) {
        pose_values(out, pose);
        out[C_CAMERA] = vd_val_int(s->camera_id[i]);
        out[C_POINTS] = vd_val_int(v->inliers);
    } else {
        reason_of(s, i, &out[C_REASON], detail);
        out[C_DETAIL] = vd_val_text(vd_str_text(detail));
    }
    return vd_writer_fact(w, s->run->table[s->index], s->views.views[i].id, s->run->key[s->index],
                          out, err);
}

static vd_status write_result(stage *s, const char *state, vd_err *err) {
    vd_status st = VD_OK;
    vd_stmt *camera = NULL, *scene = NULL;
    vd_writer *w = NULL;
    vd_str detail = { 0 };
    VD_GO(vd_db_begin(s->db, err));
    VD_GO(vd_db_exec(s->db,
                     "DELETE FROM fact_reconstruct; DELETE FROM scene; DELETE FROM camera;"
                     "DELETE FROM dataset_state WHERE name = 'scenes_imported'",
                     err));
    VD_GO(vd_db_prepare(&camera, s->db, "INSERT INTO camera VALUES(?1, ?2, ?3, ?4, ?5, ?6)", true,
                        err));
    VD_GO(vd_db_prepare(&scene, s->db,
                        "INSERT INTO scene VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,"
                        " ?12, ?13, ?14, ?15)",
                        true, err));
    for (int32_t k = 0; k < s->result.n_models; k++) {
        VD_GO(write_cameras(s, &s->result.model[k], camera, err));
        VD_GO(write_scene(s, k, scene, err));
    }
    VD_GO(vd_writer_new(&w, s->run->ds, err));
    for (int64_t i = 0; i < s->views.n; i++) VD_GO(write_view(s, w, i, &detail, err));
    VD_GO(vd_run_state_set(s->run, "reconstruct_key", state, err));
    VD_GO(vd_db_commit(s->db, err));
done:
    if (st != VD_OK) vd_db_rollback(s->db);
    vd_writer_free(w);
    vd_stmt_free(camera);
    vd_stmt_free(scene);
    vd_str_reset(&detail);
    return st;
}

/* ---- the stage ---- */

/* What the result depends on: the configuration, the views with their priors, and the pairs. */
static vd_status state_of(stage *s, char text[32], vd_err *err) {
    vd_stmt *q = NULL;
    bool row = true;
    uint64_t h = (uint64_t)s->run->key[s->index];
    for (int64_t i = 0; i < s->views.n; i++) {
        const vd_view *v = &s->views.views[i];
        const double d[3] = { v->latitude_deg, v->longitude_deg, v->altitude_m };
        h = vd_mix64(h ^ (uint64_t)v->id);
        h = vd_mix64(h ^ v->content ^ vd_hash64(d, sizeof d));
        h = vd_mix64(h ^ (uint64_t)v->blurry);
        h = vd_mix64(h ^ vd_hash64(&s->views.cameras[v->camera], sizeof(vd_camera)));
    }
    vd_status st = vd_db_prepare(&q, s->db, "SELECT a, b, key FROM pair ORDER BY a, b", true, err);
    while (st == VD_OK && row) {
        st = vd_stmt_step(q, &row, err);
        if (st != VD_OK || !row) break;
        for (int k = 0; k < 3; k++) h = vd_mix64(h ^ (uint64_t)vd_stmt_int(q, k));
    }
    vd_stmt_free(q);
    snprintf(text, 32, "%llx", (unsigned long long)h);
    return st;
}

static vd_status map(stage *s, vd_err *err) {
    const char *how = s->run->opt->mapper;
    enum vd_sfm_mapper mapper = strcmp(how, "global") == 0        ? VD_MAPPER_GLOBAL
                                : strcmp(how, "incremental") == 0 ? VD_MAPPER_INCREMENTAL
                                                                  : VD_MAPPER_AUTO;
    const vd_sfm_input *in = &s->in.sfm;
    uint8_t *guessed = vd_mem_array((size_t)s->views.n_cameras + 1, 1);
    if (guessed == NULL) return vd_nomem(err);
    for (int64_t i = 0; i < s->views.n_cameras; i++)
        guessed[i] = s->views.focal[i] == VD_FOCAL_GUESS && (s->in.refine[i] & VD_REFINE_FOCAL);
    vd_status st = vd_sfm_map(&s->result, in, guessed, mapper, NULL, s->run->pool, err);
    vd_mem_free(guessed);
    return st;
}

static void reset_models(stage *s) {
    for (int32_t k = 0; s->agreement != NULL && k < s->result.n_models; k++)
        vd_agreement_reset(&s->agreement[k]);
    vd_mem_free(s->agreement);
    s->agreement = NULL;
    vd_sfm_result_reset(&s->result);
}

/* Places that look alike and were taken for one come apart: without the pairs that join them all is
 * mapped again. */
static vd_status build(stage *s, vd_err *err) {
    enum { ROUNDS = 3 };
    for (int round = 1;; round++) {
        int64_t parted = s->in.n_parted;
        VD_TRY(map(s, err));
        VD_TRY(vd_run_check_cancel(s->run, err));
        s->agreement = vd_mem_array((size_t)s->result.n_models + 1, sizeof *s->agreement);
        if (s->agreement == NULL) return vd_nomem(err);
        for (int32_t k = 0; k < s->result.n_models; k++)
            VD_TRY(vd_model_agreement(&s->agreement[k], &s->result.model[k], &s->in.sfm,
                                      s->run->pool, err));
        if (round == ROUNDS) return VD_OK;
        for (int32_t k = s->result.n_models - 1; k >= 0; k--)
            if (s->agreement[k].groups > s->agreement[k].parts) {
                VD_TRY(vd_scene_input_part(&s->in, &s->agreement[k], err));
                break; /* positions of pairs have changed: the others have their turn */
            }
        if (s->in.n_parted == parted) return VD_OK;
        reset_models(s);
    }
}

static vd_status run_reconstruct(vd_run *run, vd_err *err) {
    vd_status st = VD_OK;
    vd_str old = { 0 };
    char state[32];
    int64_t imported = 0, n_imported = 0;
    double t0 = vd_time_mono_s();
    stage s = { .run = run,
                .db = vd_dataset_db(run->ds),
                .index = vd_run_stage_index(run, "reconstruct") };
    VD_GO(vd_scenes_import_number(&imported, s.db, err));
    if (imported > 0 && !run->opt->replace_scenes) goto done; /* somebody chose them */
    VD_GO(vd_db_int(s.db, "SELECT count(*) FROM scene", &n_imported, err));
    VD_GO(vd_views_load(&s.views, run, err));
    VD_GO(state_of(&s, state, err));
    VD_GO(vd_run_state_get(run, "reconstruct_key", &old, err));
    if (strcmp(vd_str_text(&old), state) == 0) goto done;
    VD_GO(vd_scene_input_load(&s.in, run, &s.views, err));
    if ((s.camera_id = vd_mem_array((size_t)s.views.n + 1, sizeof *s.camera_id)) == NULL)
        VD_GO(vd_nomem(err));
    vd_run_progress(run, "reconstruct", 0, s.views.n, t0, false);
    VD_GO(build(&s, err));
    for (int32_t k = 0; k < s.result.n_models; k++)
        VD_GO(write_arrays(&s, k + 1, &s.result.model[k], err));
    VD_GO(write_result(&s, state, err));
    if (imported > 0) vd_scenes_import_remove(run->ds, imported, n_imported);
    vd_run_progress(run, "reconstruct", s.views.n, s.views.n, t0, true);
    run->time[s.index].done = run->time[s.index].total = s.views.n;
done:
    vd_str_reset(&old);
    reset_models(&s);
    vd_scene_input_reset(&s.in);
    vd_views_reset(&s.views);
    vd_mem_free(s.camera_id);
    return st;
}

static void params(const vd_run_opt *opt, vd_str *out) {
    if (opt->camera != NULL) vd_str_addf(out, "camera=%s;", opt->camera);
    if (opt->cameras != NULL) vd_str_addf(out, "cameras=%s;", opt->cameras_hash);
    vd_str_addf(out, "model=%s;refine=%s;mapper=%s;", opt->camera_model, opt->refine, opt->mapper);
}

static vd_status summary(vd_run *run, vd_str *out, vd_err *err) {
    static const char *const sql[] = {
        "SELECT count(*) FROM scene",
        "SELECT count(*) FROM fact_reconstruct WHERE registered = 1",
        "SELECT count(*) FROM fact_reconstruct",
        "SELECT coalesce(sum(points), 0) FROM scene",
        "SELECT count(*) FROM dataset_state WHERE name = 'scenes_imported'",
    };
    int64_t n[VD_COUNT(sql)];
    for (int i = 0; i < VD_COUNT(sql); i++)
        VD_TRY(vd_db_int(vd_dataset_db(run->ds), sql[i], &n[i], err));
    vd_str_count(out, n[0]);
    vd_str_add(out, n[0] == 1 ? " scene, " : " scenes, ");
    vd_str_count(out, n[1]);
    vd_str_add(out, " of ");
    vd_str_count(out, n[2]);
    vd_str_add(out, " pictures placed, ");
    vd_str_count(out, n[3]);
    vd_str_add(out, n[4] > 0 ? " points, imported" : " points");
    return vd_str_check(out, err);
}

const vd_stage vd_stage_reconstruct = {
    .name = "reconstruct",
    .help = "scenes in 3D: where each camera stood, and why not",
    .version = 2,
    .scope = VD_SCOPE_DATASET,
    .inputs = "add,check,match",
    .table = &vd_table_reconstruct,
    .params = params,
    .all = run_reconstruct,
    .summary = summary,
};
