/* The reader's side; see in.h. SPDX-License-Identifier: Apache-2.0 */
#include "labelkit/in.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "labelkit/maps.h"

vd_status vd_label_in_init(vd_label_in *in, vd_label_sink sink, vd_label_report *report,
                           vd_err *err) {
    *in = (vd_label_in){ .sink = sink, .report = report };
    VD_TRY(vd_map_new(&in->category_of, err));
    return vd_map_new(&in->image_of, err);
}

void vd_label_in_reset(vd_label_in *in) {
    vd_map_free(in->category_of);
    vd_map_free(in->image_of);
    vd_label_maps_free(in->maps);
    *in = (vd_label_in){ 0 };
}

static vd_status full(const char *what, vd_err *err) {
    return vd_fail(err, VD_E_LIMIT, "label: more than %d %s", INT32_MAX, what);
}

vd_status vd_label_in_new_category(vd_label_in *in, const vd_label_category *c, int32_t *index,
                                   vd_err *err) {
    if (in->n_categories >= INT32_MAX) return full("categories", err);
    VD_TRY(in->sink.category(in->sink.user, c, err));
    *index = (int32_t)in->n_categories++;
    return VD_OK;
}

vd_status vd_label_in_new_image(vd_label_in *in, const vd_label_image *m, int32_t *index,
                                vd_err *err) {
    if (in->n_images >= INT32_MAX) return full("pictures", err);
    VD_TRY(in->sink.image(in->sink.user, m, err));
    *index = (int32_t)in->n_images++;
    return VD_OK;
}

vd_status vd_label_in_category(vd_label_in *in, const vd_label_category *c, int32_t *index,
                               vd_err *err) {
    int64_t at = 0;
    size_t n = strlen(c->name);
    if (vd_map_get(in->category_of, c->name, n, &at)) {
        *index = (int32_t)at;
        return VD_OK;
    }
    VD_TRY(vd_label_in_new_category(in, c, index, err));
    return vd_map_put(in->category_of, c->name, n, *index, err);
}

vd_status vd_label_in_class(vd_label_in *in, const char *name, int32_t *index, vd_err *err) {
    const vd_label_category c = { .id = in->n_categories + 1, .name = name };
    return vd_label_in_category(in, &c, index, err);
}

vd_status vd_label_in_image(vd_label_in *in, const vd_label_image *m, int32_t *index, bool *found,
                            vd_err *err) {
    vd_str key = { 0 };
    int64_t at = 0;
    vd_str_add(&key, m->subset != NULL ? m->subset : "");
    vd_str_addc(&key, '\n');
    vd_str_add(&key, m->name);
    vd_status st = vd_str_check(&key, err);
    bool there = st == VD_OK && vd_map_get(in->image_of, key.data, (size_t)key.size, &at);
    if (st == VD_OK && !there) {
        int32_t fresh = 0;
        vd_label_image copy = *m;
        if (copy.id == 0) copy.id = in->n_images + 1;
        st = vd_label_in_new_image(in, &copy, &fresh, err);
        at = fresh;
        if (st == VD_OK) st = vd_map_put(in->image_of, key.data, (size_t)key.size, at, err);
    }
    if (st == VD_OK) *index = (int32_t)at;
    if (st == VD_OK && found != NULL) *found = there;
    vd_str_reset(&key);
    return st;
}

vd_status vd_label_in_object(vd_label_in *in, const char *where, const vd_label_object *o,
                             vd_err *err) {
    const char *wrong = where != NULL ? vd_label_wrong(o) : NULL;
    if (wrong != NULL) return vd_fail(err, VD_E_FORMAT, "%s: %s", where, wrong);
    in->n_objects++;
    return in->sink.object(in->sink.user, o, err);
}

vd_status vd_label_in_size(vd_label_in *in, const char *name, const char *path, int32_t *width,
                           int32_t *height, vd_err *err) {
    vd_str s = { 0 };
    *width = *height = 0;
    if (in->size != NULL) VD_TRY(in->size(in->size_user, name, width, height, err));
    if (*width > 0) return VD_OK;
    bool got = path != NULL && vd_label_picture_size(path, width, height);
    if (!got && in->images != NULL)
        got = vd_label_picture_size(vd_join(&s, in->images, name), width, height);
    if (!got && in->images != NULL)
        vd_label_picture_size(vd_join(&s, in->images, vd_path_name(name)), width, height);
    vd_str_reset(&s);
    return VD_OK;
}

void vd_attr_raw(vd_str *s, const char *key, const char *json) {
    vd_str_addc(s, s->size == 0 ? '{' : ',');
    vd_str_json(s, key);
    vd_str_addc(s, ':');
    vd_str_add(s, json);
}

void vd_attr_real(vd_str *s, const char *key, double value) {
    vd_str number = { 0 };
    vd_str_json_num(&number, value);
    vd_attr_raw(s, key, vd_str_text(&number));
    if (number.status != VD_OK) s->status = number.status;
    vd_str_reset(&number);
}

void vd_attr_text(vd_str *s, const char *key, const char *value) {
    vd_str_addc(s, s->size == 0 ? '{' : ',');
    vd_str_json(s, key);
    vd_str_addc(s, ':');
    vd_str_json(s, value);
}

const char *vd_attr_end(vd_str *s) {
    if (s->size == 0) return NULL;
    vd_str_addc(s, '}');
    return vd_str_text(s);
}

/* ---- files ---- */

