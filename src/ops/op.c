/* A call of an operation: its arguments, by the table, and its results. SPDX-License-Identifier:
 * Apache-2.0 */
#include "ops/op.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "stage/stages.h"

const vd_op *vd_op_find(const char *name) {
    for (int i = 0; i < vd_n_ops; i++)
        if (strcmp(vd_ops[i]->name, name) == 0) return vd_ops[i];
    return NULL;
}

bool vd_op_is_family(const char *name) {
    size_t n = strlen(name);
    for (int i = 0; i < vd_n_ops; i++)
        if (strncmp(vd_ops[i]->name, name, n) == 0 && vd_ops[i]->name[n] == ' ') return true;
    return false;
}

const vd_op *vd_op_find_words(const char *name, const char *next, int *words) {
    char both[128];
    const vd_op *op = vd_op_find(name);
    *words = 1;
    if (op != NULL || next == NULL) return op;
    int n = snprintf(both, sizeof both, "%s %s", name, next);
    *words = 2;
    return n > 0 && n < (int)sizeof both ? vd_op_find(both) : NULL;
}

vd_status vd_opcall_init(vd_opcall *c, const vd_op *op, vd_err *err) {
    *c = (vd_opcall){ .op = op };
    c->sets = vd_mem_array((size_t)op->n_args + 1, sizeof *c->sets);
    return c->sets != NULL ? VD_OK : vd_nomem(err);
}

void vd_opcall_reset(vd_opcall *c) {
    vd_mem_free(c->sets);
    vd_arena_reset(&c->arena);
    *c = (vd_opcall){ 0 };
}

static vd_status bad(const vd_opcall *c, const vd_arg *a, const char *text, const char *want,
                     vd_err *err) {
    return vd_fail(err, VD_E_ARG, "%s: %s%s '%.80s' is not %s", c->op->name,
                   a->flags & VD_POSITIONAL ? "" : "--", a->name, text, want);
}

/* Number, then one of the suffixes; their factors multiply. */
static bool with_suffix(const char *text, const char *const *suffix, const double *factor, int n,
                        double *out) {
    char *end = NULL;
    errno = 0;
    double v = strtod(text, &end);
    if (end == text || errno != 0 || !isfinite(v)) return false;
    if (*end == '\0') {
        *out = v;
        return true;
    }
    for (int i = 0; i < n; i++)
        if (strcasecmp(end, suffix[i]) == 0) {
            *out = v * factor[i];
            return true;
        }
    return false;
}

static bool parse_bytes(const char *text, double *out) {
    static const char *const s[] = {
        "B", "K", "KB", "KiB", "M", "MB", "MiB", "G", "GB", "GiB", "T"
    };
    static const double f[] = { 1,       1024,       1e3, 1024,       1048576,        1e6,
                                1048576, 1073741824, 1e9, 1073741824, 1099511627776.0 };
    return with_suffix(text, s, f, VD_COUNT(s), out);
}

static bool parse_seconds(const char *text, double *out) {
    static const char *const s[] = { "s", "ms", "min", "h" };
    static const double f[] = { 1, 1e-3, 60, 3600 };
    return with_suffix(text, s, f, VD_COUNT(s), out);
}

static bool has_choice(const char *choices, const char *text) {
    size_t n = strlen(text);
    for (const char *p = choices;; p++) {
        size_t len = strcspn(p, "|");
        if (len == n && strncmp(p, text, n) == 0) return true;
        p += len;
        if (*p == '\0') return false;
    }
}

static vd_status check_range(const vd_opcall *c, const vd_arg *a, double v, const char *text,
                             vd_err *err) {
    if ((a->min != 0 || a->max != 0) && !(v >= a->min && v <= a->max))
        return vd_fail(err, VD_E_ARG, "%s: --%s %.60s is outside %g to %g", c->op->name, a->name,
                       text, a->min, a->max);
    return VD_OK;
}

