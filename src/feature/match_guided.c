/* Matching among pairs that satisfy a geometry. SPDX-License-Identifier: Apache-2.0
 *
 * The second picture's points lie in a grid; a point of the first looks only at the cells that its
 * epipolar line, widened by the tolerance, or its transferred position touches. With n points in a
 * picture of side s that is about n * 2 e / s products a point instead of n. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "feature/match_work.h"

enum { MOST_CELLS = 512 }; /* along a side */

typedef struct grid {
    const float *x; /* 2 n: the points */
    int n, cols, rows;
    double x0, y0, cell;
    const int32_t *start; /* cols * rows + 1: where a cell's points begin in `order` */
    const int32_t *order;
} grid;

/* The cell coordinate of v, within [-1, count]. */
static int cell_of(double v, double origin, double cell, int count) {
    double c = floor((v - origin) / cell);
    return c < 0 ? -1 : c >= count ? count : (int)c;
}

static int cell_at(const grid *g, int i) {
    int cx = cell_of(g->x[2 * i], g->x0, g->cell, g->cols),
        cy = cell_of(g->x[2 * i + 1], g->y0, g->cell, g->rows);
    return VD_CLAMP(cy, 0, g->rows - 1) * g->cols + VD_CLAMP(cx, 0, g->cols - 1);
}

/* Cells of about one point each, but not smaller than the tolerance. */
static void shape_grid(grid *g, double max_error) {
    double x1 = g->x[0], y1 = g->x[1];
    g->x0 = x1;
    g->y0 = y1;
    for (int i = 1; i < g->n; i++) {
        double x = g->x[2 * i], y = g->x[2 * i + 1];
        g->x0 = VD_MIN(g->x0, x);
        g->y0 = VD_MIN(g->y0, y);
        x1 = VD_MAX(x1, x);
        y1 = VD_MAX(y1, y);
    }
    double w = x1 - g->x0, h = y1 - g->y0, side = VD_MAX(w, h);
    g->cell = VD_MAX(VD_MAX(max_error, sqrt(w / g->n * h)), side / (MOST_CELLS - 1));
    if (!(g->cell > 0)) g->cell = 1;
    g->cols = VD_MIN((int)(w / g->cell) + 1, (int)MOST_CELLS);
    g->rows = VD_MIN((int)(h / g->cell) + 1, (int)MOST_CELLS);
}

static vd_status make_grid(grid *g, vd_match_work *w, const float *x, int n, double max_error,
                           vd_err *err) {
    *g = (grid){ .x = x, .n = n };
    shape_grid(g, max_error);
    int cells = g->cols * g->rows;
    VD_TRY(VD_GROW(w->grid, w->cap_grid, (int64_t)cells + 1 + n, err));
    int32_t *start = w->grid, *order = w->grid + cells + 1;
    memset(start, 0, (size_t)(cells + 1) * sizeof *start);
    for (int i = 0; i < n; i++) start[cell_at(g, i) + 1]++;
    for (int c = 0; c < cells; c++) start[c + 1] += start[c];
    for (int i = n - 1; i >= 0; i--) order[--start[cell_at(g, i) + 1]] = i;
    /* every start has moved one cell down */
    memmove(start, start + 1, (size_t)cells * sizeof *start);
    start[cells] = n;
    g->start = start;
    g->order = order;
    return VD_OK;
}

typedef struct guided {
    grid g;
    const vd_guide *guide;
    const vd_match_work *w;
    const uint8_t *da, *db;
    const float *xa, *xb;
} guided;

/* The line M x, or M^T x, of unit normal; false where it has none. */
static bool line_of(double l[3], const double m[9], const float x[2], bool transposed) {
    int r = transposed ? 1 : 3, c = transposed ? 3 : 1;
    for (int i = 0; i < 3; i++)
        l[i] = m[r * i] * (double)x[0] + m[r * i + c] * (double)x[1] + m[r * i + 2 * c];
    double norm = sqrt(l[0] * l[0] + l[1] * l[1]);
    if (!(norm > 0)) return false;
    for (int i = 0; i < 3; i++) l[i] /= norm;
    return true;
}

static double distance(const double l[3], const float x[2]) {
    return fabs(l[0] * (double)x[0] + l[1] * (double)x[1] + l[2]);
}

/* Does pair (i, j) satisfy the geometry? `at` is the line or the place of i in the second. */
static bool satisfies(const guided *m, const double at[3], int i, int j) {
    const float *xa = m->xa + 2 * (ptrdiff_t)i, *xb = m->xb + 2 * (ptrdiff_t)j;
    double e = m->guide->max_error, back[3];
    if (m->guide->kind == VD_GUIDE_HOMOGRAPHY) {
        double dx = (double)xb[0] - at[0], dy = (double)xb[1] - at[1];
        return dx * dx + dy * dy <= e * e;
    }
    return distance(at, xb) <= e && line_of(back, m->guide->m, xb, true) && distance(back, xa) <= e;
}

