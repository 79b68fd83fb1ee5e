/* Fundamental matrices: from seven matches, and by least squares from eight or more.
 * SPDX-License-Identifier: Apache-2.0
 *
 * b^T F a = 0 for points a of view 1 and b of view 2, homogeneous 3-vectors as rows. For good
 * numbers coordinates want to be centred and about 1 in size. */
#ifndef VD_GEOMETRY_FUNDAMENTAL_H
#define VD_GEOMETRY_FUNDAMENTAL_H

#include "base/err.h"

/* [Hartley and Zisserman 2004, 11.1.2], see seven_point.inc. Gives 1 .. 3 matrices of rank 2 and
 * unit norm; 0 for degenerate samples. vd_geometry_kern has the same eight samples at a time. */
int vd_seven_point(double f[3][9], const double a[21], const double b[21]);

/* [Hartley 1997] In defence of the eight-point algorithm, and its closest matrix of rank 2. Points
 * are (x, y, 1). Weights may be NULL. False: fewer than 8 points, or no finite answer. */
bool vd_eight_point(double f[9], const double *a, const double *b, const double *weight, int n);
#endif
