/* Rotation averaging: absolute rotations from relative ones, of which some are wrong.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Starts from a spanning tree of the edges with most weight. Then minimises the sum of the errors
 * themselves rather than of their squares, so that many wrong edges pull less than they are wrong,
 * and last with a loss that lets go of them. [Chatterjee and Govindu 2013] Efficient and robust
 * large-scale rotation averaging. Both by reweighted least squares: errors are rotation vectors in
 * the world's frame, where each axis has the same matrix, the Laplacian of the weighted graph.
 * cost: a sparse factorisation of n unknowns per iteration. */
#ifndef VD_GLOBAL_ROTATIONS_H
#define VD_GLOBAL_ROTATIONS_H

#include "base/pool.h"
#include "math/vec.h"

typedef struct vd_rotation_edge {
    int32_t a, b;
    vd_quat b_from_a;
    double weight; /* by which edges are preferred for the start, > 0; otherwise all count alike */
} vd_rotation_edge;

typedef struct vd_rotation_opt {
    int l1_iterations, robust_iterations;
    double robust_rad;    /* error of an edge at which it begins to count less */
    double converged_rad; /* mean change of a rotation */
} vd_rotation_opt;
#define VD_ROTATION_OPT                                                                            \
    { .l1_iterations = 30, .robust_iterations = 100, .robust_rad = 0.087, .converged_rad = 1e-6 }

/* One rotation, cam_from_world, for each of n nodes; every connected part of the graph has a frame
 * of its own, in which its first node has the rotation 1. opt may be NULL.
 * fails  : VD_E_ARG (a node out of range, a rotation that is not finite), VD_E_NOMEM; the output is
 *          undefined then
 * threads: any; the same result whatever the pool */
vd_status vd_rotations_average(vd_quat *cam_from_world, int32_t n, const vd_rotation_edge *edge,
                               int64_t n_edges, const vd_rotation_opt *opt, vd_pool *pool,
                               vd_err *err);

/* The angle by which an edge disagrees with the rotations. */
double vd_rotation_error_rad(const vd_quat *cam_from_world, const vd_rotation_edge *edge);
#endif
