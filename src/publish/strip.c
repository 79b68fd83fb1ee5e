/* Metadata out of picture files; see strip.h. SPDX-License-Identifier: Apache-2.0 */
#include "publish/strip.h"

#include <string.h>

static const uint8_t PNG_HEAD[8] = { 0x89, 'P', 'N', 'G', 0x0d, 0x0a, 0x1a, 0x0a };

const char *vd_strip_ext(const uint8_t *b, size_t n) {
    if (n >= 4 && b[0] == 0xff && b[1] == 0xd8 && b[2] == 0xff) return "jpg";
    if (n >= 8 && memcmp(b, PNG_HEAD, 8) == 0) return "png";
    if (n >= 16 && memcmp(b, "RIFF", 4) == 0 && memcmp(b + 8, "WEBPVP8", 7) == 0 &&
        memchr(" LX", b[15], 3) != NULL)
        return "webp";
    return NULL;
}

static void add(vd_str *out, const uint8_t *b, size_t n) {
    vd_str_addn(out, (const char *)b, (int64_t)n);
}

static vd_status broken(const char *name, const char *what, size_t at, vd_err *err) {
    return vd_fail(err, VD_E_FORMAT, "strip: %.200s: byte %zu: %s", name, at, what);
}

/* ---- JPEG ---- */

enum {
    M_TEM = 0x01,
    M_RST0 = 0xd0,
    M_RST7 = 0xd7,
    M_EOI = 0xd9,
    M_SOS = 0xda,
    M_APP0 = 0xe0,
    M_APP2 = 0xe2,
    M_APP14 = 0xee,
    M_APP15 = 0xef,
    M_COM = 0xfe
};

/* JFIF with no thumbnail: version, units and densities are kept. */
static void add_jfif(vd_str *out, const uint8_t *body) {
    static const uint8_t head[4] = { 0xff, M_APP0, 0, 16 }, none[2] = { 0, 0 };
    add(out, head, sizeof head);
    add(out, body, 12);
    add(out, none, sizeof none);
}

static void add_segment(vd_str *out, const uint8_t *segment, int marker, size_t n) {
    const uint8_t *body = segment + 4;
    bool app = marker >= M_APP0 && marker <= M_APP15;
    if (marker == M_APP0 && n >= 14 && memcmp(body, "JFIF", 5) == 0)
        add_jfif(out, body);
    else if (marker == M_APP2 && n >= 14 && memcmp(body, "ICC_PROFILE", 12) == 0)
        add(out, segment, n + 4);
    else if (marker == M_APP14 && n >= 12 && memcmp(body, "Adobe", 5) == 0)
        add(out, segment, n + 4);
    else if (!app && marker != M_COM)
        add(out, segment, n + 4);
}

/* Where the entropy-coded data that begins at `at` ends: the next marker that is no restart. What
 * follows an FF in damaged data and names no segment is taken as data, as decoders do. */
static size_t scan_end(const uint8_t *b, size_t n, size_t at) {
    while (at + 1 < n) {
        const uint8_t *ff = memchr(b + at, 0xff, n - at - 1);
        if (ff == NULL) return n;
        at = (size_t)(ff - b);
        bool restart = ff[1] >= M_RST0 && ff[1] <= M_RST7;
        if (ff[1] >= 0xc0 && ff[1] != 0xff && !restart) return at;
        at += ff[1] == 0xff ? 1 : 2;
    }
    return n;
}

static vd_status strip_jpeg(vd_str *out, const uint8_t *b, size_t n, const char *name,
                            vd_err *err) {
    static const uint8_t end[2] = { 0xff, M_EOI };
    bool scanned = false;
    size_t at = 2;
    add(out, b, 2);
    while (at + 4 <= n || (at + 2 <= n && b[at + 1] == M_EOI)) {
        if (b[at] != 0xff) return broken(name, "no marker where one must be", at, err);
        int marker = b[at + 1];
        if (marker == M_EOI) {
            add(out, end, sizeof end);
            return VD_OK;
        }
        if (marker == 0xff || marker == M_TEM || (marker >= M_RST0 && marker <= M_RST7)) {
            at += marker == 0xff ? 1 : 2; /* fill bytes, and marks without a length */
            continue;
        }
        size_t length = (size_t)b[at + 2] << 8 | b[at + 3];
        if (length < 2 || at + 2 + length > n) {
            if (scanned) return VD_OK; /* cut off between scans: the pixels before it are there */
            return broken(name, "a segment that is longer than the file", at, err);
        }
        add_segment(out, b + at, marker, length - 2);
        at += 2 + length;
        if (marker != M_SOS) continue;
        size_t stop = scan_end(b, n, at);
        add(out, b + at, stop - at);
        scanned = true;
        at = stop;
    }
    return scanned ? VD_OK : broken(name, "the file ends before the picture begins", n, err);
}

/* ---- PNG ---- */

