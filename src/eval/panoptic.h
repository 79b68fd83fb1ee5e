/* COCO's panoptic annotations. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_EVAL_PANOPTIC_H
#define VD_EVAL_PANOPTIC_H

#include "eval/segment.h"

typedef struct vd_panoptic_image {
    int64_t id;
    char *file;        /* of the map, in a folder beside */
    int64_t at, count; /* of its segments */
} vd_panoptic_image;

typedef struct vd_panoptic_category {
    int64_t id;
    char *name;
    bool thing;
} vd_panoptic_category;

/* A zeroed one is empty. */
typedef struct vd_panoptic {
    vd_panoptic_image *image; /* by id */
    int64_t n_images, cap_images;
    vd_panoptic_category *category; /* by id; results may have none */
    int64_t n_categories, cap_categories;
    vd_panoptic_segment *segment;
    int64_t n_segments, cap_segments;
} vd_panoptic;

void vd_panoptic_reset(vd_panoptic *p);
/* {"annotations": [{image_id, file_name, segments_info: [{id, category_id, area, iscrowd}]}],
 * "categories": [{id, name, isthing}]}. Fails with VD_E_FORMAT, VD_E_IO, VD_E_LIMIT, VD_E_NOMEM.
 * `size` bytes of memory, or a file where `bytes` is NULL. */
vd_status vd_panoptic_read(vd_panoptic *out, const char *path, const void *bytes, size_t size,
                           vd_err *err);
const vd_panoptic_image *vd_panoptic_find(const vd_panoptic *p, int64_t id); /* NULL: none */
const vd_panoptic_category *vd_panoptic_class(const vd_panoptic *p, int64_t id);
#endif
