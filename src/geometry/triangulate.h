/* Points from rays. SPDX-License-Identifier: Apache-2.0
 *
 * Rays are unit vectors in the frame of their camera, from vd_camera_ray; errors are angles between
 * a ray and the direction in which its camera sees the point. A pixel is 1 / focal length radians
 * in the middle of a picture. */
#ifndef VD_GEOMETRY_TRIANGULATE_H
#define VD_GEOMETRY_TRIANGULATE_H

#include "base/err.h"
#include "math/vec.h"

/* The angle at x between the lines to two centres, 0 .. pi; the smaller of it and pi minus it is
 * what tells how well x is known. */
double vd_triangulation_angle_rad(vd_vec3 centre1, vd_vec3 centre2, vd_vec3 x);

/* The angle between a ray and where its camera sees the point. */
double vd_ray_error_rad(vd_rigid cam_from_world, const double ray[3], vd_vec3 x_in_world);

/* Two rays, in closed form and optimal: turns the one for which it takes less into the plane of the
 * other and the baseline, which minimises the sum of both angles [Lee and Civera 2019] Closed-form
 * optimal two-view triangulation based on angular errors. False: parallel rays, or they meet behind
 * a camera. */
bool vd_triangulate_pair(vd_vec3 *x_in_world, vd_rigid cam1_from_world, vd_rigid cam2_from_world,
                         const double ray1[3], const double ray2[3]);

/* n >= 2 rays: least squares of the distances to the rays, then Gauss-Newton steps on the squared
 * angles. False: parallel rays, or the point is behind a camera. */
bool vd_triangulate_multi(vd_vec3 *x_in_world, const vd_rigid *cam_from_world, const double *ray,
                          int n);

typedef struct vd_triangulate_opt {
    double max_error_rad;  /* of a ray that supports the point */
    double min_angle_rad;  /* the widest between two supporting rays must reach this */
    const double *max_rad; /* one for each ray instead of max_error_rad, or NULL */
    uint64_t seed, item;
} vd_triangulate_opt;
#define VD_TRIANGULATE_OPT                                                                         \
    { .max_error_rad = 0.035, .min_angle_rad = 0.026 } /* 2 and 1.5 degrees, as COLMAP has them */

/* n rays, some of them wrong: the point that most rays support, by gain as in kern.h. All pairs are
 * tried while there are few of them, else pairs drawn at random; the best is refined on its
 * supporters. mask[n] says which support it. Gives their number; 0, with the point untouched and
 * nothing promised about the mask: fewer than two, or too small an angle. */
int vd_triangulate_robust(vd_vec3 *x_in_world, uint8_t *mask, const vd_rigid *cam_from_world,
                          const double *ray, int n, const vd_triangulate_opt *opt);
#endif
