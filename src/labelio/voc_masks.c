/* See voc_masks.h. SPDX-License-Identifier: Apache-2.0 */
#include "labelio/voc_masks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"

enum { BORDER = 255, MOST_OBJECTS = 254, CLASSES = 0, OBJECTS = 1 };

static const char *const folders[] = { "SegmentationClass", "SegmentationObject" };

static const char *const voc_classes[] = {
    "background", "aeroplane", "bicycle",     "bird",  "boat",        "bottle", "bus",
    "car",        "cat",       "chair",       "cow",   "diningtable", "dog",    "horse",
    "motorbike",  "person",    "pottedplant", "sheep", "sofa",        "train",  "tvmonitor",
};

/* ---- classes ---- */

static vd_status add_class(vd_voc_masks *v, const char *name, size_t n, int32_t colour,
                           vd_err *err) {
    VD_TRY(VD_GROW(v->colour, v->cap_colour, v->class.n + 1, err));
    v->colour[v->class.n] = colour;
    return vd_names_add(&v->class, name, n, err);
}

/* "name:red,green,blue:parts:actions" a line; a line that begins with # is none. */
static vd_status read_labelmap(vd_voc_masks *v, const char *path, vd_err *err) {
    char *text = NULL;
    size_t size = 0;
    VD_TRY(vd_file_read(&text, &size, path, VD_LABEL_MAX_TEXT, err));
    vd_status st = VD_OK;
    int64_t line = 1;
    for (char *p = text; st == VD_OK && *p != '\0'; line++) {
        size_t n = strcspn(p, "\r\n"), name = strcspn(p, ":\r\n");
        int32_t rgb[3] = { 0 };
        char *end = p + name;
        bool colours = p[name] == ':';
        for (int k = 0; k < 3 && colours; k++) {
            char *from = end + 1;
            long value = strtol(from, &end, 10);
            colours = end != from && value >= 0 && value <= 255 && (k == 2 || *end == ',');
            rgb[k] = (int32_t)value;
        }
        if (n > 0 && p[0] != '#' && (!colours || name == 0))
            st = vd_fail(err, VD_E_FORMAT, "%s:%lld: not a name and a colour of 0 to 255", path,
                         (long long)line);
        else if (n > 0 && p[0] != '#')
            st = add_class(v, p, name, rgb[0] | rgb[1] << 8 | rgb[2] << 16, err);
        p += n;
        p += *p == '\r';
        p += *p == '\n';
    }
    vd_mem_free(text);
    return st;
}

/* Whether the folder has something of that name. */
static vd_status has(vd_voc_masks *v, bool *out, bool (*is)(const char *path), const char *name,
                     vd_err *err) {
    vd_join(&v->path, v->root, name);
    VD_TRY(vd_str_check(&v->path, err));
    *out = is(v->path.data);
    return VD_OK;
}

vd_status vd_voc_masks_open(vd_voc_masks *v, vd_label_in *in, const char *root, vd_err *err) {
    v->in = in;
    v->root = root;
    VD_TRY(has(v, &v->classes_there, vd_is_folder, folders[CLASSES], err));
    VD_TRY(has(v, &v->objects_there, vd_is_folder, folders[OBJECTS], err));
    if (!v->classes_there && !v->objects_there) return VD_OK;
    VD_TRY(has(v, &v->labelmap, vd_is_file, "labelmap.txt", err));
    if (v->labelmap) return read_labelmap(v, v->path.data, err);
    for (int i = 0; i < VD_COUNT(voc_classes); i++)
        VD_TRY(add_class(v, voc_classes[i], strlen(voc_classes[i]), vd_voc_colour(i), err));
    return VD_OK;
}

void vd_voc_masks_reset(vd_voc_masks *v) {
    vd_names_reset(&v->class);
    vd_label_map_reset(&v->object_map);
    vd_map_masks_reset(&v->masks);
    for (int i = 0; i < 2; i++) {
        vd_map_masks_reset(&v->values[i]);
        vd_mem_free(v->code[i]);
    }
    vd_mem_free(v->colour);
    vd_mem_free(v->segment);
    vd_str_reset(&v->path);
    *v = (vd_voc_masks){ 0 };
}

