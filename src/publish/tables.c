/* Parquet: images.parquet has a row a picture with every fact of the catalog, labels.parquet a row
 * an object, joined by images.id = labels.image_id. SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/mem.h"
#include "labelio/coco.h"
#include "publish/parquet.h"
#include "publish/publish_int.h"

enum { MAX_COLUMNS = 512, OWN = 7 };

/* ---- images ---- */

typedef struct images {
    vd_publisher *p;
    vd_parquet *file;
    vd_stmt *facts; /* of one asset */
    vd_parquet_column column[MAX_COLUMNS];
    int fact[MAX_COLUMNS]; /* column of the statement, -1 */
    int n;
    vd_str name;
} images;

/* Where a picture was taken is metadata that is taken out of its file, too. */
static bool is_place(const char *name) {
    static const char *const places[] = { "latitude", "longitude", "altitude_m", "direction_deg" };
    for (int i = 0; i < VD_COUNT(places); i++)
        if (strcmp(name, places[i]) == 0) return true;
    return false;
}

/* Columns of the view that have a column of their own, or say nothing of what was written. */
static bool told(const char *name) {
    static const char *const own[] = { "id", "uri", "width", "height", "state" };
    for (int i = 0; i < VD_COUNT(own); i++)
        if (strcmp(name, own[i]) == 0) return true;
    return false;
}

static void add_column(images *t, const char *name, vd_type type, int fact) {
    if (t->n == MAX_COLUMNS) return;
    t->fact[t->n] = fact;
    t->column[t->n++] = (vd_parquet_column){ name, type };
}

static vd_status open_images(images *t, vd_err *err) {
    static const vd_parquet_column own[OWN] = { { "id", VD_INT },         { "uri", VD_TEXT },
                                                { "file_name", VD_TEXT }, { "width", VD_INT },
                                                { "height", VD_INT },     { "part", VD_TEXT },
                                                { "hash", VD_TEXT } };
    vd_str path = { 0 };
    VD_TRY(vd_db_prepare(&t->facts, vd_dataset_db(t->p->ds),
                         "SELECT * FROM asset_facts WHERE id = ?1", true, err));
    for (int i = 0; i < OWN; i++) add_column(t, own[i].name, own[i].type, -1);
    if (t->p->opt->with_bytes) add_column(t, "bytes", VD_BLOB, -1);
    for (int i = 0; i < vd_stmt_columns(t->facts); i++) {
        const char *name = vd_stmt_name(t->facts, i);
        if (is_place(name) && !t->p->opt->pictures.keep_exif) continue;
        if (!told(name)) add_column(t, name, vd_schema_type(vd_dataset_schema(t->p->ds), name), i);
    }
    vd_folder_path(&t->p->folder, &path, "images.parquet");
    vd_status st = vd_str_check(&path, err);
    if (st == VD_OK) st = vd_parquet_open(&t->file, path.data, t->column, t->n, err);
    vd_str_reset(&path);
    return st;
}

static vd_value size_or_null(int32_t v) {
    return v > 0 ? vd_val_int(v) : vd_val_null();
}

static vd_status add_image(void *user, int64_t i, const void *bytes, int64_t n, vd_err *err) {
    images *t = user;
    const vd_publish_item *m = &t->p->out->plan.item[i];
    vd_value v[MAX_COLUMNS];
    bool row = false;
    int k = 0;
    vd_str_clear(&t->name);
    vd_layout_add(&t->name, t->p->opt->layout->picture, m);
    VD_TRY(vd_str_check(&t->name, err));
    const vd_value own[OWN] = { vd_val_int(m->id),           vd_val_text(m->uri),
                                vd_val_text(t->name.data),   size_or_null(m->out_width),
                                size_or_null(m->out_height), vd_val_text(m->part),
                                vd_val_text(m->written_hash) };
    for (; k < OWN; k++) v[k] = own[k];
    if (t->p->opt->with_bytes) v[k++] = vd_val_blob(bytes, n);
    vd_stmt_bind(t->facts, 1, vd_val_int(m->id));
    VD_TRY(vd_stmt_step(t->facts, &row, err));
    for (; k < t->n; k++) v[k] = row ? vd_stmt_value(t->facts, t->fact[k]) : vd_val_null();
    vd_status st = vd_parquet_row(t->file, v, err);
    vd_stmt_reset(t->facts);
    return st;
}

static vd_status write_images(vd_publisher *p, vd_err *err) {
    images t = { .p = p };
    vd_status st = VD_OK;
    VD_GO(open_images(&t, err));
    if (p->opt->with_bytes) VD_GO(vd_publish_stream(p, NULL, add_image, &t, err));
    for (int64_t i = 0; !p->opt->with_bytes && i < p->out->plan.n; i++)
        if (p->out->plan.item[i].fate == VD_FATE_DONE) VD_GO(add_image(&t, i, NULL, 0, err));
    st = vd_parquet_close(t.file, err);
done:
    vd_parquet_free(t.file);
    vd_stmt_free(t.facts);
    vd_str_reset(&t.name);
    return st;
}

/* ---- labels ---- */

