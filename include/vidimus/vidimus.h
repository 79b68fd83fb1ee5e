/* Vidimus: an embedded visual data engine. The public C interface.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A dataset is a directory; operations are the only front doors to it. Open a dataset (or let `run`
 * make one), call an operation by name with typed arguments, read the result column by column.
 *
 *     vd_ctx *ctx = NULL;  vd_result *r = NULL;  vd_err err = {0};
 *     vd_arg_value a[] = {{.name = "dataset", .text = "photos.vidimus"},
 *                         {.name = "where", .text = "sharpness < 5"}};
 *     if (vd_ctx_new(&ctx, NULL, &err) == VD_OK && vd_call(ctx, "list", a, 2, &r, &err) == VD_OK)
 *         ... vd_result_stream(r, &stream, &err) ...
 *     vd_result_free(r);  vd_ctx_free(ctx);
 *
 * Conventions: every function that can fail returns vd_status and takes a caller-owned vd_err (NULL
 * allowed) as its last parameter; outputs are untouched on failure. free(NULL) is fine. Text is
 * UTF-8.
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

/** How far a long operation is. `total` is 0 while unknown. `stage` is borrowed for the call. */
typedef struct vd_progress {
    const char *stage;
    int64_t done, total; /**< items */
    double seconds;      /**< since the stage began */
    bool finished;
} vd_progress;

/** Called from any thread, one call at a time; must not call back into the same context. */
typedef void (*vd_progress_fn)(void *user, const vd_progress *p);
/** Polled between items, from any thread; true stops the operation with VD_E_CANCEL. */
typedef bool (*vd_cancel_fn)(void *user);

/** Options of a context; start from VD_CTX_OPT, zero is a working value of every field. */
typedef struct vd_ctx_opt {
    size_t size; /**< sizeof(vd_ctx_opt), so that old callers meet new libraries */
    vd_progress_fn on_progress;
    vd_cancel_fn on_cancel;
    void *user; /**< handed to both callbacks */
    const char
        *libexec_dir; /**< where vidimus-codec and vidimus-video lie; NULL: found by themselves */
} vd_ctx_opt;
#define VD_CTX_OPT                                                                                 \
    { sizeof(vd_ctx_opt), NULL, NULL, NULL, NULL }

typedef struct vd_ctx vd_ctx;
typedef struct vd_result vd_result;

/** Makes a context, from which operations are called.
 *  owns   : *out is the caller's, release with vd_ctx_free; opt is copied (libexec_dir too)
 *  fails  : VD_E_NOMEM
 *  threads: one call at a time on one context; any number of contexts */
VD_API vd_status vd_ctx_new(vd_ctx **out, const vd_ctx_opt *opt, vd_err *err);
/** Releases a context.
 *  owns   : ctx is gone afterwards; NULL is fine
 *  fails  : never
 *  threads: not while a call on it runs */
VD_API void vd_ctx_free(vd_ctx *ctx);

typedef enum vd_arg_kind { VD_ARG_TEXT, VD_ARG_INT, VD_ARG_REAL, VD_ARG_FLAG } vd_arg_kind;

/** One argument of an operation. An argument that may be given several times is given several
 * times. VD_ARG_TEXT is parsed as the command line would: "64M" for bytes, "0.5s" for durations. */
typedef struct vd_arg_value {
    const char *name; /**< as in the reference page, without dashes */
    vd_arg_kind kind;
    const char *text;
    int64_t integer;
    double real;
    bool flag;
} vd_arg_value;

/** Runs an operation: `op` is its name ("run", "list", ...; docs/reference.md has all).
 *  shapes : args[n]
 *  owns   : *out is the caller's, release with vd_result_free; arguments are borrowed for the call
 *  fails  : VD_E_NOTFOUND (operation, dataset), VD_E_ARG (an argument; the message names it),
 * VD_E_CHECK (done, *out is set, and a check that was asked for failed), and what the operation
 * fails with threads: blocks; one call at a time on one context */
VD_API vd_status vd_call(vd_ctx *ctx, const char *op, const vd_arg_value *args, int n,
                         vd_result **out, vd_err *err);
/** Releases a result.
 *  owns   : r is gone afterwards; exported streams live on; NULL is fine
 *  fails  : never
 *  threads: one */
VD_API void vd_result_free(vd_result *r);
/** Number of rows, number of columns, and the name of a column ("" out of range).
 *  owns   : the name is borrowed until vd_result_free
 *  fails  : never
 *  threads: any number of readers */
VD_API int64_t vd_result_rows(const vd_result *r);
VD_API int vd_result_columns(const vd_result *r);
VD_API const char *vd_result_column(const vd_result *r, int column);

struct ArrowArrayStream;
/** Hands the result out as an Arrow C stream
 * (https://arrow.apache.org/docs/format/CStreamInterface.html): one struct array per batch of rows;
 * int64, float64, utf8 or list<utf8> columns, nulls by validity bitmaps. A column of mixed types is
 * utf8. owns   : *stream is the caller's, to be released by its release callback; it shares the
 * result's memory, which stays alive as long as any stream or array needs it fails  : VD_E_NOMEM
 *  threads: each stream belongs to one thread */
VD_API vd_status vd_result_stream(vd_result *r, struct ArrowArrayStream *stream, vd_err *err);

/** The operations, by index from 0; NULL past the last. The text is JSON: name, summary, arguments
 * with type, unit, range, default and help, result columns, and whether it writes. owns   : the
 * name is static; the JSON is the caller's, release with vd_text_free fails  : VD_E_NOTFOUND,
 * VD_E_NOMEM threads: any */
VD_API const char *vd_op_name(int index);
VD_API vd_status vd_op_describe(const char *op, char **json, vd_err *err);
/** Releases a text this library gave out; NULL is fine.
 *  owns   : text is gone afterwards
 *  fails  : never
 *  threads: any */
VD_API void vd_text_free(char *text);
/** The version of the library at run time, as "0.1.0".
 *  owns   : nothing, the text is static
 *  fails  : never
 *  threads: any */
VD_API const char *vd_version(void);
#ifdef __cplusplus
}
#endif
#endif
