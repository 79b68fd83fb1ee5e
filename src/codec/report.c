/* Filling in a verdict. SPDX-License-Identifier: Apache-2.0 */
#include "codec/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void vd_report_line(char *out, size_t size, const char *text) {
    size_t n = 0;
    for (; *text != '\0' && n + 1 < size; text++) {
        unsigned char c = (unsigned char)*text;
        bool space = c <= 32 || c == 127;
        if (space && (n == 0 || out[n - 1] == ' ')) continue;
        out[n++] = space ? ' ' : *text;
    }
    while (n > 0 && out[n - 1] == ' ') n--;
    out[n] = '\0';
}

void vd_report(vd_media *m, vd_verdict v, const char *reason, const char *fmt, ...) {
    char text[400];
    va_list ap;
    if (v < m->verdict) return;
    m->verdict = v;
    snprintf(m->reason, sizeof m->reason, "%s", reason);
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    vd_report_line(m->detail, sizeof m->detail, text);
}

bool vd_report_size(vd_media *m, int64_t width, int64_t height, int64_t max_pixels) {
    enum { LONGEST = 1 << 30 };
    bool swapped = m->orientation >= 5;
    if (width < 1 || height < 1 || width > LONGEST || height > LONGEST) {
        vd_report(m, VD_V_UNREADABLE, "bad_size", "the header declares %lld x %lld pixels",
                  (long long)width, (long long)height);
        return false;
    }
    m->width = (int32_t)(swapped ? height : width);
    m->height = (int32_t)(swapped ? width : height);
    if (width <= max_pixels / height) return true;
    vd_report(m, VD_V_TOO_LARGE, "pixel_limit",
              "%lld x %lld pixels are declared, the limit is %lld", (long long)width,
              (long long)height, (long long)max_pixels);
    return false;
}
