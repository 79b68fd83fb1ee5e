/* What the two forms of COLMAP's models share. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_RECON_COLMAP_FORM_H
#define VD_RECON_COLMAP_FORM_H

#include "recon/colmap.h"
#include "recon/ids.h"

/* A model while it is read. Points come before images, because keypoints name points; so the tracks
 * hold ids of images (the bits of a uint32_t) until the images are known. */
typedef struct vd_colmap_in {
    vd_model m;
    vd_ids cameras, points;
} vd_colmap_in;

typedef struct vd_colmap_codec {
    vd_status (*read[VD_COLMAP_PARTS])(vd_colmap_in *in, const vd_colmap_part *part, vd_err *err);
    vd_status (*write[VD_COLMAP_PARTS])(vd_str *s, const vd_model *m, vd_err *err);
} vd_colmap_codec;

extern const vd_colmap_codec vd_colmap_binary, vd_colmap_text;

/* Sets camera i; the size as the file has it. */
vd_status vd_colmap_set_camera(vd_colmap_in *in, int64_t i, const char *where, int64_t id,
                               int model, uint64_t width, uint64_t height, vd_err *err);
/* Sets pose and camera of image i, by the quaternion and translation of the file. */
vd_status vd_colmap_set_pose(vd_colmap_in *in, int64_t i, const char *where, const double qt[7],
                             int64_t camera_id, vd_err *err);
/* Sets what keypoint k sees; id -1: nothing. */
vd_status vd_colmap_set_keypoint(vd_colmap_in *in, vd_model_image *image, int64_t k,
                                 const char *where, int64_t point_id, vd_err *err);
#endif
