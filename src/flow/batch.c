/* Rows on their way to the catalog. Workers compute in parallel and fill batches of their own; a
 * batch is written by one worker at a time, in the order in which it was filled. Rows are keyed by
 * asset, so the order in which batches arrive does not show in the result. SPDX-License-Identifier:
 * Apache-2.0 */
#include "flow/run.h"

#include "base/mem.h"

typedef enum row_kind { R_FACT, R_THUMB, R_IDENTITY, R_CHILD, R_TRIM } row_kind;

typedef struct row {
    row_kind what;
    int table;
    int64_t id, a, size;
    double time_s;
    const char *text, *hash;
    const vd_value *values;
} row;

struct vd_batch {
    vd_arena arena;
    row *rows;
    int64_t n, cap;
};

vd_status vd_batch_new(vd_batch **out, vd_err *err) {
    vd_batch *b = vd_mem_array(1, sizeof *b);
    if (b == NULL) return vd_nomem(err);
    *out = b;
    return VD_OK;
}

void vd_batch_free(vd_batch *b) {
    if (b == NULL) return;
    vd_arena_reset(&b->arena);
    vd_mem_free(b->rows);
    vd_mem_free(b);
}

vd_arena *vd_batch_arena(vd_batch *b) {
    return &b->arena;
}
int64_t vd_batch_rows(const vd_batch *b) {
    return b->n;
}

void vd_batch_clear(vd_batch *b) {
    vd_arena_clear(&b->arena);
    b->n = 0;
}

static vd_status push(vd_batch *b, row r, vd_err *err) {
    VD_TRY(VD_GROW(b->rows, b->cap, b->n + 1, err));
    b->rows[b->n++] = r;
    return VD_OK;
}

vd_status vd_batch_fact(vd_batch *b, int table, int64_t asset_id, int64_t key,
                        const vd_value *values, int n, vd_err *err) {
    vd_value *copy = vd_arena_dup(&b->arena, values, (size_t)n * sizeof *values);
    if (copy == NULL) return vd_nomem(err);
    for (int i = 0; i < n; i++) {
        if (copy[i].type != VD_TEXT && copy[i].type != VD_BLOB) continue;
        char *bytes = vd_arena_alloc(&b->arena, (size_t)copy[i].n + 1);
        if (bytes == NULL) return vd_nomem(err);
        for (int64_t k = 0; k < copy[i].n; k++) bytes[k] = copy[i].s[k];
        bytes[copy[i].n] = '\0';
        copy[i].s = bytes;
    }
    return push(
        b, (row){ .what = R_FACT, .table = table, .id = asset_id, .a = key, .values = copy }, err);
}

vd_status vd_batch_thumbnail(vd_batch *b, int64_t asset_id, const void *jpeg, int64_t size,
                             vd_err *err) {
    const char *copy = vd_arena_dup(&b->arena, jpeg, (size_t)size);
    if (copy == NULL) return vd_nomem(err);
    return push(b, (row){ .what = R_THUMB, .id = asset_id, .text = copy, .size = size }, err);
}

vd_status vd_batch_identity(vd_batch *b, int64_t asset_id, const char *hash, const char *kind,
                            vd_err *err) {
    row r = { .what = R_IDENTITY, .id = asset_id };
    if (hash != NULL && (r.hash = vd_arena_text(&b->arena, hash)) == NULL) return vd_nomem(err);
    if (kind != NULL && (r.text = vd_arena_text(&b->arena, kind)) == NULL) return vd_nomem(err);
    return push(b, r, err);
}

vd_status vd_batch_child(vd_batch *b, int64_t parent_id, int64_t index, const char *kind,
                         double time_s, vd_err *err) {
    const char *copy = vd_arena_text(&b->arena, kind);
    if (copy == NULL) return vd_nomem(err);
    return push(
        b, (row){ .what = R_CHILD, .id = parent_id, .a = index, .text = copy, .time_s = time_s },
        err);
}

vd_status vd_batch_trim(vd_batch *b, int64_t parent_id, int64_t from_index, vd_err *err) {
    return push(b, (row){ .what = R_TRIM, .id = parent_id, .a = from_index }, err);
}

static vd_status write_row(const row *r, vd_writer *w, vd_err *err) {
    switch (r->what) {
    case R_FACT: return vd_writer_fact(w, r->table, r->id, r->a, r->values, err);
    case R_THUMB: return vd_writer_thumbnail(w, r->id, r->text, r->size, err);
    case R_IDENTITY: return vd_writer_identity(w, r->id, r->hash, r->text, err);
    case R_CHILD: return vd_writer_child(w, r->id, r->a, r->text, r->time_s, err);
    case R_TRIM: return vd_writer_trim_children(w, r->id, r->a, err);
    }
    return VD_E_INTERNAL;
}

vd_status vd_batch_write(vd_batch *b, vd_writer *w, vd_err *err) {
    for (int64_t i = 0; i < b->n; i++) VD_TRY(write_row(&b->rows[i], w, err));
    vd_batch_clear(b);
    return VD_OK;
}
