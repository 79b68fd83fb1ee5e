/* Decoding one asset again. SPDX-License-Identifier: Apache-2.0 */
#include "stage/pixels.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct vd_pixel_source {
    vd_db *db;
    vd_codec *codec;
    vd_archives *archives;
    vd_open_tar tar;
    vd_str uri;
};

vd_status vd_pixel_source_new(vd_pixel_source **out, const vd_dataset *ds, const char *libexec_dir,
                              vd_err *err) {
    vd_pixel_source *s = vd_mem_array(1, sizeof *s);
    if (s == NULL) return vd_nomem(err);
    s->db = vd_dataset_db(ds);
    s->tar.fd = -1;
    vd_status st = vd_codec_new(&s->codec, libexec_dir, err);
    if (st == VD_OK) st = vd_archives_new(&s->archives, err);
    if (st != VD_OK)
        vd_pixel_source_free(s);
    else
        *out = s;
    return st;
}

void vd_pixel_source_free(vd_pixel_source *s) {
    if (s == NULL) return;
    vd_open_tar_close(&s->tar);
    vd_archives_free(s->archives);
    vd_codec_free(s->codec);
    vd_str_reset(&s->uri);
    vd_mem_free(s);
}

static vd_status find_item(vd_pixel_source *s, int64_t id, vd_item *item, vd_err *err) {
    vd_stmt *q = NULL;
    bool row = false;
    vd_status st = vd_db_prepare(&q, s->db,
                                 "SELECT uri, container_id, byte_offset, member_index, size,"
                                 " parent_id IS NOT NULL FROM asset WHERE id = ?1",
                                 true, err);
    if (st == VD_OK) {
        vd_stmt_bind(q, 1, vd_val_int(id));
        st = vd_stmt_step(q, &row, err);
    }
    if (st == VD_OK && !row)
        st = vd_fail(err, VD_E_NOTFOUND, "there is no asset %lld", (long long)id);
    if (st == VD_OK) {
        vd_str_clear(&s->uri);
        vd_str_add(&s->uri, vd_stmt_text(q, 0));
        st = vd_str_check(&s->uri, err);
    }
    if (st == VD_OK && vd_stmt_int(q, 5) != 0)
        st = vd_fail(err, VD_E_UNSUPPORTED, "%s: frames and pages cannot be decoded alone",
                     s->uri.data);
    if (st == VD_OK)
        *item = (vd_item){
            .id = id,
            .uri = s->uri.data,
            .container_id = vd_stmt_int(q, 1),
            .byte_offset = vd_stmt_value(q, 2).type == VD_NULL ? -1 : vd_stmt_int(q, 2),
            .member_index = vd_stmt_value(q, 3).type == VD_NULL ? -1 : vd_stmt_int(q, 3),
            .size = vd_stmt_int(q, 4),
        };
    vd_stmt_free(q);
    return st;
}

typedef struct counted {
    vd_frame_fn on_frame;
    void *user;
    bool seen;
} counted;

static vd_status count_frame(void *user, const vd_frame *f, const vd_media *m, int64_t index,
                             double time_s, vd_err *err) {
    counted *c = user;
    c->seen = true;
    return c->on_frame(c->user, f, m, index, time_s, err);
}

static vd_status decode(vd_pixel_source *s, int64_t asset_id, const vd_decode_opt *opt,
                        vd_frame_fn on_frame, void *user, vd_err *err) {
    vd_item item;
    vd_media media;
    vd_bytes bytes = { .fd = -1 };
    counted c = { on_frame, user, false };
    VD_TRY(find_item(s, asset_id, &item, err));
    VD_TRY(vd_bytes_read(&bytes, s->archives, &s->tar, s->codec, &item, err));
    vd_status st = bytes.ok
                       ? vd_codec_decode(s->codec, &bytes.source, opt, count_frame, &c, &media, err)
                       : vd_fail(err, VD_E_FORMAT, "%s: %s", item.uri, bytes.detail);
    if (st == VD_OK && !c.seen)
        st = vd_fail(err, VD_E_FORMAT, "%s: no picture came of it: %s", item.uri, media.reason);
    vd_bytes_close(&bytes);
    return st;
}

