/* Reading COCO's panoptic annotations, value by value. SPDX-License-Identifier: Apache-2.0 */
#include "eval/panoptic.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_stream.h"
#include "base/mem.h"

void vd_panoptic_reset(vd_panoptic *p) {
    for (int64_t i = 0; i < p->n_images; i++) vd_mem_free(p->image[i].file);
    for (int64_t i = 0; i < p->n_categories; i++) vd_mem_free(p->category[i].name);
    vd_mem_free(p->image);
    vd_mem_free(p->category);
    vd_mem_free(p->segment);
    *p = (vd_panoptic){ 0 };
}

static bool is(const vd_js_text *t, const char *word) {
    return strcmp(t->p, word) == 0;
}

static vd_status read_text(vd_json_stream *s, char **out, const char *what, vd_err *err) {
    vd_js_text text;
    VD_TRY(vd_js_text_of(s, &text, what, err));
    vd_mem_free(*out);
    *out = vd_mem_strdup(text.p);
    return *out != NULL ? VD_OK : vd_nomem(err);
}

static vd_status read_segment(vd_json_stream *s, vd_panoptic *p, vd_err *err) {
    vd_panoptic_segment g = { .id = -1, .category = -1, .area = -1 };
    vd_js_text key;
    VD_TRY(vd_js_enter(s, VD_JSON_OBJECT, err));
    for (bool more = true;;) {
        VD_TRY(vd_js_member(s, &key, &more, err));
        if (!more) break;
        if (is(&key, "id"))
            VD_TRY(vd_js_int(s, &g.id, "a segment's id", err));
        else if (is(&key, "category_id"))
            VD_TRY(vd_js_int(s, &g.category, "a category's id", err));
        else if (is(&key, "area"))
            VD_TRY(vd_js_number(s, &g.area, "an area", err));
        else if (is(&key, "iscrowd"))
            VD_TRY(vd_js_flag(s, &g.crowd, "a flag", err));
        else
            VD_TRY(vd_js_skip(s, err));
    }
    if (g.id < 0 || g.category < 0)
        return vd_js_bad(s, err, "a segment without \"id\" or \"category_id\"");
    VD_TRY(VD_GROW(p->segment, p->cap_segments, p->n_segments + 1, err));
    p->segment[p->n_segments++] = g;
    return VD_OK;
}

static vd_status read_list(vd_json_stream *s, vd_panoptic *p,
                           vd_status (*one)(vd_json_stream *, vd_panoptic *, vd_err *),
                           vd_err *err) {
    VD_TRY(vd_js_enter(s, VD_JSON_ARRAY, err));
    for (bool more = true;;) {
        VD_TRY(vd_js_item(s, &more, err));
        if (!more) return VD_OK;
        VD_TRY(one(s, p, err));
    }
}

static vd_status read_annotation(vd_json_stream *s, vd_panoptic *p, vd_err *err) {
    vd_js_text key;
    bool has_id = false;
    VD_TRY(VD_GROW(p->image, p->cap_images, p->n_images + 1, err));
    vd_panoptic_image *m = &p->image[p->n_images++];
    *m = (vd_panoptic_image){ .at = p->n_segments };
    VD_TRY(vd_js_enter(s, VD_JSON_OBJECT, err));
    for (bool more = true;;) {
        VD_TRY(vd_js_member(s, &key, &more, err));
        if (!more) break;
        if (is(&key, "image_id")) {
            VD_TRY(vd_js_int(s, &m->id, "an image's id", err));
            has_id = true;
        } else if (is(&key, "file_name")) {
            VD_TRY(read_text(s, &m->file, "a file's name", err));
        } else if (is(&key, "segments_info")) {
            VD_TRY(read_list(s, p, read_segment, err));
        } else {
            VD_TRY(vd_js_skip(s, err));
        }
    }
    m->count = p->n_segments - m->at;
    if (!has_id || m->file == NULL)
        return vd_js_bad(s, err, "an annotation without \"image_id\" or \"file_name\"");
    return VD_OK;
}

