/* The catalog's tables. Fixed tables change by numbered migrations; stage tables follow their
 * declarations: a missing table or column is added, and the flat view is made anew when its text
 * differs. docs/file-formats.md describes the result. SPDX-License-Identifier: Apache-2.0 */
#include "store/schema.h"

#include <string.h>
#include <unistd.h>

#include "base/str.h"

const vd_column vd_asset_columns[] = {
    { "id", VD_INT, "", "identifier; frames and pages: parent + (index + 1) * 2^32", 0 },
    { "uri", VD_TEXT, "", "where it lies; members of archives and frames after '!' and '#'", 0 },
    { "kind", VD_TEXT, "", "image, video, frame, page, audio, archive, other", 0 },
    { "parent_id", VD_INT, "", "the video or document a frame or page belongs to", 0 },
    { "container_id", VD_INT, "", "the archive a member lies in", 0 },
    { "state", VD_TEXT, "", "present or vanished", 0 },
    { "size", VD_INT, "bytes", "length of the file or member", 0 },
    { "frame_index", VD_INT, "", "0, 1, ... in its parent", 0 },
    { "time_s", VD_REAL, "s", "presentation time of a video frame", 0 },
    { "content_hash", VD_TEXT, "", "XXH3-128 of the bytes, 32 hexadecimal digits", 0 },
};
const int vd_n_asset_columns = VD_COUNT(vd_asset_columns);

