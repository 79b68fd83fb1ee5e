/* Levenberg and Marquardt's method on the gain of kern.h. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_GEOMETRY_LM_H
#define VD_GEOMETRY_LM_H

#include "geometry/kern.h"

enum { VD_LM_STATE = 24 };

typedef struct vd_lm {
    int k;     /* parameters, at most VD_NORMAL_MAX */
    int state; /* numbers of a state, at most VD_LM_STATE */
    const void *data;
    void (*normal)(vd_normal *out, const void *data, const double *state);
    void (*move)(double *to, const double *from, const double *step);
} vd_lm;

/* Improves the state until a step promises less than `least` of the gain, for at most `rounds`
 * evaluations. */
void vd_lm_run(const vd_lm *p, double *state, int rounds, double least);
#endif
