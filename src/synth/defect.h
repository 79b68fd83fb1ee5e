/* What goes wrong with pictures. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_SYNTH_DEFECT_H
#define VD_SYNTH_DEFECT_H

#include "synth/render.h"

/* In place, on the linear light of a picture, as a lens and a moving hand do it; the picture goes
 * on beyond its edges as its last pixels. Fails with VD_E_NOMEM. */
vd_status vd_defect_defocus(vd_picture *p, const vd_synth_kern *kern, double sigma_px, vd_err *err);
vd_status vd_defect_motion(vd_picture *p, const vd_synth_kern *kern, double length_px,
                           double angle_rad, vd_err *err);

/* A bare, evenly lit wall in place of what was rendered. */
void vd_defect_flat(vd_picture *p, uint64_t seed);

/* The rectangle [x0, x1) x [y0, y1) of a developed picture scaled to `width` x `height` (box means,
 * or linear where it grows), its values times `gain`, into `out` (3 * width * height bytes). Fails
 * with VD_E_NOMEM. */
vd_status vd_defect_resample(uint8_t *out, int32_t width, int32_t height, const vd_picture *p,
                             int32_t x0, int32_t y0, int32_t x1, int32_t y1, double gain,
                             vd_err *err);
#endif
