/* Loading the pictures that curation is about. SPDX-License-Identifier: Apache-2.0 */
#include "curate/assets.h"

#include <math.h>
#include <string.h>

#include "audit/audit.h"
#include "base/mem.h"
#include "stage/problems.h"

void vd_curated_reset(vd_curated_list *l) {
    vd_mem_free(l->row);
    vd_arena_reset(&l->texts);
    *l = (vd_curated_list){ 0 };
}

static bool is_kind(const char *word, size_t n) {
    for (int i = 0; i < vd_n_problem_kinds; i++)
        if (strlen(vd_problem_kinds[i].key) == n && strncmp(vd_problem_kinds[i].key, word, n) == 0)
            return true;
    return false;
}

static bool is(const char *word, size_t n, const char *name) {
    return strlen(name) == n && strncmp(word, name, n) == 0;
}

/* " AND ..." for each word. Of duplicates the member to keep stays. */
static vd_status add_skips(vd_str *sql, const char *list, vd_err *err) {
    for (const char *p = list; p != NULL && *p != '\0'; p += *p == ',') {
        size_t n = strcspn(p, ",");
        if (is(p, n, "duplicates"))
            vd_str_add(sql, " AND coalesce(duplicate_keep, 1) = 1");
        else if (is(p, n, "near"))
            vd_str_add(sql, " AND coalesce(near_keep, 1) = 1");
        else if (is(p, n, "problems"))
            vd_str_add(sql, " AND id NOT IN (SELECT asset_id FROM problem WHERE kind NOT IN"
                            " ('exact_duplicates', 'near_duplicates'))");
        else if (is_kind(p, n))
            vd_str_addf(sql, " AND id NOT IN (SELECT asset_id FROM problem WHERE kind = '%.*s')",
                        (int)n, p);
        else if (is(p, n, "labels"))
            vd_str_add(sql, " AND id NOT IN (SELECT asset_id FROM label_problem WHERE asset_id IS"
                            " NOT NULL)");
        else if (vd_audit_kind_find(p, n) != VD_AUDIT_KINDS)
            vd_str_addf(sql,
                        " AND id NOT IN (SELECT asset_id FROM label_problem WHERE asset_id IS NOT"
                        " NULL AND kind = '%.*s')",
                        (int)n, p);
        else
            return vd_fail(err, VD_E_ARG,
                           "skip: '%.*s' is not duplicates, near, problems, labels or a kind of"
                           " problem (vidimus issues --help)",
                           (int)VD_MIN(n, 60), p);
        p += n;
    }
    return VD_OK;
}

static vd_status take_row(vd_curated_list *l, const vd_stmt *s, vd_err *err) {
    VD_TRY(VD_GROW(l->row, l->cap, l->n + 1, err));
    vd_curated r = { .id = vd_stmt_int(s, 0),
                     .uri = vd_arena_text(&l->texts, vd_stmt_text(s, 1)),
                     .wanted = vd_stmt_int(s, 2) != 0,
                     .given = vd_stmt_int(s, 3) != 0,
                     .number = NAN,
                     .text = vd_arena_text(&l->texts, vd_stmt_text(s, 4)) };
    if (r.uri == NULL || r.text == NULL) return vd_nomem(err);
    vd_type type = vd_stmt_value(s, 4).type;
    if (type == VD_INT || type == VD_REAL) r.number = vd_stmt_real(s, 4);
    l->row[l->n++] = r;
    return VD_OK;
}

vd_status vd_curated_load(vd_curated_list *out, vd_db *db, const vd_curated_query *q, vd_err *err) {
    vd_status st = VD_OK;
    vd_str sql = { 0 };
    vd_stmt *s = NULL;
    vd_curated_list l = { 0 };
    bool row = true;
    vd_str_add(&sql, "SELECT id, uri, wanted, given, value FROM (SELECT id, uri, (");
    vd_str_addf(&sql, "(%s\n)", q->where != NULL ? q->where : "1");
    VD_GO(add_skips(&sql, q->skip, err));
    vd_str_addf(&sql, ") IS TRUE AS wanted, ((%s\n)) IS TRUE AS given, (%s\n) AS value",
                q->given != NULL ? q->given : "0", q->value != NULL ? q->value : "NULL");
    vd_str_add(&sql, " FROM asset_facts WHERE kind IN ('image', 'frame', 'page')"
                     " AND state = 'present') WHERE wanted OR given ORDER BY uri, id");
    VD_GO(vd_str_check(&sql, err));
    VD_GO(vd_db_prepare(&s, db, sql.data, true, err));
    while (row) {
        VD_GO(vd_stmt_step(s, &row, err));
        if (row) VD_GO(take_row(&l, s, err));
    }
    vd_curated_reset(out);
    *out = l;
    l = (vd_curated_list){ 0 };
done:
    vd_stmt_free(s);
    vd_str_reset(&sql);
    vd_curated_reset(&l);
    return st;
}
