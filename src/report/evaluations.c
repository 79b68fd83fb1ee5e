/* Evaluations that the dataset keeps: their figures as they were stored, and the worst pictures
 * with what was there and what was seen. SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/json.h"
#include "report/parts.h"

enum { MOST_BOXES = 150 };

/* A box as [verdict, x, y, width, height, class, score]; the class is what is drawn, and what a
 * confused one is in truth stands behind it. */
static void box_json(vd_str *out, const vd_stmt *s) {
    vd_str_addc(out, '[');
    vd_str_json(out, vd_stmt_text(s, 0));
    for (int i = 1; i < 5; i++) {
        vd_str_addc(out, ',');
        if (vd_stmt_null(s, i))
            vd_str_add(out, "null");
        else
            vd_str_addf(out, "%.1f", vd_stmt_real(s, i));
    }
    for (int i = 5; i < 7; i++) {
        vd_str_addc(out, ',');
        if (vd_stmt_null(s, i))
            vd_str_add(out, "null");
        else
            vd_str_json(out, vd_stmt_text(s, i));
    }
    vd_str_addc(out, ',');
    vd_str_json_num(out, vd_stmt_real(s, 7));
    vd_str_addc(out, ']');
}

/* What went wrong first, so that it stays where there are more than are shown. */
static const char boxes_sql[] =
    "SELECT verdict, x, y, width, height, truth_class, predicted_class, score FROM evaluation_match"
    " WHERE asset_id = ?2 AND evaluation_id = ?1 AND verdict <> 'ignored'"
    " ORDER BY CASE verdict WHEN 'miss' THEN 0 WHEN 'hit' THEN 2 ELSE 1 END, score DESC, id LIMIT ?3";

static vd_status boxes(vd_report *r, vd_stmt *s, int64_t evaluation, int64_t asset, vd_err *err) {
    vd_status st = VD_OK;
    bool row = false, first = true;
    vd_stmt_bind(s, 1, vd_val_int(evaluation));
    vd_stmt_bind(s, 2, vd_val_int(asset));
    vd_stmt_bind(s, 3, vd_val_int(MOST_BOXES));
    vd_str_add(r->out, ", \"boxes\": [");
    for (;;) {
        VD_GO(vd_stmt_step(s, &row, err));
        if (!row) break;
        if (!first) vd_str_addc(r->out, ',');
        first = false;
        box_json(r->out, s);
    }
    vd_str_addc(r->out, ']');
done:
    vd_stmt_reset(s);
    return st;
}

static vd_status worst(vd_report *r, vd_stmt *pictures, vd_stmt *matches, int64_t id, vd_err *err) {
    vd_status st = VD_OK;
    bool row = false, first = true;
    vd_stmt_bind(pictures, 1, vd_val_int(id));
    vd_stmt_bind(pictures, 2, vd_val_int(r->opt->worst));
    vd_str_add(r->out, ",\n\"worst\": [");
    for (;;) {
        VD_GO(vd_stmt_step(pictures, &row, err));
        if (!row) break;
        int64_t asset = vd_stmt_int(pictures, 0);
        vd_str_add(r->out, first ? "{\"picture\": " : ",\n{\"picture\": ");
        first = false;
        vd_report_row(r->out, pictures);
        VD_GO(boxes(r, matches, id, asset, err));
        vd_str_addc(r->out, '}');
        VD_GO(vd_report_want(r, asset, err));
    }
    vd_str_addc(r->out, ']');
done:
    vd_stmt_reset(pictures);
    return st;
}

/* A JSON value of the catalog as it is, null where it is none: the page shall not break by it. */
static vd_status document(vd_report *r, const char *name, const char *text, vd_err *err) {
    vd_arena arena = { 0 };
    vd_err why = { 0 };
    const vd_json *tree = NULL;
    vd_status st = vd_json_parse(&tree, &arena, name, text, strlen(text), &why);
    vd_str_addf(r->out, ",\n\"%s\": %s", name, st == VD_OK ? text : "null");
    vd_arena_reset(&arena);
    return st == VD_E_NOMEM ? vd_nomem(err) : VD_OK;
}

static vd_status one(vd_report *r, vd_stmt *head, vd_stmt *pictures, vd_stmt *matches,
                     vd_err *err) {
    static const char *const text[] = { "name", "task", "truth", "prediction", "made" };
    vd_str_addc(r->out, '{');
    for (int i = 0; i < VD_COUNT(text); i++) {
        vd_str_addf(r->out, "%s\"%s\": ", i > 0 ? ", " : "", text[i]);
        vd_str_json(r->out, vd_stmt_text(head, i + 1));
    }
    VD_TRY(document(r, "arguments", vd_stmt_text(head, 6), err));
    VD_TRY(document(r, "result", vd_stmt_text(head, 7), err));
    VD_TRY(worst(r, pictures, matches, vd_stmt_int(head, 0), err));
    vd_str_addc(r->out, '}');
    return VD_OK;
}

vd_status vd_report_evaluations(vd_report *r, vd_err *err) {
    vd_status st = VD_OK;
    vd_stmt *head = NULL, *pictures = NULL, *matches = NULL;
    bool row = false, first = true;
    VD_GO(vd_db_prepare(
        &head, r->db,
        "SELECT id, name, task, truth, prediction, strftime('%Y-%m-%dT%H:%M:%SZ', made_ns /"
        " 1000000000, 'unixepoch'), arguments, result FROM evaluation ORDER BY id DESC LIMIT ?1",
        true, err));
    VD_GO(vd_db_prepare(
        &pictures, r->db,
        "SELECT p.asset_id AS id, a.uri, p.harm, p.hits, p.misses, p.false_alarms, c.width,"
        " c.height FROM (SELECT * FROM evaluation_picture WHERE evaluation_id = ?1 AND harm > 0"
        " ORDER BY harm DESC, asset_id LIMIT ?2) p CROSS JOIN asset a ON a.id = p.asset_id"
        " LEFT JOIN fact_check c ON c.asset_id = p.asset_id ORDER BY p.harm DESC, p.asset_id",
        true, err));
    VD_GO(vd_db_prepare(&matches, r->db, boxes_sql, true, err));
    vd_stmt_bind(head, 1, vd_val_int(r->opt->evaluations));
    vd_str_add(r->out, ",\n\"evaluations\": [");
    for (;;) {
        VD_GO(vd_stmt_step(head, &row, err));
        if (!row) break;
        if (!first) vd_str_add(r->out, ",\n");
        first = false;
        VD_GO(one(r, head, pictures, matches, err));
    }
    vd_str_addc(r->out, ']');
done:
    vd_stmt_free(head);
    vd_stmt_free(pictures);
    vd_stmt_free(matches);
    return st;
}
