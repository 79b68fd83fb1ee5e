/* COLMAP's text form: a record a line, images two, comments after #. SPDX-License-Identifier:
 * Apache-2.0
 *
 *   cameras.txt   id MODEL width height parameters...
 *   images.txt    id qw qx qy qz tx ty tz camera name    (the rest of the line, blanks and all)
 *                 x y point x y point ...                (-1: none; may be empty)
 *   points3D.txt  id x y z r g b error image keypoint image keypoint ... */
#include <string.h>

#include "recon/colmap_form.h"
#include "base/words.h"

static const int64_t MAX_ID = UINT32_MAX;
enum { POINT_WORDS = 8 }; /* before the track */

static vd_words cursor(const vd_colmap_part *p) {
    return vd_words_of(p->name, p->data, p->size);
}

static int64_t count_lines(vd_words w) {
    int64_t n = 0;
    while (vd_words_line_with_words(&w)) n++;
    return n;
}

/* ---- reading ---- */

static vd_status read_model(vd_words *w, int *model, vd_err *err) {
    char name[64];
    const char *word = NULL;
    size_t n = 0;
    VD_TRY(vd_words_word(w, &word, &n, "the camera model", err));
    n = VD_MIN(n, sizeof name - 1);
    memcpy(name, word, n);
    name[n] = '\0';
    *model = vd_camera_model_from_name(name);
    if (*model < 0)
        return vd_fail(err, VD_E_UNSUPPORTED, "%s:%lld: unknown camera model '%s'", w->name,
                       (long long)w->line, name);
    return VD_OK;
}

static vd_status read_camera(vd_colmap_in *in, int64_t i, vd_words *w, vd_err *err) {
    int64_t id = 0, width = 0, height = 0;
    int model = 0;
    VD_TRY(vd_words_int(w, &id, 0, MAX_ID, "camera id", err));
    VD_TRY(read_model(w, &model, err));
    VD_TRY(vd_words_int(w, &width, 1, INT32_MAX, "width", err));
    VD_TRY(vd_words_int(w, &height, 1, INT32_MAX, "height", err));
    VD_TRY(vd_colmap_set_camera(in, i, w->name, id, model, (uint64_t)width, (uint64_t)height, err));
    VD_TRY(vd_words_reals(w, in->m.cameras[i].params, vd_camera_param_count(model),
                          "camera parameter", err));
    return vd_words_end(w, err);
}

static vd_status read_cameras(vd_colmap_in *in, const vd_colmap_part *part, vd_err *err) {
    vd_words w = cursor(part);
    VD_TRY(vd_model_add_cameras(&in->m, count_lines(w), err));
    for (int64_t i = 0; vd_words_line_with_words(&w); i++) VD_TRY(read_camera(in, i, &w, err));
    return VD_OK;
}

static vd_status read_keypoints(vd_colmap_in *in, vd_model_image *v, vd_words *w, vd_err *err) {
    for (int64_t k = 0; k < v->n; k++) {
        int64_t id = 0;
        VD_TRY(vd_words_reals(w, v->uv + 2 * k, 2, "keypoint", err));
        VD_TRY(vd_words_int(w, &id, -1, INT64_MAX, "point id", err));
        VD_TRY(vd_colmap_set_keypoint(in, v, k, w->name, id, err));
    }
    return VD_OK;
}

