/* Named states of a dataset. SPDX-License-Identifier: Apache-2.0 */
#include "curate/snapshot.h"

#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"

void vd_state_reset(vd_state *s) {
    vd_mem_free(s->row);
    vd_mem_free(s->cls);
    vd_mem_free(s->object);
    vd_arena_reset(&s->texts);
    *s = (vd_state){ 0 };
}

static vd_status make_digest(vd_state *s, vd_err *err) {
    vd_hasher *h = NULL;
    VD_TRY(vd_hasher_new(&h, err));
    for (int64_t i = 0; i < s->n; i++) {
        const vd_state_row *r = &s->row[i];
        const char *const text[] = { r->uri, r->hash, r->part, r->labels };
        for (int k = 0; k < VD_COUNT(text); k++) vd_hasher_add(h, text[k], strlen(text[k]) + 1);
    }
    for (int64_t i = 0; i < s->n_objects; i++) {
        const vd_state_object *o = &s->object[i];
        const vd_state_class *c = &s->cls[o->cls];
        vd_hasher_add(h, &o->row, sizeof o->row);
        vd_hasher_add(h, c->set, strlen(c->set) + 1);
        vd_hasher_add(h, c->name, strlen(c->name) + 1);
        vd_hasher_add(h, &o->says, sizeof o->says);
    }
    vd_hash_hex(s->digest, vd_hasher_get(h));
    vd_hasher_free(h);
    return VD_OK;
}

static const char *keep(vd_state *s, const char *text) {
    return text[0] == '\0' ? "" : vd_arena_text(&s->texts, text);
}

/* ---- now ---- */

static vd_status find_split(vd_db *db, const char *name, int64_t *id, vd_err *err) {
    vd_stmt *s = NULL;
    bool is = false;
    VD_TRY(vd_db_prepare(&s, db, "SELECT id FROM split WHERE name = ?1", true, err));
    vd_stmt_bind(s, 1, vd_val_text(name));
    vd_status st = vd_stmt_step(s, &is, err);
    *id = is ? vd_stmt_int(s, 0) : 0;
    vd_stmt_free(s);
    if (st == VD_OK && !is)
        return vd_fail(err, VD_E_NOTFOUND, "snapshot: there is no split '%.80s'", name);
    return st;
}

static vd_status take_rows(vd_state *s, vd_db *db, const vd_curated_list *l, int64_t split,
                           vd_err *err) {
    vd_status st = VD_OK;
    vd_stmt *part = NULL;
    VD_GO(vd_db_prepare(&part, db,
                        "SELECT part FROM split_asset WHERE split_id = ?1 AND asset_id = ?2", true,
                        err));
    VD_GO(VD_GROW(s->row, s->cap, VD_MAX(l->n, 1), err));
    for (int64_t i = 0; i < l->n; i++) {
        bool is = false;
        vd_stmt_bind(part, 1, vd_val_int(split));
        vd_stmt_bind(part, 2, vd_val_int(l->row[i].id));
        VD_GO(vd_stmt_step(part, &is, err));
        vd_state_row r = { keep(s, l->row[i].uri), keep(s, l->row[i].text),
                           is ? keep(s, vd_stmt_text(part, 0)) : "", "", l->row[i].id };
        vd_stmt_reset(part);
        if (r.uri == NULL || r.hash == NULL || r.part == NULL) VD_GO(vd_nomem(err));
        s->row[s->n++] = r;
    }
done:
    vd_stmt_free(part);
    return st;
}

/* Whether a column says what a label is, not only where its row lies. */
static bool tells(const char *column) {
    static const char *const ids[] = { "id", "image_id", "source_id", "category", "asset_id" };
    for (int i = 0; i < VD_COUNT(ids); i++)
        if (strcmp(column, ids[i]) == 0) return false;
    return true;
}

