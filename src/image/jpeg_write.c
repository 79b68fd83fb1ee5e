/* JPEG encoding: the only file that knows libjpeg's compressor.
 *
 * The destination manager hands libjpeg the free end of the caller's text buffer, so that nothing
 * is copied and a reused buffer costs no allocation. libjpeg reports errors by calling error_exit,
 * which must not return: it jumps back to `vd_jpeg_write`. Nothing that has to be released is owned
 * by a frame that the jump skips; the padded rows of planar input live in `writer`.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "image/jpeg_write.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include "base/mem.h"

enum {
    MAX_SIDE = 65500, /* JPEG_MAX_DIMENSION */
    MAX_EXIF = 65527, /* a marker's 16-bit length, less itself and "Exif\0\0" */
    MIN_FREE = 4096,  /* free bytes offered to libjpeg at a time, at least */
    MAX_ROWS = 16,    /* of luma in one row of MCUs */
};

typedef struct writer {
    struct jpeg_compress_struct c;
    struct jpeg_error_mgr mgr;
    struct jpeg_destination_mgr dest;
    jmp_buf back;
    vd_str *out;
    vd_err *err;
    vd_status status;
    uint8_t *rows; /* padded copies of planar rows */
} writer;

static void on_error(j_common_ptr c) {
    writer *w = c->client_data;
    char text[JMSG_LENGTH_MAX];
    c->err->format_message(c, text);
    if (w->status == VD_OK) w->status = vd_fail(w->err, VD_E_INTERNAL, "jpeg: %s", text);
    longjmp(w->back, 1);
}

static void on_message(j_common_ptr c) {
    (void)c;
}

/* Offers the free end of the buffer, after making sure that there is some. */
static void offer(writer *w) {
    vd_str *s = w->out;
    if (s->cap - s->size < MIN_FREE + 1) {
        int64_t need = s->size + VD_MAX(s->size / 2, 16 * (int64_t)MIN_FREE);
        w->status = VD_GROW(s->data, s->cap, need, w->err);
        if (w->status != VD_OK) longjmp(w->back, 1);
    }
    w->dest.next_output_byte = (JOCTET *)s->data + s->size;
    w->dest.free_in_buffer = (size_t)(s->cap - s->size - 1);
}

static void dest_init(j_compress_ptr c) {
    offer(c->client_data);
}

static boolean dest_full(j_compress_ptr c) {
    writer *w = c->client_data;
    w->out->size = w->out->cap - 1; /* libjpeg fills all of it before it calls */
    offer(w);
    return TRUE;
}

static void dest_end(j_compress_ptr c) {
    writer *w = c->client_data;
    w->out->size = w->out->cap - 1 - (int64_t)w->dest.free_in_buffer;
    w->out->data[w->out->size] = '\0';
}

/* The luma sampling factors of planar input, false where its chroma planes fit none. */
static bool plane_sampling(const vd_frame *f, int *h, int *v) {
    const vd_plane *cb = &f->plane[1], *cr = &f->plane[2];
    if (cb->width != cr->width || cb->height != cr->height) return false;
    *h = cb->width == f->width ? 1 : 2;
    *v = cb->height == f->height ? 1 : 2;
    return cb->width == (f->width + *h - 1) / *h && cb->height == (f->height + *v - 1) / *v;
}

static vd_status check(const vd_frame *f, const vd_jpeg_opt *o, vd_err *err) {
    int h, v;
    if (f->width < 1 || f->height < 1 || f->width > MAX_SIDE || f->height > MAX_SIDE)
        return vd_fail(err, VD_E_ARG, "jpeg: size %d x %d, each side may be 1 to %d", f->width,
                       f->height, MAX_SIDE);
    if (o->quality < 1 || o->quality > 100)
        return vd_fail(err, VD_E_ARG, "jpeg: quality %d, allowed is 1 to 100", o->quality);
    if (o->exif != NULL && o->exif_size > MAX_EXIF)
        return vd_fail(err, VD_E_ARG, "jpeg: EXIF block of %zu bytes, at most %d fit", o->exif_size,
                       MAX_EXIF);
    if (f->format == VD_PIX_YCC8 && !plane_sampling(f, &h, &v))
        return vd_fail(err, VD_E_ARG, "jpeg: chroma planes of %d x %d for a picture of %d x %d",
                       f->plane[1].width, f->plane[1].height, f->width, f->height);
    return VD_OK;
}

