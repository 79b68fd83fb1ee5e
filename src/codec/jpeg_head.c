/* A walk over the marker segments of ITU-T T.81, annex B. SPDX-License-Identifier: Apache-2.0
 *
 * Ours rather than libjpeg's because it must also read what that library refuses (12 bit, lossless,
 * broken headers), and because nothing is copied. */
#include "codec/jpeg_head.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned u16be(const uint8_t *p) {
    return (unsigned)p[0] << 8 | p[1];
}

static void read_sof(vd_jpeg_head *h, int marker, const uint8_t *p, size_t n) {
    if (n < 6 || h->sof != 0) return;
    h->sof = marker;
    h->bits = p[0];
    h->height = (int32_t)u16be(p + 1);
    h->width = (int32_t)u16be(p + 3);
    h->components = p[5];
    for (size_t i = 0; i < 4 && i < p[5] && 6 + 3 * i + 3 <= n; i++) {
        h->h[i] = p[7 + 3 * i] >> 4;
        h->v[i] = p[7 + 3 * i] & 15;
        h->table[i] = p[8 + 3 * i] & 3;
    }
}

static void read_dqt(vd_jpeg_head *h, const uint8_t *p, size_t n) {
    while (n > 0) {
        int wide = p[0] >> 4 != 0, id = p[0] & 3;
        size_t need = 1 + (wide ? 128u : 64u);
        if (n < need) return;
        for (int i = 0; i < 64; i++)
            h->quant[id][i] = wide ? (uint16_t)u16be(p + 1 + 2 * i) : p[1 + i];
        h->has_table[id] = true;
        p += need;
        n -= need;
    }
}

static bool starts(const uint8_t *p, size_t n, const char *text, size_t len) {
    return n >= len && memcmp(p, text, len) == 0;
}

static const char ICC[12] = "ICC_PROFILE";

static void read_app(vd_jpeg_head *h, int marker, const uint8_t *p, size_t n) {
    static const char xmp[] = "http://ns.adobe.com/xap/1.0/";
    if (marker == 0xe1 && h->exif == NULL && starts(p, n, "Exif\0\0", 6)) {
        h->exif = p;
        h->exif_size = n;
    } else if (marker == 0xe1 && h->xmp == NULL && starts(p, n, xmp, sizeof xmp)) {
        h->xmp = p + sizeof xmp;
        h->xmp_size = n - sizeof xmp;
    } else if (marker == 0xe2 && n > 14 && starts(p, n, ICC, sizeof ICC)) {
        h->icc_size += n - 14;
    } else if (marker == 0xee && starts(p, n, "Adobe", 5)) {
        h->adobe = true;
    }
}

/* The next segment with a length from `*at`; false at the first scan or the end. */
static bool next_segment(const uint8_t *data, size_t size, size_t *at, int *marker,
                         const uint8_t **body, size_t *n) {
    size_t i = *at;
    for (;;) {
        while (i < size && data[i] != 0xff) i++;
        while (i < size && data[i] == 0xff) i++;
        if (i >= size) return false;
        int m = data[i++];
        if (m == 0 || m == 1 || (m >= 0xd0 && m <= 0xd8)) continue;
        if (m == 0xd9 || size - i < 2) return false;
        size_t len = u16be(data + i);
        if (len < 2) continue;
        *marker = m;
        *body = data + i + 2;
        *n = VD_MIN(len - 2, size - i - 2);
        *at = VD_MIN(i + len, size);
        return true;
    }
}

void vd_jpeg_head_read(vd_jpeg_head *h, const uint8_t *data, size_t size) {
    size_t at = 0, n = 0, before = 0;
    int m = 0;
    const uint8_t *p = NULL;
    *h = (vd_jpeg_head){ 0 };
    while (next_segment(data, size, &at, &m, &p, &n)) {
        if (m == 0xda) {
            h->scan_at = (size_t)(p - data) - 4;
            return;
        }
        if (m >= 0xc0 && m <= 0xcf && m != 0xc4 && m != 0xc8 && m != 0xcc)
            read_sof(h, m, p, n);
        else if (m == 0xf7)
            read_sof(h, m, p, n); /* JPEG-LS, ITU-T T.87 */
        else if (m == 0xdb)
            read_dqt(h, p, n);
        else if (m >= 0xe0 && m <= 0xef)
            read_app(h, m, p, n);
        if (at <= before) return;
        before = at;
    }
}

