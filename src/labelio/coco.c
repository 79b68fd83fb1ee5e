/* Reading COCO: instances, keypoints, captions, panoptic, stuff, results; LVIS is one with more
 * members. https://cocodataset.org/#format-data. SPDX-License-Identifier: Apache-2.0
 *
 * One pass. Annotations that come before the categories or images they name (they do in the
 * published files) are passed over by their brackets and read when the rest is known. Members of
 * annotations that are no part of the format become attributes. */
#include "labelio/coco_int.h"

#include <string.h>

#include "base/decimal.h"
#include "base/mem.h"
#include "base/path.h"

enum { MAX_NAME = 4096 };

bool vd_coco__is(vd_js_text key, const char *name) {
    return strcmp(key.p, name) == 0;
}

vd_status vd_coco__keep(vd_str *to, vd_js_text text, vd_err *err) {
    vd_str_clear(to);
    vd_str_addn(to, text.p, text.n);
    return vd_str_check(to, err);
}

vd_status vd_coco__name(vd_coco *c, vd_str *to, const char *what, vd_err *err) {
    vd_js_text text;
    VD_TRY(vd_js_text_of(c->s, &text, what, err));
    if (text.n > MAX_NAME)
        return vd_js_bad(c->s, err, "%s of %lld bytes, more than %d", what, (long long)text.n,
                         MAX_NAME);
    return vd_coco__keep(to, text, err);
}

/* A member that the format does not know: kept, unless it is null. */
vd_status vd_coco__attribute(vd_coco *c, vd_js_text key, vd_err *err) {
    vd_json_type type;
    VD_TRY(vd_coco__keep(&c->text, key, err));
    VD_TRY(vd_js_type(c->s, &type, err));
    if (type == VD_JSON_NULL) return vd_js_skip(c->s, err);
    vd_str_addc(&c->attributes, c->attributes.size == 0 ? '{' : ',');
    vd_str_json(&c->attributes, c->text.data);
    vd_str_addc(&c->attributes, ':');
    return vd_js_raw(c->s, &c->attributes, err);
}

/* Some programs write ids as texts. */
vd_status vd_coco__id(vd_coco *c, int64_t *out, const char *what, vd_err *err) {
    vd_json_type type;
    vd_js_text text;
    VD_TRY(vd_js_type(c->s, &type, err));
    if (type != VD_JSON_TEXT) return vd_js_int(c->s, out, what, err);
    VD_TRY(vd_js_text_of(c->s, &text, what, err));
    const char *end = vd_decimal_read_int(text.p, out);
    if (end == NULL || *end != '\0')
        return vd_js_bad(c->s, err, "%s '%.60s' is no whole number", what, text.p);
    return VD_OK;
}

/* ---- the document ---- */

static vd_status read_list(vd_coco *c, vd_status (*item)(vd_coco *c, vd_err *err), vd_err *err) {
    bool more = true;
    VD_TRY(vd_js_enter(c->s, VD_JSON_ARRAY, err));
    for (;;) {
        VD_TRY(vd_js_item(c->s, &more, err));
        if (!more) return VD_OK;
        VD_TRY(item(c, err));
    }
}

static vd_status defer(vd_coco *c, vd_err *err) {
    if (c->n_deferred == VD_COCO_MAX_DEFERRED)
        return vd_js_bad(c->s, err, "too many lists of annotations");
    c->deferred[c->n_deferred++] = vd_js_mark_of(c->s);
    return vd_js_pass(c->s, err);
}

static vd_status document_member(vd_coco *c, vd_js_text key, vd_err *err) {
    if (vd_coco__is(key, "images")) {
        c->have_images = true;
        return read_list(c, vd_coco__read_image, err);
    }
    if (vd_coco__is(key, "categories")) {
        c->have_categories = true;
        return read_list(c, vd_coco__read_category, err);
    }
    if (vd_coco__is(key, "licenses")) {
        vd_json_type type;
        VD_TRY(vd_js_type(c->s, &type, err));
        return type == VD_JSON_ARRAY ? read_list(c, vd_coco__read_licence, err)
                                     : vd_js_skip(c->s, err);
    }
    if (!vd_coco__is(key, "annotations")) return vd_js_skip(c->s, err);
    if (!c->have_images || !c->have_categories) return defer(c, err);
    return read_list(c, vd_coco__read_annotation, err);
}

