/* Reading label sets. SPDX-License-Identifier: Apache-2.0 */
#include "store/label_read.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "label/pack.h"

/* ---- which set ---- */

static vd_status set_unclear(vd_db *db, const char *name, int64_t n, vd_err *err) {
    vd_stmt *s = NULL;
    vd_str all = { 0 };
    bool row = false;
    vd_status st =
        vd_db_prepare(&s, db, "SELECT name FROM label_set ORDER BY name LIMIT 20", true, err);
    while (st == VD_OK && (st = vd_stmt_step(s, &row, err)) == VD_OK && row)
        vd_str_addf(&all, "%s%.60s", all.size > 0 ? ", " : "", vd_stmt_text(s, 0));
    vd_stmt_free(s);
    if (st == VD_OK && n == 0)
        st = vd_fail(err, VD_E_NOTFOUND,
                     "labels: the dataset has no label sets; see vidimus import");
    else if (st == VD_OK && name != NULL)
        st = vd_fail(err, VD_E_NOTFOUND, "labels: no label set '%.100s'; there are %.300s", name,
                     vd_str_text(&all));
    else if (st == VD_OK)
        st = vd_fail(err, VD_E_ARG, "labels: there are %lld label sets, name one of %.300s",
                     (long long)n, vd_str_text(&all));
    vd_str_reset(&all);
    return st;
}

vd_status vd_label_set_find(vd_label_set_row *out, vd_db *db, const char *name, vd_err *err) {
    vd_stmt *s = NULL;
    bool row = false;
    int64_t n = 0;
    VD_TRY(vd_db_int(db, "SELECT count(*) FROM label_set", &n, err));
    if (name == NULL && n != 1) return set_unclear(db, name, n, err);
    VD_TRY(vd_db_prepare(&s, db,
                         "SELECT id, images, matched, categories, objects, has, name, format"
                         " FROM label_set WHERE ?1 IS NULL OR name = ?1",
                         true, err));
    vd_stmt_bind(s, 1, name != NULL ? vd_val_text(name) : vd_val_null());
    vd_status st = vd_stmt_step(s, &row, err);
    if (st == VD_OK && row) {
        *out = (vd_label_set_row){ .set = vd_stmt_int(s, 0),
                                   .images = vd_stmt_int(s, 1),
                                   .matched = vd_stmt_int(s, 2),
                                   .categories = vd_stmt_int(s, 3),
                                   .objects = vd_stmt_int(s, 4),
                                   .has = (uint32_t)vd_stmt_int(s, 5) };
        snprintf(out->name, sizeof out->name, "%s", vd_stmt_text(s, 6));
        snprintf(out->format, sizeof out->format, "%s", vd_stmt_text(s, 7));
    }
    vd_stmt_free(s);
    return st == VD_OK && !row ? set_unclear(db, name, n, err) : st;
}

/* ---- categories ---- */

static vd_status skeleton(vd_label_category *c, vd_arena *arena, const char *names,
                          const char *edges, vd_err *err) {
    const vd_json *list = NULL, *pairs = NULL;
    static const char WHERE[] = "labels: a skeleton in the catalog";
    if (names[0] != '\0') VD_TRY(vd_json_parse(&list, arena, WHERE, names, strlen(names), err));
    if (edges[0] != '\0') VD_TRY(vd_json_parse(&pairs, arena, WHERE, edges, strlen(edges), err));
    if (list != NULL && list->n > 0) {
        const char **text = vd_arena_alloc(arena, (size_t)list->n * sizeof *text);
        if (text == NULL) return vd_nomem(err);
        for (const vd_json *v = list->first; v != NULL; v = v->next)
            text[c->n_keypoints++] = v->text != NULL ? v->text : "";
        c->keypoints = text;
    }
    if (pairs != NULL && pairs->n > 0) {
        int32_t *e = vd_arena_alloc(arena, (size_t)pairs->n * 2 * sizeof *e);
        if (e == NULL) return vd_nomem(err);
        for (const vd_json *v = pairs->first; v != NULL; v = v->next) {
            if (v->n != 2 || v->first == NULL)
                return vd_fail(err, VD_E_FORMAT, "%s: an edge has not two ends", WHERE);
            e[2 * c->n_edges] = (int32_t)v->first->number;
            e[2 * c->n_edges + 1] = (int32_t)v->first->next->number;
            c->n_edges++;
        }
        c->edges = e;
    }
    return VD_OK;
}

