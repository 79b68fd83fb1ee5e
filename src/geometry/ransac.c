/* Locally optimised random sampling; see ransac.h. SPDX-License-Identifier: Apache-2.0 */
#include "geometry/ransac.h"

#include <math.h>

#include "base/rng.h"
#include "geometry/kern.h"

/* The first block; each further one is twice as long. */
enum { FIRST_BLOCK = 32 };
/* Minimal models are compared on so many matches: which of them to refine is no close question, and
 * before there is a good one every model would be scored on all. */
enum { SCREEN = 512 };
/* A model is given up when its gain so far lies this many standard deviations below the best's: of
 * a better one, fewer than two in ten thousand are lost. */
static const double SIGMAS = 3.5;
/* The last refinement minimises a softer loss, which may cost this much of the gain. */
static const double KEPT = 0.95;
/* It is done again while the gain grows by this, at most so often. */
static const double GROWN = 1.002;
enum { PASSES = 4 };

int vd_ransac_trials(int inliers, int n, int sample, double confidence, int max_trials) {
    double p = 1;
    for (int i = 0; i < sample; i++) p *= (double)(inliers - i) / (n - i);
    if (inliers < sample || !(p > 0)) return max_trials;
    if (p >= 1) return 1;
    double t = ceil(log(1 - confidence) / log1p(-p));
    return t < max_trials ? VD_MAX(1, (int)t) : max_trials;
}

/* `sample` different positions below n, by Floyd's method. */
static void draw(int32_t *out, int sample, int n, vd_rng *r) {
    for (int k = 0, top = n - sample; k < sample; k++, top++) {
        int32_t at = (int32_t)vd_rng_int(r, top + 1);
        for (int i = 0; i < k; i++)
            if (out[i] == at) {
                at = (int32_t)top;
                break;
            }
        out[k] = at;
    }
}

static void draw_batch(const vd_estimator *e, int32_t (*sample)[VD_RANSAC_SAMPLE], vd_rng *r) {
    for (int s = 0; s < VD_RANSAC_BATCH; s++) {
        draw(sample[s], e->sample, e->pool != NULL ? e->n_pool : e->n, r);
        for (int i = 0; e->pool != NULL && i < e->sample; i++) sample[s][i] = e->pool[sample[s][i]];
    }
}

/* The gain of a minimal model over the first matches if it beats `best`, else some smaller number.
 */
static double screen(const vd_estimator *e, const vd_model *m, double best) {
    int n = VD_MIN(e->n, SCREEN), inliers = 0;
    double gain = 0, mean = best / n;
    for (int from = 0, block = FIRST_BLOCK; from < n; block *= 2) {
        int to = from + 2 * block < n ? from + block : n;
        gain += e->score(e->data, m, from, to, &inliers);
        from = to;
        if (gain + (n - to) <= best) break;
        if (to < n && gain < to * mean - SIGMAS * sqrt(to * mean * (1 - mean))) break;
    }
    return gain;
}

/* The best model of a batch of samples that beats `*best` in the screening. */
static bool best_of_batch(const vd_estimator *e, vd_rng *r, double *best, vd_model *out) {
    int32_t sample[VD_RANSAC_BATCH][VD_RANSAC_SAMPLE];
    vd_model model[VD_RANSAC_BATCH][VD_RANSAC_MODELS];
    int found[VD_RANSAC_BATCH] = { 0 };
    bool any = false;
    draw_batch(e, sample, r);
    e->solve(e->data, (const int32_t(*)[VD_RANSAC_SAMPLE])sample, VD_RANSAC_BATCH, model, found);
    for (int s = 0; s < VD_RANSAC_BATCH; s++)
        for (int i = 0; i < found[s]; i++) {
            double gain = screen(e, &model[s][i], *best);
            if (!(gain > *best)) continue;
            *best = gain;
            *out = model[s][i];
            any = true;
        }
    return any;
}

/* Scores a model on all matches and keeps it when it is the best so far. */
static bool keep_better(vd_ransac_result *out, const vd_estimator *e, const vd_model *m) {
    int inliers = 0;
    double gain = e->score(e->data, m, 0, e->n, &inliers);
    if (!(gain > out->gain)) return false;
    out->model = *m;
    out->gain = gain;
    out->inliers = inliers;
    return true;
}

void vd_ransac_finish(vd_ransac_result *r, const vd_estimator *e) {
    bool grows = r->gain > 0 && e->finish != NULL;
    for (int pass = 0; grows && pass < PASSES; pass++) {
        vd_model m = r->model;
        int inliers = 0;
        if (!e->finish(e->data, &m)) return;
        double gain = e->score(e->data, &m, 0, e->n, &inliers);
        if (!(gain > KEPT * r->gain)) return;
        grows = gain > GROWN * r->gain; /* then there may be more to be explained */
        r->model = m;
        r->gain = gain;
        r->inliers = inliers;
    }
}

void vd_ransac_run(vd_ransac_result *out, const vd_estimator *e, const vd_ransac_opt *opt) {
    vd_rng r = vd_rng_for(opt->seed, opt->stream, opt->item);
    int from = e->pool != NULL ? e->n_pool : e->n, trials = 0;
    double best_minimal = 0;
    if (from < e->sample) return;
    int least = (int)ceil(opt->min_inlier_ratio * from);
    int needed = vd_ransac_trials(VD_MAX(least, e->sample), from, e->sample, opt->confidence,
                                  opt->max_trials);
    while (trials < needed) {
        vd_model m;
        trials += VD_RANSAC_BATCH;
        if (!best_of_batch(e, &r, &best_minimal, &m)) continue;
        bool better = keep_better(out, e, &m);
        if (e->refine != NULL && e->refine(e->data, &m)) better |= keep_better(out, e, &m);
        if (!better) continue;
        /* of a pool, the share of inliers is unknown: of all there are at least as many in it */
        if (e->pool == NULL)
            needed = VD_MIN(needed, vd_ransac_trials(out->inliers, from, e->sample, opt->confidence,
                                                     opt->max_trials));
    }
    out->trials += trials;
}
