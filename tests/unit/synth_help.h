/* What the tests of rendered captures share. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_TESTS_SYNTH_HELP_H
#define VD_TESTS_SYNTH_HELP_H

#include "base/cpu.h"
#include "base/mem.h"
#include "synth/render.h"

/* Inside or not, by the definition of each shape. */
static inline bool inside(const vd_scene *s, vd_vec3 p) {
    for (int i = 0; i < s->n_objects; i++) {
        const vd_object *b = &s->object[i];
        const double *a = b->axis;
        vd_vec3 v = vd_v3_sub(p, b->centre);
        double x = a[0] * v.x + a[1] * v.y + a[2] * v.z, y = a[3] * v.x + a[4] * v.y + a[5] * v.z,
               z = a[6] * v.x + a[7] * v.y + a[8] * v.z;
        bool in = true;
        if (b->shape == VD_SHAPE_POLY) {
            for (int k = 0; k < b->n_planes; k++)
                in &=
                    b->plane[k][0] * x + b->plane[k][1] * y + b->plane[k][2] * z <= b->plane[k][3];
        } else if (b->shape == VD_SHAPE_ELLIPSOID) {
            in = pow(x / b->half.x, 2) + pow(y / b->half.y, 2) + pow(z / b->half.z, 2) <= 1;
        } else {
            double r = b->half.x + (b->half.y - b->half.x) * (z / b->half.z + 1) / 2;
            in = fabs(z) <= b->half.z && x * x + y * y <= r * r;
        }
        if (in) return true;
    }
    return p.z < 0;
}

static inline const vd_synth_kern *kern(void) {
    return vd_synth_kern_for(vd_cpu_features());
}

/* The world point of a pixel by its depth. */
static inline vd_vec3 lift(const vd_scene_camera *c, vd_rigid pose, double px, double py,
                           double z) {
    double x, y, m[9];
    vd_scene_unproject(c, px, py, &x, &y);
    vd_quat_matrix(m, pose.q);
    double v[3] = { x * z - pose.t.x, y * z - pose.t.y, z - pose.t.z };
    return vd_v3(m[0] * v[0] + m[3] * v[1] + m[6] * v[2], m[1] * v[0] + m[4] * v[1] + m[7] * v[2],
                 m[2] * v[0] + m[5] * v[1] + m[8] * v[2]);
}
#endif
