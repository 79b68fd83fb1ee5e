/* Bundle adjustment: Jacobians against differences, scenes with a known answer, solvers against
 * each other, threads, hostile input. SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "base/cpu.h"
#include "base/pool.h"
#include "sfm/bundle_int.h"
#include "sfm_scene.h"

/* A bundle of one observation at hand, so that the inner functions can be asked. */
typedef struct one {
    vd_camera camera;
    vd_rigid pose;
    double x[3], uv[2];
} one;

static void residual_of(double r[2], const one *o) {
    vd_vec3 y = vd_rigid_apply(o->pose, vd_v3(o->x[0], o->x[1], o->x[2]));
    const double in_cam[3] = { y.x, y.y, y.z };
    double uv[2] = { NAN, NAN };
    vd_camera_project(&o->camera, in_cam, uv);
    r[0] = uv[0] - o->uv[0];
    r[1] = uv[1] - o->uv[1];
}

/* What the parameters are called here: 0..5 the pose, 6..8 the point, 9.. the camera. */
static one moved(const one *o, int parameter, double by) {
    one m = *o;
    double d[6] = { 0 };
    if (parameter < 6) d[parameter] = by;
    m.pose.q = vd_quat_mul(vd_quat_exp(vd_v3(d[0], d[1], d[2])), m.pose.q);
    m.pose.t = vd_v3_add(m.pose.t, vd_v3(d[3], d[4], d[5]));
    if (parameter >= 6 && parameter < 9) m.x[parameter - 6] += by;
    if (parameter >= 9) m.camera.params[parameter - 9] += by;
    return m;
}

static double difference(const one *o, int parameter, int row) {
    double h = 1e-6, a[2], b[2];
    if (parameter >= 9) h *= fmax(1, fabs(o->camera.params[parameter - 9]));
    one forth = moved(o, parameter, h), back = moved(o, parameter, -h);
    residual_of(a, &forth);
    residual_of(b, &back);
    return (a[row] - b[row]) / (2 * h);
}

static void one_record(vd_ba_record *rec, one *o, const char *cpu, t_case *t) {
    vd_bundle_obs obs = { 0, 0, { o->uv[0], o->uv[1] } };
    int32_t camera = 0;
    uint8_t refine = 7;
    vd_err err = { 0 };
    vd_bundle b = { 1,        1,       1,    0,    1,    &o->camera, &refine,
                    &o->pose, &camera, NULL, o->x, NULL, &obs,       NULL };
    vd_ba ba = { .in = &b, .opt = VD_BUNDLE_OPT };
    setenv("VIDIMUS_CPU", cpu, 1);
    ba.kern = vd_sfm_kern_for(strcmp(cpu, "c") == 0 ? 0 : vd_cpu_features());
    unsetenv("VIDIMUS_CPU");
    T_OK(vd_ba_layout(&ba, &err));
    T_OK(vd_ba_values_init(&ba.now, &b, &err));
    T_OK(vd_ba_values_init(&ba.next, &b, &err));
    T_OK(vd_ba_system_init(&ba, &err));
    double cost, gradient;
    T_OK(vd_ba_linearise(&ba, 1e-4, &cost, &gradient, &err));
    *rec = ba.scratch[0].record[0];
    vd_ba_reset(&ba);
}