static vd_status walk_categories(vd_db *db, int64_t set, const vd_label_walk *walk, vd_err *err) {
    vd_stmt *s = NULL;
    vd_arena arena = { 0 };
    bool row = false;
    if (walk->category == NULL) return VD_OK;
    VD_TRY(vd_db_prepare(&s, db,
                         "SELECT source_id, name, parent, keypoints, edges, thing"
                         " FROM label_category WHERE set_id = ?1 ORDER BY category",
                         true, err));
    vd_stmt_bind(s, 1, vd_val_int(set));
    vd_status st = VD_OK;
    while ((st = vd_stmt_step(s, &row, err)) == VD_OK && row) {
        vd_label_category c = { .id = vd_stmt_int(s, 0),
                                .name = vd_stmt_text(s, 1),
                                .parent = vd_stmt_null(s, 2) ? NULL : vd_stmt_text(s, 2),
                                .thing = vd_stmt_null(s, 5)       ? 0
                                         : vd_stmt_int(s, 5) != 0 ? 1
                                                                  : -1 };
        vd_arena_clear(&arena);
        VD_GO(skeleton(&c, &arena, vd_stmt_text(s, 3), vd_stmt_text(s, 4), err));
        VD_GO(walk->category(walk->user, &c, err));
    }
done:
    vd_arena_reset(&arena);
    vd_stmt_free(s);
    return st;
}

/* ---- images and objects ---- */

static const char *text_or_null(const vd_stmt *s, int column) {
    return vd_stmt_null(s, column) ? NULL : vd_stmt_text(s, column);
}

static vd_label_image image_of(const vd_stmt *s) {
    return (vd_label_image){ .id = vd_stmt_int(s, 2),
                             .name = vd_stmt_text(s, 3),
                             .width = (int32_t)vd_stmt_int(s, 4),
                             .height = (int32_t)vd_stmt_int(s, 5),
                             .subset = text_or_null(s, 6),
                             .sequence = text_or_null(s, 7),
                             .frame = vd_stmt_null(s, 8) ? VD_LABEL_NONE : vd_stmt_int(s, 8),
                             .attributes = text_or_null(s, 9) };
}

static vd_label_object object_of(const vd_stmt *s, int32_t image) {
    vd_label_object o = { .has = (uint32_t)vd_stmt_int(s, 2),
                          .image = image,
                          .category =
                              vd_stmt_null(s, 1) ? VD_LABEL_NONE : (int32_t)vd_stmt_int(s, 1),
                          .id = vd_stmt_int(s, 3),
                          .angle = vd_stmt_null(s, 8) ? 0 : vd_stmt_real(s, 8),
                          .area = vd_stmt_null(s, 9) ? 0 : vd_stmt_real(s, 9),
                          .score = vd_stmt_null(s, 10) ? 0 : vd_stmt_real(s, 10),
                          .track = vd_stmt_int(s, 11),
                          .caption = text_or_null(s, 12),
                          .attributes = text_or_null(s, 13) };
    for (int k = 0; k < 4; k++) o.box[k] = vd_stmt_null(s, 4 + k) ? 0 : vd_stmt_real(s, 4 + k);
    return o;
}

static vd_status give_object(vd_stmt *s, int32_t image, const vd_label_walk *walk,
                             vd_shape_buf *buf, vd_err *err) {
    vd_label_object o = object_of(s, image);
    uint32_t shapes = VD_OBJ_POLYGON | VD_OBJ_LINE | VD_OBJ_MASK | VD_OBJ_KEYPOINTS;
    if (walk->shapes && !vd_stmt_null(s, 14)) {
        vd_value v = vd_stmt_value(s, 14);
        VD_TRY(vd_unpack_shape(&o, buf, v.s, v.n, err));
    } else if (!walk->shapes && o.has & VD_OBJ_SHAPES) {
        o.has = (o.has & ~shapes) | VD_OBJ_AREA;
        if (!(o.has & VD_OBJ_ROTATED)) o.has |= VD_OBJ_BOX;
    }
    return walk->object(walk->user, &o, vd_stmt_int(s, 0), err);
}

