/* Global positioning: the loop, its memory. SPDX-License-Identifier: Apache-2.0 */
#include "global/positions.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "global/positions_int.h"

enum { STREAM_CENTRE = 0x706f73, STREAM_POINT };
enum { LOOK = 3 };             /* steps taken, after which the cost must have fallen */
enum { LAST_ITERATIONS = 20 }; /* with the loss that lets go: adjustment does the rest */
static const double FIRST_LAMBDA = 1e-4, LEAST_LAMBDA = 1e-10, MOST_LAMBDA = 1e8;
static const double ROUNDING = 1e-7; /* a step that is worse by less found nothing to do */

static vd_status check(const vd_positioning *p, vd_err *err) {
    for (int64_t k = 0; k < p->n_obs; k++) {
        const vd_position_obs *o = &p->obs[k];
        const double *r = o->ray;
        if (o->camera < 0 || o->camera >= p->n_cameras || o->point < 0 || o->point >= p->n_points)
            return vd_fail(err, VD_E_ARG, "positions: observation %lld is of camera %d, point %d",
                           (long long)k, o->camera, o->point);
        if (k > 0 && o->point < p->obs[k - 1].point)
            return vd_fail(err, VD_E_ARG, "positions: observation %lld is not sorted by point",
                           (long long)k);
        if (!(fabs(r[0] * r[0] + r[1] * r[1] + r[2] * r[2] - 1) < 1e-6))
            return vd_fail(err, VD_E_ARG, "positions: ray %lld is not of unit length",
                           (long long)k);
    }
    return VD_OK;
}

static vd_status allocate(vd_positioning *p, vd_err *err) {
    size_t n = (size_t)p->n_cameras, m = (size_t)p->n_points, o = (size_t)p->n_obs;
    p->scale = vd_mem_alloc(o * sizeof(double));
    p->next_centre = vd_mem_alloc(n * 3 * sizeof(double));
    p->next_point = vd_mem_alloc(m * 3 * sizeof(double));
    p->next_scale = vd_mem_alloc(o * sizeof(double));
    p->sight = vd_mem_alloc(o * sizeof *p->sight);
    p->inverse = vd_mem_alloc(m * 6 * sizeof(double));
    p->pull = vd_mem_alloc(m * 3 * sizeof(double));
    p->rhs = vd_mem_alloc(n * 3 * sizeof(double));
    p->part = vd_mem_alloc(((size_t)vd_position_pieces(p) + 1) * sizeof(double));
    p->of_point = vd_mem_array(m + 1, sizeof *p->of_point);
    p->of_camera = vd_mem_array(n + 2, sizeof *p->of_camera);
    p->seen = vd_mem_alloc(o * sizeof *p->seen);
    return p->scale != NULL && p->next_centre != NULL && p->next_point != NULL &&
                   p->next_scale != NULL && p->sight != NULL && p->inverse != NULL &&
                   p->pull != NULL && p->rhs != NULL && p->part != NULL && p->of_point != NULL &&
                   p->of_camera != NULL && p->seen != NULL
               ? VD_OK
               : vd_nomem(err);
}

static void reset(vd_positioning *p) {
    void *const all[] = { p->scale, p->next_centre, p->next_point, p->next_scale,
                          p->sight, p->inverse,     p->pull,       p->rhs,
                          p->part,  p->of_point,    p->of_camera,  p->seen };
    for (int i = 0; i < VD_COUNT(all); i++) vd_mem_free(all[i]);
    vd_system_reset(&p->system);
}

static void list(vd_positioning *p) {
    for (int64_t k = 0; k < p->n_obs; k++) {
        p->of_point[p->obs[k].point + 1]++;
        p->of_camera[p->obs[k].camera + 2]++;
    }
    for (int32_t i = 0; i < p->n_points; i++) p->of_point[i + 1] += p->of_point[i];
    for (int32_t i = 0; i < p->n_cameras; i++) p->of_camera[i + 2] += p->of_camera[i + 1];
    for (int64_t k = 0; k < p->n_obs; k++) p->seen[p->of_camera[p->obs[k].camera + 1]++] = k;
}

/* Cameras that see a point together are joined. */
static vd_status make_system(vd_positioning *p, vd_err *err) {
    int64_t n = 0, at = 0;
    for (int32_t i = 0; i < p->n_points; i++) {
        int64_t t = p->of_point[i + 1] - p->of_point[i];
        n += t * (t - 1) / 2;
    }
    int32_t(*pair)[2] = vd_mem_alloc((size_t)VD_MAX(n, 1) * sizeof *pair);
    if (pair == NULL) return vd_nomem(err);
    for (int32_t i = 0; i < p->n_points; i++)
        for (int64_t a = p->of_point[i]; a < p->of_point[i + 1]; a++)
            for (int64_t b = p->of_point[i]; b < a; b++, at++) {
                pair[at][0] = p->obs[a].camera;
                pair[at][1] = p->obs[b].camera;
            }
    vd_status st = vd_system_init(&p->system, p->n_cameras, 3, (const int32_t(*)[2])pair, n, err);
    vd_mem_free(pair);
    return st;
}

