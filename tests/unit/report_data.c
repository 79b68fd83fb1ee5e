/* The report's data against a catalog of known content; hostile names; percentiles against sorting.
 * SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "base/mem.h"
#include "base/path.h"
#include "report/data.h"
#include "stage/stages.h"
#include "json_at.h"

enum { N = 3000 };

static const char EVIL[] = "/x/</script><script>alert(1)</script>\"'&<!-- \xff\n.jpg";

static double noise_of(int i) {
    return exp(0.001 * i) - 0.9;
} /* 0.1 .. 19 */

static vd_status fill(vd_db *db, vd_err *err) {
    vd_status st = VD_OK;
    vd_stmt *asset = NULL, *check = NULL, *measure = NULL, *problem = NULL;
    VD_GO(vd_db_begin(db, err));
    VD_GO(vd_db_prepare(&asset, db,
                        "INSERT INTO asset(id, uri, kind, size) VALUES(?1, ?2, 'image', 1000)",
                        true, err));
    VD_GO(vd_db_prepare(
        &check, db,
        "INSERT INTO fact_check(asset_id, key, verdict, format, width, height, camera,"
        " latitude, longitude, taken_at) VALUES(?1, 1, 'ok', 'jpeg', 640, 480, ?2, ?3, ?4, ?5)",
        true, err));
    VD_GO(vd_db_prepare(
        &measure, db,
        "INSERT INTO fact_measure(asset_id, key, noise, score_noisy) VALUES(?1, 1, ?2, ?3)", true,
        err));
    VD_GO(vd_db_prepare(
        &problem, db,
        "INSERT INTO problem(kind, asset_id, score, evidence) VALUES('noisy', ?1, ?2, ?3)", true,
        err));
    for (int i = 0; i < N; i++) {
        char uri[64], time[40];
        snprintf(uri, sizeof uri, "/x/%d.jpg", i);
        snprintf(time, sizeof time, "2026-05-01T%02d:%02d:00+02:00", i / 60 % 24, i % 60);
        const double noise = noise_of(i), score = 8 / (8 + noise);
        const vd_value a[] = { vd_val_int(i + 1), vd_val_text(i == N - 1 ? EVIL : uri) };
        const vd_value c[] = { vd_val_int(i + 1), vd_val_text(EVIL), vd_val_real(47 + i * 1e-5),
                               vd_val_real(8), vd_val_text(time) };
        const vd_value m[] = { vd_val_int(i + 1), vd_val_real(noise), vd_val_real(score) };
        const vd_value p[] = { vd_val_int(i + 1), vd_val_real(score), vd_val_text(EVIL) };
        VD_GO(vd_stmt_run(asset, a, 2, err));
        VD_GO(vd_stmt_run(check, c, 5, err));
        VD_GO(vd_stmt_run(measure, m, 3, err));
        if (score < 0.5) VD_GO(vd_stmt_run(problem, p, 3, err));
    }
    VD_GO(vd_db_exec(
        db,
        "INSERT INTO thumbnail(asset_id, jpeg) SELECT id, x'ffd8ff' FROM asset;"
        "INSERT INTO fact_duplicates(asset_id, key, near_group, near_keep, near_distance) VALUES"
        "(5, 1, 5, 1, 0), (6, 1, 5, 0, 9), (7, 1, 5, 0, 3)",
        err));
    VD_GO(vd_db_commit(db, err));
done:
    vd_stmt_free(asset);
    vd_stmt_free(check);
    vd_stmt_free(measure);
    vd_stmt_free(problem);
    return st;
}

static int occurrences(const char *text, const char *what) {
    int n = 0;
    for (const char *p = text; (p = strstr(p, what)) != NULL; p++) n++;
    return n;
}

typedef struct world {
    char dir[64];
    vd_dataset *ds;
    vd_str json;
} world;

static vd_status world_make(world *w, vd_err *err) {
    strcpy(w->dir, "/tmp/vidimus_report_XXXXXX");
    if (mkdtemp(w->dir) == NULL) return VD_E_IO;
    VD_TRY(vd_dataset_open(&w->ds, w->dir, VD_DB_CREATE, &vd_stage_schema, err));
    VD_TRY(fill(vd_dataset_db(w->ds), err));
    return vd_report_data(&w->json, w->ds, NULL, err);
}

static void world_free(world *w) {
    char command[128];
    vd_dataset_close(w->ds);
    vd_str_reset(&w->json);
    snprintf(command, sizeof command, "rm -rf '%s'", w->dir);
    if (system(command) != 0) fputs("rm\n", stderr);
}

