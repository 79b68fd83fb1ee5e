/* The classes of pictures. SPDX-License-Identifier: Apache-2.0 */
#include "curate/classes.h"

#include <string.h>

#include "base/mem.h"
#include "store/label_read.h"

void vd_classes_reset(vd_classes *c) {
    vd_mem_free(c->name);
    vd_counts_reset(&c->objects);
    vd_arena_reset(&c->texts);
    *c = (vd_classes){ 0 };
}

static vd_status load_names(vd_classes *c, vd_db *db, const vd_label_set_row *set, vd_err *err) {
    vd_status st = VD_OK;
    vd_stmt *s = NULL;
    bool row = true;
    int64_t cap = 0;
    if ((c->set = vd_arena_text(&c->texts, set->name)) == NULL) return vd_nomem(err);
    VD_GO(vd_db_prepare(
        &s, db, "SELECT name FROM label_category WHERE set_id = ?1 ORDER BY category", true, err));
    vd_stmt_bind(s, 1, vd_val_int(set->set));
    while (row) {
        VD_GO(vd_stmt_step(s, &row, err));
        if (!row) break;
        VD_GO(VD_GROW(c->name, cap, c->n + 1, err));
        if ((c->name[c->n++] = vd_arena_text(&c->texts, vd_stmt_text(s, 0))) == NULL)
            VD_GO(vd_nomem(err));
    }
done:
    vd_stmt_free(s);
    return st;
}

static vd_status load_picture(vd_classes *c, vd_stmt *s, vd_err *err) {
    bool row = true;
    while (row) {
        VD_TRY(vd_stmt_step(s, &row, err));
        if (!row) break;
        int64_t kind = vd_stmt_int(s, 0), n = vd_stmt_int(s, 1);
        if (kind < 0 || kind >= c->n)
            return vd_fail(err, VD_E_FORMAT,
                           "labels: '%.100s' has objects of class %lld, and %d classes", c->set,
                           (long long)kind, (int)c->n);
        VD_TRY(vd_counts_add(&c->objects, (int32_t)kind, (int32_t)VD_MIN(n, INT32_MAX), err));
    }
    vd_counts_end(&c->objects);
    return VD_OK;
}

vd_status vd_classes_load(vd_classes *out, vd_db *db, const vd_curated_list *list, const char *set,
                          vd_err *err) {
    vd_status st = VD_OK;
    vd_stmt *s = NULL;
    vd_classes c = { 0 };
    vd_label_set_row row;
    VD_GO(vd_label_set_find(&row, db, set, err));
    VD_GO(load_names(&c, db, &row, err));
    VD_GO(vd_counts_init(&c.objects, list->n, c.n, err));
    VD_GO(vd_db_prepare(&s, db,
                        "SELECT l.category, count(*) FROM label_image m JOIN label l"
                        " ON l.image_id = m.id WHERE m.asset_id = ?1 AND m.set_id = ?2"
                        " AND l.category IS NOT NULL GROUP BY 1 ORDER BY 1",
                        true, err));
    for (int64_t i = 0; i < list->n; i++) {
        vd_stmt_bind(s, 1, vd_val_int(list->row[i].id));
        vd_stmt_bind(s, 2, vd_val_int(row.set));
        VD_GO(load_picture(&c, s, err));
        vd_stmt_reset(s);
    }
    vd_classes_reset(out);
    *out = c;
    c = (vd_classes){ 0 };
done:
    vd_stmt_free(s);
    vd_classes_reset(&c);
    return st;
}

void vd_classes_tally(int64_t *pictures, int64_t *objects, const vd_classes *c, const uint8_t *part,
                      int n_parts) {
    const vd_counts *o = &c->objects;
    memset(pictures, 0, (size_t)c->n * (size_t)n_parts * sizeof *pictures);
    memset(objects, 0, (size_t)c->n * (size_t)n_parts * sizeof *objects);
    for (int64_t i = 0; i < o->n; i++) {
        if (part[i] >= n_parts) continue;
        for (int64_t k = o->start[i]; k < o->start[i + 1]; k++) {
            int64_t at = (int64_t)o->pair[k].kind * n_parts + part[i];
            pictures[at]++;
            objects[at] += o->pair[k].n;
        }
    }
}
