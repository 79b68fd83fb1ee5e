/* The working luma. SPDX-License-Identifier: Apache-2.0 */
#include "image/working.h"

#include <string.h>

#include "base/cpu.h"
#include "base/mem.h"
#include "image/rendition.h"

void vd_working_reset(vd_working *w) {
    vd_pixels_reset(&w->luma);
    vd_pixels_reset(&w->ring);
    vd_filter_cache_reset(&w->filters);
    vd_reduce_tmp_reset(&w->tmp);
    *w = (vd_working){ 0 };
}

static void luma_row(const vd_working *w, uint8_t *dst, const vd_frame *f, int32_t y) {
    const uint8_t *src = f->plane[0].data + y * f->plane[0].stride;
    if (f->format == VD_PIX_RGB8)
        w->kern->luma_rgb(dst, src, f->width);
    else
        memcpy(dst, src, (size_t)f->width);
}

/* Interleaved RGB has its luma computed into a ring of the rows that an output row needs. */
static vd_status reduce_rgb(vd_working *w, const vd_frame *f, vd_err *err) {
    const vd_filter *fx, *fy;
    int32_t out_w = w->luma.width, out_h = w->luma.height, next = 0;
    VD_TRY(vd_filter_get(&fx, &w->filters, f->width, out_w, err));
    VD_TRY(vd_filter_get(&fy, &w->filters, f->height, out_h, err));
    VD_TRY(vd_reduce_tmp_shape(&w->tmp, f->width, VD_MAX(fx->taps, fy->taps), err));
    VD_TRY(vd_pixels_shape(&w->ring, f->width, fy->taps, 1, err));
    for (int32_t r = 0; r < out_h; r++) {
        int32_t first = fy->start[r], n = VD_MIN(fy->taps, f->height - first);
        vd_filter_weights(fy, r, w->tmp.weight);
        while (n > 1 && w->tmp.weight[n - 1] == 0) n--;
        for (; next < first + n; next++)
            luma_row(w, w->ring.data + (int64_t)(next % fy->taps) * f->width, f, next);
        for (int32_t i = 0; i < n; i++)
            w->tmp.rows[i] = w->ring.data + (int64_t)((first + i) % fy->taps) * f->width;
        w->kern->reduce_rows(w->tmp.line, w->tmp.rows, w->tmp.weight, n, f->width);
        w->kern->reduce_cols(w->luma.data + (int64_t)r * out_w, w->tmp.line, fx->start, fx->weight,
                             fx->taps, out_w);
    }
    return VD_OK;
}

vd_status vd_working_make(vd_working *w, const vd_frame *f, int32_t side, vd_err *err) {
    int32_t out_w, out_h;
    if (f->width < 1 || f->height < 1 || f->plane[0].data == NULL)
        return vd_fail(err, VD_E_ARG, "working luma: a frame of %d x %d", (int)f->width,
                       (int)f->height);
    if (w->kern == NULL) w->kern = vd_image_kern_for(vd_cpu_features());
    vd_rendition_size(f->width, f->height, side, &out_w, &out_h);
    VD_TRY(vd_pixels_shape(&w->luma, out_w, out_h, 1, err));
    if (out_w == f->width && out_h == f->height) {
        for (int32_t y = 0; y < out_h; y++) luma_row(w, w->luma.data + (int64_t)y * out_w, f, y);
        return VD_OK;
    }
    if (f->format == VD_PIX_RGB8) return reduce_rgb(w, f, err);
    return vd_reduce_plane(w->luma.data, out_w, out_h, &f->plane[0], &w->filters, &w->tmp, w->kern,
                           err);
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
