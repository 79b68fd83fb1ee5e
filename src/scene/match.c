/* Stage match: pairs of pictures are compared by their features and verified by geometry.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Pairs are worked on tile by tile, so that the features of two blocks of pictures are in memory
 * at a time. A pair's result depends on its two pictures and the configuration only; what is in the
 * catalog under the same key is not done again, so a run that was stopped goes on where it was. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "stage/features.h"
#include "scene/pair_compare.h"

enum { C_TRIED, C_VERIFIED, C_BEST, N_COLUMNS };

static const vd_column columns[N_COLUMNS] = {
    [C_TRIED] = { "pairs_tried", VD_INT, "", "pictures this one was compared with", 0 },
    [C_VERIFIED] = { "overlaps", VD_INT, "", "pictures it shares verified geometry with", 0 },
    [C_BEST] = { "best_overlap", VD_INT, "", "most inlier matches with one of them", 0 },
};

const vd_table_decl vd_table_match = { "fact_match", columns, N_COLUMNS };

enum { BLOCK = 64 }; /* pictures whose features are in memory together, twice */

typedef struct stage {
    vd_run *run;
    vd_db *db;
    int index; /* in the stage table */
    vd_view_set views;
    vd_pair_list pairs;    /* still to be done */
    int64_t total;         /* with those that the catalog has */
    vd_features *features; /* of each view, while its block is in memory */
    vd_pair_work *workers;
    vd_pair_result *results; /* of the tile at hand */
    int64_t first;           /* its first pair */
    double started;
} stage;

static int64_t pair_key(const stage *s, const vd_view *a, const vd_view *b) {
    uint64_t h = vd_mix64((uint64_t)s->run->key[s->index] ^ a->content);
    return (int64_t)(vd_mix64(h ^ b->content) >> 1);
}

static vd_status do_pair(void *user, int64_t i, int index, vd_err *err) {
    stage *s = user;
    const vd_pair *p = &s->pairs.pairs[s->first + i];
    VD_TRY(vd_run_check_cancel(s->run, err));
    return vd_pair_compare(&s->results[i], &s->views, p, &s->features[p->a], &s->features[p->b],
                           &s->workers[index], err);
}

/* ---- a tile ---- */

static int32_t tile_of(const vd_pair *p) {
    return p->a / BLOCK;
}

static vd_status load_block(stage *s, int32_t block, vd_err *err) {
    int64_t end = VD_MIN((int64_t)(block + 1) * BLOCK, s->views.n);
    for (int64_t i = (int64_t)block * BLOCK; i < end; i++)
        if (s->features[i].kp == NULL && s->views.views[i].features > 0)
            VD_TRY(vd_features_load(&s->features[i], s->run->ds, s->views.views[i].id, err));
    return VD_OK;
}

static void unload_block(stage *s, int32_t block) {
    int64_t end = VD_MIN((int64_t)(block + 1) * BLOCK, s->views.n);
    for (int64_t i = (int64_t)block * BLOCK; i < end; i++) vd_features_reset(&s->features[i]);
}

static vd_status write_tile(stage *s, int64_t n, vd_err *err) {
    vd_stmt *insert = NULL;
    vd_status st = VD_OK;
    VD_GO(vd_db_begin(s->db, err));
    VD_GO(vd_pair_insert(&insert, s->db, err));
    for (int64_t i = 0; i < n; i++) {
        const vd_pair *p = &s->pairs.pairs[s->first + i];
        const vd_view *a = &s->views.views[p->a], *b = &s->views.views[p->b];
        const vd_pair_result *r = &s->results[i];
        const vd_pair_row row = { .a = a->id,
                                  .b = b->id,
                                  .key = pair_key(s, a, b),
                                  .matches = r->matches,
                                  .geometry = r->geometry,
                                  .inliers = r->inliers,
                                  .n_inliers = r->n_inliers };
        VD_GO(vd_pair_write(insert, &row, err));
    }
    VD_GO(vd_db_commit(s->db, err));
done:
    vd_stmt_free(insert);
    if (st != VD_OK) vd_db_rollback(s->db);
    return st;
}

/* Pairs [first, first + n) lie in two blocks; what was computed is written even when stopped. */
static vd_status run_tile(stage *s, int64_t first, int64_t n, vd_err *err) {
    vd_status st = VD_OK;
    s->first = first;
    s->results = vd_mem_array((size_t)n, sizeof *s->results);
    if (s->results == NULL) return vd_nomem(err);
    st = vd_pool_for(s->run->pool, n, do_pair, s, err);
    if (st == VD_OK) st = write_tile(s, n, err);
    for (int64_t i = 0; i < n; i++) vd_mem_free(s->results[i].inliers);
    vd_mem_free(s->results);
    s->results = NULL;
    vd_run_progress(s->run, "match", s->total - s->pairs.n + first + n, s->total, s->started,
                    first + n == s->pairs.n);
    return st;
}

static int by_tile(const void *x, const void *y) {
    const vd_pair *p = x, *q = y;
    int32_t d[4] = { p->a / BLOCK - q->a / BLOCK, p->b / BLOCK - q->b / BLOCK, p->a - q->a,
                     p->b - q->b };
    for (int i = 0; i < 4; i++)
        if (d[i] != 0) return d[i];
    return 0;
}

