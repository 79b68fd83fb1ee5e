/* What a path looks like, for telling the format of labels. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_LABELKIT_PROBE_H
#define VD_LABELKIT_PROBE_H

#include "labelkit/files.h"

/* A zeroed one is empty. `path` is borrowed. */
typedef struct vd_label_probe {
    const char *path;
    bool folder;
    vd_names names;   /* of a folder: what lies directly in it */
    const char *ext;  /* of a file */
    const char *head; /* of a file: its first bytes, NUL after them */
    int64_t n_head;
    char keys[512]; /* of a JSON file: members at the top, or of the first object of a list, by ','
                     */
    bool list;      /* it is a list */
    char *bytes;    /* those of `head`, owned */
} vd_label_probe;

/* Fails with VD_E_NOTFOUND, VD_E_IO, VD_E_NOMEM. */
vd_status vd_probe_path(vd_label_probe *out, const char *path, vd_err *err);
void vd_probe_reset(vd_label_probe *p);

bool vd_probe_key(const vd_label_probe *p, const char *key);  /* a JSON file with it */
bool vd_probe_has(const vd_label_probe *p, const char *name); /* a folder with it directly in it */
bool vd_probe_any(const vd_label_probe *p, const char *suffix); /* ... or in a folder in it */
bool vd_probe_below(const vd_label_probe *p,
                    const char *name); /* a folder with that path below it */

#endif
