/* The graph of images and verified pairs: which pairs contradict the others.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Around a triangle of images the relative rotations must cancel. Repeated structure and bad luck
 * make pairs that are verified and wrong; such a pair closes no triangle. A pair that is in many
 * triangles and closes none is not trusted; then the same with the pairs that are left, where fewer
 * triangles suffice. [Zach, Klopschitz and Pollefeys 2010] Disambiguating visual relations using
 * loop constraints. cost: O(pairs * neighbours). */
#ifndef VD_SFM_VIEW_GRAPH_H
#define VD_SFM_VIEW_GRAPH_H

#include "sfm/mapper.h"

/* Whether pair k counts: trusted[n_pairs]. Pairs without a motion (degenerate, watermarks) do not;
 * indices must be checked already. fails: VD_E_NOMEM */
vd_status vd_view_graph_trust(uint8_t *trusted, const vd_sfm_input *in, vd_err *err);

/* Of a pair: triangles of pairs that count, and those of them whose rotations cancel. */
typedef struct vd_triangles {
    int32_t seen, closed;
} vd_triangles;

/* Of each pair that counts, out[n_pairs]; zeros of the others. Cancelling is to within
 * `closed_rad`; a pair is done with at `enough` closed triangles, or at 64 seen. fails: VD_E_NOMEM
 */
vd_status vd_view_graph_triangles(vd_triangles *out, const vd_sfm_input *in, const uint8_t *counts,
                                  double closed_rad, int enough, vd_err *err);

/* size[i] = images, itself included, that trusted pairs tie image i to. fails: VD_E_NOMEM */
vd_status vd_view_graph_sizes(int32_t *size, const vd_sfm_input *in, const uint8_t *trusted,
                              vd_err *err);
#endif
