/* Growing text with a sticky status, checked once at the end. SPDX-License-Identifier: Apache-2.0
 */
#ifndef VD_BASE_STR_H
#define VD_BASE_STR_H

#include "base/err.h"

/* A zeroed vd_str is empty and valid. `data` is NUL-terminated once anything was added; use
 * vd_str_text, which never gives NULL. After a refused allocation all adds do nothing. */
typedef struct vd_str {
    char *data;
    int64_t size, cap;
    vd_status status;
} vd_str;

void vd_str_add(vd_str *s, const char *text);
void vd_str_addn(vd_str *s, const char *bytes, int64_t n);
void vd_str_addc(vd_str *s, char c);
void vd_str_addf(vd_str *s, const char *fmt, ...) VD_PRINTF(2, 3);
void vd_str_clear(vd_str *s); /* keeps the memory */
void vd_str_reset(vd_str *s); /* frees it */
const char *vd_str_text(const vd_str *s);
vd_status vd_str_check(const vd_str *s, vd_err *err);

/* A JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD. */
void vd_str_json(vd_str *s, const char *text);
/* A double as JSON: the shortest text that reads back the same; null when not finite. */
void vd_str_json_num(vd_str *s, double v);
/* The same text for any reader: "" when not finite. */
void vd_str_num(vd_str *s, double v);
/* Base64 with padding (RFC 4648), without quotes. */
void vd_str_base64(vd_str *s, const void *bytes, int64_t n);
/* HTML text with & < > " ' escaped. */
void vd_str_html(vd_str *s, const char *text);
/* 1 024: thin groups of three, as the terminal shows counts. */
void vd_str_count(vd_str *s, int64_t n);

bool vd_str_starts(const char *s, const char *prefix);
bool vd_str_ends(const char *s, const char *suffix);
bool vd_str_list_has(const char *comma_list, const char *name);
/* Length of the valid UTF-8 sequence at `text`, 0 if there is none (overlong forms, surrogates). */
int vd_utf8_len(const void *text);
#endif
