/* Points from keypoints: errors, triangulation. SPDX-License-Identifier: Apache-2.0
 *
 * Hypotheses are the midpoints of pairs of rays, all pairs of a short track and a draw of a long
 * one's; the one with the lowest truncated error wins and is refined by Gauss-Newton on the pixel
 * errors of those that agree with it. */
#include "base/rng.h"
#include "sfm/mapper_int.h"

enum { MOST_VIEWS = 64, MOST_PAIRS = 24, REFINEMENTS = 4, STREAM_LOCATE = 0x7472 };

/* A keypoint as a ray in the world. */
typedef struct view {
    vd_vec3 centre, ray;
} view;

/* Focal lengths that lenses have, in units of the picture's longer side; and the largest
 * coefficient of distortion. */
static const double SHORTEST = 0.1, LONGEST = 10, MOST_DISTORTION = 1;

bool vd_mapper_plausible(const vd_camera *c) {
    vd_camera_layout l = vd_camera_layout_of(c->model);
    double longer = VD_MAX(c->width, c->height);
    for (int i = 0; i < l.focal; i++)
        if (c->params[i] < SHORTEST * longer || c->params[i] > LONGEST * longer) return false;
    double x = c->params[l.focal], y = c->params[l.focal + 1];
    if (x < 0 || y < 0 || x > c->width || y > c->height) return false;
    for (int i = l.focal + 2; i < l.params; i++)
        if (fabs(c->params[i]) > MOST_DISTORTION) return false;
    return true;
}

double vd_mapper_error(const vd_mapper *m, const double x[3], vd_sfm_observation o) {
    vd_vec3 y = vd_rigid_apply(m->pose[o.image], vd_v3(x[0], x[1], x[2]));
    const double in_cam[3] = { y.x, y.y, y.z }, *want = vd_pixel_of(m, o);
    double uv[2];
    if (!vd_camera_project(vd_camera_of(m, o.image), in_cam, uv)) return INFINITY;
    double du = uv[0] - want[0], dv = uv[1] - want[1];
    return du * du + dv * dv;
}

static bool view_of(const vd_mapper *m, vd_sfm_observation o, view *v) {
    double r[3];
    v->centre = vd_rigid_centre(m->pose[o.image]);
    if (!vd_camera_ray(vd_camera_of(m, o.image), vd_pixel_of(m, o), r)) return false;
    v->ray = vd_quat_rotate(vd_quat_conj(m->pose[o.image].q), vd_v3(r[0], r[1], r[2]));
    return true;
}

/* The midpoint of the shortest line between two rays; false where it lies behind one of them or
 * they are nearly parallel. */
static bool midpoint(double x[3], const view *a, const view *b, double cosine) {
    double c = vd_v3_dot(a->ray, b->ray), d = 1 - c * c;
    vd_vec3 base = vd_v3_sub(b->centre, a->centre);
    if (c > cosine || d <= 0) return false;
    double p = vd_v3_dot(base, a->ray), q = vd_v3_dot(base, b->ray);
    double s = (p - c * q) / d, t = (c * p - q) / d;
    if (!(s > 0) || !(t > 0)) return false;
    vd_vec3 u = vd_v3_add(a->centre, vd_v3_mul(a->ray, s)),
            v = vd_v3_add(b->centre, vd_v3_mul(b->ray, t));
    x[0] = 0.5 * (u.x + v.x);
    x[1] = 0.5 * (u.y + v.y);
    x[2] = 0.5 * (u.z + v.z);
    return true;
}

static double truncated(const vd_mapper *m, const double x[3], const vd_sfm_observation *o, int n,
                        double limit, double stop) {
    double sum = 0;
    for (int i = 0; i < n && sum < stop; i++) sum += fmin(vd_mapper_error(m, x, o[i]), limit);
    return sum;
}

/* The normal equations of one keypoint. */
static bool add_normal(const vd_mapper *m, double h[6], double g[3], const double x[3],
                       vd_sfm_observation o) {
    double r[9], uv[2], a[6], j[6];
    vd_vec3 y = vd_rigid_apply(m->pose[o.image], vd_v3(x[0], x[1], x[2]));
    const double in_cam[3] = { y.x, y.y, y.z }, *want = vd_pixel_of(m, o);
    if (!vd_camera_project_jac(vd_camera_of(m, o.image), in_cam, uv, a, NULL)) return false;
    vd_quat_matrix(r, m->pose[o.image].q);
    for (int i = 0; i < 2; i++)
        for (int c = 0; c < 3; c++)
            j[3 * i + c] = a[3 * i] * r[c] + a[3 * i + 1] * r[3 + c] + a[3 * i + 2] * r[6 + c];
    for (int i = 0; i < 2; i++) {
        const double *k = j + 3 * i, e = uv[i] - want[i];
        h[0] += k[0] * k[0];
        h[1] += k[0] * k[1];
        h[2] += k[0] * k[2];
        h[3] += k[1] * k[1];
        h[4] += k[1] * k[2];
        h[5] += k[2] * k[2];
        for (int c = 0; c < 3; c++) g[c] += k[c] * e;
    }
    return true;
}