T(jacobians_are_those_of_differences) {
    vd_rng r = t_rng(t);
    for (int model = 0; model < VD_CAMERA_MODELS; model++)
        for (int round = 0; round < 40; round++) {
            one o = { .camera = scene_camera(model) };
            double turn[3], px[2];
            for (int i = 0; i < 3; i++) turn[i] = vd_rng_normal(&r);
            o.pose.q = vd_quat_exp(vd_v3(turn[0], turn[1], turn[2]));
            vd_vec3 y = vd_v3(vd_rng_range(&r, -1, 1), vd_rng_range(&r, -0.7, 0.7),
                              vd_rng_range(&r, 1.5, 6));
            o.pose.t = vd_v3(vd_rng_normal(&r), vd_rng_normal(&r), vd_rng_normal(&r));
            vd_vec3 x = vd_rigid_apply(vd_rigid_inverse(o.pose), y);
            o.x[0] = x.x, o.x[1] = x.y, o.x[2] = x.z;
            residual_of(px, &o);
            o.uv[0] = px[0] + 3, o.uv[1] = px[1] - 2;
            vd_ba_record rec;
            one_record(&rec, &o, round % 2 ? "c" : "native", t);
            int n = vd_camera_param_count(model);
            for (int p = 0; p < 9 + n; p++)
                for (int row = 0; row < 2; row++) {
                    double got = p < 6   ? rec.pose[row][p]
                                 : p < 9 ? rec.point[row][p - 6]
                                         : rec.cam[row][p - 9];
                    double want = difference(&o, p, row);
                    T_NEAR(got, want, 2e-5 * (1 + fabs(want)));
                }
            T_NEAR(rec.point[0][3], -3, 1e-9);
            T_NEAR(rec.point[1][3], 2, 1e-9);
        }
}

static double distance(const double *x, int a, int b) {
    double s = 0;
    for (int i = 0; i < 3; i++) s += (x[3 * a + i] - x[3 * b + i]) * (x[3 * a + i] - x[3 * b + i]);
    return sqrt(s);
}

/* How much the shape of the points that are seen often enough differs from `truth`, by distances to
 * the first of them in units of the first such distance: no gauge changes that. */
static double shape_error(const scene *s, const double *truth) {
    int *seen = vd_mem_array((size_t)s->n_points, sizeof *seen), base[2] = { 0 }, n = 0;
    double worst = 0;
    for (int64_t i = 0; i < s->n_obs; i++) seen[s->obs[i].point]++;
    for (int k = 0; k < s->n_points; k++) {
        if (seen[k] < 4) continue;
        if (n < 2) base[n] = k;
        if (n++ < 2) continue;
        double got = distance(s->point, base[0], k) / distance(s->point, base[0], base[1]);
        double want = distance(truth, base[0], k) / distance(truth, base[0], base[1]);
        worst = fmax(worst, fabs(got - want));
    }
    vd_mem_free(seen);
    return n > 10 ? worst : INFINITY;
}

T(without_noise_the_truth_is_found) {
    vd_rng r = t_rng(t);
    vd_err err = { 0 };
    for (int own = 0; own < 2; own++) {
        scene s = scene_make(&r, (scene_opt){ .poses = 12,
                                              .points = 300,
                                              .model = VD_CAMERA_OPENCV,
                                              .see = 0.8,
                                              .own_cameras = own });
        double *points = vd_mem_array((size_t)s.n_points, 3 * sizeof *points);
        memcpy(points, s.point, (size_t)s.n_points * 3 * sizeof *points);
        scene_perturb(&s, &r, 0.01, 0.02, 0.02);
        s.camera[0].params[0] *= 1.02;
        uint8_t refine[12];
        memset(refine, 7, sizeof refine);
        vd_bundle b = scene_bundle(&s);
        b.camera_refine = refine;
        vd_bundle_opt o = VD_BUNDLE_OPT;
        o.function_tolerance = 0;
        o.parameter_tolerance = 1e-14;
        vd_bundle_report rep;
        T_OK(vd_bundle_adjust(&b, &o, &rep, NULL, &err));
        T_LT(rep.final_cost, 1e-16);
        T_NEAR(s.camera[0].params[0], 1200, 1e-6);
        T_NEAR(s.camera[0].params[4], -0.05, 1e-9);
        T_LT(shape_error(&s, points), 1e-9);
        vd_mem_free(points);
        scene_free(&s);
    }
}

/* With noise of sigma, twice the cost over sigma^2 is chi-square with observations - unknowns
 * degrees of freedom, seven of which the gauge takes. */
