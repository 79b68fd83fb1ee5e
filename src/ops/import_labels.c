/* Labels into the catalog. SPDX-License-Identifier: Apache-2.0
 *
 * The reader streams straight into the tables, in one transaction: what is interrupted leaves the
 * catalog as it was. Pictures are matched to assets as they come; objects of a picture that is
 * upright in the catalog, and whose labels are those of the stored, lying one, are turned with it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/path.h"
#include "labelio/format.h"
#include "label/turn.h"
#include "ops/labels.h"
#include "store/match.h"
#include "store/labels.h"

enum { POLL_EVERY = 4096 };

typedef struct lying {
    int32_t width, height; /* as stored; 0: nothing is turned */
    int32_t orientation;
} lying;

typedef struct importer {
    vd_opcall *c;
    vd_db *db;
    const vd_label_format *format;
    const char *path;
    vd_label_rows *rows;
    vd_match match;
    vd_label_report report;
    lying *turns; /* one an image */
    int64_t cap_turns, n_images, n_matched, n_objects, n_turned, n_categories;
    vd_shape_buf shapes;
    vd_mask mask;
} importer;

static vd_status poll_cancel(importer *im, vd_err *err) {
    bool stop = im->c->on_cancel != NULL && im->c->on_cancel(im->c->user);
    return stop ? vd_fail(err, VD_E_CANCEL, "import: stopped; nothing was imported") : VD_OK;
}

static vd_status on_category(void *user, const vd_label_category *category, vd_err *err) {
    importer *im = user;
    im->n_categories++;
    return vd_label_rows_category(im->rows, category, err);
}

/* Whether labels of that size are those of the picture before its orientation was applied. */
static vd_status turn_of(importer *im, const vd_label_image *m, const vd_match_asset *a, lying *out,
                         vd_err *err) {
    bool swaps = a->orientation >= 5 && a->orientation <= 8;
    bool upright = m->width == a->width && m->height == a->height;
    bool stored = m->width == a->height && m->height == a->width;
    *out = (lying){ 0 };
    if (m->width == 0 || a->width == 0) return VD_OK;
    if (swaps && stored && !upright) {
        *out = (lying){ m->width, m->height, a->orientation };
        return VD_OK;
    }
    if (upright && (a->orientation > 1 && (!swaps || stored)))
        return vd_label_lose(
            &im->report, err,
            "pictures whose size does not tell whether labels lie (taken as upright)", "%s",
            m->name);
    if (upright) return VD_OK;
    return vd_label_lose(&im->report, err, "pictures of another size than their labels say",
                         "%s: %d x %d, the picture has %lld x %lld", m->name, m->width, m->height,
                         (long long)a->width, (long long)a->height);
}

static vd_status on_image(void *user, const vd_label_image *m, vd_err *err) {
    importer *im = user;
    const vd_match_asset *a = NULL;
    vd_label_image row = *m;
    VD_TRY(VD_GROW(im->turns, im->cap_turns, im->n_images + 1, err));
    lying *t = &im->turns[im->n_images++];
    *t = (lying){ 0 };
    vd_matched found = vd_match_find(&im->match, m->name, m->width, m->height, &a);
    if (found == VD_MATCH_NONE)
        VD_TRY(vd_label_lose(&im->report, err, "pictures that the dataset does not have", "%s",
                             m->name));
    if (found == VD_MATCH_SEVERAL)
        VD_TRY(vd_label_lose(&im->report, err, "pictures that several assets could be", "%s",
                             m->name));
    if (found == VD_MATCHED) VD_TRY(turn_of(im, m, a, t, err));
    im->n_matched += found == VD_MATCHED;
    im->n_turned += t->orientation != 0;
    if (t->orientation != 0) {
        row.width = t->height;
        row.height = t->width;
    }
    return vd_label_rows_image(im->rows, &row, found == VD_MATCHED ? a->id : 0, err);
}

static vd_status on_object(void *user, const vd_label_object *o, vd_err *err) {
    importer *im = user;
    const lying *t = &im->turns[o->image];
    vd_label_object turned = *o;
    if (im->n_objects++ % POLL_EVERY == 0) VD_TRY(poll_cancel(im, err));
    if (t->orientation == 0) return vd_label_rows_object(im->rows, o, err);
    VD_TRY(
        vd_label_turn(&turned, &im->shapes, &im->mask, t->orientation, t->width, t->height, err));
    return vd_label_rows_object(im->rows, &turned, err);
}

