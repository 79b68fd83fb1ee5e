/* Categories, licences and images of COCO's files. SPDX-License-Identifier: Apache-2.0 */
#include "labelio/coco_int.h"

#include <math.h>

#include "base/mem.h"
#include "base/path.h"

/* ---- categories ---- */

static vd_status read_points(vd_coco *c, vd_err *err) {
    bool more = true;
    vd_js_text name;
    VD_TRY(vd_js_enter(c->s, VD_JSON_ARRAY, err));
    for (;;) {
        VD_TRY(vd_js_item(c->s, &more, err));
        if (!more) return VD_OK;
        VD_TRY(vd_js_text_of(c->s, &name, "the name of a keypoint", err));
        VD_TRY(vd_names_add(&c->points, name.p, (size_t)name.n, err));
    }
}

/* Pairs of numbers from 1. */
static vd_status read_skeleton(vd_coco *c, vd_err *err) {
    bool more = true;
    c->runs.n = 0;
    VD_TRY(vd_js_enter(c->s, VD_JSON_ARRAY, err));
    for (int64_t n = 2;; n += 2) {
        VD_TRY(vd_js_item(c->s, &more, err));
        if (!more) return VD_OK;
        VD_TRY(vd_js_reals(c->s, &c->runs, "a pair of keypoints", err));
        if (c->runs.n != n) return vd_js_bad(c->s, err, "an edge of a skeleton that is no pair");
    }
}

/* A skeleton that names keypoints which are not there is left out. */
static vd_status edges_of(vd_coco *c, vd_label_category *cat, vd_err *err) {
    VD_TRY(VD_GROW(c->ring, c->cap_ring, c->runs.n + 1, err));
    cat->edges = c->ring;
    cat->n_edges = (int32_t)(c->runs.n / 2);
    cat->keypoints = (const char *const *)c->points.name;
    cat->n_keypoints = (int32_t)c->points.n;
    for (int64_t i = 0; i < c->runs.n; i++) {
        double v = c->runs.v[i];
        if (v >= 1 && v <= (double)c->points.n && v == floor(v)) {
            c->ring[i] = (int32_t)v - 1;
            continue;
        }
        cat->n_edges = 0;
        return vd_label_lose(c->in->report, err, "skeletons of keypoints that have no names",
                             "%s: keypoint %g of %lld", cat->name, v, (long long)c->points.n);
    }
    return VD_OK;
}

/* 0 or 1; some programs write false and true. */
static vd_status read_thing(vd_coco *c, int32_t *out, vd_err *err) {
    vd_json_type type;
    bool thing = false;
    int64_t v = 0;
    VD_TRY(vd_js_type(c->s, &type, err));
    if (type == VD_JSON_NULL) return vd_js_skip(c->s, err);
    if (type == VD_JSON_BOOL)
        VD_TRY(vd_js_bool(c->s, &thing, "isthing", err));
    else
        VD_TRY(vd_js_int(c->s, &v, "isthing", err));
    *out = thing || v != 0 ? 1 : -1;
    return VD_OK;
}

static vd_status category_member(vd_coco *c, vd_js_text key, vd_label_category *cat, bool *has_id,
                                 vd_err *err) {
    if (vd_coco__is(key, "id")) {
        *has_id = true;
        return vd_coco__id(c, &cat->id, "the id of a category", err);
    }
    if (vd_coco__is(key, "name")) return vd_coco__name(c, &c->name, "the name of a category", err);
    if (vd_coco__is(key, "supercategory")) {
        vd_json_type type;
        VD_TRY(vd_js_type(c->s, &type, err));
        if (type != VD_JSON_TEXT) return vd_js_skip(c->s, err);
        return vd_coco__name(c, &c->parent, "the name of a supercategory", err);
    }
    if (vd_coco__is(key, "keypoints")) return read_points(c, err);
    if (vd_coco__is(key, "skeleton")) return read_skeleton(c, err);
    if (vd_coco__is(key, "isthing")) return read_thing(c, &cat->thing, err);
    VD_TRY(vd_coco__keep(&c->text, key, err));
    if (!vd_coco__is(key, "color"))
        VD_TRY(vd_label_lose(c->in->report, err, "members of categories", "%s", c->text.data));
    return vd_js_skip(c->s, err);
}

