/* Datumaro's JSON: annotations/SUBSET.json with categories and items. SPDX-License-Identifier:
 * Apache-2.0
 *
 * https://open-edge-platform.github.io/datumaro, format "datumaro". Items are read one by one;
 * those that come before the categories are read again when these are known. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/decimal.h"
#include "base/mem.h"
#include "labelio/coco.h"
#include "label/mask.h"
#include "labelio/simple.h"
#include "labelkit/tree.h"

typedef struct reader {
    vd_label_in *in;
    vd_json_stream *s;
    const char *subset, *where;
    int32_t *classes; /* index of each label */
    int64_t n_classes, cap;
    vd_build b;
    vd_mask mask;
    vd_arena arena;
    vd_str raw;
    bool have_categories, deferred;
    vd_js_mark items;
} reader;

static vd_status next_tree(reader *r, const vd_json **out, vd_err *err) {
    vd_str_clear(&r->raw);
    vd_arena_clear(&r->arena);
    VD_TRY(vd_js_raw(r->s, &r->raw, err));
    return vd_json_parse(out, &r->arena, r->where, r->raw.data, (size_t)r->raw.size, err);
}

/* ---- categories ---- */

/* Names of points and their joints, which lie beside the labels. */
static vd_status skeleton_of(reader *r, const vd_json *categories, int64_t label,
                             vd_label_category *c, int32_t **edges, vd_err *err) {
    const vd_json *items = vd_json_get(vd_json_get(categories, "points"), "items"), *v = NULL;
    for (const vd_json *i = items != NULL ? items->first : NULL; i != NULL && v == NULL;
         i = i->next)
        if (vd_json_number(i, "label_id", -1) == (double)label) v = i;
    const vd_json *labels = vd_json_get(v, "labels"), *joints = vd_json_get(v, "joints");
    if (labels == NULL || labels->type != VD_JSON_ARRAY || labels->n == 0) return VD_OK;
    const char **names = vd_arena_alloc(&r->arena, (size_t)labels->n * sizeof *names);
    if (names == NULL) return vd_nomem(err);
    int32_t n = 0;
    for (const vd_json *l = labels->first; l != NULL; l = l->next)
        names[n++] = l->type == VD_JSON_TEXT ? l->text : "";
    c->keypoints = names;
    c->n_keypoints = n;
    if (joints == NULL || joints->type != VD_JSON_ARRAY) return VD_OK;
    *edges = vd_arena_alloc(&r->arena, 2 * (size_t)(joints->n + 1) * sizeof **edges);
    if (*edges == NULL) return vd_nomem(err);
    for (const vd_json *j = joints->first; j != NULL; j = j->next) {
        double pair[2];
        VD_TRY(vd_tree_reals(j, pair, 2, r->where, "a joint", err));
        bool inside = pair[0] >= 1 && pair[1] >= 1 && pair[0] <= n && pair[1] <= n;
        if (!inside) continue;
        (*edges)[2 * c->n_edges] = (int32_t)pair[0] - 1;
        (*edges)[2 * c->n_edges++ + 1] = (int32_t)pair[1] - 1;
    }
    c->edges = *edges;
    return VD_OK;
}

static vd_status read_categories(reader *r, vd_err *err) {
    const vd_json *all = NULL;
    VD_TRY(next_tree(r, &all, err));
    const vd_json *labels = vd_json_get(vd_json_get(all, "label"), "labels");
    for (const vd_json *l = labels != NULL ? labels->first : NULL; l != NULL; l = l->next) {
        const char *name = vd_json_text(l, "name"), *parent = vd_json_text(l, "parent");
        vd_label_category c = { .id = r->n_classes, .name = name };
        int32_t *edges = NULL;
        if (name == NULL || name[0] == '\0')
            return vd_fail(err, VD_E_FORMAT, "%s: label %lld has no name", r->where,
                           (long long)r->n_classes);
        c.parent = parent != NULL && parent[0] != '\0' ? parent : NULL;
        VD_TRY(skeleton_of(r, all, r->n_classes, &c, &edges, err));
        VD_TRY(VD_GROW(r->classes, r->cap, r->n_classes + 1, err));
        VD_TRY(vd_label_in_category(r->in, &c, &r->classes[r->n_classes++], err));
    }
    r->have_categories = true;
    return VD_OK;
}

