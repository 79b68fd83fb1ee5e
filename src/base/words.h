/* A cursor over the lines and words of a text file. SPDX-License-Identifier: Apache-2.0
 *
 * The text has a NUL after its end, as vd_file_read leaves it. Lines end with LF or CR LF. */
#ifndef VD_BASE_WORDS_H
#define VD_BASE_WORDS_H

#include "base/err.h"

typedef struct vd_words {
    const char *name;       /* of the file, for messages */
    const char *p, *eol;    /* what is left of the present line */
    const char *next, *end; /* the lines after it */
    int64_t line;           /* its number, from 1 */
} vd_words;

vd_words vd_words_of(const char *name, const char *text, size_t size);
bool vd_words_line(vd_words *w);            /* to the next line; false at the end */
bool vd_words_line_with_words(vd_words *w); /* past empty lines and those that begin with # */
int64_t vd_words_left(const vd_words *w);   /* words on the rest of the line */
bool vd_words_more(vd_words *w);            /* whether there is one */

/* The next word of the line; fails with VD_E_FORMAT, which names the file, the line and `what`.
 * Numbers are finite, integers in min..max. */
vd_status vd_words_word(vd_words *w, const char **word, size_t *n, const char *what, vd_err *err);
vd_status vd_words_real(vd_words *w, double *out, const char *what, vd_err *err);
vd_status vd_words_int(vd_words *w, int64_t *out, int64_t min, int64_t max, const char *what,
                       vd_err *err);
vd_status vd_words_reals(vd_words *w, double *out, int n, const char *what, vd_err *err);
/* The rest of the line without the blanks around it; fails where nothing is left. */
vd_status vd_words_rest(vd_words *w, const char **rest, size_t *n, const char *what, vd_err *err);
/* Fails where something is left on the line. */
vd_status vd_words_end(vd_words *w, vd_err *err);
#endif
