/* What the decoders of uncompressed formats share: memory for the picture, the verdict by the rows
 * that came. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_CODEC_PLAIN_ROWS_H
#define VD_CODEC_PLAIN_ROWS_H

#include "codec/serve.h"

typedef struct vd_rows {
    uint8_t *data;
    size_t stride;
    int32_t width, height;
    int channels; /* 1 or 3 */
} vd_rows;

/* Output memory of that size, blank (mid grey). */
vd_status vd_rows_new(vd_rows *r, vd_serve *s, const vd_job *job, int32_t width, int32_t height,
                      int channels, vd_err *err);

static inline uint8_t *vd_rows_at(const vd_rows *r, int64_t y) {
    return r->data + (size_t)y * r->stride;
}

/* Hands the picture over; `good` of its rows came. */
vd_status vd_rows_finish(const vd_rows *r, vd_serve *s, const vd_job *job, int64_t good,
                         vd_media *m, vd_err *err);

/* v of a range 0..max to 0..255, rounded; max > 0. */
static inline uint8_t vd_rows_scale(uint32_t v, uint32_t max) {
    return (uint8_t)(((uint64_t)VD_MIN(v, max) * 255 + max / 2) / max);
}

/* A sample over white. */
static inline uint8_t vd_rows_over_white(uint32_t v, uint32_t alpha) {
    return (uint8_t)((v * alpha + 255 * (255 - alpha) + 127) / 255);
}

#endif
