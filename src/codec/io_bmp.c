/* Windows and OS/2 bitmaps. SPDX-License-Identifier: Apache-2.0
 *
 * Formats: BITMAPFILEHEADER with BITMAPCOREHEADER, OS22XBITMAPHEADER, BITMAPINFOHEADER, V2 to V5,
 * as in the Windows GDI reference and the OS/2 Presentation Manager reference; bmpsuite by Jason
 * Summers has the cases that people disagree about. */
#include <stdio.h>
#include <string.h>

#include "codec/io_plain.h"
#include "codec/plain_rows.h"
#include "codec/report.h"

enum { RGB = 0, RLE8 = 1, RLE4 = 2, FIELDS = 3, JPEG = 4, PNG = 5, ALPHA_FIELDS = 6, RLE24 = 100 };

typedef struct bmp {
    const uint8_t *p;
    size_t n, pixels; /* offset of the pixel data */
    uint32_t header;  /* size of the information header */
    int64_t width, height;
    bool from_top, masked_alpha;
    int bits, compression, n_colours;
    uint32_t mask[4]; /* red, green, blue, alpha */
    uint8_t colour[256][3];
} bmp;

static uint32_t le(const bmp *b, size_t at, int n) {
    uint32_t v = 0;
    for (int i = n; i-- > 0;) v = v << 8 | (at + (size_t)i < b->n ? b->p[at + (size_t)i] : 0);
    return v;
}

static void read_masks(bmp *b) {
    static const uint32_t rgb16[4] = { 0x7c00, 0x03e0, 0x001f, 0 };
    static const uint32_t rgb32[4] = { 0xff0000, 0xff00, 0xff, 0 };
    bool fields = b->compression == FIELDS || b->compression == ALPHA_FIELDS;
    memcpy(b->mask, b->bits == 16 ? rgb16 : rgb32, sizeof b->mask);
    if (!fields) return;
    int n = b->compression == ALPHA_FIELDS || b->header >= 56 ? 4 : 3;
    for (int i = 0; i < n; i++) b->mask[i] = le(b, 54 + 4 * (size_t)i, 4);
    b->masked_alpha = n == 4 && b->mask[3] != 0;
}

static void read_palette(bmp *b) {
    bool old = b->header == 12;
    size_t at = 14 + (size_t)b->header, step = old ? 3 : 4;
    if (b->header == 40 && b->compression == FIELDS) at += 12;
    if (b->header == 40 && b->compression == ALPHA_FIELDS) at += 16;
    uint32_t used = old || b->header < 36 ? 0 : le(b, 46, 4);
    uint32_t most = b->bits <= 8 ? 1u << b->bits : 256;
    size_t room = b->pixels > at ? (b->pixels - at) / step : 0;
    uint32_t n = used == 0 || used > most ? most : used;
    b->n_colours = (int)VD_MIN((size_t)n, VD_MIN(room, (size_t)256));
    for (int i = 0; i < b->n_colours; i++)
        for (int k = 0; k < 3; k++)
            b->colour[i][k] = (uint8_t)le(b, at + step * (size_t)i + 2 - (size_t)k, 1);
}

/* False: not a bitmap that makes sense; `unsupported` where it is one of a kind not done here. */
static bool read_header(bmp *b, bool *unsupported) {
    b->header = le(b, 14, 4);
    b->pixels = le(b, 10, 4);
    if (b->header == 12) {
        b->width = le(b, 18, 2);
        b->height = le(b, 20, 2);
        b->bits = (int)le(b, 24, 2);
    } else {
        int32_t h = (int32_t)le(b, 22, 4);
        b->width = (int32_t)le(b, 18, 4);
        b->height = h < 0 ? -(int64_t)h : h;
        b->from_top = h < 0;
        b->bits = (int)le(b, 28, 2);
        b->compression = b->header >= 20 ? (int)VD_MIN(le(b, 30, 4), 99) : RGB;
    }
    bool os2 =
        b->header > 12 && b->header <= 64 && b->header != 40 && b->header != 52 && b->header != 56;
    if (os2 && b->compression == JPEG) b->compression = RLE24;
    *unsupported =
        (os2 && b->compression == FIELDS) || b->compression == JPEG || b->compression == PNG;
    bool indexed = b->bits == 1 || b->bits == 2 || b->bits == 4 || b->bits == 8;
    bool direct = b->bits == 16 || b->bits == 24 || b->bits == 32;
    if (b->header < 12 || b->width < 1 || b->height < 1) return false;
    if (*unsupported) return true;
    switch (b->compression) {
    case RGB: break;
    case RLE8:
        indexed = b->bits == 8;
        direct = false;
        break;
    case RLE4:
        indexed = b->bits == 4;
        direct = false;
        break;
    case RLE24:
        direct = b->bits == 24;
        indexed = false;
        break;
    case FIELDS:
    case ALPHA_FIELDS:
        direct = b->bits == 16 || b->bits == 32;
        indexed = false;
        break;
    default: return false;
    }
    read_masks(b);
    if (indexed) read_palette(b);
    return indexed || direct;
}

