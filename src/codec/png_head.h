/* The chunks of a PNG file that libvips does not tell about. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_CODEC_PNG_HEAD_H
#define VD_CODEC_PNG_HEAD_H

#include "base/err.h"

/* Frames of an animated PNG (acTL before the first IDAT), else 1. Any bytes are fine. */
int vd_png_frames(const uint8_t *data, size_t size);

#endif
