/* The mapper, and the start, that fit a set of pictures. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_GLOBAL_AUTO_H
#define VD_GLOBAL_AUTO_H

#include "sfm/mapper.h"

/* How much of a set a result explains: the sum over its models of images times observations, so
 * that one scene is worth more than its halves, each weighed by the share of its verified pairs
 * that it does not contradict, so that a scene folded onto itself is worth less than its parts. */
double vd_sfm_worth(const vd_sfm_result *r);

enum vd_sfm_mapper { VD_MAPPER_AUTO, VD_MAPPER_INCREMENTAL, VD_MAPPER_GLOBAL };

/* As vd_sfm_incremental, which see, by the mapper wanted. AUTO: the incremental one for few images,
 * the global one for many; where it leaves images with overlaps unplaced or takes a scene apart,
 * the other is tried as well, and what is worth more is kept.
 *
 * guessed[n_cameras] (NULL: none) says of which focal lengths nothing is known. The incremental
 * mapper starts from the guess, and again from what the view graph says (calibrate.h), which may be
 * far better (photos of one place from everywhere) or far worse (cameras whose axes meet). */
vd_status vd_sfm_map(vd_sfm_result *out, const vd_sfm_input *in, const uint8_t *guessed,
                     enum vd_sfm_mapper mapper, const vd_sfm_opt *opt, vd_pool *pool, vd_err *err);
#endif
