/* Operation issues: problems by kind with counts, or per asset with evidence; of labels, see
 * issues_labels.c.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "front/issues.h"
#include "stage/problems.h"

static const vd_arg args[] = {
    { .name = "dataset",
      .flags = VD_POSITIONAL | VD_REQUIRED,
      .value = "DATASET",
      .help = "dataset directory" },
    { .name = "kind", .value = "KIND", .help = "only this kind, asset by asset" },
    { .name = "where",
      .value = "EXPR",
      .help = "only assets for which this SQL condition over asset_facts holds" },
    { .name = "threshold",
      .flags = VD_MANY,
      .value = "KIND=SCORE",
      .help = "judge with this threshold instead of the one of the run" },
    { .name = "details",
      .type = VD_T_FLAG,
      .help = "asset by asset; implied by --kind and --json" },
    { .name = "limit", .type = VD_T_INT, .max = 1e15, .def = "0", .help = "rows; 0: all" },
    { .name = "labels",
      .type = VD_T_FLAG,
      .help = "check a label set instead, and keep what is found in table label_problem" },
    { .name = "set",
      .value = "NAME",
      .help = "with --labels: the label set; the only one there is" },
    { .name = "pred",
      .value = "SET",
      .help = "with --labels: a label set of predictions with scores, as a second opinion" },
    { .name = "probs",
      .value = "FILE.npy",
      .help =
          "with --labels: probabilities of the classes of whole pictures, pictures x classes, of "
          "models not trained on the picture" },
    { .name = "ids",
      .value = "FILE.npy",
      .help =
          "int64: the assets of the rows of --probs; without it they are the pictures of the set" },
};

static const vd_column columns[] = {
    { "kind", VD_TEXT, "", "problem kind", 0 },
    { "uri", VD_TEXT, "", "the asset", 0 },
    { "score", VD_REAL, "", "0 worst .. 1 clean; below the threshold of its kind", 0 },
    { "evidence", VD_TEXT, "", "what was measured", 0 },
    { "id", VD_INT, "", "of the asset", 0 },
};
static const vd_column counts[] = {
    { "kind", VD_TEXT, "", "problem kind", 0 },
    { "count", VD_INT, "", "assets with it", 0 },
    { "worst", VD_REAL, "", "lowest score", 0 },
    { "threshold", VD_REAL, "", "default threshold", 0 },
    { "meaning", VD_TEXT, "", "what it says", 0 },
};

static vd_status check_kind(const char *kind, vd_err *err) {
    vd_str all = { 0 };
    if (kind == NULL) return VD_OK;
    for (int i = 0; i < vd_n_problem_kinds; i++) {
        if (strcmp(vd_problem_kinds[i].key, kind) == 0) {
            vd_str_reset(&all);
            return VD_OK;
        }
        vd_str_addf(&all, "%s%s", i > 0 ? " " : "", vd_problem_kinds[i].key);
    }
    vd_status st =
        vd_fail(err, VD_E_ARG, "issues: no kind '%.40s'; kinds are %s", kind, vd_str_text(&all));
    vd_str_reset(&all);
    return st;
}

/* The source of findings: the table kept by run, with other thresholds where asked for. */
static vd_status findings_sql(vd_opcall *c, vd_str *sql, vd_err *err) {
    const char *const *each = NULL, *kind = vd_arg_text(c, "kind");
    int n = vd_arg_many(c, "threshold", &each);
    vd_str list = { 0 };
    for (int i = 0; i < n; i++) vd_str_addf(&list, "%s%s", i > 0 ? "," : "", each[i]);
    vd_status st = vd_problem_check_thresholds(vd_str_text(&list), err);
    bool first = true;
    if (st == VD_OK && n == 0)
        vd_str_add(sql, "SELECT kind, asset_id, score, evidence FROM problem");
    for (int i = 0; st == VD_OK && n > 0 && i < vd_n_problem_kinds; i++) {
        if (kind != NULL && strcmp(kind, vd_problem_kinds[i].key) != 0) continue;
        if (!first) vd_str_add(sql, " UNION ALL ");
        first = false;
        vd_problem_select(i, vd_problem_threshold(i, vd_str_text(&list)), NULL, sql);
    }
    vd_str_reset(&list);
    return st;
}

static void conditions(vd_opcall *c, vd_str *sql) {
    const char *where = vd_arg_text(c, "where");
    vd_str_add(sql, " WHERE 1");
    if (vd_arg_text(c, "kind") != NULL) vd_str_add(sql, " AND p.kind = ?1");
    if (where != NULL)
        vd_str_addf(sql, " AND p.asset_id IN (SELECT id FROM asset_facts WHERE (%s\n))", where);
}

