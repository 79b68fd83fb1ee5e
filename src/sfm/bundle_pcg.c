/* Conjugate gradients on the reduced system without forming it. SPDX-License-Identifier: Apache-2.0
 *
 * S x = (U + damping) x - sum over points of T (T^T x), preconditioned by the inverse of S's
 * diagonal blocks. T is kept in single precision: the system is solved to a tenth of a percent or
 * so, and what decides about a step is computed from the Jacobians themselves.
 *
 * [Agarwal et al. 2010] Bundle adjustment in the large; the stopping rule is theirs, from [Nash and
 * Sofer 1990]: stop when k (Q_k - Q_(k-1)) / Q_k < eta, Q being the quadratic model. */
#include <string.h>

#include "base/mem.h"
#include "sfm/bundle_int.h"

enum { MOST_ITERATIONS = 500, POINT_GROUPS = 16 };
static const double ETA = 0.01;

typedef struct product {
    vd_ba *ba;
    const double *x;
    double *part; /* [POINT_GROUPS][n] */
    int64_t n;
} product;

vd_status vd_ba_pcg_init(vd_ba *ba, vd_err *err) {
    size_t n = (size_t)VD_MAX(ba->n_blocks, 1) * VD_BA_ROW;
    ba->t = vd_mem_aligned((size_t)VD_MAX(ba->entry_start[ba->n_points], 1) * VD_BA_ENTRY *
                           sizeof *ba->t);
    ba->precondition = vd_mem_aligned(n * VD_BA_ROW * sizeof *ba->precondition);
    ba->work = vd_mem_aligned(n * (POINT_GROUPS + 4) * sizeof *ba->work);
    return ba->t != NULL && ba->precondition != NULL && ba->work != NULL ? VD_OK : vd_nomem(err);
}

/* U = L L^T of 8 x 8 in place, lower triangle. */
static bool factor_block(double *a) {
    for (int k = 0; k < VD_BA_ROW; k++) {
        for (int j = 0; j < k; j++) a[9 * k] -= a[8 * k + j] * a[8 * k + j];
        if (!(a[9 * k] > 0)) return false;
        a[9 * k] = sqrt(a[9 * k]);
        for (int i = k + 1; i < VD_BA_ROW; i++) {
            for (int j = 0; j < k; j++) a[8 * i + k] -= a[8 * i + j] * a[8 * k + j];
            a[8 * i + k] /= a[9 * k];
        }
    }
    return true;
}

/* Adds the damping to U, and factors the diagonal blocks of S. */
static bool prepare(vd_ba *ba, double lambda) {
    vd_ba_system *s = &ba->sums[0].system;
    for (int32_t b = 0; b < ba->n_blocks; b++) {
        double *u = s->block + (ptrdiff_t)ba->own[b][0] * VD_BA_BLOCK;
        const double *t = s->block + (ptrdiff_t)ba->at[b] * VD_BA_BLOCK;
        double *m = ba->precondition + (ptrdiff_t)b * VD_BA_BLOCK;
        for (int i = 0; i < VD_BA_ROW; i++) {
            double d = s->diagonal[(ptrdiff_t)b * VD_BA_ROW + i];
            u[9 * i] = d > 0 ? u[9 * i] + vd_ba_damping(d, lambda) : 1;
        }
        for (int i = 0; i < VD_BA_BLOCK; i++) m[i] = u[i] + t[i];
        if (factor_block(m)) continue;
        memcpy(m, u, VD_BA_BLOCK * sizeof *m); /* rounding: U alone will do */
        if (!factor_block(m)) return false;
    }
    return true;
}

static void precondition(const vd_ba *ba, double *z, const double *r) {
    for (int32_t b = 0; b < ba->n_blocks; b++) {
        const double *m = ba->precondition + (ptrdiff_t)b * VD_BA_BLOCK;
        double v[VD_BA_ROW];
        for (int i = 0; i < VD_BA_ROW; i++) {
            v[i] = r[(ptrdiff_t)b * VD_BA_ROW + i];
            for (int j = 0; j < i; j++) v[i] -= m[8 * i + j] * v[j];
            v[i] /= m[9 * i];
        }
        for (int i = VD_BA_ROW - 1; i >= 0; i--) {
            for (int j = i + 1; j < VD_BA_ROW; j++) v[i] -= m[8 * j + i] * v[j];
            v[i] /= m[9 * i];
            z[(ptrdiff_t)b * VD_BA_ROW + i] = v[i];
        }
    }
}