static vd_status convert(const vd_opcall *c, const vd_arg *a, vd_arg_set *set, const char *text,
                         vd_err *err) {
    char *end = NULL;
    errno = 0;
    switch (a->type) {
    case VD_T_TEXT: return VD_OK;
    case VD_T_FLAG:
        set->integer = strcmp(text, "false") != 0 && strcmp(text, "0") != 0;
        return VD_OK;
    case VD_T_INT:
        set->integer = strtoll(text, &end, 10);
        if (end == text || *end != '\0' || errno != 0)
            return bad(c, a, text, "a whole number", err);
        return check_range(c, a, (double)set->integer, text, err);
    case VD_T_REAL:
        set->real = strtod(text, &end);
        if (end == text || *end != '\0' || !isfinite(set->real))
            return bad(c, a, text, "a number", err);
        return check_range(c, a, set->real, text, err);
    case VD_T_BYTES:
        if (!parse_bytes(text, &set->real) || set->real < 0 || set->real > 9e18)
            return bad(c, a, text, "a size such as 256M", err);
        set->integer = (int64_t)set->real;
        return check_range(c, a, set->real, text, err);
    case VD_T_SECONDS:
        if (!parse_seconds(text, &set->real))
            return bad(c, a, text, "a duration such as 0.5s or 2min", err);
        return check_range(c, a, set->real, text, err);
    case VD_T_CHOICE:
        if (!has_choice(a->choices, text)) return bad(c, a, text, a->choices, err);
        return VD_OK;
    }
    return VD_E_INTERNAL;
}

static vd_status set_arg(vd_opcall *c, int i, const char *text, vd_err *err) {
    const vd_arg *a = &c->op->args[i];
    vd_arg_set set = c->sets[i]; /* a value that is refused leaves the one before */
    VD_TRY(convert(c, a, &set, text, err));
    const char *copy = vd_arena_text(&c->arena, text);
    if (copy == NULL) return vd_nomem(err);
    set.text = copy;
    set.given = true;
    if (a->flags & VD_MANY) {
        const char **more = vd_arena_alloc(&c->arena, (size_t)(set.n_many + 1) * sizeof *more);
        if (more == NULL) return vd_nomem(err);
        for (int k = 0; k < set.n_many; k++) more[k] = set.many[k];
        more[set.n_many++] = copy;
        set.many = more;
    }
    c->sets[i] = set;
    return VD_OK;
}

vd_status vd_opcall_set(vd_opcall *c, const char *name, const char *text, vd_err *err) {
    for (int i = 0; i < c->op->n_args; i++)
        if (strcmp(c->op->args[i].name, name) == 0) return set_arg(c, i, text, err);
    return vd_fail(err, VD_E_ARG, "%s: no argument '%.60s'; see vidimus %s --help", c->op->name,
                   name, c->op->name);
}

vd_status vd_opcall_set_positional(vd_opcall *c, const char *text, vd_err *err) {
    for (int i = 0; i < c->op->n_args; i++) {
        const vd_arg *a = &c->op->args[i];
        if (!(a->flags & VD_POSITIONAL) || (c->sets[i].given && !(a->flags & VD_MANY))) continue;
        return set_arg(c, i, text, err);
    }
    return vd_fail(err, VD_E_ARG, "%s: one argument too many: '%.80s'", c->op->name, text);
}

vd_status vd_opcall_finish(vd_opcall *c, vd_err *err) {
    for (int i = 0; i < c->op->n_args; i++) {
        const vd_arg *a = &c->op->args[i];
        vd_arg_set *set = &c->sets[i];
        if (set->given) continue;
        if (a->flags & VD_REQUIRED)
            return vd_fail(err, VD_E_ARG, "%s: %s%s is missing; see vidimus %s --help", c->op->name,
                           a->flags & VD_POSITIONAL ? "" : "--", a->name, c->op->name);
        if (a->def == NULL) continue;
        VD_TRY(convert(c, a, set, a->def, err));
        set->text = a->def;
    }
    return VD_OK;
}

bool vd_opcall_one(const vd_opcall *c) {
    if (!(c->op->flags & VD_OP_ONE)) return false;
    for (int i = 0; c->op->rows_if != NULL && i < c->op->n_args; i++)
        if (c->sets[i].given && has_choice(c->op->rows_if, c->op->args[i].name)) return false;
    return true;
}