/* Step n takes a catalog from version n to n + 1. */
static const char *const migrations[VD_SCHEMA_VERSION] = {
    /* 0 -> 1: the tables of the first release */
    "CREATE TABLE asset(id INTEGER PRIMARY KEY, uri TEXT NOT NULL, kind TEXT NOT NULL,"
    " parent_id INTEGER, container_id INTEGER, state TEXT NOT NULL DEFAULT 'present',"
    " size INTEGER, mtime_ns INTEGER, inode INTEGER, device INTEGER,"
    " byte_offset INTEGER, member_index INTEGER, frame_index INTEGER, time_s REAL,"
    " content_hash TEXT, added_run INTEGER, vanished_run INTEGER);"
    "CREATE INDEX asset_uri ON asset(uri);"
    "CREATE INDEX asset_hash ON asset(content_hash) WHERE content_hash IS NOT NULL;"
    "CREATE INDEX asset_parent ON asset(parent_id) WHERE parent_id IS NOT NULL;"
    "CREATE INDEX asset_container ON asset(container_id) WHERE container_id IS NOT NULL;"
    "CREATE TABLE source(path TEXT PRIMARY KEY) WITHOUT ROWID;"
    "CREATE TABLE note(path TEXT PRIMARY KEY, reason TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE stage_config(key INTEGER PRIMARY KEY, stage TEXT NOT NULL,"
    " version INTEGER NOT NULL, params TEXT NOT NULL, inputs TEXT NOT NULL);"
    "CREATE TABLE dataset_state(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE problem(kind TEXT NOT NULL, asset_id INTEGER NOT NULL, score REAL NOT NULL,"
    " evidence TEXT, PRIMARY KEY(kind, asset_id)) WITHOUT ROWID;"
    "CREATE INDEX problem_asset ON problem(asset_id);"
    "CREATE TABLE thumbnail(asset_id INTEGER PRIMARY KEY, jpeg BLOB NOT NULL);"
    "CREATE TABLE run(id INTEGER PRIMARY KEY, started_ns INTEGER NOT NULL, finished_ns INTEGER,"
    " arguments TEXT NOT NULL, outcome TEXT);"
    "CREATE TABLE run_stage(run_id INTEGER NOT NULL, stage TEXT NOT NULL, done INTEGER NOT NULL,"
    " total INTEGER NOT NULL, failed INTEGER NOT NULL, seconds REAL NOT NULL, summary TEXT,"
    " PRIMARY KEY(run_id, stage)) WITHOUT ROWID;",
    /* 1 -> 2: tags */
    "CREATE TABLE tag(asset_id INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY(asset_id, name))"
    " WITHOUT ROWID; CREATE INDEX tag_name ON tag(name);",
    /* 2 -> 3: pairs and scenes */
    "CREATE TABLE pair(a INTEGER NOT NULL, b INTEGER NOT NULL, key INTEGER NOT NULL,"
    " matches INTEGER NOT NULL, inliers INTEGER NOT NULL, config INTEGER NOT NULL, geometry BLOB,"
    " inlier_matches BLOB, PRIMARY KEY(a, b)); CREATE INDEX pair_b ON pair(b);"
    "CREATE TABLE camera(id INTEGER PRIMARY KEY, model TEXT NOT NULL, width INTEGER NOT NULL,"
    " height INTEGER NOT NULL, params TEXT NOT NULL, focal_from TEXT NOT NULL);"
    "CREATE TABLE scene(id INTEGER PRIMARY KEY, pictures INTEGER NOT NULL,"
    " registered INTEGER NOT NULL, points INTEGER NOT NULL, observations INTEGER NOT NULL,"
    " reprojection_px REAL, track_length REAL, angle_deg REAL, coverage REAL,"
    " georeferenced INTEGER NOT NULL, gps_residual_m REAL, warning TEXT,"
    " latitude REAL, longitude REAL, altitude_m REAL);",
    /* 3 -> 4: splits and snapshots, what is in a snapshot stays as it is; labels */
    "CREATE TABLE split(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " made_ns INTEGER NOT NULL, rule TEXT NOT NULL, seed INTEGER NOT NULL, assets INTEGER NOT NULL);"
    "CREATE TABLE split_asset(split_id INTEGER NOT NULL, asset_id INTEGER NOT NULL,"
    " part TEXT NOT NULL, group_id INTEGER NOT NULL, PRIMARY KEY(split_id, asset_id))"
    " WITHOUT ROWID;"
    "CREATE TABLE snapshot(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " made_ns INTEGER NOT NULL, note TEXT, split TEXT, assets INTEGER NOT NULL,"
    " digest TEXT NOT NULL);"
    "CREATE TABLE snapshot_asset(snapshot_id INTEGER NOT NULL, uri TEXT NOT NULL,"
    " asset_id INTEGER NOT NULL, content_hash TEXT, part TEXT, labels TEXT,"
    " PRIMARY KEY(snapshot_id, uri)) WITHOUT ROWID;"
    "CREATE TRIGGER snapshot_fixed BEFORE UPDATE ON snapshot BEGIN"
    " SELECT RAISE(ABORT, 'a snapshot does not change'); END;"
    "CREATE TRIGGER snapshot_asset_fixed BEFORE UPDATE ON snapshot_asset BEGIN"
    " SELECT RAISE(ABORT, 'a snapshot does not change'); END;"
    "CREATE TRIGGER snapshot_asset_kept BEFORE DELETE ON snapshot_asset BEGIN"
    " SELECT RAISE(ABORT, 'a snapshot does not change'); END;"
    "CREATE TRIGGER snapshot_kept BEFORE DELETE ON snapshot BEGIN"
    " SELECT RAISE(ABORT, 'a snapshot does not change'); END;"
    "CREATE TRIGGER snapshot_asset_closed BEFORE INSERT ON snapshot_asset WHEN EXISTS"
    " (SELECT 1 FROM snapshot WHERE id = new.snapshot_id) BEGIN"
    " SELECT RAISE(ABORT, 'a snapshot does not change'); END;"
    "CREATE TABLE label_set(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " format TEXT NOT NULL, source TEXT NOT NULL, imported_ns INTEGER NOT NULL,"
    " program TEXT NOT NULL, has INTEGER, images INTEGER, matched INTEGER, categories INTEGER,"
    " objects INTEGER);"
    "CREATE TABLE label_category(set_id INTEGER NOT NULL, category INTEGER NOT NULL,"
    " source_id INTEGER NOT NULL, name TEXT NOT NULL, parent TEXT, keypoints TEXT, edges TEXT,"
    " PRIMARY KEY(set_id, category)) WITHOUT ROWID;"
    "CREATE TABLE label_image(id INTEGER PRIMARY KEY, set_id INTEGER NOT NULL, asset_id INTEGER,"
    " source_id INTEGER NOT NULL, name TEXT NOT NULL, width INTEGER, height INTEGER, subset TEXT,"
    " sequence TEXT, frame INTEGER, attributes TEXT);"
    "CREATE INDEX label_image_set ON label_image(set_id);"
    "CREATE INDEX label_image_asset ON label_image(asset_id) WHERE asset_id IS NOT NULL;"
    "CREATE TABLE label(id INTEGER PRIMARY KEY, image_id INTEGER NOT NULL, category INTEGER,"
    " has INTEGER NOT NULL, source_id INTEGER, x REAL, y REAL, width REAL, height REAL, angle REAL,"
    " area REAL, score REAL, track INTEGER, caption TEXT, shape BLOB, attributes TEXT);"
    "CREATE INDEX label_of_image ON label(image_id);",
    /* 4 -> 5: what is wrong with labels; predictions beside a truth */
    "CREATE TABLE label_problem(id INTEGER PRIMARY KEY, set_id INTEGER NOT NULL,"
    " kind TEXT NOT NULL, image_id INTEGER, label_id INTEGER, other_id INTEGER, asset_id INTEGER,"
    " score REAL NOT NULL, evidence TEXT);"
    "CREATE INDEX label_problem_set ON label_problem(set_id);"
    "CREATE INDEX label_problem_asset ON label_problem(asset_id) WHERE asset_id IS NOT NULL;"
    "CREATE TABLE evaluation(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " task TEXT NOT NULL, truth TEXT NOT NULL, prediction TEXT NOT NULL, made_ns INTEGER NOT NULL,"
    " arguments TEXT NOT NULL, result TEXT NOT NULL);"
    "CREATE TABLE evaluation_match(id INTEGER PRIMARY KEY, evaluation_id INTEGER NOT NULL,"
    " asset_id INTEGER, image TEXT NOT NULL, verdict TEXT NOT NULL, truth_class TEXT,"
    " predicted_class TEXT, iou REAL, score REAL, x REAL, y REAL, width REAL, height REAL);"
    "CREATE INDEX evaluation_match_of ON evaluation_match(evaluation_id);"
    "CREATE INDEX evaluation_match_asset ON evaluation_match(asset_id)"
    " WHERE asset_id IS NOT NULL;"
    "ALTER TABLE label_category ADD COLUMN thing INTEGER;"
    /* objects by class are counted in the index alone */
    "DROP INDEX label_of_image; CREATE INDEX label_of_image ON label(image_id, category);"
    /* `picture` counts those of the snapshot by URI; `objects` holds 64-bit hashes of what its
     * objects of the class say, in ascending order */
    "CREATE TABLE snapshot_label(snapshot_id INTEGER NOT NULL, picture INTEGER NOT NULL,"
    " set_name TEXT NOT NULL, class TEXT NOT NULL, objects BLOB NOT NULL,"
    " PRIMARY KEY(snapshot_id, picture, set_name, class)) WITHOUT ROWID;"
    "CREATE TRIGGER snapshot_label_fixed BEFORE UPDATE ON snapshot_label BEGIN"
    " SELECT RAISE(ABORT, 'a snapshot does not change'); END;"
    "CREATE TRIGGER snapshot_label_kept BEFORE DELETE ON snapshot_label BEGIN"
    " SELECT RAISE(ABORT, 'a snapshot does not change'); END;"
    "CREATE TRIGGER snapshot_label_closed BEFORE INSERT ON snapshot_label WHEN EXISTS"
    " (SELECT 1 FROM snapshot WHERE id = new.snapshot_id) BEGIN"
    " SELECT RAISE(ABORT, 'a snapshot does not change'); END;"
    "CREATE TABLE evaluation_picture(asset_id INTEGER NOT NULL, evaluation_id INTEGER NOT NULL,"
    " hits INTEGER, misses INTEGER, false_alarms INTEGER, harm REAL,"
    " PRIMARY KEY(asset_id, evaluation_id)) WITHOUT ROWID;",
};

