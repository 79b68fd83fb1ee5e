/* Matches between the descriptors of two pictures. SPDX-License-Identifier: Apache-2.0
 *
 * Descriptors are compared by their dot product s, an exact integer; they have length VD_SIFT_NORM,
 * so the squared distance is 2 (512^2 - s) in units of 1 / 512. Every descriptor of either picture
 * is compared with every one of the other, and the best and the second best are kept for rows and
 * columns in the same pass. A match is a best whose distance is at most that of max_distance_rad
 * and below `ratio` times that of the second; with the cross check it is so seen from both sides.
 */
#ifndef VD_FEATURE_MATCH_H
#define VD_FEATURE_MATCH_H

#include "feature/sift.h"

typedef struct vd_match {
    int32_t a, b; /* positions in the two lists of features */
} vd_match;

typedef struct vd_match_opt {
    double ratio;            /* of the distances, above 0; 1 and above: no such test */
    double max_distance_rad; /* largest angle between the two, 0 .. pi / 2 */
    bool cross_check;
    /* Early exit: where both lists are longer than `probe`, the first (largest) `probe` of both are
     * matched before the rest, and the answer is "no match" if they give fewer than `probe_least`.
     * 0: off. With 1024 and 6, bench/pairs.py: of 339 pairs of 7 sets that a full match verifies
     * with 15 inliers or more, 1 (with 26) is missed; of 4206 hopeless ones 95 in a hundred stop
     * there, at a 64th of the products of 8192 features. */
    int probe, probe_least;
} vd_match_opt;
#define VD_MATCH_OPT                                                                               \
    { .ratio = 0.8, .max_distance_rad = 0.7, .cross_check = true, .probe = 1024, .probe_least = 6 }

/* Memory that matching works in, reused from pair to pair. One thread at a time. */
typedef struct vd_match_work vd_match_work;
vd_status vd_match_work_new(vd_match_work **out, vd_err *err);
void vd_match_work_free(vd_match_work *w);

/* Matches in the order of `a`.
 *     shapes : da[na * VD_SIFT_DIM], db[nb * VD_SIFT_DIM]; na and nb up to VD_SIFT_MAX_FEATURES
 *     owns   : *out is new (free with vd_mem_free), NULL where *n is 0; untouched on failure
 *     fails  : VD_E_ARG, VD_E_NOMEM
 *     threads: none of its own; any number of calls at once, each with its own work */
vd_status vd_match_pair(vd_match **out, int *n, const uint8_t *da, int na, const uint8_t *db,
                        int nb, const vd_match_opt *opt, vd_match_work *work, vd_err *err);

/* What a pair of points must satisfy to be compared at all. */
typedef enum vd_guide_kind {
    VD_GUIDE_EPIPOLAR,   /* each lies within max_error of the other's line: l_b = M x_a */
    VD_GUIDE_HOMOGRAPHY, /* M x_a lies within max_error of x_b */
} vd_guide_kind;

typedef struct vd_guide {
    vd_guide_kind kind;
    double m[9];      /* row-major, for the coordinates given (pixels: F; normalised: E) */
    double max_error; /* in the unit of the coordinates, above 0 */
} vd_guide;

/* The same among the pairs that satisfy a geometry already found.
 *     shapes : xa[2 na], xb[2 nb]: the points' coordinates
 *     fails  : VD_E_ARG also where coordinates or the matrix are not finite */
vd_status vd_match_guided(vd_match **out, int *n, const uint8_t *da, const float *xa, int na,
                          const uint8_t *db, const float *xb, int nb, const vd_guide *guide,
                          const vd_match_opt *opt, vd_match_work *work, vd_err *err);
#endif
