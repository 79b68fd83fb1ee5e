/* The pose of a calibrated camera from three points. SPDX-License-Identifier: Apache-2.0
 *
 * Solves d_i x_i = R X_i + t with d_i > 0 for unit bearings x_i (rows) and points X_i (rows).
 * With u = d1 / d3 and v = d2 / d3 the law of cosines gives two conics; the pencil they span has a
 * degenerate member, a pair of lines, at a real root of a cubic, and the lines meet a conic in up
 * to four points. That the pencil leads there directly is the view of [Ding, Yang, Larsson, Olsson
 * and Astrom 2023] Revisiting the P3P problem; the start for the cubic's root is that of [Persson
 * and Nordberg 2018] Lambda twist. Depths are polished by Newton's method on the law of cosines.
 *
 * Gives 0 .. 4 poses, each with positive depths and residuals of rounding size. Three points on a
 * line, or two in one place: 0. */
#ifndef VD_GEOMETRY_P3P_H
#define VD_GEOMETRY_P3P_H

#include "math/vec.h"

/* cam_from_world as [R | t], rows of four. */
int vd_p3p_matrices(double m[4][12], const double x[9], const double X[9]);
int vd_p3p(vd_rigid cam_from_world[4], const double x[9], const double X[9]);
#endif
