/* Printing results. Machine formats are written row by row; people's tables keep the first rows
 * back to choose column widths, then follow them. SPDX-License-Identifier: Apache-2.0 */
#include "cli/render.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"

enum { SAMPLE_ROWS = 500, MAX_WIDTH = 100, GAP = 2 };

struct vd_render {
    FILE *to;
    vd_format format;
    vd_arena arena; /* columns */
    const vd_column *columns;
    int n_columns;
    int64_t n_rows;
    vd_str line;
    char **held; /* cells of the sample, row-major */
    int64_t n_held, cap_held;
    int *width;
    bool *right;
    bool flowing;
    vd_str words; /* closing lines */
};

vd_status vd_render_new(vd_render **out, FILE *to, vd_format format, vd_err *err) {
    vd_render *r = vd_mem_array(1, sizeof *r);
    if (r == NULL) return vd_nomem(err);
    r->to = to;
    r->format = format;
    *out = r;
    return VD_OK;
}

void vd_render_free(vd_render *r) {
    if (r == NULL) return;
    for (int64_t i = 0; i < r->n_held; i++) vd_mem_free(r->held[i]);
    vd_mem_free(r->held);
    vd_mem_free(r->width);
    vd_mem_free(r->right);
    vd_str_reset(&r->line);
    vd_str_reset(&r->words);
    vd_arena_reset(&r->arena);
    vd_mem_free(r);
}

static vd_status put(vd_render *r, vd_err *err) {
    VD_TRY(vd_str_check(&r->line, err));
    if (r->line.size > 0 &&
        fwrite(r->line.data, 1, (size_t)r->line.size, r->to) != (size_t)r->line.size)
        return vd_fail_errno(err, errno, "output");
    vd_str_clear(&r->line);
    return VD_OK;
}

/* ---- cells ---- */

static void hex(vd_str *s, const vd_value *v) {
    for (int64_t i = 0; i < v->n; i++) vd_str_addf(s, "%02x", (unsigned char)v->s[i]);
}

static void json_cell(vd_str *s, const vd_value *v) {
    switch (v->type) {
    case VD_INT: vd_str_addf(s, "%lld", (long long)v->i); break;
    case VD_REAL: vd_str_json_num(s, v->f); break;
    case VD_TEXT: vd_str_json(s, v->s); break;
    case VD_DOC: vd_str_addn(s, v->s, v->n); break;
    case VD_BLOB:
        vd_str_addc(s, '"');
        hex(s, v);
        vd_str_addc(s, '"');
        break;
    case VD_LIST:
        vd_str_addc(s, '[');
        for (int64_t i = 0; i < v->n; i++) {
            if (i > 0) vd_str_addc(s, ',');
            vd_str_json(s, v->list[i]);
        }
        vd_str_addc(s, ']');
        break;
    default: vd_str_add(s, "null");
    }
}

static void plain_cell(vd_str *s, const vd_value *v, bool people) {
    switch (v->type) {
    case VD_INT: vd_str_addf(s, "%lld", (long long)v->i); break;
    case VD_REAL:
        if (people)
            vd_str_addf(s, fabs(v->f) >= 1000 ? "%.1f" : "%.4g", v->f);
        else
            vd_str_num(s, v->f);
        break;
    case VD_TEXT:
    case VD_DOC: vd_str_addn(s, v->s, v->n); break;
    case VD_BLOB: hex(s, v); break;
    case VD_LIST:
        for (int64_t i = 0; i < v->n; i++) vd_str_addf(s, "%s%s", i > 0 ? "\n" : "", v->list[i]);
        break;
    default: break;
    }
}

/* RFC 4180: quoted where it holds a comma, a quote or a line end. */
static void csv_cell(vd_str *s, const vd_value *v) {
    vd_str cell = { 0 };
    plain_cell(&cell, v, false);
    const char *text = vd_str_text(&cell);
    if (strpbrk(text, ",\"\r\n") == NULL) {
        vd_str_add(s, text);
    } else {
        vd_str_addc(s, '"');
        for (const char *p = text; *p != '\0'; p++) {
            if (*p == '"') vd_str_addc(s, '"');
            vd_str_addc(s, *p);
        }
        vd_str_addc(s, '"');
    }
    if (cell.status != VD_OK) s->status = cell.status;
    vd_str_reset(&cell);
}