T(data_tells_what_the_catalog_holds) {
    vd_err err = { 0 };
    world w = { .ds = NULL };
    T_OK(world_make(&w, &err));
    vd_db *db = vd_dataset_db(w.ds);
    const vd_str *j = &w.json;
    T_EQ(json_at(db, j, "$.totals.files"), N);
    T_EQ(json_at(db, j, "$.totals.bytes"), N * 1000);
    T_EQ(json_at(db, j, "$.map.n"), N);
    T_EQ(json_at(db, j, "$.groups.near.members"), 3);
    T_EQ(json_at(db, j, "$.groups.near.list[0].members[0].id"), 5);
    T_EQ(json_at(db, j, "$.groups.near.list[0].members[1].id"), 7); /* the nearer one first */
    T_EQ(sum_of(db, j, "$.timeline.bins"), N);
    int noisy = -1, metric = -1, flagged = 0;
    for (int i = 0; i < 40; i++) {
        char path[64];
        snprintf(path, sizeof path, "$.problems[%d].count", i);
        if (json_at(db, j, path) > 0) noisy = i;
        snprintf(path, sizeof path, "$.metrics[%d].median", i);
        if (fabs(json_at(db, j, path) - noise_of(N / 2)) < 0.1) metric = i;
    }
    for (int i = 0; i < N; i++) flagged += noise_of(i) > 8;
    T_NEED(noisy >= 0 && metric >= 0);
    char path[64];
    snprintf(path, sizeof path, "$.problems[%d].count", noisy);
    T_EQ(json_at(db, j, path), flagged);
    snprintf(path, sizeof path, "$.problems[%d].scores", noisy);
    T_EQ(sum_of(db, j, path), N);
    snprintf(path, sizeof path, "$.problems[%d].gallery[0].id", noisy);
    T_EQ(json_at(db, j, path), N); /* the noisiest comes first */
    snprintf(path, sizeof path, "$.problems[%d].gallery[23].id", noisy);
    T_EQ(json_at(db, j, path), N - 23);
    snprintf(path, sizeof path, "$.problems[%d].gallery[24].id", noisy);
    T_TRUE(isnan(json_at(db, j, path)));
    /* percentiles by sorting: values grow with i */
    snprintf(path, sizeof path, "$.metrics[%d].p95", metric);
    T_NEAR(json_at(db, j, path) / noise_of((int)(0.95 * (N - 1))), 1, 0.003);
    snprintf(path, sizeof path, "$.metrics[%d].p5", metric);
    T_NEAR(json_at(db, j, path) / noise_of((int)(0.05 * (N - 1))), 1, 0.003);
    snprintf(path, sizeof path, "$.metrics[%d].bins", metric);
    T_EQ(sum_of(db, j, path), N);
    snprintf(path, sizeof path, "$.metrics[%d].lines[0].value", metric); /* 8 / (8 + noise) < 0.5 */
    T_NEAR(json_at(db, j, path), 8, 1e-6);
    world_free(&w);
}

/* The catalog of `fill`, no longer uniform: frames, videos, assets that are gone, several formats,
 * cameras and sizes, and what is missing here and there. */
static const char MIXED[] =
    "UPDATE asset SET kind = CASE id % 7 WHEN 0 THEN 'frame' WHEN 1 THEN 'video' WHEN 2 THEN 'page'"
    " WHEN 3 THEN 'other' ELSE 'image' END, state = CASE WHEN id % 11 = 0 THEN 'vanished' ELSE"
    " 'present' END, size = id * 37 % 1000;"
    "UPDATE asset SET parent_id = id - 1 WHERE kind IN ('frame', 'page');"
    "UPDATE asset SET container_id = 3 WHERE id % 13 = 0;"
    "UPDATE fact_check SET verdict = CASE asset_id % 9 WHEN 0 THEN 'corrupt' WHEN 1 THEN 'animated'"
    " ELSE 'ok' END, format = CASE asset_id % 3 WHEN 0 THEN 'jpeg' WHEN 1 THEN 'mov' END, codec ="
    " CASE asset_id % 5 WHEN 0 THEN 'jpeg' WHEN 1 THEN 'h264' END, camera = CASE asset_id % 4 WHEN 0"
    " THEN NULL ELSE 'cam ' || asset_id % 4 END, lens = CASE asset_id % 2 WHEN 0 THEN 'lens' END,"
    " width = CASE asset_id % 17 WHEN 0 THEN NULL ELSE asset_id % 40 END, height = asset_id % 3;"
    "UPDATE fact_check SET taken_at = NULL, latitude = NULL WHERE asset_id % 19 = 0;"
    "DELETE FROM fact_check WHERE asset_id % 23 = 0;"
    "UPDATE fact_measure SET noise = NULL WHERE asset_id % 29 = 0";

