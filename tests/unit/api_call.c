/* The public C interface as another program meets it: calls by name with typed arguments, errors,
 * results column by column by the Arrow C stream, taken apart by hand after its specification
 * (https://arrow.apache.org/docs/format/CDataInterface.html), progress and cancelling.
 * SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include <pthread.h>

#include "base/mem.h"
#include "unit/tmpdir.h"
#include "vidimus/arrow.h"
#include "vidimus/vidimus.h"

#define TEXT(n, v)                                                                                 \
    { .name = (n), .text = (v) }
#define INT(n, v)                                                                                  \
    { .name = (n), .kind = VD_ARG_INT, .integer = (v) }

/* Renders a few pictures below the scratch folder and runs the main job over them. */
static vd_status make(const t_dir *d, vd_ctx *ctx, const char **dataset, vd_err *err) {
    const char *in = t_dir_at(d, "in");
    *dataset = t_dir_at(d, "d.vidimus");
    const vd_arg_value s[] = { TEXT("out", in), INT("views", 4), INT("width", 160),
                               INT("height", 120), INT("defects", 1) };
    const vd_arg_value r[] = { TEXT("path", in), TEXT("out", *dataset), INT("jobs", 2) };
    vd_result *got = NULL;
    vd_status st = vd_call(ctx, "synth", s, VD_COUNT(s), &got, err);
    vd_result_free(got);
    got = NULL;
    if (st == VD_OK) st = vd_call(ctx, "run", r, VD_COUNT(r), &got, err);
    vd_result_free(got);
    return st;
}

static bool bit(const void *bits, int64_t i) {
    return ((const uint8_t *)bits)[i / 8] >> (i % 8) & 1;
}

/* Whether cell i is there; a missing bitmap means that all are. */
static bool valid(const struct ArrowArray *a, int64_t i) {
    return a->buffers[0] == NULL || bit(a->buffers[0], a->offset + i);
}

static int child_index(const struct ArrowSchema *s, const char *name) {
    for (int64_t i = 0; i < s->n_children; i++)
        if (strcmp(s->children[i]->name, name) == 0) return (int)i;
    return -1;
}

static void text_at(const struct ArrowArray *a, int64_t i, char *out, size_t cap) {
    const int32_t *at = a->buffers[1];
    const char *bytes = a->buffers[2];
    snprintf(out, cap, "%.*s", (int)(at[i + 1] - at[i]), bytes + at[i]);
}

T(errors_name_what_is_wrong) {
    vd_err err = { 0 };
    vd_ctx *ctx = NULL;
    vd_result *r = NULL;
    int64_t before = vd_mem_live();
    T_OK(vd_ctx_new(&ctx, NULL, &err));
    T_EQ(vd_call(ctx, "fly", NULL, 0, &r, &err), VD_E_NOTFOUND);
    T_TRUE(strstr(err.msg, "fly") != NULL);
    const struct {
        vd_arg_value a[3];
        int n;
        vd_status want;
        const char *words;
    } c[] = {
        { { TEXT("dataset", "/nowhere/at.all") }, 1, VD_E_NOTFOUND, "/nowhere/at.all" },
        { { TEXT("dataset", "x"), TEXT("colour", "red") }, 2, VD_E_ARG, "colour" },
        { { TEXT("dataset", "x"), TEXT("limit", "many") }, 2, VD_E_ARG, "limit" },
        { { TEXT("dataset", "x"), INT("limit", -5) }, 2, VD_E_ARG, "limit" },
        { { TEXT(NULL, "x") }, 1, VD_E_ARG, "name" },
        { { { .name = "dataset", .kind = (vd_arg_kind)77 } }, 1, VD_E_ARG, "dataset" },
        { { TEXT("where", "1") }, 1, VD_E_ARG, "dataset" },
    };
    for (int i = 0; i < VD_COUNT(c); i++) {
        err = (vd_err){ 0 };
        T_EQ(vd_call(ctx, "list", c[i].a, c[i].n, &r, &err), c[i].want);
        if (strstr(err.msg, c[i].words) == NULL) T_FAIL("case %d: '%s'", i, err.msg);
        T_TRUE(r == NULL); /* outputs stay untouched */
    }
    T_EQ(vd_call(ctx, "list", c[0].a, 1, &r, NULL), VD_E_NOTFOUND); /* no error wanted */
    vd_ctx_free(ctx);
    vd_ctx_free(NULL);
    vd_result_free(NULL);
    T_EQ(vd_mem_live(), before);
}

