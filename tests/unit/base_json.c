/* The JSON reader: values, escapes, what is refused, every prefix, every refused allocation.
 * SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

static vd_status parse(const vd_json **out, vd_arena *a, const char *text, vd_err *err) {
    return vd_json_parse(out, a, "doc", text, strlen(text), err);
}

T(values_and_members) {
    vd_arena a = { 0 };
    vd_err err = { 0 };
    const vd_json *d = NULL;
    T_OK(parse(&d, &a,
               " {\"n\": -12.5e1 , \"t\":true,\"f\":false,\"z\":null, \"s\":\"x\","
               "\"a\":[1,[2,3],{}], \"n\": 7, \"e\":{\"k\":0}}\r\n",
               &err));
    T_EQ(d->type, VD_JSON_OBJECT);
    T_EQ(d->n, 8);
    T_NEAR(vd_json_number(d, "n", 0), -125, 0);
    T_NEAR(vd_json_number(d, "s", 9), 9, 0);
    T_NEAR(vd_json_number(d, "none", 9), 9, 0);
    T_STR(vd_json_text(d, "s"), "x");
    T_TRUE(vd_json_text(d, "n") == NULL);
    T_EQ(vd_json_get(d, "t")->type, VD_JSON_BOOL);
    T_NEAR(vd_json_get(d, "t")->number, 1, 0);
    T_NEAR(vd_json_get(d, "f")->number, 0, 0);
    T_EQ(vd_json_get(d, "z")->type, VD_JSON_NULL);
    const vd_json *list = vd_json_get(d, "a");
    T_EQ(list->n, 3);
    T_EQ(list->first->next->n, 2);
    T_NEAR(list->first->next->first->next->number, 3, 0);
    T_EQ(list->first->next->next->type, VD_JSON_OBJECT);
    T_EQ(list->at, 58);
    T_NEAR(vd_json_number(vd_json_get(vd_json_get(d, "e"), "none"), "k", 4), 4, 0);
    vd_arena_reset(&a);
}

T(texts) {
    vd_arena a = { 0 };
    vd_err err = { 0 };
    const vd_json *d = NULL;
    T_OK(parse(&d, &a, "\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20AC\\ud83d\\ude00 \xc3\xa9\"",
               &err));
    T_STR(d->text, "a\"\\/\b\f\n\r\t\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 \xc3\xa9");
    /* what our writer makes of any text, the reader gives back */
    vd_str s = { 0 };
    const char all[] = "\x01\x1f \"\\/\n\r\t~\x7f\xc2\x80\xf4\x8f\xbf\xbf";
    vd_str_json(&s, all);
    T_OK(parse(&d, &a, s.data, &err));
    T_STR(d->text, all);
    vd_str_reset(&s);
    vd_arena_reset(&a);
}

T(numbers_come_back) {
    vd_rng r = t_rng(t);
    vd_arena a = { 0 };
    vd_err err = { 0 };
    for (int i = 0; i < 2000; i++) {
        uint64_t bits = vd_rng_u64(&r);
        double v;
        vd_str s = { 0 };
        const vd_json *d = NULL;
        memcpy(&v, &bits, sizeof v);
        if (!isfinite(v)) continue;
        vd_str_json_num(&s, v);
        T_OK(parse(&d, &a, s.data, &err));
        if (d->number != v) T_FAIL("%s is %.17g", s.data, d->number);
        vd_str_reset(&s);
        vd_arena_clear(&a);
    }
    vd_arena_reset(&a);
}

T(what_is_refused) {
    static const struct {
        const char *text, *says;
    } bad[] = {
        { "", "byte 0: no value" },
        { "  ", "no value" },
        { "nul", "no value" },
        { "[1,]", "byte 3: no value" },
        { "[1 2]", "byte 3: no ',' or ']'" },
        { "{\"a\" 1}", "no ':'" },
        { "{a:1}", "no key" },
        { "{\"a\":1,}", "no key" },
        { "{\"a\":1", "no ',' or '}'" },
        { "1 2", "after the document" },
        { "01", "no value" },
        { "+1", "no value" },
        { ".5", "no value" },
        { "5.", "no value" },
        { "1e", "no value" },
        { "0x10", "after the document" },
        { "NaN", "no value" },
        { "1e400", "beyond the range" },
        { "\"a", "without its end" },
        { "\"a\\\"", "without its end" },
        { "\"a\\", "without its end" },
        { "\"\n\"", "control character" },
        { "\"\xff\"", "not UTF-8" },
        { "\"\xed\xa0\x80\"", "not UTF-8" },
        { "\"\\x\"", "unknown escape" },
        { "\"\\u12\"", "no character" },
        { "\"\\u0000\"", "no character" },
        { "\"\\udc00\"", "no character" },
        { "\"\\ud800\"", "surrogate" },
        { "\"\\ud800\\u0041\"", "surrogate" },
    };
    vd_arena a = { 0 };
    for (int i = 0; i < VD_COUNT(bad); i++) {
        vd_err err = { 0 };
        const vd_json *d = NULL;
        T_EQ(parse(&d, &a, bad[i].text, &err), VD_E_FORMAT);
        if (strstr(err.msg, bad[i].says) == NULL || strncmp(err.msg, "doc: byte ", 10) != 0)
            T_FAIL("'%s' says '%s'", bad[i].text, err.msg);
        T_TRUE(d == NULL);
    }
    char deep[2 * VD_JSON_MAX_DEPTH + 8];
    memset(deep, '[', sizeof deep);
    vd_err err = { 0 };
    const vd_json *d = NULL;
    T_EQ(vd_json_parse(&d, &a, "doc", deep, sizeof deep, &err), VD_E_LIMIT);
    T_TRUE(strstr(err.msg, "64 levels") != NULL);
    vd_arena_reset(&a);
}

static const char sample[] = "{\"frames\": [{\"k\\u00e9\": [1.5, -2e-3, true]}, {\"n\": \"\\ud83d"
                             "\\ude00\"}], \"m\": null}";

T(every_prefix_and_many_mutations) {
    vd_rng r = t_rng(t);
    for (size_t n = 0; n < sizeof sample - 1; n++) {
        vd_arena a = { 0 };
        const vd_json *d = NULL;
        char *cut = vd_mem_strndup(sample, n); /* so that a step too far is seen */
        T_NEED(cut != NULL);
        if (vd_json_parse(&d, &a, "doc", cut, n, NULL) == VD_OK) T_FAIL("%zu bytes pass", n);
        for (int i = 0; i < 200 && n > 0; i++) {
            cut[vd_rng_int(&r, (int64_t)n)] = sample[vd_rng_int(&r, sizeof sample - 1)];
            vd_json_parse(&d, &a, "doc", cut, n, NULL);
        }
        vd_mem_free(cut);
        vd_arena_reset(&a);
    }
}

T(survives_refused_memory) {
    for (int n = 0, hit = 1; hit; n++) {
        int64_t before = vd_mem_live();
        vd_arena a = { 0 };
        vd_err err = { 0 };
        const vd_json *d = NULL;
        vd_mem_fail_at(n, false);
        vd_status st = parse(&d, &a, sample, &err);
        hit = vd_mem_fail_clear();
        T_EQ(st, hit ? VD_E_NOMEM : VD_OK);
        vd_arena_reset(&a);
        T_EQ(vd_mem_live(), before);
    }
}