/* Size of a picture for readers whose numbers are fractions of it. */
static vd_status size_of(void *user, const char *name, int32_t *width, int32_t *height,
                         vd_err *err) {
    importer *im = user;
    const vd_match_asset *a = NULL;
    (void)err;
    if (vd_match_find(&im->match, name, 0, 0, &a) != VD_MATCHED) return VD_OK;
    bool sane = a->width <= VD_LABEL_MAX_SIDE && a->height <= VD_LABEL_MAX_SIDE;
    *width = sane ? (int32_t)a->width : 0;
    *height = sane ? (int32_t)a->height : 0;
    return VD_OK;
}

static vd_status read_labels(void *user, vd_err *err) {
    importer *im = user;
    vd_label_in in = { 0 };
    const vd_label_sink sink = { on_category, on_image, on_object, im };
    vd_status st = vd_label_in_init(&in, sink, &im->report, err);
    in.size = size_of;
    in.size_user = im;
    in.libexec_dir = im->c->libexec_dir;
    if (st == VD_OK) st = im->format->read(&in, im->path, err);
    vd_label_in_reset(&in);
    return st;
}

/* The last component without its extension, unless --name says another. */
static vd_status set_name(vd_str *out, const vd_opcall *c, const char *path, vd_err *err) {
    if (vd_arg_given(c, "name"))
        vd_str_add(out, vd_arg_text(c, "name"));
    else
        vd_add_stem(out, path);
    return vd_str_check(out, err);
}

static vd_status import_set(importer *im, const char *name, vd_err *err) {
    const char *where = vd_arg_text(im->c, "where");
    VD_TRY(vd_op_check_where(im->db, where, err));
    VD_TRY(vd_label_rows_begin(&im->rows, im->db, name, im->format->name, im->path,
                               vd_arg_flag(im->c, "replace"), err));
    VD_TRY(vd_match_init(&im->match, im->db, where, err));
    VD_TRY(vd_label_rows_fill(im->rows, read_labels, im, err));
    return vd_label_rows_end(im->rows, im->n_matched, err);
}

static vd_status out_counts(importer *im, vd_err *err) {
    const struct {
        const char *what;
        int64_t n;
    } rows[] = { { "images", im->n_images },
                 { "matched", im->n_matched },
                 { "turned", im->n_turned },
                 { "categories", im->n_categories },
                 { "objects", im->n_objects } };
    for (int i = 0; i < VD_COUNT(rows); i++) {
        const vd_value row[] = { vd_val_text(rows[i].what), vd_val_int(rows[i].n), vd_val_int(0),
                                 vd_val_null() };
        VD_TRY(vd_out_row(im->c, row, err));
    }
    return vd_out_label_losses(im->c, &im->report, err);
}

vd_status vd_import_labels(vd_opcall *c, vd_err *err) {
    static const vd_column columns[] = {
        { "what", VD_TEXT, "", "images, matched, turned, categories, objects; then what was lost",
          0 },
        { "count", VD_INT, "", "how many", 0 },
        { "lost", VD_INT, "", "1: did not fit", 0 },
        { "examples", VD_TEXT, "", "the first ones that did not fit", 0 },
    };
    importer im = { .c = c };
    vd_dataset *ds = NULL;
    vd_str path = { 0 }, name = { 0 };
    const char *wanted = vd_arg_text(c, "format");
    const vd_label_format *format = wanted != NULL ? vd_label_format_find(wanted) : NULL;
    vd_status st = VD_OK;
    VD_GO(vd_path_absolute(&path, vd_arg_text(c, "path"), err));
    if (format == NULL) VD_GO(vd_label_detect(&format, path.data, err));
    VD_GO(set_name(&name, c, path.data, err));
    VD_GO(vd_op_open(c, VD_DB_WRITE, &ds, err));
    im.db = vd_dataset_db(ds);
    im.format = format;
    im.path = path.data;
    VD_GO(import_set(&im, name.data, err));
    VD_GO(vd_out_columns(c, columns, VD_COUNT(columns), err));
    VD_GO(out_counts(&im, err));
    vd_out_words(c, "%s: the label set '%s'", format->name, name.data);
done:
    vd_label_rows_free(im.rows);
    vd_dataset_close(ds);
    vd_match_reset(&im.match);
    vd_label_report_reset(&im.report);
    vd_shape_buf_reset(&im.shapes);
    vd_mask_reset(&im.mask);
    vd_mem_free(im.turns);
    vd_str_reset(&path);
    vd_str_reset(&name);
    return st;
}
