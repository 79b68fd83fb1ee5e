/* The streaming JSON reader and decimal numbers: against the tree's reader, strtod and the plain C
 * scans, at every place where a window may end. SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "base/decimal.h"
#include "base/json_stream.h"
#include "base/mem.h"
#include "base/scan.h"
#include "base/str.h"

/* The document without blanks, as vd_js_raw gives it. */
static vd_status raw_of(vd_str *out, const char *text, size_t n, size_t step, vd_err *err) {
    vd_json_stream *s = NULL;
    VD_TRY(vd_js_open_bytes(&s, "doc", text, n, err));
    vd_js_set_step(s, step);
    vd_status st = vd_js_raw(s, out, err);
    if (st == VD_OK) st = vd_js_end(s, err);
    vd_js_free(s);
    return st;
}

static const char sample[] =
    "{\"frames\" : [{\"k\\u00e9\": [1.5, -2e-3, true], \"long\\n\": \"0123456789abcdef0123456789\"},"
    "\r\n\t                                        {\"n\": \"\\ud83d\\ude00\", \"\": {}}], \"m\"  : "
    "null, \"z\":[ ], \"d\":239.97000122070312, \"i\": -9223372036854775808 }  ";
static const char sample_raw[] =
    "{\"frames\":[{\"k\xc3\xa9\":[1.5,-2e-3,true],\"long\\n\":\"0123456789abcdef0123456789\"},"
    "{\"n\":\"\xf0\x9f\x98\x80\",\"\":{}}],\"m\":null,\"z\":[],\"d\":239.97000122070312,"
    "\"i\":-9223372036854775808}";

T(every_window) {
    for (size_t step = 1; step < sizeof sample + 8; step++) {
        vd_err err = { 0 };
        vd_str raw = { 0 };
        T_OK(raw_of(&raw, sample, sizeof sample - 1, step, &err));
        T_STR(vd_str_text(&raw), sample_raw);
        vd_str_reset(&raw);
    }
}

T(walking_down) {
    vd_json_stream *s = NULL;
    vd_err err = { 0 };
    vd_js_text key = { 0 }, text = { 0 };
    vd_js_reals_buf v = { 0 };
    bool more = false, yes = false;
    int64_t id = 0;
    double x = 0;
    vd_json_type type;
    const char doc[] = "\xef\xbb\xbf{\"a\":[{\"id\":12,\"x\":-1.25e2}, {\"id\":7.0}],\"t\":true,"
                       "\"p\":[1,2.5,-3],\"e\":[]}";
    T_OK(vd_js_open_bytes(&s, "doc", doc, sizeof doc - 1, &err));
    T_OK(vd_js_type(s, &type, &err));
    T_EQ(type, VD_JSON_OBJECT);
    T_OK(vd_js_enter(s, VD_JSON_OBJECT, &err));
    T_OK(vd_js_member(s, &key, &more, &err));
    T_STR(key.p, "a");
    vd_js_mark mark = vd_js_mark_of(s);
    T_OK(vd_js_pass(s, &err));
    T_OK(vd_js_member(s, &key, &more, &err));
    T_STR(key.p, "t");
    T_OK(vd_js_bool(s, &yes, "a flag", &err));
    T_TRUE(yes);
    T_OK(vd_js_member(s, &key, &more, &err));
    T_OK(vd_js_reals(s, &v, "points", &err));
    T_EQ(v.n, 3);
    T_NEAR(v.v[1], 2.5, 0);
    T_OK(vd_js_member(s, &key, &more, &err));
    T_OK(vd_js_reals(s, &v, "points", &err));
    T_EQ(v.n, 3);
    T_OK(vd_js_member(s, &key, &more, &err));
    T_TRUE(!more);
    T_OK(vd_js_end(s, &err));
    T_OK(vd_js_back(s, mark, &err));
    T_OK(vd_js_enter(s, VD_JSON_ARRAY, &err));
    T_OK(vd_js_item(s, &more, &err));
    T_OK(vd_js_enter(s, VD_JSON_OBJECT, &err));
    T_OK(vd_js_member(s, &key, &more, &err));
    T_OK(vd_js_int(s, &id, "an id", &err));
    T_EQ(id, 12);
    T_OK(vd_js_member(s, &key, &more, &err));
    T_OK(vd_js_number(s, &x, "x", &err));
    T_NEAR(x, -125, 0);
    T_OK(vd_js_member(s, &key, &more, &err));
    T_TRUE(!more);
    T_OK(vd_js_item(s, &more, &err));
    T_OK(vd_js_enter(s, VD_JSON_OBJECT, &err));
    T_OK(vd_js_member(s, &key, &more, &err));
    T_OK(vd_js_int(s, &id, "an id", &err));
    T_EQ(id, 7);
    T_OK(vd_js_member(s, &key, &more, &err));
    T_OK(vd_js_item(s, &more, &err));
    T_TRUE(!more);
    T_OK(vd_js_member(s, &key, &more, &err));
    T_STR(key.p, "t");
    T_EQ(vd_js_text_of(s, &text, "a name", &err), VD_E_FORMAT);
    T_STR(err.msg, "doc: byte 48: not a name");
    vd_js_free(s);
    vd_mem_free(v.v);
}

