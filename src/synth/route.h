/* A walk through a town. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_SYNTH_ROUTE_H
#define VD_SYNTH_ROUTE_H

#include "base/err.h"

/* A straight or a bend of the way: it begins at (x, y) in the direction (dx, dy). */
typedef struct vd_leg {
    double x, y, dx, dy;
    double bend;         /* curvature: 1 / radius, positive to the left, 0 straight */
    double from, length; /* along the way */
} vd_leg;

/* Laps round blocks of a town of `side` x `side` plots of `pitch_m`, whose middle is the origin. */
typedef struct vd_route {
    vd_leg *leg;
    int64_t n, cap;
    int32_t side;
    double pitch_m, bend_m, length, step_m; /* bend: radius; step: from view to view */
} vd_route;

/* Plans the walk of `views` views, and with it the size of the town. Zeroed is empty; free with
 * vd_route_reset. Fails with VD_E_NOMEM. */
vd_status vd_route_init(vd_route *r, int64_t views, vd_err *err);
void vd_route_reset(vd_route *r);

/* The place and direction after `t` metres. */
void vd_route_at(const vd_route *r, double t, double at[2], double direction[2]);
#endif
