/* Builds a small EXIF block. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_IMAGE_EXIF_WRITE_H
#define VD_IMAGE_EXIF_WRITE_H

#include "base/str.h"
#include "image/media.h"

/* Appends to `out` a little-endian TIFF block (Exif 2.32, CIPA DC-008) with those of these fields
 * of `m` that are set: orientation, taken_at (time, sub-seconds and zone as the text has them),
 * make, model, lens, focal_mm, focal_35mm, exposure_s, f_number, iso, latitude_deg and
 * longitude_deg (WGS 84, both or none), altitude_m, direction_deg (true north), width and height.
 * Missing is as in vd_media: NaN,
 * "" or 0. Text is cut at the first byte outside printable ASCII. Fails with VD_E_ARG where
 * taken_at is set and no ISO 8601 time, VD_E_NOMEM. */
vd_status vd_exif_write(vd_str *out, const vd_media *m, vd_err *err);
#endif
