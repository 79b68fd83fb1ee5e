/* A pull parser over a window of the document. SPDX-License-Identifier: Apache-2.0
 *
 * A NUL stands after the window, so that loops over digits, blanks and words need no other bound; a
 * token that reaches it is looked at again after more was read. Texts are unescaped where they lie.
 * Blanks and texts are passed 16 bytes at a time where SSE2 is (every x86-64): keys are short, but
 * masks and pictures inside of documents are not. Nesting is one bit a level. */
#include "base/json_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/decimal.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/scan.h"

/* PAD: what a step of 16 bytes may read beyond the NUL. LEAST: shorter tokens are whole in the
 * window once so many bytes are ahead. */
enum { WINDOW = 256 << 10, PAD = 32, LEAST = 64, BACK = 8 << 10 };

struct vd_json_stream {
    char *window, *p, *end; /* *end is NUL */
    size_t cap;
    int64_t base; /* byte of the document at window[0] */
    bool eof;
    bool fresh;     /* after an opening bracket: no comma before what follows */
    uint64_t kinds; /* bit of the innermost level lowest: 1 an object */
    int depth;
    int fd;
    const char *bytes; /* instead of fd */
    int64_t size;
    size_t step; /* bytes a read, at most */
    char *where;
};

int64_t vd_js_at(const vd_json_stream *s) {
    return s->base + (s->p - s->window);
}
const char *vd_js_where(const vd_json_stream *s) {
    return s->where;
}

vd_status vd_js_bad(const vd_json_stream *s, vd_err *err, const char *fmt, ...) {
    char what[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    return vd_fail(err, VD_E_FORMAT, "%s: byte %lld: %s", s->where, (long long)vd_js_at(s), what);
}

/* ---- the window ---- */

static vd_status open_stream(vd_json_stream **out, const char *where, vd_json_stream init,
                             vd_err *err) {
    vd_json_stream *s = vd_mem_array(1, sizeof *s);
    if (s != NULL) {
        *s = init;
        s->cap = s->step = WINDOW;
        s->where = vd_mem_strdup(where);
        s->window = vd_mem_alloc(WINDOW + PAD);
    }
    if (s == NULL || s->where == NULL || s->window == NULL) {
        if (s == NULL && init.fd >= 0) close(init.fd);
        vd_js_free(s);
        return vd_nomem(err);
    }
    s->p = s->end = s->window;
    memset(s->end, 0, PAD);
    *out = s;
    return VD_OK;
}

void vd_js_set_step(vd_json_stream *s, size_t bytes) {
    s->step = bytes;
}

vd_status vd_js_open(vd_json_stream **out, const char *path, vd_err *err) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return vd_fail_errno(err, errno, "read: %s", path);
    return open_stream(out, path, (vd_json_stream){ .fd = fd }, err);
}

vd_status vd_js_open_bytes(vd_json_stream **out, const char *where, const void *bytes, size_t size,
                           vd_err *err) {
    vd_json_stream init = { .fd = -1, .bytes = bytes, .size = (int64_t)size };
    return open_stream(out, where, init, err);
}

void vd_js_free(vd_json_stream *s) {
    if (s == NULL) return;
    if (s->fd >= 0) close(s->fd);
    vd_mem_free(s->window);
    vd_mem_free(s->where);
    vd_mem_free(s);
}

static vd_status read_at_end(vd_json_stream *s, size_t room, vd_err *err) {
    int64_t from = s->base + (s->end - s->window);
    size_t got = 0;
    room = VD_MIN(room, s->step);
    if (s->fd >= 0) {
        VD_TRY(vd_file_pread(s->fd, s->end, room, from, &got, s->where, err));
    } else {
        got = (size_t)VD_MIN((int64_t)room, s->size - from);
        memcpy(s->end, s->bytes + from, got);
    }
    s->eof = got < room;
    s->end += got;
    memset(s->end, 0, PAD);
    if (from == 0 && memcmp(s->p, "\xef\xbb\xbf", 3) == 0) s->p += 3; /* a byte order mark */
    return VD_OK;
}

/* Reads more behind what is ahead of s->p, which moves to the front. The window grows when what is
 * ahead fills it. */
