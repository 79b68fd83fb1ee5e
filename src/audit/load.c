/* A label set out of the catalog. SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "audit/audit.h"
#include "base/mem.h"

typedef struct loader {
    vd_audit_set set;
    vd_audit_findings *f;
    vd_stmt *assets; /* facts about the pictures' assets, in the order of the pictures */
    bool more;       /* it stands on a row */
} loader;

static vd_status on_category(void *user, const vd_label_category *c, vd_err *err) {
    loader *l = user;
    vd_audit_set *s = &l->set;
    VD_TRY(VD_GROW(s->category, s->cap_categories, s->n_categories + 1, err));
    vd_audit_category row = { .source_id = c->id, .name = vd_arena_text(&s->texts, c->name) };
    if (c->parent != NULL) row.parent = vd_arena_text(&s->texts, c->parent);
    if (row.name == NULL || (c->parent != NULL && row.parent == NULL)) return vd_nomem(err);
    s->category[s->n_categories++] = row;
    return VD_OK;
}

static int32_t side(const vd_stmt *s, int column) {
    int64_t v = vd_stmt_int(s, column);
    return v > 0 && v <= VD_LABEL_MAX_SIDE ? (int32_t)v : 0;
}

/* Rows of both statements come by the id of the label's picture. */
static vd_status asset_facts(loader *l, vd_audit_image *m, vd_err *err) {
    while (l->more && vd_stmt_int(l->assets, 0) < m->row)
        VD_TRY(vd_stmt_step(l->assets, &l->more, err));
    if (!l->more || vd_stmt_int(l->assets, 0) != m->row) {
        m->asset = 0; /* its row is gone */
        return VD_OK;
    }
    m->asset_width = side(l->assets, 1);
    m->asset_height = side(l->assets, 2);
    m->exact = vd_stmt_int(l->assets, 3);
    m->near = vd_stmt_int(l->assets, 4);
    m->vanished = strcmp(vd_stmt_text(l->assets, 5), "present") != 0;
    return VD_OK;
}

static vd_status on_image(void *user, const vd_label_image *m, int64_t row, int64_t asset,
                          bool *skip, vd_err *err) {
    loader *l = user;
    vd_audit_set *s = &l->set;
    (void)skip;
    VD_TRY(VD_GROW(s->image, s->cap_images, s->n_images + 1, err));
    vd_audit_image im = { .row = row,
                          .source_id = m->id,
                          .asset = asset,
                          .name = vd_arena_text(&s->texts, m->name),
                          .frame = m->frame,
                          .width = m->width,
                          .height = m->height };
    if (m->sequence != NULL) im.sequence = vd_arena_text(&s->texts, m->sequence);
    if (im.name == NULL || (m->sequence != NULL && im.sequence == NULL)) return vd_nomem(err);
    if (asset != 0) VD_TRY(asset_facts(l, &im, err));
    s->image[s->n_images++] = im;
    return VD_OK;
}

static vd_status on_object(void *user, const vd_label_object *o, int64_t row, vd_err *err) {
    loader *l = user;
    vd_audit_set *s = &l->set;
    VD_TRY(VD_GROW(s->object, s->cap_objects, s->n_objects + 1, err));
    vd_audit_object *out = &s->object[s->n_objects];
    bool known = o->category >= 0 && o->category < s->n_categories;
    *out = (vd_audit_object){ .row = row,
                              .image = o->image,
                              .category = known ? o->category : VD_LABEL_NONE,
                              .has = o->has,
                              .angle = (float)o->angle,
                              .area = o->area,
                              .score = o->has & VD_OBJ_SCORE ? o->score : NAN,
                              .track = o->track };
    memcpy(out->box, o->box, sizeof out->box);
    if (o->has & VD_OBJ_ROTATED && !(o->has & VD_OBJ_BOX) && !vd_label_bounds(o, out->box))
        memset(out->box, 0, sizeof out->box);
    if (known) s->category[o->category].n++;
    s->n_objects++;
    return l->f != NULL ? vd_audit_shape(l->f, s, s->n_objects - 1, o, err) : VD_OK;
}

/* Objects to their images, in the order of their rows there: sorted by counting. */
static vd_status by_image(vd_audit_set *s, vd_err *err) {
    bool sorted = true;
    vd_status st = VD_OK;
    vd_audit_object *out = NULL;
    int64_t *at = vd_mem_array((size_t)s->n_images, sizeof *at);
    if (at == NULL) VD_GO(vd_nomem(err));
    for (int64_t i = 0; i < s->n_objects; i++) {
        at[s->object[i].image]++;
        sorted = sorted && (i == 0 || s->object[i - 1].image <= s->object[i].image);
    }
    for (int64_t i = 0, first = 0; i < s->n_images; i++) {
        s->image[i].first = first;
        s->image[i].n = at[i];
        at[i] = first;
        first += s->image[i].n;
    }
    if (sorted) goto done;
    out = vd_mem_alloc((size_t)s->n_objects * sizeof *out);
    if (out == NULL) VD_GO(vd_nomem(err));
    for (int64_t i = 0; i < s->n_objects; i++) out[at[s->object[i].image]++] = s->object[i];
    vd_mem_free(s->object);
    s->object = out;
    s->cap_objects = s->n_objects;
done:
    vd_mem_free(at);
    return st;
}

vd_status vd_audit_load(vd_audit_set *out, vd_db *db, int64_t set, vd_audit_findings *f,
                        vd_err *err) {
    vd_status st = VD_OK;
    loader l = { .set = { .set = set }, .f = f };
    const vd_label_walk walk = { .category = on_category,
                                 .image = on_image,
                                 .object = on_object,
                                 .user = &l,
                                 .shapes = f != NULL,
                                 .in_rows = true };
    VD_GO(vd_db_prepare(&l.assets, db,
                        "SELECT i.id, f.width, f.height, f.duplicate_group, f.near_group, f.state"
                        " FROM label_image i JOIN asset_facts f ON f.id = i.asset_id"
                        " WHERE i.set_id = ?1 ORDER BY i.id",
                        true, err));
    vd_stmt_bind(l.assets, 1, vd_val_int(set));
    VD_GO(vd_stmt_step(l.assets, &l.more, err));
    VD_GO(vd_label_set_walk(db, set, &walk, err));
    VD_GO(by_image(&l.set, err));
    vd_audit_set_reset(out);
    *out = l.set;
    l.set = (vd_audit_set){ 0 };
done:
    vd_stmt_free(l.assets);
    vd_audit_set_reset(&l.set);
    return st;
}
