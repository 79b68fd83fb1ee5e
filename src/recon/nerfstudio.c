/* Reading transforms.json; see nerfstudio.h. SPDX-License-Identifier: Apache-2.0 */
#include "recon/nerfstudio.h"

#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/path.h"
#include "geometry/rigid.h"

static const size_t MAX_FILE = (size_t)1 << 30;
/* Matrices come in float32, some through several programs; what is farther from a rotation than
 * this has a scale or a mirror in it. */
static const double ROTATION_TOLERANCE = 1e-3;

typedef struct reader {
    const char *where;
    const vd_nerfstudio_opt *opt;
    const vd_json *root, *frames;
    vd_map *cameras; /* from what a camera is to its index */
    vd_model m;
} reader;

/* ---- intrinsics ---- */

/* A key of the frame, or else of the file. */
static double get(const reader *r, const vd_json *frame, const char *key, double otherwise) {
    return vd_json_number(frame, key, vd_json_number(r->root, key, otherwise));
}

static vd_status size_of(const reader *r, const vd_json *frame, vd_camera *c, vd_err *err) {
    double w = get(r, frame, "w", r->opt->width), h = get(r, frame, "h", r->opt->height);
    if (w == 0 || h == 0)
        return vd_fail(err, VD_E_FORMAT,
                       "%s: byte %lld: neither the frame nor the file says w and h", r->where,
                       (long long)frame->at);
    if (!(w >= 1 && w <= INT32_MAX && h >= 1 && h <= INT32_MAX))
        return vd_fail(err, VD_E_FORMAT, "%s: byte %lld: pictures of %g x %g pixels", r->where,
                       (long long)frame->at, w, h);
    c->width = (int32_t)w;
    c->height = (int32_t)h;
    return VD_OK;
}

static vd_status focal_of(const reader *r, const vd_json *frame, const vd_camera *c, double f[2],
                          vd_err *err) {
    double ax = get(r, frame, "camera_angle_x", 0), ay = get(r, frame, "camera_angle_y", 0);
    f[0] = get(r, frame, "fl_x", ax > 0 ? 0.5 * c->width / tan(0.5 * ax) : 0);
    f[1] = get(r, frame, "fl_y", ay > 0 ? 0.5 * c->height / tan(0.5 * ay) : f[0]);
    if (f[0] > 0 && f[1] > 0) return VD_OK;
    return vd_fail(err, VD_E_FORMAT, "%s: byte %lld: no focal length: fl_x is %g, fl_y is %g",
                   r->where, (long long)frame->at, f[0], f[1]);
}

/* The smallest model that says it, or the one that the file names where that says it too; the
 * numbers of the models go up with what they can say. */
static int model_of(int named, const double f[2], const double k[4], const double p[2]) {
    bool one = f[0] == f[1];
    int need = one && named == VD_CAMERA_SIMPLE_PINHOLE ? named : VD_CAMERA_PINHOLE;
    if (k[0] != 0) need = one ? VD_CAMERA_SIMPLE_RADIAL : VD_CAMERA_OPENCV;
    if (k[1] != 0) need = one ? VD_CAMERA_RADIAL : VD_CAMERA_OPENCV;
    if (p[0] != 0 || p[1] != 0) need = VD_CAMERA_OPENCV;
    if (k[2] != 0) need = VD_CAMERA_FULL_OPENCV;
    bool sayable = one || vd_camera_layout_of(named).focal == 2;
    return sayable && named > need && named <= VD_CAMERA_OPENCV ? named : need;
}

static void set_params(vd_camera *c, const double f[2], const double pp[2], const double k[4],
                       const double p[2]) {
    vd_camera_layout l = vd_camera_layout_of(c->model);
    double *a = c->params;
    memcpy(a, f, (size_t)l.focal * sizeof *a);
    memcpy(a + l.focal, pp, 2 * sizeof *a);
    a += l.focal + 2;
    int extra = l.params - l.focal - 2;
    if (c->model == VD_CAMERA_OPENCV_FISHEYE || extra <= 2) {
        memcpy(a, k, (size_t)extra * sizeof *a);
        return;
    }
    memcpy(a, k, 2 * sizeof *a);
    memcpy(a + 2, p, 2 * sizeof *a);
    if (c->model == VD_CAMERA_FULL_OPENCV) a[4] = k[2];
}

