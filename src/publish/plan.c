/* Which pictures; see plan.h. SPDX-License-Identifier: Apache-2.0 */
#include "publish/plan.h"

#include <string.h>

#include "base/mem.h"
#include "curate/snapshot.h"
#include "publish/names.h"

enum { MAX_PARTS = 64 };

const char *vd_fate_text(vd_fate fate) {
    static const char *const text[VD_N_FATES] = {
        [VD_FATE_OPEN] = "pictures that were not reached",
        [VD_FATE_DONE] = "pictures",
        [VD_FATE_GONE] = "pictures that the dataset does not have any more",
        [VD_FATE_NO_PART] = "pictures in no part of the split",
        [VD_FATE_RELABELLED] = "pictures whose labels are not those of the snapshot",
        [VD_FATE_CHANGED] = "pictures whose bytes are not those recorded",
        [VD_FATE_UNREADABLE] = "pictures that cannot be read",
        [VD_FATE_UNDECODABLE] = "pictures that do not decode",
        [VD_FATE_TOO_LARGE] = "pictures too large for what is written",
        [VD_FATE_NO_CLASS] = "pictures without a class",
        [VD_FATE_CLASSES] = "pictures of several classes",
        [VD_FATE_NO_SEQUENCE] = "pictures of no sequence",
        [VD_FATE_SAME_FRAME] = "second pictures of a frame",
    };
    return text[fate];
}

void vd_publish_plan_reset(vd_publish_plan *p) {
    for (int64_t i = 0; i < p->n; i++) vd_mem_free(p->item[i].why);
    vd_mem_free(p->item);
    vd_mem_free(p->part);
    vd_map_free(p->by_id);
    vd_arena_reset(&p->texts);
    *p = (vd_publish_plan){ 0 };
}

vd_publish_item *vd_publish_find(const vd_publish_plan *p, int64_t asset) {
    int64_t at = 0;
    return vd_map_get(p->by_id, &asset, sizeof asset, &at) ? &p->item[at] : NULL;
}

vd_status vd_publish_drop(vd_publish_item *item, vd_fate fate, const char *why, vd_err *err) {
    if (item->fate > VD_FATE_DONE) return VD_OK;
    item->fate = fate;
    item->why = why[0] != '\0' ? vd_mem_strdup(why) : NULL;
    return why[0] != '\0' && item->why == NULL ? vd_nomem(err) : VD_OK;
}

static vd_status keep(vd_publish_plan *p, const char **out, const char *text, vd_err *err) {
    *out = text[0] == '\0' ? "" : vd_arena_text(&p->texts, text);
    return *out != NULL ? VD_OK : vd_nomem(err);
}

/* ---- which, and what was recorded of them ---- */

static vd_status add_item(vd_publish_plan *p, int64_t id, const char *uri, const char *hash,
                          const char *part, vd_err *err) {
    VD_TRY(VD_GROW(p->item, p->cap, p->n + 1, err));
    vd_publish_item *m = &p->item[p->n];
    *m = (vd_publish_item){ .id = id, .frame = VD_LABEL_NONE, .class = VD_LABEL_NONE };
    VD_TRY(keep(p, &m->uri, uri, err));
    VD_TRY(keep(p, &m->hash, hash, err));
    VD_TRY(keep(p, &m->part, part, err));
    VD_TRY(vd_map_put(p->by_id, &id, sizeof id, p->n, err));
    p->n++;
    return VD_OK;
}

/* Drops those whose labels differ from those the snapshot had, of the sets that it knew. */
static vd_status compare_labels(vd_publish_plan *p, vd_db *db, const vd_state *then, vd_err *err) {
    vd_state now = { 0 };
    vd_status st = vd_state_relabel(&now, db, then, err);
    for (int64_t i = 0; st == VD_OK && i < p->n; i++)
        if (strcmp(now.row[i].labels, then->row[i].labels) != 0)
            st = vd_publish_drop(&p->item[i], VD_FATE_RELABELLED, "", err);
    vd_state_reset(&now);
    return st;
}

