/* Compressed archives: zip, and tar compressed by gzip, bzip2, xz, zstd or lz4.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A reader goes forwards: members have numbers 0, 1, ... in the order of the archive, regular files
 * alone are counted, and asking for a later number skips. Limits stop bombs: a member above
 * max_member_bytes is an error of that member, an archive whose members add up to more than
 * free_bytes + max_ratio * its own size is given up with VD_E_LIMIT before the bytes are made.
 *
 * threads: one reader belongs to one thread at a time; several readers may share one fd. */
#ifndef VD_SOURCE_ARCHIVE_H
#define VD_SOURCE_ARCHIVE_H

#include "base/str.h"

typedef struct vd_archive vd_archive;

typedef struct vd_archive_opt {
    int64_t max_member_bytes;
    int64_t max_entries;
    int64_t max_ratio, free_bytes; /* 1032 is the most that deflate can do to honest data */
} vd_archive_opt;
#define VD_ARCHIVE_OPT                                                                             \
    {                                                                                              \
        .max_member_bytes = (int64_t)4 << 30, .max_entries = 20000000, .max_ratio = 1100,          \
        .free_bytes = (int64_t)1 << 30                                                             \
    }

typedef struct vd_archive_entry {
    const char *name; /* UTF-8 where the archive says what it is; borrowed until the next call */
    int64_t number;
    int64_t size;     /* bytes; -1 where the archive does not say before the data */
    int64_t mtime_ns; /* since 1970, 0 if unknown */
    bool encrypted;
} vd_archive_entry;

/* Opens the archive that fills `fd` from its start by pread; `fd` must outlive the reader and stays
 * the caller's. `name` is for messages and copied. opt NULL: defaults. Fails with VD_E_FORMAT if it
 * is none of these, VD_E_NOMEM. */
vd_status vd_archive_new(vd_archive **out, int fd, const char *name, const vd_archive_opt *opt,
                         vd_err *err);
void vd_archive_free(vd_archive *a);

/* The next member, `*found` false at the end. VD_E_FORMAT where the archive is damaged (what came
 * before is good), VD_E_LIMIT at a bomb; after a failure only vd_archive_free makes sense. */
vd_status vd_archive_next(vd_archive *a, vd_archive_entry *entry, bool *found, vd_err *err);

/* Skips to member `number`, which must not lie before the current one (VD_E_ARG) and is NOTFOUND
 * beyond the end. Staying at the current one is fine as long as its data was not read. */
vd_status vd_archive_seek(vd_archive *a, int64_t number, vd_archive_entry *entry, vd_err *err);

/* The bytes of the current member into `buf`; `*got` of them. VD_E_UNSUPPORTED if encrypted (or a
 * method the library lacks), VD_E_FORMAT if damaged (`*got` bytes are good), VD_E_LIMIT if there
 * are more than `cap` or max_member_bytes. The reader may go on to the next member after any of
 * these. */
vd_status vd_archive_read(vd_archive *a, uint8_t *buf, int64_t cap, int64_t *got, vd_err *err);

/* The same into growing text, for members whose size is -1. */
vd_status vd_archive_read_str(vd_archive *a, vd_str *out, vd_err *err);

/* Whether a compressed file holds a tar: its first header is decompressed to see. VD_E_IO,
 * VD_E_NOMEM. */
vd_status vd_archive_holds_tar(bool *out, int fd, const char *name, vd_err *err);

const char *vd_archive_library(void); /* "libarchive 3.6.2" */

#endif
