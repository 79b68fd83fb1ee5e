/* See lose.h. SPDX-License-Identifier: Apache-2.0 */
#include "labelkit/lose.h"

#include <string.h>

#include "base/json.h"

vd_status vd_label_lose_rest(vd_label_report *r, const vd_label_image *m, const vd_label_object *o,
                             uint32_t holds, vd_err *err) {
    static const struct {
        uint32_t bit;
        const char *what;
    } parts[] = { { VD_OBJ_BOX, "boxes" },        { VD_OBJ_ROTATED, "rotated boxes" },
                  { VD_OBJ_POLYGON, "polygons" }, { VD_OBJ_LINE, "lines" },
                  { VD_OBJ_MASK, "masks" },       { VD_OBJ_KEYPOINTS, "keypoints" },
                  { VD_OBJ_CAPTION, "captions" }, { VD_OBJ_TRACK, "tracks" },
                  { VD_OBJ_SCORE, "scores" },     { VD_OBJ_CROWD, "crowds" } };
    uint32_t lost = o->has & ~holds;
    if (r == NULL || (lost == 0 && (o->attributes == NULL || holds & VD_LABEL_HOLDS_ATTRIBUTES)))
        return VD_OK;
    for (int i = 0; i < VD_COUNT(parts); i++)
        if (lost & parts[i].bit) VD_TRY(vd_label_lose(r, err, parts[i].what, "%s", m->name));
    if (o->attributes != NULL && !(holds & VD_LABEL_HOLDS_ATTRIBUTES))
        VD_TRY(vd_label_lose(r, err, "attributes", "%s: %.150s", m->name, o->attributes));
    return VD_OK;
}

vd_status vd_label_lose_attributes(vd_label_report *r, const vd_label_image *m,
                                   const vd_label_object *o, const char *const *known, int n,
                                   vd_err *err) {
    vd_arena arena = { 0 };
    const vd_json *all = NULL;
    if (r == NULL || o->attributes == NULL) return VD_OK;
    vd_status st = vd_json_parse(&all, &arena, m->name, o->attributes, strlen(o->attributes), err);
    for (const vd_json *v = st == VD_OK ? all->first : NULL; st == VD_OK && v != NULL;
         v = v->next) {
        bool is_known = false;
        for (int i = 0; i < n && !is_known; i++)
            is_known = known[i] != NULL && strcmp(known[i], v->key) == 0;
        if (!is_known) st = vd_label_lose(r, err, "attributes", "%s: %.150s", m->name, v->key);
    }
    vd_arena_reset(&arena);
    return st;
}
