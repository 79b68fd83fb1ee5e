/* What two pictures have in common. SPDX-License-Identifier: Apache-2.0
 *
 * Features come largest scale first, and the first of both pictures tell cheaply whether it is
 * worth going on. Where they give a geometry, the others are compared along its epipolar lines
 * only: a fifth of the time of comparing all with all, and more matches, because a feature competes
 * with fewer others. Where they give too few matches for a geometry, all are compared with all. */
#ifndef VD_SCENE_PAIR_COMPARE_H
#define VD_SCENE_PAIR_COMPARE_H

#include "scene/pairs.h"

typedef struct vd_pair_result {
    int matches; /* tentative, 0 where the first features say that more is hopeless */
    vd_two_view geometry;
    vd_match *inliers; /* the caller's, vd_mem_free */
    int n_inliers;
} vd_pair_result;

/* One thread's memory. */
typedef struct vd_pair_work {
    vd_match_work *match;
    double *uv[2];
    float *places[2];
    uint8_t *mask;
    int64_t cap_uv[2], cap_places[2], cap_mask;
} vd_pair_work;
vd_status vd_pair_work_init(vd_pair_work *w, vd_err *err);
void vd_pair_work_reset(vd_pair_work *w);

/* Depends on the two pictures, their cameras and the options below alone. *out is zero before. */
vd_status vd_pair_compare(vd_pair_result *out, const vd_view_set *views, const vd_pair *p,
                          const vd_features *a, const vd_features *b, vd_pair_work *w, vd_err *err);

/* What the result depends on, for keys. */
void vd_pair_compare_params(vd_str *out);
#endif