vd_status vd_coco__read_category(vd_coco *c, vd_err *err) {
    vd_label_category cat = { 0 };
    bool more = true, has_id = false;
    vd_js_text key;
    int32_t index = 0;
    int64_t at = 0;
    vd_str_clear(&c->name);
    vd_str_clear(&c->parent);
    vd_names_reset(&c->points);
    c->runs.n = 0;
    VD_TRY(vd_js_enter(c->s, VD_JSON_OBJECT, err));
    for (;;) {
        VD_TRY(vd_js_member(c->s, &key, &more, err));
        if (!more) break;
        VD_TRY(category_member(c, key, &cat, &has_id, err));
    }
    if (!has_id || c->name.size == 0)
        return vd_js_bad(c->s, err, "a category without %s", has_id ? "a name" : "an id");
    cat.name = c->name.data;
    cat.parent = c->parent.size > 0 ? c->parent.data : NULL;
    VD_TRY(edges_of(c, &cat, err));
    if (vd_map_get(c->categories, &cat.id, sizeof cat.id, &at))
        return vd_js_bad(c->s, err, "two categories with id %lld", (long long)cat.id);
    VD_TRY(vd_label_in_category(c->in, &cat, &index, err));
    return vd_map_put(c->categories, &cat.id, sizeof cat.id, index, err);
}

/* ---- licences ---- */

/* Of the list "licenses": an id and a name, or else an address. Others are passed over. */
vd_status vd_coco__read_licence(vd_coco *c, vd_err *err) {
    vd_js_text key;
    vd_json_type type;
    int64_t id = 0;
    bool more = true, has_id = false;
    VD_TRY(vd_js_type(c->s, &type, err));
    if (type != VD_JSON_OBJECT) return vd_js_skip(c->s, err);
    vd_str_clear(&c->name);
    VD_TRY(vd_js_enter(c->s, VD_JSON_OBJECT, err));
    for (;;) {
        VD_TRY(vd_js_member(c->s, &key, &more, err));
        if (!more) break;
        bool is_id = vd_coco__is(key, "id"), is_name = vd_coco__is(key, "name"),
             is_url = vd_coco__is(key, "url");
        VD_TRY(vd_js_type(c->s, &type, err));
        if (is_id && type == VD_JSON_NUMBER) {
            has_id = true;
            VD_TRY(vd_js_int(c->s, &id, "the id of a licence", err));
        } else if (type == VD_JSON_TEXT && (is_name || (is_url && c->name.size == 0))) {
            VD_TRY(vd_coco__name(c, &c->name, "the name of a licence", err));
        } else {
            VD_TRY(vd_js_skip(c->s, err));
        }
    }
    if (!has_id || c->name.size == 0) return VD_OK;
    VD_TRY(vd_map_put(c->licences, &id, sizeof id, c->licence.n, err));
    return vd_names_add(&c->licence, c->name.data, (size_t)c->name.size, err);
}

/* An image's licence is kept by its name, where the file named it before; else as it is. */
static vd_status take_licence(vd_coco *c, vd_err *err) {
    const vd_js_text key = { .p = "license", .n = 7 };
    vd_json_type type;
    int64_t id = 0, at = 0;
    VD_TRY(vd_js_type(c->s, &type, err));
    if (type != VD_JSON_NUMBER || vd_map_size(c->licences) == 0)
        return vd_coco__attribute(c, key, err);
    VD_TRY(vd_js_int(c->s, &id, "the id of a licence", err));
    if (vd_map_get(c->licences, &id, sizeof id, &at))
        vd_attr_text(&c->attributes, "license", c->licence.name[at]);
    else
        vd_attr_real(&c->attributes, "license", (double)id);
    return VD_OK;
}

