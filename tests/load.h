/* Pictures for tests, straight from libjpeg and libpng: independent of the product's own decoding.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_TESTS_LOAD_H
#define VD_TESTS_LOAD_H

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <png.h>

#include "image/frame.h"

/* A frame with the memory behind it; release with t_picture_free. */
typedef struct t_picture {
    vd_frame frame;
    uint8_t *memory;
} t_picture;

static inline void t_picture_free(t_picture *p) {
    free(p->memory);
    *p = (t_picture){ 0 };
}

/* Tightly packed: planes of w x h for YCC8, one plane otherwise. */
static inline bool t_picture_new(t_picture *p, vd_pixfmt format, int w, int h) {
    size_t n = (size_t)w * (size_t)h;
    p->memory = malloc(3 * n + 1);
    if (p->memory == NULL) return false;
    memset(p->memory, 128, 3 * n);
    p->frame = (vd_frame){ .format = format, .width = w, .height = h, .orientation = 1 };
    int planes = format == VD_PIX_YCC8 ? 3 : 1, bytes = format == VD_PIX_RGB8 ? 3 : 1;
    for (int i = 0; i < planes; i++)
        p->frame.plane[i] = (vd_plane){ p->memory + (size_t)i * n, (ptrdiff_t)w * bytes, w, h };
    return true;
}

typedef struct t_jpeg_error {
    struct jpeg_error_mgr base;
    jmp_buf out;
} t_jpeg_error;
static inline void t_jpeg_failed(j_common_ptr c) {
    longjmp(((t_jpeg_error *)c->err)->out, 1);
}

/* YCbCr of full size, or grey. false where the bytes do not decode. */
static inline bool t_load_jpeg_bytes(t_picture *p, const uint8_t *bytes, size_t size) {
    struct jpeg_decompress_struct d;
    t_jpeg_error e;
    uint8_t *volatile line = NULL;
    memset(p, 0, sizeof *p);
    d.err = jpeg_std_error(&e.base);
    e.base.error_exit = t_jpeg_failed;
    if (setjmp(e.out)) {
        jpeg_destroy_decompress(&d);
        t_picture_free(p);
        free(line);
        return false;
    }
    jpeg_create_decompress(&d);
    jpeg_mem_src(&d, bytes, size);
    jpeg_read_header(&d, TRUE);
    bool grey = d.jpeg_color_space == JCS_GRAYSCALE;
    d.out_color_space = grey ? JCS_GRAYSCALE : JCS_YCbCr;
    jpeg_start_decompress(&d);
    int w = (int)d.output_width, h = (int)d.output_height;
    line = malloc((size_t)w * 3);
    if (line == NULL || !t_picture_new(p, grey ? VD_PIX_GREY8 : VD_PIX_YCC8, w, h))
        longjmp(e.out, 1);
    for (int y = 0; y < h; y++) {
        JSAMPROW row = line;
        jpeg_read_scanlines(&d, &row, 1);
        for (int c = 0; c < (grey ? 1 : 3); c++)
            for (int x = 0; x < w; x++)
                p->memory[((size_t)c * (size_t)h + (size_t)y) * (size_t)w + (size_t)x] =
                    line[grey ? x : 3 * x + c];
    }
    jpeg_finish_decompress(&d);
    jpeg_destroy_decompress(&d);
    free(line);
    return true;
}

static inline bool t_load_png(t_picture *p, const char *path) {
    png_image img;
    memset(&img, 0, sizeof img);
    memset(p, 0, sizeof *p);
    img.version = PNG_IMAGE_VERSION;
    if (!png_image_begin_read_from_file(&img, path)) return false;
    bool grey = !(img.format & PNG_FORMAT_FLAG_COLOR);
    img.format = grey ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
    png_color white = { 255, 255, 255 };
    bool ok =
        t_picture_new(p, grey ? VD_PIX_GREY8 : VD_PIX_RGB8, (int)img.width, (int)img.height) &&
        png_image_finish_read(&img, &white, p->memory, 0, NULL);
    png_image_free(&img);
    if (!ok) t_picture_free(p);
    return ok;
}

/* By content; false where it is neither JPEG nor PNG or does not decode. */
static inline bool t_load(t_picture *p, const char *path) {
    memset(p, 0, sizeof *p);
    FILE *f = fopen(path, "rb");
    if (f == NULL) return false;
    fseek(f, 0, SEEK_END);
    long size = ftell(f);
    rewind(f);
    uint8_t *bytes = malloc((size_t)(size > 0 ? size : 1));
    bool ok = bytes != NULL && size > 8 && fread(bytes, 1, (size_t)size, f) == (size_t)size;
    fclose(f);
    if (ok && bytes[0] == 0xff)
        ok = t_load_jpeg_bytes(p, bytes, (size_t)size);
    else if (ok)
        ok = t_load_png(p, path);
    free(bytes);
    return ok;
}
#endif
