/* Label sets in the catalog. SPDX-License-Identifier: Apache-2.0
 *
 * Rows are written in one transaction, from begin to end; freed before its end, nothing is left of
 * it. Threads: one. */
#ifndef VD_STORE_LABELS_H
#define VD_STORE_LABELS_H

#include "label/label.h"
#include "store/db.h"

typedef struct vd_label_rows vd_label_rows;

/* Begins a label set. Fails with VD_E_EXISTS where there is one of that name and `replace` is not
 * set, VD_E_NOMEM, VD_E_IO. */
vd_status vd_label_rows_begin(vd_label_rows **out, vd_db *db, const char *name, const char *format,
                              const char *source, bool replace, vd_err *err);

/* In the order of a vd_label_sink; `asset` 0: none. */
vd_status vd_label_rows_category(vd_label_rows *r, const vd_label_category *c, vd_err *err);
vd_status vd_label_rows_image(vd_label_rows *r, const vd_label_image *m, int64_t asset,
                              vd_err *err);
vd_status vd_label_rows_object(vd_label_rows *r, const vd_label_object *o, vd_err *err);

/* Calls `fill`, which gives rows by the calls above and touches the database in no other way: a
 * second thread writes them meanwhile. When it returns all of them are written; in the same order,
 * so that the catalog is the same. Fails with what `fill` returns or writing does, VD_E_NOMEM. */
vd_status vd_label_rows_fill(vd_label_rows *r, vd_status (*fill)(void *user, vd_err *err),
                             void *user, vd_err *err);

/* Writes the counts, makes the indexes and commits. */
vd_status vd_label_rows_end(vd_label_rows *r, int64_t matched, vd_err *err);
void vd_label_rows_free(vd_label_rows *r); /* rolls back what is not ended; NULL is fine */
#endif
