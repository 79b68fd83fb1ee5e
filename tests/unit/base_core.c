/* The base room: strings, maps, hashes, paths, dates, the pool, fault injection.
 * SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include <stdatomic.h>

#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/pool.h"
#include "base/str.h"
#include "base/clock.h"

T(str_json_escapes_and_repairs) {
    vd_str s = { 0 };
    vd_str_json(&s, "a\"\\\n\x01\xff\xc3\xa9");
    T_STR(vd_str_text(&s), "\"a\\\"\\\\\\n\\u0001\\ufffd\xc3\xa9\"");
    vd_str_reset(&s);
}

T(str_numbers_read_back_the_same) {
    vd_rng r = t_rng(t);
    for (int i = 0; i < 2000; i++) {
        double v = ldexp(vd_rng_f64(&r) - 0.5, (int)vd_rng_int(&r, 200) - 100);
        vd_str s = { 0 };
        vd_str_num(&s, v);
        T_TRUE(strtod(vd_str_text(&s), NULL) == v);
        vd_str_reset(&s);
    }
}

T(str_count_groups_in_threes) {
    const struct {
        int64_t n;
        const char *text;
    } c[] = {
        { 0, "0" }, { 999, "999" }, { 1024, "1 024" }, { 1234567, "1 234 567" }, { -1234, "-1 234" }
    };
    for (int i = 0; i < VD_COUNT(c); i++) {
        vd_str s = { 0 };
        vd_str_count(&s, c[i].n);
        T_STR(vd_str_text(&s), c[i].text);
        vd_str_reset(&s);
    }
}

T(str_base64_as_rfc_4648_has_it) {
    static const char *const vector[][2] = { { "", "" },
                                             { "f", "Zg==" },
                                             { "fo", "Zm8=" },
                                             { "foo", "Zm9v" },
                                             { "foob", "Zm9vYg==" },
                                             { "fooba", "Zm9vYmE=" },
                                             { "foobar", "Zm9vYmFy" },
                                             { "\xff\xef\xbe", "/+++" } };
    for (int i = 0; i < VD_COUNT(vector); i++) {
        vd_str s = { 0 };
        vd_str_addc(&s, '|');
        vd_str_base64(&s, vector[i][0], (int64_t)strlen(vector[i][0]));
        T_STR(vd_str_text(&s) + 1, vector[i][1]);
        vd_str_reset(&s);
    }
}

T(str_list_has_whole_items_only) {
    T_TRUE(vd_str_list_has("a,bc,d", "bc"));
    T_TRUE(vd_str_list_has("a,bc,d", "d"));
    T_TRUE(!vd_str_list_has("a,bc,d", "b"));
    T_TRUE(!vd_str_list_has("", "b"));
    T_TRUE(!vd_str_list_has("abc", "bc"));
}

T(hash_matches_xxhash_known_answers) {
    /* XXH3-128 of nothing, seed 0, as published in the xxHash specification's sanity tests */
    char hex[33];
    vd_hash_hex(hex, vd_hash_bytes("", 0));
    T_STR(hex, "99aa06d3014798d86001c324468d497f");
    vd_hash128 back;
    T_TRUE(vd_hash_parse(&back, hex));
    T_TRUE(back.hi == 0x99aa06d3014798d8u && back.lo == 0x6001c324468d497fu);
    T_TRUE(!vd_hash_parse(&back, "xyz"));
}

T(hash_streaming_equals_one_piece) {
    vd_err err = { 0 };
    uint8_t data[5000];
    vd_rng r = t_rng(t);
    for (int i = 0; i < 5000; i++) data[i] = (uint8_t)vd_rng_u64(&r);
    vd_hasher *h = NULL;
    T_OK(vd_hasher_new(&h, &err));
    for (int at = 0; at < 5000; at += 700)
        vd_hasher_add(h, data + at, (size_t)VD_MIN(700, 5000 - at));
    vd_hash128 a = vd_hasher_get(h), b = vd_hash_bytes(data, 5000);
    T_TRUE(a.hi == b.hi && a.lo == b.lo);
    vd_hasher_free(h);
}