static void set_up(writer *w, const vd_frame *f, const vd_jpeg_opt *o) {
    struct jpeg_compress_struct *c = &w->c;
    int h = o->chroma == VD_CHROMA_444 ? 1 : 2, v = o->chroma == VD_CHROMA_420 ? 2 : 1;
    c->image_width = (JDIMENSION)f->width;
    c->image_height = (JDIMENSION)f->height;
    c->input_components = f->format == VD_PIX_GREY8 ? 1 : 3;
    c->in_color_space = f->format == VD_PIX_GREY8  ? JCS_GRAYSCALE
                        : f->format == VD_PIX_RGB8 ? JCS_RGB
                                                   : JCS_YCbCr;
    jpeg_set_defaults(c);
    jpeg_set_quality(c, o->quality, TRUE);
    c->dct_method = o->fast_dct ? JDCT_IFAST : JDCT_ISLOW;
    if (f->format == VD_PIX_YCC8) plane_sampling(f, &h, &v);
    if (f->format != VD_PIX_GREY8) {
        c->comp_info[0].h_samp_factor = h;
        c->comp_info[0].v_samp_factor = v;
    }
    if (o->progressive) jpeg_simple_progression(c);
    c->raw_data_in = f->format == VD_PIX_YCC8;
    c->dest = &w->dest;
}

static void write_exif(writer *w, const vd_jpeg_opt *o) {
    static const char head[6] = "Exif\0";
    if (o->exif == NULL) return;
    const uint8_t *p = o->exif;
    jpeg_write_m_header(&w->c, JPEG_APP0 + 1, (unsigned)(o->exif_size + sizeof head));
    for (size_t i = 0; i < sizeof head; i++) jpeg_write_m_byte(&w->c, head[i]);
    for (size_t i = 0; i < o->exif_size; i++) jpeg_write_m_byte(&w->c, p[i]);
}

static void write_packed(writer *w, const vd_plane *p) {
    while (w->c.next_scanline < w->c.image_height) {
        JSAMPROW row[MAX_ROWS];
        int n = (int)VD_MIN(MAX_ROWS, w->c.image_height - w->c.next_scanline);
        for (int i = 0; i < n; i++)
            row[i] = (JSAMPROW)(p->data + (ptrdiff_t)(w->c.next_scanline + i) * p->stride);
        jpeg_write_scanlines(&w->c, row, (JDIMENSION)n);
    }
}

/* Planar input goes in by rows of MCUs, each row padded to whole blocks by its last sample: libjpeg
 * reads them as they are. */
static void write_planes(writer *w, const vd_frame *f) {
    int v = w->c.comp_info[0].v_samp_factor;
    size_t wide = ((size_t)f->width + 31) & ~(size_t)15;
    w->rows = vd_mem_alloc(wide * 3 * MAX_ROWS);
    if (w->rows == NULL) {
        w->status = vd_nomem(w->err);
        longjmp(w->back, 1);
    }
    JSAMPROW row[3][MAX_ROWS];
    JSAMPARRAY planes[3] = { row[0], row[1], row[2] };
    while (w->c.next_scanline < w->c.image_height) {
        for (int k = 0; k < 3; k++) {
            const vd_plane *p = &f->plane[k];
            int n = k == 0 ? 8 * v : 8;
            int32_t y0 = (int32_t)w->c.next_scanline / (k == 0 ? 1 : v);
            for (int i = 0; i < n; i++) {
                int32_t y = VD_MIN(y0 + i, p->height - 1);
                row[k][i] = w->rows + wide * (size_t)(k * MAX_ROWS + i);
                memcpy(row[k][i], p->data + (ptrdiff_t)y * p->stride, (size_t)p->width);
                memset(row[k][i] + p->width, row[k][i][p->width - 1], wide - (size_t)p->width);
            }
        }
        jpeg_write_raw_data(&w->c, planes, (JDIMENSION)(8 * v));
    }
}

/* Apart from its caller, so that no local of that one lives across the jump. */
static void compress(writer *w, const vd_frame *f, const vd_jpeg_opt *o) {
    if (setjmp(w->back) != 0) return;
    jpeg_create_compress(&w->c);
    set_up(w, f, o);
    jpeg_start_compress(&w->c, TRUE);
    write_exif(w, o);
    if (f->format == VD_PIX_YCC8)
        write_planes(w, f);
    else
        write_packed(w, &f->plane[0]);
    jpeg_finish_compress(&w->c);
}

vd_status vd_jpeg_write(vd_str *out, const vd_frame *f, const vd_jpeg_opt *opt, vd_err *err) {
    static const vd_jpeg_opt defaults = VD_JPEG_OPT;
    const vd_jpeg_opt *o = opt != NULL ? opt : &defaults;
    VD_TRY(vd_str_check(out, err));
    VD_TRY(check(f, o, err));
    const int64_t old_size = out->size;
    writer w;
    memset(&w, 0, sizeof w);
    w.out = out;
    w.err = err;
    w.dest = (struct jpeg_destination_mgr){ .init_destination = dest_init,
                                            .empty_output_buffer = dest_full,
                                            .term_destination = dest_end };
    w.c.err = jpeg_std_error(&w.mgr);
    w.mgr.error_exit = on_error;
    w.mgr.output_message = on_message;
    w.c.client_data = &w;
    compress(&w, f, o);
    if (w.status != VD_OK) {
        out->size = old_size;
        if (out->data != NULL) out->data[old_size] = '\0';
    }
    jpeg_destroy_compress(&w.c);
    vd_mem_free(w.rows);
    return w.status;
}
