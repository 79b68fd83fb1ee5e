/* The working luma. SPDX-License-Identifier: Apache-2.0 */
#include "image/working.h"

#include <string.h>

#include "base/cpu.h"
#include "base/mem.h"
#include "image/rendition.h"

void vd_working_reset(vd_working *w) {
    vd_pixels_reset(&w->luma);
    vd_pixels_reset(&w->full);
    vd_filter_cache_reset(&w->filters);
    vd_reduce_tmp_reset(&w->tmp);
    *w = (vd_working){ 0 };
}

/* The luma plane of a frame, computed where it is interleaved RGB. */
static vd_status full_luma(vd_working *w, const vd_frame *f, vd_plane *out, vd_err *err) {
    *out = f->plane[0];
    if (f->format != VD_PIX_RGB8) return VD_OK;
    VD_TRY(vd_pixels_shape(&w->full, f->width, f->height, 1, err));
    for (int32_t y = 0; y < f->height; y++)
        w->kern->luma_rgb(w->full.data + (int64_t)y * f->width,
                          f->plane[0].data + y * f->plane[0].stride, f->width);
    *out = (vd_plane){ w->full.data, f->width, f->width, f->height };
    return VD_OK;
}

vd_status vd_working_make(vd_working *w, const vd_frame *f, int32_t side, vd_err *err) {
    int32_t out_w, out_h;
    vd_plane plane;
    if (f->width < 1 || f->height < 1 || f->plane[0].data == NULL)
        return vd_fail(err, VD_E_ARG, "working luma: a frame of %d x %d", (int)f->width,
                       (int)f->height);
    if (w->kern == NULL) w->kern = vd_image_kern_for(vd_cpu_features());
    vd_rendition_size(f->width, f->height, side, &out_w, &out_h);
    VD_TRY(full_luma(w, f, &plane, err));
    VD_TRY(vd_pixels_shape(&w->luma, out_w, out_h, 1, err));
    if (out_w != f->width || out_h != f->height)
        return vd_reduce_plane(w->luma.data, out_w, out_h, &plane, &w->filters, &w->tmp, w->kern,
                               err);
    for (int32_t y = 0; y < out_h; y++)
        memcpy(w->luma.data + (int64_t)y * out_w, plane.data + y * plane.stride, (size_t)out_w);
    return VD_OK;
}

void vd_frame_colour(const vd_frame *f, int32_t x, int32_t y, uint8_t rgb[3]) {
    const vd_plane *p = f->plane;
    x = VD_CLAMP(x, 0, f->width - 1);
    y = VD_CLAMP(y, 0, f->height - 1);
    if (f->format == VD_PIX_RGB8) {
        memcpy(rgb, p[0].data + y * p[0].stride + 3 * (ptrdiff_t)x, 3);
        return;
    }
    uint8_t luma = p[0].data[y * p[0].stride + x], cb = 128, cr = 128;
    if (f->format == VD_PIX_YCC8) {
        cb = p[1].data[(int64_t)y * p[1].height / f->height * p[1].stride +
                       (int64_t)x * p[1].width / f->width];
        cr = p[2].data[(int64_t)y * p[2].height / f->height * p[2].stride +
                       (int64_t)x * p[2].width / f->width];
    }
    vd_image_kern_c.rgb_ycc(rgb, &luma, &cb, &cr, 1);
}