static vd_status read_document(vd_coco *c, vd_err *err) {
    bool more = true;
    vd_js_text key;
    vd_json_type type;
    VD_TRY(vd_js_type(c->s, &type, err));
    c->results = type == VD_JSON_ARRAY;
    if (c->results) {
        VD_TRY(read_list(c, vd_coco__read_annotation, err));
        return vd_js_end(c->s, err);
    }
    VD_TRY(vd_js_enter(c->s, VD_JSON_OBJECT, err));
    for (;;) {
        VD_TRY(vd_js_member(c->s, &key, &more, err));
        if (!more) break;
        VD_TRY(document_member(c, key, err));
    }
    VD_TRY(vd_js_end(c->s, err));
    if (!c->have_images) return vd_js_bad(c->s, err, "no list \"images\"");
    for (int i = 0; i < c->n_deferred; i++) {
        VD_TRY(vd_js_back(c->s, c->deferred[i], err));
        VD_TRY(read_list(c, vd_coco__read_annotation, err));
    }
    return VD_OK;
}

static void reset(vd_coco *c) {
    vd_js_free(c->s);
    vd_map_free(c->categories);
    vd_map_free(c->images);
    vd_map_free(c->licences);
    vd_names_reset(&c->licence);
    vd_mem_free(c->xy.v);
    vd_mem_free(c->keypoints.v);
    vd_mem_free(c->runs.v);
    vd_mem_free(c->segment.v);
    vd_mem_free(c->ring);
    vd_str_reset(&c->name);
    vd_str_reset(&c->parent);
    vd_str_reset(&c->text);
    vd_str_reset(&c->attributes);
    vd_str_reset(&c->caption);
    vd_names_reset(&c->points);
    vd_mask_reset(&c->mask);
    vd_str_reset(&c->maps);
    vd_str_reset(&c->map);
    vd_mem_free(c->size);
    vd_mem_free(c->met);
}

/* Takes the stream. `path`: beside which maps lie, or NULL. */
static vd_status read_stream(vd_label_in *in, vd_json_stream *s, const char *path,
                             const char *subset, vd_err *err) {
    vd_coco c = { .in = in, .s = s, .subset = subset };
    vd_status st = VD_OK;
    if (path != NULL)
        vd_str_addn(&c.maps, path, vd_str_ends(path, ".json") ? (int64_t)strlen(path) - 5 : 0);
    VD_GO(vd_str_check(&c.maps, err));
    VD_GO(vd_map_new(&c.categories, err));
    VD_GO(vd_map_new(&c.images, err));
    VD_GO(vd_map_new(&c.licences, err));
    st = read_document(&c, err);
done:
    reset(&c);
    return st;
}

vd_status vd_coco_read_bytes(vd_label_in *in, const char *where, const void *bytes, size_t size,
                             vd_err *err) {
    vd_json_stream *s = NULL;
    VD_TRY(vd_js_open_bytes(&s, where, bytes, size, err));
    return read_stream(in, s, NULL, NULL, err);
}

vd_status vd_coco_read_file(vd_label_in *in, const char *path, const char *subset, vd_err *err) {
    vd_json_stream *s = NULL;
    VD_TRY(vd_js_open(&s, path, err));
    return read_stream(in, s, path, subset, err);
}

/* ---- files and folders of COCO and LVIS, and their rows ---- */

/* Files of one kind, so that no picture comes twice: those that the layouts of COCO and of
 * Roboflow have. */
static bool wanted(const char *name, int kind) {
    static const char *const begins[] = { "instances", "person_keypoints", "panoptic",  "captions",
                                          "stuff",     "labels",           "image_info" };
    const char *last = vd_path_name(name);
    if (!vd_str_ends(last, ".json")) return false;
    if (kind == VD_COUNT(begins)) return strcmp(last, "_annotations.coco.json") == 0;
    return kind < VD_COUNT(begins) && vd_str_starts(last, begins[kind]);
}

/* "annotations/instances_train.json" and "train/_annotations.coco.json": "train" */
static void subset_of(vd_str *out, const char *name) {
    const char *last = vd_path_name(name), *under = strrchr(last, '_');
    vd_str_clear(out);
    if (last[0] == '_' && last > name) {
        const char *begin = last - 1;
        while (begin > name && begin[-1] != '/') begin--;
        vd_str_addn(out, begin, last - 1 - begin);
    } else if (last[0] != '_' && under != NULL) {
        vd_str_addn(out, under + 1, (int64_t)strlen(under + 1) - 5);
    }
}

enum { KINDS = 8, PANOPTIC = 2 };

