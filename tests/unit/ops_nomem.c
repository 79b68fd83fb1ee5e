/* Memory refused at the n-th request, ours and SQLite's, while operations run: each says so, leaks
 * nothing and leaves a dataset that the next run finishes. `step` strides over n so that the test
 * takes seconds; VIDIMUS_TEST_LONG=1 in the environment tries every n. SPDX-License-Identifier:
 * Apache-2.0 */
#include "t.h"

#include <sqlite3.h>

#include "base/clock.h"
#include "base/mem.h"
#include "unit/tmpdir.h"
#include "vidimus/vidimus.h"

#define TEXT(n, v)                                                                                 \
    { .name = (n), .text = (v) }
#define FLAG(n)                                                                                    \
    { .name = (n), .kind = VD_ARG_FLAG, .flag = true }
#define INT(n, v)                                                                                  \
    { .name = (n), .kind = VD_ARG_INT, .integer = (v) }

/* SQLite's allocator asks ours for permission. Sizes lie before each block, as xSize wants them. */
enum { HEAD = 16 };
static void *sq_malloc(int n) {
    if (vd_mem_refused()) return NULL;
    char *p = malloc((size_t)n + HEAD);
    if (p == NULL) return NULL;
    memcpy(p, &n, sizeof n);
    return p + HEAD;
}
static void sq_free(void *p) {
    if (p != NULL) free((char *)p - HEAD);
}
static void *sq_realloc(void *p, int n) {
    if (vd_mem_refused()) return NULL;
    char *q = realloc((char *)p - HEAD, (size_t)n + HEAD);
    if (q == NULL) return NULL;
    memcpy(q, &n, sizeof n);
    return q + HEAD;
}
static int sq_size(void *p) {
    int n = 0;
    if (p != NULL) memcpy(&n, (char *)p - HEAD, sizeof n);
    return n;
}
static int sq_roundup(int n) {
    return (n + 7) & ~7;
}
static int sq_init(void *p) {
    (void)p;
    return SQLITE_OK;
}
static void sq_shutdown(void *p) {
    (void)p;
}

__attribute__((constructor)) static void use_our_allocator(void) {
    static sqlite3_mem_methods m = { sq_malloc,  sq_free, sq_realloc,  sq_size,
                                     sq_roundup, sq_init, sq_shutdown, NULL };
    sqlite3_config(SQLITE_CONFIG_MALLOC, &m);
    sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0); /* every small block is asked for as well */
}

typedef struct call {
    const char *op;
    vd_arg_value a[7];
    int n;
} call;

static vd_status make_call(const call *c, vd_err *err) {
    vd_ctx *ctx = NULL;
    vd_result *r = NULL;
    vd_status st = vd_ctx_new(&ctx, NULL, err);
    if (st == VD_OK) st = vd_call(ctx, c->op, c->a, c->n, &r, err);
    vd_result_free(r);
    vd_ctx_free(ctx);
    return st;
}

/* Small pictures, a text and a tar: what add and run meet. */
static vd_status make_input(const t_dir *d, vd_err *err) {
    const call synth = { "synth",
                         { TEXT("out", t_dir_at(d, "in")), INT("views", 2), INT("width", 64),
                           INT("height", 64) },
                         4 };
    VD_TRY(make_call(&synth, err));
    char tar[2048] = { 0 };
    snprintf(tar, 100, "member.txt");
    snprintf(tar + 100, 156, "0000644%c0000000%c0000000%c00000000004%c00000000000", 0, 0, 0, 0);
    memcpy(tar + 257, "ustar\00000", 8);
    tar[156] = '0';
    memset(tar + 148, ' ', 8);
    unsigned sum = 0;
    for (int i = 0; i < 512; i++) sum += (unsigned char)tar[i];
    snprintf(tar + 148, 8, "%06o", sum);
    memcpy(tar + 512, "text", 4);
    t_dir_put(d, "in/shard.tar", tar, sizeof tar);
    t_dir_put(d, "in/words.txt", "words\n", 6);
    return VD_OK;
}

