/* Operations list and sql: rows of the catalog. SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "ops/op.h"

#define DATASET_ARG                                                                                \
    {                                                                                              \
        .name = "dataset", .flags = VD_POSITIONAL | VD_REQUIRED, .value = "DATASET",               \
        .help = "dataset directory"                                                                \
    }

static const vd_arg list_args[] = {
    DATASET_ARG,
    { .name = "where", .value = "EXPR", .help = "SQL condition over the columns of asset_facts" },
    { .name = "columns",
      .value = "LIST",
      .def = "id,uri,kind,verdict,width,height,sharpness,brightness",
      .help = "by commas; * for all" },
    { .name = "sort", .value = "COLUMN", .def = "id", .help = "a leading - reverses" },
    { .name = "limit", .type = VD_T_INT, .max = 1e15, .def = "0", .help = "rows; 0: all" },
};

/* A column name, quoted, so that it can only be a column. */
static void add_name(vd_str *sql, const char *name, size_t n) {
    vd_str_addc(sql, '"');
    for (size_t i = 0; i < n; i++) {
        if (name[i] == '"') vd_str_addc(sql, '"');
        vd_str_addc(sql, name[i]);
    }
    vd_str_addc(sql, '"');
}

static vd_status is_column(vd_db *db, const char *name, size_t n, vd_err *err) {
    vd_stmt *s = NULL;
    bool found = false;
    VD_TRY(vd_db_prepare(&s, db, "SELECT 1 FROM pragma_table_info('asset_facts') WHERE name = ?1",
                         true, err));
    vd_stmt_bind(s, 1, (vd_value){ .type = VD_TEXT, .s = name, .n = (int64_t)n });
    vd_status st = vd_stmt_step(s, &found, err);
    vd_stmt_free(s);
    if (st == VD_OK && !found)
        st = vd_fail(
            err, VD_E_ARG,
            "list: no column '%.*s'; vidimus list DATASET --columns '*' --limit 1 shows all",
            (int)VD_MIN(n, 80), name);
    return st;
}

static vd_status add_columns(vd_db *db, vd_str *sql, const char *list, vd_err *err) {
    if (strcmp(list, "*") == 0) {
        vd_str_add(sql, "*");
        return VD_OK;
    }
    for (const char *p = list;; p++) {
        size_t n = strcspn(p, ",");
        VD_TRY(is_column(db, p, n, err));
        if (p != list) vd_str_add(sql, ", ");
        add_name(sql, p, n);
        p += n;
        if (*p == '\0') return VD_OK;
    }
}

/* Whether the plan of a query sorts what it finds. */
static vd_status sorts(vd_db *db, const char *sql, bool *out, vd_err *err) {
    vd_str plan = { 0 };
    vd_stmt *s = NULL;
    bool row = true;
    vd_status st = VD_OK;
    *out = false;
    vd_str_addf(&plan, "EXPLAIN QUERY PLAN %s", sql);
    VD_GO(vd_str_check(&plan, err));
    VD_GO(vd_db_prepare(&s, db, plan.data, true, err));
    while (row && !*out) {
        VD_GO(vd_stmt_step(s, &row, err));
        if (row) *out = strstr(vd_stmt_text(s, 3), "USE TEMP B-TREE FOR ORDER BY") != NULL;
    }
done:
    vd_stmt_free(s);
    vd_str_reset(&plan);
    return st;
}

/* The first few of very many, by id. Through an index on a fact SQLite would look up and sort all
 * that match; where a great number does, walking the assets in order until there are enough is far
 * quicker. */
static vd_status walk_instead(vd_db *db, const char *sql, const char *where, int64_t limit,
                              bool *out, vd_err *err) {
    static const int64_t MANY = 10000;
    int64_t n = 0;
    vd_str count = { 0 };
    VD_TRY(sorts(db, sql, out, err));
    if (!*out) return VD_OK;
    int64_t enough = VD_MAX(MANY, limit);
    vd_str_addf(&count, "SELECT count(*) FROM (SELECT 1 FROM asset_facts WHERE (%s\n) LIMIT %lld)",
                where, (long long)enough);
    vd_status st = vd_str_check(&count, err);
    if (st == VD_OK) st = vd_db_int(db, count.data, &n, err);
    vd_str_reset(&count);
    *out = n >= enough;
    return st;
}

