/* Moved files: a new asset that is a vanished one under another name. Renamed files are told right
 * after the walk by inode, device, size and modification time; copied and deleted ones after
 * hashing, by content. The old row keeps its id, facts and tags and takes the new one's place in
 * the file system. SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "stage/stages.h"

/* ?1: this run. One pair at a time: taking one can change the next. */
static const char renamed_sql[] =
    "SELECT v.id, min(n.id) FROM asset v JOIN asset n ON n.inode = v.inode AND n.device = v.device AND"
    " n.size = v.size AND n.mtime_ns = v.mtime_ns WHERE v.state = 'vanished' AND v.parent_id IS NULL AND"
    " n.state = 'present' AND n.added_run = ?1 AND n.id > v.id AND v.container_id IS NULL GROUP BY v.id"
    " ORDER BY v.id LIMIT 1";
static const char copied_sql[] =
    "SELECT v.id, min(n.id) FROM asset v JOIN asset n ON n.content_hash = v.content_hash AND n.size = v.size AND"
    " n.id > v.id AND n.added_run >= v.vanished_run WHERE v.state = 'vanished' AND v.parent_id IS NULL AND"
    " n.state = 'present' AND n.parent_id IS NULL AND v.size > 0 AND n.kind <> 'archive' AND ?1 = ?1"
    " GROUP BY v.id ORDER BY v.id LIMIT 1";

static const char take_sql[] =
    "UPDATE asset SET (uri, size, mtime_ns, inode, device, container_id, byte_offset, member_index, state,"
    " vanished_run) = (SELECT uri, size, mtime_ns, inode, device, container_id, byte_offset, member_index,"
    " 'present', NULL FROM asset WHERE id = ?2) WHERE id = ?1";
/* ?1 old id, ?2 new id, ?3 the old URI: frames, and members of archives with their frames */
static const char below_sql[] =
    "UPDATE asset SET state = 'present', vanished_run = NULL, uri = (SELECT uri FROM asset WHERE id = ?2) ||"
    " substr(uri, length(?3) + 1) WHERE parent_id = ?1 OR container_id = ?1 OR parent_id IN (SELECT id FROM asset"
    " WHERE container_id = ?1)";

typedef struct adopter {
    vd_db *db;
    vd_writer *forget;
    vd_stmt *pairs, *take, *below, *uri;
} adopter;

static vd_status exec_id(vd_db *db, const char *fmt_before, int64_t id, vd_err *err) {
    char sql[160];
    snprintf(sql, sizeof sql, "%s %lld", fmt_before, (long long)id);
    return vd_db_exec(db, sql, err);
}

static vd_status take_one(adopter *a, int64_t old_id, int64_t new_id, vd_err *err) {
    vd_status st = VD_OK;
    vd_str uri = { 0 };
    bool row = false;
    vd_stmt_bind(a->uri, 1, vd_val_int(old_id));
    VD_GO(vd_stmt_step(a->uri, &row, err));
    vd_str_add(&uri, vd_stmt_text(a->uri, 0));
    vd_stmt_reset(a->uri);
    VD_GO(vd_str_check(&uri, err));
    const vd_value v[] = { vd_val_int(old_id), vd_val_int(new_id), vd_val_text(uri.data) };
    VD_GO(vd_stmt_run(a->below, v, 3, err));
    VD_GO(vd_stmt_run(a->take, v, 2, err));
    VD_GO(exec_id(a->db, "DELETE FROM asset WHERE container_id =", new_id, err));
    VD_GO(vd_writer_forget(a->forget, new_id, err));
    VD_GO(exec_id(a->db, "DELETE FROM asset WHERE id =", new_id, err));
done:
    vd_stmt_reset(a->uri);
    vd_str_reset(&uri);
    return st;
}

static vd_status adopt_all(vd_run *run, vd_writer *forget, const char *pairs_sql, vd_err *err) {
    vd_status st = VD_OK;
    adopter a = { .db = vd_dataset_db(run->ds), .forget = forget };
    VD_GO(vd_db_prepare(&a.pairs, a.db, pairs_sql, true, err));
    VD_GO(vd_db_prepare(&a.take, a.db, take_sql, true, err));
    VD_GO(vd_db_prepare(&a.below, a.db, below_sql, true, err));
    VD_GO(vd_db_prepare(&a.uri, a.db, "SELECT uri FROM asset WHERE id = ?1", true, err));
    for (;;) {
        bool row = false;
        vd_stmt_bind(a.pairs, 1, vd_val_int(run->run_id));
        VD_GO(vd_stmt_step(a.pairs, &row, err));
        if (!row) break;
        int64_t old_id = vd_stmt_int(a.pairs, 0), new_id = vd_stmt_int(a.pairs, 1);
        vd_stmt_reset(a.pairs);
        VD_GO(vd_problems_touch(run, err));
        VD_GO(take_one(&a, old_id, new_id, err));
    }
done:
    vd_stmt_free(a.pairs);
    vd_stmt_free(a.take);
    vd_stmt_free(a.below);
    vd_stmt_free(a.uri);
    return st;
}

static vd_status any_vanished(vd_run *run, int64_t *n, vd_err *err) {
    return vd_db_int(vd_dataset_db(run->ds),
                     "SELECT EXISTS(SELECT 1 FROM asset WHERE state = 'vanished')", n, err);
}

vd_status vd_adopt_renamed(vd_run *run, vd_writer *forget, vd_err *err) {
    int64_t n = 0;
    VD_TRY(any_vanished(run, &n, err));
    return n > 0 ? adopt_all(run, forget, renamed_sql, err) : VD_OK;
}

vd_status vd_adopt_copied(vd_run *run, vd_err *err) {
    vd_status st = VD_OK;
    vd_db *db = vd_dataset_db(run->ds);
    vd_writer *w = NULL;
    int64_t n = 0;
    VD_TRY(any_vanished(run, &n, err));
    if (n == 0) return VD_OK;
    VD_GO(vd_db_begin(db, err));
    VD_GO(vd_writer_new(&w, run->ds, err));
    VD_GO(adopt_all(run, w, copied_sql, err));
    VD_GO(vd_db_commit(db, err));
done:
    vd_writer_free(w);
    if (st != VD_OK) vd_db_rollback(db);
    return st;
}
