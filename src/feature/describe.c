/* Directions and descriptors of the extrema that were chosen. SPDX-License-Identifier: Apache-2.0
 *
 * The levels of their octaves are made once more, in strips, so that no more of them than the rows
 * around a band of extrema are in memory at a time; levels that nothing is described from are not
 * made. Which extrema are chosen is known only when all of them are, so this cannot be done while
 * they are looked for. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "feature/num.h"
#include "feature/work.h"

#define PEAK_SHARE 0.8f /* of the highest peak: Lowe, section 5 */
enum {
    SMOOTHINGS = 6,  /* box filters of 3 bins over the direction histogram, as VLFeat has it */
    BIN_SIGMAS = 3,  /* width of a descriptor bin in units of the keypoint's sigma */
    WINDOW_BINS = 5, /* 4 bins and half of one on either side */
    STRIP = 800,     /* columns of a strip, without its overlap */
    BAND = 32,       /* rows whose extrema are described together */
    BANDS = 4,       /* so many rows go by before those at hand are moved up */
};

static void smooth(float h[VD_ORIENT_BINS]) {
    for (int pass = 0; pass < SMOOTHINGS; pass++) {
        float before = h[VD_ORIENT_BINS - 1], first = h[0];
        for (int i = 0; i < VD_ORIENT_BINS; i++) {
            float next = i + 1 < VD_ORIENT_BINS ? h[i + 1] : first;
            float sum = (before + h[i] + next) * (1.0f / 3);
            before = h[i];
            h[i] = sum;
        }
    }
}

/* The `most` highest peaks, as turns in [0, 1), highest first. */
static int peaks(double turn[VD_SIFT_MOST_DIRECTIONS], const float h[VD_ORIENT_BINS], int most) {
    float highest = 0, height[VD_SIFT_MOST_DIRECTIONS];
    int n = 0;
    for (int i = 0; i < VD_ORIENT_BINS; i++) highest = h[i] > highest ? h[i] : highest;
    for (int i = 0; i < VD_ORIENT_BINS && highest > 0; i++) {
        float l = h[(i + VD_ORIENT_BINS - 1) % VD_ORIENT_BINS], c = h[i],
              r = h[(i + 1) % VD_ORIENT_BINS];
        if (!(c > l && c > r && c >= PEAK_SHARE * highest)) continue;
        int at = n;
        while (at > 0 && height[at - 1] < c) at--;
        if (at >= most) continue;
        int last = VD_MIN(n, most - 1);
        for (int k = last; k > at; k--) {
            height[k] = height[k - 1];
            turn[k] = turn[k - 1];
        }
        height[at] = c;
        double bin = i + 0.5 + 0.5 * ((double)l - r) / ((double)l - 2.0 * c + r);
        turn[at] = bin / VD_ORIENT_BINS;
        if (turn[at] < 0) turn[at] += 1;
        if (turn[at] >= 1) turn[at] -= 1;
        n = VD_MIN(n + 1, most);
    }
    return n;
}

/* An extremum on its way to features. */
typedef struct vd_pending {
    double turn[VD_SIFT_MOST_DIRECTIONS];
    int32_t n;    /* directions */
    int32_t desc; /* its first descriptor among those made */
    float size;   /* sigma in pixels of the picture */
} vd_pending;

/* Something to sort by; equal keys stay in the order of positions. */
typedef struct keyed {
    uint64_t key;
    int32_t at;
} keyed;

static int by_key(const void *a, const void *b) {
    const keyed *p = a, *q = b;
    if (p->key != q->key) return p->key < q->key ? -1 : 1;
    return p->at - q->at;
}

/* ---- in the scale space ---- */

/* The rows at hand of one strip's levels. */
typedef struct window {
    vd_making m;
    int reach; /* pixels around an extremum that it is described from */
    int top;   /* the first row at hand */
    int rows;  /* room for so many */
    ptrdiff_t pitch;
    vd_pending *pending;
    int64_t n_desc;
} window;

static uint16_t *row_of(const window *b, int level, int y) {
    return b->m.w->planes + ((level - 1) * (ptrdiff_t)b->rows + (y - b->top)) * b->pitch;
}

