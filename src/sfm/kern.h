/* Inner loops of bundle adjustment: a table of slots for each CPU level. All levels give the same
 * bits: sums run in index order and where a product is added it is by one fused multiply-add.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Observations are worked on in batches, component by component (structure of arrays), up to the
 * residuals and Jacobians; a record then gathers what belongs to one observation, and points are
 * eliminated record by record on rows of eight numbers: six for a pose, up to eight for a part of a
 * camera's parameters. */
#ifndef VD_SFM_KERN_H
#define VD_SFM_KERN_H

#include "base/err.h"

enum {
    VD_BA_LANES = 32, /* observations of a batch; kernels work on multiples of 8 of them */
    VD_BA_ROW = 8,    /* parameters of a block, padded with zeros */
    VD_BA_BLOCK = VD_BA_ROW * VD_BA_ROW,
    VD_BA_PARAMS = 12, /* the most a camera model has */
};
#define VD_BA_PAD(n) (((n) + 7) & ~7)

typedef double vd_lanes[VD_BA_LANES];

/* 64-byte aligned. */
typedef struct vd_ba_batch {
    /* in */
    vd_lanes x[3];     /* the point in the world */
    vd_lanes pose[16]; /* R row-major, t, four unused */
    vd_lanes cam[8];   /* fx fy cx cy k1 k2 p1 p2 */
    vd_lanes uv[2];
    vd_lanes step[6];                /* of the pose: w, d */
    vd_lanes cam_step[VD_BA_PARAMS]; /* of what `k` stands for */
    vd_lanes dx[3];                  /* of the point */
    /* out */
    vd_lanes y[3];                /* R x */
    vd_lanes r[2];                /* residual */
    vd_lanes a[6];                /* d residual / d x_in_cam, 2 x 3 */
    vd_lanes k[2 * VD_BA_PARAMS]; /* d residual / d camera: row u, then row v */
    vd_lanes jp[6], jw[6];        /* d residual / d point, / d w */
    vd_lanes square, ahead;       /* |r|^2, 1 or 0 where z <= 0 */
    vd_lanes weight, bend;        /* of the loss, see weigh */
    vd_lanes u[2], q[3], model;
} vd_ba_batch;

/* One observation for the elimination: rows u and v. */
typedef struct vd_ba_record {
    double pose[2][VD_BA_ROW];    /* w, d, 0, 0 */
    double point[2][4];           /* d residual / d point, then the residual */
    double cam[2][2 * VD_BA_ROW]; /* refined parameters only */
} vd_ba_record;

/* Where sums go: blocks of 8 x 8, gradients g and right-hand sides b in rows of 8, and the diagonal
 * of the Hessian before elimination. */
typedef struct vd_ba_system {
    double *block, *g, *b, *diagonal;
} vd_ba_system;

enum { VD_BA_JACOBIAN = 1, VD_BA_CAMERA = 2 };

typedef struct vd_sfm_kern {
    const char *name;
    /* Lanes 0 .. n-1, n a multiple of 8. y, r, square, ahead; with VD_BA_JACOBIAN a, with
     * VD_BA_CAMERA k[0 .. 7] and k[12 .. 19] by fx fy cx cy k1 k2 p1 p2. Behind the camera r is
     * (fx, 0) and the Jacobians are 0. */
    void (*project)(vd_ba_batch *b, int n, int want);
    /* r, a and k such that their products are gradient and Hessian of the loss. */
    void (*weigh)(vd_ba_batch *b, int n, int loss, double scale, int want);
    /* jp = a R and jw = y x a, the weighed a. */
    void (*jacobians)(vd_ba_batch *b, int n);
    /* u = a (w x y + d) + k cam_step, q = jp^T u. */
    void (*along)(vd_ba_batch *b, int n, int want);
    /* model = |r + u + jp dx|^2 - |r|^2. */
    void (*model)(vd_ba_batch *b, int n);
    /* to[i][l] = from[l][i] for 8 * groups values of n lanes, n a multiple of 8. */
    void (*load)(vd_lanes *to, const double *const *from, int groups, int n);
    /* Lanes 0 .. n-1 to records, but for their `cam`. */
    void (*records)(vd_ba_record *r, const vd_ba_batch *b, int n);
    /* sums[3][4] += the outer product of a record's point rows: V and, in column 3, its gradient.
     */
    void (*point_sums)(double sums[12], const vd_ba_record *r, int n);
    /* block[i][j] += j0[i] k0[j] + j1[i] k1[j] for rows i < n. */
    void (*normal)(double *block, const double *j0, const double *j1, const double *k0,
                   const double *k1, int n);
    /* g[i] += j0[i] r0 + j1[i] r1, d[i] += j0[i]^2 + j1[i]^2. */
    void (*gradient)(double *g, double *d, const double *j0, const double *j1, double r0,
                     double r1);
    /* w[c][i] += j0[i] p0[c] + j1[i] p1[c], w in three rows of eight. */
    void (*cross)(double *w, const double *j0, const double *j1, const double *p0,
                  const double *p1);
    /* t = w C^-T in place, C lower triangular, c = 1/c00 c10 1/c11 c20 c21 1/c22;
     * then b -= t^T-weighted y: b[i] -= t0[i] y0 + t1[i] y1 + t2[i] y2. */
    void (*whiten)(double *w, double *b, const double *c, const double *y);
    /* Pairs of the first of m entries with itself and all others: block at[id[e]] of `blocks` has
     * [i][j] -= sum over c of t[0][c][i] t[e][c][j] for rows i < n; t[e] is three rows of eight. */
    void (*eliminate)(double *blocks, const int32_t *at, const int32_t *id, const double *t, int m,
                      int n);
    /* y[c] += sum over i of t[c][i] x[i]; and x[i] -= sum over c of t[c][i] y[c]. */
    void (*gather)(double y[3], const float *t, const double *x);
    void (*scatter)(double *x, const float *t, const double y[3]);
} vd_sfm_kern;

extern const vd_sfm_kern vd_sfm_kern_c;
#if defined(__x86_64__)
extern const vd_sfm_kern vd_sfm_kern_avx2;
extern const vd_sfm_kern vd_sfm_kern_avx512;
#endif

/* The best table for a set of vd_cpu_features() bits. */
const vd_sfm_kern *vd_sfm_kern_for(unsigned features);
#endif