#define THERE "FROM asset a LEFT JOIN fact_check c ON c.asset_id = a.id WHERE a.state = 'present'"
#define PICTURE " AND a.kind IN ('image', 'frame', 'page')"

/* What the survey counts in C, by SQL: each gives the rows of one member of the report. */
static const char *const by_sql[][2] = {
    { "SELECT value ->> 'verdict', value ->> 'count' FROM json_each(?1, '$.verdicts')",
      "SELECT coalesce(c.verdict, 'not checked'), count(*) " THERE
      " AND a.parent_id IS NULL GROUP BY 1" },
    { "SELECT value ->> 'format', value ->> 'count', value ->> 'bytes' FROM json_each(?1, '$.formats')",
      "SELECT coalesce(c.format || CASE WHEN c.codec <> c.format THEN ' (' || c.codec || ')' ELSE ''"
      " END, a.kind), count(*), sum(a.size) " THERE " AND a.parent_id IS NULL GROUP BY 1" },
    { "SELECT value ->> 'camera', value ->> 'lens', value ->> 'count' FROM json_each(?1, '$.cameras')",
      "SELECT c.camera, c.lens, count(*) " THERE " AND c.camera <> '' GROUP BY 1, 2" },
    { "SELECT value ->> 'width', value ->> 'height', value ->> 'count' FROM json_each(?1, '$.sizes')",
      "SELECT c.width, c.height, count(*) " THERE PICTURE
      " AND c.width > 0 GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 30" },
    { "SELECT ?1 ->> '$.totals.files', ?1 ->> '$.totals.photos', ?1 ->> '$.totals.videos',"
      " ?1 ->> '$.totals.frames', ?1 ->> '$.totals.pages', ?1 ->> '$.totals.other'",
      "SELECT sum(parent_id IS NULL), sum(kind = 'image'), sum(kind = 'video'), sum(kind = 'frame'),"
      " sum(kind = 'page'), sum(kind = 'other') FROM asset WHERE state = 'present'" },
    { "SELECT ?1 ->> '$.totals.bytes', ?1 ->> '$.totals.gps', ?1 ->> '$.totals.bad',"
      " ?1 ->> '$.totals.vanished', ?1 ->> '$.bad_total'",
      "SELECT sum(CASE WHEN a.parent_id IS NULL AND a.container_id IS NULL THEN a.size END),"
      " count(c.latitude), sum(c.verdict = 'corrupt'), (SELECT count(*) FROM asset WHERE state ="
      " 'vanished' AND parent_id IS NULL), sum(a.parent_id IS NULL AND c.verdict <> 'ok') " THERE },
    { "SELECT ?1 ->> '$.timeline.n', ?1 ->> '$.timeline.missing', (SELECT sum(value) FROM"
      " json_each(?1, '$.timeline.bins')), ?1 ->> '$.map.n', (SELECT sum(value ->> '$[2]') FROM"
      " json_each(?1, '$.map.cells')), ?1 ->> '$.map.lat1'",
      "SELECT count(c.taken_at), sum(c.taken_at IS NULL), count(c.taken_at), count(c.latitude),"
      " count(c.latitude), max(c.latitude) " THERE PICTURE },
};

/* How many rows the one statement gives and the other does not, either way round. */
static int64_t differing(vd_db *db, const vd_str *json, const char *const pair[2], vd_err *err) {
    vd_str sql = { 0 };
    vd_stmt *s = NULL;
    bool row = false;
    int64_t n = -1;
    vd_str_addf(
        &sql,
        "WITH told AS (SELECT * FROM (%s)), real AS (SELECT * FROM (%s)) SELECT (SELECT"
        " count(*) FROM (SELECT * FROM told EXCEPT SELECT * FROM real)) + (SELECT count(*) FROM"
        " (SELECT * FROM real EXCEPT SELECT * FROM told)), count(*) FROM told",
        pair[0], pair[1]);
    if (vd_db_prepare(&s, db, vd_str_text(&sql), true, err) == VD_OK) {
        vd_stmt_bind(s, 1, vd_val_text(json->data));
        if (vd_stmt_step(s, &row, err) == VD_OK && row && vd_stmt_int(s, 1) > 0)
            n = vd_stmt_int(s, 0);
    }
    vd_stmt_free(s);
    vd_str_reset(&sql);
    return n;
}

