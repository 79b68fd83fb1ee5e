/* Packing; see pack.h. SPDX-License-Identifier: Apache-2.0 */
#include "label/pack.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

/* PLACES: decimal places that are tried. RAW: doubles follow, little-endian. */
enum { PLACES = 6, RAW = 255, MAX_STRIDE = 4 };
static const double TENS[PLACES + 1] = { 1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6 };
static const double MOST = 2251799813685248.0; /* 2^51 */

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "numbers are copied between files and memory, and the files are little-endian"
#endif

static int put_count(uint8_t *to, uint64_t v) {
    int n = 0;
    for (; v >= 0x80; v >>= 7) to[n++] = (uint8_t)(v | 0x80);
    to[n++] = (uint8_t)v;
    return n;
}

void vd_pack_count(vd_str *s, uint64_t v) {
    uint8_t b[10];
    vd_str_addn(s, (const char *)b, put_count(b, v));
}

/* Rounded to a whole number, for |v| < 2^51, without a call. */
static double whole_of(double v) {
    const double big = 6755399441055744.0; /* 1.5 * 2^52 */
    return (v + big) - big;
}

static bool is_whole(double v, int places, double *whole) {
    *whole = whole_of(v * TENS[places]);
    return fabs(*whole) < MOST && *whole / TENS[places] == v && !(v == 0 && signbit(v));
}

/* Packs with so many places; false where a number does not have them. */
static bool pack_whole(vd_str *s, const double *v, int64_t n, int stride, int places) {
    uint8_t chunk[1024];
    int64_t before[MAX_STRIDE] = { 0 };
    int used = 0, column = 0;
    for (int64_t i = 0; i < n; i++) {
        double whole;
        if (!is_whole(v[i], places, &whole)) return false;
        int64_t d = (int64_t)whole - before[column];
        before[column] = (int64_t)whole;
        if (++column == stride) column = 0;
        used += put_count(chunk + used, ((uint64_t)d << 1) ^ (uint64_t)(d >> 63));
        if (used <= (int)sizeof chunk - 10) continue;
        vd_str_addn(s, (const char *)chunk, used);
        used = 0;
    }
    vd_str_addn(s, (const char *)chunk, used);
    return true;
}

void vd_pack_reals(vd_str *s, const double *v, int64_t n, int stride) {
    int places = 0;
    int64_t begin = s->size;
    double whole;
    for (int64_t i = 0; i < n && places <= PLACES; i++)
        while (places <= PLACES && !is_whole(v[i], places, &whole)) places++;
    if (places <= PLACES) {
        vd_str_addc(s, (char)places);
        if (pack_whole(s, v, n, stride, places)) return;
        if (s->status == VD_OK) s->size = begin;
    }
    vd_str_addc(s, (char)RAW);
    vd_str_addn(s, (const char *)v, n * (int64_t)sizeof *v);
}

/* ---- shapes ---- */

void vd_pack_shape(vd_str *s, const vd_label_object *o) {
    if (o->has & (VD_OBJ_POLYGON | VD_OBJ_LINE)) {
        vd_str_addc(s, o->has & VD_OBJ_POLYGON ? 'P' : 'L');
        vd_pack_count(s, (uint64_t)o->n_rings);
        for (int i = 0; i < o->n_rings; i++)
            vd_pack_count(s, o->ring[i] < 0 ? (uint64_t) - (int64_t)o->ring[i] << 1 | 1
                                            : (uint64_t)o->ring[i] << 1);
        vd_pack_reals(s, o->xy, 2 * vd_label_vertices(o), 2);
    }
    if (o->has & VD_OBJ_MASK) {
        vd_str_addc(s, 'M');
        vd_pack_count(s, (uint64_t)o->mask_width);
        vd_pack_count(s, (uint64_t)o->mask_height);
        vd_pack_count(s, (uint64_t)o->n_runs);
        for (int64_t i = 0; i < o->n_runs; i++) vd_pack_count(s, o->runs[i]);
    }
    if (o->has & VD_OBJ_KEYPOINTS) {
        vd_str_addc(s, 'K');
        vd_pack_count(s, (uint64_t)o->n_keypoints);
        vd_pack_reals(s, o->keypoints, 3 * (int64_t)o->n_keypoints, 3);
    }
}

typedef struct cursor {
    const uint8_t *p, *end;
    vd_err *err;
} cursor;

static vd_status bad(const cursor *c) {
    return vd_fail(c->err, VD_E_FORMAT,
                   "label: packed shapes are damaged, %lld bytes before their end",
                   (long long)(c->end - c->p));
}

static vd_status get_count(cursor *c, uint64_t most, uint64_t *out) {
    uint64_t v = 0;
    for (int shift = 0; shift < 64 && c->p < c->end; shift += 7) {
        v |= (uint64_t)(*c->p & 0x7f) << shift;
        if (*c->p++ & 0x80) continue;
        *out = v;
        return v <= most ? VD_OK : bad(c);
    }
    return bad(c);
}

/* A count of things that take at least a byte each. */
static vd_status get_number_of(cursor *c, int64_t *out) {
    uint64_t n = 0;
    VD_TRY(get_count(c, INT32_MAX, &n));
    if ((int64_t)n > c->end - c->p) return bad(c);
    *out = (int64_t)n;
    return VD_OK;
}

