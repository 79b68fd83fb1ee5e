/* Scenes whose truth is known, for the mapping tests: cameras on a ring around an object, points on
 * its surface, observations with noise. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_TESTS_SFM_SCENE_H
#define VD_TESTS_SFM_SCENE_H

#include "base/mem.h"
#include "base/rng.h"
#include "geometry/rigid.h"
#include "sfm/bundle.h"

typedef struct scene {
    int n_cameras, n_poses, n_points;
    int64_t n_obs;
    vd_camera *camera;
    vd_rigid *pose;
    int32_t *pose_camera;
    double *point;
    vd_bundle_obs *obs;
} scene;

typedef struct scene_opt {
    int poses, points, model;
    double see; /* share of the points in front of a camera that it observes */
    double noise_px;
    bool own_cameras; /* one for each pose rather than one for all */
    double turns;     /* how much of the ring the poses cover, 1 by default */
} scene_opt;

static inline void scene_free(scene *s) {
    vd_mem_free(s->camera);
    vd_mem_free(s->pose);
    vd_mem_free(s->pose_camera);
    vd_mem_free(s->point);
    vd_mem_free(s->obs);
    memset(s, 0, sizeof *s);
}

/* The pose at `from` that looks at `at`, with its y axis downwards as far as that goes. */
static inline vd_rigid scene_look(vd_vec3 from, vd_vec3 at) {
    vd_vec3 z = vd_v3_unit(vd_v3_sub(at, from)), down = vd_v3(0, 0, -1);
    vd_vec3 x = vd_v3_unit(vd_v3_cross(down, z)), y = vd_v3_cross(z, x);
    const double m[9] = { x.x, x.y, x.z, y.x, y.y, y.z, z.x, z.y, z.z };
    vd_quat q = vd_quat_of_matrix(m);
    return (vd_rigid){ q, vd_v3_mul(vd_quat_rotate(q, from), -1) };
}

static inline vd_camera scene_camera(int model) {
    vd_camera c = vd_camera_simple(model, 1200, 1600, 1200);
    vd_camera_layout l = vd_camera_layout_of(model);
    static const double extra[] = { -0.05, 0.02,   0.001, -0.0015, 0.01,
                                    0.004, -0.003, 0.002, 0.001,   0.0005 };
    if (l.focal == 2) c.params[1] = 1210;
    for (int i = l.focal + 2; i < l.params; i++) c.params[i] = extra[i - l.focal - 2];
    if (model == VD_CAMERA_FOV) c.params[4] = 0.4;
    return c;
}

