/* Matching among pairs that satisfy a geometry. SPDX-License-Identifier: Apache-2.0
 *
 * The second picture's points lie in strips, sorted along each, once with strips across the lines
 * that are rather flat and once across those that are steep. A point of the first looks, strip by
 * strip, only at the part that its epipolar line, widened by the tolerance, or its transferred
 * position touches. With n points in a picture of side s that is about n * 2 e / s products a point
 * instead of n. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "feature/match_work.h"

enum {
    MOST_STRIPS = 12,
    MOST_BUCKETS = 256,
    IN_STRIP = 128, /* points, that strips are worth having for */
    IN_BUCKET = 2,  /* points, about */
    X_ACROSS = 0,   /* the order whose strips follow one another along x, for flat lines */
    Y_ACROSS = 1,
};

typedef struct order {
    double origin[2], size[2]; /* px of a strip, and of a bucket in it, */
    double per_px[2];          /* and their inverses */
    int count[2];
    const int32_t *start; /* of each bucket in the lists below */
    const int32_t *id;
    const double *across, *along;
    const double *back; /* epipolar: 1 / the length of the normal of its line in the first */
} order;

typedef struct guided {
    order order[2];
    const vd_guide *guide;
    const vd_match_work *w;
    const uint8_t *da, *db;
    int n; /* candidates of the point at hand, in w->near */
} guided;

/* The cell of v, within [-1, count]. */
static inline int cell_of(const order *o, int axis, double v) {
    double c = (v - o->origin[axis]) * o->per_px[axis];
    return !(c >= 0) ? -1 : c >= o->count[axis] ? o->count[axis] : (int)c;
}

static int bucket_of(const order *o, double across, double along) {
    int s = cell_of(o, 0, across), b = cell_of(o, 1, along);
    return VD_CLAMP(s, 0, o->count[0] - 1) * o->count[1] + VD_CLAMP(b, 0, o->count[1] - 1);
}

static void shape(order *o, int axis, const float *x, int n, int first, int count) {
    double low = x[first], high = low;
    for (int i = 1; i < n; i++) {
        low = VD_MIN(low, (double)x[2 * i + first]);
        high = VD_MAX(high, (double)x[2 * i + first]);
    }
    o->origin[axis] = low;
    o->count[axis] = count;
    o->size[axis] = (high - low) / count;
    if (!(o->size[axis] > 0)) o->size[axis] = 1;
    o->per_px[axis] = 1 / o->size[axis];
}

/* The length of the line's normal: M x, or M^T x. */
static double line_of(double l[3], const double m[9], const float x[2], bool transposed) {
    int r = transposed ? 1 : 3, c = transposed ? 3 : 1;
    for (int i = 0; i < 3; i++)
        l[i] = m[r * i] * (double)x[0] + m[r * i + c] * (double)x[1] + m[r * i + 2 * c];
    return sqrt(l[0] * l[0] + l[1] * l[1]);
}

/* `start` has room for all buckets and one more, `id` for n, `place` for 3 n. */
static void sort_points(order *o, int which, int32_t *start, int32_t *id, double *place,
                        const float *x, int n, const vd_guide *guide) {
    int cells = o->count[0] * o->count[1];
    const float *u = x + (which == Y_ACROSS), *v = x + (which == X_ACROSS);
    memset(start, 0, (size_t)(cells + 1) * sizeof *start);
    for (int i = 0; i < n; i++) start[bucket_of(o, u[2 * i], v[2 * i]) + 1]++;
    for (int c = 0; c < cells; c++) start[c + 1] += start[c];
    for (int i = n - 1; i >= 0; i--) {
        double l[3];
        int at = --start[bucket_of(o, u[2 * i], v[2 * i]) + 1];
        id[at] = i;
        place[at] = u[2 * i];
        place[n + at] = v[2 * i];
        place[2 * n + at] = 1 / line_of(l, guide->m, x + 2 * (ptrdiff_t)i, true);
    }
    /* every start has moved one bucket down */
    memmove(start, start + 1, (size_t)cells * sizeof *start);
    start[cells] = n;
    o->start = start;
    o->id = id;
    o->across = place;
    o->along = place + n;
    o->back = place + 2 * (ptrdiff_t)n;
}

