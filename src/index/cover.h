/* The fewest views that still show a scene. SPDX-License-Identifier: Apache-2.0
 *
 * The rays from a point to the views that show it are put into directions: a ray that lies within
 * `angle` of an earlier direction belongs to it, else it founds one, in the order of the views. A
 * point with two directions or more is well observed, and shall keep as many of them as it has, but
 * no more than `directions`. Views are taken greedily by how many missing directions they bring:
 * the greedy algorithm for covering problems (Wolsey 1982) needs at most 1 + ln(the largest number
 * a view brings) times the fewest. */
#ifndef VD_INDEX_COVER_H
#define VD_INDEX_COVER_H

#include "base/err.h"

/* shapes : centre[n_views][3], point[n_points][3], in the same world; view[track[p] ..
 * track[p + 1]) are the views that show point p, ascending; track[n_points + 1] */
typedef struct vd_cover_scene {
    int32_t n_views, n_points;
    const double (*centre)[3], (*point)[3];
    const int64_t *track;
    const int32_t *view;
} vd_cover_scene;

typedef struct vd_cover_opt {
    double angle_deg; /* 0 < angle < 90 */
    int directions;   /* 1 .. 64 */
} vd_cover_opt;
#define VD_COVER_OPT                                                                               \
    { .angle_deg = 5, .directions = 3 }

typedef struct vd_cover_result {
    int32_t n;        /* views chosen */
    int64_t points;   /* well observed ones */
    int64_t wanted;   /* directions they shall keep, of all */
    int64_t kept;     /* of these, by the chosen views */
    int64_t complete; /* points that keep all of theirs */
} vd_cover_result;

/* Chooses at most `count` views; fewer where nothing is missing any more. The same for any machine;
 * ties go to the lower view.
 *     shapes : chosen[min(count, n_views)]; gain likewise or NULL: directions each brought
 *     fails  : VD_E_ARG (tracks that are no tracks), VD_E_NOMEM */
vd_status vd_cover(int32_t *chosen, int64_t *gain, vd_cover_result *result,
                   const vd_cover_scene *scene, int32_t count, const vd_cover_opt *opt,
                   vd_err *err);
#endif
