/* Two views: the recipe. See two_view.h.
 *
 * Calibrated: E by LO-RANSAC. From its inliers alone F and H are then sampled (a few dozen samples
 * do, most of them being inliers) and scored on all matches: F has two more parameters, and finding
 * clearly more inliers with it means that the calibration is wrong; a homography that explains
 * nearly as much means a plane, or, when the rotation closest to it does, a camera that did not
 * move. That costs a few percent of sampling F and H afresh, as it must be done without calibration
 * or when E fails. SPDX-License-Identifier: Apache-2.0 */
#include "geometry/two_view.h"

#include <string.h>

#include "base/cpu.h"
#include "base/mem.h"
#include "geometry/essential.h"
#include "geometry/homography.h"
#include "geometry/rigid.h"
#include "geometry/two_view_int.h"
#include "math/mat.h"

enum { STREAM_ORDER = 0x74777631, STREAM_E, STREAM_F, STREAM_H };
/* Samples of F when E has failed: good calibration is the rule, and pairs that have nothing in
 * common should not cost more than the rest. */
enum { FALLBACK_TRIALS = 2000 };
/* Inliers of E are assumed to be inliers of F, or of H if there is one, to these shares. */
static const double F_SHARE = 0.75, H_SHARE = 0.6;
/* A homography this close to the share it needs is refined to the end before it is judged. */
static const double H_NEAR = 0.8;

/* Of a sample, and how many models it has, roughly. */
enum { SAMPLE_MOST = 7, MODELS_A_TRIAL = 4 };
/* Pairs that have nothing in common and are believed to have, one in so many. */
static const double FALSE_ALARMS = 0.01;

const char *vd_two_view_config_name(int config) {
    static const char *const name[VD_TWO_VIEW_CONFIGS] = { "degenerate",   "calibrated",
                                                           "uncalibrated", "planar",
                                                           "panoramic",    "planar_or_panoramic",
                                                           "watermark" };
    return config >= 0 && config < VD_TWO_VIEW_CONFIGS ? name[config] : NULL;
}

/* The chance that noise explains it: matches at random are near an epipolar line with probability
 * p, and some model among all that were tried has `inliers` of them beyond its minimal sample
 * [Moisan and Stival 2004]. The tail of the binomial distribution by Chernoff's bound. */
static bool is_chance(const vd_pair_work *w, int inliers) {
    double wide = w->c2->width, high = w->c2->height;
    double p = fmin(0.5, 2 * sqrt(2) * w->opt->max_error_px * sqrt(wide * wide + high * high) /
                             (wide * high));
    int n = w->soa.n - SAMPLE_MOST, k = inliers - SAMPLE_MOST;
    if (n <= 0 || k >= n) return false; /* all of them: nothing left to be chance */
    double x = (double)k / n;
    if (!(x > p)) return true;
    double tail = n * (x * log(x / p) + (1 - x) * log((1 - x) / (1 - p)));
    return log((double)MODELS_A_TRIAL * (w->out.trials + 1)) - tail > log(FALSE_ALARMS);
}

static vd_status check_options(const vd_two_view_opt *o, vd_err *err) {
    if (!(o->max_error_px > 0) || !isfinite(o->max_error_px))
        return vd_fail(err, VD_E_ARG, "two views: max_error_px %g, must be positive",
                       o->max_error_px);
    if (!(o->confidence > 0 && o->confidence < 1))
        return vd_fail(err, VD_E_ARG, "two views: confidence %g, must lie between 0 and 1",
                       o->confidence);
    if (!(o->min_inlier_ratio >= 0 && o->min_inlier_ratio <= 1) || o->max_trials < 1)
        return vd_fail(err, VD_E_ARG,
                       "two views: min_inlier_ratio %g, max_trials %d, must be 0 to 1 and positive",
                       o->min_inlier_ratio, o->max_trials);
    return VD_OK;
}

