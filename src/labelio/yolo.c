/* YOLO folders: which text belongs to which picture. SPDX-License-Identifier: Apache-2.0
 *
 * Layouts differ (labels/ beside images/, texts beside pictures, subsets above or below) and the
 * paths in data.yaml are often those of another machine. So all files below the folder are looked
 * at: a text belongs to the picture of the same path with "labels" for "images", or else to the
 * only picture of its name. Pictures without a text have no objects. */
#include "labelio/yolo.h"

#include <string.h>

#include "base/decimal.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/path.h"

typedef struct folder {
    vd_label_in *in;
    const char *root, *pictures; /* folders of texts and pictures */
    vd_yolo_task task;
    bool all_labels; /* the folder is itself one of labels */
    vd_yolo_names classes;
    vd_names files, images;    /* below the two */
    vd_map *by_path, *by_stem; /* index of pictures by path without extension and by stem */
    uint8_t *used;
    vd_str key, path;
} folder;

enum { AMBIGUOUS = -2 };

/* ---- classes ---- */

static vd_status read_text(const char *path, char **text, size_t *size, vd_err *err) {
    return vd_file_read(text, size, path, VD_LABEL_MAX_TEXT, err);
}

static vd_status read_yaml(folder *f, const char *path, vd_err *err) {
    char *text = NULL;
    size_t size = 0;
    VD_TRY(read_text(path, &text, &size, err));
    vd_status st = vd_yolo_parse_yaml(&f->classes, path, text, size, err);
    vd_mem_free(text);
    return st;
}

/* One name a line. */
static vd_status read_list(folder *f, const char *path, vd_err *err) {
    char *text = NULL;
    size_t size = 0;
    VD_TRY(read_text(path, &text, &size, err));
    vd_status st = VD_OK;
    for (char *p = text; st == VD_OK && *p != '\0';) {
        size_t n = strcspn(p, "\n"), bare = n;
        while (bare > 0 && (p[bare - 1] == '\r' || p[bare - 1] == ' ')) bare--;
        if (bare > 0) st = vd_names_add(&f->classes.names, p, bare, err);
        p += n + (p[n] == '\n');
    }
    vd_mem_free(text);
    return st;
}

static const char *const yaml_names[] = { "data.yaml", "dataset.yaml", "data.yml", "dataset.yml" };
static const char *const list_names[] = { "obj.names", "classes.txt", "classes.names",
                                          "labels.txt" };

/* A file of another name, where it is the only one of its kind. */
static vd_status read_only_yaml(folder *f, vd_err *err) {
    vd_names names = { 0 };
    int64_t at = -1, n = 0;
    vd_status st = vd_names_of(&names, f->root, err);
    for (int64_t i = 0; st == VD_OK && i < names.n; i++) {
        if (!vd_str_ends(names.name[i], ".yaml") && !vd_str_ends(names.name[i], ".yml")) continue;
        at = i;
        n++;
    }
    if (st == VD_OK && n == 1) {
        vd_join(&f->path, f->root, names.name[at]);
        st = vd_str_check(&f->path, err);
        if (st == VD_OK) st = read_yaml(f, f->path.data, err);
    }
    vd_names_reset(&names);
    return st;
}

static vd_status find_classes(folder *f, vd_err *err) {
    for (int i = 0; i < VD_COUNT(yaml_names) + VD_COUNT(list_names); i++) {
        bool yaml = i < VD_COUNT(yaml_names);
        const char *name = yaml ? yaml_names[i] : list_names[i - VD_COUNT(yaml_names)];
        if (!vd_is_file(vd_join(&f->path, f->root, name))) continue;
        return yaml ? read_yaml(f, f->path.data, err) : read_list(f, f->path.data, err);
    }
    return read_only_yaml(f, err);
}

