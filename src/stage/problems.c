/* Problems: what the facts say is wrong with an asset. A kind has a score in 0..1 (0 worst, 1
 * clean) that is read from the facts by an SQL expression; a finding is a score below the kind's
 * threshold, which is an option. The table `problem` is derived: it can be made anew at any time,
 * and is whenever facts or thresholds have changed. SPDX-License-Identifier: Apache-2.0 */
#include "stage/problems.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "measure/score.h"
#include "stage/stages.h"

#define MEASURED(key, threshold, column, evidence, help)                                           \
    { key, threshold, "m.score_" column, evidence, help }

/* A number about the dataset as a whole, made by measure_dataset. */
#define STATE(name) "(SELECT CAST(value AS REAL) FROM dataset_state WHERE name = '" name "')"

const vd_problem_kind vd_problem_kinds[] = {
    MEASURED("dark", 0.32, "dark", "'99th percentile of luma ' || printf('%.0f', m.luma_p99)",
             "too little light"),
    MEASURED("light", 0.05, "light", "'5th percentile of luma ' || printf('%.0f', m.luma_p5)",
             "too much light"),
    MEASURED("blurry", 0.29, "blurry", "'sharpness ' || printf('%.1f', m.sharpness)",
             "out of focus"),
    MEASURED("low_information", 0.3, "low_information",
             "'entropy ' || printf('%.2f', m.entropy) || ' bit'", "hardly any structure"),
    MEASURED("grayscale", 0.5, "grayscale", "'no colour'", "a picture without colour"),
    MEASURED("odd_aspect_ratio", 0.35, "odd_aspect_ratio", "c.width || ' x ' || c.height",
             "very long or very high"),
    { "odd_size", 0.5,
      "CASE WHEN a.kind = 'image' AND c.width > 0 THEN max(0.0, 1.0 - abs(sqrt(1.0 * c.width * c.height) -" STATE(
          "size_middle") ") / " STATE("size_gap") ") END",
      "c.width || ' x ' || c.height", "much larger or smaller than the others" },
    { "exact_duplicates", 0.5, "CASE WHEN d.duplicate_group IS NOT NULL THEN 0.0 END",
      "CASE WHEN d.duplicate_keep THEN 'kept' ELSE 'same bytes as asset ' || d.duplicate_group END",
      "the same bytes as another file" },
    { "near_duplicates", 0.5,
      "CASE WHEN d.near_group IS NOT NULL THEN min(d.near_distance, 99) / 200.0 END",
      "CASE WHEN d.near_keep THEN 'kept' ELSE 'distance ' || d.near_distance || ' to asset ' || d.near_group END",
      "nearly the same picture as another" },
    { "truncated", 0.999,
      "CASE c.verdict WHEN 'truncated' THEN min(coalesce(c.decoded_percent, 0) / 100.0, 0.998) END",
      "c.detail", "the file ends too early" },
    { "corrupt", 0.5, "CASE c.verdict WHEN 'corrupt' THEN 0.0 END", "c.detail",
      "damage in the middle of the file" },
    { "unreadable", 0.5, "CASE c.verdict WHEN 'unreadable' THEN 0.0 END", "c.detail",
      "not a single pixel could be decoded" },
    { "too_large", 0.5, "CASE c.verdict WHEN 'too_large' THEN 0.0 END",
      "c.width || ' x ' || c.height", "declares more pixels than allowed" },
    { "unsupported", 0.5, "CASE c.verdict WHEN 'unsupported' THEN 0.0 END", "c.detail",
      "no library here decodes it" },
    { "wrong_extension", 0.5, "CASE c.verdict WHEN 'wrong_extension' THEN 0.0 END",
      "'is ' || c.format", "the name says another format" },
    MEASURED("clipped", 0.65, "clipped",
             "printf('%.1f %% black, %.1f %% white', 100 * m.clipped_low, 100 * m.clipped_high)",
             "blown highlights or lost shadows"),
    MEASURED("noisy", 0.5, "noisy", "'sigma ' || printf('%.1f', m.noise)", "strong sensor noise"),
    MEASURED(
        "overcompressed", 0.4, "overcompressed",
        "'JPEG quality ' || coalesce(c.jpeg_quality, '?') || ', blockiness ' || printf('%.2f', m.blockiness)",
        "compression artefacts"),
    MEASURED("motion_blur", 0.45, "motion_blur",
             "printf('anisotropy %.2f at %.0f deg', m.motion_anisotropy, m.motion_direction_deg)",
             "the camera or the subject moved"),
    MEASURED("banding", 0.3, "banding", "'banding ' || printf('%.2f', m.banding)",
             "steps in gradients"),
    { "frozen_frames", 0.5, "1.0 - exp(-m.frame_change / 0.3)",
      "'change ' || printf('%.3f', m.frame_change) || ' grey levels'",
      "a video frame equal to the one before" },
    { "missing_timestamp", 0.5,
      "CASE WHEN a.kind = 'image' AND c.taken_at IS NULL AND " STATE(
          "dated_share") " >= 0.1 THEN 0.0 END",
      "'no capture time'", "no capture time, where most others have one" },
};
const int vd_n_problem_kinds = VD_COUNT(vd_problem_kinds);

