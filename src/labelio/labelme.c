/* LabelMe's JSON, one document a picture. https://github.com/wkentaro/labelme.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/decimal.h"
#include "base/mem.h"
#include "labelio/simple.h"
#include "labelkit/tree.h"

typedef struct reader {
    vd_label_in *in;
    const char *where;
    vd_build b;
    int32_t image;
} reader;

static vd_status corners(reader *r, const vd_json *points, vd_err *err) {
    double a[2], b[2];
    if (points == NULL || points->type != VD_JSON_ARRAY || points->n != 2)
        return vd_fail(err, VD_E_FORMAT, "%s: a rectangle without two points", r->where);
    VD_TRY(vd_tree_reals(points->first, a, 2, r->where, "a point", err));
    VD_TRY(vd_tree_reals(points->first->next, b, 2, r->where, "a point", err));
    vd_build_box(&r->b, fmin(a[0], b[0]), fmin(a[1], b[1]), fabs(a[0] - b[0]), fabs(a[1] - b[1]));
    return VD_OK;
}

static vd_status shape_of(reader *r, const vd_json *shape, bool *known, vd_err *err) {
    const char *type = vd_json_text(shape, "shape_type");
    const vd_json *points = vd_json_get(shape, "points");
    *known = true;
    if (type == NULL || strcmp(type, "polygon") == 0) {
        VD_TRY(vd_tree_vertices(&r->b, points, 1, 1, r->where, err));
        return vd_build_ring(&r->b, VD_OBJ_POLYGON, err);
    }
    if (strcmp(type, "rectangle") == 0) return corners(r, points, err);
    if (strcmp(type, "line") == 0 || strcmp(type, "linestrip") == 0) {
        VD_TRY(vd_tree_vertices(&r->b, points, 1, 1, r->where, err));
        return vd_build_ring(&r->b, VD_OBJ_LINE, err);
    }
    if (strcmp(type, "point") == 0 || strcmp(type, "points") == 0) {
        double p[2];
        for (const vd_json *v = points != NULL ? points->first : NULL; v != NULL; v = v->next) {
            VD_TRY(vd_tree_reals(v, p, 2, r->where, "a point", err));
            VD_TRY(vd_build_keypoint(&r->b, p[0], p[1], 2, err));
        }
        return VD_OK;
    }
    *known = false;
    return vd_label_lose(r->in->report, err, "shapes of other kinds", "%s: byte %lld: %.60s",
                         r->where, (long long)shape->at, type);
}

static vd_status read_shape(reader *r, const vd_json *shape, vd_err *err) {
    const char *label = vd_json_text(shape, "label");
    const vd_json *group = vd_json_get(shape, "group_id");
    bool known = false;
    char at[512];
    vd_build_clear(&r->b, r->image);
    if (label == NULL || label[0] == '\0')
        return vd_fail(err, VD_E_FORMAT, "%s: byte %lld: a shape without a label", r->where,
                       (long long)shape->at);
    VD_TRY(shape_of(r, shape, &known, err));
    if (!known) return VD_OK;
    VD_TRY(vd_label_in_class(r->in, label, &r->b.o.category, err));
    vd_tree_attributes(&r->b.attributes, vd_json_get(shape, "flags"));
    if (group != NULL && group->type == VD_JSON_NUMBER)
        vd_attr_real(&r->b.attributes, "group_id", group->number);
    const char *description = vd_json_text(shape, "description");
    if (description != NULL && description[0] != '\0')
        vd_attr_text(&r->b.attributes, "description", description);
    snprintf(at, sizeof at, "%s: byte %lld", r->where, (long long)shape->at);
    return vd_build_push(&r->b, r->in, at, err);
}

static vd_status read_document(reader *r, const vd_json *doc, const char *subset, vd_err *err) {
    const char *path = vd_json_text(doc, "imagePath");
    const vd_json *shapes = vd_json_get(doc, "shapes");
    vd_str attributes = { 0 }, name = { 0 };
    vd_label_image m = { .frame = VD_LABEL_NONE, .subset = subset };
    vd_status st = VD_OK;
    if (path == NULL || path[0] == '\0' || shapes == NULL || shapes->type != VD_JSON_ARRAY)
        return vd_fail(err, VD_E_FORMAT, "%s: no imagePath or no list \"shapes\"", r->where);
    vd_str_add(&name, path);
    VD_GO(vd_str_check(&name, err));
    for (char *p = name.data; *p != '\0'; p++) *p = *p == '\\' ? '/' : *p;
    m.name = name.data;
    VD_GO(vd_tree_side(doc, "imageWidth", &m.width, r->where, err));
    VD_GO(vd_tree_side(doc, "imageHeight", &m.height, r->where, err));
    vd_tree_attributes(&attributes, vd_json_get(doc, "flags"));
    m.attributes = vd_attr_end(&attributes);
    VD_GO(vd_str_check(&attributes, err));
    VD_GO(vd_label_in_image(r->in, &m, &r->image, NULL, err));
    for (const vd_json *s = shapes->first; st == VD_OK && s != NULL; s = s->next)
        st = read_shape(r, s, err);
done:
    vd_str_reset(&attributes);
    vd_str_reset(&name);
    return st;
}

vd_status vd_labelme_parse(vd_label_in *in, const char *where, const char *text, size_t size,
                           const char *subset, vd_err *err) {
    vd_arena arena = { 0 };
    const vd_json *doc = NULL;
    reader r = { .in = in, .where = where };
    vd_status st = vd_json_parse(&doc, &arena, where, text, size, err);
    if (st == VD_OK) st = read_document(&r, doc, subset, err);
    vd_build_reset(&r.b);
    vd_arena_reset(&arena);
    return st;
}

static vd_status on_file(void *user, const char *name, const char *where, const char *text,
                         size_t size, vd_err *err) {
    return vd_labelme_parse(user, where, text, size, vd_label_subset_in(name), err);
}

static vd_status read_path(vd_label_in *in, const char *path, vd_err *err) {
    char *text = NULL;
    size_t size = 0;
    if (vd_is_folder(path)) return vd_label_each_file(path, ".json", on_file, in, NULL, err);
    VD_TRY(vd_file_read(&text, &size, path, VD_LABEL_MAX_TEXT, err));
    vd_status st = vd_labelme_parse(in, path, text, size, NULL, err);
    vd_mem_free(text);
    return st;
}

/* ---- writing ---- */

