/* Cityscapes' maps: *_instanceIds.png and *_labelIds.png. SPDX-License-Identifier: Apache-2.0
 *
 * A pixel of the first has 1000 * class + instance, or the class alone: of classes that are not
 * told apart, and of groups of those that are. The second has the class alone. The number of a
 * class or instance stays its object's id. Cordts et al., CVPR 2016; the table of classes is that
 * of the benchmark. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "labelio/simple.h"
#include "labelkit/maps.h"
#include "labelkit/paint.h"

enum {
    PER_CLASS = 1000,
    MOST_CLASS = 64, /* whose instances fit into 16 bits */
    FIRST_THING = 24,
    LAST_THING = 33,
    NUMBERS = 1 << 16
};

static const char *const classes[] = {
    "unlabeled",  "ego vehicle",   "rectification border",
    "out of roi", "static",        "dynamic",
    "ground",     "road",          "sidewalk",
    "parking",    "rail track",    "building",
    "wall",       "fence",         "guard rail",
    "bridge",     "tunnel",        "pole",
    "polegroup",  "traffic light", "traffic sign",
    "vegetation", "terrain",       "sky",
    "person",     "rider",         "car",
    "truck",      "bus",           "caravan",
    "trailer",    "train",         "motorcycle",
    "bicycle",
};

static bool is_thing(int64_t class) {
    return class >= FIRST_THING && class <= LAST_THING;
}

/* ---- reading ---- */

static vd_status push_number(vd_label_in *in, const char *where, int32_t image, int32_t value,
                             const vd_mask *mask, vd_err *err) {
    const int64_t class = value < PER_CLASS ? value : value / PER_CLASS;
    vd_label_object o = { .has = VD_OBJ_ID, .image = image, .id = value };
    char number[32];
    snprintf(number, sizeof number, "class %lld", (long long)class);
    const vd_label_category c = { .id = class,
                                  .name = class < VD_COUNT(classes) ? classes[class] : number,
                                  .thing = class >= VD_COUNT(classes) ? 0
                                           : is_thing(class)          ? 1
                                                                      : -1 };
    if (value < PER_CLASS && is_thing(class)) o.has |= VD_OBJ_CROWD;
    VD_TRY(vd_label_in_category(in, &c, &o.category, err));
    vd_label_give_mask(&o, mask);
    return vd_label_in_object(in, where, &o, err);
}

static vd_status read_map(vd_label_in *in, const char *root, const char *file, vd_err *err) {
    vd_str path = { 0 }, picture = { 0 };
    vd_label_maps *maps = NULL;
    int32_t image = 0;
    vd_status st = VD_OK;
    vd_join(&path, root, file);
    VD_GO(vd_str_check(&path, err));
    VD_GO(vd_cityscapes_picture(&picture, file, err));
    VD_GO(vd_label_in_map(in, &maps, path.data, VD_MAP_IDS, 0, 0, err));
    if (maps == NULL) goto done;
    if (maps->map.colours)
        VD_GO(vd_fail(err, VD_E_FORMAT, "%s: colours, not numbers of instances", path.data));
    const vd_label_image m = { .name = picture.data,
                               .width = maps->map.width,
                               .height = maps->map.height,
                               .subset = vd_label_subset_in(file),
                               .frame = VD_LABEL_NONE };
    VD_GO(vd_label_in_image(in, &m, &image, NULL, err));
    for (int64_t i = 0; i < maps->masks.n; i++)
        if (maps->masks.id[i] != 0)
            VD_GO(push_number(in, path.data, image, maps->masks.id[i], &maps->masks.mask[i], err));
done:
    vd_str_reset(&path);
    vd_str_reset(&picture);
    return st;
}

/* Whether the same picture has a file with another end. */
static vd_status has_other(bool *out, const char *root, const char *file, const char *suffix,
                           const char *other, vd_err *err) {
    vd_str path = { 0 };
    vd_str_addf(&path, "%s/%.*s%s", root, (int)(strlen(file) - strlen(suffix)), file, other);
    vd_status st = vd_str_check(&path, err);
    if (st == VD_OK) *out = vd_is_file(path.data);
    vd_str_reset(&path);
    return st;
}