static int kind_index(const char *name, size_t n) {
    for (int i = 0; i < vd_n_problem_kinds; i++)
        if (strlen(vd_problem_kinds[i].key) == n && strncmp(vd_problem_kinds[i].key, name, n) == 0)
            return i;
    return -1;
}

/* Walks "kind=score,..."; gives each pair to the caller's slots. */
static bool next_pair(const char **p, int *kind, double *score) {
    size_t n = strcspn(*p, "=,");
    char *end = NULL;
    *kind = kind_index(*p, n);
    if ((*p)[n] != '=') return false;
    *score = strtod(*p + n + 1, &end);
    bool ok = *kind >= 0 && end != *p + n + 1 && (*end == '\0' || *end == ',') && *score >= 0 &&
              *score <= 1;
    *p = *end == ',' ? end + 1 : end;
    return ok;
}

vd_status vd_problem_check_thresholds(const char *list, vd_err *err) {
    int kind = 0;
    double score = 0;
    for (const char *p = list; *p != '\0';) {
        const char *at = p;
        if (!next_pair(&p, &kind, &score))
            return vd_fail(
                err, VD_E_ARG,
                "--threshold '%.*s' is not KIND=SCORE with a known kind and a score of 0 to 1",
                (int)VD_MIN(strcspn(at, ","), 60), at);
    }
    return VD_OK;
}

double vd_problem_threshold(int i, const char *list) {
    double out = vd_problem_kinds[i].threshold, score = 0;
    int kind = 0;
    for (const char *p = list != NULL ? list : ""; *p != '\0';)
        if (next_pair(&p, &kind, &score) && kind == i)
            out = score;
        else if (kind < 0)
            break;
    return out;
}

/* The tables that scores and evidence read. */
#define FROM_FACTS                                                                                       \
    " FROM asset a JOIN fact_check c ON c.asset_id = a.id LEFT JOIN fact_measure m ON m.asset_id = a.id" \
    " LEFT JOIN fact_duplicates d ON d.asset_id = a.id WHERE a.state = 'present'"

void vd_problem_select(int i, double threshold, const char *condition, vd_str *sql) {
    const vd_problem_kind *k = &vd_problem_kinds[i];
    vd_str_addf(sql,
                "SELECT '%s' AS kind, a.id AS asset_id, %s AS score, %s AS evidence" FROM_FACTS
                " AND (%s) < ",
                k->key, k->score, k->evidence, k->score);
    vd_str_num(sql, threshold);
    if (condition != NULL) vd_str_addf(sql, " AND %s", condition);
}

static vd_status set_number(vd_run *run, const char *name, double v, vd_err *err) {
    vd_str s = { 0 };
    vd_str_num(&s, v);
    vd_status st = vd_str_check(&s, err);
    if (st == VD_OK) st = vd_run_state_set(run, name, s.data, err);
    vd_str_reset(&s);
    return st;
}

/* CleanVision's odd_size needs the quartiles of sqrt(width * height); the threshold is 0.5 with a
 * gap between the fences and "anything else" without one (all pictures of one size), which the tiny
 * gap stands for. */
static vd_status measure_dataset(vd_run *run, vd_err *err) {
    vd_status st = VD_OK;
    vd_stmt *s = NULL;
    double *size = NULL, q1 = 0, q3 = 0;
    int64_t n = 0, cap = 0, dated = 0;
    bool row = true;
    VD_GO(vd_db_prepare(
        &s, vd_dataset_db(run->ds),
        "SELECT c.width, c.height, c.taken_at IS NOT NULL FROM fact_check c JOIN asset a ON"
        " a.id = c.asset_id WHERE a.kind = 'image' AND a.state = 'present' AND c.width > 0",
        true, err));
    for (;;) {
        VD_GO(vd_stmt_step(s, &row, err));
        if (!row) break;
        VD_GO(VD_GROW(size, cap, n + 1, err));
        size[n++] = sqrt(vd_stmt_real(s, 0) * vd_stmt_real(s, 1));
        dated += vd_stmt_int(s, 2);
    }
    if (n > 0) vd_score_quartiles(&q1, &q3, size, n);
    double gap = 7 * (q3 - q1); /* the fences lie 3 interquartile ranges outside */
    VD_GO(set_number(run, "size_middle", (q1 + q3) / 2, err));
    VD_GO(set_number(run, "size_gap", gap > 0 ? gap : 1e-3, err));
    VD_GO(set_number(run, "dated_share", n > 0 ? (double)dated / (double)n : 0, err));
done:
    vd_stmt_free(s);
    vd_mem_free(size);
    return st;
}