/* Classes in the order of their numbers, before any object. */
static vd_status push_classes(folder *f, vd_err *err) {
    vd_names *names = &f->classes.names;
    int32_t index = 0;
    for (int64_t i = 0; i < names->n; i++) {
        const vd_label_category c = { .id = i, .name = names->name[i] };
        if (c.name[0] != '\0') VD_TRY(vd_label_in_category(f->in, &c, &index, err));
    }
    return VD_OK;
}

/* ---- pictures ---- */

/* Without its extension, with every folder named `from` left out. */
static const char *bare(vd_str *s, const char *path, const char *without) {
    const char *dot = strrchr(vd_path_name(path), '.');
    const char *end = dot != NULL ? dot : path + strlen(path);
    size_t n = strlen(without);
    vd_str_clear(s);
    for (const char *p = path; p < end;) {
        size_t part = strcspn(p, "/");
        bool inner = p + part < end;
        if (inner && part == n && strncmp(p, without, n) == 0) {
            p += part + 1;
            continue;
        }
        if (p + part > end) part = (size_t)(end - p);
        vd_str_addn(s, p, (int64_t)part);
        p += part;
        if (p < end && *p == '/') vd_str_addc(s, *p++);
    }
    return vd_str_text(s);
}

static vd_status list_pictures(folder *f, vd_err *err) {
    VD_TRY(vd_names_below(&f->files, f->root, err));
    if (strcmp(f->root, f->pictures) != 0) VD_TRY(vd_names_below(&f->images, f->pictures, err));
    const vd_names *all = strcmp(f->root, f->pictures) != 0 ? &f->images : &f->files;
    for (int64_t i = 0; i < all->n; i++) {
        int64_t at = 0;
        if (!vd_is_picture_name(all->name[i])) continue;
        bare(&f->key, all->name[i], "images");
        VD_TRY(vd_str_check(&f->key, err));
        if (!vd_map_get(f->by_path, f->key.data, (size_t)f->key.size, &at))
            VD_TRY(vd_map_put(f->by_path, f->key.data, (size_t)f->key.size, i, err));
        vd_str_clear(&f->key);
        vd_add_stem(&f->key, all->name[i]);
        bool again = vd_map_get(f->by_stem, f->key.data, (size_t)f->key.size, &at);
        VD_TRY(
            vd_map_put(f->by_stem, f->key.data, (size_t)f->key.size, again ? AMBIGUOUS : i, err));
    }
    f->used = vd_mem_array((size_t)all->n + 1, 1);
    return f->used != NULL ? VD_OK : vd_nomem(err);
}

/* Roboflow's and DOTA's folder of texts with corners in pixels. */
static bool in_label_txt(const char *text) {
    return vd_str_starts(text, "labelTxt/") || strstr(text, "/labelTxt/") != NULL;
}

/* The picture of a text, NULL where there is none. */
static const char *picture_of(folder *f, const char *text) {
    const vd_names *all = strcmp(f->root, f->pictures) != 0 ? &f->images : &f->files;
    int64_t at = 0;
    bare(&f->key, text, in_label_txt(text) ? "labelTxt" : "labels");
    bool found = vd_map_get(f->by_path, vd_str_text(&f->key), (size_t)f->key.size, &at);
    if (!found) {
        vd_str_clear(&f->key);
        vd_add_stem(&f->key, text);
        found = vd_map_get(f->by_stem, vd_str_text(&f->key), (size_t)f->key.size, &at) &&
                at != AMBIGUOUS;
    }
    if (!found) return NULL;
    f->used[at] = 1;
    return all->name[at];
}

static const char *subset_in(const char *path) {
    static const char *const names[][2] = {
        { "train", "train" },       { "val", "val" },   { "valid", "val" },
        { "validation", "val" },    { "test", "test" }, { "obj_train_data", "train" },
        { "obj_valid_data", "val" }
    };
    for (const char *p = path; *p != '\0';) {
        size_t n = strcspn(p, "/");
        for (int i = 0; p[n] == '/' && i < VD_COUNT(names); i++)
            if (strlen(names[i][0]) == n && strncmp(p, names[i][0], n) == 0) return names[i][1];
        p += n + (p[n] == '/');
    }
    return NULL;
}

