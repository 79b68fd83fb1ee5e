/* Comma-separated values (RFC 4180) out of memory. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_BASE_CSV_H
#define VD_BASE_CSV_H

#include "base/str.h"

enum { VD_CSV_MAX_FIELDS = 1 << 20 };

/* Reads record by record: fields are separated by commas; a field in quotes may hold commas, line
 * ends and doubled quotes. Lines end with LF or CR LF; empty lines are passed over, and so is a
 * byte order mark. `where` names the document in messages. */
typedef struct vd_csv {
    const char *where;
    char *p, *end; /* *end is NUL; what was read is overwritten */
    bool trim;     /* to be set after init: blanks around fields are no part of them */
    int64_t line;  /* of the record read last, from 1 */
    int64_t next_line;
    char **field; /* n texts with a NUL after them, until the next record */
    int64_t n, cap;
} vd_csv;

/* `text` has `size` bytes and a NUL after them, and is changed by reading. */
void vd_csv_init(vd_csv *c, const char *where, char *text, size_t size);
void vd_csv_reset(vd_csv *c);
/* The next record; false in `more`: none is left. Fails with VD_E_FORMAT (a quote that is not
 * closed, something after it, a NUL), VD_E_LIMIT (fields), VD_E_NOMEM. */
vd_status vd_csv_next(vd_csv *c, bool *more, vd_err *err);
/* The field of that name in the record at hand, -1: none. */
int64_t vd_csv_find(const vd_csv *c, const char *name);
/* The first field with one of the names, by '|', in whatever case; -1: none. */
int64_t vd_csv_column(const vd_csv *c, const char *names);
/* The record at hand, taken out: names of columns for later. Its texts are those of `c`; it ends
 * with vd_csv_reset. */
vd_csv vd_csv_take(vd_csv *c);
/* The text of a field, "" where the record has none. */
const char *vd_csv_text(const vd_csv *c, int64_t field);
/* A finite number; fails with VD_E_FORMAT, which says `what`. */
vd_status vd_csv_real(const vd_csv *c, int64_t field, const char *what, double *out, vd_err *err);

/* Appends a field as it is written: in quotes where it must be. */
void vd_csv_add(vd_str *s, const char *text);
#endif
