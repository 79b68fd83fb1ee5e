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
 * Lanes are GCC's vector type: plain loops over arrays are unrolled to scalars before they are
 * vectorised, and take three times as long. All is elementwise, and no lane's answer depends on
 * another's: it has the same bits whatever the registers are. */
#ifndef VD_MATH_ROOTS_H
#define VD_MATH_ROOTS_H

#include <math.h>
#include <string.h>

#include "base/err.h"

#if defined(__AVX512F__)
enum { VD_ROOTS_BLOCK = 8 }; /* lanes of a register */
#elif defined(__AVX__)
enum { VD_ROOTS_BLOCK = 4 };
#else
enum { VD_ROOTS_BLOCK = 2 };
#endif
enum { VD_ROOTS_DEGREE = 12, VD_ROOTS_LANES = 16 };

/* A remainder this small beside what it was computed from is rounding: the roots so far are
 * multiple. */
#define VD_ROOTS_ZERO 1e-15
/* The degree fell by more than one, as for x^4 + 1: the chain of a neighbour, whose degrees fall
 * one by one, has the same sign changes at all but nearly multiple roots. */
#define VD_ROOTS_GAP 1e-9
/* Cells are cut until they are narrower than this; what is left in one is one multiple root. */
#define VD_ROOTS_NARROW 1e-11

/* Newton's method doubles the digits: after a step this small the next would be rounding. */
#define VD_ROOTS_STEP 1e-10

typedef double vd_lanes __attribute__((vector_size(8 * VD_ROOTS_BLOCK)));
typedef int64_t vd_lane_bits __attribute__((vector_size(8 * VD_ROOTS_BLOCK)));
typedef struct vd_grid { /* of points, or of values there */
    vd_lanes v[VD_ROOTS_LANES / VD_ROOTS_BLOCK];
} vd_grid;

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
    int64_t at_lo, at_hi;
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

/* Sign changes along the chain at the points of a grid, by sign bits: a member that is zero has
 * neighbours of opposite signs, so either sign will do for it. */
static inline void vd_sturm_changes(const vd_sturm *t, const double at[VD_ROOTS_LANES],
                                    int64_t changes[VD_ROOTS_LANES]) {
    enum { G = VD_ROOTS_LANES / VD_ROOTS_BLOCK };
    vd_grid x, next, cur, p;
    vd_lane_bits count[G], change;
    memcpy(&x, at, sizeof x);
    for (int g = 0; g < G; g++) {
        next.v[g] = x.v[g] - x.v[g];
        cur.v[g] = next.v[g] + t->end[t->end_degree];
        p.v[g] = next.v[g] + t->c[t->n];
        count[g] = (vd_lane_bits)next.v[g];
    }
    for (int k = t->end_degree - 1; k >= 0; k--)
        for (int g = 0; g < G; g++) cur.v[g] = cur.v[g] * x.v[g] + t->end[k];
    for (int i = t->last; i >= 2; i--)
        for (int g = 0; g < G; g++) {
            vd_lanes up = (x.v[g] * t->a[i] + t->b[i]) * cur.v[g] - next.v[g] * t->s[i];
            change = (vd_lane_bits)up ^ (vd_lane_bits)cur.v[g];
            count[g] -= change < 0; /* true is -1 */
            next.v[g] = cur.v[g];
            cur.v[g] = up;
        }
    /* f[0] by Horner's rule, as when roots are refined: signs at the ends of cells must agree */
    for (int k = t->n - 1; k >= 0; k--)
        for (int g = 0; g < G; g++) p.v[g] = p.v[g] * x.v[g] + t->c[k];
    for (int g = 0; g < G; g++) {
        change = (vd_lane_bits)p.v[g] ^ (vd_lane_bits)cur.v[g];
        count[g] -= change < 0;
    }
    memcpy(changes, count, sizeof count);
}

static inline int64_t vd_cell_roots(const vd_cell *c) {
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
    int64_t v[VD_ROOTS_LANES], left = 0, right = 0;
    int n = 0;
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
    int64_t v[L];
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

static inline void vd_lanes_pick(vd_lanes *to, const vd_lane_bits *mask, const vd_lanes *yes,
                                 const vd_lanes *no) {
    *to = (vd_lanes)((*mask & (vd_lane_bits)*yes) | (~*mask & (vd_lane_bits)*no));
}

/* Newton's method in one block of lanes, halving the bracket where it would leave it. A lane that
 * has converged stands still, so that its bits do not depend on the others. */
static inline void vd_brackets_refine(vd_brackets *b, int n, int from) {
    enum { L = VD_ROOTS_BLOCK, ROUNDS = 60 };
    vd_lanes c[VD_ROOTS_DEGREE + 1], lo, hi, x, low, f, df, to, mid;
    vd_lane_bits open, mask;
    memcpy(&lo, b->lo + from, sizeof lo);
    memcpy(&hi, b->hi + from, sizeof hi);
    for (int k = 0; k <= n; k++) memcpy(&c[k], b->c[k] + from, sizeof c[k]);
    x = (lo + hi) * 0.5;
    open = lo == lo;
    low = c[n];
    for (int k = n - 1; k >= 0; k--) low = low * lo + c[k];
    mask = low == 0; /* the root is lo itself */
    vd_lanes_pick(&hi, &mask, &lo, &hi);
    vd_lanes_pick(&x, &mask, &lo, &x);
    for (int round = 0; round < ROUNDS; round++) {
        int64_t any = 0;
        f = c[n];
        df = x - x;
        for (int k = n - 1; k >= 0; k--) {
            df = df * x + f;
            f = f * x + c[k];
        }
        mask = f * low > 0; /* x lies on the side of lo */
        vd_lanes_pick(&lo, &mask, &x, &lo);
        vd_lanes_pick(&hi, &mask, &hi, &x);
        to = x - f / df;
        mid = (lo + hi) * 0.5;
        mask = (to >= lo) & (to <= hi);
        vd_lanes_pick(&to, &mask, &to, &mid);
        mid = to - x;
        vd_lanes_pick(&x, &open, &to, &x);
        open &= mid * mid > VD_ROOTS_STEP * VD_ROOTS_STEP;
        for (int l = 0; l < L; l++) any |= open[l];
        if (any == 0) break;
    }
    memcpy(b->x + from, &x, sizeof x);
}

/* All distinct real roots of c[0] + c[1] x + ... + c[n] x^n, in no particular order, into
 * x[VD_ROOTS_DEGREE]; n >= 1 and c[n] != 0. Gives their number. */
static inline int vd_roots_inline(double *x, const double *c, int n) {
    vd_sturm t;
    vd_brackets b; /* of which only lanes in use are ever read */
    vd_cell cell[VD_ROOTS_DEGREE + 1];
    b.n = 0;
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
