/* What the files of the incremental mapper share. SPDX-License-Identifier: Apache-2.0
 *
 * The state is the model under construction: poses of registered images, and points. A point owns
 * some keypoints of one track; a track may have several points when its keypoints do not agree, and
 * keypoints that belong to none wait for a better day. Which images could be registered next is
 * known at any time from counts that follow every change of a track. */
#ifndef VD_SFM_MAPPER_INT_H
#define VD_SFM_MAPPER_INT_H

#include "geometry/rigid.h"
#include "sfm/bundle.h"
#include "sfm/mapper.h"
#include "sfm/tracks.h"

enum {
    VD_GRID_LEVELS = 6,  /* grids of 2, 4, .. 64 cells a side over a picture */
    VD_GRID_CELLS = 5460 /* of all of them */
};

/* How the visible points spread over a picture: a cell that is filled at a finer grid counts more.
 */
typedef struct vd_spread {
    uint16_t cell[VD_GRID_CELLS];
    int32_t visible; /* keypoints whose track has a point */
    int64_t score;
} vd_spread;

enum vd_image_state { VD_IMAGE_FREE, VD_IMAGE_IN_MODEL, VD_IMAGE_TAKEN /* by an earlier model */ };

typedef struct vd_image_info {
    int state;            /* enum vd_image_state */
    int tries;            /* resections that failed since the model began */
    int32_t tried_at;     /* visible points then */
    int32_t observations; /* keypoints that belong to points */
    int32_t inliers, of;  /* of the last resection */
    int32_t seen;         /* points of models that did not take it */
    bool dropped;
} vd_image_info;

typedef struct vd_mapper {
    const vd_sfm_input *in;
    vd_sfm_opt opt;
    vd_pool *pool;
    vd_sfm_stats stats;
    vd_tracks tracks;
    /* images */
    vd_image_info *info;
    vd_rigid *pose;
    vd_spread *spread;
    vd_camera *camera; /* [n_cameras] */
    uint8_t *frozen;   /* [n_cameras] their parameters ran away and are left alone */
    int32_t *registered, n_registered; /* in the order of registration */
    /* pairs of each image */
    int32_t *pair_start, *pair_of;
    uint8_t *pair_tried; /* as the start of a model */
    uint8_t *trusted;    /* [n_pairs] see view_graph.h */
    int32_t *tied;       /* [n_images] images that trusted pairs tie it to, and itself */
    /* points; one with n = 0 is gone */
    int64_t n_points, cap_xyz, cap_track, cap_n;
    double (*xyz)[3];
    int32_t *point_track, *point_n;
    int32_t n_alive;
    int32_t *point_of;     /* [n_keys] or -1 */
    int32_t *track_points; /* [tracks] points alive */
    int32_t images_at_global, points_at_global;
    bool in_position_frame, upright; /* and the next two: see vd_sfm_model */
    double turn_sigma_rad, scale_sigma;
    uint8_t *touched; /* [tracks]: changed since they were last looked at */
    uint8_t *bad;     /* [n_keys] scratch of filtering */
} vd_mapper;

static inline int32_t vd_key_of(const vd_mapper *m, vd_sfm_observation o) {
    return m->tracks.first[o.image] + o.keypoint;
}
static inline const vd_camera *vd_camera_of(const vd_mapper *m, int32_t image) {
    return &m->camera[m->in->image[image].camera];
}
static inline const double *vd_pixel_of(const vd_mapper *m, vd_sfm_observation o) {
    return m->in->image[o.image].uv + 2 * (ptrdiff_t)o.keypoint;
}
static inline int vd_refine_of(const vd_mapper *m, int32_t camera) {
    return m->in->camera_refine != NULL ? m->in->camera_refine[camera] : 0;
}

/* Whether a camera is one that exists: focal length, principal point and distortion within reason.
 */
bool vd_mapper_plausible(const vd_camera *c);

/* mapper_state.c. Pairs for which only[n_pairs] is 0 are not trusted; NULL: all may be. */
vd_status vd_mapper_check(const vd_sfm_input *in, vd_err *err);
vd_status vd_mapper_init(vd_mapper *m, const vd_sfm_input *in, const uint8_t *only,
                         const vd_sfm_opt *opt, vd_pool *pool, vd_err *err);
void vd_mapper_reset(vd_mapper *m);
void vd_mapper_begin(vd_mapper *m); /* an empty model; images of earlier ones stay taken */
void vd_mapper_register(vd_mapper *m, int32_t image, vd_rigid pose);
void vd_mapper_unregister(vd_mapper *m, int32_t image);
vd_status vd_mapper_add_point(vd_mapper *m, int32_t *point, const double xyz[3], int32_t track,
                              vd_err *err);
