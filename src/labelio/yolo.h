/* YOLO's text files: one line an object, numbers as fractions of the picture's size.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_LABELIO_YOLO_H
#define VD_LABELIO_YOLO_H

#include "labelio/format.h"

typedef enum vd_yolo_task {
    VD_YOLO_DETECT,
    VD_YOLO_SEGMENT,
    VD_YOLO_POSE,
    VD_YOLO_OBB
} vd_yolo_task;

/* What data.yaml, obj.names or classes.txt say. Reset by vd_yolo_names_reset. */
typedef struct vd_yolo_names {
    vd_names names;            /* of classes, by their number; "": it has none */
    int64_t n_keypoints, dims; /* kpt_shape; 0: none */
    char *path;                /* "path", or NULL */
} vd_yolo_names;

/* The part of YAML that such files use: keys with plain or quoted scalars, lists in brackets or
 * with dashes, and numbered maps below "names". */
vd_status vd_yolo_parse_yaml(vd_yolo_names *out, const char *where, const char *text, size_t size,
                             vd_err *err);
void vd_yolo_names_reset(vd_yolo_names *n);

/* Lines of one picture of `width` x `height` pixels. */
vd_status vd_yolo_parse_lines(vd_label_in *in, const char *where, const char *text, size_t size,
                              const vd_yolo_names *names, vd_yolo_task task, int32_t image,
                              int32_t width, int32_t height, vd_err *err);

/* The lines of folders "labelTxt", as DOTA has them: four corners in pixels, a class by its name,
 * and perhaps whether the object is difficult. Lines "imagesource:..." and "gsd:..." are passed
 * over. */
vd_status vd_yolo_parse_corners(vd_label_in *in, const char *where, const char *text, size_t size,
                                int32_t image, vd_err *err);
#endif
