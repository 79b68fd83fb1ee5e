/* Open Images' CSV files: boxes and classes of pictures, corners as fractions of their size.
 * https://storage.googleapis.com/openimages/web/download_v7.html. SPDX-License-Identifier:
 * Apache-2.0
 *
 * Masks are PNG files, one an object; their table names the box that an object began as, and so the
 * two become one object. Sizes come from images.meta ("name height width"), the pictures, or the
 * catalog. A class that a picture was found not to have is listed with Confidence 0: it is kept
 * with that score. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/decimal.h"
#include "base/mem.h"
#include "labelio/simple.h"
#include "labelkit/maps.h"

static const char *const flags[] = { "IsOccluded", "IsTruncated", "IsDepiction", "IsInside" };

/* A row of *-object-segmentation.csv; texts and `subset` are kept. */
typedef struct mask_row {
    char *path, *id, *class, *where;
    const char *subset;
    double corner[4]; /* XMin, XMax, YMin, YMax; NaN where the table has none */
    double iou;       /* to a prediction; NaN: not said */
    bool used;
} mask_row;

typedef struct reader {
    vd_label_in *in;
    const char *root;
    vd_names files;
    vd_map *class_of; /* from "/m/0abc" to index */
    vd_map *size_of;  /* from name to width << 32 | height */
    vd_map *mask_of;  /* from picture, class and corners to a row of masks */
    mask_row *mask;
    int64_t n_masks, cap_masks;
    vd_mask fitted; /* a mask brought to the size of its picture */
    vd_build b;
    vd_arena texts;
    vd_str name, path;
} reader;

typedef vd_status (*row_fn)(reader *r, const vd_csv *c, const vd_csv *header, const char *subset,
                            vd_err *err);

static vd_status each_row(reader *r, const char *file, bool header, row_fn row, const char *subset,
                          vd_err *err) {
    char *text = NULL;
    size_t size = 0;
    bool more = false;
    vd_csv c = { 0 }, head = { 0 };
    vd_str where = { 0 };
    vd_status st = VD_OK;
    vd_join(&where, r->root, file);
    VD_GO(vd_str_check(&where, err));
    VD_GO(vd_file_read(&text, &size, where.data, VD_LABEL_MAX_TEXT, err));
    vd_csv_init(&c, where.data, text, size);
    c.trim = true;
    if (header) {
        VD_GO(vd_csv_next(&c, &more, err));
        head = vd_csv_take(&c);
    }
    for (;;) {
        VD_GO(vd_csv_next(&c, &more, err));
        if (!more) break;
        VD_GO(row(r, &c, &head, subset, err));
    }
done:
    vd_csv_reset(&c);
    vd_csv_reset(&head);
    vd_mem_free(text);
    vd_str_reset(&where);
    return st;
}

/* The field of a named column; "" where there is none. */
static const char *get(const vd_csv *c, const vd_csv *header, const char *name) {
    return vd_csv_text(c, vd_csv_column(header, name));
}

static vd_status class_row(reader *r, const vd_csv *c, const vd_csv *header, const char *subset,
                           vd_err *err) {
    int32_t index = 0;
    (void)header, (void)subset;
    if (c->n < 2 || strcmp(c->field[0], "LabelName") == 0 || c->field[1][0] == '\0') return VD_OK;
    VD_TRY(vd_label_in_class(r->in, c->field[1], &index, err));
    return vd_map_put(r->class_of, c->field[0], strlen(c->field[0]), index, err);
}

