/* The report's data. Most of it are queries whose rows become JSON objects as they are, columns
 * giving the names; what is said twice (thumbnails) is written once, by asset. Everything is read
 * in one transaction, so that a run beside it cannot make the figures disagree.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "report/data.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/path.h"
#include "report/parts.h"
#include "stage/problems.h"

enum { MAX_RUNS = 10, MAX_LIST = 30 };

/* ---- rows to JSON ---- */

static void value_json(vd_str *out, const vd_value *v) {
    if (v->type == VD_INT)
        vd_str_addf(out, "%lld", (long long)v->i);
    else if (v->type == VD_REAL)
        vd_str_json_num(out, v->f);
    else if (v->type == VD_TEXT)
        vd_str_json(out, v->s);
    else
        vd_str_add(out, "null");
}

void vd_report_row(vd_str *out, const vd_stmt *s) {
    vd_str_addc(out, '{');
    for (int i = 0; i < vd_stmt_columns(s); i++) {
        vd_value v = vd_stmt_value(s, i);
        if (i > 0) vd_str_add(out, ", ");
        vd_str_json(out, vd_stmt_name(s, i));
        vd_str_add(out, ": ");
        value_json(out, &v);
    }
    vd_str_addc(out, '}');
}

vd_status vd_report_want(vd_report *r, int64_t id, vd_err *err) {
    VD_TRY(VD_GROW(r->shown, r->cap_shown, r->n_shown + 1, err));
    r->shown[r->n_shown++] = id;
    return VD_OK;
}

static vd_status rows(vd_report *r, const char *name, const char *sql, const vd_value *bound, int n,
                      bool pictures, vd_err *err) {
    vd_stmt *s = NULL;
    bool row = true, first = true;
    vd_status st = vd_db_prepare(&s, r->db, sql, true, err);
    for (int i = 0; st == VD_OK && i < n; i++) vd_stmt_bind(s, i + 1, bound[i]);
    vd_str_addf(r->out, ",\n\"%s\": [", name);
    while (st == VD_OK) {
        st = vd_stmt_step(s, &row, err);
        if (st != VD_OK || !row) break;
        if (!first) vd_str_add(r->out, ",\n");
        first = false;
        vd_report_row(r->out, s);
        if (pictures) st = vd_report_want(r, vd_stmt_int(s, 0), err);
    }
    vd_str_addc(r->out, ']');
    vd_stmt_free(s);
    return st;
}

vd_status vd_report_rows(vd_report *r, const char *name, const char *sql, const vd_value *bound,
                         int n, vd_err *err) {
    return rows(r, name, sql, bound, n, false, err);
}

vd_status vd_report_pictures(vd_report *r, const char *name, const char *sql, const vd_value *bound,
                             int n, vd_err *err) {
    return rows(r, name, sql, bound, n, true, err);
}

/* The first row as an object, without a name; values are bound from 1 on. */
static vd_status object(vd_report *r, const char *sql, const vd_value *bound, int n, vd_err *err) {
    vd_stmt *s = NULL;
    bool row = false;
    vd_status st = vd_db_prepare(&s, r->db, sql, true, err);
    for (int i = 0; st == VD_OK && i < n; i++) vd_stmt_bind(s, i + 1, bound[i]);
    if (st == VD_OK) st = vd_stmt_step(s, &row, err);
    if (st == VD_OK && row)
        vd_report_row(r->out, s);
    else
        vd_str_add(r->out, "null");
    vd_stmt_free(s);
    return st;
}

/* ---- totals, runs ---- */

