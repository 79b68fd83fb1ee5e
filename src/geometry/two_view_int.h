/* Parts of two-view estimation. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_GEOMETRY_TWO_VIEW_INT_H
#define VD_GEOMETRY_TWO_VIEW_INT_H

#include "geometry/fit.h"
#include "geometry/two_view.h"

/* A pair at work. Directions are (x / z, y / z, 1), unit vectors when a camera is a fisheye;
 * without calibration pixels moved to the middle of the picture and scaled to about 1. */
typedef struct vd_pair_work {
    const vd_camera *c1, *c2;
    const vd_two_view_opt *opt;
    const double *uv1, *uv2;
    int n;
    double *a, *b; /* [3 n] */
    uint8_t *use, *mask;
    int32_t *pool;
    float *errors;       /* of a model kept aside */
    double k1[9], k2[9]; /* pixels from directions */
    vd_soa soa;
    vd_fit fit;
    vd_two_view out;
} vd_pair_work;

/* The pose whose points lie in front of both cameras, among candidates; marks in w->mask those
 * inliers (scratch errors below 1) that do or that are too far away to tell. Gives their number. */
int vd_pair_choose_pose(vd_pair_work *w, vd_rigid *chosen, const vd_rigid *candidate, int n);

/* Median angle between the rays of the inliers in the mask. */
double vd_pair_median_angle(vd_pair_work *w, vd_rigid cam2_from_cam1);

/* Whether the matches in the mask (n of them) are an overlay that does not move with the scene. */
bool vd_pair_is_watermark(const vd_pair_work *w, const uint8_t *mask);
#endif
