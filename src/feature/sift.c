/* Feature extraction: scale space, selection, directions, descriptors.
 * SPDX-License-Identifier: Apache-2.0 */
#include "feature/sift.h"

#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/mem.h"
#include "feature/num.h"
#include "feature/work.h"

#define PEAK_SHARE 0.8f /* of the highest peak: Lowe, section 5 */
enum {
    SMOOTHINGS = 6,  /* box filters of 3 bins over the direction histogram, as VLFeat has it */
    BIN_SIGMAS = 3,  /* width of a descriptor bin in units of the keypoint's sigma */
    WINDOW_BINS = 5, /* 4 bins and half of one on either side */
    MOST_DIRECTIONS = 4,
};

void vd_features_init(vd_features *f) {
    *f = (vd_features){ 0 };
}

void vd_features_reset(vd_features *f) {
    if (f == NULL) return;
    vd_mem_free(f->kp);
    vd_mem_free(f->desc);
    *f = (vd_features){ 0 };
}

vd_status vd_sift_work_new(vd_sift_work **out, vd_err *err) {
    vd_sift_work *w = vd_mem_array(1, sizeof *w);
    if (w == NULL) return vd_nomem(err);
    w->kern = vd_feature_kern_for(vd_cpu_features());
    *out = w;
    return VD_OK;
}

void vd_sift_work_free(vd_sift_work *w) {
    if (w == NULL) return;
    vd_mem_free(w->planes);
    vd_mem_free(w->base[0]);
    vd_mem_free(w->base[1]);
    vd_mem_free(w->rows);
    vd_mem_free(w->found);
    vd_mem_free(w->hits);
    vd_mem_free(w);
}

static vd_status check(const vd_sift_input *in, const vd_sift_opt *opt, vd_err *err) {
    if (in->width < 1 || in->height < 1 || in->luma == NULL)
        return vd_fail(err, VD_E_ARG, "sift: a picture of %d x %d", in->width, in->height);
    if (in->width > VD_SIFT_MAX_SIDE || in->height > VD_SIFT_MAX_SIDE)
        return vd_fail(err, VD_E_LIMIT, "sift: a picture of %d x %d, the limit is %d a side",
                       in->width, in->height, VD_SIFT_MAX_SIDE);
    if (opt->max_features < 1 || opt->max_features > VD_SIFT_MAX_FEATURES)
        return vd_fail(err, VD_E_ARG, "sift: %d features, 1 to %d are possible", opt->max_features,
                       VD_SIFT_MAX_FEATURES);
    if (opt->octaves_up < 0 || opt->octaves_up > 1 || opt->levels < 2 ||
        opt->levels > VD_SIFT_MAX_LEVELS)
        return vd_fail(err, VD_E_ARG, "sift: octaves_up %d (0 or 1), levels %d (2 to %d)",
                       opt->octaves_up, opt->levels, VD_SIFT_MAX_LEVELS);
    if (!(opt->peak_threshold >= 0 && opt->peak_threshold <= 1) ||
        !(opt->edge_threshold >= 1 && opt->edge_threshold <= 1e6))
        return vd_fail(err, VD_E_ARG,
                       "sift: peak threshold %g (0 to 1), edge threshold %g (from 1)",
                       opt->peak_threshold, opt->edge_threshold);
    if (opt->max_orientations < 1 || opt->max_orientations > MOST_DIRECTIONS)
        return vd_fail(err, VD_E_ARG, "sift: %d orientations, 1 to %d are possible",
                       opt->max_orientations, MOST_DIRECTIONS);
    return VD_OK;
}

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
static int peaks(double turn[MOST_DIRECTIONS], const float h[VD_ORIENT_BINS], int most) {
    float highest = 0, height[MOST_DIRECTIONS];
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
    double turn[MOST_DIRECTIONS];
    int32_t at;   /* position in the list of extrema, the strongest first */
    int32_t n;    /* directions */
    int32_t slot; /* its first feature */
    float size;   /* sigma in pixels of the picture */
} vd_pending;

static const vd_extremum *extremum_of(const vd_sift_work *w, const vd_pending *p) {
    return &w->found[p->at];
}

/* An order in which neighbours in the scale space are neighbours in memory: level by level, in
 * bands of rows. */
static uint64_t place(const vd_extremum *e) {
    enum { BAND = 32 };
    uint64_t band = (uint64_t)((int)e->y / BAND), x = (uint64_t)(int)e->x;
    return (uint64_t)e->octave << 60 | (uint64_t)e->level << 56 | band << 24 | x;
}