/* What the survey has counted, and what takes tables that it does not walk. */
static vd_status totals(vd_report *r, vd_err *err) {
    const vd_survey *v = &r->survey;
    const vd_value none = vd_val_null();
    const vd_value bound[] = { v->assets > 0 ? vd_val_int(v->files) : none,
                               v->assets > 0 ? vd_val_int(v->photos) : none,
                               v->assets > 0 ? vd_val_int(v->videos) : none,
                               v->assets > 0 ? vd_val_int(v->frames) : none,
                               v->assets > 0 ? vd_val_int(v->pages) : none,
                               v->assets > 0 ? vd_val_int(v->others) : none,
                               vd_val_int(v->bytes),
                               vd_val_int(v->with_gps),
                               vd_val_real(v->first_s),
                               vd_val_real(v->last_s),
                               vd_val_int(v->bad),
                               vd_val_int(v->vanished_files) };
    vd_str_add(r->out, ",\n\"totals\": ");
    return object(
        r,
        "SELECT ?1 AS files, ?2 AS photos, ?3 AS videos, ?4 AS frames, ?5 AS pages, ?6 AS other,"
        " ?7 AS bytes, ?8 AS gps, ?9 AS first_s, ?10 AS last_s, ?11 AS bad,"
        " (SELECT count(DISTINCT p.asset_id) FROM problem p) AS flagged, ?12 AS vanished, d.* FROM"
        " (SELECT count(*) AS redundant, coalesce(sum(a.size), 0) AS redundant_bytes FROM fact_duplicates d"
        " JOIN asset a ON a.id = d.asset_id WHERE a.state = 'present' AND d.duplicate_group IS NOT NULL"
        " AND coalesce(d.duplicate_keep, 0) = 0) d",
        bound, VD_COUNT(bound), err);
}

#define ISO(column) "strftime('%Y-%m-%dT%H:%M:%SZ', " column " / 1000000000, 'unixepoch')"
#define RUN_COLUMNS                                                                                \
    ISO("started_ns") " AS started, arguments, outcome, (finished_ns - started_ns) / 1e9 AS seconds"

static vd_status runs(vd_report *r, vd_err *err) {
    const vd_value limit = vd_val_int(MAX_RUNS);
    int64_t last = 0;
    VD_TRY(vd_report_rows(r, "runs", "SELECT " RUN_COLUMNS " FROM run ORDER BY id DESC LIMIT ?1",
                          &limit, 1, err));
    VD_TRY(vd_db_int(r->db, "SELECT max(run_id) FROM run_stage", &last, err));
    if (last == 0) {
        vd_str_add(r->out, ",\n\"run\": null");
        return VD_OK;
    }
    vd_stmt *s = NULL;
    bool row = false;
    VD_TRY(vd_db_prepare(&s, r->db, "SELECT " RUN_COLUMNS " FROM run WHERE id = ?1", true, err));
    vd_stmt_bind(s, 1, vd_val_int(last));
    vd_status st = vd_stmt_step(s, &row, err);
    if (st == VD_OK) {
        vd_str_add(r->out, ",\n\"run\": {\"started\": ");
        vd_str_json(r->out, row ? vd_stmt_text(s, 0) : "");
        vd_str_add(r->out, ", \"outcome\": ");
        vd_str_json(r->out, row ? vd_stmt_text(s, 2) : "");
        const vd_value id = vd_val_int(last);
        /* in the order in which stages run: that of the last rowid is lost, so by what feeds what
         */
        st = vd_report_rows(
            r, "stages",
            "SELECT stage, summary, done, total, failed, seconds FROM run_stage WHERE run_id = ?1"
            " ORDER BY CASE stage WHEN 'add' THEN 0 WHEN 'check' THEN 1 WHEN 'measure' THEN 2"
            " WHEN 'fingerprint' THEN 3 WHEN 'duplicates' THEN 4 ELSE 5 END, stage",
            &id, 1, err);
        vd_str_addc(r->out, '}');
    }
    vd_stmt_free(s);
    return st;
}

/* ---- problems ---- */

/* The thresholds of the last run: dataset_state keeps them as "1;dark=0.32;light=0.05;". */
static vd_status read_thresholds(vd_report *r, vd_err *err) {
    vd_stmt *s = NULL;
    bool row = false;
    r->thresholds = vd_mem_array((size_t)vd_n_problem_kinds, sizeof *r->thresholds);
    if (r->thresholds == NULL) return vd_nomem(err);
    VD_TRY(vd_db_prepare(&s, r->db, "SELECT value FROM dataset_state WHERE name = 'problems_key'",
                         true, err));
    vd_status st = vd_stmt_step(s, &row, err);
    const char *list = st == VD_OK && row ? vd_stmt_text(s, 0) : "";
    for (int i = 0; i < vd_n_problem_kinds; i++) {
        const char *key = vd_problem_kinds[i].key;
        size_t n = strlen(key);
        r->thresholds[i] = vd_problem_kinds[i].threshold;
        for (const char *p = strchr(list, ';'); p != NULL; p = strchr(p + 1, ';'))
            if (strncmp(p + 1, key, n) == 0 && p[n + 1] == '=')
                r->thresholds[i] = strtod(p + n + 2, NULL);
    }
    vd_stmt_free(s);
    return st;
}