static size_t be32(const uint8_t *p) {
    return (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
}

static bool keep_chunk(const uint8_t *type) {
    static const char *const kept[] = { "IHDR", "PLTE", "IDAT", "IEND", "tRNS", "cHRM", "gAMA",
                                        "iCCP", "sBIT", "sRGB", "cICP", "mDCV", "cLLI", "bKGD",
                                        "hIST", "pHYs", "sPLT", "acTL", "fcTL", "fdAT" };
    for (int i = 0; i < VD_COUNT(kept); i++)
        if (memcmp(type, kept[i], 4) == 0) return true;
    return false;
}

static vd_status strip_png(vd_str *out, const uint8_t *b, size_t n, const char *name, vd_err *err) {
    bool pixels = false;
    size_t at = 8;
    add(out, b, 8);
    while (at + 12 <= n) {
        size_t length = be32(b + at), whole = length + 12;
        const uint8_t *type = b + at + 4;
        bool idat = memcmp(type, "IDAT", 4) == 0;
        if (whole > n - at) {
            if (idat) add(out, b + at, n - at); /* cut off: what is there can be decoded */
            return idat || pixels ? VD_OK
                                  : broken(name, "a chunk that is longer than the file", at, err);
        }
        pixels = pixels || idat;
        if (keep_chunk(type)) add(out, b + at, whole);
        at += whole;
        if (memcmp(type, "IEND", 4) == 0) return VD_OK;
    }
    return pixels ? VD_OK : broken(name, "the file ends before the picture begins", n, err);
}

/* ---- WebP ---- */

enum { VP8X_EXIF = 8, VP8X_XMP = 4, ANMF_HEAD = 16 };

static size_t le32(const uint8_t *p) {
    return (size_t)p[3] << 24 | (size_t)p[2] << 16 | (size_t)p[1] << 8 | p[0];
}

static void add_le32(vd_str *out, size_t v) {
    for (int i = 0; i < 4; i++) vd_str_addc(out, (char)(v >> (8 * i) & 0xff));
}

static void set_le32(vd_str *out, int64_t at, size_t v) {
    if (out->status != VD_OK) return;
    for (int i = 0; i < 4; i++) out->data[at + i] = (char)(v >> (8 * i) & 0xff);
}

static void add_chunk(vd_str *out, const uint8_t *chunk, size_t length) {
    add(out, chunk, 8 + length);
    if (length % 2 != 0) vd_str_addc(out, '\0');
}

/* The chunks of b[at..n); those of a frame of an animation lie in its ANMF. */
static vd_status strip_riff(vd_str *out, const uint8_t *b, size_t n, size_t at, bool inner,
                            bool *pixels, const char *name, vd_err *err) {
    static const char *const kept[] = { "VP8 ", "VP8L", "ALPH", "ICCP", "ANIM" };
    while (at + 8 <= n) {
        size_t length = le32(b + at + 4);
        const uint8_t *type = b + at;
        if (length > n - at - 8)
            return broken(name, "a chunk that is longer than the file", at, err);
        if (!inner && memcmp(type, "VP8X", 4) == 0) {
            if (length < 10) return broken(name, "a header that is too short", at, err);
            int64_t flags = out->size + 8;
            add_chunk(out, type, length);
            if (out->status == VD_OK)
                out->data[flags] = (char)((uint8_t)out->data[flags] & ~(VP8X_EXIF | VP8X_XMP));
        } else if (!inner && memcmp(type, "ANMF", 4) == 0 && length >= ANMF_HEAD) {
            int64_t begin = out->size;
            add(out, type, 8 + ANMF_HEAD);
            VD_TRY(
                strip_riff(out, b, at + 8 + length, at + 8 + ANMF_HEAD, true, pixels, name, err));
            set_le32(out, begin + 4, (size_t)(out->size - begin - 8));
        } else {
            for (int i = 0; i < VD_COUNT(kept); i++) {
                if (memcmp(type, kept[i], 4) != 0) continue;
                *pixels = *pixels || i < 2;
                add_chunk(out, type, length);
            }
        }
        at += 8 + length + length % 2;
    }
    return VD_OK;
}

static vd_status strip_webp(vd_str *out, const uint8_t *b, size_t n, const char *name,
                            vd_err *err) {
    size_t stated = le32(b + 4);
    int64_t begin = out->size;
    bool pixels = false;
    if (stated > n - 8) return broken(name, "the file is shorter than it says", 4, err);
    add(out, b, 4);
    add_le32(out, 0);
    add(out, b + 8, 4);
    VD_TRY(strip_riff(out, b, 8 + stated, 12, false, &pixels, name, err));
    if (!pixels) return broken(name, "the file ends before the picture begins", 8 + stated, err);
    set_le32(out, begin + 4, (size_t)(out->size - begin - 8));
    return VD_OK;
}

vd_status vd_strip(vd_str *out, const uint8_t *bytes, size_t n, const char *name, vd_err *err) {
    const char *ext = vd_strip_ext(bytes, n);
    if (ext == NULL)
        return vd_fail(err, VD_E_UNSUPPORTED, "strip: %.200s is no JPEG, PNG or WebP", name);
    VD_TRY(ext[0] == 'j'   ? strip_jpeg(out, bytes, n, name, err)
           : ext[0] == 'p' ? strip_png(out, bytes, n, name, err)
                           : strip_webp(out, bytes, n, name, err));
    return vd_str_check(out, err);
}
