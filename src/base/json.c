/* A recursive-descent parser; the depth is limited because the stack is. Nodes and texts lie in an
 * arena: a document is let go of at once. SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

typedef struct parser {
    vd_arena *arena;
    const char *where, *begin, *p, *end;
    vd_err *err;
} parser;

static vd_status bad(const parser *s, const char *what) {
    return vd_fail(s->err, VD_E_FORMAT, "%s: byte %lld: %s", s->where, (long long)(s->p - s->begin),
                   what);
}

static void skip_blanks(parser *s) {
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
        s->p++;
}

static bool take(parser *s, char c) {
    if (s->p >= s->end || *s->p != c) return false;
    s->p++;
    return true;
}

static bool take_word(parser *s, const char *word) {
    size_t n = strlen(word);
    if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0) return false;
    s->p += n;
    return true;
}

/* ---- texts ---- */

static int hex4(const char *p) {
    int v = 0;
    for (int i = 0; i < 4; i++) {
        const char *digits = "0123456789abcdef", c = p[i] >= 'A' && p[i] <= 'F' ? p[i] + 32 : p[i];
        const char *hit = c != '\0' ? strchr(digits, c) : NULL;
        if (hit == NULL) return -1;
        v = v * 16 + (int)(hit - digits);
    }
    return v;
}

static int put_utf8(char *to, unsigned c) {
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    int n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (int i = n - 1; i > 0; i--, c >>= 6) to[i] = (char)(0x80 | (c & 63));
    to[0] = (char)(c | (n == 2 ? 0xc0 : n == 3 ? 0xe0 : 0xf0));
    return n;
}

/* After "\u": one code point, of two escapes where the first is half of a pair. */
static vd_status unicode(parser *s, char **to) {
    int c = s->end - s->p >= 4 ? hex4(s->p) : -1;
    if (c >= 0) s->p += 4;
    if (c >= 0xd800 && c < 0xdc00) {
        bool pair = s->end - s->p >= 6 && s->p[0] == '\\' && s->p[1] == 'u';
        int low = pair ? hex4(s->p + 2) : -1;
        if (low < 0xdc00 || low > 0xdfff) return bad(s, "half of a surrogate pair");
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        s->p += 6;
    }
    if (c <= 0 || (c >= 0xdc00 && c < 0xe000)) return bad(s, "an escape that is no character");
    *to += put_utf8(*to, (unsigned)c);
    return VD_OK;
}

static vd_status escape(parser *s, char **to) {
    static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
    char c = s->p < s->end ? *s->p++ : '\0';
    if (c == 'u') return unicode(s, to);
    const char *hit = c != '\0' ? strchr(from, c) : NULL;
    if (hit == NULL) return bad(s, "an unknown escape");
    *(*to)++ = into[hit - from];
    return VD_OK;
}

/* After the opening quote. What is written is never longer than what is read. */
static vd_status text_of(parser *s, const char **out) {
    const char *close = s->p;
    while (close < s->end && *close != '"') close += *close == '\\' ? 2 : 1;
    if (close >= s->end) return bad(s, "a text without its end");
    char *to = vd_arena_alloc(s->arena, (size_t)(close - s->p) + 1);
    if (to == NULL) return vd_nomem(s->err);
    *out = to;
    while (*s->p != '"') {
        int n = vd_utf8_len(s->p);
        if (n == 0) return bad(s, "text that is not UTF-8");
        if ((unsigned char)*s->p < 0x20) return bad(s, "a control character in a text");
        if (take(s, '\\')) {
            VD_TRY(escape(s, &to));
            continue;
        }
        memcpy(to, s->p, (size_t)n);
        to += n;
        s->p += n;
    }
    *to = '\0';
    s->p++;
    return VD_OK;
}

/* ---- values ---- */

/* -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)? and not what else strtod takes. */
static bool number_ends(const char *p, const char **end) {
    p += *p == '-';
    size_t n = strspn(p, "0123456789");
    if (n == 0 || (n > 1 && *p == '0')) return false;
    p += n;
    if (*p == '.') {
        n = strspn(++p, "0123456789");
        if (n == 0) return false;
        p += n;
    }
    if (*p == 'e' || *p == 'E') {
        p++;
        p += *p == '+' || *p == '-';
        n = strspn(p, "0123456789");
        if (n == 0) return false;
        p += n;
    }
    *end = p;
    return true;
}

