/* A result in memory, and its export as an Arrow C stream. Cells are kept as they came; the type of
 * a column is settled when the stream is asked for: all integers are int64, integers and reals
 * float64, lists of texts list<utf8>, everything else utf8. Arrow buffers are built once, batch by
 * batch, and share a count of owners, so that arrays outlive the stream and the result.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ops/result.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"
#include "vidimus/arrow.h"

enum { BATCH_ROWS = 65536 };

struct vd_result {
    atomic_int owners;
    vd_arena arena;
    vd_column *columns;
    int n_columns;
    vd_value *cells; /* row-major */
    int64_t n_rows, cap;
};

vd_status vd_result_new(vd_result **out, vd_err *err) {
    vd_result *r = vd_mem_array(1, sizeof *r);
    if (r == NULL) return vd_nomem(err);
    atomic_store(&r->owners, 1);
    *out = r;
    return VD_OK;
}

void vd_result_free(vd_result *r) {
    if (r == NULL || atomic_fetch_sub(&r->owners, 1) > 1) return;
    vd_arena_reset(&r->arena);
    vd_mem_free(r->cells);
    vd_mem_free(r);
}

int64_t vd_result_rows(const vd_result *r) {
    return r->n_rows;
}
int vd_result_columns(const vd_result *r) {
    return r->n_columns;
}
const char *vd_result_column(const vd_result *r, int column) {
    return column >= 0 && column < r->n_columns ? r->columns[column].name : "";
}

static vd_status on_columns(void *user, const vd_column *columns, int n, vd_err *err) {
    vd_result *r = user;
    vd_column *copy = vd_arena_dup(&r->arena, columns, (size_t)n * sizeof *columns);
    if (copy == NULL) return vd_nomem(err);
    for (int i = 0; i < n; i++)
        if ((copy[i].name = vd_arena_text(&r->arena, columns[i].name)) == NULL)
            return vd_nomem(err);
    r->columns = copy;
    r->n_columns = n;
    return VD_OK;
}

static vd_status keep(vd_result *r, vd_value *v, vd_err *err) {
    if (v->type == VD_TEXT || v->type == VD_DOC || v->type == VD_BLOB) {
        char *copy = vd_arena_alloc(&r->arena, (size_t)v->n + 1);
        if (copy == NULL) return vd_nomem(err);
        memcpy(copy, v->s, (size_t)v->n);
        copy[v->n] = '\0';
        v->s = copy;
    } else if (v->type == VD_LIST) {
        const char **list = vd_arena_alloc(&r->arena, (size_t)v->n * sizeof *list);
        if (list == NULL) return vd_nomem(err);
        for (int64_t i = 0; i < v->n; i++)
            if ((list[i] = vd_arena_text(&r->arena, v->list[i])) == NULL) return vd_nomem(err);
        v->list = list;
    }
    return VD_OK;
}

static vd_status on_row(void *user, const vd_value *values, vd_err *err) {
    vd_result *r = user;
    VD_TRY(VD_GROW(r->cells, r->cap, (r->n_rows + 1) * r->n_columns, err));
    vd_value *row = r->cells + r->n_rows * r->n_columns;
    for (int i = 0; i < r->n_columns; i++) {
        row[i] = values[i];
        VD_TRY(keep(r, &row[i], err));
    }
    r->n_rows++;
    return VD_OK;
}

vd_sink vd_result_sink(vd_result *r) {
    return (vd_sink){ on_columns, on_row, NULL, r };
}

/* ---- Arrow ---- */

static vd_type column_type(const vd_result *r, int c) {
    vd_type type = VD_NULL;
    for (int64_t i = 0; i < r->n_rows; i++) {
        vd_type t = r->cells[i * r->n_columns + c].type;
        if (t == VD_BLOB || t == VD_DOC) t = VD_TEXT;
        if (t == VD_NULL || t == type) continue;
        if (type == VD_NULL)
            type = t;
        else if ((type == VD_INT && t == VD_REAL) || (type == VD_REAL && t == VD_INT))
            type = VD_REAL;
        else
            return VD_TEXT;
    }
    return type == VD_NULL ? VD_TEXT : type;
}

static const char *arrow_format(vd_type t) {
    return t == VD_INT ? "l" : t == VD_REAL ? "g" : t == VD_LIST ? "+l" : "u";
}

typedef struct stream_state {
    vd_result *result;
    vd_type *types;
    int64_t next_row;
    vd_err err;
} stream_state;

static void schema_release(struct ArrowSchema *s) {
    for (int64_t i = 0; i < s->n_children; i++) {
        if (s->children[i] != NULL && s->children[i]->release != NULL)
            s->children[i]->release(s->children[i]);
        vd_mem_free(s->children[i]);
    }
    vd_mem_free(s->children);
    vd_mem_free(s->private_data); /* the name */
    s->release = NULL;
}

