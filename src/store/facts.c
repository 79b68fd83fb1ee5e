/* Writing assets and facts. SPDX-License-Identifier: Apache-2.0 */
#include "store/facts.h"

#include <math.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/str.h"

enum { MAX_COLUMNS = 96 };

enum { S_THUMB, S_IDENTITY, S_CHILD, N_FIXED };

static const char *const fixed_sql[N_FIXED] = {
    [S_THUMB] = "INSERT OR REPLACE INTO thumbnail(asset_id, jpeg) VALUES(?1, ?2)",
    [S_IDENTITY] =
        "UPDATE asset SET content_hash = coalesce(?2, content_hash), kind = coalesce(?3, kind)"
        " WHERE id = ?1",
    [S_CHILD] =
        "INSERT INTO asset(id, uri, kind, parent_id, container_id, frame_index, time_s, state)"
        " SELECT ?1, uri || '#' || ?2, ?3, id, container_id, ?4, ?5, 'present' FROM asset"
        " WHERE id = ?6 ON CONFLICT(id) DO UPDATE SET time_s = excluded.time_s,"
        " kind = excluded.kind, uri = excluded.uri, state = 'present'",
};

struct vd_writer {
    vd_dataset *ds;
    vd_db *db;
    vd_stmt *fixed[N_FIXED];
    vd_stmt **facts; /* one a schema table */
    bool open;       /* a transaction */
};

static vd_status prepare_fact(vd_stmt **out, vd_db *db, const vd_table_decl *d, vd_err *err) {
    vd_str sql = { 0 };
    vd_str_addf(&sql, "INSERT OR REPLACE INTO %s(asset_id, key", d->name);
    for (int i = 0; i < d->n_columns; i++) vd_str_addf(&sql, ", %s", d->columns[i].name);
    vd_str_add(&sql, ") VALUES(?1, ?2");
    for (int i = 0; i < d->n_columns; i++) vd_str_addf(&sql, ", ?%d", i + 3);
    vd_str_add(&sql, ")");
    vd_status st = vd_str_check(&sql, err);
    if (st == VD_OK) st = vd_db_prepare(out, db, sql.data, true, err);
    vd_str_reset(&sql);
    return st;
}

vd_status vd_writer_new(vd_writer **out, vd_dataset *ds, vd_err *err) {
    vd_status st = VD_OK;
    const vd_schema *schema = vd_dataset_schema(ds);
    vd_writer *w = vd_mem_array(1, sizeof *w);
    if (w == NULL) return vd_nomem(err);
    w->ds = ds;
    w->db = vd_dataset_db(ds);
    w->facts = vd_mem_array((size_t)schema->n_tables, sizeof *w->facts);
    if (w->facts == NULL) VD_GO(vd_nomem(err));
    for (int i = 0; i < N_FIXED; i++)
        VD_GO(vd_db_prepare(&w->fixed[i], w->db, fixed_sql[i], true, err));
    for (int i = 0; i < schema->n_tables; i++)
        VD_GO(prepare_fact(&w->facts[i], w->db, schema->tables[i], err));
    *out = w;
    w = NULL;
done:
    vd_writer_free(w);
    return st;
}

void vd_writer_free(vd_writer *w) {
    if (w == NULL) return;
    for (int i = 0; i < N_FIXED; i++) vd_stmt_free(w->fixed[i]);
    for (int i = 0; w->facts != NULL && i < vd_dataset_schema(w->ds)->n_tables; i++)
        vd_stmt_free(w->facts[i]);
    if (w->open) vd_db_rollback(w->db);
    vd_mem_free(w->facts);
    vd_mem_free(w);
}

static vd_status ensure_open(vd_writer *w, vd_err *err) {
    if (w->open || vd_db_in_transaction(w->db)) return VD_OK; /* the caller's, or ours */
    VD_TRY(vd_db_begin(w->db, err));
    w->open = true;
    return VD_OK;
}

vd_status vd_writer_flush(vd_writer *w, vd_err *err) {
    if (!w->open) return VD_OK;
    VD_TRY(vd_db_commit(w->db, err));
    w->open = false;
    return VD_OK;
}

vd_status vd_writer_fact(vd_writer *w, int table, int64_t asset_id, int64_t key,
                         const vd_value *values, vd_err *err) {
    VD_TRY(ensure_open(w, err));
    const vd_table_decl *d = vd_dataset_schema(w->ds)->tables[table];
    vd_value all[MAX_COLUMNS];
    if (d->n_columns + 2 > MAX_COLUMNS)
        return vd_fail(err, VD_E_INTERNAL, "table %s: %d columns, limit %d", d->name, d->n_columns,
                       MAX_COLUMNS);
    all[0] = vd_val_int(asset_id);
    all[1] = vd_val_int(key);
    for (int i = 0; i < d->n_columns; i++) all[i + 2] = values[i];
    return vd_stmt_run(w->facts[table], all, d->n_columns + 2, err);
}

