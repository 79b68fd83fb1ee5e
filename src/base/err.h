/* Errors: a status to branch on and a message set once, where the fault is found.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_BASE_ERR_H
#define VD_BASE_ERR_H

#include "vidimus/vidimus.h"

/* Sets `err` (unless it is NULL or set already) to "where: what, value, limit" and returns `code`.
 */
vd_status vd_fail(vd_err *err, vd_status code, const char *fmt, ...) VD_PRINTF(3, 4);

/* The same for a failed system call: appends the text of `errnum`. */
vd_status vd_fail_errno(vd_err *err, int errnum, const char *fmt, ...) VD_PRINTF(3, 4);

vd_status vd_nomem(vd_err *err);
const char *vd_status_name(vd_status st);

#define VD_TRY(e)                                                                                  \
    do {                                                                                           \
        vd_status st_try_ = (e);                                                                   \
        if (st_try_ != VD_OK) return st_try_;                                                      \
    } while (0)

/* For functions with one exit: sets `st` and jumps to `done`. */
#define VD_GO(e)                                                                                   \
    do {                                                                                           \
        st = (e);                                                                                  \
        if (st != VD_OK) goto done;                                                                \
    } while (0)

#define VD_COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))
#define VD_MIN(a, b) ((a) < (b) ? (a) : (b))
#define VD_MAX(a, b) ((a) > (b) ? (a) : (b))
#define VD_CLAMP(x, lo, hi) ((x) < (lo) ? (lo) : (x) > (hi) ? (hi) : (x))

#endif
