/* Declared sizes. SPDX-License-Identifier: Apache-2.0
 *
 * Offsets are those of the formats' own specifications: ISO/IEC 15948 (PNG), GIF89a,
 * BITMAPINFOHEADER, ISO/IEC 15444-1 annexes A and I (JPEG 2000), qoiformat.org, DDS_HEADER, Adobe's
 * PSD, Truevision TGA, SGI, ISO/IEC 18181-1 (JPEG XL: SizeHeader and ImageMetadata). */
#include "codec/head_size.h"

#include <string.h>

typedef struct bytes {
    const uint8_t *p;
    size_t n;
} bytes;

/* Reads beyond the end give 0: a size of 0 is "not known". */
static int64_t le(bytes b, size_t at, int n) {
    uint64_t v = 0;
    for (int i = n; i-- > 0;) v = v << 8 | (at + (size_t)i < b.n ? b.p[at + (size_t)i] : 0);
    return (int64_t)v;
}

static int64_t be(bytes b, size_t at, int n) {
    uint64_t v = 0;
    for (int i = 0; i < n; i++) v = v << 8 | (at + (size_t)i < b.n ? b.p[at + (size_t)i] : 0);
    return (int64_t)v;
}

static void bmp(bytes b, int64_t *w, int64_t *h) {
    bool old = le(b, 14, 4) == 12;
    *w = old ? le(b, 18, 2) : (int32_t)le(b, 18, 4);
    *h = old ? le(b, 20, 2) : (int32_t)le(b, 22, 4);
    if (*h < 0) *h = -*h; /* rows from the top */
}

/* SIZ of the codestream: the picture is the reference grid less its offset. */
static void siz(bytes b, size_t at, int64_t *w, int64_t *h) {
    *w = be(b, at + 6, 4) - be(b, at + 14, 4);
    *h = be(b, at + 10, 4) - be(b, at + 18, 4);
}

static void jp2(bytes b, int64_t *w, int64_t *h) {
    static const uint8_t start[4] = { 0xff, 0x4f, 0xff, 0x51 };
    size_t look = VD_MIN(b.n, (size_t)1 << 20);
    const uint8_t *p = memmem(b.p, look, start, sizeof start);
    if (p != NULL)
        siz(b, (size_t)(p - b.p) + 2, w, h);
    else if ((p = memmem(b.p, look, "ihdr", 4)) != NULL) {
        *h = be(b, (size_t)(p - b.p) + 4, 4);
        *w = be(b, (size_t)(p - b.p) + 8, 4);
    }
}

/* ImageWidth and ImageLength of the first directory of a classic TIFF file (TIFF 6.0). */
static void tiff(bytes b, int64_t *w, int64_t *h) {
    int64_t (*get)(bytes, size_t, int) = b.n > 0 && b.p[0] == 'M' ? be : le;
    if (get(b, 2, 2) != 42) return;
    size_t ifd = (size_t)get(b, 4, 4);
    int64_t n = get(b, ifd, 2);
    for (int64_t i = 0; i < n; i++) {
        size_t at = ifd + 2 + 12 * (size_t)i;
        int64_t tag = get(b, at, 2), v = get(b, at + 8, get(b, at + 2, 2) == 3 ? 2 : 4);
        if (tag == 256) *w = v;
        if (tag == 257) *h = v;
    }
}

typedef struct bits {
    bytes b;
    size_t at; /* in bits, the lowest of a byte first */
} bits;

static uint32_t take(bits *s, int n) {
    uint32_t v = 0;
    for (int i = 0; i < n; i++, s->at++) {
        size_t k = s->at >> 3;
        if (k < s->b.n) v |= (uint32_t)(s->b.p[k] >> (s->at & 7) & 1) << i;
    }
    return v;
}

static uint32_t take_size(bits *s) {
    static const int widths[4] = { 9, 13, 18, 30 };
    return take(s, widths[take(s, 2)]) + 1;
}

static void jxl_size(bits *s, int64_t *w, int64_t *h) {
    static const int ratio[8][2] = { { 1, 1 }, { 1, 1 },  { 12, 10 }, { 4, 3 },
                                     { 3, 2 }, { 16, 9 }, { 5, 4 },   { 2, 1 } };
    bool small = take(s, 1);
    *h = small ? (take(s, 5) + 1) * 8 : take_size(s);
    uint32_t r = take(s, 3);
    if (r != 0)
        *w = *h * ratio[r][0] / ratio[r][1];
    else
        *w = small ? (take(s, 5) + 1) * 8 : take_size(s);
}

/* The codestream: bare, or in the first jxlc or jxlp box. */
static bits jxl_stream(bytes b) {
    bits s = { b, 16 };
    if (be(b, 0, 2) == 0xff0a) return s;
    for (size_t at = 0; b.n >= 8 && at <= b.n - 8;) {
        uint64_t n = (uint64_t)be(b, at, 4);
        size_t body = at + 8;
        if (n == 1) {
            n = (uint64_t)be(b, at + 8, 8);
            body += 8;
        }
        bool part = memcmp(b.p + at + 4, "jxlp", 4) == 0;
        if (part || memcmp(b.p + at + 4, "jxlc", 4) == 0) {
            s.at = (body + (part ? 4 : 0) + 2) * 8;
            return s;
        }
        if (n < 8 || n > b.n - at) break;
        at += (size_t)n;
    }
    s.at = b.n * 8;
    return s;
}

bool vd_head_jxl_animated(const uint8_t *data, size_t size) {
    bits s = jxl_stream((bytes){ data, size });
    int64_t w, h;
    if (s.at >= size * 8) return false;
    jxl_size(&s, &w, &h);
    if (take(&s, 1) || !take(&s, 1)) return false; /* all_default; no extra_fields */
    take(&s, 3);                                   /* orientation */
    if (take(&s, 1)) jxl_size(&s, &w, &h);         /* intrinsic size */
    if (take(&s, 1)) return false;                 /* a preview: its header is not followed */
    return take(&s, 1);
}

bool vd_head_size(const char *format, const uint8_t *data, size_t size, int64_t *width,
                  int64_t *height) {
    static const struct {
        const char *format;
        uint8_t w, h, len;
        bool big;
    } plain[] = { { "png", 16, 20, 4, true }, { "gif", 6, 8, 2, false },
                  { "qoi", 4, 8, 4, true },   { "dds", 16, 12, 4, false },
                  { "psd", 18, 14, 4, true }, { "tga", 12, 14, 2, false },
                  { "sgi", 6, 8, 2, true } };
    bytes b = { data, size };
    int64_t w = 0, h = 0;
    for (int i = 0; i < VD_COUNT(plain); i++)
        if (strcmp(format, plain[i].format) == 0) {
            w = plain[i].big ? be(b, plain[i].w, plain[i].len) : le(b, plain[i].w, plain[i].len);
            h = plain[i].big ? be(b, plain[i].h, plain[i].len) : le(b, plain[i].h, plain[i].len);
        }
    if (strcmp(format, "bmp") == 0)
        bmp(b, &w, &h);
    else if (strcmp(format, "tiff") == 0)
        tiff(b, &w, &h);
    else if (strcmp(format, "jp2") == 0)
        jp2(b, &w, &h);
    else if (strcmp(format, "jxl") == 0) {
        bits s = jxl_stream(b);
        if (s.at < size * 8) jxl_size(&s, &w, &h);
    }
    if (w < 1 || h < 1) return false;
    *width = w;
    *height = h;
    return true;
}
