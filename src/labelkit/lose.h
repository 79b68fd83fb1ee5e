/* What writers of label formats leave out. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_LABELKIT_LOSE_H
#define VD_LABELKIT_LOSE_H

#include "label/label.h"

enum { VD_LABEL_HOLDS_ATTRIBUTES = 1 << 30 }; /* beside VD_OBJ_... */

/* Counts what an object has and `holds` does not: one kind of loss a shape. */
vd_status vd_label_lose_rest(vd_label_report *r, const vd_label_image *m, const vd_label_object *o,
                             uint32_t holds, vd_err *err);
/* The same for attributes that are none of the `n` known ones. */
vd_status vd_label_lose_attributes(vd_label_report *r, const vd_label_image *m,
                                   const vd_label_object *o, const char *const *known, int n,
                                   vd_err *err);
#endif