static vd_status read_image(vd_colmap_in *in, int64_t i, vd_words *w, vd_err *err) {
    int64_t id = 0, camera = 0;
    double qt[7];
    const char *name = NULL;
    size_t n_name = 0;
    VD_TRY(vd_words_int(w, &id, 0, MAX_ID, "image id", err));
    VD_TRY(vd_words_reals(w, qt, 7, "pose", err));
    VD_TRY(vd_words_int(w, &camera, 0, MAX_ID, "camera id", err));
    VD_TRY(vd_words_rest(w, &name, &n_name, "the name", err));
    if (memchr(name, '\0', n_name) != NULL)
        return vd_fail(err, VD_E_FORMAT, "%s:%lld: a name with a byte 0", w->name,
                       (long long)w->line);
    in->m.images[i].id = id;
    VD_TRY(vd_colmap_set_pose(in, i, w->name, qt, camera, err));
    if (!vd_words_line(w)) w->p = w->eol; /* an editor took the last, empty line */
    int64_t words = vd_words_left(w);
    if (words % 3 != 0)
        return vd_fail(err, VD_E_FORMAT, "%s:%lld: %lld numbers, keypoints take three each",
                       w->name, (long long)w->line, (long long)words);
    VD_TRY(vd_model_set_image(&in->m.images[i], name, n_name, words / 3, err));
    return read_keypoints(in, &in->m.images[i], w, err);
}

static vd_status read_images(vd_colmap_in *in, const vd_colmap_part *part, vd_err *err) {
    vd_words w = cursor(part), ahead = w;
    int64_t n = 0;
    for (; vd_words_line_with_words(&ahead); n++) vd_words_line(&ahead);
    VD_TRY(vd_model_add_images(&in->m, n, err));
    for (int64_t i = 0; vd_words_line_with_words(&w); i++) VD_TRY(read_image(in, i, &w, err));
    return VD_OK;
}

static vd_status count_tracks(vd_words w, int64_t *n_points, int64_t *n_track, vd_err *err) {
    for (; vd_words_line_with_words(&w); ++*n_points) {
        int64_t more = vd_words_left(&w) - POINT_WORDS;
        if (more < 0 || more % 2 != 0)
            return vd_fail(err, VD_E_FORMAT,
                           "%s:%lld: %lld words, a point takes %d and two for each image", w.name,
                           (long long)w.line, (long long)more + POINT_WORDS, POINT_WORDS);
        *n_track += more / 2;
    }
    return VD_OK;
}

static vd_status read_point(vd_model *m, int64_t i, vd_words *w, vd_err *err) {
    int64_t v = 0, e = m->track_start[i];
    VD_TRY(vd_words_int(w, &m->point_ids[i], 0, INT64_MAX - 1, "point id", err));
    VD_TRY(vd_words_reals(w, m->xyz + 3 * i, 3, "position", err));
    for (int c = 0; c < 3; c++) {
        VD_TRY(vd_words_int(w, &v, 0, 255, "colour", err));
        m->rgb[3 * i + c] = (uint8_t)v;
    }
    VD_TRY(vd_words_real(w, &m->error_px[i], "error", err));
    for (; vd_words_more(w); e++) {
        VD_TRY(vd_words_int(w, &v, 0, MAX_ID, "image id", err));
        m->track_image[e] = (int32_t)(uint32_t)v;
        VD_TRY(vd_words_int(w, &v, 0, INT32_MAX, "keypoint", err));
        m->track_keypoint[e] = (int32_t)v;
    }
    m->track_start[i + 1] = e;
    return VD_OK;
}

static vd_status read_points(vd_colmap_in *in, const vd_colmap_part *part, vd_err *err) {
    vd_words w = cursor(part);
    int64_t n = 0, n_track = 0;
    VD_TRY(count_tracks(w, &n, &n_track, err));
    VD_TRY(vd_model_add_points(&in->m, n, n_track, err));
    for (int64_t i = 0; vd_words_line_with_words(&w); i++) VD_TRY(read_point(&in->m, i, &w, err));
    return VD_OK;
}

/* ---- writing ---- */

static void add_reals(vd_str *s, const double *v, int n) {
    for (int i = 0; i < n; i++) vd_str_addf(s, " %.17g", v[i]);
}

