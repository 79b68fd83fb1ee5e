/* Operation issues --labels: what is wrong with a label set. SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "audit/audit.h"
#include "base/map.h"
#include "front/issues.h"

static const vd_column columns[] = {
    { "kind", VD_TEXT, "", "kind of problem", 0 },
    { "image", VD_TEXT, "", "name of the picture in the label set", 0 },
    { "class", VD_TEXT, "", "of the object", 0 },
    { "x", VD_REAL, "px", "left edge of its upright box", 0 },
    { "y", VD_REAL, "px", "top edge", 0 },
    { "width", VD_REAL, "px", "", 0 },
    { "height", VD_REAL, "px", "", 0 },
    { "score", VD_REAL, "", "0 worst .. 1 clean; below the threshold of its kind", 0 },
    { "evidence", VD_TEXT, "", "what was measured", 0 },
    { "uri", VD_TEXT, "", "the asset", 0 },
    { "id", VD_INT, "", "of the asset", 0 },
    { "label", VD_INT, "", "row in table label", 0 },
    { "other", VD_INT, "", "another row there: the double, the prediction", 0 },
};
static const vd_column counts[] = {
    { "kind", VD_TEXT, "", "kind of problem", 0 },
    { "count", VD_INT, "", "findings", 0 },
    { "worst", VD_REAL, "", "lowest score", 0 },
    { "threshold", VD_REAL, "", "a score below it is a finding", 0 },
    { "meaning", VD_TEXT, "", "what it says", 0 },
};

/* One call of it. */
typedef struct work {
    vd_opcall *c;
    vd_dataset *ds;
    bool keeps; /* it may write */
    vd_label_set_row set;
    vd_audit_findings f;
    vd_audit_set labels;
    vd_audit_kind kind; /* VD_AUDIT_KINDS: all */
    vd_map *where;      /* assets in question; NULL: all */
    int64_t shown;      /* findings */
    vd_stmt *uri;
} work;

static vd_status check_kind(work *w, vd_err *err) {
    const char *kind = vd_arg_text(w->c, "kind");
    vd_str all = { 0 };
    w->kind = kind != NULL ? vd_audit_kind_find(kind, strlen(kind)) : VD_AUDIT_KINDS;
    if (kind == NULL || w->kind != VD_AUDIT_KINDS) return VD_OK;
    for (int i = 0; i < VD_AUDIT_KINDS; i++)
        vd_str_addf(&all, "%s%s", i > 0 ? " " : "", vd_audit_kinds[i].key);
    vd_status st = vd_fail(err, VD_E_ARG, "issues: no kind '%.40s' of label problems; there are %s",
                           kind, vd_str_text(&all));
    vd_str_reset(&all);
    return st;
}

/* A dataset on a medium that takes no writing is checked all the same, and nothing is kept. */
static vd_status open_dataset(work *w, vd_err *err) {
    vd_err why = { 0 };
    vd_status st = vd_op_open(w->c, VD_DB_WRITE, &w->ds, &why);
    w->keeps = st == VD_OK;
    if (st != VD_E_IO) return st == VD_OK ? st : vd_fail(err, st, "%s", why.msg);
    return vd_op_open(w->c, VD_DB_READ, &w->ds, err);
}

/* The assets for which --where holds, as a set of ids. */
static vd_status load_where(work *w, vd_err *err) {
    const char *where = vd_arg_text(w->c, "where");
    vd_str sql = { 0 };
    vd_stmt *s = NULL;
    bool row = true;
    vd_status st = VD_OK;
    if (where == NULL) return VD_OK;
    VD_GO(vd_op_check_where(vd_dataset_db(w->ds), where, err));
    VD_GO(vd_map_new(&w->where, err));
    vd_str_addf(&sql, "SELECT id FROM asset_facts WHERE (%s\n)", where);
    VD_GO(vd_str_check(&sql, err));
    VD_GO(vd_db_prepare(&s, vd_dataset_db(w->ds), sql.data, true, err));
    for (;;) {
        VD_GO(vd_stmt_step(s, &row, err));
        if (!row) break;
        int64_t id = vd_stmt_int(s, 0);
        VD_GO(vd_map_put(w->where, &id, sizeof id, 1, err));
    }
done:
    vd_stmt_free(s);
    vd_str_reset(&sql);
    return st;
}

static bool wanted(const work *w, const vd_audit_finding *r) {
    int64_t one = 0;
    if (w->kind != VD_AUDIT_KINDS && r->kind != w->kind) return false;
    return w->where == NULL || vd_map_get(w->where, &r->asset, sizeof r->asset, &one);
}

