/* Declared sizes, read from headers by our own eyes: for the pixel limit before any library sees
 * the file, and for files that no library here decodes. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_CODEC_HEAD_SIZE_H
#define VD_CODEC_HEAD_SIZE_H

#include "base/err.h"

/* The size that the header of a file of this sniffed format declares; false where it is not known
 * here. Stored size, before any orientation. Any bytes are fine. */
bool vd_head_size(const char *format, const uint8_t *data, size_t size, int64_t *width,
                  int64_t *height);

/* True where a JPEG XL file declares itself an animation. */
bool vd_head_jxl_animated(const uint8_t *data, size_t size);

#endif
