/* Operation groups: duplicates, with the member to keep and why. SPDX-License-Identifier:
 * Apache-2.0 */
#include <string.h>

#include "base/mem.h"
#include "ops/op.h"

static const vd_arg args[] = {
    { .name = "dataset",
      .flags = VD_POSITIONAL | VD_REQUIRED,
      .value = "DATASET",
      .help = "dataset directory" },
    { .name = "kind",
      .type = VD_T_CHOICE,
      .choices = "exact|near|all",
      .def = "all",
      .help = "which groups" },
    { .name = "limit", .type = VD_T_INT, .max = 1e15, .def = "0", .help = "groups; 0: all" },
};

enum { C_KIND, C_GROUP, C_KEEP, C_WHY, C_SIZE, C_DISTANCE, C_MEMBERS, N_COLUMNS };

static const vd_column columns[N_COLUMNS] = {
    [C_KIND] = { "kind", VD_TEXT, "", "exact or near", 0 },
    [C_GROUP] = { "group", VD_INT, "", "as in asset_facts", 0 },
    [C_KEEP] = { "keep", VD_TEXT, "", "the member to keep", 0 },
    [C_WHY] = { "why", VD_TEXT, "", "why it is kept", 0 },
    [C_SIZE] = { "size", VD_INT, "", "members", 0 },
    [C_DISTANCE] = { "distance", VD_INT, "bits", "largest distance of a member to the one kept",
                     0 },
    [C_MEMBERS] = { "members", VD_LIST, "", "all members, the one to keep included", 0 },
};

typedef struct group {
    int64_t id, distance, n, cap;
    const char **members;
    const char *keep, *why;
} group;

static vd_status send(vd_opcall *c, const char *kind, const group *g, vd_err *err) {
    const vd_value row[N_COLUMNS] = {
        [C_KIND] = vd_val_text(kind),
        [C_GROUP] = vd_val_int(g->id),
        [C_KEEP] = vd_val_text(g->keep),
        [C_WHY] = vd_val_text(g->why),
        [C_SIZE] = vd_val_int(g->n),
        [C_DISTANCE] = vd_val_int(g->distance),
        [C_MEMBERS] = { .type = VD_LIST, .list = g->members, .n = g->n },
    };
    return vd_out_row(c, row, err);
}

static vd_status take_member(group *g, vd_arena *arena, const vd_stmt *s, vd_err *err) {
    VD_TRY(VD_GROW(g->members, g->cap, g->n + 1, err));
    const char *uri = vd_arena_text(arena, vd_stmt_text(s, 1));
    if (uri == NULL) return vd_nomem(err);
    g->members[g->n++] = uri;
    if (vd_stmt_int(s, 2) != 0) {
        g->keep = uri;
        if ((g->why = vd_arena_text(arena, vd_stmt_text(s, 3))) == NULL) return vd_nomem(err);
    }
    g->distance = VD_MAX(g->distance, vd_stmt_int(s, 4));
    return VD_OK;
}

static vd_status send_kind(vd_opcall *c, vd_db *db, const char *kind, const char *sql,
                           vd_err *err) {
    vd_status st = VD_OK;
    vd_stmt *s = NULL;
    vd_arena arena = { 0 };
    group g = { .id = -1 };
    int64_t sent = 0, limit = vd_arg_int(c, "limit");
    bool row = true;
    VD_GO(vd_db_prepare(&s, db, sql, true, err));
    while (row && (limit == 0 || sent < limit)) {
        VD_GO(vd_stmt_step(s, &row, err));
        if (!row || vd_stmt_int(s, 0) != g.id) {
            if (g.n > 0) {
                VD_GO(send(c, kind, &g, err));
                sent++;
            }
            vd_arena_clear(&arena);
            g = (group){ .id = row ? vd_stmt_int(s, 0) : -1, .members = g.members, .cap = g.cap };
        }
        if (row) VD_GO(take_member(&g, &arena, s, err));
    }
done:
    vd_stmt_free(s);
    vd_arena_reset(&arena);
    vd_mem_free(g.members);
    return st;
}

static vd_status groups_op(vd_opcall *c, vd_err *err) {
    vd_status st = VD_OK;
    vd_dataset *ds = NULL;
    const char *kind = vd_arg_text(c, "kind");
    VD_GO(vd_op_open(c, VD_DB_READ, &ds, err));
    VD_GO(vd_out_columns(c, NULL, 0, err));
    if (strcmp(kind, "near") != 0)
        VD_GO(send_kind(
            c, vd_dataset_db(ds), "exact",
            "SELECT d.duplicate_group, a.uri, d.duplicate_keep, 'the same bytes: first found', 0"
            " FROM fact_duplicates d"
            " JOIN asset a ON a.id = d.asset_id WHERE d.duplicate_group IS NOT NULL"
            " ORDER BY d.duplicate_group, d.asset_id",
            err));
    if (strcmp(kind, "exact") != 0)
        VD_GO(send_kind(
            c, vd_dataset_db(ds), "near",
            "SELECT d.near_group, a.uri, d.near_keep, d.keep_reason, d.near_distance FROM fact_duplicates d"
            " JOIN asset a ON a.id = d.asset_id WHERE d.near_group IS NOT NULL"
            " ORDER BY d.near_group, d.asset_id",
            err));
done:
    vd_dataset_close(ds);
    return st;
}

const vd_op vd_op_groups = {
    .name = "groups",
    .summary = "duplicates, with the member to keep and why",
    .help =
        "Exact groups have the same bytes. Near groups are stars: every member lies within the PDQ distance of\n"
        "the one kept, which has the highest resolution, then the greatest sharpness, then the least compression.",
    .example = "vidimus groups captures.vidimus --kind near --json",
    .args = args,
    .n_args = VD_COUNT(args),
    .columns = columns,
    .n_columns = N_COLUMNS,
    .run = groups_op,
};
