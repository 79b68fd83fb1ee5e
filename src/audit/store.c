/* Findings into the catalog, table label_problem. SPDX-License-Identifier: Apache-2.0 */
#include "audit/audit.h"

static vd_value row_or_null(int64_t row) {
    return row != 0 ? vd_val_int(row) : vd_val_null();
}

static vd_status insert(vd_db *db, int64_t set, const vd_audit_findings *f, vd_err *err) {
    vd_stmt *s = NULL;
    vd_status st = VD_OK;
    VD_GO(vd_db_prepare(&s, db, "DELETE FROM label_problem WHERE set_id = ?1", true, err));
    const vd_value which[] = { vd_val_int(set) };
    VD_GO(vd_stmt_run(s, which, 1, err));
    vd_stmt_free(s);
    s = NULL;
    VD_GO(vd_db_prepare(&s, db,
                        "INSERT INTO label_problem(set_id, kind, image_id, label_id, other_id,"
                        " asset_id, score, evidence) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                        true, err));
    for (int64_t i = 0; i < f->n; i++) {
        const vd_audit_finding *r = &f->row[i];
        const vd_value v[] = { vd_val_int(set),           vd_val_text(vd_audit_kinds[r->kind].key),
                               row_or_null(r->image_row), row_or_null(r->label),
                               row_or_null(r->other),     row_or_null(r->asset),
                               vd_val_real(r->score),     vd_val_text(r->evidence) };
        VD_GO(vd_stmt_run(s, v, VD_COUNT(v), err));
    }
done:
    vd_stmt_free(s);
    return st;
}

vd_status vd_audit_store(vd_db *db, int64_t set, const vd_audit_findings *f, vd_err *err) {
    VD_TRY(vd_db_begin(db, err));
    vd_status st = insert(db, set, f, err);
    if (st == VD_OK) st = vd_db_commit(db, err);
    if (st != VD_OK) vd_db_rollback(db);
    return st;
}
