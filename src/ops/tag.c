/* Operations tag and gc: the small writers. SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "ops/op.h"

enum { MAX_TAG = 100 };

#define DATASET_ARG                                                                                \
    {                                                                                              \
        .name = "dataset", .flags = VD_POSITIONAL | VD_REQUIRED, .value = "DATASET",               \
        .help = "dataset directory"                                                                \
    }

static const vd_arg tag_args[] = {
    DATASET_ARG,
    { .name = "change",
      .flags = VD_POSITIONAL | VD_MANY | VD_REQUIRED,
      .value = "+NAME|-NAME",
      .help = "set or take away a tag" },
    { .name = "where",
      .flags = VD_REQUIRED,
      .value = "EXPR",
      .help = "SQL condition over asset_facts" },
};

static const vd_column tag_columns[] = {
    { "tag", VD_TEXT, "", "+NAME or -NAME", 0 },
    { "changed", VD_INT, "", "assets that changed", 0 },
};

static vd_status check_tag(const char *text, vd_err *err) {
    bool ok = (text[0] == '+' || text[0] == '-') && text[1] != '\0' && strlen(text) <= MAX_TAG;
    for (const char *p = text + 1; ok && *p != '\0'; p++)
        ok = isalnum((unsigned char)*p) || strchr("_-.:/", *p) != NULL;
    return ok ? VD_OK
              : vd_fail(err, VD_E_ARG,
                        "tag: '%.80s' is not +NAME or -NAME of letters, digits and _-.:/ up to %d"
                        " characters",
                        text, MAX_TAG);
}

static vd_status change(vd_opcall *c, vd_db *db, const char *text, vd_err *err) {
    vd_str sql = { 0 };
    vd_stmt *s = NULL;
    vd_status st = VD_OK;
    const char *where = vd_arg_text(c, "where");
    if (text[0] == '+')
        vd_str_addf(
            &sql,
            "INSERT OR IGNORE INTO tag(asset_id, name) SELECT id, ?1 FROM asset_facts WHERE (%s\n)",
            where);
    else
        vd_str_addf(
            &sql,
            "DELETE FROM tag WHERE name = ?1 AND asset_id IN (SELECT id FROM asset_facts WHERE (%s\n))",
            where);
    VD_GO(vd_str_check(&sql, err));
    VD_GO(vd_db_prepare(&s, db, sql.data, true, err));
    const vd_value name[] = { vd_val_text(text + 1) };
    VD_GO(vd_stmt_run(s, name, 1, err));
    const vd_value row[] = { vd_val_text(text), vd_val_int(vd_db_changes(db)) };
    st = vd_out_row(c, row, err);
done:
    vd_stmt_free(s);
    vd_str_reset(&sql);
    return st;
}

static vd_status tag_op(vd_opcall *c, vd_err *err) {
    vd_status st = VD_OK;
    vd_dataset *ds = NULL;
    const char *const *changes = NULL;
    int n = vd_arg_many(c, "change", &changes);
    for (int i = 0; i < n; i++) VD_GO(check_tag(changes[i], err));
    VD_GO(vd_op_open(c, VD_DB_WRITE, &ds, err));
    vd_db *db = vd_dataset_db(ds);
    VD_GO(vd_op_check_where(db, vd_arg_text(c, "where"), err));
    VD_GO(vd_out_columns(c, NULL, 0, err));
    VD_GO(vd_db_begin(db, err));
    for (int i = 0; i < n; i++) VD_GO(change(c, db, changes[i], err));
    VD_GO(vd_db_commit(db, err));
done:
    if (ds != NULL && st != VD_OK) vd_db_rollback(vd_dataset_db(ds));
    vd_dataset_close(ds);
    return st;
}

const vd_op vd_op_tag = {
    .name = "tag",
    .summary = "sets or takes away tags",
    .help = "The column `tags` of asset_facts has them, sorted, by commas.",
    .example = "vidimus tag captures.vidimus --where \"sharpness < 5\" +blurry",
    .args = tag_args,
    .n_args = VD_COUNT(tag_args),
    .columns = tag_columns,
    .n_columns = VD_COUNT(tag_columns),
    .flags = VD_OP_WRITES,
    .run = tag_op,
};

static const vd_arg gc_args[] = {
    DATASET_ARG,
    { .name = "vanished",
      .type = VD_T_FLAG,
      .help = "forget assets whose files are gone, with all their facts" },
};

static const vd_column gc_columns[] = {
    { "what", VD_TEXT, "", "what was cleaned", 0 },
    { "removed", VD_INT, "", "rows, or bytes of the catalog file", 0 },
};

static vd_status gc_step(vd_opcall *c, vd_db *db, const char *what, const char *sql, vd_err *err) {
    VD_TRY(vd_db_exec(db, sql, err));
    const vd_value row[] = { vd_val_text(what), vd_val_int(vd_db_changes(db)) };
    return vd_out_row(c, row, err);
}

/* Rows of every table by asset that have no asset any more. */
static vd_status gc_orphans(vd_opcall *c, vd_dataset *ds, vd_err *err) {
    static const char *const fixed[] = { "thumbnail", "problem", "tag", "evaluation_picture" };
    const vd_schema *schema = vd_dataset_schema(ds);
    for (int i = 0; i < VD_COUNT(fixed) + schema->n_tables; i++) {
        const char *table =
            i < VD_COUNT(fixed) ? fixed[i] : schema->tables[i - VD_COUNT(fixed)]->name;
        char sql[160];
        snprintf(sql, sizeof sql, "DELETE FROM %s WHERE asset_id NOT IN (SELECT id FROM asset)",
                 table);
        VD_TRY(gc_step(c, vd_dataset_db(ds), table, sql, err));
    }
    return VD_OK;
}

