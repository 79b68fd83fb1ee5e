/* Dense Cholesky by tiles. SPDX-License-Identifier: Apache-2.0 */
#include "math/cholesky.h"

#include <math.h>
#include <string.h>

#include "base/cpu.h"
#include "base/mem.h"
#include "math/kern.h"

enum { MOST = 30000, TILE_SIZE = VD_TILE * VD_TILE };

/* One step of the factorisation, as its tasks see it. */
typedef struct step {
    vd_dense *d;
    const vd_math_kern *kern;
    int k, tiles; /* row of tiles that is eliminated, of how many */
} step;

vd_status vd_dense_init(vd_dense *d, int n, vd_err *err) {
    if (n < 0 || n > MOST)
        return vd_fail(err, VD_E_LIMIT, "dense matrix: %d unknowns, the limit is %d", n, MOST);
    int pitch = (n + VD_TILE - 1) / VD_TILE * VD_TILE;
    double *a = vd_mem_aligned((size_t)VD_MAX(pitch, 1) * (size_t)pitch * sizeof *a);
    double *packed = vd_mem_aligned((size_t)VD_MAX(pitch, 1) * VD_TILE * sizeof *packed);
    if (a == NULL || packed == NULL) {
        vd_mem_free(a);
        vd_mem_free(packed);
        return vd_nomem(err);
    }
    *d = (vd_dense){ n, pitch, a, packed };
    vd_dense_clear(d);
    return VD_OK;
}

void vd_dense_reset(vd_dense *d) {
    vd_mem_free(d->a);
    vd_mem_free(d->packed);
    *d = (vd_dense){ 0 };
}

void vd_dense_clear(vd_dense *d) {
    memset(d->a, 0, (size_t)d->pitch * (size_t)d->pitch * sizeof *d->a);
    for (int i = d->n; i < d->pitch; i++) d->a[(ptrdiff_t)i * d->pitch + i] = 1;
}

static double *tile_at(const vd_dense *d, int i, int j) {
    return d->a + (ptrdiff_t)i * VD_TILE * d->pitch + j * VD_TILE;
}

static void pack(double *to, const double *from, int pitch) {
    for (int r = 0; r < VD_TILE; r++)
        memcpy(to + r * VD_TILE, from + (ptrdiff_t)r * pitch, VD_TILE * sizeof *to);
}

static void unpack(double *to, const double *from, int pitch) {
    for (int r = 0; r < VD_TILE; r++)
        memcpy(to + (ptrdiff_t)r * pitch, from + r * VD_TILE, VD_TILE * sizeof *to);
}

/* The diagonal tile: U in its upper triangle. False when a pivot is not positive. */
static bool factor_tile(double *a, int pitch) {
    for (int k = 0; k < VD_TILE; k++) {
        double *row = a + (ptrdiff_t)k * pitch, pivot = row[k];
        if (!(pivot > 0) || !isfinite(pivot)) return false;
        double root = sqrt(pivot), inverse = 1 / root;
        row[k] = root;
        for (int j = k + 1; j < VD_TILE; j++) row[j] *= inverse;
        for (int i = k + 1; i < VD_TILE; i++) {
            double f = row[i], *below = a + (ptrdiff_t)i * pitch;
            for (int j = i; j < VD_TILE; j++) below[j] -= f * row[j];
        }
    }
    return true;
}

static vd_status solve_task(void *user, int64_t i, int worker, vd_err *err) {
    const step *s = user;
    int j = s->k + 1 + (int)i;
    double *p = s->d->packed + (ptrdiff_t)j * TILE_SIZE;
    (void)worker;
    (void)err;
    pack(p, tile_at(s->d, s->k, j), s->d->pitch);
    s->kern->tile_solve(p, s->d->packed + (ptrdiff_t)s->k * TILE_SIZE);
    unpack(tile_at(s->d, s->k, j), p, s->d->pitch);
    return VD_OK;
}

/* Rows from both ends are paired, so that every task has about the same number of tiles. */
static vd_status update_task(void *user, int64_t i, int worker, vd_err *err) {
    const step *s = user;
    int left = s->tiles - s->k - 1, rows[2] = { (int)i, left - 1 - (int)i };
    (void)worker;
    (void)err;
    for (int e = 0; e < (rows[0] == rows[1] ? 1 : 2); e++) {
        int r = s->k + 1 + rows[e];
        for (int j = r; j < s->tiles; j++)
            s->kern->tile_update(tile_at(s->d, r, j), s->d->pitch,
                                 s->d->packed + (ptrdiff_t)r * TILE_SIZE,
                                 s->d->packed + (ptrdiff_t)j * TILE_SIZE);
    }
    return VD_OK;
}

vd_status vd_dense_factor(vd_dense *d, vd_pool *pool) {
    step s = { d, vd_math_kern_for(vd_cpu_features()), 0, d->pitch / VD_TILE };
    for (; s.k < s.tiles; s.k++) {
        double *diagonal = tile_at(d, s.k, s.k), *p = d->packed + (ptrdiff_t)s.k * TILE_SIZE;
        int left = s.tiles - s.k - 1;
        if (!factor_tile(diagonal, d->pitch)) return VD_E_NUMERIC;
        pack(p, diagonal, d->pitch);
        for (int i = 0; i < VD_TILE; i++) p[i * VD_TILE + i] = 1 / p[i * VD_TILE + i];
        VD_TRY(vd_pool_for(left > 4 ? pool : NULL, left, solve_task, &s, NULL));
        VD_TRY(vd_pool_for(left > 2 ? pool : NULL, (left + 1) / 2, update_task, &s, NULL));
    }
    return VD_OK;
}

void vd_dense_solve(const vd_dense *d, double *x) {
    for (int i = 0; i < d->n; i++) { /* U^T y = x, by columns of U^T */
        const double *row = d->a + (ptrdiff_t)i * d->pitch;
        double v = x[i] /= row[i];
        for (int j = i + 1; j < d->n; j++) x[j] -= v * row[j];
    }
    for (int i = d->n - 1; i >= 0; i--) {
        const double *row = d->a + (ptrdiff_t)i * d->pitch;
        double v = x[i];
        for (int j = i + 1; j < d->n; j++) v -= row[j] * x[j];
        x[i] = v / row[i];
    }
}
