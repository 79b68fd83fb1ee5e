/* The bytes of one published picture. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_PUBLISH_PICTURE_H
#define VD_PUBLISH_PICTURE_H

#include "publish/plan.h"
#include "base/str.h"

typedef enum vd_picture_mode {
    VD_PICTURES_COPY,
    VD_PICTURES_LINK,
    VD_PICTURES_SYMLINK,
    VD_PICTURES_NONE,
} vd_picture_mode;

typedef struct vd_picture_opt {
    vd_picture_mode mode;
    int32_t side;    /* 0: as they are */
    int quality;     /* of what is encoded; 0: 95, and JPEG that need not be encoded is not */
    const char *ext; /* "jpg", "png": what all are written as; NULL: each as it is */
    bool keep_exif;
} vd_picture_opt;

/* One thread at a time; it has a connection to the catalog of its own. */
typedef struct vd_picture_maker vd_picture_maker;
vd_status vd_picture_maker_new(vd_picture_maker **out, const vd_dataset *ds,
                               const char *libexec_dir, const vd_picture_opt *opt, vd_err *err);
void vd_picture_maker_free(vd_picture_maker *m);

/* Makes the file of an item that is no frame, and tells in it what became of it. `bytes`, borrowed
 * until the next call, are those to write; NULL where the picture was left out. Fails with
 * VD_E_NOMEM, catalog errors, VD_E_IO (no decoding process). */
vd_status vd_picture_make(vd_picture_maker *m, vd_publish_item *item, const vd_str **bytes,
                          vd_err *err);
/* The same for an item that is linked to: its bytes are compared with those recorded. */
vd_status vd_picture_check(vd_picture_maker *m, vd_publish_item *item, vd_err *err);

/* Frames and pages: decodes the file of asset `parent` and calls `each` with every child that the
 * plan has. Children that do not come are left out. Fails likewise, and with what `each` returns.
 */
typedef vd_status (*vd_picture_fn)(void *user, vd_publish_item *item, const vd_str *bytes,
                                   vd_err *err);
vd_status vd_picture_frames(vd_picture_maker *m, const vd_publish_plan *plan, int64_t parent,
                            vd_picture_fn each, void *user, vd_err *err);
#endif