T(every_operation_describes_itself) {
    vd_err err = { 0 };
    int n = 0;
    for (const char *name; (name = vd_op_name(n)) != NULL; n++) {
        char *json = NULL;
        T_OK(vd_op_describe(name, &json, &err));
        T_TRUE(json[0] == '{' && strstr(json, name) != NULL && strstr(json, "summary") != NULL);
        vd_text_free(json);
    }
    T_TRUE(n >= 12);
    T_TRUE(vd_op_name(-1) == NULL);
    char *json = NULL;
    T_EQ(vd_op_describe("fly", &json, &err), VD_E_NOTFOUND);
    T_TRUE(json == NULL);
    T_STR(vd_version(), VIDIMUS_VERSION);
}

static void check_batch(t_case *t, const struct ArrowSchema *s, const struct ArrowArray *a,
                        int64_t rows) {
    int uri = child_index(s, "uri"), width = child_index(s, "width"),
        sharp = child_index(s, "sharpness"), taken = child_index(s, "camera");
    T_NEED(uri >= 0 && width >= 0 && sharp >= 0 && taken >= 0);
    T_STR(s->children[uri]->format, "u");
    T_STR(s->children[width]->format, "l");
    T_STR(s->children[sharp]->format, "g");
    T_EQ(a->length, rows);
    T_EQ(a->n_children, s->n_children);
    int64_t nulls = 0, pictures = 0;
    for (int64_t i = 0; i < a->length; i++) {
        char text[512];
        T_TRUE(valid(a->children[uri], i));
        text_at(a->children[uri], i, text, sizeof text);
        bool picture = strstr(text, "view_") != NULL && strstr(text, "images") != NULL;
        nulls += !valid(a->children[width], i);
        if (!picture) continue;
        pictures++;
        T_EQ(((const int64_t *)a->children[width]->buffers[1])[i], 160);
        T_TRUE(((const double *)a->children[sharp]->buffers[1])[i] > 0);
        text_at(a->children[taken], i, text, sizeof text);
        T_TRUE(strstr(text, "Synth") != NULL);
    }
    T_EQ(a->children[width]->null_count, nulls);
    T_EQ(pictures, 4);
}

T(a_stream_has_the_rows_and_outlives_its_result) {
    int64_t before = vd_mem_live();
    t_dir d = t_dir_new();
    vd_err err = { 0 };
    vd_ctx *ctx = NULL;
    const char *dataset = NULL;
    T_OK(vd_ctx_new(&ctx, NULL, &err));
    T_OK(make(&d, ctx, &dataset, &err));
    const vd_arg_value a[] = { TEXT("dataset", dataset),
                               TEXT("columns", "uri,width,sharpness,camera") };
    vd_result *r = NULL;
    T_OK(vd_call(ctx, "list", a, VD_COUNT(a), &r, &err));
    int64_t rows = vd_result_rows(r);
    T_TRUE(rows > 10);
    T_EQ(vd_result_columns(r), 4);
    T_STR(vd_result_column(r, 1), "width");
    T_STR(vd_result_column(r, 4), "");
    T_STR(vd_result_column(r, -1), "");
    struct ArrowArrayStream one = { 0 }, two = { 0 };
    struct ArrowSchema schema = { 0 };
    struct ArrowArray batch = { 0 }, end = { 0 }, again = { 0 };
    T_OK(vd_result_stream(r, &one, &err));
    T_OK(vd_result_stream(r, &two, &err)); /* as often as wanted */
    vd_result_free(r);                     /* the streams live on */
    vd_ctx_free(ctx);
    T_EQ(one.get_schema(&one, &schema), 0);
    T_STR(schema.format, "+s");
    T_EQ(schema.n_children, 4);
    T_EQ(one.get_next(&one, &batch), 0);
    T_EQ(one.get_next(&one, &end), 0);
    T_TRUE(end.release == NULL); /* the end */
    T_TRUE(one.get_last_error(&one) == NULL);
    one.release(&one); /* the batch lives on */
    T_TRUE(one.release == NULL);
    check_batch(t, &schema, &batch, rows);
    struct ArrowArray moved =
        *batch.children[0]; /* a consumer may move a child out and release it later */
    batch.children[0]->release = NULL;
    batch.release(&batch);
    T_TRUE(batch.release == NULL);
    moved.release(&moved);
    schema.release(&schema);
    T_EQ(two.get_next(&two, &again), 0);
    T_EQ(again.length, rows);
    again.release(&again);
    two.release(&two);
    t_dir_free(&d);
    T_EQ(vd_mem_live(), before);
}