static uint8_t field(uint32_t v, uint32_t mask) {
    if (mask == 0) return 0;
    int shift = __builtin_ctz(mask);
    return vd_rows_scale((v & mask) >> shift, mask >> shift);
}

static void put_index(const bmp *b, uint8_t *out, unsigned i) {
    if (i < (unsigned)b->n_colours)
        memcpy(out, b->colour[i], 3);
    else
        memset(out, 0, 3);
}

/* One row of an uncompressed bitmap; `opaque`: its alpha is not to be believed. */
static void plain_row(const bmp *b, const uint8_t *p, uint8_t *out, bool opaque) {
    for (int64_t x = 0; x < b->width; x++, out += 3) {
        if (b->bits <= 8) {
            int per = 8 / b->bits, shift = 8 - b->bits * (int)(x % per + 1);
            put_index(b, out, p[x / per] >> shift & ((1u << b->bits) - 1));
        } else if (b->bits == 24) {
            for (int k = 0; k < 3; k++) out[k] = p[3 * x + 2 - k];
        } else {
            uint32_t v = 0;
            for (int k = b->bits / 8; k-- > 0;) v = v << 8 | p[x * (b->bits / 8) + k];
            uint32_t a = opaque ? 255 : field(v, b->mask[3]);
            for (int k = 0; k < 3; k++) out[k] = vd_rows_over_white(field(v, b->mask[k]), a);
        }
    }
}

/* Files whose alpha is zero everywhere mean no alpha. */
static bool all_transparent(const bmp *b, size_t stride) {
    for (int64_t y = 0; y < b->height; y++)
        for (int64_t x = 0; x < b->width; x++) {
            size_t at = b->pixels + (size_t)y * stride + (size_t)x * (size_t)(b->bits / 8);
            if (at >= b->n) return true;
            if (le(b, at, b->bits / 8) & b->mask[3]) return false;
        }
    return true;
}

static int64_t target_row(const bmp *b, int64_t y) {
    return b->from_top ? y : b->height - 1 - y;
}

static int64_t plain_rows(const bmp *b, const vd_rows *r) {
    size_t stride = ((size_t)b->width * (size_t)b->bits + 31) / 32 * 4;
    size_t need =
        ((size_t)b->width * (size_t)b->bits + 7) / 8; /* the last row may lack its padding */
    bool opaque = !b->masked_alpha || all_transparent(b, stride);
    int64_t y = 0;
    for (; y < b->height; y++) {
        size_t at = b->pixels + (size_t)y * stride;
        if (at > b->n || b->n - at < need) break;
        plain_row(b, b->p + at, vd_rows_at(r, target_row(b, y)), opaque);
    }
    return y;
}

/* Run-length codes: count and value, or 0 and: 0 end of row, 1 end of picture, 2 move, n literal
 * pixels padded to 16 bits. Pixels that are skipped have the first colour. */
