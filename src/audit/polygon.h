/* Whether a polygon crosses itself. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_AUDIT_POLYGON_H
#define VD_AUDIT_POLYGON_H

#include <stdint.h>

/* The largest part of a ring that a crossing cuts off, as a share of 0 to 0.5 of both parts' areas;
 * 0 where no two sides cross. A crossing makes two loops of the ring; the smaller one counts.
 *     shapes : xy[2 n]
 *     cost   : O(n) tests for common outlines. Rings of more than 4096 corners are not looked at,
 *              and after 64 n tests the rest is let be: what lies over itself so often is a
 * scribble, and was found by then */
double vd_audit_crossing(const double *xy, int32_t n);
#endif