static inline scene scene_make(vd_rng *r, scene_opt o) {
    scene s = { .n_cameras = o.own_cameras ? o.poses : 1,
                .n_poses = o.poses,
                .n_points = o.points };
    double turns = o.turns > 0 ? o.turns : 1;
    int64_t cap = 0;
    s.camera = vd_mem_array((size_t)s.n_cameras, sizeof *s.camera);
    s.pose = vd_mem_array((size_t)o.poses, sizeof *s.pose);
    s.pose_camera = vd_mem_array((size_t)o.poses, sizeof *s.pose_camera);
    s.point = vd_mem_array((size_t)o.points, 3 * sizeof *s.point);
    for (int i = 0; i < s.n_cameras; i++) s.camera[i] = scene_camera(o.model);
    for (int i = 0; i < o.poses; i++) {
        double a = 6.283185307179586 * turns * i / o.poses, d = 4 + 0.5 * vd_rng_normal(r) * 0.3;
        vd_vec3 from = vd_v3(d * cos(a), d * sin(a), 0.5 * vd_rng_normal(r));
        vd_vec3 at = vd_v3(0.1 * vd_rng_normal(r), 0.1 * vd_rng_normal(r), 0.1 * vd_rng_normal(r));
        s.pose[i] = scene_look(from, at);
        s.pose_camera[i] = o.own_cameras ? i : 0;
    }
    for (int i = 0; i < o.points; i++) {
        vd_vec3 n = vd_v3_unit(vd_v3(vd_rng_normal(r), vd_rng_normal(r), vd_rng_normal(r)));
        double size = 1 + 0.2 * sin(5 * n.x) * cos(4 * n.y);
        double x[3] = { size * n.x, size * n.y, size * n.z };
        memcpy(s.point + 3 * i, x, sizeof x);
        for (int p = 0; p < o.poses; p++) {
            vd_vec3 c = vd_rigid_centre(s.pose[p]), v = vd_v3_sub(c, vd_v3(x[0], x[1], x[2]));
            vd_vec3 y = vd_rigid_apply(s.pose[p], vd_v3(x[0], x[1], x[2]));
            const double in_cam[3] = { y.x, y.y, y.z };
            const vd_camera *k = &s.camera[s.pose_camera[p]];
            vd_bundle_obs ob = { p, i, { 0 } };
            if (vd_v3_dot(n, vd_v3_unit(v)) < 0.2 || vd_rng_f64(r) > o.see) continue;
            if (!vd_camera_project(k, in_cam, ob.uv)) continue;
            if (ob.uv[0] < 0 || ob.uv[1] < 0 || ob.uv[0] > k->width || ob.uv[1] > k->height)
                continue;
            ob.uv[0] += o.noise_px * vd_rng_normal(r);
            ob.uv[1] += o.noise_px * vd_rng_normal(r);
            vd_err err = { 0 };
            if (VD_GROW(s.obs, cap, s.n_obs + 1, &err) != VD_OK) exit(3);
            s.obs[s.n_obs++] = ob;
        }
    }
    return s;
}

/* Other points for the poses of a scene: in a box, or in the plane y = 0, seen by whoever can. */
static inline void scene_see(scene *s, vd_rng *r, int points, double see, double noise_px,
                             bool plane) {
    int64_t cap = 0;
    vd_mem_free(s->point);
    vd_mem_free(s->obs);
    s->point = vd_mem_array((size_t)points, 3 * sizeof *s->point);
    s->obs = NULL;
    s->n_obs = 0;
    s->n_points = points;
    for (int i = 0; i < points; i++) {
        double *x = s->point + 3 * i;
        for (int k = 0; k < 3; k++) x[k] = vd_rng_range(r, -1.5, 1.5);
        if (plane) x[1] = 0;
        for (int p = 0; p < s->n_poses; p++) {
            vd_vec3 y = vd_rigid_apply(s->pose[p], vd_v3(x[0], x[1], x[2]));
            const double in_cam[3] = { y.x, y.y, y.z };
            const vd_camera *c = &s->camera[s->pose_camera[p]];
            vd_bundle_obs ob = { p, i, { 0 } };
            if (vd_rng_f64(r) > see || !vd_camera_project(c, in_cam, ob.uv)) continue;
            if (ob.uv[0] < 0 || ob.uv[1] < 0 || ob.uv[0] > c->width || ob.uv[1] > c->height)
                continue;
            ob.uv[0] += noise_px * vd_rng_normal(r);
            ob.uv[1] += noise_px * vd_rng_normal(r);
            vd_err err = { 0 };
            if (VD_GROW(s->obs, cap, s->n_obs + 1, &err) != VD_OK) exit(3);
            s->obs[s->n_obs++] = ob;
        }
    }
}

/* A survey: cameras in rows over hilly ground, four fifths of a view shared with the next one, two
 * thirds with the next row; `poses` and `points` a view count, the rest follows. */
