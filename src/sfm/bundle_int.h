/* What the files of bundle adjustment share. SPDX-License-Identifier: Apache-2.0
 *
 * Unknowns of the reduced system come in blocks of up to eight: first one for each pose that moves,
 * then one or two for each camera of which something is refined. Observations are sorted by point
 * and, inside a point, by pose. Points are packed whole into chunks, which fill a batch where they
 * can; consecutive chunks form the groups that one task works on, each with sums of its own. How
 * many groups there are depends on the problem only, and sums of groups are added in their order:
 * so the result does not depend on the threads. */
#ifndef VD_SFM_BUNDLE_INT_H
#define VD_SFM_BUNDLE_INT_H

#include "geometry/rigid.h"
#include "math/cholesky.h"
#include "math/sparse.h"
#include "sfm/bundle.h"
#include "sfm/kern.h"

/* A camera inside: which parameters move, and where their derivatives lie in vd_ba_batch.k. */
typedef struct vd_ba_cam {
    int32_t block; /* its first block or -1 */
    int n;         /* parameters that move */
    bool generic;  /* none of the models that the kernel knows: vd_camera_project_jac */
    int8_t param[VD_BA_PARAMS], from[VD_BA_PARAMS], and_from[VD_BA_PARAMS]; /* or -1 */
} vd_ba_cam;

/* Values of all parameters, in the form the kernels want. */
typedef struct vd_ba_values {
    double (*pose)[16]; /* R, t, padding */
    vd_quat *rotation;
    vd_camera *camera;
    double (*cam)[8]; /* fx fy cx cy k1 k2 p1 p2 */
    double *point;
} vd_ba_values;

/* V = C C^T of a point and y = C^-1 g, kept between the two passes of an iteration. */
typedef struct vd_ba_pivot {
    double c[6], y[3];
} vd_ba_pivot;

/* Sums of one group of chunks. */
typedef struct vd_ba_sums {
    vd_ba_system system;
    double cost, gradient;
} vd_ba_sums;

typedef struct vd_ba_scratch {
    vd_ba_batch *batch;   /* for the longest chunk */
    vd_ba_record *record; /* for the longest point */
    double *t;            /* entries of the longest point, 24 each */
} vd_ba_scratch;

enum { VD_BA_ENTRY = 3 * VD_BA_ROW };

typedef struct vd_ba {
    const vd_bundle *in;
    vd_bundle_opt opt;
    const vd_sfm_kern *kern;
    vd_pool *pool;
    int solver, want; /* enum vd_bundle_solver; VD_BA_CAMERA when a camera moves */

    /* blocks */
    int n_blocks, n_unknowns;
    int32_t *pose_block; /* [n_poses] or -1 */
    vd_ba_cam *cam;
    int *dim;      /* [n_blocks] */
    uint8_t *held; /* [n_blocks], bits: columns that gauge fixing holds */

    /* observations, sorted */
    int64_t n_obs;
    int32_t n_points;                /* points with observations */
    int32_t *point;                  /* [n_points] index in the input */
    int64_t *start;                  /* [n_points + 1] observations of a point */
    int32_t *pose;                   /* [n_obs] */
    double (*uv)[2];                 /* [n_obs] */
    int64_t *entry_start;            /* [n_points + 1] blocks that a point touches, ascending */
    int32_t *entry;                  /* block of each */
    int32_t *pose_entry, *cam_entry; /* [n_obs] number of the entry inside the point, or -1 */

    /* chunks and groups */
    int32_t n_chunks, n_groups, *chunk; /* first point of a chunk, [n_chunks + 1] */
    int64_t longest;                    /* most observations of a chunk */
    int32_t longest_entries;
    vd_ba_sums *sums;       /* [n_groups] */
    vd_ba_scratch *scratch; /* [jobs] */

    /* the reduced system: upper blocks by columns */
    int32_t n_pairs, *column, *row; /* blocks of column b: column[b] .. column[b + 1] */
    int32_t *at; /* [n_blocks][n_blocks] number of an upper block; see implicit_pairs for PCG */
    int32_t (*own)[3]; /* of a pose: with itself and its camera's blocks; of a camera's: likewise */

    vd_ba_values now, next;
    vd_ba_pivot *pivot; /* [n_points] */
    double *step;       /* [n_blocks][8] */

    /* solver */
    int32_t *offset; /* [n_blocks + 1] first unknown of a block, without padding */
    vd_dense dense;
    vd_sparse *sparse;
    double *rhs; /* [n_unknowns] */
    /* PCG */
    float *t;             /* [entries][24] */
    double *precondition; /* [n_blocks][64] */
    double *work;         /* vectors of the iteration */
} vd_ba;

