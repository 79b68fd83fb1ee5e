/* Reading Pascal VOC; see voc.h. SPDX-License-Identifier: Apache-2.0 */
#include "labelio/voc.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/decimal.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "labelio/voc_masks.h"
#include "labelkit/xml.h"

/* ---- one document ---- */

typedef struct object {
    vd_label_object o;
    char *name;
    char *attributes;
} object;

typedef struct document {
    vd_label_in *in;
    const char *subset, *name;
    vd_voc_masks *masks; /* of the folder, or NULL */
    vd_str filename, class, attributes, attr_name;
    int64_t width, height;
    double corner[4], robox[5];
    unsigned has_corner, has_robox;
    /* objects wait until the picture is known: its size may come after them */
    object *objects;
    int64_t n, cap;
} document;

static vd_status keep(vd_str *to, const char *text, vd_err *err) {
    vd_str_clear(to);
    vd_str_add(to, text);
    return vd_str_check(to, err);
}

static bool number_of(const vd_xml_at *at, const char *text, double *out) {
    return vd_xml_real(at, text, "", out, NULL) == VD_OK;
}

/* Numbers stay numbers, "true" and "false" what they are. */
static void add_attribute(document *d, const vd_xml_at *at, const char *name, const char *text) {
    double v;
    bool plain = strcmp(text, "true") == 0 || strcmp(text, "false") == 0;
    if (plain) {
        vd_attr_raw(&d->attributes, name, text);
    } else if (number_of(at, text, &v)) {
        vd_attr_real(&d->attributes, name, v);
    } else {
        vd_attr_text(&d->attributes, name, text);
    }
}

static vd_status corner(document *d, const vd_xml_at *at, const char *name, vd_err *err) {
    static const char *const names[] = { "xmin", "ymin", "xmax", "ymax" };
    for (int i = 0; i < 4; i++) {
        if (strcmp(name, names[i]) != 0) continue;
        d->has_corner |= 1u << i;
        return vd_xml_real(at, at->text, name, &d->corner[i], err);
    }
    return VD_OK;
}

static vd_status robox(document *d, const vd_xml_at *at, const char *name, vd_err *err) {
    static const char *const names[] = { "cx", "cy", "w", "h", "angle" };
    for (int i = 0; i < 5; i++) {
        if (strcmp(name, names[i]) != 0) continue;
        d->has_robox |= 1u << i;
        return vd_xml_real(at, at->text, name, &d->robox[i], err);
    }
    return VD_OK;
}

static vd_status end_object(document *d, const vd_xml_at *at, vd_err *err) {
    object *e;
    VD_TRY(VD_GROW(d->objects, d->cap, d->n + 1, err));
    e = &d->objects[d->n];
    *e = (object){ 0 };
    if (d->class.size == 0)
        return vd_fail(err, VD_E_FORMAT, "%s: an object without a name", at->where);
    if (d->has_corner == 15) {
        const double box[4] = { d->corner[0], d->corner[1], d->corner[2] - d->corner[0],
                                d->corner[3] - d->corner[1] };
        memcpy(e->o.box, box, sizeof box);
        e->o.has = VD_OBJ_BOX;
    } else if (d->has_robox == 31) {
        memcpy(e->o.box, d->robox, sizeof e->o.box);
        e->o.angle = d->robox[4];
        e->o.has = VD_OBJ_ROTATED;
    } else {
        return vd_fail(err, VD_E_FORMAT, "%s: an object without a whole bndbox", at->where);
    }
    const char *wrong = vd_label_wrong(&e->o);
    if (wrong != NULL) return vd_fail(err, VD_E_FORMAT, "%s: %s", at->where, wrong);
    const char *attributes = vd_attr_end(&d->attributes);
    VD_TRY(vd_str_check(&d->attributes, err));
    d->n++;
    e->name = vd_mem_strdup(d->class.data);
    e->attributes = attributes != NULL ? vd_mem_strdup(attributes) : NULL;
    return e->name == NULL || (attributes != NULL && e->attributes == NULL) ? vd_nomem(err) : VD_OK;
}

static vd_status on_start(void *user, const vd_xml_at *at, vd_err *err) {
    document *d = user;
    if (strcmp(at->path, "annotation/object") == 0) {
        vd_str_clear(&d->class);
        vd_str_clear(&d->attributes);
        d->has_corner = d->has_robox = 0;
    } else if (strchr(at->path, '/') == NULL && strcmp(at->path, "annotation") != 0) {
        return vd_fail(err, VD_E_FORMAT, "%s: the document is a '%.60s', not an annotation",
                       at->where, at->path);
    }
    return VD_OK;
}

