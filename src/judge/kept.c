/* Operations eval kept and eval worst: evaluations in the catalog. SPDX-License-Identifier:
 * Apache-2.0 */
#include <string.h>

#include "base/mem.h"
#include "ops/op.h"
#include "store/evaluation.h"

#define DATASET_ARG                                                                                \
    {                                                                                              \
        .name = "dataset", .flags = VD_POSITIONAL | VD_REQUIRED, .value = "DATASET",               \
        .help = "dataset directory"                                                                \
    }

/* ---- kept ---- */

static const vd_arg kept_args[] = {
    DATASET_ARG,
    { .name = "remove", .value = "NAME", .help = "remove this one first" },
};

static const vd_column kept_columns[] = {
    { "name", VD_TEXT, "", "as given to --keep", 0 },
    { "task", VD_TEXT, "", "detection, classification or segmentation", 0 },
    { "truth", VD_TEXT, "", "a file, or a label set", 0 },
    { "prediction", VD_TEXT, "", "a file, or a label set", 0 },
    { "made", VD_TEXT, "", "UTC", 0 },
    { "figure", VD_TEXT, "", "the first of its figures", 0 },
    { "value", VD_REAL, "", "of that figure", 0 },
    { "low", VD_REAL, "", "end of its 95 % interval", 0 },
    { "high", VD_REAL, "", "end of its 95 % interval", 0 },
    { "pictures", VD_INT, "", "assets that were judged", 0 },
};

static vd_status kept_op(vd_opcall *c, vd_err *err) {
    vd_status st = VD_OK;
    vd_dataset *ds = NULL;
    vd_stmt *s = NULL;
    bool row = false;
    const char *gone = vd_arg_text(c, "remove");
    VD_GO(vd_op_open(c, gone != NULL ? VD_DB_WRITE : VD_DB_READ, &ds, err));
    vd_db *db = vd_dataset_db(ds);
    if (gone != NULL) {
        int64_t id = 0;
        VD_GO(vd_evaluation_find(&id, db, gone, err));
        VD_GO(vd_evaluation_remove(db, id, err));
    }
    VD_GO(vd_db_prepare(
        &s, db,
        "SELECT name, task, truth, prediction, strftime('%Y-%m-%dT%H:%M:%SZ', made_ns / 1000000000,"
        " 'unixepoch'), json_extract(result, '$.figures[0][0]'),"
        " json_extract(result, '$.figures[0][1]'), json_extract(result, '$.figures[0][2]'),"
        " json_extract(result, '$.figures[0][3]'),"
        " (SELECT count(*) FROM evaluation_picture WHERE evaluation_id = e.id)"
        " FROM evaluation e ORDER BY id DESC",
        true, err));
    VD_GO(vd_out_columns(c, NULL, 0, err));
    for (;;) {
        vd_value v[VD_COUNT(kept_columns)];
        VD_GO(vd_stmt_step(s, &row, err));
        if (!row) break;
        for (int i = 0; i < VD_COUNT(kept_columns); i++) v[i] = vd_stmt_value(s, i);
        VD_GO(vd_out_row(c, v, err));
    }
done:
    vd_stmt_free(s);
    vd_dataset_close(ds);
    return st;
}

const vd_op vd_op_eval_kept = {
    .name = "eval kept",
    .summary = "evaluations that a dataset keeps, the newest first",
    .help =
        "eval detection, classification and segmentation keep what they found by --dataset DATASET --keep NAME: the\n"
        "figures, what became of each object (table evaluation_match), and counts of each picture, which asset_facts\n"
        "shows of the newest one as eval_hits, eval_misses, eval_false_alarms and eval_harm.",
    .example = "vidimus eval kept captures.vidimus",
    .args = kept_args,
    .n_args = VD_COUNT(kept_args),
    .columns = kept_columns,
    .n_columns = VD_COUNT(kept_columns),
    .flags = VD_OP_WRITES,
    .run = kept_op,
};

/* ---- worst ---- */

