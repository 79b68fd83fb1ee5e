/* What the formats on COCO's form share. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_LABELIO_COCO_H
#define VD_LABELIO_COCO_H

#include "labelio/format.h"

extern const vd_label_format vd_label_coco, vd_label_coco_panoptic, vd_label_lvis;

/* A file; the maps of a panoptic one lie in the folder of its name without ".json". */
vd_status vd_coco_read_file(vd_label_in *in, const char *path, const char *subset, vd_err *err);
/* A document in memory. */
vd_status vd_coco_read_bytes(vd_label_in *in, const char *where, const void *bytes, size_t size,
                             vd_err *err);
/* `path` ends with .json: one file; else a folder with annotations/instances_SUBSET.json. */
vd_status vd_coco_write(vd_label_set *set, const vd_label_out *out, vd_err *err);
/* The same of panoptic_SUBSET.json with a folder of maps beside each. */
vd_status vd_coco_write_panoptic(vd_label_set *set, const vd_label_out *out, vd_err *err);

/* out[n_categories]: the ids of the source where no two are alike, and else counted from 1. */
vd_status vd_coco_category_ids(int64_t *out, const vd_label_set *set, vd_label_report *report,
                               vd_err *err);

/* Appends a category as an object that is still open: its id, name and supercategory. */
void vd_coco_begin_category(vd_str *s, const vd_label_category *c, int64_t id);

/* What writes them both: images and categories are alike, annotations are not. */
typedef struct vd_coco_writer {
    vd_label_set *set;
    const vd_label_out *out;
    vd_out_file f;
    const char *path;   /* of the file at hand */
    const char *subset; /* only its images; NULL: all */
    const char *kind;   /* how the names of a folder's files begin */
    vd_status (*write_objects)(struct vd_coco_writer *w, vd_err *err);
    int64_t *image_id, *category_id;
    bool own_ids; /* the objects' ids are unique */
    int64_t n_written;
} vd_coco_writer;

vd_status vd_coco_write_as(vd_label_set *set, const vd_label_out *out, const char *kind,
                           vd_status (*objects)(vd_coco_writer *w, vd_err *err), vd_err *err);
bool vd_coco_in_subset(const vd_coco_writer *w, int64_t image);

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
