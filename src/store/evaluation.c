/* Writing evaluations; see evaluation.h. SPDX-License-Identifier: Apache-2.0 */
#include "store/evaluation.h"

#include <ctype.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"

enum { MAX_NAME = 100 };

struct vd_evaluation_rows {
    vd_db *db;
    int64_t id;
    vd_stmt *match, *picture;
};

vd_status vd_evaluation_check_name(const char *name, vd_err *err) {
    size_t n = strlen(name);
    bool ok = n > 0 && n <= MAX_NAME;
    for (const char *p = name; ok && *p != '\0'; p++)
        ok = isalnum((unsigned char)*p) || strchr("_-.:/", *p) != NULL;
    return ok ? VD_OK
              : vd_fail(err, VD_E_ARG,
                        "evaluation: '%.80s' is no name of letters, digits and _-.:/ up to %d"
                        " characters",
                        name, MAX_NAME);
}

/* ---- finding and removing ---- */

static vd_status none_of(vd_db *db, const char *name, vd_err *err) {
    vd_stmt *s = NULL;
    vd_str all = { 0 };
    bool row = false;
    vd_status st =
        vd_db_prepare(&s, db, "SELECT name FROM evaluation ORDER BY name LIMIT 20", true, err);
    while (st == VD_OK && (st = vd_stmt_step(s, &row, err)) == VD_OK && row)
        vd_str_addf(&all, "%s%.60s", all.size > 0 ? ", " : "", vd_stmt_text(s, 0));
    vd_stmt_free(s);
    if (st == VD_OK && all.size == 0)
        st = vd_fail(err, VD_E_NOTFOUND,
                     "evaluation: the dataset has none; vidimus eval detection --dataset DATASET"
                     " --keep NAME makes one");
    else if (st == VD_OK)
        st = vd_fail(err, VD_E_NOTFOUND, "evaluation: none is called '%.80s'; there are %.300s",
                     name, vd_str_text(&all));
    vd_str_reset(&all);
    return st;
}

static vd_status look_up(int64_t *id, bool *found, vd_db *db, const char *name, vd_err *err) {
    vd_stmt *s = NULL;
    VD_TRY(vd_db_prepare(
        &s, db, "SELECT id FROM evaluation WHERE ?1 IS NULL OR name = ?1 ORDER BY id DESC LIMIT 1",
        true, err));
    vd_stmt_bind(s, 1, vd_val_text(name));
    vd_status st = vd_stmt_step(s, found, err);
    if (st == VD_OK && *found) *id = vd_stmt_int(s, 0);
    vd_stmt_free(s);
    return st;
}

vd_status vd_evaluation_find(int64_t *id, vd_db *db, const char *name, vd_err *err) {
    bool found = false;
    VD_TRY(look_up(id, &found, db, name, err));
    return found ? VD_OK : none_of(db, name, err);
}

static vd_status remove_rows(vd_db *db, int64_t id, vd_err *err) {
    static const char *const sql[] = {
        "DELETE FROM evaluation_match WHERE evaluation_id = ?1",
        "DELETE FROM evaluation_picture WHERE evaluation_id = ?1",
        "DELETE FROM evaluation WHERE id = ?1",
    };
    const vd_value bound[] = { vd_val_int(id) };
    vd_status st = VD_OK;
    for (int i = 0; i < VD_COUNT(sql) && st == VD_OK; i++) {
        vd_stmt *s = NULL;
        st = vd_db_prepare(&s, db, sql[i], true, err);
        if (st == VD_OK) st = vd_stmt_run(s, bound, 1, err);
        vd_stmt_free(s);
    }
    return st;
}

vd_status vd_evaluation_remove(vd_db *db, int64_t id, vd_err *err) {
    VD_TRY(vd_db_begin(db, err));
    vd_status st = remove_rows(db, id, err);
    if (st == VD_OK) st = vd_db_commit(db, err);
    if (st != VD_OK) vd_db_rollback(db);
    return st;
}

/* ---- writing ---- */

