/* Slices by facts; see slices.h. SPDX-License-Identifier: Apache-2.0 */
#include "judge/slices.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { DEFAULT_BINS = 4, DEFAULT_TOP = 10, MAX_DIGITS = 17, NUMBER_TEXT = 48 };

/* The longest that an expression may take over all pictures. */
static const double LONGEST_S = 60;

/* What stands after the last colon. */
typedef struct bins {
    int n; /* 0: not said */
    double edge[VD_SLICES_MAX];
    int n_edges; /* 0: quantiles */
} bins;

typedef enum kind { MISSING, NO_ASSET, NUMBER, TEXT } kind;
typedef struct value {
    kind kind;
    double number;
    const char *text;
} value;

void vd_slices_reset(vd_slices *s) {
    vd_arena_reset(&s->arena);
    *s = (vd_slices){ 0 };
}

/* ---- what is asked for ---- */

static bool parse_edges(bins *b, const char *text) {
    for (const char *p = text;; p++) {
        char *end = NULL;
        double v = strtod(p, &end);
        bool rises = b->n_edges == 0 || v > b->edge[b->n_edges - 1];
        if (end == p || !isfinite(v) || !rises || b->n_edges == VD_SLICES_MAX - 1) return false;
        b->edge[b->n_edges++] = v;
        p = end;
        if (*p == '\0') return true;
        if (*p != ',') return false;
    }
}

/* Cuts BINS off `by`, where it ends in any: a colon, then digits, points, signs and commas. */
static vd_status parse_by(vd_slices *s, bins *b, const char *by, vd_err *err) {
    char *text = vd_arena_text(&s->arena, by);
    if (text == NULL) return vd_nomem(err);
    s->by = text;
    char *colon = strrchr(text, ':');
    if (colon == NULL || colon[1] == '\0' ||
        strspn(colon + 1, "0123456789.,+-eE") != strlen(colon + 1))
        return VD_OK;
    *colon = '\0';
    bool whole = strspn(colon + 1, "0123456789") == strlen(colon + 1);
    long n = whole ? strtol(colon + 1, NULL, 10) : 0;
    if (whole ? n < 1 || n > VD_SLICES_MAX - 3 : !parse_edges(b, colon + 1))
        return vd_fail(
            err, VD_E_ARG,
            "by: '%.100s': '%.60s' is neither a number of bins from 1 to %d nor a list of"
            " rising edges",
            by, colon + 1, VD_SLICES_MAX - 3);
    b->n = (int)n;
    return VD_OK;
}

/* ---- values ---- */

static vd_status value_of(value *out, vd_slices *s, vd_stmt *q, vd_err *err) {
    vd_value v = vd_stmt_value(q, 0);
    if (v.type == VD_INT || v.type == VD_REAL)
        *out = (value){ NUMBER, v.type == VD_INT ? (double)v.i : v.f, NULL };
    else if (v.type == VD_TEXT)
        *out = (value){ TEXT, 0, vd_arena_text(&s->arena, v.s) };
    else if (v.type != VD_NULL)
        return vd_fail(err, VD_E_ARG, "by: '%.100s' gives bytes, not numbers or text", s->by);
    return out->kind == TEXT && out->text == NULL ? vd_nomem(err) : VD_OK;
}

/* The statement that evaluates an expression for an asset. It is tried as a condition first, which
 * allows one expression and no more; messages are then ours. */
static vd_status prepare_expression(vd_stmt **out, vd_db *db, const char *by, vd_err *err) {
    static const char prefix[] = "where: ";
    vd_str sql = { 0 };
    vd_err why = { 0 };
    vd_str_addf(
        &sql, "SELECT value FROM (SELECT id, (%s\n) AS value FROM asset_facts) WHERE id = ?1", by);
    vd_status st = vd_str_check(&sql, &why);
    if (st == VD_OK) st = vd_op_check_where(db, by, &why);
    if (st == VD_OK) st = vd_db_prepare(out, db, sql.data, true, &why);
    vd_str_reset(&sql);
    if (st == VD_OK) return VD_OK;
    if (st != VD_E_ARG) return vd_fail(err, st, "%s", why.msg);
    if (vd_str_starts(why.msg, prefix))
        return vd_fail(err, st, "by: %s", why.msg + sizeof prefix - 1);
    return vd_fail(err, st, "by: '%.120s': %s", by, why.msg);
}

