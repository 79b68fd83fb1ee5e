/* The working luma: what features are found on. SPDX-License-Identifier: Apache-2.0
 *
 * In stored orientation, area-averaged to a long side of at most `side` pixels, never enlarged:
 * geometry is that of the sensor, so that a camera held upright and one held sideways are one. */
#ifndef VD_IMAGE_WORKING_H
#define VD_IMAGE_WORKING_H

#include "image/resize.h"

/* Memory of one worker; zeroed is valid. One thread at a time. */
typedef struct vd_working {
    vd_pixels luma; /* the result, until the next call */
    /* private */
    const vd_image_kern *kern;
    vd_pixels ring; /* rows of luma of an interleaved frame */
    vd_filter_cache filters;
    vd_reduce_tmp tmp;
} vd_working;
void vd_working_reset(vd_working *w);

/* Fills w->luma. Fails with VD_E_ARG for a frame without pixels, VD_E_NOMEM. */
vd_status vd_working_make(vd_working *w, const vd_frame *f, int32_t side, vd_err *err);

/* The colour of a frame's pixel (x, y), sRGB; chroma is taken from the sample that covers it. */
void vd_frame_colour(const vd_frame *f, int32_t x, int32_t y, uint8_t rgb[3]);
#endif