/* Rays of both cameras for each match. */
static void take_rays(vd_pair_work *w) {
    bool sphere = w->fit.metric.sphere;
    for (int i = 0; i < w->n; i++) {
        double *a = w->a + 3 * i, *b = w->b + 3 * i;
        w->use[i] = sphere ? vd_camera_ray(w->c1, w->uv1 + 2 * i, a) &&
                                 vd_camera_ray(w->c2, w->uv2 + 2 * i, b)
                           : vd_camera_unproject(w->c1, w->uv1 + 2 * i, a) &&
                                 vd_camera_unproject(w->c2, w->uv2 + 2 * i, b);
        if (!sphere) a[2] = b[2] = 1;
    }
}

/* Pixels to about -1 .. 1. */
static void take_pixels(vd_pair_work *w) {
    for (int i = 0; i < w->n; i++) {
        double *a = w->a + 3 * i, *b = w->b + 3 * i;
        for (int k = 0; k < 2; k++) {
            a[k] = (w->uv1[2 * i + k] - w->k1[2 + 3 * k]) / w->k1[0];
            b[k] = (w->uv2[2 * i + k] - w->k2[2 + 3 * k]) / w->k2[0];
        }
        a[2] = b[2] = 1;
        w->use[i] = isfinite(a[0] + a[1] + b[0] + b[1]);
    }
}

static void middle_matrix(double k[9], const vd_camera *c) {
    double s = VD_MAX(c->width, c->height) / 2.0;
    memcpy(k, (const double[9]){ s, 0, c->width / 2.0, 0, s, c->height / 2.0, 0, 0, 1 },
           9 * sizeof *k);
}

static vd_status prepare(vd_pair_work *w, bool calibrated, vd_err *err) {
    size_t n = (size_t)w->n, bytes = n * (6 * sizeof(double) + sizeof(int32_t) + sizeof(float) + 2);
    char *p = vd_mem_aligned(VD_MAX(bytes, 64));
    if (p == NULL) return vd_nomem(err);
    w->a = (double *)(void *)p;
    w->b = w->a + 3 * n;
    w->pool = (int32_t *)(void *)(w->b + 3 * n);
    w->errors = (float *)(void *)(w->pool + n);
    w->use = (uint8_t *)(w->errors + n);
    w->mask = w->use + n;
    VD_TRY(vd_soa_init(&w->soa, w->n, err));
    double limit = w->opt->max_error_px * w->opt->max_error_px, f1, f2;
    if (calibrated) {
        vd_camera_matrix(w->c1, w->k1);
        vd_camera_matrix(w->c2, w->k2);
        f1 = vd_camera_mean_focal(w->c1);
        f2 = vd_camera_mean_focal(w->c2);
    } else {
        middle_matrix(w->k1, w->c1);
        middle_matrix(w->k2, w->c2);
        f1 = w->k1[0];
        f2 = w->k2[0];
    }
    w->fit = (vd_fit){ vd_geometry_kern_for(vd_cpu_features()),
                       &w->soa,
                       { 1 / (f1 * f1), 1 / (f2 * f2), limit, 0, false } };
    w->fit.metric.sphere =
        calibrated && (vd_camera_is_fisheye(w->c1->model) || vd_camera_is_fisheye(w->c2->model));
    (calibrated ? take_rays : take_pixels)(w);
    vd_soa_fill(&w->soa, w->a, w->b, w->use, w->n, w->opt->seed, STREAM_ORDER, w->opt->item);
    return VD_OK;
}

static vd_ransac_opt sampling(const vd_pair_work *w, int stream) {
    double ratio = w->soa.n > 0 ? (double)w->opt->min_inliers / w->soa.n : 1;
    return (vd_ransac_opt){ .confidence = w->opt->confidence,
                            .min_inlier_ratio = VD_MIN(1, VD_MAX(ratio, w->opt->min_inlier_ratio)),
                            .max_trials = w->opt->max_trials,
                            .seed = w->opt->seed,
                            .stream = (uint64_t)stream,
                            .item = w->opt->item };
}

