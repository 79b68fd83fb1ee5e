/* What brute force and guided matching share. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_FEATURE_MATCH_WORK_H
#define VD_FEATURE_MATCH_WORK_H

#include "feature/match.h"
#include "feature/match_kern.h"

struct vd_match_work {
    const vd_match_kern *kern;
    uint8_t *packed; /* both lists as the kernel wants them */
    int64_t cap_packed;
    int32_t *top; /* row and col lie in it */
    int64_t cap_top;
    vd_top2 row, col;
    int32_t *grid;  /* guided: which points lie in which cell, */
    double *places; /* where they are */
    int32_t *near;  /* and candidates with their products */
    int64_t cap_grid, cap_places, cap_near;
};

/* The options as integers. */
typedef struct vd_match_limit {
    int32_t least; /* product of a match */
    int32_t floor; /* products up to it change no verdict */
    double ratio2;
} vd_match_limit;

vd_status vd_match_check(const vd_match_opt *opt, int na, int nb, vd_err *err);
vd_match_limit vd_match_limit_of(const vd_match_opt *opt);

/* Clears the top two of so many rows and columns. */
vd_status vd_match_start(vd_match_work *w, int rows, int cols, int32_t floor_, vd_err *err);

/* The matches that the top two amount to. */
vd_status vd_match_collect(vd_match **out, int *n, const vd_match_work *w, int na,
                           const vd_match_limit *l, bool cross_check, vd_err *err);
#endif
