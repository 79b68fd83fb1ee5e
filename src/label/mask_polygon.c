/* Filling polygons as the COCO API does, bit for bit, so that areas and overlaps are those that
 * everybody's figures were made with. SPDX-License-Identifier: Apache-2.0
 *
 * Its rule. Corners are rounded to a grid five times as fine, (int)(5 x + 0.5). Each edge is drawn
 * on that grid: one point a step along its longer side, the other coordinate rounded by adding 0.5
 * and cutting off. Where two successive points of an edge lie in neighbouring fine columns 5 k + 2
 * and 5 k + 3, the outline passes the middle of pixel column k, and toggles inside and outside
 * there: in the first pixel whose middle is not above the lower of the two points' rows. Toggles
 * are sorted down the columns, and the differences between them are the runs; two at one place
 * cancel.
 *
 * Drawing the points of an edge only to keep one in five is not needed: the steps at which it
 * passes 5 k + 2 are computed, the same arithmetic giving the rows. So an edge takes as long as it
 * is wide in pixels of the picture, and what lies outside takes no time. */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "label/mask_int.h"

enum { FINE = 5, MIDDLE = 2, SORT_BY_HAND = 24, SPARSE = 16 };
/* No outline of a picture comes near it; a hostile one could ask for corners times columns. */
enum { MAX_TOGGLES = 1 << 24 };

typedef struct toggles {
    uint32_t *at; /* column * height + row; the row may be the height: the next column's first */
    int64_t n, cap;
    int32_t height, width;
    vd_err *err;
} toggles;

/* `row` is of the fine grid. */
static void toggle(toggles *t, int32_t column, int32_t row) {
    int32_t y = row + MIDDLE < 0 ? 0 : (row + MIDDLE) / FINE;
    y = VD_MIN(y, t->height);
    t->at[t->n++] = (uint32_t)column * (uint32_t)t->height + (uint32_t)y;
}

static vd_status make_room(toggles *t, const char *where, int64_t more) {
    if (t->n + more > MAX_TOGGLES)
        return vd_fail(t->err, VD_E_LIMIT, "%s: a polygon passes more than %d columns", where,
                       MAX_TOGGLES);
    return VD_GROW(t->at, t->cap, t->n + more, t->err);
}

/* Range of pixel columns whose middles lie in fine columns [x0, x1): both 5 k + 2 and the next are
 * passed. */
static void columns_between(const toggles *t, int32_t x0, int32_t x1, int32_t *first,
                            int32_t *last) {
    *first = x0 <= MIDDLE ? 0 : (x0 - MIDDLE + FINE - 1) / FINE;
    *last = x1 - 1 < MIDDLE ? -1 : (x1 - 1 - MIDDLE) / FINE;
    *last = VD_MIN(*last, t->width - 1);
}

/* Rounds as the reference does: towards zero, also below it. */
static int32_t cut(double v) {
    return (int32_t)v;
}

/* An edge at least as wide as high, from left to right. */
static void flat_edge(toggles *t, int32_t x0, int32_t y0, int32_t x1, int32_t y1) {
    int32_t first, last;
    double slope = (double)(y1 - y0) / (x1 - x0);
    columns_between(t, x0, x1, &first, &last);
    for (int32_t k = first; k <= last; k++) {
        int32_t step = FINE * k + MIDDLE - x0;
        int32_t here = cut(y0 + slope * step + .5), next = cut(y0 + slope * (step + 1) + .5);
        toggle(t, k, VD_MIN(here, next));
    }
}

/* An edge higher than wide, from top to bottom: its fine column after `step` rows never goes back.
 */
static void steep_edge(toggles *t, int32_t x0, int32_t y0, int32_t x1, int32_t y1) {
    int32_t first, last, rows = y1 - y0;
    double slope = (double)(x1 - x0) / rows;
    if (x0 == x1) return;
    columns_between(t, VD_MIN(x0, x1), VD_MAX(x0, x1), &first, &last);
    for (int32_t k = first; k <= last; k++) {
        /* The last step on this side: estimated, then put right by the very arithmetic. */
        int32_t x = FINE * k + MIDDLE;
        double guess = floor((x + .5 - x0) / slope);
        int32_t step = (int32_t)VD_CLAMP(guess, 0, rows - 1);
        bool right = x1 > x0;
#define BEYOND(s) ((cut(x0 + slope * (s) + .5) > x) == right)
        while (step > 0 && BEYOND(step)) step--;
        while (step + 1 < rows && !BEYOND(step + 1)) step++;
#undef BEYOND
        toggle(t, k, y0 + step);
    }
}

static void edge(toggles *t, int32_t x0, int32_t y0, int32_t x1, int32_t y1) {
    int32_t dx = abs(x1 - x0), dy = abs(y1 - y0);
    if (dx >= dy && dx > 0) {
        if (x0 < x1)
            flat_edge(t, x0, y0, x1, y1);
        else
            flat_edge(t, x1, y1, x0, y0);
    } else if (dy > dx) {
        if (y0 < y1)
            steep_edge(t, x0, y0, x1, y1);
        else
            steep_edge(t, x1, y1, x0, y0);
    }
}

static int by_place(const void *a, const void *b) {
    uint32_t p = *(const uint32_t *)a, q = *(const uint32_t *)b;
    return (p > q) - (p < q);
}

