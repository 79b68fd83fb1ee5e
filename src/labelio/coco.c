/* Reading COCO: instances, keypoints, captions, panoptic, stuff, results; LVIS is one with more
 * members. https://cocodataset.org/#format-data. SPDX-License-Identifier: Apache-2.0
 *
 * One pass. Annotations that come before the categories or images they name (they do in the
 * published files) are passed over by their brackets and read when the rest is known. Members of
 * annotations that are no part of the format become attributes. */
#include "labelio/coco.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/decimal.h"
#include "base/json_stream.h"
#include "base/mem.h"
#include "base/path.h"
#include "label/mask.h"
#include "labelkit/maps.h"

enum { MAX_DEFERRED = 4, MAX_NAME = 4096 };

typedef struct coco {
    vd_label_in *in;
    vd_json_stream *s;
    vd_map *categories, *images; /* from ids of the file to indices */
    vd_map *licences;            /* likewise, into their names */
    vd_names licence;
    const char *subset;
    bool have_images, have_categories, results;
    vd_js_mark deferred[MAX_DEFERRED];
    int n_deferred;
    /* of the item that is read; kept for their memory */
    vd_js_reals_buf xy, keypoints, runs, segment;
    int32_t *ring;
    int64_t cap_ring;
    vd_str name, parent, text, attributes, caption;
    vd_names points;
    vd_mask mask;
    /* of panoptic files: folder of the maps and name of one; sizes of images, two numbers each */
    vd_str maps, map;
    int32_t *size;
    int64_t n_size, cap_size;
    uint8_t *met; /* whether a number of the map has a segment */
    int64_t cap_met;
} coco;

static bool is(vd_js_text key, const char *name) {
    return strcmp(key.p, name) == 0;
}

static vd_status keep(vd_str *to, vd_js_text text, vd_err *err) {
    vd_str_clear(to);
    vd_str_addn(to, text.p, text.n);
    return vd_str_check(to, err);
}

static vd_status take_name(coco *c, vd_str *to, const char *what, vd_err *err) {
    vd_js_text text;
    VD_TRY(vd_js_text_of(c->s, &text, what, err));
    if (text.n > MAX_NAME)
        return vd_js_bad(c->s, err, "%s of %lld bytes, more than %d", what, (long long)text.n,
                         MAX_NAME);
    return keep(to, text, err);
}

/* A member that the format does not know: kept, unless it is null. */
static vd_status take_attribute(coco *c, vd_js_text key, vd_err *err) {
    vd_json_type type;
    VD_TRY(keep(&c->text, key, err));
    VD_TRY(vd_js_type(c->s, &type, err));
    if (type == VD_JSON_NULL) return vd_js_skip(c->s, err);
    vd_str_addc(&c->attributes, c->attributes.size == 0 ? '{' : ',');
    vd_str_json(&c->attributes, c->text.data);
    vd_str_addc(&c->attributes, ':');
    return vd_js_raw(c->s, &c->attributes, err);
}

/* The object "attributes": its members one by one. */
static vd_status take_attributes(coco *c, vd_err *err) {
    bool more = true;
    vd_js_text key;
    vd_json_type type;
    VD_TRY(vd_js_type(c->s, &type, err));
    if (type != VD_JSON_OBJECT) return vd_js_skip(c->s, err);
    VD_TRY(vd_js_enter(c->s, VD_JSON_OBJECT, err));
    for (;;) {
        VD_TRY(vd_js_member(c->s, &key, &more, err));
        if (!more) return VD_OK;
        VD_TRY(take_attribute(c, key, err));
    }
}

