/* The bytes of one published picture; see picture.h.
 *
 * What a file needs decides the way: its own bytes, its bytes without metadata, or its pixels
 * encoded anew. Whoever trains on it must see the picture that the labels are of, which are those
 * of the upright picture: where EXIF turns it, and not every reader honours that, it is encoded
 * upright. SPDX-License-Identifier: Apache-2.0 */
#include "publish/picture.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"
#include "publish/encode.h"
#include "publish/strip.h"
#include "stage/pixels.h"
#include "store/facts.h"

enum { QUALITY = 95 };
static const int64_t MAX_FILE = (int64_t)1 << 30; /* bytes that are held at once */

struct vd_picture_maker {
    vd_dataset *ds;
    vd_pixel_source *pixels;
    vd_picture_opt opt;
    vd_encoder encoder;
    vd_str out, whole; /* what is written; a file that the reader left where it lies */
};

void vd_picture_maker_free(vd_picture_maker *m) {
    if (m == NULL) return;
    vd_pixel_source_free(m->pixels);
    vd_dataset_close(m->ds);
    vd_encoder_reset(&m->encoder);
    vd_str_reset(&m->out);
    vd_str_reset(&m->whole);
    vd_mem_free(m);
}

vd_status vd_picture_maker_new(vd_picture_maker **out, const vd_dataset *ds,
                               const char *libexec_dir, const vd_picture_opt *opt, vd_err *err) {
    vd_picture_maker *m = vd_mem_array(1, sizeof *m);
    if (m == NULL) return vd_nomem(err);
    m->opt = *opt;
    vd_status st =
        vd_dataset_open(&m->ds, vd_dataset_dir(ds), VD_DB_READ, vd_dataset_schema(ds), err);
    if (st == VD_OK) st = vd_pixel_source_new(&m->pixels, m->ds, libexec_dir, err);
    if (st == VD_OK)
        *out = m;
    else
        vd_picture_maker_free(m);
    return st;
}

/* ---- what it becomes ---- */

static void set_ext(vd_publish_item *item, const char *ext) {
    size_t n = 0;
    for (; ext[n] != '\0' && n + 1 < sizeof item->ext && isalnum((unsigned char)ext[n]); n++)
        item->ext[n] = (char)tolower((unsigned char)ext[n]);
    item->ext[n] = '\0';
    if (n == 0) strcpy(item->ext, "img");
}

static bool lossless(const char *format) {
    static const char *const formats[] = { "png", "bmp", "gif", "tiff", "pnm" };
    for (int i = 0; i < VD_COUNT(formats); i++)
        if (strcmp(format, formats[i]) == 0) return true;
    return false;
}

static vd_encode_opt encoding(const vd_picture_maker *m, const vd_media *media, bool video) {
    const vd_picture_opt *o = &m->opt;
    return (vd_encode_opt){ .png = o->ext != NULL ? o->ext[0] == 'p'
                                                  : !video && lossless(media->format),
                            .side = o->side,
                            .quality = o->quality > 0 ? o->quality : QUALITY,
                            .keep_exif = o->keep_exif && !video };
}

static bool linked(const vd_picture_maker *m) {
    return m->opt.mode == VD_PICTURES_LINK || m->opt.mode == VD_PICTURES_SYMLINK;
}

/* Whether the pixels of a file have to be encoded anew; `ext` NULL: its metadata cannot be taken
 * out of it. */
static bool anew(const vd_picture_maker *m, const vd_publish_item *item, const char *ext) {
    const vd_picture_opt *o = &m->opt;
    if (linked(m)) return false;
    if (o->side > 0 && VD_MAX(item->width, item->height) > o->side) return true;
    if (!o->keep_exif && (ext == NULL || item->orientation > 1)) return true;
    if (o->ext != NULL && (ext == NULL || strcmp(o->ext, ext) != 0)) return true;
    return o->quality > 0 && ext != NULL && strcmp(ext, "jpg") == 0;
}

