/* Tables of boxes or classes as CSV. SPDX-License-Identifier: Apache-2.0
 *
 * With a header: a column with the picture's name, one with the class, and corners (xmin, ymin,
 * xmax, ymax); width and height are those of the picture. A column for each class with 0 and 1
 * gives classes of whole pictures. Without a header: name, x1, y1, x2, y2, class, as RetinaNet's
 * trainers read it; a picture without numbers has no objects. */
#include <stdio.h>
#include <string.h>

#include "base/csv.h"
#include "base/decimal.h"
#include "base/mem.h"
#include "labelio/simple.h"

enum { BOX = 4 };

typedef struct table {
    vd_label_in *in;
    vd_csv csv;
    vd_build b;
    int64_t name, class, corner[BOX], width, height, score, track, subset;
    vd_names header; /* of a table with a column a class */
    bool one_hot;
} table;

static const char NAMES[] = "filename|file_name|image|image_path|path|file|imageid";

/* Columns of a header; false where the row is none. */
static bool take_header(table *t) {
    static const char *const corners[BOX] = { "xmin|x1|left", "ymin|y1|top", "xmax|x2|right",
                                              "ymax|y2|bottom" };
    t->name = vd_csv_column(&t->csv, NAMES);
    if (t->name < 0) return false;
    t->class = vd_csv_column(&t->csv, "class|label|class_name|category|labelname");
    for (int i = 0; i < BOX; i++) t->corner[i] = vd_csv_column(&t->csv, corners[i]);
    t->width = vd_csv_column(&t->csv, "width|image_width");
    t->height = vd_csv_column(&t->csv, "height|image_height");
    t->score = vd_csv_column(&t->csv, "score|confidence");
    t->track = vd_csv_column(&t->csv, "track|track_id");
    t->subset = vd_csv_column(&t->csv, "subset|split");
    t->one_hot = t->class < 0;
    return true;
}

static void without_header(table *t) {
    t->name = 0;
    for (int i = 0; i < BOX; i++) t->corner[i] = i + 1;
    t->class = t->csv.n == 2 ? 1 : 5;
    if (t->csv.n == 2) t->corner[0] = -1;
    t->width = t->height = t->score = t->track = t->subset = -1;
}

static const char *field(const table *t, int64_t column) {
    return vd_csv_text(&t->csv, column);
}

static vd_status keep_header(table *t, vd_err *err) {
    for (int64_t i = 0; i < t->csv.n; i++)
        VD_TRY(vd_names_add(&t->header, t->csv.field[i], strlen(t->csv.field[i]), err));
    return VD_OK;
}

static vd_status image_of(table *t, int32_t *image, vd_err *err) {
    double w = 0, h = 0;
    const char *subset = field(t, t->subset);
    vd_label_image m = { .name = field(t, t->name), .frame = VD_LABEL_NONE };
    if (m.name[0] == '\0')
        return vd_fail(err, VD_E_FORMAT, "%s:%lld: no name of a picture", t->csv.where,
                       (long long)t->csv.line);
    if (field(t, t->width)[0] != '\0') VD_TRY(vd_csv_real(&t->csv, t->width, "width", &w, err));
    if (field(t, t->height)[0] != '\0') VD_TRY(vd_csv_real(&t->csv, t->height, "height", &h, err));
    if (w < 0 || w > VD_LABEL_MAX_SIDE || h < 0 || h > VD_LABEL_MAX_SIDE)
        return vd_fail(err, VD_E_FORMAT, "%s:%lld: a picture of %g x %g pixels", t->csv.where,
                       (long long)t->csv.line, w, h);
    m.width = (int32_t)w;
    m.height = (int32_t)h;
    m.subset = subset[0] != '\0' ? subset : NULL;
    return vd_label_in_image(t->in, &m, image, NULL, err);
}

static vd_status classes_of(table *t, int32_t image, const char *where, vd_err *err) {
    for (int64_t i = 0; i < t->csv.n && i < t->header.n; i++) {
        double v = 0;
        if (i == t->name || t->csv.field[i][0] == '\0' || t->header.name[i][0] == '\0') continue;
        VD_TRY(vd_csv_real(&t->csv, i, "0 or 1", &v, err));
        vd_build_clear(&t->b, image);
        VD_TRY(vd_label_in_class(t->in, t->header.name[i], &t->b.o.category, err));
        if (v != 0) VD_TRY(vd_build_push(&t->b, t->in, where, err));
    }
    return VD_OK;
}

