/* The pose of a camera; see resection.h. Points are first moved to their centroid and scaled to
 * about 1: world coordinates may be large, and scores are taken in float.
 * SPDX-License-Identifier: Apache-2.0 */
#include "geometry/resection.h"

#include <string.h>

#include "base/cpu.h"
#include "base/mem.h"
#include "geometry/fit.h"
#include "geometry/rigid.h"

enum { STREAM_ORDER = 0x72657331, STREAM_SAMPLE };

typedef struct work {
    const vd_camera *c;
    const vd_resection_opt *opt;
    int n;
    double *a, *b;
    uint8_t *use;
    vd_vec3 centre;
    double scale; /* a = (x - centre) / scale */
    vd_soa soa;
    vd_fit fit;
} work;

static vd_status check_options(const vd_resection_opt *o, int n, vd_err *err) {
    if (!(o->max_error_px > 0) || !isfinite(o->max_error_px))
        return vd_fail(err, VD_E_ARG, "resection: max_error_px %g, must be positive",
                       o->max_error_px);
    if (!(o->confidence > 0 && o->confidence < 1) || o->max_trials < 1 || n < 0 ||
        !(o->min_inlier_ratio >= 0 && o->min_inlier_ratio <= 1))
        return vd_fail(err, VD_E_ARG,
                       "resection: confidence %g, min_inlier_ratio %g, max_trials %d, %d points: "
                       "out of range",
                       o->confidence, o->min_inlier_ratio, o->max_trials, n);
    return VD_OK;
}

/* Bearings of the pixels, and which points have one. */
static void take_bearings(work *w, const double *uv, const double *xyz) {
    bool sphere = w->fit.metric.sphere;
    for (int i = 0; i < w->n; i++) {
        double *b = w->b + 3 * i;
        const double *x = xyz + 3 * i;
        w->use[i] = isfinite(x[0] + x[1] + x[2]) && vd_camera_ray(w->c, uv + 2 * i, b) &&
                    (sphere || b[2] > 0);
        if (!w->use[i] || sphere) continue;
        b[0] /= b[2];
        b[1] /= b[2];
        b[2] = 1;
    }
}

static void centre_points(work *w, const double *xyz) {
    vd_vec3 sum = { 0, 0, 0 };
    double far = 0;
    int n = 0;
    for (int i = 0; i < w->n; i++) {
        if (!w->use[i]) continue;
        sum = vd_v3_add(sum, vd_v3(xyz[3 * i], xyz[3 * i + 1], xyz[3 * i + 2]));
        n++;
    }
    w->centre = vd_v3_mul(sum, n > 0 ? 1.0 / n : 0);
    for (int i = 0; i < w->n; i++) {
        vd_vec3 x = vd_v3_sub(vd_v3(xyz[3 * i], xyz[3 * i + 1], xyz[3 * i + 2]), w->centre);
        if (!w->use[i]) continue;
        far += vd_v3_norm(x) / n;
        w->a[3 * i] = x.x, w->a[3 * i + 1] = x.y, w->a[3 * i + 2] = x.z;
    }
    w->scale = far > 0 && isfinite(far) ? far : 1;
    for (int i = 0; i < 3 * w->n; i++)
        if (w->use[i / 3]) w->a[i] /= w->scale;
}

static vd_status prepare(work *w, const double *uv, const double *xyz, vd_err *err) {
    size_t n = (size_t)w->n;
    w->a = vd_mem_aligned(VD_MAX(n * (6 * sizeof(double) + 1), 64));
    if (w->a == NULL) return vd_nomem(err);
    w->b = w->a + 3 * n;
    w->use = (uint8_t *)(w->b + 3 * n);
    VD_TRY(vd_soa_init(&w->soa, w->n, err));
    double f = vd_camera_mean_focal(w->c), s = 1 / (f * f);
    w->fit = (vd_fit){ vd_geometry_kern_for(vd_cpu_features()),
                       &w->soa,
                       { s, s, w->opt->max_error_px * w->opt->max_error_px, 0,
                         vd_camera_is_fisheye(w->c->model) } };
    take_bearings(w, uv, xyz);
    centre_points(w, xyz);
    vd_soa_fill(&w->soa, w->a, w->b, w->use, w->n, w->opt->seed, STREAM_ORDER, w->opt->item);
    return VD_OK;
}

