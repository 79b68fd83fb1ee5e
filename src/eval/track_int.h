/* What the files of tracking share. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_EVAL_TRACK_INT_H
#define VD_EVAL_TRACK_INT_H

#include "eval/assign.h"
#include "eval/track.h"

/* Comparisons with a threshold allow for one rounding, as TrackEval's do. */
#define VD_TRACK_EPS 0x1p-52
#define VD_TRACK_OVERLAP 0.5 /* least overlap of a match, but for HOTA */

/* Scratch for the matching of one frame: a matrix of costs and its assignment. */
typedef struct vd_track_work {
    vd_assign assign;
    double *cost;
    int32_t *column_of;
    int64_t cap_cost, cap_rows;
} vd_track_work;

void vd_track_work_reset(vd_track_work *w);
/* Room for rows x cols, the costs all 0. */
vd_status vd_track_work_size(vd_track_work *w, int64_t rows, int64_t cols, vd_err *err);

/* The distinct steps of vd_track_measure; each adds to `out` and `blocks` what is its own. Blocks
 * may be NULL; block_of is [n_frames] then. */
typedef struct vd_track_job {
    const vd_track_seq *s;
    vd_track_sums *out, *blocks;
    int32_t *block_of;
    vd_track_work work;
} vd_track_job;

/* The sums that frame i counts in: of its block, or NULL. */
static inline vd_track_sums *vd_track_block(const vd_track_job *j, int64_t i) {
    return j->blocks != NULL ? &j->blocks[j->block_of[i]] : NULL;
}

vd_status vd_track_hota(vd_track_job *j, vd_err *err);
vd_status vd_track_clear(vd_track_job *j, vd_err *err);
vd_status vd_track_identity(vd_track_job *j, vd_err *err);
#endif
