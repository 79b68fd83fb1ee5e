/* Bundle adjustment: cameras, poses and points that fit their observations best.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Minimises 1/2 sum of loss(|project(camera, pose, point) - uv|^2) and of the position priors by
 * Levenberg-Marquardt. Points are eliminated (Schur complement), what is left is solved by a dense
 * or sparse Cholesky factorisation, or for very many poses by conjugate gradients that never form
 * the matrix. The rotation's tangent acts from the left: R' = exp(w) R, t' = t + d.
 *
 * [Triggs et al. 2000] Bundle adjustment - a modern synthesis; [Agarwal et al. 2010] Bundle
 * adjustment in the large. The result does not depend on the number of threads. */
#ifndef VD_SFM_BUNDLE_H
#define VD_SFM_BUNDLE_H

#include "base/pool.h"
#include "geometry/camera.h"
#include "math/vec.h"

/* Which parameters of a camera move. */
enum { VD_REFINE_FOCAL = 1, VD_REFINE_PRINCIPAL = 2, VD_REFINE_EXTRA = 4 };

typedef struct vd_bundle_obs {
    int32_t pose, point;
    double uv[2]; /* pixels */
} vd_bundle_obs;

/* Where the camera of a pose stands, by GPS say: adds |A (centre - position)|^2 / 2. */
typedef struct vd_bundle_prior {
    int32_t pose;
    double position[3];
    double root_information[9]; /* A: 1 / sigma on the diagonal when the errors are independent */
} vd_bundle_prior;

/* Arrays belong to the caller. camera, pose and point are the start and become the result. */
typedef struct vd_bundle {
    int32_t n_cameras, n_poses, n_points, n_priors;
    int64_t n_obs;
    vd_camera *camera;
    const uint8_t *camera_refine;  /* [n_cameras], bits VD_REFINE_*; NULL: no camera moves */
    vd_rigid *pose;                /* cam_from_world */
    const int32_t *pose_camera;    /* [n_poses] */
    const uint8_t *pose_constant;  /* [n_poses] or NULL */
    double *point;                 /* [n_points][3] */
    const uint8_t *point_constant; /* [n_points] or NULL */
    const vd_bundle_obs *obs;      /* any order */
    const vd_bundle_prior *prior;
} vd_bundle;

enum vd_loss { VD_LOSS_NONE, VD_LOSS_HUBER, VD_LOSS_SOFT_L1, VD_LOSS_CAUCHY };
enum vd_bundle_solver { VD_SOLVER_AUTO, VD_SOLVER_DENSE, VD_SOLVER_SPARSE, VD_SOLVER_PCG };
/* AUTO: where neither constant poses nor priors hold the scene, the first pose and the largest
 * component of the baseline to the pose farthest from it are held. FREE: nothing is; the damping
 * keeps the system regular. */
enum vd_bundle_gauge { VD_GAUGE_AUTO, VD_GAUGE_FREE };

typedef struct vd_bundle_opt {
    int loss;             /* enum vd_loss */
    double loss_scale_px; /* where the loss bends */
    double prior_scale;   /* Cauchy loss of the priors, in sigmas; 0: none */
    int max_iterations;
    double function_tolerance, parameter_tolerance, gradient_tolerance;
    double first_radius; /* of the trust region: large where the start is good already */
    int solver;          /* enum vd_bundle_solver */
    int gauge;           /* enum vd_bundle_gauge */
} vd_bundle_opt;
#define VD_BUNDLE_OPT                                                                              \
    {                                                                                              \
        .loss_scale_px = 1, .max_iterations = 50, .function_tolerance = 1e-6,                      \
        .parameter_tolerance = 1e-8, .gradient_tolerance = 1e-10, .first_radius = 1e4              \
    }

enum vd_bundle_end {
    VD_END_NOTHING,    /* no observations, or nothing that moves */
    VD_END_CONVERGED,  /* a tolerance was met */
    VD_END_ITERATIONS, /* max_iterations */
    VD_END_STUCK,      /* no step made it better, however short */
};

typedef struct vd_bundle_report {
    double initial_cost, final_cost;
    int iterations, accepted; /* linear systems solved, steps taken */
    int end;                  /* enum vd_bundle_end */
    int solver;               /* the one that was used */
    int64_t n_obs, n_unknowns;
    int64_t behind; /* observations behind their camera at the end; they count with a fixed cost */
    double linear_s, solve_s, step_s, total_s;
} vd_bundle_report;

/* NULL options are the defaults; rep may be NULL.
 * fails  : VD_E_ARG (an index out of range, a value that is not finite, a bad camera), VD_E_LIMIT,
 *          VD_E_NOMEM, VD_E_UNSUPPORTED (the solver asked for is not in this build); the arrays
 *          are untouched then
 * threads: one writer; the pool does the work */
vd_status vd_bundle_adjust(vd_bundle *b, const vd_bundle_opt *opt, vd_bundle_report *rep,
                           vd_pool *pool, vd_err *err);

/* Covariances of poses at the present values, for residuals of unit variance: multiply by sigma^2.
 * Parameters are (w, d) as above; held components have zero rows and columns.
 * shapes : cov[n][36], of the poses which[n]
 * fails  : as above, and VD_E_NUMERIC where the scene does not determine the poses */
vd_status vd_bundle_covariance(double *cov, const vd_bundle *b, const vd_bundle_opt *opt,
                               const int32_t *which, int n, vd_pool *pool, vd_err *err);
#endif
