/* Writing Parquet files; see parquet.h. SPDX-License-Identifier: Apache-2.0 */
#include "publish/parquet.h"

#include <math.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "labelkit/files.h"
#include "publish/rle.h"
#include "publish/thrift.h"

/* Numbers of parquet.thrift. */
enum { PQ_INT64 = 2, PQ_DOUBLE = 5, PQ_BYTE_ARRAY = 6 };
enum { PQ_OPTIONAL = 1, PQ_UTF8 = 0, PQ_DATA_PAGE = 0, PQ_DICTIONARY_PAGE = 2 };
enum { PQ_PLAIN = 0, PQ_RLE = 3, PQ_RLE_DICTIONARY = 8, PQ_UNCOMPRESSED = 0 };

enum { MAX_ROWS = 1 << 18, MAX_WORDS = 1 << 16, TRIAL = 1024 };
static const int64_t GROUP_BYTES = (int64_t)64 << 20, MAX_VALUE = (int64_t)1 << 30;
static const char MAGIC[] = "PAR1";

typedef struct column {
    char *name;
    vd_type type;
    /* of the row group that is gathered */
    vd_str plain;      /* its values, but nulls */
    uint32_t *defined; /* 0 or 1, of each row */
    int64_t cap_defined, n_values;
    vd_map *words; /* text -> index; NULL: values do not repeat enough */
    vd_str dictionary;
    uint32_t *index;
    int64_t cap_index;
    bool no_words;
    bool any;
    int64_t min_i, max_i;
    double min_f, max_f;
} column;

/* Where a chunk went, for the footer. */
typedef struct chunk {
    int64_t dictionary_at, data_at, size, values, nulls; /* dictionary_at 0: none */
    uint8_t min[8], max[8];
    bool has_range;
} chunk;

typedef struct group {
    chunk *chunk; /* one a column */
    int64_t rows, size;
} group;

struct vd_parquet {
    vd_out_file f;
    int64_t at; /* bytes so far */
    column *col;
    int n_cols;
    int64_t rows, held; /* of the group that is gathered */
    group *group;
    int64_t n_groups, cap_groups, n_rows;
    vd_str page, head;
};

void vd_parquet_free(vd_parquet *p) {
    if (p == NULL) return;
    vd_out_drop(&p->f);
    for (int c = 0; p->col != NULL && c < p->n_cols; c++) {
        vd_mem_free(p->col[c].name);
        vd_str_reset(&p->col[c].plain);
        vd_str_reset(&p->col[c].dictionary);
        vd_mem_free(p->col[c].defined);
        vd_mem_free(p->col[c].index);
        vd_map_free(p->col[c].words);
    }
    for (int64_t g = 0; g < p->n_groups; g++) vd_mem_free(p->group[g].chunk);
    vd_mem_free(p->group);
    vd_mem_free(p->col);
    vd_str_reset(&p->page);
    vd_str_reset(&p->head);
    vd_mem_free(p);
}

static vd_status put(vd_parquet *p, const void *bytes, int64_t n, vd_err *err) {
    vd_str_addn(&p->f.text, bytes, n);
    p->at += n;
    return vd_out_step(&p->f, err);
}

vd_status vd_parquet_open(vd_parquet **out, const char *path, const vd_parquet_column *columns,
                          int n, vd_err *err) {
    vd_status st = VD_OK;
    vd_parquet *p = vd_mem_array(1, sizeof *p);
    if (p == NULL) return vd_nomem(err);
    p->f.fd = -1;
    p->n_cols = n;
    p->col = vd_mem_array((size_t)n, sizeof *p->col);
    if (p->col == NULL) VD_GO(vd_nomem(err));
    for (int c = 0; c < n; c++) {
        p->col[c].type = columns[c].type;
        if ((p->col[c].name = vd_mem_strdup(columns[c].name)) == NULL) VD_GO(vd_nomem(err));
    }
    VD_GO(vd_out_open(&p->f, path, err));
    VD_GO(put(p, MAGIC, 4, err));
    *out = p;
    p = NULL;
done:
    vd_parquet_free(p);
    return st;
}

/* ---- values ---- */

static void add_le(vd_str *s, uint64_t v, int bytes) {
    char b[8];
    for (int i = 0; i < bytes; i++) b[i] = (char)(v >> (8 * i) & 0xff);
    vd_str_addn(s, b, bytes);
}

static uint64_t bits_of(double v) {
    uint64_t b;
    memcpy(&b, &v, sizeof b);
    return b;
}

