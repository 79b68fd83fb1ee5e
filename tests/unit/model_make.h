/* A reconstruction whose truth is known: cameras of every model on a ring, points in a ball, and
 * keypoints where the cameras see them. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_TESTS_MODEL_MAKE_H
#define VD_TESTS_MODEL_MAKE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "geometry/rigid.h"
#include "recon/model.h"

static inline void t_model_need(bool ok) {
    if (!ok) abort();
}

/* A camera of that model with a little of every distortion it has. */
static inline vd_camera t_model_camera(int model, vd_rng *r) {
    static const double fov_omega = 0.5;
    vd_camera c = vd_camera_simple(model, vd_rng_range(r, 900, 1100), 1600, 1200);
    vd_camera_layout l = vd_camera_layout_of(model);
    if (l.focal == 2) c.params[1] *= 1.01;
    c.params[l.focal] += vd_rng_range(r, -9, 9);
    c.params[l.focal + 1] += vd_rng_range(r, -9, 9);
    for (int i = l.focal + 2; i < l.params; i++) c.params[i] = vd_rng_range(r, -0.01, 0.01);
    if (model == VD_CAMERA_FOV) c.params[l.params - 1] = fov_omega;
    return c;
}

/* On a ring of radius 4 about the origin, which it looks at, turned a little. */
static inline vd_rigid t_model_pose(int i, int n, vd_rng *r) {
    double a = 6.28318 * i / n;
    vd_vec3 eye = vd_v3(4 * cos(a), vd_rng_range(r, -1, 1), 4 * sin(a));
    vd_vec3 f = vd_v3_unit(vd_v3_mul(eye, -1)), right = vd_v3_unit(vd_v3_cross(vd_v3(0, 1, 0), f));
    vd_vec3 down = vd_v3_cross(f, right);
    const double m[9] = { right.x, right.y, right.z, down.x, down.y, down.z, f.x, f.y, f.z };
    vd_quat q =
        vd_quat_mul(vd_quat_exp(vd_v3(0, 0, vd_rng_range(r, -0.2, 0.2))), vd_quat_of_matrix(m));
    q = vd_quat_unit(q);
    return (vd_rigid){ q, vd_v3_mul(vd_quat_rotate(q, eye), -1) };
}

/* Fills an image with the points it sees, most of them, and some keypoints that are none. */
static inline void t_model_look(vd_model *m, int32_t i, vd_rng *r) {
    vd_model_image *v = &m->images[i];
    double *uv = malloc((size_t)(2 * m->n_points) * 2 * sizeof *uv);
    int32_t *point = malloc((size_t)(2 * m->n_points) * sizeof *point), n = 0;
    char name[64];
    t_model_need(uv != NULL && point != NULL);
    for (int32_t p = 0; p < m->n_points; p++) {
        const double *x = m->xyz + 3 * (int64_t)p;
        vd_vec3 c = vd_rigid_apply(v->cam_from_world, vd_v3(x[0], x[1], x[2]));
        if (vd_rng_f64(r) < 0.2) {
            uv[2 * n] = vd_rng_range(r, 0, 1600);
            uv[2 * n + 1] = vd_rng_range(r, 0, 1200);
            point[n++] = -1;
        }
        if (vd_rng_f64(r) < 0.2) continue;
        if (vd_camera_project(&m->cameras[v->camera], (const double[]){ c.x, c.y, c.z },
                              uv + 2 * n))
            point[n++] = p;
    }
    int k = snprintf(name, sizeof name, "set %d/view_%03d.jpg", i % 2, i);
    t_model_need(vd_model_set_image(v, name, (size_t)k, n, NULL) == VD_OK);
    memcpy(v->uv, uv, (size_t)n * 2 * sizeof *uv);
    memcpy(v->point, point, (size_t)n * sizeof *point);
    free(uv);
    free(point);
}

/* Camera k is of model (k + first_model) % 11; ids have gaps and are out of order. */
static inline void t_model_make(vd_model *m, vd_rng *r, int n_cameras, int first_model,
                                int n_images, int n_points) {
    *m = (vd_model){ 0 };
    t_model_need(vd_model_add_cameras(m, n_cameras, NULL) == VD_OK &&
                 vd_model_add_images(m, n_images, NULL) == VD_OK &&
                 vd_model_add_points(m, n_points, 0, NULL) == VD_OK);
    for (int i = 0; i < n_cameras; i++) {
        m->cameras[i] = t_model_camera((i + first_model) % VD_CAMERA_MODELS, r);
        m->camera_ids[i] = 7 * ((i + 3) % n_cameras) + 2;
    }
    for (int i = 0; i < n_points; i++) {
        for (int c = 0; c < 3; c++) {
            m->xyz[3 * i + c] = vd_rng_range(r, -0.7, 0.7);
            m->rgb[3 * i + c] = (uint8_t)vd_rng_u64(r);
        }
        m->point_ids[i] = n_points + 5 - i;
    }
    for (int i = 0; i < n_images; i++) {
        m->images[i].id = 5000000 * (int64_t)((i + 1) % n_images) + 1;
        m->images[i].camera = i % n_cameras;
        m->images[i].cam_from_world = t_model_pose(i, n_images, r);
        t_model_look(m, i, r);
    }
    t_model_need(vd_model_track(m, NULL) == VD_OK);
    vd_model_update_errors(m);
}
#endif
