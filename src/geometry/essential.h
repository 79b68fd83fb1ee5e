/* Essential matrices: from five matches, from a pose, to poses. SPDX-License-Identifier: Apache-2.0
 *
 * b^T E a = 0 for directions a in view 1 and b in view 2; E = [t]x R with cam2_from_cam1 = (R, t).
 * Directions are 3-vectors of any length, as rows. */
#ifndef VD_GEOMETRY_ESSENTIAL_H
#define VD_GEOMETRY_ESSENTIAL_H

#include <stdbool.h>

#include "math/vec.h"

/* [Nister 2004], see five_point.inc. Gives 0 .. 10 matrices with singular values (1, 1, 0), real
 * solutions all of them; the 2 x 2 poses of each are not told apart. Fewer for degenerate samples.
 * vd_geometry_kern has the same eight samples at a time. */
int vd_five_point(double e[10][9], const double a[15], const double b[15]);

void vd_essential_from_pose(double e[9], vd_rigid cam2_from_cam1);

/* The poses (R1, t), (R1, -t), (R2, t), (R2, -t) of E = U diag(1, 1, 0) V^T, |t| = 1 [Hartley and
 * Zisserman 2004, 9.6.2]. */
void vd_essential_poses(vd_rigid cam2_from_cam1[4], const double e[9]);

/* Whether the rays meet in front of both cameras. */
bool vd_in_front(const vd_rigid *cam2_from_cam1, const double a[3], const double b[3]);
#endif
