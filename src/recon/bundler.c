/* Reading Bundler's files; see bundler.h. SPDX-License-Identifier: Apache-2.0 */
#include "recon/bundler.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "geometry/rigid.h"
#include "base/words.h"

static const size_t MAX_FILE = (size_t)8 << 30;
static const double ROTATION_TOLERANCE = 1e-3; /* files have seven digits and more */
/* The fewest characters a camera (15 numbers), a point (7) and a view of it (4) take. */
enum { CAMERA_CHARS = 30, POINT_CHARS = 14, VIEW_CHARS = 8 };

typedef struct reader {
    const vd_bundler_opt *opt;
    vd_words w, list;
    int64_t n_cameras; /* of the file; the model has the registered ones */
    int32_t *image;    /* n_cameras: index in the model, or -1 */
    double *xy;        /* of each element of a track, about the middle of the picture */
    vd_model m;
} reader;

/* Numbers are separated by blanks and line ends alike. */
static void seek_word(vd_words *w) {
    while (!vd_words_more(w) && vd_words_line(w)) continue;
}

static vd_status reals(vd_words *w, double *out, int n, const char *what, vd_err *err) {
    for (int i = 0; i < n; i++) {
        seek_word(w);
        VD_TRY(vd_words_real(w, &out[i], what, err));
    }
    return VD_OK;
}

static vd_status integer(vd_words *w, int64_t *out, int64_t max, const char *what, vd_err *err) {
    seek_word(w);
    return vd_words_int(w, out, 0, max, what, err);
}

/* A count of things of so many characters each must fit into the rest of the file. */
static vd_status count(vd_words *w, int64_t *out, int64_t chars, const char *what, vd_err *err) {
    return integer(w, out, (w->end - w->p) / chars + 1, what, err);
}

/* ---- cameras ---- */

static vd_status set_camera(reader *r, int32_t i, const double fkk[3], vd_err *err) {
    vd_camera *c = &r->m.cameras[i];
    if (!(fkk[0] > 0))
        return vd_fail(err, VD_E_FORMAT, "%s:%lld: focal length %g", r->w.name,
                       (long long)r->w.line, fkk[0]);
    c->model = fkk[1] == 0 && fkk[2] == 0 ? VD_CAMERA_SIMPLE_PINHOLE : VD_CAMERA_RADIAL;
    c->params[0] = fkk[0];
    if (c->model == VD_CAMERA_RADIAL) memcpy(c->params + 3, fkk + 1, 2 * sizeof *fkk);
    if (r->opt->size_of == NULL ||
        !r->opt->size_of(r->opt->user, r->m.images[i].name, &c->width, &c->height))
        c->width = c->height = 0; /* grows with the keypoints */
    return VD_OK;
}

static vd_status set_pose(reader *r, int32_t i, const double rt[12], vd_err *err) {
    vd_model_image *v = &r->m.images[i];
    const double turned[9] = {
        rt[0], rt[1], rt[2], -rt[3], -rt[4], -rt[5], -rt[6], -rt[7], -rt[8]
    };
    if (!vd_is_rotation(turned, ROTATION_TOLERANCE))
        return vd_fail(err, VD_E_FORMAT, "%s:%lld: camera %lld has no rotation", r->w.name,
                       (long long)r->w.line, (long long)v->id - 1);
    v->cam_from_world.q = vd_quat_of_matrix(turned);
    v->cam_from_world.t = vd_v3(rt[9], -rt[10], -rt[11]);
    v->camera = i;
    return VD_OK;
}

/* The first word of the next line of the list: a focal length may follow it. */
static vd_status next_name(reader *r, const char **name, size_t *n, vd_err *err) {
    if (!vd_words_line_with_words(&r->list))
        return vd_fail(err, VD_E_FORMAT, "%s: ends after line %lld, the bundle has %lld cameras",
                       r->list.name, (long long)r->list.line, (long long)r->n_cameras);
    VD_TRY(vd_words_word(&r->list, name, n, "a name", err));
    if (memchr(*name, '\0', *n) != NULL)
        return vd_fail(err, VD_E_FORMAT, "%s:%lld: a name with a byte 0", r->list.name,
                       (long long)r->list.line);
    return VD_OK;
}