/* ---- what the numbers of maps mean ---- */

/* The index of a class, BORDER, or -1. Colours count where there are some and labelmap.txt says
 * whose they are, or where there is nothing else. */
static int32_t class_of(const vd_voc_masks *v, const vd_label_map *m, int32_t value) {
    bool indexed = value < m->n_palette && v->labelmap;
    if (!m->colours && !indexed) return value <= BORDER ? value : -1;
    int32_t colour = m->colours ? value : m->palette[value];
    if (colour == vd_voc_colour(BORDER)) return BORDER;
    for (int64_t i = 0; i < v->class.n && i < BORDER; i++)
        if (v->colour[i] == colour) return (int32_t)i;
    return m->colours ? -1 : value;
}

/* The number of an object, or BORDER; colours that are not in the palette follow after it. */
static int64_t object_of(const vd_label_map *m, int32_t value, int64_t nth) {
    if (!m->colours) return value;
    for (int i = 0; i <= BORDER; i++)
        if (vd_voc_colour(i) == value) return i;
    return BORDER + 1 + nth;
}

/* Codes of the numbers of a map: of classes their index, which is 255 for the border too; of
 * objects their rank from 1, 0 for none. */
static vd_status code_values(vd_voc_masks *v, int which, const vd_label_map *m, vd_err *err) {
    const vd_map_masks *values = &v->values[which];
    VD_TRY(VD_GROW(v->code[which], v->cap_code[which], values->n, err));
    for (int64_t i = 0; i < values->n; i++) {
        int32_t value = values->id[i];
        if (which == OBJECTS) {
            v->code[which][i] = object_of(m, value, i) == 0 ? 0 : (int32_t)i + 1;
            continue;
        }
        int32_t class = class_of(v, m, value);
        if (class < 0)
            VD_TRY(vd_label_lose(v->in->report, err, "numbers in PNG files without a class",
                                 "%s: %d, %lld pixels", vd_str_text(&v->path), value,
                                 (long long)vd_mask_area(&values->mask[i])));
        v->code[which][i] = VD_MAX(class, 0);
    }
    return VD_OK;
}

static int32_t code_of(const vd_voc_masks *v, int which, int32_t value) {
    const vd_map_masks *m = &v->values[which];
    return v->code[which][vd_map_masks_find(m, value) - m->mask];
}

/* ---- the segments of a picture ---- */

/* Reads one of the two maps of a picture; NULL in `maps`: it has none. */
static vd_status read_map(vd_voc_masks *v, vd_label_maps **maps, int which, const char *stem,
                          int32_t width, int32_t height, vd_err *err) {
    *maps = NULL;
    vd_str_clear(&v->path);
    vd_str_addf(&v->path, "%s/%s/%s.png", v->root, folders[which], stem);
    VD_TRY(vd_str_check(&v->path, err));
    if (!vd_is_file(v->path.data)) return VD_OK;
    VD_TRY(vd_label_in_map(v->in, maps, v->path.data, VD_MAP_IDS, width, height, err));
    if (*maps == NULL) return VD_OK;
    v->values[which] = (*maps)->masks;
    (*maps)->masks = (vd_map_masks){ 0 };
    return code_values(v, which, &(*maps)->map, err);
}

/* One number a pixel for both: object * 256 + class. In the memory of `into`. */
static vd_status join(vd_voc_masks *v, vd_label_map *into, const vd_label_map *object,
                      const vd_label_map *class, vd_err *err) {
    const int64_t n = (int64_t)into->width * into->height;
    int32_t last[2] = { -1, -1 }, code[2] = { 0, 0 };
    if (v->values[OBJECTS].n > INT32_MAX / (BORDER + 1) - 1)
        return vd_fail(err, VD_E_LIMIT, "%s: %lld objects in a picture, more than %d",
                       vd_str_text(&v->path), (long long)v->values[OBJECTS].n,
                       INT32_MAX / (BORDER + 1) - 1);
    for (int64_t i = 0; i < n; i++) {
        const int32_t value[2] = { class != NULL ? class->id[i] : -1,
                                   object != NULL ? object->id[i] : -1 };
        for (int k = 0; k < 2; k++) {
            if (value[k] == last[k]) continue;
            last[k] = value[k];
            code[k] = code_of(v, k, value[k]);
        }
        into->id[i] = code[OBJECTS] * (BORDER + 1) + code[CLASSES];
    }
    return vd_map_masks_of(&v->masks, into->id, into->height, into->width, err);
}