T(counts_are_those_of_plain_sql) {
    vd_err err = { 0 };
    world w = { .ds = NULL };
    vd_str json = { 0 };
    T_OK(world_make(&w, &err));
    vd_db *db = vd_dataset_db(w.ds);
    T_OK(vd_db_exec(db, MIXED, &err));
    T_OK(vd_report_data(&json, w.ds, NULL, &err));
    for (int i = 0; i < VD_COUNT(by_sql); i++) {
        int64_t n = differing(db, &json, by_sql[i], &err);
        if (n != 0) T_FAIL("member %d: %lld rows differ: %s", i, (long long)n, err.msg);
    }
    vd_str_reset(&json);
    world_free(&w);
}

T(pictures_read_once_or_twice_count_the_same) {
    vd_err err = { 0 };
    world w = { .ds = NULL };
    vd_str once = { 0 };
    T_OK(world_make(&w, &err));
    T_OK(vd_db_exec(vd_dataset_db(w.ds), MIXED, &err));
    T_OK(vd_report_data(&once, w.ds, NULL, &err));
    static const int64_t keep[] = { 0, 1000, 100000, 300000 }; /* none, few, some, most */
    for (int i = 0; i < VD_COUNT(keep); i++) {
        vd_report_opt o = VD_REPORT_OPT;
        vd_str twice = { 0 };
        o.keep_bytes = keep[i];
        T_OK(vd_report_data(&twice, w.ds, &o, &err));
        /* the first member is the time */
        T_STR(strchr(twice.data, ','), strchr(once.data, ','));
        vd_str_reset(&twice);
    }
    vd_str_reset(&once);
    world_free(&w);
}

T(page_survives_hostile_names) {
    vd_err err = { 0 };
    world w = { .ds = NULL };
    vd_str plain = { 0 }, page = { 0 };
    T_OK(world_make(&w, &err));
    T_OK(vd_report_page(&plain, "{}", &err));
    T_OK(vd_report_page(&page, w.json.data, &err));
    T_EQ(occurrences(page.data, "<script"), occurrences(plain.data, "<script"));
    T_EQ(occurrences(page.data, "</script"), occurrences(plain.data, "</script"));
    T_EQ(occurrences(page.data, "<!--"), occurrences(plain.data, "<!--"));
    T_TRUE(occurrences(page.data, "alert(1)") > 0); /* the name is there, as text */
    T_EQ(occurrences(page.data, "http://"), occurrences(plain.data, "http://"));
    T_EQ(json_at(vd_dataset_db(w.ds), &w.json, "$.bad_total"), 0); /* parses */
    T_EQ(occurrences(w.json.data, "\"scenes\""), 0);               /* nothing was reconstructed */
    T_EQ(occurrences(page.data, "VIDIMUS_INCLUDE"), 0);            /* the page has all its parts */
    T_EQ(occurrences(page.data, "const makeView3d ="), 1);
    T_EQ(occurrences(page.data, "const makeOrbit ="), 1);
    vd_str_reset(&plain);
    vd_str_reset(&page);
    world_free(&w);
}

T(thumbnails_stay_within_their_budget) {
    vd_err err = { 0 };
    world w = { .ds = NULL };
    T_OK(world_make(&w, &err));
    vd_report_opt o = VD_REPORT_OPT;
    o.thumb_bytes = 10; /* three of 3 bytes */
    vd_str json = { 0 };
    T_OK(vd_report_data(&json, w.ds, &o, &err));
    T_EQ(occurrences(json.data, "\"/9j/\""), 3); /* ff d8 ff */
    vd_str_reset(&json);
    world_free(&w);
    T_EQ(vd_mem_live(), 0);
}

T(report_survives_refused_memory) {
    vd_err err = { 0 };
    world w = { .ds = NULL };
    T_OK(world_make(&w, &err));
    for (int n = 0; n < 4000; n = n < 40 ? n + 1 : n + 97) {
        vd_err e = { 0 };
        vd_str json = { 0 };
        vd_mem_fail_at(n, false);
        vd_status st = vd_report_data(&json, w.ds, NULL, &e);
        bool hit = vd_mem_fail_clear();
        T_EQ(st, hit ? VD_E_NOMEM : VD_OK);
        vd_str_reset(&json);
        if (!hit) break;
    }
    world_free(&w);
    T_EQ(vd_mem_live(), 0);
}
