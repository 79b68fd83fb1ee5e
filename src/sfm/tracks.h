/* Tracks: keypoints of different images that show one point of the world. SPDX-License-Identifier:
 * Apache-2.0
 *
 * Matches are joined transitively, the strongest pairs first. A match that would bring two
 * keypoints of one image together contradicts what stronger pairs say and is left out: so a wrong
 * match between two good tracks does not spoil both. cost: O(matches log) and the square of the
 * longest track. */
#ifndef VD_SFM_TRACKS_H
#define VD_SFM_TRACKS_H

#include "sfm/mapper.h"

typedef struct vd_tracks {
    int32_t n, n_keys;       /* tracks of two and more keypoints; keypoints of all images */
    int32_t *start;          /* [n + 1] */
    vd_sfm_observation *key; /* by track, then by image */
    int32_t *first;          /* [n_images + 1] number of an image's first keypoint */
    int32_t *of;             /* [n_keys] track or -1 */
    int64_t refused;         /* matches left out */
} vd_tracks;

/* The pairs for which trusted[n_pairs] is set, or all of them when it is NULL. Fails: VD_E_LIMIT,
 * VD_E_NOMEM. */
vd_status vd_tracks_build(vd_tracks *out, const vd_sfm_input *in, const uint8_t *trusted,
                          vd_err *err);
/* Fails with VD_E_ARG for a pair or match out of range, which no other function here expects. */
vd_status vd_tracks_check(const vd_sfm_input *in, vd_err *err);
void vd_tracks_reset(vd_tracks *t);
#endif
