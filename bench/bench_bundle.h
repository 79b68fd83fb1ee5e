/* The rival's side of bench_bundle. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_BENCH_BUNDLE_H
#define VD_BENCH_BUNDLE_H

#ifdef __cplusplus
extern "C" {
#endif

/* SIMPLE_RADIAL cameras as f cx cy k; poses as x y z w quaternions and translations. */
typedef struct rival_problem {
    int n_cameras, n_poses, n_points, threads, iterations, refine;
    long n_obs;
    double *camera, *pose, *point; /* 4, 7 and 3 each */
    const int *pose_camera, *obs_pose, *obs_point;
    const double *uv;
} rival_problem;

typedef struct rival_report {
    double initial_cost, final_cost, seconds;
    int iterations;
} rival_report;

void rival_solve(rival_problem *p, rival_report *out);
const char *rival_name(void);

#ifdef __cplusplus
}
#endif
#endif