/* The inliers of a matrix as the pool of further samples. */
static void pool_of(vd_pair_work *w, vd_estimator *e, const double m[9]) {
    vd_fit_epipolar_errors(&w->fit, m);
    e->pool = w->pool;
    e->n_pool = vd_fit_inliers(&w->fit, w->pool);
}

static void run(vd_pair_work *w, vd_ransac_result *r, const vd_estimator *e,
                const vd_ransac_opt *opt) {
    int before = r->trials;
    vd_ransac_run(r, e, opt);
    w->out.trials += r->trials - before;
}

/* F, starting from E, with samples from its inliers. */
static vd_ransac_result fundamental_of(vd_pair_work *w, const vd_ransac_result *e) {
    vd_estimator est = vd_fit_fundamental(&w->fit);
    vd_ransac_opt opt = sampling(w, STREAM_F);
    vd_ransac_result r = *e, refined = *e;
    refined.inliers = 0;
    if (est.refine(est.data, &refined.model)) {
        refined.gain = est.score(est.data, &refined.model, 0, est.n, &refined.inliers);
        if (refined.gain > r.gain) r = refined;
    }
    pool_of(w, &est, e->model.v);
    opt.min_inlier_ratio = F_SHARE;
    run(w, &r, &est, &opt);
    return r;
}

/* H, with samples from the inliers of E or F. */
static vd_ransac_result homography_of(vd_pair_work *w, const vd_ransac_result *e) {
    vd_estimator est = vd_fit_homography(&w->fit);
    vd_ransac_opt opt = sampling(w, STREAM_H);
    vd_ransac_result r = { .gain = 0 };
    pool_of(w, &est, e->model.v);
    opt.min_inlier_ratio = H_SHARE;
    run(w, &r, &est, &opt);
    if (r.inliers >= H_NEAR * w->opt->min_h_share * e->inliers) vd_ransac_finish(&r, &est);
    return r;
}

/* m in pixels: k2^-T m k1^-1 for epipolar matrices, k2 m k1^-1 for homographies; unit norm. */
static void to_pixels(double out[9], const double m[9], const double k1[9], const double k2[9],
                      bool homography) {
    double i1[9], i2[9], t[9], sum = 0;
    vd_mat3_inverse(i1, k1);
    vd_mat3_inverse(i2, k2);
    if (homography)
        vd_mat3_mul(t, k2, m);
    else
        vd_mat3_mul_tn(t, i2, m);
    vd_mat3_mul(out, t, i1);
    for (int i = 0; i < 9; i++) sum += out[i] * out[i];
    for (int i = 0; i < 9 && sum > 0; i++) out[i] /= sqrt(sum);
}

/* The errors below 1 in the scratch, as a mask over the matches as given. */
static int mask_errors(vd_pair_work *w) {
    int n = 0;
    memset(w->mask, 0, (size_t)w->n);
    for (int i = 0; i < w->soa.n; i++) {
        uint8_t in = w->soa.error[i] < 1;
        w->mask[w->soa.from[i]] = in;
        n += in;
    }
    return n;
}

static void widened(double m[12], const double h[9]) {
    for (int i = 0; i < 12; i++) m[i] = i % 4 < 3 ? h[i / 4 * 3 + i % 4] : 0;
}

static int mask_homography(vd_pair_work *w, const double h[9]) {
    double m[12];
    widened(m, h);
    vd_fit_transfer_errors(&w->fit, m);
    return mask_errors(w);
}

/* The rotation closest to h. */
static void closest_rotation(double r[9], const double h[9]) {
    double u[9], s[3], v[9];
    vd_svd3(u, s, v, h);
    double sign = vd_mat3_det(u) * vd_mat3_det(v) < 0 ? -1 : 1;
    for (int i = 0; i < 3; i++) u[3 * i + 2] *= sign;
    vd_mat3_mul_nt(r, u, v);
}

