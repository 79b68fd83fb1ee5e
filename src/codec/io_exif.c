/* EXIF by libexif: the only file that knows it. Tag numbers are those of CIPA DC-008 (EXIF 2.32).
 * SPDX-License-Identifier: Apache-2.0
 *
 * libexif is told not to mend what it reads; maker notes are never looked at. */
#include "codec/meta.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <libexif/exif-data.h>

#include "codec/meta_text.h"

#ifndef VD_LIBEXIF_VERSION
#define VD_LIBEXIF_VERSION ""
#endif

const char *vd_meta_exif_library(void) {
    return "libexif " VD_LIBEXIF_VERSION;
}

static ExifEntry *entry(ExifData *d, ExifIfd ifd, int tag) {
    return exif_content_get_entry(d->ifd[ifd], (ExifTag)tag);
}

/* The i-th value of an entry as a number, NaN where there is none. */
static double number(ExifData *d, ExifIfd ifd, int tag, unsigned i) {
    ExifEntry *e = entry(d, ifd, tag);
    ExifByteOrder o = exif_data_get_byte_order(d);
    if (e == NULL || e->data == NULL || i >= e->components) return NAN;
    unsigned width = exif_format_get_size(e->format);
    if (width == 0 || (uint64_t)width * (i + 1) > e->size) return NAN;
    const unsigned char *p = e->data + (size_t)width * i;
    switch (e->format) {
    case EXIF_FORMAT_BYTE: return *p;
    case EXIF_FORMAT_SHORT: return exif_get_short(p, o);
    case EXIF_FORMAT_SSHORT: return exif_get_sshort(p, o);
    case EXIF_FORMAT_LONG: return exif_get_long(p, o);
    case EXIF_FORMAT_SLONG: return exif_get_slong(p, o);
    case EXIF_FORMAT_RATIONAL: {
        ExifRational r = exif_get_rational(p, o);
        return r.denominator != 0 ? (double)r.numerator / r.denominator : NAN;
    }
    case EXIF_FORMAT_SRATIONAL: {
        ExifSRational r = exif_get_srational(p, o);
        return r.denominator != 0 ? (double)r.numerator / r.denominator : NAN;
    }
    default: return NAN;
    }
}

static void text(ExifData *d, ExifIfd ifd, int tag, char *out, size_t size) {
    ExifEntry *e = entry(d, ifd, tag);
    if (e != NULL && e->data != NULL) vd_meta_text(out, size, (const char *)e->data, e->size);
}

static void keep(double *out, double v, double lo, double hi) {
    if (isnan(*out) && v >= lo && v <= hi) *out = v;
}

static void take_date(ExifData *d, vd_media *m) {
    static const struct {
        ExifIfd ifd;
        int date, subsec, offset;
    } from[] = { { EXIF_IFD_EXIF, 0x9003, 0x9291, 0x9011 }, /* DateTimeOriginal */
                 { EXIF_IFD_EXIF, 0x9004, 0x9292, 0x9012 }, /* DateTimeDigitized */
                 { EXIF_IFD_0, 0x0132, 0x9290, 0x9010 } };  /* DateTime: of the last change */
    for (int i = 0; i < VD_COUNT(from) && m->taken_at[0] == '\0'; i++) {
        char date[40] = "", subsec[16] = "", offset[16] = "";
        text(d, from[i].ifd, from[i].date, date, sizeof date);
        text(d, EXIF_IFD_EXIF, from[i].subsec, subsec, sizeof subsec);
        text(d, EXIF_IFD_EXIF, from[i].offset, offset, sizeof offset);
        vd_meta_date(m->taken_at, date, subsec, offset);
    }
}