static void add_int(column *c, int64_t v) {
    c->min_i = c->any ? VD_MIN(c->min_i, v) : v;
    c->max_i = c->any ? VD_MAX(c->max_i, v) : v;
    c->any = true;
    add_le(&c->plain, (uint64_t)v, 8);
}

static void add_real(column *c, double v) {
    if (!isnan(v)) {
        c->min_f = c->any ? VD_MIN(c->min_f, v) : v;
        c->max_f = c->any ? VD_MAX(c->max_f, v) : v;
        c->any = true;
    }
    add_le(&c->plain, bits_of(v), 8);
}

static bool is_utf8(const char *s, int64_t n) {
    for (int64_t i = 0; i < n;) {
        int k = vd_utf8_len(s + i);
        if (k < 1 || i + k > n) return false;
        i += k;
    }
    return true;
}

static void add_bytes(vd_str *out, const char *s, int64_t n, bool text) {
    if (!text || is_utf8(s, n)) {
        add_le(out, (uint64_t)n, 4);
        vd_str_addn(out, s, n);
        return;
    }
    vd_str clean = { 0 };
    for (int64_t i = 0; i < n;) {
        int k = vd_utf8_len(s + i);
        bool good = k >= 1 && i + k <= n;
        vd_str_addn(&clean, good ? s + i : "\xef\xbf\xbd", good ? k : 3);
        i += good ? k : 1;
    }
    add_le(out, (uint64_t)clean.size, 4);
    vd_str_addn(out, clean.data, clean.size);
    if (clean.status != VD_OK) out->status = clean.status;
    vd_str_reset(&clean);
}

/* The word's number in the dictionary; texts that hardly repeat are given up on. */
static vd_status add_word(column *c, const char *s, int64_t n, vd_err *err) {
    int64_t at = 0;
    if (c->no_words) return VD_OK;
    if (c->words == NULL) VD_TRY(vd_map_new(&c->words, err));
    if (!vd_map_get(c->words, s, (size_t)n, &at)) {
        at = vd_map_size(c->words);
        bool rare = c->n_values >= TRIAL && 2 * at > c->n_values;
        if (rare || at == MAX_WORDS) {
            c->no_words = true;
            return VD_OK;
        }
        VD_TRY(vd_map_put(c->words, s, (size_t)n, at, err));
        add_bytes(&c->dictionary, s, n, true);
    }
    VD_TRY(VD_GROW(c->index, c->cap_index, c->n_values + 1, err));
    c->index[c->n_values] = (uint32_t)at;
    return VD_OK;
}

static vd_status add_value(column *c, const vd_value *v, int64_t row, vd_err *err) {
    VD_TRY(VD_GROW(c->defined, c->cap_defined, row + 1, err));
    c->defined[row] = v->type != VD_NULL;
    if (v->type == VD_NULL) return VD_OK;
    bool fits = v->type == c->type || (c->type == VD_REAL && v->type == VD_INT);
    if (!fits)
        return vd_fail(err, VD_E_ARG, "parquet: column %s has type %d, its value %d", c->name,
                       (int)c->type, (int)v->type);
    if ((c->type == VD_TEXT || c->type == VD_BLOB) && v->n > MAX_VALUE)
        return vd_fail(err, VD_E_LIMIT, "parquet: column %s: %lld bytes, at most %lld fit", c->name,
                       (long long)v->n, (long long)MAX_VALUE);
    if (c->type == VD_INT) add_int(c, v->i);
    if (c->type == VD_REAL) add_real(c, v->type == VD_INT ? (double)v->i : v->f);
    if (c->type == VD_TEXT) VD_TRY(add_word(c, v->s, v->n, err));
    if (c->type == VD_TEXT || c->type == VD_BLOB)
        add_bytes(&c->plain, v->s, v->n, c->type == VD_TEXT);
    c->n_values++;
    return vd_str_check(&c->plain, err);
}

/* ---- pages ---- */

static vd_status put_page(vd_parquet *p, int kind, int64_t values, int encoding, vd_err *err) {
    VD_TRY(vd_str_check(&p->page, err));
    vd_str_clear(&p->head);
    vd_thrift t = { .out = &p->head };
    vd_thrift_i32(&t, 1, kind);
    vd_thrift_i32(&t, 2, (int32_t)p->page.size);
    vd_thrift_i32(&t, 3, (int32_t)p->page.size);
    vd_thrift_begin(&t, kind == PQ_DATA_PAGE ? 5 : 7);
    vd_thrift_i32(&t, 1, (int32_t)values);
    vd_thrift_i32(&t, 2, encoding);
    if (kind == PQ_DATA_PAGE) {
        vd_thrift_i32(&t, 3, PQ_RLE);
        vd_thrift_i32(&t, 4, PQ_RLE);
    }
    vd_thrift_end(&t);
    vd_str_addc(&p->head, 0);
    VD_TRY(vd_str_check(&p->head, err));
    VD_TRY(put(p, p->head.data, p->head.size, err));
    return put(p, vd_str_text(&p->page), p->page.size, err);
}

