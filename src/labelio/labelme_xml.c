/* The XML of the first LabelMe, of MIT: one document a picture.
 * https://github.com/CSAILVision/LabelMeAnnotationTool. SPDX-License-Identifier: Apache-2.0
 *
 * The size of the picture may come after its objects, so a document is walked twice: for the
 * picture, then for its objects. Masks lie in PNG files in a folder beside: what is not transparent
 * is the object. */
#include <stdio.h>
#include <string.h>

#include "labelio/simple.h"
#include "labelkit/maps.h"
#include "labelkit/xml.h"

typedef struct reader {
    vd_label_in *in;
    const char *subset;
    const char *root; /* Masks lie below it; or NULL */
    vd_str filename, folder, class, mask;
    int64_t width, height;
    vd_build b;
    int32_t image;
    double x, corner[4];
    bool deleted, boxed, as_box;
} reader;

static vd_status keep(vd_str *to, const char *text, vd_err *err) {
    vd_str_clear(to);
    vd_str_add(to, text);
    return vd_str_check(to, err);
}

/* ---- the picture ---- */

static vd_status picture_end(void *user, const vd_xml_at *at, vd_err *err) {
    reader *r = user;
    if (strcmp(at->path, "annotation/filename") == 0) return keep(&r->filename, at->text, err);
    if (strcmp(at->path, "annotation/folder") == 0) return keep(&r->folder, at->text, err);
    if (strcmp(at->path, "annotation/imagesize/ncols") == 0)
        return vd_xml_int(at, at->text, "ncols", &r->width, err);
    if (strcmp(at->path, "annotation/imagesize/nrows") == 0)
        return vd_xml_int(at, at->text, "nrows", &r->height, err);
    return VD_OK;
}

static vd_status push_image(reader *r, const char *where, vd_err *err) {
    vd_str name = { 0 };
    bool sane = r->width >= 0 && r->width <= VD_LABEL_MAX_SIDE && r->height >= 0 &&
                r->height <= VD_LABEL_MAX_SIDE;
    if (r->filename.size == 0 || !sane)
        return vd_fail(err, VD_E_FORMAT, "%s: no filename, or a picture of %lld x %lld pixels",
                       where, (long long)r->width, (long long)r->height);
    vd_join(&name, vd_str_text(&r->folder), r->filename.data);
    const vd_label_image m = { .name = vd_str_text(&name),
                               .width = (int32_t)r->width,
                               .height = (int32_t)r->height,
                               .subset = r->subset,
                               .frame = VD_LABEL_NONE };
    vd_status st = vd_str_check(&name, err);
    if (st == VD_OK) st = vd_label_in_image(r->in, &m, &r->image, NULL, err);
    vd_str_reset(&name);
    return st;
}

/* ---- its objects ---- */

static vd_status object_start(void *user, const vd_xml_at *at, vd_err *err) {
    reader *r = user;
    (void)err;
    if (strcmp(at->path, "annotation/object") != 0) return VD_OK;
    vd_build_clear(&r->b, r->image);
    vd_str_clear(&r->class);
    vd_str_clear(&r->mask);
    r->deleted = r->boxed = r->as_box = false;
    return VD_OK;
}

static vd_status corner(reader *r, const vd_xml_at *at, const char *name, vd_err *err) {
    static const char *const names[] = { "xmin", "ymin", "xmax", "ymax" };
    for (int i = 0; i < 4; i++)
        if (strcmp(name, names[i]) == 0) {
            r->boxed = true;
            return vd_xml_real(at, at->text, name, &r->corner[i], err);
        }
    return VD_OK;
}

/* "Masks/FOLDER/NAME" */
static vd_status give_pixels(reader *r, vd_err *err) {
    vd_str path = { 0 };
    vd_label_maps *maps = NULL;
    if (r->mask.size == 0) return VD_OK;
    if (r->root != NULL) vd_str_addf(&path, "%s/", r->root);
    vd_str_add(&path, "Masks/");
    vd_add_safe_name(&path, vd_str_text(&r->folder), "");
    vd_str_addf(&path, "/%s", vd_path_name(r->mask.data));
    vd_status st = vd_str_check(&path, err);
    if (st == VD_OK && r->root == NULL)
        st = vd_label_lose(r->in->report, err, "PNG files that are not there", "%s", path.data);
    else if (st == VD_OK)
        st = vd_label_in_map(r->in, &maps, path.data, VD_MAP_COVER, (int32_t)r->width,
                             (int32_t)r->height, err);
    const vd_mask *mask = maps != NULL ? vd_map_masks_find(&maps->masks, 1) : NULL;
    if (mask != NULL)
        vd_label_give_mask(&r->b.o, mask);
    else if (maps != NULL)
        st = vd_label_lose(r->in->report, err, "masks without pixels", "%s", path.data);
    vd_str_reset(&path);
    return st;
}

