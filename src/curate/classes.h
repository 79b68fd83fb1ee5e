/* The classes of pictures, out of a label set. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_CURATE_CLASSES_H
#define VD_CURATE_CLASSES_H

#include "curate/assets.h"
#include "index/counts.h"

/* Zeroed is valid and empty. */
typedef struct vd_classes {
    const char *set;   /* its name */
    const char **name; /* of classes, in the order of the set */
    int32_t n;         /* classes */
    vd_counts objects; /* of each class, of the pictures of a list in its order */
    vd_arena texts;
} vd_classes;
void vd_classes_reset(vd_classes *c);

/* Counts the objects of a label set, NULL: of the only one; objects without a class do not count.
 *     owns   : *out is replaced, untouched on failure
 *     fails  : as vd_label_set_find, VD_E_FORMAT (a class that the set does not have), VD_E_NOMEM,
 *              catalog errors */
vd_status vd_classes_load(vd_classes *out, vd_db *db, const vd_curated_list *list, const char *set,
                          vd_err *err);

/* Pictures with a class, and its objects, in each part.
 *     shapes : part[objects.n], 255: left out; pictures, objects [n * n_parts], by class */
void vd_classes_tally(int64_t *pictures, int64_t *objects, const vd_classes *c, const uint8_t *part,
                      int n_parts);
#endif