static vd_status run_pairs(stage *s, vd_err *err) {
    enum { MOST = 256 }; /* pairs between two commits */
    int32_t row = -1, column = -1;
    if (s->pairs.n > 1) qsort(s->pairs.pairs, (size_t)s->pairs.n, sizeof(vd_pair), by_tile);
    for (int64_t first = 0, n; first < s->pairs.n; first += n) {
        const vd_pair *p = &s->pairs.pairs[first];
        int32_t r = tile_of(p), c = p->b / BLOCK;
        for (n = 1; first + n < s->pairs.n && n < MOST; n++)
            if (tile_of(p + n) != r || p[n].b / BLOCK != c) break;
        if (column >= 0 && column != c && column != r) unload_block(s, column);
        if (row >= 0 && row != r && row != c) unload_block(s, row);
        row = r;
        column = c;
        VD_TRY(load_block(s, r, err));
        VD_TRY(load_block(s, c, err));
        VD_TRY(run_tile(s, first, n, err));
    }
    return VD_OK;
}

/* ---- the catalog ---- */

/* Leaves the pairs that the catalog does not have under the current key. */
static vd_status drop_known(stage *s, vd_err *err) {
    vd_stmt *get = NULL;
    vd_status st = VD_OK;
    int64_t n = 0;
    bool row = false;
    VD_GO(vd_db_prepare(&get, s->db, "SELECT key FROM pair WHERE a = ?1 AND b = ?2", true, err));
    for (int64_t i = 0; i < s->pairs.n; i++) {
        const vd_pair p = s->pairs.pairs[i];
        const vd_view *a = &s->views.views[p.a], *b = &s->views.views[p.b];
        vd_stmt_bind(get, 1, vd_val_int(a->id));
        vd_stmt_bind(get, 2, vd_val_int(b->id));
        VD_GO(vd_stmt_step(get, &row, err));
        if (!row || vd_stmt_int(get, 0) != pair_key(s, a, b)) s->pairs.pairs[n++] = p;
        vd_stmt_reset(get);
    }
    s->pairs.n = n;
done:
    vd_stmt_free(get);
    return st;
}

/* Deletes the catalog's pairs that are not wanted. */
static vd_status delete_others(stage *s, const vd_pair_list *wanted, vd_err *err) {
    vd_stmt *put = NULL;
    vd_status st = VD_OK;
    VD_GO(vd_db_begin(s->db, err));
    VD_GO(vd_db_exec(s->db,
                     "CREATE TEMP TABLE IF NOT EXISTS wanted_pair(a INTEGER, b INTEGER,"
                     " PRIMARY KEY(a, b)) WITHOUT ROWID; DELETE FROM temp.wanted_pair",
                     err));
    VD_GO(vd_db_prepare(&put, s->db, "INSERT INTO temp.wanted_pair VALUES(?1, ?2)", true, err));
    for (int64_t i = 0; i < wanted->n; i++) {
        const vd_value v[] = { vd_val_int(s->views.views[wanted->pairs[i].a].id),
                               vd_val_int(s->views.views[wanted->pairs[i].b].id) };
        VD_GO(vd_stmt_run(put, v, 2, err));
    }
    VD_GO(vd_db_exec(s->db,
                     "DELETE FROM pair WHERE NOT EXISTS(SELECT 1 FROM temp.wanted_pair w"
                     " WHERE w.a = pair.a AND w.b = pair.b)",
                     err));
    VD_GO(vd_db_commit(s->db, err));
done:
    vd_stmt_free(put);
    if (st != VD_OK) vd_db_rollback(s->db);
    return st;
}

typedef struct tally {
    int64_t tried, verified, best;
} tally;

static void count_side(tally *t, int64_t inliers) {
    t->tried++;
    t->verified += inliers > 0;
    t->best = VD_MAX(t->best, inliers);
}

static vd_status write_facts(stage *s, const char *state, vd_err *err) {
    vd_status st = VD_OK;
    vd_stmt *q = NULL;
    vd_writer *w = NULL;
    bool row = true;
    tally *t = vd_mem_array((size_t)s->views.n, sizeof *t);
    if (t == NULL) return vd_nomem(err);
    VD_GO(vd_db_prepare(&q, s->db, "SELECT a, b, inliers FROM pair ORDER BY a, b", true, err));
    while (row) {
        VD_GO(vd_stmt_step(q, &row, err));
        int64_t a = row ? vd_views_find(&s->views, vd_stmt_int(q, 0)) : -1;
        int64_t b = row ? vd_views_find(&s->views, vd_stmt_int(q, 1)) : -1;
        if (a < 0 || b < 0) continue;
        count_side(&t[a], vd_stmt_int(q, 2));
        count_side(&t[b], vd_stmt_int(q, 2));
    }
    VD_GO(vd_db_begin(s->db, err));
    VD_GO(vd_db_exec(s->db, "DELETE FROM fact_match", err));
    VD_GO(vd_writer_new(&w, s->run->ds, err));
    for (int64_t i = 0; i < s->views.n; i++) {
        vd_value out[N_COLUMNS] = { vd_val_int(t[i].tried), vd_val_int(t[i].verified),
                                    t[i].best > 0 ? vd_val_int(t[i].best) : vd_val_null() };
        VD_GO(vd_writer_fact(w, s->run->table[s->index], s->views.views[i].id,
                             s->run->key[s->index], out, err));
    }
    VD_GO(vd_run_state_set(s->run, "match_key", state, err));
    VD_GO(vd_db_commit(s->db, err));
done:
    if (st != VD_OK) vd_db_rollback(s->db);
    vd_writer_free(w);
    vd_stmt_free(q);
    vd_mem_free(t);
    return st;
}

