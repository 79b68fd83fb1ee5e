/* Which pictures are compared with which, and what comparing them gave. SPDX-License-Identifier:
 * Apache-2.0 */
#ifndef VD_SCENE_PAIRS_H
#define VD_SCENE_PAIRS_H

#include "feature/match.h"
#include "geometry/two_view.h"
#include "scene/views.h"

typedef struct vd_pair {
    int32_t a, b; /* positions in the view set, a < b */
} vd_pair;

typedef struct vd_pair_list {
    vd_pair *pairs; /* by (a, b), each once */
    int64_t n, cap;
} vd_pair_list;
void vd_pair_list_reset(vd_pair_list *l);
vd_status vd_pair_list_add(vd_pair_list *l, int32_t a, int32_t b, vd_err *err);
void vd_pair_list_sort(vd_pair_list *l); /* and drops doubles */

/* Up to so many pictures every pair is compared: the number grows with the square. */
enum { VD_EXHAUSTIVE = 150 };

/* The pairs worth comparing: all of a small set; of a large one those that look alike, follow each
 * other in time or a video, or stand close to each other. */
vd_status vd_pairs_choose(vd_pair_list *out, vd_run *run, const vd_view_set *views, vd_err *err);

/* The pictures that look most like each one, by a vector made from its features. */
vd_status vd_pairs_alike(vd_pair_list *l, vd_run *run, const vd_view_set *views, vd_err *err);

/* The `most` largest, in order; of equal ones the first view. */
typedef struct vd_best {
    float value;
    int32_t view;
} vd_best;
static inline void vd_best_add(vd_best *best, int *n, int most, float value, int32_t view) {
    int at = *n;
    while (at > 0 && (value > best[at - 1].value ||
                      (value == best[at - 1].value && view < best[at - 1].view)))
        at--;
    if (at >= most) return;
    for (int k = *n < most ? (*n)++ : most - 1; k > at; k--) best[k] = best[k - 1];
    best[at] = (vd_best){ value, view };
}

/* Pairs of pictures that both overlap a third one and were not compared themselves. */
vd_status vd_pairs_expand(vd_pair_list *out, vd_db *db, const vd_view_set *views, vd_err *err);

/* A row of table `pair`: a verified pair's geometry and its inlier matches. */
typedef struct vd_pair_row {
    int64_t a, b; /* asset ids, in the order of their views */
    int64_t key;
    int matches; /* tentative */
    vd_two_view geometry;
    const vd_match *inliers; /* borrowed until the next row */
    int n_inliers;
} vd_pair_row;
vd_status vd_pair_write(vd_stmt *insert, const vd_pair_row *row, vd_err *err);
vd_status vd_pair_insert(vd_stmt **out, vd_db *db, vd_err *err);

/* Reads the verified pairs in order of (a, b): prepare by vd_pair_select, then step. */
vd_status vd_pair_select(vd_stmt **out, vd_db *db, vd_err *err);
vd_status vd_pair_next(vd_stmt *s, vd_pair_row *out, bool *more, vd_err *err);
#endif
