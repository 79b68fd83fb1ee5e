/* Label sets in the catalog: what is written is read back. SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "stage/stages.h"
#include "store/dataset.h"
#include "store/label_read.h"
#include "store/labels.h"
#include "tmpdir.h"

static const double rings[] = { 1.5, 2, 9, 2, 9, 8.25, 3, 3, 4, 3, 4, 4 };
static const int32_t ring_sizes[] = { 3, -3 };
static const uint32_t runs[] = { 3, 4, 13 };
static const double points[] = { 1, 2, 2, 0, 0, 0 };
static const char *const names[] = { "left", "right" };
static const int32_t edges[] = { 0, 1 };

static const vd_label_category categories[] = {
    { .id = 7, .name = "car", .parent = "vehicle" },
    { .id = 9, .name = "pair", .keypoints = names, .edges = edges, .n_keypoints = 2, .n_edges = 1 },
};
static const vd_label_image images[] = {
    { .id = 3, .name = "a/b.jpg", .width = 20, .height = 10, .subset = "train", .frame = -1 },
    { .id = 1, .name = "c.jpg", .sequence = "s", .frame = 4, .attributes = "{\"k\":1}" },
    { .id = 2, .name = "empty.jpg", .frame = -1 },
};
/* not in the order of their images */
static const vd_label_object objects[] = {
    { .has = VD_OBJ_BOX | VD_OBJ_ID,
      .image = 1,
      .category = 0,
      .id = 42,
      .box = { 1, 2, 3, 4.125 } },
    { .has = VD_OBJ_POLYGON | VD_OBJ_AREA | VD_OBJ_CROWD,
      .image = 0,
      .category = 1,
      .area = 17.5,
      .xy = rings,
      .ring = ring_sizes,
      .n_rings = 2 },
    { .has = VD_OBJ_MASK,
      .image = 0,
      .category = VD_LABEL_NONE,
      .runs = runs,
      .n_runs = 3,
      .mask_width = 5,
      .mask_height = 4 },
    { .has = VD_OBJ_ROTATED | VD_OBJ_SCORE | VD_OBJ_TRACK,
      .image = 1,
      .category = 0,
      .box = { 5, 6, 2, 1 },
      .angle = 0.5,
      .score = 0.75,
      .track = 8 },
    { .has = VD_OBJ_KEYPOINTS | VD_OBJ_CAPTION,
      .image = 1,
      .category = 1,
      .keypoints = points,
      .n_keypoints = 2,
      .caption = "two",
      .attributes = "{\"a\":true}" },
};
/* as they come back: by image */
static const int back[] = { 1, 2, 0, 3, 4 };
static const int back_without_first[] = { 0, 3, 4 }; /* in any order: without those of image 0 */

static vd_status store(vd_db *db, const char *name, vd_err *err) {
    vd_label_rows *r = NULL;
    vd_status st = VD_OK;
    VD_GO(vd_label_rows_begin(&r, db, name, "coco", "/x.json", true, err));
    for (int i = 0; i < VD_COUNT(categories); i++)
        VD_GO(vd_label_rows_category(r, &categories[i], err));
    for (int i = 0; i < VD_COUNT(images); i++)
        VD_GO(vd_label_rows_image(r, &images[i], i == 0 ? 77 : 0, err));
    for (int i = 0; i < VD_COUNT(objects); i++) VD_GO(vd_label_rows_object(r, &objects[i], err));
    VD_GO(vd_label_rows_end(r, 1, err));
done:
    vd_label_rows_free(r);
    return st;
}

typedef struct seen {
    t_case *t;
    int categories, images, objects;
    bool shapes, in_rows;
    const char *skip; /* name of an image to skip */
} seen;

static bool same_text(const char *a, const char *b) {
    return a == NULL ? b == NULL : b != NULL && strcmp(a, b) == 0;
}

static vd_status see_category(void *user, const vd_label_category *c, vd_err *err) {
    (void)err;
    seen *s = user;
    t_case *t = s->t;
    const vd_label_category *w = &categories[s->categories++];
    T_EQ(c->id, w->id);
    T_TRUE(same_text(c->name, w->name) && same_text(c->parent, w->parent));
    T_TRUE(c->n_keypoints == w->n_keypoints && c->n_edges == w->n_edges);
    for (int i = 0; i < c->n_keypoints; i++) T_TRUE(same_text(c->keypoints[i], w->keypoints[i]));
    for (int i = 0; i < 2 * c->n_edges; i++) T_EQ(c->edges[i], w->edges[i]);
    return VD_OK;
}

