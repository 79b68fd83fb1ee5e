/* Labels of the published pictures; see labels.h. SPDX-License-Identifier: Apache-2.0 */
#include "publish/labels.h"

#include <string.h>

#include "base/mem.h"
#include "label/set.h"
#include "publish/names.h"

enum { SEVERAL = -2 };

vd_fit vd_publish_fit_of(const vd_publish_item *m) {
    bool stated = m->label_width > 0 && m->label_height > 0;
    return (vd_fit){ stated ? m->label_width : m->width, stated ? m->label_height : m->height,
                     m->out_width, m->out_height };
}

/* ---- what the labels say of a picture ---- */

typedef struct survey {
    vd_publish_plan *p;
    const vd_layout *layout;
    vd_label_report *report;
    vd_publish_item *item; /* of the image that is walked */
    int32_t *whole;        /* class of labels of the whole picture, of each item */
    const char **class;    /* folders of the classes */
    int64_t n_classes, cap_classes;
    vd_map *folders; /* taken: folder -> which text */
} survey;

static vd_status keep(vd_publish_plan *p, const char **out, const char *text, vd_err *err) {
    if (text == NULL) return VD_OK;
    *out = vd_arena_text(&p->texts, text);
    return *out != NULL ? VD_OK : vd_nomem(err);
}

/* A folder for `text` that no other text has; `number` tells the texts apart. */
static vd_status folder_of(survey *s, const char **out, const char *text, int64_t number,
                           vd_err *err) {
    vd_str name = { 0 };
    int64_t other = 0;
    vd_publish_safe(&name, text);
    vd_status st = vd_str_check(&name, err);
    while (st == VD_OK && vd_map_get(s->folders, name.data, (size_t)name.size, &other) &&
           other != number) {
        vd_str_addf(&name, "-%lld", (long long)number + 1);
        st = vd_str_check(&name, err);
    }
    if (st == VD_OK) st = vd_map_put(s->folders, name.data, (size_t)name.size, number, err);
    if (st == VD_OK) st = keep(s->p, out, name.data, err);
    vd_str_reset(&name);
    return st;
}

static vd_status on_category(void *user, const vd_label_category *c, vd_err *err) {
    survey *s = user;
    VD_TRY(VD_GROW(s->class, s->cap_classes, s->n_classes + 1, err));
    VD_TRY(folder_of(s, &s->class[s->n_classes], c -> name, s -> n_classes, err));
    s->n_classes++;
    return VD_OK;
}

static vd_status on_image(void *user, const vd_label_image *m, int64_t row, int64_t asset,
                          bool *skip, vd_err *err) {
    survey *s = user;
    (void)row;
    s->item = asset != 0 ? vd_publish_find(s->p, asset) : NULL;
    *skip = s->item == NULL || s->layout->kind != VD_PUBLISH_FOLDERS;
    if (s->item == NULL) return VD_OK;
    if (s->item->labelled)
        return vd_label_lose(s->report, err, "second names of pictures (their objects are joined)",
                             "%s", m->name);
    s->item->labelled = true;
    s->item->label_id = m->id;
    s->item->label_width = m->width;
    s->item->label_height = m->height;
    s->item->frame = m->frame;
    VD_TRY(keep(s->p, &s->item->sequence, m->sequence, err));
    return keep(s->p, &s->item->attributes, m->attributes, err);
}

static void add_class(int32_t *class, int32_t category) {
    if (category >= 0 && *class != category) *class = *class == VD_LABEL_NONE ? category : SEVERAL;
}

static vd_status on_object(void *user, const vd_label_object *o, int64_t row, vd_err *err) {
    survey *s = user;
    (void)row, (void)err;
    add_class(&s->item->class, o->category);
    if (!(o->has & VD_OBJ_SHAPES)) add_class(&s->whole[s->item - s->p->item], o->category);
    return VD_OK;
}

/* Labels of the whole picture say its class; without any, its objects. */
static vd_status class_folders(survey *s, vd_err *err) {
    for (int64_t i = 0; i < s->p->n; i++) {
        vd_publish_item *m = &s->p->item[i];
        if (s->whole[i] != VD_LABEL_NONE) m->class = s->whole[i];
        if (m->class < 0)
            VD_TRY(vd_publish_drop(m, m->class == SEVERAL ? VD_FATE_CLASSES : VD_FATE_NO_CLASS, "",
                                   err));
        else
            m->folder = s->class[m->class];
    }
    return VD_OK;
}