/* The worst are chosen first and then looked up: most findings are not shown. */
static vd_status gallery(vd_report *r, const char *kind, vd_err *err) {
    const vd_value bound[] = { vd_val_text(kind), vd_val_int(r->opt->per_gallery) };
    return vd_report_pictures(
        r, "gallery",
        "SELECT p.asset_id AS id, a.uri, p.score, p.evidence FROM (SELECT asset_id, score, evidence"
        " FROM problem WHERE kind = ?1 AND asset_id NOT IN (SELECT id FROM asset WHERE state <>"
        " 'present') ORDER BY score, asset_id LIMIT ?2) p CROSS JOIN asset a ON a.id = p.asset_id"
        " ORDER BY p.score, p.asset_id",
        bound, VD_COUNT(bound), err);
}

static vd_status one_problem(vd_report *r, int i, vd_stmt *counts, const int64_t *scores,
                             vd_err *err) {
    const vd_problem_kind *k = &vd_problem_kinds[i];
    bool row = false;
    vd_stmt_bind(counts, 1, vd_val_text(k->key));
    VD_TRY(vd_stmt_step(counts, &row, err));
    int64_t n = vd_stmt_int(counts, 0);
    double worst = vd_stmt_real(counts, 1);
    vd_stmt_reset(counts);
    vd_str_addf(r->out, "%s{\"kind\": \"%s\", \"help\": ", i > 0 ? ",\n" : "", k->key);
    vd_str_json(r->out, k->help);
    vd_str_addf(r->out, ", \"count\": %lld, \"share\": ", (long long)n);
    vd_str_json_num(r->out, (double)n / (double)VD_MAX(r->survey.places.pictures, 1));
    vd_str_add(r->out, ", \"threshold\": ");
    vd_str_json_num(r->out, r->thresholds[i]);
    vd_str_add(r->out, ", \"worst\": ");
    vd_str_json_num(r->out, worst);
    vd_str_add(r->out, ", \"scores\": ");
    if (scores == NULL) vd_str_add(r->out, "null");
    for (int b = 0; scores != NULL && b < VD_REPORT_SCORE_BINS; b++)
        vd_str_addf(r->out, "%s%lld%s", b == 0 ? "[" : ",", (long long)scores[b],
                    b + 1 == VD_REPORT_SCORE_BINS ? "]" : "");
    /* duplicates have a section of their own */
    if (n > 0 && !vd_str_ends(k->key, "_duplicates")) VD_TRY(gallery(r, k->key, err));
    vd_str_addc(r->out, '}');
    return VD_OK;
}

static vd_status problems(vd_report *r, vd_err *err) {
    vd_status st = VD_OK;
    const vd_distributions *d = r->survey.metrics;
    vd_stmt *counts = NULL;
    VD_GO(vd_db_prepare(&counts, r->db, "SELECT count(*), min(score) FROM problem WHERE kind = ?1",
                        true, err));
    vd_str_add(r->out, ",\n\"problems\": [");
    for (int i = 0; i < vd_n_problem_kinds; i++)
        VD_GO(one_problem(r, i, counts, vd_distributions_scores(d, vd_problem_kinds[i].key), err));
    vd_str_add(r->out, "],\n\"metrics\": ");
    vd_distributions_json(r->out, d);
done:
    vd_stmt_free(counts);
    return st;
}

/* ---- duplicates ---- */

typedef struct group_sql {
    const char *name, *totals, *largest, *members;
} group_sql;

