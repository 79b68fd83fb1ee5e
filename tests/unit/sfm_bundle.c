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

/* Wrong observations, one in ten: a robust loss keeps the result near the truth, the square does
 * not. */
T(robust_losses_resist_wrong_observations) {
    vd_err err = { 0 };
    double error[4];
    for (int loss = VD_LOSS_NONE; loss <= VD_LOSS_CAUCHY; loss++) {
        vd_rng r = t_rng(t);
        scene s = scene_make(&r, (scene_opt){ .poses = 12,
                                              .points = 400,
                                              .model = VD_CAMERA_PINHOLE,
                                              .see = 0.8,
                                              .noise_px = 0.3 });
        double *truth = vd_mem_array((size_t)s.n_points, 3 * sizeof *truth);
        memcpy(truth, s.point, (size_t)s.n_points * 3 * sizeof *truth);
        for (int64_t i = 0; i < s.n_obs; i++)
            if (i % 10 == 0) s.obs[i].uv[0] += vd_rng_range(&r, -80, 80);
        scene_perturb(&s, &r, 0.002, 0.005, 0.005);
        vd_bundle b = scene_bundle(&s);
        vd_bundle_opt o = VD_BUNDLE_OPT;
        vd_bundle_report rep;
        o.loss = loss;
        T_OK(vd_bundle_adjust(&b, &o, &rep, NULL, &err));
        T_TRUE(rep.final_cost < rep.initial_cost);
        T_TRUE(rep.end != VD_END_STUCK);
        error[loss] = shape_error(&s, truth);
        vd_mem_free(truth);
        scene_free(&s);
    }
    for (int loss = VD_LOSS_HUBER; loss <= VD_LOSS_CAUCHY; loss++)
        T_LT(error[loss], 0.3 * error[VD_LOSS_NONE]);
}

/* Along a line x -> |(3 x, 4 x)|: the weighed Jacobian and residual give the loss's first
 * derivative, and where the loss is not too concave the second one. */
T(weighing_gives_the_derivatives_of_losses) {
    for (int loss = VD_LOSS_HUBER; loss <= VD_LOSS_CAUCHY; loss++)
        for (int k = 0; k < 10; k++) {
            static vd_ba_batch b;
            double x = 0.02 * pow(2, k), h = 1e-4 * x, scale = 1.7, f[3];
            for (int i = 0; i < 3; i++)
                f[i] = 0.5 * vd_ba_loss(loss, scale, 25 * (x + (i - 1) * h) * (x + (i - 1) * h));
            for (int l = 0; l < 8; l++) {
                b.square[l] = 25 * x * x;
                b.r[0][l] = 3 * x, b.r[1][l] = 4 * x;
                b.a[0][l] = 3, b.a[3][l] = 4;
                b.a[1][l] = 4, b.a[4][l] = -3; /* across: the loss does not bend there */
            }
            vd_sfm_kern_c.weigh(&b, 8, loss, scale, VD_BA_JACOBIAN);
            double first = b.a[0][3] * b.r[0][3] + b.a[3][3] * b.r[1][3];
            double second = b.a[0][3] * b.a[0][3] + b.a[3][3] * b.a[3][3];
            double slope = (f[2] - f[0]) / (2 * h), curve = (f[2] - 2 * f[1] + f[0]) / (h * h);
            T_NEAR(first, slope, 1e-5 * (1 + slope));
            if (x < 0.15 && loss != VD_LOSS_HUBER) T_NEAR(second, curve, 1e-4 * (1 + curve));
            T_TRUE(second > 0);
            T_NEAR(b.a[1][3] * b.r[0][3] + b.a[4][3] * b.r[1][3], 0, 1e-9);
        }
}

