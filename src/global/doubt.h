/* Focal lengths that cannot be right, found before anything is built on them.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A file may tell a focal length that is wrong by a factor: a lens behind a converter, a picture
 * cut out of another, a field that means something else. The essential matrix of such a pair
 * explains its matches badly, yet well enough to pass verification, and a mapper that starts there
 * ends in a scene that is inside out. So pairs of each camera are asked how many of their matches
 * an essential matrix explains closely; where a fundamental matrix explains clearly more, the same
 * with factors up to two and more. Planes and rotations fit any focal length and change none. */
#ifndef VD_GLOBAL_DOUBT_H
#define VD_GLOBAL_DOUBT_H

#include "base/pool.h"
#include "sfm/mapper.h"

/* factor[n_cameras]: what the focal lengths of cameras with told[] set should be multiplied by, 1
 * for those that do not change, that are not told or that camera_refine leaves alone. fails  :
 * VD_E_ARG, VD_E_NOMEM; `factor` is then undefined threads: any; the same result whatever the pool
 * cost   : a few estimations a camera where there is no doubt, some dozens where there is */
vd_status vd_focals_doubt(double *factor, const vd_sfm_input *in, const uint8_t *told,
                          vd_pool *pool, vd_err *err);

/* The geometry of those pairs whose cameras have a factor other than 1, again from their matches
 * and `in->camera`, which has the factors. Matches that do not agree stay; a pair that nothing
 * explains any more becomes degenerate. Fails and threads as above. */
vd_status vd_pairs_estimate(vd_sfm_pair *pair, const vd_sfm_input *in, const double *factor,
                            vd_pool *pool, vd_err *err);
#endif
