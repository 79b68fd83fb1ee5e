/* Decoding one asset again. SPDX-License-Identifier: Apache-2.0 */
#include "stage/pixels.h"

#include <string.h>

#include "base/mem.h"
#include "stage/bytes.h"

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

typedef struct first {
    vd_frame_fn on_frame;
    void *user;
    bool seen;
} first;

static vd_status only_first(void *user, const vd_frame *f, const vd_media *m, int64_t index,
                            double time_s, vd_err *err) {
    first *one = user;
    if (index > 0) return VD_OK;
    one->seen = true;
    return one->on_frame(one->user, f, m, index, time_s, err);
}

vd_status vd_asset_decode(vd_pixel_source *s, int64_t asset_id, vd_frame_fn on_frame, void *user,
                          vd_err *err) {
    vd_item item;
    vd_media media;
    vd_bytes bytes = { .fd = -1 };
    vd_decode_opt opt = VD_DECODE_OPT;
    first one = { on_frame, user, false };
    opt.all_pages = false;
    VD_TRY(find_item(s, asset_id, &item, err));
    VD_TRY(vd_bytes_read(&bytes, s->archives, &s->tar, s->codec, &item, err));
    vd_status st =
        bytes.ok ? vd_codec_decode(s->codec, &bytes.source, &opt, only_first, &one, &media, err)
                 : vd_fail(err, VD_E_FORMAT, "%s: %s", item.uri, bytes.detail);
    if (st == VD_OK && !one.seen)
        st = vd_fail(err, VD_E_FORMAT, "%s: no picture came of it: %s", item.uri, media.reason);
    vd_bytes_close(&bytes);
    return st;
}