static vd_status see_image(void *user, const vd_label_image *m, int64_t row, int64_t asset,
                           bool *skip, vd_err *err) {
    (void)err;
    seen *s = user;
    t_case *t = s->t;
    const vd_label_image *w = &images[s->images];
    T_EQ(asset, s->images == 0 ? 77 : 0);
    T_TRUE(row > 0);
    s->images++;
    T_TRUE(m->id == w->id && m->width == w->width && m->height == w->height &&
           m->frame == w->frame);
    T_TRUE(same_text(m->name, w->name) && same_text(m->subset, w->subset));
    T_TRUE(same_text(m->sequence, w->sequence) && same_text(m->attributes, w->attributes));
    *skip = s->skip != NULL && strcmp(s->skip, m->name) == 0;
    return VD_OK;
}

static vd_status see_object(void *user, const vd_label_object *o, int64_t row, vd_err *err) {
    (void)err;
    seen *s = user;
    t_case *t = s->t;
    int k = s->skip != NULL ? back_without_first[s->objects]
            : s->in_rows    ? s->objects
                            : back[s->objects];
    const vd_label_object *w = &objects[k];
    s->objects++;
    T_TRUE(row > 0);
    T_EQ(o->image, s->skip != NULL ? w->image - 1 : w->image);
    T_EQ(o->category, w->category);
    T_TRUE(same_text(o->caption, w->caption) && same_text(o->attributes, w->attributes));
    if (w->has & VD_OBJ_ID) T_EQ(o->id, w->id);
    T_TRUE(o->score == w->score && o->angle == w->angle);
    T_EQ(o->track, w->track);
    if (s->shapes) {
        T_EQ(o->has, w->has);
        T_TRUE(o->n_rings == w->n_rings && o->n_runs == w->n_runs);
        T_TRUE(o->n_keypoints == w->n_keypoints);
        if (w->n_rings > 0) T_TRUE(memcmp(o->xy, w->xy, sizeof rings) == 0);
        if (w->n_runs > 0) T_TRUE(memcmp(o->runs, w->runs, sizeof runs) == 0);
        if (w->has & (VD_OBJ_BOX | VD_OBJ_ROTATED))
            T_TRUE(memcmp(o->box, w->box, sizeof o->box) == 0);
    } else {
        double box[4] = { w->box[0], w->box[1], w->box[2], w->box[3] };
        if (!(w->has & VD_OBJ_ROTATED)) T_TRUE(vd_label_bounds(w, box));
        T_TRUE(memcmp(o->box, box, sizeof box) == 0);
        T_TRUE(o->area == (w->has & VD_OBJ_AREA ? w->area : vd_label_area(w)));
        T_EQ((o->has & VD_OBJ_BOX) != 0, (w->has & VD_OBJ_ROTATED) == 0);
    }
    return VD_OK;
}

T(a_set_comes_back) {
    vd_err err = { 0 };
    t_dir dir = t_dir_new();
    vd_dataset *ds = NULL;
    vd_str path = { 0 };
    vd_label_set_row set = { 0 };
    vd_str_addf(&path, "%s/d.vidimus", dir.path);
    T_OK(vd_dataset_open(&ds, path.data, VD_DB_CREATE, &vd_stage_schema, &err));
    T_NEED(ds != NULL);
    vd_db *db = vd_dataset_db(ds);
    T_EQ(vd_label_set_find(&set, db, NULL, NULL), VD_E_NOTFOUND);
    T_OK(store(db, "one", &err));
    T_OK(vd_label_set_find(&set, db, NULL, &err));
    T_EQ(set.images, 3);
    T_EQ(set.objects, 5);
    T_TRUE(set.matched == 1 && set.categories == 2 && strcmp(set.format, "coco") == 0);
    T_OK(store(db, "two", &err));
    T_EQ(vd_label_set_find(&set, db, NULL, NULL), VD_E_ARG);
    T_EQ(vd_label_set_find(&set, db, "three", &err), VD_E_NOTFOUND);
    T_TRUE(strstr(err.msg, "one, two") != NULL);
    T_OK(vd_label_set_find(&set, db, "two", &err));
    for (int mode = 0; mode < 6; mode++) {
        seen s = { .t = t,
                   .shapes = mode % 3 != 0,
                   .in_rows = mode >= 3,
                   .skip = mode % 3 == 2 ? "a/b.jpg" : NULL };
        const vd_label_walk walk = { see_category, see_image, see_object, &s, s.shapes, s.in_rows };
        T_OK(vd_label_set_walk(db, set.set, &walk, &err));
        T_EQ(s.categories, 2);
        T_EQ(s.images, 3);
        T_EQ(s.objects, mode % 3 == 2 ? 3 : 5);
    }
    vd_str_reset(&path);
    vd_dataset_close(ds);
    t_dir_free(&dir);
}