static bool schema_make(struct ArrowSchema *s, const char *format, const char *name,
                        int64_t n_children) {
    char *copy = vd_mem_strdup(name);
    *s = (struct ArrowSchema){ .format = format,
                               .name = copy,
                               .flags = ARROW_FLAG_NULLABLE,
                               .release = schema_release,
                               .private_data = copy };
    if (copy == NULL) return false;
    if (n_children == 0) return true;
    s->children = vd_mem_array((size_t)n_children, sizeof *s->children);
    if (s->children == NULL) return false;
    s->n_children = n_children;
    for (int64_t i = 0; i < n_children; i++)
        if ((s->children[i] = vd_mem_array(1, sizeof **s->children)) == NULL) return false;
    return true;
}

static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
    const stream_state *ss = stream->private_data;
    const vd_result *r = ss->result;
    bool ok = schema_make(out, "+s", "", r->n_columns);
    out->flags = 0;
    for (int i = 0; ok && i < r->n_columns; i++) {
        ok = schema_make(out->children[i], arrow_format(ss->types[i]), r->columns[i].name,
                         ss->types[i] == VD_LIST ? 1 : 0);
        if (ok && ss->types[i] == VD_LIST)
            ok = schema_make(out->children[i]->children[0], "u", "item", 0);
    }
    if (!ok) schema_release(out);
    return ok ? 0 : ENOMEM;
}

static void array_release(struct ArrowArray *a) {
    for (int64_t i = 0; i < a->n_children; i++) {
        if (a->children[i] != NULL && a->children[i]->release != NULL)
            a->children[i]->release(a->children[i]);
        vd_mem_free(a->children[i]);
    }
    for (int64_t i = 0; i < a->n_buffers; i++) vd_mem_free((void *)a->buffers[i]);
    vd_mem_free(a->children);
    vd_mem_free(a->buffers);
    a->release = NULL;
}

static bool array_make(struct ArrowArray *a, int64_t length, int64_t n_buffers,
                       int64_t n_children) {
    *a = (struct ArrowArray){ .length = length, .release = array_release };
    a->buffers = vd_mem_array((size_t)n_buffers, sizeof *a->buffers);
    if (a->buffers == NULL) return false;
    a->n_buffers = n_buffers;
    if (n_children == 0) return true;
    a->children = vd_mem_array((size_t)n_children, sizeof *a->children);
    if (a->children == NULL) return false;
    a->n_children = n_children;
    for (int64_t i = 0; i < n_children; i++)
        if ((a->children[i] = vd_mem_array(1, sizeof **a->children)) == NULL) return false;
    return true;
}

/* Buffer 0: one bit a row, 1 = valid. */
static bool make_validity(struct ArrowArray *a, const vd_value *cell, int64_t n, int stride) {
    uint8_t *bits = vd_mem_array((size_t)(n + 7) / 8 + 1, 1);
    if (bits == NULL) return false;
    for (int64_t i = 0; i < n; i++) {
        if (cell[i * stride].type != VD_NULL)
            bits[i / 8] |= (uint8_t)(1 << (i % 8));
        else
            a->null_count++;
    }
    a->buffers[0] = bits;
    return true;
}

static bool make_numbers(struct ArrowArray *a, const vd_value *cell, int64_t n, int stride,
                         vd_type type) {
    int64_t *data = vd_mem_array((size_t)n + 1, sizeof *data);
    if (data == NULL) return false;
    a->buffers[1] = data;
    for (int64_t i = 0; i < n; i++) {
        const vd_value *v = &cell[i * stride];
        double real = v->type == VD_REAL ? v->f : v->type == VD_INT ? (double)v->i : 0;
        if (type == VD_INT)
            data[i] = v->type == VD_INT ? v->i : 0;
        else
            memcpy(&data[i], &real, sizeof real);
    }
    return true;
}

/* Arrow's utf8 must be UTF-8; names of files need not be: a byte that is not becomes U+FFFD. */
static void add_utf8(vd_str *s, const char *text, int64_t n) {
    for (int64_t i = 0, from = 0; i <= n;) {
        int len = i < n ? (text[i] == '\0' ? 1 : vd_utf8_len(text + i)) : 0;
        if (len > 0) {
            i += len;
            continue;
        }
        vd_str_addn(s, text + from, i - from);
        if (i < n) vd_str_add(s, "\xef\xbf\xbd");
        from = ++i;
    }
}

static void cell_text(vd_str *s, const vd_value *v) {
    if (v->type == VD_TEXT || v->type == VD_DOC || v->type == VD_BLOB)
        add_utf8(s, v->s, v->n);
    else if (v->type == VD_INT)
        vd_str_addf(s, "%lld", (long long)v->i);
    else if (v->type == VD_REAL)
        vd_str_num(s, v->f);
    else if (v->type == VD_LIST)
        for (int64_t i = 0; i < v->n; i++) vd_str_addf(s, "%s%s", i > 0 ? "\n" : "", v->list[i]);
}

