/* Where three quadrics meet. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_GEOMETRY_QUADRICS_H
#define VD_GEOMETRY_QUADRICS_H

/* Real common zeros (x, y, z) of q[i] . (x^2, xy, xz, y^2, yz, z^2, x, y, z, 1), at most 8, by the
 * method of [Kukelova, Heller and Fitzgibbon 2016] Efficient intersection of three quadrics and
 * applications in computer vision. Gives their number; 0 too when the quadrics are degenerate. */
int vd_quadrics3(double xyz[8][3], const double q[3][10]);
#endif
