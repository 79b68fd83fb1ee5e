/* See label_sets.h. SPDX-License-Identifier: Apache-2.0 */
#include "judge/label_sets.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "label/mask_map.h"
#include "store/label_read.h"

/* ---- objects ---- */

static vd_status keep_numbers(vd_detect_set *s, const double *v, int64_t n, vd_err *err) {
    VD_TRY(VD_GROW(s->number, s->cap_numbers, s->n_numbers + n, err));
    if (n > 0) memcpy(s->number + s->n_numbers, v, (size_t)n * sizeof *v);
    s->n_numbers += n;
    return VD_OK;
}

static vd_status keep_runs(vd_detect_set *s, vd_detect_object *o, const uint32_t *run, int64_t n,
                           int32_t height, int32_t width, vd_err *err) {
    o->outline = VD_OUTLINE_RUNS;
    o->outline_at = s->n_numbers;
    o->n = n;
    o->height = height;
    o->width = width;
    VD_TRY(VD_GROW(s->number, s->cap_numbers, s->n_numbers + n, err));
    for (int64_t i = 0; i < n; i++) s->number[s->n_numbers++] = run[i];
    return VD_OK;
}

static vd_status keep_rings(vd_detect_set *s, vd_detect_object *o, const vd_label_object *l,
                            int32_t height, int32_t width, vd_err *err) {
    bool holes = false;
    const double *xy = l->xy;
    for (int32_t r = 0; r < l->n_rings; r++) holes = holes || l->ring[r] < 0;
    if (holes) {
        vd_mask m = { 0 };
        bool has = false;
        VD_TRY(vd_label_object_mask(&m, &has, l, height, width, err));
        vd_status st = has ? keep_runs(s, o, m.run, m.n, height, width, err) : VD_OK;
        vd_mask_reset(&m);
        return st;
    }
    o->outline = VD_OUTLINE_POLYGONS;
    o->outline_at = s->n_numbers;
    o->n = l->n_rings;
    for (int32_t r = 0; r < l->n_rings; r++) {
        const double count = 2.0 * l->ring[r];
        VD_TRY(keep_numbers(s, &count, 1, err));
        VD_TRY(keep_numbers(s, xy, 2 * (int64_t)l->ring[r], err));
        xy += 2 * (int64_t)l->ring[r];
    }
    return VD_OK;
}

static vd_status keep_outline(vd_detect_set *s, vd_detect_object *o, const vd_label_object *l,
                              int32_t height, int32_t width, vd_err *err) {
    o->outline = VD_OUTLINE_BOX;
    if (l->has & VD_OBJ_MASK)
        return keep_runs(s, o, l->runs, l->n_runs, l->mask_height, l->mask_width, err);
    if (l->has & VD_OBJ_POLYGON && l->n_rings > 0) return keep_rings(s, o, l, height, width, err);
    return VD_OK;
}

static vd_status keep_keypoints(vd_detect_set *s, vd_detect_object *o, const vd_label_object *l,
                                const vd_detect_rules *rules, vd_err *err) {
    int labelled = 0;
    if (l->n_keypoints != rules->n_keypoints)
        return vd_fail(err, VD_E_FORMAT,
                       "label set: an object of %d keypoints, expected are %d; --sigmas says how"
                       " many",
                       l->n_keypoints, rules->n_keypoints);
    for (int k = 0; k < l->n_keypoints; k++) labelled += l->keypoints[3 * k + 2] > 0;
    if (labelled == 0) o->flags |= VD_DETECT_IGNORED;
    o->keypoints_at = s->n_numbers;
    return keep_numbers(s, l->keypoints, 3 * (int64_t)l->n_keypoints, err);
}

/* ---- detections ---- */

/* One walk over a set, for either side. */
typedef struct reader {
    const vd_detect_rules *rules;
    vd_detect_set *set;
    bool is_truth;
    vd_detect_image image;                     /* the one at hand */
    int64_t *class_id, n_classes, cap_classes; /* of each category of the set */
    /* truth */
    vd_detect_truth *truth;
    vd_map *ids, *class_ids;    /* that occurred */
    int64_t *asset, cap_assets; /* by image */
    /* predictions */
    const vd_detect_truth *against;
    vd_map *by_id, *by_asset, *by_name, *classes;
    int64_t *surplus;
} reader;

