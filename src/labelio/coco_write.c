/* Writing COCO and LVIS files. SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/decimal.h"
#include "base/mem.h"
#include "labelio/coco.h"
#include "label/mask.h"

typedef vd_coco_writer writer;

static void add_ints(vd_str *s, const uint32_t *v, int64_t n) {
    vd_str_addc(s, '[');
    for (int64_t i = 0; i < n; i++) vd_str_addf(s, i > 0 ? ",%u" : "%u", v[i]);
    vd_str_addc(s, ']');
}

static void add_reals(vd_str *s, const double *v, int64_t n) {
    vd_str_addc(s, '[');
    for (int64_t i = 0; i < n; i++) {
        if (i > 0) vd_str_addc(s, ',');
        vd_decimal_add(s, v[i]);
    }
    vd_str_addc(s, ']');
}

vd_status vd_coco_add_mask(vd_str *s, const vd_label_object *o, bool packed, vd_err *err) {
    const vd_mask m = { o->mask_height, o->mask_width, o->n_runs, (uint32_t *)o->runs };
    vd_str_addf(s, "{\"size\":[%d,%d],\"counts\":", o->mask_height, o->mask_width);
    if (packed) {
        vd_str text = { 0 };
        vd_mask_text(&m, &text);
        vd_str_json(s, vd_str_text(&text));
        if (text.status != VD_OK) s->status = text.status;
        vd_str_reset(&text);
    } else {
        add_ints(s, o->runs, o->n_runs);
    }
    vd_str_addc(s, '}');
    return vd_str_check(s, err);
}

/* ---- ids ---- */

/* Uses the ids of the source where no two are alike, and else counts from 1. */
static vd_status ids_of(int64_t *out, int64_t n, int64_t (*get)(const vd_label_set *, int64_t),
                        const vd_label_set *set, bool *own, vd_err *err) {
    vd_map *seen = NULL;
    vd_status st = vd_map_new(&seen, err);
    *own = true;
    for (int64_t i = 0; st == VD_OK && *own && i < n; i++) {
        int64_t id = get(set, i), at = 0;
        *own = !vd_map_get(seen, &id, sizeof id, &at);
        st = vd_map_put(seen, &id, sizeof id, i, err);
    }
    for (int64_t i = 0; i < n; i++) out[i] = *own ? get(set, i) : i + 1;
    vd_map_free(seen);
    return st;
}

static int64_t image_id(const vd_label_set *set, int64_t i) {
    return set->images[i].id;
}
static int64_t category_id(const vd_label_set *set, int64_t i) {
    return set->categories[i].id;
}

static vd_status objects_have_ids(writer *w, vd_err *err) {
    vd_map *seen = NULL;
    vd_label_object o;
    vd_status st = vd_map_new(&seen, err);
    w->own_ids = true;
    for (int64_t i = 0; st == VD_OK && w->own_ids && i < w->set->n_objects; i++) {
        int64_t at = 0;
        st = vd_label_set_nth(w->set, i, &o, err);
        if (st != VD_OK) break;
        w->own_ids = o.has & VD_OBJ_ID && !vd_map_get(seen, &o.id, sizeof o.id, &at);
        st = vd_map_put(seen, &o.id, sizeof o.id, i, err);
    }
    vd_map_free(seen);
    return st;
}

vd_status vd_coco_category_ids(int64_t *out, const vd_label_set *set, vd_label_report *report,
                               vd_err *err) {
    bool own = true;
    VD_TRY(ids_of(out, set->n_categories, category_id, set, &own, err));
    return own ? VD_OK
               : vd_label_lose(report, err, "ids of categories", "two have the same: counted anew");
}

static vd_status make_ids(writer *w, vd_err *err) {
    bool own = true;
    w->image_id = vd_mem_array((size_t)w->set->n_images + 1, sizeof *w->image_id);
    w->category_id = vd_mem_array((size_t)w->set->n_categories + 1, sizeof *w->category_id);
    if (w->image_id == NULL || w->category_id == NULL) return vd_nomem(err);
    VD_TRY(ids_of(w->image_id, w->set->n_images, image_id, w->set, &own, err));
    if (!own)
        VD_TRY(
            vd_label_lose(w->out->report, err, "ids of images", "two have the same: counted anew"));
    VD_TRY(vd_coco_category_ids(w->category_id, w->set, w->out->report, err));
    return objects_have_ids(w, err);
}

/* ---- members ---- */

bool vd_coco_in_subset(const writer *w, int64_t image) {
    const char *s = w->set->images[image].subset;
    return w->subset == NULL || strcmp(s != NULL ? s : "", w->subset) == 0;
}

/* Members of an object that was kept as text, without its braces. */
static void add_members(vd_str *s, const char *object) {
    if (object == NULL || object[1] == '}') return;
    vd_str_addc(s, ',');
    vd_str_addn(s, object + 1, (int64_t)strlen(object) - 2);
}