T(constants_stay_and_priors_pull) {
    vd_rng r = t_rng(t);
    vd_err err = { 0 };
    scene s = scene_make(
        &r,
        (scene_opt){
            .poses = 8, .points = 200, .model = VD_CAMERA_PINHOLE, .see = 0.9, .noise_px = 0.2 });
    vd_vec3 centre[8];
    for (int i = 0; i < 8; i++) centre[i] = vd_rigid_centre(s.pose[i]);
    scene_perturb(&s, &r, 0.01, 0.02, 0.02);
    uint8_t constant[8] = { 0, 0, 1 }, fixed[200] = { 0, 1 };
    vd_rigid pose = s.pose[2];
    double point[3], cam = s.camera[0].params[0];
    memcpy(point, s.point + 3, sizeof point);
    vd_bundle b = scene_bundle(&s);
    b.pose_constant = constant;
    b.point_constant = fixed;
    T_OK(vd_bundle_adjust(&b, NULL, NULL, NULL, &err));
    T_TRUE(memcmp(&pose, &s.pose[2], sizeof pose) == 0);
    T_TRUE(memcmp(point, s.point + 3, sizeof point) == 0);
    T_TRUE(cam == s.camera[0].params[0]);
    /* priors alone hold the scene: it goes where they say, as exactly as its own noise allows */
    vd_bundle_prior prior[8];
    for (int i = 0; i < 8; i++)
        prior[i] = (vd_bundle_prior){ i,
                                      { centre[i].x + 5, centre[i].y, centre[i].z },
                                      { 100, 0, 0, 0, 100, 0, 0, 0, 100 } };
    b.pose_constant = NULL;
    b.point_constant = NULL;
    b.prior = prior;
    b.n_priors = 8;
    vd_bundle_opt o = VD_BUNDLE_OPT;
    o.max_iterations = 100;
    o.prior_scale = 3;
    o.function_tolerance = 1e-12;
    for (int i = 0; i < 8; i++) /* 5 to the side is too far for the loss: carry the scene there */
        s.pose[i].t = vd_v3_sub(s.pose[i].t, vd_quat_rotate(s.pose[i].q, vd_v3(4.9, 0, 0)));
    for (int i = 0; i < 200; i++) s.point[3 * i] += 4.9;
    T_OK(vd_bundle_adjust(&b, &o, NULL, NULL, &err));
    for (int i = 0; i < 8; i++) {
        vd_vec3 c = vd_rigid_centre(s.pose[i]);
        T_NEAR(c.x, centre[i].x + 5, 0.01);
        T_NEAR(c.y, centre[i].y, 0.01);
        T_NEAR(c.z, centre[i].z, 0.01);
    }
    scene_free(&s);
}