static void keep(vd_making *m, int level, int from, int to) {
    const window *b = m->user;
    for (int y = VD_MAX(from, b->top); y < to && level > 0; y++)
        m->w->kern->pack(row_of(b, level, y), vd_ring_row(&m->g[level], y), m->right - m->left);
}

/* The furthest pixel of a patch or a direction's window, in pixels of the octave: of the largest
 * extremum that the fit lets pass. */
static int reach_of(const vd_sift_opt *opt) {
    double sigma = VD_SIFT_SIGMA * vd_feature_exp2((opt->levels + 1.0) / opt->levels);
    double step = sigma * BIN_SIGMAS * WINDOW_BINS / VD_PATCH_SIDE, half = VD_PATCH_SIDE / 2 + 1;
    return VD_MAX((int)(sqrt(2) * half * step), (int)VD_ORIENT_REACH) + 2;
}

static vd_status shape_window(window *b, vd_err *err) {
    vd_making *m = &b->m;
    vd_sift_work *w = m->w;
    m->margin = b->reach;
    VD_TRY(vd_making_shape(m, err));
    /* the first level is ahead of the last by less than the whole lag, and by a block */
    b->rows = BANDS * BAND + 2 * b->reach + vd_making_lag(m) + VD_SIFT_BLOCK;
    b->pitch = m->pitch;
    int64_t total = (int64_t)m->last * b->rows * b->pitch + VD_FEATURE_PAD;
    return VD_GROW(w->planes, w->cap_planes, total, err);
}

/* Makes the rows that extrema of [y, y + BAND) are described from, and drops those before. */
static void advance(window *b, int y) {
    vd_making *m = &b->m;
    int h = m->o->height, end = VD_MIN(y + BAND + b->reach, h), from = VD_MAX(y - b->reach, 0);
    if (end + vd_making_lag(m) + VD_SIFT_BLOCK > b->top + b->rows) {
        for (int level = 1; level <= m->last; level++) {
            size_t n = (size_t)VD_MAX(m->g[level].done - from, 0) * (size_t)b->pitch;
            memmove(row_of(b, level, b->top), row_of(b, level, from), n * sizeof(uint16_t));
        }
        b->top = from;
    }
    while (m->g[m->last].done < end) vd_making_step(m);
}

/* Directions of one extremum, and a descriptor for each. */
static vd_status describe(window *b, int at, vd_err *err) {
    vd_sift_work *w = b->m.w;
    const vd_extremum *e = &w->found[at];
    vd_pending *p = &b->pending[at];
    const vd_octave *o = b->m.o;
    float hist[VD_ORIENT_BINS];
    /* columns and rows count from the octave's first, which is not at hand */
    const vd_plane16 plane = { row_of(b, e->level + 1, 0) - b->m.left, b->pitch, o->width,
                               o->height };
    w->kern->orient(hist, &plane, e->x, e->y, e->sigma);
    smooth(hist);
    p->n = peaks(p->turn, hist, b->m.opt->max_orientations);
    p->size = (float)((double)e->sigma * o->pixel);
    p->desc = (int32_t)b->n_desc;
    VD_TRY(VD_GROW(w->desc, w->cap_desc, (b->n_desc + p->n) * VD_SIFT_DIM, err));
    double s, c, step = (double)e->sigma * BIN_SIGMAS * WINDOW_BINS / VD_PATCH_SIDE;
    for (int i = 0; i < p->n; i++) {
        float sums[VD_SIFT_DIM];
        vd_feature_sincos(p->turn[i], &s, &c);
        const vd_patch_at patch = { e->x, e->y, (float)(c * step), (float)(s * step) };
        w->kern->describe(sums, &plane, &patch);
        w->kern->normalise(w->desc + b->n_desc++ * VD_SIFT_DIM, sums);
    }
    return VD_OK;
}

/* Strip, band, level, column: neighbours in this order are neighbours in memory. */
static uint64_t place(const vd_extremum *e, int strip) {
    uint64_t band = (uint64_t)((int)e->y / BAND), x = (uint64_t)(int)e->x;
    return x / (uint64_t)strip << 48 | band << 32 | (uint64_t)e->level << 28 | x;
}

