/* Writes EXIF: a TIFF header, the main directory, the Exif and the GPS directory.
 *
 * A directory is gathered as a list of entries, each with its value's bytes in a common buffer; the
 * layout is then known and everything is written in one go: entries sorted by tag as TIFF demands,
 * values of up to four bytes inside the entry, longer ones behind the directory at even offsets.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "image/exif_write.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { T_BYTE = 1, T_ASCII = 2, T_SHORT = 3, T_LONG = 4, T_RATIONAL = 5, T_UNDEFINED = 7 };
enum { MAX_ENTRIES = 16, MAX_VALUES = 512 };

typedef struct entry {
    uint16_t tag, type;
    uint32_t count, at, size; /* value bytes [at, at + size) of the directory's buffer */
} entry;

typedef struct ifd {
    entry e[MAX_ENTRIES];
    int n;
    uint8_t bytes[MAX_VALUES];
    uint32_t used;
} ifd;

static void put16(uint8_t *p, uint32_t v) {
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

static void put32(uint8_t *p, uint32_t v) {
    put16(p, v & 0xffff);
    put16(p + 2, v >> 16);
}

static uint8_t *add(ifd *d, int tag, int type, uint32_t count, uint32_t size) {
    int i = d->n++;
    for (; i > 0 && d->e[i - 1].tag > tag; i--) d->e[i] = d->e[i - 1];
    d->e[i] = (entry){ (uint16_t)tag, (uint16_t)type, count, d->used, size };
    d->used += size;
    return d->bytes + d->e[i].at;
}

static void add_text(ifd *d, int tag, const char *text, size_t max) {
    size_t n = 0;
    while (n < max && text[n] >= ' ' && text[n] <= '~') n++;
    if (n == 0) return;
    uint8_t *p = add(d, tag, T_ASCII, (uint32_t)n + 1, (uint32_t)n + 1);
    memcpy(p, text, n);
    p[n] = 0;
}

static void add_short(ifd *d, int tag, int v) {
    put16(add(d, tag, T_SHORT, 1, 2), (uint32_t)v);
}
static void add_long(ifd *d, int tag, uint32_t v) {
    put32(add(d, tag, T_LONG, 1, 4), v);
}

static void put_rational(uint8_t *p, double v, uint32_t den) {
    double num = VD_CLAMP(floor(v * den + 0.5), 0.0, 4294967295.0);
    put32(p, (uint32_t)num);
    put32(p + 4, den);
}

static void add_rational(ifd *d, int tag, double v, uint32_t den) {
    put_rational(add(d, tag, T_RATIONAL, 1, 8), v, den);
}

/* Degrees, minutes and seconds; seconds to 1/100000, which is 0.3 mm on the ground. */
static void add_dms(ifd *d, int tag, double deg) {
    const uint32_t den = 100000;
    uint8_t *p = add(d, tag, T_RATIONAL, 3, 24);
    uint64_t units = (uint64_t)floor(fabs(deg) * 3600.0 * den + 0.5);
    put32(p, (uint32_t)(units / (3600ull * den)));
    put32(p + 4, 1);
    put32(p + 8, (uint32_t)(units / (60ull * den) % 60));
    put32(p + 12, 1);
    put32(p + 16, (uint32_t)(units % (60ull * den)));
    put32(p + 20, den);
}

/* taken_at is "YYYY-MM-DDTHH:MM:SS[.fff][Z|+HH:MM|-HH:MM]". */
static vd_status add_time(ifd *main_ifd, ifd *exif, const char *taken_at, vd_err *err) {
    int y, mo, d, h, mi, s, n = 0;
    if (sscanf(taken_at, "%4d-%2d-%2dT%2d:%2d:%2d%n", &y, &mo, &d, &h, &mi, &s, &n) != 6 || n != 19)
        return vd_fail(err, VD_E_ARG, "exif: time '%s' is not like 2024-05-01T10:20:30.250+02:00",
                       taken_at);
    char text[32];
    memcpy(text, taken_at, 19);
    text[4] = text[7] = ':';
    text[10] = ' ';
    text[19] = '\0';
    add_text(main_ifd, 0x0132, text, 19);
    add_text(exif, 0x9003, text, 19);
    add_text(exif, 0x9004, text, 19);
    const char *rest = taken_at + 19;
    if (*rest == '.') {
        size_t digits = strspn(rest + 1, "0123456789");
        add_text(exif, 0x9291, rest + 1, VD_MIN(digits, 9));
        add_text(exif, 0x9290, rest + 1, VD_MIN(digits, 9));
        rest += 1 + digits;
    }
    if (*rest == 'Z') rest = "+00:00";
    if (*rest == '+' || *rest == '-') {
        add_text(exif, 0x9010, rest, 6);
        add_text(exif, 0x9011, rest, 6);
    }
    return VD_OK;
}

static void add_exposure(ifd *exif, double s) {
    if (s < 0.5 && s > 0.0) { /* 1/250, as cameras write it */
        uint8_t *p = add(exif, 0x829a, T_RATIONAL, 1, 8);
        put32(p, 1000);
        put32(p + 4, (uint32_t)floor(1000.0 / s + 0.5));
    } else {
        add_rational(exif, 0x829a, s, 1000);
    }
}

static void fill_exif(ifd *exif, const vd_media *m) {
    memcpy(add(exif, 0x9000, T_UNDEFINED, 4, 4), "0232", 4);
    if (isfinite(m->exposure_s)) add_exposure(exif, m->exposure_s);
    if (isfinite(m->f_number)) add_rational(exif, 0x829d, m->f_number, 100);
    if (isfinite(m->iso)) add_short(exif, 0x8827, (int)VD_CLAMP(m->iso + 0.5, 0, 65535));
    if (isfinite(m->focal_mm)) add_rational(exif, 0x920a, m->focal_mm, 10000);
    if (isfinite(m->focal_35mm))
        add_short(exif, 0xa405, (int)VD_CLAMP(m->focal_35mm + 0.5, 0, 65535));
    add_text(exif, 0xa434, m->lens, sizeof m->lens);
    if (m->width > 0 && m->height > 0) {
        add_short(exif, 0xa001, 1);
        add_long(exif, 0xa002, (uint32_t)m->width);
        add_long(exif, 0xa003, (uint32_t)m->height);
    }
}

static void fill_gps(ifd *gps, const vd_media *m) {
    if (isfinite(m->latitude_deg) && isfinite(m->longitude_deg)) {
        add_text(gps, 1, m->latitude_deg < 0 ? "S" : "N", 1);
        add_dms(gps, 2, m->latitude_deg);
        add_text(gps, 3, m->longitude_deg < 0 ? "W" : "E", 1);
        add_dms(gps, 4, m->longitude_deg);
        add_text(gps, 18, "WGS-84", 6);
    }
    if (isfinite(m->altitude_m)) {
        *add(gps, 5, T_BYTE, 1, 1) = m->altitude_m < 0;
        add_rational(gps, 6, fabs(m->altitude_m), 1000);
    }
    if (isfinite(m->direction_deg)) {
        add_text(gps, 16, "T", 1);
        add_rational(gps, 17, fmod(fmod(m->direction_deg, 360.0) + 360.0, 360.0), 1000);
    }
    if (gps->n > 0) memcpy(add(gps, 0, T_BYTE, 4, 4), "\2\3\0\0", 4);
}

static uint32_t even(uint32_t n) {
    return (n + 1) & ~1u;
}

static uint32_t ifd_size(const ifd *d) {
    uint32_t size = 2 + 12 * (uint32_t)d->n + 4;
    for (int i = 0; i < d->n; i++)
        if (d->e[i].size > 4) size += even(d->e[i].size);
    return size;
}

static void write_ifd(vd_str *out, const ifd *d, uint32_t offset) {
    uint8_t b[12];
    uint32_t tail = offset + 2 + 12 * (uint32_t)d->n + 4;
    put16(b, (uint32_t)d->n);
    vd_str_addn(out, (char *)b, 2);
    for (int i = 0; i < d->n; i++) {
        const entry *e = &d->e[i];
        memset(b, 0, sizeof b);
        put16(b, e->tag);
        put16(b + 2, e->type);
        put32(b + 4, e->count);
        if (e->size <= 4)
            memcpy(b + 8, d->bytes + e->at, e->size);
        else
            put32(b + 8, tail);
        if (e->size > 4) tail += even(e->size);
        vd_str_addn(out, (char *)b, 12);
    }
    vd_str_addn(out, "\0\0\0\0", 4);
    for (int i = 0; i < d->n; i++) {
        const entry *e = &d->e[i];
        if (e->size <= 4) continue;
        vd_str_addn(out, (const char *)d->bytes + e->at, e->size);
        if (e->size & 1) vd_str_addn(out, "\0", 1);
    }
}

vd_status vd_exif_write(vd_str *out, const vd_media *m, vd_err *err) {
    ifd dir = { .n = 0 }, exif = { .n = 0 }, gps = { .n = 0 };
    if (m->orientation >= 1 && m->orientation <= 8) add_short(&dir, 0x0112, m->orientation);
    add_text(&dir, 0x010f, m->make, sizeof m->make);
    add_text(&dir, 0x0110, m->model, sizeof m->model);
    if (m->taken_at[0] != '\0') VD_TRY(add_time(&dir, &exif, m->taken_at, err));
    fill_exif(&exif, m);
    fill_gps(&gps, m);
    uint8_t *to_exif = add(&dir, 0x8769, T_LONG, 1, 4);
    uint8_t *to_gps = gps.n > 0 ? add(&dir, 0x8825, T_LONG, 1, 4) : NULL;
    const uint32_t exif_at = 8 + ifd_size(&dir), gps_at = exif_at + ifd_size(&exif);
    put32(to_exif, exif_at);
    if (to_gps != NULL) put32(to_gps, gps_at);
    vd_str_addn(out, "II*\0\x08\0\0\0", 8);
    write_ifd(out, &dir, 8);
    write_ifd(out, &exif, exif_at);
    if (gps.n > 0) write_ifd(out, &gps, gps_at);
    return vd_str_check(out, err);
}
