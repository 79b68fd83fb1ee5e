/* Operation status: what is in a dataset, what is stale, the last runs. SPDX-License-Identifier:
 * Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "ops/op.h"
#include "stage/stages.h"

static const vd_arg args[] = {
    { .name = "dataset",
      .flags = VD_POSITIONAL | VD_REQUIRED,
      .value = "DATASET",
      .help = "dataset directory" },
    { .name = "runs",
      .type = VD_T_INT,
      .max = 1e6,
      .def = "5",
      .help = "how many of the last runs" },
};

static const vd_column columns[] = {
    { "section", VD_TEXT, "", "assets, verdicts, stages, sources, notes, runs", 0 },
    { "name", VD_TEXT, "", "what is told", 0 },
    { "value", VD_TEXT, "", "count or text", 0 },
    { "detail", VD_TEXT, "", "more about it", 0 },
};

static vd_status rows(vd_opcall *c, vd_db *db, const char *section, const char *sql, int64_t bound,
                      vd_err *err) {
    vd_stmt *s = NULL;
    bool row = true;
    vd_status st = vd_db_prepare(&s, db, sql, true, err);
    if (st == VD_OK && bound >= 0) vd_stmt_bind(s, 1, vd_val_int(bound));
    while (st == VD_OK && row) {
        st = vd_stmt_step(s, &row, err);
        if (st != VD_OK || !row) break;
        const vd_value v[] = { vd_val_text(section), vd_stmt_value(s, 0), vd_stmt_value(s, 1),
                               vd_stmt_value(s, 2) };
        st = vd_out_row(c, v, err);
    }
    vd_stmt_free(s);
    return st;
}

/* Under default options: how many assets a stage would take. */
static vd_status stage_row(vd_opcall *c, vd_db *db, const vd_stage *s, vd_err *err) {
    vd_str sql = { 0 };
    if (s->scope == VD_SCOPE_DATASET) return VD_OK;
    if (s->table == NULL)
        vd_str_addf(
            &sql,
            "SELECT '%s', count(content_hash) || ' current', CASE WHEN count(*) > count(content_hash)"
            " THEN (count(*) - count(content_hash)) || ' new or stale' END FROM asset"
            " WHERE state = 'present' AND parent_id IS NULL",
            s->name);
    else
        vd_str_addf(
            &sql,
            "SELECT '%s', count(t.key) || ' done', CASE WHEN count(*) > count(t.key) THEN"
            " (count(*) - count(t.key)) || ' new or stale' END FROM asset a LEFT JOIN %s t ON"
            " t.asset_id = a.id AND t.key IN (SELECT key FROM stage_config WHERE stage = '%s' AND"
            " version = %d) WHERE a.state = 'present'",
            s->name, s->table->name, s->name, s->version);
    vd_status st = vd_str_check(&sql, err);
    if (st == VD_OK) st = rows(c, db, "stages", sql.data, -1, err);
    vd_str_reset(&sql);
    return st;
}

static vd_status status_op(vd_opcall *c, vd_err *err) {
    vd_status st = VD_OK;
    vd_dataset *ds = NULL;
    VD_GO(vd_op_open(c, VD_DB_READ, &ds, err));
    vd_db *db = vd_dataset_db(ds);
    VD_GO(vd_out_columns(c, NULL, 0, err));
    const vd_value dir[] = { vd_val_text("dataset"), vd_val_text("directory"),
                             vd_val_text(vd_dataset_dir(ds)), vd_val_null() };
    VD_GO(vd_out_row(c, dir, err));
    VD_GO(rows(c, db, "sources", "SELECT path, NULL, NULL FROM source ORDER BY path", -1, err));
    VD_GO(
        rows(c, db, "assets",
             "SELECT kind || CASE state WHEN 'present' THEN '' ELSE ' (' || state || ')' END,"
             " count(*), CASE WHEN sum(size) > 0 THEN printf('%,d bytes', sum(size)) END FROM asset"
             " GROUP BY kind, state ORDER BY state, kind",
             -1, err));
    VD_GO(rows(c, db, "verdicts",
               "SELECT c.verdict, count(*), NULL FROM fact_check c JOIN asset a ON"
               " a.id = c.asset_id WHERE a.state = 'present' GROUP BY 1 ORDER BY 2 DESC, 1",
               -1, err));
    for (int i = 0; i < vd_n_stages; i++) VD_GO(stage_row(c, db, vd_stages[i], err));
    VD_GO(rows(c, db, "problems",
               "SELECT kind, count(*), NULL FROM problem GROUP BY 1 ORDER BY 2 DESC, 1", -1, err));
    VD_GO(rows(c, db, "notes", "SELECT path, reason, NULL FROM note ORDER BY path LIMIT 100", -1,
               err));
    VD_GO(rows(
        c, db, "runs",
        "SELECT 'run ' || r.id || ' ' || strftime('%Y-%m-%d %H:%M:%S', r.started_ns / 1000000000,"
        " 'unixepoch'), coalesce(r.outcome, 'killed or running'), coalesce((SELECT group_concat(stage || ' ' ||"
        " done || ' in ' || printf('%.2f', seconds) || ' s', ', ') FROM run_stage s WHERE s.run_id = r.id),"
        " '') FROM run r ORDER BY r.id DESC LIMIT ?1",
        vd_arg_int(c, "runs"), err));
done:
    vd_dataset_close(ds);
    return st;
}

const vd_op vd_op_status = {
    .name = "status",
    .summary = "what is in a dataset, what is stale, the last runs with timings",
    .help = "",
    .example = "vidimus status captures.vidimus",
    .args = args,
    .n_args = VD_COUNT(args),
    .columns = columns,
    .n_columns = VD_COUNT(columns),
    .flags = VD_OP_LINES,
    .run = status_op,
};