T(lists_nulls_and_mixed_types_cross) {
    t_dir d = t_dir_new();
    vd_err err = { 0 };
    vd_ctx *ctx = NULL;
    const char *dataset = NULL;
    T_OK(vd_ctx_new(&ctx, NULL, &err));
    T_OK(make(&d, ctx, &dataset, &err));
    const vd_arg_value g[] = { TEXT("dataset", dataset), TEXT("kind", "exact") };
    vd_result *r = NULL;
    struct ArrowArrayStream st = { 0 };
    struct ArrowSchema schema = { 0 };
    struct ArrowArray a = { 0 };
    T_OK(vd_call(ctx, "groups", g, VD_COUNT(g), &r, &err));
    T_OK(vd_result_stream(r, &st, &err));
    T_EQ(st.get_schema(&st, &schema), 0);
    T_EQ(st.get_next(&st, &a), 0);
    int members = child_index(&schema, "members");
    T_NEED(members >= 0 && a.length >= 1);
    T_STR(schema.children[members]->format, "+l");
    T_STR(schema.children[members]->children[0]->format, "u");
    const int32_t *at = a.children[members]->buffers[1];
    T_TRUE(at[1] - at[0] >= 2); /* an exact pair was planted */
    T_EQ(a.children[members]->children[0]->length, at[a.length]);
    a.release(&a), schema.release(&schema), st.release(&st);
    vd_result_free(r);
    r = NULL;
    const vd_arg_value q[] = { TEXT("dataset", dataset),
                               TEXT("query",
                                    "SELECT 1 AS i, 2.5 AS f, NULL AS n, 'a' AS m UNION ALL SELECT"
                                    " 2, 3, NULL, 7 UNION ALL SELECT NULL, 1, NULL, NULL") };
    T_OK(vd_call(ctx, "sql", q, VD_COUNT(q), &r, &err));
    T_OK(vd_result_stream(r, &st, &err));
    T_EQ(st.get_schema(&st, &schema), 0);
    T_EQ(st.get_next(&st, &a), 0);
    T_EQ(a.length, 3);
    T_STR(schema.children[0]->format, "l");
    T_STR(schema.children[1]->format, "g");
    T_STR(schema.children[3]->format, "u");
    T_TRUE(valid(a.children[0], 1) && !valid(a.children[0], 2));
    T_EQ(a.children[2]->null_count, 3);
    T_NEAR(((const double *)a.children[1]->buffers[1])[1], 3, 0);
    char text[16];
    text_at(a.children[3], 1, text, sizeof text);
    T_STR(text, "7");
    a.release(&a), schema.release(&schema), st.release(&st);
    vd_result_free(r);
    vd_ctx_free(ctx);
    t_dir_free(&d);
}

T(more_rows_than_a_batch_come_in_order) {
    t_dir d = t_dir_new();
    vd_err err = { 0 };
    vd_ctx *ctx = NULL;
    const char *dataset = NULL;
    T_OK(vd_ctx_new(&ctx, NULL, &err));
    T_OK(make(&d, ctx, &dataset, &err));
    const vd_arg_value q[] = { TEXT("dataset", dataset),
                               TEXT("query",
                                    "WITH RECURSIVE c(x) AS (SELECT 0 UNION ALL SELECT x + 1 FROM c"
                                    " WHERE x < 149999) SELECT x FROM c") };
    vd_result *r = NULL;
    struct ArrowArrayStream st = { 0 };
    T_OK(vd_call(ctx, "sql", q, VD_COUNT(q), &r, &err));
    T_OK(vd_result_stream(r, &st, &err));
    int64_t at = 0, batches = 0, wrong = 0;
    for (;;) {
        struct ArrowArray a = { 0 };
        T_EQ(st.get_next(&st, &a), 0);
        if (a.release == NULL) break;
        for (int64_t i = 0; i < a.length; i++)
            wrong += ((const int64_t *)a.children[0]->buffers[1])[i] != at++;
        a.release(&a);
        batches++;
    }
    T_EQ(at, 150000);
    T_EQ(wrong, 0);
    T_TRUE(batches > 1);
    st.release(&st);
    vd_result_free(r);
    vd_ctx_free(ctx);
    t_dir_free(&d);
}