static int64_t packed_rows(const bmp *b, const vd_rows *r, bool *ended) {
    size_t at = b->pixels, wide = b->bits == 24 ? 3 : 1;
    int64_t x = 0, y = 0;
    for (int64_t i = 0; i < b->height; i++)
        for (int64_t k = 0; k < b->width; k++) put_index(b, vd_rows_at(r, i) + 3 * k, 0);
    *ended = false;
    while (y < b->height && at + 2 <= b->n) {
        unsigned n = b->p[at], what = b->p[at + 1];
        bool literal = n == 0 && what > 2;
        at += n == 0 ? 2 : 1;
        if (n == 0 && what == 0) {
            x = 0;
            y++;
        } else if (n == 0 && what == 1) {
            *ended = true;
            return b->height;
        } else if (n == 0 && what == 2) {
            x += le(b, at, 1);
            y += le(b, at + 1, 1);
            at += 2;
        } else {
            if (literal) n = what;
            size_t bytes = b->bits == 4 ? (literal ? (n + 1) / 2 : 1) : literal ? n * wide : wide;
            if (b->n - at < bytes) break;
            for (unsigned i = 0; i < n && x < b->width; i++, x++) {
                const uint8_t *p = b->p + at + (literal ? (b->bits == 4 ? i / 2 : i * wide) : 0);
                uint8_t *out = vd_rows_at(r, target_row(b, y)) + 3 * x;
                if (wide == 3)
                    for (int k = 0; k < 3; k++) out[k] = p[2 - k];
                else
                    put_index(b, out, b->bits == 4 ? *p >> (i % 2 ? 0 : 4) & 15u : *p);
            }
            at += literal ? (bytes + 1) & ~(size_t)1 : bytes;
        }
    }
    *ended = y >= b->height;
    return VD_MIN(y, b->height);
}

static void apply_profile(const bmp *b, const vd_rows *r, vd_icc *icc, vd_media *m) {
    enum { EMBEDDED = 0x4d424544 };
    if (b->header < 124 || le(b, 14 + 56, 4) != EMBEDDED) return;
    size_t at = 14 + (size_t)le(b, 14 + 112, 4), n = le(b, 14 + 116, 4);
    if (at >= b->n || n > b->n - at || n < 128) return;
    if (!vd_icc_open(icc, b->p + at, n, VD_ICC_RGB, m->icc)) return;
    for (int32_t y = 0; y < r->height; y++)
        vd_icc_run(icc, vd_rows_at(r, y), vd_rows_at(r, y), r->width);
}

vd_status vd_bmp_decode(vd_icc *icc, vd_serve *s, const vd_job *job, vd_media *m, vd_err *err) {
    bmp b = { .p = job->data, .n = (size_t)job->size };
    bool unsupported = false, ended = true;
    vd_rows r;
    snprintf(m->codec, sizeof m->codec, "bmp");
    snprintf(m->library, sizeof m->library, "vidimus " VIDIMUS_VERSION);
    if (!read_header(&b, &unsupported)) {
        vd_report(m, VD_V_UNREADABLE, "bad_header",
                  "a bitmap header of %u bytes, %d bits, compression %d", b.header, b.bits,
                  b.compression);
        return VD_OK;
    }
    m->bits = b.bits <= 8 ? b.bits : 8;
    m->channels = b.masked_alpha ? 4 : 3;
    m->has_alpha = b.masked_alpha;
    if (!vd_report_size(m, b.width, b.height, job->opt.max_pixels)) return VD_OK;
    if (unsupported) {
        vd_report(m, VD_V_UNSUPPORTED, "coding_process",
                  "a bitmap with JPEG, PNG or Huffman inside");
        return VD_OK;
    }
    if (!job->opt.want_pixels) return VD_OK;
    if (b.pixels >= b.n) {
        m->offset = job->size;
        m->decoded_percent = 0;
        vd_report(m, VD_V_UNREADABLE, "premature_end", "the data end before the first pixel");
        return VD_OK;
    }
    VD_TRY(vd_rows_new(&r, s, job, (int32_t)b.width, (int32_t)b.height, 3, err));
    bool packed = b.compression == RLE8 || b.compression == RLE4 || b.compression == RLE24;
    int64_t good = packed ? packed_rows(&b, &r, &ended) : plain_rows(&b, &r);
    if (good == 0 && !packed) {
        m->offset = job->size;
        m->decoded_percent = 0;
        vd_report(m, VD_V_UNREADABLE, "premature_end", "the data end within the first row");
        return VD_OK;
    }
    apply_profile(&b, &r, icc, m);
    return vd_rows_finish(&r, s, job, good, m, err);
}
