/* Portable any-map. SPDX-License-Identifier: Apache-2.0
 *
 * Formats: pbm(5), pgm(5), ppm(5), pam(5) of netpbm; PFM after Debevec. A header is words between
 * white space and comments; plain variants hold numbers as text, where a plain bitmap's digits need
 * no space between them. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/io_plain.h"
#include "codec/plain_rows.h"
#include "codec/report.h"

typedef struct pnm {
    const uint8_t *p;
    size_t n, at;
    char kind; /* the digit after P, or F, f */
    int64_t width, height;
    int depth; /* samples a pixel */
    uint32_t max;
    double scale; /* of PFM: negative for little endian */
} pnm;

static void skip_space(pnm *s) {
    while (s->at < s->n) {
        uint8_t c = s->p[s->at];
        if (c == '#')
            while (s->at < s->n && s->p[s->at] != '\n') s->at++;
        else if (isspace(c))
            s->at++;
        else
            return;
    }
}

/* The next word, "" at the end. */
static void word(pnm *s, char out[32]) {
    size_t n = 0;
    skip_space(s);
    while (s->at < s->n && !isspace(s->p[s->at]) && n < 31) out[n++] = (char)s->p[s->at++];
    out[n] = '\0';
}

static int64_t count(pnm *s) {
    enum { MOST = 1 << 30 };
    char w[32], *end;
    word(s, w);
    long long v = strtoll(w, &end, 10);
    return end == w || *end != '\0' || v < 1 || v > MOST ? 0 : v;
}

static bool read_pam(pnm *s) {
    char w[32];
    for (;;) {
        word(s, w);
        if (w[0] == '\0') return false;
        if (strcmp(w, "ENDHDR") == 0) break;
        if (strcmp(w, "WIDTH") == 0)
            s->width = count(s);
        else if (strcmp(w, "HEIGHT") == 0)
            s->height = count(s);
        else if (strcmp(w, "DEPTH") == 0)
            s->depth = (int)count(s);
        else if (strcmp(w, "MAXVAL") == 0)
            s->max = (uint32_t)count(s);
        else /* a tuple type is told by the depth */
            while (s->at < s->n && s->p[s->at] != '\n') s->at++;
    }
    return s->depth >= 1 && s->depth <= 4;
}

static bool read_header(pnm *s) {
    char w[32];
    s->kind = (char)s->p[1];
    s->at = 2;
    if (s->kind == '7') {
        if (!read_pam(s)) return false;
    } else {
        s->width = count(s);
        s->height = count(s);
        s->depth = s->kind == '3' || s->kind == '6' || s->kind == 'F' ? 3 : 1;
        if (s->kind == '1' || s->kind == '4')
            s->max = 1;
        else if (s->kind == 'F' || s->kind == 'f') {
            word(s, w);
            s->scale = strtod(w, NULL);
            s->max = s->scale != 0 && isfinite(s->scale);
        } else
            s->max = (uint32_t)count(s);
    }
    if (s->at < s->n) s->at++; /* one white space ends the header */
    return s->width > 0 && s->height > 0 && s->max > 0 && s->max <= 65535;
}

/* One number of a plain picture; false at the end or at something else. */
static bool plain(pnm *s, uint32_t *v) {
    skip_space(s);
    if (s->at >= s->n || !isdigit(s->p[s->at])) return false;
    *v = 0;
    if (s->kind == '1') {
        *v = s->p[s->at++] - '0';
        return true;
    }
    while (s->at < s->n && isdigit(s->p[s->at]) && *v < 1000000) *v = *v * 10 + s->p[s->at++] - '0';
    return true;
}

/* Samples of one row into `out`, 8 bit; false where the data end in it. */
static bool row_of(pnm *s, uint8_t *out) {
    size_t samples = (size_t)s->width * (size_t)s->depth;
    if (s->kind == '4') {
        size_t bytes = ((size_t)s->width + 7) / 8;
        if (s->n - s->at < bytes) return false;
        for (size_t x = 0; x < samples; x++)
            out[x] = s->p[s->at + x / 8] >> (7 - x % 8) & 1 ? 0 : 255;
        s->at += bytes;
        return true;
    }
    if (s->kind >= '1' && s->kind <= '3') {
        uint32_t v;
        for (size_t x = 0; x < samples; x++) {
            if (!plain(s, &v)) return false;
            out[x] = s->kind == '1' ? (v ? 0 : 255) : vd_rows_scale(v, s->max);
        }
        return true;
    }
    size_t wide = s->max > 255 ? 2 : 1;
    if (s->n - s->at < samples * wide) return false;
    const uint8_t *p = s->p + s->at;
    if (s->max == 255)
        memcpy(out, p, samples);
    else
        for (size_t x = 0; x < samples; x++)
            out[x] =
                vd_rows_scale(wide == 1 ? p[x] : (uint32_t)p[2 * x] << 8 | p[2 * x + 1], s->max);
    s->at += samples * wide;
    return true;
}

