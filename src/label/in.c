/* The reader's side; see in.h. SPDX-License-Identifier: Apache-2.0 */
#include "label/in.h"

#include <string.h>

#include "base/path.h"

vd_status vd_label_in_init(vd_label_in *in, vd_label_sink sink, vd_label_report *report,
                           vd_err *err) {
    *in = (vd_label_in){ .sink = sink, .report = report };
    VD_TRY(vd_map_new(&in->category_of, err));
    return vd_map_new(&in->image_of, err);
}

void vd_label_in_reset(vd_label_in *in) {
    vd_map_free(in->category_of);
    vd_map_free(in->image_of);
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
    const char *wrong = vd_label_wrong(o);
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
