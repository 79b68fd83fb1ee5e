/* Crossing sides, by a sweep along x. SPDX-License-Identifier: Apache-2.0 */
#include "audit/polygon.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/err.h"

enum { MOST_CORNERS = 4096, TESTS_A_CORNER = 64 };

/* A side by where it begins in x: from corner i to the next. */
typedef struct start {
    double x0;
    int32_t i;
} start;

typedef struct extent {
    double x1, y0, y1;
} extent;

static inline bool before(const start *a, const start *b) {
    return a->x0 < b->x0 || (a->x0 == b->x0 && a->i < b->i);
}

static int by_x(const void *a, const void *b) {
    return before(a, b) ? -1 : before(b, a);
}

static double cross(const double *a, const double *b) {
    return a[0] * b[1] - a[1] * b[0];
}

static double turn(const double *a, const double *b, const double *c) {
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
}

/* Whether sides a-b and c-d cross in their insides, and where. Sides that touch do not. */
static int meet(const double *a, const double *b, const double *c, const double *d, double at[2]) {
    double p = turn(c, d, a), q = turn(c, d, b), r = turn(a, b, c), s = turn(a, b, d);
    if (!((p > 0 && q < 0) || (p < 0 && q > 0)) || !((r > 0 && s < 0) || (r < 0 && s > 0)))
        return 0;
    double k = p / (p - q);
    at[0] = a[0] + k * (b[0] - a[0]);
    at[1] = a[1] + k * (b[1] - a[1]);
    return 1;
}

/* Twice the area of the loop that begins in `at`, takes corners first .. last, and returns.
 * `sum[i]` are the cross products of the sides before corner i. */
static double loop_area(const double *xy, const double *sum, int32_t first, int32_t last,
                        const double at[2]) {
    return cross(at, xy + 2 * first) + sum[last] - sum[first] + cross(xy + 2 * last, at);
}

static double cut_off(const double *xy, const double *sum, int32_t n, int32_t i, int32_t k,
                      const double at[2]) {
    int32_t a = i < k ? i : k, b = i < k ? k : i;
    double loop = loop_area(xy, sum, a + 1, b, at), rest = sum[n] - loop;
    double both = fabs(loop) + fabs(rest);
    return (loop > 0) != (rest > 0) && both > 0 ? fmin(fabs(loop), fabs(rest)) / both : 0;
}

static double sweep(const double *xy, const start *s, const extent *around, const double *sum,
                    int32_t n) {
    double worst = 0, at[2];
    int64_t left = (int64_t)TESTS_A_CORNER * n;
    for (int32_t i = 0; i < n; i++) {
        int32_t a = s[i].i;
        const extent *p = &around[a];
        for (int32_t k = i + 1; k < n && s[k].x0 <= p->x1; k++) {
            int32_t b = s[k].i, apart = a < b ? b - a : a - b;
            const extent *q = &around[b];
            if (left-- == 0) return worst;
            if (q->y0 > p->y1 || p->y0 > q->y1 || apart == 1 || apart == n - 1) continue;
            const double *a_end = a + 1 < n ? xy + 2 * a + 2 : xy;
            const double *b_end = b + 1 < n ? xy + 2 * b + 2 : xy;
            if (meet(xy + 2 * a, a_end, xy + 2 * b, b_end, at))
                worst = fmax(worst, cut_off(xy, sum, n, a, b, at));
        }
    }
    return worst;
}

/* Nearly all outlines have few corners. */
static void sort_starts(start *s, int32_t n) {
    enum { FEW = 48 };
    if (n > FEW) {
        qsort(s, (size_t)n, sizeof *s, by_x);
        return;
    }
    for (int32_t i = 1; i < n; i++) {
        start one = s[i];
        int32_t k = i;
        for (; k > 0 && before(&one, &s[k - 1]); k--) s[k] = s[k - 1];
        s[k] = one;
    }
}

/* Whether all sides turn the same way around the middle of the corners, and once: then none crosses
 * another. Round outlines need no more than this. */
static bool winds_once(const double *xy, int32_t n) {
    double mid[2] = { 0, 0 };
    int32_t left = 0, right = 0, up = 0;
    for (int32_t i = 0; i < n; i++) {
        mid[0] += xy[2 * i] / n;
        mid[1] += xy[2 * i + 1] / n;
    }
    for (int32_t i = 0; i < n; i++) {
        const double *a = xy + 2 * i, *b = i + 1 < n ? a + 2 : xy;
        double t = turn(mid, a, b);
        left += t > 0;
        right += t < 0;
        up += (a[1] < mid[1]) != (b[1] < mid[1]);
    }
    return (left == n || right == n) && up == 2;
}

double vd_audit_crossing(const double *xy, int32_t n) {
    start s[MOST_CORNERS];
    extent around[MOST_CORNERS];
    double sum[MOST_CORNERS + 1];
    if (n < 4 || n > MOST_CORNERS || winds_once(xy, n)) return 0;
    sum[0] = 0;
    for (int32_t i = 0; i < n; i++) {
        const double *a = xy + 2 * i, *b = i + 1 < n ? a + 2 : xy;
        s[i] = (start){ VD_MIN(a[0], b[0]), i };
        around[i] = (extent){ VD_MAX(a[0], b[0]), VD_MIN(a[1], b[1]), VD_MAX(a[1], b[1]) };
        sum[i + 1] = sum[i] + cross(a, b);
    }
    sort_starts(s, n);
    return sweep(xy, s, around, sum, n);
}
