/* What the files of the global mapper share. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_GLOBAL_GLOBAL_INT_H
#define VD_GLOBAL_GLOBAL_INT_H

#include "global/global.h"

typedef struct vd_global {
    vd_sfm_input in;   /* what the caller gave, but cameras and motions may be better */
    vd_camera *camera; /* [n_cameras] */
    vd_sfm_pair *pair; /* [n_pairs] */
    uint64_t seed;
    double max_error_px;
    uint8_t *kept;     /* [n_pairs] agrees with the rotations */
    vd_quat *rotation; /* [n_images] cam_from_world, of its part */
    int32_t *part;     /* [n_images] the first image of its part, by the pairs that were kept */
    int32_t *order, n_parts, next_part; /* parts, those with most images first */
} vd_global;

/* relative.c: focal lengths where they are guesses, motions where they are missing or were found
 * with other focal lengths. */
vd_status vd_global_relative(vd_global *g, vd_pool *pool, vd_err *err);

/* parts.c: rotations, pairs to keep, parts. */
vd_status vd_global_parts(vd_global *g, vd_pool *pool, vd_err *err);
#endif
