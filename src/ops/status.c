/* Operation status: what is in a dataset, what is stale, the last runs. SPDX-License-Identifier:
 * Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ops/op.h"
#include "stage/stages.h"

static const vd_arg args[] = {
    { .name = "dataset",
      .flags = VD_POSITIONAL | VD_REQUIRED,
      .value = "DATASET",
      .help = "dataset directory" },
    { .name = "runs",
      .type = VD_T_INT,
      .max = 1e6,
      .def = "5",
      .help = "how many of the last runs" },
};

static const vd_column columns[] = {
    { "section", VD_TEXT, "", "assets, verdicts, stages, sources, notes, runs", 0 },
    { "name", VD_TEXT, "", "what is told", 0 },
    { "value", VD_TEXT, "", "count or text", 0 },
    { "detail", VD_TEXT, "", "more about it", 0 },
};

/* Rows of a statement that gives name, value and detail. */
static vd_status rows(vd_opcall *c, vd_db *db, const char *section, const char *sql,
                      const vd_value *bound, int n, vd_err *err) {
    vd_stmt *s = NULL;
    bool row = true;
    vd_status st = vd_db_prepare(&s, db, sql, true, err);
    for (int i = 0; st == VD_OK && i < n; i++) vd_stmt_bind(s, i + 1, bound[i]);
    while (st == VD_OK && row) {
        st = vd_stmt_step(s, &row, err);
        if (st != VD_OK || !row) break;
        const vd_value v[] = { vd_val_text(section), vd_stmt_value(s, 0), vd_stmt_value(s, 1),
                               vd_stmt_value(s, 2) };
        st = vd_out_row(c, v, err);
    }
    vd_stmt_free(s);
    return st;
}

/* ---- assets: one walk, for GROUP BY would sort a million rows to find three groups ---- */

typedef struct group {
    const char *kind, *state; /* in the call's arena */
    int64_t n, bytes, files, hashed;
} group;

typedef struct groups {
    group *list;
    int64_t n, cap, last;
} groups;

static bool is_group(const group *g, const char *kind, const char *state) {
    return strcmp(g->kind, kind) == 0 && strcmp(g->state, state) == 0;
}

/* Assets come in runs of one kind, so the group of the one before is tried first. */
static vd_status group_of(groups *g, vd_arena *arena, const char *kind, const char *state,
                          vd_err *err) {
    if (g->n > 0 && is_group(&g->list[g->last], kind, state)) return VD_OK;
    for (g->last = 0; g->last < g->n; g->last++)
        if (is_group(&g->list[g->last], kind, state)) return VD_OK;
    VD_TRY(VD_GROW(g->list, g->cap, g->n + 1, err));
    group fresh = { .kind = vd_arena_text(arena, kind), .state = vd_arena_text(arena, state) };
    if (fresh.kind == NULL || fresh.state == NULL) return vd_nomem(err);
    g->list[g->n++] = fresh;
    return VD_OK;
}

static int by_state_and_kind(const void *a, const void *b) {
    const group *x = a, *y = b;
    int by_state = strcmp(x->state, y->state);
    return by_state != 0 ? by_state : strcmp(x->kind, y->kind);
}

static vd_status walk_assets(groups *g, vd_opcall *c, vd_db *db, vd_err *err) {
    vd_status st = VD_OK;
    vd_stmt *s = NULL;
    bool row = true;
    VD_GO(vd_db_prepare(&s, db,
                        "SELECT kind, state, size, parent_id IS NULL,"
                        " parent_id IS NULL AND content_hash IS NOT NULL FROM asset",
                        true, err));
    for (;;) {
        VD_GO(vd_stmt_step(s, &row, err));
        if (!row) break;
        VD_GO(group_of(g, &c->arena, vd_stmt_text(s, 0), vd_stmt_text(s, 1), err));
        group *to = &g->list[g->last];
        to->n++;
        to->bytes += vd_stmt_int(s, 2);
        to->files += vd_stmt_int(s, 3);
        to->hashed += vd_stmt_int(s, 4);
    }
    if (g->n > 0) qsort(g->list, (size_t)g->n, sizeof *g->list, by_state_and_kind);
done:
    vd_stmt_free(s);
    return st;
}

static vd_status asset_rows(vd_opcall *c, vd_db *db, const groups *g, vd_err *err) {
    for (int64_t i = 0; i < g->n; i++) {
        const group *x = &g->list[i];
        const vd_value v[] = { vd_val_text(x->kind), vd_val_text(x->state), vd_val_int(x->n),
                               vd_val_int(x->bytes) };
        VD_TRY(rows(c, db, "assets",
                    "SELECT ?1 || CASE ?2 WHEN 'present' THEN '' ELSE ' (' || ?2 || ')' END, ?3,"
                    " CASE WHEN ?4 > 0 THEN printf('%,d bytes', ?4) END",
                    v, VD_COUNT(v), err));
    }
    return VD_OK;
}

/* ---- stages ---- */

/* Present assets, those of them that are files, and the files whose bytes are known. */
typedef struct present {
    int64_t n, files, hashed;
} present;

static present count_present(const groups *g) {
    present p = { 0 };
    for (int64_t i = 0; i < g->n; i++) {
        if (strcmp(g->list[i].state, "present") != 0) continue;
        p.n += g->list[i].n;
        p.files += g->list[i].files;
        p.hashed += g->list[i].hashed;
    }
    return p;
}

/* How many present assets have a fact under a current key. Nearly all have one, so the others are
 * counted: distinct keys are found by jumping through the index over them, and only rows under
 * stale ones are looked at. Facts without an asset do not exist. */
