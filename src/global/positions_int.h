/* What the files of global positioning share. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_GLOBAL_POSITIONS_INT_H
#define VD_GLOBAL_POSITIONS_INT_H

#include "global/positions.h"
#include "global/system.h"

/* An observation's part of the normal equations, its scale eliminated: M and g act alike on point
 * and centre but for the sign. */
typedef struct vd_sight {
    double m[6]; /* 00 01 02 11 12 22 */
    double g[3];
} vd_sight;

typedef struct vd_positioning {
    double *centre, *point, *scale; /* where it stands: [n][3], [n][3], [n_obs] */
    int32_t n_cameras, n_points;
    const vd_position_obs *obs;
    int64_t n_obs;
    int64_t *of_point;         /* [n_points + 1] */
    int64_t *of_camera, *seen; /* [n_cameras + 1], and the observations of each camera */
    double *next_centre, *next_point, *next_scale;
    vd_sight *sight;        /* [n_obs] */
    double *inverse, *pull; /* [n_points] 6: of the damped 3 x 3 blocks; 3: gradients */
    double *rhs;            /* [n_cameras][3] */
    double *part;           /* partial sums */
    vd_system system;
    double loss, lambda;
    bool cauchy;
} vd_positioning;

enum { VD_POSITION_PIECE = 512 }; /* points of a task */

static inline int64_t vd_position_pieces(const vd_positioning *p) {
    return ((int64_t)p->n_points + VD_POSITION_PIECE - 1) / VD_POSITION_PIECE;
}

/* positions_step.c: the loss at a state, a sum; linearise and solve for the next state. *solved is
 * false where the system is not regular. */
vd_status vd_position_cost(vd_positioning *p, const double *centre, const double *point,
                           const double *scale, double *cost, vd_pool *pool, vd_err *err);
vd_status vd_position_step(vd_positioning *p, bool *solved, vd_pool *pool, vd_err *err);
#endif