static vd_status object_member(document *d, const vd_xml_at *at, const char *name, vd_err *err) {
    static const char *const scalars[] = { "pose", "truncated", "occluded", "difficult" };
    if (strcmp(name, "name") == 0) return keep(&d->class, at->text, err);
    if (vd_str_starts(name, "bndbox/")) return corner(d, at, name + 7, err);
    if (vd_str_starts(name, "robndbox/")) return robox(d, at, name + 9, err);
    if (strcmp(name, "attributes/attribute/name") == 0) return keep(&d->attr_name, at->text, err);
    if (strcmp(name, "attributes/attribute/value") == 0) {
        add_attribute(d, at, vd_str_text(&d->attr_name), at->text);
        return vd_str_check(&d->attributes, err);
    }
    for (int i = 0; i < VD_COUNT(scalars); i++)
        if (strcmp(name, scalars[i]) == 0) add_attribute(d, at, name, at->text);
    if (vd_str_starts(name, "actions/") && strchr(name + 8, '/') == NULL)
        add_attribute(d, at, name + 8, at->text);
    if (strcmp(name, "part") == 0)
        return vd_label_lose(d->in->report, err, "parts of objects", "%s", at->where);
    return VD_OK;
}

static vd_status on_end(void *user, const vd_xml_at *at, vd_err *err) {
    document *d = user;
    const char *name = strchr(at->path, '/');
    if (name == NULL) return VD_OK;
    name++;
    if (strcmp(name, "filename") == 0) return keep(&d->filename, at->text, err);
    if (strcmp(name, "size/width") == 0) return vd_xml_int(at, at->text, "width", &d->width, err);
    if (strcmp(name, "size/height") == 0)
        return vd_xml_int(at, at->text, "height", &d->height, err);
    if (strcmp(name, "object") == 0) return end_object(d, at, err);
    if (vd_str_starts(name, "object/")) return object_member(d, at, name + 7, err);
    return VD_OK;
}

static vd_status push(document *d, const char *where, vd_err *err) {
    int32_t image = 0;
    const char *name = d->filename.size > 0 ? d->filename.data : d->name;
    if (name == NULL || name[0] == '\0') return vd_fail(err, VD_E_FORMAT, "%s: no filename", where);
    if (d->width < 0 || d->width > VD_LABEL_MAX_SIDE || d->height < 0 ||
        d->height > VD_LABEL_MAX_SIDE)
        return vd_fail(err, VD_E_FORMAT, "%s: a picture of %lld x %lld pixels", where,
                       (long long)d->width, (long long)d->height);
    const vd_label_image m = { .name = name,
                               .width = (int32_t)d->width,
                               .height = (int32_t)d->height,
                               .subset = d->subset,
                               .frame = VD_LABEL_NONE };
    VD_TRY(vd_label_in_image(d->in, &m, &image, NULL, err));
    if (d->masks != NULL) VD_TRY(vd_voc_masks_read(d->masks, d->name, m.width, m.height, err));
    for (int64_t i = 0; i < d->n; i++) {
        vd_label_object *o = &d->objects[i].o;
        const vd_mask *mask = NULL;
        if (d->masks != NULL)
            VD_TRY(vd_voc_masks_take(d->masks, &mask, i + 1, d->objects[i].name, err));
        if (mask != NULL) vd_label_give_mask(o, mask);
        o->image = image;
        o->attributes = d->objects[i].attributes;
        VD_TRY(vd_label_in_class(d->in, d->objects[i].name, &o->category, err));
        VD_TRY(vd_label_in_object(d->in, where, o, err));
    }
    return d->masks != NULL ? vd_voc_masks_push_rest(d->masks, image, err) : VD_OK;
}

static vd_status parse(vd_label_in *in, const char *where, const char *text, size_t size,
                       const char *subset, const char *name, vd_voc_masks *masks, vd_err *err) {
    document d = { .in = in, .subset = subset, .name = name, .masks = masks };
    const vd_xml_handler h = { on_start, on_end, &d };
    vd_status st = vd_xml_parse(&h, where, text, size, err);
    if (st == VD_OK) st = push(&d, where, err);
    for (int64_t i = 0; i < d.n; i++) {
        vd_mem_free(d.objects[i].name);
        vd_mem_free(d.objects[i].attributes);
    }
    vd_mem_free(d.objects);
    vd_str_reset(&d.filename);
    vd_str_reset(&d.class);
    vd_str_reset(&d.attributes);
    vd_str_reset(&d.attr_name);
    return st;
}

