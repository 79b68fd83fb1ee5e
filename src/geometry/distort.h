/* What the camera models do between the ideal point and the focal length.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_GEOMETRY_DISTORT_H
#define VD_GEOMETRY_DISTORT_H

#include "base/err.h"

/* d = distort(a) with the extra parameters k, and its derivatives: ja (2 x 2, row-major) with
 * respect to a; jk, unless NULL, the column of parameter i in jk[i] and jk[i + stride]. */
typedef void (*vd_distort_fn)(const double *k, const double a[2], double d[2], double ja[4],
                              double *jk, int stride);

void vd_distort_none(const double *k, const double a[2], double d[2], double ja[4], double *jk,
                     int stride);
void vd_distort_radial1(const double *k, const double a[2], double d[2], double ja[4], double *jk,
                        int stride);
void vd_distort_radial2(const double *k, const double a[2], double d[2], double ja[4], double *jk,
                        int stride);
void vd_distort_radial4(const double *k, const double a[2], double d[2], double ja[4], double *jk,
                        int stride);
void vd_distort_opencv(const double *k, const double a[2], double d[2], double ja[4], double *jk,
                       int stride);
void vd_distort_full_opencv(const double *k, const double a[2], double d[2], double ja[4],
                            double *jk, int stride);
void vd_distort_fov(const double *k, const double a[2], double d[2], double ja[4], double *jk,
                    int stride);
void vd_distort_thin_prism(const double *k, const double a[2], double d[2], double ja[4],
                           double *jk, int stride);

/* g = atan(t) / t and h = g'(t) / t, smooth down to t = 0. */
void vd_atan_ratio(double t, double *g, double *h);

/* Finds the a with distort(a) = d that the way from 0 leads to; false when there is none. */
bool vd_undistort(vd_distort_fn distort, const double *k, const double d[2], double a[2]);
#endif