typedef struct writer {
    vd_label_set *set;
    const vd_label_out *out;
    vd_str text, name;
    bool first;
} writer;

static void add_points(vd_str *s, const double *xy, int64_t n, int stride) {
    vd_str_add(s, "\"points\":[");
    for (int64_t i = 0; i < n; i++) {
        vd_str_add(s, i > 0 ? ",[" : "[");
        vd_decimal_add(s, xy[stride * i]);
        vd_str_addc(s, ',');
        vd_decimal_add(s, xy[stride * i + 1]);
        vd_str_addc(s, ']');
    }
    vd_str_addc(s, ']');
}

static void add_shape(writer *w, const vd_label_object *o, const char *type, const double *xy,
                      int64_t n, int stride) {
    vd_str *s = &w->text;
    vd_str_add(s, w->first ? "\n{\"label\":" : ",\n{\"label\":");
    w->first = false;
    vd_str_json(s, w->set->categories[o->category].name);
    vd_str_addc(s, ',');
    add_points(s, xy, n, stride);
    double group = vd_attr_number(o->attributes, "group_id", NAN);
    vd_str_add(s, ",\"group_id\":");
    vd_str_json_num(s, group);
    vd_str_addf(s, ",\"shape_type\":\"%s\",\"flags\":{}}", type);
}

