/* PNG encoding to memory, by libpng. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_IMAGE_PNG_WRITE_H
#define VD_IMAGE_PNG_WRITE_H

#include "base/str.h"

typedef enum vd_png_type {
    VD_PNG_GREY8,
    VD_PNG_GREY16, /* samples in the machine's byte order */
    VD_PNG_RGB8,   /* interleaved */
} vd_png_type;

/* Appends a PNG file of `width` x `height` pixels, rows `stride` bytes apart, to `out`; `level` is
 * zlib's, 0..9 (1 is quick, masks shrink well with it). Fails with VD_E_ARG for a side outside
 * 1..1000000 or a level outside 0..9, VD_E_NOMEM; `out` keeps its former content then. */
vd_status vd_png_write(vd_str *out, vd_png_type type, const void *pixels, int32_t width,
                       int32_t height, ptrdiff_t stride, int level, vd_err *err);

/* The same of indices of one byte, with a palette of 1 to 256 colours of three bytes. */
vd_status vd_png_write_indexed(vd_str *out, const uint8_t *pixels, int32_t width, int32_t height,
                               ptrdiff_t stride, const uint8_t *palette, int n_colours, int level,
                               vd_err *err);
#endif