static vd_status count_done(int64_t *done, vd_db *db, const vd_stage *s, vd_err *err) {
    vd_str sql = { 0 };
    const char *t = s->table->name;
    vd_str_addf(&sql,
                "WITH RECURSIVE known(v) AS (SELECT min(key) FROM %s UNION ALL SELECT"
                " (SELECT min(key) FROM %s WHERE key > v) FROM known WHERE v IS NOT NULL),"
                " current(v) AS (SELECT key FROM stage_config WHERE stage = '%s' AND version = %d),"
                " stale(v) AS (SELECT v FROM known WHERE v IS NOT NULL AND v NOT IN current)",
                t, t, s->name, s->version);
    vd_str_addf(&sql,
                " SELECT (SELECT count(*) FROM %s)"
                " - coalesce((SELECT sum((SELECT count(*) FROM %s WHERE key = v)) FROM stale), 0)"
                " - (SELECT count(*) FROM asset a CROSS JOIN %s t ON t.asset_id = a.id WHERE"
                " a.state <> 'present' AND t.key IN current)",
                t, t, t);
    vd_status st = vd_str_check(&sql, err);
    if (st == VD_OK) st = vd_db_int(db, sql.data, done, err);
    vd_str_reset(&sql);
    return st;
}

/* Under default options: how many assets a stage would take. */
static vd_status stage_row(vd_opcall *c, vd_db *db, const vd_stage *s, const present *p,
                           vd_err *err) {
    int64_t done = p->hashed, all = p->files;
    if (s->scope == VD_SCOPE_DATASET) return VD_OK;
    if (s->table != NULL) {
        all = p->n;
        VD_TRY(count_done(&done, db, s, err));
    }
    const vd_value v[] = { vd_val_text(s->name), vd_val_int(done),
                           vd_val_text(s->table != NULL ? "done" : "current"),
                           vd_val_int(all - done) };
    return rows(c, db, "stages",
                "SELECT ?1, ?2 || ' ' || ?3, CASE WHEN ?4 > 0 THEN ?4 || ' new or stale' END", v,
                VD_COUNT(v), err);
}

/* Of all files that were checked, less those that are gone: the former are counted in the index. */
static const char VERDICTS[] =
    "SELECT verdict, sum(n), NULL FROM (SELECT verdict, count(*) AS n FROM fact_check WHERE verdict"
    " IS NOT NULL GROUP BY 1 UNION ALL SELECT c.verdict, -count(*) FROM asset a CROSS JOIN"
    " fact_check c ON c.asset_id = a.id WHERE a.state <> 'present' AND c.verdict IS NOT NULL"
    " GROUP BY 1) GROUP BY 1 HAVING sum(n) > 0 ORDER BY 2 DESC, 1";

static const char RUNS[] =
    "SELECT 'run ' || r.id || ' ' || strftime('%Y-%m-%d %H:%M:%S', r.started_ns / 1000000000,"
    " 'unixepoch'), coalesce(r.outcome, 'killed or running'), coalesce((SELECT group_concat(stage || ' ' ||"
    " done || ' in ' || printf('%.2f', seconds) || ' s', ', ') FROM run_stage s WHERE s.run_id = r.id),"
    " '') FROM run r ORDER BY r.id DESC LIMIT ?1";

static vd_status status_op(vd_opcall *c, vd_err *err) {
    vd_status st = VD_OK;
    vd_dataset *ds = NULL;
    vd_db *db = NULL;
    groups g = { 0 };
    VD_GO(vd_op_open(c, VD_DB_READ, &ds, err));
    db = vd_dataset_db(ds);
    /* one moment of the catalog, so that counts of different tables go together */
    VD_GO(vd_db_exec(db, "BEGIN", err));
    VD_GO(vd_out_columns(c, NULL, 0, err));
    const vd_value dir[] = { vd_val_text("dataset"), vd_val_text("directory"),
                             vd_val_text(vd_dataset_dir(ds)), vd_val_null() };
    VD_GO(vd_out_row(c, dir, err));
    VD_GO(
        rows(c, db, "sources", "SELECT path, NULL, NULL FROM source ORDER BY path", NULL, 0, err));
    VD_GO(walk_assets(&g, c, db, err));
    VD_GO(asset_rows(c, db, &g, err));
    VD_GO(rows(c, db, "verdicts", VERDICTS, NULL, 0, err));
    const present there = count_present(&g);
    for (int i = 0; i < vd_n_stages; i++) VD_GO(stage_row(c, db, vd_stages[i], &there, err));
    VD_GO(rows(c, db, "problems",
               "SELECT kind, count(*), NULL FROM problem GROUP BY 1 ORDER BY 2 DESC, 1", NULL, 0,
               err));
    VD_GO(rows(c, db, "notes", "SELECT path, reason, NULL FROM note ORDER BY path LIMIT 100", NULL,
               0, err));
    const vd_value limit = vd_val_int(vd_arg_int(c, "runs"));
    VD_GO(rows(c, db, "runs", RUNS, &limit, 1, err));
done:
    vd_db_rollback(db); /* nothing was written */
    vd_dataset_close(ds);
    vd_mem_free(g.list);
    return st;
}

const vd_op vd_op_status = {
    .name = "status",
    .summary = "what is in a dataset, what is stale, the last runs with timings",
    .help = "",
    .example = "vidimus status captures.vidimus",
    .args = args,
    .n_args = VD_COUNT(args),
    .columns = columns,
    .n_columns = VD_COUNT(columns),
    .flags = VD_OP_LINES,
    .run = status_op,
};
