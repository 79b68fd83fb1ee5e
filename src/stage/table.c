/* The stage table. SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/clock.h"
#include "stage/stages.h"

vd_status vd_summary_counts(vd_run *run, const char *sql, const vd_count_word *words, int n,
                            const char *none, vd_str *out, vd_err *err) {
    vd_stmt *s = NULL;
    vd_status st = vd_db_prepare(&s, vd_dataset_db(run->ds), sql, true, err);
    for (int i = 0; st == VD_OK && i < n; i++) {
        bool row = false;
        vd_stmt_bind(s, 1, vd_val_text(words[i].key));
        st = vd_stmt_step(s, &row, err);
        int64_t count = st == VD_OK ? vd_stmt_int(s, 0) : 0;
        vd_stmt_reset(s);
        if (count == 0) continue;
        if (out->size > 0) vd_str_add(out, ", ");
        vd_str_count(out, count);
        vd_str_addf(out, " %s", count == 1 ? words[i].one : words[i].many);
    }
    vd_stmt_free(s);
    if (out->size == 0) vd_str_add(out, none);
    return st != VD_OK ? st : vd_str_check(out, err);
}

/* ---- add: its outputs are the asset rows themselves ---- */

static vd_status add_summary(vd_run *run, vd_str *out, vd_err *err) {
    static const struct {
        const char *sql, *one, *many;
    } part[] = {
        { "SELECT count(*) FROM asset WHERE state = 'present' AND kind = 'image'", " photo",
          " photos" },
        { "SELECT count(*) FROM asset WHERE state = 'present' AND kind = 'video'", " video",
          " videos" },
        { "SELECT count(*) FROM asset WHERE state = 'present' AND kind = 'frame'", " frame",
          " frames" },
        { "SELECT count(*) FROM asset WHERE state = 'present' AND kind = 'page'", " page",
          " pages" },
        { "SELECT count(*) FROM asset WHERE state = 'present' AND kind = 'archive'", " archive",
          " archives" },
        { "SELECT count(*) FROM asset WHERE state = 'present' AND kind IN ('other', 'audio')",
          " other file", " other files" },
        { "SELECT count(*) FROM asset WHERE state = 'vanished' AND parent_id IS NULL", " vanished",
          " vanished" },
        { "SELECT count(*) FROM note", " note", " notes" },
    };
    for (int i = 0; i < VD_COUNT(part); i++) {
        int64_t n = 0;
        VD_TRY(vd_db_int(vd_dataset_db(run->ds), part[i].sql, &n, err));
        if (n == 0) continue;
        bool frames = i == 2;
        if (out->size > 0) vd_str_add(out, frames ? " (" : ", ");
        vd_str_count(out, n);
        vd_str_add(out, n == 1 ? part[i].one : part[i].many);
        if (frames) vd_str_add(out, ")");
    }
    if (out->size == 0) vd_str_add(out, "nothing found");
    return vd_str_check(out, err);
}

const vd_stage vd_stage_add = {
    .name = "add",
    .help = "finds files, archive members, moves and changes; hashes content",
    .version = 1,
    .scope = VD_SCOPE_SOURCE,
    .inputs = "",
    .all = vd_add_sources,
    .summary = add_summary,
};

const vd_stage *const vd_stages[] = { &vd_stage_add,      &vd_stage_check,
                                      &vd_stage_measure,  &vd_stage_fingerprint,
                                      &vd_stage_features, &vd_stage_duplicates,
                                      &vd_stage_match,    &vd_stage_reconstruct };
const int vd_n_stages = VD_COUNT(vd_stages);

static const vd_table_decl *const tables[] = { &vd_table_check,       &vd_table_measure,
                                               &vd_table_fingerprint, &vd_table_features,
                                               &vd_table_duplicates,  &vd_table_match,
                                               &vd_table_reconstruct };
const vd_schema vd_stage_schema = { tables, VD_COUNT(tables) };

static vd_status run_all_scope(vd_run *run, vd_scope scope, vd_err *err) {
    for (int i = 0; i < run->n_stages; i++) {
        if (!run->selected[i] || run->stages[i]->scope != scope || run->stages[i]->all == NULL)
            continue;
        double t0 = vd_time_mono_s();
        VD_TRY(vd_run_check_cancel(run, err));
        VD_TRY(run->stages[i]->all(run, err));
        run->time[i].seconds += vd_time_mono_s() - t0;
    }
    return VD_OK;
}

static bool any_asset_stage(const vd_run *run) {
    for (int i = 0; i < run->n_stages; i++)
        if (run->selected[i] &&
            (run->stages[i]->scope == VD_SCOPE_ASSET || run->stages[i]->table == NULL))
            return true;
    return false;
}

/* The pass over the assets; the first one over a dataset fills the tables before it indexes them.
 */
static vd_status run_pass(vd_run *run, vd_err *err) {
    vd_db *db = vd_dataset_db(run->ds);
    const vd_schema *schema = vd_dataset_schema(run->ds);
    int64_t filled = 0;
    VD_TRY(vd_db_int(db, "SELECT EXISTS(SELECT 1 FROM fact_check)", &filled, err));
    if (!filled) VD_TRY(vd_schema_unindex(db, schema, err));
    VD_TRY(vd_asset_pass(run, err));
    return filled ? VD_OK : vd_schema_index(db, schema, err);
}

vd_status vd_stages_run(vd_run *run, vd_err *err) {
    for (int i = 0; i < run->n_stages; i++) run->time[i].ran = run->selected[i];
    VD_TRY(run_all_scope(run, VD_SCOPE_SOURCE, err));
    if (any_asset_stage(run)) VD_TRY(run_pass(run, err));
    VD_TRY(vd_adopt_copied(run, err));
    VD_TRY(run_all_scope(run, VD_SCOPE_DATASET, err));
    return run->opt->as_is ? VD_OK : vd_problems_refresh(run, err);
}