/* A pose of the moved and scaled points as one of the points themselves. */
static vd_rigid pose_of(const work *w, const double m[12]) {
    const double r[9] = { m[0], m[1], m[2], m[4], m[5], m[6], m[8], m[9], m[10] };
    vd_rigid p = { vd_quat_of_matrix(r), vd_v3(m[3], m[7], m[11]) };
    p.t = vd_v3_sub(vd_v3_mul(p.t, w->scale), vd_quat_rotate(p.q, w->centre));
    return p;
}

static vd_status estimate(vd_rigid *pose, double *focal, uint8_t *mask, int *inliers, work *w,
                          const double *uv, const double *xyz, vd_err *err) {
    vd_status st;
    VD_GO(prepare(w, uv, xyz, err));
    vd_estimator e = focal != NULL ? vd_fit_pose_focal(&w->fit) : vd_fit_pose(&w->fit);
    vd_ransac_result r = { .gain = 0 };
    int least = VD_MAX(w->opt->min_inliers, e.sample);
    if (w->soa.n >= least) {
        double ratio = VD_MIN(1, VD_MAX((double)least / w->soa.n, w->opt->min_inlier_ratio));
        const vd_ransac_opt opt = { w->opt->confidence, ratio,         w->opt->max_trials,
                                    w->opt->seed,       STREAM_SAMPLE, w->opt->item };
        vd_ransac_run(&r, &e, &opt);
        vd_ransac_finish(&r, &e);
    }
    bool found = r.gain > 0 && r.inliers >= least;
    double m[12];
    for (int i = 0; i < 12; i++) m[i] = r.model.v[i] * (focal != NULL && i < 8 ? r.model.v[12] : 1);
    if (mask != NULL) memset(mask, 0, (size_t)w->n);
    if (found) vd_fit_transfer_errors(&w->fit, m);
    for (int i = 0; found && mask != NULL && i < w->soa.n; i++)
        mask[w->soa.from[i]] = w->soa.error[i] < 1;
    *pose = found ? pose_of(w, r.model.v) : VD_RIGID_ONE;
    if (found && focal != NULL) *focal = r.model.v[12];
    if (inliers != NULL) *inliers = found ? r.inliers : 0;
done:
    vd_soa_reset(&w->soa);
    vd_mem_free(w->a);
    return st;
}

static const vd_resection_opt defaults = VD_RESECTION_OPT;

vd_status vd_resection(vd_rigid *cam_from_world, uint8_t *mask, int *inliers, const vd_camera *c,
                       const double *uv, const double *xyz, int n, const vd_resection_opt *opt,
                       vd_err *err) {
    work w = { .c = c, .opt = opt != NULL ? opt : &defaults, .n = n };
    VD_TRY(check_options(w.opt, n, err));
    VD_TRY(vd_camera_check(c, err));
    return estimate(cam_from_world, NULL, mask, inliers, &w, uv, xyz, err);
}

vd_status vd_resection_focal(vd_rigid *cam_from_world, vd_camera *camera, uint8_t *mask,
                             int *inliers, const double *uv, const double *xyz, int n,
                             const vd_resection_opt *opt, vd_err *err) {
    work w = { .c = camera, .opt = opt != NULL ? opt : &defaults, .n = n };
    double factor = 1; /* of the focal lengths: bearings are pixels over the guess */
    VD_TRY(check_options(w.opt, n, err));
    VD_TRY(vd_camera_check(camera, err));
    if (vd_camera_is_fisheye(camera->model))
        return vd_fail(err, VD_E_UNSUPPORTED, "resection: unknown focal length of a %s",
                       vd_camera_model_name(camera->model));
    VD_TRY(estimate(cam_from_world, &factor, mask, inliers, &w, uv, xyz, err));
    int focal = vd_camera_layout_of(camera->model).focal;
    for (int i = 0; i < focal; i++) camera->params[i] *= factor;
    return VD_OK;
}