static vd_status read_values(value *out, vd_slices *s, vd_db *db, const int64_t *asset, int64_t n,
                             vd_err *err) {
    vd_stmt *q = NULL;
    vd_status st = VD_OK;
    vd_db_guard(db, LONGEST_S);
    VD_GO(prepare_expression(&q, db, s->by, err));
    for (int64_t i = 0; i < n; i++) {
        bool row = false;
        out[i].kind = NO_ASSET;
        if (asset[i] <= 0) continue;
        vd_stmt_bind(q, 1, vd_val_int(asset[i]));
        VD_GO(vd_stmt_step(q, &row, err));
        out[i].kind = row ? MISSING : NO_ASSET;
        if (row) VD_GO(value_of(&out[i], s, q, err));
        vd_stmt_reset(q);
    }
done:
    vd_stmt_free(q);
    return st;
}

/* ---- slices ---- */

static vd_slice *new_slice(vd_slices *s, const char *name, vd_err *err) {
    const char *copy = vd_arena_text(&s->arena, name);
    if (copy == NULL) {
        vd_nomem(err);
        return NULL;
    }
    vd_slice *k = &s->slice[s->n++];
    *k = (vd_slice){ .name = copy, .from = (double)NAN, .to = (double)NAN };
    return k;
}

static int ascending(const void *a, const void *b) {
    double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

/* Cuts sorted numbers where a new slice begins: cut[0] is the first number. */
static int find_cuts(double *cut, const double *v, int64_t n, const bins *b) {
    int wanted = b->n > 0 ? b->n : DEFAULT_BINS, distinct = 0, n_cuts = 0;
    for (int64_t i = 0; i < n && distinct <= wanted; i++) distinct += i == 0 || v[i] > v[i - 1];
    if (distinct <= wanted) {
        for (int64_t i = 0; i < n; i++)
            if (i == 0 || v[i] > v[i - 1]) cut[n_cuts++] = v[i];
        return n_cuts;
    }
    for (int64_t at = 0, left = wanted; at < n; left--) {
        int64_t end = left > 1 ? at + VD_MAX((n - at) / left, 1) : n;
        cut[n_cuts++] = v[at];
        while (end < n && v[end] == v[end - 1]) end++; /* equal ones stay together */
        at = end;
    }
    return n_cuts;
}

/* With so many digits that count, and without an exponent where that is not long. */
static void write_number(char out[NUMBER_TEXT], double v, int digits) {
    double size = fabs(v);
    if (v == 0 || size >= 1e15 || size < 1e-4) {
        snprintf(out, NUMBER_TEXT, "%.*g", digits, v);
        return;
    }
    int decimals = VD_MAX(digits - 1 - (int)floor(log10(size)), 0);
    snprintf(out, NUMBER_TEXT, "%.*f", decimals, v);
    char *end = out + strlen(out);
    while (decimals > 0 && end[-1] == '0') *--end = '\0';
    if (end[-1] == '.') end[-1] = '\0';
}

/* Digits with which n numbers that rise are written apart. */
static int digits_of(const double *v, int n) {
    char a[NUMBER_TEXT], b[NUMBER_TEXT];
    for (int digits = 3; digits < MAX_DIGITS; digits++) {
        bool apart = true;
        for (int i = 1; i < n && apart; i++) {
            write_number(a, v[i - 1], digits);
            write_number(b, v[i], digits);
            apart = v[i - 1] == v[i] || strcmp(a, b) != 0;
        }
        if (apart) return digits;
    }
    return MAX_DIGITS;
}

/* Slices between n_edges + 1 ends; `single`: each has one value only. */
static vd_status name_numbers(vd_slices *s, const double *end, int n_ends, bool single,
                              vd_err *err) {
    int digits = digits_of(end, n_ends);
    for (int j = 0; j + 1 < n_ends; j++) {
        char name[2 * NUMBER_TEXT + 8], from[NUMBER_TEXT], to[NUMBER_TEXT];
        double a = end[j], b = end[j + 1];
        write_number(from, a, single ? MAX_DIGITS - 2 : digits);
        write_number(to, b, digits);
        if (single)
            snprintf(name, sizeof name, "%s", from);
        else if (a == -INFINITY || b == INFINITY)
            snprintf(name, sizeof name, "%s %s", b == INFINITY ? "from" : "below",
                     b == INFINITY ? from : to);
        else
            snprintf(name, sizeof name, "%s to %s", from, to);
        vd_slice *k = new_slice(s, name, err);
        if (k == NULL) return VD_E_NOMEM;
        k->from = a;
        k->to = single ? a : b;
    }
    return VD_OK;
}

static vd_status slice_numbers(vd_slices *s, const value *v, int64_t n, const bins *b,
                               vd_err *err) {
    double end[VD_SLICES_MAX + 2];
    int64_t m = 0, n_ends = 0;
    bool single = false;
    double *sorted = vd_mem_alloc((size_t)n * sizeof *sorted);
    if (sorted == NULL) return vd_nomem(err);
    for (int64_t i = 0; i < n; i++)
        if (v[i].kind == NUMBER) sorted[m++] = v[i].number;
    if (m > 1) qsort(sorted, (size_t)m, sizeof *sorted, ascending);
    if (b->n_edges > 0) {
        end[n_ends++] = -INFINITY;
        for (int i = 0; i < b->n_edges; i++) end[n_ends++] = b->edge[i];
        end[n_ends++] = INFINITY;
    } else if (m > 0) {
        n_ends = find_cuts(end, sorted, m, b);
        single = true;
        for (int64_t i = 0, k = 0; i < m && single; i++) {
            while (k + 1 < n_ends && sorted[i] >= end[k + 1]) k++;
            single = sorted[i] == end[k];
        }
        end[n_ends++] = sorted[m - 1];
    }
    vd_mem_free(sorted);
    VD_TRY(name_numbers(s, end, (int)n_ends, single, err));
    for (int64_t i = 0; i < n; i++) {
        if (v[i].kind != NUMBER) continue;
        int k = 0;
        while (k + 2 < n_ends && v[i].number >= end[k + 1]) k++;
        s->of[i] = k;
    }
    return VD_OK;
}

typedef struct counted {
    const char *text;
    int64_t n;
} counted;

static int by_text(const void *a, const void *b) {
    return strcmp(((const counted *)a)->text, ((const counted *)b)->text);
}
static int by_count(const void *a, const void *b) {
    const counted *p = a, *q = b;
    return p->n != q->n ? (p->n < q->n ? 1 : -1) : strcmp(p->text, q->text);
}

/* The most common texts in the order of their counts. */
static vd_status slice_texts(vd_slices *s, const value *v, int64_t n, const bins *b, vd_err *err) {
    int64_t m = 0, distinct = 0, top = b->n > 0 ? b->n : DEFAULT_TOP;
    counted *t = vd_mem_alloc((size_t)n * sizeof *t);
    vd_status st = t != NULL ? VD_OK : vd_nomem(err);
    if (st != VD_OK) return st;
    for (int64_t i = 0; i < n; i++)
        if (v[i].kind == TEXT) t[m++] = (counted){ v[i].text, 1 };
    if (m > 1) qsort(t, (size_t)m, sizeof *t, by_text);
    for (int64_t i = 0; i < m; i++) {
        if (distinct > 0 && strcmp(t[distinct - 1].text, t[i].text) == 0)
            t[distinct - 1].n++;
        else
            t[distinct++] = t[i];
    }
    if (distinct > 1) qsort(t, (size_t)distinct, sizeof *t, by_count);
    top = distinct == top + 1 ? distinct : VD_MIN(top, distinct); /* no "others" of one value */
    for (int64_t k = 0; k < top && st == VD_OK; k++)
        if (new_slice(s, t[k].text, err) == NULL) st = VD_E_NOMEM;
    if (st == VD_OK && top < distinct && new_slice(s, "others", err) == NULL) st = VD_E_NOMEM;
    if (top > 1) qsort(t, (size_t)top, sizeof *t, by_count);
    for (int64_t i = 0; i < n && st == VD_OK; i++) {
        if (v[i].kind != TEXT) continue;
        int32_t k = 0;
        while (k < top && strcmp(t[k].text, v[i].text) != 0) k++;
        s->of[i] = k;
    }
    vd_mem_free(t);
    return st;
}

/* Where some are text, all are. */
static vd_status numbers_as_text(vd_slices *s, value *v, int64_t n, bool *any, vd_err *err) {
    *any = false;
    for (int64_t i = 0; i < n; i++) *any = *any || v[i].kind == TEXT;
    for (int64_t i = 0; *any && i < n; i++) {
        char text[40];
        if (v[i].kind != NUMBER) continue;
        snprintf(text, sizeof text, "%.15g", v[i].number);
        v[i] = (value){ TEXT, 0, vd_arena_text(&s->arena, text) };
        if (v[i].text == NULL) return vd_nomem(err);
    }
    return VD_OK;
}

static vd_status rest(vd_slices *s, const value *v, int64_t n, kind what, const char *name,
                      vd_err *err) {
    bool made = false;
    for (int64_t i = 0; i < n; i++) {
        if (v[i].kind != what) continue;
        if (!made && new_slice(s, name, err) == NULL) return VD_E_NOMEM;
        made = true;
        s->of[i] = s->n - 1;
    }
    return VD_OK;
}

static vd_status make(vd_slices *s, value *v, int64_t n, const bins *b, vd_err *err) {
    bool texts = false;
    s->n_pictures = n;
    s->slice = vd_arena_alloc(&s->arena, (VD_SLICES_MAX + 3) * sizeof *s->slice);
    s->of = vd_arena_alloc(&s->arena, (size_t)VD_MAX(n, 1) * sizeof *s->of);
    if (s->slice == NULL || s->of == NULL) return vd_nomem(err);
    VD_TRY(numbers_as_text(s, v, n, &texts, err));
    if (texts && b->n_edges > 0)
        return vd_fail(err, VD_E_ARG, "by: '%.100s' is text and has no edges", s->by);
    VD_TRY(texts ? slice_texts(s, v, n, b, err) : slice_numbers(s, v, n, b, err));
    VD_TRY(rest(s, v, n, MISSING, "missing", err));
    VD_TRY(rest(s, v, n, NO_ASSET, "no asset", err));
    for (int64_t i = 0; i < n; i++) s->slice[s->of[i]].n++;
    return VD_OK;
}

vd_status vd_slices_make(vd_slices *out, vd_db *db, const char *by, const int64_t *asset, int64_t n,
                         vd_err *err) {
    vd_slices s = { 0 };
    bins b = { 0 };
    value *v = vd_mem_array((size_t)n, sizeof *v);
    vd_status st = v != NULL ? parse_by(&s, &b, by, err) : vd_nomem(err);
    if (st == VD_OK) st = read_values(v, &s, db, asset, n, err);
    if (st == VD_OK) st = make(&s, v, n, &b, err);
    vd_mem_free(v);
    if (st == VD_OK)
        *out = s;
    else
        vd_slices_reset(&s);
    return st;
}

vd_status vd_slices_of_numbers(vd_slices *out, const char *by, const double *number, int64_t n,
                               vd_err *err) {
    vd_slices s = { 0 };
    bins b = { 0 };
    value *v = vd_mem_array((size_t)n, sizeof *v);
    vd_status st = v != NULL ? parse_by(&s, &b, by, err) : vd_nomem(err);
    for (int64_t i = 0; i < n && st == VD_OK; i++)
        v[i] = (value){ isnan(number[i]) ? MISSING : NUMBER, number[i], NULL };
    if (st == VD_OK) st = make(&s, v, n, &b, err);
    vd_mem_free(v);
    if (st == VD_OK)
        *out = s;
    else
        vd_slices_reset(&s);
    return st;
}

int64_t vd_slice_members(int32_t *picture, const vd_slices *s, int k) {
    int32_t n = 0;
    for (int64_t i = 0; i < s->n_pictures; i++) picture[i] = s->of[i] == k ? n++ : -1;
    return n;
}

/* ---- rows ---- */

enum { FIRST = 5, SHOWN_TO_PEOPLE = 3, MOST_COLUMNS = FIRST + 4 * VD_JUDGE_MOST };

/* Names of what vd_slice_row sends, in the same order. */
static vd_status send_columns(vd_opcall *c, const vd_judge_figures *f, vd_err *err) {
    vd_column column[MOST_COLUMNS] = { { "by", VD_TEXT, "", "", 0 },
                                       { "slice", VD_TEXT, "", "", 0 },
                                       { "from", VD_REAL, "", "", 0 },
                                       { "to", VD_REAL, "", "", 0 },
                                       { "pictures", VD_INT, "", "", 0 } };
    static const char *const suffix[2] = { "low", "high" };
    int n = c->for_people ? 2 : FIRST,
        figures = c->for_people ? VD_MIN(f->n, SHOWN_TO_PEOPLE) : f->n;
    if (c->for_people) column[n++] = (vd_column){ "pictures", VD_INT, "", "", 0 };
    for (int i = 0; i < f->n_counts; i++)
        column[n++] = (vd_column){ f->count_name[i], VD_INT, "", "", 0 };
    for (int i = 0; i < figures; i++) column[n++] = (vd_column){ f->name[i], VD_REAL, "", "", 0 };
    for (int i = 0; i < (c->for_people ? 1 : figures) && f->n_replicates > 0; i++)
        for (int k = 0; k < 2; k++) {
            char text[64];
            snprintf(text, sizeof text, "%s_%s", f->name[i], suffix[k]);
            const char *copy = vd_arena_text(&c->arena, text);
            if (copy == NULL) return vd_nomem(err);
            column[n++] = (vd_column){ copy, VD_REAL, "", "", 0 };
        }
    return vd_out_columns(c, column, n, err);
}

static void number_or_null(vd_str *s, double v) {
    vd_str_json_num(s, v); /* infinite and NaN: null */
}

static void row_json(vd_str *s, const vd_slices *of, int k, const vd_judge_figures *f,
                     const vd_value (*bounds)[2]) {
    const vd_slice *p = &of->slice[k];
    vd_str_add(s, "{\"by\": ");
    vd_str_json(s, of->by);
    vd_str_add(s, ", \"slice\": ");
    vd_str_json(s, p->name);
    vd_str_add(s, ", \"from\": ");
    number_or_null(s, p->from);
    vd_str_add(s, ", \"to\": ");
    number_or_null(s, p->to);
    vd_str_addf(s, ", \"pictures\": %lld", (long long)p->n);
    for (int i = 0; i < f->n_counts; i++)
        vd_str_addf(s, ", \"%s\": %lld", f->count_name[i], (long long)f->count[i]);
    vd_str_add(s, ", \"figures\": [");
    for (int i = 0; i < f->n; i++) {
        vd_str_add(s, i > 0 ? ", [" : "[");
        number_or_null(s, f->value[i]);
        for (int b = 0; b < 2; b++) {
            vd_str_add(s, ", ");
            number_or_null(s, bounds[i][b].type == VD_REAL ? bounds[i][b].f : (double)NAN);
        }
        vd_str_addc(s, ']');
    }
    vd_str_add(s, "]}");
}

static vd_status send_row(vd_opcall *c, const vd_slices *s, int k, const vd_judge_figures *f,
                          const vd_value (*bounds)[2], vd_err *err) {
    const vd_slice *p = &s->slice[k];
    vd_value row[MOST_COLUMNS] = { vd_val_text(s->by), vd_val_text(p->name), vd_val_real(p->from),
                                   vd_val_real(p->to), vd_val_int(p->n) };
    int n = c->for_people ? 2 : FIRST,
        figures = c->for_people ? VD_MIN(f->n, SHOWN_TO_PEOPLE) : f->n;
    if (c->for_people) row[n++] = vd_val_int(p->n);
    for (int i = 0; i < f->n_counts; i++) row[n++] = vd_val_int(f->count[i]);
    for (int i = 0; i < figures; i++) row[n++] = vd_val_real(f->value[i]);
    for (int i = 0; i < (c->for_people ? 1 : figures) && f->n_replicates > 0; i++)
        for (int b = 0; b < 2; b++) row[n++] = bounds[i][b];
    return vd_out_row(c, row, err);
}

vd_status vd_slice_row(vd_slice_table *t, const vd_slices *s, int k, const vd_judge_figures *f,
                       vd_err *err) {
    vd_value bounds[VD_JUDGE_MOST][2];
    double *kept = vd_mem_array((size_t)f->n_replicates, sizeof *kept);
    if (kept == NULL) return vd_nomem(err);
    for (int i = 0; i < f->n; i++) vd_judge_interval(f, i, kept, bounds[i]);
    vd_mem_free(kept);
    if (!t->begun) VD_TRY(send_columns(t->c, f, err));
    if (t->json != NULL) {
        if (t->begun) vd_str_add(t->json, ",\n");
        row_json(t->json, s, k, f, bounds);
    }
    t->begun = true;
    return send_row(t->c, s, k, f, bounds, err);
}
