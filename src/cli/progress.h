/* Progress on standard error: one live line on a terminal, a plain line now and then elsewhere.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_CLI_PROGRESS_H
#define VD_CLI_PROGRESS_H

#include "vidimus/vidimus.h"

typedef struct vd_live {
    bool terminal, quiet, open; /* `open`: a live line stands there */
    double told;
} vd_live;

void vd_live_init(vd_live *l, bool quiet);
void vd_live_progress(void *user, const vd_progress *p); /* a vd_progress_fn; user is the vd_live */
void vd_live_close(vd_live *l);                          /* clears the live line */
#endif
