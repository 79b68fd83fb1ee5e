/* Descriptor matching against the definition, in double precision and one pair at a time.
 * SPDX-License-Identifier: Apache-2.0 */
#include "t.h"

#include "base/mem.h"
#include "feature/match.h"

enum { DIM = VD_SIFT_DIM };

/* n descriptors of norm 512, the first `copies` of them noisy copies of those of `from`. */
static uint8_t *some_descriptors(vd_rng *r, int n, const uint8_t *from, int copies, double noise) {
    uint8_t *d = vd_mem_alloc((size_t)n * DIM);
    for (int i = 0; d != NULL && i < n; i++) {
        double v[DIM], sum = 0;
        for (int k = 0; k < DIM; k++) {
            v[k] = i < copies ? fabs(from[i * DIM + k] + noise * vd_rng_normal(r))
                              : pow(vd_rng_f64(r), 2);
            sum += v[k] * v[k];
        }
        for (int k = 0; k < DIM; k++) {
            long q = lrint(512 * v[k] / sqrt(sum));
            d[i * DIM + k] = (uint8_t)VD_MIN(q, 255);
        }
    }
    return d;
}

static long product(const uint8_t *a, const uint8_t *b) {
    long s = 0;
    for (int k = 0; k < DIM; k++) s += (long)a[k] * b[k];
    return s;
}

/* The best of row i by the definition, or -1; `swap`: of column i. `allowed` may be NULL. */
static int slow_best(const uint8_t *da, const uint8_t *db, int na, int nb, int i, bool swap,
                     const vd_match_opt *o, const uint8_t *allowed) {
    long best = -1, second = -1;
    int at = -1, n = swap ? na : nb;
    for (int j = 0; j < n; j++) {
        int a = swap ? j : i, b = swap ? i : j;
        if (allowed != NULL && !allowed[a * nb + b]) continue;
        long s = product(da + a * DIM, db + b * DIM);
        if (s > best) {
            second = best;
            best = s;
            at = j;
        } else if (s > second) {
            second = s;
        }
    }
    if (at < 0 || (double)best / (512 * 512) < cos(o->max_distance_rad)) return -1;
    if (o->ratio < 1 && second >= 0) {
        double d1 = VD_MAX(512 * 512 - best, 0), d2 = VD_MAX(512 * 512 - second, 0);
        if (!(sqrt(d1) < o->ratio * sqrt(d2))) return -1;
    }
    return at;
}

static int compare_all(t_case *t, const uint8_t *da, int na, const uint8_t *db, int nb,
                       const vd_match_opt *o, const uint8_t *allowed, const vd_match *m, int n) {
    int k = 0;
    for (int i = 0; i < na; i++) {
        int j = slow_best(da, db, na, nb, i, false, o, allowed);
        if (j >= 0 && o->cross_check && slow_best(da, db, na, nb, j, true, o, allowed) != i) j = -1;
        if (j < 0) continue;
        if (k >= n || m[k].a != i || m[k].b != j) T_FAIL("match %d is not %d-%d", k, i, j);
        k++;
    }
    T_EQ(n, k);
    return k;
}

T(pairs_are_those_of_the_definition) {
    const struct {
        int na, nb;
        double ratio, angle;
        bool cross;
    } c[] = { { 300, 270, 0.8, 0.7, true }, { 300, 270, 0.8, 0.7, false },
              { 150, 301, 1.0, 0.9, true }, { 150, 301, 0.95, 1.5, false },
              { 1, 1, 0.8, 0.7, true },     { 1, 200, 0.8, 0.7, true },
              { 65, 64, 0.6, 0.3, true },   { 100, 100, 1.0, 1.57, false } };
    const char *const cpus[] = { "c", "avx2", "avx512", "native" };
    vd_rng r = t_rng(t);
    vd_err err = { 0 };
    for (int i = 0; i < VD_COUNT(c); i++) {
        uint8_t *da = some_descriptors(&r, c[i].na, NULL, 0, 0),
                *db = some_descriptors(&r, c[i].nb, da, VD_MIN(c[i].na, c[i].nb) / 2, 18);
        T_NEED(da != NULL && db != NULL);
        for (int k = 0; k < VD_COUNT(cpus); k++) {
            vd_match_opt o = { c[i].ratio, c[i].angle, c[i].cross, 0, 0 };
            vd_match_work *w = NULL;
            vd_match *m = NULL;
            int n = 0;
            setenv("VIDIMUS_CPU", cpus[k], 1);
            T_OK(vd_match_work_new(&w, &err));
            T_OK(vd_match_pair(&m, &n, da, c[i].na, db, c[i].nb, &o, w, &err));
            int found = compare_all(t, da, c[i].na, db, c[i].nb, &o, NULL, m, n);
            if (i == 0) T_TRUE(found > 100);
            vd_mem_free(m);
            vd_match_work_free(w);
        }
        vd_mem_free(da);
        vd_mem_free(db);
    }
    unsetenv("VIDIMUS_CPU");
}

