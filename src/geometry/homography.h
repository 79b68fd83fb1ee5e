/* Homographies: from four matches, by least squares, and what they say of plane and motion.
 * SPDX-License-Identifier: Apache-2.0
 *
 * b ~ H a for directions a of view 1 and b of view 2, 3-vectors as rows, b with a positive factor:
 * what is in front of one camera is in front of the other. */
#ifndef VD_GEOMETRY_HOMOGRAPHY_H
#define VD_GEOMETRY_HOMOGRAPHY_H

#include <stdbool.h>

#include "math/vec.h"

/* Four matches in closed form: with A = (a1 a2 a3), B = (b1 b2 b3), A x = a4, B y = b4,
 * H = B diag(y / x) A^-1. Gives 1, or 0: three points on a line, or matches that no plane seen from
 * one side can give (a factor is negative). */
int vd_homography_four_point(double h[9], const double a[12], const double b[12]);

/* Direct linear transform on normalised points (x, y, 1), n >= 4 [Hartley and Zisserman 2004, 4.1].
 * Weights may be NULL. */
bool vd_homography_linear(double h[9], const double *a, const double *b, const double *weight,
                          int n);

typedef struct vd_homography_motion {
    vd_rigid cam2_from_cam1; /* t in units of the plane's distance from camera 1 */
    vd_vec3 normal;          /* of the plane, unit, in camera 1; points on it have n . x > 0 */
} vd_homography_motion;

/* H = s (R + t n^T) of normalised directions, 4 solutions as two pairs (n, t), (-n, -t), or 1 with
 * t = 0 when H is a rotation [Ma, Soatto, Kosecka and Sastry 2004, 5.3.3]. Which of them put points
 * in front of both cameras is the caller's to see. Gives 0 for a singular H. */
int vd_homography_motions(vd_homography_motion out[4], const double h[9]);
#endif