static vd_status write_images(writer *w, vd_err *err) {
    vd_str *s = &w->f.text;
    bool first = true;
    vd_str_add(s, "\"images\":[");
    for (int64_t i = 0; i < w->set->n_images; i++) {
        const vd_label_image *m = &w->set->images[i];
        if (!vd_coco_in_subset(w, i)) continue;
        vd_str_add(s, first ? "\n" : ",\n");
        first = false;
        vd_str_addf(s, "{\"id\":%lld,\"file_name\":", (long long)w->image_id[i]);
        vd_str_json(s, m->name);
        vd_str_addf(s, ",\"width\":%d,\"height\":%d", m->width, m->height);
        add_members(s, m->attributes);
        vd_str_addc(s, '}');
        if (m->sequence != NULL)
            VD_TRY(vd_label_lose(w->out->report, err, "sequences of images", "%s", m->name));
        if (m->subset != NULL && w->subset == NULL)
            VD_TRY(vd_label_lose(w->out->report, err, "subsets", "%s: %s", m->name, m->subset));
        VD_TRY(vd_out_step(&w->f, err));
    }
    vd_str_add(s, "],\n");
    return VD_OK;
}

static void add_skeleton(vd_str *s, const vd_label_category *c) {
    vd_str_add(s, ",\"keypoints\":[");
    for (int i = 0; i < c->n_keypoints; i++) {
        if (i > 0) vd_str_addc(s, ',');
        vd_str_json(s, c->keypoints[i]);
    }
    vd_str_add(s, "],\"skeleton\":[");
    for (int i = 0; i < c->n_edges; i++)
        vd_str_addf(s, "%s[%d,%d]", i > 0 ? "," : "", c->edges[2 * i] + 1, c->edges[2 * i + 1] + 1);
    vd_str_addc(s, ']');
}

void vd_coco_begin_category(vd_str *s, const vd_label_category *c, int64_t id) {
    vd_str_addf(s, "{\"id\":%lld,\"name\":", (long long)id);
    vd_str_json(s, c->name);
    vd_str_add(s, ",\"supercategory\":");
    vd_str_json(s, c->parent != NULL ? c->parent : "");
}

static vd_status write_objects(writer *w, vd_err *err);

static void write_categories(writer *w) {
    vd_str *s = &w->f.text;
    vd_str_add(s, "\"categories\":[");
    for (int64_t i = 0; i < w->set->n_categories; i++) {
        const vd_label_category *c = &w->set->categories[i];
        vd_str_add(s, i > 0 ? ",\n" : "\n");
        vd_coco_begin_category(s, c, w->category_id[i]);
        if (c->n_keypoints > 0) add_skeleton(s, c);
        if (c->thing != 0 || w->write_objects != write_objects) /* what is not stuff is counted */
            vd_str_addf(s, ",\"isthing\":%d", c->thing >= 0);
        vd_str_addc(s, '}');
    }
    vd_str_add(s, "],\n");
}

vd_status vd_coco_add_shape(vd_str *s, const vd_label_object *o, const char *name,
                            vd_label_report *report, vd_err *err) {
    const double *xy = o->xy;
    if (o->has & VD_OBJ_MASK) return vd_coco_add_mask(s, o, !(o->has & VD_OBJ_CROWD), err);
    vd_str_addc(s, '[');
    for (int i = 0; i < o->n_rings; i++) {
        int64_t n = o->ring[i] < 0 ? -(int64_t)o->ring[i] : o->ring[i];
        if (o->ring[i] < 0) {
            VD_TRY(vd_label_lose(report, err, "holes of polygons", "%s", name));
        } else {
            if (i > 0) vd_str_addc(s, ',');
            add_reals(s, xy, 2 * n);
        }
        xy += 2 * n;
    }
    vd_str_addc(s, ']');
    return vd_str_check(s, err);
}

static void add_keypoints(vd_str *s, const vd_label_object *o) {
    int labelled = 0;
    for (int i = 0; i < o->n_keypoints; i++) labelled += o->keypoints[3 * i + 2] > 0;
    vd_str_add(s, ",\"keypoints\":");
    add_reals(s, o->keypoints, 3 * (int64_t)o->n_keypoints);
    vd_str_addf(s, ",\"num_keypoints\":%d", labelled);
}

vd_status vd_coco_add_object(vd_str *s, const vd_label_object *o, const char *name,
                             vd_label_report *report, vd_err *err) {
    double box[4];
    if (vd_label_bounds(o, box)) {
        vd_str_add(s, ",\"bbox\":");
        add_reals(s, box, 4);
    }
    if (o->has & (VD_OBJ_POLYGON | VD_OBJ_MASK)) {
        vd_str_add(s, ",\"segmentation\":");
        VD_TRY(vd_coco_add_shape(s, o, name, report, err));
    }
    if (o->has & VD_OBJ_SHAPES && !(o->has & VD_OBJ_SCORE && !(o->has & VD_OBJ_AREA))) {
        vd_str_add(s, ",\"area\":");
        vd_decimal_add(s, o->has & VD_OBJ_AREA ? o->area : vd_label_area(o));
        vd_str_add(s, o->has & VD_OBJ_CROWD ? ",\"iscrowd\":1" : ",\"iscrowd\":0");
    }
    if (o->has & VD_OBJ_KEYPOINTS) add_keypoints(s, o);
    if (o->has & VD_OBJ_CAPTION) {
        vd_str_add(s, ",\"caption\":");
        vd_str_json(s, o->caption);
    }
    if (o->has & VD_OBJ_TRACK) vd_str_addf(s, ",\"track_id\":%lld", (long long)o->track);
    if (o->has & VD_OBJ_SCORE) {
        vd_str_add(s, ",\"score\":");
        vd_decimal_add(s, o->score);
    }
    if (o->attributes != NULL) {
        vd_str_add(s, ",\"attributes\":");
        vd_str_add(s, o->attributes);
    }
    return vd_str_check(s, err);
}