static vd_status read_cameras(reader *r, vd_err *err) {
    r->image = vd_mem_array((size_t)r->n_cameras, sizeof *r->image);
    if (r->image == NULL) return vd_nomem(err);
    VD_TRY(vd_model_add_cameras(&r->m, r->n_cameras, err)); /* at most */
    VD_TRY(vd_model_add_images(&r->m, r->n_cameras, err));
    r->m.n_cameras = r->m.n_images = 0;
    for (int64_t k = 0; k < r->n_cameras; k++) {
        double fkk[3], rt[12];
        const char *name = NULL;
        size_t n_name = 0;
        VD_TRY(reals(&r->w, fkk, 3, "a camera", err));
        VD_TRY(reals(&r->w, rt, 12, "a camera", err));
        VD_TRY(next_name(r, &name, &n_name, err));
        r->image[k] = -1;
        if (fkk[0] == 0) continue; /* not registered */
        int32_t i = r->image[k] = r->m.n_images++;
        r->m.n_cameras++;
        r->m.images[i].id = r->m.camera_ids[i] = k + 1;
        VD_TRY(vd_model_set_image(&r->m.images[i], name, n_name, 0, err));
        VD_TRY(set_camera(r, i, fkk, err));
        VD_TRY(set_pose(r, i, rt, err));
    }
    return VD_OK;
}

/* ---- points ---- */

/* How many views all points have together: the file is walked through once. */
static vd_status count_views(vd_words w, int64_t n_points, int64_t *out, vd_err *err) {
    *out = 0;
    for (int64_t p = 0; p < n_points; p++) {
        double skip[6];
        int64_t n = 0;
        VD_TRY(reals(&w, skip, 6, "a point", err));
        VD_TRY(count(&w, &n, VIEW_CHARS, "number of views", err));
        *out += n;
        for (int64_t i = 0; i < n; i++) VD_TRY(reals(&w, skip, 4, "a view", err));
    }
    return VD_OK;
}

static vd_status read_view(reader *r, int64_t e, vd_err *err) {
    int64_t camera = 0, key = 0;
    VD_TRY(integer(&r->w, &camera, r->n_cameras - 1, "camera of a view", err));
    VD_TRY(integer(&r->w, &key, INT64_MAX, "key of a view", err));
    VD_TRY(reals(&r->w, r->xy + 2 * e, 2, "a view", err));
    r->m.track_image[e] = r->image[camera];
    if (r->image[camera] < 0)
        return vd_fail(err, VD_E_FORMAT, "%s:%lld: a view of camera %lld, which is not registered",
                       r->w.name, (long long)r->w.line, (long long)camera);
    return VD_OK;
}

static vd_status read_points(reader *r, int64_t n, vd_err *err) {
    int64_t n_views = 0, e = 0;
    vd_model *m = &r->m;
    VD_TRY(count_views(r->w, n, &n_views, err));
    VD_TRY(vd_model_add_points(m, n, n_views, err));
    r->xy = vd_mem_array((size_t)n_views, 2 * sizeof *r->xy);
    if (r->xy == NULL) return vd_nomem(err);
    for (int64_t p = 0; p < n; p++) {
        int64_t v = 0;
        VD_TRY(reals(&r->w, m->xyz + 3 * p, 3, "a point", err));
        for (int c = 0; c < 3; c++) {
            VD_TRY(integer(&r->w, &v, 255, "colour", err));
            m->rgb[3 * p + c] = (uint8_t)v;
        }
        VD_TRY(integer(&r->w, &v, INT32_MAX, "number of views", err));
        for (int64_t i = 0; i < v; i++) VD_TRY(read_view(r, e++, err));
        m->track_start[p + 1] = e;
    }
    return VD_OK;
}

/* ---- keypoints, of which the file has those of the views ---- */

/* A picture whose size nobody knows holds what is seen in it. */
static void set_sizes(vd_model *m, const double *extent) {
    for (int32_t i = 0; i < m->n_images; i++) {
        vd_camera *c = &m->cameras[i];
        bool known = c->width > 0 && c->height > 0;
        if (!known) {
            c->width = (int32_t)VD_CLAMP(2 * ceil(extent[2 * i]), 1, INT32_MAX);
            c->height = (int32_t)VD_CLAMP(2 * ceil(extent[2 * i + 1]), 1, INT32_MAX);
        }
        c->params[1] = c->width / 2.0;
        c->params[2] = c->height / 2.0;
    }
}

