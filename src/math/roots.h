/* Real roots of a polynomial by Sturm's theorem, as an inline function, so that each level of
 * kernels compiles it for its own vectors. Other callers use vd_poly_roots.
 * SPDX-License-Identifier: Apache-2.0
 *
 * The chain f0 = p, f1 = p', f[i+1] = -(f[i-1] mod f[i]) is kept as linear quotients, so that all
 * of it is evaluated in two multiplications a member; the number of sign changes along it at a
 * minus that at b is the number of distinct roots in (a, b]. The line is first cut at the points 0,
 * +-1/4, +-1/2, +-3/4, +-1, +-4/3, +-2, +-4; cells with several roots are cut in sixteen again.
 * Beyond +-1 the variable is 1 / x, so that every cell is short and infinity is an ordinary place.
 * All isolated roots are then refined together by Newton's method kept inside its bracket.
 *
 * Every loop over lanes is elementwise, of a fixed length and free of branches, and every decision
 * is made on whole arrays: the answer has the same bits whatever the vectors are. */
#ifndef VD_MATH_ROOTS_H
#define VD_MATH_ROOTS_H

#include <math.h>

#include "base/err.h"

enum { VD_ROOTS_DEGREE = 12, VD_ROOTS_LANES = 16, VD_ROOTS_BLOCK = 8 };

/* A remainder this small beside what it was computed from is rounding: the roots so far are
 * multiple. */
#define VD_ROOTS_ZERO 1e-15
/* The degree fell by more than one, as for x^4 + 1: the chain of a neighbour, whose degrees fall
 * one by one, has the same sign changes at all but nearly multiple roots. */
#define VD_ROOTS_GAP 1e-9
/* Cells are cut until they are narrower than this; what is left in one is one multiple root. */
#define VD_ROOTS_NARROW 1e-11

typedef struct vd_sturm {
    int n;    /* degree of p */
    int last; /* f[last] is the end of the chain */
    double a[VD_ROOTS_DEGREE + 1], b[VD_ROOTS_DEGREE + 1], s[VD_ROOTS_DEGREE + 1];
    double end[VD_ROOTS_DEGREE + 1]; /* coefficients of f[last] */
    int end_degree;
    double c[VD_ROOTS_DEGREE + 1], r[VD_ROOTS_DEGREE + 1]; /* p, and x^n p(1 / x) */
    bool far_left[VD_ROOTS_DEGREE + 1],
        far_right[VD_ROOTS_DEGREE + 1]; /* f[i] < 0 at -+ infinity */
} vd_sturm;

/* A cell: in x, or in 1 / x when `inverse`, with the sign changes at both ends. */
typedef struct vd_cell {
    double lo, hi;
    int at_lo, at_hi;
    bool inverse;
} vd_cell;

static inline double vd_roots_larger(double a, double b) {
    return a > b ? a : b;
}

/* f[i-1] = (a x + b) f[i] - s f[i+1], each f[i] scaled to a leading coefficient of +-1. */
static inline void vd_sturm_init(vd_sturm *t, const double *c, int n) {
    double f[VD_ROOTS_DEGREE + 1], g[VD_ROOTS_DEGREE + 1], h[VD_ROOTS_DEGREE + 1];
    double scale = 1 / fabs(c[n]);
    for (int i = 0; i <= n; i++) t->c[i] = t->r[n - i] = f[i] = c[i] * scale;
    for (int i = 0; i < n; i++) g[i] = f[i + 1] * (i + 1) / n;
    t->n = n;
    t->far_right[0] = f[n] < 0;
    t->far_left[0] = (f[n] < 0) != (n & 1);
    t->last = 0;
    for (int m = n - 1;; m--) { /* f is f[last], of degree m + 1, g is f[last + 1], of degree m */
        int i = ++t->last, d = m - 1;
        t->far_right[i] = g[m] < 0;
        t->far_left[i] = (g[m] < 0) != (m & 1);
        t->end_degree = m;
        double a = f[m + 1] * g[m], b = (f[m] - (m > 0 ? a * g[m - 1] : 0)) * g[m];
        double most = 0, size = 0;
        t->a[i] = a;
        t->b[i] = b;
        t->s[i] = 0; /* at the end of the chain */
        if (m == 0) break;
        h[0] = b * g[0] - f[0];
        for (int k = 1; k < m; k++) h[k] = a * g[k - 1] + b * g[k] - f[k];
        for (int k = 0; k < m; k++) {
            most = vd_roots_larger(most, fabs(h[k]));
            size = vd_roots_larger(size, fabs(f[k]));
        }
        if (!(most > VD_ROOTS_ZERO * size)) break;
        if (!(fabs(h[d]) > VD_ROOTS_GAP * most)) h[d] = VD_ROOTS_GAP * most;
        double s = fabs(h[d]), inv = 1 / s;
        t->s[i] = s;
        for (int k = 0; k <= m; k++) f[k] = g[k];
        for (int k = 0; k < d; k++) g[k] = h[k] * inv;
        g[d] = h[d] < 0 ? -1 : 1;
    }
    for (int k = 0; k <= t->end_degree; k++) t->end[k] = g[k];
}