static vd_status image_of(reader *r, const char *id, const char *subset, int32_t *image,
                          vd_label_image *m, vd_err *err) {
    static const char *const ext[] = { "jpg", "png", "jpeg" };
    int64_t size = 0;
    bool found = false;
    *m = (vd_label_image){ .frame = VD_LABEL_NONE, .subset = subset };
    for (int i = 0; i < VD_COUNT(ext) && !found; i++) {
        vd_str_clear(&r->name);
        vd_str_addf(&r->name, "images/%s/%s.%s", subset != NULL ? subset : "", id, ext[i]);
        if (!vd_is_file(vd_join(&r->path, r->root, vd_str_text(&r->name)))) {
            vd_str_clear(&r->name);
            vd_str_addf(&r->name, "%s.%s", id, ext[i]);
        }
        found = vd_is_file(vd_join(&r->path, r->root, vd_str_text(&r->name)));
    }
    if (!found) {
        vd_str_clear(&r->name);
        vd_str_addf(&r->name, "%s.jpg", id);
    }
    VD_TRY(vd_str_check(&r->name, err));
    m->name = r->name.data;
    if (vd_map_get(r->size_of, id, strlen(id), &size)) {
        m->width = (int32_t)(size >> 32);
        m->height = (int32_t)(size & 0xffffffff);
    } else {
        VD_TRY(vd_label_in_size(r->in, m->name, vd_join(&r->path, r->root, m->name), &m->width,
                                &m->height, err));
    }
    return vd_label_in_image(r->in, m, image, NULL, err);
}

static vd_status image_row(reader *r, const vd_csv *c, const vd_csv *header, const char *subset,
                           vd_err *err) {
    vd_label_image m;
    int32_t image = 0;
    const char *id = get(c, header, "ImageID"), *said = get(c, header, "Subset");
    if (id[0] == '\0') return VD_OK;
    return image_of(r, id, said[0] != '\0' ? said : subset, &image, &m, err);
}

static vd_status class_of(reader *r, const char *class, int32_t *out, vd_err *err) {
    int64_t index = 0;
    if (!vd_map_get(r->class_of, class, strlen(class), &index))
        return vd_label_in_class(r->in, class, out, err);
    *out = (int32_t)index;
    return VD_OK;
}

static vd_status begin_object(reader *r, const vd_csv *c, const vd_csv *header, const char *subset,
                              vd_label_image *m, vd_err *err) {
    const char *id = get(c, header, "ImageID"), *class = get(c, header, "LabelName");
    int32_t image = 0;
    if (id[0] == '\0' || class[0] == '\0')
        return vd_fail(err, VD_E_FORMAT, "%s:%lld: no ImageID or LabelName", c->where,
                       (long long)c->line);
    VD_TRY(image_of(r, id, subset, &image, m, err));
    vd_build_clear(&r->b, image);
    VD_TRY(class_of(r, class, &r->b.o.category, err));
    if (get(c, header, "Confidence")[0] != '\0') {
        VD_TRY(
            vd_csv_real(c, vd_csv_column(header, "Confidence"), "Confidence", &r->b.o.score, err));
        r->b.o.has |= VD_OBJ_SCORE;
    }
    return VD_OK;
}

static vd_status end_object(reader *r, const vd_csv *c, vd_err *err) {
    char where[512];
    snprintf(where, sizeof where, "%s:%lld", c->where, (long long)c->line);
    return vd_build_push(&r->b, r->in, where, err);
}

static vd_status label_row(reader *r, const vd_csv *c, const vd_csv *header, const char *subset,
                           vd_err *err) {
    vd_label_image m;
    VD_TRY(begin_object(r, c, header, subset, &m, err));
    return end_object(r, c, err);
}

/* ---- masks ---- */

static void mask_key(vd_str *s, const char *id, const char *class, const double corner[4]) {
    vd_str_clear(s);
    vd_str_addf(s, "%s %s %.6f %.6f %.6f %.6f", id, class, corner[0], corner[1], corner[2],
                corner[3]);
}

