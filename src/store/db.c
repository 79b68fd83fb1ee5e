/* SQLite behind one file. Result codes become our status where they are found, with the text of the
 * statement's trouble. SPDX-License-Identifier: Apache-2.0 */
#include "store/db.h"

#include <ctype.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/path.h"

enum { BUSY_MS = 10000, GUARD_EVERY_OPS = 10000 };

struct vd_db {
    sqlite3 *h;
    char *path;
    double limit_s, deadline; /* guard; 0: none */
    bool (*stop)(void *user); /* or NULL */
    void *stop_user;
    bool stopped;
};

struct vd_stmt {
    sqlite3_stmt *h;
    vd_db *db;
    vd_status bound; /* sticky until reset */
};

vd_value vd_val_null(void) {
    return (vd_value){ .type = VD_NULL };
}
vd_value vd_val_int(int64_t v) {
    return (vd_value){ .type = VD_INT, .i = v };
}
vd_value vd_val_real(double v) {
    return isfinite(v) ? (vd_value){ .type = VD_REAL, .f = v } : vd_val_null();
}
vd_value vd_val_text(const char *s) {
    if (s == NULL || s[0] == '\0') return vd_val_null();
    return (vd_value){ .type = VD_TEXT, .s = s, .n = (int64_t)strlen(s) };
}
vd_value vd_val_doc(const char *json) {
    vd_value v = vd_val_text(json);
    if (v.type == VD_TEXT) v.type = VD_DOC;
    return v;
}
vd_value vd_val_blob(const void *p, int64_t n) {
    return p != NULL ? (vd_value){ .type = VD_BLOB, .s = p, .n = n } : vd_val_null();
}

static vd_status status_of(int rc) {
    switch (rc & 0xff) {
    case SQLITE_NOMEM: return VD_E_NOMEM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return VD_E_BUSY;
    case SQLITE_INTERRUPT: return VD_E_LIMIT;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return VD_E_FORMAT;
    case SQLITE_AUTH:
    case SQLITE_ERROR:
    case SQLITE_RANGE:
    case SQLITE_TOOBIG: return VD_E_ARG;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH: return VD_E_INTERNAL;
    default: return VD_E_IO;
    }
}

static vd_status failed(vd_db *db, int rc, vd_err *err) {
    vd_status st = status_of(rc);
    if (st == VD_E_NOMEM) return vd_nomem(err);
    if (st == VD_E_LIMIT && db->stopped) return vd_fail(err, VD_E_CANCEL, "sql: stopped");
    if (st == VD_E_LIMIT && db->limit_s > 0)
        return vd_fail(err, st, "sql: stopped after %g s, the time limit", db->limit_s);
    const char *why = db->h != NULL ? sqlite3_errmsg(db->h) : sqlite3_errstr(rc);
    if ((rc & 0xff) == SQLITE_AUTH)
        why =
            "only SELECT passes, no function that reads or writes files, and no recursion in an expression";
    if ((rc & 0xff) == SQLITE_FULL) why = "no space left on the disk";
    return vd_fail(err, st, "catalog: %s: %s", db->path, why);
}

