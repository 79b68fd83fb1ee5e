/* Open Images' CSV files: boxes and classes of pictures, corners as fractions of their size.
 * https://storage.googleapis.com/openimages/web/download_v7.html. SPDX-License-Identifier:
 * Apache-2.0
 *
 * Sizes come from images.meta ("name height width"), the pictures, or the catalog. A class that a
 * picture was found not to have is listed with Confidence 0: it is kept with that score. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/decimal.h"
#include "base/mem.h"
#include "labelio/simple.h"

typedef struct reader {
    vd_label_in *in;
    const char *root;
    vd_names files;
    vd_map *class_of; /* from "/m/0abc" to index */
    vd_map *size_of;  /* from name to width << 32 | height */
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

static vd_status begin_object(reader *r, const vd_csv *c, const vd_csv *header, const char *subset,
                              vd_label_image *m, vd_err *err) {
    const char *id = get(c, header, "ImageID"), *class = get(c, header, "LabelName");
    int32_t image = 0;
    int64_t index = 0;
    if (id[0] == '\0' || class[0] == '\0')
        return vd_fail(err, VD_E_FORMAT, "%s:%lld: no ImageID or LabelName", c->where,
                       (long long)c->line);
    VD_TRY(image_of(r, id, subset, &image, m, err));
    vd_build_clear(&r->b, image);
    if (vd_map_get(r->class_of, class, strlen(class), &index))
        r->b.o.category = (int32_t)index;
    else
        VD_TRY(vd_label_in_class(r->in, class, &r->b.o.category, err));
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

static vd_status box_row(reader *r, const vd_csv *c, const vd_csv *header, const char *subset,
                         vd_err *err) {
    static const char *const sides[] = { "XMin", "XMax", "YMin", "YMax" };
    static const char *const flags[] = { "IsOccluded", "IsTruncated", "IsDepiction", "IsInside" };
    vd_label_image m;
    double v[4];
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
    { "class-descriptions", false, class_row }, { "image_ids", true, image_row },
    { "images-with", true, image_row },         { "annotations-bbox.csv", true, box_row },
    { "imagelabels.csv", true, label_row },
};

static vd_status read_all(reader *r, vd_err *err) {
    int64_t n = 0;
    VD_TRY(vd_map_new(&r->class_of, err));
    VD_TRY(vd_map_new(&r->size_of, err));
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
    for (int64_t i = 0; i < r->files.n; i++)
        if (strstr(r->files.name[i], "object-segmentation") != NULL)
            VD_TRY(vd_label_lose(r->in->report, err, "masks in PNG files", "%s", r->files.name[i]));
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
    .summary = "Open Images CSV: boxes, classes of pictures (read only)",
    .folder = true,
    .detect = detect,
    .read = read_path,
};