/* d = -H^-1 g for the symmetric H = h0 h1 h2, h3 h4, h5. */
static bool solve(double d[3], const double h[6], const double g[3]) {
    double c0 = h[3] * h[5] - h[4] * h[4], c1 = h[2] * h[4] - h[1] * h[5],
           c2 = h[1] * h[4] - h[2] * h[3], det = h[0] * c0 + h[1] * c1 + h[2] * c2;
    if (!(det > 0)) return false;
    d[0] = -(c0 * g[0] + c1 * g[1] + c2 * g[2]) / det;
    d[1] = -(c1 * g[0] + (h[0] * h[5] - h[2] * h[2]) * g[1] + (h[1] * h[2] - h[0] * h[4]) * g[2]) /
           det;
    d[2] = -(c2 * g[0] + (h[1] * h[2] - h[0] * h[4]) * g[1] + (h[0] * h[3] - h[1] * h[1]) * g[2]) /
           det;
    return isfinite(d[0]) && isfinite(d[1]) && isfinite(d[2]);
}

bool vd_mapper_refine_point(const vd_mapper *m, double x[3], const vd_sfm_observation *o, int n,
                            int rounds) {
    double y[3] = { x[0], x[1], x[2] };
    for (int k = 0; k < rounds; k++) {
        double h[6] = { 0 }, g[3] = { 0 }, d[3];
        for (int i = 0; i < n; i++)
            if (!add_normal(m, h, g, y, o[i])) return false;
        if (!solve(d, h, g)) return false;
        for (int i = 0; i < 3; i++) y[i] += d[i];
        double square = d[0] * d[0] + d[1] * d[1] + d[2] * d[2];
        if (square < 1e-20 * (1 + y[0] * y[0] + y[1] * y[1] + y[2] * y[2])) break;
    }
    for (int i = 0; i < 3; i++) x[i] = y[i];
    return true;
}

bool vd_mapper_wide(const vd_mapper *m, const double x[3], const vd_sfm_observation *o, int n,
                    double cosine) {
    vd_vec3 ray[MOST_VIEWS], at = vd_v3(x[0], x[1], x[2]);
    n = VD_MIN(n, MOST_VIEWS);
    for (int i = 0; i < n; i++) {
        ray[i] = vd_v3_unit(vd_v3_sub(at, vd_rigid_centre(m->pose[o[i].image])));
        for (int k = 0; k < i; k++)
            if (vd_v3_dot(ray[i], ray[k]) <= cosine) return true;
    }
    return false;
}

/* The best midpoint of pairs; false where no pair gives one. */
static bool best_midpoint(const vd_mapper *m, double x[3], const vd_sfm_observation *o,
                          const view *v, int n, uint64_t item) {
    double limit = m->opt.max_error_px * m->opt.max_error_px, best = INFINITY, y[3];
    double cosine = cos(m->opt.min_angle_rad);
    int all = n * (n - 1) / 2;
    vd_rng r = vd_rng_for(m->opt.seed, STREAM_LOCATE, item);
    for (int k = 0, a = 0, b = 0; k < VD_MIN(all, MOST_PAIRS); k++) {
        if (all <= MOST_PAIRS) {
            if (++b >= n) b = ++a + 1;
        } else {
            a = (int)vd_rng_int(&r, n);
            b = (int)vd_rng_int(&r, n - 1);
            b += b >= a;
        }
        if (!midpoint(y, &v[a], &v[b], cosine)) continue;
        double score = truncated(m, y, o, n, limit, best);
        if (score >= best) continue;
        best = score;
        for (int i = 0; i < 3; i++) x[i] = y[i];
    }
    return best <= (n - 2) * limit + 1e-9 * limit || best < n * limit - 1.5 * limit;
}

static int agreeing(const vd_mapper *m, vd_sfm_observation *to, const double x[3],
                    const vd_sfm_observation *o, int n) {
    double limit = m->opt.max_error_px * m->opt.max_error_px;
    int k = 0;
    for (int i = 0; i < n; i++)
        if (vd_mapper_error(m, x, o[i]) <= limit) to[k++] = o[i];
    return k;
}

bool vd_mapper_locate(const vd_mapper *m, double x[3], const vd_sfm_observation *o, int n,
                      uint64_t item) {
    view v[MOST_VIEWS];
    vd_sfm_observation good[MOST_VIEWS], with_ray[MOST_VIEWS];
    double y[3];
    int rays = 0;
    for (int i = 0; i < n && rays < MOST_VIEWS; i++)
        if (view_of(m, o[i], &v[rays])) with_ray[rays++] = o[i];
    if (rays < 2 || !best_midpoint(m, y, with_ray, v, rays, item)) return false;
    int k = agreeing(m, good, y, with_ray, rays);
    if (k < 2 || !vd_mapper_refine_point(m, y, good, k, REFINEMENTS)) return false;
    k = agreeing(m, good, y, with_ray, rays);
    if (k < 2 || !vd_mapper_wide(m, y, good, k, cos(m->opt.min_angle_rad))) return false;
    for (int i = 0; i < 3; i++) x[i] = y[i];
    return true;
}
