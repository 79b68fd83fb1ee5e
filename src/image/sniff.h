/* What a file is, by its first bytes and never by its name. SPDX-License-Identifier: Apache-2.0
 *
 * Pure functions over untrusted bytes; any thread. */
#ifndef VD_IMAGE_SNIFF_H
#define VD_IMAGE_SNIFF_H

#include "image/media.h"

enum { VD_SNIFF_BYTES = 4096 }; /* more of the head is never looked at */

typedef struct vd_sniffed {
    vd_kind kind;
    const char *format; /* "jpeg", "png", "mp4", "gzip", "text", ... or "" where unknown */
    bool by_name; /* no signature exists (TGA): the extension decided, the decoder must confirm */
} vd_sniffed;

/* `head` is the start of the file, as much as there is up to VD_SNIFF_BYTES; `name` serves only the
 * formats without a signature and may be NULL. */
vd_sniffed vd_sniff(const uint8_t *head, size_t size, const char *name);

/* True where the extension of `name` belongs to another format than `format`. Unknown and missing
 * extensions are fine; jpg, jpeg, jpe, jfif, mpo, ... are one family. */
bool vd_sniff_wrong_extension(const char *name, const char *format);
#endif