static vd_status points_task(void *user, int64_t g, int worker, vd_err *err) {
    const product *w = user;
    const vd_ba *ba = w->ba;
    double *z = w->part + g * w->n;
    int64_t begin = g * ba->n_points / POINT_GROUPS, end = (g + 1) * ba->n_points / POINT_GROUPS;
    (void)worker;
    (void)err;
    memset(z, 0, (size_t)w->n * sizeof *z);
    for (int64_t p = begin; p < end; p++) {
        double y[3] = { 0 };
        for (int64_t e = ba->entry_start[p]; e < ba->entry_start[p + 1]; e++)
            ba->kern->gather(y, ba->t + e * VD_BA_ENTRY,
                             w->x + (ptrdiff_t)ba->entry[e] * VD_BA_ROW);
        for (int64_t e = ba->entry_start[p]; e < ba->entry_start[p + 1]; e++)
            ba->kern->scatter(z + (ptrdiff_t)ba->entry[e] * VD_BA_ROW, ba->t + e * VD_BA_ENTRY, y);
    }
    return VD_OK;
}

/* z += B x and, for a block beside the diagonal, zt += B^T xt. */
static void times_block(const double *b, double *z, const double *x, double *zt, const double *xt) {
    for (int i = 0; i < VD_BA_ROW; i++)
        for (int j = 0; j < VD_BA_ROW; j++) {
            z[i] += b[VD_BA_ROW * i + j] * x[j];
            if (zt != NULL) zt[j] += b[VD_BA_ROW * i + j] * xt[i];
        }
}

static void times_u(const vd_ba *ba, double *z, const double *x) {
    const double *blocks = ba->sums[0].system.block;
    memset(z, 0, (size_t)ba->n_blocks * VD_BA_ROW * sizeof *z);
#define AT(v, b) ((v) + (ptrdiff_t)(b)*VD_BA_ROW)
    for (int32_t b = 0; b < ba->n_blocks; b++)
        times_block(blocks + (ptrdiff_t)ba->own[b][0] * VD_BA_BLOCK, AT(z, b), AT(x, b), NULL,
                    NULL);
    for (int32_t i = 0; i < ba->in->n_poses; i++) {
        const vd_ba_cam *c = &ba->cam[ba->in->pose_camera[i]];
        int32_t a = ba->pose_block[i];
        for (int k = 0; k * VD_BA_ROW < c->n && a >= 0; k++)
            times_block(blocks + (ptrdiff_t)ba->own[a][1 + k] * VD_BA_BLOCK, AT(z, a),
                        AT(x, c->block + k), AT(z, c->block + k), AT(x, a));
    }
    for (int32_t i = 0; i < ba->in->n_cameras; i++) {
        int32_t a = ba->cam[i].block;
        if (ba->cam[i].n > VD_BA_ROW)
            times_block(blocks + (ptrdiff_t)ba->own[a][1] * VD_BA_BLOCK, AT(z, a), AT(x, a + 1),
                        AT(z, a + 1), AT(x, a));
    }
#undef AT
}

/* z = S x. */
static vd_status times_s(vd_ba *ba, double *z, const double *x, double *part, vd_err *err) {
    product w = { ba, x, part, (int64_t)ba->n_blocks * VD_BA_ROW };
    VD_TRY(vd_pool_for(ba->pool, POINT_GROUPS, points_task, &w, err));
    times_u(ba, z, x);
    for (int g = 0; g < POINT_GROUPS; g++)
        for (int64_t i = 0; i < w.n; i++) z[i] += part[g * w.n + i];
    return VD_OK;
}

static double dot(const double *a, const double *b, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

vd_status vd_ba_pcg(vd_ba *ba, double lambda, vd_err *err) {
    int64_t n = (int64_t)ba->n_blocks * VD_BA_ROW;
    double *x = ba->step, *r = ba->work, *z = r + n, *p = z + n, *sp = p + n, *part = sp + n;
    const double *b = ba->sums[0].system.b;
    if (!prepare(ba, lambda)) return VD_E_NUMERIC;
    memset(x, 0, (size_t)n * sizeof *x);
    for (int64_t i = 0; i < n; i++) r[i] = -b[i];
    precondition(ba, z, r);
    memcpy(p, z, (size_t)n * sizeof *p);
    double rz = dot(r, z, n), model = 0;
    for (int k = 1; k <= MOST_ITERATIONS && rz > 0; k++) {
        VD_TRY(times_s(ba, sp, p, part, err));
        double curve = dot(p, sp, n);
        if (!(curve > 0)) return k > 1 ? VD_OK : VD_E_NUMERIC;
        double alpha = rz / curve;
        for (int64_t i = 0; i < n; i++) {
            x[i] += alpha * p[i];
            r[i] -= alpha * sp[i];
        }
        double gain = 0.5 * alpha * rz; /* by which this iteration lowered the model */
        model += gain;
        if (k * gain < ETA * model) break;
        precondition(ba, z, r);
        double before = rz;
        rz = dot(r, z, n);
        for (int64_t i = 0; i < n; i++) p[i] = z[i] + rz / before * p[i];
    }
    return VD_OK;
}
