/* Focal lengths that nobody knows, from the verified pairs. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_GLOBAL_CALIBRATE_H
#define VD_GLOBAL_CALIBRATE_H

#include "base/pool.h"
#include "sfm/mapper.h"

/* Changes the focal lengths of camera[in->n_cameras], the start, where moves[] is set and the pairs
 * of `in` say clearly what is better (focal.h); `in->camera` is not looked at. A focal length that
 * no camera has is not taken. Fails: VD_E_ARG, VD_E_NOMEM. The same result whatever the pool. */
vd_status vd_sfm_calibrate(vd_camera *camera, const vd_sfm_input *in, const uint8_t *moves,
                           vd_pool *pool, vd_err *err);
#endif
