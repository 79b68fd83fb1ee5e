/* What the steps of feature extraction share. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_FEATURE_WORK_H
#define VD_FEATURE_WORK_H

#include "feature/kern.h"
#include "feature/sift.h"

enum {
    VD_SIFT_MAX_LEVELS = 5,
    VD_SIFT_MAX_OCTAVES = 16,
    VD_SIFT_MOST_DIRECTIONS = 4,
    VD_SIFT_MOVES = 3, /* pixels that the quadratic fit may walk from where it began */
    VD_SIFT_BLOCK = 8, /* rows made at a time */
};
#define VD_SIFT_SIGMA 1.6 /* of an octave's first level, in its pixels: Lowe, section 3.3 */

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
    float *first; /* its first level, rows of `width`; NULL: it is made from the picture */
} vd_octave;

struct vd_sift_work {
    const vd_feature_kern *kern;
    vd_octave octave[VD_SIFT_MAX_OCTAVES];
    int n_octaves;
    float *firsts; /* first levels of all octaves but the first */
    int64_t cap_firsts;
    float *rows; /* rings and lines of the octave at hand */
    int64_t cap_rows;
    uint16_t *planes; /* where descriptors are made: rows of its levels */
    int64_t cap_planes;
    vd_extremum *found;
    int64_t n_found, cap_found;
    int32_t *hits;
    int64_t cap_hits;
    uint8_t *desc; /* descriptors in the order in which they are made */
    int64_t cap_desc;
};

/* The picture, as extraction is given it. */
typedef struct vd_sift_input {
    const uint8_t *luma, *mask;
    ptrdiff_t stride, mask_stride;
    int width, height;
} vd_sift_input;

/* ---- scale.c: the levels of an octave ---- */

/* The last `rows` rows of a level, or all of them. Columns begin at that of the strip. */
typedef struct vd_ring {
    float *data;
    ptrdiff_t stride; /* floats */
    int rows;
    int lag;    /* rows it is behind the first ring */
    int done;   /* rows made */
    int radius; /* of the blur that makes it from the ring before */
    float w[VD_BLUR_MAX_RADIUS + 1];
} vd_ring;

static inline float *vd_ring_row(const vd_ring *r, int y) {
    return r->data + (y % r->rows) * r->stride;
}

enum { VD_SIFT_MOST_RINGS = VD_SIFT_MAX_LEVELS + 4 };

/* An octave while it is made. */
typedef struct vd_making {
    /* what the caller wants */
    vd_sift_work *w;
    const vd_sift_input *in;
    const vd_sift_opt *opt;
    int octave;
    int last;   /* levels 0 .. last are made */
    int strip;  /* columns of a strip, at most; then, those that each has */
    int margin; /* columns beside a strip on which the levels must be right as well */
    int behind; /* rows that all levels must have at hand above and below one; 0: none */
    int spare;  /* rows of the strip's length that the caller works in */
    /* Is told of rows [from, to) of a level as soon as they are there. */
    void (*made)(struct vd_making *m, int level, int from, int to);
    void *user;
    /* what it gets */
    const vd_octave *o;
    int left, right;    /* columns that are made now: the strip with what lies beside it */
    int inner0, inner1; /* the strip; inner0 is even */
    vd_ring *g;         /* levels 0 .. last */
    float *spare_rows;
    ptrdiff_t pitch; /* floats in a row of a ring */
    /* private */
    vd_ring ring[VD_SIFT_MOST_RINGS];
    int n_rings, over, front;
    float *line; /* a block of rows between the vertical and the horizontal blur */
} vd_making;

/* Sizes of the octaves, and memory for their first levels. */
vd_status vd_octaves_shape(vd_sift_work *w, const vd_sift_input *in, const vd_sift_opt *opt,
                           vd_err *err);

/* Makes ready for an octave; the memory is that of the one before. */
vd_status vd_making_shape(vd_making *m, vd_err *err);
/* Goes to the strip that begins at column x; the last level will have rows from `from` on. */
void vd_making_strip(vd_making *m, int x, int from);
/* The next block of rows of all levels, as far as they can be made. */
void vd_making_step(vd_making *m);
/* Rows that the last level lags behind the first ring. */
int vd_making_lag(const vd_making *m);

/* ---- the other steps ---- */

/* Finds the extrema of all octaves, in an order that depends on the picture alone: w->found,
 * w->octave. */
vd_status vd_detect(vd_sift_work *w, const vd_sift_input *in, const vd_sift_opt *opt, vd_err *err);

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

/* Gives the extrema directions and descriptors: *f, which is empty. */
vd_status vd_describe(vd_features *f, vd_sift_work *w, const vd_sift_input *in,
                      const vd_sift_opt *opt, vd_err *err);
#endif
