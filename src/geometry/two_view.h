/* What two pictures with matches between them have to do with each other: robust estimation of the
 * essential matrix, fundamental matrix and homography, and which of them is the one to believe.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Conventions: x2^T E x1 = 0 with directions on the plane z = 1, E = [t]x R, |t| = 1;
 * x2^T F x1 = 0 and x2 ~ H x1 in pixels. E, F and H of calibrated pairs are between pixels without
 * their distortion, those of uncalibrated pairs between pixels as they are. */
#ifndef VD_GEOMETRY_TWO_VIEW_H
#define VD_GEOMETRY_TWO_VIEW_H

#include "geometry/camera.h"
#include "math/vec.h"

/* COLMAP's names; UNDEFINED and its own MULTIPLE do not occur. */
typedef enum vd_two_view_config {
    VD_TWO_VIEW_DEGENERATE,          /* no model explains enough matches */
    VD_TWO_VIEW_CALIBRATED,          /* E, pose */
    VD_TWO_VIEW_UNCALIBRATED,        /* F; no pose */
    VD_TWO_VIEW_PLANAR,              /* a homography explains nearly all: a plane; pose */
    VD_TWO_VIEW_PANORAMIC,           /* a rotation does: the camera stayed in place; t = 0 */
    VD_TWO_VIEW_PLANAR_OR_PANORAMIC, /* one of both, without calibration nobody knows; no pose */
    VD_TWO_VIEW_WATERMARK,           /* matches at the border that do not move: an overlay */
    VD_TWO_VIEW_CONFIGS
} vd_two_view_config;

const char *vd_two_view_config_name(int config); /* "calibrated"; NULL for none */

typedef struct vd_two_view_opt {
    double max_error_px;     /* Sampson's error, or transfer error, of an inlier */
    double confidence;       /* of having drawn a sample without outliers */
    double min_inlier_ratio; /* a smaller share of inliers is not looked for */
    int min_inliers;         /* with fewer the pair is degenerate */
    int max_trials;          /* samples */
    /* A calibrated model is believed when it has this share of the inliers of the uncalibrated one,
     * less the root of their number, which chance may add; a homography, or rotation, when it has
     * this share of what E or F explain. */
    double min_e_share, min_h_share;
    /* A watermark: this share of the inliers lies within border_px (a share of the diagonal) of the
     * border in both pictures, and moves by one and the same vector to within max_error_px. */
    double watermark_share, watermark_border;
    uint64_t seed, item; /* of the random numbers: give each pair an item of its own */
} vd_two_view_opt;
#define VD_TWO_VIEW_OPT                                                                            \
    {                                                                                              \
        .max_error_px = 4, .confidence = 0.9999, .min_inlier_ratio = 0.25, .min_inliers = 15,      \
        .max_trials = 10000, .min_e_share = 0.95, .min_h_share = 0.8, .watermark_share = 0.7,      \
        .watermark_border = 0.1                                                                    \
    }

typedef struct vd_two_view {
    int config; /* vd_two_view_config */
    /* Unit norm (E: singular values 1, 1, 0); zero where it was not estimated. */
    double E[9], F[9], H[9];
    vd_rigid cam2_from_cam1; /* |t| = 1, or 0 when panoramic; the identity where there is none */
    double median_angle_rad; /* between the rays of inliers, 0 without a pose */
    int inliers;             /* of the model that the configuration names */
    int inliers_e, inliers_f, inliers_h;
    int trials; /* samples drawn for all models */
} vd_two_view;

/* Matches uv1[2 n], uv2[2 n] in pixels; inlier_mask[n] may be NULL. opt may be NULL. `calibrated`
 * says that the cameras are known well enough for an essential matrix; else only F and H are tried.
 * Matches that are not finite, or that a camera has no ray for, are outliers. Fails (VD_E_ARG) for
 * bad cameras or options, VD_E_NOMEM; the outputs are then untouched. The result depends on the
 * arguments only. */
vd_status vd_two_view_estimate(vd_two_view *out, uint8_t *inlier_mask, const vd_camera *c1,
                               const vd_camera *c2, bool calibrated, const double *uv1,
                               const double *uv2, int n, const vd_two_view_opt *opt, vd_err *err);
#endif