static vd_status insert_head(vd_evaluation_rows *r, const vd_evaluation *e, vd_err *err) {
    vd_stmt *s = NULL;
    bool there = false;
    int64_t old = 0;
    VD_TRY(look_up(&old, &there, r->db, e->name, err));
    if (there) VD_TRY(remove_rows(r->db, old, err));
    VD_TRY(vd_db_int(r->db, "SELECT coalesce(max(id), 0) + 1 FROM evaluation", &r->id, err));
    const vd_value row[] = { vd_val_int(r->id),          vd_val_text(e->name),
                             vd_val_text(e->task),       vd_val_text(e->truth),
                             vd_val_text(e->prediction), vd_val_int(vd_time_unix_ns()),
                             vd_val_text(e->arguments),  vd_val_text(e->result) };
    VD_TRY(vd_db_prepare(&s, r->db,
                         "INSERT INTO evaluation(id, name, task, truth, prediction, made_ns,"
                         " arguments, result) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                         true, err));
    vd_status st = vd_stmt_run(s, row, VD_COUNT(row), err);
    vd_stmt_free(s);
    return st;
}

static vd_status begin(vd_evaluation_rows *r, const vd_evaluation *e, vd_err *err) {
    VD_TRY(vd_evaluation_check_name(e->name, err));
    VD_TRY(vd_db_begin(r->db, err));
    VD_TRY(insert_head(r, e, err));
    VD_TRY(vd_db_prepare(
        &r->match, r->db,
        "INSERT INTO evaluation_match(evaluation_id, asset_id, image, verdict, truth_class,"
        " predicted_class, iou, score, x, y, width, height)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        true, err));
    return vd_db_prepare(
        &r->picture, r->db,
        "INSERT INTO evaluation_picture(asset_id, evaluation_id, hits, misses, false_alarms, harm)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT(asset_id, evaluation_id) DO UPDATE SET"
        " hits = hits + excluded.hits, misses = misses + excluded.misses,"
        " false_alarms = false_alarms + excluded.false_alarms, harm = harm + excluded.harm",
        true, err);
}

vd_status vd_evaluation_begin(vd_evaluation_rows **out, vd_db *db, const vd_evaluation *e,
                              vd_err *err) {
    vd_evaluation_rows *r = vd_mem_array(1, sizeof *r);
    if (r == NULL) return vd_nomem(err);
    r->db = db;
    vd_status st = begin(r, e, err);
    if (st == VD_OK)
        *out = r;
    else
        vd_evaluation_free(r);
    return st;
}

void vd_evaluation_free(vd_evaluation_rows *r) {
    if (r == NULL) return;
    vd_stmt_free(r->match);
    vd_stmt_free(r->picture);
    vd_db_rollback(r->db);
    vd_mem_free(r);
}

static vd_value asset_or_null(int64_t id) {
    return id > 0 ? vd_val_int(id) : vd_val_null();
}

vd_status vd_evaluation_add_match(vd_evaluation_rows *r, const vd_evaluation_match *m,
                                  vd_err *err) {
    vd_value row[] = { vd_val_int(r->id),
                       asset_or_null(m->asset),
                       { .type = VD_TEXT, .s = m->image, .n = (int64_t)strlen(m->image) },
                       vd_val_text(m->verdict),
                       vd_val_text(m->truth_class),
                       vd_val_text(m->predicted_class),
                       vd_val_real(m->iou),
                       vd_val_real(m->score),
                       vd_val_null(),
                       vd_val_null(),
                       vd_val_null(),
                       vd_val_null() };
    for (int k = 0; m->box != NULL && k < 4; k++) row[8 + k] = vd_val_real(m->box[k]);
    return vd_stmt_run(r->match, row, VD_COUNT(row), err);
}

static vd_value count_or_null(int64_t n) {
    return n >= 0 ? vd_val_int(n) : vd_val_null();
}

vd_status vd_evaluation_add_picture(vd_evaluation_rows *r, const vd_evaluation_picture *p,
                                    vd_err *err) {
    const vd_value row[] = { vd_val_int(p->asset),           vd_val_int(r->id),
                             count_or_null(p->hits),         count_or_null(p->misses),
                             count_or_null(p->false_alarms), vd_val_real(p->harm) };
    return vd_stmt_run(r->picture, row, VD_COUNT(row), err);
}

vd_status vd_evaluation_end(vd_evaluation_rows *r, vd_err *err) {
    return vd_db_commit(r->db, err);
}