static vd_status of_snapshot(vd_publish_plan *p, vd_db *db, const char *name, bool labels,
                             vd_err *err) {
    vd_state s = { 0 };
    vd_status st = vd_state_of_snapshot(&s, db, name, err);
    bool parts = st == VD_OK && s.split != NULL && s.split[0] != '\0';
    for (int64_t i = 0; st == VD_OK && i < s.n; i++) {
        const vd_state_row *r = &s.row[i];
        st = add_item(p, r->id, r->uri, r->hash, parts ? r->part : "train", err);
    }
    if (st == VD_OK && labels) st = compare_labels(p, db, &s, err);
    if (st == VD_OK) {
        memcpy(p->digest, s.digest, sizeof p->digest);
        p->made_ns = s.made_ns;
    }
    vd_state_reset(&s);
    return st;
}

static vd_status of_now(vd_publish_plan *p, vd_db *db, const char *where, vd_err *err) {
    vd_curated_list list = { 0 };
    const vd_curated_query q = { .where = where, .value = "content_hash" };
    vd_status st = vd_curated_load(&list, db, &q, err);
    for (int64_t i = 0; st == VD_OK && i < list.n; i++)
        st = add_item(p, list.row[i].id, list.row[i].uri, list.row[i].text, "train", err);
    vd_curated_reset(&list);
    return st;
}

static vd_status parts_of(vd_publish_plan *p, vd_db *db, const char *split, vd_err *err) {
    vd_status st = VD_OK;
    vd_stmt *s = NULL;
    bool row = false;
    VD_GO(vd_db_prepare(&s, db, "SELECT 1 FROM split WHERE name = ?1", true, err));
    vd_stmt_bind(s, 1, vd_val_text(split));
    VD_GO(vd_stmt_step(s, &row, err));
    if (!row) VD_GO(vd_fail(err, VD_E_NOTFOUND, "export: there is no split '%.80s'", split));
    vd_stmt_free(s);
    s = NULL;
    VD_GO(vd_db_prepare(&s, db,
                        "SELECT a.part FROM split s JOIN split_asset a ON a.split_id = s.id"
                        " WHERE s.name = ?1 AND a.asset_id = ?2",
                        true, err));
    vd_stmt_bind(s, 1, vd_val_text(split));
    for (int64_t i = 0; i < p->n; i++) {
        vd_stmt_bind(s, 2, vd_val_int(p->item[i].id));
        VD_GO(vd_stmt_step(s, &row, err));
        VD_GO(keep(p, &p->item[i].part, row ? vd_stmt_text(s, 0) : "", err));
        vd_stmt_reset(s);
    }
done:
    vd_stmt_free(s);
    return st;
}

/* ---- what the catalog knows ---- */

static bool no_pixels(const char *verdict) {
    return strcmp(verdict, "unreadable") == 0 || strcmp(verdict, "not_an_image") == 0 ||
           strcmp(verdict, "unsupported") == 0 || strcmp(verdict, "too_large") == 0;
}

static int32_t side(int64_t v) {
    return v > 0 && v <= VD_LABEL_MAX_SIDE ? (int32_t)v : 0;
}

static vd_status take_facts(vd_publish_plan *p, vd_publish_item *m, const vd_stmt *s, vd_err *err) {
    if (strcmp(vd_stmt_text(s, 0), "present") != 0)
        return vd_publish_drop(m, VD_FATE_GONE, "", err);
    m->parent = vd_stmt_int(s, 1);
    m->member = vd_stmt_int(s, 2) != 0;
    m->width = side(vd_stmt_int(s, 3));
    m->height = side(vd_stmt_int(s, 4));
    if (m->width == 0 || m->height == 0) m->width = m->height = 0;
    m->orientation = (int)vd_stmt_int(s, 5);
    m->bits = (int)vd_stmt_int(s, 6);
    m->size = vd_stmt_int(s, 10);
    VD_TRY(keep(p, &m->place, vd_stmt_text(s, 9), err));
    m->refused = m->parent == 0 && no_pixels(vd_stmt_text(s, 7));
    /* a frame is as good as the file it comes from */
    return m->parent != 0 ? keep(p, &m->hash, vd_stmt_text(s, 8), err) : VD_OK;
}