static const int64_t NO_CLASS = INT64_MIN;

/* An id of the source, or one of our own where it occurred before (sets of several files). */
static vd_status unique_id(int64_t *out, vd_map *seen, int64_t id, vd_err *err) {
    int64_t before;
    *out = id;
    if (vd_map_get(seen, &id, sizeof id, &before)) *out = NO_CLASS + 1 + vd_map_size(seen);
    return vd_map_put(seen, out, sizeof *out, 1, err);
}

/* Files of results know pictures and classes by their ids only, which then are their names. */
static bool is_id(const char *name, int64_t id) {
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)id);
    return strcmp(name, text) == 0;
}

static vd_status take_category(void *user, const vd_label_category *c, vd_err *err) {
    reader *r = user;
    if (r->is_truth) {
        vd_detect_truth *t = r->truth;
        VD_TRY(VD_GROW(t->category, t->cap_categories, t->n_categories + 1, err));
        vd_detect_category *k = &t->category[t->n_categories];
        *k = (vd_detect_category){ .name = vd_mem_strdup(c->name) };
        if (k->name == NULL) return vd_nomem(err);
        t->n_categories++;
        VD_TRY(VD_GROW(r->class_id, r->cap_classes, t->n_categories, err));
        VD_TRY(unique_id(&k->id, r->class_ids, c->id, err));
        r->class_id[r->n_classes++] = k->id;
        return VD_OK;
    }
    int64_t at = -1;
    VD_TRY(VD_GROW(r->class_id, r->cap_classes, r->n_classes + 1, err));
    bool known = vd_map_get(r->classes, c->name, strlen(c->name), &at);
    r->class_id[r->n_classes++] = known                   ? r->against->category[at].id
                                  : is_id(c->name, c->id) ? c->id
                                                          : NO_CLASS;
    return VD_OK;
}

static vd_status take_truth_image(reader *r, const vd_label_image *m, int64_t asset, vd_err *err) {
    vd_detect_truth *t = r->truth;
    r->image = (vd_detect_image){
        .height = m->height, .width = m->width, .absent_at = -1, .unlisted_at = -1
    };
    VD_TRY(unique_id(&r->image.id, r->ids, m->id, err));
    VD_TRY(vd_detect_name_image(t, &r->image, m->name, err));
    VD_TRY(VD_GROW(t->image, t->cap_images, t->n_images + 1, err));
    VD_TRY(VD_GROW(r->asset, r->cap_assets, t->n_images + 1, err));
    r->asset[t->n_images] = asset;
    t->image[t->n_images++] = r->image;
    return VD_OK;
}

static vd_status take_image(void *user, const vd_label_image *m, int64_t row, int64_t asset,
                            bool *skip, vd_err *err) {
    reader *r = user;
    int64_t at = -1;
    (void)row;
    (void)skip;
    if (r->is_truth) return take_truth_image(r, m, asset, err);
    bool found = is_id(m->name, m->id)
                     ? vd_map_get(r->by_id, &m->id, sizeof m->id, &at)
                     : (asset > 0 && vd_map_get(r->by_asset, &asset, sizeof asset, &at)) ||
                           vd_map_get(r->by_name, m->name, strlen(m->name), &at);
    if (!found) at = -1;
    r->image = at >= 0 ? r->against->image[at] : (vd_detect_image){ .id = -1 };
    if (at < 0) r->image.height = -1; /* of no picture of the truth */
    return VD_OK;
}

