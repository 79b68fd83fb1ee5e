/* Matches between two views, and points seen by one, with known truth, for the tests and the bench
 * of robust estimation. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_TESTS_VIEW_SCENES_H
#define VD_TESTS_VIEW_SCENES_H

#include <stdlib.h>

#include "base/rng.h"
#include "geometry/camera.h"
#include "geometry/rigid.h"

typedef enum view_kind { VIEW_GENERAL, VIEW_PLANE, VIEW_ROTATION, VIEW_OVERLAY } view_kind;

typedef struct view_scene {
    int n;
    double *uv1, *uv2, *xyz; /* [2 n], [2 n], [3 n] in camera 1 */
    uint8_t *good;           /* [n] true matches */
    vd_camera c1, c2;
    vd_rigid cam2_from_cam1; /* |t| = 1, or 0 */
} view_scene;

typedef struct view_opt {
    view_kind kind;
    int n;
    double outliers, noise_px, angle_rad; /* angle: how far the second camera looks from aside */
    int model;                            /* of both cameras */
} view_opt;

static inline vd_camera view_camera(int model, vd_rng *r) {
    vd_camera c = vd_camera_simple(model, vd_rng_range(r, 1000, 1800), 1600, 1200);
    vd_camera_layout l = vd_camera_layout_of(model);
    for (int i = l.focal + 2; i < l.params; i++) {
        bool tangential =
            (model == VD_CAMERA_OPENCV || l.params == 12) && (i == l.focal + 4 || i == l.focal + 5);
        /* theta^9 at 80 degrees is 20; real tangential parameters are small */
        double much = vd_camera_is_fisheye(model) || tangential ? 0.1 : 1;
        c.params[i] = much * vd_rng_range(r, -0.05, 0.02);
    }
    if (vd_camera_is_fisheye(model))
        c.params[0] = c.params[l.focal - 1] = vd_rng_range(r, 400, 600);
    return c;
}

static inline bool view_inside(const vd_camera *c, const double *uv) {
    return uv[0] >= 0 && uv[1] >= 0 && uv[0] < c->width && uv[1] < c->height;
}

/* The second camera stands to the side of the first and looks at the same place, 5 away. */
static inline vd_rigid view_pose(const view_opt *o, vd_rng *r) {
    vd_vec3 up;
    up.x = vd_rng_normal(r); /* one at a time: compilers evaluate arguments in any order */
    up.y = vd_rng_normal(r);
    up.z = 0.3 * vd_rng_normal(r);
    vd_quat turn = vd_quat_exp(vd_v3_mul(vd_v3_unit(up), o->angle_rad));
    vd_quat roll = vd_quat_exp(vd_v3(0, 0, vd_rng_range(r, -0.5, 0.5)));
    vd_rigid p = { vd_quat_unit(vd_quat_mul(roll, turn)), { 0, 0, 0 } };
    if (o->kind == VIEW_ROTATION) return p;
    vd_vec3 target = vd_v3(0, 0, 5); /* stays where it is, some closer or farther */
    p.t = vd_v3_sub(vd_v3(0, 0, 5 * vd_rng_range(r, 0.9, 1.1)), vd_quat_rotate(p.q, target));
    return p;
}

static inline vd_vec3 view_point(const view_opt *o, vd_rng *r, vd_vec3 normal) {
    vd_vec3 x = { 0, 0, 1 };
    x.x = vd_rng_range(r, -0.8, 0.8);
    x.y = vd_rng_range(r, -0.6, 0.6);
    if (vd_camera_is_fisheye(o->model)) { /* up to 80 degrees off the axis */
        double a = vd_rng_range(r, 0, 6.2831853), t = 1.4 * sqrt(vd_rng_f64(r));
        x = vd_v3(sin(t) * cos(a), sin(t) * sin(a), cos(t));
    }
    if (o->kind != VIEW_PLANE) return vd_v3_mul(x, vd_rng_range(r, 3, 8));
    double d = vd_v3_dot(normal, x);
    return vd_v3_mul(x, d > 0.1 ? 5 * normal.z / d : -1);
}

