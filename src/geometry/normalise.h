/* Hartley's normalisation: points (x, y, 1) moved to their centroid and scaled to a mean distance
 * of sqrt(2). SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_GEOMETRY_NORMALISE_H
#define VD_GEOMETRY_NORMALISE_H

#include "base/err.h"

typedef struct vd_scaling {
    double s, cx, cy; /* x' = s (x - cx) */
} vd_scaling;

/* Weights may be NULL. False: points in one place, or not finite. */
bool vd_scaling_of(vd_scaling *out, const double *points, const double *weight, int n);
/* The matrix of x -> x' and its inverse. */
void vd_scaling_matrix(double m[9], vd_scaling s);
void vd_scaling_inverse(double m[9], vd_scaling s);
#endif
