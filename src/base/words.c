/* Lines and words. Numbers are read by strtod, which rounds correctly; what it takes beyond decimal
 * numbers (nan, inf) is refused because it is not finite. SPDX-License-Identifier: Apache-2.0 */
#include "base/words.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

static void skip_blanks(vd_words *w) {
    while (w->p < w->eol && blank(*w->p)) w->p++;
}

vd_words vd_words_of(const char *name, const char *text, size_t size) {
    return (vd_words){ .name = name, .p = text, .eol = text, .next = text, .end = text + size };
}

bool vd_words_line(vd_words *w) {
    if (w->next >= w->end) return false;
    const char *lf = memchr(w->next, '\n', (size_t)(w->end - w->next));
    w->p = w->next;
    w->eol = lf != NULL ? lf : w->end;
    w->next = lf != NULL ? lf + 1 : w->end;
    w->line++;
    return true;
}

bool vd_words_line_with_words(vd_words *w) {
    while (vd_words_line(w)) {
        if (vd_words_more(w) && *w->p != '#') return true;
    }
    return false;
}

int64_t vd_words_left(const vd_words *w) {
    int64_t n = 0;
    bool between = true;
    for (const char *p = w->p; p < w->eol; p++) {
        n += between && !blank(*p);
        between = blank(*p);
    }
    return n;
}

bool vd_words_more(vd_words *w) {
    skip_blanks(w);
    return w->p < w->eol;
}

vd_status vd_words_word(vd_words *w, const char **word, size_t *n, const char *what, vd_err *err) {
    if (!vd_words_more(w))
        return vd_fail(err, VD_E_FORMAT, "%s:%lld: the line ends before %s", w->name,
                       (long long)w->line, what);
    *word = w->p;
    while (w->p < w->eol && !blank(*w->p)) w->p++;
    *n = (size_t)(w->p - *word);
    return VD_OK;
}

static vd_status not_a(const vd_words *w, const char *word, size_t n, const char *a,
                       const char *what, vd_err *err) {
    return vd_fail(err, VD_E_FORMAT, "%s:%lld: %s '%.*s' is not %s", w->name, (long long)w->line,
                   what, (int)VD_MIN(n, 40), word, a);
}

vd_status vd_words_real(vd_words *w, double *out, const char *what, vd_err *err) {
    const char *word = NULL;
    size_t n = 0;
    char *end = NULL;
    VD_TRY(vd_words_word(w, &word, &n, what, err));
    double v = strtod(word, &end);
    if (end != word + n || !isfinite(v)) return not_a(w, word, n, "a finite number", what, err);
    *out = v;
    return VD_OK;
}

vd_status vd_words_reals(vd_words *w, double *out, int n, const char *what, vd_err *err) {
    for (int i = 0; i < n; i++) VD_TRY(vd_words_real(w, &out[i], what, err));
    return VD_OK;
}

vd_status vd_words_int(vd_words *w, int64_t *out, int64_t min, int64_t max, const char *what,
                       vd_err *err) {
    const char *word = NULL;
    size_t n = 0;
    char *end = NULL;
    VD_TRY(vd_words_word(w, &word, &n, what, err));
    errno = 0;
    long long v = strtoll(word, &end, 10);
    if (end != word + n || errno != 0) return not_a(w, word, n, "a whole number", what, err);
    if (v < min || v > max)
        return vd_fail(err, VD_E_FORMAT, "%s:%lld: %s %lld is outside %lld to %lld", w->name,
                       (long long)w->line, what, v, (long long)min, (long long)max);
    *out = v;
    return VD_OK;
}

vd_status vd_words_rest(vd_words *w, const char **rest, size_t *n, const char *what, vd_err *err) {
    VD_TRY(vd_words_word(w, rest, n, what, err));
    w->p = w->eol;
    while (blank(w->p[-1])) w->p--;
    *n = (size_t)(w->p - *rest);
    w->p = w->eol;
    return VD_OK;
}

vd_status vd_words_end(vd_words *w, vd_err *err) {
    if (!vd_words_more(w)) return VD_OK;
    return vd_fail(err, VD_E_FORMAT, "%s:%lld: '%.*s' after the end of the record", w->name,
                   (long long)w->line, (int)VD_MIN(w->eol - w->p, 40), w->p);
}
