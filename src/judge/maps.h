/* Maps of classes or segments out of files. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_JUDGE_MAPS_H
#define VD_JUDGE_MAPS_H

#include "eval/segment.h"
#include "image/codec.h"

void vd_segment_map_reset(vd_segment_map *m);
/* A PNG (its samples as they are stored: grey up to 16 bits, indices of a palette; colour: R + 256
 * G
 * + 65536 B), another picture without loss (grey of 8 bits, colour), or a .npy of whole numbers
 * [height, width]. `codec` is started when it is first needed. Fails with
 * VD_E_FORMAT, VD_E_UNSUPPORTED, VD_E_IO, VD_E_NOMEM. */
vd_status vd_segment_map_read(vd_segment_map *out, const char *path, vd_codec **codec,
                              const char *libexec_dir, vd_err *err);

/* Files of a folder that are maps, sorted by name; a file is a folder of one. */
typedef struct vd_segment_files {
    char **name;
    int64_t n, cap;
    const char *dir; /* borrowed; NULL: names are paths */
} vd_segment_files;
void vd_segment_files_reset(vd_segment_files *f);
vd_status vd_segment_files_list(vd_segment_files *out, const char *path, vd_err *err);
/* The file whose name is the same up to the extension; -1: none. */
int64_t vd_segment_files_find(const vd_segment_files *f, const char *name);
#endif