static vd_status take_object(void *user, const vd_label_object *l, int64_t row, vd_err *err) {
    reader *r = user;
    vd_detect_set *s = r->set;
    vd_detect_object o = { .image = r->image.id, .keypoints_at = -1, .id = s->n + 1 };
    bool keypoints = r->rules->type == VD_DETECT_KEYPOINTS;
    (void)row;
    if (!r->is_truth && r->image.height < 0) {
        (*r->surplus)++;
        return VD_OK;
    }
    if (!(l->has & VD_OBJ_SHAPES) || (keypoints && !(l->has & VD_OBJ_KEYPOINTS))) return VD_OK;
    if (l->category < 0 || l->category >= r->n_classes) return VD_OK;
    o.category = r->class_id[l->category];
    if (l->has & VD_OBJ_BOX || !vd_label_bounds(l, o.box)) memcpy(o.box, l->box, sizeof o.box);
    o.score = l->has & VD_OBJ_SCORE ? l->score : 1;
    if (r->is_truth) {
        o.area = l->has & VD_OBJ_AREA ? l->area : (double)NAN;
        if (l->has & VD_OBJ_CROWD) o.flags = VD_DETECT_CROWD | VD_DETECT_IGNORED;
    } else {
        o.area = l->has & VD_OBJ_BOX ? o.box[2] * o.box[3] : (double)NAN;
    }
    if (r->rules->type == VD_DETECT_SEGM)
        VD_TRY(keep_outline(s, &o, l, r->image.height, r->image.width, err));
    if (keypoints) VD_TRY(keep_keypoints(s, &o, l, r->rules, err));
    VD_TRY(VD_GROW(s->object, s->cap, s->n + 1, err));
    s->object[s->n++] = o;
    return VD_OK;
}

static vd_status walk_set(reader *r, const vd_judge_data *d, const char *name, vd_err *err) {
    vd_label_set_row set;
    const vd_label_walk walk = { .category = take_category,
                                 .image = take_image,
                                 .object = take_object,
                                 .user = r,
                                 .shapes = r->rules->type != VD_DETECT_BBOX };
    VD_TRY(vd_label_set_find(&set, vd_dataset_db(d->ds), name, err));
    return vd_label_set_walk(vd_dataset_db(d->ds), set.set, &walk, err);
}

typedef struct placed {
    int64_t id, index;
} placed;

static int by_id(const void *a, const void *b) {
    int64_t p = ((const placed *)a)->id, q = ((const placed *)b)->id;
    return (p > q) - (p < q);
}

/* Assets in the order of ids, in which images will be. */
static vd_status order_assets(const reader *r, vd_judge_data *d, vd_err *err) {
    const vd_detect_truth *t = r->truth;
    placed *p = vd_mem_alloc((size_t)t->n_images * sizeof *p);
    d->asset = vd_mem_array((size_t)t->n_images, sizeof *d->asset);
    bool ok = p != NULL && d->asset != NULL;
    for (int64_t i = 0; ok && i < t->n_images; i++) p[i] = (placed){ t->image[i].id, i };
    if (ok && t->n_images > 1) qsort(p, (size_t)t->n_images, sizeof *p, by_id);
    for (int64_t i = 0; ok && i < t->n_images; i++) d->asset[i] = r->asset[p[i].index];
    vd_mem_free(p);
    return ok ? VD_OK : vd_nomem(err);
}

vd_status vd_judge_set_truth(vd_detect_truth *out, vd_judge_data *d, const char *name,
                             const vd_detect_rules *rules, vd_err *err) {
    vd_detect_truth t = { 0 };
    reader r = { .rules = rules, .is_truth = true, .truth = &t, .set = &t.objects };
    vd_status st = VD_OK;
    VD_GO(vd_map_new(&r.ids, err));
    VD_GO(vd_map_new(&r.class_ids, err));
    VD_GO(walk_set(&r, d, name, err));
    VD_GO(order_assets(&r, d, err));
    VD_GO(vd_detect_finish_truth(&t, rules, name, err));
    *out = t;
    t = (vd_detect_truth){ 0 };
done:
    vd_map_free(r.ids);
    vd_map_free(r.class_ids);
    vd_mem_free(r.class_id);
    vd_mem_free(r.asset);
    vd_detect_truth_reset(&t);
    return st;
}