/* Loaders number the classes of each part by the folders that they find there. */
static vd_status tell_absent(survey *s, vd_err *err) {
    uint64_t *parts = vd_mem_array((size_t)s->n_classes + 1, sizeof *parts); /* that have a class */
    vd_status st = parts != NULL ? VD_OK : vd_nomem(err);
    for (int64_t i = 0; st == VD_OK && i < s->p->n; i++) {
        const vd_publish_item *m = &s->p->item[i];
        for (int k = 0; m->class >= 0 && m->fate <= VD_FATE_DONE && k < s->p->n_parts; k++)
            if (strcmp(m->part, s->p->part[k]) == 0) parts[m->class] |= (uint64_t)1 << k;
    }
    for (int64_t c = 0; st == VD_OK && c < s->n_classes; c++)
        for (int k = 0; st == VD_OK && k < s->p->n_parts; k++)
            if (!(parts[c] >> k & 1))
                st = vd_label_lose(s->report, err,
                                   "classes that a part lacks (its loader numbers the others anew)",
                                   "%s: %s", s->p->part[k], s->class[c]);
    vd_mem_free(parts);
    return st;
}

/* ---- sequences ---- */

/* A frame of a video belongs to the sequence of that. */
static vd_status video_sequence(survey *s, vd_publish_item *m, vd_err *err) {
    vd_str name = { 0 };
    const char *cut = strrchr(m->uri, '#');
    vd_str_addn(&name, m->uri, cut != NULL ? cut - m->uri : (int64_t)strlen(m->uri));
    vd_status st = vd_str_check(&name, err);
    if (st == VD_OK) st = keep(s->p, &m->sequence, name.data, err);
    m->frame = (m->id - m->parent) >> 32; /* index + 1: see vd_child_id */
    vd_str_reset(&name);
    return st;
}

static vd_status sequence_folder(survey *s, vd_map *numbers, vd_map *frames, vd_publish_item *m,
                                 vd_err *err) {
    int64_t number = vd_map_size(numbers), at = 0;
    const char *slash = NULL;
    if (m->sequence == NULL && m->parent != 0) VD_TRY(video_sequence(s, m, err));
    if (m->sequence == NULL || m->sequence[0] == '\0' || m->frame < 0)
        return vd_publish_drop(m, VD_FATE_NO_SEQUENCE, "", err);
    if (!vd_map_get(numbers, m->sequence, strlen(m->sequence), &number))
        VD_TRY(vd_map_put(numbers, m->sequence, strlen(m->sequence), number, err));
    slash = strrchr(m->sequence, '/');
    VD_TRY(folder_of(s, &m->folder, slash != NULL ? slash + 1 : m->sequence, number, err));
    const int64_t key[2] = { number, m->frame };
    if (vd_map_get(frames, key, sizeof key, &at))
        return vd_publish_drop(m, VD_FATE_SAME_FRAME, "", err);
    return vd_map_put(frames, key, sizeof key, 1, err);
}

static vd_status sequence_folders(survey *s, vd_err *err) {
    vd_map *numbers = NULL, *frames = NULL;
    vd_status st = vd_map_new(&numbers, err);
    if (st == VD_OK) st = vd_map_new(&frames, err);
    for (int64_t i = 0; st == VD_OK && i < s->p->n; i++)
        if (s->p->item[i].fate <= VD_FATE_DONE)
            st = sequence_folder(s, numbers, frames, &s->p->item[i], err);
    vd_map_free(numbers);
    vd_map_free(frames);
    return st;
}

vd_status vd_publish_survey(vd_publish_plan *p, vd_db *db, const vd_label_set_row *row,
                            const vd_layout *layout, vd_label_report *report, vd_err *err) {
    survey s = { .p = p, .layout = layout, .report = report };
    vd_status st = VD_OK;
    bool classes = layout->kind == VD_PUBLISH_FOLDERS;
    VD_GO(vd_map_new(&s.folders, err));
    s.whole = vd_mem_array((size_t)p->n + 1, sizeof *s.whole);
    if (s.whole == NULL) VD_GO(vd_nomem(err));
    for (int64_t i = 0; i < p->n; i++) s.whole[i] = VD_LABEL_NONE;
    const vd_label_walk walk = { .category = classes ? on_category : NULL,
                                 .image = on_image,
                                 .object = classes ? on_object : NULL,
                                 .user = &s };
    if (row->set != 0) VD_GO(vd_label_set_walk(db, row->set, &walk, err));
    if (classes) VD_GO(class_folders(&s, err));
    if (classes) VD_GO(tell_absent(&s, err));
    if (layout->sequences) VD_GO(sequence_folders(&s, err));
done:
    vd_map_free(s.folders);
    vd_mem_free(s.whole);
    vd_mem_free(s.class);
    return st;
}

/* ---- the set ---- */

typedef struct collector {
    const vd_publish_plan *p;
    vd_label_sink sink;
    const vd_layout *layout;
    int32_t *image; /* of each item */
    bool fit;
    vd_fit by;        /* of the image that is walked */
    int32_t index;    /* its index in the set */
    vd_shape_buf buf; /* scaled shapes */
    vd_mask mask;
} collector;

