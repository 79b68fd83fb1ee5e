/* Crossing sides, by a sweep along x. SPDX-License-Identifier: Apache-2.0 */
#include "audit/polygon.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/err.h"

enum { MOST_CORNERS = 4096, TESTS_A_CORNER = 64 };

typedef struct side {
    double x0, x1, y0, y1; /* around it */
    int32_t i;             /* from corner i to the next */
} side;

static inline bool before(const side *a, const side *b) {
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

static double sweep(const double *xy, const side *s, const double *sum, int32_t n) {
    double worst = 0, at[2];
    int64_t left = (int64_t)TESTS_A_CORNER * n;
    for (int32_t i = 0; i < n; i++) {
        for (int32_t k = i + 1; k < n && s[k].x0 <= s[i].x1; k++) {
            if (left-- == 0) return worst;
            if (s[k].y0 > s[i].y1 || s[i].y0 > s[k].y1) continue;
            int32_t a = s[i].i, b = s[k].i;
            if (a - b == 1 || b - a == 1 || a - b == n - 1 || b - a == n - 1) continue;
            if (meet(xy + 2 * a, xy + 2 * ((a + 1) % n), xy + 2 * b, xy + 2 * ((b + 1) % n), at))
                worst = fmax(worst, cut_off(xy, sum, n, a, b, at));
        }
    }
    return worst;
}

/* Nearly all outlines have few corners, and their sides come nearly sorted. */
static void sort_sides(side *s, int32_t n) {
    enum { FEW = 48 };
    if (n > FEW) {
        qsort(s, (size_t)n, sizeof *s, by_x);
        return;
    }
    for (int32_t i = 1; i < n; i++) {
        side one = s[i];
        int32_t k = i;
        for (; k > 0 && before(&one, &s[k - 1]); k--) s[k] = s[k - 1];
        s[k] = one;
    }
}

double vd_audit_crossing(const double *xy, int32_t n) {
    side s[MOST_CORNERS];
    double sum[MOST_CORNERS + 1];
    if (n < 4 || n > MOST_CORNERS) return 0;
    sum[0] = 0;
    for (int32_t i = 0; i < n; i++) {
        const double *a = xy + 2 * i, *b = i + 1 < n ? a + 2 : xy;
        s[i] = (side){ .x0 = VD_MIN(a[0], b[0]),
                       .x1 = VD_MAX(a[0], b[0]),
                       .y0 = VD_MIN(a[1], b[1]),
                       .y1 = VD_MAX(a[1], b[1]),
                       .i = i };
        sum[i + 1] = sum[i] + cross(a, b);
    }
    sort_sides(s, n);
    return sweep(xy, s, sum, n);
}
