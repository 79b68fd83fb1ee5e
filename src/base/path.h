/* Paths and whole files. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_BASE_PATH_H
#define VD_BASE_PATH_H

#include "base/str.h"

const char *vd_path_name(const char *path); /* the last component, borrowed */
const char *vd_path_ext(
    const char *path); /* after the last dot of the name, "" if none, borrowed */

/* Absolute, without "." "..", doubled or trailing slashes; links are not followed. The text is
 * appended to `out`. */
vd_status vd_path_absolute(vd_str *out, const char *path, vd_err *err);

/* Writes a file so that a reader sees the old content or the new one, never a part: a temporary
 * file beside it, fsync, rename. */
vd_status vd_file_write(const char *path, const void *data, size_t size, vd_err *err);

/* The whole file, at most `limit` bytes, as a fresh NUL-terminated block (size excludes the NUL).
 */
vd_status vd_file_read(char **out, size_t *size, const char *path, size_t limit, vd_err *err);

/* read() until `size` bytes or the end of the file, from `offset`; EINTR handled. */
vd_status vd_file_pread(int fd, void *buf, size_t size, int64_t offset, size_t *got,
                        const char *path, vd_err *err);

/* mkdir -p for one level; an existing directory is fine. */
vd_status vd_dir_make(const char *path, vd_err *err);
#endif