vd_status vd_voc_parse(vd_label_in *in, const char *where, const char *text, size_t size,
                       const char *subset, const char *name, vd_err *err) {
    return parse(in, where, text, size, subset, name, NULL, err);
}

/* ---- folders ---- */

typedef struct folder {
    vd_label_in *in;
    const char *root;
    vd_names files;
    vd_map *subset_of, *seen; /* by stem */
    vd_voc_masks masks;
    vd_str path, stem;
} folder;

static const char *const subsets[] = { "train", "val", "test", "trainval" };

/* ImageSets/Main/train.txt and its like: a stem a line, in some with a number after it. */
static vd_status read_subset(folder *f, const char *file, int subset, vd_err *err) {
    char *text = NULL;
    size_t size = 0;
    int64_t at = 0;
    VD_TRY(vd_file_read(&text, &size, file, VD_LABEL_MAX_TEXT, err));
    vd_status st = VD_OK;
    for (char *p = text; st == VD_OK && *p != '\0';) {
        size_t line = strcspn(p, "\n"), n = strcspn(p, " \t\r\n");
        if (n > 0 && !vd_map_get(f->subset_of, p, n, &at))
            st = vd_map_put(f->subset_of, p, n, subset, err);
        p += line + (p[line] == '\n');
    }
    vd_mem_free(text);
    return st;
}

static vd_status read_subsets(folder *f, vd_err *err) {
    static const char *const kinds[] = { "Main", "Segmentation", "Layout", "Action" };
    vd_status st = VD_OK;
    vd_str name = { 0 };
    for (int k = 0; k < VD_COUNT(kinds) && st == VD_OK; k++)
        for (int i = 0; i < VD_COUNT(subsets) && st == VD_OK; i++) {
            vd_str_clear(&name);
            vd_str_addf(&name, "ImageSets/%s/%s.txt", kinds[k], subsets[i]);
            vd_join(&f->path, f->root, vd_str_text(&name));
            VD_GO(vd_str_check(&name, err));
            VD_GO(vd_str_check(&f->path, err));
            if (vd_is_file(f->path.data)) st = read_subset(f, f->path.data, i, err);
        }
done:
    vd_str_reset(&name);
    return st;
}

/* By the lists, or by the folder that holds the file. */
static const char *subset_of(folder *f, const char *name) {
    int64_t at = 0;
    vd_str_clear(&f->stem);
    vd_add_stem(&f->stem, name);
    if (vd_map_get(f->subset_of, vd_str_text(&f->stem), (size_t)f->stem.size, &at))
        return subsets[at];
    for (int i = 0; i < VD_COUNT(subsets); i++) {
        size_t n = strlen(subsets[i]);
        if (strncmp(name, subsets[i], n) == 0 && name[n] == '/') return subsets[i];
    }
    return vd_str_starts(name, "valid/") ? "val" : NULL;
}

static vd_status read_one(folder *f, const char *name, vd_err *err) {
    char *text = NULL;
    size_t size = 0;
    const char *subset = subset_of(f, name);
    vd_join(&f->path, f->root, name);
    VD_TRY(vd_str_check(&f->path, err));
    VD_TRY(vd_str_check(&f->stem, err));
    VD_TRY(vd_map_put(f->seen, vd_str_text(&f->stem), (size_t)f->stem.size, 1, err));
    VD_TRY(vd_file_read(&text, &size, f->path.data, VD_LABEL_MAX_TEXT, err));
    vd_status st = parse(f->in, f->path.data, text, size, subset, f->stem.data, &f->masks, err);
    vd_mem_free(text);
    return st;
}

/* Maps that no document goes with. */
static vd_status bare_maps(folder *f, const char *file, vd_err *err) {
    vd_label_image m = { .frame = VD_LABEL_NONE, .subset = subset_of(f, file) };
    vd_str name = { 0 };
    int64_t at = 0;
    int32_t image = 0;
    vd_status st = VD_OK;
    VD_TRY(vd_str_check(&f->stem, err));
    if (vd_map_get(f->seen, f->stem.data, (size_t)f->stem.size, &at)) return VD_OK;
    VD_GO(vd_map_put(f->seen, f->stem.data, (size_t)f->stem.size, 1, err));
    VD_GO(vd_voc_masks_read(&f->masks, f->stem.data, 0, 0, err));
    vd_join(&f->path, f->root, "JPEGImages");
    VD_GO(vd_str_check(&f->path, err));
    VD_GO(vd_label_picture_of(f->in, &name, f->path.data, "", file, err));
    m.name = name.data;
    if (f->masks.masks.n > 0) {
        m.width = f->masks.masks.mask[0].width;
        m.height = f->masks.masks.mask[0].height;
    }
    VD_GO(vd_label_in_image(f->in, &m, &image, NULL, err));
    st = vd_voc_masks_push_rest(&f->masks, image, err);
done:
    vd_str_reset(&name);
    return st;
}