static vd_status more_ahead(vd_json_stream *s, vd_err *err) {
    size_t ahead = (size_t)(s->end - s->p);
    if (ahead >= s->cap / 2) {
        if (s->cap >= VD_JS_MAX_TOKEN)
            return vd_fail(err, VD_E_LIMIT, "%s: byte %lld: a value of more than %d bytes",
                           s->where, (long long)vd_js_at(s), VD_JS_MAX_TOKEN / 2);
        char *wider = vd_mem_alloc(2 * s->cap + PAD);
        if (wider == NULL) return vd_nomem(err);
        memcpy(wider, s->p, ahead);
        s->base += s->p - s->window;
        vd_mem_free(s->window);
        s->window = wider;
        s->cap *= 2;
    } else {
        s->base += s->p - s->window;
        memmove(s->window, s->p, ahead);
    }
    s->p = s->window;
    s->end = s->window + ahead;
    return read_at_end(s, s->cap - ahead, err);
}

/* To the next byte that is no blank; at the end of the document *p is NUL. */
static inline vd_status to_token(vd_json_stream *s, vd_err *err) {
    for (;;) {
        if ((unsigned char)*s->p <= ' ') s->p = (char *)vd_scan_blanks(s->p);
        if (s->end - s->p >= LEAST || s->eof) return VD_OK;
        VD_TRY(more_ahead(s, err));
    }
}

/* ---- texts ---- */

static int hex4(const char *p) {
    int v = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        int d = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;
        if (d < 0) return -1;
        v = v * 16 + d;
    }
    return v;
}

static int put_utf8(char *to, unsigned c) {
    int n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    for (int i = n - 1; i > 0; i--, c >>= 6) to[i] = (char)(0x80 | (c & 63));
    to[0] = (char)(c | lead[n]);
    return n;
}

/* At a backslash. Gives how many bytes it takes and writes what it stands for; 0 where it is none.
 */
static int unescape(const char *p, char *to, int *written) {
    static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
    const char *hit = p[1] != '\0' ? strchr(from, p[1]) : NULL;
    *written = 1;
    if (hit != NULL) {
        *to = into[hit - from];
        return 2;
    }
    int c = p[1] == 'u' ? hex4(p + 2) : -1, taken = 6;
    if (c >= 0xd800 && c < 0xdc00) {
        int low = p[6] == '\\' && p[7] == 'u' ? hex4(p + 8) : -1;
        if (low < 0xdc00 || low > 0xdfff) return 0;
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        taken = 12;
    }
    if (c <= 0 || (c >= 0xdc00 && c < 0xe000)) return 0;
    *written = put_utf8(to, (unsigned)c);
    return taken;
}

/* The window ended or something is wrong at `at`. */
static vd_status bad_text(vd_json_stream *s, const char *at, vd_err *err) {
    unsigned char c = (unsigned char)*at;
    if (at >= s->end) return vd_js_bad(s, err, "a text without its end");
    s->p = (char *)at;
    return vd_js_bad(s, err,
                     c == '\\'  ? "an escape that is no character"
                     : c < 0x20 ? "a control character in a text"
                                : "text that is not UTF-8");
}

/* From the byte at `p`, which belongs to a text, to its closing quote, writing to *to what is no
 * plain run. NULL where the window ends or something is wrong: *stop says where. */
static char *text_rest(char *p, char *to, char **text_end, const char **stop) {
    for (;;) {
        char *run = p;
        int n;
        p = (char *)vd_scan_text(p);
        if (to != run) memmove(to, run, (size_t)(p - run));
        to += p - run;
        unsigned char c = (unsigned char)*p;
        if (c == '"') {
            *text_end = to;
            return p + 1;
        }
        if (c == '\\') {
            char put[4];
            int taken = unescape(p, put, &n);
            if (taken == 0) break;
            memcpy(to, put, (size_t)n);
            to += n;
            p += taken;
            continue;
        }
        n = c >= 0x80 ? vd_utf8_len(p) : 0;
        if (n == 0) break;
        memmove(to, p, (size_t)n);
        to += n;
        p += n;
    }
    *stop = p;
    return NULL;
}

/* Whether the window has the text at s->p whole: from its quote to the closing one. */
static bool text_whole(const vd_json_stream *s, const char *p) {
    for (p++;; p++) {
        p = vd_scan_text(p);
        if (p >= s->end) return false;
        if (*p == '"') return true;
        if (*p == '\\' && ++p >= s->end) return false;
    }
}

