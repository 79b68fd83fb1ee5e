/* XMP by expat: the only file that knows it. Property names are those of ISO 16684-1 and of Adobe's
 * XMP specification, part 2 (tiff:, exif:, aux:); drone-dji: is what drones of DJI write.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A property is an attribute of rdf:Description, an element with text, or the first item of an rdf
 * list: the text of the innermost known element is taken. */
#include "codec/meta.h"

#include <expat.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/meta_text.h"

typedef struct parse {
    XML_Parser parser;
    vd_media *m;
    int depth, known_depth; /* of the element whose text is being gathered, 0 none */
    char name[80], text[200];
    size_t n;
    double lat, lon;
    bool below;
} parse;

const char *vd_meta_xmp_library(void) {
    static const char name[] = "expat";
    return XML_ExpatVersion() != NULL ? XML_ExpatVersion() : name;
}

/* "7/2" or "3.5"; NaN otherwise. */
static double number(const char *s) {
    char *end = NULL;
    double a = strtod(s, &end);
    if (end == s) return NAN;
    if (*end != '/') return a;
    double b = strtod(end + 1, NULL);
    return b != 0 ? a / b : NAN;
}

/* "43,28.2N" or "43,28,11N" */
static double angle(const char *s) {
    char *end = NULL;
    double v = strtod(s, &end), scale = 60;
    if (end == s) return NAN;
    while (*end == ',' && scale <= 3600) {
        const char *from = end + 1;
        v += strtod(from, &end) / scale;
        scale *= 60;
    }
    return *end == 'S' || *end == 'W' ? -v : v;
}

static void keep(double *out, double v, double lo, double hi) {
    if (isnan(*out) && v >= lo && v <= hi) *out = v;
}

static void take(parse *p, const char *name, const char *value) {
    vd_media *m = p->m;
    static const struct {
        const char *name;
        size_t at;
        double lo, hi;
    } numbers[] = { { "FocalLength", offsetof(vd_media, focal_mm), 0.01, 1e5 },
                    { "FocalLengthIn35mmFilm", offsetof(vd_media, focal_35mm), 1, 65000 },
                    { "ExposureTime", offsetof(vd_media, exposure_s), 1e-9, 1e6 },
                    { "FNumber", offsetof(vd_media, f_number), 0.1, 1000 },
                    { "ISOSpeedRatings", offsetof(vd_media, iso), 1, 1e8 },
                    { "PhotographicSensitivity", offsetof(vd_media, iso), 1, 1e8 },
                    { "GPSAltitude", offsetof(vd_media, altitude_m), -12000, 1e6 },
                    { "GPSImgDirection", offsetof(vd_media, direction_deg), 0, 360 },
                    { "GimbalPitchDegree", offsetof(vd_media, pitch_deg), -180, 180 } };
    for (int i = 0; i < VD_COUNT(numbers); i++)
        if (strcmp(name, numbers[i].name) == 0)
            keep((double *)((char *)m + numbers[i].at), number(value), numbers[i].lo,
                 numbers[i].hi);
    if (strcmp(name, "Orientation") == 0) {
        double o = number(value);
        if (m->orientation == 0 && o >= 1 && o <= 8) m->orientation = (int)o;
    } else if (strcmp(name, "DateTimeOriginal") == 0 || strcmp(name, "DateCreated") == 0) {
        if (m->taken_at[0] == '\0') vd_meta_date(m->taken_at, value, NULL, NULL);
    } else if (strcmp(name, "GPSLatitude") == 0)
        p->lat = angle(value);
    else if (strcmp(name, "GPSLongitude") == 0)
        p->lon = angle(value);
    else if (strcmp(name, "GPSAltitudeRef") == 0)
        p->below = value[0] == '1';
    else if (strcmp(name, "Make") == 0)
        vd_meta_text(m->make, sizeof m->make, value, strlen(value));
    else if (strcmp(name, "Model") == 0)
        vd_meta_text(m->model, sizeof m->model, value, strlen(value));
    else if (strcmp(name, "Lens") == 0 || strcmp(name, "LensModel") == 0)
        vd_meta_text(m->lens, sizeof m->lens, value, strlen(value));
}

/* The local name of a property in one of the namespaces that matter, else NULL. */
static const char *property(const char *full) {
    static const char *const spaces[] = {
        "http://ns.adobe.com/tiff/1.0/|",      "http://ns.adobe.com/exif/1.0/|",
        "http://ns.adobe.com/exif/1.0/aux/|",  "http://cipa.jp/exif/1.0/|",
        "http://ns.adobe.com/photoshop/1.0/|", "http://www.dji.com/drone-dji/1.0/|"
    };
    for (int i = 0; i < VD_COUNT(spaces); i++) {
        size_t n = strlen(spaces[i]);
        if (strncmp(full, spaces[i], n) == 0) return full + n;
    }
    return NULL;
}

static void on_start(void *user, const XML_Char *name, const XML_Char **atts) {
    parse *p = user;
    const char *key = property(name);
    p->depth++;
    if (key != NULL) {
        p->known_depth = p->depth;
        p->n = 0;
        snprintf(p->name, sizeof p->name, "%s", key);
    }
    for (; atts[0] != NULL; atts += 2) {
        key = property(atts[0]);
        if (key != NULL) take(p, key, atts[1]);
    }
}

static void on_text(void *user, const XML_Char *s, int n) {
    parse *p = user;
    if (p->known_depth == 0) return;
    for (int i = 0; i < n && p->n + 1 < sizeof p->text; i++)
        if (p->n > 0 || strchr(" \r\n\t", s[i]) == NULL) p->text[p->n++] = s[i];
}

static void on_end(void *user, const XML_Char *name) {
    parse *p = user;
    (void)name;
    /* a list ends with its first item: "100" and not "100200" */
    if (p->known_depth > 0 && (p->depth == p->known_depth || p->n > 0)) {
        p->text[p->n] = '\0';
        if (p->n > 0) take(p, p->name, p->text);
        p->known_depth = 0;
    }
    p->depth--;
}

/* XMP has no document type: one that declares entities is up to no good. */
static void on_entity(void *user, const XML_Char *a, int b, const XML_Char *c, int d,
                      const XML_Char *e, const XML_Char *f, const XML_Char *g, const XML_Char *h) {
    parse *p = user;
    (void)a, (void)b, (void)c, (void)d, (void)e, (void)f, (void)g, (void)h;
    XML_StopParser(p->parser, XML_FALSE);
}

void vd_meta_xmp(vd_media *m, const char *packet, size_t size) {
    enum { MOST = 4 << 20 };
    while (size > 0 && packet[size - 1] == '\0') size--; /* padding is common */
    if (size == 0 || size > MOST) return;
    parse p = { .m = m, .lat = NAN, .lon = NAN };
    bool no_altitude = isnan(m->altitude_m);
    p.parser = XML_ParserCreateNS(NULL, '|');
    if (p.parser == NULL) return;
    XML_SetUserData(p.parser, &p);
    XML_SetElementHandler(p.parser, on_start, on_end);
    XML_SetCharacterDataHandler(p.parser, on_text);
    XML_SetEntityDeclHandler(p.parser, on_entity);
    XML_Parse(p.parser, packet, (int)size, 1); /* what came before an error counts */
    XML_ParserFree(p.parser);
    if (isnan(m->latitude_deg) && fabs(p.lat) <= 90 && fabs(p.lon) <= 180) {
        m->latitude_deg = p.lat;
        m->longitude_deg = p.lon;
    }
    if (no_altitude && p.below) m->altitude_m = -m->altitude_m;
}
