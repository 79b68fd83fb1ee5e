/* JSON documents (RFC 8259) of any size, read value by value. SPDX-License-Identifier: Apache-2.0
 *
 * The caller asks for what it expects and walks down itself; memory is a window of the file, which
 * grows only for one text that is longer. What is read is checked like in base/json.h: grammar,
 * UTF-8, depth, no NUL in texts, numbers within the range of doubles. Messages name the document
 * and the byte.
 *
 *     bool more = true;
 *     VD_TRY(vd_js_enter(s, VD_JSON_OBJECT, err));
 *     for (;;) {
 *         VD_TRY(vd_js_member(s, &key, &more, err));
 *         if (!more) break;
 *         if (strcmp(key.p, "id") == 0) VD_TRY(vd_js_int(s, &id, "an id", err));
 *         else VD_TRY(vd_js_skip(s, err));
 *     }
 *
 * Threads: one at a time. Every function fails with VD_E_FORMAT, VD_E_LIMIT (depth, a text of more
 * than VD_JS_MAX_TOKEN bytes), VD_E_IO, VD_E_NOMEM; after a failure only free is allowed. */
#ifndef VD_BASE_JSON_STREAM_H
#define VD_BASE_JSON_STREAM_H

#include "base/json.h"
#include "base/str.h"

typedef struct vd_json_stream vd_json_stream;

enum { VD_JS_MAX_TOKEN = 256 << 20 };

/* Text of the window, with a NUL after it; valid until the next call. */
typedef struct vd_js_text {
    const char *p;
    int64_t n;
} vd_js_text;

/* Numbers read by vd_js_reals. A zeroed one is empty; release `v` with vd_mem_free. */
typedef struct vd_js_reals_buf {
    double *v;
    int64_t n, cap;
} vd_js_reals_buf;

vd_status vd_js_open(vd_json_stream **out, const char *path, vd_err *err);
/* Reads memory, which must outlive the stream; it is copied window by window. */
vd_status vd_js_open_bytes(vd_json_stream **out, const char *where, const void *bytes, size_t size,
                           vd_err *err);
void vd_js_free(vd_json_stream *s);

/* For tests: so many bytes a read, so that every kind of token meets the end of the window. */
void vd_js_set_step(vd_json_stream *s, size_t bytes);

const char *vd_js_where(const vd_json_stream *s); /* the name of the document */
int64_t vd_js_at(const vd_json_stream *s);        /* byte where the next token is looked for */

/* What the next value is, without taking it. */
vd_status vd_js_type(vd_json_stream *s, vd_json_type *out, vd_err *err);

/* Takes "[" or "{"; then item or member before each value, until `more` is false, which takes the
 * closing bracket. The key is valid until the next call. */
vd_status vd_js_enter(vd_json_stream *s, vd_json_type type, vd_err *err);
vd_status vd_js_item(vd_json_stream *s, bool *more, vd_err *err);
vd_status vd_js_member(vd_json_stream *s, vd_js_text *key, bool *more, vd_err *err);

/* Take a value of one type; another one is an error that says `what` was expected. An integer may
 * be written as 5.0. */
vd_status vd_js_number(vd_json_stream *s, double *out, const char *what, vd_err *err);
vd_status vd_js_int(vd_json_stream *s, int64_t *out, const char *what, vd_err *err);
vd_status vd_js_text_of(vd_json_stream *s, vd_js_text *out, const char *what, vd_err *err);
vd_status vd_js_bool(vd_json_stream *s, bool *out, const char *what, vd_err *err);
/* true, false or a number: all but 0 is true, as COCO's iscrowd has it. */
vd_status vd_js_flag(vd_json_stream *s, bool *out, const char *what, vd_err *err);

/* Appends the numbers of a flat array. */
vd_status vd_js_reals(vd_json_stream *s, vd_js_reals_buf *out, const char *what, vd_err *err);

/* Takes a value of any type, checked; with `raw` its text without blanks is appended to it. */
vd_status vd_js_skip(vd_json_stream *s, vd_err *err);
vd_status vd_js_raw(vd_json_stream *s, vd_str *raw, vd_err *err);

/* Passes over an array or object by its brackets and quotes only, for what will be read later: see
 * vd_js_back. */
vd_status vd_js_pass(vd_json_stream *s, vd_err *err);

/* A place to come back to: before a value, as vd_js_type would find it. */
typedef struct vd_js_mark {
    int64_t at;
    uint64_t kinds;
    int depth;
} vd_js_mark;
vd_js_mark vd_js_mark_of(const vd_json_stream *s);
vd_status vd_js_back(vd_json_stream *s, vd_js_mark mark, vd_err *err);

/* Fails where anything but blanks follows the document. */
vd_status vd_js_end(vd_json_stream *s, vd_err *err);

/* Fails with VD_E_FORMAT and "where: byte N: " before the message; for readers on top. */
vd_status vd_js_bad(const vd_json_stream *s, vd_err *err, const char *fmt, ...) VD_PRINTF(3, 4);
#endif
