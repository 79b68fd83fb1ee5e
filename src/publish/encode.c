/* A decoded picture as a file; see encode.h. SPDX-License-Identifier: Apache-2.0 */
#include "publish/encode.h"

#include <string.h>

#include "base/cpu.h"
#include "image/exif_write.h"
#include "image/jpeg_write.h"
#include "image/png_write.h"
#include "image/rendition.h"
#include "image/working.h"

enum { JPEG_MAX_SIDE = 65500, PNG_LEVEL = 6 };

void vd_encoder_reset(vd_encoder *e) {
    for (int k = 0; k < 3; k++) {
        vd_pixels_reset(&e->plane[k]);
        vd_pixels_reset(&e->small[k]);
        vd_pixels_reset(&e->turned[k]);
    }
    vd_pixels_reset(&e->rgb);
    vd_filter_cache_reset(&e->filters);
    vd_reduce_tmp_reset(&e->tmp);
    vd_str_reset(&e->exif);
    *e = (vd_encoder){ 0 };
}

static int planes_of(const vd_frame *f) {
    return f->format == VD_PIX_GREY8 ? 1 : 3;
}

static vd_plane plane_of(const vd_pixels *p) {
    return (vd_plane){ p->data, (ptrdiff_t)p->width * p->channels, p->width, p->height };
}

/* One sample of each pixel of interleaved RGB. */
static vd_status split(vd_pixels *out, const vd_frame *f, int k, vd_err *err) {
    VD_TRY(vd_pixels_shape(out, f->width, f->height, 1, err));
    for (int32_t y = 0; y < f->height; y++) {
        const uint8_t *in = f->plane[0].data + y * f->plane[0].stride + k;
        uint8_t *to = out->data + (int64_t)y * f->width;
        for (int32_t x = 0; x < f->width; x++) to[x] = in[3 * (int64_t)x];
    }
    return VD_OK;
}

static vd_status join(vd_pixels *out, const vd_plane plane[3], vd_err *err) {
    const int32_t w = plane[0].width, h = plane[0].height;
    VD_TRY(vd_pixels_shape(out, w, h, 3, err));
    for (int32_t y = 0; y < h; y++)
        for (int32_t x = 0; x < w; x++)
            for (int k = 0; k < 3; k++)
                out->data[3 * ((int64_t)y * w + x) + k] = plane[k].data[y * plane[k].stride + x];
    return VD_OK;
}

/* A copy without gaps between rows. */
static vd_status copy(vd_pixels *out, const vd_plane *p, int channels, vd_err *err) {
    VD_TRY(vd_pixels_shape(out, p->width, p->height, channels, err));
    size_t row = (size_t)p->width * (size_t)channels;
    for (int32_t y = 0; y < p->height; y++)
        memcpy(out->data + (size_t)y * row, p->data + y * p->stride, row);
    return VD_OK;
}

/* ---- reduction ---- */

/* Planes of the reduced picture in e->small; chroma keeps its part of luma's size. */
static vd_status reduce(vd_encoder *e, vd_frame *f, int32_t side, vd_err *err) {
    const vd_image_kern *kern = vd_image_kern_for(vd_cpu_features());
    int32_t w, h;
    vd_rendition_size(f->width, f->height, side, &w, &h);
    if (w == f->width && h == f->height) return VD_OK;
    vd_frame out = { f->format, w, h, f->orientation, { { 0 } } };
    for (int k = 0; k < planes_of(f); k++) {
        vd_plane in = f->plane[k];
        if (f->format == VD_PIX_RGB8) {
            VD_TRY(split(&e->plane[0], f, k, err));
            in = plane_of(&e->plane[0]);
        }
        int32_t half_x = in.width < f->width ? 2 : 1, half_y = in.height < f->height ? 2 : 1;
        int32_t pw = (w + half_x - 1) / half_x, ph = (h + half_y - 1) / half_y;
        VD_TRY(vd_pixels_shape(&e->small[k], pw, ph, 1, err));
        VD_TRY(vd_reduce_plane(e->small[k].data, pw, ph, &in, &e->filters, &e->tmp, kern, err));
        out.plane[k] = plane_of(&e->small[k]);
    }
    if (f->format == VD_PIX_RGB8) {
        VD_TRY(join(&e->rgb, out.plane, err));
        out.plane[0] = plane_of(&e->rgb);
        out.plane[0].width = w;
    }
    *f = out;
    return VD_OK;
}

