/* From a discrete extremum to a keypoint: the quadratic through its neighbourhood (Brown and Lowe,
 * "Invariant features from interest point groups", BMVC 2002), which may walk to a neighbouring
 * pixel first, then the tests of contrast and of edges. Double precision, plain arithmetic.
 * SPDX-License-Identifier: Apache-2.0 */
#include "feature/num.h"
#include "feature/work.h"

enum { FURTHEST_TENTHS = 15 }; /* a fit further away than 1.5 samples says nothing */
#define STEP_FROM 0.6          /* beyond this the neighbour is the better place to fit */

/* The 27 values around (x, y) of difference `level`: v[scale][row][column]. */
static void neighbours(double v[3][3][3], const vd_refine_at *at, int level, int x, int y) {
    for (int s = 0; s < 3; s++)
        for (int r = 0; r < 3; r++) {
            const float *a = vd_ring_row(&at->g[level + s], y + r - 1) - at->left,
                        *b = vd_ring_row(&at->g[level + s - 1], y + r - 1) - at->left;
            for (int c = 0; c < 3; c++) v[s][r][c] = (double)(a[x + c - 1] - b[x + c - 1]);
        }
}

typedef struct quadratic {
    double g[3];                   /* first derivatives: x, y, scale */
    double xx, yy, ss, xy, xs, ys; /* second */
} quadratic;

static quadratic derivatives(double v[3][3][3]) {
    double c = 2 * v[1][1][1];
    return (quadratic){
        { 0.5 * (v[1][1][2] - v[1][1][0]), 0.5 * (v[1][2][1] - v[1][0][1]),
          0.5 * (v[2][1][1] - v[0][1][1]) },
        v[1][1][2] + v[1][1][0] - c,
        v[1][2][1] + v[1][0][1] - c,
        v[2][1][1] + v[0][1][1] - c,
        0.25 * (v[1][2][2] - v[1][2][0] - v[1][0][2] + v[1][0][0]),
        0.25 * (v[2][1][2] - v[2][1][0] - v[0][1][2] + v[0][1][0]),
        0.25 * (v[2][2][1] - v[2][0][1] - v[0][2][1] + v[0][0][1]),
    };
}

/* o = -H^-1 g by Cramer's rule; false where H is singular. */
static bool summit(double o[3], const quadratic *q) {
    double a = q->yy * q->ss - q->ys * q->ys, b = q->xs * q->ys - q->xy * q->ss,
           c = q->xy * q->ys - q->xs * q->yy;
    double det = q->xx * a + q->xy * b + q->xs * c;
    if (det == 0) return false;
    double d = q->xx * q->ss - q->xs * q->xs, e = q->xy * q->xs - q->xx * q->ys,
           f = q->xx * q->yy - q->xy * q->xy;
    const double *g = q->g;
    o[0] = -(a * g[0] + b * g[1] + c * g[2]) / det;
    o[1] = -(b * g[0] + d * g[1] + e * g[2]) / det;
    o[2] = -(c * g[0] + e * g[1] + f * g[2]) / det;
    return true;
}

/* -1, 0 or 1: where to walk along an axis of `size` pixels. */
static int walk(double offset, int at, int from, int size) {
    if (offset > STEP_FROM && at < size - 2 && at < from + VD_SIFT_MOVES) return 1;
    if (offset < -STEP_FROM && at > 1 && at > from - VD_SIFT_MOVES) return -1;
    return 0;
}

static bool passes(const vd_refine_at *at, const quadratic *q, double value) {
    double trace = q->xx + q->yy, det = q->xx * q->yy - q->xy * q->xy;
    return fabs(value) > (double)at->peak && det > 0 && trace * trace < (double)at->edge * det;
}

bool vd_refine(vd_extremum *out, const vd_refine_at *at, int level, int x, int y) {
    double v[3][3][3], o[3] = { 0 };
    const double furthest = 0.1 * FURTHEST_TENTHS;
    quadratic q = { 0 };
    int x0 = x, y0 = y;
    for (int i = 0; i <= VD_SIFT_MOVES; i++) {
        neighbours(v, at, level, x, y);
        q = derivatives(v);
        if (!summit(o, &q)) return false;
        int dx = walk(o[0], x, x0, at->width), dy = walk(o[1], y, y0, at->height);
        if ((dx == 0 && dy == 0) || i == VD_SIFT_MOVES) break;
        x += dx;
        y += dy;
    }
    double value = v[1][1][1] + 0.5 * (q.g[0] * o[0] + q.g[1] * o[1] + q.g[2] * o[2]);
    if (!(fabs(o[0]) < furthest && fabs(o[1]) < furthest && fabs(o[2]) < furthest)) return false;
    double px = x + o[0], py = y + o[1], ps = level + o[2];
    if (!passes(at, &q, value) || px < 0 || py < 0 || px > at->width - 1 || py > at->height - 1 ||
        ps < 0 || ps > at->levels + 1)
        return false;
    int nearest = (int)(ps + 0.5);
    *out = (vd_extremum){ .x = (float)px,
                          .y = (float)py,
                          .sigma = (float)(1.6 * vd_feature_exp2(ps / at->levels)),
                          .response = (float)fabs(value),
                          .level = (int16_t)(VD_CLAMP(nearest, 1, at->levels) - 1) };
    return true;
}