static vd_status room_for_keypoints(vd_model *m, vd_err *err) {
    for (int32_t i = 0; i < m->n_images; i++) {
        vd_model_image *v = &m->images[i];
        vd_mem_free(v->uv);
        vd_mem_free(v->point);
        v->uv = vd_mem_array((size_t)v->n, 2 * sizeof *v->uv);
        v->point = vd_mem_array((size_t)v->n, sizeof *v->point);
        if (v->uv == NULL || v->point == NULL) return vd_nomem(err);
    }
    return VD_OK;
}

static vd_status make_keypoints(reader *r, vd_err *err) {
    vd_model *m = &r->m;
    int64_t n = m->track_start[m->n_points];
    double *extent = vd_mem_array((size_t)m->n_images, 2 * sizeof *extent);
    if (extent == NULL) return vd_nomem(err);
    if (n > INT32_MAX) n = INT32_MAX; /* the check will find what is missing */
    for (int64_t e = 0; e < n; e++) {
        int32_t i = m->track_image[e];
        m->track_keypoint[e] = m->images[i].n++;
        for (int c = 0; c < 2; c++)
            extent[2 * i + c] = VD_MAX(extent[2 * i + c], fabs(r->xy[2 * e + c]));
    }
    set_sizes(m, extent);
    vd_mem_free(extent);
    VD_TRY(room_for_keypoints(m, err));
    for (int64_t p = 0; p < m->n_points; p++)
        for (int64_t e = m->track_start[p]; e < m->track_start[p + 1] && e < n; e++) {
            vd_model_image *v = &m->images[m->track_image[e]];
            const double *pp = m->cameras[v->camera].params + 1;
            int64_t k = m->track_keypoint[e];
            v->uv[2 * k] = pp[0] + r->xy[2 * e];
            v->uv[2 * k + 1] = pp[1] - r->xy[2 * e + 1];
            v->point[k] = (int32_t)p;
        }
    return VD_OK;
}

/* ---- the files ---- */

static vd_status read_all(reader *r, vd_err *err) {
    int64_t n_points = 0;
    if (!vd_words_line_with_words(&r->w)) r->w.p = r->w.eol; /* the comment is all there is */
    VD_TRY(count(&r->w, &r->n_cameras, CAMERA_CHARS, "number of cameras", err));
    VD_TRY(count(&r->w, &n_points, POINT_CHARS, "number of points", err));
    VD_TRY(read_cameras(r, err));
    VD_TRY(read_points(r, n_points, err));
    VD_TRY(make_keypoints(r, err));
    vd_model_update_errors(&r->m);
    return vd_model_check(&r->m, r->w.name, err);
}

vd_status vd_bundler_parse(vd_model *out, const vd_bundler_text *bundle,
                           const vd_bundler_text *list, const vd_bundler_opt *opt, vd_err *err) {
    static const vd_bundler_opt defaults = { 0 };
    reader r = { .opt = opt != NULL ? opt : &defaults,
                 .w = vd_words_of(bundle->name, bundle->text, bundle->size),
                 .list = vd_words_of(list->name, list->text, list->size) };
    vd_status st = read_all(&r, err);
    if (st == VD_OK)
        *out = r.m;
    else
        vd_model_reset(&r.m);
    vd_mem_free(r.image);
    vd_mem_free(r.xy);
    return st;
}

vd_status vd_bundler_read(vd_model *out, const char *path, const char *list_path,
                          const vd_bundler_opt *opt, vd_err *err) {
    vd_status st = VD_OK;
    char *text = NULL, *list = NULL;
    size_t size = 0, list_size = 0;
    VD_GO(vd_file_read(&text, &size, path, MAX_FILE, err));
    VD_GO(vd_file_read(&list, &list_size, list_path, MAX_FILE, err));
    const vd_bundler_text a = { path, text, size }, b = { list_path, list, list_size };
    st = vd_bundler_parse(out, &a, &b, opt, err);
done:
    vd_mem_free(text);
    vd_mem_free(list);
    return st;
}