/* At a quote. Most texts are plain and wholly ahead, so that is tried first. */
static vd_status take_text(vd_json_stream *s, vd_js_text *out, vd_err *err) {
    char *begin = s->p + 1, *close = (char *)vd_scan_text(begin), *after = close + 1;
    if (*close != '"') {
        const char *stop = NULL;
        while (!text_whole(s, s->p) && !s->eof) VD_TRY(more_ahead(s, err));
        begin = s->p + 1;
        after = text_rest(begin, begin, &close, &stop);
        if (after == NULL) return bad_text(s, stop, err);
    }
    *close = '\0';
    *out = (vd_js_text){ begin, close - begin };
    s->p = after;
    return VD_OK;
}

/* ---- structure ---- */

vd_status vd_js_type(vd_json_stream *s, vd_json_type *out, vd_err *err) {
    VD_TRY(to_token(s, err));
    switch (*s->p) {
    case '{': *out = VD_JSON_OBJECT; return VD_OK;
    case '[': *out = VD_JSON_ARRAY; return VD_OK;
    case '"': *out = VD_JSON_TEXT; return VD_OK;
    case 't':
    case 'f': *out = VD_JSON_BOOL; return VD_OK;
    case 'n': *out = VD_JSON_NULL; return VD_OK;
    default: *out = VD_JSON_NUMBER; return VD_OK;
    }
}

static vd_status push(vd_json_stream *s, bool object, vd_err *err) {
    if (s->depth >= VD_JSON_MAX_DEPTH)
        return vd_fail(err, VD_E_LIMIT, "%s: byte %lld: more than %d levels", s->where,
                       (long long)vd_js_at(s), VD_JSON_MAX_DEPTH);
    s->kinds = s->kinds << 1 | object;
    s->depth++;
    s->fresh = true;
    s->p++;
    return VD_OK;
}

static void pop(vd_json_stream *s) {
    s->kinds >>= 1;
    s->depth--;
    s->fresh = false;
    s->p++;
}

static const char *name_of(vd_json_type type) {
    static const char *const names[] = { "null",   "true or false", "a number",
                                         "a text", "an array",      "an object" };
    return names[type];
}

vd_status vd_js_enter(vd_json_stream *s, vd_json_type type, vd_err *err) {
    VD_TRY(to_token(s, err));
    if (*s->p == (type == VD_JSON_OBJECT ? '{' : '[')) return push(s, type == VD_JSON_OBJECT, err);
    return vd_js_bad(s, err, "not %s", name_of(type));
}

/* The comma or closing bracket before an item or member. */
static inline vd_status next_of(vd_json_stream *s, char close, bool *more, vd_err *err) {
    VD_TRY(to_token(s, err));
    *more = *s->p != close;
    if (!*more) {
        pop(s);
        return VD_OK;
    }
    if (!s->fresh) {
        if (*s->p != ',')
            return vd_js_bad(s, err, close == ']' ? "no ',' or ']'" : "no ',' or '}'");
        s->p++;
    }
    s->fresh = false;
    return VD_OK;
}

vd_status vd_js_item(vd_json_stream *s, bool *more, vd_err *err) {
    return next_of(s, ']', more, err);
}

/* Over blanks after a key. When the window moves, the key goes with it. */
static vd_status to_colon(vd_json_stream *s, vd_js_text *key, vd_err *err) {
    const char *after = vd_scan_blanks(s->p);
    while (after == s->end && !s->eof) {
        const ptrdiff_t far = after - key->p;
        s->p = (char *)key->p;
        VD_TRY(more_ahead(s, err));
        key->p = s->p;
        after = vd_scan_blanks(s->p + far);
    }
    s->p = (char *)after;
    return *after == ':' ? VD_OK : vd_js_bad(s, err, "no ':' after a key");
}

vd_status vd_js_member(vd_json_stream *s, vd_js_text *key, bool *more, vd_err *err) {
    VD_TRY(next_of(s, '}', more, err));
    if (!*more) return VD_OK;
    VD_TRY(to_token(s, err));
    if (*s->p != '"') return vd_js_bad(s, err, "no key");
    VD_TRY(take_text(s, key, err));
    if (*s->p != ':') VD_TRY(to_colon(s, key, err));
    s->p++;
    return VD_OK;
}

/* ---- values ---- */

