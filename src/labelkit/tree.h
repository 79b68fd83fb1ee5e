/* JSON trees of one picture or task, as several formats have them. SPDX-License-Identifier:
 * Apache-2.0 */
#ifndef VD_LABELKIT_TREE_H
#define VD_LABELKIT_TREE_H

#include "base/json.h"
#include "labelkit/in.h"

/* Numbers of an array into out[n]; fails with VD_E_FORMAT unless it has exactly n. */
vd_status vd_tree_reals(const vd_json *array, double *out, int n, const char *where,
                        const char *what, vd_err *err);
/* Vertices: [[x, y], ...], or flat: [x, y, x, y, ...]; times a factor for each axis. */
vd_status vd_tree_vertices(vd_build *b, const vd_json *array, double fx, double fy,
                           const char *where, vd_err *err);
/* An integer, VD_E_FORMAT where it is none; `otherwise` where there is no such member. */
vd_status vd_tree_int(const vd_json *object, const char *key, int64_t otherwise, int64_t *out,
                      const char *where, vd_err *err);
/* The width or height of a picture. */
vd_status vd_tree_side(const vd_json *object, const char *key, int32_t *out, const char *where,
                       vd_err *err);
/* Appends a value without blanks. */
void vd_tree_add(vd_str *s, const vd_json *v);
/* Each member of an object becomes an attribute; nothing where it is none. */
void vd_tree_attributes(vd_str *s, const vd_json *object);
#endif
