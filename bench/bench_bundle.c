/* Bundle adjustment beside Ceres on the same problem from the same start:
 * bench_bundle [POSES [POINTS [JOBS [REFINE [SOLVER [RIVAL]]]]]]. Cameras stand on a ring around an
 * object, points lie on its surface, each seen by about SEEN of those that face it. REFINE = 1 lets
 * the shared focal length and distortion move, RIVAL = 0 leaves Ceres out. Prints one JSON line.
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/rng.h"
#include "bench_bundle.h"
#include "sfm_scene.h"

static const double SEEN = 8;

#ifndef VD_HAVE_CERES
const char *rival_name(void) {
    return "none";
}
void rival_solve(rival_problem *p, rival_report *out) {
    (void)p;
    *out = (rival_report){ 0 };
}
#endif

typedef struct rival_arrays {
    rival_problem p;
    int *pose, *point;
    double *uv;
} rival_arrays;

static rival_arrays for_rival(const scene *s) {
    rival_arrays a = { .p = { .n_cameras = s->n_cameras,
                              .n_poses = s->n_poses,
                              .n_points = s->n_points,
                              .n_obs = (long)s->n_obs } };
    a.p.camera = vd_mem_array((size_t)s->n_cameras, 4 * sizeof(double));
    a.p.pose = vd_mem_array((size_t)s->n_poses, 7 * sizeof(double));
    a.p.point = vd_mem_array((size_t)s->n_points, 3 * sizeof(double));
    a.pose = vd_mem_array((size_t)s->n_obs, sizeof *a.pose);
    a.point = vd_mem_array((size_t)s->n_obs, sizeof *a.point);
    a.uv = vd_mem_array((size_t)s->n_obs, 2 * sizeof *a.uv);
    for (int i = 0; i < s->n_cameras; i++) memcpy(a.p.camera + 4 * i, s->camera[i].params, 32);
    for (int i = 0; i < s->n_poses; i++) {
        vd_rigid q = s->pose[i];
        q.q = vd_quat_unit(q.q);
        const double v[7] = { q.q.x, q.q.y, q.q.z, q.q.w, q.t.x, q.t.y, q.t.z };
        memcpy(a.p.pose + 7 * i, v, sizeof v);
    }
    memcpy(a.p.point, s->point, (size_t)s->n_points * 24);
    for (int64_t i = 0; i < s->n_obs; i++) {
        a.pose[i] = s->obs[i].pose;
        a.point[i] = s->obs[i].point;
        memcpy(a.uv + 2 * i, s->obs[i].uv, 16);
    }
    a.p.pose_camera = s->pose_camera;
    a.p.obs_pose = a.pose;
    a.p.obs_point = a.point;
    a.p.uv = a.uv;
    return a;
}

static void free_rival(rival_arrays *a) {
    vd_mem_free(a->p.camera);
    vd_mem_free(a->p.pose);
    vd_mem_free(a->p.point);
    vd_mem_free(a->pose);
    vd_mem_free(a->point);
    vd_mem_free(a->uv);
}

int main(int argc, char **argv) {
    int poses = argc > 1 ? atoi(argv[1]) : 200, points = argc > 2 ? atoi(argv[2]) : 100000;
    int jobs = argc > 3 ? atoi(argv[3]) : 2, refine = argc > 4 ? atoi(argv[4]) : 0;
    int solver = argc > 5 ? atoi(argv[5]) : VD_SOLVER_AUTO;
    vd_rng r = vd_rng_for(11, 0, 0);
    vd_err err = { 0 };
    vd_pool *pool = NULL;
    scene s = scene_make(&r, (scene_opt){ .poses = poses,
                                          .points = points,
                                          .model = VD_CAMERA_SIMPLE_RADIAL,
                                          .see = SEEN / (0.3 * poses),
                                          .noise_px = 0.5 });
    scene_perturb(&s, &r, 0.005, 0.02, 0.02);
    rival_arrays a = for_rival(&s);
    rival_report theirs;
    a.p.threads = jobs;
    a.p.iterations = 50;
    a.p.refine = refine;
    uint8_t flags = refine ? VD_REFINE_FOCAL | VD_REFINE_EXTRA : 0;
    vd_bundle b = scene_bundle(&s);
    b.camera_refine = &flags;
    vd_bundle_opt o = VD_BUNDLE_OPT;
    o.gauge = VD_GAUGE_FREE; /* as Ceres has it */
    o.solver = solver;
    vd_bundle_report rep;
    if (vd_pool_new(&pool, jobs, &err) != VD_OK ||
        vd_bundle_adjust(&b, &o, &rep, pool, &err) != VD_OK) {
        fprintf(stderr, "bench_bundle: %s\n", err.msg);
        return 3;
    }
    memset(&theirs, 0, sizeof theirs);
    if (argc <= 6 || atoi(argv[6])) rival_solve(&a.p, &theirs);
    printf(
        "{\"bench\":\"bundle\",\"poses\":%d,\"points\":%d,\"observations\":%lld,\"jobs\":%d,"
        "\"refine\":%d,\"solver\":%d,\"initial_cost\":%.6g,\"final_cost\":%.8g,"
        "\"iterations\":%d,\"seconds\":%.4f,\"linear_s\":%.4f,\"solve_s\":%.4f,\"step_s\":%.4f,"
        "\"rival\":\"%s\",\"rival_initial_cost\":%.6g,\"rival_final_cost\":%.8g,"
        "\"rival_iterations\":%d,\"rival_seconds\":%.4f,\"speedup\":%.2f,\"target_speedup\":5}\n",
        poses, points, (long long)s.n_obs, jobs, refine, rep.solver, rep.initial_cost,
        rep.final_cost, rep.iterations, rep.total_s, rep.linear_s, rep.solve_s, rep.step_s,
        rival_name(), theirs.initial_cost, theirs.final_cost, theirs.iterations, theirs.seconds,
        theirs.seconds / rep.total_s);
    free_rival(&a);
    scene_free(&s);
    vd_pool_free(pool);
    return 0;
}