T(map_finds_what_was_put) {
    vd_err err = { 0 };
    vd_map *m = NULL;
    T_OK(vd_map_new(&m, &err));
    for (int64_t i = 0; i < 20000; i++) T_OK(vd_map_put(m, &i, sizeof i, i * 3, &err));
    for (int64_t i = 0; i < 40000; i++) {
        int64_t v = -1;
        T_EQ(vd_map_get(m, &i, sizeof i, &v), i < 20000);
        if (i < 20000) T_EQ(v, i * 3);
    }
    T_EQ(vd_map_size(m), 20000);
    vd_map_free(m);
}

T(map_takes_a_key_of_no_bytes) { /* the sanitizers watch */
    vd_map *m = NULL;
    vd_err err = { 0 };
    int64_t v = 0;
    T_OK(vd_map_new(&m, &err));
    T_TRUE(!vd_map_get(m, "", 0, &v));
    T_OK(vd_map_put(m, "", 0, 7, &err));
    T_OK(vd_map_put(m, "", 0, 8, &err));
    T_TRUE(vd_map_get(m, "", 0, &v));
    T_EQ(v, 8);
    T_EQ(vd_map_size(m), 1);
    vd_map_free(m);
}

T(path_absolute_resolves_by_text) {
    vd_err err = { 0 };
    const char *c[][2] = { { "/a/./b//c/", "/a/b/c" }, { "/a/../../b", "/b" }, { "/", "/" } };
    for (int i = 0; i < VD_COUNT(c); i++) {
        vd_str s = { 0 };
        T_OK(vd_path_absolute(&s, c[i][0], &err));
        T_STR(vd_str_text(&s), c[i][1]);
        vd_str_reset(&s);
    }
    T_STR(vd_path_ext("/a.b/c"), "");
    T_STR(vd_path_ext("/a/.hidden"), "");
    T_STR(vd_path_ext("/a/x.tar.gz"), "gz");
}

T(time_days_and_iso) {
    T_EQ(vd_time_days(1970, 1, 1), 0);
    T_EQ(vd_time_days(2000, 3, 1), 11017);
    T_EQ(vd_time_days(1969, 12, 31), -1);
    char text[32];
    vd_time_iso(text, 951782400ll * 1000000000 + 5000000);
    T_STR(text, "2000-02-29T00:00:00.005Z");
}

typedef struct sum_job {
    atomic_llong sum;
    vd_pool *pool;
} sum_job;

static vd_status add_one(void *user, int64_t i, int worker, vd_err *err) {
    (void)worker;
    sum_job *j = user;
    if (i == 700 || i == 900) return vd_fail(err, VD_E_FORMAT, "item %lld", (long long)i);
    atomic_fetch_add(&j->sum, i);
    return VD_OK;
}

static vd_status nested(void *user, int64_t i, int worker, vd_err *err) {
    (void)i, (void)worker;
    return vd_pool_for(((sum_job *)user)->pool, 100, add_one, user, err);
}

T(pool_runs_all_and_reports_the_lowest_failure) {
    for (int jobs = 1; jobs <= 8; jobs *= 2) {
        vd_err err = { 0 };
        sum_job j = { 0 };
        T_OK(vd_pool_new(&j.pool, jobs, &err));
        T_OK(vd_pool_for(j.pool, 600, add_one, &j, &err));
        T_EQ(atomic_load(&j.sum), 599 * 600 / 2);
        T_EQ(vd_pool_for(j.pool, 701, add_one, &j, &err), VD_E_FORMAT);
        T_STR(err.msg, "item 700");
        err.code = VD_OK;
        atomic_store(&j.sum, 0);
        T_OK(vd_pool_for(j.pool, 10, nested, &j, &err));
        T_EQ(atomic_load(&j.sum), 10 * 4950);
        vd_pool_free(j.pool);
    }
}

T(mem_refuses_the_nth_and_counts) {
    int64_t before = vd_mem_live();
    vd_mem_fail_at(1, false);
    void *a = vd_mem_alloc(4), *b = vd_mem_alloc(4), *c = vd_mem_alloc(4);
    T_TRUE(a != NULL && b == NULL && c != NULL);
    T_TRUE(vd_mem_fail_clear());
    vd_mem_free(a);
    vd_mem_free(c);
    T_EQ(vd_mem_live(), before);
    T_TRUE(vd_mem_array(SIZE_MAX / 2, 8) == NULL);
}