T(a_probe_stops_hopeless_pairs_only) {
    enum { N = 400 };
    vd_rng r = t_rng(t);
    vd_err err = { 0 };
    uint8_t *da = some_descriptors(&r, N, NULL, 0, 0), *like = some_descriptors(&r, N, da, 300, 10),
            *other = some_descriptors(&r, N, NULL, 0, 0);
    vd_match_opt o = VD_MATCH_OPT, p = VD_MATCH_OPT;
    vd_match_work *w = NULL;
    vd_match *m = NULL, *q = NULL;
    int n = 0, k = 0;
    p.probe = 100;
    p.probe_least = 4;
    T_NEED(da != NULL && like != NULL && other != NULL);
    T_OK(vd_match_work_new(&w, &err));
    T_OK(vd_match_pair(&m, &n, da, N, like, N, &o, w, &err));
    T_OK(vd_match_pair(&q, &k, da, N, like, N, &p, w, &err));
    T_TRUE(n == k && n > 250 && memcmp(m, q, (size_t)n * sizeof *m) == 0);
    vd_mem_free(q);
    T_OK(vd_match_pair(&q, &k, da, N, other, N, &p, w, &err));
    T_TRUE(k == 0 && q == NULL);
    vd_mem_free(m);
    vd_mem_free(da);
    vd_mem_free(like);
    vd_mem_free(other);
    vd_match_work_free(w);
}

/* Distance of (x, y) from the line m (u, v, 1). */
static double line_distance(const double m[9], bool transposed, const float *from, const float *x) {
    double l[3];
    for (int i = 0; i < 3; i++)
        l[i] = transposed ? m[i] * from[0] + m[3 + i] * from[1] + m[6 + i]
                          : m[3 * i] * from[0] + m[3 * i + 1] * from[1] + m[3 * i + 2];
    return fabs(l[0] * x[0] + l[1] * x[1] + l[2]) / hypot(l[0], l[1]);
}

static bool satisfied(const vd_guide *g, const float *a, const float *b) {
    if (g->kind == VD_GUIDE_EPIPOLAR)
        return line_distance(g->m, false, a, b) <= g->max_error &&
               line_distance(g->m, true, b, a) <= g->max_error;
    const double *m = g->m;
    double w = m[6] * a[0] + m[7] * a[1] + m[8];
    return hypot((m[0] * a[0] + m[1] * a[1] + m[2]) / w - b[0],
                 (m[3] * a[0] + m[4] * a[1] + m[5]) / w - b[1]) <= g->max_error;
}

T(guided_pairs_are_those_that_satisfy_the_geometry) {
    enum { NA = 400, NB = 350 };
    vd_rng r = t_rng(t);
    vd_err err = { 0 };
    uint8_t *da = some_descriptors(&r, NA, NULL, 0, 0), *db = some_descriptors(&r, NB, da, 200, 30);
    static float xa[2 * NA], xb[2 * NB];
    static uint8_t allowed[NA * NB];
    vd_match_work *w = NULL;
    T_NEED(da != NULL && db != NULL);
    T_OK(vd_match_work_new(&w, &err));
    /* sideways, forward, upward motion and an arbitrary matrix; homographies: near identity, zoom
     */
    const vd_guide guide[] = {
        { VD_GUIDE_EPIPOLAR, { 0, 0, 0, 0, 0, -1, 0, 1, 0.5 }, 4 },
        { VD_GUIDE_EPIPOLAR, { 0, -1, 300, 1, 0, -400, -300, 400, 0 }, 3 },
        { VD_GUIDE_EPIPOLAR, { 0, 0, 1, 0, 0, 0, -1, 0, 2 }, 25 },
        { VD_GUIDE_EPIPOLAR, { 1e-6, 2e-6, -1e-3, -3e-6, 1e-7, 2e-3, 1e-3, -2e-3, 0.3 }, 6 },
        { VD_GUIDE_EPIPOLAR, { 0 }, 6 },
        { VD_GUIDE_HOMOGRAPHY, { 1.01, 0.02, -5, -0.01, 0.99, 4, 1e-6, -1e-6, 1 }, 15 },
        { VD_GUIDE_HOMOGRAPHY, { 0.4, 0, 10, 0, 0.4, 20, 0, 0, 1 }, 30 },
        { VD_GUIDE_HOMOGRAPHY, { 0 }, 30 },
    };
    for (int i = 0; i < 2 * NA; i++) xa[i] = (float)vd_rng_range(&r, 0, i % 2 ? 600 : 800);
    for (int i = 0; i < 2 * NB; i++)
        xb[i] = i < 300 ? xa[i] + (float)vd_rng_range(&r, -3, 3)
                        : (float)vd_rng_range(&r, 0, i % 2 ? 600 : 800);
    for (int g = 0; g < VD_COUNT(guide); g++)
        for (int cross = 0; cross < 2; cross++) {
            vd_match_opt o = { 0.85, 0.9, cross, 0, 0 };
            vd_match *m = NULL;
            int n = 0, sum = 0;
            for (int i = 0; i < NA * NB; i++) {
                allowed[i] = satisfied(&guide[g], xa + 2 * (i / NB), xb + 2 * (i % NB));
                sum += allowed[i];
            }
            T_OK(vd_match_guided(&m, &n, da, xa, NA, db, xb, NB, &guide[g], &o, w, &err));
            compare_all(t, da, NA, db, NB, &o, allowed, m, n);
            if (g == 0 || g == 5) T_TRUE(n > 20 && sum < NA * NB / 10);
            vd_mem_free(m);
        }
    vd_match_work_free(w);
    vd_mem_free(da);
    vd_mem_free(db);
}