static vd_status list_segments(vd_voc_masks *v, const vd_label_map *object, vd_err *err) {
    for (int64_t i = 0; i < v->masks.n; i++) {
        int32_t rank = v->masks.id[i] / (BORDER + 1), class = v->masks.id[i] % (BORDER + 1);
        int64_t number =
            rank > 0 ? object_of(object, v->values[OBJECTS].id[rank - 1], rank - 1) : 0;
        if (number == 0 && class == 0) continue;
        VD_TRY(VD_GROW(v->segment, v->cap, v->n + 1, err));
        v->segment[v->n++] = (vd_voc_segment){ .object = number == BORDER ? 0 : number,
                                               .class = class == BORDER ? 0 : class,
                                               .border = number == BORDER || class == BORDER,
                                               .mask = &v->masks.mask[i] };
    }
    return VD_OK;
}

vd_status vd_voc_masks_read(vd_voc_masks *v, const char *stem, int32_t width, int32_t height,
                            vd_err *err) {
    vd_label_maps *maps = NULL;
    bool objects = false;
    v->n = 0;
    vd_map_masks_reset(&v->masks);
    for (int i = 0; i < 2; i++) vd_map_masks_reset(&v->values[i]);
    if (v->objects_there) VD_TRY(read_map(v, &maps, OBJECTS, stem, width, height, err));
    if (maps != NULL) { /* kept while the other map is read */
        vd_label_map free_one = v->object_map;
        v->object_map = maps->map;
        maps->map = free_one;
        width = v->object_map.width;
        height = v->object_map.height;
        objects = true;
    }
    if (v->classes_there) VD_TRY(read_map(v, &maps, CLASSES, stem, width, height, err));
    if (!v->classes_there) maps = NULL;
    if (maps == NULL && !objects) return VD_OK;
    VD_TRY(join(v, maps != NULL ? &maps->map : &v->object_map, objects ? &v->object_map : NULL,
                maps != NULL ? &maps->map : NULL, err));
    return list_segments(v, &v->object_map, err);
}

static const char *class_name(const vd_voc_masks *v, int32_t class, char buffer[32]) {
    if (class < v->class.n) return v->class.name[class];
    snprintf(buffer, 32, "class %d", class);
    return buffer;
}

vd_status vd_voc_masks_take(vd_voc_masks *v, const vd_mask **mask, int64_t nth, const char *name,
                            vd_err *err) {
    vd_voc_segment *best = NULL;
    int64_t most = 0;
    char buffer[32];
    *mask = NULL;
    for (int64_t i = 0; i < v->n; i++) {
        vd_voc_segment *s = &v->segment[i];
        if (s->object != nth || s->border || s->taken || vd_mask_area(s->mask) <= most) continue;
        best = s;
        most = vd_mask_area(s->mask);
    }
    if (best == NULL) return VD_OK;
    if (best->class != 0 && strcmp(class_name(v, best->class, buffer), name) != 0)
        return vd_label_lose(v->in->report, err, "pixels of objects that are of another class",
                             "%s: object %lld is a %s, its pixels are %s", vd_str_text(&v->path),
                             (long long)nth, name, class_name(v, best->class, buffer));
    best->taken = true;
    *mask = best->mask;
    return VD_OK;
}

vd_status vd_voc_masks_push_rest(vd_voc_masks *v, int32_t image, vd_err *err) {
    char buffer[32];
    for (int64_t i = 0; i < v->n; i++) {
        const vd_voc_segment *s = &v->segment[i];
        vd_label_object o = { .image = image, .category = VD_LABEL_NONE };
        if (s->taken) continue;
        vd_label_give_mask(&o, s->mask);
        if (s->object >= 1 && s->object <= MOST_OBJECTS) {
            o.has |= VD_OBJ_ID;
            o.id = s->object;
        }
        if (s->border || (s->object == 0 && s->class != 0)) o.has |= VD_OBJ_CROWD;
        if (s->border || s->class != 0)
            VD_TRY(vd_label_in_class(v->in, s->border ? "void" : class_name(v, s->class, buffer),
                                     &o.category, err));
        VD_TRY(vd_label_in_object(v->in, vd_str_text(&v->path), &o, err));
    }
    return VD_OK;
}