void vd_db_tune_process(void) {
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

const char *vd_db_version(void) {
    return sqlite3_libversion();
}

/* "file:" URI of a path with the characters that mean something in a URI escaped. */
static void uri_of(vd_str *out, const char *path, const char *query) {
    vd_str_add(out, "file:");
    for (const char *p = path; *p != '\0'; p++) {
        if (strchr("?#%", *p) != NULL)
            vd_str_addf(out, "%%%02x", *p);
        else
            vd_str_addc(out, *p);
    }
    vd_str_add(out, query);
}

static vd_status open_handle(vd_db *db, vd_db_mode mode, vd_err *err) {
    int flags = SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX;
    flags |= mode == VD_DB_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    if (mode == VD_DB_CREATE) flags |= SQLITE_OPEN_CREATE;
    /* without write access to the folder WAL readers cannot make their index file */
    vd_str folder = { 0 }, uri = { 0 };
    vd_str_addn(&folder, db->path, vd_path_name(db->path) - db->path);
    bool sealed = mode == VD_DB_READ && access(vd_str_text(&folder), W_OK) != 0;
    uri_of(&uri, db->path, sealed ? "?immutable=1" : "");
    vd_status st = vd_str_check(&folder, err);
    int rc = SQLITE_OK;
    if (st == VD_OK) st = vd_str_check(&uri, err);
    if (st == VD_OK) rc = sqlite3_open_v2(uri.data, &db->h, flags, NULL);
    vd_str_reset(&folder);
    vd_str_reset(&uri);
    if (st == VD_OK && rc != SQLITE_OK) st = failed(db, rc, err);
    return st;
}

vd_status vd_db_open(vd_db **out, const char *path, vd_db_mode mode, vd_err *err) {
    vd_db *db = vd_mem_array(1, sizeof *db);
    if (db == NULL) return vd_nomem(err);
    vd_status st = VD_OK;
    if ((db->path = vd_mem_strdup(path)) == NULL) VD_GO(vd_nomem(err));
    VD_GO(open_handle(db, mode, err));
    sqlite3_busy_timeout(db->h, BUSY_MS);
    sqlite3_extended_result_codes(db->h, 1);
    VD_GO(vd_db_exec(db,
                     "PRAGMA trusted_schema=OFF; PRAGMA foreign_keys=OFF;"
                     "PRAGMA temp_store=MEMORY; PRAGMA cache_size=-16384",
                     err));
    if (mode != VD_DB_READ)
        VD_GO(
            vd_db_exec(db,
                       "PRAGMA page_size=16384; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
                       "PRAGMA journal_size_limit=67108864; PRAGMA wal_autocheckpoint=2000",
                       err));
    *out = db;
    db = NULL;
done:
    vd_db_close(db);
    return st;
}

void vd_db_close(vd_db *db) {
    if (db == NULL) return;
    sqlite3_close(db->h);
    vd_mem_free(db->path);
    vd_mem_free(db);
}

vd_status vd_db_exec(vd_db *db, const char *sql, vd_err *err) {
    int rc = sqlite3_exec(db->h, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? VD_OK : failed(db, rc, err);
}

vd_status vd_db_int(vd_db *db, const char *sql, int64_t *out, vd_err *err) {
    vd_stmt *s = NULL;
    bool row = false;
    VD_TRY(vd_db_prepare(&s, db, sql, true, err));
    vd_status st = vd_stmt_step(s, &row, err);
    if (st == VD_OK) *out = row ? vd_stmt_int(s, 0) : 0;
    vd_stmt_free(s);
    return st;
}

vd_status vd_db_begin(vd_db *db, vd_err *err) {
    return vd_db_exec(db, "BEGIN IMMEDIATE", err);
}
vd_status vd_db_commit(vd_db *db, vd_err *err) {
    return vd_db_exec(db, "COMMIT", err);
}

void vd_db_rollback(vd_db *db) {
    if (db != NULL && !sqlite3_get_autocommit(db->h))
        sqlite3_exec(db->h, "ROLLBACK", NULL, NULL, NULL);
}

bool vd_db_in_transaction(const vd_db *db) {
    return !sqlite3_get_autocommit(db->h);
}
int64_t vd_db_changes(vd_db *db) {
    return sqlite3_changes64(db->h);
}

vd_status vd_db_backup(vd_db *db, const char *path, vd_err *err) {
    vd_stmt *s = NULL;
    bool row = false;
    VD_TRY(vd_db_prepare(&s, db, "VACUUM INTO ?1", true, err));
    vd_stmt_bind(s, 1, vd_val_text(path));
    vd_status st = vd_stmt_step(s, &row, err);
    vd_stmt_free(s);
    return st;
}

vd_status vd_db_prepare(vd_stmt **out, vd_db *db, const char *sql, bool only, vd_err *err) {
    vd_stmt *s = vd_mem_array(1, sizeof *s);
    if (s == NULL) return vd_nomem(err);
    s->db = db;
    const char *tail = NULL;
    int rc = sqlite3_prepare_v2(db->h, sql, -1, &s->h, &tail);
    vd_status st = rc == SQLITE_OK ? VD_OK : failed(db, rc, err);
    while (st == VD_OK && only && tail != NULL && *tail != '\0') {
        if (!isspace((unsigned char)*tail) && *tail != ';')
            st = vd_fail(err, VD_E_ARG, "sql: one statement expected, found more at '%.40s'", tail);
        tail++;
    }
    if (st == VD_OK && s->h == NULL)
        st = vd_fail(err, VD_E_ARG, "sql: no statement in '%.60s'", sql);
    if (st != VD_OK) {
        vd_stmt_free(s);
        return st;
    }
    *out = s;
    return VD_OK;
}

void vd_stmt_free(vd_stmt *s) {
    if (s == NULL) return;
    sqlite3_finalize(s->h);
    vd_mem_free(s);
}

static void bind(vd_stmt *s, int index, vd_value v, sqlite3_destructor_type lifetime) {
    int rc = SQLITE_OK;
    switch (v.type) {
    case VD_INT: rc = sqlite3_bind_int64(s->h, index, v.i); break;
    case VD_REAL: rc = sqlite3_bind_double(s->h, index, v.f); break;
    case VD_TEXT:
        rc = sqlite3_bind_text64(s->h, index, v.s, (sqlite3_uint64)v.n, lifetime, SQLITE_UTF8);
        break;
    case VD_BLOB: rc = sqlite3_bind_blob64(s->h, index, v.s, (sqlite3_uint64)v.n, lifetime); break;
    default: rc = sqlite3_bind_null(s->h, index);
    }
    if (rc != SQLITE_OK && s->bound == VD_OK) s->bound = status_of(rc);
}

void vd_stmt_bind(vd_stmt *s, int index, vd_value v) {
    bind(s, index, v, SQLITE_TRANSIENT);
}

static int on_progress(void *user) {
    vd_db *db = user;
    db->stopped = db->stop != NULL && db->stop(db->stop_user);
    return db->stopped || (db->limit_s > 0 && vd_time_mono_s() > db->deadline);
}

vd_status vd_stmt_step(vd_stmt *s, bool *row, vd_err *err) {
    if (s->bound == VD_E_NOMEM) return vd_nomem(err);
    if (s->bound != VD_OK) return vd_fail(err, s->bound, "catalog: a value cannot be bound");
    int rc = sqlite3_step(s->h);
    *row = rc == SQLITE_ROW;
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? VD_OK : failed(s->db, rc, err);
}

void vd_stmt_reset(vd_stmt *s) {
    sqlite3_reset(s->h);
    s->bound = VD_OK;
}

int vd_stmt_columns(const vd_stmt *s) {
    return sqlite3_column_count(s->h);
}

const char *vd_stmt_name(const vd_stmt *s, int column) {
    const char *name = sqlite3_column_name(s->h, column);
    return name != NULL ? name : "";
}

vd_value vd_stmt_value(const vd_stmt *s, int column) {
    switch (sqlite3_column_type(s->h, column)) {
    case SQLITE_INTEGER: return vd_val_int(sqlite3_column_int64(s->h, column));
    case SQLITE_FLOAT: return vd_val_real(sqlite3_column_double(s->h, column));
    case SQLITE_TEXT: {
        const char *text = (const char *)sqlite3_column_text(s->h, column);
        if (text == NULL) return vd_val_null();
        return (vd_value){ .type = VD_TEXT, .s = text, .n = sqlite3_column_bytes(s->h, column) };
    }
    case SQLITE_BLOB: {
        const void *p = sqlite3_column_blob(s->h, column);
        return vd_val_blob(p != NULL ? p : "", sqlite3_column_bytes(s->h, column));
    }
    default: return vd_val_null();
    }
}

bool vd_stmt_null(const vd_stmt *s, int column) {
    return sqlite3_column_type(s->h, column) == SQLITE_NULL;
}

int64_t vd_stmt_int(const vd_stmt *s, int column) {
    return sqlite3_column_int64(s->h, column);
}

double vd_stmt_real(const vd_stmt *s, int column) {
    double v = sqlite3_column_double(s->h, column); /* 0 for NULL: its type is asked only then */
    return v == 0 && sqlite3_column_type(s->h, column) == SQLITE_NULL ? NAN : v;
}

const char *vd_stmt_text(const vd_stmt *s, int column) {
    const char *text = (const char *)sqlite3_column_text(s->h, column);
    return text != NULL ? text : "";
}

vd_status vd_stmt_run(vd_stmt *s, const vd_value *v, int n, vd_err *err) {
    bool row = true;
    vd_status st = VD_OK;
    /* the caller's values outlive the steps: texts need no copy, and are let go before we return */
    bool text = false;
    for (int i = 0; i < n; i++) {
        bind(s, i + 1, v[i], SQLITE_STATIC);
        text |= v[i].type == VD_TEXT || v[i].type == VD_BLOB;
    }
    while (st == VD_OK && row) st = vd_stmt_step(s, &row, err);
    vd_stmt_reset(s);
    if (text) sqlite3_clear_bindings(s->h);
    return st;
}

static int authorize(void *user, int action, const char *a, const char *b, const char *c,
                     const char *d) {
    (void)user, (void)a, (void)c, (void)d;
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE: return SQLITE_OK;
    case SQLITE_FUNCTION: /* `b` is the name */
        return b != NULL && strcmp(b, "load_extension") == 0 ? SQLITE_DENY : SQLITE_OK;
    default: return SQLITE_DENY;
    }
}

/* The same, and no recursion: an expression that people wrote comes to an end. */
static int authorize_expression(void *user, int action, const char *a, const char *b, const char *c,
                                const char *d) {
    return action == SQLITE_RECURSIVE ? SQLITE_DENY : authorize(user, action, a, b, c, d);
}

vd_status vd_db_check(vd_db *db, const char *sql, vd_err *err) {
    vd_stmt *s = NULL;
    sqlite3_set_authorizer(db->h, authorize_expression, NULL);
    vd_status st = vd_db_prepare(&s, db, sql, true, err);
    vd_stmt_free(s);
    sqlite3_set_authorizer(db->h, db->limit_s > 0 ? authorize : NULL, NULL);
    return st;
}

void vd_db_stop_by(vd_db *db, bool (*stop)(void *user), void *user) {
    db->stop = stop;
    db->stop_user = user;
    sqlite3_progress_handler(db->h, GUARD_EVERY_OPS, on_progress, db);
}

void vd_db_guard(vd_db *db, double limit_s) {
    db->limit_s = limit_s;
    db->deadline = vd_time_mono_s() + limit_s;
    sqlite3_set_authorizer(db->h, authorize, NULL);
    sqlite3_progress_handler(db->h, GUARD_EVERY_OPS, on_progress, db);
    sqlite3_limit(db->h, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_limit(db->h, SQLITE_LIMIT_LENGTH, 256 << 20);
}