/* Nearly all assets are present: the few others are found without a walk over all. An index changes
 * no meaning, so it needs no version of its own. */
static const char INDEX_ABSENT[] =
    "CREATE INDEX IF NOT EXISTS asset_absent ON asset(id) WHERE state <> 'present'";

static vd_status version_of(vd_db *db, const char *path, int64_t *version, vd_err *err) {
    int64_t app = 0, tables = 0;
    VD_TRY(vd_db_int(db, "PRAGMA user_version", version, err));
    VD_TRY(vd_db_int(db, "PRAGMA application_id", &app, err));
    VD_TRY(vd_db_int(db, "SELECT count(*) FROM sqlite_master", &tables, err));
    bool fresh = app == 0 && *version == 0 && tables == 0;
    if (!fresh && app != VD_APPLICATION_ID)
        return vd_fail(err, VD_E_FORMAT, "dataset: %s is an SQLite file of another program", path);
    if (*version > VD_SCHEMA_VERSION)
        return vd_fail(
            err, VD_E_UNSUPPORTED,
            "dataset: %s has schema version %lld, this vidimus knows up to %d; use a newer one",
            path, (long long)*version, VD_SCHEMA_VERSION);
    return VD_OK;
}

vd_status vd_schema_check(vd_db *db, const char *path, bool *behind, vd_err *err) {
    int64_t version = 0;
    VD_TRY(version_of(db, path, &version, err));
    *behind = version < VD_SCHEMA_VERSION;
    return VD_OK;
}