static vd_status load_facts(vd_publish_plan *p, vd_db *db, vd_err *err) {
    vd_status st = VD_OK;
    vd_stmt *s = NULL;
    VD_GO(
        vd_db_prepare(&s, db,
                      "SELECT a.state, coalesce(a.parent_id, 0), coalesce(a.container_id, 0),"
                      " coalesce(f.width, 0), coalesce(f.height, 0), coalesce(f.orientation, 0),"
                      " coalesce(f.bits, 0), coalesce(f.verdict, ''), coalesce(b.content_hash, ''),"
                      " a.uri, coalesce(a.size, 0)"
                      " FROM asset a LEFT JOIN fact_check f ON f.asset_id = a.id"
                      " LEFT JOIN asset b ON b.id = a.parent_id WHERE a.id = ?1",
                      true, err));
    for (int64_t i = 0; i < p->n; i++) {
        bool row = false;
        vd_stmt_bind(s, 1, vd_val_int(p->item[i].id));
        VD_GO(vd_stmt_step(s, &row, err));
        VD_GO(row ? take_facts(p, &p->item[i], s, err)
                  : vd_publish_drop(&p->item[i], VD_FATE_GONE, "", err));
        vd_stmt_reset(s);
    }
done:
    vd_stmt_free(s);
    return st;
}

/* ---- names ---- */

static vd_status add_part(vd_publish_plan *p, const char **folder, vd_str *safe, const char *part,
                          vd_err *err) {
    vd_str_clear(safe);
    vd_publish_safe(safe, part);
    VD_TRY(vd_str_check(safe, err));
    for (int k = 0; k < p->n_parts; k++) {
        if (strcmp(p->part[k], safe->data) != 0) continue;
        if (strcmp(folder[k], part) == 0) return VD_OK;
        return vd_fail(err, VD_E_ARG, "export: parts '%.80s' and '%.80s' would be one folder, %s",
                       folder[k], part, safe->data);
    }
    if (p->n_parts == MAX_PARTS)
        return vd_fail(err, VD_E_LIMIT, "export: more than %d parts", MAX_PARTS);
    folder[p->n_parts] = part;
    return keep(p, &p->part[p->n_parts++], safe->data, err);
}

/* Parts become folders; what a trainer calls otherwise is left as it is named. */
static vd_status name_parts(vd_publish_plan *p, vd_err *err) {
    const char *folder[MAX_PARTS];
    vd_str safe = { 0 };
    vd_status st = VD_OK;
    p->part = vd_mem_array(MAX_PARTS, sizeof *p->part);
    if (p->part == NULL) return vd_nomem(err);
    for (int64_t i = 0; i < p->n; i++) {
        vd_publish_item *m = &p->item[i];
        if (m->part[0] == '\0') VD_GO(vd_publish_drop(m, VD_FATE_NO_PART, "", err));
        if (m->fate != VD_FATE_OPEN) continue;
        VD_GO(add_part(p, folder, &safe, m->part, err));
        for (int k = 0; k < p->n_parts; k++)
            if (strcmp(folder[k], m->part) == 0) m->part = p->part[k];
    }
    for (int k = 1; k < p->n_parts; k++) /* by name: few */
        for (int j = k; j > 0 && strcmp(p->part[j - 1], p->part[j]) > 0; j--) {
            const char *t = p->part[j];
            p->part[j] = p->part[j - 1];
            p->part[j - 1] = t;
        }
done:
    vd_str_reset(&safe);
    return st;
}

/* All are named, also those that are left out: names do not depend on what fails. */
static vd_status name_items(vd_publish_plan *p, vd_err *err) {
    vd_map *taken = NULL;
    vd_str name = { 0 };
    vd_status st = vd_map_new(&taken, err);
    for (int64_t i = 0; st == VD_OK && i < p->n; i++) {
        vd_str_clear(&name);
        st = vd_publish_name(&name, taken, p->item[i].uri, err);
        if (st == VD_OK) st = keep(p, &p->item[i].stem, name.data, err);
    }
    vd_map_free(taken);
    vd_str_reset(&name);
    return st;
}

vd_status vd_publish_plan_make(vd_publish_plan *out, vd_db *db, const char *snapshot,
                               const char *where, const char *split, bool labels, vd_err *err) {
    vd_status st = VD_OK;
    vd_publish_plan p = { 0 };
    VD_GO(vd_map_new(&p.by_id, err));
    VD_GO(snapshot != NULL ? of_snapshot(&p, db, snapshot, labels, err)
                           : of_now(&p, db, where, err));
    if (split != NULL) VD_GO(parts_of(&p, db, split, err));
    VD_GO(load_facts(&p, db, err));
    VD_GO(name_parts(&p, err));
    VD_GO(name_items(&p, err));
    *out = p;
    p = (vd_publish_plan){ 0 };
done:
    vd_publish_plan_reset(&p);
    return st;
}
