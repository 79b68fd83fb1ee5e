/* Points from rays; see triangulate.h. SPDX-License-Identifier: Apache-2.0 */
#include "geometry/triangulate.h"

#include <string.h>

#include "base/rng.h"
#include "geometry/rigid.h"
#include "math/mat.h"

enum { REFINE_STEPS = 8, ALL_PAIRS = 120, DRAWN_PAIRS = 120, STREAM = 0x74726961, ROUNDS = 4 };

/* Squared sine of an angle that rounding may make. */
static const double PARALLEL = 1e-24;

double vd_triangulation_angle_rad(vd_vec3 centre1, vd_vec3 centre2, vd_vec3 x) {
    vd_vec3 a = vd_v3_sub(centre1, x), b = vd_v3_sub(centre2, x);
    return atan2(vd_v3_norm(vd_v3_cross(a, b)), vd_v3_dot(a, b));
}

static vd_vec3 ray_at(const double *ray, int i) {
    return vd_v3(ray[3 * i], ray[3 * i + 1], ray[3 * i + 2]);
}

double vd_ray_error_rad(vd_rigid cam_from_world, const double ray[3], vd_vec3 x_in_world) {
    vd_vec3 y = vd_rigid_apply(cam_from_world, x_in_world), b = ray_at(ray, 0);
    return atan2(vd_v3_norm(vd_v3_cross(y, b)), vd_v3_dot(y, b));
}

bool vd_triangulate_pair(vd_vec3 *x_in_world, vd_rigid cam1_from_world, vd_rigid cam2_from_world,
                         const double ray1[3], const double ray2[3]) {
    vd_rigid m = vd_rigid_mul(cam2_from_world, vd_rigid_inverse(cam1_from_world));
    vd_vec3 r = vd_quat_rotate(m.q, ray_at(ray1, 0)), b = ray_at(ray2, 0), t = m.t;
    vd_vec3 rt = vd_v3_cross(r, t), bt = vd_v3_cross(b, t);
    double nr = vd_v3_dot(rt, rt), nb = vd_v3_dot(bt, bt);
    /* the ray farther from the baseline spans the better plane; the other is projected into it */
    if (nr <= nb)
        r = vd_v3_sub(r, vd_v3_mul(bt, vd_v3_dot(r, bt) / nb));
    else
        b = vd_v3_sub(b, vd_v3_mul(rt, vd_v3_dot(b, rt) / nr));
    vd_vec3 z = vd_v3_cross(b, r);
    double zz = vd_v3_dot(z, z), depth1 = vd_v3_dot(z, vd_v3_cross(t, b)) / zz,
           depth2 = vd_v3_dot(z, vd_v3_cross(t, r)) / zz;
    if (!(zz > PARALLEL) || !(depth1 > 0 && depth2 > 0) || !isfinite(depth1)) return false;
    *x_in_world =
        vd_rigid_apply(vd_rigid_inverse(cam2_from_world), vd_v3_add(vd_v3_mul(r, depth1), t));
    return true;
}

/* Adds s v v^T to the symmetric m (lower triangle). */
static void add_outer(double m[9], vd_vec3 v, double s) {
    const double a[3] = { v.x, v.y, v.z };
    for (int i = 0; i < 3; i++)
        for (int j = 0; j <= i; j++) m[3 * i + j] += s * a[i] * a[j];
}

/* sum (I - d d^T) (x - c) = 0 over rays d from centres c. */
static bool closest_point(vd_vec3 *x, const vd_rigid *pose, const double *ray, const uint8_t *mask,
                          int n) {
    double m[9] = { 0 }, rhs[3] = { 0 }, out[3];
    for (int i = 0; i < n; i++) {
        if (mask != NULL && !mask[i]) continue;
        vd_vec3 c = vd_rigid_centre(pose[i]),
                d = vd_quat_rotate(vd_quat_conj(pose[i].q), ray_at(ray, i));
        vd_vec3 p = vd_v3_sub(c, vd_v3_mul(d, vd_v3_dot(c, d)));
        for (int k = 0; k < 3; k++) m[4 * k] += 1;
        add_outer(m, d, -1);
        rhs[0] += p.x, rhs[1] += p.y, rhs[2] += p.z;
    }
    if (!vd_spd_solve(out, m, rhs, 3)) return false;
    *x = vd_v3(out[0], out[1], out[2]);
    return true;
}