static const char *sql_type(vd_type t) {
    return t == VD_INT ? "INTEGER" : t == VD_REAL ? "REAL" : t == VD_BLOB ? "BLOB" : "TEXT";
}

static vd_status has_column(vd_db *db, const char *table, const char *column, bool *out,
                            vd_err *err) {
    vd_stmt *s = NULL;
    VD_TRY(vd_db_prepare(&s, db, "SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2", true, err));
    vd_stmt_bind(s, 1, vd_val_text(table));
    vd_stmt_bind(s, 2, vd_val_text(column));
    vd_status st = vd_stmt_step(s, out, err);
    vd_stmt_free(s);
    return st;
}

static vd_status make_table(vd_db *db, const vd_table_decl *d, vd_err *err) {
    vd_status st = VD_OK;
    vd_str sql = { 0 };
    vd_str_addf(&sql,
                "CREATE TABLE IF NOT EXISTS %s(asset_id INTEGER PRIMARY KEY, key INTEGER NOT NULL",
                d->name);
    for (int i = 0; i < d->n_columns; i++)
        vd_str_addf(&sql, ", %s %s", d->columns[i].name, sql_type(d->columns[i].type));
    vd_str_add(&sql, ")");
    VD_GO(vd_str_check(&sql, err));
    VD_GO(vd_db_exec(db, sql.data, err));
    for (int i = 0; i < d->n_columns; i++) {
        const vd_column *c = &d->columns[i];
        bool there = false;
        VD_GO(has_column(db, d->name, c->name, &there, err));
        if (there) continue;
        vd_str_clear(&sql);
        vd_str_addf(&sql, "ALTER TABLE %s ADD COLUMN %s %s;", d->name, c->name, sql_type(c->type));
        VD_GO(vd_str_check(&sql, err));
        VD_GO(vd_db_exec(db, sql.data, err));
    }
done:
    vd_str_reset(&sql);
    return st;
}

/* Runs one statement for every index over facts: that over the keys, and those of indexed columns.
 */
