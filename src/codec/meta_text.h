/* Values as EXIF and XMP both write them. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_CODEC_META_TEXT_H
#define VD_CODEC_META_TEXT_H

#include "base/err.h"

/* Copies at most `n` bytes: control characters become spaces, ends are trimmed, and what is not
 * UTF-8 is read as Latin-1. Nothing is written where `out` holds something already or nothing is
 * left. */
void vd_meta_text(char *out, size_t size, const char *in, size_t n);

/* "2024:05:01 10:20:30" or "2024-05-01T10:20:30.25+02:00" to ISO 8601, with the digits of `subsec`
 * and the zone of `offset` ("+02:00", "Z") where the date itself has none; both may be NULL. False
 * where it is no date (blank, zeros, out of range). */
bool vd_meta_date(char out[40], const char *date, const char *subsec, const char *offset);

#endif
