/* Writing assets and facts: prepared statements, batched transactions. SPDX-License-Identifier:
 * Apache-2.0 */
#ifndef VD_STORE_FACTS_H
#define VD_STORE_FACTS_H

#include "store/dataset.h"

typedef struct vd_writer vd_writer;

/* A writer belongs to one thread at a time (the executor guards it by a mutex). Between flushes it
 * keeps one transaction open; what was not flushed is lost when the process dies, nothing else. */
vd_status vd_writer_new(vd_writer **out, vd_dataset *ds, vd_err *err);
void vd_writer_free(vd_writer *w); /* rolls back what was not flushed */
vd_status vd_writer_flush(vd_writer *w, vd_err *err);

/* Replaces the row of `asset_id` in table `table` (index in the schema). */
vd_status vd_writer_fact(vd_writer *w, int table, int64_t asset_id, int64_t key,
                         const vd_value *values, vd_err *err);
vd_status vd_writer_thumbnail(vd_writer *w, int64_t asset_id, const void *jpeg, int64_t size,
                              vd_err *err);
/* What reading the bytes told about the asset itself; NULL leaves a field as it is. */
vd_status vd_writer_identity(vd_writer *w, int64_t asset_id, const char *hash, const char *kind,
                             vd_err *err);

/* A frame or page: makes its asset row if it is not there; its id is parent + (index + 1) * 2^32.
 */
int64_t vd_child_id(int64_t parent_id, int64_t index);
int64_t vd_parent_id(int64_t id); /* 0: it is neither */
vd_status vd_writer_child(vd_writer *w, int64_t parent_id, int64_t index, const char *kind,
                          double time_s, vd_err *err);
/* Deletes the children of `parent_id` from `from_index` on with all their facts. */
vd_status vd_writer_trim_children(vd_writer *w, int64_t parent_id, int64_t from_index, vd_err *err);
/* Deletes every fact of the asset and its children (its bytes changed). */
vd_status vd_writer_forget(vd_writer *w, int64_t asset_id, vd_err *err);
#endif
