/* SIFT keypoints and descriptors of one picture. SPDX-License-Identifier: Apache-2.0
 *
 * Lowe, "Distinctive image features from scale-invariant keypoints", IJCV 2004: extrema of the
 * difference of Gaussians in a scale space of octaves, located by a quadratic fit, with up to
 * max_orientations directions each, described by 4 x 4 histograms of 8 gradient directions.
 * Descriptors are normalised by their L1 norm and the square root is taken (Arandjelovic and
 * Zisserman, "Three things everyone should know to improve object retrieval", CVPR 2012), so
 * that their dot product is a Bhattacharyya coefficient and their Euclidean norm is 1, stored as
 * VD_SIFT_NORM. Constants are those that COLMAP uses, so that thresholds carry over.
 *
 * The answer is the same to the bit on every processor level: sums have a fixed order, fused
 * multiply-adds are fused on all of them. */
#ifndef VD_FEATURE_SIFT_H
#define VD_FEATURE_SIFT_H

#include "base/err.h"

enum {
    VD_SIFT_DIM = 128,
    VD_SIFT_NORM = 512, /* length of a quantised descriptor, up to rounding */
    VD_SIFT_MAX_SIDE = 1 << 15,
    VD_SIFT_MAX_FEATURES = 1 << 20,
};

typedef struct vd_keypoint {
    float x, y;  /* pixels of the given picture, the first pixel's centre is (0.5, 0.5) */
    float scale; /* sigma of the Gaussian level of the detection (Lowe's convention), pixels */
    float angle; /* radians in [0, 2 pi), from +x towards +y (clockwise as one sees it) */
} vd_keypoint;

typedef struct vd_sift_opt {
    int max_features;      /* at most so many, 1 .. VD_SIFT_MAX_FEATURES */
    int octaves_up;        /* 1: the first octave is the picture enlarged twice; 0: the picture */
    int levels;            /* scales in an octave, 2 .. 5 */
    double peak_threshold; /* least |DoG| at the fitted extremum, for grey levels in 0 .. 1 */
    double edge_threshold; /* largest ratio of the principal curvatures */
    int max_orientations;  /* 1 .. 4, the strongest peaks of at least 0.8 of the best */
} vd_sift_opt;
#define VD_SIFT_OPT                                                                                \
    {                                                                                              \
        .max_features = 8192, .octaves_up = 1, .levels = 3, .peak_threshold = 0.02 / 3,            \
        .edge_threshold = 10, .max_orientations = 2                                                \
    }

/* Largest scale first (directions of one place together), an order that depends on the picture
 * alone. A zeroed value is empty. */
typedef struct vd_features {
    int n;
    vd_keypoint *kp; /* n */
    uint8_t *desc;   /* n * VD_SIFT_DIM: cell (row, column) of 4 x 4, then direction */
} vd_features;
void vd_features_init(vd_features *f);
void vd_features_reset(vd_features *f);

/* Memory that extraction works in, reused from picture to picture: 6 bytes a pixel of the picture
 * where it is enlarged and 1.4 where not, 3 MB for the rows at hand, and what the extrema and their
 * descriptors take. One thread at a time. */
typedef struct vd_sift_work vd_sift_work;
vd_status vd_sift_work_new(vd_sift_work **out, vd_err *err);
void vd_sift_work_free(vd_sift_work *w);
/* Gives the memory back to the system until the next picture. */
void vd_sift_work_rest(vd_sift_work *w);

/* Features of a luma plane. No keypoint has its centre on a pixel where mask is 0.
 *     shapes : luma height rows of width bytes, stride bytes apart; mask the same or NULL
 *     owns   : *out is replaced (free with vd_features_reset), untouched on failure
 *     fails  : VD_E_ARG, VD_E_LIMIT (a side above VD_SIFT_MAX_SIDE), VD_E_NOMEM
 *     threads: none of its own; any number of calls at once, each with its own work */
vd_status vd_sift_extract_in(vd_sift_work *work, vd_features *out, const uint8_t *luma, int width,
                             int height, ptrdiff_t stride, const uint8_t *mask,
                             ptrdiff_t mask_stride, const vd_sift_opt *opt, vd_err *err);

/* The same with memory taken for this call. */
vd_status vd_sift_extract(vd_features *out, const uint8_t *luma, int width, int height,
                          ptrdiff_t stride, const uint8_t *mask, ptrdiff_t mask_stride,
                          const vd_sift_opt *opt, vd_err *err);
#endif