static bool by_words(const column *c) {
    return c->words != NULL && !c->no_words && c->n_values > 0 &&
           c->dictionary.size + 2 * c->n_values < c->plain.size;
}

static void set_range(chunk *k, const column *c) {
    uint64_t low = (uint64_t)c->min_i, high = (uint64_t)c->max_i;
    if (c->type == VD_REAL) { /* zeros: the smallest is -0, the largest +0 */
        low = bits_of(c->min_f == 0 ? -0.0 : c->min_f);
        high = bits_of(c->max_f == 0 ? 0.0 : c->max_f);
    }
    k->has_range = c->any && (c->type == VD_INT || c->type == VD_REAL);
    for (int i = 0; i < 8; i++) {
        k->min[i] = (uint8_t)(low >> (8 * i));
        k->max[i] = (uint8_t)(high >> (8 * i));
    }
}

/* Definition levels with their length before them, then the values. */
static void data_page(vd_parquet *p, const column *c, bool words) {
    int64_t begin = p->page.size;
    add_le(&p->page, 0, 4);
    vd_rle_add(&p->page, c->defined, p->rows, 1);
    int64_t n = p->page.size - begin - 4;
    for (int i = 0; i < 4 && p->page.status == VD_OK; i++)
        p->page.data[begin + i] = (char)(n >> (8 * i) & 0xff);
    if (!words) {
        vd_str_addn(&p->page, vd_str_text(&c->plain), c->plain.size);
        return;
    }
    int width = vd_rle_width((uint32_t)vd_map_size(c->words) - 1);
    vd_str_addc(&p->page, (char)width);
    vd_rle_add(&p->page, c->index, c->n_values, width);
}

static vd_status put_chunk(vd_parquet *p, chunk *k, column *c, vd_err *err) {
    const int64_t begin = p->at;
    bool words = by_words(c);
    *k = (chunk){ .values = p->rows, .nulls = p->rows - c->n_values };
    set_range(k, c);
    if (words) {
        k->dictionary_at = p->at;
        vd_str_clear(&p->page);
        vd_str_addn(&p->page, vd_str_text(&c->dictionary), c->dictionary.size);
        VD_TRY(put_page(p, PQ_DICTIONARY_PAGE, vd_map_size(c->words), PQ_PLAIN, err));
    }
    k->data_at = p->at;
    vd_str_clear(&p->page);
    data_page(p, c, words);
    VD_TRY(put_page(p, PQ_DATA_PAGE, p->rows, words ? PQ_RLE_DICTIONARY : PQ_PLAIN, err));
    k->size = p->at - begin;
    return VD_OK;
}

static void clear_column(column *c) {
    vd_str_clear(&c->plain);
    vd_str_clear(&c->dictionary);
    vd_map_free(c->words);
    c->words = NULL;
    c->no_words = c->any = false;
    c->n_values = 0;
}

static vd_status put_group(vd_parquet *p, vd_err *err) {
    if (p->rows == 0) return VD_OK;
    VD_TRY(VD_GROW(p->group, p->cap_groups, p->n_groups + 1, err));
    group *g = &p->group[p->n_groups];
    *g = (group){ .rows = p->rows };
    g->chunk = vd_mem_array((size_t)p->n_cols, sizeof *g->chunk);
    if (g->chunk == NULL) return vd_nomem(err);
    p->n_groups++;
    for (int c = 0; c < p->n_cols; c++) {
        VD_TRY(put_chunk(p, &g->chunk[c], &p->col[c], err));
        g->size += g->chunk[c].size;
        clear_column(&p->col[c]);
    }
    p->n_rows += p->rows;
    p->rows = p->held = 0;
    return VD_OK;
}

vd_status vd_parquet_row(vd_parquet *p, const vd_value *values, vd_err *err) {
    for (int c = 0; c < p->n_cols; c++) {
        VD_TRY(add_value(&p->col[c], &values[c], p->rows, err));
        p->held += values[c].type == VD_TEXT || values[c].type == VD_BLOB ? values[c].n + 4 : 8;
    }
    p->rows++;
    return p->rows == MAX_ROWS || p->held >= GROUP_BYTES ? put_group(p, err) : VD_OK;
}

/* ---- the footer ---- */

static int physical(vd_type type) {
    return type == VD_INT ? PQ_INT64 : type == VD_REAL ? PQ_DOUBLE : PQ_BYTE_ARRAY;
}