static vd_status pages(vd_db *db, int64_t *bytes, vd_err *err) {
    int64_t count = 0, size = 0;
    VD_TRY(vd_db_int(db, "PRAGMA page_count", &count, err));
    VD_TRY(vd_db_int(db, "PRAGMA page_size", &size, err));
    *bytes = count * size;
    return VD_OK;
}

static vd_status gc_op(vd_opcall *c, vd_err *err) {
    vd_status st = VD_OK;
    vd_dataset *ds = NULL;
    int64_t before = 0, after = 0;
    VD_GO(vd_op_open(c, VD_DB_WRITE, &ds, err));
    vd_db *db = vd_dataset_db(ds);
    VD_GO(vd_out_columns(c, NULL, 0, err));
    VD_GO(pages(db, &before, err));
    VD_GO(vd_db_begin(db, err));
    if (vd_arg_flag(c, "vanished"))
        VD_GO(gc_step(c, db, "vanished assets", "DELETE FROM asset WHERE state = 'vanished'", err));
    VD_GO(gc_step(c, db, "orphans",
                  "DELETE FROM asset WHERE parent_id IS NOT NULL AND parent_id NOT IN"
                  " (SELECT id FROM asset)",
                  err));
    VD_GO(gc_orphans(c, ds, err));
    VD_GO(
        gc_step(c, db, "places of label images",
                "UPDATE label_image SET asset_id = NULL WHERE asset_id IS NOT NULL AND asset_id NOT"
                " IN (SELECT id FROM asset)",
                err));
    VD_GO(gc_step(c, db, "places of label problems",
                  "UPDATE label_problem SET asset_id = NULL WHERE asset_id IS NOT NULL AND asset_id"
                  " NOT IN (SELECT id FROM asset)",
                  err));
    VD_GO(gc_step(c, db, "places of matches",
                  "UPDATE evaluation_match SET asset_id = NULL WHERE asset_id IS NOT NULL AND"
                  " asset_id NOT IN (SELECT id FROM asset)",
                  err));
    VD_GO(gc_step(c, db, "old runs",
                  "DELETE FROM run_stage WHERE run_id <= (SELECT max(id) - 100 FROM run)", err));
    VD_GO(vd_db_exec(db, "DELETE FROM run WHERE id <= (SELECT max(id) - 100 FROM run)", err));
    VD_GO(vd_db_commit(db, err));
    VD_GO(vd_db_exec(db, "VACUUM; PRAGMA wal_checkpoint(TRUNCATE)", err));
    VD_GO(pages(db, &after, err));
    const vd_value row[] = { vd_val_text("bytes of catalog.db"), vd_val_int(before - after) };
    st = vd_out_row(c, row, err);
done:
    if (ds != NULL && st != VD_OK) vd_db_rollback(vd_dataset_db(ds));
    vd_dataset_close(ds);
    return st;
}

const vd_op vd_op_gc = {
    .name = "gc",
    .summary = "gives back space that nothing needs any more",
    .help =
        "Rows of assets that are no longer there, records of runs but the last hundred, free pages. With --vanished\n"
        "also what is remembered about files that are gone.",
    .example = "vidimus gc captures.vidimus --vanished",
    .args = gc_args,
    .n_args = VD_COUNT(gc_args),
    .columns = gc_columns,
    .n_columns = VD_COUNT(gc_columns),
    .flags = VD_OP_WRITES,
    .run = gc_op,
};