/* The covariance against the inverse of the whole Hessian, by differences. */
T(covariance_is_the_inverse_of_the_hessian) {
    enum { POSES = 4, POINTS = 30, N = 6 * POSES + 3 * POINTS };
    vd_rng r = t_rng(t);
    vd_err err = { 0 };
    scene s = scene_make(
        &r,
        (scene_opt){
            .poses = POSES, .points = POINTS, .model = VD_CAMERA_PINHOLE, .see = 1, .turns = 0.3 });
    vd_bundle b = scene_bundle(&s);
    const int32_t which[] = { 0, 1, 2, 3 };
    double cov[36 * POSES];
    vd_dense h = { 0 };
    vd_ba ba = { .in = &b, .opt = VD_BUNDLE_OPT };
    T_OK(vd_bundle_covariance(cov, &b, NULL, which, POSES, NULL, &err));
    T_OK(vd_ba_layout(&ba, &err));
    vd_ba_fix_gauge(&ba); /* which columns are held */
    T_OK(vd_dense_init(&h, N, &err));
    int seen[POINTS] = { 0 };
    for (int64_t i = 0; i < s.n_obs; i++) seen[s.obs[i].point]++;
    for (int64_t i = 0; i < s.n_obs; i++) {
        const vd_bundle_obs *ob = &s.obs[i];
        const double *x = s.point + 3 * ob->point;
        one o = { s.camera[0], s.pose[ob->pose], { x[0], x[1], x[2] }, { ob->uv[0], ob->uv[1] } };
        if (seen[ob->point] < 2) continue;
        for (int row = 0; row < 2; row++) {
            double j[9];
            int at[9];
            for (int p = 0; p < 9; p++) {
                j[p] = p < 6 && ba.held[ob->pose] >> p & 1 ? 0 : difference(&o, p, row);
                at[p] = p < 6 ? 6 * ob->pose + p : 6 * POSES + 3 * ob->point + p - 6;
            }
            for (int a = 0; a < 9; a++)
                for (int c = 0; c < 9; c++) h.a[(ptrdiff_t)at[a] * h.pitch + at[c]] += j[a] * j[c];
        }
    }
    for (int i = 0; i < N; i++)
        if (h.a[(ptrdiff_t)i * h.pitch + i] == 0) h.a[(ptrdiff_t)i * h.pitch + i] = 1;
    T_EQ(vd_dense_factor(&h, NULL), VD_OK);
    for (int p = 0; p < POSES; p++)
        for (int c = 0; c < 6; c++) {
            double e[N] = { 0 };
            e[6 * p + c] = 1;
            vd_dense_solve(&h, e);
            for (int k = 0; k < 6; k++) {
                bool held = (ba.held[p] >> c & 1) || (ba.held[p] >> k & 1);
                double want = held ? 0 : e[6 * p + k], scale = 0;
                for (int q = 0; q < 6; q++) scale = fmax(scale, fabs(cov[36 * p + 7 * q]));
                T_NEAR(cov[36 * p + 6 * k + c], want, 1e-4 * scale);
            }
        }
    vd_ba_reset(&ba);
    vd_dense_reset(&h);
    scene_free(&s);
}

/* Points that start behind cameras, or far away, must not become NaN or worse. */
T(a_start_that_is_nonsense_does_no_harm) {
    vd_err err = { 0 };
    for (int round = 0; round < 12; round++) {
        vd_rng r = vd_rng_for(5, 5, (uint64_t)round);
        scene s = scene_make(&r, (scene_opt){ .poses = 6,
                                              .points = 80,
                                              .model = round % VD_CAMERA_MODELS,
                                              .see = 0.9,
                                              .noise_px = 0.5 });
        scene_perturb(&s, &r, round < 6 ? 0.5 : 3, 2, round % 3 ? 0.5 : 1e8);
        uint8_t refine = 7;
        vd_bundle b = scene_bundle(&s);
        b.camera_refine = &refine;
        vd_bundle_opt o = VD_BUNDLE_OPT;
        vd_bundle_report rep;
        o.solver = round % 4;
        if (o.solver == VD_SOLVER_SPARSE && !vd_sparse_available()) o.solver = 0;
        T_OK(vd_bundle_adjust(&b, &o, &rep, NULL, &err));
        T_TRUE(rep.final_cost <= rep.initial_cost);
        T_TRUE(isfinite(rep.final_cost));
        for (int i = 0; i < 3 * s.n_points; i++) T_TRUE(isfinite(s.point[i]));
        for (int i = 0; i < s.n_poses; i++)
            T_TRUE(isfinite(s.pose[i].q.w + s.pose[i].t.x + s.pose[i].t.y + s.pose[i].t.z));
        scene_free(&s);
    }
}