static void add_schema(vd_thrift *t, const vd_parquet *p) {
    vd_thrift_list(t, 2, VD_THRIFT_STRUCT, p->n_cols + 1);
    vd_thrift_begin(t, 0);
    vd_thrift_text(t, 4, "schema");
    vd_thrift_i32(t, 5, p->n_cols);
    vd_thrift_end(t);
    for (int c = 0; c < p->n_cols; c++) {
        vd_thrift_begin(t, 0);
        vd_thrift_i32(t, 1, physical(p->col[c].type));
        vd_thrift_i32(t, 3, PQ_OPTIONAL);
        vd_thrift_text(t, 4, p->col[c].name);
        if (p->col[c].type == VD_TEXT) {
            vd_thrift_i32(t, 6, PQ_UTF8);
            vd_thrift_begin(t, 10); /* LogicalType: STRING */
            vd_thrift_begin(t, 1);
            vd_thrift_end(t);
            vd_thrift_end(t);
        }
        vd_thrift_end(t);
    }
}

static void add_chunk(vd_thrift *t, const column *c, const chunk *k) {
    bool words = k->dictionary_at > 0;
    vd_thrift_begin(t, 0);
    vd_thrift_i64(t, 2, words ? k->dictionary_at : k->data_at);
    vd_thrift_begin(t, 3);
    vd_thrift_i32(t, 1, physical(c->type));
    vd_thrift_list(t, 2, VD_THRIFT_I32, words ? 3 : 2);
    vd_thrift_item_i32(t, PQ_PLAIN);
    vd_thrift_item_i32(t, PQ_RLE);
    if (words) vd_thrift_item_i32(t, PQ_RLE_DICTIONARY);
    vd_thrift_list(t, 3, VD_THRIFT_BINARY, 1);
    vd_thrift_item_text(t, c->name);
    vd_thrift_i32(t, 4, PQ_UNCOMPRESSED);
    vd_thrift_i64(t, 5, k->values);
    vd_thrift_i64(t, 6, k->size);
    vd_thrift_i64(t, 7, k->size);
    vd_thrift_i64(t, 9, k->data_at);
    if (words) vd_thrift_i64(t, 11, k->dictionary_at);
    vd_thrift_begin(t, 12);
    vd_thrift_i64(t, 3, k->nulls);
    if (k->has_range) {
        vd_thrift_binary(t, 5, k->max, 8);
        vd_thrift_binary(t, 6, k->min, 8);
    }
    vd_thrift_end(t);
    vd_thrift_end(t);
    vd_thrift_end(t);
}

static void add_groups(vd_thrift *t, const vd_parquet *p) {
    vd_thrift_list(t, 4, VD_THRIFT_STRUCT, p->n_groups);
    for (int64_t i = 0; i < p->n_groups; i++) {
        const group *g = &p->group[i];
        vd_thrift_begin(t, 0);
        vd_thrift_list(t, 1, VD_THRIFT_STRUCT, p->n_cols);
        for (int c = 0; c < p->n_cols; c++) add_chunk(t, &p->col[c], &g->chunk[c]);
        vd_thrift_i64(t, 2, g->size);
        vd_thrift_i64(t, 3, g->rows);
        vd_thrift_end(t);
    }
}

/* How texts, and with that all others, are ordered in the statistics: as their type says. */
static void add_orders(vd_thrift *t, const vd_parquet *p) {
    vd_thrift_list(t, 7, VD_THRIFT_STRUCT, p->n_cols);
    for (int c = 0; c < p->n_cols; c++) {
        vd_thrift_begin(t, 0);
        vd_thrift_begin(t, 1);
        vd_thrift_end(t);
        vd_thrift_end(t);
    }
}

vd_status vd_parquet_close(vd_parquet *p, vd_err *err) {
    VD_TRY(put_group(p, err));
    vd_str_clear(&p->head);
    vd_thrift t = { .out = &p->head };
    vd_thrift_i32(&t, 1, 2); /* version of the format */
    add_schema(&t, p);
    vd_thrift_i64(&t, 3, p->n_rows);
    add_groups(&t, p);
    vd_thrift_text(&t, 6, "vidimus version " VIDIMUS_VERSION);
    add_orders(&t, p);
    vd_str_addc(&p->head, 0);
    const int64_t size = p->head.size;
    add_le(&p->head, (uint64_t)size, 4);
    vd_str_add(&p->head, MAGIC);
    VD_TRY(vd_str_check(&p->head, err));
    VD_TRY(put(p, p->head.data, p->head.size, err));
    return vd_out_close(&p->f, err);
}
