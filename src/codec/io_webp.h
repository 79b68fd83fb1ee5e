/* WebP pixels straight into the output. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_CODEC_IO_WEBP_H
#define VD_CODEC_IO_WEBP_H

#include "base/err.h"

/* The one picture of a WebP file as interleaved RGB, or RGBA with `alpha`, in `height` lines of
 * `stride` bytes at `out`. False where the file is damaged, moves, is of another size, or this
 * build has no libwebp: then `out` is undefined and libvips has to see. */
bool vd_webp_pixels(const uint8_t *data, size_t size, int32_t width, int32_t height, bool alpha,
                    uint8_t *out, size_t stride);
#endif
