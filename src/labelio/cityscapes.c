/* Cityscapes' polygons: gtFine/SPLIT/CITY/NAME_gtFine_polygons.json. SPDX-License-Identifier:
 * Apache-2.0
 *
 * A label that ends in "group" is a crowd of the class before it. Cordts et al., CVPR 2016. */
#include <stdio.h>
#include <string.h>

#include "base/decimal.h"
#include "labelio/simple.h"
#include "labelkit/tree.h"

static const char SUFFIX[] = "_polygons.json";

static vd_status read_object(vd_label_in *in, vd_build *b, const char *where, const vd_json *v,
                             int32_t image, vd_err *err) {
    const char *label = vd_json_text(v, "label");
    char class[256], at[512];
    vd_build_clear(b, image);
    if (label == NULL || label[0] == '\0')
        return vd_fail(err, VD_E_FORMAT, "%s: byte %lld: an object without a label", where,
                       (long long)v->at);
    snprintf(class, sizeof class, "%s", label);
    bool group = vd_str_ends(class, "group") && strlen(class) > 5;
    if (group) class[strlen(class) - 5] = '\0';
    b->o.has |= group ? VD_OBJ_CROWD : 0;
    VD_TRY(vd_label_in_class(in, class, &b->o.category, err));
    VD_TRY(vd_tree_vertices(b, vd_json_get(v, "polygon"), 1, 1, where, err));
    VD_TRY(vd_build_ring(b, VD_OBJ_POLYGON, err));
    snprintf(at, sizeof at, "%s: byte %lld", where, (long long)v->at);
    return vd_build_push(b, in, at, err);
}

vd_status vd_cityscapes_parse(vd_label_in *in, const char *where, const char *text, size_t size,
                              const char *name, const char *subset, vd_err *err) {
    vd_arena arena = { 0 };
    vd_build b = { 0 };
    const vd_json *doc = NULL, *objects;
    vd_label_image m = { .name = name, .subset = subset, .frame = VD_LABEL_NONE };
    int32_t image = 0;
    vd_status st = vd_json_parse(&doc, &arena, where, text, size, err);
    if (st != VD_OK) goto done;
    objects = vd_json_get(doc, "objects");
    if (objects == NULL || objects->type != VD_JSON_ARRAY)
        VD_GO(vd_fail(err, VD_E_FORMAT, "%s: no list \"objects\"", where));
    VD_GO(vd_tree_side(doc, "imgWidth", &m.width, where, err));
    VD_GO(vd_tree_side(doc, "imgHeight", &m.height, where, err));
    VD_GO(vd_label_in_image(in, &m, &image, NULL, err));
    for (const vd_json *v = objects->first; st == VD_OK && v != NULL; v = v->next)
        st = read_object(in, &b, where, v, image, err);
done:
    vd_build_reset(&b);
    vd_arena_reset(&arena);
    return st;
}

/* "gtFine/val/city/a_gtFine_polygons.json" to "leftImg8bit/val/city/a_leftImg8bit.png". */
vd_status vd_cityscapes_picture(vd_str *out, const char *file, vd_err *err) {
    const char *last = vd_path_name(file), *mark = strstr(last, "_gt"), *end = strrchr(last, '_');
    const char *begin = vd_str_starts(file, "gtFine/")     ? file + 7
                        : vd_str_starts(file, "gtCoarse/") ? file + 9
                                                           : file;
    if (mark != NULL) end = mark;
    vd_str_clear(out);
    vd_str_add(out, "leftImg8bit/");
    vd_str_addn(out, begin, last - begin);
    vd_str_addn(out, last, end != NULL ? end - last : (int64_t)strlen(last));
    vd_str_add(out, "_leftImg8bit.png");
    return vd_str_check(out, err);
}

static vd_status on_file(void *user, const char *name, const char *where, const char *text,
                         size_t size, vd_err *err) {
    vd_str picture = { 0 };
    const char *split = vd_label_subset_in(name);
    vd_status st = vd_cityscapes_picture(&picture, name, err);
    if (st == VD_OK) st = vd_cityscapes_parse(user, where, text, size, picture.data, split, err);
    vd_str_reset(&picture);
    return st;
}

static vd_status read_path(vd_label_in *in, const char *path, vd_err *err) {
    int64_t n = 0, maps = 0;
    VD_TRY(vd_label_each_file(path, SUFFIX, on_file, in, &n, err));
    VD_TRY(vd_cityscapes_read_maps(in, path, false, &maps, err));
    if (n + maps == 0)
        return vd_fail(err, VD_E_NOTFOUND, "label: no *%s and no *_instanceIds.png below %s",
                       SUFFIX, path);
    return VD_OK;
}

