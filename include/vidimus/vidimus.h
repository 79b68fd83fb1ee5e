/* Vidimus: an embedded visual data engine. The public C interface.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A dataset is a directory; operations are the only front doors to it. Open a dataset (or let `run`
 * make one), call an operation by name with typed arguments, read the result column by column.
 *
 *     vd_ctx *ctx = NULL;  vd_result *r = NULL;  vd_err err = {0};
 *     vd_arg_value a[] = {{"dataset", "photos.vidimus"}, {"where", "sharpness < 5"}};
 *     if (vd_ctx_new(&ctx, NULL, &err) == VD_OK && vd_call(ctx, "list", a, 2, &r, &err) == VD_OK)
 *         ... vd_result_export(r, &schema, &array, &err) ...
 *     vd_result_free(r);  vd_ctx_free(ctx);
 *
 * Conventions: every function that can fail returns vd_status and takes a caller-owned vd_err (NULL
 * allowed) as its last parameter; outputs are untouched on failure. free(NULL) is fine. Text is UTF-8.
 */
#ifndef VIDIMUS_H
#define VIDIMUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define VD_API __attribute__((visibility("default")))
#define VD_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define VD_API
#define VD_PRINTF(f, a)
#endif

#define VIDIMUS_VERSION "0.1.0"

/** What a call came to. Branch on the code; show vd_err.msg to a person. */
typedef enum vd_status {
    VD_OK = 0,
    VD_E_ARG = -1,          /**< an argument is missing, malformed or out of its range */
    VD_E_NOMEM = -2,        /**< memory ran out */
    VD_E_IO = -3,           /**< the operating system refused to read or write */
    VD_E_FORMAT = -4,       /**< bytes that are not what they claim to be */
    VD_E_LIMIT = -5,        /**< a stated limit would be exceeded */
    VD_E_NOTFOUND = -6,     /**< no such dataset, asset, operation or column */
    VD_E_EXISTS = -7,       /**< something is there already */
    VD_E_CANCEL = -8,       /**< the cancel callback said stop */
    VD_E_NUMERIC = -9,      /**< no finite answer */
    VD_E_UNSUPPORTED = -10, /**< valid, but not handled by this build */
    VD_E_BUSY = -11,        /**< another process holds the dataset */
    VD_E_INTERNAL = -12,    /**< a broken promise of ours */
    VD_E_CHECK = -13        /**< the work was done, and a check that was asked for failed */
} vd_status;

/** A caller-owned error. The first setter wins: where, what, the value and the limit. */
typedef struct vd_err {
    vd_status code;
    char msg[480];
} vd_err;
/*@API@*/
#ifdef __cplusplus
}
#endif
#endif