/* ---- texts ---- */

static vd_status push_image(folder *f, const char *name, const char *text, int32_t *index,
                            vd_label_image *m, vd_err *err) {
    *m = (vd_label_image){ .frame = VD_LABEL_NONE, .subset = subset_in(text) };
    vd_str path = { 0 };
    m->name = name != NULL ? name : bare(&f->key, text, "labels");
    vd_status st = vd_str_check(&f->key, err);
    if (st == VD_OK)
        st = vd_label_in_size(f->in, m->name,
                              name != NULL ? vd_join(&path, f->pictures, name) : NULL, &m->width,
                              &m->height, err);
    if (st == VD_OK) st = vd_label_in_image(f->in, m, index, NULL, err);
    vd_str_reset(&path);
    return st;
}

static vd_status read_labels(folder *f, const char *name, vd_err *err) {
    vd_label_image m;
    int32_t image = 0;
    char *text = NULL;
    size_t size = 0;
    VD_TRY(push_image(f, picture_of(f, name), name, &image, &m, err));
    vd_join(&f->path, f->root, name);
    VD_TRY(vd_str_check(&f->path, err));
    VD_TRY(read_text(f->path.data, &text, &size, err));
    vd_status st = in_label_txt(name)
                       ? vd_yolo_parse_corners(f->in, f->path.data, text, size, image, err)
                       : vd_yolo_parse_lines(f->in, f->path.data, text, size, &f->classes, f->task,
                                             image, m.width, m.height, err);
    vd_mem_free(text);
    return st;
}

/* Lists of classes and pictures, and what people put beside them, are no labels: those lie in a
 * folder of labels, or have a picture. */
static bool is_labels(folder *f, const char *name) {
    if (!vd_str_ends(name, ".txt")) return false;
    for (int i = 0; i < VD_COUNT(list_names); i++)
        if (strcmp(vd_path_name(name), list_names[i]) == 0) return false;
    bool placed = strncmp(name, "labels/", 7) == 0 || strstr(name, "/labels/") != NULL;
    return placed || in_label_txt(name) || f->all_labels || picture_of(f, name) != NULL;
}

static vd_status read_all(folder *f, vd_err *err) {
    const vd_names *all = strcmp(f->root, f->pictures) != 0 ? &f->images : &f->files;
    vd_label_image m;
    int32_t index = 0;
    VD_TRY(find_classes(f, err));
    VD_TRY(push_classes(f, err));
    VD_TRY(list_pictures(f, err));
    for (int64_t i = 0; i < f->files.n; i++)
        if (is_labels(f, f->files.name[i])) VD_TRY(read_labels(f, f->files.name[i], err));
    for (int64_t i = 0; i < all->n; i++)
        if (vd_is_picture_name(all->name[i]) && !f->used[i])
            VD_TRY(push_image(f, all->name[i], all->name[i], &index, &m, err));
    return VD_OK;
}

/* The folder of a data.yaml: its "path", where that is a folder, or else where it lies. */
static vd_status root_of(folder *f, const char *path, vd_str *root, vd_err *err) {
    const char *name = vd_path_name(path);
    vd_str_addn(root, path, name - path);
    if (root->size == 0) vd_str_add(root, ".");
    VD_TRY(vd_str_check(root, err));
    VD_TRY(read_yaml(f, path, err));
    const char *said = f->classes.path;
    if (said == NULL) return VD_OK;
    vd_join(&f->path, said[0] == '/' ? "" : root->data, said);
    VD_TRY(vd_str_check(&f->path, err));
    if (!vd_is_folder(f->path.data)) return VD_OK;
    vd_str_clear(root);
    vd_str_add(root, f->path.data);
    return vd_str_check(root, err);
}

