/* See png_raw.h. Errors of libpng jump back to where they are told. SPDX-License-Identifier:
 * Apache-2.0 */
#include "codec/png_raw.h"

#include <math.h>
#include <png.h>
#include <stdio.h>
#include <string.h>

#include "codec/report.h"

enum {
    ALIGN = 64,
    PALETTE = 256,
    MAX_CHUNK = 8 << 20, /* of what is not pixels, unpacked */
    INFLATE_MOST = 1032, /* deflate (RFC 1951) makes no more bytes out of one */
};

typedef struct reader {
    vd_serve *s;
    const vd_job *job;
    vd_media *m;
    vd_err *err;
    vd_status st; /* what ends the request other than by a verdict */
    png_structp png;
    png_infop info;
    size_t at; /* bytes taken */
    int64_t width, height;
    int bits, channels, passes;
    uint8_t *out;
    size_t stride, row_bytes;
} reader;

const char *vd_png_library(void) {
    return "libpng " PNG_LIBPNG_VER_STRING;
}

static void on_error(png_structp png, png_const_charp text) {
    reader *r = png_get_error_ptr(png);
    bool ended = r->at >= (size_t)r->job->size;
    r->m->offset = (int64_t)r->at;
    vd_report(r->m, VD_V_UNREADABLE, ended ? "premature_end" : "bad_data", "%s: %s, at byte %zu",
              vd_png_library(), ended ? "the data end" : text, r->at);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text) {
    (void)png, (void)text;
}

static void on_read(png_structp png, png_bytep to, size_t n) {
    reader *r = png_get_io_ptr(png);
    if (n > (size_t)r->job->size - r->at) {
        r->at = (size_t)r->job->size;
        png_error(png, "the data end");
    }
    memcpy(to, r->job->data + r->at, n);
    r->at += n;
}

/* Whether the file has enough bytes for what its header promises: before memory is taken for it. */
static bool can_be_whole(reader *r) {
    double raw = ((double)r->row_bytes + 1) * (double)r->height;
    if (raw <= ((double)r->job->size + 1) * INFLATE_MOST) return true;
    r->m->offset = r->job->size;
    vd_report(r->m, VD_V_UNREADABLE, "premature_end",
              "%lld bytes cannot hold the %lld x %lld pixels that are declared",
              (long long)r->job->size, (long long)r->width, (long long)r->height);
    return false;
}

static bool read_header(reader *r) {
    vd_media *m = r->m;
    png_read_info(r->png, r->info);
    m->bits = r->bits = png_get_bit_depth(r->png, r->info);
    m->channels = r->channels = png_get_channels(r->png, r->info);
    m->has_alpha = (png_get_color_type(r->png, r->info) & PNG_COLOR_MASK_ALPHA) != 0;
    r->width = png_get_image_width(r->png, r->info);
    r->height = png_get_image_height(r->png, r->info);
    if (!vd_report_size(m, r->width, r->height, r->job->opt.max_pixels)) return false;
    if (r->bits < 8) png_set_packing(r->png);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    if (r->bits == 16) png_set_swap(r->png);
#endif
    r->passes = png_set_interlace_handling(r->png);
    png_read_update_info(r->png, r->info);
    r->row_bytes = png_get_rowbytes(r->png, r->info);
    r->stride = (r->row_bytes + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    return can_be_whole(r) && r->job->opt.want_pixels;
}

static vd_status take_memory(reader *r) {
    size_t n = r->stride * (size_t)r->height + 3 * PALETTE;
    VD_TRY(vd_serve_need(r->s, r->job, (int64_t)n, r->err));
    return vd_serve_output(r->s, n, &r->out, r->err);
}

/* False: there is nothing to hand over. No local lives across a jump. */
static bool read_all(reader *r) {
    if (setjmp(png_jmpbuf(r->png)) != 0) return false;
    png_set_read_fn(r->png, r, on_read);
    png_set_user_limits(r->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX); /* ours: max_pixels */
    png_set_chunk_malloc_max(r->png, MAX_CHUNK);
    if (!read_header(r)) return false;
    r->st = take_memory(r);
    if (r->st != VD_OK) return false;
    for (int pass = 0; pass < r->passes; pass++)
        for (int64_t y = 0; y < r->height; y++)
            png_read_row(r->png, r->out + (size_t)y * r->stride, NULL);
    png_read_end(r->png, NULL);
    return true;
}

static vd_status hand_over(reader *r) {
    vd_frame f = { .format = r->bits == 16 ? VD_PIX_RAW16 : VD_PIX_RAW8,
                   .width = (int32_t)r->width,
                   .height = (int32_t)r->height,
                   .orientation = 1,
                   .channels = r->channels };
    f.plane[0] = (vd_plane){ r->out, (ptrdiff_t)r->stride, f.width, f.height };
    png_colorp colour = NULL;
    int n = 0;
    bool indexed = png_get_color_type(r->png, r->info) == PNG_COLOR_TYPE_PALETTE &&
                   png_get_PLTE(r->png, r->info, &colour, &n) != 0;
    if (indexed && n > 0) {
        uint8_t *p = r->out + r->stride * (size_t)r->height;
        n = VD_MIN(n, PALETTE);
        for (int i = 0; i < n; i++) {
            p[3 * i] = colour[i].red;
            p[3 * i + 1] = colour[i].green;
            p[3 * i + 2] = colour[i].blue;
        }
        f.plane[1] = (vd_plane){ p, 3 * (ptrdiff_t)n, n, 1 };
    }
    r->m->n_frames = 1;
    return vd_serve_frame(r->s, &f, r->m, 0, (double)NAN, true, r->err);
}

vd_status vd_png_raw(vd_serve *s, const vd_job *job, vd_media *m, vd_err *err) {
    reader r = { .s = s, .job = job, .m = m, .err = err };
    m->orientation = 1;
    snprintf(m->codec, sizeof m->codec, "png");
    snprintf(m->library, sizeof m->library, "%s", vd_png_library());
    r.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &r, on_error, on_warning);
    r.info = r.png != NULL ? png_create_info_struct(r.png) : NULL;
    if (r.info == NULL)
        r.st = vd_nomem(err);
    else if (read_all(&r))
        r.st = hand_over(&r);
    png_destroy_read_struct(&r.png, &r.info, NULL);
    return r.st;
}