/* Kept until its box comes, or until all boxes came. */
static vd_status segmentation_row(reader *r, const vd_csv *c, const vd_csv *header,
                                  const char *subset, vd_err *err) {
    static const char *const sides[] = { "BoxXMin", "BoxXMax", "BoxYMin", "BoxYMax" };
    mask_row m = { .subset = subset, .iou = (double)NAN };
    const char *path = get(c, header, "MaskPath"), *id = get(c, header, "ImageID"),
               *class = get(c, header, "LabelName");
    char where[512];
    int64_t at = 0;
    if (path[0] == '\0' || id[0] == '\0' || class[0] == '\0')
        return vd_fail(err, VD_E_FORMAT, "%s:%lld: no MaskPath, ImageID or LabelName", c->where,
                       (long long)c->line);
    for (int i = 0; i < 4; i++) {
        m.corner[i] = (double)NAN;
        if (get(c, header, sides[i])[0] != '\0')
            VD_TRY(vd_csv_real(c, vd_csv_column(header, sides[i]), sides[i], &m.corner[i], err));
    }
    if (get(c, header, "PredictedIoU")[0] != '\0')
        VD_TRY(vd_csv_real(c, vd_csv_column(header, "PredictedIoU"), "PredictedIoU", &m.iou, err));
    snprintf(where, sizeof where, "%s:%lld", c->where, (long long)c->line);
    VD_TRY(VD_GROW(r->mask, r->cap_masks, r->n_masks + 1, err));
    m.path = vd_mem_strdup(path);
    m.id = vd_mem_strdup(id);
    m.class = vd_mem_strdup(class);
    m.where = vd_mem_strdup(where);
    r->mask[r->n_masks++] = m;
    if (m.path == NULL || m.id == NULL || m.class == NULL || m.where == NULL) return vd_nomem(err);
    mask_key(&r->name, id, class, m.corner);
    VD_TRY(vd_str_check(&r->name, err));
    if (vd_map_get(r->mask_of, r->name.data, (size_t)r->name.size, &at)) return VD_OK;
    return vd_map_put(r->mask_of, r->name.data, (size_t)r->name.size, r->n_masks - 1, err);
}

/* "masks/SUBSET/NAME", or without the subset. */
static const char *mask_path(reader *r, const mask_row *row) {
    const char *name = vd_path_name(row->path);
    vd_str_clear(&r->path);
    vd_str_addf(&r->path, "%s/masks/%s/%s", r->root, row->subset != NULL ? row->subset : ".", name);
    if (vd_is_file(vd_str_text(&r->path))) return r->path.data;
    vd_str_clear(&r->path);
    vd_str_addf(&r->path, "%s/masks/%s", r->root, name);
    return vd_str_text(&r->path);
}

/* Gives the object that is being put together the pixels of a row. */
static vd_status give_pixels(reader *r, mask_row *row, const vd_label_image *m, vd_err *err) {
    vd_label_maps *maps = NULL;
    row->used = true;
    VD_TRY(vd_label_in_map(r->in, &maps, mask_path(r, row), VD_MAP_COVER, 0, 0, err));
    if (maps == NULL) return VD_OK;
    const vd_mask *mask = vd_map_masks_find(&maps->masks, 1);
    if (mask == NULL)
        return vd_label_lose(r->in->report, err, "masks without pixels", "%s", row->path);
    if (m->width > 0 && (mask->width != m->width || mask->height != m->height)) {
        VD_TRY(vd_label_lose(r->in->report, err,
                             "masks of another size than their picture (brought to its size)",
                             "%s: %d x %d, the picture has %d x %d", row->path, mask->width,
                             mask->height, m->width, m->height));
        if (m->width > VD_LABEL_MAP_PIXELS / m->height)
            return vd_fail(err, VD_E_LIMIT, "%s: a mask of %d x %d pixels, the limit is %d",
                           m->name, m->width, m->height, VD_LABEL_MAP_PIXELS);
        vd_mask_reset(&r->fitted);
        VD_TRY(vd_mask_resize(&r->fitted, mask, m->height, m->width, err));
        mask = &r->fitted;
    }
    vd_label_give_mask(&r->b.o, mask);
    if (!isnan(row->iou)) vd_attr_real(&r->b.attributes, "PredictedIoU", row->iou);
    return VD_OK;
}

/* What no box began as. */
static vd_status push_masks(reader *r, vd_err *err) {
    for (int64_t i = 0; i < r->n_masks; i++) {
        mask_row *row = &r->mask[i];
        const double *c = row->corner;
        vd_label_image m;
        int32_t image = 0;
        if (row->used) continue;
        VD_TRY(image_of(r, row->id, row->subset, &image, &m, err));
        vd_build_clear(&r->b, image);
        VD_TRY(class_of(r, row->class, &r->b.o.category, err));
        VD_TRY(give_pixels(r, row, &m, err));
        if (!isnan(c[0] + c[1] + c[2] + c[3]) && m.width > 0)
            vd_build_box(&r->b, c[0] * m.width, c[2] * m.height, (c[1] - c[0]) * m.width,
                         (c[3] - c[2]) * m.height);
        VD_TRY(vd_build_push(&r->b, r->in, row->where, err));
    }
    return VD_OK;
}

