/* Errors. The message is formatted where the fault is found; callers only propagate.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void set(vd_err *err, vd_status code, const char *fmt, va_list ap) {
    err->code = code;
    vsnprintf(err->msg, sizeof err->msg, fmt, ap);
}

vd_status vd_fail(vd_err *err, vd_status code, const char *fmt, ...) {
    if (err != NULL && err->code == VD_OK) {
        va_list ap;
        va_start(ap, fmt);
        set(err, code, fmt, ap);
        va_end(ap);
    }
    return code;
}

vd_status vd_fail_errno(vd_err *err, int errnum, const char *fmt, ...) {
    if (err != NULL && err->code == VD_OK) {
        va_list ap;
        va_start(ap, fmt);
        set(err, VD_E_IO, fmt, ap);
        va_end(ap);
        size_t n = strlen(err->msg);
        char text[128];
        /* the GNU variant returns the text, in `text` or static */
        const char *s = strerror_r(errnum, text, sizeof text);
        snprintf(err->msg + n, sizeof err->msg - n, ": %s", s);
    }
    return VD_E_IO;
}

vd_status vd_nomem(vd_err *err) {
    return vd_fail(err, VD_E_NOMEM, "memory: allocation refused");
}

const char *vd_status_name(vd_status st) {
    switch (st) {
    case VD_OK: return "ok";
    case VD_E_ARG: return "argument";
    case VD_E_NOMEM: return "no memory";
    case VD_E_IO: return "input/output";
    case VD_E_FORMAT: return "format";
    case VD_E_LIMIT: return "limit";
    case VD_E_NOTFOUND: return "not found";
    case VD_E_EXISTS: return "exists";
    case VD_E_CANCEL: return "cancelled";
    case VD_E_NUMERIC: return "numeric";
    case VD_E_UNSUPPORTED: return "unsupported";
    case VD_E_BUSY: return "busy";
    case VD_E_INTERNAL: return "internal";
    case VD_E_CHECK: return "check failed";
    }
    return "unknown";
}
