/* One fuzz target for each reader of labels and what they stand on. Compiled with libFuzzer
 * (label_fuzz.c), and by tests/unit/label_fuzz.c, which replays a corpus.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_TESTS_FUZZ_LABEL_H
#define VD_TESTS_FUZZ_LABEL_H

#include <stdlib.h>
#include <string.h>

#include "base/json_stream.h"

static inline void fuzz_must(bool ok) {
    if (!ok) abort();
}

static inline vd_status fuzz_json_raw(vd_str *raw, const void *d, size_t n, size_t step,
                                      vd_err *err) {
    vd_json_stream *s = NULL;
    VD_TRY(vd_js_open_bytes(&s, "fuzz", d, n, err));
    vd_js_set_step(s, step);
    vd_status st = vd_js_raw(s, raw, err);
    if (st == VD_OK) st = vd_js_end(s, err);
    vd_js_free(s);
    return st;
}

/* Read by pieces, read at once, and read again from what came out: all alike; passed over or not.
 */
static inline void fuzz_json(const uint8_t *d, size_t n) {
    vd_str a = { 0 }, b = { 0 }, c = { 0 };
    vd_err err = { 0 };
    vd_json_stream *s = NULL;
    vd_status st = fuzz_json_raw(&a, d, n, 1 << 18, &err);
    fuzz_must(fuzz_json_raw(&b, d, n, 3 + n / 5, NULL) == st);
    if (st == VD_OK) {
        fuzz_must(strcmp(vd_str_text(&a), vd_str_text(&b)) == 0);
        fuzz_must(fuzz_json_raw(&c, a.data, (size_t)a.size, 1 << 18, NULL) == VD_OK);
        fuzz_must(strcmp(vd_str_text(&a), vd_str_text(&c)) == 0);
    } else {
        fuzz_must(err.msg[0] != '\0');
    }
    fuzz_must(vd_js_open_bytes(&s, "fuzz", d, n, NULL) == VD_OK);
    fuzz_must(vd_js_pass(s, NULL) == VD_OK || st != VD_OK);
    vd_js_free(s);
    vd_str_reset(&a);
    vd_str_reset(&b);
    vd_str_reset(&c);
}

static const struct {
    const char *name;
    void (*run)(const uint8_t *d, size_t n);
} fuzz_label[] = { { "json", fuzz_json } };

#endif
