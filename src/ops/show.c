/* Operation show: every fact of an asset with its provenance. SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <string.h>

#include "ops/op.h"
#include "stage/stages.h"

static const vd_arg args[] = {
    { .name = "dataset",
      .flags = VD_POSITIONAL | VD_REQUIRED,
      .value = "DATASET",
      .help = "dataset directory" },
    { .name = "asset",
      .flags = VD_POSITIONAL | VD_REQUIRED,
      .value = "ASSET",
      .help = "id, URI, content hash, or the end of a URI" },
    { .name = "empty", .type = VD_T_FLAG, .help = "facts without a value as well" },
};

static const vd_column columns[] = {
    { "fact", VD_TEXT, "", "name", 0 },
    { "value", VD_NULL, "", "value", 0 },
    { "unit", VD_TEXT, "", "unit of the value", 0 },
    { "stage", VD_TEXT, "", "the stage that wrote it", 0 },
    { "version", VD_INT, "", "of the stage", 0 },
    { "parameters", VD_TEXT, "", "options it depends on", 0 },
    { "key", VD_TEXT, "", "configuration key; with the content hash the key of the fact", 0 },
    { "meaning", VD_TEXT, "", "what it says", 0 },
};

/* Finds the one asset a text names. */
static vd_status find_asset(vd_db *db, const char *text, int64_t *id, vd_err *err) {
    static const char *const sql[] = {
        "SELECT id FROM asset WHERE id = ?1",
        "SELECT id FROM asset WHERE uri = ?1",
        "SELECT id FROM asset WHERE content_hash = ?1",
        "SELECT id FROM asset WHERE substr(uri, -length(?1)) = ?1 ORDER BY id LIMIT 2",
    };
    char *end = NULL;
    long long number = strtoll(text, &end, 10);
    bool is_number = end != text && *end == '\0';
    for (int i = is_number ? 0 : 1; i < VD_COUNT(sql); i++) {
        vd_stmt *s = NULL;
        bool row = false, more = false;
        VD_TRY(vd_db_prepare(&s, db, sql[i], true, err));
        vd_stmt_bind(s, 1, i == 0 ? vd_val_int(number) : vd_val_text(text));
        vd_status st = vd_stmt_step(s, &row, err);
        if (st == VD_OK && row) {
            *id = vd_stmt_int(s, 0);
            st = vd_stmt_step(s, &more, err);
        }
        vd_stmt_free(s);
        VD_TRY(st);
        if (row && more && i == 3)
            return vd_fail(err, VD_E_ARG, "show: several assets end in '%.80s'; name one by its id",
                           text);
        if (row) return VD_OK;
    }
    return vd_fail(err, VD_E_NOTFOUND, "show: no asset '%.120s' in the dataset", text);
}

static vd_status send(vd_opcall *c, const vd_column *col, vd_value value, const vd_value *origin,
                      vd_err *err) {
    if (value.type == VD_NULL && !vd_arg_flag(c, "empty")) return VD_OK;
    const vd_value row[] = { vd_val_text(col->name),
                             value,
                             vd_val_text(col->unit),
                             origin[0],
                             origin[1],
                             origin[2],
                             origin[3],
                             vd_val_text(col->help) };
    return vd_out_row(c, row, err);
}

static vd_status asset_rows(vd_opcall *c, vd_db *db, int64_t id, vd_err *err) {
    vd_status st = VD_OK;
    vd_stmt *s = NULL;
    vd_str sql = { 0 };
    bool row = false;
    vd_str_add(&sql, "SELECT ");
    for (int i = 0; i < vd_n_asset_columns; i++)
        vd_str_addf(&sql, "%s%s", i > 0 ? ", " : "", vd_asset_columns[i].name);
    vd_str_add(&sql, " FROM asset WHERE id = ?1");
    VD_GO(vd_str_check(&sql, err));
    VD_GO(vd_db_prepare(&s, db, sql.data, true, err));
    vd_stmt_bind(s, 1, vd_val_int(id));
    VD_GO(vd_stmt_step(s, &row, err));
    const vd_value origin[] = { vd_val_text("add"), vd_val_int(vd_stage_add.version), vd_val_null(),
                                vd_val_null() };
    for (int i = 0; row && i < vd_n_asset_columns; i++)
        VD_GO(send(c, &vd_asset_columns[i], vd_stmt_value(s, i), origin, err));
done:
    vd_stmt_free(s);
    vd_str_reset(&sql);
    return st;
}

