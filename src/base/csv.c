/* See csv.h. Fields are unquoted where they lie. SPDX-License-Identifier: Apache-2.0 */
#include "base/csv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

static const char BYTE_ORDER_MARK[] = "\xef\xbb\xbf";

void vd_csv_init(vd_csv *c, const char *where, char *text, size_t size) {
    *c = (vd_csv){ .where = where, .p = text, .end = text + size, .next_line = 1 };
    size_t n = sizeof BYTE_ORDER_MARK - 1;
    if (size >= n && memcmp(text, BYTE_ORDER_MARK, n) == 0) c->p += n;
}

void vd_csv_reset(vd_csv *c) {
    vd_mem_free(c->field);
    *c = (vd_csv){ 0 };
}

static vd_status bad(const vd_csv *c, const char *what, vd_err *err) {
    return vd_fail(err, VD_E_FORMAT, "%s:%lld: %s", c->where, (long long)c->line, what);
}

static void pass_blanks(vd_csv *c) {
    while (c->trim && c->p < c->end && (*c->p == ' ' || *c->p == '\t')) c->p++;
}

/* A field in quotes, whose first one was taken. */
static vd_status quoted(vd_csv *c, vd_err *err) {
    char *to = c->p;
    for (;; c->p++) {
        if (c->p >= c->end) return bad(c, "a quote that is not closed", err);
        if (*c->p == '\0') return bad(c, "a NUL", err);
        if (*c->p == '"' && c->p[1] != '"') break;
        if (*c->p == '"') c->p++;
        c->next_line += *c->p == '\n';
        *to++ = *c->p;
    }
    c->p++;
    pass_blanks(c);
    if (c->p < c->end && *c->p != ',' && *c->p != '\n' && *c->p != '\r')
        return bad(c, "something after a closing quote", err);
    /* The byte after the text is the quote's, or one that was taken. */
    *to = '\0';
    return VD_OK;
}

/* Takes what ends a field; true: another one follows in this record. */
static bool another(vd_csv *c) {
    char *at = c->p;
    if (at >= c->end) return false;
    if (*at == ',') {
        *at = '\0';
        c->p++;
        return true;
    }
    if (*at == '\r' && at[1] == '\n') c->p++;
    c->p++;
    c->next_line++;
    *at = '\0';
    return false;
}

static vd_status plain(vd_csv *c, char *begin, vd_err *err) {
    while (c->p < c->end && *c->p != ',' && *c->p != '\n' && *c->p != '\r' && *c->p != '\0') c->p++;
    if (c->p < c->end && *c->p == '\0') return bad(c, "a NUL", err);
    for (char *e = c->p; c->trim && e > begin && (e[-1] == ' ' || e[-1] == '\t');) *--e = '\0';
    return VD_OK;
}

static vd_status record(vd_csv *c, vd_err *err) {
    c->n = 0;
    c->line = c->next_line;
    for (bool go_on = true; go_on;) {
        if (c->n == VD_CSV_MAX_FIELDS)
            return vd_fail(err, VD_E_LIMIT, "%s:%lld: more than %d fields", c->where,
                           (long long)c->line, VD_CSV_MAX_FIELDS);
        VD_TRY(VD_GROW(c->field, c->cap, c->n + 1, err));
        pass_blanks(c);
        bool in_quotes = c->p < c->end && *c->p == '"';
        if (in_quotes) c->p++;
        char *begin = c->p;
        c->field[c->n++] = begin;
        VD_TRY(in_quotes ? quoted(c, err) : plain(c, begin, err));
        go_on = another(c);
    }
    return VD_OK;
}

vd_status vd_csv_next(vd_csv *c, bool *more, vd_err *err) {
    do {
        while (c->p < c->end && (*c->p == '\n' || *c->p == '\r')) c->next_line += *c->p++ == '\n';
        *more = c->p < c->end;
        c->n = 0;
        c->line = c->next_line;
        if (*more) VD_TRY(record(c, err));
    } while (*more && c->trim && c->n == 1 && c->field[0][0] == '\0'); /* a line of blanks */
    return VD_OK;
}

int64_t vd_csv_find(const vd_csv *c, const char *name) {
    for (int64_t i = 0; i < c->n; i++)
        if (strcmp(c->field[i], name) == 0) return i;
    return -1;
}

int64_t vd_csv_column(const vd_csv *c, const char *names) {
    for (const char *p = names;; p++) {
        size_t n = strcspn(p, "|");
        for (int64_t i = 0; i < c->n; i++)
            if (strlen(c->field[i]) == n && strncasecmp(c->field[i], p, n) == 0) return i;
        p += n;
        if (*p == '\0') return -1;
    }
}

vd_csv vd_csv_take(vd_csv *c) {
    vd_csv taken = *c;
    c->field = NULL;
    c->n = c->cap = 0;
    return taken;
}

const char *vd_csv_text(const vd_csv *c, int64_t field) {
    return field >= 0 && field < c->n ? c->field[field] : "";
}

vd_status vd_csv_real(const vd_csv *c, int64_t field, const char *what, double *out, vd_err *err) {
    char *end = NULL;
    if (field < 0 || field >= c->n)
        return vd_fail(err, VD_E_FORMAT, "%s:%lld: no %s", c->where, (long long)c->line, what);
    double v = strtod(c->field[field], &end);
    if (end == c->field[field] || *end != '\0' || !isfinite(v))
        return vd_fail(err, VD_E_FORMAT, "%s:%lld: %s '%.40s' is not a finite number", c->where,
                       (long long)c->line, what, c->field[field]);
    *out = v;
    return VD_OK;
}

void vd_csv_add(vd_str *s, const char *text) {
    if (strpbrk(text, ",\"\n\r") == NULL && text[0] != ' ') {
        vd_str_add(s, text);
        return;
    }
    vd_str_addc(s, '"');
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '"') vd_str_addc(s, '"');
        vd_str_addc(s, *p);
    }
    vd_str_addc(s, '"');
}
