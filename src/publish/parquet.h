/* Writing Parquet files of flat columns. SPDX-License-Identifier: Apache-2.0
 *
 * Format: github.com/apache/parquet-format, version 2.10: data pages of version 1, not compressed;
 * definition levels in the hybrid of runs and packed bits; texts by a dictionary where they repeat,
 * all else plain. Every column may be null. Numbers have their smallest and largest value in the
 * statistics. Rows are held until a row group is full (64 MiB, or 262 144 rows). */
#ifndef VD_PUBLISH_PARQUET_H
#define VD_PUBLISH_PARQUET_H

#include "store/db.h"

typedef struct vd_parquet vd_parquet;

/* Types: VD_INT (INT64), VD_REAL (DOUBLE), VD_TEXT (UTF-8), VD_BLOB. */
typedef struct vd_parquet_column {
    const char *name;
    vd_type type;
} vd_parquet_column;

/* The file appears when it is closed. Names are copied. Fails with VD_E_IO, VD_E_NOMEM. */
vd_status vd_parquet_open(vd_parquet **out, const char *path, const vd_parquet_column *columns,
                          int n, vd_err *err);
/* A row: a value of each column, or VD_NULL; whole numbers become real where the column is. Bytes
 * that are no UTF-8 become U+FFFD. Fails with VD_E_ARG (another type), VD_E_LIMIT (a value over
 * 1 GiB), VD_E_IO, VD_E_NOMEM. */
vd_status vd_parquet_row(vd_parquet *p, const vd_value *values, vd_err *err);
vd_status vd_parquet_close(vd_parquet *p, vd_err *err);
void vd_parquet_free(vd_parquet *p); /* drops the file unless it was closed; NULL is fine */
#endif
