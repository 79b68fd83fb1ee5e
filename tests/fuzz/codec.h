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
#include "codec/png_raw.h"
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

static inline uint32_t fuzz_crc(const uint8_t *d, size_t n) {
    uint32_t c = ~0u;
    for (size_t i = 0; i < n; i++) {
        c ^= d[i];
        for (int k = 0; k < 8; k++) c = c >> 1 ^ (c & 1 ? 0xedb88320u : 0);
    }
    return ~c;
}

/* The checksums of chunks are made right, or nothing behind them would ever be seen. */
static inline void fuzz_png_raw(const uint8_t *d, size_t n) {
    const vd_decode_opt opt = {
        .max_pixels = 1 << 18, .max_memory_bytes = 1 << 22, .want_pixels = true, .raw = true
    };
    uint8_t *copy = malloc(n + 1);
    if (copy == NULL) return;
    memcpy(copy, d, n);
    for (size_t at = 8; at + 12 <= n;) {
        size_t size = (size_t)copy[at] << 24 | (size_t)copy[at + 1] << 16 |
                      (size_t)copy[at + 2] << 8 | copy[at + 3];
        if (size > n - at - 12) break;
        uint32_t crc = fuzz_crc(copy + at + 4, size + 4);
        for (int k = 0; k < 4; k++)
            copy[at + 8 + size + (size_t)k] = (uint8_t)(crc >> (24 - 8 * k));
        at += 12 + size;
    }
    vd_job job = { .name = "a", .data = copy, .size = (int64_t)n, .fd = -1, .opt = opt };
    vd_media m;
    vd_media_init(&m);
    if (vd_png_raw(NULL, &job, &m, NULL) == VD_OK && m.n_frames == 0 && m.reason[0] == '\0')
        abort();
    free(copy);
}

static const struct {
    const char *name;
    void (*run)(const uint8_t *d, size_t n);
} fuzz_targets[] = { { "sniff", fuzz_sniff },    { "jpeg", fuzz_jpeg }, { "sizes", fuzz_sizes },
                     { "exif", fuzz_exif },      { "xmp", fuzz_xmp },   { "plain", fuzz_plain },
                     { "png_raw", fuzz_png_raw } };

#endif