static double angle(ExifData *d, int tag, int ref_tag, char negative) {
    char ref[8] = "";
    double deg = number(d, EXIF_IFD_GPS, tag, 0), min = number(d, EXIF_IFD_GPS, tag, 1),
           sec = number(d, EXIF_IFD_GPS, tag, 2);
    if (isnan(deg)) return NAN;
    deg += (isnan(min) ? 0 : min / 60) + (isnan(sec) ? 0 : sec / 3600);
    text(d, EXIF_IFD_GPS, ref_tag, ref, sizeof ref);
    return ref[0] == negative ? -deg : deg;
}

static void take_position(ExifData *d, vd_media *m) {
    double lat = angle(d, 2, 1, 'S'), lon = angle(d, 4, 3, 'W');
    if (fabs(lat) <= 90 && fabs(lon) <= 180) { /* one without the other is no position */
        m->latitude_deg = lat;
        m->longitude_deg = lon;
    }
    double alt = number(d, EXIF_IFD_GPS, 6, 0), below = number(d, EXIF_IFD_GPS, 5, 0);
    keep(&m->altitude_m, below == 1 ? -alt : alt, -12000, 1e6);
    double dir = number(d, EXIF_IFD_GPS, 17, 0);
    keep(&m->direction_deg, dir == 360 ? 0 : dir, 0, 360);
}

static void take_camera(ExifData *d, vd_media *m) {
    text(d, EXIF_IFD_0, 0x010f, m->make, sizeof m->make);
    text(d, EXIF_IFD_0, 0x0110, m->model, sizeof m->model);
    text(d, EXIF_IFD_EXIF, 0xa434, m->lens, sizeof m->lens);
    keep(&m->focal_mm, number(d, EXIF_IFD_EXIF, 0x920a, 0), 0.01, 1e5);
    keep(&m->focal_35mm, number(d, EXIF_IFD_EXIF, 0xa405, 0), 1, 65000);
    keep(&m->exposure_s, number(d, EXIF_IFD_EXIF, 0x829a, 0), 1e-9, 1e6);
    keep(&m->f_number, number(d, EXIF_IFD_EXIF, 0x829d, 0), 0.1, 1000);
    keep(&m->iso, number(d, EXIF_IFD_EXIF, 0x8827, 0), 1, 65534);
    /* above 65534 the number stands in a tag of its own, by SensitivityType */
    keep(&m->iso, number(d, EXIF_IFD_EXIF, 0x8832, 0), 1, 1e8);
    keep(&m->iso, number(d, EXIF_IFD_EXIF, 0x8831, 0), 1, 1e8);
    /* APEX values, in cameras that write no others: t = 2^-Tv, N = 2^(Av/2) */
    keep(&m->exposure_s, exp2(-number(d, EXIF_IFD_EXIF, 0x9201, 0)), 1e-9, 1e6);
    keep(&m->f_number, exp2(number(d, EXIF_IFD_EXIF, 0x9202, 0) / 2), 0.1, 1000);
}

void vd_meta_exif(vd_media *m, const uint8_t *data, size_t size) {
    if (size < 14 || size > UINT32_MAX) return;
    ExifData *d = exif_data_new();
    if (d == NULL) return;
    exif_data_unset_option(d, EXIF_DATA_OPTION_IGNORE_UNKNOWN_TAGS);
    exif_data_unset_option(d, EXIF_DATA_OPTION_FOLLOW_SPECIFICATION);
    exif_data_set_option(d, EXIF_DATA_OPTION_DONT_CHANGE_MAKER_NOTE);
    exif_data_load_data(d, data, (unsigned)size);
    double o = number(d, EXIF_IFD_0, 0x0112, 0);
    if (m->orientation == 0 && o >= 1 && o <= 8) m->orientation = (int)o;
    double bits = number(d, EXIF_IFD_0, 0x0102, 0); /* of a TIFF file's own samples */
    if (m->bits == 0 && bits >= 1 && bits <= 64) m->bits = (int)bits;
    take_date(d, m);
    take_position(d, m);
    take_camera(d, m);
    exif_data_unref(d);
}
