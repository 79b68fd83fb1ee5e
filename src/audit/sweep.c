/* Pairs of boxes, by a sweep along x. SPDX-License-Identifier: Apache-2.0
 *
 * An intersection of at least t of the union is at least t of either box, and so is its width of
 * either width: the second of two such boxes begins no farther than (1 - t) of the first one's
 * width after it. */
#include "audit/sweep.h"

#include <math.h>
#include <stdlib.h>

static int by_place(const void *pa, const void *pb) {
    const vd_sweep_box *a = pa, *b = pb;
    for (int k = 0; k < 2; k++)
        if (a->at[k] != b->at[k]) return a->at[k] < b->at[k] ? -1 : 1;
    return a->i < b->i ? -1 : a->i > b->i;
}

static void sort_boxes(vd_sweep_box *b, int64_t n) {
    enum { FEW = 24 };
    if (n > FEW) {
        qsort(b, (size_t)n, sizeof *b, by_place);
        return;
    }
    for (int64_t i = 1; i < n; i++) {
        vd_sweep_box one = b[i];
        int64_t k = i;
        for (; k > 0 && by_place(&b[k - 1], &one) > 0; k--) b[k] = b[k - 1];
        b[k] = one;
    }
}

double vd_audit_iou(const double a[4], const double b[4]) {
    double w = fmin(a[0] + a[2], b[0] + b[2]) - fmax(a[0], b[0]);
    double h = fmin(a[1] + a[3], b[1] + b[3]) - fmax(a[1], b[1]);
    if (!(w > 0 && h > 0)) return 0;
    return w * h / (a[2] * a[3] + b[2] * b[3] - w * h);
}

vd_status vd_audit_sweep(vd_sweep_box *box, int64_t n, double least, vd_sweep_pair pair, void *user,
                         vd_err *err) {
    sort_boxes(box, n);
    for (int64_t i = 0; i < n; i++) {
        const double *a = box[i].at;
        /* a little more than the bound: a difference of rounded numbers may be above it */
        double last = a[0] + (1 - least) * a[2] * (1 + 1e-9) + 1e-9;
        int64_t end = n - i > VD_SWEEP_MOST ? i + VD_SWEEP_MOST : n;
        for (int64_t k = i + 1; k < end && box[k].at[0] <= last; k++) {
            const double *b = box[k].at;
            if (b[1] >= a[1] + a[3] || a[1] >= b[1] + b[3]) continue;
            double iou = vd_audit_iou(a, b);
            if (iou >= least) VD_TRY(pair(user, box[i].i, box[k].i, iou, err));
        }
    }
    return VD_OK;
}
