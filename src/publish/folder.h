/* A folder that appears when it is complete. SPDX-License-Identifier: Apache-2.0
 *
 * All is written into FOLDER.partial, which is renamed in the end: killed, out of space or failed,
 * no FOLDER is there, or the former one is there still. What a killed process left behind is known
 * by its mark and removed by the next one. Files are not synced. */
#ifndef VD_PUBLISH_FOLDER_H
#define VD_PUBLISH_FOLDER_H

#include "base/str.h"

#define VD_FOLDER_MANIFEST ".vidimus.json" /* by which a folder is known as one of ours */

typedef struct vd_folder {
    char *path, *partial;
    int lock; /* on the mark in `partial`, -1 */
} vd_folder;

/* `path` may not be there, or be an empty folder; with `replace`, also one with the manifest.
 * Fails with VD_E_EXISTS, VD_E_BUSY (another process writes it), VD_E_IO, VD_E_NOMEM. */
vd_status vd_folder_begin(vd_folder *f, const char *path, bool replace, vd_err *err);
/* Puts it in place. */
vd_status vd_folder_commit(vd_folder *f, vd_err *err);
void vd_folder_drop(vd_folder *f); /* removes what was not committed; fine on a zeroed one */

/* A file below it, with the folders it needs. Any thread. */
vd_status vd_folder_put(const vd_folder *f, const char *name, const void *data, size_t n,
                        vd_err *err);
/* A hard or symbolic link to a file. Likewise. */
vd_status vd_folder_link(const vd_folder *f, const char *name, const char *target, bool symbolic,
                         vd_err *err);
/* Appends its path. */
void vd_folder_path(const vd_folder *f, vd_str *out, const char *name);
/* Removes a folder below it with all that is in it. */
void vd_folder_remove(const vd_folder *f, const char *name);
#endif