static vd_status read_category(vd_json_stream *s, vd_panoptic *p, vd_err *err) {
    vd_js_text key;
    bool has_id = false;
    VD_TRY(VD_GROW(p->category, p->cap_categories, p->n_categories + 1, err));
    vd_panoptic_category *c = &p->category[p->n_categories++];
    *c = (vd_panoptic_category){ 0 };
    VD_TRY(vd_js_enter(s, VD_JSON_OBJECT, err));
    for (bool more = true;;) {
        VD_TRY(vd_js_member(s, &key, &more, err));
        if (!more) break;
        if (is(&key, "id")) {
            VD_TRY(vd_js_int(s, &c->id, "a category's id", err));
            has_id = true;
        } else if (is(&key, "name")) {
            VD_TRY(read_text(s, &c->name, "a category's name", err));
        } else if (is(&key, "isthing")) {
            VD_TRY(vd_js_flag(s, &c->thing, "a flag", err));
        } else {
            VD_TRY(vd_js_skip(s, err));
        }
    }
    return has_id ? VD_OK : vd_js_bad(s, err, "a category without \"id\"");
}

static int by_image(const void *a, const void *b) {
    int64_t p = ((const vd_panoptic_image *)a)->id, q = ((const vd_panoptic_image *)b)->id;
    return (p > q) - (p < q);
}
static int by_category(const void *a, const void *b) {
    int64_t p = ((const vd_panoptic_category *)a)->id, q = ((const vd_panoptic_category *)b)->id;
    return (p > q) - (p < q);
}

static vd_status read_document(vd_json_stream *s, vd_panoptic *p, vd_err *err) {
    vd_js_text key;
    bool annotations = false, categories = false;
    VD_TRY(vd_js_enter(s, VD_JSON_OBJECT, err));
    for (bool more = true;;) {
        VD_TRY(vd_js_member(s, &key, &more, err));
        if (!more) break;
        if (is(&key, "annotations") && !annotations) {
            annotations = true;
            VD_TRY(read_list(s, p, read_annotation, err));
        } else if (is(&key, "categories") && !categories) {
            categories = true;
            VD_TRY(read_list(s, p, read_category, err));
        } else {
            VD_TRY(vd_js_skip(s, err));
        }
    }
    VD_TRY(vd_js_end(s, err));
    if (!annotations) return vd_fail(err, VD_E_FORMAT, "%s: no \"annotations\"", vd_js_where(s));
    if (p->n_images > 0) qsort(p->image, (size_t)p->n_images, sizeof *p->image, by_image);
    if (p->n_categories > 0)
        qsort(p->category, (size_t)p->n_categories, sizeof *p->category, by_category);
    for (int64_t i = 1; i < p->n_images; i++)
        if (p->image[i].id == p->image[i - 1].id)
            return vd_fail(err, VD_E_FORMAT, "%s: two annotations are of image %lld",
                           vd_js_where(s), (long long)p->image[i].id);
    return VD_OK;
}

vd_status vd_panoptic_read(vd_panoptic *out, const char *path, const void *bytes, size_t size,
                           vd_err *err) {
    vd_json_stream *s = NULL;
    vd_panoptic p = { 0 };
    vd_status st =
        bytes != NULL ? vd_js_open_bytes(&s, path, bytes, size, err) : vd_js_open(&s, path, err);
    if (st == VD_OK) st = read_document(s, &p, err);
    vd_js_free(s);
    if (st == VD_OK)
        *out = p;
    else
        vd_panoptic_reset(&p);
    return st;
}

const vd_panoptic_image *vd_panoptic_find(const vd_panoptic *p, int64_t id) {
    const vd_panoptic_image key = { .id = id };
    return p->n_images == 0 ? NULL
                            : bsearch(&key, p->image, (size_t)p->n_images, sizeof key, by_image);
}

const vd_panoptic_category *vd_panoptic_class(const vd_panoptic *p, int64_t id) {
    const vd_panoptic_category key = { .id = id };
    return p->n_categories == 0
               ? NULL
               : bsearch(&key, p->category, (size_t)p->n_categories, sizeof key, by_category);
}
