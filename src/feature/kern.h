/* Inner loops of the feature room: a table of slots for each CPU level. Float sums have an order
 * that does not depend on the level, and what is written as a fused multiply-add is one on every
 * level (fmaf in the reference), so that all give the same bits. kern_ref.h is the reference.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_FEATURE_KERN_H
#define VD_FEATURE_KERN_H

#include "base/err.h"

enum {
    VD_BLUR_MAX_RADIUS = 24,
    VD_FEATURE_PAD = 32,  /* floats beyond a row's end that a kernel may read and write */
    VD_ORIENT_BINS = 36,  /* of the direction histogram */
    VD_ORIENT_REACH = 24, /* largest radius of its window, pixels */
    VD_PATCH_SIDE = 20,   /* samples across the descriptor's window of 5 x 5 bins */
};

/* A level of the scale space: grey levels times 256, rounded. The stride is in samples. */
typedef struct vd_plane16 {
    const uint16_t *data;
    ptrdiff_t stride;
    int width, height; /* both at least 2 */
} vd_plane16;

/* Where and how a patch is sampled: column j and row i of the grid lie at
 *     x + c * (j - mid) - s * (i - mid),  y + s * (j - mid) + c * (i - mid),
 * mid = (VD_PATCH_SIDE + 1) / 2; (0, 0) is the centre of the first sample of the plane. */
typedef struct vd_patch_at {
    float x, y, c, s;
} vd_patch_at;

typedef struct vd_feature_kern {
    const char *name;
    /* Weighted sums of 2 radius + 1 rows: dst row i < n_out, column x < width:
     * sum = w[0] rows[i + r][x]; then for k = 1 .. r: sum = fma(w[k], above + below, sum). */
    void (*blur_rows)(float *dst, ptrdiff_t stride, const float *const *rows, const float *w,
                      int radius, int n_out, int width);
    /* The same along a row; src[-radius] .. src[width - 1 + radius] are there. */
    void (*blur_cols)(float *dst, const float *src, const float *w, int radius, int width);
    /* A row between rows a and b of n pixels, enlarged twice: dst[2 i] = (a[i] + b[i]) / 2,
     * dst[2 i + 1] = (a[i] + a[i + 1] + b[i] + b[i + 1]) / 4, exactly; a[n] and b[n] are there. */
    void (*enlarge)(float *dst, const uint8_t *a, const uint8_t *b, int n);
    /* dst[i] = src[2 i], i < n. */
    void (*halve)(float *dst, const float *src, int n);
    /* dst = a - b. */
    void (*subtract)(float *dst, const float *a, const float *b, int n);
    /* dst = (int)(src * 256 + 0.5). */
    void (*pack)(uint16_t *dst, const float *src, int n);
    /* Ascending positions 1 <= x < n - 1 where |d[4][x]| >= threshold and d[4][x] is above, or
     * below, all its 26 neighbours: rows y - 1, y, y + 1 of the scale below are d[0..2], of its
     * own d[3..5], of the scale above d[6..8]. Gives their number; hits has room for n. */
    int (*extrema)(int32_t *hits, const float *const d[9], int n, float threshold);
    /* Histogram of gradient directions within a disc, weighted by magnitude and a Gaussian of
     * sigma 1.5 `scale`; cleared first. */
    void (*orient)(float hist[VD_ORIENT_BINS], const vd_plane16 *p, float x, float y, float scale);
    /* Gradient histograms of a patch, VD_SIFT_DIM sums, not normalised. */
    void (*describe)(float out[128], const vd_plane16 *p, const vd_patch_at *at);
    /* Clamped, L1-root, quantised; all zero where the sum is. */
    void (*normalise)(uint8_t out[128], const float in[128]);
} vd_feature_kern;

extern const vd_feature_kern vd_feature_kern_c;
#if defined(__x86_64__)
extern const vd_feature_kern vd_feature_kern_avx2;
extern const vd_feature_kern vd_feature_kern_avx512;
#endif

/* The best table for a set of vd_cpu_features() bits. */
const vd_feature_kern *vd_feature_kern_for(unsigned features);
#endif
