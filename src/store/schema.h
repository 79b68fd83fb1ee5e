/* The catalog's tables: the fixed ones, and those that stages declare. SPDX-License-Identifier:
 * Apache-2.0 */
#ifndef VD_STORE_SCHEMA_H
#define VD_STORE_SCHEMA_H

#include "store/db.h"

enum {
    VD_SCHEMA_VERSION = 5,          /* PRAGMA user_version of the catalogs this build writes */
    VD_APPLICATION_ID = 0x56444d53, /* "VDMS" */
    VD_COL_INDEX = 1,               /* indexed: --where on it is fast */
    VD_COL_HIDDEN = 2,              /* not in the view asset_facts */
    VD_COL_HEX = 4,                 /* a blob that the view shows as lower-case hexadecimal */
};

/* A fact: one column of a stage's table, and of the view `asset_facts`. */
typedef struct vd_column {
    const char *name;
    vd_type type;
    const char *unit; /* "px", "grey levels", "" */
    const char *help;
    unsigned flags;
} vd_column;

/* A stage's table: asset_id, key, then the columns. */
typedef struct vd_table_decl {
    const char *name;
    const vd_column *columns;
    int n_columns;
} vd_table_decl;

typedef struct vd_schema {
    const vd_table_decl *const *tables;
    int n_tables;
} vd_schema;

/* The columns of the view that come from the asset itself. */
extern const vd_column vd_asset_columns[];
extern const int vd_n_asset_columns;

/* Brings the catalog to this build's version, in one transaction; an older one is first copied to
 * `backup_path`. Makes stage tables, missing columns and the view as `schema` declares them.
 * Fails with VD_E_UNSUPPORTED on a newer version, VD_E_FORMAT where it is not a Vidimus catalog. */
vd_status vd_schema_upgrade(vd_db *db, const vd_schema *schema, const char *backup_path,
                            vd_err *err);

/* The type of a column of the view asset_facts; VD_NULL: it has no such column. */
vd_type vd_schema_type(const vd_schema *schema, const char *name);

/* Makes or drops the indexes over facts. A first load is faster without them; whoever drops them
 * makes them again, and so does the next writer that opens the dataset, should the process die in
 * between. */
vd_status vd_schema_index(vd_db *db, const vd_schema *schema, vd_err *err);
vd_status vd_schema_unindex(vd_db *db, const vd_schema *schema, vd_err *err);

/* For readers: the same checks, nothing changed; `behind` tells that an upgrade is due. */
vd_status vd_schema_check(vd_db *db, const char *path, bool *behind, vd_err *err);
#endif