/* Whether the window may hold only a part of the number at s->p. */
static bool number_cut(const vd_json_stream *s) {
    return !s->eof && s->p + strspn(s->p, "+-.0123456789Ee") >= s->end;
}

static vd_status number_at(vd_json_stream *s, double *out, const char *what, vd_err *err) {
    const char *end = vd_decimal_read(s->p, out);
    while ((end == NULL || end >= s->end) && number_cut(s)) {
        VD_TRY(more_ahead(s, err));
        end = vd_decimal_read(s->p, out);
    }
    if (end == NULL) {
        bool other = *s->p != '\0' && strchr("\"[{tfn", *s->p) != NULL;
        return other ? vd_js_bad(s, err, "not %s", what) : vd_js_bad(s, err, "no value");
    }
    if (!isfinite(*out)) return vd_js_bad(s, err, "a number beyond the range of doubles");
    s->p = (char *)end;
    return VD_OK;
}

vd_status vd_js_number(vd_json_stream *s, double *out, const char *what, vd_err *err) {
    VD_TRY(to_token(s, err));
    return number_at(s, out, what, err);
}

vd_status vd_js_int(vd_json_stream *s, int64_t *out, const char *what, vd_err *err) {
    double v = 0;
    VD_TRY(to_token(s, err));
    const char *end = vd_decimal_read_int(s->p, out);
    if (end != NULL && end < s->end) {
        s->p = (char *)end;
        return VD_OK;
    }
    const int64_t at = vd_js_at(s);
    VD_TRY(number_at(s, &v, what, err));
    /* the window has not moved on since: the number is still before s->p */
    const char *begin = s->p - (vd_js_at(s) - at);
    end = vd_decimal_read_int(begin, out);
    if (end == s->p) return VD_OK;
    if (v != floor(v) || fabs(v) > 9007199254740992.0) {
        s->p = (char *)begin;
        return vd_js_bad(s, err, "not %s: %.17g", what, v);
    }
    *out = (int64_t)v;
    return VD_OK;
}

vd_status vd_js_text_of(vd_json_stream *s, vd_js_text *out, const char *what, vd_err *err) {
    VD_TRY(to_token(s, err));
    if (*s->p != '"') return vd_js_bad(s, err, "not %s", what);
    return take_text(s, out, err);
}

static bool word_at(const vd_json_stream *s, const char *word) {
    return strncmp(s->p, word, strlen(word)) == 0;
}

vd_status vd_js_bool(vd_json_stream *s, bool *out, const char *what, vd_err *err) {
    VD_TRY(to_token(s, err));
    bool yes = word_at(s, "true");
    if (!yes && !word_at(s, "false")) return vd_js_bad(s, err, "not %s", what);
    s->p += yes ? 4 : 5;
    *out = yes;
    return VD_OK;
}

vd_status vd_js_flag(vd_json_stream *s, bool *out, const char *what, vd_err *err) {
    vd_json_type type;
    double v = 0;
    VD_TRY(vd_js_type(s, &type, err));
    if (type == VD_JSON_BOOL) return vd_js_bool(s, out, what, err);
    VD_TRY(vd_js_number(s, &v, what, err));
    *out = v != 0;
    return VD_OK;
}

vd_status vd_js_reals(vd_json_stream *s, vd_js_reals_buf *out, const char *what, vd_err *err) {
    VD_TRY(to_token(s, err));
    if (*s->p != '[') return vd_js_bad(s, err, "not %s", what);
    VD_TRY(push(s, false, err));
    for (;;) {
        bool more = true;
        VD_TRY(next_of(s, ']', &more, err));
        if (!more) return VD_OK;
        VD_TRY(to_token(s, err));
        if (out->n == out->cap) VD_TRY(VD_GROW(out->v, out->cap, out->n + 1, err));
        VD_TRY(number_at(s, &out->v[out->n], what, err));
        out->n++;
    }
}

