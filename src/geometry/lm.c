/* Levenberg and Marquardt's method [Marquardt 1963], damping in proportion to the diagonal.
 * SPDX-License-Identifier: Apache-2.0 */
#include "geometry/lm.h"

#include <string.h>

#include "math/mat.h"

static const double FIRST = 1e-3, LEAST = 1e-9, MOST = 1e6, TO_BETTER = 0.1, TO_WORSE = 8;

/* The damped step, and what it promises. */
static bool step_of(double *step, double *promise, const vd_normal *n, int k, double damping) {
    double a[VD_NORMAL_MAX * VD_NORMAL_MAX], rhs[VD_NORMAL_MAX];
    for (int i = 0, at = 0; i < k; i++) {
        for (int j = 0; j <= i; j++, at++) a[i * k + j] = n->jtj[at];
        a[i * k + i] *= 1 + damping;
        rhs[i] = -n->jtr[i];
    }
    if (!vd_spd_solve(step, a, rhs, k)) return false;
    *promise = 0;
    for (int i = 0; i < k; i++)
        *promise += step[i] * (rhs[i] + damping * n->jtj[i * (i + 1) / 2 + i] * step[i]);
    return true;
}

void vd_lm_run(const vd_lm *p, double *state, int rounds, double least) {
    vd_normal now, next;
    double damping = FIRST, step[VD_NORMAL_MAX], to[VD_LM_STATE], promise;
    p->normal(&now, p->data, state);
    for (int i = 1; i < rounds && damping < MOST; i++) {
        if (!step_of(step, &promise, &now, p->k, damping)) {
            damping *= TO_WORSE;
            continue;
        }
        p->move(to, state, step);
        if (!(promise > least * now.gain)) { /* as good as there: the last step is not measured */
            memcpy(state, to, (size_t)p->state * sizeof *state);
            break;
        }
        p->normal(&next, p->data, to);
        if (next.gain > now.gain) {
            memcpy(state, to, (size_t)p->state * sizeof *state);
            now = next;
            damping = VD_MAX(LEAST, damping * TO_BETTER);
        } else {
            damping *= TO_WORSE;
        }
    }
}
