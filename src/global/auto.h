/* The mapper that fits a set of pictures. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_GLOBAL_AUTO_H
#define VD_GLOBAL_AUTO_H

#include "sfm/mapper.h"

/* How much of a set a result explains: the sum over its models of (images)^2, so that one scene is
 * worth more than its halves, each weighed by the share of its verified pairs that it does not
 * contradict, so that a scene folded onto itself is worth less than its parts. */
double vd_sfm_worth(const vd_sfm_result *r);

/* As vd_sfm_incremental, which see: the incremental mapper for few images, the global one for many.
 * Where the first leaves images with overlaps unplaced, takes a scene apart or contradicts its
 * pairs, the other is tried as well, and what is worth more is kept; `stats` are those of the kept.
 */
vd_status vd_sfm_auto(vd_sfm_result *out, const vd_sfm_input *in, const vd_sfm_opt *opt,
                      vd_sfm_stats *stats, vd_pool *pool, vd_err *err);
#endif