T(bad_arguments_and_empty_lists) {
    vd_rng r = t_rng(t);
    uint8_t *d = some_descriptors(&r, 8, NULL, 0, 0);
    float x[16] = { 0 };
    vd_err err = { 0 };
    vd_match_work *w = NULL;
    vd_match *m = NULL;
    int n = 7;
    T_NEED(d != NULL);
    T_OK(vd_match_work_new(&w, &err));
    vd_match_opt o = VD_MATCH_OPT, bad[] = { { 0, 0.7, true, 0, 0 },
                                             { NAN, 0.7, true, 0, 0 },
                                             { 0.8, -1, true, 0, 0 },
                                             { 0.8, 2, true, 0, 0 },
                                             { 0.8, 0.7, true, -1, 0 } };
    for (int i = 0; i < VD_COUNT(bad); i++) {
        err = (vd_err){ 0 };
        T_EQ(vd_match_pair(&m, &n, d, 8, d, 8, &bad[i], w, &err), VD_E_ARG);
        T_TRUE(n == 7 && m == NULL && err.msg[0] != 0);
    }
    vd_guide g = { VD_GUIDE_EPIPOLAR, { 0, 0, 0, 0, 0, -1, 0, 1, 0 }, NAN };
    T_EQ(vd_match_guided(&m, &n, d, x, 8, d, x, 8, &g, &o, w, NULL), VD_E_ARG);
    g.max_error = 1;
    x[3] = INFINITY;
    T_EQ(vd_match_guided(&m, &n, d, x, 8, d, x, 8, &g, &o, w, NULL), VD_E_ARG);
    x[3] = 0;
    g.m[2] = NAN;
    T_EQ(vd_match_guided(&m, &n, d, x, 8, d, x, 8, &g, &o, w, NULL), VD_E_ARG);
    g.m[2] = 0;
    T_EQ(vd_match_pair(&m, &n, d, -1, d, 8, &o, w, NULL), VD_E_ARG);
    /* far away points, all at one place: cells stay few */
    for (int i = 0; i < 16; i++) x[i] = i % 2 ? 3e38f : -3e38f;
    T_OK(vd_match_guided(&m, &n, d, x, 8, d, x, 8, &g, &o, w, &err));
    vd_mem_free(m);
    x[0] = 3e38f;
    T_OK(vd_match_guided(&m, &n, d, x, 8, d, x, 8, &g, &o, w, &err));
    vd_mem_free(m);
    T_OK(vd_match_pair(&m, &n, d, 0, d, 8, &o, w, &err));
    T_TRUE(n == 0 && m == NULL);
    T_OK(vd_match_guided(&m, &n, d, x, 8, d, x, 0, &g, &o, w, &err));
    T_TRUE(n == 0 && m == NULL);
    vd_match_work_free(w);
    vd_mem_free(d);
}

T(every_refused_allocation_is_an_error) {
    enum { N = 200 };
    vd_rng r = t_rng(t);
    uint8_t *d = some_descriptors(&r, N, NULL, 0, 0);
    float x[2 * N];
    T_NEED(d != NULL);
    for (int i = 0; i < 2 * N; i++) x[i] = (float)vd_rng_range(&r, 0, 500);
    int64_t before = vd_mem_live();
    vd_guide g = { VD_GUIDE_EPIPOLAR, { 0, 0, 0, 0, 0, -1, 0, 1, 0 }, 3 };
    bool hit = true;
    for (int k = 0; hit; k++) {
        vd_match_opt o = VD_MATCH_OPT;
        vd_match_work *w = NULL;
        vd_match *m = NULL, *q = NULL;
        vd_err err = { 0 };
        int n = 0;
        vd_mem_fail_at(k, false);
        vd_status st = vd_match_work_new(&w, &err);
        if (st == VD_OK) st = vd_match_pair(&m, &n, d, N, d, N, &o, w, &err);
        if (st == VD_OK) st = vd_match_guided(&q, &n, d, x, N, d, x, N, &g, &o, w, &err);
        hit = vd_mem_fail_clear();
        T_EQ(st, hit ? VD_E_NOMEM : VD_OK);
        vd_mem_free(m);
        vd_mem_free(q);
        vd_match_work_free(w);
        T_EQ(vd_mem_live(), before);
    }
    vd_mem_free(d);
}