static vd_status walk_objects(vd_stmt *s, int64_t image_row, int32_t image,
                              const vd_label_walk *walk, vd_shape_buf *buf, vd_err *err) {
    vd_status st = VD_OK;
    bool row = false;
    vd_stmt_bind(s, 1, vd_val_int(image_row));
    while (st == VD_OK && (st = vd_stmt_step(s, &row, err)) == VD_OK && row)
        st = give_object(s, image, walk, buf, err);
    vd_stmt_reset(s);
    return st;
}

/* ---- objects in the order of their rows ---- */

typedef struct image_rows {
    int64_t *row; /* ascending: the i-th is that of image i */
    int64_t n, cap;
} image_rows;

static int32_t image_at(const image_rows *r, int64_t row) {
    int64_t lo = 0, hi = r->n;
    if (r->n > 0 && row - r->row[0] >= 0 && row - r->row[0] < r->n &&
        r->row[row - r->row[0]] == row)
        return (int32_t)(row - r->row[0]); /* as they are written: without a gap */
    while (lo < hi) {
        int64_t mid = lo + (hi - lo) / 2;
        if (r->row[mid] < row)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < r->n && r->row[lo] == row ? (int32_t)lo : VD_LABEL_NONE;
}

/* The objects of a set are written in one go, so they lie together in the table. */
static vd_status objects_in_rows(vd_db *db, const image_rows *images, const vd_label_walk *walk,
                                 vd_shape_buf *buf, vd_err *err) {
    vd_stmt *s = NULL;
    vd_status st = VD_OK;
    bool row = false;
    if (images->n == 0) return VD_OK;
    VD_GO(vd_db_prepare(&s, db,
                        "SELECT id, category, has, source_id, x, y, width, height, angle, area,"
                        " score, track, caption, attributes, shape, image_id FROM label WHERE id"
                        " BETWEEN (SELECT min(id) FROM label WHERE image_id BETWEEN ?1 AND ?2) AND"
                        " (SELECT max(id) FROM label WHERE image_id BETWEEN ?1 AND ?2) ORDER BY id",
                        true, err));
    vd_stmt_bind(s, 1, vd_val_int(images->row[0]));
    vd_stmt_bind(s, 2, vd_val_int(images->row[images->n - 1]));
    while ((st = vd_stmt_step(s, &row, err)) == VD_OK && row) {
        int32_t image = image_at(images, vd_stmt_int(s, 15));
        if (image != VD_LABEL_NONE) VD_GO(give_object(s, image, walk, buf, err));
    }
done:
    vd_stmt_free(s);
    return st;
}

vd_status vd_label_set_walk(vd_db *db, int64_t set, const vd_label_walk *walk, vd_err *err) {
    vd_status st = VD_OK;
    vd_stmt *images = NULL, *objects = NULL;
    vd_shape_buf buf = { 0 };
    image_rows rows = { 0 };
    bool row = false;
    int32_t n = 0;
    VD_GO(walk_categories(db, set, walk, err));
    VD_GO(vd_db_prepare(&images, db,
                        "SELECT id, asset_id, source_id, name, width, height, subset, sequence,"
                        " frame, attributes FROM label_image WHERE set_id = ?1 ORDER BY id",
                        true, err));
    VD_GO(vd_db_prepare(&objects, db,
                        "SELECT id, category, has, source_id, x, y, width, height, angle, area,"
                        " score, track, caption, attributes, shape FROM label"
                        " WHERE image_id = ?1 ORDER BY id",
                        true, err));
    vd_stmt_bind(images, 1, vd_val_int(set));
    while ((st = vd_stmt_step(images, &row, err)) == VD_OK && row) {
        const vd_label_image m = image_of(images);
        bool skip = false;
        if (walk->image != NULL)
            VD_GO(walk->image(walk->user, &m, vd_stmt_int(images, 0), vd_stmt_int(images, 1), &skip,
                              err));
        if (skip) continue;
        if (walk->object != NULL && walk->in_rows) {
            VD_GO(VD_GROW(rows.row, rows.cap, rows.n + 1, err));
            rows.row[rows.n++] = vd_stmt_int(images, 0);
        } else if (walk->object != NULL) {
            VD_GO(walk_objects(objects, vd_stmt_int(images, 0), n, walk, &buf, err));
        }
        n++;
    }
    if (st == VD_OK) st = objects_in_rows(db, &rows, walk, &buf, err);
done:
    vd_mem_free(rows.row);
    vd_stmt_free(objects);
    vd_stmt_free(images);
    vd_shape_buf_reset(&buf);
    return st;
}
