/* CSV rows; see csv_rows.h. SPDX-License-Identifier: Apache-2.0 */
#include "labelio/csv_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

vd_rows vd_rows_of(const char *where, char *text, size_t size) {
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        return (vd_rows){ .where = where, .p = text + 3, .end = text + size, .next_line = 1 };
    return (vd_rows){ .where = where, .p = text, .end = text + size, .next_line = 1 };
}

static bool blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

/* A field in quotes: "" stands for one. Gives the end of what was written. */
static char *quoted(vd_rows *c, char *to, vd_status *st, vd_err *err) {
    for (c->p++; c->p < c->end; c->p++) {
        c->next_line += *c->p == '\n';
        if (*c->p == '"' && (c->p + 1 >= c->end || c->p[1] != '"')) {
            c->p++;
            return to;
        }
        c->p += *c->p == '"';
        *to++ = *c->p;
    }
    *st =
        vd_fail(err, VD_E_FORMAT, "%s:%lld: a quote without its end", c->where, (long long)c->line);
    return to;
}

static vd_status next_field(vd_rows *c, vd_err *err) {
    vd_status st = VD_OK;
    while (c->p < c->end && blank(*c->p)) c->p++;
    char *begin = c->p, *to = c->p;
    if (c->n >= VD_ROWS_MAX_COLUMNS)
        return vd_fail(err, VD_E_LIMIT, "%s:%lld: more than %d columns", c->where,
                       (long long)c->line, VD_ROWS_MAX_COLUMNS);
    if (c->p < c->end && *c->p == '"') {
        to = quoted(c, to, &st, err);
        while (c->p < c->end && blank(*c->p)) c->p++;
        if (st == VD_OK && c->p < c->end && *c->p != ',' && *c->p != '\n')
            st = vd_fail(err, VD_E_FORMAT, "%s:%lld: text after a quote", c->where,
                         (long long)c->line);
    } else {
        while (c->p < c->end && *c->p != ',' && *c->p != '\n') c->p++;
        to = c->p;
        while (to > begin && blank(to[-1])) to--;
    }
    c->field[c->n++] = begin;
    char stop = c->p < c->end ? *c->p : '\n';
    *to = '\0';
    if (c->p < c->end) c->p++;
    c->next_line += stop == '\n';
    if (st == VD_OK && strlen(begin) != (size_t)(to - begin))
        st = vd_fail(err, VD_E_FORMAT, "%s:%lld: a byte 0", c->where, (long long)c->line);
    return st != VD_OK || stop == '\n' ? st : next_field(c, err);
}

vd_status vd_rows_next(vd_rows *c, bool *more, vd_err *err) {
    do {
        *more = c->p < c->end;
        c->n = 0;
        c->line = c->next_line;
        if (*more) VD_TRY(next_field(c, err));
    } while (*more && c->n == 1 && c->field[0][0] == '\0');
    return VD_OK;
}

int vd_rows_column(const vd_rows *c, const char *names) {
    for (const char *p = names;; p++) {
        size_t n = strcspn(p, "|");
        for (int i = 0; i < c->n; i++)
            if (strlen(c->field[i]) == n && strncasecmp(c->field[i], p, n) == 0) return i;
        p += n;
        if (*p == '\0') return -1;
    }
}

vd_status vd_rows_real(const vd_rows *c, int column, const char *what, double *out, vd_err *err) {
    char *end = NULL;
    if (column < 0 || column >= c->n)
        return vd_fail(err, VD_E_FORMAT, "%s:%lld: no %s", c->where, (long long)c->line, what);
    double v = strtod(c->field[column], &end);
    if (end == c->field[column] || *end != '\0' || !isfinite(v))
        return vd_fail(err, VD_E_FORMAT, "%s:%lld: %s '%.40s' is not a finite number", c->where,
                       (long long)c->line, what, c->field[column]);
    *out = v;
    return VD_OK;
}