/* ---- images ---- */

static vd_status side_of(vd_coco *c, int32_t *out, vd_err *err) {
    int64_t v = 0;
    VD_TRY(vd_js_int(c->s, &v, "a number of pixels", err));
    if (v < 0 || v > VD_LABEL_MAX_SIDE)
        return vd_js_bad(c->s, err, "an image side of %lld pixels, the limit is %d", (long long)v,
                         VD_LABEL_MAX_SIDE);
    *out = (int32_t)v;
    return VD_OK;
}

static vd_status image_member(vd_coco *c, vd_js_text key, vd_label_image *m, bool *has_id,
                              vd_err *err) {
    vd_json_type type;
    if (vd_coco__is(key, "id")) {
        *has_id = true;
        return vd_coco__id(c, &m->id, "the id of an image", err);
    }
    if (vd_coco__is(key, "width")) return side_of(c, &m->width, err);
    if (vd_coco__is(key, "height")) return side_of(c, &m->height, err);
    if (vd_coco__is(key, "file_name")) return vd_coco__name(c, &c->name, "the name of a file", err);
    if (vd_coco__is(key, "license")) return take_licence(c, err);
    if (vd_coco__is(key, "coco_url") || vd_coco__is(key, "flickr_url") ||
        vd_coco__is(key, "date_captured")) {
        bool address = key.p[0] == 'c'; /* the key is gone after the next call */
        VD_TRY(vd_js_type(c->s, &type, err));
        /* LVIS names no files: the address does */
        if (address && type == VD_JSON_TEXT && c->parent.size == 0)
            return vd_coco__name(c, &c->parent, "an address", err);
        return vd_js_skip(c->s, err);
    }
    return vd_coco__attribute(c, key, err);
}

/* ".../val2017/000000000139.jpg" to "val2017/000000000139.jpg" */
static const char *name_in_address(const char *address) {
    const char *name = vd_path_name(address);
    for (const char *p = name - 2; p > address; p--)
        if (*p == '/') return p + 1;
    return name;
}

vd_status vd_coco__read_image(vd_coco *c, vd_err *err) {
    vd_label_image m = { .frame = VD_LABEL_NONE, .subset = c->subset };
    bool more = true, has_id = false;
    vd_js_text key;
    int32_t index = 0;
    int64_t at = 0;
    vd_str_clear(&c->name);
    vd_str_clear(&c->parent);
    vd_str_clear(&c->attributes);
    VD_TRY(vd_js_enter(c->s, VD_JSON_OBJECT, err));
    for (;;) {
        VD_TRY(vd_js_member(c->s, &key, &more, err));
        if (!more) break;
        VD_TRY(image_member(c, key, &m, &has_id, err));
    }
    if (!has_id) return vd_js_bad(c->s, err, "an image without an id");
    m.name = c->name.size > 0 ? c->name.data : name_in_address(vd_str_text(&c->parent));
    if (m.name[0] == '\0') return vd_js_bad(c->s, err, "an image without a file_name");
    m.attributes = vd_attr_end(&c->attributes);
    VD_TRY(vd_str_check(&c->attributes, err));
    if (vd_map_get(c->images, &m.id, sizeof m.id, &at))
        return vd_js_bad(c->s, err, "two images with id %lld", (long long)m.id);
    VD_TRY(vd_label_in_new_image(c->in, &m, &index, err));
    VD_TRY(VD_GROW(c->size, c->cap_size, 2 * ((int64_t)index + 1), err));
    c->size[2 * (int64_t)index] = m.width;
    c->size[2 * (int64_t)index + 1] = m.height;
    c->n_size = (int64_t)index + 1;
    return vd_map_put(c->images, &m.id, sizeof m.id, index, err);
}
