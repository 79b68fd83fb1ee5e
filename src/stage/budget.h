/* How much memory the decoders of all workers may take together, beyond a small share that each has
 * for itself. Items that fit into their worker's share never come here.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Why nothing can block for ever: whoever waits holds nothing, whoever holds something never waits
 * (an item gives its grant back before it asks for a larger one), and whoever is alone is let in
 * whatever the size. Those who wait are served in the order in which they came, so that a large
 * picture is not passed over by small ones for ever. */
#ifndef VD_STAGE_BUDGET_H
#define VD_STAGE_BUDGET_H

#include "base/err.h"

typedef struct vd_budget vd_budget;

/* `total`: bytes to be shared, >= 0. Threads: all functions may be called from any. */
vd_status vd_budget_new(vd_budget **out, int64_t total, vd_err *err);
void vd_budget_free(vd_budget *b); /* nobody may hold or wait for anything */

/* Waits until `bytes` (>= 0) fit beside what is in use, or nothing is in use. */
void vd_budget_acquire(vd_budget *b, int64_t bytes);
void vd_budget_release(vd_budget *b, int64_t bytes);

/* In use now, and the most there ever was. */
int64_t vd_budget_in_use(vd_budget *b);
int64_t vd_budget_peak(vd_budget *b);
#endif
