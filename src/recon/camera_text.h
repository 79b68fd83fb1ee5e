/* Cameras as text: how options name them, and how the catalog keeps their parameters.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_RECON_CAMERA_TEXT_H
#define VD_RECON_CAMERA_TEXT_H

#include "base/str.h"
#include "geometry/camera.h"

/* "MODEL,WIDTH,HEIGHT,PARAMS..." Fails with VD_E_ARG and says what is wrong. */
vd_status vd_camera_parse(vd_camera *out, const char *text, vd_err *err);

/* The parameters of a camera whose model and size are set, by commas, exactly; and back, which
 * fails with VD_E_ARG. The writer's status is that of `out`. */
void vd_camera_put_params(vd_str *out, const vd_camera *c);
vd_status vd_camera_parse_params(vd_camera *c, const char *text, vd_err *err);
#endif
