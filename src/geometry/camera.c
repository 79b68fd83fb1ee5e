/* Camera models: a row each, and the steps all share. See camera.h and distort.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "geometry/camera.h"

#include <math.h>
#include <string.h>

#include "geometry/distort.h"

typedef struct model_row {
    const char *name;
    int focal, params;
    bool fisheye;
    vd_distort_fn distort;
} model_row;

static const model_row rows[] = {
    [VD_CAMERA_SIMPLE_PINHOLE] = { "SIMPLE_PINHOLE", 1, 3, false, vd_distort_none },
    [VD_CAMERA_PINHOLE] = { "PINHOLE", 2, 4, false, vd_distort_none },
    [VD_CAMERA_SIMPLE_RADIAL] = { "SIMPLE_RADIAL", 1, 4, false, vd_distort_radial1 },
    [VD_CAMERA_RADIAL] = { "RADIAL", 1, 5, false, vd_distort_radial2 },
    [VD_CAMERA_OPENCV] = { "OPENCV", 2, 8, false, vd_distort_opencv },
    [VD_CAMERA_OPENCV_FISHEYE] = { "OPENCV_FISHEYE", 2, 8, true, vd_distort_radial4 },
    [VD_CAMERA_FULL_OPENCV] = { "FULL_OPENCV", 2, 12, false, vd_distort_full_opencv },
    [VD_CAMERA_FOV] = { "FOV", 2, 5, false, vd_distort_fov },
    [VD_CAMERA_SIMPLE_RADIAL_FISHEYE] = { "SIMPLE_RADIAL_FISHEYE", 1, 4, true, vd_distort_radial1 },
    [VD_CAMERA_RADIAL_FISHEYE] = { "RADIAL_FISHEYE", 1, 5, true, vd_distort_radial2 },
    [VD_CAMERA_THIN_PRISM_FISHEYE] = { "THIN_PRISM_FISHEYE", 2, 12, true, vd_distort_thin_prism },
};
_Static_assert(VD_COUNT(rows) == VD_CAMERA_MODELS, "a row a model");

static const model_row *row_of(int model) {
    return model >= 0 && model < VD_CAMERA_MODELS ? &rows[model] : NULL;
}

vd_camera_layout vd_camera_layout_of(int model) {
    const model_row *r = row_of(model);
    return r != NULL ? (vd_camera_layout){ r->focal, r->params } : (vd_camera_layout){ 0, 0 };
}

int vd_camera_param_count(int model) {
    return vd_camera_layout_of(model).params;
}

const char *vd_camera_model_name(int model) {
    const model_row *r = row_of(model);
    return r != NULL ? r->name : NULL;
}

int vd_camera_model_from_name(const char *name) {
    for (int i = 0; i < VD_CAMERA_MODELS; i++)
        if (strcmp(rows[i].name, name) == 0) return i;
    return -1;
}

bool vd_camera_is_fisheye(int model) {
    const model_row *r = row_of(model);
    return r != NULL && r->fisheye;
}

vd_status vd_camera_check(const vd_camera *c, vd_err *err) {
    const model_row *r = row_of(c->model);
    if (r == NULL)
        return vd_fail(err, VD_E_ARG, "camera: model %d, models are 0 to %d", c->model,
                       VD_CAMERA_MODELS - 1);
    if (c->width < 1 || c->height < 1)
        return vd_fail(err, VD_E_ARG, "camera: size %d x %d, at least 1 x 1 is needed", c->width,
                       c->height);
    for (int i = 0; i < r->params; i++) {
        if (!isfinite(c->params[i]))
            return vd_fail(err, VD_E_ARG, "camera: parameter %d of %s is not finite", i, r->name);
        if (i < r->focal && c->params[i] <= 0)
            return vd_fail(err, VD_E_ARG, "camera: focal length %g px of %s is not positive",
                           c->params[i], r->name);
    }
    return VD_OK;
}

vd_camera vd_camera_simple(int model, double focal_px, int32_t width, int32_t height) {
    vd_camera c = { .model = model, .width = width, .height = height };
    int focal = vd_camera_layout_of(model).focal;
    for (int i = 0; i < focal; i++) c.params[i] = focal_px;
    c.params[focal] = width / 2.0;
    c.params[focal + 1] = height / 2.0;
    return c;
}

/* The ideal point of a perspective model; j (2 x 3) unless NULL its derivatives. */
static bool perspective(const double p[3], double a[2], double *j) {
    if (!(p[2] > 0)) return false;
    double w = 1 / p[2];
    a[0] = p[0] * w;
    a[1] = p[1] * w;
    if (j == NULL) return true;
    j[0] = j[4] = w;
    j[1] = j[3] = 0;
    j[2] = -a[0] * w;
    j[5] = -a[1] * w;
    return true;
}

/* The ideal point of a fisheye model: a = s (x, y), s = theta / r. Near the axis s = g(r / z) / z,
 * which has no singularity there. */
