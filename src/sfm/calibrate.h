/* Focal lengths from fundamental matrices, before anything is mapped. SPDX-License-Identifier:
 * Apache-2.0
 *
 * With the principal points known, E = K2^T F K1 has two equal singular values only for the true
 * focal lengths: F tells both. One pair tells them badly, and nothing when the optical axes meet;
 * all pairs of a camera together tell them well enough to begin with. [Fetzer, Reis and Cho 2020]
 * Stable intrinsic auto-calibration from fundamental matrices of devices with uncorrelated camera
 * parameters; the cost here is the gap of the singular values. cost: O(pairs). */
#ifndef VD_SFM_CALIBRATE_H
#define VD_SFM_CALIBRATE_H

#include "sfm/mapper.h"

/* camera[n_cameras] holds the start and becomes the result, for cameras with VD_REFINE_FOCAL that
 * have a pair verified without calibration; others are taken as known. fails: VD_E_NOMEM */
vd_status vd_view_graph_calibrate(vd_camera *camera, const vd_sfm_input *in, const uint8_t *trusted,
                                  vd_err *err);
#endif
