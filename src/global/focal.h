/* Focal lengths by the view graph: those with which the fundamental matrices of many pairs become
 * essential ones. SPDX-License-Identifier: Apache-2.0
 *
 * [Fetzer, Reis and Stricker 2020] Stable intrinsic auto-calibration from fundamental matrices of
 * devices with uncorrelated camera parameters. For each pair, Kruppa's equations in the form that
 * needs no epipoles: two symmetric 2 x 2 matrices, one by either camera, must be equal but for a
 * factor; the error is the sine of the angle between them. Robust, jointly for all cameras, since a
 * single pair says little and one whose axes meet says nothing. */
#ifndef VD_GLOBAL_FOCAL_H
#define VD_GLOBAL_FOCAL_H

#include "base/pool.h"
#include "geometry/camera.h"

typedef struct vd_focal_pair {
    int32_t a, b; /* cameras, may be the same */
    double F[9];  /* x_b^T F x_a = 0 in pixels, of any norm */
} vd_focal_pair;

/* factor[n_cameras]: what the focal lengths of cameras with moves[] set should be multiplied by; 1
 * for those about which the pairs do not say clearly that another one is better.
 * fails  : VD_E_ARG (a camera out of range, a matrix that is not finite), VD_E_NOMEM
 * threads: any; the same result whatever the pool */
vd_status vd_focals_find(double *factor, const vd_camera *camera, const uint8_t *moves,
                         int32_t n_cameras, const vd_focal_pair *pair, int64_t n_pairs,
                         vd_pool *pool, vd_err *err);
#endif
