/* Undistortion. SPDX-License-Identifier: Apache-2.0 */
#include "geometry/undistort.h"

#include <math.h>

/* The borders of the picture on the plane z = 1: the innermost point of each of its four edges. */
typedef struct box {
    double left, right, top, bottom;
} box;

static bool edge_points(box *b, const vd_camera *c) {
    enum { STEPS = 400 };
    double w = c->width, h = c->height;
    *b = (box){ -INFINITY, INFINITY, -INFINITY, INFINITY };
    for (int i = 0; i <= STEPS; i++) {
        double s = (double)i / STEPS, x[2];
        const double left[2] = { 0, s * h }, right[2] = { w, s * h }, top[2] = { s * w, 0 },
                     bottom[2] = { s * w, h };
        if (vd_camera_unproject(c, left, x)) b->left = VD_MAX(b->left, x[0]);
        if (vd_camera_unproject(c, right, x)) b->right = VD_MIN(b->right, x[0]);
        if (vd_camera_unproject(c, top, x)) b->top = VD_MAX(b->top, x[1]);
        if (vd_camera_unproject(c, bottom, x)) b->bottom = VD_MIN(b->bottom, x[1]);
    }
    return isfinite(b->left) && isfinite(b->right) && isfinite(b->top) && isfinite(b->bottom) &&
           b->left < 0 && b->right > 0 && b->top < 0 && b->bottom > 0;
}

vd_status vd_undistorted_camera(vd_camera *out, const vd_camera *c, vd_err *err) {
    box b;
    VD_TRY(vd_camera_check(c, err));
    if (!edge_points(&b, c))
        return vd_fail(err, VD_E_UNSUPPORTED,
                       "undistort: a %s camera of %d x %d sees too far aside for a flat picture",
                       vd_camera_model_name(c->model), (int)c->width, (int)c->height);
    double fx = c->params[0], fy = vd_camera_layout_of(c->model).focal == 2 ? c->params[1] : fx;
    double w = VD_MIN((b.right - b.left) * fx, 2.0 * c->width);
    double h = VD_MIN((b.bottom - b.top) * fy, 2.0 * c->height);
    *out = (vd_camera){ .model = VD_CAMERA_PINHOLE,
                        .width = (int32_t)VD_MAX(1, floor(w + 1e-6)),
                        .height = (int32_t)VD_MAX(1, floor(h + 1e-6)) };
    out->params[0] = fx;
    out->params[1] = fy;
    /* what is cut off is cut on both sides alike */
    out->params[2] = -b.left * fx - 0.5 * ((b.right - b.left) * fx - out->width);
    out->params[3] = -b.top * fy - 0.5 * ((b.bottom - b.top) * fy - out->height);
    return VD_OK;
}

void vd_undistort_row(float *uv, const vd_camera *to, const vd_camera *from, int32_t y) {
    for (int32_t x = 0; x < to->width; x++) {
        const double ray[3] = { (x + 0.5 - to->params[2]) / to->params[0],
                                (y + 0.5 - to->params[3]) / to->params[1], 1 };
        double at[2];
        bool seen = vd_camera_project(from, ray, at);
        uv[2 * x] = seen ? (float)at[0] : NAN;
        uv[2 * x + 1] = seen ? (float)at[1] : NAN;
    }
}

bool vd_undistort_point(double out[2], const vd_camera *to, const vd_camera *from,
                        const double uv[2]) {
    double x[2];
    if (!vd_camera_unproject(from, uv, x)) return false;
    out[0] = x[0] * to->params[0] + to->params[2];
    out[1] = x[1] * to->params[1] + to->params[3];
    return true;
}
