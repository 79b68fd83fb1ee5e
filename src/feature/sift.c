/* Feature extraction: scale space, selection, directions, descriptors.
 * SPDX-License-Identifier: Apache-2.0 */
#include "feature/sift.h"

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
    vd_mem_free(w->order);
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

/* One keypoint and descriptor of an extremum in the direction `turn`. */
static void describe(const vd_sift_work *w, vd_keypoint *kp, uint8_t *desc, const vd_extremum *e,
                     double turn) {
    const vd_octave *o = &w->octave[e->octave];
    double s, c, step = (double)e->sigma * BIN_SIGMAS * WINDOW_BINS / VD_PATCH_SIDE;
    float sums[VD_SIFT_DIM];
    vd_feature_sincos(turn, &s, &c);
    const vd_patch_at at = { e->x, e->y, (float)(c * step), (float)(s * step) };
    w->kern->describe(sums, &o->plane[e->level], &at);
    w->kern->normalise(desc, sums);
    *kp =
        (vd_keypoint){ (float)((double)e->x * o->pixel + 0.5),
                       (float)((double)e->y * o->pixel + 0.5), (float)((double)e->sigma * o->pixel),
                       (float)(turn * (2 * VD_FEATURE_PI)) };
}

static int describe_all(const vd_sift_work *w, vd_features *f, const vd_sift_opt *opt) {
    int n = 0;
    for (int64_t i = 0; i < w->n_found && n < opt->max_features; i++) {
        const vd_extremum *e = &w->found[i];
        float hist[VD_ORIENT_BINS];
        double turn[MOST_DIRECTIONS];
        w->kern->orient(hist, &w->octave[e->octave].plane[e->level], e->x, e->y, e->sigma);
        smooth(hist);
        int k = peaks(turn, hist, opt->max_orientations);
        for (int j = 0; j < k && n < opt->max_features; j++, n++)
            describe(w, &f->kp[n], f->desc + (size_t)n * VD_SIFT_DIM, e, turn[j]);
    }
    return n;
}

vd_status vd_sift_extract_in(vd_sift_work *work, vd_features *out, const uint8_t *luma, int width,
                             int height, ptrdiff_t stride, const uint8_t *mask,
                             ptrdiff_t mask_stride, const vd_sift_opt *opt, vd_err *err) {
    const vd_sift_input in = { luma, mask, stride, mask_stride, width, height };
    vd_features f = { 0 };
    VD_TRY(check(&in, opt, err));
    VD_TRY(vd_scale_space(work, &in, opt, err));
    VD_TRY(vd_select(work, &in, opt->max_features, err));
    int most = (int)VD_MIN(work->n_found * opt->max_orientations, opt->max_features);
    f.kp = vd_mem_alloc((size_t)most * sizeof *f.kp);
    f.desc = vd_mem_aligned((size_t)most * VD_SIFT_DIM);
    if (f.kp == NULL || f.desc == NULL) {
        vd_features_reset(&f);
        return vd_nomem(err);
    }
    f.n = describe_all(work, &f, opt);
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