static void sort_some(uint32_t *v, int64_t n) {
    if (n > SORT_BY_HAND) {
        qsort(v, (size_t)n, sizeof *v, by_place);
        return;
    }
    for (int64_t i = 1; i < n; i++) {
        uint32_t x = v[i];
        int64_t k = i;
        for (; k > 0 && v[k - 1] > x; k--) v[k] = v[k - 1];
        v[k] = x;
    }
}

/* Few toggles a column and many columns: they are dealt out by column, then each hand is sorted. */
static vd_status sort_toggles(toggles *t) {
    if (t->n <= SORT_BY_HAND) {
        sort_some(t->at, t->n);
        return VD_OK;
    }
    uint32_t h = (uint32_t)t->height, lo = UINT32_MAX, hi = 0;
    for (int64_t i = 0; i < t->n; i++) {
        lo = VD_MIN(lo, t->at[i]);
        hi = VD_MAX(hi, t->at[i]);
    }
    int64_t left = lo / h, n_columns = hi / h - left + 1;
    if (n_columns > SPARSE * t->n) {
        sort_some(t->at, t->n);
        return VD_OK;
    }
    uint32_t *sorted = vd_mem_alloc((size_t)t->n * sizeof *sorted);
    int64_t *begin = vd_mem_array((size_t)n_columns + 2, sizeof *begin);
    vd_status st = sorted != NULL && begin != NULL ? VD_OK : vd_nomem(t->err);
    for (int64_t i = 0; st == VD_OK && i < t->n; i++) begin[t->at[i] / h - left + 2]++;
    for (int64_t c = 2; st == VD_OK && c < n_columns + 2; c++) begin[c] += begin[c - 1];
    for (int64_t i = 0; st == VD_OK && i < t->n; i++)
        sorted[begin[t->at[i] / h - left + 1]++] = t->at[i];
    for (int64_t c = 0; st == VD_OK && c < n_columns; c++)
        sort_some(sorted + begin[c], begin[c + 1] - begin[c]);
    vd_mem_free(begin);
    if (st == VD_OK) {
        vd_mem_free(t->at);
        t->at = sorted;
        t->cap = t->n;
    } else {
        vd_mem_free(sorted);
    }
    return st;
}

/* Toggles that occur an odd number of times begin a run each; the last pixel ends the last one. */
static vd_status runs_of_toggles(vd_mask *out, const toggles *t) {
    uint32_t pixels = (uint32_t)t->height * (uint32_t)t->width, last = 0;
    uint32_t *run = vd_mem_alloc((size_t)(t->n + 1) * sizeof *run);
    int64_t n = 0;
    if (run == NULL) return vd_nomem(t->err);
    for (int64_t i = 0; i < t->n; i++) {
        if (i + 1 < t->n && t->at[i] == t->at[i + 1]) {
            i++;
            continue;
        }
        if (t->at[i] == pixels) break;
        run[n++] = t->at[i] - last;
        last = t->at[i];
    }
    run[n++] = pixels - last;
    *out = (vd_mask){ t->height, t->width, n, run };
    return VD_OK;
}

static vd_status fine_of(int32_t *out, const char *where, double v, int64_t index, vd_err *err) {
    if (!(fabs(v) <= VD_MASK_MAX_COORD))
        return vd_fail(err, VD_E_FORMAT, "%s: coordinate %lld of a polygon is %g, the limit is %g",
                       where, (long long)index, v, VD_MASK_MAX_COORD);
    *out = cut(FINE * v + .5);
    return VD_OK;
}

vd_status vd_mask_from_polygon(vd_mask *out, const char *where, const double *xy, int64_t n,
                               int64_t height, int64_t width, vd_err *err) {
    VD_TRY(vd_mask__check_size(where, height, width, err));
    toggles t = { NULL, 0, 0, (int32_t)height, (int32_t)width, err };
    vd_status st = VD_OK;
    int32_t x0 = 0, y0 = 0, x1 = 0, y1 = 0, at[2];
    for (int64_t i = 0; i < n && st == VD_OK; i++) {
        st = fine_of(&at[0], where, xy[2 * i], 2 * i, err);
        if (st == VD_OK) st = fine_of(&at[1], where, xy[2 * i + 1], 2 * i + 1, err);
    }
    if (st == VD_OK && n > 0) {
        fine_of(&x0, where, xy[2 * n - 2], 0, NULL);
        fine_of(&y0, where, xy[2 * n - 1], 0, NULL);
    }
    for (int64_t i = 0; i < n && st == VD_OK; i++, x0 = x1, y0 = y1) {
        int32_t first, last;
        fine_of(&x1, where, xy[2 * i], 0, NULL);
        fine_of(&y1, where, xy[2 * i + 1], 0, NULL);
        columns_between(&t, VD_MIN(x0, x1), VD_MAX(x0, x1), &first, &last);
        st = make_room(&t, where, VD_MAX(last - first + 1, 0) + 1);
        if (st == VD_OK) edge(&t, x0, y0, x1, y1);
    }
    if (st == VD_OK) st = sort_toggles(&t);
    if (st == VD_OK) st = runs_of_toggles(out, &t);
    vd_mem_free(t.at);
    return st;
}

vd_status vd_mask_from_box(vd_mask *out, const char *where, const double box[4], int64_t height,
                           int64_t width, vd_err *err) {
    double x0 = box[0], y0 = box[1], x1 = x0 + box[2], y1 = y0 + box[3];
    const double xy[8] = { x0, y0, x0, y1, x1, y1, x1, y0 };
    return vd_mask_from_polygon(out, where, xy, 4, height, width, err);
}