static vd_status each_index(vd_db *db, const vd_schema *schema, bool make, vd_err *err) {
    vd_str sql = { 0 };
    for (int k = 0; k < schema->n_tables; k++) {
        const vd_table_decl *d = schema->tables[k];
        if (make)
            vd_str_addf(&sql, "CREATE INDEX IF NOT EXISTS %s_key ON %s(key);", d->name, d->name);
        else
            vd_str_addf(&sql, "DROP INDEX IF EXISTS %s_key;", d->name);
        for (int i = 0; i < d->n_columns; i++) {
            const char *c = d->columns[i].name;
            if (!(d->columns[i].flags & VD_COL_INDEX)) continue;
            if (make)
                vd_str_addf(&sql,
                            "CREATE INDEX IF NOT EXISTS %s_%s ON %s(%s) WHERE %s IS NOT NULL;",
                            d->name, c, d->name, c, c);
            else
                vd_str_addf(&sql, "DROP INDEX IF EXISTS %s_%s;", d->name, c);
        }
    }
    vd_status st = vd_str_check(&sql, err);
    if (st == VD_OK && sql.size > 0) st = vd_db_exec(db, sql.data, err);
    vd_str_reset(&sql);
    return st;
}

vd_status vd_schema_index(vd_db *db, const vd_schema *schema, vd_err *err) {
    return each_index(db, schema, true, err);
}

vd_status vd_schema_unindex(vd_db *db, const vd_schema *schema, vd_err *err) {
    return each_index(db, schema, false, err);
}

/* What the newest evaluation says of an asset. */
#define NEWEST(name)                                                                               \
    "(SELECT " name " FROM evaluation_picture WHERE asset_id = a.id AND evaluation_id ="           \
    " (SELECT max(id) FROM evaluation))"

/* Columns that are counted when they are asked for. `labels` and `classes` are of all label sets
 * together: NULL where no set has the picture, 0 where one has it without objects. */
static const struct {
    const char *name;
    vd_type type;
    const char *sql;
} counted[] = {
    { "tags", VD_TEXT,
      ("(SELECT group_concat(name) FROM (SELECT name FROM tag WHERE asset_id = a.id ORDER BY"
       " name))") },
    { "labels", VD_INT,
      ("(SELECT CASE WHEN count(m.id) > 0 THEN count(l.id) END FROM label_image m"
       " LEFT JOIN label l ON l.image_id = m.id WHERE m.asset_id = a.id)") },
    { "classes", VD_TEXT,
      ("(SELECT group_concat(name) FROM (SELECT DISTINCT c.name FROM label_image m"
       " JOIN label l ON l.image_id = m.id JOIN label_category c ON c.set_id = m.set_id"
       " AND c.category = l.category WHERE m.asset_id = a.id ORDER BY c.name))") },
    { "label_problems", VD_INT, "(SELECT count(*) FROM label_problem WHERE asset_id = a.id)" },
    { "eval_hits", VD_INT, NEWEST("hits") },
    { "eval_misses", VD_INT, NEWEST("misses") },
    { "eval_false_alarms", VD_INT, NEWEST("false_alarms") },
    { "eval_harm", VD_REAL, NEWEST("harm") },
};

static const vd_column *column_in(const vd_column *columns, int n, const char *name) {
    for (int i = 0; i < n; i++)
        if (strcmp(columns[i].name, name) == 0) return &columns[i];
    return NULL;
}

vd_type vd_schema_type(const vd_schema *schema, const char *name) {
    const vd_column *c = column_in(vd_asset_columns, vd_n_asset_columns, name);
    for (int k = 0; c == NULL && k < schema->n_tables; k++)
        c = column_in(schema->tables[k]->columns, schema->tables[k]->n_columns, name);
    if (c != NULL) return c->flags & VD_COL_HEX ? VD_TEXT : c->type;
    for (int i = 0; i < VD_COUNT(counted); i++)
        if (strcmp(counted[i].name, name) == 0) return counted[i].type;
    return VD_NULL;
}