static vd_status read_task(vd_label_in *in, const char *path, vd_yolo_task task, vd_err *err) {
    folder f = { .in = in, .root = path, .task = task };
    vd_str root = { 0 };
    vd_status st = VD_OK;
    VD_GO(vd_map_new(&f.by_path, err));
    VD_GO(vd_map_new(&f.by_stem, err));
    if (!vd_is_folder(path)) {
        VD_GO(root_of(&f, path, &root, err));
        f.root = root.data;
    }
    f.pictures = in->images != NULL ? in->images : f.root;
    f.all_labels = strcmp(vd_path_name(f.root), "labels") == 0 &&
                   !vd_is_folder(vd_join(&f.path, f.root, "labels"));
    st = read_all(&f, err);
done:
    vd_yolo_names_reset(&f.classes);
    vd_names_reset(&f.files);
    vd_names_reset(&f.images);
    vd_map_free(f.by_path);
    vd_map_free(f.by_stem);
    vd_mem_free(f.used);
    vd_str_reset(&f.key);
    vd_str_reset(&f.path);
    vd_str_reset(&root);
    return st;
}

static vd_status read_any(vd_label_in *in, const char *path, vd_err *err) {
    return read_task(in, path, VD_YOLO_DETECT, err);
}
static vd_status read_obb(vd_label_in *in, const char *path, vd_err *err) {
    return read_task(in, path, VD_YOLO_OBB, err);
}

/* ---- writing ---- */

typedef struct writer {
    vd_label_set *set;
    const vd_label_out *out;
    vd_yolo_task task;
    uint32_t holds;
    int64_t n_keypoints;
    vd_str text;
} writer;

static void add_point(vd_str *s, double x, double y, const vd_label_image *m) {
    vd_str_addc(s, ' ');
    vd_decimal_add(s, x / m->width);
    vd_str_addc(s, ' ');
    vd_decimal_add(s, y / m->height);
}

static void add_box(vd_str *s, const double box[4], const vd_label_image *m) {
    add_point(s, box[0] + 0.5 * box[2], box[1] + 0.5 * box[3], m);
    add_point(s, box[2], box[3], m);
}

static vd_status lose(writer *w, const char *what, const vd_label_image *m, vd_err *err) {
    return vd_label_lose(w->out->report, err, what, "%s", m->name);
}

static vd_status add_pose(writer *w, const vd_label_image *m, const vd_label_object *o,
                          vd_err *err) {
    double box[4];
    if (!vd_label_bounds(o, box)) return lose(w, "objects without a box", m, err);
    vd_str_addf(&w->text, "%d", o->category);
    add_box(&w->text, box, m);
    for (int64_t i = 0; i < w->n_keypoints; i++) {
        bool there = i < o->n_keypoints && o->has & VD_OBJ_KEYPOINTS;
        const double none[3] = { 0 }, *k = there ? o->keypoints + 3 * i : none;
        add_point(&w->text, k[0], k[1], m);
        vd_str_addc(&w->text, ' ');
        vd_decimal_add(&w->text, k[2]);
    }
    return VD_OK;
}

/* A line holds one ring: further ones make lines of their own. */
static vd_status add_polygon(writer *w, const vd_label_image *m, const vd_label_object *o,
                             vd_err *err) {
    const double *xy = o->xy;
    if (!(o->has & VD_OBJ_POLYGON)) return lose(w, "objects without a polygon", m, err);
    for (int i = 0; i < o->n_rings; i++) {
        int64_t n = o->ring[i] < 0 ? -(int64_t)o->ring[i] : o->ring[i];
        if (o->ring[i] < 0) {
            VD_TRY(lose(w, "holes of polygons", m, err));
        } else {
            if (i > 0) VD_TRY(lose(w, "polygons of several parts (each became an object)", m, err));
            vd_str_addf(&w->text, i > 0 ? "\n%d" : "%d", o->category);
            for (int64_t k = 0; k < n; k++) add_point(&w->text, xy[2 * k], xy[2 * k + 1], m);
        }
        xy += 2 * n;
    }
    return VD_OK;
}

