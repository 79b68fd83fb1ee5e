/* Labels of the views of an imported scene: pictures of every orientation, models and labels at
 * other sizes than the pictures. SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "audit/audit.h"
#include "base/mem.h"
#include "scene/imported.h"
#include "stage/stages.h"
#include "store/labels.h"
#include "tmpdir.h"

/* Orientation v + 1 in view v; stored pictures are WIDTH x HEIGHT. Things lie in a row. */
enum { VIEWS = 8, THINGS = 3, POINTS = 20, WIDTH = 400, HEIGHT = 300, SWAPPED = 4, GAP = 6 };

typedef struct world {
    t_dir dir;
    vd_dataset *ds;
    int64_t set, label[VIEWS][THINGS]; /* rows in table label; 0: none */
} world;

/* Where a thing is in a stored picture: x0, y0, x1, y1; it moves from view to view. */
static void place(double box[4], int view, int k) {
    box[0] = 20 + 120 * k + 3 * view;
    box[1] = 60 + 50 * k - 2 * view;
    box[2] = box[0] + 70;
    box[3] = box[1] + 60;
}

/* From the stored picture to the upright one, both as fractions of their sides (EXIF's table: what
 * the first row and the first column are). */
static void upright(double out[2], int orientation, double u, double v) {
    const double at[9][2] = { { 0, 0 },         { u, v },         { 1 - u, v },
                              { 1 - u, 1 - v }, { u, 1 - v },     { v, u },
                              { 1 - v, u },     { 1 - v, 1 - u }, { v, 1 - u } };
    out[0] = at[orientation][0];
    out[1] = at[orientation][1];
}

/* ---- the catalog ---- */

/* Views from 4 on have a camera of half the size: the model was made of reduced pictures. */
static vd_status make_model(vd_model *m, vd_err *err) {
    VD_TRY(vd_model_add_cameras(m, 2, err));
    m->cameras[0] = vd_camera_simple(VD_CAMERA_SIMPLE_PINHOLE, 300, WIDTH, HEIGHT);
    m->cameras[1] = vd_camera_simple(VD_CAMERA_SIMPLE_PINHOLE, 150, WIDTH / 2, HEIGHT / 2);
    VD_TRY(vd_model_add_images(m, VIEWS, err));
    VD_TRY(vd_model_add_points(m, THINGS * POINTS, VIEWS * THINGS * POINTS, err));
    for (int v = 0; v < VIEWS; v++) {
        char name[16];
        vd_model_image *im = &m->images[v];
        snprintf(name, sizeof name, "%d.jpg", v);
        VD_TRY(vd_model_set_image(im, name, strlen(name), THINGS * POINTS, err));
        im->camera = v >= 4;
        im->cam_from_world.q.w = 1;
        for (int i = 0; i < THINGS * POINTS; i++) {
            double box[4];
            place(box, v, i / POINTS);
            const double scale = v >= 4 ? 0.5 : 1, fx = (i % POINTS % 5 + 1) / 6.0,
                         fy = (i % POINTS / 5 + 1) / 5.0;
            im->uv[2 * i] = scale * (box[0] + fx * (box[2] - box[0]));
            im->uv[2 * i + 1] = scale * (box[1] + fy * (box[3] - box[1]));
            im->point[i] = i;
        }
    }
    return vd_model_track(m, err);
}

static vd_status put_scene(const world *w, vd_err *err) {
    vd_status st = VD_OK;
    vd_model m = { 0 };
    int64_t ids[VIEWS];
    for (int v = 0; v < VIEWS; v++) {
        char sql[400];
        const bool turned = v + 1 > 4;
        ids[v] = v + 1;
        snprintf(sql, sizeof sql,
                 "INSERT INTO asset(id, uri, kind, size) VALUES(%d, '/x/%d.jpg', 'image', 9);"
                 "INSERT INTO fact_check(asset_id, key, verdict, width, height, orientation)"
                 " VALUES(%d, 1, 'ok', %d, %d, %d);",
                 v + 1, v, v + 1, turned ? HEIGHT : WIDTH, turned ? WIDTH : HEIGHT, v + 1);
        VD_TRY(vd_db_exec(vd_dataset_db(w->ds), sql, err));
    }
    VD_GO(make_model(&m, err));
    const vd_imported_scene scene = { &m, ids, "made up" };
    VD_GO(vd_scenes_import(w->ds, "colmap", &scene, 1, err));
done:
    vd_model_reset(&m);
    return st;
}