/* One row per asset with every visible fact. */
static void view_sql(vd_str *sql, const vd_schema *schema) {
    vd_str_add(sql, "CREATE VIEW asset_facts AS SELECT ");
    for (int i = 0; i < vd_n_asset_columns; i++)
        vd_str_addf(sql, "%sa.%s", i > 0 ? ", " : "", vd_asset_columns[i].name);
    for (int k = 0; k < schema->n_tables; k++) {
        const vd_table_decl *d = schema->tables[k];
        for (int i = 0; i < d->n_columns; i++) {
            const vd_column *c = &d->columns[i];
            if (c->flags & VD_COL_HIDDEN) continue;
            if (c->flags & VD_COL_HEX)
                vd_str_addf(sql, ", nullif(lower(hex(t%d.%s)), '') AS %s", k, c->name, c->name);
            else
                vd_str_addf(sql, ", t%d.%s", k, c->name);
        }
    }
    for (int i = 0; i < VD_COUNT(counted); i++)
        vd_str_addf(sql, ", %s AS %s", counted[i].sql, counted[i].name);
    vd_str_add(sql, " FROM asset a");
    for (int k = 0; k < schema->n_tables; k++)
        vd_str_addf(sql, " LEFT JOIN %s t%d ON t%d.asset_id = a.id", schema->tables[k]->name, k, k);
}

static vd_status make_view(vd_db *db, const vd_schema *schema, vd_err *err) {
    vd_status st = VD_OK;
    vd_str sql = { 0 };
    vd_stmt *s = NULL;
    bool row = false;
    view_sql(&sql, schema);
    VD_GO(vd_str_check(&sql, err));
    VD_GO(vd_db_prepare(&s, db,
                        "SELECT sql FROM sqlite_master WHERE type='view' AND name='asset_facts'",
                        true, err));
    VD_GO(vd_stmt_step(s, &row, err));
    bool same = row && strcmp(vd_stmt_text(s, 0), sql.data) == 0;
    vd_stmt_reset(s);
    if (!same) {
        VD_GO(vd_db_exec(db, "DROP VIEW IF EXISTS asset_facts", err));
        VD_GO(vd_db_exec(db, sql.data, err));
    }
done:
    vd_stmt_free(s);
    vd_str_reset(&sql);
    return st;
}

static vd_status migrate(vd_db *db, int64_t version, vd_err *err) {
    vd_str sql = { 0 };
    vd_status st = VD_OK;
    for (int64_t v = version; v < VD_SCHEMA_VERSION; v++) VD_GO(vd_db_exec(db, migrations[v], err));
    vd_str_addf(&sql, "PRAGMA application_id=%d; PRAGMA user_version=%d", VD_APPLICATION_ID,
                VD_SCHEMA_VERSION);
    VD_GO(vd_str_check(&sql, err));
    VD_GO(vd_db_exec(db, sql.data, err));
done:
    vd_str_reset(&sql);
    return st;
}

vd_status vd_schema_upgrade(vd_db *db, const vd_schema *schema, const char *backup_path,
                            vd_err *err) {
    int64_t version = 0;
    VD_TRY(version_of(db, backup_path, &version, err));
    if (version > 0 && version < VD_SCHEMA_VERSION) {
        unlink(backup_path); /* the rest of an upgrade that was killed */
        VD_TRY(vd_db_backup(db, backup_path, err));
    }
    VD_TRY(vd_db_begin(db, err));
    vd_status st = version < VD_SCHEMA_VERSION ? migrate(db, version, err) : VD_OK;
    for (int i = 0; st == VD_OK && i < schema->n_tables; i++)
        st = make_table(db, schema->tables[i], err);
    if (st == VD_OK) st = vd_db_exec(db, INDEX_ABSENT, err);
    if (st == VD_OK) st = vd_schema_index(db, schema, err);
    if (st == VD_OK) st = make_view(db, schema, err);
    if (st == VD_OK) st = vd_db_commit(db, err);
    if (st != VD_OK) vd_db_rollback(db);
    return st;
}
