/* JPEG encoding to memory, by libjpeg-turbo. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_IMAGE_JPEG_WRITE_H
#define VD_IMAGE_JPEG_WRITE_H

#include "base/str.h"
#include "image/frame.h"

typedef enum vd_chroma { VD_CHROMA_420, VD_CHROMA_422, VD_CHROMA_444 } vd_chroma;

typedef struct vd_jpeg_opt {
    int quality;      /* 1..100, libjpeg's scale */
    vd_chroma chroma; /* of RGB8 input; YCC8 keeps the sampling of its planes, GREY8 has none */
    bool progressive; /* smaller and about five times slower */
    bool fast_dct;    /* the 8-bit integer DCT; for quality up to 90 */
    const void *exif; /* a TIFF block as vd_exif_write makes it, put into APP1; NULL: none */
    size_t exif_size; /* bytes, at most 65527 */
} vd_jpeg_opt;
#define VD_JPEG_OPT                                                                                \
    { .quality = 90, .chroma = VD_CHROMA_420 }

/* Encodes the stored pixels of `f` (its orientation is not applied) and appends the bytes to `out`,
 * which the caller may clear and use again. Fails with VD_E_ARG for a size outside 1..65500, a
 * quality outside 1..100, an EXIF block too long or chroma planes of no known sampling; VD_E_NOMEM.
 * `out` keeps its former content on failure. One call may run per thread at a time. */
vd_status vd_jpeg_write(vd_str *out, const vd_frame *f, const vd_jpeg_opt *opt, vd_err *err);
#endif
