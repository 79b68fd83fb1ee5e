/* Writing CVAT's XML. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_LABELIO_CVAT_H
#define VD_LABELIO_CVAT_H

#include "labelio/format.h"

enum {
    VD_CVAT_HOLDS = VD_OBJ_BOX | VD_OBJ_ROTATED | VD_OBJ_POLYGON | VD_OBJ_LINE | VD_OBJ_KEYPOINTS |
                    VD_OBJ_MASK | VD_LABEL_HOLDS_ATTRIBUTES
};

/* One file with all pictures. */
vd_status vd_cvat_write(vd_label_set *set, const vd_label_out *out, vd_err *err);
/* A folder with VIDEO.xml for each sequence: tracks with a shape in each frame that has one, and
 * "outside" in the frame after the last one of a run. */
vd_status vd_cvat_write_videos(vd_label_set *set, const vd_label_out *out, vd_err *err);
#endif