static bool is_map(const char *file) {
    return vd_str_ends(file, ".png") && (vd_str_starts(file, "SegmentationClass/") ||
                                         vd_str_starts(file, "SegmentationObject/"));
}

/* Pictures that no document names. */
static vd_status bare_picture(folder *f, const char *name, vd_err *err) {
    vd_label_image m = { .name = vd_path_name(name), .frame = VD_LABEL_NONE };
    int64_t at = 0;
    int32_t index = 0;
    m.subset = subset_of(f, name);
    if (vd_map_get(f->seen, vd_str_text(&f->stem), (size_t)f->stem.size, &at)) return VD_OK;
    VD_TRY(vd_label_in_size(f->in, m.name, vd_join(&f->path, f->root, name), &m.width, &m.height,
                            err));
    return vd_label_in_image(f->in, &m, &index, NULL, err);
}

static vd_status read_folder(folder *f, vd_err *err) {
    int64_t n = 0;
    VD_TRY(vd_map_new(&f->subset_of, err));
    VD_TRY(vd_map_new(&f->seen, err));
    VD_TRY(read_subsets(f, err));
    VD_TRY(vd_voc_masks_open(&f->masks, f->in, f->root, err));
    VD_TRY(vd_names_below(&f->files, f->root, err));
    for (int64_t i = 0; i < f->files.n; i++) {
        if (!vd_str_ends(f->files.name[i], ".xml")) continue;
        VD_TRY(read_one(f, f->files.name[i], err));
        n++;
    }
    for (int64_t i = 0; i < f->files.n; i++) {
        if (!is_map(f->files.name[i])) continue;
        VD_TRY(bare_maps(f, f->files.name[i], err));
        n++;
    }
    if (n == 0) return vd_fail(err, VD_E_NOTFOUND, "label: no XML files below %s", f->root);
    for (int64_t i = 0; i < f->files.n; i++)
        if (vd_str_starts(f->files.name[i], "JPEGImages/"))
            VD_TRY(bare_picture(f, f->files.name[i], err));
    return VD_OK;
}

static vd_status read_path(vd_label_in *in, const char *path, vd_err *err) {
    folder f = { .in = in, .root = path };
    char *text = NULL;
    size_t size = 0;
    vd_status st = VD_OK;
    if (vd_is_folder(path)) {
        st = read_folder(&f, err);
    } else {
        vd_add_stem(&f.stem, path);
        VD_GO(vd_str_check(&f.stem, err));
        VD_GO(vd_file_read(&text, &size, path, VD_LABEL_MAX_TEXT, err));
        st = vd_voc_parse(in, path, text, size, NULL, f.stem.data, err);
    }
done:
    vd_mem_free(text);
    vd_names_reset(&f.files);
    vd_voc_masks_reset(&f.masks);
    vd_map_free(f.subset_of);
    vd_map_free(f.seen);
    vd_str_reset(&f.path);
    vd_str_reset(&f.stem);
    return st;
}

/* ---- writing ---- */

typedef struct writer {
    vd_label_set *set;
    const vd_label_out *out;
    vd_str text, name;
    vd_arena arena;
    bool masks; /* maps are written, too */
    vd_voc_painter painter;
    uint8_t *mapped; /* whether a picture has maps */
} writer;

static void element(vd_str *s, const char *indent, const char *name, const char *text) {
    vd_str_addf(s, "%s<%s>", indent, name);
    vd_xml_add(s, text);
    vd_str_addf(s, "</%s>\n", name);
}

static void real_element(vd_str *s, const char *name, double v) {
    vd_str_addf(s, "      <%s>", name);
    vd_decimal_add(s, v);
    vd_str_addf(s, "</%s>\n", name);
}

static void scalar_text(vd_str *s, const vd_json *v) {
    vd_str_clear(s);
    if (v->type == VD_JSON_TEXT) vd_str_add(s, v->text);
    if (v->type == VD_JSON_BOOL) vd_str_add(s, v->number != 0 ? "true" : "false");
    if (v->type == VD_JSON_NUMBER) vd_decimal_add(s, v->number);
}

