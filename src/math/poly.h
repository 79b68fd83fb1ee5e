/* Real roots of polynomials. Coefficients ascend: c[0] + c[1] x + c[2] x^2 + ...
 * SPDX-License-Identifier: Apache-2.0
 *
 * All give the number of real roots written, ascending. Leading coefficients may be zero: the
 * equation is then of lower degree; no roots are given for a constant. */
#ifndef VD_MATH_POLY_H
#define VD_MATH_POLY_H

int vd_poly_quadratic(double x[2], const double c[3]); /* double roots are given twice */
int vd_poly_cubic(double x[3], const double c[4]);
/* Distinct roots, degree n up to 12 (VD_ROOTS_DEGREE). */
int vd_poly_roots(double *x, const double *c, int n);
#endif