/* Some programs write ids as texts. */
static vd_status take_id(coco *c, int64_t *out, const char *what, vd_err *err) {
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

/* ---- categories ---- */

static vd_status read_points(coco *c, vd_err *err) {
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
static vd_status read_skeleton(coco *c, vd_err *err) {
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
static vd_status edges_of(coco *c, vd_label_category *cat, vd_err *err) {
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
static vd_status read_thing(coco *c, int32_t *out, vd_err *err) {
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

static vd_status category_member(coco *c, vd_js_text key, vd_label_category *cat, bool *has_id,
                                 vd_err *err) {
    if (is(key, "id")) {
        *has_id = true;
        return take_id(c, &cat->id, "the id of a category", err);
    }
    if (is(key, "name")) return take_name(c, &c->name, "the name of a category", err);
    if (is(key, "supercategory")) {
        vd_json_type type;
        VD_TRY(vd_js_type(c->s, &type, err));
        if (type != VD_JSON_TEXT) return vd_js_skip(c->s, err);
        return take_name(c, &c->parent, "the name of a supercategory", err);
    }
    if (is(key, "keypoints")) return read_points(c, err);
    if (is(key, "skeleton")) return read_skeleton(c, err);
    if (is(key, "isthing")) return read_thing(c, &cat->thing, err);
    VD_TRY(keep(&c->text, key, err));
    if (!is(key, "color"))
        VD_TRY(vd_label_lose(c->in->report, err, "members of categories", "%s", c->text.data));
    return vd_js_skip(c->s, err);
}

static vd_status read_category(coco *c, vd_err *err) {
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
static vd_status read_licence(coco *c, vd_err *err) {
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
        bool is_id = is(key, "id"), is_name = is(key, "name"), is_url = is(key, "url");
        VD_TRY(vd_js_type(c->s, &type, err));
        if (is_id && type == VD_JSON_NUMBER) {
            has_id = true;
            VD_TRY(vd_js_int(c->s, &id, "the id of a licence", err));
        } else if (type == VD_JSON_TEXT && (is_name || (is_url && c->name.size == 0))) {
            VD_TRY(take_name(c, &c->name, "the name of a licence", err));
        } else {
            VD_TRY(vd_js_skip(c->s, err));
        }
    }
    if (!has_id || c->name.size == 0) return VD_OK;
    VD_TRY(vd_map_put(c->licences, &id, sizeof id, c->licence.n, err));
    return vd_names_add(&c->licence, c->name.data, (size_t)c->name.size, err);
}

/* An image's licence is kept by its name, where the file named it before; else as it is. */
static vd_status take_licence(coco *c, vd_err *err) {
    const vd_js_text key = { .p = "license", .n = 7 };
    vd_json_type type;
    int64_t id = 0, at = 0;
    VD_TRY(vd_js_type(c->s, &type, err));
    if (type != VD_JSON_NUMBER || vd_map_size(c->licences) == 0) return take_attribute(c, key, err);
    VD_TRY(vd_js_int(c->s, &id, "the id of a licence", err));
    if (vd_map_get(c->licences, &id, sizeof id, &at))
        vd_attr_text(&c->attributes, "license", c->licence.name[at]);
    else
        vd_attr_real(&c->attributes, "license", (double)id);
    return VD_OK;
}

/* ---- images ---- */

static vd_status side_of(coco *c, int32_t *out, vd_err *err) {
    int64_t v = 0;
    VD_TRY(vd_js_int(c->s, &v, "a number of pixels", err));
    if (v < 0 || v > VD_LABEL_MAX_SIDE)
        return vd_js_bad(c->s, err, "an image side of %lld pixels, the limit is %d", (long long)v,
                         VD_LABEL_MAX_SIDE);
    *out = (int32_t)v;
    return VD_OK;
}

static vd_status image_member(coco *c, vd_js_text key, vd_label_image *m, bool *has_id,
                              vd_err *err) {
    vd_json_type type;
    if (is(key, "id")) {
        *has_id = true;
        return take_id(c, &m->id, "the id of an image", err);
    }
    if (is(key, "width")) return side_of(c, &m->width, err);
    if (is(key, "height")) return side_of(c, &m->height, err);
    if (is(key, "file_name")) return take_name(c, &c->name, "the name of a file", err);
    if (is(key, "license")) return take_licence(c, err);
    if (is(key, "coco_url") || is(key, "flickr_url") || is(key, "date_captured")) {
        bool address = key.p[0] == 'c'; /* the key is gone after the next call */
        VD_TRY(vd_js_type(c->s, &type, err));
        /* LVIS names no files: the address does */
        if (address && type == VD_JSON_TEXT && c->parent.size == 0)
            return take_name(c, &c->parent, "an address", err);
        return vd_js_skip(c->s, err);
    }
    return take_attribute(c, key, err);
}

/* ".../val2017/000000000139.jpg" to "val2017/000000000139.jpg" */
static const char *name_in_address(const char *address) {
    const char *name = vd_path_name(address);
    for (const char *p = name - 2; p > address; p--)
        if (*p == '/') return p + 1;
    return name;
}

static vd_status read_image(coco *c, vd_err *err) {
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

/* ---- annotations ---- */

/* What an annotation says about itself before it becomes an object. */
typedef struct draft {
    vd_label_object o;
    int64_t image, category;
    bool has_image, has_category, has_mask, packed;
    int64_t width, height; /* of the mask */
} draft;

static vd_status read_polygons(coco *c, draft *d, vd_err *err) {
    bool more = true;
    d->o.n_rings = 0;
    c->xy.n = 0;
    VD_TRY(vd_js_enter(c->s, VD_JSON_ARRAY, err));
    for (;;) {
        VD_TRY(vd_js_item(c->s, &more, err));
        if (!more) break;
        int64_t before = c->xy.n;
        VD_TRY(vd_js_reals(c->s, &c->xy, "a polygon", err));
        int64_t n = c->xy.n - before;
        if (n % 2 != 0) return vd_js_bad(c->s, err, "a polygon of %lld numbers", (long long)n);
        if (n < 6) { /* some published files have them */
            VD_TRY(vd_label_lose(c->in->report, err, "polygons of less than 3 vertices",
                                 "%s: byte %lld", vd_js_where(c->s), (long long)vd_js_at(c->s)));
            c->xy.n = before;
            continue;
        }
        VD_TRY(VD_GROW(c->ring, c->cap_ring, d->o.n_rings + 1, err));
        c->ring[d->o.n_rings++] = (int32_t)(n / 2);
    }
    if (d->o.n_rings > 0) d->o.has |= VD_OBJ_POLYGON;
    return VD_OK;
}

static vd_status read_counts(coco *c, draft *d, vd_err *err) {
    vd_json_type type;
    vd_js_text text;
    VD_TRY(vd_js_type(c->s, &type, err));
    d->packed = type == VD_JSON_TEXT;
    d->has_mask = true;
    if (d->packed) {
        VD_TRY(vd_js_text_of(c->s, &text, "counts", err));
        return keep(&c->text, text, err);
    }
    c->runs.n = 0;
    return vd_js_reals(c->s, &c->runs, "counts", err);
}

static vd_status read_mask(coco *c, draft *d, vd_err *err) {
    bool more = true;
    vd_js_text key;
    VD_TRY(vd_js_enter(c->s, VD_JSON_OBJECT, err));
    for (;;) {
        VD_TRY(vd_js_member(c->s, &key, &more, err));
        if (!more) return VD_OK;
        if (is(key, "counts")) {
            VD_TRY(read_counts(c, d, err));
        } else if (is(key, "size")) {
            c->segment.n = 0;
            VD_TRY(vd_js_reals(c->s, &c->segment, "the size of a mask", err));
            bool fits = c->segment.n == 2;
            for (int64_t i = 0; fits && i < 2; i++)
                fits = c->segment.v[i] >= 1 && c->segment.v[i] <= VD_LABEL_MAX_SIDE &&
                       c->segment.v[i] == floor(c->segment.v[i]);
            if (!fits) return vd_js_bad(c->s, err, "a size of a mask that is none");
            d->height = (int64_t)c->segment.v[0];
            d->width = (int64_t)c->segment.v[1];
        } else {
            VD_TRY(vd_js_skip(c->s, err));
        }
    }
}

/* Text or list of runs to runs; done when the whole annotation is read, since "size" may come
 * after "counts". */
static vd_status finish_mask(coco *c, draft *d, vd_err *err) {
    char where[512];
    vd_mask_reset(&c->mask);
    snprintf(where, sizeof where, "%s: byte %lld", vd_js_where(c->s), (long long)vd_js_at(c->s));
    if (d->packed)
        VD_TRY(vd_mask_from_text(&c->mask, where, vd_str_text(&c->text), c->text.size, d->height,
                                 d->width, err));
    else
        VD_TRY(vd_mask_from_runs(&c->mask, where, c->runs.v, c->runs.n, d->height, d->width, err));
    d->o.has |= VD_OBJ_MASK;
    d->o.runs = c->mask.run;
    d->o.n_runs = c->mask.n;
    d->o.mask_width = c->mask.width;
    d->o.mask_height = c->mask.height;
    return VD_OK;
}

static vd_status read_segmentation(coco *c, draft *d, vd_err *err) {
    vd_json_type type;
    VD_TRY(vd_js_type(c->s, &type, err));
    if (type == VD_JSON_ARRAY) return read_polygons(c, d, err);
    if (type == VD_JSON_OBJECT) return read_mask(c, d, err);
    return vd_js_skip(c->s, err);
}

static vd_status read_box(coco *c, draft *d, vd_err *err) {
    c->segment.n = 0;
    VD_TRY(vd_js_reals(c->s, &c->segment, "a box", err));
    if (c->segment.n == 0) return VD_OK;
    if (c->segment.n != 4)
        return vd_js_bad(c->s, err, "a box of %lld numbers", (long long)c->segment.n);
    memcpy(d->o.box, c->segment.v, sizeof d->o.box);
    d->o.has |= VD_OBJ_BOX;
    return VD_OK;
}

static vd_status read_keypoints(coco *c, draft *d, vd_err *err) {
    c->keypoints.n = 0;
    VD_TRY(vd_js_reals(c->s, &c->keypoints, "keypoints", err));
    if (c->keypoints.n % 3 != 0)
        return vd_js_bad(c->s, err, "keypoints of %lld numbers", (long long)c->keypoints.n);
    d->o.n_keypoints = (int32_t)(c->keypoints.n / 3);
    if (d->o.n_keypoints > 0) d->o.has |= VD_OBJ_KEYPOINTS;
    return VD_OK;
}

static vd_status read_crowd(coco *c, draft *d, vd_err *err) {
    vd_json_type type;
    bool crowd = false;
    int64_t v = 0;
    VD_TRY(vd_js_type(c->s, &type, err));
    if (type == VD_JSON_BOOL)
        VD_TRY(vd_js_bool(c->s, &crowd, "iscrowd", err));
    else
        VD_TRY(vd_js_int(c->s, &v, "iscrowd", err));
    if (crowd || v != 0) d->o.has |= VD_OBJ_CROWD;
    return VD_OK;
}

typedef vd_status (*member_fn)(coco *c, draft *d, vd_err *err);

static vd_status m_id(coco *c, draft *d, vd_err *err) {
    d->o.has |= VD_OBJ_ID;
    return take_id(c, &d->o.id, "the id of an annotation", err);
}
static vd_status m_image(coco *c, draft *d, vd_err *err) {
    d->has_image = true;
    return take_id(c, &d->image, "the id of an image", err);
}
static vd_status m_category(coco *c, draft *d, vd_err *err) {
    d->has_category = true;
    return take_id(c, &d->category, "the id of a category", err);
}
static vd_status m_area(coco *c, draft *d, vd_err *err) {
    d->o.has |= VD_OBJ_AREA;
    return vd_js_number(c->s, &d->o.area, "an area", err);
}
static vd_status m_score(coco *c, draft *d, vd_err *err) {
    d->o.has |= VD_OBJ_SCORE;
    return vd_js_number(c->s, &d->o.score, "a score", err);
}
static vd_status m_track(coco *c, draft *d, vd_err *err) {
    d->o.has |= VD_OBJ_TRACK;
    return vd_js_int(c->s, &d->o.track, "the id of a track", err);
}
static vd_status m_caption(coco *c, draft *d, vd_err *err) {
    vd_js_text text;
    VD_TRY(vd_js_text_of(c->s, &text, "a caption", err));
    d->o.has |= VD_OBJ_CAPTION;
    return keep(&c->caption, text, err);
}
static vd_status m_attributes(coco *c, draft *d, vd_err *err) {
    (void)d;
    return take_attributes(c, err);
}
static vd_status m_skip(coco *c, draft *d, vd_err *err) {
    (void)d;
    return vd_js_skip(c->s, err);
}

static const struct {
    const char *name;
    int n;
    member_fn read;
} members[] = {
#define MEMBER(name, fn)                                                                           \
    { name, sizeof name - 1, fn }
    MEMBER("segmentation", read_segmentation),
    MEMBER("bbox", read_box),
    MEMBER("id", m_id),
    MEMBER("image_id", m_image),
    MEMBER("category_id", m_category),
    MEMBER("area", m_area),
    MEMBER("iscrowd", read_crowd),
    MEMBER("score", m_score),
    MEMBER("keypoints", read_keypoints),
    MEMBER("num_keypoints", m_skip),
    MEMBER("caption", m_caption),
    MEMBER("attributes", m_attributes),
    MEMBER("track_id", m_track),
#undef MEMBER
};

static vd_status annotation_member(coco *c, vd_js_text key, draft *d, vd_err *err) {
    for (int i = 0; i < VD_COUNT(members); i++)
        if (key.n == members[i].n && memcmp(key.p, members[i].name, (size_t)key.n) == 0)
            return members[i].read(c, d, err);
    return take_attribute(c, key, err);
}

/* A list of results names images and categories by numbers alone. */
static vd_status image_of(coco *c, draft *d, vd_err *err) {
    int64_t at = 0;
    char name[32];
    if (!d->has_image) return vd_js_bad(c->s, err, "an annotation without image_id");
    if (vd_map_get(c->images, &d->image, sizeof d->image, &at)) {
        d->o.image = (int32_t)at;
        return VD_OK;
    }
    if (!c->results) return vd_js_bad(c->s, err, "no image has the id %lld", (long long)d->image);
    snprintf(name, sizeof name, "%lld", (long long)d->image);
    const vd_label_image m = { .id = d->image, .name = name, .frame = VD_LABEL_NONE };
    VD_TRY(vd_label_in_new_image(c->in, &m, &d->o.image, err));
    return vd_map_put(c->images, &d->image, sizeof d->image, d->o.image, err);
}

static vd_status category_of(coco *c, draft *d, vd_err *err) {
    int64_t at = 0;
    char name[32];
    d->o.category = VD_LABEL_NONE;
    if (!d->has_category) return VD_OK;
    if (vd_map_get(c->categories, &d->category, sizeof d->category, &at)) {
        d->o.category = (int32_t)at;
        return VD_OK;
    }
    if (!c->results && d->category == 0) return VD_OK; /* what has no class says so */
    if (!c->results)
        return vd_js_bad(c->s, err, "no category has the id %lld", (long long)d->category);
    snprintf(name, sizeof name, "%lld", (long long)d->category);
    const vd_label_category cat = { .id = d->category, .name = name };
    VD_TRY(vd_label_in_new_category(c->in, &cat, &d->o.category, err));
    return vd_map_put(c->categories, &d->category, sizeof d->category, d->o.category, err);
}

static vd_status push(coco *c, draft *d, vd_err *err) {
    d->o.xy = c->xy.v;
    d->o.ring = c->ring;
    d->o.keypoints = c->keypoints.v;
    if (d->o.has & VD_OBJ_CAPTION) d->o.caption = vd_str_text(&c->caption);
    d->o.attributes = vd_attr_end(&c->attributes);
    VD_TRY(vd_str_check(&c->attributes, err));
    if (d->has_mask) VD_TRY(finish_mask(c, d, err));
    const char *wrong = vd_label_wrong(&d->o);
    if (wrong != NULL) return vd_js_bad(c->s, err, "%s", wrong);
    return vd_label_in_object(c->in, NULL, &d->o, err);
}

static vd_status read_segment_infos(coco *c, const draft *of, vd_err *err);

/* The map of a panoptic annotation, which others may have as an attribute. */
static vd_status take_map(coco *c, vd_err *err) {
    const vd_js_text key = { .p = "file_name", .n = 9 };
    vd_json_type type;
    VD_TRY(vd_js_type(c->s, &type, err));
    if (type != VD_JSON_TEXT) return take_attribute(c, key, err);
    return take_name(c, &c->map, "the name of a map", err);
}

static vd_status read_annotation(coco *c, vd_err *err) {
    draft d = { 0 };
    bool more = true, panoptic = false;
    vd_js_text key;
    vd_js_mark segments = { 0 };
    vd_str_clear(&c->attributes);
    vd_str_clear(&c->map);
    VD_TRY(vd_js_enter(c->s, VD_JSON_OBJECT, err));
    for (;;) {
        VD_TRY(vd_js_member(c->s, &key, &more, err));
        if (!more) break;
        if (is(key, "segments_info")) {
            panoptic = true;
            segments = vd_js_mark_of(c->s);
            VD_TRY(vd_js_skip(c->s, err));
        } else if (is(key, "file_name")) {
            VD_TRY(take_map(c, err));
        } else {
            VD_TRY(annotation_member(c, key, &d, err));
        }
    }
    VD_TRY(image_of(c, &d, err));
    if (panoptic) {
        const vd_js_mark after = vd_js_mark_of(c->s);
        VD_TRY(vd_js_back(c->s, segments, err));
        VD_TRY(read_segment_infos(c, &d, err));
        return vd_js_back(c->s, after, err);
    }
    if (c->map.size > 0) vd_attr_text(&c->attributes, "file_name", c->map.data);
    VD_TRY(category_of(c, &d, err));
    return push(c, &d, err);
}

/* ---- panoptic annotations: segments with a class, their pixels in a map beside ---- */

/* NULL: there is none. A name that leads out of the folder is looked up in it all the same. */
static vd_status map_of(coco *c, const draft *of, vd_label_maps **maps, vd_err *err) {
    vd_str path = { 0 };
    const bool stated = of->o.image < c->n_size; /* results name images by ids alone */
    const int32_t width = stated ? c->size[2 * (int64_t)of->o.image] : 0,
                  height = stated ? c->size[2 * (int64_t)of->o.image + 1] : 0;
    *maps = NULL;
    if (c->map.size == 0)
        return vd_js_bad(c->s, err, "segments without the file_name of their map");
    if (c->maps.size == 0)
        return vd_label_lose(c->in->report, err, "PNG files that are not there", "%s", c->map.data);
    vd_join(&path, vd_str_text(&c->maps), vd_path_name(c->map.data));
    vd_status st = vd_str_check(&path, err);
    if (st == VD_OK) st = vd_label_in_map(c->in, maps, path.data, VD_MAP_IDS, width, height, err);
    vd_str_reset(&path);
    if (st != VD_OK || *maps == NULL) return st;
    VD_TRY(VD_GROW(c->met, c->cap_met, (*maps)->masks.n, err));
    memset(c->met, 0, (size_t)(*maps)->masks.n);
    return VD_OK;
}

static vd_status give_pixels(coco *c, draft *d, const vd_label_maps *maps, vd_err *err) {
    const vd_mask *mask = d->o.id > 0 && d->o.id <= INT32_MAX
                              ? vd_map_masks_find(&maps->masks, (int32_t)d->o.id)
                              : NULL;
    if (mask == NULL)
        return vd_label_lose(c->in->report, err, "segments without pixels", "%s: segment %lld",
                             c->map.data, (long long)d->o.id);
    uint8_t *met = &c->met[mask - maps->masks.mask];
    if (*met) return vd_js_bad(c->s, err, "two segments with id %lld", (long long)d->o.id);
    *met = 1;
    vd_label_give_mask(&d->o, mask);
    return VD_OK;
}

/* The number 0 is no segment. */
static vd_status lose_unmet(coco *c, const vd_map_masks *m, vd_err *err) {
    for (int64_t i = 0; i < m->n; i++)
        if (!c->met[i] && m->id[i] != 0)
            VD_TRY(vd_label_lose(c->in->report, err, "numbers in PNG files without a segment",
                                 "%s: %d, %lld pixels", c->map.data, m->id[i],
                                 (long long)vd_mask_area(&m->mask[i])));
    return VD_OK;
}

static vd_status read_segment(coco *c, const draft *of, const vd_label_maps *maps, vd_err *err) {
    draft d = { .o = { .image = of->o.image } };
    bool more = true;
    vd_js_text key;
    vd_str_clear(&c->attributes);
    VD_TRY(vd_js_enter(c->s, VD_JSON_OBJECT, err));
    for (;;) {
        VD_TRY(vd_js_member(c->s, &key, &more, err));
        if (!more) break;
        VD_TRY(annotation_member(c, key, &d, err));
    }
    VD_TRY(category_of(c, &d, err));
    if (!(d.o.has & VD_OBJ_ID)) return vd_js_bad(c->s, err, "a segment without an id");
    if (maps != NULL) VD_TRY(give_pixels(c, &d, maps, err));
    return push(c, &d, err);
}

static vd_status read_segment_infos(coco *c, const draft *of, vd_err *err) {
    vd_label_maps *maps = NULL;
    bool more = true;
    VD_TRY(map_of(c, of, &maps, err));
    VD_TRY(vd_js_enter(c->s, VD_JSON_ARRAY, err));
    for (;;) {
        VD_TRY(vd_js_item(c->s, &more, err));
        if (!more) break;
        VD_TRY(read_segment(c, of, maps, err));
    }
    return maps != NULL ? lose_unmet(c, &maps->masks, err) : VD_OK;
}

/* ---- the document ---- */

static vd_status read_list(coco *c, vd_status (*item)(coco *c, vd_err *err), vd_err *err) {
    bool more = true;
    VD_TRY(vd_js_enter(c->s, VD_JSON_ARRAY, err));
    for (;;) {
        VD_TRY(vd_js_item(c->s, &more, err));
        if (!more) return VD_OK;
        VD_TRY(item(c, err));
    }
}

static vd_status defer(coco *c, vd_err *err) {
    if (c->n_deferred == MAX_DEFERRED) return vd_js_bad(c->s, err, "too many lists of annotations");
    c->deferred[c->n_deferred++] = vd_js_mark_of(c->s);
    return vd_js_pass(c->s, err);
}

static vd_status document_member(coco *c, vd_js_text key, vd_err *err) {
    if (is(key, "images")) {
        c->have_images = true;
        return read_list(c, read_image, err);
    }
    if (is(key, "categories")) {
        c->have_categories = true;
        return read_list(c, read_category, err);
    }
    if (is(key, "licenses")) {
        vd_json_type type;
        VD_TRY(vd_js_type(c->s, &type, err));
        return type == VD_JSON_ARRAY ? read_list(c, read_licence, err) : vd_js_skip(c->s, err);
    }
    if (!is(key, "annotations")) return vd_js_skip(c->s, err);
    if (!c->have_images || !c->have_categories) return defer(c, err);
    return read_list(c, read_annotation, err);
}

static vd_status read_document(coco *c, vd_err *err) {
    bool more = true;
    vd_js_text key;
    vd_json_type type;
    VD_TRY(vd_js_type(c->s, &type, err));
    c->results = type == VD_JSON_ARRAY;
    if (c->results) {
        VD_TRY(read_list(c, read_annotation, err));
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
        VD_TRY(read_list(c, read_annotation, err));
    }
    return VD_OK;
}

static void reset(coco *c) {
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
    coco c = { .in = in, .s = s, .subset = subset };
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
