/* Similarities and rigid motions between two sets of points, least squares and robust.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_GEOMETRY_ALIGN_H
#define VD_GEOMETRY_ALIGN_H

#include "base/err.h"
#include "math/vec.h"

/* x_in_b = scale R x_in_a + t, named b_from_a. */
typedef struct vd_similarity {
    double scale;
    vd_rigid rigid;
} vd_similarity;

static const vd_similarity VD_SIMILARITY_ONE = { 1, { { 1, 0, 0, 0 }, { 0, 0, 0 } } };

vd_vec3 vd_similarity_apply(vd_similarity b_from_a, vd_vec3 x_in_a);
vd_similarity vd_similarity_mul(vd_similarity c_from_b, vd_similarity b_from_a);
vd_similarity vd_similarity_inverse(vd_similarity b_from_a);
/* The pose of the same camera, its world changed from a to b and so its unit of length by the
 * scale. */
vd_rigid vd_similarity_pose(vd_similarity b_from_a, vd_rigid cam_from_a);

/* [Umeyama 1991] Least-squares estimation of transformation parameters between two point patterns:
 * minimises sum w |b - (s R a + t)|^2 over rows a[3 n] and b[3 n]; weights may be NULL, scale is 1
 * unless asked for. False: fewer than 3 points with weight, all of them on a line (the turn about
 * it is free), or numbers that are not finite. */
bool vd_similarity_fit(vd_similarity *b_from_a, const double *a, const double *b,
                       const double *weight, int n, bool with_scale);

/* The same for two points and more, also on a line: any of the turns about it then. *across is the
 * spread of a and b across the line by that along it, squared; below 1e-9 the turn is rounding.
 * False where all points of one side are the same, or numbers are not finite. */
bool vd_similarity_fit_any(vd_similarity *b_from_a, double *across, const double *a,
                           const double *b, const double *weight, int n, bool with_scale);

typedef struct vd_align_opt {
    double max_error;  /* in the unit of b; must be given */
    double confidence; /* of having drawn three inliers */
    int max_trials;
    bool with_scale;
    uint64_t seed, item;
} vd_align_opt;
#define VD_ALIGN_OPT                                                                               \
    { .confidence = 0.9999, .max_trials = 10000, .with_scale = true }

/* The similarity that most points agree with, by LO-RANSAC over samples of three. mask[n] (may be
 * NULL) says which; weights (may be NULL) only weigh the final fit. Fails with VD_E_ARG for bad
 * options, VD_E_NUMERIC when no three points agree, VD_E_NOMEM; outputs are then untouched. */
vd_status vd_similarity_fit_robust(vd_similarity *b_from_a, uint8_t *mask, int *inliers,
                                   const double *a, const double *b, const double *weight, int n,
                                   const vd_align_opt *opt, vd_err *err);
#endif