static vd_status box_row(reader *r, const vd_csv *c, const vd_csv *header, const char *subset,
                         vd_err *err) {
    static const char *const sides[] = { "XMin", "XMax", "YMin", "YMax" };
    vd_label_image m;
    double v[4];
    int64_t at = 0;
    VD_TRY(begin_object(r, c, header, subset, &m, err));
    for (int i = 0; i < 4; i++)
        VD_TRY(vd_csv_real(c, vd_csv_column(header, sides[i]), sides[i], &v[i], err));
    if (m.width <= 0)
        return vd_label_lose(r->in->report, err, "objects of pictures whose size is not known",
                             "%s:%lld", c->where, (long long)c->line);
    vd_build_box(&r->b, v[0] * m.width, v[2] * m.height, (v[1] - v[0]) * m.width,
                 (v[3] - v[2]) * m.height);
    if (strcmp(get(c, header, "IsGroupOf"), "1") == 0) r->b.o.has |= VD_OBJ_CROWD;
    for (int i = 0; i < VD_COUNT(flags); i++) {
        const char *f = get(c, header, flags[i]);
        if (strcmp(f, "0") == 0 || strcmp(f, "1") == 0) vd_attr_raw(&r->b.attributes, flags[i], f);
    }
    mask_key(&r->name, get(c, header, "ImageID"), get(c, header, "LabelName"), v);
    VD_TRY(vd_str_check(&r->name, err));
    if (vd_map_get(r->mask_of, r->name.data, (size_t)r->name.size, &at) && !r->mask[at].used)
        VD_TRY(give_pixels(r, &r->mask[at], &m, err));
    return end_object(r, c, err);
}

static vd_status read_sizes(reader *r, const char *file, vd_err *err) {
    char *text = NULL;
    size_t size = 0;
    VD_TRY(vd_file_read(&text, &size, vd_join(&r->path, r->root, file), VD_LABEL_MAX_TEXT, err));
    vd_status st = VD_OK;
    for (char *p = text; st == VD_OK && *p != '\0';) {
        size_t line = strcspn(p, "\n"), n = strcspn(p, " \t\n");
        char *end = NULL;
        long h = p[0] != '#' ? strtol(p + n, &end, 10) : 0, w = h > 0 ? strtol(end, NULL, 10) : 0;
        bool sane = h > 0 && w > 0 && h <= VD_LABEL_MAX_SIDE && w <= VD_LABEL_MAX_SIDE;
        if (sane) st = vd_map_put(r->size_of, p, n, (int64_t)w << 32 | h, err);
        p += line + (p[line] == '\n');
    }
    vd_mem_free(text);
    return st;
}

/* "train-annotations-bbox.csv", and any other word there; NULL: none. */
static vd_status subset_in(reader *r, const char **out, const char *file, vd_err *err) {
    static const char *const known[] = { "train", "validation", "test" };
    const char *last = vd_path_name(file), *end = strstr(last, "-annotations");
    *out = NULL;
    for (int i = 0; i < VD_COUNT(known) && *out == NULL; i++)
        if (strstr(last, known[i]) != NULL) *out = known[i];
    if (*out != NULL || end == NULL || end == last) return VD_OK;
    char *word = vd_arena_dup(&r->texts, last, (size_t)(end - last) + 1);
    if (word == NULL) return vd_nomem(err);
    word[end - last] = '\0';
    *out = word;
    return VD_OK;
}

/* Kinds of files in the order in which they are read. */
static const struct {
    const char *part;
    bool header;
    row_fn row;
} kinds[] = {
    { "class-descriptions", false, class_row },
    { "image_ids", true, image_row },
    { "images-with", true, image_row },
    { "object-segmentation.csv", true, segmentation_row },
    { "annotations-bbox.csv", true, box_row },
    { "imagelabels.csv", true, label_row },
};