static vd_status camera_of(const reader *r, const vd_json *frame, vd_camera *c, vd_err *err) {
    const char *name = vd_json_text(r->root, "camera_model");
    const vd_json *flag = vd_json_get(r->root, "is_fisheye");
    int named = name != NULL ? vd_camera_model_from_name(name) : VD_CAMERA_PINHOLE;
    bool known = named >= 0 && (named <= VD_CAMERA_OPENCV_FISHEYE);
    if (!known) return vd_fail(err, VD_E_UNSUPPORTED, "%s: camera_model '%.60s'", r->where, name);
    bool fisheye = vd_camera_is_fisheye(named) ||
                   (flag != NULL && flag->type == VD_JSON_BOOL && flag->number != 0);
    const double k[4] = { get(r, frame, "k1", 0), get(r, frame, "k2", 0), get(r, frame, "k3", 0),
                          get(r, frame, "k4", 0) };
    const double p[2] = { get(r, frame, "p1", 0), get(r, frame, "p2", 0) };
    double f[2];
    *c = (vd_camera){ 0 };
    if (fisheye ? p[0] != 0 || p[1] != 0 : k[3] != 0)
        return vd_fail(err, VD_E_UNSUPPORTED, "%s: byte %lld: %s", r->where, (long long)frame->at,
                       fisheye ? "tangential distortion of a fisheye"
                               : "k4 of a perspective camera");
    VD_TRY(size_of(r, frame, c, err));
    VD_TRY(focal_of(r, frame, c, f, err));
    const double pp[2] = { get(r, frame, "cx", 0.5 * c->width),
                           get(r, frame, "cy", 0.5 * c->height) };
    c->model = fisheye ? VD_CAMERA_OPENCV_FISHEYE : model_of(named, f, k, p);
    set_params(c, f, pp, k, p);
    return VD_OK;
}

/* The index of the camera among those seen; a new one takes the next. */
static vd_status add_camera(reader *r, const vd_camera *c, int32_t *index, vd_err *err) {
    double key[VD_CAMERA_PARAMS + 3] = { c->model, c->width, c->height };
    int64_t at = r->m.n_cameras;
    memcpy(key + 3, c->params, sizeof c->params);
    if (!vd_map_get(r->cameras, key, sizeof key, &at)) {
        VD_TRY(vd_map_put(r->cameras, key, sizeof key, at, err));
        r->m.camera_ids[at] = at + 1;
        r->m.cameras[r->m.n_cameras++] = *c;
    }
    *index = (int32_t)at;
    return VD_OK;
}

/* ---- poses ---- */

static bool row_of(const vd_json *row, double out[4]) {
    if (row == NULL || row->type != VD_JSON_ARRAY || row->n != 4) return false;
    const vd_json *v = row->first;
    for (int i = 0; i < 4; i++, v = v->next) {
        if (v->type != VD_JSON_NUMBER) return false;
        out[i] = v->number;
    }
    return true;
}

/* From the matrix of camera to world in OpenGL's axes: the second and third axis of the camera turn
 * round, and what is left is inverted. */
