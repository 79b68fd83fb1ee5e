/* The reduced renditions that all stages share, made in one pass over the decoded picture.
 * SPDX-License-Identifier: Apache-2.0
 *
 * norm  : luma, upright, long side at most VD_NORM_SIDE, never enlarged, area-averaged
 * small : RGB, upright, long side at most VD_SMALL_SIDE, never enlarged, area-averaged
 * While a row of full-resolution luma is in the cache, an observer sees it: that is how the metrics
 * at full resolution are computed without reading the picture twice. */
#ifndef VD_IMAGE_RENDITION_H
#define VD_IMAGE_RENDITION_H

#include "image/resize.h"

enum { VD_NORM_SIDE = 1024, VD_SMALL_SIDE = 160, VD_LUMA_HISTORY = 4 };

/* Called for y = 0, 1, ... in stored orientation. row[k] is the luma row y - k, NULL above the top;
 * `width` samples each, readable only during the call. */
typedef struct vd_luma_observer {
    void (*row)(void *user, int32_t y, const uint8_t *const row[VD_LUMA_HISTORY], int32_t width);
    void *user;
} vd_luma_observer;

/* Working memory of one worker; zeroed is valid. Reused from picture to picture: after the largest
 * one has been seen nothing is allocated. One thread at a time. */
typedef struct vd_scratch {
    vd_pixels norm, small; /* the result, until the next call */
    /* private */
    const vd_image_kern *kern;
    vd_filter_cache filters;
    vd_reduce_tmp tmp, colour_tmp;
    vd_pixels turned, planes, ring;
} vd_scratch;

void vd_scratch_reset(vd_scratch *s);

/* Fills s->norm and s->small. `seen` may be NULL.
 * owns   : nothing of `f`; the results belong to `s`
 * fails  : VD_E_ARG (a size below 1, planes missing), VD_E_NOMEM
 * cost   : reads every sample once; 6 MP 4:2:0 in about 1.5 ms on one AVX-512 core */
vd_status vd_rendition_make(vd_scratch *s, const vd_frame *f, const vd_luma_observer *seen,
                            vd_err *err);

/* The size that fits into a square of `side`, never larger than w x h. */
void vd_rendition_size(int32_t w, int32_t h, int32_t side, int32_t *out_w, int32_t *out_h);
#endif