/* Compares point i with those in cells [c0, c1] of row r. */
static void visit(const guided *m, const double at[3], int i, int r, int c0, int c1) {
    const grid *g = &m->g;
    c0 = VD_MAX(c0, 0);
    c1 = VD_MIN(c1, g->cols - 1);
    if (r < 0 || r >= g->rows || c0 > c1) return;
    for (int k = g->start[r * g->cols + c0]; k < g->start[r * g->cols + c1 + 1]; k++) {
        int j = g->order[k];
        if (!satisfies(m, at, i, j)) continue;
        int32_t s = m->w->kern->dot(m->da + (ptrdiff_t)i * VD_DESC_BYTES,
                                    m->db + (ptrdiff_t)j * VD_DESC_BYTES);
        vd_top2_take(&m->w->row, i, s, j);
        vd_top2_take(&m->w->col, j, s, i);
    }
}

/* All cells that the line, `e` to either side, touches: row by row where it is steep, else column
 * by column. */
static void along_line(const guided *m, const double l[3], int i) {
    const grid *g = &m->g;
    double e = m->guide->max_error;
    bool steep = fabs(l[0]) > fabs(l[1]);
    int n = steep ? g->rows : g->cols;
    double n0 = steep ? l[0] : l[1], n1 = steep ? l[1] : l[0], from = steep ? g->y0 : g->x0,
           other = steep ? g->x0 : g->y0, reach = e / fabs(n0);
    for (int k = 0; k < n; k++) {
        double v0 = from + k * g->cell, a = -(n1 * v0 + l[2]) / n0,
               b = -(n1 * (v0 + g->cell) + l[2]) / n0;
        int count = steep ? g->cols : g->rows;
        int c0 = cell_of(VD_MIN(a, b) - reach, other, g->cell, count),
            c1 = cell_of(VD_MAX(a, b) + reach, other, g->cell, count);
        if (steep)
            visit(m, l, i, k, c0, c1);
        else
            for (int r = VD_MAX(c0, 0); r <= VD_MIN(c1, count - 1); r++) visit(m, l, i, r, k, k);
    }
}

static void around_point(const guided *m, const double h[9], int i) {
    const grid *g = &m->g;
    double x = m->xa[2 * i], y = m->xa[2 * i + 1], e = m->guide->max_error;
    double w = h[6] * x + h[7] * y + h[8];
    double at[3] = { (h[0] * x + h[1] * y + h[2]) / w, (h[3] * x + h[4] * y + h[5]) / w, 1 };
    if (!isfinite(at[0]) || !isfinite(at[1])) return;
    int c0 = cell_of(at[0] - e, g->x0, g->cell, g->cols),
        c1 = cell_of(at[0] + e, g->x0, g->cell, g->cols),
        r0 = cell_of(at[1] - e, g->y0, g->cell, g->rows),
        r1 = cell_of(at[1] + e, g->y0, g->cell, g->rows);
    for (int r = r0; r <= r1; r++) visit(m, at, i, r, c0, c1);
}

static vd_status check_guide(const vd_guide *guide, const float *xa, int na, const float *xb,
                             int nb, vd_err *err) {
    if (!(guide->max_error > 0 && isfinite(guide->max_error)))
        return vd_fail(err, VD_E_ARG, "guided match: max_error %g, must be above 0",
                       guide->max_error);
    for (int k = 0; k < 9; k++)
        if (!isfinite(guide->m[k]))
            return vd_fail(err, VD_E_ARG, "guided match: element %d of the matrix is %g", k,
                           guide->m[k]);
    for (int i = 0; i < 2 * (na + nb); i++) {
        double v = i < 2 * na ? xa[i] : xb[i - 2 * na];
        if (!isfinite(v)) return vd_fail(err, VD_E_ARG, "guided match: a coordinate is %g", v);
    }
    return VD_OK;
}

vd_status vd_match_guided(vd_match **out, int *n, const uint8_t *da, const float *xa, int na,
                          const uint8_t *db, const float *xb, int nb, const vd_guide *guide,
                          const vd_match_opt *opt, vd_match_work *work, vd_err *err) {
    VD_TRY(vd_match_check(opt, na, nb, err));
    VD_TRY(check_guide(guide, xa, na, xb, nb, err));
    vd_match_limit l = vd_match_limit_of(opt);
    guided m = { .guide = guide, .w = work, .da = da, .db = db, .xa = xa, .xb = xb };
    VD_TRY(vd_match_start(work, na, nb, l.floor, err));
    if (nb > 0) VD_TRY(make_grid(&m.g, work, xb, nb, guide->max_error, err));
    for (int i = 0; i < na && nb > 0; i++) {
        double line[3];
        if (guide->kind == VD_GUIDE_HOMOGRAPHY)
            around_point(&m, guide->m, i);
        else if (line_of(line, guide->m, xa + 2 * (ptrdiff_t)i, false))
            along_line(&m, line, i);
    }
    return vd_match_collect(out, n, work, na, &l, opt->cross_check, err);
}