/* ---- items ---- */

static vd_status mask_of(reader *r, const vd_json *a, vd_err *err) {
    const vd_json *rle = vd_json_get(a, "rle");
    const char *counts = vd_json_text(rle, "counts");
    double size[2];
    VD_TRY(vd_tree_reals(vd_json_get(rle, "size"), size, 2, r->where, "the size of a mask", err));
    bool sane = size[0] >= 1 && size[1] >= 1 && size[0] <= VD_LABEL_MAX_SIDE &&
                size[1] <= VD_LABEL_MAX_SIDE;
    if (counts == NULL || !sane)
        return vd_fail(err, VD_E_FORMAT, "%s: a mask without counts or size", r->where);
    vd_mask_reset(&r->mask);
    VD_TRY(vd_mask_from_text(&r->mask, r->where, counts, (int64_t)strlen(counts), (int64_t)size[0],
                             (int64_t)size[1], err));
    vd_label_object *o = &r->b.o;
    o->has |= VD_OBJ_MASK;
    o->runs = r->mask.run;
    o->n_runs = r->mask.n;
    o->mask_width = r->mask.width;
    o->mask_height = r->mask.height;
    return VD_OK;
}

static vd_status points_of(reader *r, const vd_json *a, vd_err *err) {
    const vd_json *points = vd_json_get(a, "points"), *seen = vd_json_get(a, "visibility");
    const vd_json *s = seen != NULL && seen->type == VD_JSON_ARRAY ? seen->first : NULL;
    if (points == NULL || points->type != VD_JSON_ARRAY || points->n % 2 != 0)
        return vd_fail(err, VD_E_FORMAT, "%s: points that are no list of pairs", r->where);
    for (const vd_json *p = points->first; p != NULL; p = p->next->next) {
        if (p->type != VD_JSON_NUMBER || p->next->type != VD_JSON_NUMBER)
            return vd_fail(err, VD_E_FORMAT, "%s: a point that is no number", r->where);
        VD_TRY(
            vd_build_keypoint(&r->b, p->number, p->next->number, s != NULL ? s->number : 2, err));
        if (s != NULL) s = s->next;
    }
    return VD_OK;
}

static vd_status shape_of(reader *r, const char *type, const vd_json *a, bool *known, vd_err *err) {
    double box[5];
    *known = true;
    if (strcmp(type, "bbox") == 0) {
        VD_TRY(vd_tree_reals(vd_json_get(a, "bbox"), box, 4, r->where, "bbox", err));
        vd_build_box(&r->b, box[0], box[1], box[2], box[3]);
        return VD_OK;
    }
    if (strcmp(type, "polygon") == 0 || strcmp(type, "polyline") == 0) {
        VD_TRY(vd_tree_vertices(&r->b, vd_json_get(a, "points"), 1, 1, r->where, err));
        return vd_build_ring(&r->b, strcmp(type, "polygon") == 0 ? VD_OBJ_POLYGON : VD_OBJ_LINE,
                             err);
    }
    if (strcmp(type, "points") == 0) return points_of(r, a, err);
    if (strcmp(type, "mask") == 0) return mask_of(r, a, err);
    if (strcmp(type, "label") == 0) return VD_OK;
    if (strcmp(type, "caption") == 0) {
        const char *text = vd_json_text(a, "caption");
        r->b.o.has |= VD_OBJ_CAPTION;
        vd_str_add(&r->b.caption, text != NULL ? text : "");
        return VD_OK;
    }
    *known = false;
    return vd_label_lose(r->in->report, err, "annotations of other kinds", "%s: %.60s", r->where,
                         type);
}

