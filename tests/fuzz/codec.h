/* One fuzz target for each parser of the decoders that is our own: a function of bytes. Compiled
 * with libFuzzer (meson -Dfuzz=true, clang) as programs of their own, and by
 * tests/unit/codec_fuzz.c, which replays a corpus. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_TESTS_FUZZ_CODEC_H
#define VD_TESTS_FUZZ_CODEC_H

#include <stdlib.h>
#include <string.h>

#include "codec/head_size.h"
#include "codec/io_plain.h"
#include "codec/jpeg_head.h"
#include "codec/meta.h"
#include "codec/meta_text.h"
#include "codec/png_head.h"
#include "image/sniff.h"

static inline void fuzz_sniff(const uint8_t *d, size_t n) {
    static const char *const names[] = { "a.tga", "b.jpg", "c", NULL };
    vd_sniffed s = vd_sniff(d, n, names[n % 4]);
    if (s.format == NULL) abort();
    vd_sniff_wrong_extension(names[n % 4], s.format);
}

static inline void fuzz_jpeg(const uint8_t *d, size_t n) {
    vd_jpeg_head h;
    char chroma[8];
    vd_jpeg_head_read(&h, d, n);
    vd_jpeg_chroma(&h, chroma);
    for (int i = 0; i < 4; i++)
        if (h.has_table[i] && vd_jpeg_quality(h.quant[i]) < 1) abort();
    if (h.exif != NULL && (h.exif < d || h.exif + h.exif_size > d + n)) abort();
    if (h.xmp != NULL && (h.xmp < d || h.xmp + h.xmp_size > d + n)) abort();
    uint8_t *icc = malloc(h.icc_size + 1);
    if (icc != NULL) vd_jpeg_head_icc(&h, d, n, icc);
    free(icc);
}

static inline void fuzz_sizes(const uint8_t *d, size_t n) {
    static const char *const formats[] = { "png", "gif", "qoi",  "dds", "psd", "tga",
                                           "sgi", "bmp", "tiff", "jp2", "jxl" };
    for (int i = 0; i < VD_COUNT(formats); i++) {
        int64_t w = 1, h = 1;
        if (vd_head_size(formats[i], d, n, &w, &h) && (w < 1 || h < 1)) abort();
    }
    vd_head_jxl_animated(d, n);
    if (vd_png_frames(d, n) < 1) abort();
}

static inline void fuzz_exif(const uint8_t *d, size_t n) {
    vd_media m;
    vd_media_init(&m);
    m.orientation = 0;
    vd_meta_exif(&m, d, n);
    if (m.orientation < 0 || m.orientation > 8 || memchr(m.make, 0, sizeof m.make) == NULL) abort();
}

static inline void fuzz_xmp(const uint8_t *d, size_t n) {
    vd_media m;
    char date[40], text[200] = "";
    vd_media_init(&m);
    m.orientation = 0;
    vd_meta_xmp(&m, (const char *)d, n);
    if (m.orientation < 0 || m.orientation > 8) abort();
    vd_meta_text(text, sizeof text, (const char *)d, n);
    if (vd_meta_date(date, text, text, text) && strlen(date) < 19) abort();
}

/* The decoders of uncompressed formats, on the stubs of codec_stub.c. */
static inline void fuzz_plain(const uint8_t *d, size_t n) {
    const vd_decode_opt opt = { .max_pixels = 1 << 18,
                                .max_memory_bytes = 1 << 22,
                                .want_pixels = true };
    vd_job job = { .name = "a", .data = d, .size = (int64_t)n, .fd = -1, .opt = opt };
    vd_serve *s = NULL;
    vd_media m;
    vd_media_init(&m);
    vd_pnm_decode(s, &job, &m, NULL);
    vd_media_init(&m);
    vd_bmp_decode(NULL, s, &job, &m, NULL);
}

static const struct {
    const char *name;
    void (*run)(const uint8_t *d, size_t n);
} fuzz_targets[] = { { "sniff", fuzz_sniff }, { "jpeg", fuzz_jpeg }, { "sizes", fuzz_sizes },
                     { "exif", fuzz_exif },   { "xmp", fuzz_xmp },   { "plain", fuzz_plain } };

#endif