/* The features of one extremum. */
static void describe(const vd_sift_work *w, const vd_features *f, const vd_pending *p) {
    const vd_extremum *e = extremum_of(w, p);
    const vd_octave *o = &w->octave[e->octave];
    double s, c, step = (double)e->sigma * BIN_SIGMAS * WINDOW_BINS / VD_PATCH_SIDE;
    for (int i = 0; i < p->n; i++) {
        float sums[VD_SIFT_DIM];
        vd_feature_sincos(p->turn[i], &s, &c);
        const vd_patch_at at = { e->x, e->y, (float)(c * step), (float)(s * step) };
        w->kern->describe(sums, &o->plane[e->level], &at);
        w->kern->normalise(f->desc + (size_t)(p->slot + i) * VD_SIFT_DIM, sums);
        f->kp[p->slot + i] = (vd_keypoint){ (float)((double)e->x * o->pixel + 0.5),
                                            (float)((double)e->y * o->pixel + 0.5), p->size,
                                            (float)(p->turn[i] * (2 * VD_FEATURE_PI)) };
    }
}

static void orient(const vd_sift_work *w, vd_pending *p, int most) {
    const vd_extremum *e = extremum_of(w, p);
    float hist[VD_ORIENT_BINS];
    w->kern->orient(hist, &w->octave[e->octave].plane[e->level], e->x, e->y, e->sigma);
    smooth(hist);
    p->n = peaks(p->turn, hist, most);
    p->size = (float)((double)e->sigma * w->octave[e->octave].pixel);
}

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

/* Directions for all, in the order of places; then features are given out to the strongest until
 * there are `most`. Gives their number. */
static int orient_all(const vd_sift_work *w, vd_pending *p, const keyed *order, int n,
                      const vd_sift_opt *opt) {
    int left = opt->max_features;
    for (int i = 0; i < n; i++) {
        p[order[i].at].at = order[i].at;
        orient(w, &p[order[i].at], opt->max_orientations);
    }
    for (int i = 0; i < n; i++) {
        p[i].n = VD_MIN(p[i].n, left);
        left -= p[i].n;
    }
    return opt->max_features - left;
}

/* Features are in the order of their size, largest first: the first ones are those that are
 * likeliest to be seen from elsewhere. */
static void give_slots(vd_pending *p, keyed *order, int n) {
    for (int i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &p[i].size, sizeof bits); /* as integers, positive floats keep their order */
        order[i] = (keyed){ ~(uint64_t)bits, i };
    }
    qsort(order, (size_t)n, sizeof *order, by_key);
    for (int i = 0, slot = 0; i < n; i++) {
        p[order[i].at].slot = slot;
        slot += p[order[i].at].n;
    }
}

static vd_status describe_all(const vd_sift_work *w, vd_features *f, const vd_sift_opt *opt,
                              vd_err *err) {
    int n = (int)w->n_found;
    vd_status st = VD_OK;
    vd_pending *p = vd_mem_array((size_t)n, sizeof *p);
    keyed *places = vd_mem_alloc((size_t)n * sizeof *places),
          *order = vd_mem_alloc((size_t)n * sizeof *order);
    if (p == NULL || places == NULL || order == NULL) {
        st = vd_nomem(err);
        goto done;
    }
    for (int i = 0; i < n; i++) places[i] = (keyed){ place(&w->found[i]), i };
    qsort(places, (size_t)n, sizeof *places, by_key);
    f->n = orient_all(w, p, places, n, opt);
    f->kp = vd_mem_alloc((size_t)f->n * sizeof *f->kp);
    f->desc = vd_mem_aligned((size_t)f->n * VD_SIFT_DIM);
    if (f->kp == NULL || f->desc == NULL) {
        st = vd_nomem(err);
        goto done;
    }
    give_slots(p, order, n);
    for (int i = 0; i < n; i++) describe(w, f, &p[places[i].at]);
done:
    vd_mem_free(p);
    vd_mem_free(places);
    vd_mem_free(order);
    return st;
}

vd_status vd_sift_extract_in(vd_sift_work *work, vd_features *out, const uint8_t *luma, int width,
                             int height, ptrdiff_t stride, const uint8_t *mask,
                             ptrdiff_t mask_stride, const vd_sift_opt *opt, vd_err *err) {
    const vd_sift_input in = { luma, mask, stride, mask_stride, width, height };
    vd_features f = { 0 };
    VD_TRY(check(&in, opt, err));
    VD_TRY(vd_scale_space(work, &in, opt, err));
    VD_TRY(vd_select(work, &in, opt->max_features, err));
    vd_status st = describe_all(work, &f, opt, err);
    if (st != VD_OK) {
        vd_features_reset(&f);
        return st;
    }
    vd_features_reset(out);
    *out = f;
    return VD_OK;
}

vd_status vd_sift_extract(vd_features *out, const uint8_t *luma, int width, int height,
                          ptrdiff_t stride, const uint8_t *mask, ptrdiff_t mask_stride,
                          const vd_sift_opt *opt, vd_err *err) {
    vd_sift_work *w = NULL;
    VD_TRY(vd_sift_work_new(&w, err));
    vd_status st =
        vd_sift_extract_in(w, out, luma, width, height, stride, mask, mask_stride, opt, err);
    vd_sift_work_free(w);
    return st;
}