/* ---- tables ---- */

/* Columns a terminal needs for UTF-8 text: one a code point. */
static int width_of(const char *s) {
    int n = 0;
    for (; *s != '\0'; s++) n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

static void pad(vd_str *s, int n) {
    for (int i = 0; i < n; i++) vd_str_addc(s, ' ');
}

/* Control characters of hostile names never reach the terminal, nor what is not UTF-8. */
static void safe_text(vd_str *s, const char *text) {
    for (const char *p = text; *p != '\0';) {
        const unsigned char *u = (const unsigned char *)p;
        int n = vd_utf8_len(p);
        bool control =
            u[0] < 0x20 || u[0] == 0x7f || (u[0] == 0xc2 && u[1] < 0xa0); /* C0, DEL, C1 */
        if (n == 0 || control) {
            n = VD_MAX(n, 1);
            for (int i = 0; i < n; i++) vd_str_addf(s, "\\x%02x", u[i]);
        } else {
            vd_str_addn(s, p, n);
        }
        p += n;
    }
}

static void table_cell(vd_render *r, int column, const char *text) {
    bool last = column == r->n_columns - 1, right = r->right[column];
    int room = r->width[column] - width_of(text);
    if (right) pad(&r->line, room);
    vd_str_add(&r->line, text);
    if (!right && !last) pad(&r->line, room);
    if (!last) pad(&r->line, GAP);
}

static vd_status table_row(vd_render *r, char *const *cells, vd_err *err) {
    if (r->format == VD_F_LINES) pad(&r->line, GAP);
    for (int i = 0; i < r->n_columns; i++) table_cell(r, i, cells[i]);
    while (r->line.size > 0 && r->line.data[r->line.size - 1] == ' ') r->line.size--;
    vd_str_addc(&r->line, '\n');
    return put(r, err);
}

static vd_status release_sample(vd_render *r, vd_err *err) {
    if (r->flowing || r->columns == NULL) return VD_OK;
    r->flowing = true;
    if (r->format == VD_F_TABLE) {
        for (int i = 0; i < r->n_columns; i++) table_cell(r, i, r->columns[i].name);
        while (r->line.size > 0 && r->line.data[r->line.size - 1] == ' ') r->line.size--;
        vd_str_addc(&r->line, '\n');
        VD_TRY(put(r, err));
    }
    for (int64_t i = 0; i < r->n_held; i += r->n_columns) VD_TRY(table_row(r, r->held + i, err));
    return VD_OK;
}

/* The text of a cell, owned by the caller; NULL when memory is refused. */
static char *cell_text(const vd_value *v) {
    vd_str raw = { 0 }, safe = { 0 };
    plain_cell(&raw, v, true);
    for (char *p = raw.data; v->type == VD_LIST && p != NULL && *p != '\0'; p++)
        if (*p == '\n') *p = ' ';
    safe_text(&safe, vd_str_text(&raw));
    if (safe.data == NULL && raw.status == VD_OK) vd_str_add(&safe, "");
    bool ok = raw.status == VD_OK && safe.status == VD_OK;
    vd_str_reset(&raw);
    if (!ok) vd_str_reset(&safe);
    return safe.data;
}

static vd_status hold_row(vd_render *r, const vd_value *values, vd_err *err) {
    VD_TRY(VD_GROW(r->held, r->cap_held, r->n_held + r->n_columns, err));
    for (int i = 0; i < r->n_columns; i++) {
        char *text = cell_text(&values[i]);
        if (text == NULL) return vd_nomem(err);
        r->held[r->n_held++] = text;
        r->width[i] = VD_MAX(r->width[i], VD_MIN(width_of(text), MAX_WIDTH));
        if (values[i].type == VD_INT || values[i].type == VD_REAL) r->right[i] = true;
    }
    return VD_OK;
}

static vd_status flow_row(vd_render *r, const vd_value *values, vd_err *err) {
    vd_status st = VD_OK;
    char **cells = vd_mem_array((size_t)r->n_columns + 1, sizeof *cells);
    if (cells == NULL) return vd_nomem(err);
    for (int i = 0; st == VD_OK && i < r->n_columns; i++)
        if ((cells[i] = cell_text(&values[i])) == NULL) st = vd_nomem(err);
    if (st == VD_OK) st = table_row(r, cells, err);
    for (int i = 0; i < r->n_columns; i++) vd_mem_free(cells[i]);
    vd_mem_free(cells);
    return st;
}

/* ---- the sink ---- */

static vd_status on_columns(void *user, const vd_column *columns, int n, vd_err *err) {
    vd_render *r = user;
    vd_column *copy = vd_arena_dup(&r->arena, columns, (size_t)n * sizeof *columns);
    r->width = vd_mem_array((size_t)n + 1, sizeof *r->width);
    r->right = vd_mem_array((size_t)n + 1, sizeof *r->right);
    if (copy == NULL || r->width == NULL || r->right == NULL) return vd_nomem(err);
    for (int i = 0; i < n; i++) {
        if ((copy[i].name = vd_arena_text(&r->arena, columns[i].name)) == NULL)
            return vd_nomem(err);
        if (r->format == VD_F_TABLE) r->width[i] = width_of(copy[i].name);
    }
    r->columns = copy;
    r->n_columns = n;
    if (r->format == VD_F_JSON) vd_str_addc(&r->line, '[');
    for (int i = 0; r->format == VD_F_CSV && i < n; i++) {
        if (i > 0) vd_str_addc(&r->line, ',');
        const vd_value name = vd_val_text(copy[i].name);
        csv_cell(&r->line, &name);
    }
    if (r->format == VD_F_CSV) vd_str_addc(&r->line, '\n');
    return put(r, err);
}

static void json_row(vd_render *r, const vd_value *values) {
    if (r->format == VD_F_JSON)
        vd_str_add(&r->line, r->n_rows > 0 ? ",\n{" : "\n{");
    else
        vd_str_addc(&r->line, '{');
    for (int i = 0; i < r->n_columns; i++) {
        if (i > 0) vd_str_addc(&r->line, ',');
        vd_str_json(&r->line, r->columns[i].name);
        vd_str_addc(&r->line, ':');
        json_cell(&r->line, &values[i]);
    }
    vd_str_addc(&r->line, '}');
    if (r->format == VD_F_JSONL) vd_str_addc(&r->line, '\n');
}

static vd_status on_row(void *user, const vd_value *values, vd_err *err) {
    vd_render *r = user;
    switch (r->format) {
    case VD_F_JSON:
    case VD_F_JSONL: json_row(r, values); break;
    case VD_F_CSV:
        for (int i = 0; i < r->n_columns; i++) {
            if (i > 0) vd_str_addc(&r->line, ',');
            csv_cell(&r->line, &values[i]);
        }
        vd_str_addc(&r->line, '\n');
        break;
    case VD_F_RAW: plain_cell(&r->line, &values[0], false); break;
    default:
        r->n_rows++;
        if (r->flowing) return flow_row(r, values, err);
        VD_TRY(hold_row(r, values, err));
        return r->n_rows >= SAMPLE_ROWS ? release_sample(r, err) : VD_OK;
    }
    r->n_rows++;
    return put(r, err);
}

static void on_words(void *user, const char *line) {
    vd_render *r = user;
    vd_str_addf(&r->words, "%s\n", line);
}

vd_sink vd_render_sink(vd_render *r) {
    return (vd_sink){ on_columns, on_row, on_words, r };
}

vd_status vd_render_finish(vd_render *r, vd_err *err) {
    bool people = r->format == VD_F_TABLE || r->format == VD_F_LINES;
    if (r->format == VD_F_JSON)
        vd_str_add(&r->line, r->columns == NULL ? "[]\n" : r->n_rows > 0 ? "\n]\n" : "]\n");
    VD_TRY(put(r, err));
    if (people) VD_TRY(release_sample(r, err));
    VD_TRY(vd_str_check(&r->words, err));
    if (people) vd_str_add(&r->line, vd_str_text(&r->words));
    VD_TRY(put(r, err));
    return fflush(r->to) == 0 ? VD_OK : vd_fail_errno(err, errno, "output");
}
