/* Predictions beside a label set: which pictures and classes are the same. SPDX-License-Identifier:
 * Apache-2.0
 *
 * Pictures are the same by their asset, else by their name; those of COCO's lists of results, which
 * name pictures and classes by numbers alone, by the number. Classes are the same by name. */
#include <stdio.h>
#include <string.h>

#include "audit/predictions.h"
#include "base/map.h"
#include "base/mem.h"

void vd_audit_join_reset(vd_audit_join *j) {
    vd_mem_free(j->image);
    vd_mem_free(j->category);
    *j = (vd_audit_join){ 0 };
}

static bool is_number(const char *name, int64_t id) {
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)id);
    return strcmp(name, text) == 0;
}

typedef struct keys {
    vd_map *asset, *name, *id;
} keys;

static void keys_free(keys *k) {
    vd_map_free(k->asset);
    vd_map_free(k->name);
    vd_map_free(k->id);
}

static vd_status keys_new(keys *k, vd_err *err) {
    VD_TRY(vd_map_new(&k->asset, err));
    VD_TRY(vd_map_new(&k->name, err));
    return vd_map_new(&k->id, err);
}

/* Of several with one key the first stays. */
static vd_status put(vd_map *m, const void *key, size_t n, int64_t v, vd_err *err) {
    int64_t before = 0;
    return vd_map_get(m, key, n, &before) ? VD_OK : vd_map_put(m, key, n, v, err);
}

static vd_status join_images(vd_audit_join *j, const vd_audit_set *s, const vd_audit_set *p,
                             vd_err *err) {
    keys k = { 0 };
    vd_status st = VD_OK;
    VD_GO(keys_new(&k, err));
    for (int64_t i = 0; i < s->n_images; i++) {
        const vd_audit_image *m = &s->image[i];
        if (m->asset != 0) VD_GO(put(k.asset, &m->asset, sizeof m->asset, i, err));
        VD_GO(put(k.name, m->name, strlen(m->name), i, err));
        VD_GO(put(k.id, &m->source_id, sizeof m->source_id, i, err));
    }
    for (int64_t i = 0; i < p->n_images; i++) {
        const vd_audit_image *m = &p->image[i];
        int64_t at = -1;
        bool found = m->asset != 0 && vd_map_get(k.asset, &m->asset, sizeof m->asset, &at);
        if (!found) found = vd_map_get(k.name, m->name, strlen(m->name), &at);
        if (!found && is_number(m->name, m->source_id))
            found = vd_map_get(k.id, &m->source_id, sizeof m->source_id, &at);
        j->image[i] = found ? at : -1;
        j->n_images += found;
    }
done:
    keys_free(&k);
    return st;
}

static vd_status join_categories(vd_audit_join *j, const vd_audit_set *s, const vd_audit_set *p,
                                 vd_err *err) {
    keys k = { 0 };
    vd_status st = VD_OK;
    VD_GO(keys_new(&k, err));
    for (int64_t i = 0; i < s->n_categories; i++) {
        const vd_audit_category *c = &s->category[i];
        VD_GO(put(k.name, c->name, strlen(c->name), i, err));
        VD_GO(put(k.id, &c->source_id, sizeof c->source_id, i, err));
    }
    for (int64_t i = 0; i < p->n_categories; i++) {
        const vd_audit_category *c = &p->category[i];
        int64_t at = VD_LABEL_NONE;
        bool found = vd_map_get(k.name, c->name, strlen(c->name), &at);
        if (!found && is_number(c->name, c->source_id))
            found = vd_map_get(k.id, &c->source_id, sizeof c->source_id, &at);
        j->category[i] = found ? (int32_t)at : VD_LABEL_NONE;
        j->n_categories += found;
    }
done:
    keys_free(&k);
    return st;
}

static vd_status join(vd_audit_join *j, const vd_audit_set *s, const vd_audit_set *p, vd_err *err) {
    j->image = vd_mem_array((size_t)p->n_images, sizeof *j->image);
    j->category = vd_mem_array((size_t)p->n_categories, sizeof *j->category);
    if (j->image == NULL || j->category == NULL) return vd_nomem(err);
    VD_TRY(join_images(j, s, p, err));
    return join_categories(j, s, p, err);
}

vd_status vd_audit_join_make(vd_audit_join *out, const vd_audit_set *s, const vd_audit_set *p,
                             vd_err *err) {
    vd_audit_join j = { 0 };
    vd_status st = join(&j, s, p, err);
    if (st != VD_OK) {
        vd_audit_join_reset(&j);
        return st;
    }
    vd_audit_join_reset(out);
    *out = j;
    return VD_OK;
}