/* Normal equations of the chords |y / |y| - b|, which are the angles to third order: with
 * n = y / |y| the derivative by x is (I - n n^T) R / |y|, and so J^T J = (I - m m^T) / |y|^2 with
 * m = R^T n. */
static double angular_system(double m[9], double rhs[3], vd_vec3 x, const vd_rigid *pose,
                             const double *ray, const uint8_t *mask, int n) {
    double cost = 0;
    memset(m, 0, 9 * sizeof *m);
    memset(rhs, 0, 3 * sizeof *rhs);
    for (int i = 0; i < n; i++) {
        if (mask != NULL && !mask[i]) continue;
        vd_vec3 y = vd_rigid_apply(pose[i], x), b = ray_at(ray, i);
        double inv = 1 / vd_v3_norm(y);
        vd_vec3 u = vd_v3_mul(y, inv), e = vd_v3_sub(u, b);
        vd_vec3 g = vd_v3_sub(e, vd_v3_mul(u, vd_v3_dot(u, e)));
        vd_quat back = vd_quat_conj(pose[i].q);
        vd_vec3 w = vd_quat_rotate(back, u), h = vd_v3_mul(vd_quat_rotate(back, g), inv);
        cost += vd_v3_dot(e, e);
        for (int k = 0; k < 3; k++) m[4 * k] += inv * inv;
        add_outer(m, w, -inv * inv);
        rhs[0] += h.x, rhs[1] += h.y, rhs[2] += h.z;
    }
    return cost;
}

/* Gauss-Newton with halved steps where a full one makes it worse. */
static void refine_angles(vd_vec3 *x, const vd_rigid *pose, const double *ray, const uint8_t *mask,
                          int n) {
    double m[9], rhs[3], d[3], unused[9], unused_rhs[3];
    double cost = angular_system(m, rhs, *x, pose, ray, mask, n);
    for (int i = 0; i < REFINE_STEPS && vd_spd_solve(d, m, rhs, 3); i++) {
        vd_vec3 step = vd_v3(d[0], d[1], d[2]), to = vd_v3_sub(*x, step);
        double now = angular_system(unused, unused_rhs, to, pose, ray, mask, n);
        for (int half = 0; half < 4 && !(now < cost); half++) {
            step = vd_v3_mul(step, 0.5);
            to = vd_v3_sub(*x, step);
            now = angular_system(unused, unused_rhs, to, pose, ray, mask, n);
        }
        if (!(now < cost)) return;
        bool done = cost - now <= 1e-10 * cost;
        *x = to;
        cost = now;
        memcpy(m, unused, sizeof m);
        memcpy(rhs, unused_rhs, sizeof rhs);
        if (done) return;
    }
}

static bool multi(vd_vec3 *out, const vd_rigid *pose, const double *ray, const uint8_t *mask,
                  int n) {
    vd_vec3 x;
    if (!closest_point(&x, pose, ray, mask, n)) return false;
    refine_angles(&x, pose, ray, mask, n);
    for (int i = 0; i < n; i++) {
        if (mask != NULL && !mask[i]) continue;
        if (!(vd_v3_dot(vd_rigid_apply(pose[i], x), ray_at(ray, i)) > 0)) return false;
    }
    if (!isfinite(x.x + x.y + x.z)) return false;
    *out = x;
    return true;
}

bool vd_triangulate_multi(vd_vec3 *x_in_world, const vd_rigid *cam_from_world, const double *ray,
                          int n) {
    return n >= 2 && multi(x_in_world, cam_from_world, ray, NULL, n);
}