static inline bool view_match(view_scene *s, int i, const view_opt *o, vd_rng *r, vd_vec3 normal) {
    double *u = s->uv1 + 2 * i, *v = s->uv2 + 2 * i;
    if (o->kind == VIEW_OVERLAY) { /* a frame of text that stays in place */
        bool side = vd_rng_int(r, 2);
        u[0] = side ? vd_rng_range(r, 5, 120) : vd_rng_range(r, 5, 1595);
        u[1] = side ? vd_rng_range(r, 5, 1195) : vd_rng_range(r, 1080, 1195);
        v[0] = u[0];
        v[1] = u[1];
    } else {
        vd_vec3 x = view_point(o, r, normal), y = vd_rigid_apply(s->cam2_from_cam1, x);
        if (!vd_camera_project(&s->c1, (const double[3]){ x.x, x.y, x.z }, u) ||
            !vd_camera_project(&s->c2, (const double[3]){ y.x, y.y, y.z }, v) ||
            !view_inside(&s->c1, u) || !view_inside(&s->c2, v))
            return false;
        s->xyz[3 * i] = x.x, s->xyz[3 * i + 1] = x.y, s->xyz[3 * i + 2] = x.z;
    }
    for (int k = 0; k < 2; k++) {
        u[k] += o->noise_px * vd_rng_normal(r);
        v[k] += o->noise_px * vd_rng_normal(r);
    }
    return true;
}

static inline void view_scene_free(view_scene *s) {
    free(s->uv1);
    free(s->uv2);
    free(s->xyz);
    free(s->good);
}

static inline void view_scene_make(view_scene *s, const view_opt *o, uint64_t seed) {
    vd_rng r = vd_rng_for(seed, 3, 0);
    size_t n = (size_t)o->n;
    *s = (view_scene){ .n = o->n,
                       .uv1 = calloc(2 * n + 1, sizeof(double)),
                       .uv2 = calloc(2 * n + 1, sizeof(double)),
                       .xyz = calloc(3 * n + 1, sizeof(double)),
                       .good = calloc(n + 1, 1) };
    s->c1 = view_camera(o->model, &r);
    s->c2 = view_camera(o->model, &r);
    s->cam2_from_cam1 = view_pose(o, &r);
    vd_vec3 normal = { 0, 0, 1 };
    normal.x = vd_rng_range(&r, -0.6, 0.6);
    normal.y = vd_rng_range(&r, -0.6, 0.6);
    normal = vd_v3_unit(normal);
    for (int i = 0; i < o->n; i++) {
        int tries = 0;
        while (!view_match(s, i, o, &r, normal) && ++tries < 1000) continue;
        s->good[i] = vd_rng_f64(&r) >= o->outliers;
        if (s->good[i]) continue;
        s->uv2[2 * i] = vd_rng_range(&r, 0, s->c2.width);
        s->uv2[2 * i + 1] = vd_rng_range(&r, 0, s->c2.height);
    }
    double len = vd_v3_norm(s->cam2_from_cam1.t);
    for (int i = 0; i < 3 * o->n && len > 0; i++) s->xyz[i] /= len; /* so that |t| = 1 */
    if (len > 0) s->cam2_from_cam1.t = vd_v3_mul(s->cam2_from_cam1.t, 1 / len);
}

/* The larger of the angles between the rotations and between the translations. */
static inline double view_pose_error(vd_rigid a, vd_rigid b) {
    double r = vd_quat_angle_rad(a.q, b.q), na = vd_v3_norm(a.t), nb = vd_v3_norm(b.t);
    if (!(na > 0) || !(nb > 0)) return r;
    double t = atan2(vd_v3_norm(vd_v3_cross(a.t, b.t)), vd_v3_dot(a.t, b.t));
    return r > t ? r : t;
}
#endif