static void add_value(vd_str *to, vd_value v) {
    vd_str_addc(to, (char)v.type);
    if (v.type == VD_INT || v.type == VD_REAL) vd_str_addn(to, (const char *)&v.i, sizeof v.i);
    if (v.type == VD_TEXT || v.type == VD_BLOB) {
        vd_str_addn(to, (const char *)&v.n, sizeof v.n);
        vd_str_addn(to, v.s, v.n);
    }
}

enum { SET_NAME = 1, CLASS_NAME = 2 }; /* columns of the statement below; then those of label */

typedef struct labelling {
    vd_state *s;
    vd_map *at, *classes; /* asset -> row; see vd_state_add */
    vd_hasher *h;
    vd_str says; /* an object */
    int64_t row; /* whose labels are being hashed, -1 */
} labelling;

static vd_status end_labels(labelling *l, vd_err *err) {
    char hex[33];
    if (l->h == NULL) return VD_OK;
    vd_hash_hex(hex, vd_hasher_get(l->h));
    vd_hasher_free(l->h);
    l->h = NULL;
    const char *text = keep(l->s, hex);
    if (text == NULL) return vd_nomem(err);
    l->s->row[l->row].labels = text;
    return VD_OK;
}

static vd_status add_label(labelling *l, const vd_stmt *s, vd_err *err) {
    int64_t id = vd_stmt_int(s, 0), at = 0;
    if (!vd_map_get(l->at, &id, sizeof id, &at)) return VD_OK;
    if (l->h == NULL || at != l->row) {
        VD_TRY(end_labels(l, err));
        VD_TRY(vd_hasher_new(&l->h, err));
        l->row = at;
    }
    vd_str_clear(&l->says);
    add_value(&l->says, vd_stmt_value(s, SET_NAME));
    add_value(&l->says, vd_stmt_value(s, CLASS_NAME));
    int64_t names = l->says.size;
    for (int c = CLASS_NAME + 1; c < vd_stmt_columns(s); c++)
        if (tells(vd_stmt_name(s, c))) add_value(&l->says, vd_stmt_value(s, c));
    VD_TRY(vd_str_check(&l->says, err));
    vd_hasher_add(l->h, l->says.data, (size_t)l->says.size);
    uint64_t says = vd_hash64(l->says.data + names, (size_t)(l->says.size - names));
    return vd_state_add(l->s, l->classes, at, vd_stmt_text(s, SET_NAME),
                        vd_stmt_text(s, CLASS_NAME), says, err);
}

/* Labels as they are told by all columns but ids, set by set, in the order of import; of sets that
 * are no younger than `until_ns`. */
static vd_status hash_labels(vd_state *s, vd_db *db, int64_t until_ns, vd_err *err) {
    static const char SQL[] =
        "SELECT m.asset_id, t.name AS set_name, c.name AS class_name, l.* FROM label_image m"
        " JOIN label_set t ON t.id = m.set_id JOIN label l ON l.image_id = m.id"
        " LEFT JOIN label_category c ON c.set_id = m.set_id AND c.category = l.category"
        " WHERE m.asset_id IS NOT NULL AND t.imported_ns <= ?1 ORDER BY m.asset_id, t.name, l.id";
    vd_status st = VD_OK;
    vd_stmt *q = NULL;
    labelling l = { .s = s, .row = -1 };
    bool row = true;
    VD_GO(vd_map_new(&l.at, err));
    VD_GO(vd_map_new(&l.classes, err));
    for (int64_t i = 0; i < s->n; i++)
        VD_GO(vd_map_put(l.at, &s->row[i].id, sizeof s->row[i].id, i, err));
    VD_GO(vd_db_prepare(&q, db, SQL, true, err));
    vd_stmt_bind(q, 1, vd_val_int(until_ns));
    while (row) {
        VD_GO(vd_stmt_step(q, &row, err));
        if (row) VD_GO(add_label(&l, q, err));
    }
    VD_GO(end_labels(&l, err));
    st = vd_state_sort(s, err);
done:
    vd_hasher_free(l.h);
    vd_str_reset(&l.says);
    vd_map_free(l.at);
    vd_map_free(l.classes);
    vd_stmt_free(q);
    return st;
}