static double limit_of(const vd_triangulate_opt *opt, int i) {
    return opt->max_rad != NULL ? opt->max_rad[i] : opt->max_error_rad;
}

/* The gain of x, its supporters in mask. Angles are compared by their tangents, without atan. */
static double score(uint8_t *mask, int *support, vd_vec3 x, const vd_rigid *pose, const double *ray,
                    int n, const vd_triangulate_opt *opt) {
    double gain = 0;
    *support = 0;
    for (int i = 0; i < n; i++) {
        vd_vec3 y = vd_rigid_apply(pose[i], x), b = ray_at(ray, i), c = vd_v3_cross(y, b);
        double along = vd_v3_dot(y, b), limit = limit_of(opt, i);
        double e = vd_v3_dot(c, c) / (along * along * limit * limit);
        mask[i] = along > 0 && e < 1;
        *support += mask[i];
        if (mask[i]) gain += 1 - e;
    }
    return gain;
}

static bool wide_enough(vd_vec3 x, const vd_rigid *pose, const uint8_t *mask, int n,
                        double min_rad) {
    if (!(min_rad > 0)) return true;
    for (int i = 0; i < n; i++)
        for (int j = 0; mask[i] && j < i; j++) {
            if (!mask[j]) continue;
            double a =
                vd_triangulation_angle_rad(vd_rigid_centre(pose[i]), vd_rigid_centre(pose[j]), x);
            if (fmin(a, 3.14159265358979324 - a) >= min_rad) return true;
        }
    return false;
}

typedef struct best_point {
    vd_vec3 x;
    double gain;
} best_point;

static void try_pair(best_point *best, uint8_t *mask, int i, int j, const vd_rigid *pose,
                     const double *ray, int n, const vd_triangulate_opt *opt) {
    vd_vec3 x;
    int support;
    if (!vd_triangulate_pair(&x, pose[i], pose[j], ray + 3 * i, ray + 3 * j)) return;
    double a = vd_triangulation_angle_rad(vd_rigid_centre(pose[i]), vd_rigid_centre(pose[j]), x);
    if (fmin(a, 3.14159265358979324 - a) < opt->min_angle_rad) return;
    double gain = score(mask, &support, x, pose, ray, n, opt);
    if (support >= 2 && gain > best->gain) *best = (best_point){ x, gain };
}

int vd_triangulate_robust(vd_vec3 *x_in_world, uint8_t *mask, const vd_rigid *cam_from_world,
                          const double *ray, int n, const vd_triangulate_opt *opt) {
    best_point best = { { 0, 0, 0 }, 0 };
    int support, pairs = n > 1 && n < 1000 ? n * (n - 1) / 2 : ALL_PAIRS + 1;
    if (n < 2) return 0;
    if (pairs <= ALL_PAIRS) {
        for (int i = 0; i < n; i++)
            for (int j = 0; j < i; j++) try_pair(&best, mask, i, j, cam_from_world, ray, n, opt);
    } else {
        vd_rng r = vd_rng_for(opt->seed, STREAM, opt->item);
        for (int k = 0; k < DRAWN_PAIRS; k++) {
            int i = (int)vd_rng_int(&r, n), j = (int)vd_rng_int(&r, n - 1);
            try_pair(&best, mask, i, j + (j >= i), cam_from_world, ray, n, opt);
        }
    }
    if (!(best.gain > 0)) return 0;
    for (int round = 0; round < ROUNDS; round++) {
        vd_vec3 x;
        score(mask, &support, best.x, cam_from_world, ray, n, opt);
        if (support < 2 || !multi(&x, cam_from_world, ray, mask, n)) break;
        double gain = score(mask, &support, x, cam_from_world, ray, n, opt);
        if (!(gain > best.gain)) break;
        best = (best_point){ x, gain };
    }
    score(mask, &support, best.x, cam_from_world, ray, n, opt);
    if (support < 2 || !wide_enough(best.x, cam_from_world, mask, n, opt->min_angle_rad)) return 0;
    *x_in_world = best.x;
    return support;
}