/* ---- the stage ---- */

static void state_of(const stage *s, char text[32]) {
    uint64_t h = (uint64_t)s->run->key[s->index];
    for (int64_t i = 0; i < s->views.n; i++) {
        h = vd_mix64(h ^ (uint64_t)s->views.views[i].id);
        h = vd_mix64(h ^ s->views.views[i].content);
    }
    snprintf(text, 32, "%llx", (unsigned long long)h);
}

static vd_status make_workers(stage *s, vd_err *err) {
    int n = vd_pool_jobs(s->run->pool);
    s->workers = vd_mem_array((size_t)n, sizeof *s->workers);
    s->features = vd_mem_array((size_t)VD_MAX(s->views.n, 1), sizeof *s->features);
    if (s->workers == NULL || s->features == NULL) return vd_nomem(err);
    for (int i = 0; i < n; i++) VD_TRY(vd_pair_work_init(&s->workers[i], err));
    return VD_OK;
}

static void reset(stage *s) {
    for (int i = 0; s->workers != NULL && i < vd_pool_jobs(s->run->pool); i++)
        vd_pair_work_reset(&s->workers[i]);
    for (int64_t i = 0; s->features != NULL && i < s->views.n; i++)
        vd_features_reset(&s->features[i]);
    vd_mem_free(s->workers);
    vd_mem_free(s->features);
    vd_pair_list_reset(&s->pairs);
    vd_views_reset(&s->views);
}

static vd_status run_match(vd_run *run, vd_err *err) {
    vd_status st = VD_OK;
    vd_str old = { 0 };
    char state[32];
    stage s = { .run = run,
                .db = vd_dataset_db(run->ds),
                .index = vd_run_stage_index(run, "match"),
                .started = vd_time_mono_s() };
    VD_GO(vd_views_load(&s.views, run, err));
    state_of(&s, state);
    VD_GO(vd_run_state_get(run, "match_key", &old, err));
    if (strcmp(vd_str_text(&old), state) == 0) goto done;
    VD_GO(vd_pairs_choose(&s.pairs, run, &s.views, err));
    s.total = s.pairs.n;
    VD_GO(delete_others(&s, &s.pairs, err));
    VD_GO(drop_known(&s, err));
    VD_GO(make_workers(&s, err));
    run->time[s.index].done = s.pairs.n;
    run->time[s.index].total = s.total;
    VD_GO(run_pairs(&s, err));
    if (s.views.n > VD_EXHAUSTIVE &&
        !run->opt->exhaustive) { /* pairs that the first ones suggest */
        vd_pair_list_reset(&s.pairs);
        VD_GO(vd_pairs_expand(&s.pairs, s.db, &s.views, err));
        s.total = s.pairs.n;
        run->time[s.index].done += s.pairs.n;
        VD_GO(run_pairs(&s, err));
    }
    VD_GO(write_facts(&s, state, err));
done:
    vd_str_reset(&old);
    reset(&s);
    return st;
}

static void params(const vd_run_opt *opt, vd_str *out) {
    vd_pair_compare_params(out);
    if (opt->camera != NULL) vd_str_addf(out, "camera=%s;", opt->camera);
    if (opt->cameras != NULL) vd_str_addf(out, "cameras=%s;", opt->cameras_hash);
    vd_str_addf(out, "model=%s;", opt->camera_model);
    if (opt->exhaustive) vd_str_add(out, "pairs=all;");
}

static vd_status summary(vd_run *run, vd_str *out, vd_err *err) {
    int64_t all = 0, good = 0;
    vd_db *db = vd_dataset_db(run->ds);
    VD_TRY(vd_db_int(db, "SELECT count(*) FROM pair", &all, err));
    VD_TRY(vd_db_int(db, "SELECT count(*) FROM pair WHERE inliers > 0", &good, err));
    vd_str_count(out, good);
    vd_str_add(out, " of ");
    vd_str_count(out, all);
    vd_str_add(out, " pairs overlap");
    return vd_str_check(out, err);
}

const vd_stage vd_stage_match = {
    .name = "match",
    .help = "pairs of pictures with common points, verified by geometry",
    .version = 2,
    .scope = VD_SCOPE_DATASET,
    .inputs = "add,features",
    .table = &vd_table_match,
    .params = params,
    .all = run_match,
    .summary = summary,
};