bool vd_jpeg_head_icc(const vd_jpeg_head *h, const uint8_t *data, size_t size, uint8_t *out) {
    size_t done = 0;
    for (int want = 1; want < 256 && done < h->icc_size; want++) {
        size_t at = 0, n = 0;
        int m = 0;
        const uint8_t *p = NULL;
        bool found = false;
        while (!found && next_segment(data, size, &at, &m, &p, &n) && m != 0xda) {
            if (m != 0xe2 || n <= 14 || !starts(p, n, ICC, sizeof ICC) || p[12] != want) continue;
            if (n - 14 > h->icc_size - done) return false;
            memcpy(out + done, p + 14, n - 14);
            done += n - 14;
            found = true;
        }
        if (!found) return false;
    }
    return done == h->icc_size;
}

/* Example luminance table of T.81 annex K, table K.1, in zigzag order. */
static const uint8_t luma_k1[64] = { 16,  11, 12, 14,  12,  10,  16,  14,  13, 14,  18,  17,  16,
                                     19,  24, 40, 26,  24,  22,  22,  24,  49, 35,  37,  29,  40,
                                     58,  51, 61, 60,  57,  51,  56,  55,  64, 72,  92,  78,  64,
                                     68,  87, 69, 55,  56,  80,  109, 81,  87, 95,  98,  103, 104,
                                     103, 62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99 };

/* jcparam.c of the Independent JPEG Group scales table K.1 by 5000 / q below 50 and 200 - 2 q
 * above, in percent, rounded; the nearest such table in summed absolute difference is the answer.
 */
int vd_jpeg_quality(const uint16_t zigzag[64]) {
    int best = 0;
    long best_sum = 0;
    for (int q = 1; q <= 100; q++) {
        int scale = q < 50 ? 5000 / q : 200 - 2 * q;
        long sum = 0;
        for (int i = 0; i < 64 && (best == 0 || sum <= best_sum); i++) {
            long v = ((long)luma_k1[i] * scale + 50) / 100;
            /* encoders clamp to 255 unless 16-bit tables are allowed */
            v = VD_CLAMP(v, 1, zigzag[i] > 255 ? 32767 : 255);
            sum += labs(v - zigzag[i]);
        }
        if (best == 0 || sum <= best_sum) {
            best = q;
            best_sum = sum;
        }
    }
    return best;
}

void vd_jpeg_chroma(const vd_jpeg_head *h, char out[8]) {
    out[0] = '\0';
    if (h->components < 3) return;
    int fx = h->h[1] > 0 && h->h[0] % h->h[1] == 0 ? h->h[0] / h->h[1] : 0;
    int fy = h->v[1] > 0 && h->v[0] % h->v[1] == 0 ? h->v[0] / h->v[1] : 0;
    static const struct {
        int fx, fy;
        const char *name;
    } names[] = { { 1, 1, "4:4:4" }, { 2, 1, "4:2:2" }, { 2, 2, "4:2:0" }, { 1, 2, "4:4:0" },
                  { 4, 1, "4:1:1" }, { 4, 2, "4:1:0" }, { 1, 4, "4:4:1" } };
    bool same = h->h[1] == h->h[2] && h->v[1] == h->v[2];
    for (int i = 0; same && i < VD_COUNT(names); i++)
        if (names[i].fx == fx && names[i].fy == fy) snprintf(out, 8, "%s", names[i].name);
    if (out[0] == '\0') snprintf(out, 8, "%dx%d", h->h[0] & 15, h->v[0] & 15);
}

bool vd_jpeg_is_progressive(const vd_jpeg_head *h) {
    return h->sof == 0xc2 || h->sof == 0xca || h->sof == 0xc6 || h->sof == 0xce;
}

bool vd_jpeg_is_lossless(const vd_jpeg_head *h) {
    return (h->sof & 3) == 3 || (h->sof >= 0xc5 && h->sof <= 0xc7) ||
           (h->sof >= 0xcd && h->sof <= 0xcf) || h->sof == 0xf7;
}