typedef struct watch {
    pthread_mutex_t lock;
    int64_t calls, last_done, polls, stop_after;
    int together, overlaps;
} watch;

static void on_progress(void *user, const vd_progress *p) {
    watch *w = user;
    pthread_mutex_lock(&w->lock);
    w->overlaps += w->together++ > 0;
    pthread_mutex_unlock(&w->lock);
    w->last_done = p->done;
    pthread_mutex_lock(&w->lock);
    w->calls++;
    w->together--;
    pthread_mutex_unlock(&w->lock);
}

static bool on_cancel(void *user) {
    watch *w = user;
    pthread_mutex_lock(&w->lock);
    bool stop = w->stop_after >= 0 && w->polls++ >= w->stop_after;
    pthread_mutex_unlock(&w->lock);
    return stop;
}

T(a_run_tells_its_progress_and_can_be_stopped_and_resumed) {
    t_dir d = t_dir_new();
    vd_err err = { 0 };
    watch w = { .stop_after = -1 };
    pthread_mutex_init(&w.lock, NULL);
    vd_ctx_opt opt = VD_CTX_OPT;
    opt.on_progress = on_progress;
    opt.on_cancel = on_cancel;
    opt.user = &w;
    vd_ctx *ctx = NULL;
    const char *dataset = NULL;
    T_OK(vd_ctx_new(&ctx, &opt, &err));
    T_OK(make(&d, ctx, &dataset, &err));
    T_TRUE(w.calls > 0);
    T_EQ(w.overlaps, 0);
    const char *other = t_dir_at(&d, "e.vidimus");
    const vd_arg_value run[] = { TEXT("path", t_dir_at(&d, "in")), TEXT("out", other),
                                 INT("jobs", 2) };
    vd_result *r = NULL;
    int stops = 0;
    for (w.stop_after = 0; w.stop_after < 1000; w.stop_after += 3) {
        w.polls = 0;
        err = (vd_err){ 0 };
        vd_status st = vd_call(ctx, "run", run, VD_COUNT(run), &r, &err);
        if (st == VD_OK) break;
        T_NEED(st == VD_E_CANCEL && r == NULL);
        stops++;
    }
    T_TRUE(stops > 0);
    T_TRUE(r != NULL);
    vd_result_free(r);
    vd_result *both[2] = { NULL, NULL };
    const char *names[] = { dataset, other };
    w.stop_after = -1;
    for (int i = 0; i < 2; i++) {
        const vd_arg_value a[] = {
            TEXT("dataset", names[i]),
            TEXT("query", "SELECT count(*) FROM asset_facts WHERE verdict IS NOT NULL")
        };
        T_OK(vd_call(ctx, "sql", a, VD_COUNT(a), &both[i], &err));
    }
    int64_t n[2] = { 0, 1 };
    for (int i = 0; i < 2; i++) {
        struct ArrowArrayStream s = { 0 };
        struct ArrowArray a = { 0 };
        T_OK(vd_result_stream(both[i], &s, &err));
        T_EQ(s.get_next(&s, &a), 0);
        n[i] = ((const int64_t *)a.children[0]->buffers[1])[0];
        a.release(&a), s.release(&s);
        vd_result_free(both[i]);
    }
    T_EQ(n[1], n[0]);
    vd_ctx_free(ctx);
    pthread_mutex_destroy(&w.lock);
    t_dir_free(&d);
}

T(a_failed_check_still_gives_its_result) {
    t_dir d = t_dir_new();
    vd_err err = { 0 };
    vd_ctx *ctx = NULL;
    const char *dataset = NULL;
    T_OK(vd_ctx_new(&ctx, NULL, &err));
    T_OK(make(&d, ctx, &dataset, &err));
    const vd_arg_value a[] = { TEXT("path", dataset),
                               { .name = "strict", .kind = VD_ARG_FLAG, .flag = true } };
    vd_result *r = NULL;
    T_EQ(vd_call(ctx, "run", a, VD_COUNT(a), &r, &err),
         VD_E_CHECK); /* truncated pictures were planted */
    T_TRUE(r != NULL && vd_result_rows(r) >= 5);
    vd_result_free(r);
    vd_ctx_free(ctx);
    t_dir_free(&d);
}
