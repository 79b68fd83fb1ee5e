/* What of XML needs no parser, and what a build without expat says. SPDX-License-Identifier:
 * Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "labelkit/xml.h"

const char *vd_xml_attr(const vd_xml_at *at, const char *name) {
    for (const char *const *a = at->attr; *a != NULL; a += 2)
        if (strcmp(a[0], name) == 0) return a[1];
    return NULL;
}

vd_status vd_xml_real(const vd_xml_at *at, const char *text, const char *what, double *out,
                      vd_err *err) {
    char *end = NULL;
    if (text == NULL) return vd_fail(err, VD_E_FORMAT, "%s: %s is missing", at->where, what);
    double v = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(v))
        return vd_fail(err, VD_E_FORMAT, "%s: %s '%.40s' is not a finite number", at->where, what,
                       text);
    *out = v;
    return VD_OK;
}

vd_status vd_xml_int(const vd_xml_at *at, const char *text, const char *what, int64_t *out,
                     vd_err *err) {
    char *end = NULL;
    if (text == NULL) return vd_fail(err, VD_E_FORMAT, "%s: %s is missing", at->where, what);
    errno = 0;
    long long v = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0)
        return vd_fail(err, VD_E_FORMAT, "%s: %s '%.40s' is not a whole number", at->where, what,
                       text);
    *out = v;
    return VD_OK;
}

void vd_xml_add(vd_str *s, const char *text) {
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0';) {
        int n = vd_utf8_len(p);
        bool control = *p < 0x20 && *p != '\t' && *p != '\n' && *p != '\r';
        if (n == 0 || control) {
            vd_str_add(s, "\xef\xbf\xbd");
            p++;
            continue;
        }
        const char one[5] = { (char)p[0], n > 1 ? (char)p[1] : '\0', n > 2 ? (char)p[2] : '\0',
                              n > 3 ? (char)p[3] : '\0', '\0' };
        vd_str_html(s, one);
        p += n;
    }
}

#ifndef VD_HAVE_EXPAT
static vd_status none(const char *where, vd_err *err) {
    return vd_fail(err, VD_E_UNSUPPORTED, "label: %s is XML, and this build has no expat", where);
}

vd_status vd_xml_parse(const vd_xml_handler *h, const char *where, const char *text, size_t size,
                       vd_err *err) {
    (void)h, (void)text, (void)size;
    return none(where, err);
}

vd_status vd_xml_read(const vd_xml_handler *h, const char *path, vd_err *err) {
    (void)h;
    return none(path, err);
}
#endif
