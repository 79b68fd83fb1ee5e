/* bench_json FILE: how fast a COCO file is read, every number converted, and how fast it is skipped
 * with and without checks. Processor seconds, best of three. SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/json_stream.h"
#include "base/mem.h"

typedef struct tally {
    int64_t numbers, texts;
    double sum;
    vd_js_reals_buf reals;
} tally;

static double cpu_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static vd_status walk(vd_json_stream *s, tally *y, vd_err *err);

static vd_status walk_object(vd_json_stream *s, tally *y, vd_err *err) {
    bool more = false;
    vd_js_text key;
    VD_TRY(vd_js_enter(s, VD_JSON_OBJECT, err));
    for (;;) {
        VD_TRY(vd_js_member(s, &key, &more, err));
        if (!more) return VD_OK;
        bool flat = strcmp(key.p, "bbox") == 0;
        if (flat) {
            y->reals.n = 0;
            VD_TRY(vd_js_reals(s, &y->reals, "a box", err));
            y->numbers += y->reals.n;
        } else {
            VD_TRY(walk(s, y, err));
        }
    }
}

static vd_status walk_array(vd_json_stream *s, tally *y, vd_err *err) {
    bool more = false;
    VD_TRY(vd_js_enter(s, VD_JSON_ARRAY, err));
    for (;;) {
        VD_TRY(vd_js_item(s, &more, err));
        if (!more) return VD_OK;
        VD_TRY(walk(s, y, err));
    }
}

static vd_status walk(vd_json_stream *s, tally *y, vd_err *err) {
    vd_json_type type;
    vd_js_text text;
    double v;
    VD_TRY(vd_js_type(s, &type, err));
    switch (type) {
    case VD_JSON_OBJECT: return walk_object(s, y, err);
    case VD_JSON_ARRAY: return walk_array(s, y, err);
    case VD_JSON_TEXT: y->texts++; return vd_js_text_of(s, &text, "a text", err);
    case VD_JSON_NUMBER:
        y->numbers++;
        VD_TRY(vd_js_number(s, &v, "a number", err));
        y->sum += v;
        return VD_OK;
    default: return vd_js_skip(s, err);
    }
}

static vd_status once(const char *path, int how, tally *y, double *seconds, int64_t *bytes,
                      vd_err *err) {
    vd_json_stream *s = NULL;
    double begun = cpu_s();
    VD_TRY(vd_js_open(&s, path, err));
    vd_status st = how == 0 ? walk(s, y, err) : how == 1 ? vd_js_skip(s, err) : vd_js_pass(s, err);
    if (st == VD_OK) st = vd_js_end(s, err);
    *bytes = vd_js_at(s);
    vd_js_free(s);
    *seconds = VD_MIN(*seconds, cpu_s() - begun);
    return st;
}

int main(int argc, char **argv) {
    static const char *const how[] = { "read", "skip", "pass" };
    vd_err err = { 0 };
    struct rusage u;
    tally y = { 0 };
    int64_t bytes = 0;
    if (argc != 2) return 2;
    printf("{\"bench\": \"json\"");
    for (int h = 0; h < 3; h++) {
        double best = 1e9;
        for (int i = 0; i < 3; i++) {
            vd_mem_free(y.reals.v);
            y = h == 0 ? (tally){ 0 } : y;
            y.reals = (vd_js_reals_buf){ 0 };
            if (once(argv[1], h, &y, &best, &bytes, &err) != VD_OK) {
                fprintf(stderr, "%s\n", err.msg);
                return 1;
            }
        }
        printf(", \"%s_mb_s\": %.0f", how[h], 1e-6 * (double)bytes / best);
    }
    getrusage(RUSAGE_SELF, &u);
    printf(", \"bytes\": %lld, \"numbers\": %lld, \"texts\": %lld, \"peak_mb\": %.1f}\n",
           (long long)bytes, (long long)y.numbers, (long long)y.texts, (double)u.ru_maxrss / 1024);
    vd_mem_free(y.reals.v);
    return 0;
}