/* One look at every asset tells which kinds apply to it, as bits; only those few are then worded.
 */
static vd_status open_masks(vd_run *run, vd_stmt **out, vd_err *err) {
    vd_str sql = { 0 };
    vd_str_add(&sql, "SELECT a.id, 0");
    for (int i = 0; i < vd_n_problem_kinds; i++) {
        vd_str_addf(&sql, " | (coalesce((%s) < ", vd_problem_kinds[i].score);
        vd_str_num(&sql, vd_problem_threshold(i, run->opt->thresholds));
        vd_str_addf(&sql, ", 0) << %d)", i);
    }
    vd_str_add(&sql, FROM_FACTS);
    vd_status st = vd_str_check(&sql, err);
    if (st == VD_OK) st = vd_db_prepare(out, vd_dataset_db(run->ds), sql.data, true, err);
    vd_str_reset(&sql);
    return st;
}

enum { MAX_KINDS = 62 }; /* bits of a mask */

static vd_status open_inserts(vd_run *run, vd_stmt **out, vd_err *err) {
    vd_status st = VD_OK;
    vd_str sql = { 0 };
    for (int i = 0; st == VD_OK && i < vd_n_problem_kinds; i++) {
        vd_str_clear(&sql);
        vd_str_add(&sql, "INSERT INTO problem(kind, asset_id, score, evidence) ");
        vd_problem_select(i, vd_problem_threshold(i, run->opt->thresholds), "a.id = ?1", &sql);
        st = vd_str_check(&sql, err);
        if (st == VD_OK) st = vd_db_prepare(&out[i], vd_dataset_db(run->ds), sql.data, true, err);
    }
    vd_str_reset(&sql);
    return st;
}

static vd_status refresh_all(vd_run *run, vd_err *err) {
    vd_status st = VD_OK;
    vd_stmt *masks = NULL, *insert[MAX_KINDS] = { 0 };
    bool row = true;
    if (vd_n_problem_kinds > MAX_KINDS)
        return vd_fail(err, VD_E_INTERNAL, "problems: more than %d kinds", MAX_KINDS);
    VD_GO(vd_db_exec(vd_dataset_db(run->ds), "DELETE FROM problem", err));
    VD_GO(measure_dataset(run, err));
    VD_GO(open_masks(run, &masks, err));
    VD_GO(open_inserts(run, insert, err));
    for (;;) {
        VD_GO(vd_stmt_step(masks, &row, err));
        if (!row) break;
        const vd_value id[] = { vd_stmt_value(masks, 0) };
        int64_t mask = vd_stmt_int(masks, 1);
        for (int i = 0; mask != 0; i++, mask >>= 1)
            if (mask & 1) VD_GO(vd_stmt_run(insert[i], id, 1, err));
    }
done:
    vd_stmt_free(masks);
    for (int i = 0; i < MAX_KINDS; i++) vd_stmt_free(insert[i]);
    return st;
}

vd_status vd_problems_touch(vd_run *run, vd_err *err) {
    return vd_run_state_set(run, "problems_key", "", err);
}

vd_status vd_problems_refresh(vd_run *run, vd_err *err) {
    vd_status st = VD_OK;
    vd_str old = { 0 }, now = { 0 };
    vd_db *db = vd_dataset_db(run->ds);
    vd_str_add(&now, "1;");
    for (int i = 0; i < vd_n_problem_kinds; i++) {
        vd_str_addf(&now, "%s=", vd_problem_kinds[i].key);
        vd_str_num(&now, vd_problem_threshold(i, run->opt->thresholds));
        vd_str_addc(&now, ';');
    }
    VD_GO(vd_str_check(&now, err));
    VD_GO(vd_run_state_get(run, "problems_key", &old, err));
    if (strcmp(vd_str_text(&old), now.data) == 0) goto done;
    VD_GO(vd_db_begin(db, err));
    VD_GO(refresh_all(run, err));
    VD_GO(vd_run_state_set(run, "problems_key", now.data, err));
    VD_GO(vd_db_commit(db, err));
done:
    if (st != VD_OK) vd_db_rollback(db);
    vd_str_reset(&old);
    vd_str_reset(&now);
    return st;
}
