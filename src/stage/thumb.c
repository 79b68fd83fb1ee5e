/* Thumbnails. SPDX-License-Identifier: Apache-2.0 */
#include "stage/thumb.h"

#include "image/jpeg_write.h"

enum { QUALITY = 75 };

vd_status vd_thumb_make(vd_str *out, const vd_pixels *rgb, vd_err *err) {
    vd_jpeg_opt opt = VD_JPEG_OPT;
    opt.quality = QUALITY;
    opt.fast_dct = true;
    const vd_frame f = { .format = VD_PIX_RGB8,
                         .width = rgb->width,
                         .height = rgb->height,
                         .orientation = 1,
                         .plane = {
                             { rgb->data, (ptrdiff_t)rgb->width * 3, rgb->width, rgb->height } } };
    vd_str_clear(out);
    return vd_jpeg_write(out, &f, &opt, err);
}
