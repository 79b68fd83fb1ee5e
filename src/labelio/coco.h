/* What the formats on COCO's form share. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_LABELIO_COCO_H
#define VD_LABELIO_COCO_H

#include "labelio/format.h"

extern const vd_label_format vd_label_coco, vd_label_lvis;

vd_status vd_coco_read_file(vd_label_in *in, const char *path, const char *subset, vd_err *err);
/* A document in memory. */
vd_status vd_coco_read_bytes(vd_label_in *in, const char *where, const void *bytes, size_t size,
                             vd_err *err);
/* `path` ends with .json: one file; else a folder with annotations/instances_SUBSET.json. */
vd_status vd_coco_write(vd_label_set *set, const vd_label_out *out, vd_err *err);
/* Members of an annotation but its ids, each with a comma before it; holes of polygons are lost.
 * `name` is the picture's. */
vd_status vd_coco_add_object(vd_str *s, const vd_label_object *o, const char *name,
                             vd_label_report *report, vd_err *err);
/* "bbox", "area" and the like aside: the polygons or the mask as a value. */
vd_status vd_coco_add_shape(vd_str *s, const vd_label_object *o, const char *name,
                            vd_label_report *report, vd_err *err);
/* A mask as {"size","counts"}: packed as COCO packs it, or the runs as a list. */
vd_status vd_coco_add_mask(vd_str *s, const vd_label_object *o, bool packed, vd_err *err);
#endif
