/* Samples of a PNG file as they are stored. SPDX-License-Identifier: Apache-2.0
 *
 * For maps, where a pixel is a number: indices of a palette and not its colours, 16 bits as 16, no
 * gamma and no profile. Nothing is given of a picture that is not whole. */
#ifndef VD_CODEC_PNG_RAW_H
#define VD_CODEC_PNG_RAW_H

#include "codec/serve.h"

const char *vd_png_library(void); /* "libpng 1.6.39" */

/* A frame of VD_PIX_RAW8 or VD_PIX_RAW16, or a verdict that says why there is none. */
vd_status vd_png_raw(vd_serve *s, const vd_job *job, vd_media *media, vd_err *err);
#endif
