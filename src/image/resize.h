/* Area averaging: the exact box filter for any ratio, in fixed point.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Output pixel j covers the input interval [j * in / out, (j + 1) * in / out); each input pixel
 * weighs by the part of it that is covered. Weights are integers that add up to 16384 exactly
 * (rounded cumulatively), so a flat picture stays flat to the bit. Enlarging (out > in) is allowed:
 * nearest neighbour with blended seams. */
#ifndef VD_IMAGE_RESIZE_H
#define VD_IMAGE_RESIZE_H

#include "image/frame.h"
#include "image/kern.h"

/* The filter of one axis. weight is laid out as vd_image_kern.reduce_cols wants it. */
typedef struct vd_filter {
    int32_t in, out, taps; /* taps is even */
    int32_t *start;        /* out */
    int16_t *weight;       /* out * taps */
    int64_t cap_start, cap_weight;
    uint64_t used; /* for the cache: when it was last asked for */
} vd_filter;

/* Filters of recently used sizes; zeroed is valid and empty. One thread at a time. */
enum { VD_FILTER_SLOTS = 12 };
typedef struct vd_filter_cache {
    vd_filter slot[VD_FILTER_SLOTS];
    uint64_t clock;
} vd_filter_cache;

/* Borrowed until VD_FILTER_SLOTS further calls on the cache. Fails: VD_E_NOMEM, VD_E_ARG (a size
 * below 1). */
vd_status vd_filter_get(const vd_filter **out, vd_filter_cache *c, int32_t in, int32_t size,
                        vd_err *err);
void vd_filter_cache_reset(vd_filter_cache *c);

/* Copies the weights of output `j` (taps of them) into a plain array. */
void vd_filter_weights(const vd_filter *f, int32_t j, int16_t *out);

/* Grows owned pixels to width x height x channels, keeping memory for reuse; content undefined. */
vd_status vd_pixels_shape(vd_pixels *p, int32_t width, int32_t height, int32_t channels,
                          vd_err *err);
void vd_pixels_reset(vd_pixels *p);

/* Working memory of a reduction, reused. Zeroed is valid. */
typedef struct vd_reduce_tmp {
    uint16_t *line;
    int16_t *weight;
    const uint8_t **rows;
    int64_t cap_line, cap_weight, cap_rows;
} vd_reduce_tmp;
vd_status vd_reduce_tmp_shape(vd_reduce_tmp *t, int32_t width, int32_t taps, vd_err *err);
void vd_reduce_tmp_reset(vd_reduce_tmp *t);

/* A whole plane to out[out_w * out_h]. */
vd_status vd_reduce_plane(uint8_t *out, int32_t out_w, int32_t out_h, const vd_plane *in,
                          vd_filter_cache *cache, vd_reduce_tmp *tmp, const vd_image_kern *kern,
                          vd_err *err);

/* dst (upright) from src (stored) for an EXIF orientation 1..8; dst is shaped here and differs from
 * src. */
vd_status vd_pixels_orient(vd_pixels *dst, const vd_pixels *src, int orientation, vd_err *err);
#endif