static vd_status take_scalar(vd_json_stream *s, vd_str *raw, vd_err *err) {
    double v;
    vd_js_text text;
    static const char *const words[] = { "null", "true", "false" };
    for (int i = 0; i < VD_COUNT(words); i++) {
        if (!word_at(s, words[i])) continue;
        s->p += strlen(words[i]);
        if (raw != NULL) vd_str_add(raw, words[i]);
        return VD_OK;
    }
    if (*s->p == '"') {
        VD_TRY(take_text(s, &text, err));
        if (raw != NULL) vd_str_json(raw, text.p);
        return VD_OK;
    }
    const int64_t at = vd_js_at(s);
    VD_TRY(number_at(s, &v, "a value", err));
    if (raw != NULL) vd_str_addn(raw, s->p - (vd_js_at(s) - at), vd_js_at(s) - at);
    return VD_OK;
}

/* One step of a value: what comes before and the value itself if it has no parts; `done` when the
 * level at which it began is left. */
static vd_status walk_step(vd_json_stream *s, vd_str *raw, vd_err *err) {
    bool object = s->kinds & 1, first = s->fresh, more = false;
    vd_js_text key;
    if (object)
        VD_TRY(vd_js_member(s, &key, &more, err));
    else
        VD_TRY(vd_js_item(s, &more, err));
    if (raw != NULL && more && !first) vd_str_addc(raw, ',');
    if (raw != NULL && !more) vd_str_addc(raw, object ? '}' : ']');
    if (!more) return VD_OK;
    if (raw != NULL && object) {
        vd_str_json(raw, key.p);
        vd_str_addc(raw, ':');
    }
    VD_TRY(to_token(s, err));
    if (*s->p != '[' && *s->p != '{') return take_scalar(s, raw, err);
    if (raw != NULL) vd_str_addc(raw, *s->p);
    return push(s, *s->p == '{', err);
}

vd_status vd_js_raw(vd_json_stream *s, vd_str *raw, vd_err *err) {
    int depth = s->depth;
    VD_TRY(to_token(s, err));
    if (*s->p != '[' && *s->p != '{')
        VD_TRY(take_scalar(s, raw, err));
    else {
        if (raw != NULL) vd_str_addc(raw, *s->p);
        VD_TRY(push(s, *s->p == '{', err));
        while (s->depth > depth) VD_TRY(walk_step(s, raw, err));
    }
    return raw != NULL ? vd_str_check(raw, err) : VD_OK;
}

vd_status vd_js_skip(vd_json_stream *s, vd_err *err) {
    return vd_js_raw(s, NULL, err);
}

/* ---- passing over, coming back ---- */

/* Inside of a text: to behind its closing quote, window by window. */
static vd_status pass_text(vd_json_stream *s, vd_err *err) {
    for (;;) {
        s->p = (char *)vd_scan_quote(s->p);
        if (*s->p == '"' && s->p < s->end) {
            s->p++;
            return VD_OK;
        }
        if (s->p < s->end - 1) {
            s->p += *s->p == '\\' ? 2 : 1; /* or a NUL, which whoever comes back refuses */
            continue;
        }
        if (s->eof) return vd_js_bad(s, err, "a text without its end");
        VD_TRY(more_ahead(s, err));
    }
}

vd_status vd_js_pass(vd_json_stream *s, vd_err *err) {
    int64_t depth = 0;
    VD_TRY(to_token(s, err));
    if (*s->p != '[' && *s->p != '{') return vd_js_skip(s, err);
    for (;;) {
        s->p = (char *)vd_scan_brackets(s->p);
        if (s->p >= s->end) {
            s->p = s->end;
            if (s->eof) return vd_js_bad(s, err, "the document ends inside of a value");
            VD_TRY(more_ahead(s, err));
            continue;
        }
        char c = *s->p++;
        if (c == '"') VD_TRY(pass_text(s, err));
        depth += c == '[' || c == '{';
        depth -= c == ']' || c == '}';
        if (depth == 0) return VD_OK;
    }
}

vd_js_mark vd_js_mark_of(const vd_json_stream *s) {
    return (vd_js_mark){ vd_js_at(s), s->kinds, s->depth };
}

vd_status vd_js_back(vd_json_stream *s, vd_js_mark mark, vd_err *err) {
    s->base = mark.at;
    s->kinds = mark.kinds;
    s->depth = mark.depth;
    s->p = s->end = s->window;
    s->eof = s->fresh = false;
    return read_at_end(s, BACK, err); /* often only a little is wanted there */
}

vd_status vd_js_end(vd_json_stream *s, vd_err *err) {
    VD_TRY(to_token(s, err));
    return s->p < s->end ? vd_js_bad(s, err, "something after the document") : VD_OK;
}
