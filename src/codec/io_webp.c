/* Still WebP by libwebp itself. SPDX-License-Identifier: Apache-2.0
 *
 * libvips' loader holds the picture twice besides our output: 10 bytes a pixel in all, 7 here at
 * most (and 3 for lossy files). Everything that is not a whole, still picture is left to libvips,
 * whose verdicts the rest of this room understands. */
#include "codec/io_webp.h"

#include <webp/decode.h>

bool vd_webp_pixels(const uint8_t *data, size_t size, int32_t width, int32_t height, bool alpha,
                    uint8_t *out, size_t stride) {
    WebPBitstreamFeatures f;
    if (WebPGetFeatures(data, size, &f) != VP8_STATUS_OK || f.has_animation) return false;
    if (f.width != width || f.height != height) return false;
    size_t bytes = stride * (size_t)height;
    if (stride > INT32_MAX) return false;
    return (alpha ? WebPDecodeRGBAInto(data, size, out, bytes, (int)stride)
                  : WebPDecodeRGBInto(data, size, out, bytes, (int)stride)) != NULL;
}