/* ---- writing ---- */

bool vd_voc_in_xml(const vd_label_object *o) {
    bool pixels = o->has & (VD_OBJ_MASK | VD_OBJ_POLYGON);
    bool boxed = o->has & (VD_OBJ_BOX | VD_OBJ_ROTATED) && !(o->has & VD_OBJ_CROWD);
    double box[4];
    return o->category >= 0 && vd_label_bounds(o, box) && (boxed || !pixels);
}

void vd_voc_painter_reset(vd_voc_painter *p) {
    vd_mem_free(p->index);
    vd_painter_reset(&p->class);
    vd_painter_reset(&p->object);
    vd_str_reset(&p->name);
}

static int32_t voc_index(const char *name) {
    for (int i = 0; i < VD_COUNT(voc_classes); i++)
        if (strcmp(voc_classes[i], name) == 0) return i;
    return strcmp(name, "void") == 0 ? BORDER : -1;
}

/* The challenge's numbers where all classes are of the challenge, else the order of the set. */
static vd_status number_classes(vd_voc_painter *p, const vd_label_set *set, vd_label_report *report,
                                vd_err *err) {
    int32_t next = 1;
    p->of = set;
    p->index = vd_mem_array((size_t)set->n_categories + 1, sizeof *p->index);
    if (p->index == NULL) return vd_nomem(err);
    for (int64_t i = 0; i < set->n_categories; i++)
        if ((p->index[i] = voc_index(set->categories[i].name)) < 0) p->own_classes = true;
    for (int64_t i = 0; p->own_classes && i < set->n_categories; i++) {
        const char *name = set->categories[i].name;
        if (p->index[i] == 0 || p->index[i] == BORDER) continue;
        p->index[i] = next < BORDER ? next++ : -1;
        if (p->index[i] < 0)
            VD_TRY(vd_label_lose(report, err, "masks of classes beyond 254", "%s", name));
    }
    return VD_OK;
}

/* Numbers of the objects of a picture: those of the XML have the first ones, in its order; others
 * their ids where those are free. */
typedef struct counter {
    int32_t xml, n_xml, next;
    bool claimed[MOST_OBJECTS + 1];
} counter;

static bool claims(const counter *n, const vd_label_object *o) {
    return !vd_voc_in_xml(o) && !(o->has & VD_OBJ_CROWD) && o->has & VD_OBJ_ID &&
           o->id > n->n_xml && o->id <= MOST_OBJECTS;
}

static vd_status count_objects(counter *out, vd_label_set *set, int64_t image, vd_err *err) {
    vd_label_object o;
    *out = (counter){ 0 };
    for (int64_t k = 0; k < vd_label_set_count(set, image); k++) {
        VD_TRY(vd_label_set_get(set, image, k, &o, err));
        out->n_xml += vd_voc_in_xml(&o);
    }
    for (int64_t k = 0; k < vd_label_set_count(set, image); k++) {
        VD_TRY(vd_label_set_get(set, image, k, &o, err));
        if (claims(out, &o)) out->claimed[o.id] = true;
    }
    out->next = out->n_xml;
    return VD_OK;
}

static int32_t number_of(counter *n, bool taken[MOST_OBJECTS + 1], const vd_label_object *o,
                         int32_t class) {
    if (vd_voc_in_xml(o)) return ++n->xml;
    if (class == BORDER) return BORDER;
    if (o->has & VD_OBJ_CROWD) return 0; /* a region that is not told apart */
    if (claims(n, o) && !taken[o->id]) {
        taken[o->id] = true;
        return (int32_t)o->id;
    }
    do n->next++;
    while (n->next <= MOST_OBJECTS && n->claimed[n->next]);
    return n->next;
}