static vd_status add_obb(writer *w, const vd_label_image *m, const vd_label_object *o,
                         vd_err *err) {
    double xy[8];
    vd_label_object box = *o;
    if (!(o->has & VD_OBJ_ROTATED)) { /* an upright box is one that is turned by nothing */
        double b[4];
        if (!vd_label_bounds(o, b)) return lose(w, "objects without a box", m, err);
        const double centre[4] = { b[0] + 0.5 * b[2], b[1] + 0.5 * b[3], b[2], b[3] };
        memcpy(box.box, centre, sizeof centre);
        box.angle = 0;
    }
    vd_label_corners(&box, xy);
    vd_str_addf(&w->text, "%d", o->category);
    for (int i = 0; i < 4; i++) add_point(&w->text, xy[2 * i], xy[2 * i + 1], m);
    return VD_OK;
}

static vd_status add_detect(writer *w, const vd_label_image *m, const vd_label_object *o,
                            vd_err *err) {
    double box[4];
    if (!vd_label_bounds(o, box)) return lose(w, "objects without a box", m, err);
    vd_str_addf(&w->text, "%d", o->category);
    add_box(&w->text, box, m);
    return VD_OK;
}

static vd_status add_object(writer *w, const vd_label_image *m, const vd_label_object *o,
                            vd_err *err) {
    vd_status (*const add[])(writer *, const vd_label_image *, const vd_label_object *,
                             vd_err *) = { add_detect, add_polygon, add_pose, add_obb };
    int64_t before = w->text.size;
    if (o->category < 0) return lose(w, "objects without a class", m, err);
    if (m->width <= 0) return lose(w, "objects of pictures whose size is not known", m, err);
    uint32_t holds = w->holds;
    if (w->task == VD_YOLO_SEGMENT || o->has & VD_OBJ_KEYPOINTS) holds |= VD_OBJ_BOX;
    VD_TRY(vd_label_lose_rest(w->out->report, m, o, holds, err));
    VD_TRY(add[w->task](w, m, o, err));
    if (w->text.size == before) return VD_OK;
    if (o->has & VD_OBJ_SCORE) {
        vd_str_addc(&w->text, ' ');
        vd_decimal_add(&w->text, o->score);
    }
    vd_str_addc(&w->text, '\n');
    return VD_OK;
}

static const char *subset_name(const writer *w, const vd_label_image *m) {
    return m->subset != NULL ? m->subset : w->out->subset != NULL ? w->out->subset : "train";
}

/* labels/SUBSET/NAME.txt; of the picture's own path, folders that say the subset and "images" are
 * left out. */
static vd_status write_image(writer *w, int64_t i, vd_str *path, vd_err *err) {
    const vd_label_image *m = &w->set->images[i];
    vd_str name = { 0 }, inner = { 0 };
    vd_label_object o;
    vd_status st = VD_OK;
    vd_str_clear(&w->text);
    for (int64_t k = 0; k < vd_label_set_count(w->set, i); k++) {
        VD_GO(vd_label_set_get(w->set, i, k, &o, err));
        VD_GO(add_object(w, m, &o, err));
    }
    vd_add_safe_name(&name, m->name, ".x");
    bare(&inner, vd_str_text(&name), "images");
    vd_str_clear(&name);
    vd_str_addf(&name, "%s.x", vd_str_text(&inner));
    bare(&inner, vd_str_text(&name), subset_name(w, m));
    vd_str_clear(path);
    vd_str_addf(path, "labels/%s/%s.txt", subset_name(w, m), vd_str_text(&inner));
    VD_GO(vd_str_check(path, err));
    st = vd_out_text(w->out->path, path->data, &w->text, err);
done:
    vd_str_reset(&name);
    vd_str_reset(&inner);
    return st;
}