void vd_mapper_observe(vd_mapper *m, int32_t point, vd_sfm_observation o);
void vd_mapper_forget(vd_mapper *m, vd_sfm_observation o); /* a point of one observation goes too */
void vd_mapper_remove_point(vd_mapper *m, int32_t point);

/* mapper_view.c: squared reprojection error, infinite where there is none. */
double vd_mapper_error(const vd_mapper *m, const double x[3], vd_sfm_observation o);
/* A point from n keypoints of one track in registered images, of which some may be wrong: the one
 * that most agree with, refined. False when there is none with two that see it under min_angle_rad
 * or more. `item` keys the random numbers. */
bool vd_mapper_locate(const vd_mapper *m, double x[3], const vd_sfm_observation *o, int n,
                      uint64_t item);
/* Moves x to where the n keypoints see it best, by so many rounds of Gauss-Newton; false when that
 * fails. */
bool vd_mapper_refine_point(const vd_mapper *m, double x[3], const vd_sfm_observation *o, int n,
                            int rounds);
/* Whether two of the n see x under an angle whose cosine is below `cosine`. */
bool vd_mapper_wide(const vd_mapper *m, const double x[3], const vd_sfm_observation *o, int n,
                    double cosine);

/* mapper_points.c */
vd_status vd_mapper_triangulate(vd_mapper *m, int32_t image, vd_err *err);
/* Every track that changed, or every track at all: points grow, appear, merge. */
vd_status vd_mapper_retriangulate(vd_mapper *m, bool all, int64_t *changed, vd_err *err);
/* Takes away observations that err by more than the limit and points seen under too small an angle;
 * images that are left with almost nothing leave the model. */
vd_status vd_mapper_filter(vd_mapper *m, int64_t *changed, vd_err *err);
/* Of n points those that were not adjusted (point_of < 0) follow the poses that were. */
vd_status vd_mapper_follow(vd_mapper *m, const int32_t *point, int64_t n, const int32_t *point_of,
                           vd_err *err);
/* The same as filter for the points that one image sees. */
vd_status vd_mapper_filter_near(vd_mapper *m, int32_t image, int64_t *changed, vd_err *err);

/* mapper_adjust.c */
vd_status vd_mapper_adjust_local(vd_mapper *m, int32_t image, vd_err *err);
vd_status vd_mapper_adjust_global(vd_mapper *m, bool last, vd_err *err);
/* The last adjustment, with a loss that trusts the observations that agree best. */
vd_status vd_mapper_polish(vd_mapper *m, vd_err *err);
/* Adjusts, filters and triangulates in turn until that changes little; polishes at the last. */
vd_status vd_mapper_settle(vd_mapper *m, bool last, vd_err *err);

/* incremental.c: models one after the other until `start`, which puts the beginning of the next one
 * into the empty state, finds none. What the beginning lacks is added an image at a time. */
typedef vd_status (*vd_mapper_start_fn)(vd_mapper *m, void *user, bool *found, vd_err *err);
typedef struct vd_mapper_plan {
    const uint8_t *only; /* see vd_mapper_init */
    vd_mapper_start_fn start;
    void *user;
} vd_mapper_plan;
vd_status vd_mapper_run(vd_sfm_result *out, const vd_sfm_input *in, const vd_mapper_plan *plan,
                        const vd_sfm_opt *opt, vd_sfm_stats *stats, vd_pool *pool, vd_err *err);

/* mapper_start.c: the first two images. *found is false when no pair is left to try. */
vd_status vd_mapper_start(vd_mapper *m, bool *found, vd_err *err);

/* mapper_register.c: the next image; *found is false when none could be registered. */
vd_status vd_mapper_next(vd_mapper *m, int32_t *image, vd_err *err);

/* mapper_align.c: the model into the frame of its images' positions, where they fit; and two models
 * into one, which is then the state. *merged is false when they do not belong together. */
vd_status vd_mapper_to_positions(vd_mapper *m, vd_err *err);
vd_status vd_mapper_merge(vd_mapper *m, const vd_sfm_model *a, const vd_sfm_model *b, bool *merged,
                          vd_err *err);

/* model.c */
vd_status vd_model_export(vd_sfm_model *out, const vd_mapper *m, vd_err *err);
void vd_sfm_model_reset(vd_sfm_model *model);
#endif
