/* Where an asset's bytes come from: a file, a range of a tar, a member of a compressed archive.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_STAGE_BYTES_H
#define VD_STAGE_BYTES_H

#include "base/str.h"
#include "flow/run.h"
#include "image/codec.h"

/* Compressed archives are read forwards only: their members are served in order from one reader
 * that all workers share under a lock. One vd_archives per run; any thread. */
typedef struct vd_archives vd_archives;
vd_status vd_archives_new(vd_archives **out, vd_err *err);
void vd_archives_free(vd_archives *a);

/* The tar that a worker read last, kept open: its members come one after the other. {.fd = -1} is
 * empty. */
typedef struct vd_open_tar {
    int64_t container_id;
    int fd;
    int64_t size;
} vd_open_tar;
void vd_open_tar_close(vd_open_tar *t);

/* One item's bytes. */
typedef struct vd_bytes {
    vd_source source; /* for the codec: in its input buffer (fd -1), or a range of `fd` */
    const uint8_t
        *data; /* in memory, NULL for a large file; valid until the next read on the codec */
    char hash[33];
    vd_kind kind; /* by the first bytes */
    bool ok;
    bool retry;      /* not ok for a reason that may pass without the file changing */
    char reason[32]; /* why not: "open_failed", "read_failed", "changed", "member_damaged", ... */
    char detail[200];
    int fd; /* owned, -1: none */
} vd_bytes;

/* Opens and reads the item into the input buffer of `codec`, or leaves a large one in its file;
 * hashes it. What cannot be read is told in `out`; fails only for lack of memory. `codec` NULL:
 * hash only. */
vd_status vd_bytes_read(vd_bytes *out, vd_archives *archives, vd_open_tar *tar, vd_codec *codec,
                        const vd_item *item, vd_err *err);
void vd_bytes_close(vd_bytes *b);
#endif
