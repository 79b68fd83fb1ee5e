/* How good a scene is, and what about it had better be looked at. SPDX-License-Identifier:
 * Apache-2.0 */
#ifndef VD_SCENE_HEALTH_H
#define VD_SCENE_HEALTH_H

#include "base/str.h"
#include "global/agreement.h"
#include "scene/scene_input.h"

/* All borrowed. */
typedef struct vd_health_of {
    const vd_view_set *views;
    const vd_scene_input *in;
    const vd_sfm_result *result;
    int32_t model;
    const vd_agreement *agreement; /* of that model */
} vd_health_of;

/* The share of a picture's area, by cells of a sixteenth of its sides, that shows points of the
 * scene: the median over its pictures. Fails with VD_E_NOMEM. */
vd_status vd_health_coverage(double *out, const vd_health_of *h, vd_err *err);

/* Adds what is suspicious, with the evidence, separated by "; ": nothing where all is well. Fails
 * with VD_E_NOMEM. */
vd_status vd_health_warning(vd_str *out, const vd_health_of *h, vd_err *err);
#endif
