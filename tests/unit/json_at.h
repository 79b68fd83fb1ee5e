/* JSON read by SQLite's own parser: what a path holds. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_TESTS_JSON_AT_H
#define VD_TESTS_JSON_AT_H

#include "base/str.h"
#include "store/db.h"

/* `function` of (json, path), as text; false where that is NULL or no JSON. */
static inline bool json_text(vd_str *out, vd_db *db, const char *function, const vd_str *json,
                             const char *path) {
    vd_stmt *s = NULL;
    vd_str sql = { 0 };
    vd_err err = { 0 };
    bool row = false, found = false;
    vd_str_addf(&sql, "SELECT %s", function);
    vd_str_clear(out);
    if (vd_db_prepare(&s, db, sql.data, true, &err) == VD_OK) {
        vd_stmt_bind(s, 1, vd_val_text(json->data));
        vd_stmt_bind(s, 2, vd_val_text(path));
        if (vd_stmt_step(s, &row, &err) == VD_OK && row && vd_stmt_value(s, 0).type != VD_NULL) {
            vd_str_add(out, vd_stmt_text(s, 0));
            found = true;
        }
    }
    vd_stmt_free(s);
    vd_str_reset(&sql);
    return found;
}

/* The number at a path, NaN where there is none. */
static inline double json_number(vd_db *db, const char *function, const vd_str *json,
                                 const char *path) {
    vd_str text = { 0 };
    double v = NAN;
    if (json_text(&text, db, function, json, path)) v = strtod(vd_str_text(&text), NULL);
    vd_str_reset(&text);
    return v;
}

static inline double json_at(vd_db *db, const vd_str *json, const char *path) {
    return json_number(db, "json_extract(?1, ?2)", json, path);
}

static inline double sum_of(vd_db *db, const vd_str *json, const char *path) {
    return json_number(db, "sum(value) FROM json_each(?1, ?2)", json, path);
}

static inline int64_t length_of(vd_db *db, const vd_str *json, const char *path) {
    return (int64_t)json_number(db, "json_array_length(?1, ?2)", json, path);
}
#endif
