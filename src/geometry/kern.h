/* Inner loops of robust estimation: a table of slots for each CPU level. Sums run in 8 (double) or
 * 16 (float) partial sums, whatever the registers, which are added in index order at the end, and
 * no multiply-add is fused: every level gives the same bits. SPDX-License-Identifier: Apache-2.0
 *
 * Scores are gains in the sense of MSAC [Torr and Zisserman 2000]: a match whose squared error is q
 * thresholds^2 adds rho(1) - rho(q) where q < 1, with rho(q) = q / (1 + soft q); soft = 0 is the
 * truncated square, soft > 0 lets far inliers pull less [Geman and McClure 1985]. */
#ifndef VD_GEOMETRY_KERN_H
#define VD_GEOMETRY_KERN_H

#include "base/err.h"

/* Arrays of matches are padded with NaN, which is nobody's inlier, to a multiple of this. */
enum { VD_KERN_STEP = 16, VD_KERN_BATCH = 8 };

/* Matches between two views, or of points with their picture, as arrays. a are the three
 * coordinates of the first (a direction in view 1, or a point in the world), b the direction in
 * view 2. Directions are (x / z, y / z, 1), or unit vectors when `sphere`. */
typedef struct vd_soa32 {
    const float *a[3], *b[3];
} vd_soa32;
typedef struct vd_soa64 {
    const double *a[3], *b[3];
} vd_soa64;

/* How errors are measured: epipolar errors weigh the gradient in view 1 by s1, in view 2 by s2;
 * with s the squared focal length's inverse, squared errors are in pixels^2. A transfer error is
 * |error|^2 / s2. `limit` is the squared threshold, in the same unit. */
typedef struct vd_metric {
    double s1, s2, limit, soft;
    bool sphere;
} vd_metric;

/* The normal equations J^T J and J^T r of residuals in thresholds, weighted; for up to 9 parameters
 * the lower triangle row by row. */
enum { VD_NORMAL_MAX = 9 };
typedef struct vd_normal {
    double jtj[VD_NORMAL_MAX * (VD_NORMAL_MAX + 1) / 2], jtr[VD_NORMAL_MAX];
    double gain;
    int inliers;
} vd_normal;

typedef struct vd_geometry_kern {
    const char *name;
    /* Sampson's error of b^T M a = 0, for matches from .. to (multiples of VD_KERN_STEP). Adds to
     * *inliers, gives the gain. */
    double (*epipolar_score)(int *inliers, const vd_soa32 *d, int from, int to, const double m[9],
                             const vd_metric *q);
    /* Error of M a + t, brought to a direction, against b. */
    double (*transfer_score)(int *inliers, const vd_soa32 *d, int from, int to, const double m[12],
                             const vd_metric *q);
    /* The squared errors, in thresholds, of matches 0 .. n (a multiple of VD_KERN_STEP): a match is
     * an inlier when its error is below 1, and never when it is NaN. */
    void (*epipolar_errors)(float *out, const vd_soa32 *d, int n, const double m[9],
                            const vd_metric *q);
    void (*transfer_errors)(float *out, const vd_soa32 *d, int n, const double m[12],
                            const vd_metric *q);
    /* The same errors over matches 0 .. n (a multiple of 8) with normal equations for k parameters:
     * dm[9 k] are the derivatives of M, column-major (nine of a parameter together). */
    void (*epipolar_normal)(vd_normal *out, const vd_soa64 *d, int n, const double m[9],
                            const double *dm, int k, const vd_metric *q);
    /* For M itself: 9 parameters; t is 0. */
    void (*homography_normal)(vd_normal *out, const vd_soa64 *d, int n, const double m[9],
                              const vd_metric *q);
    /* For a camera's pose, m = [R | t] with rows of four scaled by (fx, fy, 1): rotation from the
     * left, translation, and with k = 7 the logarithm of the focal length. */
    void (*pose_normal)(vd_normal *out, const vd_soa64 *d, int n, const double m[12], double focal,
                        int k, const vd_metric *q);
    /* n <= VD_KERN_BATCH minimal problems at once; a and b are n x 5 (or 7) directions. Essential
     * matrices, unit Frobenius norm up to sqrt(2) (see five_point.h); fundamental ones. */
    void (*five_point)(double (*e)[10][9], int *found, const double *a, const double *b, int n);
    void (*seven_point)(double (*f)[3][9], int *found, const double *a, const double *b, int n);
} vd_geometry_kern;

extern const vd_geometry_kern vd_geometry_kern_c;
#if defined(__x86_64__)
extern const vd_geometry_kern vd_geometry_kern_avx2;
extern const vd_geometry_kern vd_geometry_kern_avx512;
#endif

/* The best table for a set of vd_cpu_features() bits. */
const vd_geometry_kern *vd_geometry_kern_for(unsigned features);
#endif