/* bundle_layout.c: checks the input and sorts it out. ba is zeroed before and reset after, whatever
 * comes of it. */
vd_status vd_ba_layout(vd_ba *ba, vd_err *err);
void vd_ba_reset(vd_ba *ba);

/* bundle_system.c: the blocks of the reduced system, the groups and their memory. */
vd_status vd_ba_system_init(vd_ba *ba, vd_err *err);

/* bundle_values.c */
vd_status vd_ba_values_init(vd_ba_values *v, const vd_bundle *b, vd_err *err);
void vd_ba_values_reset(vd_ba_values *v);
void vd_ba_values_swap(vd_ba *ba);
/* next = now + step, poses and cameras; false when a focal length is no longer positive. */
bool vd_ba_values_step(vd_ba *ba);
double vd_ba_values_norm(const vd_ba *ba);
void vd_ba_values_store(const vd_ba *ba, vd_bundle *b);

/* bundle_batch.c: observations first .. first + n into a batch; residuals and Jacobians. */
void vd_ba_load(vd_ba_batch *batch, const vd_ba *ba, const vd_ba_values *v, int64_t first, int n);
void vd_ba_project(vd_ba_batch *batch, const vd_ba *ba, const vd_ba_values *v, int64_t first, int n,
                   int want);
double vd_ba_loss(int loss, double scale, double square);

/* bundle_linear.c: the reduced system at `now` for a damping of lambda; its sums are in sums[0]. */
vd_status vd_ba_linearise(vd_ba *ba, double lambda, double *cost, double *gradient, vd_err *err);

/* bundle_solve.c: step = -S^-1 b. VD_E_NUMERIC when S is not positive definite. */
/* Whether the whole matrix may be factorised: not more operations than seconds allow. */
bool vd_ba_dense_fits(const vd_ba *ba);
vd_status vd_ba_solver_init(vd_ba *ba, vd_err *err);
vd_status vd_ba_solve(vd_ba *ba, double lambda, vd_err *err);
/* bundle_pcg.c */
vd_status vd_ba_pcg_init(vd_ba *ba, vd_err *err);
vd_status vd_ba_pcg(vd_ba *ba, double lambda, vd_err *err);
/* What lambda adds to a diagonal element. */
double vd_ba_damping(double diagonal, double lambda);

/* bundle_step.c: points of `next` from the step of the blocks, and what the step is worth. */
typedef struct vd_ba_outcome {
    double model;  /* change of the cost that the linear model foretells, negative */
    double cost;   /* at next */
    double square; /* |step|^2 */
    int64_t behind;
} vd_ba_outcome;
vd_status vd_ba_try(vd_ba *ba, vd_ba_outcome *out, vd_err *err);

/* bundle_prior.c */
double vd_ba_prior_cost(const vd_ba *ba, const vd_ba_values *v);
void vd_ba_prior_linearise(vd_ba *ba, vd_ba_system *s);
double vd_ba_prior_model(const vd_ba *ba);
/* Which poses the gauge holds: marks `held`. */
void vd_ba_fix_gauge(vd_ba *ba);
#endif
