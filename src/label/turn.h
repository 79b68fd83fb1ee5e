/* Labels of a stored picture to labels of the upright one. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_LABEL_TURN_H
#define VD_LABEL_TURN_H

#include "label/mask.h"
#include "label/pack.h"

/* Turns the shapes of `o` as EXIF's orientation (5 to 8: those that swap the sides) turns a stored
 * picture of `width` x `height` pixels. Their memory is then `buf` and `mask`, until the next call.
 * Fails with VD_E_NOMEM, VD_E_LIMIT (a mask), VD_E_FORMAT (a mask of another size). */
vd_status vd_label_turn(vd_label_object *o, vd_shape_buf *buf, vd_mask *mask, int orientation,
                        int32_t width, int32_t height, vd_err *err);
#endif