static const vd_parquet_column label_columns[] = {
    { "id", VD_INT },          { "image_id", VD_INT },    { "file_name", VD_TEXT },
    { "category_id", VD_INT }, { "category", VD_TEXT },   { "x", VD_REAL },
    { "y", VD_REAL },          { "width", VD_REAL },      { "height", VD_REAL },
    { "angle", VD_REAL },      { "area", VD_REAL },       { "score", VD_REAL },
    { "track", VD_INT },       { "iscrowd", VD_INT },     { "source_id", VD_INT },
    { "caption", VD_TEXT },    { "attributes", VD_TEXT }, { "segmentation", VD_TEXT },
    { "keypoints", VD_TEXT },
};

typedef struct labels {
    vd_publisher *p;
    vd_parquet *file;
    vd_label_set set;
    vd_str shape, points;
    int64_t n;
} labels;

static void add_points(vd_str *s, const vd_label_object *o) {
    vd_str_clear(s);
    for (int64_t i = 0; i < 3 * (int64_t)o->n_keypoints; i++) {
        vd_str_addc(s, i > 0 ? ',' : '[');
        vd_str_json_num(s, o->keypoints[i]);
    }
    if (s->size > 0) vd_str_addc(s, ']');
}

static vd_value real_if(bool there, double v) {
    return there ? vd_val_real(v) : vd_val_null();
}

/* Turned boxes stand as they are: centre and sides before the turn. */
static vd_status add_label(labels *t, const vd_publish_item *m, const vd_label_object *o,
                           vd_err *err) {
    double box[4] = { 0 };
    const vd_label_category *c = o->category >= 0 ? &t->set.categories[o->category] : NULL;
    bool turned = o->has & VD_OBJ_ROTATED, boxed = turned || vd_label_bounds(o, box);
    if (turned) memcpy(box, o->box, sizeof box);
    vd_str_clear(&t->shape);
    if (o->has & (VD_OBJ_POLYGON | VD_OBJ_MASK))
        VD_TRY(vd_coco_add_shape(&t->shape, o, m->uri, &t->p->out->lost, err));
    add_points(&t->points, o);
    VD_TRY(vd_str_check(&t->points, err));
    const vd_value v[] = {
        vd_val_int(++t->n),
        vd_val_int(m->id),
        vd_val_text(t->set.images[o->image].name),
        c != NULL ? vd_val_int(c->id) : vd_val_null(),
        vd_val_text(c != NULL ? c->name : NULL),
        real_if(boxed, box[0]),
        real_if(boxed, box[1]),
        real_if(boxed, box[2]),
        real_if(boxed, box[3]),
        real_if(turned, o->angle),
        real_if(o->has & (VD_OBJ_AREA | VD_OBJ_BOX | VD_OBJ_ROTATED | VD_OBJ_POLYGON | VD_OBJ_MASK),
                o->has & VD_OBJ_AREA ? o->area : vd_label_area(o)),
        real_if(o->has & VD_OBJ_SCORE, o->score),
        o->has & VD_OBJ_TRACK ? vd_val_int(o->track) : vd_val_null(),
        o->has & VD_OBJ_SHAPES ? vd_val_int((o->has & VD_OBJ_CROWD) != 0) : vd_val_null(),
        o->has & VD_OBJ_ID ? vd_val_int(o->id) : vd_val_null(),
        vd_val_text(o->has & VD_OBJ_CAPTION ? o->caption : NULL),
        vd_val_text(o->attributes),
        vd_val_text(vd_str_text(&t->shape)),
        vd_val_text(vd_str_text(&t->points)),
    };
    return vd_parquet_row(t->file, v, err);
}

static vd_status add_labels(labels *t, const int32_t *image, vd_err *err) {
    const vd_publish_plan *plan = &t->p->out->plan;
    for (int64_t i = 0; i < plan->n; i++)
        for (int64_t k = 0; image[i] >= 0 && k < vd_label_set_count(&t->set, image[i]); k++) {
            vd_label_object o;
            VD_TRY(vd_label_set_get(&t->set, image[i], k, &o, err));
            VD_TRY(add_label(t, &plan->item[i], &o, err));
        }
    return VD_OK;
}

static vd_status write_labels(vd_publisher *p, vd_err *err) {
    labels t = { .p = p };
    vd_str path = { 0 };
    vd_status st = VD_OK;
    int32_t *image = vd_mem_array((size_t)p->out->plan.n + 1, sizeof *image);
    if (image == NULL) VD_GO(vd_nomem(err));
    VD_GO(vd_publish_collect(&t.set, image, &p->out->plan, vd_dataset_db(p->ds), &p->out->set,
                             p->opt->layout, NULL, true, err));
    vd_folder_path(&p->folder, &path, "labels.parquet");
    VD_GO(vd_str_check(&path, err));
    VD_GO(vd_parquet_open(&t.file, path.data, label_columns, VD_COUNT(label_columns), err));
    VD_GO(add_labels(&t, image, err));
    VD_GO(vd_parquet_close(t.file, err));
    p->out->categories = t.set.n_categories;
    p->out->objects = t.n;
done:
    vd_parquet_free(t.file);
    vd_label_set_reset(&t.set);
    vd_str_reset(&t.shape);
    vd_str_reset(&t.points);
    vd_str_reset(&path);
    vd_mem_free(image);
    return st;
}

vd_status vd_publish_tables(vd_publisher *p, vd_err *err) {
    VD_TRY(write_images(p, err));
    return write_labels(p, err);
}
