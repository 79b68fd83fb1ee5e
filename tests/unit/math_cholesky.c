/* Dense and sparse Cholesky against the definition. SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "base/mem.h"
#include "base/pool.h"
#include "math/cholesky.h"
#include "math/sparse.h"

/* A = G G^T + I with G random lower triangular inside a band: positive definite, sparse. */
static double *random_spd(t_case *t, int n, int band) {
    double *a = vd_mem_array((size_t)n * (size_t)n, sizeof *a),
           *g = vd_mem_array((size_t)n * (size_t)n, sizeof *g);
    vd_rng r = t_rng(t);
    for (int i = 0; i < n; i++)
        for (int j = VD_MAX(0, i - band); j <= i; j++) g[i * n + j] = vd_rng_normal(&r);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            for (int k = 0; k <= VD_MIN(i, j); k++) a[i * n + j] += g[i * n + k] * g[j * n + k];
            a[i * n + j] += i == j;
        }
    vd_mem_free(g);
    return a;
}

/* The largest |A x - b|. */
static double residual(const double *a, const double *x, const double *b, int n) {
    double worst = 0;
    for (int i = 0; i < n; i++) {
        double v = -b[i];
        for (int j = 0; j < n; j++) v += a[i * n + j] * x[j];
        worst = fmax(worst, fabs(v));
    }
    return worst;
}

T(dense_solves_any_size) {
    const int size[] = { 1, 2, 6, 47, 48, 49, 96, 131, 300 };
    vd_err err = { 0 };
    vd_pool *pool = NULL;
    T_OK(vd_pool_new(&pool, 3, &err));
    for (int s = 0; s < VD_COUNT(size); s++) {
        int n = size[s];
        double *a = random_spd(t, n, n), *x = vd_mem_array((size_t)n, sizeof *x),
               *b = vd_mem_array((size_t)n, sizeof *b);
        vd_dense d = { 0 };
        vd_rng r = t_rng(t);
        T_OK(vd_dense_init(&d, n, &err));
        for (int i = 0; i < n; i++) {
            x[i] = b[i] = vd_rng_normal(&r);
            memcpy(d.a + (ptrdiff_t)i * d.pitch, a + i * n, (size_t)n * sizeof *a);
        }
        T_EQ(vd_dense_factor(&d, pool), VD_OK);
        vd_dense_solve(&d, x);
        T_LT(residual(a, x, b, n), 1e-9);
        vd_dense_reset(&d);
        vd_mem_free(a);
        vd_mem_free(b);
        vd_mem_free(x);
    }
    vd_pool_free(pool);
}

T(dense_does_not_depend_on_threads_or_cpu) {
    enum { N = 400 };
    const struct {
        int jobs;
        const char *cpu;
    } c[] = { { 1, "c" }, { 1, "native" }, { 2, "avx2" }, { 8, "native" } };
    double *a = random_spd(t, N, N), first[N], x[N];
    vd_err err = { 0 };
    for (int i = 0; i < VD_COUNT(c); i++) {
        vd_pool *pool = NULL;
        vd_dense d = { 0 };
        setenv("VIDIMUS_CPU", c[i].cpu, 1);
        T_OK(vd_pool_new(&pool, c[i].jobs, &err));
        T_OK(vd_dense_init(&d, N, &err));
        for (int k = 0; k < N; k++) {
            x[k] = k;
            memcpy(d.a + (ptrdiff_t)k * d.pitch, a + k * N, N * sizeof *a);
        }
        T_EQ(vd_dense_factor(&d, pool), VD_OK);
        vd_dense_solve(&d, x);
        if (i == 0) memcpy(first, x, sizeof x);
        T_TRUE(memcmp(first, x, sizeof x) == 0);
        vd_dense_reset(&d);
        vd_pool_free(pool);
    }
    unsetenv("VIDIMUS_CPU");
    vd_mem_free(a);
}

T(an_indefinite_matrix_is_refused) {
    vd_err err = { 0 };
    const double bad[] = { -1, 0, NAN, INFINITY };
    for (int i = 0; i < VD_COUNT(bad); i++) {
        vd_dense d = { 0 };
        T_OK(vd_dense_init(&d, 60, &err));
        for (int k = 0; k < 60; k++) d.a[k * d.pitch + k] = 1;
        d.a[55 * d.pitch + 55] = bad[i];
        T_EQ(vd_dense_factor(&d, NULL), VD_E_NUMERIC);
        vd_dense_reset(&d);
    }
    vd_dense d = { 0 };
    T_EQ(vd_dense_init(&d, 1 << 20, &err), VD_E_LIMIT);
}

T(sparse_solves_and_refuses) {
    enum { N = 200, BAND = 7 };
    vd_err err = { 0 };
    if (!vd_sparse_available()) T_SKIP("no CHOLMOD");
    double *a = random_spd(t, N, BAND), x[N], b[N];
    int32_t start[N + 1] = { 0 }, *row = vd_mem_array((size_t)N * (BAND + 1), sizeof *row);
    for (int j = 0; j < N; j++) {
        start[j + 1] = start[j];
        for (int i = VD_MAX(0, j - BAND); i <= j; i++) row[start[j + 1]++] = i;
    }
    vd_sparse *s = NULL;
    T_OK(vd_sparse_new(&s, N, start, row, &err));
    for (int round = 0; round < 2; round++) {
        for (int j = 0; j < N; j++)
            for (int k = start[j]; k < start[j + 1]; k++)
                vd_sparse_values(s)[k] = a[row[k] * N + j];
        T_OK(vd_sparse_factor(s, &err));
        for (int i = 0; i < N; i++) x[i] = b[i] = i + round;
        T_OK(vd_sparse_solve(s, x, &err));
        T_LT(residual(a, x, b, N), 1e-8);
        T_TRUE(vd_sparse_fill(s) >= start[N]);
    }
    vd_sparse_values(s)[start[101] - 1] = -5; /* the diagonal of column 100 */
    T_EQ(vd_sparse_factor(s, &err), VD_E_NUMERIC);
    vd_sparse_free(s);
    vd_mem_free(row);
    vd_mem_free(a);
}

T(every_refused_allocation_is_survived) {
    const int32_t start[] = { 0, 1, 3 }, row[] = { 0, 0, 1 };
    for (int n = 0, hit = 1; hit && n < 20; n++) {
        vd_err err = { 0 };
        vd_dense d = { 0 };
        vd_sparse *s = NULL;
        int64_t before = vd_mem_live();
        vd_mem_fail_at(n, true);
        vd_status st = vd_dense_init(&d, 5, &err);
        if (st == VD_OK && vd_sparse_available()) st = vd_sparse_new(&s, 2, start, row, &err);
        hit = vd_mem_fail_clear();
        T_EQ(st, hit ? VD_E_NOMEM : VD_OK);
        vd_sparse_free(s);
        vd_dense_reset(&d);
        T_EQ(vd_mem_live(), before);
    }
}
