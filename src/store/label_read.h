/* Label sets out of the catalog. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_STORE_LABEL_READ_H
#define VD_STORE_LABEL_READ_H

#include "label/label.h"
#include "store/db.h"

/* Row of table label_set; `set` 0: there is none. */
typedef struct vd_label_set_row {
    int64_t set, images, matched, categories, objects;
    uint32_t has;
    char name[256], format[32];
} vd_label_set_row;

/* The set of that name; NULL: the only one there is. Fails with VD_E_NOTFOUND (none of that name,
 * none at all), VD_E_ARG (NULL, and there are several; the message names them), catalog errors. */
vd_status vd_label_set_find(vd_label_set_row *out, vd_db *db, const char *name, vd_err *err);

/* Who is told: every category, then each image with its objects after it, images in the order of
 * their rows, objects in that of theirs. What is given is borrowed for the call. `row` is the id in
 * label_image or label, `asset` 0 where the image matched none. An image whose `skip` is set by the
 * call gets no objects, and no index: vd_label_object.image counts the images that were not
 * skipped. Calls that are NULL are left out; a status other than VD_OK ends the walk. */
typedef struct vd_label_walk {
    vd_status (*category)(void *user, const vd_label_category *c, vd_err *err);
    vd_status (*image)(void *user, const vd_label_image *m, int64_t row, int64_t asset, bool *skip,
                       vd_err *err);
    vd_status (*object)(void *user, const vd_label_object *o, int64_t row, vd_err *err);
    void *user;
    bool shapes; /* objects with rings, runs and keypoints; without it, `box` is that around them */
    bool in_rows; /* all images first, then all objects in the order of their rows: far quicker
                     where the source did not list them by image */
} vd_label_walk;

/* Objects are as they were given to vd_label_rows_object; where `shapes` is not set, those with any
 * shape have VD_OBJ_AREA, and VD_OBJ_BOX unless they are turned. Fails with VD_E_FORMAT (a row that
 * is none of ours), what the calls return, VD_E_NOMEM, catalog errors. */
vd_status vd_label_set_walk(vd_db *db, int64_t set, const vd_label_walk *walk, vd_err *err);
#endif