/* Where pictures and classes of the truth are found; of equal ones the first. */
static vd_status index_truth(reader *r, const vd_judge_data *d, vd_err *err) {
    const vd_detect_truth *t = r->against;
    VD_TRY(vd_map_new(&r->by_id, err));
    VD_TRY(vd_map_new(&r->by_asset, err));
    VD_TRY(vd_map_new(&r->by_name, err));
    VD_TRY(vd_map_new(&r->classes, err));
    for (int64_t i = t->n_images; i-- > 0;) {
        const char *name = vd_detect_image_name(t, i);
        VD_TRY(vd_map_put(r->by_id, &t->image[i].id, sizeof t->image[i].id, i, err));
        if (d->asset[i] > 0)
            VD_TRY(vd_map_put(r->by_asset, &d->asset[i], sizeof d->asset[i], i, err));
        if (name != NULL) VD_TRY(vd_map_put(r->by_name, name, strlen(name), i, err));
    }
    for (int64_t k = t->n_categories; k-- > 0;)
        VD_TRY(vd_map_put(r->classes, t->category[k].name, strlen(t->category[k].name), k, err));
    return VD_OK;
}

vd_status vd_judge_set_predictions(vd_detect_set *out, int64_t *surplus, const vd_judge_data *d,
                                   const char *name, const vd_detect_truth *truth,
                                   const vd_detect_rules *rules, vd_err *err) {
    vd_detect_set s = { 0 };
    reader r = { .rules = rules, .set = &s, .against = truth, .surplus = surplus };
    *surplus = 0;
    vd_status st = index_truth(&r, d, err);
    if (st == VD_OK) st = walk_set(&r, d, name, err);
    if (st == VD_OK) st = vd_detect_finish_predictions(&s, truth, rules, name, err);
    vd_map_free(r.by_id);
    vd_map_free(r.by_asset);
    vd_map_free(r.by_name);
    vd_map_free(r.classes);
    vd_mem_free(r.class_id);
    if (st == VD_OK)
        *out = s;
    else
        vd_detect_set_reset(&s);
    return st;
}

/* ---- classes of pictures ---- */

typedef struct picture {
    const char *name; /* in the arena */
    int64_t asset;
    int32_t category; /* -1: none */
    double score;     /* NaN: not said */
} picture;

typedef struct class_reader {
    vd_arena *arena;
    const char **category;
    int64_t n_categories, cap_categories;
    picture *picture;
    int64_t n, cap;
} class_reader;

static vd_status note_category(void *user, const vd_label_category *c, vd_err *err) {
    class_reader *r = user;
    VD_TRY(VD_GROW(r->category, r->cap_categories, r->n_categories + 1, err));
    const char *name = vd_arena_text(r->arena, c->name);
    r->category[r->n_categories++] = name;
    return name != NULL ? VD_OK : vd_nomem(err);
}

static vd_status note_image(void *user, const vd_label_image *m, int64_t row, int64_t asset,
                            bool *skip, vd_err *err) {
    class_reader *r = user;
    (void)row;
    (void)skip;
    VD_TRY(VD_GROW(r->picture, r->cap, r->n + 1, err));
    const char *name = vd_arena_text(r->arena, m->name);
    r->picture[r->n++] = (picture){ name, asset, -1, (double)NAN };
    return name != NULL ? VD_OK : vd_nomem(err);
}

static vd_status note_object(void *user, const vd_label_object *o, int64_t row, vd_err *err) {
    class_reader *r = user;
    picture *p = &r->picture[r->n - 1];
    double score = o->has & VD_OBJ_SCORE ? o->score : (double)NAN;
    (void)row;
    (void)err;
    if (o->category < 0 || o->category >= r->n_categories) return VD_OK;
    if (p->category >= 0 && !(score > p->score)) return VD_OK;
    p->category = o->category;
    p->score = score;
    return VD_OK;
}