/* Labels at half the size in views of odd numbers: boxes, or the same as polygons. */
static vd_status put_labels(world *w, bool polygons, vd_err *err) {
    vd_status st = VD_OK;
    vd_label_rows *r = NULL;
    vd_label_set_row row;
    const char *const name[] = { "barrel", "crate", "cone", "ball" };
    vd_db *db = vd_dataset_db(w->ds);
    VD_TRY(vd_label_rows_begin(&r, db, "labels", "coco", "x.json", true, err));
    for (int c = 0; c < VD_COUNT(name); c++) {
        const vd_label_category category = { .id = c + 1, .name = name[c] };
        VD_GO(vd_label_rows_category(r, &category, err));
    }
    for (int v = 0; v < VIEWS; v++) {
        const double scale = v % 2 ? 0.5 : 1;
        const bool turned = v + 1 > 4;
        char file[16];
        snprintf(file, sizeof file, "%d.jpg", v);
        const vd_label_image image = { .id = v + 1,
                                       .name = file,
                                       .width = (int32_t)(scale * (turned ? HEIGHT : WIDTH)),
                                       .height = (int32_t)(scale * (turned ? WIDTH : HEIGHT)),
                                       .frame = VD_LABEL_NONE };
        VD_GO(vd_label_rows_image(r, &image, v + 1, err));
        for (int k = 0; k < THINGS; k++) {
            double box[4], a[2], b[2], xy[8];
            const int32_t ring = 4;
            if (v == GAP && k == 0) continue;
            place(box, v, k);
            upright(a, v + 1, box[0] / WIDTH, box[1] / HEIGHT);
            upright(b, v + 1, box[2] / WIDTH, box[3] / HEIGHT);
            vd_label_object o = { .has = polygons ? VD_OBJ_POLYGON : VD_OBJ_BOX, .image = v };
            o.category = v == SWAPPED && k == 1 ? 3 : k;
            o.box[0] = VD_MIN(a[0], b[0]) * image.width;
            o.box[1] = VD_MIN(a[1], b[1]) * image.height;
            o.box[2] = fabs(a[0] - b[0]) * image.width;
            o.box[3] = fabs(a[1] - b[1]) * image.height;
            for (int i = 0; i < 4; i++) {
                xy[2 * i] = o.box[0] + (i == 1 || i == 2 ? o.box[2] : 0);
                xy[2 * i + 1] = o.box[1] + (i >= 2 ? o.box[3] : 0);
            }
            o.xy = xy;
            o.ring = &ring;
            o.n_rings = 1;
            VD_GO(vd_label_rows_object(r, &o, err));
        }
    }
    VD_GO(vd_label_rows_end(r, VIEWS, err));
    VD_GO(vd_label_set_find(&row, db, "labels", err));
    w->set = row.set;
done:
    vd_label_rows_free(r);
    return st;
}

static vd_status world_make(world *w, bool polygons, vd_err *err) {
    vd_str path = { 0 };
    w->dir = t_dir_new();
    vd_str_addf(&path, "%s/d.vidimus", w->dir.path);
    vd_status st = vd_dataset_open(&w->ds, path.data, VD_DB_CREATE, &vd_stage_schema, err);
    vd_str_reset(&path);
    if (st == VD_OK) st = put_scene(w, err);
    if (st == VD_OK) st = put_labels(w, polygons, err);
    return st;
}

static void world_free(world *w) {
    vd_dataset_close(w->ds);
    t_dir_free(&w->dir);
}