static vd_status paint_objects(vd_voc_painter *p, bool any[2], vd_label_set *set, int64_t image,
                               vd_label_report *report, vd_err *err) {
    const vd_label_image *m = &set->images[image];
    bool taken[MOST_OBJECTS + 1] = { false };
    counter numbers;
    vd_label_object o;
    VD_TRY(count_objects(&numbers, set, image, err));
    for (int64_t k = 0; k < vd_label_set_count(set, image); k++) {
        bool painted = false;
        VD_TRY(vd_label_set_get(set, image, k, &o, err));
        const int32_t class = o.category >= 0 ? p->index[o.category] : 0;
        const int32_t number = number_of(&numbers, taken, &o, class);
        if (!(o.has & (VD_OBJ_MASK | VD_OBJ_POLYGON)) || class < 0) continue;
        if (number > MOST_OBJECTS && class != BORDER) {
            VD_TRY(vd_label_lose(report, err, "masks of objects beyond 254 of a picture", "%s",
                                 m->name));
            continue;
        }
        VD_TRY(vd_paint_object(&p->class, &painted, m, &o, class, report, err));
        if (!painted) continue;
        VD_TRY(vd_paint_object(&p->object, &painted, m, &o, number, NULL, err));
        any[CLASSES] = true;
        any[OBJECTS] = any[OBJECTS] || (number != 0 && number != BORDER);
    }
    return VD_OK;
}

vd_status vd_voc_paint(vd_voc_painter *p, bool *any, vd_label_set *set, const vd_label_out *out,
                       int64_t image, vd_err *err) {
    const vd_label_image *m = &set->images[image];
    vd_painter *const painter[2] = { &p->class, &p->object };
    bool sized = false, painted[2] = { false, false };
    uint32_t has = 0;
    vd_label_object o;
    *any = false;
    if (p->of == NULL) VD_TRY(number_classes(p, set, out->report, err));
    for (int64_t k = 0; k < vd_label_set_count(set, image); k++) {
        VD_TRY(vd_label_set_get(set, image, k, &o, err));
        has |= o.has;
    }
    if (!(has & (VD_OBJ_MASK | VD_OBJ_POLYGON))) return VD_OK;
    VD_TRY(vd_paint_begin(&p->class, &sized, m, out->report, err));
    if (sized) VD_TRY(vd_paint_begin(&p->object, &sized, m, NULL, err));
    if (sized) VD_TRY(paint_objects(p, painted, set, image, out->report, err));
    for (int i = 0; i < 2 && sized; i++) {
        if (!painted[i]) continue;
        vd_str_clear(&p->name);
        vd_str_addf(&p->name, "%s/", folders[i]);
        vd_add_safe_name(&p->name, m->name, ".png");
        VD_TRY(vd_str_check(&p->name, err));
        VD_TRY(vd_paint_write(painter[i], VD_PAINT_INDEX, out->path, p->name.data, err));
        *any = true;
    }
    return VD_OK;
}

vd_status vd_voc_write_labelmap(vd_voc_painter *p, vd_label_set *set, const vd_label_out *out,
                                vd_err *err) {
    vd_str s = { 0 };
    vd_status st = VD_OK;
    if (!p->own_classes) return VD_OK;
    vd_str_add(&s, "# label:color_rgb:parts:actions\nbackground:0,0,0::\n");
    for (int64_t i = 0; i < set->n_categories; i++) {
        int32_t index = p->index[i], colour = vd_voc_colour(VD_MAX(index, 0));
        const char *name = set->categories[i].name;
        const int64_t at = s.size;
        if (index <= 0 || index == BORDER) continue;
        vd_str_add(&s, name);
        VD_GO(vd_str_check(&s, err));
        for (char *c = s.data + at; *c != '\0'; c++)
            if (*c == ':' || *c == '\n' || *c == '\r' || (*c == '#' && c == s.data + at)) *c = '_';
        if (strcmp(s.data + at, name) != 0)
            VD_GO(
                vd_label_lose(out->report, err, "names that labelmap.txt cannot hold", "%s", name));
        vd_str_addf(&s, ":%d,%d,%d::\n", colour & 255, colour >> 8 & 255, colour >> 16);
    }
    st = vd_out_text(out->path, "labelmap.txt", &s, err);
done:
    vd_str_reset(&s);
    return st;
}