static vd_status read_all(reader *r, vd_err *err) {
    const char *subset = NULL;
    int64_t n = 0;
    VD_TRY(vd_map_new(&r->class_of, err));
    VD_TRY(vd_map_new(&r->size_of, err));
    VD_TRY(vd_map_new(&r->mask_of, err));
    VD_TRY(vd_names_below(&r->files, r->root, err));
    for (int64_t i = 0; i < r->files.n; i++)
        if (strcmp(vd_path_name(r->files.name[i]), "images.meta") == 0)
            VD_TRY(read_sizes(r, r->files.name[i], err));
    for (int k = 0; k < VD_COUNT(kinds); k++)
        for (int64_t i = 0; i < r->files.n; i++) {
            const char *file = r->files.name[i];
            bool is =
                vd_str_ends(file, ".csv") && strstr(vd_path_name(file), kinds[k].part) != NULL;
            if (!is || (kinds[k].row == image_row && strstr(file, "imagelabels") != NULL)) continue;
            VD_TRY(subset_in(r, &subset, file, err));
            VD_TRY(each_row(r, file, kinds[k].header, kinds[k].row, subset, err));
            n++;
        }
    VD_TRY(push_masks(r, err));
    return n > 0 ? VD_OK
                 : vd_fail(err, VD_E_NOTFOUND, "label: no Open Images CSV below %s", r->root);
}

static vd_status read_path(vd_label_in *in, const char *path, vd_err *err) {
    reader r = { .in = in, .root = path };
    vd_status st = read_all(&r, err);
    vd_build_reset(&r.b);
    vd_names_reset(&r.files);
    vd_map_free(r.class_of);
    vd_map_free(r.size_of);
    vd_map_free(r.mask_of);
    for (int64_t i = 0; i < r.n_masks; i++) {
        vd_mem_free(r.mask[i].path);
        vd_mem_free(r.mask[i].id);
        vd_mem_free(r.mask[i].class);
        vd_mem_free(r.mask[i].where);
    }
    vd_mem_free(r.mask);
    vd_mask_reset(&r.fitted);
    vd_str_reset(&r.name);
    vd_str_reset(&r.path);
    vd_arena_reset(&r.texts);
    return st;
}

/* ---- writing: annotations/SUBSET-*.csv; LabelName is the name of the class ---- */

typedef struct writer {
    vd_label_set *set;
    const vd_label_out *out;
    const char **id; /* of each picture */
    vd_arena texts;
    vd_out_file boxes, classes;
} writer;

/* Pictures go by their stems; where two have the same, by the rest of the path as well. */
static vd_status name_pictures(writer *w, vd_err *err) {
    vd_status st = VD_OK;
    vd_map *taken = NULL;
    vd_str id = { 0 };
    w->id = vd_mem_array((size_t)w->set->n_images + 1, sizeof *w->id);
    if (w->id == NULL) VD_GO(vd_nomem(err));
    VD_GO(vd_map_new(&taken, err));
    for (int64_t i = 0; i < w->set->n_images; i++) {
        const char *name = w->set->images[i].name;
        int64_t at = 0, n = 1;
        vd_str_clear(&id);
        vd_add_stem(&id, name);
        VD_GO(vd_str_check(&id, err));
        if (vd_map_get(taken, id.data, (size_t)id.size, &at)) {
            VD_GO(vd_label_lose(w->out->report, err, "names that two pictures have (longer now)",
                                "%s", name));
            vd_str_clear(&id);
            vd_add_safe_name(&id, name, "");
            VD_GO(vd_str_check(&id, err));
            for (char *p = id.data; *p != '\0'; p++)
                if (*p == '/') *p = '_';
            for (int64_t size = id.size; vd_map_get(taken, id.data, (size_t)id.size, &at);) {
                id.size = size;
                vd_str_addf(&id, "_%lld", (long long)++n);
                VD_GO(vd_str_check(&id, err));
            }
        }
        VD_GO(vd_map_put(taken, id.data, (size_t)id.size, i, err));
        w->id[i] = vd_arena_text(&w->texts, id.data);
        if (w->id[i] == NULL) VD_GO(vd_nomem(err));
    }
done:
    vd_map_free(taken);
    vd_str_reset(&id);
    return st;
}