T(with_noise_the_cost_is_chi_square) {
    const int solver[] = { VD_SOLVER_DENSE, VD_SOLVER_SPARSE, VD_SOLVER_PCG };
    vd_err err = { 0 };
    double cost[3] = { 0 };
    for (int k = 0; k < 3; k++) {
        if (solver[k] == VD_SOLVER_SPARSE && !vd_sparse_available()) continue;
        vd_rng r = t_rng(t);
        scene s = scene_make(&r, (scene_opt){ .poses = 20,
                                              .points = 1000,
                                              .model = VD_CAMERA_SIMPLE_RADIAL,
                                              .see = 0.5,
                                              .noise_px = 0.5 });
        scene_perturb(&s, &r, 0.01, 0.02, 0.02);
        uint8_t refine = VD_REFINE_FOCAL | VD_REFINE_EXTRA;
        vd_bundle b = scene_bundle(&s);
        b.camera_refine = &refine;
        vd_bundle_opt o = VD_BUNDLE_OPT;
        o.solver = solver[k];
        o.function_tolerance = 1e-10;
        vd_bundle_report rep;
        T_OK(vd_bundle_adjust(&b, &o, &rep, NULL, &err));
        T_EQ(rep.solver, solver[k]);
        double freedom = 2.0 * (double)rep.n_obs - (double)rep.n_unknowns + 7,
               chi2 = 2 * rep.final_cost / 0.25;
        T_NEAR(chi2 / freedom, 1, 5 * sqrt(2 / freedom));
        cost[k] = rep.final_cost;
        T_NEAR(cost[k], cost[0], 1e-6 * cost[0]);
        /* sigma of the focal length is about a pixel here */
        T_NEAR(s.camera[0].params[0], 1200, 8);
        scene_free(&s);
    }
}

/* Everything a solution consists of, in one number. */
static uint64_t digest(const scene *s) {
    uint64_t h = vd_hash64(s->pose, (size_t)s->n_poses * sizeof *s->pose);
    h ^= vd_hash64(s->point, (size_t)s->n_points * 3 * sizeof *s->point) * 3;
    return h ^ vd_hash64(s->camera, (size_t)s->n_cameras * sizeof *s->camera) * 5;
}

T(threads_and_cpu_change_no_bit) {
    const struct {
        int jobs;
        const char *cpu;
    } c[] = { { 1, "native" }, { 2, "native" }, { 8, "native" }, { 3, "avx2" }, { 1, "c" } };
    vd_err err = { 0 };
    for (int solver = VD_SOLVER_DENSE; solver <= VD_SOLVER_PCG; solver++) {
        uint64_t first = 0;
        if (solver == VD_SOLVER_SPARSE && !vd_sparse_available()) continue;
        for (int i = 0; i < VD_COUNT(c); i++) {
            vd_pool *pool = NULL;
            vd_rng r = t_rng(t);
            scene s = scene_make(&r, (scene_opt){ .poses = 30,
                                                  .points = 1500,
                                                  .model = i < 0 ? 0 : VD_CAMERA_RADIAL,
                                                  .see = 0.4,
                                                  .noise_px = 0.5 });
            scene_perturb(&s, &r, 0.01, 0.02, 0.02);
            uint8_t refine = 7;
            vd_bundle b = scene_bundle(&s);
            b.camera_refine = &refine;
            vd_bundle_opt o = VD_BUNDLE_OPT;
            o.solver = solver;
            o.loss = VD_LOSS_SOFT_L1;
            o.max_iterations = 6;
            setenv("VIDIMUS_CPU", c[i].cpu, 1);
            T_OK(vd_pool_new(&pool, c[i].jobs, &err));
            T_OK(vd_bundle_adjust(&b, &o, NULL, pool, &err));
            if (i == 0) first = digest(&s);
            if (digest(&s) != first)
                T_FAIL("solver %d, %d jobs, %s: other bits", solver, c[i].jobs, c[i].cpu);
            vd_pool_free(pool);
            scene_free(&s);
        }
    }
    unsetenv("VIDIMUS_CPU");
}
