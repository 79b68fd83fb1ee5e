/* SQLite behind one file: connections, statements, errors, and the guard for SQL that people type.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A vd_db and its statements belong to one thread at a time. */
#ifndef VD_STORE_DB_H
#define VD_STORE_DB_H

#include "base/err.h"

typedef struct vd_db vd_db;
typedef struct vd_stmt vd_stmt;

typedef enum vd_db_mode { VD_DB_READ, VD_DB_WRITE, VD_DB_CREATE } vd_db_mode;

/* A missing value is VD_NULL; text and blobs are borrowed for as long as the giver says. */
typedef enum vd_type { VD_NULL, VD_INT, VD_REAL, VD_TEXT, VD_BLOB, VD_LIST, VD_DOC } vd_type;
typedef struct vd_value {
    vd_type type;
    union {
        int64_t i;
        double f;
        const char *s;           /* VD_TEXT, VD_DOC: NUL-terminated, n bytes without it; VD_BLOB:
                                    n bytes; a VD_DOC is a JSON value, and of results only */
        const char *const *list; /* VD_LIST: n texts */
    };
    int64_t n;
} vd_value;

vd_value vd_val_null(void);
vd_value vd_val_int(int64_t v);
vd_value vd_val_real(double v);      /* NaN and infinities become VD_NULL */
vd_value vd_val_text(const char *s); /* NULL and "" become VD_NULL */
vd_value vd_val_doc(const char *json);
vd_value vd_val_blob(const void *p, int64_t n);

/* Opens the file. A database on a read-only medium is opened as immutable. Lock waits last 10 s. */
vd_status vd_db_open(vd_db **out, const char *path, vd_db_mode mode, vd_err *err);
void vd_db_close(vd_db *db); /* statements must be freed before */

/* Runs one or more statements, rows ignored. */
vd_status vd_db_exec(vd_db *db, const char *sql, vd_err *err);
vd_status vd_db_int(vd_db *db, const char *sql, int64_t *out,
                    vd_err *err); /* first cell, 0 if none */

vd_status vd_db_begin(vd_db *db, vd_err *err); /* IMMEDIATE */
vd_status vd_db_commit(vd_db *db, vd_err *err);
void vd_db_rollback(vd_db *db); /* nothing if no transaction is open */
bool vd_db_in_transaction(const vd_db *db);
int64_t vd_db_changes(vd_db *db); /* rows changed by the last statement */

/* Copies the database, as it is committed, to a new file. */
vd_status vd_db_backup(vd_db *db, const char *path, vd_err *err);

/* One statement; text after it other than blanks is refused when `only` is set. */
vd_status vd_db_prepare(vd_stmt **out, vd_db *db, const char *sql, bool only, vd_err *err);
void vd_stmt_free(vd_stmt *s);
void vd_stmt_bind(vd_stmt *s, int index, vd_value v); /* from 1; copied; errors surface in step */
vd_status vd_stmt_step(vd_stmt *s, bool *row, vd_err *err);
void vd_stmt_reset(vd_stmt *s);
int vd_stmt_columns(const vd_stmt *s);
const char *vd_stmt_name(const vd_stmt *s, int column);
/* Borrowed until the next step, reset or free. */
vd_value vd_stmt_value(const vd_stmt *s, int column);
bool vd_stmt_null(const vd_stmt *s, int column);
int64_t vd_stmt_int(const vd_stmt *s, int column);
double vd_stmt_real(const vd_stmt *s, int column);      /* NaN for NULL */
const char *vd_stmt_text(const vd_stmt *s, int column); /* "" for NULL */

/* Binds, steps to the end, resets: for INSERT, UPDATE and DELETE. */
vd_status vd_stmt_run(vd_stmt *s, const vd_value *v, int n, vd_err *err);

/* Whether SQL around an expression that people wrote is one that reads only and comes to an end: no
 * recursion. It is not run. Fails with VD_E_ARG. */
vd_status vd_db_check(vd_db *db, const char *sql, vd_err *err);

/* From now on a statement fails with VD_E_CANCEL soon after `stop` returned true. For connections
 * that only read: what writes is stopped between transactions. */
void vd_db_stop_by(vd_db *db, bool (*stop)(void *user), void *user);

/* From now on only reading statements pass (SELECT, and functions without side effects; no PRAGMA,
 * no ATTACH), and any statement running longer than `limit_s` seconds fails with VD_E_LIMIT. */
void vd_db_guard(vd_db *db, double limit_s);

const char *vd_db_version(void);

/* For a program of its own, before anything else: SQLite stops counting its memory under a lock. A
 * library in somebody's process must not change what is global there. */
void vd_db_tune_process(void);
#endif
