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
    vd_str name, path, subset;
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

/* Masks are not always of their picture's size: the nearest pixel stands for one. */
static vd_status fit(reader *r, const vd_mask *m, const vd_label_image *image, vd_err *err) {
    const int64_t w = image->width, h = image->height;
    if (w > VD_LABEL_MAP_PIXELS / h)
        return vd_fail(err, VD_E_LIMIT, "%s: a mask of %lld x %lld pixels, the limit is %d",
                       image->name, (long long)w, (long long)h, VD_LABEL_MAP_PIXELS);
    uint8_t *from = vd_mem_array((size_t)m->width * (size_t)m->height, 1);
    uint8_t *to = vd_mem_array((size_t)(w * h), 1);
    vd_status st = from != NULL && to != NULL ? VD_OK : vd_nomem(err);
    if (st == VD_OK) vd_mask_paint(m, from, m->width, 1);
    for (int64_t y = 0; st == VD_OK && y < h; y++)
        for (int64_t x = 0; x < w; x++)
            to[y * w + x] = from[(2 * y + 1) * m->height / (2 * h) * m->width +
                                 (2 * x + 1) * m->width / (2 * w)];
    vd_mask_reset(&r->fitted);
    if (st == VD_OK) st = vd_mask_from_bytes(&r->fitted, to, w, h, w, err);
    vd_mem_free(from);
    vd_mem_free(to);
    return st;
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
        VD_TRY(fit(r, mask, m, err));
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
    static const char *const flags[] = { "IsOccluded", "IsTruncated", "IsDepiction", "IsInside" };
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

static const char *subset_in(const char *file) {
    const char *last = vd_path_name(file);
    return strstr(last, "train") != NULL        ? "train"
           : strstr(last, "validation") != NULL ? "validation"
           : strstr(last, "test") != NULL       ? "test"
                                                : NULL;
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
            VD_TRY(each_row(r, file, kinds[k].header, kinds[k].row, subset_in(file), err));
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
    vd_str_reset(&r.subset);
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
    .summary = "Open Images CSV: boxes, masks, classes of pictures (read only)",
    .folder = true,
    .detect = detect,
    .read = read_path,
};