static bool is_scalar_name(const char *key) {
    return strcmp(key, "pose") == 0 || strcmp(key, "truncated") == 0 ||
           strcmp(key, "occluded") == 0 || strcmp(key, "difficult") == 0;
}

static vd_status add_attributes(writer *w, const vd_label_image *m, const vd_label_object *o,
                                vd_err *err) {
    const vd_json *all = NULL;
    vd_str value = { 0 };
    bool others = false;
    vd_status st =
        vd_json_parse(&all, &w->arena, m->name, o->attributes, strlen(o->attributes), err);
    for (const vd_json *v = st == VD_OK ? all->first : NULL; st == VD_OK && v != NULL;
         v = v->next) {
        if (v->type == VD_JSON_ARRAY || v->type == VD_JSON_OBJECT) {
            st = vd_label_lose(w->out->report, err, "attributes that are lists", "%s: %s", m->name,
                               v->key);
            continue;
        }
        scalar_text(&value, v);
        if (is_scalar_name(v->key))
            element(&w->text, "    ", v->key, vd_str_text(&value));
        else
            others = true;
    }
    if (others) vd_str_add(&w->text, "    <attributes>\n");
    for (const vd_json *v = others ? all->first : NULL; v != NULL; v = v->next) {
        if (v->type == VD_JSON_ARRAY || v->type == VD_JSON_OBJECT || is_scalar_name(v->key))
            continue;
        scalar_text(&value, v);
        vd_str_add(&w->text, "      <attribute><name>");
        vd_xml_add(&w->text, v->key);
        vd_str_add(&w->text, "</name><value>");
        vd_xml_add(&w->text, vd_str_text(&value));
        vd_str_add(&w->text, "</value></attribute>\n");
    }
    if (others) vd_str_add(&w->text, "    </attributes>\n");
    vd_str_reset(&value);
    vd_arena_clear(&w->arena);
    return st;
}

static vd_status add_object(writer *w, const vd_label_image *m, const vd_label_object *o,
                            uint32_t holds, vd_err *err) {
    static const char *const corners[] = { "xmin", "ymin", "xmax", "ymax" };
    static const char *const sides[] = { "cx", "cy", "w", "h" };
    double box[4];
    if (o->category < 0)
        return vd_label_lose(w->out->report, err, "objects without a class", "%s", m->name);
    if (!vd_label_bounds(o, box))
        return vd_label_lose(w->out->report, err, "objects without a box", "%s", m->name);
    VD_TRY(vd_label_lose_rest(w->out->report, m, o, holds, err));
    vd_str_add(&w->text, "  <object>\n");
    element(&w->text, "    ", "name", w->set->categories[o->category].name);
    if (o->attributes != NULL) VD_TRY(add_attributes(w, m, o, err));
    bool turned = o->has & VD_OBJ_ROTATED;
    vd_str_add(&w->text, turned ? "    <robndbox>\n" : "    <bndbox>\n");
    for (int i = 0; i < 4; i++) {
        double v = i < 2 ? box[i] : box[i - 2] + box[i];
        real_element(&w->text, turned ? sides[i] : corners[i], turned ? o->box[i] : v);
    }
    if (turned) real_element(&w->text, "angle", o->angle);
    vd_str_add(&w->text,
               turned ? "    </robndbox>\n  </object>\n" : "    </bndbox>\n  </object>\n");
    return VD_OK;
}

static vd_status write_image(writer *w, int64_t i, uint32_t holds, vd_err *err) {
    const vd_label_image *m = &w->set->images[i];
    vd_label_object o;
    vd_str_clear(&w->text);
    vd_str_add(&w->text, "<annotation>\n");
    element(&w->text, "  ", "filename", m->name);
    vd_str_addf(&w->text, "  <size><width>%d</width><height>%d</height><depth>3</depth></size>\n",
                m->width, m->height);
    for (int64_t k = 0; k < vd_label_set_count(w->set, i); k++) {
        VD_TRY(vd_label_set_get(w->set, i, k, &o, err));
        if (w->masks && !vd_voc_in_xml(&o) && o.has & (VD_OBJ_MASK | VD_OBJ_POLYGON))
            VD_TRY(vd_label_lose_rest(w->out->report, m, &o, holds | VD_OBJ_CROWD, err));
        else
            VD_TRY(add_object(w, m, &o, holds, err));
    }
    if (w->masks) {
        bool any = false;
        VD_TRY(vd_voc_paint(&w->painter, &any, w->set, w->out, i, err));
        vd_str_addf(&w->text, "  <segmented>%d</segmented>\n", any);
        w->mapped[i] = any;
    }
    vd_str_add(&w->text, "</annotation>\n");
    vd_str_clear(&w->name);
    vd_str_add(&w->name, "Annotations/");
    vd_add_safe_name(&w->name, m->name, ".xml");
    VD_TRY(vd_str_check(&w->name, err));
    return vd_out_text(w->out->path, w->name.data, &w->text, err);
}