/* Sign changes along the chain at the points x. */
static inline void vd_sturm_changes(const vd_sturm *t, const double x[VD_ROOTS_LANES],
                                    int changes[VD_ROOTS_LANES]) {
    enum { L = VD_ROOTS_LANES };
    double next[L], cur[L], count[L], p[L];
    for (int l = 0; l < L; l++) {
        cur[l] = t->end[t->end_degree];
        p[l] = t->c[t->n];
        next[l] = count[l] = 0;
    }
    for (int k = t->end_degree - 1; k >= 0; k--)
        for (int l = 0; l < L; l++) cur[l] = cur[l] * x[l] + t->end[k];
    for (int i = t->last; i >= 2; i--) {
        double a = t->a[i], b = t->b[i], s = t->s[i];
        for (int l = 0; l < L; l++) {
            double up = (a * x[l] + b) * cur[l] - s * next[l];
            count[l] += (up < 0) == (cur[l] < 0) ? 0. : 1.;
            next[l] = cur[l];
            cur[l] = up;
        }
    }
    /* f[0] by Horner's rule, as when roots are refined: signs at the ends of cells must agree */
    for (int k = t->n - 1; k >= 0; k--)
        for (int l = 0; l < L; l++) p[l] = p[l] * x[l] + t->c[k];
    for (int l = 0; l < L; l++)
        changes[l] = (int)(count[l] + ((p[l] < 0) == (cur[l] < 0) ? 0. : 1.));
}

static inline int vd_cell_roots(const vd_cell *c) {
    return c->at_hi > c->at_lo ? c->at_hi - c->at_lo : c->at_lo - c->at_hi;
}

/* Keeps the cell when it holds roots; rounding may count too many. */
static inline int vd_cell_add(vd_cell *cell, int n, vd_cell c) {
    if (vd_cell_roots(&c) > 0 && n < VD_ROOTS_DEGREE) cell[n++] = c;
    return n;
}

/* The line cut at the fixed points; gives the number of cells that hold roots. */
static inline int vd_sturm_cells(const vd_sturm *t, vd_cell *cell) {
    static const double x[VD_ROOTS_LANES] = { -4,   -2,  -4. / 3, -1, -0.75,  -0.5, -0.25, 0,
                                              0.25, 0.5, 0.75,    1,  4. / 3, 2,    4,     4 };
    static const double inv[VD_ROOTS_LANES] = { -0.25, -0.5, -0.75, -1, 0,    0,   0,    0,
                                                0,     0,    0,     1,  0.75, 0.5, 0.25, 0.25 };
    int v[VD_ROOTS_LANES], left = 0, right = 0, n = 0;
    vd_sturm_changes(t, x, v);
    for (int i = 0; i < t->last; i++) {
        left += t->far_left[i] != t->far_left[i + 1];
        right += t->far_right[i] != t->far_right[i + 1];
    }
    n = vd_cell_add(cell, n, (vd_cell){ -0.25, 0, v[0], left, true });
    for (int l = 0; l < 14; l++)
        if (l < 3 || l >= 11)
            n = vd_cell_add(cell, n, (vd_cell){ inv[l + 1], inv[l], v[l + 1], v[l], true });
        else
            n = vd_cell_add(cell, n, (vd_cell){ x[l], x[l + 1], v[l], v[l + 1], false });
    return vd_cell_add(cell, n, (vd_cell){ 0, 0.25, right, v[14], true });
}

/* Cuts the last cell in seventeen; gives the new number of cells. */
static inline int vd_sturm_cut(const vd_sturm *t, vd_cell *cell, int n) {
    enum { L = VD_ROOTS_LANES };
    vd_cell whole = cell[--n];
    double w[L], x[L], step = (whole.hi - whole.lo) / (L + 1);
    int v[L];
    for (int l = 0; l < L; l++) w[l] = whole.lo + (l + 1) * step;
    for (int l = 0; l < L; l++) x[l] = whole.inverse ? 1 / w[l] : w[l];
    vd_sturm_changes(t, x, v);
    n = vd_cell_add(cell, n, (vd_cell){ whole.lo, w[0], whole.at_lo, v[0], whole.inverse });
    for (int l = 0; l + 1 < L; l++)
        n = vd_cell_add(cell, n, (vd_cell){ w[l], w[l + 1], v[l], v[l + 1], whole.inverse });
    return vd_cell_add(cell, n,
                       (vd_cell){ w[L - 1], whole.hi, v[L - 1], whole.at_hi, whole.inverse });
}