static vd_status read_annotation(reader *r, const vd_json *a, int32_t image, vd_err *err) {
    const char *type = vd_json_text(a, "type");
    int64_t label = 0, group = 0, id = 0, z = 0;
    bool known = false;
    vd_build_clear(&r->b, image);
    if (type == NULL)
        return vd_fail(err, VD_E_FORMAT, "%s: an annotation without a type", r->where);
    VD_TRY(shape_of(r, type, a, &known, err));
    if (!known) return VD_OK;
    VD_TRY(vd_tree_int(a, "label_id", -1, &label, r->where, err));
    VD_TRY(vd_tree_int(a, "group", 0, &group, r->where, err));
    VD_TRY(vd_tree_int(a, "id", 0, &id, r->where, err));
    VD_TRY(vd_tree_int(a, "z_order", 0, &z, r->where, err));
    if (label >= r->n_classes)
        return vd_fail(err, VD_E_FORMAT, "%s: label_id %lld, there are %lld labels", r->where,
                       (long long)label, (long long)r->n_classes);
    if (label >= 0) r->b.o.category = r->classes[label];
    vd_tree_attributes(&r->b.attributes, vd_json_get(a, "attributes"));
    if (group != 0) vd_attr_real(&r->b.attributes, "group", (double)group);
    if (z != 0) vd_attr_real(&r->b.attributes, "z_order", (double)z);
    if (vd_json_get(a, "id") != NULL) {
        r->b.o.has |= VD_OBJ_ID;
        r->b.o.id = id;
    }
    return vd_build_push(&r->b, r->in, r->where, err);
}

static vd_status read_item(reader *r, const vd_json *item, vd_err *err) {
    const char *id = vd_json_text(item, "id");
    const vd_json *image = vd_json_get(item, "image"), *size = vd_json_get(image, "size");
    const char *path = vd_json_text(image, "path");
    const vd_json *list = vd_json_get(item, "annotations");
    vd_label_image m = { .frame = VD_LABEL_NONE, .subset = r->subset };
    vd_str attributes = { 0 };
    int32_t index = 0;
    double hw[2] = { 0 };
    if (path == NULL || path[0] == '\0') path = vd_json_text(vd_json_get(item, "media"), "path");
    m.name = path != NULL && path[0] != '\0' ? path : id;
    if (m.name == NULL || m.name[0] == '\0')
        return vd_fail(err, VD_E_FORMAT, "%s: an item without an id", r->where);
    if (size != NULL && size->type == VD_JSON_ARRAY)
        VD_TRY(vd_tree_reals(size, hw, 2, r->where, "the size of an image", err));
    if (hw[0] < 0 || hw[0] > VD_LABEL_MAX_SIDE || hw[1] < 0 || hw[1] > VD_LABEL_MAX_SIDE)
        return vd_fail(err, VD_E_FORMAT, "%s: an image of %g x %g pixels", r->where, hw[1], hw[0]);
    m.height = (int32_t)hw[0];
    m.width = (int32_t)hw[1];
    vd_tree_attributes(&attributes, vd_json_get(item, "attr"));
    m.attributes = vd_attr_end(&attributes);
    vd_status st = vd_str_check(&attributes, err);
    if (st == VD_OK) st = vd_label_in_image(r->in, &m, &index, NULL, err);
    for (const vd_json *a = list != NULL ? list->first : NULL; st == VD_OK && a != NULL;
         a = a->next)
        st = read_annotation(r, a, index, err);
    vd_str_reset(&attributes);
    return st;
}

static vd_status read_items(reader *r, vd_err *err) {
    bool more = true;
    char where[512];
    const vd_json *item = NULL;
    const char *name = r->where;
    vd_status st = VD_OK;
    VD_TRY(vd_js_enter(r->s, VD_JSON_ARRAY, err));
    for (;;) {
        VD_GO(vd_js_item(r->s, &more, err));
        if (!more) break;
        snprintf(where, sizeof where, "%s: item at byte %lld", name, (long long)vd_js_at(r->s));
        r->where = where;
        VD_GO(next_tree(r, &item, err));
        VD_GO(read_item(r, item, err));
    }
done:
    r->where = name;
    return st;
}

static vd_status read_document(reader *r, vd_err *err) {
    bool more = true;
    vd_js_text key;
    VD_TRY(vd_js_enter(r->s, VD_JSON_OBJECT, err));
    for (;;) {
        VD_TRY(vd_js_member(r->s, &key, &more, err));
        if (!more) break;
        if (strcmp(key.p, "categories") == 0) {
            VD_TRY(read_categories(r, err));
        } else if (strcmp(key.p, "items") == 0 && r->have_categories) {
            VD_TRY(read_items(r, err));
        } else if (strcmp(key.p, "items") == 0) {
            r->deferred = true;
            r->items = vd_js_mark_of(r->s);
            VD_TRY(vd_js_pass(r->s, err));
        } else {
            VD_TRY(vd_js_skip(r->s, err));
        }
    }
    VD_TRY(vd_js_end(r->s, err));
    if (!r->deferred) return VD_OK;
    VD_TRY(vd_js_back(r->s, r->items, err));
    return read_items(r, err);
}