static vd_status write_cameras(vd_str *s, const vd_model *m, vd_err *err) {
    (void)err;
    vd_str_addf(s,
                "# Camera list with one line of data per camera:\n"
                "#   CAMERA_ID, MODEL, WIDTH, HEIGHT, PARAMS[]\n"
                "# Number of cameras: %d\n",
                m->n_cameras);
    for (int32_t i = 0; i < m->n_cameras; i++) {
        const vd_camera *c = &m->cameras[i];
        vd_str_addf(s, "%lld %s %d %d", (long long)m->camera_ids[i], vd_camera_model_name(c->model),
                    c->width, c->height);
        add_reals(s, c->params, vd_camera_param_count(c->model));
        vd_str_addc(s, '\n');
    }
    return VD_OK;
}

static vd_status check_name(const char *name, vd_err *err) {
    size_t n = strlen(name);
    if (strpbrk(name, "\r\n") == NULL && n > 0 && strchr(" \t", name[0]) == NULL &&
        strchr(" \t", name[n - 1]) == NULL)
        return VD_OK;
    return vd_fail(err, VD_E_UNSUPPORTED,
                   "colmap: text cannot say the name '%.100s'; the binary form can", name);
}

static void write_image(vd_str *s, const vd_model *m, const vd_model_image *v) {
    vd_quat q = v->cam_from_world.q;
    vd_vec3 t = v->cam_from_world.t;
    vd_str_addf(s, "%lld", (long long)v->id);
    add_reals(s, (const double[]){ q.w, q.x, q.y, q.z, t.x, t.y, t.z }, 7);
    vd_str_addf(s, " %lld %s\n", (long long)m->camera_ids[v->camera], v->name);
    for (int64_t k = 0; k < v->n; k++)
        vd_str_addf(s, "%s%.17g %.17g %lld", k > 0 ? " " : "", v->uv[2 * k], v->uv[2 * k + 1],
                    v->point[k] < 0 ? -1LL : (long long)m->point_ids[v->point[k]]);
    vd_str_addc(s, '\n');
}

static vd_status write_images(vd_str *s, const vd_model *m, vd_err *err) {
    vd_str_addf(s,
                "# Image list with two lines of data per image:\n"
                "#   IMAGE_ID, QW, QX, QY, QZ, TX, TY, TZ, CAMERA_ID, NAME\n"
                "#   POINTS2D[] as (X, Y, POINT3D_ID)\n"
                "# Number of images: %d, mean observations per image: %.17g\n",
                m->n_images, vd_model_stats_of(m).mean_observations_per_image);
    for (int32_t i = 0; i < m->n_images; i++) {
        VD_TRY(check_name(m->images[i].name, err));
        write_image(s, m, &m->images[i]);
    }
    return VD_OK;
}

static vd_status write_points(vd_str *s, const vd_model *m, vd_err *err) {
    (void)err;
    vd_str_addf(s,
                "# 3D point list with one line of data per point:\n"
                "#   POINT3D_ID, X, Y, Z, R, G, B, ERROR, TRACK[] as (IMAGE_ID, POINT2D_IDX)\n"
                "# Number of points: %lld, mean track length: %.17g\n",
                (long long)m->n_points, vd_model_stats_of(m).mean_track_length);
    for (int64_t i = 0; i < m->n_points; i++) {
        const uint8_t *c = m->rgb + 3 * i;
        vd_str_addf(s, "%lld", (long long)m->point_ids[i]);
        add_reals(s, m->xyz + 3 * i, 3);
        vd_str_addf(s, " %d %d %d %.17g", c[0], c[1], c[2], m->error_px[i]);
        for (int64_t e = m->track_start[i]; e < m->track_start[i + 1]; e++)
            vd_str_addf(s, " %lld %d", (long long)m->images[m->track_image[e]].id,
                        m->track_keypoint[e]);
        vd_str_addc(s, '\n');
    }
    return VD_OK;
}

const vd_colmap_codec vd_colmap_text = { { read_cameras, read_images, read_points },
                                         { write_cameras, write_images, write_points } };