static void finish(vd_publish_item *item, const vd_str *bytes) {
    vd_hash_hex(item->written_hash, vd_hash_bytes(bytes->data, (size_t)bytes->size));
    item->bytes = bytes->size;
    item->fate = VD_FATE_DONE;
}

/* ---- pixels ---- */

typedef struct seen {
    vd_picture_maker *m;
    vd_publish_item *item;
    const char *ext;
    bool must, encoded, any, video;
} seen;

/* An error of one picture leaves that picture out. */
static vd_status verdict(vd_publish_item *item, vd_fate fate, vd_status st, const vd_err *why,
                         vd_err *err) {
    if (st == VD_OK) return VD_OK;
    if (st == VD_E_NOMEM || st == VD_E_IO || st == VD_E_CANCEL)
        return vd_fail(err, st, "%s", why->msg);
    return vd_publish_drop(item, fate, why->msg, err);
}

static void note_encoding(vd_publish_item *item, int orientation, bool video) {
    if (orientation > 1)
        item->notes |= VD_NOTE_UPRIGHT;
    else if (!video && !(item->notes & VD_NOTE_REPAIRED))
        item->notes |= VD_NOTE_ENCODED;
    if (item->bits > 8) item->notes |= VD_NOTE_DEPTH;
}

static vd_status on_pixels(void *user, const vd_frame *f, const vd_media *media, int64_t index,
                           double time_s, vd_err *err) {
    seen *s = user;
    vd_publish_item *item = s->item;
    vd_err why = { 0 };
    (void)index, (void)time_s;
    s->any = true;
    item->width = vd_frame_width(f);
    item->height = vd_frame_height(f);
    item->orientation = f->orientation;
    item->bits = media->bits;
    if (!s->must && !anew(s->m, item, s->ext)) return VD_OK;
    vd_encode_opt opt = encoding(s->m, media, s->video);
    vd_str_clear(&s->m->out);
    vd_status st = vd_encode(&s->m->out, &item->out_width, &item->out_height, &s->m->encoder, f,
                             media, &opt, &why);
    if (st != VD_OK) return verdict(item, VD_FATE_TOO_LARGE, st, &why, err);
    set_ext(item, opt.png ? "png" : "jpg");
    note_encoding(item, f->orientation, s->video);
    s->encoded = true;
    return VD_OK;
}

/* ---- bytes ---- */

static vd_status hold_whole(vd_picture_maker *m, const vd_bytes *b, const uint8_t **data,
                            vd_err *err) {
    size_t got = 0;
    if (b->source.size > MAX_FILE)
        return vd_fail(err, VD_E_LIMIT, "%lld bytes, at most %lld are held at once",
                       (long long)b->source.size, (long long)MAX_FILE);
    vd_str_clear(&m->whole);
    if (b->data != NULL) { /* decoding may end the use of the shared memory */
        vd_str_addn(&m->whole, (const char *)b->data, b->source.size);
    } else {
        VD_TRY(VD_GROW(m->whole.data, m->whole.cap, b->source.size + 1, err));
        VD_TRY(vd_file_pread(b->source.fd, m->whole.data, (size_t)b->source.size, b->source.offset,
                             &got, b->source.name, err));
        m->whole.size = (int64_t)got;
    }
    VD_TRY(vd_str_check(&m->whole, err));
    *data = (const uint8_t *)vd_str_text(&m->whole);
    char hash[33];
    vd_hash_hex(hash, vd_hash_bytes(*data, (size_t)m->whole.size));
    if (strcmp(hash, b->hash) != 0)
        return vd_fail(err, VD_E_FORMAT, "the file changed while it was read");
    return VD_OK;
}

static vd_status same_bytes(vd_publish_item *item, const char *hash, vd_err *err) {
    char text[100];
    if (item->hash[0] == '\0' || strcmp(item->hash, hash) == 0) return VD_OK;
    snprintf(text, sizeof text, "hash %.32s, recorded is %.32s", hash, item->hash);
    return vd_publish_drop(item, VD_FATE_CHANGED, text, err);
}

