/* What the operations on labels share. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_OPS_LABELS_H
#define VD_OPS_LABELS_H

#include "label/label.h"
#include "ops/op.h"

/* Names of the rows of labelio/format.h; a test compares. */
#define VD_LABEL_WRITERS                                                                           \
    "coco|coco-panoptic|lvis|yolo|yolo-segment|yolo-pose|yolo-obb|voc|voc-masks|kitti|mot|mots|"   \
    "mots-png|labelme|cityscapes|cityscapes-masks|label-studio|datumaro|cvat|"                     \
    "cvat-video|csv|open-images|youtube-vis"
#define VD_LABEL_READERS VD_LABEL_WRITERS "|imagenet|labelme-xml"

/* Imports argument "path" of format "format" (NULL: found by itself) as label set "name" into the
 * dataset; with flag "replace" in the place of one of that name. Sends rows of columns what, count,
 * lost, examples. */
vd_status vd_import_labels(vd_opcall *c, vd_err *err);

/* A row for each kind of loss: what, count, `lost`, examples. */
vd_status vd_out_label_report(vd_opcall *c, const vd_label_report *report, bool lost, vd_err *err);
/* The same where all was lost. */
vd_status vd_out_label_losses(vd_opcall *c, const vd_label_report *report, vd_err *err);
#endif