static void remove_tree(const char *path) {
    nftw(path, t_dir_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Refuses request n, n + step, ... of the call until it needs no more of them. `fresh` is a dataset
 * to delete before each try, or NULL. Returns how many tries were refused. */
static int64_t survive(t_case *t, const call *c, const char *fresh, bool sticky, int64_t step,
                       double limit_s) {
    int64_t refused = 0;
    vd_err err = { 0 };
    double end = vd_time_mono_s() + limit_s;
    for (int64_t n = 0;; n += step + n / 40) {
        if (fresh != NULL) remove_tree(fresh);
        int64_t before = vd_mem_live();
        err = (vd_err){ 0 };
        vd_mem_fail_at(n, sticky);
        vd_status st = make_call(c, &err);
        bool hit = vd_mem_fail_clear();
        if (vd_mem_live() != before)
            T_FAIL("%s: request %lld: %lld blocks leaked", c->op, (long long)n,
                   (long long)(vd_mem_live() - before));
        /* a refusal may be survived outright (a cache that is not made, a row that gets a verdict)
         */
        if (st != VD_OK && st != VD_E_NOMEM)
            T_FAIL("%s: request %lld: status %d: %s", c->op, (long long)n, st, err.msg);
        if (st == VD_E_NOMEM && err.msg[0] == '\0')
            T_FAIL("%s: request %lld: no message", c->op, (long long)n);
        if (st != VD_OK && !hit)
            T_FAIL("%s: request %lld: failed untouched: %s", c->op, (long long)n, err.msg);
        refused += hit;
        if (!hit || t->failures > 5) break;
        if (vd_time_mono_s() > end) {
            fprintf(stderr, "%s: stopped at request %lld\n", c->op, (long long)n);
            break;
        }
    }
    return refused;
}

static double limit_of(double s) {
    return getenv("VIDIMUS_TEST_LONG") != NULL ? 3600 : s;
}
static int64_t step_of(int64_t n) {
    return getenv("VIDIMUS_TEST_LONG") != NULL ? 1 : n;
}

static void check_dataset(t_case *t, const char *dataset, const char *in) {
    vd_err err = { 0 };
    const call run = { "run", { TEXT("path", in), TEXT("out", dataset), INT("jobs", 1) }, 3 };
    T_OK(make_call(&run, &err));
    char path[600];
    snprintf(path, sizeof path, "%s/catalog.db", dataset);
    sqlite3 *db = NULL;
    sqlite3_stmt *s = NULL;
    T_NEED(sqlite3_open(path, &db) == SQLITE_OK);
    T_EQ(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &s, NULL), SQLITE_OK);
    T_EQ(sqlite3_step(s), SQLITE_ROW);
    T_STR((const char *)sqlite3_column_text(s, 0), "ok");
    sqlite3_finalize(s);
    T_EQ(sqlite3_prepare_v2(
             db,
             "SELECT count(*) FROM asset_facts WHERE verdict IS NULL OR reason IN ('no_memory')",
             -1, &s, NULL),
         SQLITE_OK);
    T_EQ(sqlite3_step(s), SQLITE_ROW);
    T_EQ(sqlite3_column_int(s, 0), 0);
    sqlite3_finalize(s);
    sqlite3_close(db);
}

static void writers(t_case *t, const char *op, bool fresh, bool sticky, int64_t step,
                    double limit_s) {
    t_dir d = t_dir_new();
    vd_err err = { 0 };
    T_OK(make_input(&d, &err));
    const char *in = t_dir_at(&d, "in"), *dataset = t_dir_at(&d, "d.vidimus");
    const call c = { op, { TEXT("path", in), TEXT("out", dataset), INT("jobs", 1) }, 3 };
    int64_t refused =
        survive(t, &c, fresh ? dataset : NULL, sticky, step_of(step), limit_of(limit_s));
    if (refused < 20) T_FAIL("%s: only %lld tries were refused", op, (long long)refused);
    check_dataset(t, dataset, in);
    t_dir_free(&d);
}

T(add_survives_one_refusal) {
    writers(t, "add", true, false, 7, 8);
}
T(add_survives_no_memory_at_all) {
    writers(t, "add", true, true, 7, 8);
}
T(run_survives_one_refusal) {
    writers(t, "run", true, false, 61, 12);
}
T(run_survives_no_memory_at_all) {
    writers(t, "run", true, true, 61, 12);
}
T(a_run_resumed_after_each_refusal_ends_well) {
    writers(t, "run", false, false, 17, 10);
}

static void make_model(const t_dir *d) {
    static const char cameras[] = "1 PINHOLE 64 64 50 50 32 32\n",
                      images[] = "1 1 0 0 0 0 0 0 1 view_001.jpg\n3 4 1\n"
                                 "2 1 0 0 0 5 0 1 1 view_002.jpg\n5 6 1 7 8 -1\n",
                      points[] = "1 0 0 9 1 2 3 0.5 1 0 2 0\n";
    t_dir_put(d, "m/cameras.txt", cameras, sizeof cameras - 1);
    t_dir_put(d, "m/images.txt", images, sizeof images - 1);
    t_dir_put(d, "m/points3D.txt", points, sizeof points - 1);
}

static void make_tracks(const t_dir *d) {
    static const char truth[] = "1,1,0,0,9,9,1,1\n2,1,0,0,9,9,1,1\n", info[] = "seqLength=40\n";
    t_dir_put(d, "gt/s/gt/gt.txt", truth, sizeof truth - 1);
    t_dir_put(d, "gt/s/seqinfo.ini", info, sizeof info - 1);
    t_dir_put(d, "gt/left_out/gt/gt.txt", truth, sizeof truth - 1);
    t_dir_put(d, "tracks/s.txt", truth, sizeof truth - 1);
}

static void make_judged(const t_dir *d) {
    static const char boxes[] = "{\"images\":[{\"id\":5,\"width\":9,\"height\":9}],"
                                "\"categories\":[{\"id\":3,\"name\":\"cat\"}],\"annotations\":"
                                "[{\"id\":1,\"image_id\":5,\"category_id\":3,\"bbox\":[0,0,4,4]}]}",
                      results[] =
                          "[{\"image_id\":5,\"category_id\":3,\"score\":1,\"bbox\":[0,0,4,3]}]",
                      labels[] = "file,label\na,x\nb,y\n", map[] = "P5 2 2 255\n\0\1\1\2";
    t_dir_put(d, "boxes.json", boxes, sizeof boxes - 1);
    t_dir_put(d, "results.json", results, sizeof results - 1);
    t_dir_put(d, "labels.csv", labels, sizeof labels - 1);
    t_dir_put(d, "map.pgm", map, sizeof map - 1);
}

static void survive_all(t_case *t, const call *c, int n) {
    for (int i = 0; i < n; i++) {
        vd_err err = { 0 };
        vd_status st = make_call(&c[i], &err);
        if (st != VD_OK) T_FAIL("%s: %d: %s", c[i].op, st, err.msg);
        for (int sticky = 0; sticky < 2; sticky++)
            survive(t, &c[i], NULL, sticky != 0, step_of(11), limit_of(2));
    }
}

T(judges_survive) {
    t_dir d = t_dir_new();
    make_judged(&d);
    const char *boxes = t_dir_at(&d, "boxes.json"), *results = t_dir_at(&d, "results.json");
    const char *labels = t_dir_at(&d, "labels.csv"), *map = t_dir_at(&d, "map.pgm");
    const call c[] = {
        { "eval detection",
          { TEXT("truth", boxes), TEXT("pred", results), INT("bootstrap", 2), INT("jobs", 1) },
          4 },
        { "eval detection",
          { TEXT("truth", boxes), TEXT("pred", results), TEXT("compare", results), INT("jobs", 1) },
          4 },
        { "eval classification",
          { TEXT("truth", labels), TEXT("pred", labels), INT("bootstrap", 2), INT("jobs", 1) },
          4 },
        { "eval segmentation",
          { TEXT("truth", map), TEXT("pred", map), INT("bootstrap", 2), INT("jobs", 1) },
          4 },
    };
    survive_all(t, c, VD_COUNT(c));
    t_dir_free(&d);
}

/* A truth and results for two pictures of the dataset, one of them no asset; one confused object.
 */
static void make_kept(const t_dir *d) {
    static const char boxes[] =
        "{\"images\":[{\"id\":5,\"width\":64,\"height\":64,\"file_name\":\"view_001.jpg\"},"
        "{\"id\":6,\"width\":64,\"height\":64,\"file_name\":\"none.jpg\"}],\"categories\":"
        "[{\"id\":3,\"name\":\"cat\"},{\"id\":4,\"name\":\"dog\"}],\"annotations\":"
        "[{\"id\":1,\"image_id\":5,\"category_id\":3,\"bbox\":[0,0,4,4],\"segmentation\":"
        "[[0,0,4,0,4,4]]},{\"id\":2,\"image_id\":5,\"category_id\":4,\"bbox\":[9,9,5,5]},"
        "{\"id\":3,\"image_id\":6,\"category_id\":3,\"bbox\":[0,0,4,4]}]}",
                      results[] =
                          "[{\"image_id\":5,\"category_id\":3,\"score\":1,\"bbox\":[0,0,4,3]},"
                          "{\"image_id\":5,\"category_id\":3,\"score\":0.5,\"bbox\":[9,9,5,5]}]",
                      labels[] = "file,label\nview_001.jpg,x\nview_002.jpg,y\n",
                      guesses[] = "file,label\nview_001.jpg,x\nview_002.jpg,x\n",
                      map[] = "P5 2 2 255\n\0\1\1\2";
    t_dir_put(d, "boxes.json", boxes, sizeof boxes - 1);
    t_dir_put(d, "results.json", results, sizeof results - 1);
    t_dir_put(d, "labels.csv", labels, sizeof labels - 1);
    t_dir_put(d, "guesses.csv", guesses, sizeof guesses - 1);
    t_dir_put(d, "maps/view_001.pgm", map, sizeof map - 1);
}

T(evaluations_survive) {
    t_dir d = t_dir_new();
    vd_err err = { 0 };
    T_OK(make_input(&d, &err));
    make_kept(&d);
    char data[512], boxes[512], results[512], labels[512], guesses[512], maps[512];
    snprintf(data, sizeof data, "%s", t_dir_at(&d, "d.vidimus"));
    snprintf(boxes, sizeof boxes, "%s", t_dir_at(&d, "boxes.json"));
    snprintf(results, sizeof results, "%s", t_dir_at(&d, "results.json"));
    snprintf(labels, sizeof labels, "%s", t_dir_at(&d, "labels.csv"));
    snprintf(guesses, sizeof guesses, "%s", t_dir_at(&d, "guesses.csv"));
    snprintf(maps, sizeof maps, "%s", t_dir_at(&d, "maps"));
    const call before[] = {
        { "run", { TEXT("path", t_dir_at(&d, "in")), TEXT("out", data), INT("jobs", 1) }, 3 },
        { "import", { TEXT("dataset", data), TEXT("path", boxes), TEXT("name", "gt") }, 3 },
        { "import", { TEXT("dataset", data), TEXT("path", results), TEXT("name", "dt") }, 3 },
    };
    for (int i = 0; i < VD_COUNT(before); i++) T_OK(make_call(&before[i], &err));
    const call c[] = {
        { "eval detection",
          { TEXT("dataset", data), TEXT("truth", boxes), TEXT("pred", results), TEXT("keep", "a"),
            TEXT("by", "width"), TEXT("by", "uri:1"), INT("jobs", 1) },
          7 },
        { "eval detection",
          { TEXT("dataset", data), TEXT("truth-set", "gt"), TEXT("pred-set", "dt"),
            TEXT("type", "segm"), TEXT("by", "object_area"), INT("bootstrap", 2), INT("jobs", 1) },
          7 },
        { "eval classification",
          { TEXT("dataset", data), TEXT("truth", labels), TEXT("pred", guesses), TEXT("keep", "b"),
            TEXT("by", "width"), INT("bootstrap", 2), INT("jobs", 1) },
          7 },
        { "eval classification",
          { TEXT("dataset", data), TEXT("truth-set", "gt"), TEXT("pred-set", "gt"),
            INT("jobs", 1) },
          4 },
        { "eval segmentation",
          { TEXT("dataset", data), TEXT("truth", maps), TEXT("pred", maps), TEXT("keep", "c"),
            TEXT("by", "width"), INT("bootstrap", 2), INT("jobs", 1) },
          7 },
        { "eval worst", { TEXT("dataset", data), TEXT("name", "a"), TEXT("where", "1") }, 3 },
        { "report", { TEXT("dataset", data), TEXT("out", t_dir_at(&d, "r.html")) }, 2 },
    };
    survive_all(t, c, VD_COUNT(c));
    t_dir_free(&d);
}

T(readers_survive) {
    t_dir d = t_dir_new();
    vd_err err = { 0 };
    T_OK(make_input(&d, &err));
    const char *dataset = t_dir_at(&d, "d.vidimus"), *page = t_dir_at(&d, "r.html");
    const call run = { "run",
                       { TEXT("path", t_dir_at(&d, "in")), TEXT("out", dataset), INT("jobs", 1) },
                       3 };
    T_OK(make_call(&run, &err));
    const char *model = t_dir_at(&d, "m"), *truth = t_dir_at(&d, "in");
    const char *gt = t_dir_at(&d, "gt"), *tracks = t_dir_at(&d, "tracks");
    make_model(&d);
    make_tracks(&d);
    const call c[] = {
        { "eval tracking",
          { TEXT("truth", gt), TEXT("pred", tracks), INT("jobs", 1), INT("bootstrap", 5) },
          4 },
        { "eval poses", { TEXT("model", model), TEXT("truth", truth) }, 2 },
        { "compare", { TEXT("a", model), TEXT("b", model) }, 2 },
        { "list",
          { TEXT("dataset", dataset), TEXT("where", "width > 0"), TEXT("sort", "uri") },
          3 },
        { "issues", { TEXT("dataset", dataset) }, 1 },
        { "groups", { TEXT("dataset", dataset) }, 1 },
        { "sql",
          { TEXT("dataset", dataset),
            TEXT("query", "SELECT uri, width FROM asset_facts ORDER BY 1") },
          2 },
        { "show", { TEXT("dataset", dataset), TEXT("asset", "1") }, 2 },
        { "status", { TEXT("dataset", dataset) }, 1 },
        { "tag", { TEXT("dataset", dataset), TEXT("where", "1"), TEXT("change", "+x") }, 3 },
        { "report", { TEXT("dataset", dataset), TEXT("out", page) }, 2 },
        { "import", { TEXT("dataset", dataset), TEXT("path", model) }, 2 },
        { "scenes", { TEXT("dataset", dataset) }, 1 },
        { "export", { TEXT("dataset", dataset), TEXT("out", t_dir_at(&d, "out")) }, 2 },
        { "reference", { { 0 } }, 0 },
    };
    survive_all(t, c, VD_COUNT(c));
    t_dir_free(&d);
}

/* Labels of the pictures and predictions for them, with something wrong of many kinds. */
static void make_labels(const char *labels, const char *guesses) {
    FILE *f = fopen(labels, "w");
    if (f == NULL) return;
    fprintf(f,
            "{\"images\":[{\"id\":1,\"file_name\":\"view_000.jpg\",\"width\":64,\"height\":48},"
            "{\"id\":2,\"file_name\":\"view_000.jpg\",\"width\":9,\"height\":9}],\"categories\":["
            "{\"id\":1,\"name\":\"car\"},{\"id\":2,\"name\":\"Car \"},{\"id\":3,\"name\":\"dog\"}],"
            "\"annotations\":[");
    for (int i = 0; i < 6; i++)
        fprintf(f,
                "%s{\"id\":%d,\"image_id\":%d,\"category_id\":%d,\"bbox\":[%d,5,20,%d],"
                "\"segmentation\":[[1,1,9,9,9,1,1,9]]}",
                i > 0 ? "," : "", i + 1, 1 + i % 2, 1 + i % 3, i < 4 ? 4 : -15, i % 5 * 10);
    fprintf(f, "]}");
    fclose(f);
    f = fopen(guesses, "w");
    if (f == NULL) return;
    fprintf(f, "[{\"image_id\":1,\"category_id\":3,\"bbox\":[4,5,20,10],\"score\":0.9},"
               "{\"image_id\":1,\"category_id\":1,\"bbox\":[40,25,20,10],\"score\":0.8}]");
    fclose(f);
}

T(label_checks_survive) {
    t_dir d = t_dir_new();
    vd_err err = { 0 };
    T_OK(make_input(&d, &err));
    char dataset[512], labels[512], guesses[512];
    snprintf(dataset, sizeof dataset, "%s", t_dir_at(&d, "d.vidimus"));
    snprintf(labels, sizeof labels, "%s", t_dir_at(&d, "truth.json"));
    snprintf(guesses, sizeof guesses, "%s", t_dir_at(&d, "guess.json"));
    make_labels(labels, guesses);
    const call first[] = {
        { "add", { TEXT("path", t_dir_at(&d, "in")), TEXT("out", dataset) }, 2 },
        { "import", { TEXT("dataset", dataset), TEXT("path", labels) }, 2 },
        { "import", { TEXT("dataset", dataset), TEXT("path", guesses) }, 2 },
    };
    for (int i = 0; i < VD_COUNT(first); i++) T_OK(make_call(&first[i], &err));
    const call c[] = {
        { "issues",
          { TEXT("dataset", dataset), FLAG("labels"), TEXT("set", "truth"), TEXT("pred", "guess") },
          4 },
        { "issues",
          { TEXT("dataset", dataset), FLAG("labels"), TEXT("set", "truth"),
            TEXT("where", "id > 0") },
          4 },
    };
    survive_all(t, c, VD_COUNT(c));
    t_dir_free(&d);
}

/* Choosing, splitting and freezing. */
T(curation_survives) {
    t_dir d = t_dir_new();
    vd_err err = { 0 };
    T_OK(make_input(&d, &err));
    make_kept(&d);
    char dataset[512], cert[512], classes[512], boxes[512], others[512];
    snprintf(dataset, sizeof dataset, "%s", t_dir_at(&d, "d.vidimus"));
    snprintf(cert, sizeof cert, "%s", t_dir_at(&d, "c.json"));
    snprintf(classes, sizeof classes, "%s", t_dir_at(&d, "classes.json"));
    snprintf(boxes, sizeof boxes, "%s", t_dir_at(&d, "boxes.json"));
    snprintf(others, sizeof others, "%s", t_dir_at(&d, "results.json"));
    const call run = { "run",
                       { TEXT("path", t_dir_at(&d, "in")), TEXT("out", dataset), INT("jobs", 1) },
                       3 };
    T_OK(make_call(&run, &err));
    const call c[] = {
        { "split",
          { TEXT("dataset", dataset), TEXT("parts", "60/40"), TEXT("certificate", cert),
            TEXT("by", "scene,duplicates,session,folder,view_([0-9])") },
          4 },
        { "split", { TEXT("dataset", dataset), TEXT("verify", cert), TEXT("by", "") }, 3 },
        { "select", { TEXT("dataset", dataset), INT("count", 2), TEXT("tag", "x") }, 3 },
        { "select", { TEXT("dataset", dataset), INT("count", 2), TEXT("by", "coverage") }, 3 },
        { "select",
          { TEXT("dataset", dataset), INT("count", 2), TEXT("by", "balance"),
            TEXT("per", "format") },
          4 },
        { "import",
          { TEXT("dataset", dataset),
            TEXT("path", others),
            TEXT("name", "dt"),
            { .name = "replace", .kind = VD_ARG_FLAG, .flag = true } },
          4 },
        { "split",
          { TEXT("dataset", dataset), TEXT("parts", "60/40"), TEXT("certificate", classes),
            TEXT("by", "scene,overlap,duplicates"), TEXT("stratify", "class"), TEXT("labels", "gt"),
            TEXT("vectors", "none") },
          7 },
        { "split", { TEXT("dataset", dataset), TEXT("verify", classes) }, 2 },
        { "select",
          { TEXT("dataset", dataset), INT("count", 2), TEXT("by", "balance"), TEXT("per", "class"),
            TEXT("labels", "gt") },
          5 },
        { "card", { TEXT("dataset", dataset), TEXT("out", t_dir_at(&d, "card.html")) }, 2 },
        { "snapshot", { TEXT("dataset", dataset) }, 1 },
        { "diff", { TEXT("dataset", dataset), TEXT("a", "first") }, 2 },
    };
    const call first = { "snapshot", { TEXT("dataset", dataset), TEXT("name", "first") }, 2 };
    const call labels[] = {
        { "import", { TEXT("dataset", dataset), TEXT("path", boxes), TEXT("name", "gt") }, 3 },
        { "import", { TEXT("dataset", dataset), TEXT("path", boxes), TEXT("name", "dt") }, 3 },
    };
    for (int i = 0; i < VD_COUNT(labels); i++) T_OK(make_call(&labels[i], &err));
    T_OK(make_call(&first, &err));
    for (int i = 0; i < VD_COUNT(c); i++) {
        err = (vd_err){ 0 };
        vd_status st = make_call(&c[i], &err);
        if (st != VD_OK) T_FAIL("%s: %d: %s", c[i].op, st, err.msg);
        for (int sticky = 0; sticky < 2; sticky++)
            survive(t, &c[i], NULL, sticky != 0, step_of(11), limit_of(2));
    }
    t_dir_free(&d);
}

/* A dataset with labels, exported as each kind of thing; nothing half is ever there. */
T(exports_of_datasets_survive) {
    static const char boxes[] =
        "{\"images\":[{\"id\":1,\"file_name\":\"view_001.jpg\",\"width\":64,\"height\":64}],"
        "\"categories\":[{\"id\":3,\"name\":\"cat\"}],\"annotations\":[{\"id\":1,\"image_id\":1,"
        "\"category_id\":3,\"bbox\":[0,0,4,4],\"segmentation\":[[0,0,4,0,4,4]]}]}";
    t_dir d = t_dir_new();
    vd_err err = { 0 };
    T_OK(make_input(&d, &err));
    t_dir_put(&d, "boxes.json", boxes, sizeof boxes - 1);
    const char *in = t_dir_at(&d, "in"), *dataset = t_dir_at(&d, "d.vidimus");
    const char *out = t_dir_at(&d, "out"), *partial = t_dir_at(&d, "out.partial");
    const call prepare[] = {
        { "run",
          { TEXT("path", in), TEXT("out", dataset), INT("jobs", 1), TEXT("only", "add,check") },
          4 },
        { "import",
          { TEXT("dataset", dataset), TEXT("path", t_dir_at(&d, "boxes.json")),
            TEXT("name", "gt") },
          3 },
        { "snapshot", { TEXT("dataset", dataset), TEXT("name", "v1") }, 2 },
    };
    for (int i = 0; i < VD_COUNT(prepare); i++) T_OK(make_call(&prepare[i], &err));
    static const char *const formats[] = { "yolo", "webdataset", "parquet", "imagefolder" };
    for (int i = 0; i < VD_COUNT(formats); i++) {
        const call c = { "export",
                         { TEXT("dataset", dataset), TEXT("format", formats[i]), TEXT("out", out),
                           TEXT("snapshot", "v1"), INT("resize", 32), INT("jobs", 1) },
                         6 };
        for (int sticky = 0; sticky < 2; sticky++) {
            int64_t refused = survive(t, &c, out, sticky != 0, step_of(13), limit_of(4));
            if (refused < 20) T_FAIL("%s: only %lld refused", formats[i], (long long)refused);
            T_TRUE(access(partial, F_OK) != 0);
        }
    }
    t_dir_free(&d);
}