vd_status vd_datumaro_read(vd_label_in *in, vd_json_stream *s, const char *subset, vd_err *err) {
    reader r = { .in = in, .s = s, .subset = subset, .where = vd_js_where(s) };
    vd_status st = read_document(&r, err);
    vd_build_reset(&r.b);
    vd_mask_reset(&r.mask);
    vd_arena_reset(&r.arena);
    vd_str_reset(&r.raw);
    vd_mem_free(r.classes);
    return st;
}

static vd_status read_file(vd_label_in *in, const char *path, vd_err *err) {
    vd_json_stream *s = NULL;
    vd_str subset = { 0 };
    vd_add_stem(&subset, path);
    VD_TRY(vd_js_open(&s, path, err));
    vd_status st = vd_str_check(&subset, err);
    bool named = strcmp(vd_str_text(&subset), "default") != 0;
    if (st == VD_OK) st = vd_datumaro_read(in, s, named ? subset.data : NULL, err);
    vd_js_free(s);
    vd_str_reset(&subset);
    return st;
}

static vd_status read_path(vd_label_in *in, const char *path, vd_err *err) {
    vd_names names = { 0 };
    vd_str folder = { 0 }, file = { 0 };
    vd_status st = VD_OK;
    if (!vd_is_folder(path)) return read_file(in, path, err);
    vd_join(&folder, path, "annotations");
    if (!vd_is_folder(vd_str_text(&folder))) vd_join(&folder, path, "");
    VD_GO(vd_names_of(&names, vd_str_text(&folder), err));
    for (int64_t i = 0; i < names.n; i++) {
        if (!vd_str_ends(names.name[i], ".json")) continue;
        vd_join(&file, folder.data, names.name[i]);
        VD_GO(vd_str_check(&file, err));
        VD_GO(read_file(in, file.data, err));
    }
done:
    vd_names_reset(&names);
    vd_str_reset(&folder);
    vd_str_reset(&file);
    return st;
}

/* ---- writing ---- */

typedef struct writer {
    vd_label_set *set;
    const vd_label_out *out;
    const char *subset;
    vd_out_file f;
    int64_t n_shapes; /* of the present item */
} writer;

static void add_labels(writer *w) {
    vd_str *s = &w->f.text;
    bool points = false;
    vd_str_add(s, "{\"info\":{},\"categories\":{\"label\":{\"labels\":[");
    for (int64_t i = 0; i < w->set->n_categories; i++) {
        const vd_label_category *c = &w->set->categories[i];
        points = points || c->n_keypoints > 0;
        vd_str_add(s, i > 0 ? ",\n{\"name\":" : "\n{\"name\":");
        vd_str_json(s, c->name);
        vd_str_add(s, ",\"parent\":");
        vd_str_json(s, c->parent != NULL ? c->parent : "");
        vd_str_add(s, ",\"attributes\":[]}");
    }
    vd_str_add(s, "],\"attributes\":[]}");
    if (points) vd_str_add(s, ",\"points\":{\"items\":[");
    for (int64_t i = 0, n = 0; i < w->set->n_categories; i++) {
        const vd_label_category *c = &w->set->categories[i];
        if (c->n_keypoints == 0) continue;
        vd_str_addf(s, "%s{\"label_id\":%lld,\"labels\":[", n++ > 0 ? "," : "", (long long)i);
        for (int k = 0; k < c->n_keypoints; k++) {
            if (k > 0) vd_str_addc(s, ',');
            vd_str_json(s, c->keypoints[k]);
        }
        vd_str_add(s, "],\"joints\":[");
        for (int k = 0; k < c->n_edges; k++)
            vd_str_addf(s, "%s[%d,%d]", k > 0 ? "," : "", c->edges[2 * k] + 1,
                        c->edges[2 * k + 1] + 1);
        vd_str_add(s, "]}");
    }
    if (points) vd_str_add(s, "]}");
    vd_str_add(s, "},\"items\":[");
}

