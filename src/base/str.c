/* Growing text. SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static bool room_for(vd_str *s, int64_t n) {
    if (s->status != VD_OK) return false;
    s->status = VD_GROW(s->data, s->cap, s->size + n + 1, NULL);
    return s->status == VD_OK;
}

void vd_str_addn(vd_str *s, const char *bytes, int64_t n) {
    if (n < 0 || !room_for(s, n)) return;
    memcpy(s->data + s->size, bytes, (size_t)n);
    s->size += n;
    s->data[s->size] = '\0';
}

void vd_str_add(vd_str *s, const char *text) {
    vd_str_addn(s, text, (int64_t)strlen(text));
}
void vd_str_addc(vd_str *s, char c) {
    vd_str_addn(s, &c, 1);
}

void vd_str_addf(vd_str *s, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    char small[256];
    int n = vsnprintf(small, sizeof small, fmt, ap);
    va_end(ap);
    if (n < 0) return;
    if (n < (int)sizeof small) {
        vd_str_addn(s, small, n);
        return;
    }
    if (!room_for(s, n)) return;
    va_start(ap, fmt);
    vsnprintf(s->data + s->size, (size_t)n + 1, fmt, ap);
    va_end(ap);
    s->size += n;
}

void vd_str_clear(vd_str *s) {
    s->size = 0;
    s->status = VD_OK;
    if (s->data != NULL) s->data[0] = '\0';
}

void vd_str_reset(vd_str *s) {
    vd_mem_free(s->data);
    *s = (vd_str){ 0 };
}

const char *vd_str_text(const vd_str *s) {
    return s->data != NULL ? s->data : "";
}

vd_status vd_str_check(const vd_str *s, vd_err *err) {
    return s->status == VD_OK ? VD_OK : vd_nomem(err);
}

int vd_utf8_len(const void *text) {
    const unsigned char *p = text;
    if (p[0] < 0x80) return 1;
    int n = p[0] >= 0xf0 && p[0] <= 0xf4 ? 4 : p[0] >= 0xe0 ? 3 : p[0] >= 0xc2 ? 2 : 0;
    if (p[0] > 0xf4) return 0;
    for (int i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80) return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f)) return 0;
    if ((p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f)) return 0;
    return n;
}

void vd_str_json(vd_str *s, const char *text) {
    vd_str_addc(s, '"');
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0';) {
        int n = vd_utf8_len(p);
        if (n == 0) {
            vd_str_add(s, "\\ufffd");
            p++;
        } else if (n > 1 || (*p >= 0x20 && *p != '"' && *p != '\\')) {
            const unsigned char *run = p; /* up to the next character that needs care */
            do p += n;
            while ((n = vd_utf8_len(p)) > 1 || (n == 1 && *p >= 0x20 && *p != '"' && *p != '\\'));
            vd_str_addn(s, (const char *)run, (int64_t)(p - run));
        } else {
            const char *from = "\"\\\n\r\t", *to = "\"\\nrt", *hit = strchr(from, *p);
            if (hit != NULL) {
                vd_str_addc(s, '\\');
                vd_str_addc(s, to[hit - from]);
            } else {
                vd_str_addf(s, "\\u%04x", *p);
            }
            p++;
        }
    }
    vd_str_addc(s, '"');
}

void vd_str_num(vd_str *s, double v) {
    if (!isfinite(v)) return;
    char text[40];
    /* whoever reads back with some digits does with more: halve the range */
    int low = 6, high = 17;
    while (low < high) {
        int digits = (low + high) / 2;
        snprintf(text, sizeof text, "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            high = digits;
        else
            low = digits + 1;
    }
    snprintf(text, sizeof text, "%.*g", high, v);
    vd_str_add(s, text);
}

void vd_str_json_num(vd_str *s, double v) {
    if (isfinite(v))
        vd_str_num(s, v);
    else
        vd_str_add(s, "null");
}

void vd_str_base64(vd_str *s, const void *bytes, int64_t n) {
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *p = bytes;
    if (n <= 0 || !room_for(s, (n + 2) / 3 * 4)) return;
    for (int64_t i = 0; i < n; i += 3) {
        const uint32_t v = (uint32_t)p[i] << 16 | (i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0) |
                           (i + 2 < n ? p[i + 2] : 0);
        s->data[s->size++] = digit[v >> 18];
        s->data[s->size++] = digit[v >> 12 & 63];
        s->data[s->size++] = i + 1 < n ? digit[v >> 6 & 63] : '=';
        s->data[s->size++] = i + 2 < n ? digit[v & 63] : '=';
    }
    s->data[s->size] = '\0';
}

void vd_str_html(vd_str *s, const char *text) {
    for (const char *p = text; *p != '\0'; p++) {
        switch (*p) {
        case '&': vd_str_add(s, "&amp;"); break;
        case '<': vd_str_add(s, "&lt;"); break;
        case '>': vd_str_add(s, "&gt;"); break;
        case '"': vd_str_add(s, "&quot;"); break;
        case '\'': vd_str_add(s, "&#39;"); break;
        default: vd_str_addc(s, *p);
        }
    }
}

void vd_str_count(vd_str *s, int64_t n) {
    char digits[32];
    int len = snprintf(digits, sizeof digits, "%lld", (long long)n);
    for (int i = 0; i < len; i++) {
        bool gap = i > 0 && (len - i) % 3 == 0 && digits[i - 1] != '-';
        if (gap) vd_str_addc(s, ' ');
        vd_str_addc(s, digits[i]);
    }
}

bool vd_str_starts(const char *s, const char *prefix) {
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool vd_str_ends(const char *s, const char *suffix) {
    size_t n = strlen(s), m = strlen(suffix);
    return n >= m && strcmp(s + n - m, suffix) == 0;
}

bool vd_str_list_has(const char *comma_list, const char *name) {
    size_t n = strlen(name);
    for (const char *p = comma_list;; p++) {
        size_t len = strcspn(p, ",");
        if (len == n && strncmp(p, name, n) == 0) return true;
        p += len;
        if (*p == '\0') return false;
    }
}