/* The file's own bytes, with or without metadata. */
static vd_status plain_bytes(vd_picture_maker *m, vd_publish_item *item, const uint8_t *data,
                             size_t n, bool *whole, vd_err *err) {
    vd_err why = { 0 };
    *whole = true;
    vd_str_clear(&m->out);
    if (m->opt.keep_exif || linked(m)) {
        vd_str_addn(&m->out, (const char *)data, (int64_t)n);
        return vd_str_check(&m->out, err);
    }
    vd_status st = vd_strip(&m->out, data, n, item->uri, &why);
    if (st == VD_E_NOMEM) return vd_nomem(err);
    *whole = st == VD_OK;
    if (!*whole) item->notes |= VD_NOTE_REPAIRED;
    return VD_OK;
}

/* `must`: also where its own bytes would do. */
static vd_status decode(vd_picture_maker *m, vd_publish_item *item, const vd_bytes *b,
                        const char *ext, bool must, bool *encoded, vd_err *err) {
    seen s = { .m = m, .item = item, .ext = ext, .must = must };
    vd_media media;
    vd_err why = { 0 };
    vd_status st = vd_asset_bytes_decode(m->pixels, b, on_pixels, &s, &media, &why);
    *encoded = s.encoded;
    if (st != VD_OK) return verdict(item, VD_FATE_UNDECODABLE, st, &why, err);
    if (!s.any) return vd_publish_drop(item, VD_FATE_UNDECODABLE, media.reason, err);
    return VD_OK;
}

/* A picture whose bytes are kept has the size that it shows upright. */
static void keep_size(vd_publish_item *item, const char *ext) {
    item->out_width = item->width;
    item->out_height = item->height;
    if (ext != NULL)
        set_ext(item, ext);
    else
        set_ext(item, vd_path_ext(item->uri));
    if (item->orientation > 1) item->notes |= VD_NOTE_TURNED;
}

static vd_status make_bytes(vd_picture_maker *m, vd_publish_item *item, const vd_bytes *b,
                            vd_err *err) {
    const uint8_t *data = NULL;
    bool encoded = false, whole = false;
    vd_err why = { 0 };
    data = b->data; /* stays in the shared memory unless decoding may come in between */
    if (data == NULL || item->width == 0) {
        vd_status st = hold_whole(m, b, &data, &why);
        if (st != VD_OK)
            return verdict(item, st == VD_E_LIMIT ? VD_FATE_TOO_LARGE : VD_FATE_UNREADABLE,
                           st == VD_E_IO ? VD_E_FORMAT : st, &why, err);
    }
    size_t n = (size_t)b->source.size;
    const char *ext = vd_strip_ext(data, n);
    if (item->width == 0 || anew(m, item, ext))
        VD_TRY(decode(m, item, b, ext, false, &encoded, err));
    if (item->fate > VD_FATE_DONE || encoded) return VD_OK;
    VD_TRY(plain_bytes(m, item, data, n, &whole, err));
    if (whole)
        keep_size(item, ext);
    else
        VD_TRY(decode(m, item, b, ext, true, &encoded, err));
    return VD_OK;
}

/* The bytes of an item's file, if they are those that the plan is about; else item->fate says what
 * became of it. The caller closes them. */
static vd_status open_same(vd_picture_maker *m, vd_publish_item *item, vd_bytes *b, vd_err *err) {
    if (item->refused)
        return vd_publish_drop(item, VD_FATE_UNDECODABLE, "as the catalog says", err);
    VD_TRY(vd_asset_bytes(m->pixels, item->id, b, err));
    if (b->ok) return same_bytes(item, b->hash, err);
    return vd_publish_drop(item, VD_FATE_UNREADABLE, b->detail[0] != '\0' ? b->detail : b->reason,
                           err);
}

