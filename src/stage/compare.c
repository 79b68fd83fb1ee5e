/* Are two assets the same bytes? SPDX-License-Identifier: Apache-2.0 */
#include "stage/compare.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"

enum { PIECE = 1 << 17 };

typedef struct place {
    int fd;
    int64_t offset, size;
    bool compressed;
} place;

static vd_status open_place(vd_db *db, int64_t id, place *p, vd_err *err) {
    vd_stmt *s = NULL;
    bool row = false;
    *p = (place){ .fd = -1 };
    VD_TRY(vd_db_prepare(&s, db,
                         "SELECT coalesce(k.uri, a.uri), coalesce(a.byte_offset, 0), a.size,"
                         " a.container_id IS NOT NULL AND a.byte_offset IS NULL FROM asset a"
                         " LEFT JOIN asset k ON k.id = a.container_id WHERE a.id = ?1",
                         true, err));
    vd_stmt_bind(s, 1, vd_val_int(id));
    vd_status st = vd_stmt_step(s, &row, err);
    if (st == VD_OK && row) {
        p->offset = vd_stmt_int(s, 1);
        p->size = vd_stmt_int(s, 2);
        p->compressed = vd_stmt_int(s, 3) != 0;
        if (!p->compressed) p->fd = open(vd_stmt_text(s, 0), O_RDONLY | O_CLOEXEC);
    }
    vd_stmt_free(s);
    return st;
}

static vd_status same_bytes(const place *a, const place *b, bool *same, vd_err *err) {
    uint8_t *buf = vd_mem_alloc(2 * PIECE);
    if (buf == NULL) return vd_nomem(err);
    *same = a->size == b->size;
    for (int64_t at = 0; *same && at < a->size; at += PIECE) {
        size_t want = (size_t)VD_MIN(PIECE, a->size - at), got_a = 0, got_b = 0;
        *same =
            vd_file_pread(a->fd, buf, want, a->offset + at, &got_a, "", NULL) == VD_OK &&
            vd_file_pread(b->fd, buf + PIECE, want, b->offset + at, &got_b, "", NULL) == VD_OK &&
            got_a == want && got_b == want && memcmp(buf, buf + PIECE, want) == 0;
    }
    vd_mem_free(buf);
    return VD_OK;
}

vd_status vd_compare_assets(vd_db *db, int64_t a, int64_t b, bool *same, vd_err *err) {
    place pa = { .fd = -1 }, pb = { .fd = -1 };
    vd_status st = open_place(db, a, &pa, err);
    if (st == VD_OK) st = open_place(db, b, &pb, err);
    if (st == VD_OK && (pa.compressed || pb.compressed))
        *same = true;
    else if (st == VD_OK && (pa.fd < 0 || pb.fd < 0))
        *same = false;
    else if (st == VD_OK)
        st = same_bytes(&pa, &pb, same, err);
    if (pa.fd >= 0) close(pa.fd);
    if (pb.fd >= 0) close(pb.fd);
    return st;
}