static const char *subset_of(const writer *w, int64_t image) {
    const char *s = w->set->images[image].subset;
    if (s == NULL) s = w->out->subset != NULL ? w->out->subset : "train";
    return strcmp(s, "val") == 0 ? "validation" : s;
}

static void begin_row(vd_str *s, const writer *w, const vd_label_object *o) {
    vd_csv_add(s, w->id[o->image]);
    vd_str_add(s, ",vidimus,");
    vd_csv_add(s, w->set->categories[o->category].name);
    vd_str_addc(s, ',');
    vd_decimal_add(s, o->has & VD_OBJ_SCORE ? o->score : 1); /* what people verified has 1 */
}

static void add_box(vd_str *s, const writer *w, const vd_label_object *o, const double box[4]) {
    const vd_label_image *m = &w->set->images[o->image];
    begin_row(s, w, o);
    for (int i = 0; i < 4; i++) { /* XMin, XMax, YMin, YMax */
        vd_str_addc(s, ',');
        vd_decimal_add(s, (box[i / 2] + (i % 2 ? box[2 + i / 2] : 0)) /
                              (i < 2 ? m->width : m->height));
    }
    for (int i = 0; i < VD_COUNT(flags); i++) {
        double flag = vd_attr_number(o->attributes, flags[i], -1); /* -1: nobody knows */
        vd_str_add(s, flag == 0 ? ",0" : flag == 1 ? ",1" : ",-1");
        if (i == 1) vd_str_add(s, o->has & VD_OBJ_CROWD ? ",1" : ",0");
    }
    vd_str_addc(s, '\n');
}

enum { HOLDS = VD_OBJ_BOX | VD_OBJ_SCORE | VD_OBJ_CROWD | VD_LABEL_HOLDS_ATTRIBUTES };

static vd_status add_object(writer *w, const vd_label_object *o, vd_err *err) {
    const vd_label_image *m = &w->set->images[o->image];
    double box[4];
    VD_TRY(vd_label_lose_rest(w->out->report, m, o, HOLDS, err));
    VD_TRY(vd_label_lose_attributes(w->out->report, m, o, flags, VD_COUNT(flags), err));
    if (o->category < 0)
        return vd_label_lose(w->out->report, err, "objects without a class", "%s", m->name);
    if (!vd_label_bounds(o, box)) {
        begin_row(&w->classes.text, w, o);
        vd_str_addc(&w->classes.text, '\n');
    } else if (m->width <= 0 || m->height <= 0) {
        return vd_label_lose(w->out->report, err, "objects of pictures whose size is not known",
                             "%s", m->name);
    } else {
        add_box(&w->boxes.text, w, o, box);
    }
    VD_TRY(vd_out_step(&w->classes, err));
    return vd_out_step(&w->boxes, err);
}

static vd_status open_table(writer *w, vd_out_file *f, const char *subset, const char *name,
                            const char *header, vd_err *err) {
    vd_str path = { 0 };
    vd_str_addf(&path, "%s/annotations/", w->out->path);
    vd_add_safe_name(&path, subset, "");
    vd_str_add(&path, name);
    vd_status st = vd_str_check(&path, err);
    if (st == VD_OK) st = vd_out_open(f, path.data, err);
    if (st == VD_OK) vd_str_add(&f->text, header);
    vd_str_reset(&path);
    return st;
}

static vd_status write_subset(writer *w, const char *subset, vd_err *err) {
    vd_status st = VD_OK;
    vd_label_object o;
    VD_GO(open_table(w, &w->boxes, subset, "-annotations-bbox.csv",
                     "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,"
                     "IsTruncated,IsGroupOf,IsDepiction,IsInside\n",
                     err));
    VD_GO(open_table(w, &w->classes, subset, "-annotations-human-imagelabels.csv",
                     "ImageID,Source,LabelName,Confidence\n", err));
    for (int64_t i = 0; i < w->set->n_images; i++) {
        if (strcmp(subset_of(w, i), subset) != 0) continue;
        for (int64_t k = 0; k < vd_label_set_count(w->set, i); k++) {
            VD_GO(vd_label_set_get(w->set, i, k, &o, err));
            VD_GO(add_object(w, &o, err));
        }
    }
    VD_GO(vd_out_close(&w->boxes, err));
    st = vd_out_close(&w->classes, err);
done:
    vd_out_drop(&w->boxes);
    vd_out_drop(&w->classes);
    return st;
}