#define GROUP_SQL(label, group, keep)                                                                         \
    {                                                                                                         \
        label,                                                                                                \
            "SELECT count(*), count(DISTINCT " group "), sum(coalesce(" keep ", 0) = 0),"                     \
            " coalesce(sum(CASE WHEN coalesce(" keep                                                          \
            ", 0) = 0 THEN a.size END), 0) FROM fact_duplicates d"                                            \
            " JOIN asset a ON a.id = d.asset_id WHERE a.state = 'present' AND " group                         \
            " IS NOT NULL",                                                                                   \
            "SELECT " group ", count(*) FROM fact_duplicates d JOIN asset a ON a.id = d.asset_id"             \
            " WHERE a.state = 'present' AND " group                                                           \
            " IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ?1",                                            \
            "SELECT a.id, a.uri, coalesce(" keep                                                              \
            ", 0) AS keep, d.near_distance AS distance, c.width, c.height,"                                   \
            " a.size AS bytes, d.keep_reason AS why FROM fact_duplicates d JOIN asset a ON a.id = d.asset_id" \
            " LEFT JOIN fact_check c ON c.asset_id = a.id WHERE a.state = 'present' AND " group               \
            " = ?1"                                                                                           \
            " ORDER BY 3 DESC, d.near_distance, a.id LIMIT ?2"                                                \
    }

static const group_sql group_kinds[] = {
    GROUP_SQL("exact", "d.duplicate_group", "d.duplicate_keep"),
    GROUP_SQL("near", "d.near_group", "d.near_keep"),
};

static vd_status one_group(vd_report *r, vd_stmt *members, int64_t id, int64_t size, vd_err *err) {
    bool row = true, first = true;
    vd_str why = { 0 };
    vd_status st = VD_OK;
    vd_str_addf(r->out, "{\"size\": %lld, \"members\": [", (long long)size);
    vd_stmt_bind(members, 1, vd_val_int(id));
    vd_stmt_bind(members, 2, vd_val_int(r->opt->per_group));
    for (;;) {
        VD_GO(vd_stmt_step(members, &row, err));
        if (!row) break;
        if (vd_stmt_int(members, 2) != 0 && why.size == 0)
            vd_str_add(&why, vd_stmt_text(members, 7));
        if (!first) vd_str_add(r->out, ",\n  ");
        first = false;
        vd_report_row(r->out, members);
        VD_GO(vd_report_want(r, vd_stmt_int(members, 0), err));
    }
    vd_str_add(r->out, "], \"why\": ");
    vd_str_json(r->out, vd_str_text(&why));
    vd_str_addc(r->out, '}');
    st = vd_str_check(&why, err);
done:
    vd_stmt_reset(members);
    vd_str_reset(&why);
    return st;
}

static vd_status group_kind(vd_report *r, const group_sql *g, vd_err *err) {
    vd_status st = VD_OK;
    vd_stmt *total = NULL, *largest = NULL, *members = NULL;
    bool row = false, first = true;
    VD_GO(vd_db_prepare(&total, r->db, g->totals, true, err));
    VD_GO(vd_db_prepare(&largest, r->db, g->largest, true, err));
    VD_GO(vd_db_prepare(&members, r->db, g->members, true, err));
    VD_GO(vd_stmt_step(total, &row, err));
    vd_str_addf(
        r->out,
        "\"%s\": {\"members\": %lld, \"groups\": %lld, \"redundant\": %lld, \"redundant_bytes\": %lld,"
        " \"list\": [",
        g->name, (long long)vd_stmt_int(total, 0), (long long)vd_stmt_int(total, 1),
        (long long)vd_stmt_int(total, 2), (long long)vd_stmt_int(total, 3));
    vd_stmt_bind(largest, 1, vd_val_int(r->opt->groups));
    for (;;) {
        VD_GO(vd_stmt_step(largest, &row, err));
        if (!row) break;
        if (!first) vd_str_add(r->out, ",\n ");
        first = false;
        VD_GO(one_group(r, members, vd_stmt_int(largest, 0), vd_stmt_int(largest, 1), err));
    }
    vd_str_add(r->out, "]}");
done:
    vd_stmt_free(total);
    vd_stmt_free(largest);
    vd_stmt_free(members);
    return st;
}

static vd_status groups(vd_report *r, vd_err *err) {
    vd_str_add(r->out, ",\n\"groups\": {");
    VD_TRY(group_kind(r, &group_kinds[0], err));
    vd_str_add(r->out, ",\n");
    VD_TRY(group_kind(r, &group_kinds[1], err));
    vd_str_addc(r->out, '}');
    return VD_OK;
}

/* ---- files ---- */

static void verdict_json(vd_str *out, const vd_tally_row *t) {
    vd_str_add(out, "{\"verdict\": ");
    vd_str_json(out, t->a);
    vd_str_addf(out, ", \"count\": %lld}", (long long)t->n);
}

