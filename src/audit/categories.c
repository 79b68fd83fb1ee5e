/* Categories: names that mean the same, classes without an object, objects without a class.
 * SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <string.h>

#include "audit/audit.h"
#include "base/map.h"
#include "base/str.h"

/* Letters in lower case; blanks, - and _ between words as one blank, at the ends not at all. */
static void plain_name(vd_str *out, const char *name) {
    bool gap = false;
    vd_str_clear(out);
    for (const unsigned char *p = (const unsigned char *)name; *p != '\0'; p++) {
        bool blank = isspace(*p) || *p == '_' || *p == '-';
        if (!blank && gap && out->size > 0) vd_str_addc(out, ' ');
        if (!blank) vd_str_addc(out, (char)tolower(*p));
        gap = blank;
    }
}

vd_status vd_audit_category_names(vd_audit_findings *f, const vd_audit_set *s, vd_err *err) {
    vd_map *seen = NULL;
    vd_str name = { 0 };
    vd_status st = VD_OK;
    VD_GO(vd_map_new(&seen, err));
    for (int64_t i = 0; i < s->n_categories; i++) {
        const vd_audit_category *c = &s->category[i];
        int64_t before = 0;
        plain_name(&name, c->name);
        VD_GO(vd_str_check(&name, err));
        const char *key = vd_str_text(&name);
        if (!vd_map_get(seen, key, strlen(key), &before)) {
            VD_GO(vd_map_put(seen, key, strlen(key), i, err));
            continue;
        }
        const vd_audit_category *b = &s->category[before];
        const vd_audit_finding row = { .kind = VD_AUDIT_CATEGORY_NAMES,
                                       .image = -1,
                                       .name = c->name };
        VD_GO(vd_audit_add(f, &row, err, "'%.80s' (%lld objects) and '%.80s' (%lld objects)",
                           b->name, (long long)b->n, c->name, (long long)c->n));
    }
done:
    vd_map_free(seen);
    vd_str_reset(&name);
    return st;
}

vd_status vd_audit_unused(vd_audit_findings *f, const vd_audit_set *s, vd_err *err) {
    for (int64_t i = 0; i < s->n_categories; i++) {
        if (s->category[i].n > 0) continue;
        const vd_audit_finding row = {
            .kind = VD_AUDIT_UNUSED_CATEGORY, .image = -1, .name = s->category[i].name, .score = 0.9
        };
        VD_TRY(vd_audit_add(f, &row, err, "no object has the category '%.120s'", row.name));
    }
    return VD_OK;
}

/* Captions and tracks have no class by nature. */
vd_status vd_audit_unknown(vd_audit_findings *f, const vd_audit_set *s, vd_err *err) {
    for (int64_t i = 0; i < s->n_objects; i++) {
        const vd_audit_object *o = &s->object[i];
        bool caption = o->has & VD_OBJ_CAPTION && !(o->has & VD_OBJ_SHAPES);
        if (o->category == VD_LABEL_NONE && !caption && s->n_categories > 0)
            VD_TRY(vd_audit_add_object(f, VD_AUDIT_UNKNOWN_CATEGORY, s, i, 0, 0, err,
                                       "an object without a category; the set has %lld",
                                       (long long)s->n_categories));
    }
    return VD_OK;
}
