/* Files and folders of label formats. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_LABELKIT_FILES_H
#define VD_LABELKIT_FILES_H

#include "base/str.h"

enum { VD_LABEL_MAX_TEXT = 1 << 30 }; /* bytes of a text file that is read at once */

/* Names in a folder, sorted by their bytes; hidden ones left out. A zeroed list is empty. */
typedef struct vd_names {
    char **name;
    int64_t n, cap;
} vd_names;

vd_status vd_names_of(vd_names *out, const char *folder, vd_err *err);
/* All files below a folder, as paths relative to it, sorted; folders that are links are left out.
 */
vd_status vd_names_below(vd_names *out, const char *folder, vd_err *err);
vd_status vd_names_add(vd_names *out, const char *name, size_t n, vd_err *err);
void vd_names_sort(vd_names *names);
void vd_names_reset(vd_names *names);

bool vd_is_folder(const char *path);
bool vd_is_file(const char *path);
/* The first bytes of a file with a NUL after them; "" where it cannot be read. */
void vd_read_head(const char *path, char *out, size_t size);
bool vd_is_picture_name(const char *name); /* by its extension */

/* "folder/name" into *s, which is cleared; `name` alone where folder is NULL or "". */
const char *vd_join(vd_str *s, const char *folder, const char *name);
/* The name of a path without its extension, appended. */
void vd_add_stem(vd_str *s, const char *path);
/* A path of a label file for writing below a folder: without its extension, with `ext` instead, and
 * without what would lead out of the folder ("..", a leading "/"), appended. */
void vd_add_safe_name(vd_str *s, const char *path, const char *ext);

/* Width and height in the header of a PNG, JPEG, GIF, BMP or WebP file; false where it is none. */
bool vd_label_picture_size(const char *path, int32_t *width, int32_t *height);

/* A file that is written piece by piece and appears under its name when it is complete. Append to
 * `text` and call vd_out_step now and then. It is not synced. */
typedef struct vd_out_file {
    vd_str text;
    char *path, *tmp;
    int fd;
} vd_out_file;

vd_status vd_out_open(vd_out_file *f, const char *path, vd_err *err);
vd_status vd_out_step(vd_out_file *f, vd_err *err); /* writes when a megabyte is there */
vd_status vd_out_close(vd_out_file *f, vd_err *err);
void vd_out_drop(vd_out_file *f); /* removes what is not closed; fine on a closed or zeroed one */

/* A small file at once, and the folders it needs below `folder`. */
vd_status vd_out_text(const char *folder, const char *name, const vd_str *text, vd_err *err);
vd_status vd_make_folders(const char *path, vd_err *err); /* mkdir -p */
#endif
