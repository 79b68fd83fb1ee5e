/* The labelled objects of a state. SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"
#include "curate/snapshot.h"

static vd_status find_class(int32_t *cls, vd_state *s, vd_map *at, const char *set,
                            const char *name, vd_err *err) {
    vd_str key = { 0 };
    int64_t k = 0;
    vd_str_addn(&key, set, (int64_t)strlen(set) + 1);
    vd_str_add(&key, name);
    vd_status st = vd_str_check(&key, err);
    if (st == VD_OK && !vd_map_get(at, key.data, (size_t)key.size, &k)) {
        k = s->n_classes;
        st = VD_GROW(s->cls, s->cap_classes, k + 1, err);
        if (st == VD_OK) st = vd_map_put(at, key.data, (size_t)key.size, k, err);
        vd_state_class c = { vd_arena_text(&s->texts, set), vd_arena_text(&s->texts, name) };
        if (st == VD_OK && (c.set == NULL || c.name == NULL)) st = vd_nomem(err);
        if (st == VD_OK) s->cls[s->n_classes++] = c;
    }
    vd_str_reset(&key);
    *cls = (int32_t)k;
    return st;
}

vd_status vd_state_add(vd_state *s, vd_map *at, int64_t row, const char *set, const char *name,
                       uint64_t says, vd_err *err) {
    int32_t cls = 0;
    VD_TRY(find_class(&cls, s, at, set, name, err));
    VD_TRY(VD_GROW(s->object, s->cap_objects, s->n_objects + 1, err));
    s->object[s->n_objects++] = (vd_state_object){ row, cls, says };
    return VD_OK;
}

typedef struct named {
    vd_state_class c;
    int32_t was;
} named;

static int by_name(const void *a, const void *b) {
    const named *p = a, *q = b;
    int order = strcmp(p->c.set, q->c.set);
    return order != 0 ? order : strcmp(p->c.name, q->c.name);
}

static int by_row(const void *a, const void *b) {
    const vd_state_object *p = a, *q = b;
    if (p->row != q->row) return p->row < q->row ? -1 : 1;
    if (p->cls != q->cls) return p->cls < q->cls ? -1 : 1;
    return (p->says > q->says) - (p->says < q->says);
}

vd_status vd_state_sort(vd_state *s, vd_err *err) {
    vd_status st = VD_OK;
    named *name = vd_mem_array((size_t)s->n_classes, sizeof *name);
    int32_t *now = vd_mem_array((size_t)s->n_classes, sizeof *now);
    if (name == NULL || now == NULL) VD_GO(vd_nomem(err));
    for (int32_t k = 0; k < s->n_classes; k++) name[k] = (named){ s->cls[k], k };
    if (s->n_classes > 0) qsort(name, (size_t)s->n_classes, sizeof *name, by_name);
    for (int32_t k = 0; k < s->n_classes; k++) {
        s->cls[k] = name[k].c;
        now[name[k].was] = k;
    }
    for (int64_t i = 0; i < s->n_objects; i++) s->object[i].cls = now[s->object[i].cls];
    if (s->n_objects > 0) qsort(s->object, (size_t)s->n_objects, sizeof *s->object, by_row);
done:
    vd_mem_free(name);
    vd_mem_free(now);
    return st;
}

/* ---- in the catalog ---- */

/* A hash as eight bytes, the lowest first. */
static void add_hash(vd_str *to, uint64_t h) {
    for (int k = 0; k < 64; k += 8) vd_str_addc(to, (char)(h >> k));
}

static uint64_t hash_at(const unsigned char *p) {
    uint64_t h = 0;
    for (int k = 0; k < 8; k++) h |= (uint64_t)p[k] << 8 * k;
    return h;
}

vd_status vd_state_write_objects(vd_db *db, const vd_state *s, int64_t snapshot, vd_err *err) {
    vd_status st = VD_OK;
    vd_stmt *q = NULL;
    vd_str blob = { 0 };
    VD_GO(vd_db_prepare(&q, db,
                        "INSERT INTO snapshot_label(snapshot_id, picture, set_name, class, objects)"
                        " VALUES (?1, ?2, ?3, coalesce(?4, ''), ?5)",
                        true, err));
    for (int64_t i = 0, next; i < s->n_objects; i = next) {
        const vd_state_object *o = &s->object[i];
        vd_str_clear(&blob);
        for (next = i;
             next < s->n_objects && s->object[next].row == o->row && s->object[next].cls == o->cls;
             next++)
            add_hash(&blob, s->object[next].says);
        VD_GO(vd_str_check(&blob, err));
        const vd_value v[] = { vd_val_int(snapshot), vd_val_int(o->row),
                               vd_val_text(s->cls[o->cls].set), vd_val_text(s->cls[o->cls].name),
                               vd_val_blob(blob.data, blob.size) };
        VD_GO(vd_stmt_run(q, v, VD_COUNT(v), err));
    }
done:
    vd_stmt_free(q);
    vd_str_reset(&blob);
    return st;
}

static vd_status add_objects(vd_state *s, vd_map *classes, const vd_stmt *q, int64_t row,
                             vd_err *err) {
    vd_value v = vd_stmt_value(q, 3);
    for (int64_t at = 0; v.type == VD_BLOB && at + 8 <= v.n; at += 8)
        VD_TRY(vd_state_add(s, classes, row, vd_stmt_text(q, 1), vd_stmt_text(q, 2),
                            hash_at((const unsigned char *)v.s + at), err));
    return VD_OK;
}

vd_status vd_state_read_objects(vd_state *s, vd_db *db, int64_t snapshot, vd_err *err) {
    vd_status st = VD_OK;
    vd_stmt *q = NULL;
    vd_map *classes = NULL;
    bool row = true;
    VD_GO(vd_map_new(&classes, err));
    VD_GO(vd_db_prepare(&q, db,
                        "SELECT picture, set_name, class, objects FROM snapshot_label"
                        " WHERE snapshot_id = ?1 ORDER BY picture, set_name, class",
                        true, err));
    vd_stmt_bind(q, 1, vd_val_int(snapshot));
    while (row) {
        VD_GO(vd_stmt_step(q, &row, err));
        int64_t at = row ? vd_stmt_int(q, 0) : -1;
        if (at >= 0 && at < s->n) VD_GO(add_objects(s, classes, q, at, err));
    }
    st = vd_state_sort(s, err);
done:
    vd_stmt_free(q);
    vd_map_free(classes);
    return st;
}
