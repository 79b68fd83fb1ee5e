/* Writing Bundler's files; see bundler.h. SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/path.h"
#include "geometry/rigid.h"
#include "recon/bundler.h"

/* f k1 k2 of a camera that has no more than that. */
static vd_status lens_of(const vd_model *m, int32_t i, const vd_bundler_opt *opt, double fkk[3],
                         vd_err *err) {
    const vd_camera *c = &m->cameras[i];
    fkk[0] = c->params[0];
    fkk[1] = fkk[2] = 0;
    switch (c->model) {
    case VD_CAMERA_PINHOLE:
        if (c->params[0] != c->params[1] && !opt->mean_focal)
            return vd_fail(err, VD_E_UNSUPPORTED,
                           "bundler: camera %lld has two focal lengths, %.2f and %.2f px; the "
                           "format has one",
                           (long long)m->camera_ids[i], c->params[0], c->params[1]);
        fkk[0] = vd_camera_mean_focal(c);
        return VD_OK;
    case VD_CAMERA_RADIAL: fkk[2] = c->params[4]; /* fallthrough */
    case VD_CAMERA_SIMPLE_RADIAL: fkk[1] = c->params[3]; return VD_OK;
    case VD_CAMERA_SIMPLE_PINHOLE: return VD_OK;
    default:
        return vd_fail(err, VD_E_UNSUPPORTED,
                       "bundler: camera %lld: %s cannot be said; undistort the pictures before",
                       (long long)m->camera_ids[i], vd_camera_model_name(c->model));
    }
}

static void add_pose(vd_str *s, vd_rigid pose) {
    double r[9];
    vd_quat_matrix(r, pose.q);
    vd_str_addf(s, "%.17g %.17g %.17g\n", r[0], r[1], r[2]);
    vd_str_addf(s, "%.17g %.17g %.17g\n", -r[3], -r[4], -r[5]);
    vd_str_addf(s, "%.17g %.17g %.17g\n", -r[6], -r[7], -r[8]);
    vd_str_addf(s, "%.17g %.17g %.17g\n", pose.t.x, -pose.t.y, -pose.t.z);
}

static void add_point(vd_str *s, const vd_model *m, int64_t p) {
    const double *x = m->xyz + 3 * p;
    const uint8_t *c = m->rgb + 3 * p;
    int64_t begin = m->track_start[p], end = m->track_start[p + 1];
    vd_str_addf(s, "%.17g %.17g %.17g\n%d %d %d\n%lld", x[0], x[1], x[2], c[0], c[1], c[2],
                (long long)(end - begin));
    for (int64_t e = begin; e < end; e++) {
        const vd_model_image *v = &m->images[m->track_image[e]];
        const vd_camera *camera = &m->cameras[v->camera];
        const double *pp = camera->params + vd_camera_layout_of(camera->model).focal;
        const double *uv = v->uv + 2 * (int64_t)m->track_keypoint[e];
        vd_str_addf(s, " %d %d %.17g %.17g", m->track_image[e], m->track_keypoint[e], uv[0] - pp[0],
                    pp[1] - uv[1]);
    }
    vd_str_addc(s, '\n');
}

vd_status vd_bundler_emit(vd_str *bundle, vd_str *list, const vd_model *m,
                          const vd_bundler_opt *opt, vd_err *err) {
    static const vd_bundler_opt defaults = { 0 };
    if (opt == NULL) opt = &defaults;
    vd_str_addf(bundle, "# Bundle file v0.3\n%d %lld\n", m->n_images, (long long)m->n_points);
    for (int32_t i = 0; i < m->n_images; i++) {
        const vd_model_image *v = &m->images[i];
        double fkk[3];
        VD_TRY(lens_of(m, v->camera, opt, fkk, err));
        vd_str_addf(bundle, "%.17g %.17g %.17g\n", fkk[0], fkk[1], fkk[2]);
        add_pose(bundle, v->cam_from_world);
        if (strpbrk(v->name, " \t\r\n") != NULL || v->name[0] == '#')
            return vd_fail(err, VD_E_UNSUPPORTED, "bundler: the list cannot say the name '%.100s'",
                           v->name);
        vd_str_addf(list, "%s\n", v->name);
    }
    for (int64_t p = 0; p < m->n_points; p++) add_point(bundle, m, p);
    VD_TRY(vd_str_check(list, err));
    return vd_str_check(bundle, err);
}

vd_status vd_bundler_write(const vd_model *m, const char *path, const char *list_path,
                           const vd_bundler_opt *opt, vd_err *err) {
    vd_str bundle = { 0 }, list = { 0 };
    vd_status st = vd_bundler_emit(&bundle, &list, m, opt, err);
    if (st == VD_OK) st = vd_file_write(path, vd_str_text(&bundle), (size_t)bundle.size, err);
    if (st == VD_OK) st = vd_file_write(list_path, vd_str_text(&list), (size_t)list.size, err);
    vd_str_reset(&bundle);
    vd_str_reset(&list);
    return st;
}
