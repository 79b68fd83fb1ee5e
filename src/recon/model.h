/* A reconstruction: cameras, the images that were placed, and the points they see.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Images refer to cameras, keypoints to points, and the elements of tracks to keypoints by index;
 * ids are what other programs call them, and matter only in files. Keypoints are in pixels of the
 * picture as stored, at full size, with the centre of a pixel at +0.5.
 *
 * A zeroed vd_model is empty and valid. One writer or many readers. */
#ifndef VD_RECON_MODEL_H
#define VD_RECON_MODEL_H

#include "geometry/camera.h"
#include "math/vec.h"

typedef struct vd_model_image {
    int64_t id;
    char *name;
    int32_t camera; /* index */
    vd_rigid cam_from_world;
    int32_t n;
    double *uv;     /* 2 n */
    int32_t *point; /* n: index of a point, or -1 */
} vd_model_image;

typedef struct vd_model {
    int32_t n_cameras;
    vd_camera *cameras;
    int64_t *camera_ids;
    int32_t n_images;
    vd_model_image *images;
    int64_t n_points; /* at most INT32_MAX */
    double *xyz;      /* 3 n */
    uint8_t *rgb;     /* 3 n */
    double *error_px; /* mean reprojection error; negative: unknown */
    int64_t *point_ids;
    /* The track of point i: elements track_start[i] .. track_start[i + 1] - 1, each an image and a
     * keypoint of it. */
    int64_t *track_start; /* n + 1; NULL while there are no points */
    int32_t *track_image, *track_keypoint;
} vd_model;

void vd_model_reset(vd_model *m);

/* Building, each part once: zeroed arrays with ids 1, 2, ...; points have a track_start of zeros,
 * an unknown error, and room for n_track elements. Fail with VD_E_NOMEM, VD_E_LIMIT. */
vd_status vd_model_add_cameras(vd_model *m, int64_t n, vd_err *err);
vd_status vd_model_add_images(vd_model *m, int64_t n, vd_err *err);
vd_status vd_model_add_points(vd_model *m, int64_t n, int64_t n_track, vd_err *err);
/* The name (n_name bytes, copied) and room for n keypoints that see nothing yet. */
vd_status vd_model_set_image(vd_model_image *image, const char *name, size_t n_name, int64_t n,
                             vd_err *err);

/* Makes the tracks anew from the `point` of every keypoint, in the order of images and keypoints.
 * Fails with VD_E_NOMEM; `point` must be in range. */
vd_status vd_model_track(vd_model *m, vd_err *err);

/* Keeps the images for which keep[n_images] is not 0, in their order. Points that lose observations
 * and are left with fewer than two go too, as COLMAP does; errors and cameras stay as they are.
 * Fails with VD_E_NOMEM, the model unchanged. */
vd_status vd_model_keep_images(vd_model *m, const uint8_t *keep, vd_err *err);

/* Computes error_px of every point: the mean over its track, in pixels, as COLMAP does. Elements
 * that the camera cannot see (behind it, outside of its domain) count as UNSEEN_ERROR_PX. */
void vd_model_update_errors(vd_model *m);

/* That everything refers to what is there, that keypoints and tracks say the same, that numbers are
 * finite, rotations unit quaternions, and ids and names unique and usable. `where` begins the
 * message. Fails with VD_E_FORMAT, VD_E_NOMEM. */
vd_status vd_model_check(const vd_model *m, const char *where, vd_err *err);

/* As `colmap model_analyzer` counts: observations are elements of tracks, the mean error is over
 * points (0 where none has one). */
typedef struct vd_model_stats {
    int64_t cameras, images, points, observations;
    double mean_track_length, mean_observations_per_image, mean_error_px;
} vd_model_stats;

vd_model_stats vd_model_stats_of(const vd_model *m);
#endif
