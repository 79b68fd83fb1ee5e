/* Thumbnails: small JPEGs for reports and pages. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_STAGE_THUMB_H
#define VD_STAGE_THUMB_H

#include "base/str.h"
#include "image/frame.h"

/* The RGB rendition as a JPEG in `out`, which is cleared first and used again from call to call. */
vd_status vd_thumb_make(vd_str *out, const vd_pixels *rgb, vd_err *err);
#endif