/* Cells with one root each, as arrays for refining; c[k] are the coefficients in their variable. */
typedef struct vd_brackets {
    double lo[VD_ROOTS_LANES], hi[VD_ROOTS_LANES], x[VD_ROOTS_LANES];
    double c[VD_ROOTS_DEGREE + 1][VD_ROOTS_LANES];
    bool inverse[VD_ROOTS_LANES];
    int n;
} vd_brackets;

static inline void vd_brackets_add(vd_brackets *b, const vd_sturm *t, const vd_cell *cell) {
    int l = b->n++;
    b->lo[l] = cell->lo;
    b->hi[l] = cell->hi;
    b->inverse[l] = cell->inverse;
    for (int k = 0; k <= t->n; k++) b->c[k][l] = cell->inverse ? t->r[k] : t->c[k];
}

/* Newton's method in one block of lanes, halving the bracket where it would leave it. A lane that
 * has converged stands still, so that its bits do not depend on the others. */
static inline void vd_brackets_refine(vd_brackets *b, int n, int from) {
    enum { L = VD_ROOTS_BLOCK, ROUNDS = 60 };
    double lo[L], hi[L], x[L], low[L], f[L], df[L], open[L];
    for (int l = 0; l < L; l++) {
        lo[l] = b->lo[from + l];
        hi[l] = b->hi[from + l];
        x[l] = 0.5 * (lo[l] + hi[l]);
        low[l] = b->c[n][from + l];
        open[l] = 1;
    }
    for (int k = n - 1; k >= 0; k--)
        for (int l = 0; l < L; l++) low[l] = low[l] * lo[l] + b->c[k][from + l];
    for (int round = 0; round < ROUNDS; round++) {
        double moving = 0;
        for (int l = 0; l < L; l++) {
            f[l] = b->c[n][from + l];
            df[l] = 0;
        }
        for (int k = n - 1; k >= 0; k--)
            for (int l = 0; l < L; l++) {
                df[l] = df[l] * x[l] + f[l];
                f[l] = f[l] * x[l] + b->c[k][from + l];
            }
        for (int l = 0; l < L; l++) {
            bool same = (f[l] < 0) == (low[l] < 0);
            double a = same ? x[l] : lo[l], z = same ? hi[l] : x[l], to = x[l] - f[l] / df[l];
            to = to > a && to < z ? to : to == x[l] ? x[l] : 0.5 * (a + z);
            open[l] = fabs(to - x[l]) > 1e-15 ? open[l] : 0;
            lo[l] = a;
            hi[l] = z;
            x[l] = open[l] > 0 ? to : x[l];
        }
        for (int l = 0; l < L; l++) moving += open[l];
        if (moving == 0) break;
    }
    for (int l = 0; l < L; l++) b->x[from + l] = x[l];
}

/* All distinct real roots of c[0] + c[1] x + ... + c[n] x^n, in no particular order, into
 * x[VD_ROOTS_DEGREE]; n >= 1 and c[n] != 0. Gives their number. */
static inline int vd_roots_inline(double *x, const double *c, int n) {
    vd_sturm t;
    vd_brackets b = { .n = 0 };
    vd_cell cell[VD_ROOTS_DEGREE + 1];
    vd_sturm_init(&t, c, n);
    int cells = vd_sturm_cells(&t, cell), cuts = 0;
    while (cells > 0 && b.n < VD_ROOTS_DEGREE) {
        const vd_cell *last = &cell[cells - 1];
        if (vd_cell_roots(last) == 1 || last->hi - last->lo < VD_ROOTS_NARROW || ++cuts > 64) {
            vd_brackets_add(&b, &t, last);
            cells--;
        } else
            cells = vd_sturm_cut(&t, cell, cells);
    }
    int found = b.n;
    for (int from = 0; from < found; from += VD_ROOTS_BLOCK) {
        for (int l = found; l < from + VD_ROOTS_BLOCK; l++) { /* idle lanes repeat the first */
            b.lo[l] = b.lo[0];
            b.hi[l] = b.hi[0];
            for (int k = 0; k <= n; k++) b.c[k][l] = b.c[k][0];
        }
        vd_brackets_refine(&b, n, from);
    }
    int kept = 0;
    for (int l = 0; l < found; l++) {
        double r = b.inverse[l] ? 1 / b.x[l] : b.x[l];
        if (isfinite(r)) x[kept++] = r;
    }
    return kept;
}
#endif
