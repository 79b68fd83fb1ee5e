/* Locally optimised random sampling, whatever the model. SPDX-License-Identifier: Apache-2.0
 *
 * LO-RANSAC [Chum, Matas and Kittler 2003] with the gain of MSAC (kern.h). Samples are drawn eight
 * at a time, as the solvers of kern.h take them; a model is scored on growing blocks of matches and
 * given up as soon as it cannot, or all but surely will not, beat the best; the best minimal model
 * of a batch, when it beats all before it, is refined on the matches it explains. Sampling ends
 * when a sample of inliers only has been drawn with the confidence asked for.
 *
 * Matches must be in random order: blocks then are samples of all. Results depend on the data, the
 * seed and the item only. */
#ifndef VD_GEOMETRY_RANSAC_H
#define VD_GEOMETRY_RANSAC_H

#include "base/err.h"

enum { VD_RANSAC_BATCH = 8, VD_RANSAC_SAMPLE = 7, VD_RANSAC_MODELS = 10, VD_RANSAC_SIZE = 24 };

/* A model as an estimator likes it, at most VD_RANSAC_SIZE numbers. */
typedef struct vd_model {
    double v[VD_RANSAC_SIZE];
} vd_model;

typedef struct vd_estimator {
    const void *data;
    int n;      /* matches */
    int sample; /* matches of a minimal sample */
    /* Solves `count` samples of positions; model[s][0 .. found[s]). */
    void (*solve)(const void *data, const int32_t (*sample)[VD_RANSAC_SAMPLE], int count,
                  vd_model (*model)[VD_RANSAC_MODELS], int found[VD_RANSAC_BATCH]);
    /* The gain over matches from .. to; adds to *inliers. `from` is a multiple of VD_KERN_STEP,
     * `to` one, or n. */
    double (*score)(const void *data, const vd_model *m, int from, int to, int *inliers);
    /* Refines a model on the matches it explains; false when it cannot. NULL: no refinement. */
    bool (*refine)(const void *data, vd_model *m);
    /* The same for the model that is kept: on all matches, to the last digit. */
    bool (*finish)(const void *data, vd_model *m);
    /* Samples come from pool[n_pool] rather than from all; NULL: from all. */
    const int32_t *pool;
    int n_pool;
} vd_estimator;

typedef struct vd_ransac_opt {
    double confidence, min_inlier_ratio;
    int max_trials;
    uint64_t seed, stream, item;
} vd_ransac_opt;

typedef struct vd_ransac_result {
    vd_model model;
    double gain; /* 0: no model */
    int inliers, trials;
} vd_ransac_result;

/* `out` may hold a model with its gain to begin with: only a better one replaces it. */
void vd_ransac_run(vd_ransac_result *out, const vd_estimator *e, const vd_ransac_opt *opt);

/* The last refinement. Keeps the model as it was unless its gain stays about the same or grows. */
void vd_ransac_finish(vd_ransac_result *r, const vd_estimator *e);

/* Samples of `sample` out of n to be drawn until one without outliers came, with this confidence.
 */
int vd_ransac_trials(int inliers, int n, int sample, double confidence, int max_trials);
#endif
