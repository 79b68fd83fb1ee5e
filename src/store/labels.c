/* Writing label sets. SPDX-License-Identifier: Apache-2.0
 *
 * Ids of images and objects follow the last ones of their tables in the order of the source, so an
 * object finds its image by adding. The index over objects by image is dropped before the first set
 * goes in and made when it is there: sorting once is several times faster than inserting. */
#include "store/labels.h"

#include <pthread.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/pool.h"
#include "label/pack.h"

enum { S_CATEGORY, S_IMAGE, S_OBJECT, N_SQL };

static const char *const sql[N_SQL] = {
    [S_CATEGORY] =
        "INSERT INTO label_category(set_id, category, source_id, name, parent, keypoints,"
        " edges, thing) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [S_IMAGE] = "INSERT INTO label_image(id, set_id, asset_id, source_id, name, width, height,"
                " subset, sequence, frame, attributes) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,"
                " ?10, ?11)",
    [S_OBJECT] =
        "INSERT INTO label(id, image_id, category, has, source_id, x, y, width, height,"
        " angle, area, score, track, caption, shape, attributes) VALUES(?1, ?2, ?3, ?4, ?5,"
        " ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
};

struct vd_label_rows {
    vd_db *db;
    vd_stmt *q[N_SQL];
    int64_t set, image0, object0; /* ids before the first */
    int64_t n_categories, n_images, n_objects;
    uint32_t has;
    bool open;
    vd_str shape, text;
    struct label_pipe *pipe; /* while rows are written by a thread of their own, else NULL */
};

static vd_status emit(vd_label_rows *r, int which, const vd_value *v, int n, vd_err *err);

static vd_status run_text(vd_db *db, const char *query, const char *text, vd_err *err) {
    vd_stmt *s = NULL;
    const vd_value v[] = { vd_val_text(text) };
    vd_status st = vd_db_prepare(&s, db, query, true, err);
    if (st == VD_OK) st = vd_stmt_run(s, v, 1, err);
    vd_stmt_free(s);
    return st;
}

static vd_status remove_set(vd_db *db, const char *name, vd_err *err) {
    static const char *const steps[] = {
        ("DELETE FROM label WHERE image_id IN (SELECT i.id FROM label_image i JOIN label_set s"
         " ON s.id = i.set_id WHERE s.name = ?1)"),
        "DELETE FROM label_image WHERE set_id IN (SELECT id FROM label_set WHERE name = ?1)",
        "DELETE FROM label_problem WHERE set_id IN (SELECT id FROM label_set WHERE name = ?1)",
        "DELETE FROM label_category WHERE set_id IN (SELECT id FROM label_set WHERE name = ?1)",
        "DELETE FROM label_set WHERE name = ?1",
    };
    for (int i = 0; i < VD_COUNT(steps); i++) VD_TRY(run_text(db, steps[i], name, err));
    return VD_OK;
}

static vd_status there_is(vd_db *db, const char *name, bool *out, vd_err *err) {
    vd_stmt *s = NULL;
    vd_status st = vd_db_prepare(&s, db, "SELECT 1 FROM label_set WHERE name = ?1", true, err);
    if (st == VD_OK) {
        vd_stmt_bind(s, 1, vd_val_text(name));
        st = vd_stmt_step(s, out, err);
    }
    vd_stmt_free(s);
    return st;
}

static vd_status insert_set(vd_label_rows *r, const char *name, const char *format,
                            const char *source, vd_err *err) {
    vd_stmt *s = NULL;
    VD_TRY(vd_db_int(r->db, "SELECT ifnull(max(id), 0) + 1 FROM label_set", &r->set, err));
    VD_TRY(vd_db_prepare(&s, r->db,
                         "INSERT INTO label_set(id, name, format, source, imported_ns, program)"
                         " VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
                         true, err));
    const vd_value v[] = { vd_val_int(r->set),
                           vd_val_text(name),
                           vd_val_text(format),
                           vd_val_text(source),
                           vd_val_int(vd_time_unix_ns()),
                           vd_val_text("vidimus " VIDIMUS_VERSION) };
    vd_status st = vd_stmt_run(s, v, VD_COUNT(v), err);
    vd_stmt_free(s);
    return st;
}

static vd_status begin(vd_label_rows *r, const char *name, const char *format, const char *source,
                       bool replace, vd_err *err) {
    bool there = false;
    VD_TRY(vd_db_begin(r->db, err));
    r->open = true;
    VD_TRY(there_is(r->db, name, &there, err));
    if (there && !replace)
        return vd_fail(err, VD_E_EXISTS,
                       "labels: there is a label set '%.200s'; see --replace and --name", name);
    if (there) VD_TRY(remove_set(r->db, name, err));
    VD_TRY(insert_set(r, name, format, source, err));
    VD_TRY(vd_db_int(r->db, "SELECT ifnull(max(id), 0) + 1 FROM label_image", &r->image0, err));
    VD_TRY(vd_db_int(r->db, "SELECT ifnull(max(id), 0) + 1 FROM label", &r->object0, err));
    if (r->object0 == 1) VD_TRY(vd_db_exec(r->db, "DROP INDEX IF EXISTS label_of_image", err));
    for (int i = 0; i < N_SQL; i++) VD_TRY(vd_db_prepare(&r->q[i], r->db, sql[i], true, err));
    return VD_OK;
}

vd_status vd_label_rows_begin(vd_label_rows **out, vd_db *db, const char *name, const char *format,
                              const char *source, bool replace, vd_err *err) {
    vd_label_rows *r = vd_mem_array(1, sizeof *r);
    if (r == NULL) return vd_nomem(err);
    r->db = db;
    vd_status st = begin(r, name, format, source, replace, err);
    if (st != VD_OK) {
        vd_label_rows_free(r);
        return st;
    }
    *out = r;
    return VD_OK;
}

void vd_label_rows_free(vd_label_rows *r) {
    if (r == NULL) return;
    for (int i = 0; i < N_SQL; i++) vd_stmt_free(r->q[i]);
    if (r->open) vd_db_rollback(r->db);
    vd_str_reset(&r->shape);
    vd_str_reset(&r->text);
    vd_mem_free(r);
}

/* ---- rows ---- */

static void keypoint_names(vd_str *s, const vd_label_category *c) {
    vd_str_clear(s);
    for (int i = 0; i < c->n_keypoints; i++) {
        vd_str_addc(s, i > 0 ? ',' : '[');
        vd_str_json(s, c->keypoints[i]);
    }
    if (c->n_keypoints > 0) vd_str_addc(s, ']');
}

static void edge_pairs(vd_str *s, const vd_label_category *c) {
    vd_str_clear(s);
    for (int i = 0; i < c->n_edges; i++)
        vd_str_addf(s, "%s[%d,%d]", i > 0 ? "," : "[", c->edges[2 * i], c->edges[2 * i + 1]);
    if (c->n_edges > 0) vd_str_addc(s, ']');
}

static vd_value or_null(bool there, vd_value v) {
    return there ? v : vd_val_null();
}

vd_status vd_label_rows_category(vd_label_rows *r, const vd_label_category *c, vd_err *err) {
    keypoint_names(&r->text, c);
    edge_pairs(&r->shape, c);
    VD_TRY(vd_str_check(&r->text, err));
    VD_TRY(vd_str_check(&r->shape, err));
    const vd_value v[] = { vd_val_int(r->set),
                           vd_val_int(r->n_categories),
                           vd_val_int(c->id),
                           vd_val_text(c->name),
                           vd_val_text(c->parent),
                           vd_val_text(vd_str_text(&r->text)),
                           vd_val_text(vd_str_text(&r->shape)),
                           or_null(c->thing != 0, vd_val_int(c->thing > 0)) };
    VD_TRY(emit(r, S_CATEGORY, v, VD_COUNT(v), err));
    r->n_categories++;
    return VD_OK;
}

vd_status vd_label_rows_image(vd_label_rows *r, const vd_label_image *m, int64_t asset,
                              vd_err *err) {
    const vd_value v[] = { vd_val_int(r->image0 + r->n_images),
                           vd_val_int(r->set),
                           or_null(asset != 0, vd_val_int(asset)),
                           vd_val_int(m->id),
                           vd_val_text(m->name),
                           or_null(m->width > 0, vd_val_int(m->width)),
                           or_null(m->height > 0, vd_val_int(m->height)),
                           vd_val_text(m->subset),
                           vd_val_text(m->sequence),
                           or_null(m->frame != VD_LABEL_NONE, vd_val_int(m->frame)),
                           vd_val_text(m->attributes) };
    VD_TRY(emit(r, S_IMAGE, v, VD_COUNT(v), err));
    r->n_images++;
    return VD_OK;
}

/* Every object with a shape has a box to ask for; `has` says whether it is its own. */
vd_status vd_label_rows_object(vd_label_rows *r, const vd_label_object *o, vd_err *err) {
    double box[4];
    bool turned = o->has & VD_OBJ_ROTATED, any = turned || vd_label_bounds(o, box);
    if (turned) memcpy(box, o->box, sizeof box);
    vd_str_clear(&r->shape);
    vd_pack_shape(&r->shape, o);
    VD_TRY(vd_str_check(&r->shape, err));
    const vd_value v[] = {
        vd_val_int(r->object0 + r->n_objects),
        vd_val_int(r->image0 + o->image),
        or_null(o->category != VD_LABEL_NONE, vd_val_int(o->category)),
        vd_val_int(o->has),
        or_null(o->has & VD_OBJ_ID, vd_val_int(o->id)),
        any ? vd_val_real(box[0]) : vd_val_null(),
        any ? vd_val_real(box[1]) : vd_val_null(),
        any ? vd_val_real(box[2]) : vd_val_null(),
        any ? vd_val_real(box[3]) : vd_val_null(),
        or_null(turned, vd_val_real(o->angle)),
        any ? vd_val_real(o->has & VD_OBJ_AREA ? o->area : vd_label_area(o)) : vd_val_null(),
        or_null(o->has & VD_OBJ_SCORE, vd_val_real(o->score)),
        or_null(o->has & VD_OBJ_TRACK, vd_val_int(o->track)),
        vd_val_text(o->caption),
        or_null(r->shape.size > 0, vd_val_blob(r->shape.data, r->shape.size)),
        vd_val_text(o->attributes),
    };
    VD_TRY(emit(r, S_OBJECT, v, VD_COUNT(v), err));
    r->has |= o->has;
    r->n_objects++;
    return VD_OK;
}

vd_status vd_label_rows_end(vd_label_rows *r, int64_t matched, vd_err *err) {
    vd_stmt *s = NULL;
    VD_TRY(
        vd_db_prepare(&s, r->db,
                      "UPDATE label_set SET has = ?2, images = ?3, matched = ?4, categories = ?5,"
                      " objects = ?6 WHERE id = ?1",
                      true, err));
    const vd_value v[] = { vd_val_int(r->set),          vd_val_int(r->has),
                           vd_val_int(r->n_images),     vd_val_int(matched),
                           vd_val_int(r->n_categories), vd_val_int(r->n_objects) };
    vd_status st = vd_stmt_run(s, v, VD_COUNT(v), err);
    vd_stmt_free(s);
    if (st == VD_OK)
        st = vd_db_exec(r->db,
                        "CREATE INDEX IF NOT EXISTS label_of_image"
                        " ON label(image_id, category)",
                        err);
    if (st == VD_OK) st = vd_db_commit(r->db, err);
    if (st == VD_OK) r->open = false;
    return st;
}

/* ---- written by a thread of their own ----
 *
 * Reading a label file and writing rows take about the same time. Batches of rows go round in a
 * ring: the reader fills one while the writer empties those before it. */

enum { BATCHES = 4, BATCH_ROWS = 1024 };

typedef struct batch {
    struct {
        const vd_value *v;
        int which, n;
    } row[BATCH_ROWS];
    int n;
    vd_arena arena; /* of values, texts and blobs */
} batch;

typedef struct label_pipe {
    vd_label_rows *r;
    vd_status (*fill)(void *user, vd_err *err);
    void *user;
    pthread_mutex_t lock; /* of what follows but the batches */
    pthread_cond_t moved;
    int64_t filled, written; /* batches */
    bool ended, stopped;     /* nothing more comes; nothing more is taken */
    batch *ring;
} label_pipe;

/* The batch that is being filled is complete; waits for room for another one. */
static vd_status hand_over(label_pipe *p, vd_err *err) {
    pthread_mutex_lock(&p->lock);
    p->filled++;
    pthread_cond_broadcast(&p->moved);
    while (p->filled - p->written == BATCHES && !p->stopped) pthread_cond_wait(&p->moved, &p->lock);
    bool stopped = p->stopped;
    pthread_mutex_unlock(&p->lock);
    return stopped ? vd_fail(err, VD_E_CANCEL, "labels: rows are no longer written") : VD_OK;
}

static vd_status copy_values(vd_value **out, vd_arena *a, const vd_value *v, int n, vd_err *err) {
    vd_value *copy = vd_arena_dup(a, v, (size_t)n * sizeof *v);
    if (copy == NULL) return vd_nomem(err);
    for (int i = 0; i < n; i++) {
        if (v[i].type != VD_TEXT && v[i].type != VD_BLOB) continue;
        bool text = v[i].type == VD_TEXT; /* with its NUL */
        if ((copy[i].s = vd_arena_dup(a, v[i].s, (size_t)v[i].n + text)) == NULL)
            return vd_nomem(err);
    }
    *out = copy;
    return VD_OK;
}

static vd_status emit(vd_label_rows *r, int which, const vd_value *v, int n, vd_err *err) {
    label_pipe *p = r->pipe;
    vd_value *copy = NULL;
    if (p == NULL) return vd_stmt_run(r->q[which], v, n, err);
    batch *b = &p->ring[p->filled % BATCHES]; /* the writer does not change `filled` */
    VD_TRY(copy_values(&copy, &b->arena, v, n, err));
    b->row[b->n].v = copy;
    b->row[b->n].which = which;
    b->row[b->n++].n = n;
    return b->n == BATCH_ROWS ? hand_over(p, err) : VD_OK;
}

static vd_status write_batch(label_pipe *p, batch *b, vd_err *err) {
    for (int i = 0; i < b->n; i++)
        VD_TRY(vd_stmt_run(p->r->q[b->row[i].which], b->row[i].v, b->row[i].n, err));
    b->n = 0;
    vd_arena_clear(&b->arena);
    return VD_OK;
}

static vd_status write_batches(label_pipe *p, vd_err *err) {
    vd_status st = VD_OK;
    for (;;) {
        pthread_mutex_lock(&p->lock);
        while (p->written == p->filled && !p->ended) pthread_cond_wait(&p->moved, &p->lock);
        bool more = p->written < p->filled;
        pthread_mutex_unlock(&p->lock);
        if (!more) return VD_OK;
        st = write_batch(p, &p->ring[p->written % BATCHES], err);
        pthread_mutex_lock(&p->lock);
        p->written++;
        p->stopped = st != VD_OK;
        pthread_cond_broadcast(&p->moved);
        pthread_mutex_unlock(&p->lock);
        if (st != VD_OK) return st;
    }
}

static vd_status fill_batches(label_pipe *p, vd_err *err) {
    vd_status st = p->fill(p->user, err);
    pthread_mutex_lock(&p->lock);
    bool rest = p->filled - p->written < BATCHES && p->ring[p->filled % BATCHES].n > 0;
    p->filled += st == VD_OK && rest;
    p->ended = true;
    pthread_cond_broadcast(&p->moved);
    pthread_mutex_unlock(&p->lock);
    return st;
}

/* The writer is the first task, so that its error is told and not that of the reader it stopped. */
static vd_status pipe_task(void *user, int64_t i, int worker, vd_err *err) {
    (void)worker;
    return i == 0 ? write_batches(user, err) : fill_batches(user, err);
}

vd_status vd_label_rows_fill(vd_label_rows *r, vd_status (*fill)(void *user, vd_err *err),
                             void *user, vd_err *err) {
    label_pipe p = { .r = r, .fill = fill, .user = user };
    vd_pool *pool = NULL;
    vd_status st = VD_OK;
    pthread_mutex_init(&p.lock, NULL);
    pthread_cond_init(&p.moved, NULL);
    if ((p.ring = vd_mem_array(BATCHES, sizeof *p.ring)) == NULL) VD_GO(vd_nomem(err));
    if (vd_pool_new(&pool, 2, NULL) != VD_OK) { /* one thread can do it, too */
        st = fill(user, err);
        goto done;
    }
    r->pipe = &p;
    st = vd_pool_for(pool, 2, pipe_task, &p, err);
done:
    r->pipe = NULL;
    vd_pool_free(pool);
    for (int i = 0; p.ring != NULL && i < BATCHES; i++) vd_arena_reset(&p.ring[i].arena);
    vd_mem_free(p.ring);
    pthread_cond_destroy(&p.moved);
    pthread_mutex_destroy(&p.lock);
    return st;
}
