/* For json_stream.py: reads documents from standard input, each after a line with its length, and
 * prints a line for each: the document without blanks, or "! " and why it is refused.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "base/json_stream.h"
#include "base/str.h"

static vd_status echo(vd_str *out, const char *text, size_t n, size_t step, vd_err *err) {
    vd_json_stream *s = NULL;
    VD_TRY(vd_js_open_bytes(&s, "doc", text, n, err));
    vd_js_set_step(s, step);
    vd_status st = vd_js_raw(s, out, err);
    if (st == VD_OK) st = vd_js_end(s, err);
    vd_js_free(s);
    return st;
}

int main(void) {
    size_t n = 0;
    for (size_t i = 0; scanf("%zu", &n) == 1 && getchar() == '\n'; i++) {
        char *text = malloc(n + 1);
        vd_str out = { 0 };
        vd_err err = { 0 };
        if (text == NULL || fread(text, 1, n, stdin) != n) return 1;
        size_t step = i % 2 == 0 ? 1 << 18 : 5 + i % 90;
        if (echo(&out, text, n, step, &err) == VD_OK)
            puts(vd_str_text(&out));
        else
            printf("! %s\n", err.msg);
        vd_str_reset(&out);
        free(text);
    }
    return 0;
}
