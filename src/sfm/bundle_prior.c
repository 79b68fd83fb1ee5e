/* Position priors, and the gauge: what is held where nothing else says where the scene lies.
 * SPDX-License-Identifier: Apache-2.0
 *
 * The centre is C = -R^T t, so dC = R^T (w x t) - R^T d. */
#include "sfm/bundle_int.h"

/* e = A (C - position). */
static void prior_error(double e[3], const vd_bundle_prior *p, const vd_ba_values *v) {
    const double *m = v->pose[p->pose], *a = p->root_information;
    double c[3];
    for (int i = 0; i < 3; i++)
        c[i] = -(m[i] * m[9] + m[3 + i] * m[10] + m[6 + i] * m[11]) - p->position[i];
    for (int i = 0; i < 3; i++) e[i] = a[3 * i] * c[0] + a[3 * i + 1] * c[1] + a[3 * i + 2] * c[2];
}

/* d e / d (w, d), 3 x 6. */
static void prior_jacobian(double j[18], const vd_bundle_prior *p, const vd_ba_values *v) {
    const double *m = v->pose[p->pose], *a = p->root_information, *t = m + 9;
    for (int i = 0; i < 3; i++) {
        double b[3]; /* row i of A R^T */
        for (int c = 0; c < 3; c++)
            b[c] = a[3 * i] * m[3 * c] + a[3 * i + 1] * m[3 * c + 1] + a[3 * i + 2] * m[3 * c + 2];
        /* b . (w x t) = w . (t x b) */
        j[6 * i] = t[1] * b[2] - t[2] * b[1];
        j[6 * i + 1] = t[2] * b[0] - t[0] * b[2];
        j[6 * i + 2] = t[0] * b[1] - t[1] * b[0];
        for (int c = 0; c < 3; c++) j[6 * i + 3 + c] = -b[c];
    }
}

static double square_of(const double e[3]) {
    return e[0] * e[0] + e[1] * e[1] + e[2] * e[2];
}

static int loss_of(const vd_ba *ba) {
    return ba->opt.prior_scale > 0 ? VD_LOSS_CAUCHY : VD_LOSS_NONE;
}

/* e and, unless it is NULL, j with the weight of the loss. False for a pose that stands still. */
static bool weighed(double e[3], double *j, const vd_ba *ba, const vd_bundle_prior *p) {
    if (ba->pose_block[p->pose] < 0) return false;
    prior_error(e, p, &ba->now);
    prior_jacobian(j, p, &ba->now);
    double scale = ba->opt.prior_scale,
           w = scale > 0 ? 1 / sqrt(1 + square_of(e) / (scale * scale)) : 1;
    for (int i = 0; i < 3; i++) e[i] *= w;
    for (int i = 0; i < 18; i++) {
        j[i] *= w;
        if (ba->held[ba->pose_block[p->pose]] >> i % 6 & 1) j[i] = 0;
    }
    return true;
}

double vd_ba_prior_cost(const vd_ba *ba, const vd_ba_values *v) {
    double cost = 0, e[3];
    for (int32_t i = 0; i < ba->in->n_priors; i++) {
        prior_error(e, &ba->in->prior[i], v);
        cost += 0.5 * vd_ba_loss(loss_of(ba), ba->opt.prior_scale, square_of(e));
    }
    return cost;
}

void vd_ba_prior_linearise(vd_ba *ba, vd_ba_system *s) {
    double e[3], j[18];
    for (int32_t i = 0; i < ba->in->n_priors; i++) {
        if (!weighed(e, j, ba, &ba->in->prior[i])) continue;
        int32_t block = ba->pose_block[ba->in->prior[i].pose];
        double *u = s->block + (ptrdiff_t)ba->own[block][0] * VD_BA_BLOCK;
        double *g = s->g + (ptrdiff_t)block * VD_BA_ROW,
               *d = s->diagonal + (ptrdiff_t)block * VD_BA_ROW;
        for (int k = 0; k < 3; k++)
            for (int r = 0; r < 6; r++) {
                g[r] += j[6 * k + r] * e[k];
                d[r] += j[6 * k + r] * j[6 * k + r];
                for (int c = 0; c < 6; c++) u[VD_BA_ROW * r + c] += j[6 * k + r] * j[6 * k + c];
            }
    }
}

double vd_ba_prior_model(const vd_ba *ba) {
    double change = 0, e[3], j[18];
    for (int32_t i = 0; i < ba->in->n_priors; i++) {
        if (!weighed(e, j, ba, &ba->in->prior[i])) continue;
        const double *d = ba->step + (ptrdiff_t)ba->pose_block[ba->in->prior[i].pose] * VD_BA_ROW;
        for (int k = 0; k < 3; k++) {
            double u = 0;
            for (int c = 0; c < 6; c++) u += j[6 * k + c] * d[c];
            change += 0.5 * u * (2 * e[k] + u);
        }
    }
    return change;
}

static vd_vec3 centre_of(const vd_bundle *b, int32_t pose) {
    return vd_rigid_centre(b->pose[pose]);
}

/* Holds the largest component of the baseline from `base` to the moving pose farthest from it. */
static void hold_scale(vd_ba *ba, int32_t base) {
    const vd_bundle *b = ba->in;
    vd_vec3 from = centre_of(b, base), line = { 0, 0, 0 };
    double most = 0;
    int32_t far = -1;
    for (int32_t i = 0; i < b->n_poses; i++) {
        if (ba->pose_block[i] < 0 || i == base) continue;
        vd_vec3 v = vd_v3_sub(centre_of(b, i), from);
        if (vd_v3_norm(v) <= most) continue;
        most = vd_v3_norm(v);
        line = vd_quat_rotate(b->pose[i].q, v);
        far = i;
    }
    if (far < 0) return;
    double x = fabs(line.x), y = fabs(line.y), z = fabs(line.z);
    int axis = x >= y && x >= z ? 0 : y >= z ? 1 : 2;
    ba->held[ba->pose_block[far]] = (uint8_t)(8 << axis);
}

void vd_ba_fix_gauge(vd_ba *ba) {
    const vd_bundle *b = ba->in;
    int32_t first = -1, constant = -1, n_constant = 0;
    if (ba->opt.gauge == VD_GAUGE_FREE || b->n_priors > 0) return;
    for (int32_t i = 0; i < ba->n_points; i++)
        if (b->point_constant != NULL && b->point_constant[ba->point[i]]) return;
    for (int64_t i = 0; i < ba->n_obs; i++) {
        int32_t p = ba->pose[i];
        if (ba->pose_block[p] >= 0 || p == constant) continue;
        constant = p;
        n_constant++;
    }
    if (n_constant > 1) return;
    for (int32_t i = 0; i < b->n_poses && first < 0; i++)
        if (ba->pose_block[i] >= 0) first = i;
    if (first < 0) return;
    if (n_constant == 0) ba->held[ba->pose_block[first]] = 63;
    hold_scale(ba, n_constant == 0 ? first : constant);
}