static bool has_subset(const writer *w, const char *name) {
    for (int64_t i = 0; i < w->set->n_images; i++)
        if (strcmp(subset_name(w, &w->set->images[i]), name) == 0) return true;
    return false;
}

/* Trainers want both train and val: where one has no pictures it is the other, or test. Subsets of
 * other names have keys of their own. */
static vd_status add_subsets(const writer *w, vd_str *s, vd_err *err) {
    static const char *const keys[] = { "train", "val", "test" };
    bool has[VD_COUNT(keys)];
    vd_map *seen = NULL;
    int64_t at = 0;
    vd_status st = vd_map_new(&seen, err);
    for (int k = 0; k < VD_COUNT(keys); k++) has[k] = has_subset(w, keys[k]);
    const char *const instead[] = { has[1] ? "val" : "test", has[2] ? "test" : "train" };
    for (int k = 0; st == VD_OK && k < VD_COUNT(keys); k++) {
        if (has[k] || k < 2)
            vd_str_addf(s, "%s: images/%s\n", keys[k], has[k] ? keys[k] : instead[k]);
        st = vd_map_put(seen, keys[k], strlen(keys[k]), 1, err);
    }
    for (int64_t i = 0; st == VD_OK && i < w->set->n_images; i++) {
        const char *name = subset_name(w, &w->set->images[i]);
        if (vd_map_get(seen, name, strlen(name), &at)) continue;
        vd_str_json(s, name);
        vd_str_add(s, ": ");
        st = vd_map_put(seen, name, strlen(name), 1, err);
        vd_str quoted = { 0 };
        vd_str_addf(&quoted, "images/%s", name);
        vd_str_json(s, vd_str_text(&quoted));
        vd_str_addc(s, '\n');
        vd_str_reset(&quoted);
    }
    vd_map_free(seen);
    return st;
}

static vd_status write_yaml(writer *w, vd_err *err) {
    vd_str s = { 0 };
    vd_status st = add_subsets(w, &s, err); /* no path: it is the folder that this file lies in */
    if (w->task == VD_YOLO_POSE)
        vd_str_addf(&s, "kpt_shape: [%lld, 3]\n", (long long)w->n_keypoints);
    vd_str_addf(&s, "nc: %lld\nnames:\n", (long long)w->set->n_categories);
    for (int64_t i = 0; i < w->set->n_categories; i++) {
        vd_str_addf(&s, "  %lld: ", (long long)i);
        vd_str_json(&s, w->set->categories[i].name); /* a quoted scalar of YAML, too */
        vd_str_addc(&s, '\n');
    }
    if (st == VD_OK) st = vd_out_text(w->out->path, "data.yaml", &s, err);
    vd_str_reset(&s);
    return st;
}

static vd_status count_keypoints(writer *w, vd_err *err) {
    vd_label_object o;
    for (int64_t i = 0; i < w->set->n_categories; i++)
        w->n_keypoints = VD_MAX(w->n_keypoints, w->set->categories[i].n_keypoints);
    for (int64_t i = 0; i < w->set->n_objects; i++) {
        VD_TRY(vd_label_set_nth(w->set, i, &o, err));
        if (o.has & VD_OBJ_KEYPOINTS) w->n_keypoints = VD_MAX(w->n_keypoints, o.n_keypoints);
    }
    return VD_OK;
}

static vd_status write_task(vd_label_set *set, const vd_label_out *out, vd_yolo_task task,
                            uint32_t holds, vd_err *err) {
    writer w = { .set = set, .out = out, .task = task, .holds = holds };
    vd_str path = { 0 };
    vd_status st = VD_OK;
    VD_GO(vd_make_folders(out->path, err));
    if (task == VD_YOLO_POSE) VD_GO(count_keypoints(&w, err));
    for (int64_t i = 0; i < set->n_images; i++) VD_GO(write_image(&w, i, &path, err));
    st = write_yaml(&w, err);
done:
    vd_str_reset(&path);
    vd_str_reset(&w.text);
    return st;
}

