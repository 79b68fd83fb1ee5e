/* Camera models: COLMAP's, by its names, numbers and order of parameters.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A point (x, y, z) of the camera's frame (+x right, +y down, +z forward) becomes a pixel in three
 * steps:
 *   ideal     perspective (x / z, y / z); for the fisheye models equidistant, theta (x, y) / r with
 *             r^2 = x^2 + y^2 and theta the angle to the axis, which also works beyond 90 degrees
 *   distorted the model's own function of the ideal point, the identity for SIMPLE_PINHOLE, PINHOLE
 *   pixel     focal * distorted + principal point; the centre of a pixel lies at +0.5
 *
 * Parameters come as focal length(s), principal point, then what is extra:
 *   SIMPLE_PINHOLE f cx cy                     OPENCV         fx fy cx cy k1 k2 p1 p2
 *   PINHOLE        fx fy cx cy                 OPENCV_FISHEYE fx fy cx cy k1 k2 k3 k4
 *   SIMPLE_RADIAL  f cx cy k                   FULL_OPENCV    fx fy cx cy k1 k2 p1 p2 k3 k4 k5 k6
 *   RADIAL         f cx cy k1 k2               FOV            fx fy cx cy omega
 *   SIMPLE_RADIAL_FISHEYE f cx cy k            RADIAL_FISHEYE f cx cy k1 k2
 *   THIN_PRISM_FISHEYE    fx fy cx cy k1 k2 p1 p2 k3 k4 sx1 sy1
 *
 * The domain of a model is where its distortion still turns outwards and keeps its orientation:
 * beyond that fold a polynomial maps points far outside of the view back into the picture, which
 * has nothing to do with a lens. Projecting tests the point itself, unprojecting follows the way
 * from the axis and so never answers from beyond the fold.
 *
 * All functions are pure; any number of threads. */
#ifndef VD_GEOMETRY_CAMERA_H
#define VD_GEOMETRY_CAMERA_H

#include "base/err.h"

enum vd_camera_model {
    VD_CAMERA_SIMPLE_PINHOLE = 0,
    VD_CAMERA_PINHOLE = 1,
    VD_CAMERA_SIMPLE_RADIAL = 2,
    VD_CAMERA_RADIAL = 3,
    VD_CAMERA_OPENCV = 4,
    VD_CAMERA_OPENCV_FISHEYE = 5,
    VD_CAMERA_FULL_OPENCV = 6,
    VD_CAMERA_FOV = 7,
    VD_CAMERA_SIMPLE_RADIAL_FISHEYE = 8,
    VD_CAMERA_RADIAL_FISHEYE = 9,
    VD_CAMERA_THIN_PRISM_FISHEYE = 10,
    VD_CAMERA_MODELS = 11
};

enum { VD_CAMERA_PARAMS = 12 };

typedef struct vd_camera {
    int model; /* enum vd_camera_model */
    int32_t width, height;
    double params[VD_CAMERA_PARAMS]; /* unused ones are 0 */
} vd_camera;

/* Where the groups of parameters lie: focal lengths are params[0 .. focal), the principal point
 * params[focal] and params[focal + 1], the extra ones params[focal + 2 .. params). */
typedef struct vd_camera_layout {
    int focal, params; /* 0 for an unknown model */
} vd_camera_layout;

vd_camera_layout vd_camera_layout_of(int model);
int vd_camera_param_count(int model);            /* 0 for an unknown model */
const char *vd_camera_model_name(int model);     /* NULL for an unknown model */
int vd_camera_model_from_name(const char *name); /* -1 for an unknown name */
bool vd_camera_is_fisheye(int model);

/* Fails (VD_E_ARG) for an unknown model, a size below 1 x 1, parameters that are not finite and
 * focal lengths that are not positive. The other functions want a camera that passes. */
vd_status vd_camera_check(const vd_camera *c, vd_err *err);

/* The model with one focal length, the principal point in the middle, and no distortion. */
vd_camera vd_camera_simple(int model, double focal_px, int32_t width, int32_t height);

/* False: the point is behind the camera (perspective models), at its centre, or outside of the
 * model's domain; the outputs are then untouched. The Jacobians are row-major, d_point 2 x 3 and
 * d_params 2 x vd_camera_param_count; either may be NULL. */
bool vd_camera_project(const vd_camera *c, const double x_in_cam[3], double uv_px[2]);
bool vd_camera_project_jac(const vd_camera *c, const double x_in_cam[3], double uv_px[2],
                           double d_point[6], double *d_params);

/* A pixel to the plane z = 1; false where no ray of the model, or none with z > 0, meets it. */
bool vd_camera_unproject(const vd_camera *c, const double uv_px[2], double xn[2]);
/* A pixel to the unit vector it looks along, beyond 90 degrees too. */
bool vd_camera_ray(const vd_camera *c, const double uv_px[2], double ray[3]);

double vd_camera_mean_focal(const vd_camera *c);
void vd_camera_matrix(const vd_camera *c, double k[9]); /* without the distortion */

/* The camera of the picture resized by (sx, sy). A model with a single focal length keeps the mean
 * of both. */
vd_camera vd_camera_scaled(const vd_camera *c, double sx, double sy);
#endif
