/* The table of label formats: one row a format, one or two files a row.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_LABELIO_FORMAT_H
#define VD_LABELIO_FORMAT_H

#include "label/set.h"
#include "labelkit/in.h"
#include "labelkit/lose.h"
#include "labelkit/probe.h"

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
#endif
