/* The pose of a camera from points it sees, some of them wrong. SPDX-License-Identifier: Apache-2.0
 */
#ifndef VD_GEOMETRY_RESECTION_H
#define VD_GEOMETRY_RESECTION_H

#include "geometry/camera.h"
#include "math/vec.h"

typedef struct vd_resection_opt {
    double max_error_px;     /* reprojection error of an inlier */
    double confidence;       /* of having drawn a sample without outliers */
    double min_inlier_ratio; /* a smaller share of inliers is not looked for */
    int min_inliers;         /* with fewer there is no pose */
    int max_trials;          /* samples */
    uint64_t seed, item;     /* of the random numbers: give each camera an item of its own */
} vd_resection_opt;
#define VD_RESECTION_OPT                                                                           \
    {                                                                                              \
        .max_error_px = 12, .confidence = 0.9999, .min_inlier_ratio = 0.25, .min_inliers = 6,      \
        .max_trials = 10000                                                                        \
    }

/* Pixels uv[2 n] of points xyz[3 n]: P3P in LO-RANSAC, then refinement of the reprojection errors.
 * mask[n] and inliers may be NULL; opt NULL: defaults. Fisheyes may see beyond 90 degrees. Errors
 * are measured in the plane z = 1 (angles for fisheyes) times the focal length, which is pixels but
 * for the distortion's own scale.
 * *inliers = 0: no pose, the pose is the identity and the mask zero. Fails (VD_E_ARG) for a bad
 * camera or options, VD_E_NOMEM; outputs are then untouched. */
vd_status vd_resection(vd_rigid *cam_from_world, uint8_t *mask, int *inliers, const vd_camera *c,
                       const double *uv, const double *xyz, int n, const vd_resection_opt *opt,
                       vd_err *err);

/* The same with an unknown focal length: P4Pf, then refinement of pose and focal length. The other
 * parameters of the camera are taken as known, its focal lengths as a guess from which distortion
 * is taken out; they come back scaled by the factor found. Perspective models only
 * (VD_E_UNSUPPORTED). */
vd_status vd_resection_focal(vd_rigid *cam_from_world, vd_camera *camera, uint8_t *mask,
                             int *inliers, const double *uv, const double *xyz, int n,
                             const vd_resection_opt *opt, vd_err *err);
#endif
