/* A build without libwebp: libvips decodes all. SPDX-License-Identifier: Apache-2.0 */
#include "codec/io_webp.h"

bool vd_webp_pixels(const uint8_t *data, size_t size, int32_t width, int32_t height, bool alpha,
                    uint8_t *out, size_t stride) {
    (void)data, (void)size, (void)width, (void)height, (void)alpha, (void)out, (void)stride;
    return false;
}