static vd_status number(parser *s, vd_json *v) {
    const char *end = NULL;
    if (!number_ends(s->p, &end)) return bad(s, "no value");
    v->type = VD_JSON_NUMBER;
    v->number = strtod(s->p, NULL);
    if (!isfinite(v->number)) return bad(s, "a number beyond the range of doubles");
    s->p = end;
    return VD_OK;
}

static vd_status value(parser *s, vd_json **out, int depth);

static vd_status member(parser *s, vd_json *of, vd_json **out, int depth) {
    const char *key = NULL;
    skip_blanks(s);
    if (of->type == VD_JSON_OBJECT) {
        if (!take(s, '"')) return bad(s, "no key");
        VD_TRY(text_of(s, &key));
        skip_blanks(s);
        if (!take(s, ':')) return bad(s, "no ':' after a key");
    }
    VD_TRY(value(s, out, depth + 1));
    (*out)->key = key;
    of->n++;
    return VD_OK;
}

static vd_status members(parser *s, vd_json *of, char close, int depth) {
    const vd_json **tail = &of->first;
    skip_blanks(s);
    if (take(s, close)) return VD_OK;
    for (;;) {
        vd_json *m = NULL;
        VD_TRY(member(s, of, &m, depth));
        *tail = m;
        tail = &m->next;
        skip_blanks(s);
        if (take(s, close)) return VD_OK;
        if (!take(s, ',')) return bad(s, close == ']' ? "no ',' or ']'" : "no ',' or '}'");
    }
}

static vd_status value(parser *s, vd_json **out, int depth) {
    if (depth > VD_JSON_MAX_DEPTH)
        return vd_fail(s->err, VD_E_LIMIT, "%s: byte %lld: more than %d levels", s->where,
                       (long long)(s->p - s->begin), VD_JSON_MAX_DEPTH);
    skip_blanks(s);
    vd_json *v = vd_arena_alloc(s->arena, sizeof *v);
    if (v == NULL) return vd_nomem(s->err);
    *v = (vd_json){ .at = s->p - s->begin };
    *out = v;
    if (take_word(s, "null")) return VD_OK;
    v->type = VD_JSON_BOOL;
    v->number = 1;
    if (take_word(s, "true")) return VD_OK;
    v->number = 0;
    if (take_word(s, "false")) return VD_OK;
    v->type = VD_JSON_TEXT;
    if (take(s, '"')) return text_of(s, &v->text);
    v->type = VD_JSON_ARRAY;
    if (take(s, '[')) return members(s, v, ']', depth);
    v->type = VD_JSON_OBJECT;
    if (take(s, '{')) return members(s, v, '}', depth);
    return number(s, v);
}

vd_status vd_json_parse(const vd_json **out, vd_arena *arena, const char *where, const char *text,
                        size_t size, vd_err *err) {
    parser s = { arena, where, text, text, text + size, err };
    vd_json *root = NULL;
    VD_TRY(value(&s, &root, 0));
    skip_blanks(&s);
    if (s.p != s.end) return bad(&s, "something after the document");
    *out = root;
    return VD_OK;
}

const vd_json *vd_json_get(const vd_json *object, const char *key) {
    if (object == NULL || object->type != VD_JSON_OBJECT) return NULL;
    for (const vd_json *m = object->first; m != NULL; m = m->next)
        if (strcmp(m->key, key) == 0) return m;
    return NULL;
}

double vd_json_number(const vd_json *object, const char *key, double otherwise) {
    const vd_json *m = vd_json_get(object, key);
    return m != NULL && m->type == VD_JSON_NUMBER ? m->number : otherwise;
}

const char *vd_json_text(const vd_json *object, const char *key) {
    const vd_json *m = vd_json_get(object, key);
    return m != NULL && m->type == VD_JSON_TEXT ? m->text : NULL;
}