static vd_status send_counts(work *w, int64_t limit, vd_err *err) {
    int64_t n[VD_AUDIT_KINDS] = { 0 };
    double worst[VD_AUDIT_KINDS];
    for (int64_t i = 0; i < w->f.n; i++) {
        const vd_audit_finding *r = &w->f.row[i];
        if (!wanted(w, r)) continue;
        if (n[r->kind]++ == 0 || r->score < worst[r->kind]) worst[r->kind] = r->score;
        w->shown++;
    }
    VD_TRY(vd_out_columns(w->c, counts, VD_COUNT(counts), err));
    for (int i = 0; i < VD_AUDIT_KINDS; i++) {
        if (n[i] == 0 || limit-- == 0) continue;
        const vd_value row[] = { vd_val_text(vd_audit_kinds[i].key), vd_val_int(n[i]),
                                 vd_val_real(worst[i]), vd_val_real(w->f.threshold[i]),
                                 vd_val_text(vd_audit_kinds[i].help) };
        VD_TRY(vd_out_row(w->c, row, err));
    }
    return VD_OK;
}

static vd_value number_or_null(bool there, double v) {
    return there ? vd_val_real(v) : vd_val_null();
}

static vd_value row_or_null(int64_t row) {
    return row != 0 ? vd_val_int(row) : vd_val_null();
}

static vd_status send_finding(work *w, const vd_audit_finding *r, vd_err *err) {
    bool there = false;
    bool boxed = r->box[0] != 0 || r->box[1] != 0 || r->box[2] != 0 || r->box[3] != 0;
    vd_stmt_bind(w->uri, 1, vd_val_int(r->asset));
    if (r->asset != 0) VD_TRY(vd_stmt_step(w->uri, &there, err));
    const vd_value row[] = {
        vd_val_text(vd_audit_kinds[r->kind].key),
        vd_val_text(r->image >= 0 ? w->labels.image[r->image].name : NULL),
        vd_val_text(r->name),
        number_or_null(boxed, r->box[0]),
        number_or_null(boxed, r->box[1]),
        number_or_null(boxed, r->box[2]),
        number_or_null(boxed, r->box[3]),
        vd_val_real(r->score),
        vd_val_text(r->evidence),
        there ? vd_stmt_value(w->uri, 0) : vd_val_null(),
        row_or_null(r->asset),
        row_or_null(r->label),
        row_or_null(r->other),
    };
    vd_status st = vd_out_row(w->c, row, err);
    vd_stmt_reset(w->uri);
    return st;
}

static vd_status send_findings(work *w, int64_t limit, vd_err *err) {
    VD_TRY(vd_out_columns(w->c, columns, VD_COUNT(columns), err));
    VD_TRY(vd_db_prepare(&w->uri, vd_dataset_db(w->ds), "SELECT uri FROM asset WHERE id = ?1", true,
                         err));
    for (int64_t i = 0; i < w->f.n; i++) {
        if (!wanted(w, &w->f.row[i])) continue;
        if (limit-- == 0) break;
        VD_TRY(send_finding(w, &w->f.row[i], err));
        w->shown++;
    }
    return VD_OK;
}

/* People see one closing line. */
static void say(work *w, bool details) {
    char some[48] = "";
    if (w->shown < w->f.n) snprintf(some, sizeof some, "%lld of ", (long long)w->shown);
    vd_out_words(w->c, "%s%lld findings in label set '%s' (%lld pictures, %lld objects)%s%s", some,
                 (long long)w->f.n, w->set.name, (long long)w->labels.n_images,
                 (long long)w->labels.n_objects,
                 w->keeps ? "" : "; not kept, as the dataset cannot be written",
                 !details && w->f.n > 0 ? "; see them with --details or --kind KIND" : "");
}

vd_status vd_issues_labels(vd_opcall *c, vd_err *err) {
    vd_status st = VD_OK;
    work w = { .c = c };
    const char *const *each = NULL;
    int n = vd_arg_many(c, "threshold", &each);
    bool details = vd_arg_given(c, "kind") || vd_arg_flag(c, "details") || !c->for_people;
    int64_t limit = vd_arg_int(c, "limit") > 0 ? vd_arg_int(c, "limit") : -1;
    const vd_audit_opt opt = { .predictions = vd_arg_text(c, "pred"),
                               .probabilities = vd_arg_text(c, "probs"),
                               .ids = vd_arg_text(c, "ids"),
                               .on_cancel = c->on_cancel,
                               .user = c->user };
    vd_audit_findings_init(&w.f);
    VD_GO(check_kind(&w, err));
    for (int i = 0; i < n; i++) VD_GO(vd_audit_threshold(w.f.threshold, each[i], err));
    VD_GO(open_dataset(&w, err));
    vd_db *db = vd_dataset_db(w.ds);
    VD_GO(load_where(&w, err));
    VD_GO(vd_label_set_find(&w.set, db, vd_arg_text(c, "set"), err));
    VD_GO(vd_audit_run(&w.f, &w.labels, w.ds, w.set.set, &opt, err));
    if (w.keeps) VD_GO(vd_audit_store(db, w.set.set, &w.f, err));
    VD_GO(details ? send_findings(&w, limit, err) : send_counts(&w, limit, err));
    say(&w, details);
done:
    vd_stmt_free(w.uri);
    vd_map_free(w.where);
    vd_audit_findings_reset(&w.f);
    vd_audit_set_reset(&w.labels);
    vd_dataset_close(w.ds);
    return st;
}