static vd_status list_op(vd_opcall *c, vd_err *err) {
    vd_status st = VD_OK;
    vd_dataset *ds = NULL;
    vd_stmt *s = NULL;
    vd_str sql = { 0 };
    const char *where = vd_arg_text(c, "where"), *sort = vd_arg_text(c, "sort");
    bool down = sort[0] == '-';
    VD_GO(vd_op_open(c, VD_DB_READ, &ds, err));
    vd_db *db = vd_dataset_db(ds);
    vd_str_add(&sql, "SELECT ");
    VD_GO(add_columns(db, &sql, vd_arg_text(c, "columns"), err));
    VD_GO(is_column(db, sort + down, strlen(sort + down), err));
    VD_GO(vd_op_check_where(db, where, err));
    vd_str_add(&sql, " FROM asset_facts");
    int64_t plus_at = sql.size + (int64_t)strlen(" WHERE");
    if (where != NULL) vd_str_addf(&sql, " WHERE (%s\n)", where);
    vd_str_add(&sql, " ORDER BY ");
    add_name(&sql, sort + down, strlen(sort + down));
    vd_str_addf(&sql, "%s, id", down ? " DESC" : "");
    if (vd_arg_int(c, "limit") > 0)
        vd_str_addf(&sql, " LIMIT %lld", (long long)vd_arg_int(c, "limit"));
    VD_GO(vd_str_check(&sql, err));
    if (where != NULL && vd_arg_int(c, "limit") > 0 && strcmp(sort, "id") == 0) {
        bool walk = false;
        VD_GO(walk_instead(db, sql.data, where, vd_arg_int(c, "limit"), &walk, err));
        if (walk) { /* a + keeps SQLite from using an index for the condition */
            sql.data[plus_at] = '+';
        }
    }
    VD_GO(vd_db_prepare(&s, db, sql.data, true, err));
    VD_GO(vd_out_query(c, s, err));
done:
    vd_stmt_free(s);
    vd_dataset_close(ds);
    vd_str_reset(&sql);
    return st;
}

const vd_op vd_op_list = {
    .name = "list",
    .summary = "assets and their facts",
    .help = "Columns are those of the view asset_facts; docs/file-formats.md describes them.",
    .example =
        "vidimus list captures.vidimus --where \"sharpness < 5 AND width >= 640\" --sort sharpness",
    .args = list_args,
    .n_args = VD_COUNT(list_args),
    .flags = VD_OP_DYNAMIC,
    .run = list_op,
};

static const vd_arg sql_args[] = {
    DATASET_ARG,
    { .name = "query",
      .flags = VD_POSITIONAL | VD_REQUIRED,
      .value = "SQL",
      .help = "one SELECT statement" },
    { .name = "timeout",
      .type = VD_T_SECONDS,
      .min = 0.001,
      .max = 86400,
      .def = "60s",
      .help = "longest time the statement may run" },
};

static vd_status sql_op(vd_opcall *c, vd_err *err) {
    vd_status st = VD_OK;
    vd_dataset *ds = NULL;
    vd_stmt *s = NULL;
    VD_GO(vd_op_open(c, VD_DB_READ, &ds, err));
    vd_db_guard(vd_dataset_db(ds), vd_arg_real(c, "timeout"));
    VD_GO(vd_db_prepare(&s, vd_dataset_db(ds), vd_arg_text(c, "query"), true, err));
    VD_GO(vd_out_query(c, s, err));
done:
    vd_stmt_free(s);
    vd_dataset_close(ds);
    return st;
}

const vd_op vd_op_sql = {
    .name = "sql",
    .summary = "a read-only SQL query over the catalog",
    .help =
        "Only SELECT passes, and only for so long. The view asset_facts has one row an asset; the tables are\n"
        "described in docs/file-formats.md.",
    .example =
        "vidimus sql captures.vidimus \"SELECT camera, count(*) FROM asset_facts GROUP BY camera\"",
    .args = sql_args,
    .n_args = VD_COUNT(sql_args),
    .flags = VD_OP_DYNAMIC,
    .run = sql_op,
};
