/* One export, between the files of this room. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_PUBLISH_PUBLISH_INT_H
#define VD_PUBLISH_PUBLISH_INT_H

#include <pthread.h>

#include "publish/folder.h"
#include "publish/labels.h"
#include "publish/publish.h"

typedef struct vd_publisher {
    const vd_publish_opt *opt;
    const vd_dataset *ds;
    vd_pool *pool;
    vd_published *out;
    vd_folder folder;
    vd_picture_maker **maker; /* of each worker, made when first needed */
    int n_makers;
    pthread_mutex_t lock; /* of progress */
    int64_t done;
    double t0;
} vd_publisher;

/* One more picture has been looked at; VD_E_CANCEL where that was asked for. Any thread. */
vd_status vd_publisher_step(vd_publisher *p, vd_err *err);
/* All of them have been. */
void vd_publisher_finish(vd_publisher *p);
vd_status vd_publisher_maker(vd_publisher *p, int worker, vd_picture_maker **out, vd_err *err);

/* Writes every picture as a file of the layout; `staged`: frames and pages only, under their ids,
 * for vd_publish_stream to read. */
vd_status vd_publish_files(vd_publisher *p, bool staged, vd_err *err);

/* Calls `each` with every picture of a part (NULL: all) and its bytes, in the order of the plan,
 * on one thread, while workers make the next ones; pictures left out are passed over. Frames were
 * staged before. */
typedef vd_status (*vd_stream_fn)(void *user, int64_t item, const void *bytes, int64_t n,
                                  vd_err *err);
vd_status vd_publish_stream(vd_publisher *p, const char *part, vd_stream_fn each, void *user,
                            vd_err *err);
#define VD_PUBLISH_STAGED ".staged"

vd_status vd_publish_shards(vd_publisher *p, vd_err *err);
vd_status vd_publish_tables(vd_publisher *p, vd_err *err);
#endif
