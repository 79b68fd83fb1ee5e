/* One execution: keys, progress, records. A stage's configuration key is a hash over its name,
 * version, parameters and the keys of the stages it reads from, so a change anywhere upstream makes
 * everything downstream stale. Together with the asset's content hash it is the key of a fact.
 * SPDX-License-Identifier: Apache-2.0 */
#include "flow/run.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"

int vd_run_stage_index(const vd_run *r, const char *name) {
    for (int i = 0; i < r->n_stages; i++)
        if (strcmp(r->stages[i]->name, name) == 0) return i;
    return -1;
}

bool vd_run_cancelled(const vd_run *r) {
    return r->on_cancel != NULL && r->on_cancel(r->cancel_user);
}

vd_status vd_run_check_cancel(const vd_run *r, vd_err *err) {
    return vd_run_cancelled(r) ? vd_fail(err, VD_E_CANCEL, "run: stopped; run it again to go on")
                               : VD_OK;
}

void vd_run_progress(vd_run *r, const char *stage, int64_t done, int64_t total, double since,
                     bool finished) {
    if (r->on_progress == NULL) return;
    const vd_progress p = { stage, done, total, vd_time_mono_s() - since, finished };
    r->on_progress(r->progress_user, &p);
}

/* Every name in the list must be a stage. */
static vd_status check_names(const vd_run *r, const char *option, const char *list, vd_err *err) {
    if (list == NULL) return VD_OK;
    for (const char *p = list;; p++) {
        size_t n = strcspn(p, ",");
        bool known = false;
        for (int i = 0; i < r->n_stages; i++)
            known |= strlen(r->stages[i]->name) == n && strncmp(r->stages[i]->name, p, n) == 0;
        if (!known) {
            vd_str names = { 0 };
            for (int i = 0; i < r->n_stages; i++)
                vd_str_addf(&names, "%s%s", i > 0 ? ", " : "", r->stages[i]->name);
            vd_status st = vd_fail(err, VD_E_ARG, "run: --%s: no stage '%.*s'; stages are %s",
                                   option, (int)VD_MIN(n, 60), p, vd_str_text(&names));
            vd_str_reset(&names);
            return st;
        }
        p += n;
        if (*p == '\0') return VD_OK;
    }
}

/* The key of most of a stage's facts; false where it has none. */
static vd_status present_key(vd_run *r, int i, bool *there, vd_err *err) {
    vd_str sql = { 0 };
    vd_stmt *q = NULL;
    vd_status st = VD_OK;
    vd_str_addf(&sql, "SELECT key FROM %s GROUP BY key ORDER BY count(*) DESC, key LIMIT 1",
                r->stages[i]->table->name);
    VD_GO(vd_str_check(&sql, err));
    VD_GO(vd_db_prepare(&q, vd_dataset_db(r->ds), sql.data, true, err));
    VD_GO(vd_stmt_step(q, there, err));
    if (*there) r->key[i] = vd_stmt_int(q, 0);
done:
    vd_stmt_free(q);
    vd_str_reset(&sql);
    return st;
}

static vd_status make_key(vd_run *r, int i, vd_stmt *insert, vd_err *err) {
    const vd_stage *s = r->stages[i];
    bool there = false;
    if (r->opt->as_is && !r->selected[i] && s->table != NULL)
        VD_TRY(present_key(r, i, &there, err));
    if (there) return VD_OK;
    vd_str params = { 0 }, inputs = { 0 }, all = { 0 };
    if (s->params != NULL) s->params(r->opt, &params);
    for (int k = 0; k < i; k++)
        if (vd_str_list_has(s->inputs, r->stages[k]->name))
            vd_str_addf(&inputs, "%s=%016llx;", r->stages[k]->name, (unsigned long long)r->key[k]);
    vd_str_addf(&all, "%s|%d|%s|%s", s->name, s->version, vd_str_text(&params),
                vd_str_text(&inputs));
    vd_status st = vd_str_check(&all, err);
    if (st == VD_OK) {
        r->key[i] = (int64_t)(vd_hash64(all.data, (size_t)all.size) >> 1);
        const vd_value v[] = { vd_val_int(r->key[i]),
                               vd_val_text(s->name),
                               vd_val_int(s->version),
                               { .type = VD_TEXT, .s = vd_str_text(&params), .n = params.size },
                               { .type = VD_TEXT, .s = vd_str_text(&inputs), .n = inputs.size } };
        st = vd_stmt_run(insert, v, 5, err);
    }
    vd_str_reset(&params);
    vd_str_reset(&inputs);
    vd_str_reset(&all);
    return st;
}

static vd_status record_start(vd_run *r, vd_err *err) {
    vd_stmt *s = NULL;
    vd_db *db = vd_dataset_db(r->ds);
    vd_str args = { 0 };
    for (int i = 0; i < r->opt->n_paths; i++)
        vd_str_addf(&args, "%s%s", i > 0 ? " " : "", r->opt->paths[i]);
    vd_status st =
        vd_db_prepare(&s, db, "INSERT INTO run(started_ns, arguments) VALUES(?1, ?2)", true, err);
    if (st == VD_OK) {
        const vd_value v[] = { vd_val_int(vd_time_unix_ns()),
                               { .type = VD_TEXT, .s = vd_str_text(&args), .n = args.size } };
        st = vd_stmt_run(s, v, 2, err);
    }
    if (st == VD_OK) st = vd_db_int(db, "SELECT max(id) FROM run", &r->run_id, err);
    vd_stmt_free(s);
    vd_str_reset(&args);
    return st;
}

