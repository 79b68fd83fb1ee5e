/* Maps: pictures whose pixels are numbers, and the masks that they stand for.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A map holds one number a pixel and so no overlaps: masks are painted in order, and the later one
 * has the pixels of both. Sizes are limited as those of masks are. */
#ifndef VD_LABEL_MASK_MAP_H
#define VD_LABEL_MASK_MAP_H

#include "label/label.h"
#include "label/mask.h"

/* A picture of a thousand objects has a hundred thousand; a small file can promise any number. */
enum { VD_MAP_MAX_PIECES = 1 << 24 };

/* One mask for every number that occurs, by ascending number. Their runs lie in one block: they end
 * with the whole. A zeroed one is empty. */
typedef struct vd_map_masks {
    int64_t n;
    int32_t *id;
    vd_mask *mask;
    uint32_t *runs;
} vd_map_masks;

/* map[height * width], row-major. One pass over the pixels. Fails with VD_E_LIMIT (size; more than
 * VD_MAP_MAX_PIECES pieces of one number down the columns), VD_E_NOMEM; `out` is untouched then. */
vd_status vd_map_masks_of(vd_map_masks *out, const int32_t *map, int64_t height, int64_t width,
                          vd_err *err);
void vd_map_masks_reset(vd_map_masks *m);
const vd_mask *vd_map_masks_find(const vd_map_masks *m, int32_t id); /* NULL: it does not occur */

/* A map that is painted. Numbers lie down the columns, as the runs of masks do. */
typedef struct vd_map_canvas {
    int32_t height, width;
    int32_t *id; /* 0: nothing was painted */
    int64_t cap;
} vd_map_canvas;

/* Blank; memory is kept from one picture to the next. Fails with VD_E_LIMIT, VD_E_NOMEM. */
vd_status vd_map_canvas_clear(vd_map_canvas *c, int64_t height, int64_t width, vd_err *err);
void vd_map_canvas_reset(vd_map_canvas *c);
/* Paints a mask of the canvas' size; gives the number of pixels that had been painted before. */
int64_t vd_map_canvas_paint(vd_map_canvas *c, const vd_mask *m, int32_t id);
/* Rows of numbers of 1, 2 (in the machine's order) or 3 (the lowest first) bytes. */
void vd_map_canvas_rows(const vd_map_canvas *c, void *out, ptrdiff_t stride, int bytes);

/* The mask of an object of a picture of that size: its own, or its polygons filled, holes left out.
 * false in `has`: it has neither, or its mask is of another size. The caller resets *out. Fails as
 * vd_mask_from_polygon. */
vd_status vd_label_object_mask(vd_mask *out, bool *has, const vd_label_object *o, int64_t height,
                               int64_t width, vd_err *err);
#endif
