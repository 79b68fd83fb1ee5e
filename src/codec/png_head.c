/* A walk over PNG chunks (ISO/IEC 15948, section 5). SPDX-License-Identifier: Apache-2.0 */
#include "codec/png_head.h"

#include <string.h>

static uint32_t u32be(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

int vd_png_frames(const uint8_t *data, size_t size) {
    enum { MOST = 1 << 20 };
    for (size_t at = 8; size >= 12 && at <= size - 12;) {
        uint32_t n = u32be(data + at);
        if (n > size - 12 - at || memcmp(data + at + 4, "IDAT", 4) == 0) break;
        if (memcmp(data + at + 4, "acTL", 4) == 0 && n >= 8)
            return (int)VD_CLAMP(u32be(data + at + 8), 1, MOST);
        at += (size_t)n + 12;
    }
    return 1;
}