vd_status vd_label_each_file(const char *folder, const char *suffix, vd_label_file_fn fn,
                             void *user, int64_t *n, vd_err *err) {
    vd_names names = { 0 };
    vd_str path = { 0 };
    int64_t seen = 0;
    vd_status st = vd_names_below(&names, folder, err);
    for (int64_t i = 0; st == VD_OK && i < names.n; i++) {
        char *text = NULL;
        size_t size = 0;
        if (!vd_str_ends(names.name[i], suffix)) continue;
        vd_join(&path, folder, names.name[i]);
        st = vd_str_check(&path, err);
        if (st == VD_OK) st = vd_file_read(&text, &size, path.data, VD_LABEL_MAX_TEXT, err);
        if (st == VD_OK) st = fn(user, names.name[i], path.data, text, size, err);
        vd_mem_free(text);
        seen++;
    }
    vd_names_reset(&names);
    vd_str_reset(&path);
    if (st == VD_OK && n != NULL) *n = seen;
    return st;
}

vd_status vd_label_picture_of(vd_label_in *in, vd_str *name, const char *folder, const char *beside,
                              const char *path, vd_err *err) {
    static const char *const ext[] = { "png", "jpg", "jpeg", "bmp", "webp", "JPG", "PNG" };
    const char *const folders[] = { folder, in->images };
    vd_str file = { 0 };
    vd_status st = VD_OK;
    bool found = false;
    for (int k = 0; k < 2 && !found; k++)
        for (int i = 0; i < VD_COUNT(ext) && !found && folders[k] != NULL; i++) {
            vd_str_clear(name);
            if (k == 0 && beside[0] != '\0') vd_str_addf(name, "%s/", beside);
            vd_add_stem(name, path);
            vd_str_addf(name, ".%s", ext[i]);
            VD_GO(vd_str_check(name, err));
            vd_join(&file, folders[k], name->data);
            VD_GO(vd_str_check(&file, err));
            found = vd_is_file(file.data);
        }
    if (!found) {
        vd_str_clear(name);
        vd_add_stem(name, path);
        vd_str_add(name, ".png");
    }
    st = vd_str_check(name, err);
done:
    vd_str_reset(&file);
    return st;
}

const char *vd_label_subset_in(const char *path) {
    static const char *const names[][2] = { { "train", "train" },    { "training", "train" },
                                            { "val", "val" },        { "valid", "val" },
                                            { "validation", "val" }, { "test", "test" },
                                            { "testing", "test" } };
    for (const char *p = path; *p != '\0';) {
        size_t n = strcspn(p, "/");
        for (int i = 0; p[n] == '/' && i < VD_COUNT(names); i++)
            if (strlen(names[i][0]) == n && strncmp(p, names[i][0], n) == 0) return names[i][1];
        p += n + (p[n] == '/');
    }
    return NULL;
}

/* ---- putting objects together ---- */

void vd_build_clear(vd_build *b, int32_t image) {
    b->o = (vd_label_object){ .image = image, .category = VD_LABEL_NONE };
    b->n_xy = b->n_closed = 0;
    vd_str_clear(&b->attributes);
    vd_str_clear(&b->caption);
}

void vd_build_reset(vd_build *b) {
    vd_shape_buf_reset(&b->b);
    vd_str_reset(&b->attributes);
    vd_str_reset(&b->caption);
}

void vd_build_box(vd_build *b, double x, double y, double width, double height) {
    const double box[4] = { x, y, width, height };
    memcpy(b->o.box, box, sizeof box);
    b->o.has |= VD_OBJ_BOX;
}

vd_status vd_build_vertex(vd_build *b, double x, double y, vd_err *err) {
    VD_TRY(VD_GROW(b->b.xy, b->b.cap_xy, 2 * b->n_xy + 2, err));
    b->b.xy[2 * b->n_xy] = x;
    b->b.xy[2 * b->n_xy + 1] = y;
    b->n_xy++;
    return VD_OK;
}

vd_status vd_build_ring(vd_build *b, uint32_t kind, vd_err *err) {
    VD_TRY(VD_GROW(b->b.ring, b->b.cap_ring, b->o.n_rings + 1, err));
    if (b->n_xy - b->n_closed > INT32_MAX)
        return vd_fail(err, VD_E_LIMIT, "label: a polygon of more than %d vertices", INT32_MAX);
    b->b.ring[b->o.n_rings++] = (int32_t)(b->n_xy - b->n_closed);
    b->n_closed = b->n_xy;
    b->o.has |= kind;
    return VD_OK;
}

vd_status vd_build_keypoint(vd_build *b, double x, double y, double visibility, vd_err *err) {
    const double point[3] = { x, y, visibility };
    int64_t n = 3 * (int64_t)b->o.n_keypoints;
    VD_TRY(VD_GROW(b->b.keypoints, b->b.cap_keypoints, n + 3, err));
    memcpy(b->b.keypoints + n, point, sizeof point);
    b->o.n_keypoints++;
    b->o.has |= VD_OBJ_KEYPOINTS;
    return VD_OK;
}

vd_status vd_build_push(vd_build *b, vd_label_in *in, const char *where, vd_err *err) {
    b->o.xy = b->b.xy;
    b->o.ring = b->b.ring;
    b->o.keypoints = b->b.keypoints;
    if (b->o.has & VD_OBJ_CAPTION) b->o.caption = vd_str_text(&b->caption);
    b->o.attributes = vd_attr_end(&b->attributes);
    VD_TRY(vd_str_check(&b->attributes, err));
    VD_TRY(vd_str_check(&b->caption, err));
    return vd_label_in_object(in, where, &b->o, err);
}

double vd_attr_number(const char *object, const char *key, double otherwise) {
    vd_arena arena = { 0 };
    const vd_json *all = NULL;
    double v = otherwise;
    if (object == NULL) return otherwise;
    if (vd_json_parse(&all, &arena, "attributes", object, strlen(object), NULL) == VD_OK)
        v = vd_json_number(all, key, otherwise);
    vd_arena_reset(&arena);
    return v;
}
