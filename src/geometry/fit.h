/* What robust estimation does with each kind of model: solve samples, score, refine.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A vd_fit is matches with a metric. The estimators have it as their data; their models are the
 * matrices that scores take: E, F and H nine numbers, a pose twelve (rows of four), a pose with
 * focal length thirteen. */
#ifndef VD_GEOMETRY_FIT_H
#define VD_GEOMETRY_FIT_H

#include "geometry/ransac.h"
#include "geometry/soa.h"
#include "math/vec.h"

typedef struct vd_fit {
    const vd_geometry_kern *kern;
    vd_soa *soa;
    vd_metric metric;
} vd_fit;

vd_estimator vd_fit_essential(const vd_fit *f);
vd_estimator vd_fit_fundamental(const vd_fit *f);
vd_estimator vd_fit_homography(const vd_fit *f);
vd_estimator vd_fit_pose(const vd_fit *f);
/* b are (u, v, 1), pixels from the principal point over some unit. */
vd_estimator vd_fit_pose_focal(const vd_fit *f);

/* Errors of a model into the scratch of the matches, in thresholds. */
void vd_fit_epipolar_errors(const vd_fit *f, const double m[9]);
void vd_fit_transfer_errors(const vd_fit *f, const double m[12]);

/* The rotation that takes a to b, refined from r (row-major); gives its gain and inliers. */
double vd_fit_rotation(const vd_fit *f, double r[9], int *inliers);

/* Matches (in their shuffled positions) whose scratch error is below 1. */
int vd_fit_inliers(const vd_fit *f, int32_t *pool);
#endif
