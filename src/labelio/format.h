/* The table of label formats: one row a format, one or two files a row.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_LABELIO_FORMAT_H
#define VD_LABELIO_FORMAT_H

#include "labelio/in.h"
#include "label/set.h"

/* What a path looks like, for detection. */
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
} vd_label_probe;

typedef struct vd_label_out {
    const char *path;   /* file or folder to write */
    const char *images; /* folder of the pictures, or NULL */
    const char
        *subset; /* where the format wants one and the pictures have none; or NULL: "train" */
    vd_label_report *report;
} vd_label_out;

typedef struct vd_label_format {
    const char *name, *summary;
    bool folder;    /* what is written is a folder */
    uint32_t holds; /* of VD_OBJ_...: what can be written */
    /* how sure, 0 to 100, that a path is of this format */
    int (*detect)(const vd_label_probe *p);
    vd_status (*read)(vd_label_in *in, const char *path, vd_err *err);
    vd_status (*write)(vd_label_set *set, const vd_label_out *out, vd_err *err); /* NULL: not */
} vd_label_format;

extern const vd_label_format *const vd_label_formats[];
extern const int vd_n_label_formats;

const vd_label_format *vd_label_format_find(const char *name); /* NULL: none */

/* The format of a path. Fails with VD_E_UNSUPPORTED where it is none, VD_E_NOTFOUND, VD_E_IO. */
vd_status vd_label_detect(const vd_label_format **out, const char *path, vd_err *err);

/* For detect functions. */
bool vd_probe_key(const vd_label_probe *p, const char *key);  /* a JSON file with it */
bool vd_probe_has(const vd_label_probe *p, const char *name); /* a folder with it directly in it */
bool vd_probe_any(const vd_label_probe *p, const char *suffix); /* ... or in a folder in it */
bool vd_probe_below(const vd_label_probe *p,
                    const char *name); /* a folder with that path below it */

enum { VD_LABEL_HOLDS_ATTRIBUTES = 1 << 30 }; /* beside VD_OBJ_... */

/* Counts what an object has and `holds` does not: one kind of loss a shape. */
vd_status vd_label_lose_rest(vd_label_report *r, const vd_label_image *m, const vd_label_object *o,
                             uint32_t holds, vd_err *err);
/* The same for attributes that are none of the `n` known ones. */
vd_status vd_label_lose_attributes(vd_label_report *r, const vd_label_image *m,
                                   const vd_label_object *o, const char *const *known, int n,
                                   vd_err *err);
#endif