vd_status vd_writer_thumbnail(vd_writer *w, int64_t asset_id, const void *jpeg, int64_t size,
                              vd_err *err) {
    VD_TRY(ensure_open(w, err));
    const vd_value v[] = { vd_val_int(asset_id), vd_val_blob(jpeg, size) };
    return vd_stmt_run(w->fixed[S_THUMB], v, 2, err);
}

vd_status vd_writer_identity(vd_writer *w, int64_t asset_id, const char *hash, const char *kind,
                             vd_err *err) {
    VD_TRY(ensure_open(w, err));
    const vd_value v[] = { vd_val_int(asset_id), vd_val_text(hash), vd_val_text(kind) };
    return vd_stmt_run(w->fixed[S_IDENTITY], v, 3, err);
}

int64_t vd_child_id(int64_t parent_id, int64_t index) {
    return parent_id + ((index + 1) << 32);
}

int64_t vd_parent_id(int64_t id) {
    return id >> 32 > 0 ? id & 0xffffffff : 0;
}

vd_status vd_writer_child(vd_writer *w, int64_t parent_id, int64_t index, const char *kind,
                          double time_s, vd_err *err) {
    VD_TRY(ensure_open(w, err));
    vd_str name = { 0 };
    if (isfinite(time_s))
        vd_str_addf(&name, "t=%.3f", time_s);
    else
        vd_str_addf(&name, "page=%lld", (long long)index);
    vd_status st = vd_str_check(&name, err);
    if (st == VD_OK) {
        const vd_value v[] = { vd_val_int(vd_child_id(parent_id, index)),
                               vd_val_text(name.data),
                               vd_val_text(kind),
                               vd_val_int(index),
                               vd_val_real(time_s),
                               vd_val_int(parent_id) };
        st = vd_stmt_run(w->fixed[S_CHILD], v, 6, err);
    }
    vd_str_reset(&name);
    return st;
}

/* Runs "DELETE FROM table WHERE condition" over every table that holds rows by asset_id.
 * `condition` has one %s for the name of the id column. */
static vd_status delete_facts(vd_writer *w, const char *ids, vd_err *err) {
    static const char *const fixed[] = { "thumbnail", "problem" };
    const vd_schema *schema = vd_dataset_schema(w->ds);
    vd_str sql = { 0 };
    for (int i = 0; i < VD_COUNT(fixed); i++)
        vd_str_addf(&sql, "DELETE FROM %s WHERE asset_id IN (%s);", fixed[i], ids);
    for (int i = 0; i < schema->n_tables; i++)
        vd_str_addf(&sql, "DELETE FROM %s WHERE asset_id IN (%s);", schema->tables[i]->name, ids);
    vd_status st = vd_str_check(&sql, err);
    if (st == VD_OK) st = vd_db_exec(w->db, sql.data, err);
    vd_str_reset(&sql);
    return st;
}

vd_status vd_writer_trim_children(vd_writer *w, int64_t parent_id, int64_t from_index,
                                  vd_err *err) {
    VD_TRY(ensure_open(w, err));
    vd_str ids = { 0 }, sql = { 0 };
    int64_t n = 0;
    vd_str_addf(&ids, "SELECT id FROM asset WHERE parent_id = %lld AND frame_index >= %lld",
                (long long)parent_id, (long long)from_index);
    vd_str_addf(&sql, "SELECT EXISTS(%s)", vd_str_text(&ids));
    vd_status st = vd_str_check(&sql, err);
    if (st == VD_OK) st = vd_str_check(&ids, err);
    if (st == VD_OK) st = vd_db_int(w->db, sql.data, &n, err);
    if (st == VD_OK && n > 0) {
        vd_str_clear(&sql);
        vd_str_addf(&sql,
                    "DELETE FROM tag WHERE asset_id IN (%s);"
                    "DELETE FROM asset WHERE parent_id = %lld AND frame_index >= %lld",
                    ids.data, (long long)parent_id, (long long)from_index);
        st = vd_str_check(&sql, err);
        if (st == VD_OK) st = delete_facts(w, ids.data, err);
        if (st == VD_OK) st = vd_db_exec(w->db, sql.data, err);
    }
    vd_str_reset(&ids);
    vd_str_reset(&sql);
    return st;
}

vd_status vd_writer_forget(vd_writer *w, int64_t asset_id, vd_err *err) {
    VD_TRY(vd_writer_trim_children(w, asset_id, 0, err));
    char id[32];
    snprintf(id, sizeof id, "%lld", (long long)asset_id);
    return delete_facts(w, id, err);
}