/* Those of one strip, in the order of places; gives their number. */
static vd_status describe_strip(window *b, const keyed *order, int n, int *done, vd_err *err) {
    const vd_extremum *found = b->m.w->found;
    int x = (int)found[order[0].at].x / b->m.strip * b->m.strip, i = 0;
    int y = (int)found[order[0].at].y / BAND * BAND;
    b->top = VD_MAX(y - b->reach, 0);
    vd_making_strip(&b->m, x, b->top);
    for (; i < n && (int)found[order[i].at].x < b->m.inner1; y += BAND) {
        advance(b, y);
        for (; i < n; i++) {
            const vd_extremum *e = &found[order[i].at];
            if ((int)e->x >= b->m.inner1 || (int)e->y >= y + BAND) break;
            VD_TRY(describe(b, order[i].at, err));
        }
    }
    *done = i;
    return VD_OK;
}

static vd_status describe_octave(window *b, keyed *order, vd_err *err) {
    const vd_sift_work *w = b->m.w;
    int n = 0;
    VD_TRY(shape_window(b, err));
    for (int i = 0; i < w->n_found; i++)
        if (w->found[i].octave == b->m.octave)
            order[n++] = (keyed){ place(&w->found[i], b->m.strip), i };
    if (n > 1) qsort(order, (size_t)n, sizeof *order, by_key);
    for (int i = 0, done = 0; i < n; i += done)
        VD_TRY(describe_strip(b, order + i, n - i, &done, err));
    return VD_OK;
}

/* ---- what comes of it ---- */

/* Features are given out to the strongest until there are `most`; gives their number. */
static int give_out(vd_pending *p, int n, int most) {
    int left = most;
    for (int i = 0; i < n; i++) {
        p[i].n = VD_MIN(p[i].n, left);
        left -= p[i].n;
    }
    return most - left;
}

/* Features are in the order of their size, largest first: the first ones are those that are
 * likeliest to be seen from elsewhere. */
static void gather(vd_features *f, const vd_sift_work *w, const vd_pending *pending, keyed *order) {
    int n = (int)w->n_found, slot = 0;
    for (int i = 0; i < n; i++) {
        uint32_t bits; /* as integers, positive floats keep their order */
        memcpy(&bits, &pending[i].size, sizeof bits);
        order[i] = (keyed){ ~(uint64_t)bits, i };
    }
    if (n > 1) qsort(order, (size_t)n, sizeof *order, by_key);
    for (int i = 0; i < n; i++) {
        const vd_pending *p = &pending[order[i].at];
        const vd_extremum *e = &w->found[order[i].at];
        double pixel = w->octave[e->octave].pixel;
        for (int k = 0; k < p->n; k++, slot++) {
            memcpy(f->desc + (size_t)slot * VD_SIFT_DIM,
                   w->desc + (size_t)(p->desc + k) * VD_SIFT_DIM, VD_SIFT_DIM);
            f->kp[slot] = (vd_keypoint){ (float)((double)e->x * pixel + 0.5),
                                         (float)((double)e->y * pixel + 0.5), p->size,
                                         (float)(p->turn[k] * (2 * VD_FEATURE_PI)) };
        }
    }
}

vd_status vd_describe(vd_features *f, vd_sift_work *w, const vd_sift_input *in,
                      const vd_sift_opt *opt, vd_err *err) {
    size_t n = (size_t)w->n_found;
    vd_status st = VD_OK;
    keyed *order = vd_mem_alloc(n * sizeof *order);
    window b = { .m = { .w = w, .in = in, .opt = opt, .last = opt->levels, .made = keep },
                 .reach = reach_of(opt),
                 .pending = vd_mem_array(n, sizeof(vd_pending)) };
    b.m.user = &b;
    if (b.pending == NULL || order == NULL) VD_GO(vd_nomem(err));
    for (int i = 0; i < w->n_octaves; i++) {
        b.m.octave = i;
        b.m.strip = STRIP;
        VD_GO(describe_octave(&b, order, err));
    }
    f->n = give_out(b.pending, (int)n, opt->max_features);
    f->kp = vd_mem_alloc((size_t)f->n * sizeof *f->kp);
    f->desc = vd_mem_aligned((size_t)f->n * VD_SIFT_DIM);
    if (f->kp == NULL || f->desc == NULL)
        st = vd_nomem(err);
    else
        gather(f, w, b.pending, order);
done:
    vd_mem_free(b.pending);
    vd_mem_free(order);
    return st;
}