static void format_json(vd_str *out, const vd_tally_row *t) {
    vd_str name = { 0 };
    vd_str_addf(&name, t->b[0] != '\0' ? "%s (%s)" : "%s", t->a, t->b);
    if (name.status != VD_OK) out->status = name.status;
    vd_str_add(out, "{\"format\": ");
    vd_str_json(out, vd_str_text(&name));
    vd_str_addf(out, ", \"count\": %lld, \"bytes\": %lld}", (long long)t->n, (long long)t->bytes);
    vd_str_reset(&name);
}

static void camera_json(vd_str *out, const vd_tally_row *t) {
    vd_str_add(out, "{\"camera\": ");
    vd_str_json(out, t->a);
    vd_str_add(out, ", \"lens\": ");
    if (t->b[0] != '\0')
        vd_str_json(out, t->b);
    else
        vd_str_add(out, "null");
    vd_str_addf(out, ", \"count\": %lld}", (long long)t->n);
}

static void size_json(vd_str *out, const vd_tally_row *t) {
    vd_str_addf(out, "{\"width\": %lld, \"height\": %lld, \"count\": %lld}", (long long)t->x,
                (long long)t->y, (long long)t->n);
}

static void tally_json(vd_report *r, const char *name, const vd_tally *t,
                       void (*one)(vd_str *, const vd_tally_row *)) {
    vd_str_addf(r->out, ",\n\"%s\": [", name);
    for (int64_t i = 0; i < VD_MIN(t->n, MAX_LIST); i++) {
        if (i > 0) vd_str_add(r->out, ",\n");
        one(r->out, &t->rows[i]);
    }
    vd_str_addc(r->out, ']');
}

/* The files that are not ok: by two ranges of the index over verdicts, not by looking at all. */
static vd_status files(vd_report *r, vd_err *err) {
    const vd_survey *v = &r->survey;
    const vd_value most = vd_val_int(r->opt->files);
    int64_t bad = v->files;
    tally_json(r, "verdicts", &v->verdicts, verdict_json);
    tally_json(r, "formats", &v->formats, format_json);
    tally_json(r, "cameras", &v->cameras, camera_json);
    tally_json(r, "sizes", &v->sizes, size_json);
    VD_TRY(vd_report_rows(
        r, "bad_files",
        "SELECT a.uri, c.verdict, c.reason, c.detail FROM fact_check c CROSS JOIN asset a ON a.id ="
        " c.asset_id WHERE a.state = 'present' AND (c.verdict < 'ok' OR c.verdict > 'ok') AND a.parent_id IS NULL ORDER BY"
        " c.verdict IN ('animated', 'not_an_image'), c.verdict, a.id LIMIT ?1",
        &most, 1, err));
    for (int64_t i = 0; i < v->verdicts.n; i++)
        if (strcmp(v->verdicts.rows[i].a, "ok") == 0 ||
            strcmp(v->verdicts.rows[i].a, "not checked") == 0)
            bad -= v->verdicts.rows[i].n;
    vd_str_addf(r->out, ",\n\"bad_total\": %lld", (long long)bad);
    return VD_OK;
}

/* ---- thumbnails ---- */

typedef struct thumbs {
    vd_stmt *jpeg;
    vd_map *done;
    int64_t left; /* bytes */
} thumbs;

static vd_status one_thumbnail(vd_report *r, thumbs *t, int64_t id, vd_err *err) {
    int64_t before;
    bool row = false;
    if (vd_map_get(t->done, &id, sizeof id, &before)) return VD_OK;
    vd_stmt_bind(t->jpeg, 1, vd_val_int(id));
    VD_TRY(vd_stmt_step(t->jpeg, &row, err));
    vd_value v = row ? vd_stmt_value(t->jpeg, 0) : vd_val_null();
    vd_status st = VD_OK;
    if (v.type == VD_BLOB && v.n <= t->left) {
        vd_str_addf(r->out, "%s\"%lld\": \"", vd_map_size(t->done) > 0 ? ",\n" : "", (long long)id);
        vd_str_base64(r->out, v.s, v.n);
        vd_str_addc(r->out, '"');
        t->left -= v.n;
        st = vd_map_put(t->done, &id, sizeof id, 1, err);
    }
    vd_stmt_reset(t->jpeg);
    return st;
}