/* Lists of classes and pictures; sizes, which no table of Open Images has, as other programs keep
 * them. */
static vd_status write_lists(writer *w, vd_err *err) {
    vd_str classes = { 0 }, images = { 0 }, sizes = { 0 };
    vd_str_add(&images, "ImageID,Subset\n");
    for (int64_t i = 0; i < w->set->n_categories; i++) {
        for (int k = 0; k < 2; k++) {
            if (k > 0) vd_str_addc(&classes, ',');
            vd_csv_add(&classes, w->set->categories[i].name);
        }
        vd_str_addc(&classes, '\n');
    }
    for (int64_t i = 0; i < w->set->n_images; i++) {
        const vd_label_image *m = &w->set->images[i];
        vd_csv_add(&images, w->id[i]);
        vd_str_addc(&images, ',');
        vd_csv_add(&images, subset_of(w, i));
        vd_str_addc(&images, '\n');
        if (m->width > 0 && strpbrk(w->id[i], " \t\n") == NULL)
            vd_str_addf(&sizes, "%s %d %d\n", w->id[i], m->height, m->width);
    }
    const vd_str *const text[] = { &classes, &images, &sizes };
    static const char *const name[] = { "class-descriptions-boxable.csv",
                                        "image_ids_and_rotation.csv", "images.meta" };
    vd_str folder = { 0 };
    vd_join(&folder, w->out->path, "annotations");
    vd_status st = vd_str_check(&folder, err);
    for (int i = 0; st == VD_OK && i < VD_COUNT(text); i++)
        st = vd_out_text(folder.data, name[i], text[i], err);
    vd_str_reset(&folder);
    vd_str_reset(&classes);
    vd_str_reset(&images);
    vd_str_reset(&sizes);
    return st;
}

static vd_status write_folder(vd_label_set *set, const vd_label_out *out, vd_err *err) {
    writer w = { .set = set, .out = out, .boxes = { .fd = -1 }, .classes = { .fd = -1 } };
    vd_map *done_with = NULL;
    vd_status st = VD_OK;
    int64_t at = 0;
    VD_GO(vd_map_new(&done_with, err));
    VD_GO(name_pictures(&w, err));
    VD_GO(write_lists(&w, err));
    for (int64_t i = 0; i < set->n_images; i++) {
        const char *subset = subset_of(&w, i);
        if (vd_map_get(done_with, subset, strlen(subset), &at)) continue;
        VD_GO(vd_map_put(done_with, subset, strlen(subset), i, err));
        VD_GO(write_subset(&w, subset, err));
    }
done:
    vd_map_free(done_with);
    vd_arena_reset(&w.texts);
    vd_mem_free(w.id);
    return st;
}

static int detect(const vd_label_probe *p) {
    vd_names names = { 0 };
    vd_str path = { 0 };
    bool sure = false;
    if (!p->folder) return 0;
    vd_join(&path, p->path, vd_probe_has(p, "annotations") ? "annotations" : "");
    if (vd_is_folder(vd_str_text(&path)) && vd_names_of(&names, path.data, NULL) == VD_OK)
        for (int64_t i = 0; i < names.n && !sure; i++)
            for (int k = 0; k < VD_COUNT(kinds) && !sure; k++)
                sure = vd_str_ends(names.name[i], ".csv") &&
                       strstr(names.name[i], kinds[k].part) != NULL;
    vd_names_reset(&names);
    vd_str_reset(&path);
    return sure ? 85 : 0;
}

const vd_label_format vd_label_open_images = {
    .name = "open-images",
    .summary = "Open Images CSV: boxes, classes of pictures; masks are read only",
    .folder = true,
    .holds = HOLDS,
    .detect = detect,
    .read = read_path,
    .write = write_folder,
};
