/* Pose and focal length from four points. SPDX-License-Identifier: Apache-2.0
 *
 * uv are pixels from the principal point, in any unit, square pixels without distortion. Eight
 * measurements, seven unknowns: the image equations are met exactly by a camera with two focal
 * lengths, which are then made one by their mean; a solution whose two differ too much is none.
 *
 * In general position: the rows of P = (p1; p2; p3) that meet v p1 X = u p2 X are a combination of
 * four vectors, p3 follows linearly, and that rows are orthogonal gives three quadrics in three
 * unknowns. After [Larsson, Kukelova and Zheng 2017] Making minimal solvers for absolute pose
 * estimation compact and robust; the quadrics by [Kukelova, Heller and Fitzgibbon 2016] Efficient
 * intersection of three quadrics, a polynomial of degree 8.
 *
 * Four points (nearly) in a plane: the homography from the plane, whose two orthogonal directions
 * give the focal length [Zhang 2000] A flexible new technique for camera calibration.
 *
 * Gives 0 .. 8 solutions with all points in front of the camera. */
#ifndef VD_GEOMETRY_P4PF_H
#define VD_GEOMETRY_P4PF_H

#include "math/vec.h"

enum { VD_P4PF_MOST = 8 };

typedef struct vd_posed_focal {
    double m[12]; /* cam_from_world [R | t], rows of four */
    double focal; /* in the unit of uv */
} vd_posed_focal;

int vd_p4pf(vd_posed_focal out[VD_P4PF_MOST], const double uv[8], const double X[12]);
#endif