static vd_status object_done(reader *r, const vd_xml_at *at, vd_err *err) {
    double box[4];
    if (r->deleted) return VD_OK;
    if (r->class.size == 0)
        return vd_fail(err, VD_E_FORMAT, "%s: an object without a name", at->where);
    if (r->boxed) {
        vd_build_box(&r->b, r->corner[0], r->corner[1], r->corner[2] - r->corner[0],
                     r->corner[3] - r->corner[1]);
        VD_TRY(give_pixels(r, err));
    } else {
        if (r->b.n_xy == 0)
            return vd_fail(err, VD_E_FORMAT, "%s: an object without a polygon", at->where);
        VD_TRY(vd_build_ring(&r->b, VD_OBJ_POLYGON, err));
        vd_label_object o = r->b.o;
        o.xy = r->b.b.xy;
        o.ring = r->b.b.ring;
        if (r->as_box && vd_label_wrong(&o) == NULL && vd_label_bounds(&o, box)) {
            r->b.o.has &= ~(uint32_t)VD_OBJ_POLYGON;
            r->b.o.n_rings = 0;
            vd_build_box(&r->b, box[0], box[1], box[2], box[3]);
        }
    }
    VD_TRY(vd_label_in_class(r->in, r->class.data, &r->b.o.category, err));
    return vd_build_push(&r->b, r->in, at->where, err);
}

static vd_status object_end(void *user, const vd_xml_at *at, vd_err *err) {
    reader *r = user;
    double y = 0;
    if (strcmp(at->path, "annotation/object") == 0) return object_done(r, at, err);
    if (!vd_str_starts(at->path, "annotation/object/")) return VD_OK;
    const char *name = at->path + strlen("annotation/object/");
    if (strcmp(name, "name") == 0) return keep(&r->class, at->text, err);
    if (strcmp(name, "segm/mask") == 0) return keep(&r->mask, at->text, err);
    if (strcmp(name, "deleted") == 0) r->deleted = strcmp(at->text, "1") == 0;
    if (strcmp(name, "type") == 0) r->as_box = strcmp(at->text, "bounding_box") == 0;
    if (strcmp(name, "occluded") == 0 && at->text[0] != '\0')
        vd_attr_raw(&r->b.attributes, name, strcmp(at->text, "yes") == 0 ? "true" : "false");
    if (strcmp(name, "attributes") == 0 && at->text[0] != '\0')
        vd_attr_text(&r->b.attributes, name, at->text);
    if (vd_str_starts(name, "segm/box/")) return corner(r, at, name + 9, err);
    if (strcmp(name, "polygon/pt/x") == 0) return vd_xml_real(at, at->text, "x", &r->x, err);
    if (strcmp(name, "polygon/pt/y") != 0) return VD_OK;
    VD_TRY(vd_xml_real(at, at->text, "y", &y, err));
    return vd_build_vertex(&r->b, r->x, y, err);
}

vd_status vd_labelme_xml_parse(vd_label_in *in, const char *where, const char *text, size_t size,
                               const char *subset, const char *root, vd_err *err) {
    reader r = { .in = in, .subset = subset, .root = root };
    const vd_xml_handler picture = { NULL, picture_end, &r },
                         objects = { object_start, object_end, &r };
    vd_status st = vd_xml_parse(&picture, where, text, size, err);
    if (st == VD_OK) st = push_image(&r, where, err);
    if (st == VD_OK) st = vd_xml_parse(&objects, where, text, size, err);
    vd_build_reset(&r.b);
    vd_str_reset(&r.filename);
    vd_str_reset(&r.folder);
    vd_str_reset(&r.class);
    vd_str_reset(&r.mask);
    return st;
}

typedef struct folder {
    vd_label_in *in;
    const char *root;
} folder;

static vd_status on_file(void *user, const char *name, const char *where, const char *text,
                         size_t size, vd_err *err) {
    const folder *f = user;
    return vd_labelme_xml_parse(f->in, where, text, size, vd_label_subset_in(name), f->root, err);
}

static vd_status read_path(vd_label_in *in, const char *path, vd_err *err) {
    folder f = { in, path };
    int64_t n = 0;
    VD_TRY(vd_label_each_file(path, ".xml", on_file, &f, &n, err));
    return n > 0 ? VD_OK : vd_fail(err, VD_E_NOTFOUND, "label: no XML files below %s", path);
}

/* The first document below the folder tells. */
static int detect(const vd_label_probe *p) {
    vd_names names = { 0 };
    vd_str path = { 0 };
    char head[4096] = "";
    if (!p->folder || vd_probe_has(p, "ImageSets") ||
        !(vd_probe_has(p, "Annotations") || vd_probe_any(p, ".xml")))
        return 0;
    if (vd_names_below(&names, p->path, NULL) == VD_OK)
        for (int64_t i = 0; i < names.n && head[0] == '\0'; i++)
            if (vd_str_ends(names.name[i], ".xml"))
                vd_read_head(vd_join(&path, p->path, names.name[i]), head, sizeof head);
    vd_names_reset(&names);
    vd_str_reset(&path);
    return strstr(head, "<annotation>") != NULL && strstr(head, "<polygon>") != NULL ? 60 : 0;
}

const vd_label_format vd_label_labelme_xml = {
    .name = "labelme-xml",
    .summary = "XML of the first LabelMe: polygons, boxes and masks (read only)",
    .folder = true,
    .detect = detect,
    .read = read_path,
};
