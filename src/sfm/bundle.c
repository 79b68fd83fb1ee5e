/* Levenberg-Marquardt. SPDX-License-Identifier: Apache-2.0
 *
 * Damping is lambda times the Hessian's diagonal; lambda follows the gain ratio as in [Nielsen
 * 1999] and in Ceres, so that both take about the same steps. */
#include "sfm/bundle.h"

#include "base/clock.h"
#include "base/cpu.h"
#include "base/mem.h"
#include "sfm/bundle_int.h"

static const double MOST_RADIUS = 1e16, LEAST_RADIUS = 1e-32;
/* For covariances: makes a point that one image sees regular, which then tells nothing. */
static const double LEAST_DAMPING = 1e-9;
static const double GOOD_STEP = 1e-3; /* share of the promised gain that a step must bring */

typedef struct trust {
    double radius, shrink;
} trust;

static void grow(trust *t, double quality) {
    double q = 2 * quality - 1;
    t->radius = VD_MIN(t->radius / VD_MAX(1.0 / 3, 1 - q * q * q), MOST_RADIUS);
    t->shrink = 2;
}

static void shrink(trust *t) {
    t->radius /= t->shrink;
    t->shrink *= 2;
}

/* One linear system and what comes of it: out->cost is infinite where there is no step. */
static vd_status iterate(vd_ba *ba, double lambda, vd_ba_outcome *out, vd_bundle_report *rep,
                         vd_err *err) {
    double t0 = vd_time_mono_s();
    vd_status st = vd_ba_solve(ba, lambda, err);
    double t1 = vd_time_mono_s();
    rep->solve_s += t1 - t0;
    rep->iterations++;
    *out = (vd_ba_outcome){ .cost = INFINITY };
    if (st == VD_E_NUMERIC) return VD_OK;
    VD_TRY(st);
    VD_TRY(vd_ba_try(ba, out, err));
    rep->step_s += vd_time_mono_s() - t1;
    return VD_OK;
}

/* Whether to stop after a step that was taken or refused. */
static bool finished(const vd_ba *ba, const vd_ba_outcome *o, double cost, bool taken) {
    double norm = vd_ba_values_norm(ba), tolerance = ba->opt.parameter_tolerance;
    if (isfinite(o->cost) && sqrt(o->square) <= tolerance * (norm + tolerance)) return true;
    return taken && cost - o->cost <= ba->opt.function_tolerance * cost;
}

static vd_status minimise(vd_ba *ba, vd_bundle_report *rep, vd_err *err) {
    trust t = { ba->opt.first_radius, 2 };
    double cost, gradient;
    rep->end = VD_END_ITERATIONS;
    for (bool first = true; rep->iterations < ba->opt.max_iterations || first; first = false) {
        double t0 = vd_time_mono_s();
        VD_TRY(vd_ba_linearise(ba, 1 / t.radius, &cost, &gradient, err));
        rep->linear_s += vd_time_mono_s() - t0;
        if (first) rep->initial_cost = cost;
        rep->final_cost = cost;
        if (gradient <= ba->opt.gradient_tolerance) {
            rep->end = VD_END_CONVERGED;
            return VD_OK;
        }
        if (ba->opt.max_iterations <= 0) return VD_OK;
        vd_ba_outcome o;
        VD_TRY(iterate(ba, 1 / t.radius, &o, rep, err));
        double quality = o.model < 0 ? (cost - o.cost) / -o.model : 0;
        bool taken = quality > GOOD_STEP && isfinite(o.cost);
        bool stop = finished(ba, &o, cost, taken);
        if (taken) {
            vd_ba_values_swap(ba);
            rep->final_cost = o.cost;
            rep->accepted++;
            rep->behind = o.behind;
            grow(&t, quality);
        } else {
            shrink(&t);
        }
        if (stop) {
            rep->end = VD_END_CONVERGED;
            return VD_OK;
        }
        if (t.radius < LEAST_RADIUS) {
            rep->end = VD_END_STUCK;
            return VD_OK;
        }
    }
    return VD_OK;
}

static vd_status check_options(const vd_bundle_opt *o, vd_err *err) {
    if (o->loss < VD_LOSS_NONE || o->loss > VD_LOSS_CAUCHY)
        return vd_fail(err, VD_E_ARG, "bundle: loss %d", o->loss);
    if (o->loss != VD_LOSS_NONE && !(o->loss_scale_px > 0 && isfinite(o->loss_scale_px)))
        return vd_fail(err, VD_E_ARG, "bundle: a loss scale of %g px", o->loss_scale_px);
    if (!(o->first_radius > LEAST_RADIUS && o->first_radius <= MOST_RADIUS))
        return vd_fail(err, VD_E_ARG, "bundle: a first radius of %g", o->first_radius);
    if (o->solver < VD_SOLVER_AUTO || o->solver > VD_SOLVER_PCG)
        return vd_fail(err, VD_E_ARG, "bundle: solver %d", o->solver);
    return VD_OK;
}