T(bad_input_is_an_error_and_nothing_moves) {
    vd_rng r = t_rng(t);
    vd_err err = { 0 };
    scene s = scene_make(&r, (scene_opt){ .poses = 3, .points = 30, .model = 0, .see = 1 });
    uint64_t before = digest(&s);
    T_NEED(s.n_obs > 10);
    for (int kind = 0; kind < 8; kind++) {
        vd_bundle b = scene_bundle(&s);
        vd_bundle_opt o = VD_BUNDLE_OPT;
        vd_bundle_obs keep = s.obs[7];
        double x = s.point[5];
        vd_bundle_prior prior = { 99, { 0 }, { 0 } };
        switch (kind) {
        case 0: s.obs[7].pose = 3; break;
        case 1: s.obs[7].point = -1; break;
        case 2: s.obs[7].uv[1] = NAN; break;
        case 3: s.point[5] = INFINITY; break;
        case 4: o.loss = 9; break;
        case 5: o.loss = VD_LOSS_CAUCHY, o.loss_scale_px = 0; break;
        case 6: b.prior = &prior, b.n_priors = 1; break;
        case 7: b.n_obs = -1; break;
        }
        err = (vd_err){ 0 };
        T_EQ(vd_bundle_adjust(&b, &o, NULL, NULL, &err), VD_E_ARG);
        T_TRUE(err.msg[0] != 0);
        s.obs[7] = keep;
        s.point[5] = x;
    }
    T_TRUE(digest(&s) == before);
    vd_bundle empty = { 0 };
    vd_bundle_report rep;
    T_OK(vd_bundle_adjust(&empty, NULL, &rep, NULL, &err));
    T_EQ(rep.end, VD_END_NOTHING);
    scene_free(&s);
}

T(every_refused_allocation_is_survived) {
    for (int solver = VD_SOLVER_DENSE; solver <= VD_SOLVER_PCG; solver++) {
        if (solver == VD_SOLVER_SPARSE && !vd_sparse_available()) continue;
        vd_rng r = t_rng(t);
        scene s = scene_make(
            &r,
            (scene_opt){
                .poses = 4, .points = 40, .model = VD_CAMERA_RADIAL, .see = 1, .noise_px = 0.5 });
        uint8_t refine = 7;
        bool hit = true;
        for (int n = 0; hit && n < 200; n++) {
            vd_err err = { 0 };
            vd_bundle b = scene_bundle(&s);
            vd_bundle_opt o = VD_BUNDLE_OPT;
            b.camera_refine = &refine;
            o.solver = solver;
            o.max_iterations = 2;
            uint64_t before = digest(&s);
            int64_t live = vd_mem_live();
            vd_mem_fail_at(n, true);
            vd_status st = vd_bundle_adjust(&b, &o, NULL, NULL, &err);
            hit = vd_mem_fail_clear();
            T_EQ(st, hit ? VD_E_NOMEM : VD_OK);
            if (hit) T_TRUE(digest(&s) == before);
            T_EQ(vd_mem_live(), live);
        }
        T_TRUE(!hit);
        scene_free(&s);
    }
}

/* Every model with all its parameters free, shared and one a picture: cameras of up to twelve
 * parameters take two blocks, and the solvers must agree on them. */
T(every_model_is_calibrated) {
    vd_err err = { 0 };
    for (int model = 0; model < VD_CAMERA_MODELS; model++)
        for (int solver = VD_SOLVER_DENSE; solver <= VD_SOLVER_PCG; solver++) {
            if (solver == VD_SOLVER_SPARSE && !vd_sparse_available()) continue;
            vd_rng r = t_rng(t);
            scene s = scene_make(&r, (scene_opt){ .poses = 8,
                                                  .points = 250,
                                                  .model = model,
                                                  .see = 0.9,
                                                  .own_cameras = model % 2 });
            uint8_t refine[8];
            memset(refine, 7, sizeof refine);
            scene_perturb(&s, &r, 0.002, 0.005, 0.005);
            for (int i = 0; i < s.n_cameras; i++) s.camera[i].params[0] *= 1.005;
            vd_bundle b = scene_bundle(&s);
            vd_bundle_opt o = VD_BUNDLE_OPT;
            vd_bundle_report rep;
            b.camera_refine = refine;
            o.solver = solver;
            o.max_iterations = 200;
            o.function_tolerance = 1e-9;
            T_OK(vd_bundle_adjust(&b, &o, &rep, NULL, &err));
            if (!(rep.final_cost < 1e-3 * 1e-3 * (double)rep.n_obs))
                T_FAIL("%s, solver %d: cost %g -> %g after %d", vd_camera_model_name(model), solver,
                       rep.initial_cost, rep.final_cost, rep.iterations);
            scene_free(&s);
        }
}