/* The files of the first kind that a folder has. */
static vd_status read_kinds(vd_label_in *in, const char *path, int kind, int end, vd_err *err) {
    vd_names names = { 0 };
    vd_str file = { 0 }, subset = { 0 };
    vd_status st = VD_OK;
    int64_t n = 0;
    if (!vd_is_folder(path)) return vd_coco_read_file(in, path, NULL, err);
    VD_GO(vd_names_below(&names, path, err));
    for (; kind < end && n == 0; kind++) {
        for (int64_t i = 0; i < names.n; i++) {
            if (!wanted(names.name[i], kind)) continue;
            n++;
            subset_of(&subset, names.name[i]);
            vd_join(&file, path, names.name[i]);
            VD_GO(vd_str_check(&file, err));
            VD_GO(vd_coco_read_file(in, file.data, subset.size > 0 ? subset.data : NULL, err));
        }
    }
    if (n == 0) st = vd_fail(err, VD_E_NOTFOUND, "label: no COCO files below %s", path);
done:
    vd_names_reset(&names);
    vd_str_reset(&file);
    vd_str_reset(&subset);
    return st;
}

static vd_status read_path(vd_label_in *in, const char *path, vd_err *err) {
    return read_kinds(in, path, 0, KINDS, err);
}
static vd_status read_panoptic(vd_label_in *in, const char *path, vd_err *err) {
    return read_kinds(in, path, PANOPTIC, PANOPTIC + 1, err);
}

static bool below_wants(const vd_label_probe *p, int begin, int end) {
    vd_names names = { 0 };
    bool any = false;
    if (!vd_probe_has(p, "annotations") || !vd_probe_below(p, "annotations/.")) {
        for (int64_t i = 0; end == KINDS && !any && i < p->names.n; i++) {
            vd_str s = { 0 };
            vd_str_addf(&s, "%s/_annotations.coco.json", p->names.name[i]);
            any = vd_probe_below(p, vd_str_text(&s)) ||
                  strcmp(p->names.name[i], "_annotations.coco.json") == 0;
            vd_str_reset(&s);
        }
        return any;
    }
    vd_str folder = { 0 };
    if (vd_names_of(&names, vd_join(&folder, p->path, "annotations"), NULL) == VD_OK)
        for (int64_t i = 0; !any && i < names.n; i++)
            for (int kind = begin; !any && kind < end; kind++) any = wanted(names.name[i], kind);
    vd_names_reset(&names);
    vd_str_reset(&folder);
    return any;
}

static int detect(const vd_label_probe *p) {
    if (p->folder) return below_wants(p, 0, KINDS) ? 60 : 0;
    if (p->list) return vd_probe_key(p, "image_id") ? 80 : 0;
    if (vd_probe_key(p, "videos")) return 0;
    return vd_probe_key(p, "images") || vd_probe_key(p, "annotations") ? 70 : 0;
}

/* A folder that has nothing else of COCO. */
static int detect_panoptic(const vd_label_probe *p) {
    if (p->folder)
        return below_wants(p, PANOPTIC, PANOPTIC + 1) && !below_wants(p, 0, PANOPTIC) ? 65 : 0;
    return !p->list && detect(p) > 0 &&
                   (strstr(p->head, "\"segments_info\"") != NULL || wanted(p->path, PANOPTIC))
               ? 80
               : 0;
}

static int detect_lvis(const vd_label_probe *p) {
    bool lvis = strstr(p->head, "\"neg_category_ids\"") != NULL ||
                strstr(p->head, "\"not_exhaustive_category_ids\"") != NULL;
    return !p->folder && !p->list && lvis && vd_probe_key(p, "images") ? 90 : 0;
}

const vd_label_format vd_label_coco = {
    .name = "coco",
    .summary = "COCO JSON: instances, keypoints, captions, panoptic, results",
    .holds = VD_OBJ_BOX | VD_OBJ_POLYGON | VD_OBJ_MASK | VD_OBJ_KEYPOINTS | VD_OBJ_CAPTION |
             VD_OBJ_TRACK | VD_OBJ_SCORE | VD_OBJ_AREA | VD_OBJ_CROWD | VD_OBJ_ID |
             VD_LABEL_HOLDS_ATTRIBUTES,
    .detect = detect,
    .read = read_path,
    .write = vd_coco_write,
};

const vd_label_format vd_label_coco_panoptic = {
    .name = "coco-panoptic",
    .summary = "COCO panoptic JSON with a map of its segments a picture, as PNG",
    .holds = VD_OBJ_BOX | VD_OBJ_MASK | VD_OBJ_AREA | VD_OBJ_CROWD | VD_OBJ_ID,
    .detect = detect_panoptic,
    .read = read_panoptic,
    .write = vd_coco_write_panoptic,
};

const vd_label_format vd_label_lvis = {
    .name = "lvis",
    .summary = "LVIS JSON: COCO's with lists of categories that a picture was searched for",
    .holds = VD_OBJ_BOX | VD_OBJ_POLYGON | VD_OBJ_MASK | VD_OBJ_AREA | VD_OBJ_CROWD | VD_OBJ_ID |
             VD_LABEL_HOLDS_ATTRIBUTES,
    .detect = detect_lvis,
    .read = read_path,
    .write = vd_coco_write,
};