/* ---- rows that a thread of their own writes ---- */

enum { MANY = 9000 };

typedef struct giver {
    vd_label_rows *rows;
    int objects;
    bool fails; /* in the end */
} giver;

static vd_status give(void *user, vd_err *err) {
    const giver *g = user;
    VD_TRY(vd_label_rows_category(g->rows, &categories[0], err));
    for (int i = 0; i < VD_COUNT(images); i++)
        VD_TRY(vd_label_rows_image(g->rows, &images[i], 0, err));
    for (int i = 0; i < g->objects; i++)
        VD_TRY(vd_label_rows_object(g->rows, &objects[i % 2], err));
    return g->fails ? vd_fail(err, VD_E_FORMAT, "the file ends in the middle") : VD_OK;
}

static vd_status fill_set(vd_db *db, const char *name, int n, bool fails, vd_err *err) {
    giver g = { .objects = n, .fails = fails };
    vd_status st = VD_OK;
    VD_GO(vd_label_rows_begin(&g.rows, db, name, "coco", "/x.json", true, err));
    VD_GO(vd_label_rows_fill(g.rows, give, &g, err));
    st = vd_label_rows_end(g.rows, 0, err);
done:
    vd_label_rows_free(g.rows);
    return st;
}

T(rows_from_another_thread_are_the_same) {
    vd_err err = { 0 };
    t_dir dir = t_dir_new();
    vd_dataset *ds = NULL;
    vd_str path = { 0 };
    int64_t n = 0, wrong = 0;
    vd_str_addf(&path, "%s/d.vidimus", dir.path);
    T_OK(vd_dataset_open(&ds, path.data, VD_DB_CREATE, &vd_stage_schema, &err));
    T_NEED(ds != NULL);
    vd_db *db = vd_dataset_db(ds);
    T_OK(fill_set(db, "many", MANY, false, &err)); /* more than all batches together */
    T_OK(fill_set(db, "few", 3, false, &err));
    T_OK(fill_set(db, "full", 1024 - 1 - VD_COUNT(images), false, &err)); /* one batch */
    T_OK(vd_db_int(db, "SELECT count(*) FROM label", &n, &err));
    T_EQ(n, MANY + 3 + 1024 - 1 - VD_COUNT(images));
    T_OK(vd_db_int(
        db,
        "SELECT count(*) FROM label l JOIN label_image m ON m.id = l.image_id JOIN"
        " label_set s ON s.id = m.set_id WHERE s.name = 'many' AND"
        " (l.has <> iif(l.id % 2 = 1, 2049, 1540) OR m.source_id <> iif(l.id % 2 = 1, 1, 3))",
        &wrong, &err));
    T_EQ(wrong, 0);
    /* a reader that fails, early and late: nothing of it is there */
    T_EQ(fill_set(db, "many", MANY, true, &err), VD_E_FORMAT);
    T_STR(err.msg, "the file ends in the middle");
    T_EQ(fill_set(db, "new", 1, true, NULL), VD_E_FORMAT);
    /* a writer that fails: its error is told */
    err = (vd_err){ 0 };
    T_OK(vd_db_exec(db,
                    "CREATE TEMP TRIGGER no_more BEFORE INSERT ON label WHEN new.id % 5000 = 4999"
                    " BEGIN SELECT RAISE(ABORT, 'no more of this'); END",
                    &err));
    T_TRUE(fill_set(db, "new", 2 * MANY, false, &err) != VD_OK);
    T_TRUE(strstr(err.msg, "no more of this") != NULL);
    T_OK(vd_db_int(db, "SELECT count(*) FROM label", &wrong, NULL));
    T_EQ(wrong, n);
    vd_str_reset(&path);
    vd_dataset_close(ds);
    t_dir_free(&dir);
}