/* The pose of E; the mask says which inliers it has. */
static void essential_pose(vd_pair_work *w, const double e[9]) {
    vd_rigid pose[4];
    vd_fit_epipolar_errors(&w->fit, e);
    vd_essential_poses(pose, e);
    w->out.inliers = vd_pair_choose_pose(w, &w->out.cam2_from_cam1, pose, 4);
    w->out.median_angle_rad = vd_pair_median_angle(w, w->out.cam2_from_cam1);
}

/* A plane: motions of the homography, made better as essential matrices on all matches, compete
 * with the essential matrix that sampling found; five points of a plane have two solutions, and
 * sampling may have ended at the wrong one. */
static void planar_pose(vd_pair_work *w, vd_ransac_result *e, const double h[9]) {
    vd_homography_motion motion[4];
    vd_estimator est = vd_fit_essential(&w->fit);
    int n = vd_homography_motions(motion, h);
    int most = 0;
    essential_pose(w, e->model.v);
    most = w->out.inliers;
    for (int i = 0; i < n; i += 2) { /* the second of a pair has the same E */
        vd_ransac_result r = { .gain = 1e-9 };
        vd_rigid pose = motion[i].cam2_from_cam1;
        if (!(vd_v3_norm(pose.t) > 1e-9)) continue;
        pose.t = vd_v3_unit(pose.t);
        vd_essential_from_pose(r.model.v, pose);
        vd_ransac_finish(&r, &est);
        vd_two_view before = w->out;
        essential_pose(w, r.model.v);
        if (w->out.inliers > most || (w->out.inliers == most && r.gain > e->gain)) {
            most = w->out.inliers;
            *e = r;
        } else {
            w->out = before;
        }
    }
    essential_pose(w, e->model.v); /* the mask is that of the last one tried */
}

static void decide_calibrated(vd_pair_work *w, vd_ransac_result *e, const vd_ransac_result *h) {
    vd_two_view *o = &w->out;
    double share = w->opt->min_h_share, r[9];
    int most = VD_MAX(e->inliers, h->inliers), turned = 0;
    bool flat = h->gain > 0 && h->inliers >= share * e->inliers;
    if (flat) {
        closest_rotation(r, h->model.v);
        vd_fit_rotation(&w->fit, r, &turned);
    }
    if (flat && turned >= share * most) {
        o->config = VD_TWO_VIEW_PANORAMIC;
        o->cam2_from_cam1 = (vd_rigid){ vd_quat_of_matrix(r), { 0, 0, 0 } };
        o->inliers = mask_homography(w, h->model.v);
    } else if (flat) {
        o->config = VD_TWO_VIEW_PLANAR;
        planar_pose(w, e, h->model.v);
    } else {
        o->config = VD_TWO_VIEW_CALIBRATED;
        essential_pose(w, e->model.v);
    }
    memcpy(o->E, e->model.v, sizeof o->E);
    to_pixels(o->F, e->model.v, w->k1, w->k2, false);
}

/* F sampled from all matches, or from `start`, and H beside it. */
static void uncalibrated(vd_pair_work *w, const vd_ransac_result *start, int max_trials) {
    vd_two_view *o = &w->out;
    vd_estimator est = vd_fit_fundamental(&w->fit);
    vd_ransac_opt opt = sampling(w, STREAM_F + 16);
    vd_ransac_result f = { .gain = 0 };
    if (start != NULL) f = *start;
    opt.max_trials = VD_MIN(opt.max_trials, max_trials);
    run(w, &f, &est, &opt);
    vd_ransac_finish(&f, &est);
    o->inliers_f = f.inliers;
    if (!(f.gain > 0) || f.inliers < w->opt->min_inliers) return;
    vd_ransac_result h = homography_of(w, &f);
    o->inliers_h = h.inliers;
    to_pixels(o->F, f.model.v, w->k1, w->k2, false);
    if (h.gain > 0) to_pixels(o->H, h.model.v, w->k1, w->k2, true);
    if (h.gain > 0 && h.inliers >= w->opt->min_h_share * f.inliers) {
        o->config = VD_TWO_VIEW_PLANAR_OR_PANORAMIC;
        o->inliers = mask_homography(w, h.model.v);
    } else {
        o->config = VD_TWO_VIEW_UNCALIBRATED;
        vd_fit_epipolar_errors(&w->fit, f.model.v);
        o->inliers = mask_errors(w);
    }
}