T(a_text_larger_than_the_window) {
    const size_t n = 3 << 20;
    vd_err err = { 0 };
    vd_str doc = { 0 };
    vd_json_stream *s = NULL;
    vd_js_text text = { 0 };
    vd_str_addc(&doc, '"');
    for (size_t i = 0; i < n; i++) vd_str_addc(&doc, (char)('a' + i % 26));
    vd_str_add(&doc, "\\n\"");
    T_OK(vd_js_open_bytes(&s, "doc", doc.data, (size_t)doc.size, &err));
    T_OK(vd_js_text_of(s, &text, "a text", &err));
    T_EQ(text.n, n + 1);
    T_TRUE(memcmp(text.p, doc.data + 1, n) == 0 && text.p[n] == '\n');
    vd_js_free(s);
    vd_str_reset(&doc);
}

/* Whatever the tree's reader takes, the stream takes, and with the same values; and no more. */
static void same_as_tree(t_case *t, const char *text, size_t n) {
    vd_arena a = { 0 };
    const vd_json *d = NULL, *e = NULL;
    vd_str raw = { 0 };
    vd_err err = { 0 };
    bool tree = vd_json_parse(&d, &a, "doc", text, n, NULL) == VD_OK;
    bool stream = raw_of(&raw, text, n, 1 + n / 3, &err) == VD_OK;
    if (tree != stream)
        T_FAIL("%.*s: %s", (int)n, text, stream ? "only the stream takes it" : err.msg);
    if (tree && stream) T_OK(vd_json_parse(&e, &a, "doc", raw.data, (size_t)raw.size, &err));
    if (!stream) T_TRUE(strncmp(err.msg, "doc: byte ", 10) == 0);
    vd_str_reset(&raw);
    vd_arena_reset(&a);
}

T(what_the_tree_refuses) {
    static const char *const texts[] = {
        "",
        "  ",
        "nul",
        "[1,]",
        "[1 2]",
        "{\"a\" 1}",
        "{a:1}",
        "{\"a\":1,}",
        "{\"a\":1",
        "1 2",
        "01",
        "+1",
        ".5",
        "5.",
        "1e",
        "0x10",
        "NaN",
        "1e400",
        "\"a",
        "\"a\\\"",
        "\"a\\",
        "\"\n\"",
        "\"\xff\"",
        "\"\xed\xa0\x80\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u0000\"",
        "\"\\udc00\"",
        "\"\\ud800\"",
        "\"\\ud800\\u0041\"",
        "[,1]",
        "{,}",
        "-",
        "[-]",
        "truex",
        "[true",
        "1.5e+",
        "-0",
        "[1e5,1E-5,-0.0]",
        "]",
        "}",
        "[}",
    };
    for (int i = 0; i < VD_COUNT(texts); i++) same_as_tree(t, texts[i], strlen(texts[i]));
}

T(every_prefix_and_many_mutations) {
    vd_rng r = t_rng(t);
    for (size_t n = 0; n < sizeof sample - 1; n++) {
        char *cut = vd_mem_strndup(sample, n);
        T_NEED(cut != NULL);
        same_as_tree(t, cut, n);
        for (int i = 0; i < 100 && n > 0; i++) {
            cut[vd_rng_int(&r, (int64_t)n)] =
                i % 7 == 0 ? (char)vd_rng_u64(&r) : sample[vd_rng_int(&r, sizeof sample - 1)];
            if (memchr(cut, 0, n) == NULL) same_as_tree(t, cut, n);
        }
        vd_mem_free(cut);
    }
}

T(depth_is_limited) {
    char deep[2 * VD_JSON_MAX_DEPTH];
    vd_err err = { 0 };
    memset(deep, '[', sizeof deep);
    vd_str raw = { 0 };
    T_EQ(raw_of(&raw, deep, sizeof deep, 4096, &err), VD_E_LIMIT);
    vd_str_reset(&raw);
    T_TRUE(strstr(err.msg, "64 levels") != NULL);
}

T(survives_refused_memory) {
    for (int n = 0, hit = 1; hit; n++) {
        int64_t before = vd_mem_live();
        vd_err err = { 0 };
        vd_str raw = { 0 };
        vd_mem_fail_at(n, false);
        vd_status st = raw_of(&raw, sample, sizeof sample - 1, 1 << 20, &err);
        hit = vd_mem_fail_clear();
        T_EQ(st, hit ? VD_E_NOMEM : VD_OK);
        vd_str_reset(&raw);
        T_EQ(vd_mem_live(), before);
    }
}

static void one_number(t_case *t, const char *text) {
    double got = 0, want = strtod(text, NULL);
    const char *end = vd_decimal_read(text, &got);
    if (end == NULL || *end != '\0' || memcmp(&got, &want, sizeof got) != 0)
        T_FAIL("%s is %.17g, expected %.17g", text, got, want);
}

