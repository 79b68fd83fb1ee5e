/* Large arrays of assets: arrays/NAME/XX/ID.npy, which NumPy opens as they are. XX spreads them
 * over 256 folders. SPDX-License-Identifier: Apache-2.0
 *
 * An array counts only together with the fact row that speaks of it: it is written first, whole or
 * not at all, and the row follows. Any number of threads, each on assets of its own. */
#ifndef VD_STORE_ARRAYS_H
#define VD_STORE_ARRAYS_H

#include "base/npy.h"
#include "base/str.h"
#include "store/dataset.h"

vd_status vd_array_path(vd_str *out, const vd_dataset *ds, const char *name, int64_t id,
                        vd_err *err);

/* Writes or replaces. Fails with VD_E_IO, VD_E_NOMEM. */
vd_status vd_array_write(const vd_dataset *ds, const char *name, int64_t id, const vd_npy *shape,
                         const void *data, vd_err *err);

/* Reads an array of `type` whose dimensions after the first are `inner` elements together; *out is
 * a fresh block of *n * inner elements, to be freed by vd_mem_free. Fails with VD_E_NOTFOUND,
 * VD_E_FORMAT where the file is another array or cut, VD_E_IO, VD_E_NOMEM. */
vd_status vd_array_read(const vd_dataset *ds, const char *name, int64_t id, vd_npy_type type,
                        int64_t inner, void **out, int64_t *n, vd_err *err);

/* Deletes every array of the asset; those that are not there are fine. */
void vd_array_remove(const vd_dataset *ds, const char *name, int64_t id);
#endif