static bool equidistant(const double p[3], double a[2], double *j) {
    double x = p[0], y = p[1], z = p[2], q = x * x + y * y, s, ds; /* ds = (ds/dr) / r */
    double rho2 = q + z * z;
    if (!(rho2 > 0) || (q == 0 && z < 0)) return false;
    if (z > 0 && q < z * z) {
        double g, h;
        vd_atan_ratio(sqrt(q) / z, &g, &h);
        s = g / z;
        ds = h / (z * z * z);
    } else {
        double r = sqrt(q);
        s = atan2(r, z) / r;
        ds = (z / rho2 - s) / q;
    }
    a[0] = s * x;
    a[1] = s * y;
    if (j == NULL) return true;
    j[0] = s + ds * x * x;
    j[1] = j[3] = ds * x * y;
    j[4] = s + ds * y * y;
    j[2] = -x / rho2;
    j[5] = -y / rho2;
    return true;
}

bool vd_camera_project_jac(const vd_camera *c, const double x_in_cam[3], double uv_px[2],
                           double d_point[6], double *d_params) {
    const model_row *r = &rows[c->model];
    const double *k = c->params + r->focal + 2;
    double a[2], d[2], ja[4], ji[6], jk[2 * VD_CAMERA_PARAMS];
    int n = r->params, extra = n - r->focal - 2;
    double *at = d_point != NULL ? ji : NULL;
    if (!(r->fisheye ? equidistant(x_in_cam, a, at) : perspective(x_in_cam, a, at))) return false;
    r->distort(k, a, d, ja, d_params != NULL ? jk : NULL, extra);
    if (!(ja[0] * ja[3] - ja[1] * ja[2] > 0 && ja[0] + ja[3] > 0)) return false;
    double fx = c->params[0], fy = c->params[r->focal - 1];
    double u = fx * d[0] + c->params[r->focal], v = fy * d[1] + c->params[r->focal + 1];
    if (!isfinite(u) || !isfinite(v)) return false;
    uv_px[0] = u;
    uv_px[1] = v;
    if (d_point != NULL)
        for (int i = 0; i < 3; i++) {
            d_point[i] = fx * (ja[0] * ji[i] + ja[1] * ji[3 + i]);
            d_point[3 + i] = fy * (ja[2] * ji[i] + ja[3] * ji[3 + i]);
        }
    if (d_params != NULL) {
        memset(d_params, 0, 2 * (size_t)n * sizeof *d_params);
        d_params[0] = d[0];
        d_params[n + r->focal - 1] = d[1];
        d_params[r->focal] = d_params[n + r->focal + 1] = 1;
        for (int i = 0; i < extra; i++) {
            d_params[r->focal + 2 + i] = fx * jk[i];
            d_params[n + r->focal + 2 + i] = fy * jk[extra + i];
        }
    }
    return true;
}

bool vd_camera_project(const vd_camera *c, const double x_in_cam[3], double uv_px[2]) {
    return vd_camera_project_jac(c, x_in_cam, uv_px, NULL, NULL);
}

/* The ideal point behind a pixel. */
static bool ideal_of(const vd_camera *c, const double uv_px[2], double a[2]) {
    const model_row *r = &rows[c->model];
    const double d[2] = { (uv_px[0] - c->params[r->focal]) / c->params[0],
                          (uv_px[1] - c->params[r->focal + 1]) / c->params[r->focal - 1] };
    if (!isfinite(d[0]) || !isfinite(d[1])) return false;
    if (r->distort == vd_distort_none) {
        a[0] = d[0];
        a[1] = d[1];
        return true;
    }
    return vd_undistort(r->distort, c->params + r->focal + 2, d, a);
}

bool vd_camera_ray(const vd_camera *c, const double uv_px[2], double ray[3]) {
    static const double PI = 3.14159265358979323846;
    double a[2];
    if (!ideal_of(c, uv_px, a)) return false;
    double r = sqrt(a[0] * a[0] + a[1] * a[1]);
    if (rows[c->model].fisheye) {
        if (!(r < PI)) return false;
        double s = r > 0 ? sin(r) / r : 1;
        ray[0] = s * a[0];
        ray[1] = s * a[1];
        ray[2] = cos(r);
        return true;
    }
    double w = 1 / sqrt(1 + r * r);
    ray[0] = a[0] * w;
    ray[1] = a[1] * w;
    ray[2] = w;
    return true;
}

bool vd_camera_unproject(const vd_camera *c, const double uv_px[2], double xn[2]) {
    double ray[3];
    if (!rows[c->model].fisheye) return ideal_of(c, uv_px, xn);
    if (!vd_camera_ray(c, uv_px, ray) || !(ray[2] > 0)) return false;
    xn[0] = ray[0] / ray[2];
    xn[1] = ray[1] / ray[2];
    return true;
}

double vd_camera_mean_focal(const vd_camera *c) {
    return (c->params[0] + c->params[rows[c->model].focal - 1]) / 2;
}

void vd_camera_matrix(const vd_camera *c, double k[9]) {
    int focal = rows[c->model].focal;
    const double m[9] = {
        c->params[0], 0, c->params[focal], 0, c->params[focal - 1], c->params[focal + 1], 0, 0, 1
    };
    memcpy(k, m, sizeof m);
}

vd_camera vd_camera_scaled(const vd_camera *c, double sx, double sy) {
    vd_camera s = *c;
    int focal = rows[c->model].focal;
    s.width = VD_MAX(1, (int32_t)lrint(c->width * sx));
    s.height = VD_MAX(1, (int32_t)lrint(c->height * sy));
    s.params[0] *= focal == 1 ? (sx + sy) / 2 : sx;
    if (focal == 2) s.params[1] *= sy;
    s.params[focal] *= sx;
    s.params[focal + 1] *= sy;
    return s;
}