/* Classes alone count where there are no instances, and maps where there are no polygons. */
static vd_status is_wanted(bool *out, const char *root, const char *file, bool all, vd_err *err) {
    static const char INSTANCES[] = "_instanceIds.png", LABELS[] = "_labelIds.png";
    const bool instances = vd_str_ends(file, INSTANCES);
    const char *suffix = instances ? INSTANCES : LABELS;
    bool better = false;
    *out = false;
    if (!vd_str_ends(file, suffix)) return VD_OK;
    if (!instances) VD_TRY(has_other(&better, root, file, suffix, INSTANCES, err));
    if (!all && !better) VD_TRY(has_other(&better, root, file, suffix, "_polygons.json", err));
    *out = !better;
    return VD_OK;
}

vd_status vd_cityscapes_read_maps(vd_label_in *in, const char *path, bool all, int64_t *n,
                                  vd_err *err) {
    vd_names names = { 0 };
    vd_status st = vd_names_below(&names, path, err);
    *n = 0;
    for (int64_t i = 0; st == VD_OK && i < names.n; i++) {
        bool wanted = false;
        VD_GO(is_wanted(&wanted, path, names.name[i], all, err));
        if (!wanted) continue;
        st = read_map(in, path, names.name[i], err);
        ++*n;
    }
done:
    vd_names_reset(&names);
    return st;
}

static vd_status read_path(vd_label_in *in, const char *path, vd_err *err) {
    int64_t n = 0;
    VD_TRY(vd_cityscapes_read_maps(in, path, true, &n, err));
    if (n > 0) return VD_OK;
    return vd_fail(err, VD_E_NOTFOUND, "label: no *_instanceIds.png or *_labelIds.png below %s",
                   path);
}

/* ---- writing ---- */

typedef struct writer {
    vd_label_set *set;
    const vd_label_out *out;
    int32_t *class; /* of each category; 0: none is left */
    vd_painter instances, labels;
    uint8_t *used; /* numbers of the present picture */
    vd_str name;
} writer;

static int32_t class_of(const char *name) {
    int n = 0;
    char end = '\0';
    for (int i = 0; i < VD_COUNT(classes); i++)
        if (strcmp(name, classes[i]) == 0) return i;
    /* what a reader of maps calls a number that the table does not have */
    return sscanf(name, "class %d%c", &n, &end) == 1 && n >= VD_COUNT(classes) && n <= MOST_CLASS
               ? n
               : -1;
}

/* Classes of other data get the numbers that the benchmark leaves free. */
static vd_status number_classes(writer *w, vd_err *err) {
    uint8_t taken[MOST_CLASS + 1] = { 0 };
    w->class = vd_mem_array((size_t)w->set->n_categories + 1, sizeof *w->class);
    if (w->class == NULL) return vd_nomem(err);
    for (int64_t i = 0; i < w->set->n_categories; i++) {
        w->class[i] = class_of(w->set->categories[i].name);
        if (w->class[i] >= 0) taken[w->class[i]] = 1;
    }
    int32_t next = VD_COUNT(classes);
    for (int64_t i = 0; i < w->set->n_categories; i++) {
        if (w->class[i] >= 0) continue;
        while (next <= MOST_CLASS && taken[next]) next++;
        w->class[i] = next <= MOST_CLASS ? next++ : 0;
        VD_TRY(vd_label_lose(w->out->report, err, "names of classes that Cityscapes does not have",
                             "%s: %d", w->set->categories[i].name, w->class[i]));
    }
    return VD_OK;
}