static const vd_arg_set *find(const vd_opcall *c, const char *name) {
    static const vd_arg_set none = { 0 };
    for (int i = 0; i < c->op->n_args; i++)
        if (strcmp(c->op->args[i].name, name) == 0) return &c->sets[i];
    return &none;
}

const char *vd_arg_text(const vd_opcall *c, const char *name) {
    return find(c, name)->text;
}
int64_t vd_arg_int(const vd_opcall *c, const char *name) {
    return find(c, name)->integer;
}
double vd_arg_real(const vd_opcall *c, const char *name) {
    return find(c, name)->real;
}
bool vd_arg_flag(const vd_opcall *c, const char *name) {
    return find(c, name)->integer != 0;
}
bool vd_arg_given(const vd_opcall *c, const char *name) {
    return find(c, name)->given;
}

int vd_arg_many(const vd_opcall *c, const char *name, const char *const **out) {
    const vd_arg_set *s = find(c, name);
    *out = s->many;
    return s->n_many;
}

vd_status vd_out_columns(vd_opcall *c, const vd_column *columns, int n, vd_err *err) {
    if (columns == NULL) {
        columns = c->op->columns;
        n = c->op->n_columns;
    }
    return c->sink.columns != NULL ? c->sink.columns(c->sink.user, columns, n, err) : VD_OK;
}

vd_status vd_out_row(vd_opcall *c, const vd_value *values, vd_err *err) {
    return c->sink.row != NULL ? c->sink.row(c->sink.user, values, err) : VD_OK;
}

void vd_out_words(vd_opcall *c, const char *fmt, ...) {
    if (c->sink.words == NULL) return;
    char line[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    c->sink.words(c->sink.user, line);
}

vd_status vd_op_open(const vd_opcall *c, vd_db_mode mode, vd_dataset **out, vd_err *err) {
    VD_TRY(vd_dataset_open(out, vd_arg_text(c, "dataset"), mode, &vd_stage_schema, err));
    if (mode == VD_DB_READ && c->on_cancel != NULL)
        vd_db_stop_by(vd_dataset_db(*out), c->on_cancel, c->user);
    return VD_OK;
}

enum { MAX_COLUMNS = 2000 }; /* SQLite's own limit of a result */

vd_status vd_out_query(vd_opcall *c, vd_stmt *s, vd_err *err) {
    int n = vd_stmt_columns(s);
    if (n > MAX_COLUMNS)
        return vd_fail(err, VD_E_LIMIT, "sql: %d columns, limit %d", n, MAX_COLUMNS);
    vd_column *columns = vd_arena_alloc(&c->arena, (size_t)n * sizeof *columns);
    vd_value *row = vd_arena_alloc(&c->arena, (size_t)n * sizeof *row);
    if (columns == NULL || row == NULL) return vd_nomem(err);
    for (int i = 0; i < n; i++) {
        const char *name = vd_arena_text(&c->arena, vd_stmt_name(s, i));
        if (name == NULL) return vd_nomem(err);
        columns[i] = (vd_column){ name, VD_NULL, "", "", 0 };
    }
    VD_TRY(vd_out_columns(c, columns, n, err));
    for (;;) {
        bool more = false;
        VD_TRY(vd_stmt_step(s, &more, err));
        if (!more) return VD_OK;
        if (c->on_cancel != NULL && c->on_cancel(c->user))
            return vd_fail(err, VD_E_CANCEL, "%s: stopped", c->op->name);
        for (int i = 0; i < n; i++) row[i] = vd_stmt_value(s, i);
        VD_TRY(vd_out_row(c, row, err));
    }
}

vd_status vd_op_check_where(vd_db *db, const char *where, vd_err *err) {
    if (where == NULL) return VD_OK;
    vd_str sql = { 0 };
    vd_err why = { 0 };
    vd_str_addf(&sql, "SELECT 1 FROM asset_facts WHERE (%s\n) LIMIT 0", where);
    vd_status st = vd_str_check(&sql, err);
    if (st == VD_OK) {
        st = vd_db_check(db, sql.data, &why);
        if (st == VD_E_ARG)
            vd_fail(err, VD_E_ARG, "where: '%.120s': %s", where, why.msg);
        else if (st != VD_OK && err != NULL)
            *err = why;
    }
    vd_str_reset(&sql);
    return st;
}