static vd_status get_reals(cursor *c, double *out, int64_t n, int stride) {
    int64_t before[MAX_STRIDE] = { 0 };
    int column = 0;
    if (c->p >= c->end) return bad(c);
    int places = *c->p++;
    if (places == RAW) {
        if (n > (c->end - c->p) / (int64_t)sizeof *out) return bad(c);
        if (n > 0) memcpy(out, c->p, (size_t)n * sizeof *out);
        c->p += n * (int64_t)sizeof *out;
        return VD_OK;
    }
    if (places > PLACES) return bad(c);
    for (int64_t i = 0; i < n; i++) {
        uint64_t z = 0;
        VD_TRY(get_count(c, UINT64_MAX, &z));
        int64_t d = (int64_t)(z >> 1) ^ -(int64_t)(z & 1);
        before[column] = (int64_t)((uint64_t)before[column] + (uint64_t)d);
        out[i] = (double)before[column] / TENS[places];
        if (++column == stride) column = 0;
    }
    return VD_OK;
}

static vd_status get_rings(cursor *c, vd_label_object *o, vd_shape_buf *b) {
    int64_t n = 0;
    uint64_t v = 0, sum = 0;
    VD_TRY(get_number_of(c, &n));
    VD_TRY(VD_GROW(b->ring, b->cap_ring, n, c->err));
    for (int64_t i = 0; i < n; i++) {
        VD_TRY(get_count(c, (uint64_t)INT32_MAX << 1, &v));
        b->ring[i] = v & 1 ? -(int32_t)(v >> 1) : (int32_t)(v >> 1);
        sum += v >> 1;
    }
    if (sum > (uint64_t)(c->end - c->p)) return bad(c); /* a byte each at least */
    VD_TRY(VD_GROW(b->xy, b->cap_xy, 2 * (int64_t)sum, c->err));
    o->ring = b->ring;
    o->n_rings = (int32_t)n;
    o->xy = b->xy;
    return get_reals(c, b->xy, 2 * (int64_t)sum, 2);
}

static vd_status get_mask(cursor *c, vd_label_object *o, vd_shape_buf *b) {
    uint64_t w = 0, h = 0, v = 0;
    int64_t n = 0;
    VD_TRY(get_count(c, VD_LABEL_MAX_SIDE, &w));
    VD_TRY(get_count(c, VD_LABEL_MAX_SIDE, &h));
    VD_TRY(get_number_of(c, &n));
    VD_TRY(VD_GROW(b->runs, b->cap_runs, n, c->err));
    for (int64_t i = 0; i < n; i++) {
        VD_TRY(get_count(c, UINT32_MAX, &v));
        b->runs[i] = (uint32_t)v;
    }
    o->mask_width = (int32_t)w;
    o->mask_height = (int32_t)h;
    o->runs = b->runs;
    o->n_runs = n;
    return VD_OK;
}

static vd_status get_keypoints(cursor *c, vd_label_object *o, vd_shape_buf *b) {
    int64_t n = 0;
    VD_TRY(get_number_of(c, &n));
    VD_TRY(VD_GROW(b->keypoints, b->cap_keypoints, 3 * n, c->err));
    o->keypoints = b->keypoints;
    o->n_keypoints = (int32_t)n;
    return get_reals(c, b->keypoints, 3 * n, 3);
}

vd_status vd_unpack_shape(vd_label_object *o, vd_shape_buf *buf, const void *bytes, int64_t n,
                          vd_err *err) {
    cursor c = { bytes, (const uint8_t *)bytes + n, err };
    while (c.p < c.end) {
        uint8_t kind = *c.p++;
        o->has |= kind == 'P'   ? VD_OBJ_POLYGON
                  : kind == 'L' ? VD_OBJ_LINE
                  : kind == 'M' ? VD_OBJ_MASK
                                : VD_OBJ_KEYPOINTS;
        switch (kind) {
        case 'P':
        case 'L': VD_TRY(get_rings(&c, o, buf)); break;
        case 'M': VD_TRY(get_mask(&c, o, buf)); break;
        case 'K': VD_TRY(get_keypoints(&c, o, buf)); break;
        default: return bad(&c);
        }
    }
    return VD_OK;
}

void vd_shape_buf_reset(vd_shape_buf *b) {
    vd_mem_free(b->xy);
    vd_mem_free(b->keypoints);
    vd_mem_free(b->ring);
    vd_mem_free(b->runs);
    *b = (vd_shape_buf){ 0 };
}

/* ---- whole objects: only what is in memory or in a file of our own that nobody else sees ---- */

typedef struct head {
    vd_label_object object; /* its pointers mean nothing, but whether they are NULL */
    int64_t n_caption, n_attributes, n_shape;
} head;

static int64_t text_size(const char *s) {
    return s != NULL ? (int64_t)strlen(s) + 1 : 0;
}

void vd_pack_object(vd_str *s, const vd_label_object *o) {
    head h = { *o, text_size(o->caption), text_size(o->attributes), 0 };
    int64_t begin = s->size, shape;
    vd_str_addn(s, (const char *)&h, sizeof h);
    if (h.n_caption > 0) vd_str_addn(s, o->caption, h.n_caption);
    if (h.n_attributes > 0) vd_str_addn(s, o->attributes, h.n_attributes);
    shape = s->size;
    vd_pack_shape(s, o);
    h.n_shape = s->size - shape;
    if (s->status == VD_OK) memcpy(s->data + begin, &h, sizeof h);
}

vd_status vd_unpack_object(vd_label_object *o, vd_shape_buf *buf, const void *bytes, int64_t n,
                           vd_err *err) {
    const char *p = bytes;
    head h;
    if (n < (int64_t)sizeof h) return vd_fail(err, VD_E_INTERNAL, "label: a packed object is cut");
    memcpy(&h, p, sizeof h);
    p += sizeof h;
    *o = h.object;
    o->n_rings = o->n_keypoints = 0;
    o->n_runs = 0;
    o->caption = h.n_caption > 0 ? p : NULL;
    p += h.n_caption;
    o->attributes = h.n_attributes > 0 ? p : NULL;
    p += h.n_attributes;
    return vd_unpack_shape(o, buf, p, h.n_shape, err);
}
