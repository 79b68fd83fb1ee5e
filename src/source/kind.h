/* What kind of container a file is, by its content. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_SOURCE_KIND_H
#define VD_SOURCE_KIND_H

#include "base/err.h"

typedef enum vd_source_kind {
    VD_SOURCE_PLAIN,   /* not a container: hand it to the decoders */
    VD_SOURCE_TAR,     /* uncompressed: members are read in place (tar.h) */
    VD_SOURCE_ARCHIVE, /* zip, or a tar compressed by gzip, bzip2, xz, zstd, lz4 (archive.h) */
} vd_source_kind;

/* A tar is told by the checksum of its first header, so that names do not matter; a compressed file
 * counts only if a tar is inside (its first header is decompressed to see). Zip is the one
 * exception to "never by name": documents, programs and arrays are zip files too (docx, jar, npz,
 * pt). A zip is an archive if its name ends in .zip or .cbz or has no extension, and its first
 * member is not the mark of a document (mimetype, [Content_Types].xml, META-INF/). Everything else
 * is VD_SOURCE_PLAIN.
 *
 * Fails with VD_E_IO if the file cannot be read. Does not move the file position. */
vd_status vd_source_kind_of(vd_source_kind *out, int fd, const char *name, vd_err *err);

/* The same from the first `n` bytes alone (>= 512 where the file has them), at most one read:
 * whether the file can be a container at all. False for nearly every image. */
bool vd_source_maybe_container(const uint8_t *head, size_t n);

#endif
