/* What an asset-scope stage gets: one asset, or one frame or page of it, decoded once for all
 * stages. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_STAGE_WORK_H
#define VD_STAGE_WORK_H

#include "flow/run.h"
#include "image/frame.h"
#include "image/media.h"
#include "measure/measure.h"

typedef struct vd_asset_work {
    vd_run *run;
    const vd_item *item;
    int64_t id; /* of the asset: the item's, or its frame's or page's */
    const vd_media *media;
    const vd_frame *frame;           /* NULL where there are no pixels */
    int64_t index;                   /* of the frame or page */
    double time_s;                   /* of a video frame, NaN otherwise */
    vd_arena *arena;                 /* for texts of the results */
    struct vd_feature_tmp *features; /* likewise */
    vd_measure *measure;             /* this worker's working memory: renditions and filters */
    vd_metrics metrics;              /* of `frame`; made by vd_work_metrics */
    vd_pdq pdq;                      /* likewise */
    bool have_metrics;
    double frame_change; /* mean absolute luma difference to the frame before, NaN without one */
} vd_asset_work;

/* Makes the renditions, metrics and hash of w->frame if they are not there yet. */
vd_status vd_work_metrics(vd_asset_work *w, vd_err *err);
#endif
