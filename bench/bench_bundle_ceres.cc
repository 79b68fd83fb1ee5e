// Ceres with automatic derivatives and SPARSE_SCHUR, as structure-from-motion programs use it: the
// rival of bench_bundle. SPDX-License-Identifier: Apache-2.0
#include <ceres/ceres.h>
#include <ceres/rotation.h>

#include "bench_bundle.h"

namespace {

// SIMPLE_RADIAL: f (1 + k r^2) (x, y) + c.
struct Reprojection {
    Reprojection(double u, double v) : u(u), v(v) {}

    template <typename T>
    bool operator()(const T *camera, const T *q, const T *t, const T *x, T *r) const {
        const T wxyz[4] = { q[3], q[0], q[1], q[2] };
        T y[3];
        ceres::UnitQuaternionRotatePoint(wxyz, x, y);
        const T a = (y[0] + t[0]) / (y[2] + t[2]), b = (y[1] + t[1]) / (y[2] + t[2]);
        const T radial = camera[0] * (T(1) + camera[3] * (a * a + b * b));
        r[0] = radial * a + camera[1] - T(u);
        r[1] = radial * b + camera[2] - T(v);
        return true;
    }

    double u, v;
};

} // namespace

const char *rival_name(void) {
    return "ceres " CERES_VERSION_STRING;
}

void rival_solve(rival_problem *p, rival_report *out) {
    ceres::Problem problem;
    for (long i = 0; i < p->n_obs; i++) {
        double *pose = p->pose + 7 * p->obs_pose[i];
        problem.AddResidualBlock(
            new ceres::AutoDiffCostFunction<Reprojection, 2, 4, 4, 3, 3>(
                new Reprojection(p->uv[2 * i], p->uv[2 * i + 1])),
            nullptr, p->camera + 4 * p->pose_camera[p->obs_pose[i]], pose, pose + 4,
            p->point + 3 * p->obs_point[i]);
    }
    for (int i = 0; i < p->n_poses; i++)
        problem.SetManifold(p->pose + 7 * i, new ceres::EigenQuaternionManifold);
    for (int i = 0; i < p->n_cameras; i++) {
        if (p->refine)
            problem.SetManifold(p->camera + 4 * i, new ceres::SubsetManifold(4, { 1, 2 }));
        else
            problem.SetParameterBlockConstant(p->camera + 4 * i);
    }
    ceres::Solver::Options options;
    options.linear_solver_type = ceres::SPARSE_SCHUR;
    options.num_threads = p->threads;
    options.max_num_iterations = p->iterations;
    options.logging_type = ceres::SILENT;
    ceres::Solver::Summary summary;
    ceres::Solve(options, &problem, &summary);
    out->initial_cost = summary.initial_cost;
    out->final_cost = summary.final_cost;
    out->seconds = summary.total_time_in_seconds;
    out->iterations = int(summary.iterations.size()) - 1;
}
