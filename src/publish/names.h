/* Names of published pictures. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_PUBLISH_NAMES_H
#define VD_PUBLISH_NAMES_H

#include "base/map.h"
#include "base/str.h"

enum { VD_PUBLISH_NAME = 120 }; /* bytes of a name at most */

/* Appends `text` as the name of a file or folder that is the same on any system and in any list:
 * valid UTF-8 without blanks, dots, control characters and what is special to a shell or a path,
 * each replaced by '_'; at most VD_PUBLISH_NAME bytes. Never empty, never "..". */
void vd_publish_safe(vd_str *out, const char *text);

/* The same of the last component of a URI, without the extension of a picture: "a/b c.jpg" gives
 * "b_c". Where the name is in `taken` (in any case of its letters) or was cut, a hash of the URI
 * comes after it. `taken` gets it. Fails with VD_E_NOMEM. */
vd_status vd_publish_name(vd_str *out, vd_map *taken, const char *uri, vd_err *err);
#endif
