/* What the steps of feature extraction share. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_FEATURE_WORK_H
#define VD_FEATURE_WORK_H

#include "feature/kern.h"
#include "feature/sift.h"

enum {
    VD_SIFT_MAX_LEVELS = 5,
    VD_SIFT_MAX_OCTAVES = 16,
    VD_SIFT_MOVES = 3, /* pixels that the quadratic fit may walk from where it began */
};

/* An extremum of the scale space. */
typedef struct vd_extremum {
    float x, y;            /* pixels of its octave, 0 = centre of the first */
    float sigma;           /* the same unit */
    float response;        /* |DoG| of the fit, grey levels 0 .. 255 */
    float strength;        /* by which the best are chosen: see select.c */
    bool held_back;        /* beyond its cell's share */
    int16_t octave, level; /* level 0 .. levels - 1: which plane it is described from */
} vd_extremum;

typedef struct vd_octave {
    int width, height;
    double pixel; /* side of its pixels in pixels of the picture */
    vd_plane16 plane[VD_SIFT_MAX_LEVELS];
} vd_octave;

/* One level while its octave is made: the last `rows` rows (a ring), or all of them. Columns
 * begin at that of the strip. */
typedef struct vd_ring {
    float *data;
    ptrdiff_t stride; /* floats */
    int rows;
    int lag;    /* rows it is behind the first level */
    int done;   /* rows made */
    int radius; /* of the blur that makes it from the level before */
    float w[VD_BLUR_MAX_RADIUS + 1];
} vd_ring;

static inline float *vd_ring_row(const vd_ring *r, int y) {
    return r->data + (y % r->rows) * r->stride;
}

struct vd_sift_work {
    const vd_feature_kern *kern;
    vd_octave octave[VD_SIFT_MAX_OCTAVES];
    int n_octaves;
    uint16_t *planes; /* of all octaves */
    int64_t cap_planes;
    float *base[2]; /* first levels of this octave and the next */
    int64_t cap_base[2];
    float *rows; /* rings and lines */
    int64_t cap_rows;
    vd_extremum *found;
    int64_t n_found, cap_found;
    int32_t *hits;
    int64_t cap_hits;
};

/* The picture, as extraction is given it. */
typedef struct vd_sift_input {
    const uint8_t *luma, *mask;
    ptrdiff_t stride, mask_stride;
    int width, height;
} vd_sift_input;

/* Makes every octave's planes and finds the extrema, in an order that depends on the picture
 * alone: w->octave, w->found. */
vd_status vd_scale_space(vd_sift_work *w, const vd_sift_input *in, const vd_sift_opt *opt,
                         vd_err *err);

/* The fit at column x of row y of difference `level` (1 ..): false where it is no keypoint.
 * g[k] are the octave's levels; columns there begin at `left`. */
typedef struct vd_refine_at {
    const vd_ring *g;
    int left, width, height; /* of the octave */
    int levels;
    float peak, edge; /* least |response|; largest trace^2 / det of the Hessian */
} vd_refine_at;
bool vd_refine(vd_extremum *out, const vd_refine_at *at, int level, int x, int y);

/* Puts the extrema into the order of preference (see select.c) and drops the last so that at most
 * `most` remain. */
vd_status vd_select(vd_sift_work *w, const vd_sift_input *in, int most, vd_err *err);
#endif
