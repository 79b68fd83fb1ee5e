/* Label sets by hand, for the tests of their checks. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_TESTS_AUDIT_SET_H
#define VD_TESTS_AUDIT_SET_H

#include "audit/audit.h"
#include "base/mem.h"

static inline int32_t add_category(vd_audit_set *s, const char *name, const char *parent) {
    vd_err err = { 0 };
    if (VD_GROW(s->category, s->cap_categories, s->n_categories + 1, &err) != VD_OK) abort();
    s->category[s->n_categories] =
        (vd_audit_category){ .source_id = s->n_categories + 1, .name = name, .parent = parent };
    return (int32_t)s->n_categories++;
}

static inline vd_audit_image *add_image(vd_audit_set *s, const char *name, int32_t w, int32_t h) {
    vd_err err = { 0 };
    if (VD_GROW(s->image, s->cap_images, s->n_images + 1, &err) != VD_OK) abort();
    s->image[s->n_images] = (vd_audit_image){ .row = s->n_images + 1,
                                              .source_id = s->n_images + 1,
                                              .asset = s->n_images + 1,
                                              .name = name,
                                              .frame = VD_LABEL_NONE,
                                              .width = w,
                                              .height = h,
                                              .asset_width = w,
                                              .asset_height = h,
                                              .first = s->n_objects };
    return &s->image[s->n_images++];
}

/* Of the last picture. */
static inline int64_t add_box(vd_audit_set *s, int32_t category, double x, double y, double w,
                              double h) {
    vd_err err = { 0 };
    if (VD_GROW(s->object, s->cap_objects, s->n_objects + 1, &err) != VD_OK) abort();
    s->object[s->n_objects] = (vd_audit_object){ .row = s->n_objects + 1,
                                                 .image = (int32_t)s->n_images - 1,
                                                 .category = category,
                                                 .has = VD_OBJ_BOX,
                                                 .box = { x, y, w, h },
                                                 .area = w * h,
                                                 .score = NAN };
    s->image[s->n_images - 1].n++;
    if (category >= 0) s->category[category].n++;
    return s->n_objects++;
}

/* The object of that index, once it is there. */
static inline vd_audit_object *object_at(vd_audit_set *s, int64_t i) {
    return &s->object[i];
}

static inline int64_t add_guess(vd_audit_set *s, int32_t category, double x, double y, double w,
                                double h, double score) {
    int64_t i = add_box(s, category, x, y, w, h);
    s->object[i].score = score;
    return i;
}

static inline int64_t count(const vd_audit_findings *f, vd_audit_kind kind) {
    int64_t n = 0;
    for (int64_t i = 0; i < f->n; i++) n += f->row[i].kind == kind;
    return n;
}

static inline const vd_audit_finding *find(const vd_audit_findings *f, vd_audit_kind kind,
                                           int64_t label) {
    for (int64_t i = 0; i < f->n; i++)
        if (f->row[i].kind == kind && f->row[i].label == label) return &f->row[i];
    return NULL;
}
#endif
