/* Global positioning: places of all cameras and points at once, from the directions in which the
 * cameras, whose rotations are known, see the points. SPDX-License-Identifier: Apache-2.0
 *
 * Minimises the sum of loss(|ray - d (point - centre)|^2) over centres, points and one scale d >= 0
 * for each observation, by Levenberg-Marquardt from places drawn at random. [Pan, Barath, Pollefeys
 * and Schönberger 2024] Global structure-from-motion revisited. An error is at most that of a ray
 * seen from the side, so a wrong observation cannot pull without bounds, and no relative
 * translations are needed. Scales are eliminated in closed form, then points, then the system of
 * the centres is solved. The result has no scale and no place of its own. */
#ifndef VD_GLOBAL_POSITIONS_H
#define VD_GLOBAL_POSITIONS_H

#include "base/pool.h"

typedef struct vd_position_obs {
    int32_t camera, point;
    double ray[3]; /* of unit length, in the world's frame */
} vd_position_obs;

typedef struct vd_position_opt {
    uint64_t seed;
    int max_iterations;
    double loss;      /* where an observation begins to count less: Huber's, of about radians */
    double last_loss; /* the same at the end, [Cauchy]: lets go of what is wrong; 0: not done */
    double tolerance; /* relative change of the cost, over three steps, at which it ends */
} vd_position_opt;
#define VD_POSITION_OPT                                                                            \
    { .max_iterations = 100, .loss = 0.1, .last_loss = 0.01, .tolerance = 1e-3 }

typedef struct vd_position_report {
    double first_cost, last_cost; /* of Huber's loss, a mean over observations */
    int iterations;
    int64_t behind; /* observations whose point is not in front of the camera */
} vd_position_report;

/* Observations come sorted by point. opt and rep may be NULL.
 * shapes : centre[n_cameras][3], point[n_points][3]: results only
 * fails  : VD_E_ARG (an index out of range or not sorted, a ray that is not of unit length),
 *          VD_E_NOMEM, VD_E_LIMIT
 * threads: any; the same result whatever the pool */
vd_status vd_positions_find(double *centre, int32_t n_cameras, double *point, int32_t n_points,
                            const vd_position_obs *obs, int64_t n_obs, const vd_position_opt *opt,
                            vd_position_report *rep, vd_pool *pool, vd_err *err);
#endif