static vd_status send(vd_opcall *c, vd_stmt *s, bool details, vd_err *err) {
    bool row = true;
    vd_value v[VD_COUNT(columns)] = { 0 };
    VD_TRY(vd_out_columns(c, details ? columns : counts,
                          details ? VD_COUNT(columns) : VD_COUNT(counts), err));
    for (;;) {
        VD_TRY(vd_stmt_step(s, &row, err));
        if (!row) return VD_OK;
        int n = vd_stmt_columns(s);
        for (int i = 0; i < n; i++) v[i] = vd_stmt_value(s, i);
        for (int i = 0; !details && i < vd_n_problem_kinds; i++)
            if (strcmp(vd_problem_kinds[i].key, vd_stmt_text(s, 0)) == 0) {
                v[3] = vd_val_real(vd_problem_kinds[i].threshold);
                v[4] = vd_val_text(vd_problem_kinds[i].help);
            }
        VD_TRY(vd_out_row(c, v, err));
    }
}

static vd_status check_arguments(const vd_opcall *c, vd_err *err) {
    static const char *const of_labels[] = { "set", "pred", "probs", "ids" };
    for (int i = 0; i < VD_COUNT(of_labels); i++)
        if (vd_arg_given(c, of_labels[i]))
            return vd_fail(err, VD_E_ARG, "issues: --%s is for --labels", of_labels[i]);
    return check_kind(vd_arg_text(c, "kind"), err);
}

static vd_status issues_op(vd_opcall *c, vd_err *err) {
    if (vd_arg_flag(c, "labels")) return vd_issues_labels(c, err);
    vd_status st = VD_OK;
    vd_dataset *ds = NULL;
    vd_stmt *s = NULL;
    vd_str sql = { 0 };
    const char *kind = vd_arg_text(c, "kind");
    bool details = kind != NULL || vd_arg_flag(c, "details") || !c->for_people;
    VD_GO(check_arguments(c, err));
    VD_GO(vd_op_open(c, VD_DB_READ, &ds, err));
    VD_GO(vd_op_check_where(vd_dataset_db(ds), vd_arg_text(c, "where"), err));
    vd_str_add(&sql, details ? "SELECT p.kind, a.uri, p.score, p.evidence, p.asset_id FROM ("
                             : "SELECT p.kind, count(*), min(p.score) FROM (");
    VD_GO(findings_sql(c, &sql, err));
    vd_str_add(&sql, details ? ") p JOIN asset a ON a.id = p.asset_id" : ") p");
    conditions(c, &sql);
    vd_str_add(&sql, details ? " ORDER BY p.kind, p.asset_id" : " GROUP BY p.kind ORDER BY p.kind");
    if (vd_arg_int(c, "limit") > 0)
        vd_str_addf(&sql, " LIMIT %lld", (long long)vd_arg_int(c, "limit"));
    VD_GO(vd_str_check(&sql, err));
    VD_GO(vd_db_prepare(&s, vd_dataset_db(ds), sql.data, true, err));
    if (kind != NULL) vd_stmt_bind(s, 1, vd_val_text(kind));
    VD_GO(send(c, s, details, err));
done:
    vd_stmt_free(s);
    vd_dataset_close(ds);
    vd_str_reset(&sql);
    return st;
}

const vd_op vd_op_issues = {
    .name = "issues",
    .summary = "problems by kind with counts; asset by asset with evidence",
    .help =
        "A finding is a score below the threshold of its kind (0 worst, 1 clean). Kinds are those of CleanVision\n"
        "where the notion is the same: dark light blurry low_information grayscale odd_aspect_ratio odd_size\n"
        "exact_duplicates near_duplicates; and beyond: truncated corrupt unreadable wrong_extension clipped noisy\n"
        "overcompressed motion_blur banding frozen_frames missing_timestamp.\n"
        "\n"
        "--labels checks a label set. What it finds takes the place of what was found in that set before, in table\n"
        "label_problem. Kinds: missing_image image_size labelled_twice category_names unused_category\n"
        "unknown_category degenerate outside_image self_intersecting keypoints_outside duplicate_box\n"
        "near_duplicate_box two_classes inconsistent_copies odd_object_size odd_object_aspect track_jump\n"
        "inconsistent_in_3d missing_in_3d; with --pred: overlooked badly_located swapped poor_image; with --probs:\n"
        "wrong_class. docs/labels.md says how each is judged.",
    .example = "vidimus issues captures.vidimus --kind blurry --limit 10",
    .args = args,
    .n_args = VD_COUNT(args),
    .columns = columns,
    .n_columns = VD_COUNT(columns),
    .flags = VD_OP_WRITES,
    .run = issues_op,
};
