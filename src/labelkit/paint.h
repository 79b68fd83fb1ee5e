/* Maps painted from objects and written as PNG files. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_LABELKIT_PAINT_H
#define VD_LABELKIT_PAINT_H

#include "label/mask_map.h"

typedef enum vd_paint_kind {
    VD_PAINT_INDEX, /* 8 bits, with VOC's palette */
    VD_PAINT_GREY8,
    VD_PAINT_GREY16,
    VD_PAINT_COLOUR, /* R + 256 G + 65536 B */
} vd_paint_kind;

/* The map of one picture after the other. A zeroed one is ready. */
typedef struct vd_painter {
    vd_map_canvas canvas;
    bool overlap; /* objects of the present picture lie over each other */
    uint8_t *rows;
    int64_t cap;
    vd_str png;
} vd_painter;

void vd_painter_reset(vd_painter *p);

/* A blank map of the picture's size. False in `sized`, and a loss is listed, where that is not
 * known. */
vd_status vd_paint_begin(vd_painter *p, bool *sized, const vd_label_image *m, vd_label_report *r,
                         vd_err *err);
/* Paints the pixels of an object. What lies over another object, and an object without pixels, are
 * listed as losses; `painted` is false for the latter. */
vd_status vd_paint_object(vd_painter *p, bool *painted, const vd_label_image *m,
                          const vd_label_object *o, int32_t id, vd_label_report *r, vd_err *err);
/* Writes folder/name. */
vd_status vd_paint_write(vd_painter *p, vd_paint_kind kind, const char *folder, const char *name,
                         vd_err *err);

/* The colour of an index in Pascal VOC's palette, R + 256 G + 65536 B: the bits of the index go to
 * red, green, blue in turn, the lowest to the highest. Everingham et al., IJCV 2010. */
int32_t vd_voc_colour(int index);
#endif
