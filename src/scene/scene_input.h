/* What the mapper gets, from the catalog. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_SCENE_SCENE_INPUT_H
#define VD_SCENE_SCENE_INPUT_H

#include "global/agreement.h"
#include "math/geodesy.h"
#include "sfm/mapper.h"
#include "scene/views.h"

/* Views whose verified pair was found to join two places that look alike. */
typedef struct vd_parted_pair {
    int32_t a, b;
    int32_t due, shown; /* see global/agreement.h */
} vd_parted_pair;

typedef struct vd_scene_input {
    vd_sfm_input sfm; /* image i is view i, camera i is camera i of the view set */
    bool has_origin;  /* of the local frame: the median of the GPS positions */
    vd_geodetic origin;
    vd_parted_pair *parted; /* by vd_scene_input_part */
    int64_t n_parted;
    double *focal_factor; /* of each camera: by which EXIF's focal length was found to be wrong */
    /* private */
    vd_sfm_image *image;
    vd_sfm_pair *pair;
    double **uv;
    uint8_t *refine;
    vd_camera *camera;
    int64_t n, n_pairs, cap_pairs, cap_parted;
} vd_scene_input;

/* Everything the views and verified pairs in the catalog say; a focal length that the pairs
 * disprove is changed, with the geometry of its pairs. `views` must outlive the result. */
vd_status vd_scene_input_load(vd_scene_input *out, vd_run *run, const vd_view_set *views,
                              vd_err *err);

/* Takes away the pairs that lead from group to group of a model's images. Fails with VD_E_NOMEM. */
vd_status vd_scene_input_part(vd_scene_input *in, const vd_agreement *a, vd_err *err);
void vd_scene_input_reset(vd_scene_input *in);
#endif
