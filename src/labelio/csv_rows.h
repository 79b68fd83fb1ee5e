/* Rows of CSV files (RFC 4180). SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_LABELIO_CSV_ROWS_H
#define VD_LABELIO_CSV_ROWS_H

#include "base/str.h"

enum { VD_ROWS_MAX_COLUMNS = 256 };

/* A cursor; fields are unquoted where they lie, so the text is changed. Blanks around fields are
 * cut off. `line` is that of the row's beginning. */
typedef struct vd_rows {
    const char *where;
    char *p, *end;
    int64_t line, next_line;
    char *field[VD_ROWS_MAX_COLUMNS];
    int n;
} vd_rows;

vd_rows vd_rows_of(const char *where, char *text, size_t size);
/* The next row that is not empty; `more` false at the end. */
vd_status vd_rows_next(vd_rows *c, bool *more, vd_err *err);
/* Column of the present row with one of the names, by '|'; case does not matter; -1: none. */
int vd_rows_column(const vd_rows *c, const char *names);
vd_status vd_rows_real(const vd_rows *c, int column, const char *what, double *out, vd_err *err);
#endif