static void calibrated_pair(vd_pair_work *w) {
    vd_estimator est = vd_fit_essential(&w->fit);
    vd_ransac_opt opt = sampling(w, STREAM_E);
    vd_ransac_result e = { .gain = 0 };
    run(w, &e, &est, &opt);
    vd_ransac_finish(&e, &est);
    w->out.inliers_e = e.inliers;
    if (!(e.gain > 0) || e.inliers < w->opt->min_inliers) {
        uncalibrated(w, NULL, FALLBACK_TRIALS);
        return;
    }
    if (e.inliers < w->opt->min_e_share * w->soa.n) { /* else F cannot have enough more */
        vd_ransac_result f = fundamental_of(w, &e);
        w->out.inliers_f = f.inliers;
        /* F has parameters more, and finds that many inliers more by chance */
        if (e.inliers < w->opt->min_e_share * f.inliers - sqrt(f.inliers)) {
            uncalibrated(w, &f, w->opt->max_trials);
            return;
        }
    }
    vd_ransac_result h = homography_of(w, &e);
    w->out.inliers_h = h.inliers;
    if (h.gain > 0) to_pixels(w->out.H, h.model.v, w->k1, w->k2, true);
    decide_calibrated(w, &e, &h);
}

vd_status vd_two_view_estimate(vd_two_view *out, uint8_t *inlier_mask, const vd_camera *c1,
                               const vd_camera *c2, bool calibrated, const double *uv1,
                               const double *uv2, int n, const vd_two_view_opt *opt, vd_err *err) {
    static const vd_two_view_opt defaults = VD_TWO_VIEW_OPT;
    vd_pair_work w = {
        .c1 = c1, .c2 = c2, .opt = opt != NULL ? opt : &defaults, .uv1 = uv1, .uv2 = uv2, .n = n
    };
    vd_status st;
    VD_TRY(check_options(w.opt, err));
    VD_TRY(vd_camera_check(c1, err));
    VD_TRY(vd_camera_check(c2, err));
    if (n < 0) return vd_fail(err, VD_E_ARG, "two views: %d matches", n);
    w.out.cam2_from_cam1 = VD_RIGID_ONE;
    VD_GO(prepare(&w, calibrated, err));
    memset(w.mask, 0, (size_t)n);
    if (w.soa.n >= w.opt->min_inliers) {
        if (calibrated)
            calibrated_pair(&w);
        else
            uncalibrated(&w, NULL, w.opt->max_trials);
    }
    if (w.out.config != VD_TWO_VIEW_DEGENERATE &&
        (w.out.inliers < w.opt->min_inliers || is_chance(&w, w.out.inliers)))
        w.out.config = VD_TWO_VIEW_DEGENERATE;
    if (w.out.config == VD_TWO_VIEW_DEGENERATE) {
        memset(w.mask, 0, (size_t)n);
        w.out.inliers = 0;
        w.out.median_angle_rad = 0;
        w.out.cam2_from_cam1 = VD_RIGID_ONE;
    } else if (vd_pair_is_watermark(&w, w.mask))
        w.out.config = VD_TWO_VIEW_WATERMARK;
    if (inlier_mask != NULL) memcpy(inlier_mask, w.mask, (size_t)n);
    *out = w.out;
done:
    vd_soa_reset(&w.soa);
    vd_mem_free(w.a);
    return st;
}