static void reals(vd_str *s, const char *key, const double *v, int64_t n, int64_t stride,
                  int64_t take) {
    vd_str_addf(s, ",\"%s\":[", key);
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < take; k++) {
            if (i + k > 0) vd_str_addc(s, ',');
            vd_decimal_add(s, v[i * stride + k]);
        }
    vd_str_addc(s, ']');
}

/* What every annotation of an object has; those of one object share a group. */
static void begin_shape(writer *w, const vd_label_object *o, const char *type, int64_t id,
                        int64_t group) {
    vd_str *s = &w->f.text;
    vd_str_addf(s, "%s{\"id\":%lld,\"type\":\"%s\",\"group\":%lld,\"attributes\":%s",
                w->n_shapes++ > 0 ? ",\n " : "\n ", (long long)id, type, (long long)group,
                o->attributes != NULL ? o->attributes : "{}");
    if (o->category >= 0) vd_str_addf(s, ",\"label_id\":%d", o->category);
}

static vd_status add_object(writer *w, const vd_label_image *m, const vd_label_object *o,
                            int64_t nth, uint32_t holds, vd_err *err) {
    vd_str *s = &w->f.text;
    uint32_t kinds =
        o->has & (VD_OBJ_BOX | VD_OBJ_POLYGON | VD_OBJ_LINE | VD_OBJ_MASK | VD_OBJ_KEYPOINTS);
    bool several = (kinds & (kinds - 1)) != 0 || o->n_rings > 1;
    int64_t id = o->has & VD_OBJ_ID ? o->id : nth, group = several ? nth + 1 : 0;
    const double *xy = o->xy;
    VD_TRY(vd_label_lose_rest(w->out->report, m, o, holds, err));
    if (several)
        VD_TRY(vd_label_lose(w->out->report, err,
                             "objects of several shapes (grouped annotations now)", "%s", m->name));
    if (o->has & VD_OBJ_BOX) {
        begin_shape(w, o, "bbox", id, group);
        reals(s, "bbox", o->box, 4, 1, 1);
        vd_str_add(s, ",\"z_order\":0}");
    }
    for (int i = 0; i < o->n_rings; i++) {
        int64_t n = o->ring[i] < 0 ? -(int64_t)o->ring[i] : o->ring[i];
        begin_shape(w, o, o->has & VD_OBJ_POLYGON ? "polygon" : "polyline", id, group);
        reals(s, "points", xy, n, 2, 2);
        vd_str_add(s, ",\"z_order\":0}");
        xy += 2 * n;
    }
    if (o->has & VD_OBJ_MASK) {
        begin_shape(w, o, "mask", id, group);
        vd_str_add(s, ",\"rle\":");
        VD_TRY(vd_coco_add_mask(s, o, true, err));
        vd_str_add(s, ",\"z_order\":0}");
    }
    if (o->has & VD_OBJ_KEYPOINTS) {
        begin_shape(w, o, "points", id, group);
        reals(s, "points", o->keypoints, o->n_keypoints, 3, 2);
        reals(s, "visibility", o->keypoints + 2, o->n_keypoints, 3, 1);
        vd_str_addc(s, '}');
    }
    if (o->has & VD_OBJ_CAPTION) {
        begin_shape(w, o, "caption", id, group);
        vd_str_add(s, ",\"caption\":");
        vd_str_json(s, o->caption);
        vd_str_addc(s, '}');
    } else if (kinds == 0 && o->category >= 0) {
        begin_shape(w, o, "label", id, group);
        vd_str_addc(s, '}');
    }
    return VD_OK;
}

static vd_status write_item(writer *w, int64_t i, bool first, vd_err *err) {
    static const uint32_t holds = VD_OBJ_BOX | VD_OBJ_POLYGON | VD_OBJ_LINE | VD_OBJ_MASK |
                                  VD_OBJ_KEYPOINTS | VD_OBJ_CAPTION | VD_LABEL_HOLDS_ATTRIBUTES;
    const vd_label_image *m = &w->set->images[i];
    vd_str *s = &w->f.text, id = { 0 };
    vd_label_object o;
    vd_add_safe_name(&id, m->name, "");
    vd_str_add(s, first ? "\n{\"id\":" : ",\n{\"id\":");
    vd_str_json(s, vd_str_text(&id));
    vd_str_reset(&id);
    vd_str_add(s, ",\"annotations\":[");
    w->n_shapes = 0;
    for (int64_t k = 0; k < vd_label_set_count(w->set, i); k++) {
        VD_TRY(vd_label_set_get(w->set, i, k, &o, err));
        VD_TRY(add_object(w, m, &o, k, holds, err));
    }
    vd_str_addf(s,
                "],\"attr\":%s,\"image\":{\"path\":", m->attributes != NULL ? m->attributes : "{}");
    vd_str_json(s, m->name);
    if (m->width > 0) vd_str_addf(s, ",\"size\":[%d,%d]", m->height, m->width);
    vd_str_add(s, "}}");
    return vd_out_step(&w->f, err);
}

