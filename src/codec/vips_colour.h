/* From what a libvips loader gives to 8-bit grey or sRGB. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_CODEC_VIPS_COLOUR_H
#define VD_CODEC_VIPS_COLOUR_H

#include <vips/vips.h>

#include "codec/icc.h"

/* True where the range of the samples must be looked at first (float, signed, 32 bit): such a
 * picture is to be opened for random access. */
gboolean vd_vips_needs_range(VipsImage *in);

/* One band of grey or three of sRGB, unsigned 8 bit, alpha composited on white; the embedded
 * profile is applied, its description written to `desc` (64 bytes, may be NULL). NULL: libvips has
 * the error. */
VipsImage *vd_vips_colour(VipsImage *in, vd_icc *icc, char *desc);

#endif