static vd_status write_subset(writer *w, const char *kind, const char *subset, const uint8_t *only,
                              vd_err *err) {
    bool any = false;
    vd_str_clear(&w->text);
    for (int64_t i = 0; i < w->set->n_images; i++) {
        const vd_label_image *m = &w->set->images[i];
        if (m->subset == NULL || strcmp(m->subset, subset) != 0) continue;
        if (only != NULL && !only[i]) continue;
        vd_add_safe_name(&w->text, m->name, "");
        vd_str_addc(&w->text, '\n');
        any = true;
    }
    if (!any) return VD_OK;
    vd_str_clear(&w->name);
    vd_str_addf(&w->name, "ImageSets/%s/%s.txt", kind, subset);
    VD_TRY(vd_str_check(&w->name, err));
    return vd_out_text(w->out->path, w->name.data, &w->text, err);
}

enum { HOLDS = VD_OBJ_BOX | VD_OBJ_ROTATED | VD_LABEL_HOLDS_ATTRIBUTES };

static vd_status write_all(vd_label_set *set, const vd_label_out *out, bool masks, vd_err *err) {
    writer w = { .set = set, .out = out, .masks = masks };
    const uint32_t holds = HOLDS | (masks ? VD_OBJ_MASK : 0);
    vd_status st = VD_OK;
    VD_GO(vd_make_folders(out->path, err));
    w.mapped = vd_mem_array((size_t)set->n_images + 1, 1);
    if (w.mapped == NULL) VD_GO(vd_nomem(err));
    for (int64_t i = 0; i < set->n_images; i++) VD_GO(write_image(&w, i, holds, err));
    for (int i = 0; i < VD_COUNT(subsets); i++) {
        VD_GO(write_subset(&w, "Main", subsets[i], NULL, err));
        if (masks) VD_GO(write_subset(&w, "Segmentation", subsets[i], w.mapped, err));
    }
    if (masks) st = vd_voc_write_labelmap(&w.painter, set, out, err);
done:
    vd_voc_painter_reset(&w.painter);
    vd_mem_free(w.mapped);
    vd_str_reset(&w.text);
    vd_str_reset(&w.name);
    vd_arena_reset(&w.arena);
    return st;
}

static vd_status write_folder(vd_label_set *set, const vd_label_out *out, vd_err *err) {
    return write_all(set, out, false, err);
}
static vd_status write_masks(vd_label_set *set, const vd_label_out *out, vd_err *err) {
    return write_all(set, out, true, err);
}

/* ---- the rows ---- */

static int detect(const vd_label_probe *p) {
    if (!p->folder)
        return strcmp(p->ext, "xml") == 0 && strstr(p->head, "<annotation>") != NULL &&
                       (strstr(p->head, "<bndbox>") != NULL ||
                        strstr(p->head, "<filename>") != NULL)
                   ? 70
                   : 0;
    if (vd_probe_has(p, "Annotations") && vd_probe_has(p, "ImageSets")) return 85;
    return vd_probe_any(p, ".xml") ? 30 : 0;
}

static int detect_masks(const vd_label_probe *p) {
    bool maps = p->folder &&
                (vd_probe_has(p, "SegmentationClass") || vd_probe_has(p, "SegmentationObject"));
    return maps && !vd_probe_has(p, "Annotations") ? 85 : 0;
}

const vd_label_format vd_label_voc = {
    .name = "voc",
    .summary = "Pascal VOC XML: boxes with attributes; masks are read",
    .folder = true,
    .holds = HOLDS,
    .detect = detect,
    .read = read_path,
    .write = write_folder,
};

const vd_label_format vd_label_voc_masks = {
    .name = "voc-masks",
    .summary = "the same with SegmentationClass and SegmentationObject; polygons are filled",
    .folder = true,
    .holds = HOLDS | VD_OBJ_MASK | VD_OBJ_CROWD,
    .detect = detect_masks,
    .read = read_path,
    .write = write_masks,
};
