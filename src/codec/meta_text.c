/* Texts and dates of metadata. SPDX-License-Identifier: Apache-2.0 */
#include "codec/meta_text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Length of the UTF-8 sequence at p, 0 where it is none. */
static size_t utf8(const unsigned char *p, size_t n) {
    size_t len = p[0] < 0x80                   ? 1
                 : p[0] >= 0xc2 && p[0] < 0xe0 ? 2
                 : p[0] >= 0xe0 && p[0] < 0xf0 ? 3
                 : p[0] >= 0xf0 && p[0] < 0xf5 ? 4
                                               : 0;
    if (len == 0 || len > n) return 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xc0) != 0x80) return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f)) return 0;
    if ((p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f)) return 0;
    return len;
}

void vd_meta_text(char *out, size_t size, const char *in, size_t n) {
    const unsigned char *p = (const unsigned char *)in;
    size_t w = 0;
    if (out[0] != '\0') return;
    for (size_t i = 0; i < n && p[i] != 0;) {
        size_t len = utf8(p + i, n - i);
        if (w + VD_MAX(len, 2) >= size) break;
        if (len == 0) { /* Latin-1 */
            out[w++] = (char)(0xc0 | p[i] >> 6);
            out[w++] = (char)(0x80 | (p[i] & 0x3f));
            len = 1;
        } else if (len == 1 && (p[i] < 32 || p[i] == 127 || p[i] == ' ')) {
            if (w > 0) out[w++] = ' ';
        } else {
            memcpy(out + w, p + i, len);
            w += len;
        }
        i += len;
    }
    while (w > 0 && out[w - 1] == ' ') w--;
    out[w] = '\0';
}

static bool digits(const char *p, int n, int *out) {
    *out = 0;
    for (int i = 0; i < n; i++) {
        if (!isdigit((unsigned char)p[i])) return false;
        *out = *out * 10 + p[i] - '0';
    }
    return true;
}

static bool zone(const char *p, char out[16]) {
    int h, m;
    if (p[0] == 'Z' || p[0] == 'z') {
        memcpy(out, "Z", 2);
        return true;
    }
    if (p[0] != '+' && p[0] != '-') return false;
    if (!digits(p + 1, 2, &h) || p[3] != ':' || !digits(p + 4, 2, &m) || h > 14 || m > 59)
        return false;
    snprintf(out, 16, "%c%02d:%02d", p[0], h, m);
    return true;
}

bool vd_meta_date(char out[40], const char *date, const char *subsec, const char *offset) {
    int y, mo, d, h = 0, mi = 0, s = 0;
    char fraction[12] = "", where[16] = "";
    while (*date == ' ') date++;
    if (strlen(date) < 16 || !digits(date, 4, &y) || !digits(date + 5, 2, &mo) ||
        !digits(date + 8, 2, &d) || !digits(date + 11, 2, &h) || !digits(date + 14, 2, &mi))
        return false;
    const char *p = date + 16;
    if (*p == ':' && digits(p + 1, 2, &s)) p += 3;
    if (y < 1800 || mo < 1 || mo > 12 || d < 1 || d > 31 || h > 23 || mi > 59 || s > 60)
        return false;
    if (*p == '.') subsec = p + 1;
    if (subsec != NULL) {
        size_t n = strspn(subsec, "0123456789");
        if (n > 0) snprintf(fraction, sizeof fraction, ".%.*s", (int)VD_MIN(n, 9), subsec);
    }
    if (*p == '.') p += 1 + strspn(p + 1, "0123456789");
    if (!zone(p, where) && offset != NULL) zone(offset, where);
    snprintf(out, 40, "%04u-%02u-%02uT%02u:%02u:%02u%s%s", y, mo, d, h, mi, s, fraction, where);
    return true;
}