static vd_status make_orders(guided *m, vd_match_work *w, const float *x, int n, vd_err *err) {
    int strips = VD_CLAMP(n / IN_STRIP, 1, (int)MOST_STRIPS),
        buckets = VD_CLAMP(n / strips / IN_BUCKET, 1, (int)MOST_BUCKETS);
    int64_t cells = (int64_t)strips * buckets + 1;
    VD_TRY(VD_GROW(w->grid, w->cap_grid, 2 * (cells + n), err));
    VD_TRY(VD_GROW(w->places, w->cap_places, 6 * (int64_t)n, err));
    VD_TRY(VD_GROW(w->near, w->cap_near, 2 * (int64_t)n, err));
    for (int k = 0; k < 2; k++) {
        int32_t *at = w->grid + k * (cells + n);
        shape(&m->order[k], 0, x, n, k, strips);
        shape(&m->order[k], 1, x, n, 1 - k, buckets);
        sort_points(&m->order[k], k, at, at + cells, w->places + 3 * (ptrdiff_t)n * k, x, n,
                    m->guide);
    }
    return VD_OK;
}

/* The part of a strip between two places: positions [from, to) in the order. */
static inline bool part_of(const order *o, int strip, double low, double high, int *from, int *to) {
    int first = cell_of(o, 1, low), last = cell_of(o, 1, high);
    if (!(low <= high) || first >= o->count[1] || last < 0) return false;
    first = VD_MAX(first, 0);
    last = VD_MIN(last, o->count[1] - 1);
    *from = o->start[strip * o->count[1] + first];
    *to = o->start[strip * o->count[1] + last + 1];
    return *from < *to;
}

/* Candidates within the tolerance of line l, whose normal had the length given. */
static void along_line(guided *m, const double l[3], double length) {
    int k = fabs(l[0]) > fabs(l[1]) ? Y_ACROSS : X_ACROSS;
    const order *o = &m->order[k];
    double e = m->guide->max_error, lu = l[k == Y_ACROSS], lv = l[k == X_ACROSS];
    const double line[3] = { lu / length, lv / length, l[2] / length };
    double slope = -lu / lv, step = slope * o->size[0];
    double reach = e * length / fabs(lv) + fabs(step) / 2, at = slope * o->origin[0] - l[2] / lv;
    reach += 1e-9 * (fabs(at) + o->count[0] * fabs(step) + reach); /* for what rounding does */
    for (int s = 0; s < o->count[0]; s++) {
        double middle = at + (s + 0.5) * step;
        int from, to, found, *near = m->w->near + m->n;
        if (!part_of(o, s, middle - reach, middle + reach, &from, &to)) continue;
        /* the distance in the first picture is the other times the ratio of the normals */
        found = m->w->kern->near_line(near, o->across + from, o->along + from, o->back + from,
                                      to - from, line, length, e);
        for (int i = 0; i < found; i++) near[i] = o->id[from + near[i]];
        m->n += found;
    }
}

/* Candidates within the tolerance of where the homography takes x. */
static void around_point(guided *m, const float xa[2]) {
    const order *o = &m->order[X_ACROSS];
    const double *h = m->guide->m, e = m->guide->max_error, x = xa[0], y = xa[1];
    double w = h[6] * x + h[7] * y + h[8];
    double u = (h[0] * x + h[1] * y + h[2]) / w, v = (h[3] * x + h[4] * y + h[5]) / w;
    if (!isfinite(u) || !isfinite(v)) return;
    int last = VD_MIN(cell_of(o, 0, u + e), o->count[0] - 1);
    for (int s = VD_MAX(cell_of(o, 0, u - e), 0); s <= last; s++) {
        int from, to;
        if (!part_of(o, s, v - e, v + e, &from, &to)) continue;
        for (int i = from; i < to; i++) {
            double du = o->across[i] - u, dv = o->along[i] - v;
            if (du * du + dv * dv <= e * e) m->w->near[m->n++] = o->id[i];
        }
    }
}

/* Compares point i with its candidates. */
static void take_candidates(const guided *m, int i) {
    int32_t *which = m->w->near, *product = which + m->n;
    m->w->kern->dots(product, m->da + (ptrdiff_t)i * VD_DESC_BYTES, m->db, which, m->n);
    for (int k = 0; k < m->n; k++) {
        vd_top2_take(&m->w->row, i, product[k], which[k]);
        vd_top2_take(&m->w->col, which[k], product[k], i);
    }
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
    guided m = { .guide = guide, .w = work, .da = da, .db = db };
    VD_TRY(vd_match_start(work, na, nb, l.floor, err));
    if (nb > 0) VD_TRY(make_orders(&m, work, xb, nb, err));
    for (int i = 0; i < na && nb > 0; i++) {
        double line[3], length;
        m.n = 0;
        if (guide->kind == VD_GUIDE_HOMOGRAPHY)
            around_point(&m, xa + 2 * (ptrdiff_t)i);
        else if ((length = line_of(line, guide->m, xa + 2 * (ptrdiff_t)i, false)) > 0)
            along_line(&m, line, length);
        take_candidates(&m, i);
    }
    return vd_match_collect(out, n, work, na, &l, opt->cross_check, err);
}
