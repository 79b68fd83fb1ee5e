/* The pictures that take part in reconstruction, with what is known of their cameras before any
 * geometry. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_SCENE_VIEWS_H
#define VD_SCENE_VIEWS_H

#include "base/arena.h"
#include "recon/camera_text.h"
#include "stage/stages.h"

typedef struct vd_view {
    int64_t id, parent_id; /* of the asset, of its video or document */
    const char *uri;
    uint64_t content; /* changes when its features do */
    int features;
    int camera;                                     /* index into cameras */
    double time_s;                                  /* of capture, NaN unknown */
    double latitude_deg, longitude_deg, altitude_m; /* NaN unknown */
    double pitch_deg;                               /* above the horizon, NaN unknown */
    double sharpness;                               /* for reasons, NaN unknown */
    int orientation;                                /* EXIF's, 1 to 8 */
    bool blurry;
} vd_view;

/* Where a focal length comes from: a guess from the field of view of common lenses, EXIF, or the
 * user. */
typedef enum vd_focal_from { VD_FOCAL_GUESS, VD_FOCAL_EXIF, VD_FOCAL_GIVEN } vd_focal_from;

typedef struct vd_view_set {
    vd_view *views; /* by URI: ids tell the order of adding, on which nothing may depend */
    int64_t n, cap;
    int32_t *by_id; /* positions */
    vd_arena texts;
    vd_camera *cameras; /* of the full-size picture as stored */
    vd_focal_from *focal;
    int64_t n_cameras, cap_cameras, cap_focal;
} vd_view_set;

/* Every present picture with features. Pictures of one device, lens, zoom and size share a camera,
 * so do the frames of a video; without EXIF each picture has its own. */
vd_status vd_views_load(vd_view_set *out, vd_run *run, vd_err *err);
void vd_views_reset(vd_view_set *s);
int64_t vd_views_find(const vd_view_set *s, int64_t asset_id); /* position, -1: none */

/* order[n]: positions by video, then time; pictures without a time by their names. */
void vd_views_by_time(int32_t *order, const vd_view_set *s);
#endif