static void expect(t_case *t, vd_audit_findings *f, const vd_audit_set *s) {
    T_NEED(f->n == 2);
    vd_audit_findings_sort(f);
    const vd_audit_finding *a = &f->row[0], *b = &f->row[1];
    T_EQ(a->kind, VD_AUDIT_INCONSISTENT_IN_3D);
    T_EQ(a->image, SWAPPED);
    T_EQ(a->asset, SWAPPED + 1);
    T_EQ(a->label, s->object[SWAPPED * THINGS + 1].row);
    T_EQ(a->other, s->object[1].row);
    T_STR(a->name, "ball");
    T_NEAR(a->score, 1.0 / VIEWS, 1e-12);
    T_STR(a->evidence, "7 of 7 other views call it 'crate', by 20 points in 3D: 0.jpg, 1.jpg, "
                       "2.jpg, 3.jpg, 5.jpg and 2 more");
    T_EQ(b->kind, VD_AUDIT_MISSING_IN_3D);
    T_EQ(b->image, GAP);
    T_EQ(b->label, 0);
    T_EQ(b->other, s->object[0].row);
    T_STR(b->name, "barrel");
    T_NEAR(b->score, 1.0 / VIEWS, 1e-12);
    double box[4], at[2], from[2], to[2];
    place(box, GAP, 0); /* its middle, in the upright picture at the labels' size */
    upright(from, GAP + 1, box[0] / WIDTH, box[1] / HEIGHT);
    upright(to, GAP + 1, box[2] / WIDTH, box[3] / HEIGHT);
    at[0] = (from[0] + to[0]) / 2 * HEIGHT;
    at[1] = (from[1] + to[1]) / 2 * WIDTH;
    T_NEAR(b->box[0] + b->box[2] / 2, at[0], 1);
    T_NEAR(b->box[1] + b->box[3] / 2, at[1], 1);
}

T(every_orientation_and_size) {
    for (int polygons = 0; polygons < 2; polygons++) {
        vd_err err = { 0 };
        world w = { 0 };
        vd_audit_set s = { 0 };
        vd_audit_findings f;
        vd_audit_findings_init(&f);
        T_OK(world_make(&w, polygons, &err));
        T_OK(vd_audit_load(&s, vd_dataset_db(w.ds), w.set, NULL, &err));
        T_OK(vd_audit_in_3d(&f, &s, w.ds, &err));
        expect(t, &f, &s);
        vd_audit_findings_reset(&f);
        vd_audit_set_reset(&s);
        world_free(&w);
    }
}

T(lack_of_memory_is_told) {
    vd_err err = { 0 };
    world w = { 0 };
    vd_audit_set s = { 0 };
    T_OK(world_make(&w, true, &err));
    T_OK(vd_audit_load(&s, vd_dataset_db(w.ds), w.set, NULL, &err));
    const int64_t before = vd_mem_live();
    int tries = 0;
    for (int64_t n = 0, hit = 1; hit && t->failures == 0; n++, tries++) {
        vd_audit_findings f;
        vd_audit_findings_init(&f);
        vd_mem_fail_at(n, false);
        const vd_status st = vd_audit_in_3d(&f, &s, w.ds, &err);
        hit = vd_mem_fail_clear();
        T_EQ(st, hit ? VD_E_NOMEM : VD_OK);
        if (!hit) expect(t, &f, &s);
        vd_audit_findings_reset(&f);
        T_EQ(vd_mem_live(), before);
        if (t->failures > 0) fprintf(stderr, "allocation %lld\n", (long long)n);
    }
    T_TRUE(tries > 50);
    vd_audit_set_reset(&s);
    world_free(&w);
}

T(damaged_arrays_are_told_and_missing_ones_left_out) {
    vd_err err = { 0 };
    world w = { 0 };
    vd_audit_set s = { 0 };
    vd_audit_findings f;
    char command[400];
    vd_audit_findings_init(&f);
    T_OK(world_make(&w, false, &err));
    T_OK(vd_audit_load(&s, vd_dataset_db(w.ds), w.set, NULL, &err));
    snprintf(command, sizeof command,
             "for p in '%s'/d.vidimus/arrays/model_images/*/*.npy; do echo no > $p; done",
             w.dir.path);
    T_EQ(system(command), 0);
    T_EQ(vd_audit_in_3d(&f, &s, w.ds, &err), VD_E_FORMAT);
    T_EQ(f.n, 0);
    snprintf(command, sizeof command, "rm '%s'/d.vidimus/arrays/model_images/*/*.npy", w.dir.path);
    T_EQ(system(command), 0);
    T_OK(vd_audit_in_3d(&f, &s, w.ds, &err));
    T_EQ(f.n, 0);
    vd_audit_findings_reset(&f);
    vd_audit_set_reset(&s);
    world_free(&w);
}
