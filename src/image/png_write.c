/* PNG encoding: the only file that knows libpng's writer. Errors jump back here, as libpng wants
 * it. SPDX-License-Identifier: Apache-2.0 */
#include "image/png_write.h"

#include <png.h>

#include "base/mem.h"

enum { MAX_SIDE = 1000000 /* libpng's own default limit */ };

typedef struct sink {
    vd_str *out;
    vd_err *err;
    vd_status status;
} sink;

static void on_error(png_structp png, png_const_charp text) {
    sink *s = png_get_error_ptr(png);
    if (s->status == VD_OK) s->status = vd_fail(s->err, VD_E_INTERNAL, "png: %s", text);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text) {
    (void)png;
    (void)text;
}

static void on_bytes(png_structp png, png_bytep p, size_t n) {
    sink *s = png_get_io_ptr(png);
    vd_str_addn(s->out, (const char *)p, (int64_t)n);
    if (s->out->status != VD_OK) {
        s->status = vd_str_check(s->out, s->err);
        png_error(png, "no memory");
    }
}

static void on_flush(png_structp png) {
    (void)png;
}

/* What is written. */
typedef struct picture {
    int bits, colour_type, filter;
    const uint8_t *p;
    int32_t width, height;
    ptrdiff_t stride;
    png_color palette[256];
    int n_colours;
} picture;

/* Apart from its caller, so that no local of that one lives across the jump. */
static void write_all(png_structp png, png_infop info, const picture *q, int level) {
    if (setjmp(png_jmpbuf(png)) != 0) return;
    png_set_user_limits(png, MAX_SIDE, MAX_SIDE);
    png_set_compression_level(png, level);
    png_set_IHDR(png, info, (png_uint_32)q->width, (png_uint_32)q->height, q->bits, q->colour_type,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (q->n_colours > 0) png_set_PLTE(png, info, q->palette, q->n_colours);
    png_set_filter(png, 0, q->filter);
    png_write_info(png, info);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    if (q->bits == 16) png_set_swap(png);
#endif
    for (int32_t y = 0; y < q->height; y++) png_write_row(png, q->p + (ptrdiff_t)y * q->stride);
    png_write_end(png, NULL);
}

static vd_status write_picture(vd_str *out, const picture *q, int level, vd_err *err) {
    if (q->width < 1 || q->height < 1 || q->width > MAX_SIDE || q->height > MAX_SIDE)
        return vd_fail(err, VD_E_ARG, "png: size %d x %d, each side may be 1 to %d", q->width,
                       q->height, MAX_SIDE);
    if (level < 0 || level > 9)
        return vd_fail(err, VD_E_ARG, "png: level %d, allowed is 0 to 9", level);
    VD_TRY(vd_str_check(out, err));
    sink s = { .out = out, .err = err };
    const int64_t old_size = out->size;
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &s, on_error, on_warning);
    png_infop info = png != NULL ? png_create_info_struct(png) : NULL;
    if (info == NULL) {
        s.status = vd_nomem(err);
    } else {
        png_set_write_fn(png, &s, on_bytes, on_flush);
        write_all(png, info, q, level);
    }
    png_destroy_write_struct(&png, &info);
    if (s.status != VD_OK) {
        out->size = old_size;
        if (out->data != NULL) out->data[old_size] = '\0';
    }
    return s.status;
}

vd_status vd_png_write(vd_str *out, vd_png_type type, const void *pixels, int32_t width,
                       int32_t height, ptrdiff_t stride, int level, vd_err *err) {
    const picture q = {
        .bits = type == VD_PNG_GREY16 ? 16 : 8,
        .colour_type = type == VD_PNG_RGB8 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY,
        .filter = type == VD_PNG_RGB8 ? PNG_FILTER_SUB : PNG_FILTER_NONE,
        .p = pixels,
        .width = width,
        .height = height,
        .stride = stride,
    };
    return write_picture(out, &q, level, err);
}

vd_status vd_png_write_indexed(vd_str *out, const uint8_t *pixels, int32_t width, int32_t height,
                               ptrdiff_t stride, const uint8_t *palette, int n_colours, int level,
                               vd_err *err) {
    picture q = { .bits = 8,
                  .colour_type = PNG_COLOR_TYPE_PALETTE,
                  .filter = PNG_FILTER_NONE,
                  .p = pixels,
                  .width = width,
                  .height = height,
                  .stride = stride,
                  .n_colours = n_colours };
    if (n_colours < 1 || n_colours > VD_COUNT(q.palette))
        return vd_fail(err, VD_E_ARG, "png: %d colours, allowed are 1 to %d", n_colours,
                       VD_COUNT(q.palette));
    for (int i = 0; i < n_colours; i++)
        q.palette[i] = (png_color){ palette[3 * i], palette[3 * i + 1], palette[3 * i + 2] };
    return write_picture(out, &q, level, err);
}