static vd_status read_classes(class_reader *r, vd_db *db, const char *name, vd_err *err) {
    vd_label_set_row set;
    const vd_label_walk walk = {
        .category = note_category, .image = note_image, .object = note_object, .user = r
    };
    VD_TRY(vd_label_set_find(&set, db, name, err));
    return vd_label_set_walk(db, set.set, &walk, err);
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names of both sides in the order of their bytes. */
static vd_status union_of_names(vd_class_items *out, const class_reader side[2], vd_err *err) {
    int64_t n = 0;
    const char **all =
        vd_mem_array((size_t)(side[0].n_categories + side[1].n_categories), sizeof *all);
    out->name =
        vd_mem_array((size_t)(side[0].n_categories + side[1].n_categories), sizeof *out->name);
    vd_status st = all != NULL && out->name != NULL ? VD_OK : vd_nomem(err);
    for (int s = 0; s < 2 && st == VD_OK; s++)
        for (int64_t k = 0; k < side[s].n_categories; k++) all[n++] = side[s].category[k];
    if (n > 1) qsort(all, (size_t)n, sizeof *all, by_text);
    for (int64_t i = 0; i < n && st == VD_OK; i++) {
        if (i > 0 && strcmp(all[i], all[i - 1]) == 0) continue;
        out->name[out->n_classes] = vd_mem_strdup(all[i]);
        st = out->name[out->n_classes] != NULL ? VD_OK : vd_nomem(err);
        out->n_classes += st == VD_OK;
    }
    vd_mem_free(all);
    return st;
}

static int32_t class_of(const vd_class_items *c, const class_reader *r, int32_t category) {
    const char *const *p =
        bsearch(&r->category[category], c->name, (size_t)c->n_classes, sizeof *c->name, by_text);
    return (int32_t)((char *const *)p - c->name);
}

/* The prediction of an item, and how many of them were used. */
static vd_status join(vd_class_items *out, int64_t *asset, const class_reader side[2],
                      vd_err *err) {
    vd_map *by_asset = NULL, *by_name = NULL;
    vd_status st = VD_OK;
    int64_t used = 0, there = 0;
    VD_GO(vd_map_new(&by_asset, err));
    VD_GO(vd_map_new(&by_name, err));
    for (int64_t i = side[1].n; i-- > 0;) {
        const picture *p = &side[1].picture[i];
        if (p->category < 0) continue;
        there++;
        if (p->asset > 0) VD_GO(vd_map_put(by_asset, &p->asset, sizeof p->asset, i, err));
        VD_GO(vd_map_put(by_name, p->name, strlen(p->name), i, err));
    }
    for (int64_t i = 0; i < side[0].n; i++) {
        const picture *t = &side[0].picture[i];
        int64_t at = -1;
        if (t->category < 0) continue;
        vd_class_item *item = &out->item[out->n];
        *item = (vd_class_item){ class_of(out, &side[0], t->category), -1, -1, (double)NAN };
        asset[out->n] = t->asset;
        out->id[out->n++] = (char *)(uintptr_t)t->name;
        if (t->asset <= 0 || !vd_map_get(by_asset, &t->asset, sizeof t->asset, &at))
            if (!vd_map_get(by_name, t->name, strlen(t->name), &at)) at = -1;
        out->missing += at < 0;
        if (at < 0) continue;
        used++;
        item->guess = class_of(out, &side[1], side[1].picture[at].category);
        item->confidence = side[1].picture[at].score;
    }
    out->surplus = VD_MAX(there - used, 0);
done:
    vd_map_free(by_asset);
    vd_map_free(by_name);
    return st;
}

static vd_status make_items(vd_class_items *out, vd_judge_data *d, const class_reader side[2],
                            vd_err *err) {
    size_t n = (size_t)side[0].n;
    VD_TRY(union_of_names(out, side, err));
    out->item = vd_mem_array(n, sizeof *out->item);
    out->id = vd_mem_array(n, sizeof *out->id);
    d->asset = vd_mem_array(n, sizeof *d->asset);
    if (out->item == NULL || out->id == NULL || d->asset == NULL) return vd_nomem(err);
    return join(out, d->asset, side, err);
}

vd_status vd_judge_set_classes(vd_class_items *out, vd_judge_data *d, const char *truth,
                               const char *pred, vd_err *err) {
    vd_class_items c = { 0 };
    class_reader side[2] = { { .arena = &d->arena }, { .arena = &d->arena } };
    vd_db *db = vd_dataset_db(d->ds);
    vd_status st = read_classes(&side[0], db, truth, err);
    if (st == VD_OK) st = read_classes(&side[1], db, pred, err);
    if (st == VD_OK) st = make_items(&c, d, side, err);
    for (int s = 0; s < 2; s++) {
        vd_mem_free(side[s].category);
        vd_mem_free(side[s].picture);
    }
    if (st == VD_OK)
        *out = c;
    else
        vd_class_items_reset(&c);
    return st;
}
