/* What the mapper gets, from the catalog. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_STAGE_SCENE_INPUT_H
#define VD_STAGE_SCENE_INPUT_H

#include "math/geodesy.h"
#include "sfm/mapper.h"
#include "stage/views.h"

typedef struct vd_scene_input {
    vd_sfm_input sfm; /* image i is view i, camera i is camera i of the view set */
    bool has_origin;  /* of the local frame: the median of the GPS positions */
    vd_geodetic origin;
    double *focal_factor; /* of each camera: by which EXIF's focal length was found to be wrong */
    /* private */
    vd_sfm_image *image;
    vd_sfm_pair *pair;
    double **uv;
    uint8_t *refine;
    vd_camera *camera;
    int64_t n, n_pairs, cap_pairs;
} vd_scene_input;

/* Everything the views and verified pairs in the catalog say; a focal length that the pairs
 * disprove is changed, with the geometry of its pairs. `views` must outlive the result. */
vd_status vd_scene_input_load(vd_scene_input *out, vd_run *run, const vd_view_set *views,
                              vd_err *err);
void vd_scene_input_reset(vd_scene_input *in);
#endif