/* ---- turning ---- */

static vd_status turn(vd_encoder *e, vd_frame *f, vd_err *err) {
    const int o = f->orientation, channels = f->format == VD_PIX_RGB8 ? 3 : 1;
    if (o <= 1 || o > 8) return VD_OK;
    for (int k = 0; k < (channels == 3 ? 1 : planes_of(f)); k++) {
        VD_TRY(copy(&e->plane[k], &f->plane[k], channels, err));
        VD_TRY(vd_pixels_orient(&e->turned[k], &e->plane[k], o, err));
        f->plane[k] = plane_of(&e->turned[k]);
    }
    *f = (vd_frame){ f->format,
                     f->plane[0].width,
                     f->plane[0].height,
                     1,
                     { f->plane[0], f->plane[1], f->plane[2] } };
    return VD_OK;
}

/* ---- files ---- */

/* As interleaved RGB, in e->rgb. */
static vd_status to_rgb(vd_encoder *e, vd_frame *f, vd_err *err) {
    VD_TRY(vd_pixels_shape(&e->rgb, f->width, f->height, 3, err));
    for (int32_t y = 0; y < f->height; y++)
        for (int32_t x = 0; x < f->width; x++)
            vd_frame_colour(f, x, y, e->rgb.data + 3 * ((int64_t)y * f->width + x));
    *f = (vd_frame){ VD_PIX_RGB8, f->width, f->height, 1, { plane_of(&e->rgb) } };
    return VD_OK;
}

static vd_status write_png(vd_str *out, vd_encoder *e, vd_frame *f, vd_err *err) {
    if (f->format == VD_PIX_YCC8) VD_TRY(to_rgb(e, f, err));
    return vd_png_write(out, f->format == VD_PIX_GREY8 ? VD_PNG_GREY8 : VD_PNG_RGB8,
                        f->plane[0].data, f->width, f->height, f->plane[0].stride, PNG_LEVEL, err);
}

/* Whether the encoder takes the planes as they are: both of colour whole, or halved along a side.
 */
static bool usual_sampling(const vd_frame *f) {
    const vd_plane *cb = &f->plane[1], *cr = &f->plane[2];
    bool x = cb->width == f->width || cb->width == (f->width + 1) / 2;
    bool y = cb->height == f->height || cb->height == (f->height + 1) / 2;
    return x && y && cb->width == cr->width && cb->height == cr->height;
}

static vd_status write_jpeg(vd_str *out, vd_encoder *e, vd_frame *f, const vd_media *media,
                            const vd_encode_opt *opt, vd_err *err) {
    vd_jpeg_opt jpeg = VD_JPEG_OPT;
    jpeg.quality = opt->quality;
    if (f->width > JPEG_MAX_SIDE || f->height > JPEG_MAX_SIDE)
        return vd_fail(err, VD_E_LIMIT, "%d x %d pixels, a JPEG has sides up to %d", f->width,
                       f->height, JPEG_MAX_SIDE);
    if (f->format == VD_PIX_YCC8 && !usual_sampling(f)) VD_TRY(to_rgb(e, f, err));
    if (opt->keep_exif) {
        vd_media m = *media;
        m.orientation = 1;
        m.width = f->width;
        m.height = f->height;
        vd_str_clear(&e->exif);
        VD_TRY(vd_exif_write(&e->exif, &m, err));
        jpeg.exif = e->exif.data;
        jpeg.exif_size = (size_t)e->exif.size;
    }
    return vd_jpeg_write(out, f, &jpeg, err);
}

vd_status vd_encode(vd_str *out, int32_t *width, int32_t *height, vd_encoder *e, const vd_frame *f,
                    const vd_media *media, const vd_encode_opt *opt, vd_err *err) {
    vd_frame g = *f;
    if (opt->side > 0) VD_TRY(reduce(e, &g, opt->side, err));
    VD_TRY(turn(e, &g, err));
    VD_TRY(opt->png ? write_png(out, e, &g, err) : write_jpeg(out, e, &g, media, opt, err));
    *width = g.width;
    *height = g.height;
    return VD_OK;
}
