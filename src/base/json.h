/* JSON documents (RFC 8259) as a tree. SPDX-License-Identifier: Apache-2.0
 *
 * The whole document is in memory; what a reader of very large files of one known shape wants is
 * another parser. Numbers are doubles, text is UTF-8 without NUL. */
#ifndef VD_BASE_JSON_H
#define VD_BASE_JSON_H

#include "base/arena.h"

typedef enum vd_json_type {
    VD_JSON_NULL,
    VD_JSON_BOOL,
    VD_JSON_NUMBER,
    VD_JSON_TEXT,
    VD_JSON_ARRAY,
    VD_JSON_OBJECT,
} vd_json_type;

typedef struct vd_json {
    vd_json_type type;
    double number;                      /* of a number; 0 or 1 of a bool */
    const char *text;                   /* of a text */
    const char *key;                    /* of a member of an object, else NULL */
    const struct vd_json *first, *next; /* members of an array or object, and the next of them */
    int64_t n;                          /* how many members */
    int64_t at;                         /* byte of the document where the value begins */
} vd_json;

enum { VD_JSON_MAX_DEPTH = 64 };

/* Parses `text`, of `size` bytes with a NUL after them, into a tree that lives as long as `arena`.
 * `where` names the document in messages. Fails with VD_E_FORMAT, VD_E_LIMIT (depth), VD_E_NOMEM.
 */
vd_status vd_json_parse(const vd_json **out, vd_arena *arena, const char *where, const char *text,
                        size_t size, vd_err *err);

/* The member of that key (the first, if it occurs twice); NULL where `object` is no object or lacks
 * it. NULL is a fine object, so that lookups can be chained. */
const vd_json *vd_json_get(const vd_json *object, const char *key);

/* The number of a member, `otherwise` where there is none. */
double vd_json_number(const vd_json *object, const char *key, double otherwise);
/* The text of a member, NULL where there is none. */
const char *vd_json_text(const vd_json *object, const char *key);
#endif
