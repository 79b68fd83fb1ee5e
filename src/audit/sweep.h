/* Boxes of one picture that overlap much, without looking at all pairs.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_AUDIT_SWEEP_H
#define VD_AUDIT_SWEEP_H

#include "base/err.h"

/* Boxes compared with one box at the most. Pictures never have so many labels that begin in the
 * same fraction of a width; a million boxes in one column or one heap do, and then only the next
 * ones in x, y and number are looked at, so that the time stays in proportion to the boxes. */
enum { VD_SWEEP_MOST = 256 };

typedef struct vd_sweep_box {
    double at[4]; /* x, y, width, height; finite, sides above 0 */
    int64_t i;    /* the caller's number, distinct */
} vd_sweep_box;

/* Sorts the boxes by x, y, number, and calls `pair` for those of which the intersection is at least
 * `least` (0.01 .. 1) of the union. A status other than VD_OK ends it. The order of calls depends
 * on the boxes alone. */
typedef vd_status (*vd_sweep_pair)(void *user, int64_t a, int64_t b, double iou, vd_err *err);
vd_status vd_audit_sweep(vd_sweep_box *box, int64_t n, double least, vd_sweep_pair pair, void *user,
                         vd_err *err);

double vd_audit_iou(const double a[4], const double b[4]);
#endif
