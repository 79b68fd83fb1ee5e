/* XML documents, element by element; expat is behind xml.c. SPDX-License-Identifier: Apache-2.0
 *
 * Documents that declare entities are refused, and so is nesting beyond 64 levels. */
#ifndef VD_LABELKIT_XML_H
#define VD_LABELKIT_XML_H

#include "base/str.h"

typedef struct vd_xml_at {
    const char *path;        /* names from the root on: "annotation/object/name" */
    const char *const *attr; /* of a start: name, value, ..., NULL */
    const char *text;        /* of an end: what stood in it, blanks around it cut off */
    const char *where;       /* "file:line", for messages */
} vd_xml_at;

typedef struct vd_xml_handler {
    vd_status (*start)(void *user, const vd_xml_at *at, vd_err *err); /* or NULL */
    vd_status (*end)(void *user, const vd_xml_at *at, vd_err *err);
    void *user;
} vd_xml_handler;

/* Fail with VD_E_FORMAT (with the line), VD_E_LIMIT, VD_E_NOMEM, VD_E_UNSUPPORTED (a build without
 * expat), VD_E_IO, or what a handler returned. */
vd_status vd_xml_parse(const vd_xml_handler *h, const char *where, const char *text, size_t size,
                       vd_err *err);
vd_status vd_xml_read(const vd_xml_handler *h, const char *path, vd_err *err);

const char *vd_xml_attr(const vd_xml_at *at, const char *name); /* NULL: it has none */
/* A finite number; fails with VD_E_FORMAT, which says `what`. */
vd_status vd_xml_real(const vd_xml_at *at, const char *text, const char *what, double *out,
                      vd_err *err);
vd_status vd_xml_int(const vd_xml_at *at, const char *text, const char *what, int64_t *out,
                     vd_err *err);

/* Text with & < > " ' written out; characters that XML cannot hold become U+FFFD. */
void vd_xml_add(vd_str *s, const char *text);
#endif