static bool own_ids(const vd_publish_plan *p, const int32_t *image, vd_err *err, vd_status *st) {
    vd_map *seen = NULL;
    bool own = true;
    int64_t at = 0;
    *st = vd_map_new(&seen, err);
    for (int64_t i = 0; *st == VD_OK && own && i < p->n; i++) {
        const vd_publish_item *m = &p->item[i];
        if (image[i] < 0) continue;
        own = m->labelled && !vd_map_get(seen, &m->label_id, sizeof m->label_id, &at);
        *st = vd_map_put(seen, &m->label_id, sizeof m->label_id, i, err);
    }
    vd_map_free(seen);
    return own;
}

static vd_status push_image(collector *c, const vd_publish_item *m, bool own, vd_err *err) {
    vd_str name = { 0 };
    vd_fit f = vd_publish_fit_of(m);
    vd_layout_add(&name, c->layout->name, m);
    vd_status st = vd_str_check(&name, err);
    const vd_label_image image = { .id = own ? m->label_id : m->id,
                                   .name = name.data,
                                   .width = c->fit && f.width > 0 ? f.width : f.from_width,
                                   .height = c->fit && f.height > 0 ? f.height : f.from_height,
                                   .subset = m->part,
                                   .sequence = c->layout->sequences ? m->folder : m->sequence,
                                   .frame = m->frame,
                                   .attributes = m->attributes };
    if (st == VD_OK) st = c->sink.image(c->sink.user, &image, err);
    vd_str_reset(&name);
    return st;
}

static vd_status push_images(collector *c, const char *part, vd_err *err) {
    vd_status st = VD_OK;
    int32_t n = 0;
    for (int64_t i = 0; i < c->p->n; i++) {
        const vd_publish_item *m = &c->p->item[i];
        bool in = m->fate <= VD_FATE_DONE && (part == NULL || strcmp(part, m->part) == 0);
        if (in && n == INT32_MAX)
            return vd_fail(err, VD_E_LIMIT, "export: more than %d pictures", INT32_MAX);
        c->image[i] = in ? n++ : -1;
    }
    bool own = own_ids(c->p, c->image, err, &st);
    for (int64_t i = 0; st == VD_OK && i < c->p->n; i++)
        if (c->image[i] >= 0) st = push_image(c, &c->p->item[i], own, err);
    return st;
}

static vd_status take_category(void *user, const vd_label_category *category, vd_err *err) {
    collector *c = user;
    return c->sink.category(c->sink.user, category, err);
}

static vd_status take_image(void *user, const vd_label_image *m, int64_t row, int64_t asset,
                            bool *skip, vd_err *err) {
    collector *c = user;
    const vd_publish_item *item = asset != 0 ? vd_publish_find(c->p, asset) : NULL;
    (void)row, (void)err;
    c->index = item != NULL ? c->image[item - c->p->item] : -1;
    *skip = c->index < 0;
    if (*skip) return VD_OK;
    c->by = vd_publish_fit_of(item);
    if (m->width > 0 && m->height > 0) { /* where a picture has two names, each has its own */
        c->by.from_width = m->width;
        c->by.from_height = m->height;
    }
    return VD_OK;
}

static vd_status take_object(void *user, const vd_label_object *o, int64_t row, vd_err *err) {
    collector *c = user;
    vd_label_object mine = *o;
    (void)row;
    mine.image = c->index;
    if (c->fit) VD_TRY(vd_fit_object(&mine, &c->buf, &c->mask, &c->by, err));
    return c->sink.object(c->sink.user, &mine, err);
}

vd_status vd_publish_collect(vd_label_set *out, int32_t *image, const vd_publish_plan *p, vd_db *db,
                             const vd_label_set_row *row, const vd_layout *layout, const char *part,
                             bool fit, vd_err *err) {
    collector c = { .p = p, .layout = layout, .fit = fit, .sink = vd_label_set_sink(out) };
    vd_status st = VD_OK;
    const vd_label_walk walk = { take_category, take_image, take_object, &c, true };
    int32_t *own = image == NULL ? vd_mem_array((size_t)p->n + 1, sizeof *own) : NULL;
    c.image = image != NULL ? image : own;
    if (c.image == NULL) return vd_nomem(err);
    VD_GO(push_images(&c, part, err));
    if (row->set != 0) VD_GO(vd_label_set_walk(db, row->set, &walk, err));
    st = vd_label_set_finish(out, err);
done:
    vd_shape_buf_reset(&c.buf);
    vd_mask_reset(&c.mask);
    vd_mem_free(own);
    return st;
}
