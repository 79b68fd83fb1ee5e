/* Whether pictures of a model that are said to overlap see the same things in it.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Two things that look alike, or one that repeats, can fold two places into one model in which
 * every match agrees. What gives it away is what is not matched: points that one picture shows and
 * that, by the model, another one from nearly the same place should show too, and does not. After
 * [Zach, Irschara and Bischof 2008] What can missing correspondences tell us about 3D structure and
 * motion? */
#ifndef VD_GLOBAL_AGREEMENT_H
#define VD_GLOBAL_AGREEMENT_H

#include "base/pool.h"
#include "sfm/mapper.h"

/* A verified pair whose images are both in the model. */
typedef struct vd_pair_agreement {
    int32_t pair;
    int32_t a, b;  /* positions in model->image */
    int32_t same;  /* of its matches: keypoints of one point, */
    int32_t apart; /* of two points */
    int32_t due,
        shown;         /* points of either that the other one should show, and those that it does */
    int32_t due_there; /* of the former, those that should be where others are shown */
} vd_pair_agreement;

typedef struct vd_agreement {
    vd_pair_agreement *pair;
    int32_t n;
    int32_t *part, parts;   /* [n_images] number of what shares points, from 0 */
    int32_t *group, groups; /* [n_images] of what does not conflict: more than the parts are groups
                             * that share points they should not, by what else they should */
    int32_t pairs_across;   /* from group to group */
    double share_within, share_across; /* of due points shown: by pairs in a group, across groups */
} vd_agreement;

/* owns   : the result is the caller's, vd_agreement_reset frees it
 * fails  : VD_E_NOMEM
 * threads: any; the same result whatever the pool
 * cost   : O(matches + points shown, for each pair) */
vd_status vd_model_agreement(vd_agreement *out, const vd_sfm_model *m, const vd_sfm_input *in,
                             vd_pool *pool, vd_err *err);
void vd_agreement_reset(vd_agreement *a);
#endif