static vd_status prepare(vd_ba *ba, const vd_bundle *b, const vd_bundle_opt *opt, vd_pool *pool,
                         vd_err *err) {
    ba->in = b;
    ba->opt = opt != NULL ? *opt : (vd_bundle_opt)VD_BUNDLE_OPT;
    ba->kern = vd_sfm_kern_for(vd_cpu_features());
    ba->pool = pool;
    VD_TRY(check_options(&ba->opt, err));
    VD_TRY(vd_ba_layout(ba, err));
    vd_ba_fix_gauge(ba);
    VD_TRY(vd_ba_values_init(&ba->now, b, err));
    VD_TRY(vd_ba_values_init(&ba->next, b, err));
    return vd_ba_system_init(ba, err);
}

vd_status vd_bundle_adjust(vd_bundle *b, const vd_bundle_opt *opt, vd_bundle_report *rep,
                           vd_pool *pool, vd_err *err) {
    vd_status st = VD_OK;
    vd_ba ba = { 0 };
    vd_bundle_report r = { 0 };
    double begun = vd_time_mono_s();
    VD_GO(prepare(&ba, b, opt, pool, err));
    r.n_obs = ba.n_obs;
    r.n_unknowns = ba.n_unknowns + 3 * (int64_t)ba.n_points;
    r.solver = ba.solver;
    if (ba.n_obs > 0) VD_GO(minimise(&ba, &r, err));
    vd_ba_values_store(&ba, b);
    r.total_s = vd_time_mono_s() - begun;
    if (rep != NULL) *rep = r;
done:
    vd_ba_reset(&ba);
    return st;
}

/* Column `i` of the inverse of the reduced system, by six solutions a pose. */
static vd_status pose_covariance(double cov[36], vd_ba *ba, int32_t block) {
    for (int c = 0; c < 6; c++) {
        for (int i = 0; i < ba->n_unknowns; i++) ba->rhs[i] = 0;
        ba->rhs[ba->offset[block] + c] = 1;
        if (ba->solver == VD_SOLVER_DENSE)
            vd_dense_solve(&ba->dense, ba->rhs);
        else
            VD_TRY(vd_sparse_solve(ba->sparse, ba->rhs, NULL));
        for (int r = 0; r < 6; r++) {
            bool held = ba->held[block] >> r & 1 || ba->held[block] >> c & 1;
            cov[6 * r + c] = held ? 0 : ba->rhs[ba->offset[block] + r];
        }
    }
    return VD_OK;
}

vd_status vd_bundle_covariance(double *cov, const vd_bundle *b, const vd_bundle_opt *opt,
                               const int32_t *which, int n, vd_pool *pool, vd_err *err) {
    vd_status st = VD_OK;
    vd_ba ba = { 0 };
    vd_bundle_opt o = opt != NULL ? *opt : (vd_bundle_opt)VD_BUNDLE_OPT;
    double cost, gradient;
    for (int i = 0; i < n; i++)
        if (which[i] < 0 || which[i] >= b->n_poses)
            return vd_fail(err, VD_E_ARG, "bundle: covariance of pose %d of %d", which[i],
                           b->n_poses);
    if (o.solver == VD_SOLVER_PCG) o.solver = VD_SOLVER_AUTO;
    VD_GO(prepare(&ba, b, &o, pool, err));
    if (ba.solver == VD_SOLVER_PCG)
        VD_GO(vd_fail(err, VD_E_LIMIT, "bundle: covariances of %d poses", b->n_poses));
    VD_GO(vd_ba_linearise(&ba, LEAST_DAMPING, &cost, &gradient, err));
    st = vd_ba_solve(&ba, 0, err);
    if (st == VD_E_NUMERIC) vd_fail(err, st, "bundle: the scene does not determine its poses");
    VD_GO(st);
    for (int i = 0; i < n; i++) {
        int32_t block = ba.pose_block[which[i]];
        for (int k = 0; k < 36; k++) cov[36 * (ptrdiff_t)i + k] = 0;
        if (block >= 0) VD_GO(pose_covariance(cov + 36 * (ptrdiff_t)i, &ba, block));
    }
done:
    vd_ba_reset(&ba);
    return st;
}