static const char *subset_of(const vd_label_image *m) {
    return m->subset != NULL ? m->subset : "default";
}

static vd_status write_subset(writer *w, vd_err *err) {
    vd_str path = { 0 };
    vd_status st = VD_OK;
    bool first = true;
    vd_str_addf(&path, "%s/annotations/", w->out->path);
    vd_add_safe_name(&path, w->subset, ".json");
    VD_GO(vd_str_check(&path, err));
    VD_GO(vd_out_open(&w->f, path.data, err));
    add_labels(w);
    for (int64_t i = 0; i < w->set->n_images; i++) {
        if (strcmp(subset_of(&w->set->images[i]), w->subset) != 0) continue;
        VD_GO(write_item(w, i, first, err));
        first = false;
    }
    vd_str_add(&w->f.text, "]}\n");
    st = vd_out_close(&w->f, err);
done:
    vd_out_drop(&w->f);
    vd_str_reset(&path);
    return st;
}

static vd_status write_folder(vd_label_set *set, const vd_label_out *out, vd_err *err) {
    writer w = { .set = set, .out = out, .f = { .fd = -1 } };
    vd_names done = { 0 };
    vd_str folder = { 0 };
    vd_status st = VD_OK;
    vd_join(&folder, out->path, "annotations");
    VD_GO(vd_str_check(&folder, err));
    VD_GO(vd_make_folders(folder.data, err));
    for (int64_t i = 0; i < set->n_images; i++) {
        bool there = false;
        w.subset = subset_of(&set->images[i]);
        for (int64_t k = 0; k < done.n && !there; k++) there = strcmp(done.name[k], w.subset) == 0;
        if (there) continue;
        VD_GO(vd_names_add(&done, w.subset, strlen(w.subset), err));
        VD_GO(write_subset(&w, err));
    }
done:
    vd_names_reset(&done);
    vd_str_reset(&folder);
    return st;
}

static bool looks_so(const char *head) {
    bool labels = strstr(head, "\"label\"") != NULL || strstr(head, "\"infos\"") != NULL;
    return labels && strstr(head, "\"categories\"") != NULL && strstr(head, "\"images\"") == NULL;
}

static int detect(const vd_label_probe *p) {
    if (!p->folder)
        return vd_probe_key(p, "items") || (vd_probe_key(p, "categories") && looks_so(p->head)) ? 72
                                                                                                : 0;
    vd_names names = { 0 };
    vd_str path = { 0 };
    int sure = 0;
    vd_join(&path, p->path, "annotations");
    if (vd_is_folder(vd_str_text(&path)) && vd_names_of(&names, path.data, NULL) == VD_OK)
        for (int64_t i = 0; i < names.n && sure == 0; i++) {
            char head[4096];
            vd_str file = { 0 };
            if (!vd_str_ends(names.name[i], ".json")) continue;
            vd_read_head(vd_join(&file, path.data, names.name[i]), head, sizeof head);
            if (looks_so(head)) sure = 65;
            vd_str_reset(&file);
        }
    vd_names_reset(&names);
    vd_str_reset(&path);
    return sure;
}

const vd_label_format vd_label_datumaro = {
    .name = "datumaro",
    .summary = "Datumaro JSON: boxes, polygons, lines, masks, points, classes, captions",
    .folder = true,
    .holds = VD_OBJ_BOX | VD_OBJ_POLYGON | VD_OBJ_LINE | VD_OBJ_MASK | VD_OBJ_KEYPOINTS |
             VD_OBJ_CAPTION | VD_LABEL_HOLDS_ATTRIBUTES,
    .detect = detect,
    .read = read_path,
    .write = write_folder,
};