/* strtod of glibc rounds correctly. */
T(numbers_are_the_nearest_doubles) {
    static const char *const hard[] = {
        "9007199254740993",
        "9007199254740992.5",
        "0.1",
        "1e23",
        "8.988465674311579e307",
        "2.2250738585072011e-308",
        "4.9406564584124654e-324",
        "1e-400",
        "1e400",
        "-0",
        "-0.0",
        "1.7976931348623158e308",
        "123456789012345678901234567890",
        "6.631236846766476e-316",
        "9214843084008499",
        "3.518437208883201171875e13",
        "100000000000000016777215",
        "100000000000000016777216",
        "0.000000000000000000000000000000000000000001234567890123456789",
    };
    vd_rng r = t_rng(t);
    char text[64];
    for (int i = 0; i < VD_COUNT(hard); i++) one_number(t, hard[i]);
    for (int i = 0; i < 300000; i++) {
        uint64_t w = vd_rng_u64(&r) >> vd_rng_int(&r, 64);
        snprintf(text, sizeof text, "%llue%d", (unsigned long long)w,
                 (int)vd_rng_int(&r, 140) - 70);
        one_number(t, text);
        double v;
        uint64_t bits = vd_rng_u64(&r);
        memcpy(&v, &bits, sizeof v);
        if (!isfinite(v)) continue;
        snprintf(text, sizeof text, "%.*g", 1 + (int)vd_rng_int(&r, 18),
                 i % 2 ? v : (double)w / 1e6);
        if (strchr(text, 'e') == NULL || strstr(text, "e+") == NULL) one_number(t, text);
    }
}

/* Halfway between two doubles, and one digit beside it. */
T(halfway_numbers) {
    vd_rng r = t_rng(t);
    char text[64];
    for (int i = 0; i < 100000; i++) {
        uint64_t m = (1ull << 53) + (vd_rng_u64(&r) >> 11), half = 2 * m + 1;
        int e = (int)vd_rng_int(&r, 9);
        if (half > UINT64_MAX >> e) continue;
        for (int d = -1; d <= 1; d++) {
            snprintf(text, sizeof text, "%llu", (unsigned long long)((half << e) + (uint64_t)d));
            one_number(t, text);
            double back = strtod(text, NULL) / 1024;
            snprintf(text, sizeof text, "%.17g", back);
            one_number(t, text);
        }
    }
}

T(integers) {
    int64_t v = 0;
    const char *const bad[] = {
        "9223372036854775808", "-9223372036854775809", "1.0", "1e2", "", "-", "01",
        "99999999999999999999"
    };
    T_TRUE(vd_decimal_read_int("9223372036854775807", &v) != NULL && v == INT64_MAX);
    T_TRUE(vd_decimal_read_int("-9223372036854775808", &v) != NULL && v == INT64_MIN);
    T_TRUE(vd_decimal_read_int("0,", &v) != NULL && v == 0);
    for (int i = 0; i < VD_COUNT(bad); i++)
        if (vd_decimal_read_int(bad[i], &v) != NULL) T_FAIL("takes %s", bad[i]);
}

T(numbers_are_written_shortest) {
    vd_rng r = t_rng(t);
    for (int i = 0; i < 200000; i++) {
        vd_str a = { 0 }, b = { 0 };
        uint64_t bits = vd_rng_u64(&r);
        double v =
            (double)(int64_t)(bits >> 32) / (double[]){ 1, 10, 100, 1e3, 1e6, 7, 1e7 }[i % 7];
        if (i % 11 == 0) memcpy(&v, &bits, sizeof v);
        if (i % 3 == 0) v = -v;
        vd_decimal_add(&a, v);
        vd_str_num(&b, v);
        double back = strtod(vd_str_text(&a), NULL);
        if (isfinite(v) && (back != v || a.size > b.size))
            T_FAIL("%.17g is written %s, shortest %s", v, vd_str_text(&a), vd_str_text(&b));
        vd_str_reset(&a);
        vd_str_reset(&b);
    }
}

#ifdef VD_SCAN_WIDE
T(wide_scans_are_the_plain_ones) {
    static const char alphabet[] = "  \t\n\r\"\\[]{},:0aZ\x01\x1f\x7f\x80\xff_\0";
    vd_rng r = t_rng(t);
    char text[96];
    for (int i = 0; i < 200000; i++) {
        int kinds = 1 + (int)vd_rng_int(&r, sizeof alphabet - 1), from = (int)vd_rng_int(&r, 24);
        memset(text, 0, sizeof text);
        for (int k = 0; k < 70; k++)
            text[k] = vd_rng_int(&r, 8) ? alphabet[kinds - 1] : alphabet[vd_rng_int(&r, kinds)];
        const char *p = text + from;
        T_EQ(vd_scan_blanks(p) - p, vd_scan_blanks_c(p) - p);
        T_EQ(vd_scan_text(p) - p, vd_scan_text_c(p) - p);
        T_EQ(vd_scan_quote(p) - p, vd_scan_quote_c(p) - p);
        T_EQ(vd_scan_brackets(p) - p, vd_scan_brackets_c(p) - p);
    }
}
#endif
