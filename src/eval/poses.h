/* Camera poses against a truth. SPDX-License-Identifier: Apache-2.0
 *
 * The two worlds differ by a similarity, which is found from the centres of the cameras that both
 * have [Umeyama 1991]. Then
 *   centre error    distance of the centres in the truth's world and unit
 *   rotation error  angle between the rotations, once the worlds are aligned
 *   pair error      of two cameras: the larger of the angle between their relative rotations and
 * the angle between the directions from one to the other; needs no alignment. A pair of which one
 * is missing has 180 degrees. AUC at t        area under the share of pairs with an error below e,
 * for e from 0 to t degrees, by the trapezoid rule over the errors themselves; in percent Rotations
 * stay the matrices that files give, of however many digits, and angles are arc cosines of traces:
 * that is what the published figures were made with, and for truths of six digits it matters. */
#ifndef VD_EVAL_POSES_H
#define VD_EVAL_POSES_H

#include "base/err.h"
#include "math/vec.h"

typedef struct vd_pose {
    char *name;
    double r[9]; /* of cam_from_world */
    vd_vec3 centre;
} vd_pose;

/* A zeroed set is empty and valid. */
typedef struct vd_pose_set {
    int64_t n, cap;
    vd_pose *pose;
} vd_pose_set;

void vd_pose_set_reset(vd_pose_set *s);
/* The name is copied. Fails with VD_E_NOMEM. */
vd_status vd_pose_set_add(vd_pose_set *s, const char *name, const double r[9], vd_vec3 centre,
                          vd_err *err);

typedef struct vd_pose_error {
    int64_t index; /* in the model; -1: it has no such image, and the errors are NaN */
    double centre, rotation_deg;
} vd_pose_error;

enum { VD_POSE_AUCS = 3 };
extern const double vd_pose_auc_limit_deg[VD_POSE_AUCS]; /* 1, 3, 5 */

/* What cannot be said is NaN: centres and rotations with fewer than three cameras in common or all
 * of those at one place, rotations where they stand in a line, AUC without pairs. */
typedef struct vd_pose_score {
    int64_t registered, total; /* images of the truth that the model has, images of the truth */
    double scale;              /* truth units in a unit of the model */
    double centre_rmse, centre_mean, centre_median, centre_max;
    double rotation_deg; /* mean */
    double auc[VD_POSE_AUCS];
} vd_pose_score;

/* Images are the same that have the same name or, failing that, the same last component of it,
 * where only one image of the model and of the truth has it. `errors` (truth->n) may be NULL. Fails
 * with VD_E_NOMEM. */
vd_status vd_pose_eval(vd_pose_score *out, vd_pose_error *errors, const vd_pose_set *model,
                       const vd_pose_set *truth, vd_err *err);
#endif