/* Anywhere in a cube: see the paper why that will do. */
static void scatter(vd_positioning *p, uint64_t seed) {
    for (int32_t i = 0; i < p->n_cameras; i++) {
        vd_rng r = vd_rng_for(seed, STREAM_CENTRE, (uint64_t)i);
        for (int k = 0; k < 3; k++) p->centre[3 * (ptrdiff_t)i + k] = vd_rng_range(&r, -1, 1);
    }
    for (int32_t i = 0; i < p->n_points; i++) {
        vd_rng r = vd_rng_for(seed, STREAM_POINT, (uint64_t)i);
        for (int k = 0; k < 3; k++) p->point[3 * (ptrdiff_t)i + k] = vd_rng_range(&r, -1, 1);
    }
    for (int64_t k = 0; k < p->n_obs; k++) p->scale[k] = 1;
}

static void take_next(vd_positioning *p) {
    memcpy(p->centre, p->next_centre, (size_t)p->n_cameras * 3 * sizeof(double));
    memcpy(p->point, p->next_point, (size_t)p->n_points * 3 * sizeof(double));
    double *t = p->scale;
    p->scale = p->next_scale;
    p->next_scale = t;
}

/* Until the cost stands still; the damping follows how well steps do. Whether it does is looked at
 * over several steps, since some go nowhere. */
static vd_status descend(vd_positioning *p, const vd_position_opt *opt, double *first, double *last,
                         int *iterations, vd_pool *pool, vd_err *err) {
    double cost, next, mark = INFINITY;
    p->lambda = FIRST_LAMBDA;
    VD_TRY(vd_position_cost(p, p->centre, p->point, p->scale, &cost, pool, err));
    *first = cost;
    for (int i = 0, taken = 0; i < opt->max_iterations && p->lambda < MOST_LAMBDA; i++) {
        bool solved;
        VD_TRY(vd_position_step(p, &solved, pool, err));
        ++*iterations;
        if (solved)
            VD_TRY(vd_position_cost(p, p->next_centre, p->next_point, p->next_scale, &next, pool,
                                    err));
        if (!solved || !(next < cost)) {
            if (solved && next <= cost * (1 + ROUNDING)) break;
            p->lambda *= 8;
            continue;
        }
        take_next(p);
        cost = next;
        p->lambda = fmax(p->lambda / 4, LEAST_LAMBDA);
        if (++taken % LOOK != 0) continue;
        if (cost > mark * (1 - opt->tolerance)) break;
        mark = cost;
    }
    *last = cost;
    return VD_OK;
}

static int64_t count_behind(const vd_positioning *p) {
    int64_t n = 0;
    for (int64_t k = 0; k < p->n_obs; k++) {
        const double *x = p->point + 3 * (ptrdiff_t)p->obs[k].point,
                     *c = p->centre + 3 * (ptrdiff_t)p->obs[k].camera, *v = p->obs[k].ray;
        n += v[0] * (x[0] - c[0]) + v[1] * (x[1] - c[1]) + v[2] * (x[2] - c[2]) <= 0;
    }
    return n;
}

vd_status vd_positions_find(double *centre, int32_t n_cameras, double *point, int32_t n_points,
                            const vd_position_obs *obs, int64_t n_obs, const vd_position_opt *opt,
                            vd_position_report *rep, vd_pool *pool, vd_err *err) {
    vd_status st = VD_OK;
    vd_position_opt o = opt != NULL ? *opt : (vd_position_opt)VD_POSITION_OPT;
    vd_position_report r = { 0 };
    vd_positioning p = { .centre = centre,
                         .point = point,
                         .n_cameras = n_cameras,
                         .n_points = n_points,
                         .obs = obs,
                         .n_obs = n_obs };
    double unused;
    if (n_cameras < 0 || n_points < 0 || n_obs < 0 || !(o.loss > 0))
        return vd_fail(err, VD_E_ARG, "positions: a count is negative");
    VD_TRY(check(&p, err));
    VD_GO(allocate(&p, err));
    list(&p);
    VD_GO(make_system(&p, err));
    scatter(&p, o.seed);
    p.loss = o.loss;
    VD_GO(descend(&p, &o, &r.first_cost, &r.last_cost, &r.iterations, pool, err));
    if (o.last_loss > 0) {
        p.loss = o.last_loss;
        p.cauchy = true;
        o.max_iterations = VD_MIN(o.max_iterations, LAST_ITERATIONS);
        VD_GO(descend(&p, &o, &unused, &unused, &r.iterations, pool, err));
    }
    r.first_cost /= (double)VD_MAX(n_obs, 1);
    r.last_cost /= (double)VD_MAX(n_obs, 1);
    r.behind = count_behind(&p);
    if (rep != NULL) *rep = r;
done:
    reset(&p);
    return st;
}
