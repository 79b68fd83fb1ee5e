/* Writing transforms.json; see nerfstudio.h. SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/path.h"
#include "geometry/rigid.h"
#include "recon/nerfstudio.h"

/* What a camera is in the format: its name there, and the coefficients, of which `n_k` and, for
 * n_p 2, the tangential ones are written. */
typedef struct lens {
    const char *name;
    bool fisheye;
    double k[4], p[2];
    int n_k, n_p;
} lens;

static vd_status lens_of(const vd_model *m, int32_t i, lens *out, vd_err *err) {
    const vd_camera *c = &m->cameras[i];
    vd_camera_layout l = vd_camera_layout_of(c->model);
    const double *a = c->params + l.focal + 2;
    const char *name = vd_camera_model_name(c->model);
    bool sayable = true;
    *out = (lens){ .name = name, .fisheye = vd_camera_is_fisheye(c->model) };
    switch (c->model) {
    case VD_CAMERA_FULL_OPENCV:
        sayable = a[5] == 0 && a[6] == 0 && a[7] == 0; /* no denominator */
        out->k[2] = a[4];
        /* fallthrough */
    case VD_CAMERA_OPENCV:
        out->name = "OPENCV";
        out->n_k = c->model == VD_CAMERA_OPENCV ? 2 : 3;
        out->n_p = 2;
        memcpy(out->k, a, 2 * sizeof *a);
        memcpy(out->p, a + 2, 2 * sizeof *a);
        break;
    case VD_CAMERA_OPENCV_FISHEYE:
    case VD_CAMERA_SIMPLE_RADIAL_FISHEYE:
    case VD_CAMERA_RADIAL_FISHEYE: out->name = "OPENCV_FISHEYE"; /* fallthrough */
    default:
        sayable = c->model != VD_CAMERA_FOV && c->model != VD_CAMERA_THIN_PRISM_FISHEYE;
        out->n_k = sayable ? l.params - l.focal - 2 : 0;
        memcpy(out->k, a, (size_t)out->n_k * sizeof *a);
    }
    if (sayable) return VD_OK;
    return vd_fail(err, VD_E_UNSUPPORTED,
                   "nerfstudio: camera %lld: %s cannot be said; undistort the pictures before",
                   (long long)m->camera_ids[i], name);
}

/* One name for the whole file: the cameras' own if they agree, OPENCV for several perspective ones.
 */
static vd_status name_of_all(const vd_model *m, const char **out, vd_err *err) {
    lens first = { .name = "OPENCV" }, l;
    for (int32_t i = 0; i < m->n_cameras; i++) {
        VD_TRY(lens_of(m, i, i == 0 ? &first : &l, err));
        if (i == 0 || strcmp(l.name, first.name) == 0) continue;
        if (l.fisheye || first.fisheye)
            return vd_fail(err, VD_E_UNSUPPORTED,
                           "nerfstudio: camera %lld is %s, camera %lld is %s: a file has either",
                           (long long)m->camera_ids[0], first.name, (long long)m->camera_ids[i],
                           l.name);
        first.name = "OPENCV";
    }
    *out = first.name;
    return VD_OK;
}

static void add_key(vd_str *s, const char *key, double v) {
    vd_str_addf(s, "\"%s\": ", key);
    vd_str_json_num(s, v);
    vd_str_add(s, ", ");
}

static void add_numbered(vd_str *s, char letter, const double *v, int n) {
    for (int i = 0; i < n; i++) add_key(s, (const char[]){ letter, (char)('1' + i), '\0' }, v[i]);
}

static vd_status add_camera(vd_str *s, const vd_model *m, int32_t i, vd_err *err) {
    const vd_camera *c = &m->cameras[i];
    int focal = vd_camera_layout_of(c->model).focal;
    lens l;
    VD_TRY(lens_of(m, i, &l, err));
    vd_str_addf(s, "\"w\": %d, \"h\": %d, ", c->width, c->height);
    add_key(s, "fl_x", c->params[0]);
    add_key(s, "fl_y", c->params[focal - 1]);
    add_key(s, "cx", c->params[focal]);
    add_key(s, "cy", c->params[focal + 1]);
    add_numbered(s, 'k', l.k, l.n_k);
    add_numbered(s, 'p', l.p, l.n_p);
    return VD_OK;
}

static void add_pose(vd_str *s, vd_rigid cam_from_world) {
    double r[9];
    vd_vec3 c = vd_rigid_centre(cam_from_world);
    vd_quat_matrix(r, cam_from_world.q);
    const double row[3][4] = { { r[0], -r[3], -r[6], c.x },
                               { r[1], -r[4], -r[7], c.y },
                               { r[2], -r[5], -r[8], c.z } };
    vd_str_add(s, "\"transform_matrix\": [");
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 4; k++) {
            vd_str_add(s, k == 0 ? "[" : ", ");
            vd_str_json_num(s, row[i][k]);
            if (k == 3) vd_str_add(s, "], ");
        }
    vd_str_add(s, "[0, 0, 0, 1]]");
}

static vd_status add_frame(vd_str *s, const vd_model *m, const vd_model_image *v,
                           const char *prefix, vd_err *err) {
    vd_str path = { 0 };
    vd_str_addf(&path, "%s%s", prefix != NULL ? prefix : "", v->name);
    vd_str_add(s, "    {\"file_path\": ");
    vd_str_json(s, vd_str_text(&path));
    vd_str_addf(s, ", \"colmap_im_id\": %lld, ", (long long)v->id);
    vd_status st = m->n_cameras == 1 ? VD_OK : add_camera(s, m, v->camera, err);
    add_pose(s, v->cam_from_world);
    vd_str_addc(s, '}');
    if (st == VD_OK) st = vd_str_check(&path, err);
    vd_str_reset(&path);
    return st;
}

vd_status vd_nerfstudio_emit(vd_str *s, const vd_model *m, const vd_nerfstudio_opt *opt,
                             vd_err *err) {
    static const vd_nerfstudio_opt defaults = VD_NERFSTUDIO_OPT;
    const char *name = NULL;
    if (opt == NULL) opt = &defaults;
    VD_TRY(name_of_all(m, &name, err));
    vd_str_addf(s, "{\n  \"camera_model\": \"%s\",\n  ", name);
    if (m->n_cameras == 1) {
        VD_TRY(add_camera(s, m, 0, err));
        vd_str_add(s, "\n  ");
    }
    if (opt->ply != NULL) {
        vd_str_add(s, "\"ply_file_path\": ");
        vd_str_json(s, opt->ply);
        vd_str_add(s, ",\n  ");
    }
    vd_str_add(s, "\"frames\": [\n");
    for (int32_t i = 0; i < m->n_images; i++) {
        if (i > 0) vd_str_add(s, ",\n");
        VD_TRY(add_frame(s, m, &m->images[i], opt->prefix, err));
    }
    vd_str_add(s, "\n  ]\n}\n");
    return vd_str_check(s, err);
}

vd_status vd_nerfstudio_write(const vd_model *m, const char *path, const vd_nerfstudio_opt *opt,
                              vd_err *err) {
    vd_str s = { 0 };
    vd_status st = vd_nerfstudio_emit(&s, m, opt, err);
    if (st == VD_OK) st = vd_file_write(path, s.data, (size_t)s.size, err);
    vd_str_reset(&s);
    return st;
}