/* ---- writing ---- */

static vd_status add_object(vd_label_set *set, const vd_label_out *out, vd_str *s, bool *first,
                            const vd_label_image *m, const vd_label_object *o, vd_err *err) {
    const double *xy = o->xy;
    VD_TRY(vd_label_lose_rest(out->report, m, o, VD_OBJ_BOX | VD_OBJ_POLYGON | VD_OBJ_CROWD, err));
    if (o->category < 0 || !(o->has & VD_OBJ_POLYGON))
        return vd_label_lose(out->report, err, "objects without a class or a polygon", "%s",
                             m->name);
    if (o->n_rings > 1)
        VD_TRY(vd_label_lose(out->report, err, "polygons of several parts (each became an object)",
                             "%s", m->name));
    for (int i = 0; i < o->n_rings; i++) {
        int64_t n = o->ring[i] < 0 ? -(int64_t)o->ring[i] : o->ring[i];
        vd_str class = { 0 };
        vd_str_addf(&class, "%s%s", set->categories[o->category].name,
                    o->has & VD_OBJ_CROWD ? "group" : "");
        vd_str_add(s, *first ? "\n{\"label\":" : ",\n{\"label\":");
        vd_str_json(s, vd_str_text(&class));
        vd_str_reset(&class);
        *first = false;
        vd_str_add(s, ",\"polygon\":[");
        for (int64_t k = 0; k < n; k++) {
            vd_str_add(s, k > 0 ? ",[" : "[");
            vd_decimal_add(s, xy[2 * k]);
            vd_str_addc(s, ',');
            vd_decimal_add(s, xy[2 * k + 1]);
            vd_str_addc(s, ']');
        }
        vd_str_add(s, "]}");
        xy += 2 * n;
    }
    return VD_OK;
}

vd_status vd_cityscapes_file(vd_str *out, const vd_label_image *m, const char *subset,
                             const char *suffix, vd_err *err) {
    vd_str stem = { 0 };
    vd_add_stem(&stem, m->name);
    vd_status st = vd_str_check(&stem, err);
    const char *mark = strstr(vd_str_text(&stem), "_leftImg8bit"),
               *city = strchr(vd_str_text(&stem), '_');
    vd_str_addf(out, "gtFine/%s/",
                m->subset != NULL ? m->subset
                : subset != NULL  ? subset
                                  : "train");
    vd_str_addn(out, vd_str_text(&stem), city != NULL ? city - stem.data : stem.size);
    vd_str_addc(out, '/');
    vd_str_addn(out, vd_str_text(&stem), mark != NULL ? mark - stem.data : stem.size);
    vd_str_addf(out, "_gtFine%s", suffix);
    vd_str_reset(&stem);
    return st == VD_OK ? vd_str_check(out, err) : st;
}

static vd_status write_image(vd_label_set *set, const vd_label_out *out, int64_t i, vd_str *s,
                             vd_str *name, vd_err *err) {
    const vd_label_image *m = &set->images[i];
    vd_label_object o;
    bool first = true;
    vd_str_clear(s);
    vd_str_addf(s, "{\"imgHeight\":%d,\"imgWidth\":%d,\"objects\":[", m->height, m->width);
    for (int64_t k = 0; k < vd_label_set_count(set, i); k++) {
        VD_TRY(vd_label_set_get(set, i, k, &o, err));
        VD_TRY(add_object(set, out, s, &first, m, &o, err));
    }
    vd_str_add(s, "]}\n");
    vd_str_clear(name);
    VD_TRY(vd_cityscapes_file(name, m, out->subset, SUFFIX, err));
    return vd_out_text(out->path, name->data, s, err);
}

static vd_status write_folder(vd_label_set *set, const vd_label_out *out, vd_err *err) {
    vd_str s = { 0 }, name = { 0 };
    vd_status st = vd_make_folders(out->path, err);
    for (int64_t i = 0; st == VD_OK && i < set->n_images; i++)
        st = write_image(set, out, i, &s, &name, err);
    vd_str_reset(&s);
    vd_str_reset(&name);
    return st;
}

static int detect(const vd_label_probe *p) {
    return p->folder && (vd_probe_has(p, "gtFine") || vd_probe_has(p, "gtCoarse")) ? 90 : 0;
}

const vd_label_format vd_label_cityscapes = {
    .name = "cityscapes",
    .summary = "Cityscapes polygons; a file a picture; maps where there are none",
    .folder = true,
    .holds = VD_OBJ_POLYGON | VD_OBJ_CROWD,
    .detect = detect,
    .read = read_path,
    .write = write_folder,
};