/* ---- rows ---- */

static int detect(const vd_label_probe *p) {
    if (!p->folder) {
        bool yaml = strcmp(p->ext, "yaml") == 0 || strcmp(p->ext, "yml") == 0;
        return yaml && strstr(p->head, "names:") != NULL ? 80 : 0;
    }
    for (int i = 0; i < VD_COUNT(yaml_names); i++)
        if (vd_probe_has(p, yaml_names[i])) return 80;
    if (vd_probe_has(p, "obj.names") || vd_probe_has(p, "obj.data")) return 75;
    return vd_probe_has(p, "classes.txt") ? 40 : vd_probe_has(p, "labels") ? 20 : 0;
}

static int detect_none(const vd_label_probe *p) {
    (void)p;
    return 0;
}

static int detect_obb(const vd_label_probe *p) {
    bool any = p->folder && vd_probe_below(p, "labelTxt/.");
    vd_str below = { 0 };
    for (int64_t i = 0; p->folder && i < p->names.n && !any; i++) {
        vd_str_clear(&below);
        vd_str_addf(&below, "%s/labelTxt/.", p->names.name[i]);
        any = vd_probe_below(p, vd_str_text(&below));
    }
    vd_str_reset(&below);
    return any ? 95 : 0;
}

enum {
    HOLDS_DETECT = VD_OBJ_BOX | VD_OBJ_SCORE,
    HOLDS_SEGMENT = VD_OBJ_POLYGON | VD_OBJ_SCORE,
    HOLDS_POSE = VD_OBJ_BOX | VD_OBJ_KEYPOINTS | VD_OBJ_SCORE,
    HOLDS_OBB = VD_OBJ_BOX | VD_OBJ_ROTATED | VD_OBJ_SCORE,
};

static vd_status write_detect(vd_label_set *set, const vd_label_out *out, vd_err *err) {
    return write_task(set, out, VD_YOLO_DETECT, HOLDS_DETECT, err);
}
static vd_status write_segment(vd_label_set *set, const vd_label_out *out, vd_err *err) {
    return write_task(set, out, VD_YOLO_SEGMENT, HOLDS_SEGMENT, err);
}
static vd_status write_pose(vd_label_set *set, const vd_label_out *out, vd_err *err) {
    return write_task(set, out, VD_YOLO_POSE, HOLDS_POSE, err);
}
static vd_status write_obb(vd_label_set *set, const vd_label_out *out, vd_err *err) {
    return write_task(set, out, VD_YOLO_OBB, HOLDS_OBB, err);
}

const vd_label_format vd_label_yolo = {
    .name = "yolo",
    .summary = "YOLO text files with data.yaml or obj.names: boxes; reads polygons and poses, too",
    .folder = true,
    .holds = HOLDS_DETECT,
    .detect = detect,
    .read = read_any,
    .write = write_detect,
};
const vd_label_format vd_label_yolo_segment = {
    .name = "yolo-segment",
    .summary = "YOLO text files: polygons",
    .folder = true,
    .holds = HOLDS_SEGMENT,
    .detect = detect_none,
    .read = read_any,
    .write = write_segment,
};
const vd_label_format vd_label_yolo_pose = {
    .name = "yolo-pose",
    .summary = "YOLO text files: boxes with keypoints",
    .folder = true,
    .holds = HOLDS_POSE,
    .detect = detect_none,
    .read = read_any,
    .write = write_pose,
};
const vd_label_format vd_label_yolo_obb = {
    .name = "yolo-obb",
    .summary = "YOLO text files: four corners of rotated boxes",
    .folder = true,
    .holds = HOLDS_OBB,
    .detect = detect_obb,
    .read = read_obb,
    .write = write_obb,
};
