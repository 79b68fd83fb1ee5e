/* What mappers take and give: verified pairs of images in, models out. SPDX-License-Identifier:
 * Apache-2.0
 *
 * A model is one reconstructed scene: registered images with their poses, refined cameras, and
 * points with the keypoints that show them. Every image gets a verdict with figures, registered or
 * not. */
#ifndef VD_SFM_MAPPER_H
#define VD_SFM_MAPPER_H

#include "base/pool.h"
#include "geometry/camera.h"
#include "geometry/two_view.h"
#include "math/vec.h"

typedef struct vd_sfm_match {
    int32_t a, b; /* keypoints of the first and of the second image */
} vd_sfm_match;

typedef struct vd_sfm_image {
    int32_t camera;    /* index of its camera */
    int32_t n;         /* keypoints */
    const double *uv;  /* [n][2] pixels of the camera's size */
    bool has_position; /* where it was taken, by GPS say, in any Cartesian frame in metres */
    double position[3], position_sigma_m[3];
    /* how it was held, for positions that leave that open: which way is down in the picture as
     * stored, a unit vector (0, 0: not known), and how far above the horizon it looks */
    double down[2];
    bool has_pitch;
    double pitch_rad;
} vd_sfm_image;

/* Images whose overlap is verified: inlier matches and the geometry they agree with, whose
 * cam2_from_cam1 is cam_b_from_cam_a. */
typedef struct vd_sfm_pair {
    int32_t a, b; /* images */
    int32_t n;
    const vd_sfm_match *match;
    vd_two_view geometry;
} vd_sfm_pair;

/* All borrowed. */
typedef struct vd_sfm_input {
    int32_t n_images, n_cameras, n_pairs;
    const vd_sfm_image *image;
    const vd_camera *camera;      /* the start: given, or by EXIF, or a guess */
    const uint8_t *camera_refine; /* [n_cameras] bits VD_REFINE_*, NULL: all is known and fixed */
    const vd_sfm_pair *pair;
} vd_sfm_input;

typedef struct vd_sfm_observation {
    int32_t image, keypoint;
} vd_sfm_observation;

/* Sigmas that a camera may be from its stated position to support the alignment with them. */
enum { VD_SFM_SIGMAS = 4 };

typedef struct vd_sfm_model {
    int32_t n_images, n_points, n_cameras;
    int32_t *image;           /* [n_images] ascending */
    vd_rigid *cam_from_world; /* [n_images] */
    vd_camera *camera;        /* [n_cameras] of the input; those that no image uses are unchanged */
    double *point;            /* [n_points][3] */
    double *error_px;         /* [n_points] mean over its observations */
    int64_t *track;           /* [n_points + 1] its observations in `obs`, by image */
    vd_sfm_observation *obs;
    /* health */
    double mean_error_px;         /* over observations */
    double mean_track;            /* observations a point */
    double median_angle_rad;      /* of points: the largest angle between two rays */
    int32_t pairs, pairs_against; /* verified pairs between its images; those whose rotation the
                                   * model contradicts: many of them hint at repeated structure */
    bool in_position_frame;       /* scale, rotation and place are those of the images' positions */
    int32_t positions, positions_used; /* of its images; those within VD_SFM_SIGMAS then */
    double position_rmse_m;            /* of the latter */
    /* standard deviations by the positions alone: of the turn that they determine least, and of the
     * scale, relative; and whether the turn therefore rests on how cameras are held */
    double turn_sigma_rad, scale_sigma;
    bool upright;
} vd_sfm_model;

enum vd_sfm_reason {
    VD_SFM_REGISTERED,
    VD_SFM_NO_OVERLAP,  /* no verified pair has it */
    VD_SFM_NO_PARALLAX, /* its pairs are rotations about one place, or the same picture twice */
    VD_SFM_OVERLAY,     /* its pairs share a watermark, a frame or a time stamp, and nothing else */
    VD_SFM_PLANAR,      /* its pairs see one plane, which began no model */
    VD_SFM_NO_START,    /* no pair of its component can begin a model */
    VD_SFM_FEW_POINTS,  /* too few of its keypoints show a point of a model */
    VD_SFM_RESECTION,   /* the pose failed: `inliers` of `of` agreed on one */
    VD_SFM_SMALL_MODEL, /* its model, or all that it is tied to, is `of` images: too few */
    VD_SFM_DROPPED,     /* registered, but `inliers` of `of` observations survived filtering */
};
const char *vd_sfm_reason_name(int reason);

typedef struct vd_sfm_verdict {
    int reason;          /* enum vd_sfm_reason */
    int32_t model;       /* or -1 */
    int32_t inliers, of; /* see the reasons; registered: observations in the model, keypoints */
    int32_t pairs;       /* verified pairs that have this image */
    int32_t best;        /* the image with the most matches, or -1 */
    int32_t best_matches;
} vd_sfm_verdict;

typedef struct vd_sfm_result {
    int32_t n_models, n_images;
    vd_sfm_model *model;     /* by images, the largest first */
    vd_sfm_verdict *verdict; /* [n_images] */
} vd_sfm_result;

void vd_sfm_result_reset(vd_sfm_result *r);

typedef struct vd_sfm_opt {
    uint64_t seed;
    double max_error_px;       /* of an observation */
    double min_angle_rad;      /* of a point */
    double resection_error_px; /* of an inlier of a new pose */
    int resection_inliers;     /* a pose needs that many, */
    double resection_share;    /* and that share of the points it could see */
    int start_inliers;         /* points that a pair must give to begin a model */
    double start_angle_rad; /* median angle wanted of it; less is taken when there is no better */
    int least_images;       /* of a model */
    int most_models;
    double growth; /* the model is adjusted as a whole when it grew by this factor */
    bool use_positions;
} vd_sfm_opt;
#define VD_SFM_OPT                                                                                 \
    {                                                                                              \
        .max_error_px = 4, .min_angle_rad = 0.0262, .resection_error_px = 12,                      \
        .resection_inliers = 30, .resection_share = 0.25, .start_inliers = 100,                    \
        .start_angle_rad = 0.28, .least_images = 3, .most_models = 50, .growth = 1.1,              \
        .use_positions = true                                                                      \
    }

typedef struct vd_sfm_stats {
    double tracks_s, start_s, resection_s, triangulate_s, local_s, global_s, filter_s, total_s;
    int32_t tracks, local_adjustments, global_adjustments, resections;
} vd_sfm_stats;

/* The incremental mapper: from one good pair, an image at a time. [Schönberger and Frahm 2016]
 * Structure-from-motion revisited.
 * owns   : the result is the caller's, vd_sfm_result_reset frees it; opt and stats may be NULL
 * fails  : VD_E_ARG (an index out of range, a value that is not finite), VD_E_NOMEM; an image that
 *          cannot be placed is a verdict
 * threads: any; the same result whatever the pool */
vd_status vd_sfm_incremental(vd_sfm_result *out, const vd_sfm_input *in, const vd_sfm_opt *opt,
                             vd_sfm_stats *stats, vd_pool *pool, vd_err *err);
#endif