vd_status vd_state_now(vd_state *out, vd_db *db, const char *where, const char *split,
                       vd_err *err) {
    vd_status st = VD_OK;
    vd_state s = { 0 };
    vd_curated_list list = { 0 };
    int64_t split_id = 0;
    const vd_curated_query q = { .where = where, .value = "content_hash" };
    if (split != NULL) VD_GO(find_split(db, split, &split_id, err));
    VD_GO(vd_curated_load(&list, db, &q, err));
    VD_GO(take_rows(&s, db, &list, split_id, err));
    VD_GO(hash_labels(&s, db, INT64_MAX, err));
    VD_GO(make_digest(&s, err));
    if ((s.split = keep(&s, split != NULL ? split : "")) == NULL) VD_GO(vd_nomem(err));
    vd_state_reset(out);
    *out = s;
    s = (vd_state){ 0 };
done:
    vd_curated_reset(&list);
    vd_state_reset(&s);
    return st;
}

/* ---- kept ---- */

/* The row of a snapshot; *id is -1 where there is none of that name. */
static vd_status find_snapshot(vd_state *s, vd_db *db, const char *name, int64_t *id,
                               char stated[33], vd_err *err) {
    vd_stmt *q = NULL;
    bool is = false;
    *id = -1;
    VD_TRY(vd_db_prepare(&q, db, "SELECT id, digest, split, made_ns FROM snapshot WHERE name = ?1",
                         true, err));
    vd_stmt_bind(q, 1, vd_val_text(name));
    vd_status st = vd_stmt_step(q, &is, err);
    if (st == VD_OK && is) {
        *id = vd_stmt_int(q, 0);
        strncpy(stated, vd_stmt_text(q, 1), 32);
        stated[32] = '\0';
        s->split = keep(s, vd_stmt_text(q, 2));
        s->made_ns = vd_stmt_int(q, 3);
        if (s->split == NULL) st = vd_nomem(err);
    }
    vd_stmt_free(q);
    return st;
}

static vd_status read_rows(vd_state *s, vd_db *db, int64_t id, vd_err *err) {
    vd_status st = VD_OK;
    vd_stmt *q = NULL;
    bool row = true;
    VD_GO(vd_db_prepare(&q, db,
                        "SELECT uri, content_hash, part, labels, asset_id FROM snapshot_asset"
                        " WHERE snapshot_id = ?1 ORDER BY uri",
                        true, err));
    vd_stmt_bind(q, 1, vd_val_int(id));
    while (row) {
        VD_GO(vd_stmt_step(q, &row, err));
        if (!row) break;
        VD_GO(VD_GROW(s->row, s->cap, s->n + 1, err));
        vd_state_row r = { keep(s, vd_stmt_text(q, 0)), keep(s, vd_stmt_text(q, 1)),
                           keep(s, vd_stmt_text(q, 2)), keep(s, vd_stmt_text(q, 3)),
                           vd_stmt_int(q, 4) };
        if (r.uri == NULL || r.hash == NULL || r.part == NULL || r.labels == NULL)
            VD_GO(vd_nomem(err));
        s->row[s->n++] = r;
    }
done:
    vd_stmt_free(q);
    return st;
}

vd_status vd_state_of_snapshot(vd_state *out, vd_db *db, const char *name, vd_err *err) {
    vd_status st = VD_OK;
    vd_state s = { 0 };
    int64_t id = -1;
    char stated[33] = "";
    VD_GO(find_snapshot(&s, db, name, &id, stated, err));
    if (id < 0) VD_GO(vd_fail(err, VD_E_NOTFOUND, "snapshot: there is no snapshot '%.80s'", name));
    VD_GO(read_rows(&s, db, id, err));
    VD_GO(vd_state_read_objects(&s, db, id, err));
    VD_GO(make_digest(&s, err));
    if (strcmp(stated, s.digest) != 0)
        VD_GO(vd_fail(err, VD_E_FORMAT, "snapshot '%.80s': its rows were changed from outside",
                      name));
    vd_state_reset(out);
    *out = s;
    s = (vd_state){ 0 };
done:
    vd_state_reset(&s);
    return st;
}

