/* Colour management by Little CMS: embedded profiles to sRGB. The only file that knows lcms2.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_CODEC_ICC_H
#define VD_CODEC_ICC_H

#include "base/err.h"
#include "codec/module.h"

typedef struct vd_icc vd_icc;

typedef enum vd_icc_from { VD_ICC_GREY, VD_ICC_RGB, VD_ICC_CMYK, VD_ICC_CMYK_INVERTED } vd_icc_from;

vd_status vd_icc_new(vd_icc **out, vd_err *err);
void vd_icc_free(vd_icc *c);

/* Prepares the conversion of 8-bit samples with this profile, and writes its description. False
 * where nothing is to be done: the profile is broken, of another colour space, or so near sRGB that
 * no 8-bit value moves by more than two. The last 64 profiles are remembered. */
VD_FOR_MODULE bool vd_icc_open(vd_icc *c, const uint8_t *profile, size_t size, vd_icc_from from,
                               char desc[64]);

/* Converts `n` pixels to interleaved sRGB with the profile last opened; `in` and `out` may be the
 * same for RGB. For grey `out` is grey as well. */
VD_FOR_MODULE void vd_icc_run(vd_icc *c, const uint8_t *in, uint8_t *out, int32_t n);

#endif