static vd_status add_object(writer *w, const vd_label_image *m, const vd_label_object *o,
                            vd_err *err) {
    static const char *const known[] = { "group_id" };
    uint32_t holds =
        VD_OBJ_BOX | VD_OBJ_POLYGON | VD_OBJ_LINE | VD_OBJ_KEYPOINTS | VD_LABEL_HOLDS_ATTRIBUTES;
    const double *xy = o->xy,
                 box[4] = { o->box[0], o->box[1], o->box[0] + o->box[2], o->box[1] + o->box[3] };
    if (o->category < 0)
        return vd_label_lose(w->out->report, err, "objects without a class", "%s", m->name);
    VD_TRY(vd_label_lose_rest(w->out->report, m, o, holds, err));
    VD_TRY(vd_label_lose_attributes(w->out->report, m, o, known, 1, err));
    for (int i = 0; i < o->n_rings; i++) {
        int64_t n = o->ring[i] < 0 ? -(int64_t)o->ring[i] : o->ring[i];
        if (o->ring[i] < 0)
            VD_TRY(vd_label_lose(w->out->report, err, "holes of polygons", "%s", m->name));
        else
            add_shape(w, o, o->has & VD_OBJ_POLYGON ? "polygon" : "linestrip", xy, n, 2);
        xy += 2 * n;
    }
    if (o->n_rings > 1)
        VD_TRY(vd_label_lose(w->out->report, err,
                             "polygons of several parts (each became an object)", "%s", m->name));
    for (int i = 0; i < o->n_keypoints; i++)
        if (o->keypoints[3 * i + 2] > 0) add_shape(w, o, "point", o->keypoints + 3 * i, 1, 3);
    if (o->has & VD_OBJ_BOX && o->n_rings == 0) add_shape(w, o, "rectangle", box, 2, 2);
    return VD_OK;
}

static vd_status write_image(writer *w, int64_t i, vd_err *err) {
    const vd_label_image *m = &w->set->images[i];
    vd_label_object o;
    vd_str_clear(&w->text);
    vd_str_add(&w->text, "{\"version\":\"5.0.0\",\"flags\":");
    vd_str_add(&w->text, m->attributes != NULL ? m->attributes : "{}");
    vd_str_add(&w->text, ",\"shapes\":[");
    w->first = true;
    for (int64_t k = 0; k < vd_label_set_count(w->set, i); k++) {
        VD_TRY(vd_label_set_get(w->set, i, k, &o, err));
        VD_TRY(add_object(w, m, &o, err));
    }
    vd_str_add(&w->text, "],\"imagePath\":");
    vd_str_json(&w->text, m->name);
    vd_str_addf(&w->text, ",\"imageData\":null,\"imageHeight\":%d,\"imageWidth\":%d}\n", m->height,
                m->width);
    vd_str_clear(&w->name);
    if (m->subset != NULL) {
        vd_add_safe_name(&w->name, m->subset, "");
        vd_str_addc(&w->name, '/');
    }
    vd_add_safe_name(&w->name, m->name, ".json");
    VD_TRY(vd_str_check(&w->name, err));
    return vd_out_text(w->out->path, w->name.data, &w->text, err);
}

static vd_status write_folder(vd_label_set *set, const vd_label_out *out, vd_err *err) {
    writer w = { .set = set, .out = out };
    vd_status st = vd_make_folders(out->path, err);
    for (int64_t i = 0; st == VD_OK && i < set->n_images; i++) st = write_image(&w, i, err);
    vd_str_reset(&w.text);
    vd_str_reset(&w.name);
    return st;
}

/* The first document of the folder, or of a folder in it, tells. */
static bool first_has_shapes(const char *folder, const vd_names *names, bool inner) {
    vd_str path = { 0 };
    char head[4096] = "";
    bool has = false;
    for (int64_t i = 0; i < names->n && head[0] == '\0' && !has; i++) {
        vd_names below = { 0 };
        vd_join(&path, folder, names->name[i]);
        if (vd_str_ends(names->name[i], ".json"))
            vd_read_head(vd_str_text(&path), head, sizeof head);
        else if (inner && vd_is_folder(vd_str_text(&path)) &&
                 vd_names_of(&below, path.data, NULL) == VD_OK)
            has = first_has_shapes(path.data, &below, false);
        vd_names_reset(&below);
    }
    vd_str_reset(&path);
    return has || strstr(head, "\"shapes\"") != NULL;
}

static int detect(const vd_label_probe *p) {
    if (p->folder) return first_has_shapes(p->path, &p->names, true) ? 50 : 0;
    return vd_probe_key(p, "shapes") ? 90 : 0;
}

const vd_label_format vd_label_labelme = {
    .name = "labelme",
    .summary = "LabelMe JSON: polygons, boxes, lines, points; a file a picture",
    .folder = true,
    .holds = VD_OBJ_BOX | VD_OBJ_POLYGON | VD_OBJ_LINE | VD_OBJ_KEYPOINTS,
    .detect = detect,
    .read = read_path,
    .write = write_folder,
};
