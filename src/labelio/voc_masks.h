/* Pascal VOC's maps: SegmentationClass and SegmentationObject. SPDX-License-Identifier: Apache-2.0
 *
 * A pixel has the index of its class, and of its object as the XML counts them from 1; 0 is
 * background, 255 a border that does not count. Other programs write the colours instead, and say
 * in labelmap.txt whose they are. Everingham et al., IJCV 2010. */
#ifndef VD_LABELIO_VOC_MASKS_H
#define VD_LABELIO_VOC_MASKS_H

#include "labelio/format.h"
#include "labelkit/maps.h"
#include "labelkit/paint.h"

/* Pixels of one class and one object. */
typedef struct vd_voc_segment {
    int64_t object; /* as the XML counts; 0: none */
    int32_t class;  /* index; 0: none */
    bool border, taken;
    const vd_mask *mask;
} vd_voc_segment;

/* Maps of a folder. A zeroed one has none. */
typedef struct vd_voc_masks {
    vd_label_in *in;
    const char *root;
    bool classes_there, objects_there, labelmap;
    vd_names class; /* by index, 0 is the background */
    int32_t *colour;
    int64_t cap_colour;
    /* of the picture at hand */
    vd_label_map object_map;
    vd_map_masks values[2], masks; /* numbers of the two maps; of the segments */
    vd_voc_segment *segment;
    int64_t n, cap, cap_code[2];
    int32_t *code[2];
    vd_str path;
} vd_voc_masks;

/* `in` and `root` are borrowed. */
vd_status vd_voc_masks_open(vd_voc_masks *v, vd_label_in *in, const char *root, vd_err *err);
void vd_voc_masks_reset(vd_voc_masks *v);

/* Segments of a picture; 0 x 0: its size is not known. None where it has no maps: most have none.
 */
vd_status vd_voc_masks_read(vd_voc_masks *v, const char *stem, int32_t width, int32_t height,
                            vd_err *err);
/* The pixels of the n-th object of the XML, from 1, which is of class `name`; NULL: it has none, or
 * the maps say another class, which is listed as a loss. */
vd_status vd_voc_masks_take(vd_voc_masks *v, const vd_mask **mask, int64_t nth, const char *name,
                            vd_err *err);
/* Pushes what was not taken: objects, regions of a class that are not told apart (crowds), and the
 * border, a crowd of class "void". */
vd_status vd_voc_masks_push_rest(vd_voc_masks *v, int32_t image, vd_err *err);

/* Writing. A zeroed one is ready. */
typedef struct vd_voc_painter {
    const vd_label_set *of; /* whose classes `index` numbers */
    int32_t *index;
    bool own_classes; /* others than the challenge's: labelmap.txt says them */
    vd_painter class, object;
    vd_str name;
} vd_voc_painter;

/* Whether an object belongs into the XML beside maps: it has a box, and is no region that is not
 * told apart. */
bool vd_voc_in_xml(const vd_label_object *o);
void vd_voc_painter_reset(vd_voc_painter *p);
/* The maps of a picture below out->path, where it has objects with pixels. Objects with a box are
 * counted first: the XML has them. */
vd_status vd_voc_paint(vd_voc_painter *p, bool *any, vd_label_set *set, const vd_label_out *out,
                       int64_t image, vd_err *err);
vd_status vd_voc_write_labelmap(vd_voc_painter *p, vd_label_set *set, const vd_label_out *out,
                                vd_err *err);
#endif