vd_status vd_state_relabel(vd_state *out, vd_db *db, const vd_state *snapshot, vd_err *err) {
    vd_status st = VD_OK;
    vd_state s = { 0 };
    VD_GO(VD_GROW(s.row, s.cap, VD_MAX(snapshot->n, 1), err));
    for (int64_t i = 0; i < snapshot->n; i++) {
        const vd_state_row *r = &snapshot->row[i];
        s.row[i] =
            (vd_state_row){ keep(&s, r->uri), keep(&s, r->hash), keep(&s, r->part), "", r->id };
        if (s.row[i].uri == NULL || s.row[i].hash == NULL || s.row[i].part == NULL)
            VD_GO(vd_nomem(err));
        s.n++;
    }
    VD_GO(hash_labels(&s, db, snapshot->made_ns, err));
    if ((s.split = keep(&s, snapshot->split)) == NULL) VD_GO(vd_nomem(err));
    s.made_ns = snapshot->made_ns;
    vd_state_reset(out);
    *out = s;
    s = (vd_state){ 0 };
done:
    vd_state_reset(&s);
    return st;
}

/* The rows come before the snapshot itself: once it is there, the catalog takes no more of them. */
static vd_status write_rows(vd_db *db, const vd_state *s, int64_t id, const char *name,
                            const char *note, vd_err *err) {
    vd_status st = VD_OK;
    vd_stmt *row = NULL, *head = NULL;
    VD_GO(vd_db_prepare(&row, db,
                        "INSERT INTO snapshot_asset(snapshot_id, uri, asset_id, content_hash, part,"
                        " labels) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                        true, err));
    for (int64_t i = 0; i < s->n; i++) {
        const vd_state_row *r = &s->row[i];
        const vd_value v[] = { vd_val_int(id),       vd_val_text(r->uri),  vd_val_int(r->id),
                               vd_val_text(r->hash), vd_val_text(r->part), vd_val_text(r->labels) };
        VD_GO(vd_stmt_run(row, v, 6, err));
    }
    VD_GO(vd_state_write_objects(db, s, id, err));
    VD_GO(vd_db_prepare(&head, db,
                        "INSERT INTO snapshot(id, name, made_ns, note, split, assets, digest)"
                        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                        true, err));
    const vd_value v[] = {
        vd_val_int(id),        vd_val_text(name), vd_val_int(vd_time_unix_ns()), vd_val_text(note),
        vd_val_text(s->split), vd_val_int(s->n),  vd_val_text(s->digest)
    };
    st = vd_stmt_run(head, v, 7, err);
done:
    vd_stmt_free(row);
    vd_stmt_free(head);
    return st;
}

vd_status vd_snapshot_store(vd_db *db, const vd_state *s, const char *name, const char *note,
                            vd_err *err) {
    vd_status st = VD_OK;
    vd_state none = { 0 };
    int64_t id = -1;
    char stated[33] = "";
    VD_TRY(vd_db_begin(db, err));
    VD_GO(find_snapshot(&none, db, name, &id, stated, err));
    if (id >= 0)
        VD_GO(vd_fail(err, VD_E_EXISTS,
                      "snapshot: there is '%.80s' already, and snapshots do not change", name));
    VD_GO(vd_db_int(db, "SELECT coalesce(max(id), 0) + 1 FROM snapshot", &id, err));
    VD_GO(write_rows(db, s, id, name, note, err));
    st = vd_db_commit(db, err);
done:
    if (st != VD_OK) vd_db_rollback(db);
    vd_state_reset(&none);
    return st;
}