/* Two or four samples a pixel: the last is alpha. In place. */
static void drop_alpha(const uint8_t *in, uint8_t *out, int64_t width, int depth) {
    for (int64_t x = 0; x < width; x++)
        for (int k = 0; k < depth - 1; k++)
            out[x * (depth - 1) + k] =
                vd_rows_over_white(in[x * depth + k], in[x * depth + depth - 1]);
}

static float pfm_at(const pnm *s, size_t i) {
    uint32_t u = 0;
    float f;
    const uint8_t *p = s->p + s->at + 4 * i;
    for (int k = 0; k < 4; k++) u |= (uint32_t)p[k] << 8 * (s->scale < 0 ? k : 3 - k);
    memcpy(&f, &u, sizeof f);
    return f;
}

/* Floats have no fixed range: 0..1 and 0..255 are taken as they look, others are stretched. */
static int64_t pfm_rows(const pnm *s, const vd_rows *r) {
    size_t per_row = (size_t)s->width * (size_t)s->depth;
    int64_t rows = VD_MIN((int64_t)((s->n - s->at) / 4 / per_row), s->height);
    float lo = INFINITY, hi = -INFINITY;
    for (size_t i = 0; i < per_row * (size_t)rows; i++) {
        float v = pfm_at(s, i);
        if (!isfinite(v)) continue;
        lo = fminf(lo, v);
        hi = fmaxf(hi, v);
    }
    double k = 1, o = 0;
    if (lo >= 0 && hi <= 1)
        k = 255;
    else if (lo < 0 || hi > 255) {
        k = hi > lo ? 255 / ((double)hi - lo) : 0;
        o = -lo * k;
    }
    for (int64_t y = 0; y < rows; y++)
        for (size_t x = 0; x < per_row; x++) {
            double v = pfm_at(s, (size_t)y * per_row + x) * k + o + 0.5;
            vd_rows_at(r, s->height - 1 - y)[x] = (uint8_t)(v >= 0 ? VD_MIN(v, 255) : 0);
        }
    return rows;
}

vd_status vd_pnm_decode(vd_serve *s, const vd_job *job, vd_media *m, vd_err *err) {
    pnm p = { .p = job->data, .n = (size_t)job->size };
    vd_rows r;
    int64_t good = 0;
    snprintf(m->codec, sizeof m->codec, "pnm");
    snprintf(m->library, sizeof m->library, "vidimus " VIDIMUS_VERSION);
    if (p.n < 3 || !read_header(&p)) {
        vd_report(m, VD_V_UNREADABLE, "bad_header", "the PNM header makes no sense");
        return VD_OK;
    }
    bool floats = p.kind == 'F' || p.kind == 'f';
    m->bits = floats ? 32 : p.max == 1 ? 1 : p.max > 255 ? 16 : 8;
    m->channels = p.depth;
    m->has_alpha = p.depth == 2 || p.depth == 4;
    if (!vd_report_size(m, p.width, p.height, job->opt.max_pixels) || !job->opt.want_pixels)
        return VD_OK;
    if (p.at >= p.n) { /* before memory is taken for a picture that a header only promises */
        m->offset = job->size;
        m->decoded_percent = 0;
        vd_report(m, VD_V_UNREADABLE, "premature_end", "the data end with the header");
        return VD_OK;
    }
    /* room for alpha in the last row's stride: rows are read as stored, then reduced */
    VD_TRY(vd_rows_new(&r, s, job, (int32_t)p.width, (int32_t)p.height, p.depth, err));
    if (floats)
        good = pfm_rows(&p, &r);
    else
        while (good < p.height && row_of(&p, vd_rows_at(&r, good))) {
            if (m->has_alpha)
                drop_alpha(vd_rows_at(&r, good), vd_rows_at(&r, good), p.width, p.depth);
            good++;
        }
    if (good == 0) {
        m->offset = job->size;
        m->decoded_percent = 0;
        vd_report(m, VD_V_UNREADABLE, "premature_end", "the data end within the first row");
        return VD_OK;
    }
    r.channels = p.depth <= 2 ? 1 : 3;
    return vd_rows_finish(&r, s, job, good, m, err);
}