vd_status vd_run_begin(vd_run *r, vd_err *err) {
    vd_status st = VD_OK;
    vd_stmt *insert = NULL;
    vd_db *db = vd_dataset_db(r->ds);
    const vd_schema *schema = vd_dataset_schema(r->ds);
    VD_GO(check_names(r, "only", r->opt->only, err));
    VD_GO(check_names(r, "skip", r->opt->skip, err));
    VD_GO(vd_db_begin(db, err));
    VD_GO(vd_db_prepare(&insert, db,
                        "INSERT OR IGNORE INTO stage_config(key, stage, version, params,"
                        " inputs) VALUES(?1, ?2, ?3, ?4, ?5)",
                        true, err));
    for (int i = 0; i < r->n_stages; i++) {
        const vd_stage *s = r->stages[i];
        r->selected[i] = (r->opt->only == NULL || vd_str_list_has(r->opt->only, s->name)) &&
                         (r->opt->skip == NULL || !vd_str_list_has(r->opt->skip, s->name));
        r->table[i] = -1;
        for (int k = 0; k < schema->n_tables; k++)
            if (schema->tables[k] == s->table) r->table[i] = k;
        VD_GO(make_key(r, i, insert, err));
    }
    VD_GO(record_start(r, err));
    VD_GO(vd_db_commit(db, err));
done:
    vd_stmt_free(insert);
    if (st != VD_OK) vd_db_rollback(db);
    return st;
}

static vd_status record_stage(vd_run *r, int i, vd_stmt *s, vd_err *err) {
    const vd_stage_time *t = &r->time[i];
    vd_str text = { 0 };
    vd_status st = VD_OK;
    if (r->stages[i]->summary != NULL) VD_GO(r->stages[i]->summary(r, &text, err));
    const vd_value v[] = {
        vd_val_int(r->run_id),          vd_val_text(r->stages[i]->name), vd_val_int(t->done),
        vd_val_int(t->total),           vd_val_int(t->failed),           vd_val_real(t->seconds),
        vd_val_text(vd_str_text(&text))
    };
    st = vd_stmt_run(s, v, 7, err);
done:
    vd_str_reset(&text);
    return st;
}

vd_status vd_run_end(vd_run *r, const char *outcome, vd_err *err) {
    vd_status st = VD_OK;
    vd_stmt *finish = NULL, *stage = NULL;
    vd_db *db = vd_dataset_db(r->ds);
    VD_GO(vd_db_begin(db, err));
    VD_GO(vd_db_prepare(&stage, db,
                        "INSERT OR REPLACE INTO run_stage(run_id, stage, done, total, failed,"
                        " seconds, summary) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                        true, err));
    for (int i = 0; i < r->n_stages; i++)
        if (r->time[i].ran) VD_GO(record_stage(r, i, stage, err));
    VD_GO(vd_db_prepare(&finish, db, "UPDATE run SET finished_ns = ?2, outcome = ?3 WHERE id = ?1",
                        true, err));
    const vd_value v[] = { vd_val_int(r->run_id), vd_val_int(vd_time_unix_ns()),
                           vd_val_text(outcome) };
    VD_GO(vd_stmt_run(finish, v, 3, err));
    VD_GO(vd_db_commit(db, err));
done:
    vd_stmt_free(finish);
    vd_stmt_free(stage);
    if (st != VD_OK) vd_db_rollback(db);
    return st;
}

vd_status vd_run_state_get(vd_run *r, const char *name, vd_str *out, vd_err *err) {
    vd_stmt *s = NULL;
    bool row = false;
    VD_TRY(vd_db_prepare(&s, vd_dataset_db(r->ds),
                         "SELECT value FROM dataset_state WHERE name = ?1", true, err));
    vd_stmt_bind(s, 1, vd_val_text(name));
    vd_status st = vd_stmt_step(s, &row, err);
    if (st == VD_OK && row) vd_str_add(out, vd_stmt_text(s, 0));
    vd_stmt_free(s);
    return st != VD_OK ? st : vd_str_check(out, err);
}

vd_status vd_run_state_set(vd_run *r, const char *name, const char *value, vd_err *err) {
    vd_stmt *s = NULL;
    VD_TRY(vd_db_prepare(&s, vd_dataset_db(r->ds),
                         "INSERT OR REPLACE INTO dataset_state(name, value) VALUES(?1, ?2)", true,
                         err));
    const vd_value v[] = { vd_val_text(name),
                           { .type = VD_TEXT, .s = value, .n = (int64_t)strlen(value) } };
    vd_status st = vd_stmt_run(s, v, 2, err);
    vd_stmt_free(s);
    return st;
}