static const vd_arg worst_args[] = {
    DATASET_ARG,
    { .name = "name", .value = "NAME", .help = "which evaluation; the newest if not given" },
    { .name = "where", .value = "EXPR", .help = "SQL condition over asset_facts: which pictures" },
    { .name = "limit", .type = VD_T_INT, .max = 1e15, .def = "20", .help = "rows; 0: all" },
};

static const vd_column worst_columns[] = {
    { "rank", VD_INT, "", "1, 2, ... the worst first", 0 },
    { "id", VD_INT, "", "of the asset", 0 },
    { "uri", VD_TEXT, "", "where it lies", 0 },
    { "harm", VD_REAL, "",
      "objects missed, and false alarms by their scores; segmentation: 1 less the picture's mIoU",
      0 },
    { "hits", VD_INT, "", "objects found", 0 },
    { "misses", VD_INT, "", "objects not found", 0 },
    { "false_alarms", VD_INT, "", "predictions that found nothing", 0 },
};

static vd_status worst_sql(vd_stmt **s, vd_db *db, const char *where, vd_err *err) {
    vd_str sql = { 0 };
    vd_status st = vd_op_check_where(db, where, err);
    vd_str_add(&sql,
               "SELECT row_number() OVER (ORDER BY p.harm DESC, p.asset_id), p.asset_id, a.uri,"
               " p.harm, p.hits, p.misses, p.false_alarms FROM evaluation_picture p"
               " JOIN asset a ON a.id = p.asset_id WHERE p.evaluation_id = ?1 AND p.harm > 0");
    if (where != NULL)
        vd_str_addf(&sql, " AND p.asset_id IN (SELECT id FROM asset_facts WHERE (%s\n))", where);
    vd_str_add(&sql, " ORDER BY 1 LIMIT ?2");
    if (st == VD_OK) st = vd_str_check(&sql, err);
    if (st == VD_OK) st = vd_db_prepare(s, db, sql.data, true, err);
    vd_str_reset(&sql);
    return st;
}

static vd_status worst_op(vd_opcall *c, vd_err *err) {
    vd_status st = VD_OK;
    vd_dataset *ds = NULL;
    vd_stmt *s = NULL;
    int64_t id = 0, limit = vd_arg_int(c, "limit");
    VD_GO(vd_op_open(c, VD_DB_READ, &ds, err));
    vd_db *db = vd_dataset_db(ds);
    VD_GO(vd_evaluation_find(&id, db, vd_arg_text(c, "name"), err));
    VD_GO(worst_sql(&s, db, vd_arg_text(c, "where"), err));
    vd_stmt_bind(s, 1, vd_val_int(id));
    vd_stmt_bind(s, 2, vd_val_int(limit > 0 ? limit : -1));
    VD_GO(vd_out_columns(c, NULL, 0, err));
    for (bool row = false;;) {
        vd_value v[VD_COUNT(worst_columns)];
        VD_GO(vd_stmt_step(s, &row, err));
        if (!row) break;
        for (int i = 0; i < VD_COUNT(worst_columns); i++) v[i] = vd_stmt_value(s, i);
        VD_GO(vd_out_row(c, v, err));
    }
done:
    vd_stmt_free(s);
    vd_dataset_close(ds);
    return st;
}

const vd_op vd_op_eval_worst = {
    .name = "eval worst",
    .summary = "the pictures that an evaluation went worst in",
    .help =
        "By harm: each object missed counts 1, each false alarm its score. Pictures without harm are left out; of equal\n"
        "ones the lower id comes first. What was missed and what was seen instead is in the table evaluation_match:\n"
        "vidimus sql DATASET \"SELECT * FROM evaluation_match WHERE asset_id = ID\".",
    .example = "vidimus eval worst captures.vidimus --limit 10",
    .args = worst_args,
    .n_args = VD_COUNT(worst_args),
    .columns = worst_columns,
    .n_columns = VD_COUNT(worst_columns),
    .run = worst_op,
};