static vd_status pose_of(const reader *r, const vd_json *frame, vd_rigid *out, vd_err *err) {
    const vd_json *m = vd_json_get(frame, "transform_matrix");
    double a[3][4];
    bool ok = m != NULL && m->type == VD_JSON_ARRAY && (m->n == 3 || m->n == 4);
    const vd_json *row = ok ? m->first : NULL;
    for (int i = 0; i < 3 && ok; i++, row = row->next) ok = row_of(row, a[i]);
    if (!ok)
        return vd_fail(err, VD_E_FORMAT, "%s: byte %lld: transform_matrix is not 4 x 4 numbers",
                       r->where, (long long)(m != NULL ? m : frame)->at);
    const double rot[9] = { a[0][0],  a[1][0],  a[2][0],  -a[0][1], -a[1][1],
                            -a[2][1], -a[0][2], -a[1][2], -a[2][2] };
    if (!vd_is_rotation(rot, ROTATION_TOLERANCE))
        return vd_fail(err, VD_E_FORMAT,
                       "%s: byte %lld: transform_matrix is no rotation with a translation",
                       r->where, (long long)m->at);
    out->q = vd_quat_of_matrix(rot);
    out->t = vd_v3_mul(vd_quat_rotate(out->q, vd_v3(a[0][3], a[1][3], a[2][3])), -1);
    return VD_OK;
}

/* ---- the file ---- */

static vd_status read_frame(reader *r, const vd_json *frame, vd_model_image *v, vd_err *err) {
    const char *name = vd_json_text(frame, "file_path");
    const char *prefix = r->opt->prefix != NULL ? r->opt->prefix : "";
    vd_camera c;
    double id = vd_json_number(frame, "colmap_im_id", (double)v->id);
    if (name == NULL)
        return vd_fail(err, VD_E_FORMAT, "%s: byte %lld: a frame without file_path", r->where,
                       (long long)frame->at);
    if (!(id >= 0 && id < UINT32_MAX && id == floor(id)))
        return vd_fail(err, VD_E_FORMAT, "%s: byte %lld: colmap_im_id %g", r->where,
                       (long long)frame->at, id);
    while (vd_str_starts(name, "./")) name += 2;
    if (vd_str_starts(name, prefix) && name[strlen(prefix)] != '\0') name += strlen(prefix);
    v->id = (int64_t)id;
    VD_TRY(camera_of(r, frame, &c, err));
    VD_TRY(add_camera(r, &c, &v->camera, err));
    VD_TRY(pose_of(r, frame, &v->cam_from_world, err));
    return vd_model_set_image(v, name, strlen(name), 0, err);
}

static vd_status read_all(reader *r, vd_err *err) {
    r->frames = vd_json_get(r->root, "frames");
    if (r->frames == NULL || r->frames->type != VD_JSON_ARRAY)
        return vd_fail(err, VD_E_FORMAT, "%s: no array 'frames'", r->where);
    VD_TRY(vd_map_new(&r->cameras, err));
    VD_TRY(vd_model_add_cameras(&r->m, r->frames->n, err)); /* at most */
    VD_TRY(vd_model_add_images(&r->m, r->frames->n, err));
    VD_TRY(vd_model_add_points(&r->m, 0, 0, err));
    r->m.n_cameras = 0;
    vd_model_image *v = r->m.images;
    for (const vd_json *f = r->frames->first; f != NULL; f = f->next, v++)
        VD_TRY(read_frame(r, f, v, err));
    return vd_model_check(&r->m, r->where, err);
}

vd_status vd_nerfstudio_parse(vd_model *out, const char *where, const char *text, size_t size,
                              const vd_nerfstudio_opt *opt, vd_err *err) {
    static const vd_nerfstudio_opt defaults = VD_NERFSTUDIO_OPT;
    vd_arena arena = { 0 };
    reader r = { .where = where, .opt = opt != NULL ? opt : &defaults };
    vd_status st = vd_json_parse(&r.root, &arena, where, text, size, err);
    if (st == VD_OK) st = read_all(&r, err);
    if (st == VD_OK)
        *out = r.m;
    else
        vd_model_reset(&r.m);
    vd_map_free(r.cameras);
    vd_arena_reset(&arena);
    return st;
}

vd_status vd_nerfstudio_read(vd_model *out, const char *path, const vd_nerfstudio_opt *opt,
                             vd_err *err) {
    char *text = NULL;
    size_t size = 0;
    VD_TRY(vd_file_read(&text, &size, path, MAX_FILE, err));
    vd_status st = vd_nerfstudio_parse(out, path, text, size, opt, err);
    vd_mem_free(text);
    return st;
}
