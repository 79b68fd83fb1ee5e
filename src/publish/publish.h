/* A dataset as what trainers read. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_PUBLISH_PUBLISH_H
#define VD_PUBLISH_PUBLISH_H

#include "base/pool.h"
#include "publish/layout.h"
#include "publish/picture.h"
#include "store/label_read.h"

typedef struct vd_publish_opt {
    const vd_layout *layout;
    const char *out;                               /* folder */
    bool replace;                                  /* an earlier export that lies there */
    const char *snapshot, *where, *split, *labels; /* NULL: none; where is checked */
    vd_picture_opt pictures;
    int64_t shard_bytes; /* of tar files, at most unless one picture is larger */
    bool with_bytes;     /* Parquet: pictures as a column, no files */
    const char *libexec_dir;
    vd_progress_fn on_progress; /* may be NULL */
    vd_cancel_fn on_cancel;     /* may be NULL */
    void *user;
} vd_publish_opt;

/* Zeroed is valid and empty. */
typedef struct vd_published {
    vd_publish_plan plan;  /* with what became of each picture */
    vd_label_report lost;  /* by the labels and by the pictures */
    vd_label_report noted; /* pictures that were written, but not as they were */
    vd_label_set_row set;  /* set 0: no labels */
    int64_t pictures, labelled, categories, objects, bytes;
    int64_t differing; /* pictures whose bytes or labels are not those recorded, or are gone */
} vd_published;
void vd_published_reset(vd_published *p);

/* Writes the folder, all or nothing of it; a picture that cannot be written is left out and told.
 * The same bytes for any pool. Fails with VD_E_ARG (options that exclude each other), VD_E_EXISTS,
 * VD_E_BUSY (the folder), VD_E_NOTFOUND (snapshot, split, labels), VD_E_IO, VD_E_CANCEL,
 * VD_E_NOMEM, catalog errors. */
vd_status vd_publish(vd_published *out, const vd_dataset *ds, const vd_publish_opt *opt,
                     vd_pool *pool, vd_err *err);
#endif