/* Each asset once. Where not all fit, first come are first served, in the order of the page; the
 * pictures of scenes, which come last, have as many bytes again. */
static vd_status thumbnails(vd_report *r, int64_t scenes_from, vd_err *err) {
    vd_status st = VD_OK;
    thumbs t = { .left = r->opt->thumb_bytes };
    VD_GO(vd_map_new(&t.done, err));
    VD_GO(
        vd_db_prepare(&t.jpeg, r->db, "SELECT jpeg FROM thumbnail WHERE asset_id = ?1", true, err));
    vd_str_add(r->out, ",\n\"thumbs\": {");
    for (int64_t i = 0; i < r->n_shown; i++) {
        if (i == scenes_from) t.left += r->opt->thumb_bytes;
        if (t.left > 0) VD_GO(one_thumbnail(r, &t, r->shown[i], err));
    }
    vd_str_addc(r->out, '}');
done:
    vd_stmt_free(t.jpeg);
    vd_map_free(t.done);
    return st;
}

/* ---- all of it ---- */

static void head(vd_report *r) {
    char now[32];
    const char *dir = vd_dataset_dir(r->ds), *name = vd_path_name(dir);
    vd_time_iso(now, vd_time_unix_ns());
    vd_str_add(r->out, "{\"generated\": ");
    vd_str_json(r->out, now);
    vd_str_add(r->out, ", \"version\": \"" VIDIMUS_VERSION "\", \"dataset\": ");
    vd_str_json(r->out, dir);
    vd_str title = { 0 };
    int64_t n = (int64_t)strlen(name);
    vd_str_addn(&title, name, vd_str_ends(name, ".vidimus") && n > 8 ? n - 8 : n);
    vd_str_add(r->out, ", \"name\": ");
    vd_str_json(r->out, vd_str_text(&title));
    if (title.status != VD_OK) r->out->status = title.status;
    vd_str_reset(&title);
}

vd_status vd_report_data(vd_str *out, vd_dataset *ds, const vd_report_opt *opt, vd_err *err) {
    static const vd_report_opt defaults = VD_REPORT_OPT;
    vd_status st = VD_OK;
    vd_report r = {
        .out = out, .ds = ds, .db = vd_dataset_db(ds), .opt = opt != NULL ? opt : &defaults
    };
    VD_TRY(vd_db_exec(r.db, "BEGIN", err));
    VD_GO(read_thresholds(&r, err));
    VD_GO(vd_survey_make(&r.survey, r.db, r.thresholds, r.opt->keep_bytes, err));
    head(&r);
    VD_GO(totals(&r, err));
    VD_GO(runs(&r, err));
    VD_GO(vd_report_evaluations(&r, err));
    VD_GO(problems(&r, err));
    VD_GO(groups(&r, err));
    vd_report_timeline(&r);
    VD_GO(vd_report_map(&r, err));
    VD_GO(files(&r, err));
    const int64_t scenes_from = r.n_shown;
    VD_GO(vd_report_scenes(&r, err));
    VD_GO(thumbnails(&r, scenes_from, err));
    vd_str_add(out, "}\n");
    VD_GO(vd_str_check(out, err));
done:
    vd_db_rollback(r.db); /* nothing was written */
    vd_survey_reset(&r.survey);
    vd_mem_free(r.thresholds);
    vd_mem_free(r.shown);
    return st;
}

static const char page[] = {
#include "report/page.inc"
    0
};
static const char PLACE[] = "/*VIDIMUS_DATA*/";

vd_status vd_report_page(vd_str *out, const char *data, vd_err *err) {
    const char *place = strstr(page, PLACE);
    if (place == NULL)
        return vd_fail(err, VD_E_INTERNAL, "report: the page has no place for its data");
    vd_str_addn(out, page, place - page);
    for (const char *p = data; *p != '\0';) {
        size_t n = strcspn(p, "<");
        vd_str_addn(out, p, (int64_t)n);
        p += n;
        if (*p == '<') {
            vd_str_add(out, "\\u003c");
            p++;
        }
    }
    vd_str_add(out, place + sizeof PLACE - 1);
    return vd_str_check(out, err);
}
