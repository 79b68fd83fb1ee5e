/* Pictures as a pinhole camera would have taken them. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_GEOMETRY_UNDISTORT_H
#define VD_GEOMETRY_UNDISTORT_H

#include "geometry/camera.h"

/* The PINHOLE camera that shows as much of c's picture as fits into a rectangle without blank
 * pixels, at the same focal lengths; each side at most twice that of c. Fails with VD_E_UNSUPPORTED
 * where no such rectangle is there (the middle of the picture's edge lies 90 degrees and more off
 * the axis), VD_E_ARG for a bad camera. */
vd_status vd_undistorted_camera(vd_camera *out, const vd_camera *c, vd_err *err);

/* For each pixel of row y of `to` (from vd_undistorted_camera) the place in the picture of `from`,
 * 2 * to->width floats, pixel centres at +0.5; NaN where there is none. */
void vd_undistort_row(float *uv, const vd_camera *to, const vd_camera *from, int32_t y);

/* Where a keypoint of `from` lies in `to`; false where it has no place. */
bool vd_undistort_point(double out[2], const vd_camera *to, const vd_camera *from,
                        const double uv[2]);
#endif
