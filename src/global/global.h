/* The global mapper: all images of a scene at once. SPDX-License-Identifier: Apache-2.0
 *
 * For large scenes, where an image at a time takes long and drifts: focal lengths by the view graph
 * where they are guesses (focal.h), relative motions for them, rotation averaging (rotations.h),
 * pairs that disagree are dropped, places of cameras and points (positions.h), then adjustment and
 * triangulation in turn. What that leaves over is added an image at a time, and what no scene took
 * may begin models of its own, as in the incremental mapper. */
#ifndef VD_GLOBAL_GLOBAL_H
#define VD_GLOBAL_GLOBAL_H

#include "sfm/mapper.h"

/* As vd_sfm_incremental, which see; in `stats` start_s is the time until models have all images
 * that could be placed at once. */
vd_status vd_sfm_global(vd_sfm_result *out, const vd_sfm_input *in, const vd_sfm_opt *opt,
                        vd_sfm_stats *stats, vd_pool *pool, vd_err *err);
#endif