/* The number of an object: its id where that is one, else the next that is free; 0: none is. */
static int32_t number_of(const writer *w, const vd_label_object *o, int32_t class) {
    bool own = o->has & VD_OBJ_ID && (o->id == class || o->id / PER_CLASS == class) &&
               o->id < NUMBERS && o->id > 0;
    bool apart = !(o->has & VD_OBJ_CROWD) && (class >= VD_COUNT(classes) || is_thing(class));
    if (own && (!w->used[o->id] || o->id == class)) return (int32_t)o->id;
    if (!apart) return class;
    for (int32_t k = 0; k < PER_CLASS && class * PER_CLASS + k < NUMBERS; k++)
        if (!w->used[class * PER_CLASS + k]) return class * PER_CLASS + k;
    return 0;
}

static vd_status paint_object(writer *w, const vd_label_image *m, const vd_label_object *o,
                              vd_err *err) {
    vd_label_report *report = w->out->report;
    bool painted = false;
    VD_TRY(vd_label_lose_rest(report, m, o, VD_OBJ_MASK | VD_OBJ_CROWD | VD_OBJ_ID, err));
    int32_t class = o->category >= 0 ? w->class[o->category] : 0;
    int32_t number = class > 0 ? number_of(w, o, class) : 0;
    if (number == 0)
        return vd_label_lose(report, err, "objects without a number that fits", "%s", m->name);
    VD_TRY(vd_paint_object(&w->instances, &painted, m, o, number, report, err));
    if (!painted) return VD_OK;
    if (w->used[number])
        VD_TRY(vd_label_lose(report, err, "objects that are not told apart", "%s: %d", m->name,
                             number));
    w->used[number] = 1;
    return vd_paint_object(&w->labels, &painted, m, o, class, NULL, err);
}

static vd_status write_map(writer *w, const vd_label_image *m, vd_painter *p, vd_paint_kind kind,
                           const char *suffix, vd_err *err) {
    vd_str_clear(&w->name);
    VD_TRY(vd_cityscapes_file(&w->name, m, w->out->subset, suffix, err));
    return vd_paint_write(p, kind, w->out->path, w->name.data, err);
}

static vd_status write_image(writer *w, int64_t i, vd_err *err) {
    const vd_label_image *m = &w->set->images[i];
    vd_label_object o;
    bool sized = false;
    VD_TRY(vd_paint_begin(&w->instances, &sized, m, w->out->report, err));
    if (!sized) return VD_OK;
    VD_TRY(vd_paint_begin(&w->labels, &sized, m, NULL, err));
    memset(w->used, 0, NUMBERS);
    for (int64_t k = 0; k < vd_label_set_count(w->set, i); k++) {
        VD_TRY(vd_label_set_get(w->set, i, k, &o, err));
        VD_TRY(paint_object(w, m, &o, err));
    }
    VD_TRY(write_map(w, m, &w->instances, VD_PAINT_GREY16, "_instanceIds.png", err));
    return write_map(w, m, &w->labels, VD_PAINT_GREY8, "_labelIds.png", err);
}

static vd_status write_folder(vd_label_set *set, const vd_label_out *out, vd_err *err) {
    writer w = { .set = set, .out = out };
    vd_status st = VD_OK;
    VD_GO(vd_make_folders(out->path, err));
    w.used = vd_mem_array(NUMBERS, 1);
    if (w.used == NULL) VD_GO(vd_nomem(err));
    VD_GO(number_classes(&w, err));
    for (int64_t i = 0; i < set->n_images; i++) VD_GO(write_image(&w, i, err));
done:
    vd_mem_free(w.class);
    vd_mem_free(w.used);
    vd_painter_reset(&w.instances);
    vd_painter_reset(&w.labels);
    vd_str_reset(&w.name);
    return st;
}

static int detect(const vd_label_probe *p) {
    (void)p;
    return 0; /* polygons are taken where there are some: the row of Cityscapes sees to it */
}

const vd_label_format vd_label_cityscapes_masks = {
    .name = "cityscapes-masks",
    .summary = "Cityscapes' maps of instances and classes",
    .folder = true,
    .holds = VD_OBJ_MASK | VD_OBJ_CROWD | VD_OBJ_ID,
    .detect = detect,
    .read = read_path,
    .write = write_folder,
};
