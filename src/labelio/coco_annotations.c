/* Annotations of COCO's files, and segments of panoptic ones. SPDX-License-Identifier: Apache-2.0
 */
#include "labelio/coco_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "labelkit/maps.h"

/* The object "attributes": its members one by one. */
static vd_status take_attributes(vd_coco *c, vd_err *err) {
    bool more = true;
    vd_js_text key;
    vd_json_type type;
    VD_TRY(vd_js_type(c->s, &type, err));
    if (type != VD_JSON_OBJECT) return vd_js_skip(c->s, err);
    VD_TRY(vd_js_enter(c->s, VD_JSON_OBJECT, err));
    for (;;) {
        VD_TRY(vd_js_member(c->s, &key, &more, err));
        if (!more) return VD_OK;
        VD_TRY(vd_coco__attribute(c, key, err));
    }
}

/* What an annotation says about itself before it becomes an object. */
typedef struct draft {
    vd_label_object o;
    int64_t image, category;
    bool has_image, has_category, has_mask, packed;
    int64_t width, height; /* of the mask */
} draft;

static vd_status read_polygons(vd_coco *c, draft *d, vd_err *err) {
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

static vd_status read_counts(vd_coco *c, draft *d, vd_err *err) {
    vd_json_type type;
    vd_js_text text;
    VD_TRY(vd_js_type(c->s, &type, err));
    d->packed = type == VD_JSON_TEXT;
    d->has_mask = true;
    if (d->packed) {
        VD_TRY(vd_js_text_of(c->s, &text, "counts", err));
        return vd_coco__keep(&c->text, text, err);
    }
    c->runs.n = 0;
    return vd_js_reals(c->s, &c->runs, "counts", err);
}

static vd_status read_mask(vd_coco *c, draft *d, vd_err *err) {
    bool more = true;
    vd_js_text key;
    VD_TRY(vd_js_enter(c->s, VD_JSON_OBJECT, err));
    for (;;) {
        VD_TRY(vd_js_member(c->s, &key, &more, err));
        if (!more) return VD_OK;
        if (vd_coco__is(key, "counts")) {
            VD_TRY(read_counts(c, d, err));
        } else if (vd_coco__is(key, "size")) {
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
static vd_status finish_mask(vd_coco *c, draft *d, vd_err *err) {
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

static vd_status read_segmentation(vd_coco *c, draft *d, vd_err *err) {
    vd_json_type type;
    VD_TRY(vd_js_type(c->s, &type, err));
    if (type == VD_JSON_ARRAY) return read_polygons(c, d, err);
    if (type == VD_JSON_OBJECT) return read_mask(c, d, err);
    return vd_js_skip(c->s, err);
}

static vd_status read_box(vd_coco *c, draft *d, vd_err *err) {
    c->segment.n = 0;
    VD_TRY(vd_js_reals(c->s, &c->segment, "a box", err));
    if (c->segment.n == 0) return VD_OK;
    if (c->segment.n != 4)
        return vd_js_bad(c->s, err, "a box of %lld numbers", (long long)c->segment.n);
    memcpy(d->o.box, c->segment.v, sizeof d->o.box);
    d->o.has |= VD_OBJ_BOX;
    return VD_OK;
}

static vd_status read_keypoints(vd_coco *c, draft *d, vd_err *err) {
    c->keypoints.n = 0;
    VD_TRY(vd_js_reals(c->s, &c->keypoints, "keypoints", err));
    if (c->keypoints.n % 3 != 0)
        return vd_js_bad(c->s, err, "keypoints of %lld numbers", (long long)c->keypoints.n);
    d->o.n_keypoints = (int32_t)(c->keypoints.n / 3);
    if (d->o.n_keypoints > 0) d->o.has |= VD_OBJ_KEYPOINTS;
    return VD_OK;
}

static vd_status read_crowd(vd_coco *c, draft *d, vd_err *err) {
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

typedef vd_status (*member_fn)(vd_coco *c, draft *d, vd_err *err);

static vd_status m_id(vd_coco *c, draft *d, vd_err *err) {
    d->o.has |= VD_OBJ_ID;
    return vd_coco__id(c, &d->o.id, "the id of an annotation", err);
}
static vd_status m_image(vd_coco *c, draft *d, vd_err *err) {
    d->has_image = true;
    return vd_coco__id(c, &d->image, "the id of an image", err);
}
static vd_status m_category(vd_coco *c, draft *d, vd_err *err) {
    d->has_category = true;
    return vd_coco__id(c, &d->category, "the id of a category", err);
}
static vd_status m_area(vd_coco *c, draft *d, vd_err *err) {
    d->o.has |= VD_OBJ_AREA;
    return vd_js_number(c->s, &d->o.area, "an area", err);
}
static vd_status m_score(vd_coco *c, draft *d, vd_err *err) {
    d->o.has |= VD_OBJ_SCORE;
    return vd_js_number(c->s, &d->o.score, "a score", err);
}
static vd_status m_track(vd_coco *c, draft *d, vd_err *err) {
    d->o.has |= VD_OBJ_TRACK;
    return vd_js_int(c->s, &d->o.track, "the id of a track", err);
}
static vd_status m_caption(vd_coco *c, draft *d, vd_err *err) {
    vd_js_text text;
    VD_TRY(vd_js_text_of(c->s, &text, "a caption", err));
    d->o.has |= VD_OBJ_CAPTION;
    return vd_coco__keep(&c->caption, text, err);
}
static vd_status m_attributes(vd_coco *c, draft *d, vd_err *err) {
    (void)d;
    return take_attributes(c, err);
}
static vd_status m_skip(vd_coco *c, draft *d, vd_err *err) {
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

static vd_status annotation_member(vd_coco *c, vd_js_text key, draft *d, vd_err *err) {
    for (int i = 0; i < VD_COUNT(members); i++)
        if (key.n == members[i].n && memcmp(key.p, members[i].name, (size_t)key.n) == 0)
            return members[i].read(c, d, err);
    return vd_coco__attribute(c, key, err);
}

/* A list of results names images and categories by numbers alone. */
static vd_status image_of(vd_coco *c, draft *d, vd_err *err) {
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

static vd_status category_of(vd_coco *c, draft *d, vd_err *err) {
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

static vd_status push(vd_coco *c, draft *d, vd_err *err) {
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

static vd_status read_segment_infos(vd_coco *c, const draft *of, vd_err *err);

/* The map of a panoptic annotation, which others may have as an attribute. */
static vd_status take_map(vd_coco *c, vd_err *err) {
    const vd_js_text key = { .p = "file_name", .n = 9 };
    vd_json_type type;
    VD_TRY(vd_js_type(c->s, &type, err));
    if (type != VD_JSON_TEXT) return vd_coco__attribute(c, key, err);
    return vd_coco__name(c, &c->map, "the name of a map", err);
}

vd_status vd_coco__read_annotation(vd_coco *c, vd_err *err) {
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
        if (vd_coco__is(key, "segments_info")) {
            panoptic = true;
            segments = vd_js_mark_of(c->s);
            VD_TRY(vd_js_skip(c->s, err));
        } else if (vd_coco__is(key, "file_name")) {
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
static vd_status map_of(vd_coco *c, const draft *of, vd_label_maps **maps, vd_err *err) {
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

static vd_status give_pixels(vd_coco *c, draft *d, const vd_label_maps *maps, vd_err *err) {
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
static vd_status lose_unmet(vd_coco *c, const vd_map_masks *m, vd_err *err) {
    for (int64_t i = 0; i < m->n; i++)
        if (!c->met[i] && m->id[i] != 0)
            VD_TRY(vd_label_lose(c->in->report, err, "numbers in PNG files without a segment",
                                 "%s: %d, %lld pixels", c->map.data, m->id[i],
                                 (long long)vd_mask_area(&m->mask[i])));
    return VD_OK;
}

static vd_status read_segment(vd_coco *c, const draft *of, const vd_label_maps *maps, vd_err *err) {
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

static vd_status read_segment_infos(vd_coco *c, const draft *of, vd_err *err) {
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