static vd_status add_object(writer *w, const vd_label_object *o, vd_err *err) {
    vd_str *s = &w->f.text;
    int64_t id = w->own_ids ? o->id : w->n_written + 1;
    vd_str_addf(s, "%s{\"id\":%lld,\"image_id\":%lld", w->n_written++ > 0 ? ",\n" : "\n",
                (long long)id, (long long)w->image_id[o->image]);
    if (o->category >= 0)
        vd_str_addf(s, ",\"category_id\":%lld", (long long)w->category_id[o->category]);
    VD_TRY(vd_coco_add_object(s, o, w->set->images[o->image].name, w->out->report, err));
    vd_str_addc(s, '}');
    return VD_OK;
}

/* In the order in which they came, so that a file that is read and written keeps it. */
static vd_status write_objects(writer *w, vd_err *err) {
    vd_label_object o;
    vd_str_add(&w->f.text, "\"annotations\":[");
    for (int64_t i = 0; i < w->set->n_objects; i++) {
        VD_TRY(vd_label_set_nth(w->set, i, &o, err));
        if (!vd_coco_in_subset(w, o.image)) continue;
        VD_TRY(vd_label_lose_rest(w->out->report, &w->set->images[o.image], &o, vd_label_coco.holds,
                                  err));
        VD_TRY(add_object(w, &o, err));
        VD_TRY(vd_out_step(&w->f, err));
    }
    vd_str_add(&w->f.text, "]}\n");
    return VD_OK;
}

static vd_status write_one(writer *w, const char *path, vd_err *err) {
    vd_status st = VD_OK;
    w->n_written = 0;
    w->path = path;
    VD_GO(vd_out_open(&w->f, path, err));
    vd_str_add(&w->f.text, "{");
    VD_GO(write_images(w, err));
    write_categories(w);
    VD_GO(w->write_objects(w, err));
    st = vd_out_close(&w->f, err);
done:
    vd_out_drop(&w->f);
    return st;
}

/* ---- files ---- */

static vd_status subsets_of(vd_names *out, const vd_label_set *set, vd_err *err) {
    for (int64_t i = 0; i < set->n_images; i++) {
        const char *s = set->images[i].subset != NULL ? set->images[i].subset : "";
        bool there = false;
        for (int64_t k = 0; k < out->n && !there; k++) there = strcmp(out->name[k], s) == 0;
        if (!there) VD_TRY(vd_names_add(out, s, strlen(s), err));
    }
    vd_names_sort(out);
    return VD_OK;
}

/* A folder gets annotations/KIND_SUBSET.json. */
static vd_status write_folder(writer *w, vd_err *err) {
    vd_names subsets = { 0 };
    vd_str path = { 0 };
    vd_status st = VD_OK;
    vd_join(&path, w->out->path, "annotations");
    VD_GO(vd_str_check(&path, err));
    VD_GO(vd_make_folders(path.data, err));
    VD_GO(subsets_of(&subsets, w->set, err));
    for (int64_t i = 0; i < subsets.n; i++) {
        w->subset = subsets.name[i];
        vd_str_clear(&path);
        const char *name = w->subset[0] != '\0'     ? w->subset
                           : w->out->subset != NULL ? w->out->subset
                                                    : "default";
        vd_str_addf(&path, "%s/annotations/%s_%s.json", w->out->path, w->kind, name);
        VD_GO(vd_str_check(&path, err));
        VD_GO(write_one(w, path.data, err));
    }
done:
    vd_names_reset(&subsets);
    vd_str_reset(&path);
    return st;
}

vd_status vd_coco_write_as(vd_label_set *set, const vd_label_out *out, const char *kind,
                           vd_status (*objects)(writer *w, vd_err *err), vd_err *err) {
    writer w = {
        .set = set, .out = out, .f = { .fd = -1 }, .kind = kind, .write_objects = objects
    };
    vd_status st = make_ids(&w, err);
    if (st == VD_OK)
        st =
            vd_str_ends(out->path, ".json") ? write_one(&w, out->path, err) : write_folder(&w, err);
    vd_mem_free(w.image_id);
    vd_mem_free(w.category_id);
    return st;
}

vd_status vd_coco_write(vd_label_set *set, const vd_label_out *out, vd_err *err) {
    return vd_coco_write_as(set, out, "instances", write_objects, err);
}
