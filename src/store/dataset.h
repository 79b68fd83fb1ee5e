/* A dataset: the directory NAME.vidimus with catalog.db and arrays/. SPDX-License-Identifier:
 * Apache-2.0 */
#ifndef VD_STORE_DATASET_H
#define VD_STORE_DATASET_H

#include "store/schema.h"

typedef struct vd_dataset vd_dataset;

/* Opens the dataset directory. VD_DB_CREATE makes it (its parent must exist; an existing directory
 * must be empty or a dataset). Writers hold DIR/lock: a second one fails with VD_E_BUSY. Readers
 * never wait. A catalog of an older schema is upgraded on opening, after a copy to
 * DIR/catalog.vN.backup.db. */
vd_status vd_dataset_open(vd_dataset **out, const char *dir, vd_db_mode mode,
                          const vd_schema *schema, vd_err *err);
void vd_dataset_close(vd_dataset *ds);

vd_db *vd_dataset_db(const vd_dataset *ds);       /* borrowed */
const char *vd_dataset_dir(const vd_dataset *ds); /* absolute, borrowed */
const vd_schema *vd_dataset_schema(const vd_dataset *ds);

/* Whether `path` is a dataset directory (has a catalog.db). */
bool vd_dataset_is(const char *path);
#endif
