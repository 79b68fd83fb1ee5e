/* Metadata out of picture files, pixels untouched. SPDX-License-Identifier: Apache-2.0
 *
 * What stays is a list of what a decoder needs to show the same colours; all else goes: Exif, XMP,
 * IPTC, comments, thumbnails, maker's segments, further pictures and what lies behind the end.
 *
 * JPEG (ITU T.81, B): tables, frames, scans; APP0 JFIF without its thumbnail, APP2 with an ICC
 *       profile, APP14 Adobe
 * PNG  (ISO 15948, 11): chunks of pixels, palette, transparency, colour space, size and animation
 * WebP (RIFF, Google's container specification): VP8X without its Exif and XMP flags, ICCP, ANIM,
 *       ANMF, ALPH, VP8, VP8L */
#ifndef VD_PUBLISH_STRIP_H
#define VD_PUBLISH_STRIP_H

#include "base/str.h"

/* "jpg", "png", "webp" by the first bytes: what vd_strip knows; NULL: another format. */
const char *vd_strip_ext(const uint8_t *bytes, size_t n);

/* Appends the file without its metadata to `out`. `name` is for messages. A file that ends early is
 * taken to its end. Fails with VD_E_UNSUPPORTED (another format), VD_E_FORMAT (its parts do not
 * follow each other), VD_E_NOMEM; `out` may then hold a part. */
vd_status vd_strip(vd_str *out, const uint8_t *bytes, size_t n, const char *name, vd_err *err);
#endif
