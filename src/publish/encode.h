/* A decoded picture as a file: upright, smaller where wanted. SPDX-License-Identifier: Apache-2.0
 */
#ifndef VD_PUBLISH_ENCODE_H
#define VD_PUBLISH_ENCODE_H

#include "base/str.h"
#include "image/media.h"
#include "image/resize.h"

typedef struct vd_encode_opt {
    bool png;       /* else JPEG */
    int32_t side;   /* the longer side is at most that; 0: as it is */
    int quality;    /* of JPEG */
    bool keep_exif; /* JPEG: the fields of vd_exif_write, orientation 1 */
} vd_encode_opt;

/* Working memory, reused. Zeroed is valid; one thread. */
typedef struct vd_encoder {
    vd_pixels plane[3], small[3], turned[3], rgb;
    vd_filter_cache filters;
    vd_reduce_tmp tmp;
    vd_str exif;
} vd_encoder;
void vd_encoder_reset(vd_encoder *e);

/* Appends the file to `out` and tells its size. Subsampled colour stays as it is sampled.
 * Reduction is the exact area average of the samples. Fails with VD_E_LIMIT (a side that JPEG does
 * not hold), VD_E_NOMEM. */
vd_status vd_encode(vd_str *out, int32_t *width, int32_t *height, vd_encoder *e, const vd_frame *f,
                    const vd_media *media, const vd_encode_opt *opt, vd_err *err);
#endif
