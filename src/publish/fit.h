/* Labels of a picture that was resized. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_PUBLISH_FIT_H
#define VD_PUBLISH_FIT_H

#include "label/mask.h"
#include "label/pack.h"

/* From the size that the labels are of to that of the written picture; sizes of 0 fit anything. */
typedef struct vd_fit {
    int32_t from_width, from_height, width, height;
} vd_fit;

bool vd_fit_same(const vd_fit *f);

/* Scales the shapes of `o`: points as they are, the area by both factors, masks by the nearest
 * pixel centre, and a turned box by the lengths of its scaled sides, which is exact where both
 * factors are one. Memory of shapes is then `buf` and `mask`, until the next call. Fails with
 * VD_E_NOMEM, VD_E_LIMIT (a mask). */
vd_status vd_fit_object(vd_label_object *o, vd_shape_buf *buf, vd_mask *mask, const vd_fit *f,
                        vd_err *err);
#endif