vd_status vd_picture_make(vd_picture_maker *m, vd_publish_item *item, const vd_str **bytes,
                          vd_err *err) {
    vd_bytes b = { .fd = -1 };
    *bytes = NULL;
    vd_status st = open_same(m, item, &b, err);
    if (st == VD_OK && item->fate == VD_FATE_OPEN) st = make_bytes(m, item, &b, err);
    vd_bytes_close(&b);
    if (st != VD_OK || item->fate != VD_FATE_OPEN) return st;
    finish(item, &m->out);
    if (linked(m) && item->member) item->notes |= VD_NOTE_COPIED;
    *bytes = &m->out;
    return VD_OK;
}

vd_status vd_picture_check(vd_picture_maker *m, vd_publish_item *item, vd_err *err) {
    vd_bytes b = { .fd = -1 };
    vd_status st = open_same(m, item, &b, err);
    if (st == VD_OK && item->fate == VD_FATE_OPEN) {
        keep_size(item, NULL);
        memcpy(item->written_hash, b.hash, sizeof item->written_hash);
        item->bytes = b.source.size;
        item->fate = VD_FATE_DONE;
    }
    vd_bytes_close(&b);
    return st;
}

/* ---- frames ---- */

typedef struct frames {
    vd_picture_maker *m;
    const vd_publish_plan *plan;
    int64_t parent;
    vd_picture_fn each;
    void *user;
} frames;

static vd_status on_child(void *user, const vd_frame *f, const vd_media *media, int64_t index,
                          double time_s, vd_err *err) {
    frames *r = user;
    vd_publish_item *item = vd_publish_find(r->plan, vd_child_id(r->parent, index));
    if (item == NULL || item->fate != VD_FATE_OPEN) return VD_OK;
    seen s = { .m = r->m, .item = item, .must = true, .video = media->kind == VD_KIND_VIDEO };
    VD_TRY(on_pixels(&s, f, media, index, time_s, err));
    if (!s.encoded) return VD_OK;
    finish(item, &r->m->out);
    if (linked(r->m)) item->notes |= VD_NOTE_COPIED;
    return r->each(r->user, item, &r->m->out, err);
}

/* Leaves out the children that are still open. */
static vd_status drop_children(const frames *r, vd_fate fate, const char *why, vd_err *err) {
    for (int64_t i = 0; i < r->plan->n; i++) {
        vd_publish_item *item = &r->plan->item[i];
        if (item->parent == r->parent && item->fate == VD_FATE_OPEN)
            VD_TRY(vd_publish_drop(item, fate, why, err));
    }
    return VD_OK;
}

/* The file must be the one whose frames the catalog has. */
static vd_status check_parent(const frames *r, bool *ok, vd_err *err) {
    vd_bytes b = { .fd = -1 };
    const char *hash = "";
    for (int64_t i = 0; i < r->plan->n && hash[0] == '\0'; i++)
        if (r->plan->item[i].parent == r->parent) hash = r->plan->item[i].hash;
    VD_TRY(vd_asset_bytes(r->m->pixels, r->parent, &b, err));
    vd_status st = VD_OK;
    bool same = b.ok && (hash[0] == '\0' || strcmp(hash, b.hash) == 0);
    *ok = same;
    if (!b.ok)
        st = drop_children(r, VD_FATE_UNREADABLE, b.detail[0] != '\0' ? b.detail : b.reason, err);
    else if (!same)
        st = drop_children(r, VD_FATE_CHANGED, "the video or document", err);
    vd_bytes_close(&b);
    return st;
}

vd_status vd_picture_frames(vd_picture_maker *m, const vd_publish_plan *plan, int64_t parent,
                            vd_picture_fn each, void *user, vd_err *err) {
    frames r = { m, plan, parent, each, user };
    vd_err why = { 0 };
    bool ok = false;
    VD_TRY(check_parent(&r, &ok, err));
    if (!ok) return VD_OK;
    vd_status st = vd_children_decode(m->pixels, parent, on_child, &r, &why);
    if (st != VD_OK && st != VD_E_FORMAT && st != VD_E_UNSUPPORTED && st != VD_E_NOTFOUND)
        return vd_fail(err, st, "%s", why.msg);
    return drop_children(&r, VD_FATE_UNDECODABLE, st != VD_OK ? why.msg : "the frame did not come",
                         err);
}