static vd_status stage_rows(vd_opcall *c, vd_db *db, const vd_stage *stage, int64_t id,
                            vd_err *err) {
    vd_status st = VD_OK;
    vd_stmt *s = NULL;
    vd_str sql = { 0 };
    const vd_table_decl *d = stage->table;
    bool row = false;
    vd_str_add(&sql, "SELECT k.version, k.params, printf('%016x', t.key), k.stage");
    for (int i = 0; i < d->n_columns; i++)
        vd_str_addf(&sql, d->columns[i].flags & VD_COL_HEX ? ", lower(hex(t.%s))" : ", t.%s",
                    d->columns[i].name);
    vd_str_addf(&sql, " FROM %s t LEFT JOIN stage_config k ON k.key = t.key WHERE t.asset_id = ?1",
                d->name);
    VD_GO(vd_str_check(&sql, err));
    VD_GO(vd_db_prepare(&s, db, sql.data, true, err));
    vd_stmt_bind(s, 1, vd_val_int(id));
    VD_GO(vd_stmt_step(s, &row, err));
    if (!row) goto done;
    const vd_value by = vd_stmt_null(s, 3) ? vd_val_text(stage->name) : vd_stmt_value(s, 3);
    const vd_value origin[] = { by, vd_stmt_value(s, 0), vd_stmt_value(s, 1), vd_stmt_value(s, 2) };
    for (int i = 0; i < d->n_columns; i++) {
        if (d->columns[i].flags & VD_COL_HIDDEN) continue;
        vd_value v = vd_stmt_value(s, i + 4);
        if (v.type == VD_TEXT && v.n == 0) v = vd_val_null();
        VD_GO(send(c, &d->columns[i], v, origin, err));
    }
done:
    vd_stmt_free(s);
    vd_str_reset(&sql);
    return st;
}

/* Problems, tags, evaluations: small tables with a name and a value. */
static vd_status extra_rows(vd_opcall *c, vd_db *db, int64_t id, vd_err *err) {
    static const struct {
        const char *prefix, *sql;
    } extra[] = {
        { "problem",
          "SELECT kind, score, evidence FROM problem WHERE asset_id = ?1 ORDER BY kind" },
        { "label_problem",
          "SELECT kind, score, evidence FROM label_problem WHERE asset_id = ?1 ORDER BY id" },
        { "tag", "SELECT name, 1, NULL FROM tag WHERE asset_id = ?1 ORDER BY name" },
        { "evaluation",
          "SELECT e.name, p.harm, coalesce(p.hits || ' hits, ' || p.misses || ' misses, ' ||"
          " p.false_alarms || ' false alarms', '') FROM evaluation_picture p JOIN evaluation e"
          " ON e.id = p.evaluation_id WHERE p.asset_id = ?1 ORDER BY e.name" },
    };
    for (int i = 0; i < VD_COUNT(extra); i++) {
        vd_stmt *s = NULL;
        bool row = true;
        VD_TRY(vd_db_prepare(&s, db, extra[i].sql, true, err));
        vd_stmt_bind(s, 1, vd_val_int(id));
        vd_status st = VD_OK;
        while (st == VD_OK && row) {
            st = vd_stmt_step(s, &row, err);
            if (st != VD_OK || !row) break;
            vd_str name = { 0 };
            vd_str_addf(&name, "%s:%s", extra[i].prefix, vd_stmt_text(s, 0));
            const vd_value v[] = { vd_val_text(vd_str_text(&name)),
                                   vd_stmt_value(s, 1),
                                   vd_val_null(),
                                   vd_val_text(extra[i].prefix),
                                   vd_val_null(),
                                   vd_val_null(),
                                   vd_val_null(),
                                   vd_stmt_value(s, 2) };
            st = vd_out_row(c, v, err);
            vd_str_reset(&name);
        }
        vd_stmt_free(s);
        VD_TRY(st);
    }
    return VD_OK;
}

static vd_status show_op(vd_opcall *c, vd_err *err) {
    vd_status st = VD_OK;
    vd_dataset *ds = NULL;
    int64_t id = 0;
    VD_GO(vd_op_open(c, VD_DB_READ, &ds, err));
    vd_db *db = vd_dataset_db(ds);
    VD_GO(find_asset(db, vd_arg_text(c, "asset"), &id, err));
    VD_GO(vd_out_columns(c, NULL, 0, err));
    VD_GO(asset_rows(c, db, id, err));
    for (int i = 0; i < vd_n_stages; i++)
        if (vd_stages[i]->table != NULL) VD_GO(stage_rows(c, db, vd_stages[i], id, err));
    VD_GO(extra_rows(c, db, id, err));
done:
    vd_dataset_close(ds);
    return st;
}

const vd_op vd_op_show = {
    .name = "show",
    .summary = "every fact about an asset, with its provenance",
    .help = "",
    .example = "vidimus show captures.vidimus IMG_0042.JPG",
    .args = args,
    .n_args = VD_COUNT(args),
    .columns = columns,
    .n_columns = VD_COUNT(columns),
    .run = show_op,
};
