/* What a synth run will write, decided before anything is rendered. SPDX-License-Identifier:
 * Apache-2.0 */
#ifndef VD_SYNTH_PLAN_H
#define VD_SYNTH_PLAN_H

#include "image/media.h"
#include "synth/scene.h"

typedef enum vd_edit {
    VD_EDIT_NONE,
    VD_EDIT_CROP,
    VD_EDIT_SCALE,
    VD_EDIT_RECOMPRESS,
    VD_EDIT_GAIN
} vd_edit;

/* A file made from a view: an exact copy (edit none) or an edited one. */
typedef struct vd_copy {
    char name[48];
    int64_t view;
    vd_defect defect;
    vd_edit edit;
    int32_t x0, y0, x1, y1; /* crop: the part that is kept, pixels of the source */
    int32_t width, height;  /* of the file */
    int32_t quality;
    double gain;
} vd_copy;

/* One rendered picture. */
typedef struct vd_shot {
    char name[48];    /* in images/ */
    int64_t index;    /* of the view, -1 for strays */
    vd_defect defect; /* VD_N_DEFECTS: none */
    vd_rigid pose;    /* cam_from_world */
    vd_media exif;
    bool png; /* the bytes are PNG, whatever the name says */
    double exposure, noise, sigma_px, length_px, angle_rad,
        keep;      /* keep: part of the bytes, 0..1 */
    int64_t bytes; /* of the file, set when it is written */
} vd_shot;

typedef struct vd_plan {
    vd_synth_opt opt;
    vd_scene scene;
    vd_scene_camera camera;
    vd_shot *shot; /* views first */
    int64_t n_shots;
    vd_copy *copy;
    int64_t n_copies;
    double latitude_deg, longitude_deg, altitude_m; /* of the world's origin, WGS 84 */
} vd_plan;

vd_status vd_plan_init(vd_plan *p, const vd_synth_opt *opt, vd_err *err);
void vd_plan_reset(vd_plan *p);
const char *vd_edit_name(vd_edit e);
#endif