static inline scene scene_survey(vd_rng *r, scene_opt o) {
    scene s = { .n_cameras = 1, .n_poses = o.poses };
    int side = (int)ceil(sqrt((double)o.poses));
    double height = 30, step_x = 0.2 * height * 1.33, step_y = 0.33 * height, margin = height;
    double wide = side * step_x + 2 * margin, deep = side * step_y + 2 * margin;
    s.n_points = (int)(o.points * wide * deep / (height * height * 1.33));
    s.camera = vd_mem_array(1, sizeof *s.camera);
    s.pose = vd_mem_array((size_t)o.poses, sizeof *s.pose);
    s.pose_camera = vd_mem_array((size_t)o.poses, sizeof *s.pose_camera);
    s.point = vd_mem_array((size_t)s.n_points, 3 * sizeof *s.point);
    s.camera[0] = scene_camera(o.model);
    for (int i = 0; i < s.n_points; i++) {
        double x = vd_rng_range(r, -margin, wide - margin),
               y = vd_rng_range(r, -margin, deep - margin);
        double z = 3 * sin(x / 11) * cos(y / 7) + 2 * vd_rng_f64(r);
        const double p[3] = { x, y, z };
        memcpy(s.point + 3 * i, p, sizeof p);
    }
    int64_t cap = 0;
    for (int i = 0; i < o.poses; i++) {
        int row = i / side, col = row & 1 ? side - 1 - i % side : i % side; /* there and back */
        vd_vec3 c = vd_v3(col * step_x + vd_rng_normal(r), row * step_y + vd_rng_normal(r),
                          height + vd_rng_normal(r));
        s.pose[i] =
            scene_look(c, vd_v3(c.x + 2 * vd_rng_normal(r), c.y + 5 + 2 * vd_rng_normal(r), 0));
        for (int k = 0; k < s.n_points; k++) {
            const double *x = s.point + 3 * k;
            if (fabs(x[0] - c.x) > height || fabs(x[1] - c.y) > height || vd_rng_f64(r) > o.see)
                continue;
            vd_vec3 y = vd_rigid_apply(s.pose[i], vd_v3(x[0], x[1], x[2]));
            const double in_cam[3] = { y.x, y.y, y.z };
            vd_bundle_obs ob = { i, k, { 0 } };
            if (!vd_camera_project(&s.camera[0], in_cam, ob.uv)) continue;
            if (ob.uv[0] < 0 || ob.uv[1] < 0 || ob.uv[0] > s.camera[0].width ||
                ob.uv[1] > s.camera[0].height)
                continue;
            ob.uv[0] += o.noise_px * vd_rng_normal(r);
            ob.uv[1] += o.noise_px * vd_rng_normal(r);
            vd_err err = { 0 };
            if (VD_GROW(s.obs, cap, s.n_obs + 1, &err) != VD_OK) exit(3);
            s.obs[s.n_obs++] = ob;
        }
    }
    return s;
}

/* The bundle at the scene's present values; the scene keeps the arrays. */
static inline vd_bundle scene_bundle(scene *s) {
    return (vd_bundle){ .n_cameras = s->n_cameras,
                        .n_poses = s->n_poses,
                        .n_points = s->n_points,
                        .n_obs = s->n_obs,
                        .camera = s->camera,
                        .pose = s->pose,
                        .pose_camera = s->pose_camera,
                        .point = s->point,
                        .obs = s->obs };
}

static inline void scene_perturb(scene *s, vd_rng *r, double rotation_rad, double shift,
                                 double points) {
    for (int i = 0; i < s->n_poses; i++) {
        vd_vec3 w = vd_v3(rotation_rad * vd_rng_normal(r), rotation_rad * vd_rng_normal(r),
                          rotation_rad * vd_rng_normal(r));
        s->pose[i].q = vd_quat_mul(vd_quat_exp(w), s->pose[i].q);
        s->pose[i].t =
            vd_v3_add(s->pose[i].t, vd_v3(shift * vd_rng_normal(r), shift * vd_rng_normal(r),
                                          shift * vd_rng_normal(r)));
    }
    for (int i = 0; i < 3 * s->n_points; i++) s->point[i] += points * vd_rng_normal(r);
}
#endif
