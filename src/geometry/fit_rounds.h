/* How far refinements go. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_GEOMETRY_FIT_ROUNDS_H
#define VD_GEOMETRY_FIT_ROUNDS_H

/* Matches within this many thresholds of the model take part: a minimal model is off by about the
 * noise, and its true inliers with it. */
static const double VD_FIT_REACH = 2;
/* During sampling: until a step promises less than a thousandth of the gain. */
enum { VD_FIT_ROUNDS = 6 };
static const double VD_FIT_LEAST = 1e-3;
/* At the end: until a step promises far less than noise moves, with the loss of Geman and McClure
 * at half the threshold, so that outliers that happen to lie within the threshold pull a few
 * percent of what inliers do. */
enum { VD_FIT_LAST_ROUNDS = 25 };
static const double VD_FIT_LAST_LEAST = 1e-7, VD_FIT_SOFT = 4;
#endif