static vd_status read_row(table *t, vd_err *err) {
    char where[512];
    double c[BOX], v = 0;
    int32_t image = 0;
    snprintf(where, sizeof where, "%s:%lld", t->csv.where, (long long)t->csv.line);
    VD_TRY(image_of(t, &image, err));
    if (t->one_hot) return classes_of(t, image, where, err);
    const char *class = field(t, t->class);
    bool boxed = t->corner[0] >= 0 && field(t, t->corner[0])[0] != '\0';
    if (!boxed && class[0] == '\0') return VD_OK; /* a picture without objects */
    vd_build_clear(&t->b, image);
    if (boxed) {
        for (int i = 0; i < BOX; i++)
            VD_TRY(vd_csv_real(&t->csv, t->corner[i], "corner", &c[i], err));
        vd_build_box(&t->b, c[0], c[1], c[2] - c[0], c[3] - c[1]);
    }
    if (class[0] != '\0') VD_TRY(vd_label_in_class(t->in, class, &t->b.o.category, err));
    if (field(t, t->score)[0] != '\0') {
        VD_TRY(vd_csv_real(&t->csv, t->score, "score", &t->b.o.score, err));
        t->b.o.has |= VD_OBJ_SCORE;
    }
    if (field(t, t->track)[0] != '\0') {
        VD_TRY(vd_csv_real(&t->csv, t->track, "track", &v, err));
        if (!(v >= -9e15 && v <= 9e15)) return vd_fail(err, VD_E_FORMAT, "%s: track %g", where, v);
        t->b.o.track = (int64_t)v;
        t->b.o.has |= VD_OBJ_TRACK;
    }
    return vd_build_push(&t->b, t->in, where, err);
}

vd_status vd_label_csv_parse(vd_label_in *in, const char *where, const char *text, size_t size,
                             vd_err *err) {
    table t = { .in = in };
    bool more = false;
    char *copy = vd_mem_alloc(size + 1);
    if (copy == NULL) return vd_nomem(err);
    memcpy(copy, text, size);
    copy[size] = '\0';
    vd_csv_init(&t.csv, where, copy, size);
    t.csv.trim = true;
    vd_status st = vd_csv_next(&t.csv, &more, err);
    bool header = st == VD_OK && more && take_header(&t);
    if (st == VD_OK && header) st = keep_header(&t, err);
    if (st == VD_OK && more && !header) {
        without_header(&t);
        st = read_row(&t, err);
    }
    while (st == VD_OK && more) {
        VD_GO(vd_csv_next(&t.csv, &more, err));
        if (more) st = read_row(&t, err);
    }
done:
    vd_csv_reset(&t.csv);
    vd_build_reset(&t.b);
    vd_names_reset(&t.header);
    vd_mem_free(copy);
    return st;
}

static vd_status read_path(vd_label_in *in, const char *path, vd_err *err) {
    char *text = NULL;
    size_t size = 0;
    VD_TRY(vd_file_read(&text, &size, path, VD_LABEL_MAX_TEXT, err));
    vd_status st = vd_label_csv_parse(in, path, text, size, err);
    vd_mem_free(text);
    return st;
}

/* ---- writing ---- */

static void begin_row(vd_str *s, const vd_label_image *m) {
    vd_csv_add(s, m->name);
    vd_str_addc(s, ',');
    if (m->subset != NULL) vd_csv_add(s, m->subset);
    if (m->width > 0)
        vd_str_addf(s, ",%d,%d,", m->width, m->height);
    else
        vd_str_add(s, ",,,");
}

static vd_status add_object(vd_label_set *set, const vd_label_out *out, vd_str *s,
                            const vd_label_image *m, const vd_label_object *o, uint32_t holds,
                            vd_err *err) {
    double box[4];
    bool boxed = vd_label_bounds(o, box);
    VD_TRY(vd_label_lose_rest(out->report, m, o, holds, err));
    begin_row(s, m);
    if (o->category >= 0) vd_csv_add(s, set->categories[o->category].name);
    for (int i = 0; i < BOX; i++) {
        vd_str_addc(s, ',');
        if (boxed) vd_decimal_add(s, i < 2 ? box[i] : box[i - 2] + box[i]);
    }
    vd_str_addc(s, ',');
    if (o->has & VD_OBJ_SCORE) vd_decimal_add(s, o->score);
    vd_str_addc(s, ',');
    if (o->has & VD_OBJ_TRACK) vd_str_addf(s, "%lld", (long long)o->track);
    vd_str_addc(s, '\n');
    return VD_OK;
}

enum { HOLDS = VD_OBJ_BOX | VD_OBJ_SCORE | VD_OBJ_TRACK };

static vd_status write_file(vd_label_set *set, const vd_label_out *out, vd_err *err) {
    vd_out_file f;
    vd_status st = VD_OK;
    vd_label_object o;
    VD_TRY(vd_out_open(&f, out->path, err));
    vd_str_add(&f.text, "filename,subset,width,height,class,xmin,ymin,xmax,ymax,score,track\n");
    for (int64_t i = 0; i < set->n_images; i++) {
        int64_t n = vd_label_set_count(set, i);
        for (int64_t k = 0; k < n; k++) {
            VD_GO(vd_label_set_get(set, i, k, &o, err));
            VD_GO(add_object(set, out, &f.text, &set->images[i], &o, HOLDS, err));
        }
        if (n == 0) {
            begin_row(&f.text, &set->images[i]);
            vd_str_add(&f.text, ",,,,,,\n");
        }
        VD_GO(vd_out_step(&f, err));
    }
    st = vd_out_close(&f, err);
done:
    vd_out_drop(&f);
    return st;
}

static int detect(const vd_label_probe *p) {
    return !p->folder && strcmp(p->ext, "csv") == 0 ? 50 : 0;
}

const vd_label_format vd_label_csv = {
    .name = "csv",
    .summary = "CSV tables of boxes, or of classes of pictures",
    .holds = HOLDS,
    .detect = detect,
    .read = read_path,
    .write = write_file,
};
