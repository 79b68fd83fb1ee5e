/* The work list: assets of which some selected asset-scope stage has no fact under its current key.
 * SPDX-License-Identifier: Apache-2.0 */
#include "flow/run.h"

#include "base/mem.h"

enum { PAGE = 20000, FIXED_COLUMNS = 9 };

/* The condition under which stage `i` is pending for asset a. */
static void pending_sql(const vd_run *r, int i, vd_str *sql) {
    if (r->stages[i]->table == NULL)
        vd_str_add(sql, "a.content_hash IS NULL");
    else
        vd_str_addf(sql, "t%d.key IS NOT %lld", i, (long long)r->key[i]);
}

static bool takes_part(const vd_run *r, int i) {
    return r->selected[i] && (r->stages[i]->scope == VD_SCOPE_ASSET || r->stages[i]->table == NULL);
}

static void from_sql(const vd_run *r, vd_str *sql) {
    vd_str_add(sql, " FROM asset a");
    for (int i = 0; i < r->n_stages; i++)
        if (takes_part(r, i) && r->stages[i]->table != NULL)
            vd_str_addf(sql, " LEFT JOIN %s t%d ON t%d.asset_id = a.id", r->stages[i]->table->name,
                        i, i);
    vd_str_add(sql, " WHERE a.id > ?1 AND a.id < 4294967296 AND a.state = 'present' AND (0");
    for (int i = 0; i < r->n_stages; i++) {
        if (!takes_part(r, i)) continue;
        vd_str_add(sql, " OR ");
        pending_sql(r, i, sql);
    }
    vd_str_add(sql, ")");
    if (r->opt->where != NULL)
        vd_str_addf(sql, " AND a.id IN (SELECT id FROM asset_facts WHERE (%s\n))", r->opt->where);
}

vd_status vd_plan_open(vd_plan *p, vd_run *r, vd_err *err) {
    vd_status st = VD_OK;
    vd_str sql = { 0 };
    vd_stmt *count = NULL;
    bool row = false;
    *p = (vd_plan){ .run = r };
    vd_str_add(&sql, "SELECT count(*)");
    from_sql(r, &sql);
    VD_GO(vd_str_check(&sql, err));
    VD_GO(vd_db_prepare(&count, vd_dataset_db(r->ds), sql.data, true, err));
    vd_stmt_bind(count, 1, vd_val_int(0));
    VD_GO(vd_stmt_step(count, &row, err));
    p->total = vd_stmt_int(count, 0);

    vd_str_clear(&sql);
    vd_str_add(&sql,
               "SELECT a.id, a.uri, a.kind, a.container_id, a.byte_offset, a.member_index, a.size,"
               " a.content_hash,"
               " EXISTS(SELECT 1 FROM asset c WHERE c.parent_id = a.id)");
    for (int i = 0; i < r->n_stages; i++) {
        vd_str_add(&sql, ", ");
        if (takes_part(r, i))
            pending_sql(r, i, &sql);
        else
            vd_str_add(&sql, "0");
    }
    from_sql(r, &sql);
    vd_str_addf(&sql, " ORDER BY a.id LIMIT %d", PAGE);
    VD_GO(vd_str_check(&sql, err));
    VD_GO(vd_db_prepare(&p->query, vd_dataset_db(r->ds), sql.data, true, err));
done:
    vd_stmt_free(count);
    vd_str_reset(&sql);
    if (st != VD_OK) vd_plan_close(p);
    return st;
}

static vd_status take_row(vd_plan *p, vd_err *err) {
    const vd_stmt *q = p->query;
    VD_TRY(VD_GROW(p->items, p->cap, p->n + 1, err));
    vd_item it = { .id = vd_stmt_int(q, 0),
                   .uri = vd_arena_text(&p->arena, vd_stmt_text(q, 1)),
                   .kind = vd_arena_text(&p->arena, vd_stmt_text(q, 2)),
                   .container_id = vd_stmt_int(q, 3),
                   .byte_offset = vd_stmt_value(q, 4).type == VD_NULL ? -1 : vd_stmt_int(q, 4),
                   .member_index = vd_stmt_value(q, 5).type == VD_NULL ? -1 : vd_stmt_int(q, 5),
                   .size = vd_stmt_int(q, 6),
                   .hash = vd_arena_text(&p->arena, vd_stmt_text(q, 7)),
                   .has_children = vd_stmt_int(q, 8) != 0 };
    if (it.uri == NULL || it.kind == NULL || it.hash == NULL) return vd_nomem(err);
    for (int i = 0; i < p->run->n_stages; i++)
        if (vd_stmt_int(q, FIXED_COLUMNS + i) != 0) it.pending |= 1u << i;
    p->items[p->n++] = it;
    p->last_id = it.id;
    return VD_OK;
}

vd_status vd_plan_page(vd_plan *p, vd_err *err) {
    bool row = true;
    vd_status st = VD_OK;
    vd_arena_clear(&p->arena);
    p->n = 0;
    vd_stmt_bind(p->query, 1, vd_val_int(p->last_id));
    while (st == VD_OK && row) {
        st = vd_stmt_step(p->query, &row, err);
        if (st == VD_OK && row) st = take_row(p, err);
    }
    vd_stmt_reset(p->query);
    return st;
}

void vd_plan_close(vd_plan *p) {
    vd_stmt_free(p->query);
    vd_arena_reset(&p->arena);
    vd_mem_free(p->items);
    *p = (vd_plan){ 0 };
}
