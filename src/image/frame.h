/* A decoded picture, and the reduced renditions that the stages share.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A frame borrows its pixels (usually memory shared with a decoding process) and is valid until the
 * next decode on that codec. It is in stored orientation; `orientation` says how to turn it
 * upright, and every rendition made from it is upright. */
#ifndef VD_IMAGE_FRAME_H
#define VD_IMAGE_FRAME_H

#include "base/err.h"

typedef enum vd_pixfmt {
    VD_PIX_GREY8, /* plane 0: luma */
    VD_PIX_YCC8,  /* planes 0..2: Y, Cb, Cr; full range, BT.601; chroma may be smaller */
    VD_PIX_RGB8,  /* plane 0: interleaved sRGB, 3 bytes a pixel, alpha composited on white */
    /* Only where vd_decode_opt.raw asks for them: samples as they are stored, `channels` a pixel,
     * one byte each (of fewer bits too) or two in the machine's order. Where they are indices,
     * plane 1 has the palette: `width` colours of three bytes. */
    VD_PIX_RAW8,
    VD_PIX_RAW16,
} vd_pixfmt;

typedef struct vd_plane {
    const uint8_t *data;
    ptrdiff_t stride; /* bytes */
    int32_t width, height;
} vd_plane;

typedef struct vd_frame {
    vd_pixfmt format;
    int32_t width, height; /* stored, before orientation */
    int orientation;       /* EXIF 1..8; 1 = upright */
    vd_plane plane[3];
    int channels; /* of raw samples: 1 to 4; else 0 */
} vd_frame;

/* Width and height after orientation. */
static inline int32_t vd_frame_width(const vd_frame *f) {
    return f->orientation >= 5 ? f->height : f->width;
}
static inline int32_t vd_frame_height(const vd_frame *f) {
    return f->orientation >= 5 ? f->width : f->height;
}

/* Owned pixels. channels 1 or 3, interleaved, stride = width * channels. */
typedef struct vd_pixels {
    uint8_t *data;
    int32_t width, height, channels;
    int64_t cap; /* bytes allocated: pixels are reused from frame to frame */
} vd_pixels;

#endif