/* ---- frames and pages ---- */

vd_status vd_sampling_parse(vd_decode_opt *out, const char *text, vd_err *err) {
    char *end = NULL;
    if (strcmp(text, "key") == 0)
        out->sampling = VD_SAMPLE_KEY;
    else if (strcmp(text, "every") == 0)
        out->sampling = VD_SAMPLE_EVERY;
    else {
        out->sampling = VD_SAMPLE_INTERVAL;
        out->interval_s = strtod(text, &end);
        bool unit = end != text && (*end == '\0' || strcmp(end, "s") == 0);
        if (!unit || !(out->interval_s > 0) || out->interval_s > 1e6)
            return vd_fail(err, VD_E_ARG,
                           "run: --frames '%.40s' is not key, every or an interval such as 2s",
                           text);
    }
    return VD_OK;
}

/* The sampling that the catalog's frames of a video were taken by, from their provenance. */
static vd_status sampling_of(vd_pixel_source *s, int64_t parent_id, vd_decode_opt *opt,
                             vd_err *err) {
    vd_stmt *q = NULL;
    vd_str frames = { 0 };
    bool row = false;
    vd_status st = vd_db_prepare(&q, s->db,
                                 "SELECT k.params FROM fact_check c JOIN stage_config k"
                                 " ON k.key = c.key WHERE c.asset_id = ?1",
                                 true, err);
    if (st == VD_OK) {
        vd_stmt_bind(q, 1, vd_val_int(parent_id));
        st = vd_stmt_step(q, &row, err);
    }
    const char *at = row ? strstr(vd_stmt_text(q, 0), "frames=") : NULL;
    if (st == VD_OK && at != NULL) {
        at += strlen("frames=");
        vd_str_addn(&frames, at, (int64_t)strcspn(at, ";"));
        st = vd_str_check(&frames, err);
        if (st == VD_OK) st = vd_sampling_parse(opt, vd_str_text(&frames), err);
    }
    vd_stmt_free(q);
    vd_str_reset(&frames);
    return st;
}

vd_status vd_children_decode(vd_pixel_source *s, int64_t parent_id, vd_frame_fn on_frame,
                             void *user, vd_err *err) {
    vd_decode_opt opt = VD_DECODE_OPT;
    VD_TRY(sampling_of(s, parent_id, &opt, err));
    return decode(s, parent_id, &opt, on_frame, user, err);
}

/* ---- a picture ---- */

typedef struct first {
    vd_frame_fn on_frame;
    void *user;
} first;

static vd_status only_first(void *user, const vd_frame *f, const vd_media *m, int64_t index,
                            double time_s, vd_err *err) {
    first *one = user;
    return index == 0 ? one->on_frame(one->user, f, m, index, time_s, err) : VD_OK;
}

vd_status vd_asset_decode(vd_pixel_source *s, int64_t asset_id, vd_frame_fn on_frame, void *user,
                          vd_err *err) {
    vd_decode_opt opt = VD_DECODE_OPT;
    first one = { on_frame, user };
    opt.all_pages = false;
    return decode(s, asset_id, &opt, only_first, &one, err);
}

/* ---- bytes ---- */

vd_status vd_asset_bytes(vd_pixel_source *s, int64_t asset_id, vd_bytes *out, vd_err *err) {
    vd_item item;
    VD_TRY(find_item(s, asset_id, &item, err));
    return vd_bytes_read(out, s->archives, &s->tar, s->codec, &item, err);
}

vd_status vd_asset_bytes_decode(vd_pixel_source *s, const vd_bytes *bytes, vd_frame_fn on_frame,
                                void *user, vd_media *media, vd_err *err) {
    vd_decode_opt opt = VD_DECODE_OPT;
    first one = { on_frame, user };
    opt.all_pages = false;
    return vd_codec_decode(s->codec, &bytes->source, &opt, only_first, &one, media, err);
}
