/* Writing tar files. SPDX-License-Identifier: Apache-2.0
 *
 * ustar (POSIX.1-1988) with pax headers (POSIX.1-2001) before members whose name is longer than 100
 * bytes or not ASCII, or whose size needs more than 11 octal digits. Owner, group and time are 0,
 * modes 0644: equal members make equal files. */
#ifndef VD_PUBLISH_TAR_WRITE_H
#define VD_PUBLISH_TAR_WRITE_H

#include "base/str.h"

/* Appends headers of a member of `size` bytes; its bytes and vd_tar_pad follow. */
void vd_tar_head(vd_str *out, const char *name, int64_t size);
void vd_tar_pad(vd_str *out, int64_t size);
void vd_tar_end(vd_str *out);
/* What a member takes, headers and padding included. */
int64_t vd_tar_size(const char *name, int64_t size);
#endif
