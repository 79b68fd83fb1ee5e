/* An index of a tar file: where each member's bytes lie, so that they are read and decoded in
 * place. SPDX-License-Identifier: Apache-2.0
 *
 * Formats: v7, ustar (POSIX.1-1988), GNU (long names and links, base-256 numbers), pax
 * (POSIX.1-2001, extended headers x and g: path, size, mtime). Only regular files are delivered.
 *
 * Notes: "tar_truncated" (the file ends inside a member or without its end mark's place; the
 * members listed before are good), "tar_corrupt" (a header whose checksum is wrong, or a bad
 * number: the index ends there), "tar_sparse" (a sparse member, left out), "tar_limit" (a member
 * over the limits, left out, or too many of them: the index ends), "tar_member" (device, pipe: left
 * out; links and folders are left out in silence). `offset` is that of the header. */
#ifndef VD_SOURCE_TAR_H
#define VD_SOURCE_TAR_H

#include "source/note.h"

typedef struct vd_tar_entry {
    const char
        *name; /* as stored, any bytes but NUL; borrowed for the call. Never a path to write to */
    int64_t offset;   /* of the data, bytes from the start of the file */
    int64_t size;     /* bytes */
    int64_t mtime_ns; /* since 1970 */
} vd_tar_entry;

typedef vd_status (*vd_tar_fn)(void *user, const vd_tar_entry *entry, vd_err *err);

typedef struct vd_tar_opt {
    int64_t max_entries;
    int64_t max_name_bytes; /* longer names: the member is left out with a note */
    vd_tar_fn on_entry;     /* a status other than VD_OK stops the index and is returned */
    vd_note_fn on_note;     /* may be NULL */
    void *user;
} vd_tar_opt;
#define VD_TAR_OPT                                                                                 \
    { .max_entries = 50000000, .max_name_bytes = 4096 }

/* Reads the headers of the tar that fills `fd`, by pread: the position of `fd` stays. `name` is for
 * messages. A bad archive is a note, not a failure; fails with VD_E_IO, VD_E_NOMEM, VD_E_FORMAT if
 * the first header is none, or with what a callback returned. threads: any number at once, also on
 * one fd. cost: one read of the headers; data in between is read only where members are small. */
vd_status vd_tar_index(int fd, const char *name, const vd_tar_opt *opt, vd_err *err);

/* Whether these bytes are a tar header (n >= 512 and the checksum is right). */
bool vd_tar_is_header(const uint8_t *block, size_t n);

#endif