/* Offsets and bytes; 32-bit offsets limit a batch to 2 GiB of text in a column. */
static bool make_texts(struct ArrowArray *a, const vd_value *cell, int64_t n, int stride) {
    int32_t *offsets = vd_mem_array((size_t)n + 1, sizeof *offsets);
    vd_str s = { 0 };
    if (offsets == NULL) return false;
    a->buffers[1] = offsets;
    for (int64_t i = 0; i < n; i++) {
        cell_text(&s, &cell[i * stride]);
        if (s.size > INT32_MAX) s.status = VD_E_LIMIT;
        offsets[i + 1] = (int32_t)s.size;
    }
    if (s.data == NULL) vd_str_add(&s, "");
    a->buffers[2] = s.data;
    return s.status == VD_OK;
}

static bool make_lists(struct ArrowArray *a, const vd_value *cell, int64_t n, int stride) {
    int32_t *offsets = vd_mem_array((size_t)n + 1, sizeof *offsets), *text_at;
    vd_str s = { 0 };
    int64_t total = 0, at = 0;
    if (offsets == NULL) return false;
    a->buffers[1] = offsets;
    for (int64_t i = 0; i < n; i++) {
        if (cell[i * stride].type == VD_LIST) total += cell[i * stride].n;
        offsets[i + 1] = (int32_t)total;
    }
    struct ArrowArray *items = a->children[0];
    if (total > INT32_MAX || !array_make(items, total, 3, 0)) return false;
    text_at = vd_mem_array((size_t)total + 1, sizeof *text_at);
    if (text_at == NULL) return false;
    items->buffers[1] = text_at;
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; cell[i * stride].type == VD_LIST && k < cell[i * stride].n; k++) {
            add_utf8(&s, cell[i * stride].list[k], (int64_t)strlen(cell[i * stride].list[k]));
            if (s.size > INT32_MAX) s.status = VD_E_LIMIT;
            text_at[++at] = (int32_t)s.size;
        }
    if (s.data == NULL) vd_str_add(&s, "");
    items->buffers[2] = s.data;
    return s.status == VD_OK;
}

static bool make_column(struct ArrowArray *a, const vd_value *cell, int64_t n, int stride,
                        vd_type type) {
    bool text = type == VD_TEXT, list = type == VD_LIST;
    if (!array_make(a, n, text ? 3 : 2, list ? 1 : 0) || !make_validity(a, cell, n, stride))
        return false;
    if (text) return make_texts(a, cell, n, stride);
    if (list) return make_lists(a, cell, n, stride);
    return make_numbers(a, cell, n, stride, type);
}

static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *out) {
    stream_state *ss = stream->private_data;
    const vd_result *r = ss->result;
    int64_t n = VD_MIN(BATCH_ROWS, r->n_rows - ss->next_row);
    *out = (struct ArrowArray){ 0 };
    if (n <= 0) return 0; /* end: a released array */
    bool ok = array_make(out, n, 1, r->n_columns);
    const vd_value *cell = r->cells + ss->next_row * r->n_columns;
    for (int i = 0; ok && i < r->n_columns; i++)
        ok = make_column(out->children[i], cell + i, n, r->n_columns, ss->types[i]);
    if (!ok) {
        array_release(out);
        vd_nomem(&ss->err);
        return ENOMEM;
    }
    ss->next_row += n;
    return 0;
}

static const char *get_last_error(struct ArrowArrayStream *stream) {
    const stream_state *ss = stream->private_data;
    return ss->err.code != VD_OK ? ss->err.msg : NULL;
}

static void stream_release(struct ArrowArrayStream *stream) {
    stream_state *ss = stream->private_data;
    vd_result_free(ss->result);
    vd_mem_free(ss->types);
    vd_mem_free(ss);
    stream->release = NULL;
}

vd_status vd_result_stream(vd_result *r, struct ArrowArrayStream *stream, vd_err *err) {
    stream_state *ss = vd_mem_array(1, sizeof *ss);
    vd_type *types = vd_mem_array((size_t)r->n_columns + 1, sizeof *types);
    if (ss == NULL || types == NULL) {
        vd_mem_free(ss);
        vd_mem_free(types);
        return vd_nomem(err);
    }
    for (int i = 0; i < r->n_columns; i++) types[i] = column_type(r, i);
    ss->result = r;
    ss->types = types;
    atomic_fetch_add(&r->owners, 1);
    *stream = (struct ArrowArrayStream){ get_schema, get_next, get_last_error, stream_release, ss };
    return VD_OK;
}
