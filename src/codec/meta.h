/* Metadata inside images: EXIF, XMP. SPDX-License-Identifier: Apache-2.0
 *
 * Each fills in what it finds and what is not known yet; broken metadata is no fault of the picture
 * and leaves everything as it was. */
#ifndef VD_CODEC_META_H
#define VD_CODEC_META_H

#include "codec/module.h"
#include "image/media.h"

/* `data` starts with "Exif\0\0" and a TIFF structure. Numbers that make no sense are left out. */
VD_FOR_MODULE void vd_meta_exif(vd_media *m, const uint8_t *data, size_t size);

/* An XMP packet: tiff:Orientation, exif: dates, exposure and position, aux:Lens. EXIF that was read
 * before it wins. */
VD_FOR_MODULE void vd_meta_xmp(vd_media *m, const char *packet, size_t size);

const char *vd_meta_exif_library(void); /* "libexif 0.6.24", "" in a build without */
const char *vd_meta_xmp_library(void);
#endif
