/* Where trainers look for pictures and labels: a row a format. SPDX-License-Identifier: Apache-2.0
 */
#ifndef VD_PUBLISH_LAYOUT_H
#define VD_PUBLISH_LAYOUT_H

#include "publish/plan.h"
#include "base/str.h"

/* What --format takes; a test compares it with the rows. */
#define VD_PUBLISH_FORMATS                                                                         \
    "coco|coco-panoptic|lvis|yolo|yolo-segment|yolo-pose|yolo-obb|voc|voc-masks|kitti|mot|mots|"   \
    "mots-png|labelme|cityscapes|cityscapes-masks|label-studio|datumaro|cvat|csv|open-images|"     \
    "youtube-vis|imagefolder|webdataset|parquet"

typedef enum vd_publish_kind {
    VD_PUBLISH_LABELS,  /* files of pictures, and a label format's own beside them */
    VD_PUBLISH_FOLDERS, /* folders of classes */
    VD_PUBLISH_SHARDS,  /* tar files */
    VD_PUBLISH_TABLES,  /* Parquet */
} vd_publish_kind;

/* In paths: {p} part, {n} name, {e} extension, {s} folder of the class or sequence, {f} frame in
 * six digits, {v} part, "validation" for "val", {c} the name up to its first '_', {k} "testing" for
 * the part "test", else "training".
 */
typedef struct vd_layout {
    const char *format;
    vd_publish_kind kind;
    const char *picture; /* path below the folder */
    const char *name;    /* as the labels name the picture */
    const char *labels;  /* path that the label format writes to; "" the folder itself */
    const char *lists;   /* list of the names of each part, {p}; NULL: none */
    bool per_part;       /* labels lie in a folder of each part */
    bool sequences;      /* {s} is a sequence */
} vd_layout;

extern const vd_layout vd_layouts[];
extern const int vd_n_layouts;
const vd_layout *vd_layout_find(const char *format); /* NULL: none */

/* Appends a path of the layout for an item. */
void vd_layout_add(vd_str *out, const char *path, const vd_publish_item *item);
#endif
