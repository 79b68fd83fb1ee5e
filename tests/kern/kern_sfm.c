/* The double-precision kernels (math, sfm) at every CPU level the machine has, against the plain C
 * reference, bit for bit: random values of many magnitudes, zeros, infinities and NaN, and guards
 * behind every output. SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/mem.h"
#include "base/rng.h"
#include "math/kern.h"
#include "sfm/bundle.h"
#include "sfm/kern.h"

enum { GUARD = 8, ROUNDS = 60 };

static int passed, failed;

/* Equal bits; a NaN equals any NaN, since its payload is the compiler's affair. */
static bool same(const double *a, const double *b, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (memcmp(&a[i], &b[i], sizeof a[i]) != 0 && !(a[i] != a[i] && b[i] != b[i])) return false;
    return true;
}

static void verdict(bool good, const char *slot, const char *level, int round) {
    if (good) {
        passed++;
        return;
    }
    if (failed++ < 20) fprintf(stderr, "FAILED %s at %s: round %d\n", slot, level, round);
}

static void fill(double *v, size_t n, vd_rng *r, int kind) {
    static const double odd[] = { 0, -0.0, 1e300, -1e-300, INFINITY, -INFINITY, NAN };
    for (size_t i = 0; i < n; i++) {
        v[i] = vd_rng_normal(r);
        if (kind == 1) v[i] *= exp(vd_rng_range(r, -30, 30));
        if (kind == 2 && vd_rng_int(r, 6) == 0) v[i] = odd[vd_rng_int(r, VD_COUNT(odd))];
    }
}

/* Two outputs with the same content, and guards. */
typedef struct twice {
    double *ref, *got;
    size_t n;
} twice;

static twice twice_of(size_t n, vd_rng *r, int kind) {
    twice t = { vd_mem_aligned((n + GUARD) * sizeof(double)),
                vd_mem_aligned((n + GUARD) * sizeof(double)), n + GUARD };
    if (t.ref == NULL || t.got == NULL) exit(3);
    fill(t.ref, t.n, r, kind);
    memcpy(t.got, t.ref, t.n * sizeof(double));
    return t;
}

static void settle(twice t, const char *slot, const char *level, int round) {
    verdict(same(t.ref, t.got, t.n), slot, level, round);
    vd_mem_free(t.ref);
    vd_mem_free(t.got);
}

static double *values(size_t n, vd_rng *r, int kind) {
    double *v = vd_mem_aligned(n * sizeof *v);
    if (v == NULL) exit(3);
    fill(v, n, r, kind);
    return v;
}

static void check_math(const vd_math_kern *k, vd_rng *r, int kind, int round) {
    enum { TILE = VD_TILE * VD_TILE, STRIDE = VD_TILE + 16 };
    double *a = values(TILE, r, kind), *b = values(TILE, r, kind);
    twice c = twice_of((size_t)STRIDE * VD_TILE, r, kind), d = twice_of(TILE, r, kind);
    vd_math_kern_c.tile_update(c.ref, STRIDE, a, b);
    k->tile_update(c.got, STRIDE, a, b);
    settle(c, "tile_update", k->name, round);
    vd_math_kern_c.tile_solve(d.ref, a);
    k->tile_solve(d.got, a);
    settle(d, "tile_solve", k->name, round);
    vd_mem_free(a);
    vd_mem_free(b);
}

/* A batch goes through all its kernels, which read what the ones before wrote. */
static void check_batch(const vd_sfm_kern *k, vd_rng *r, int kind, int round) {
    twice t = twice_of(sizeof(vd_ba_batch) / sizeof(double), r, kind);
    vd_ba_batch *ref = (void *)t.ref, *got = (void *)t.got;
    int n = 8 * (1 + round % (VD_BA_LANES / 8)), want = round & 3, loss = round / 4 % 4;
    vd_sfm_kern_c.project(ref, n, want);
    k->project(got, n, want);
    verdict(same(t.ref, t.got, t.n), "project", k->name, round);
    vd_sfm_kern_c.weigh(ref, n, loss, 1.5, want);
    k->weigh(got, n, loss, 1.5, want);
    verdict(same(t.ref, t.got, t.n), "weigh", k->name, round);
    vd_sfm_kern_c.jacobians(ref, n);
    k->jacobians(got, n);
    verdict(same(t.ref, t.got, t.n), "jacobians", k->name, round);
    vd_sfm_kern_c.along(ref, n, want);
    k->along(got, n, want);
    verdict(same(t.ref, t.got, t.n), "along", k->name, round);
    vd_sfm_kern_c.model(ref, n);
    k->model(got, n);
    settle(t, "model", k->name, round);
}

static void check_rows(const vd_sfm_kern *k, vd_rng *r, int kind, int round) {
    double *v = values(64, r, kind);
    const double *j0 = v, *j1 = v + 8, *k0 = v + 16, *k1 = v + 24, *p = v + 32;
    twice block = twice_of(VD_BA_BLOCK, r, kind), g = twice_of(8, r, kind),
          d = twice_of(8, r, kind);
    vd_sfm_kern_c.normal(block.ref, j0, j1, k0, k1, 1 + round % 8);
    k->normal(block.got, j0, j1, k0, k1, 1 + round % 8);
    settle(block, "normal", k->name, round);
    vd_sfm_kern_c.gradient(g.ref, d.ref, j0, j1, p[0], p[1]);
    k->gradient(g.got, d.got, j0, j1, p[0], p[1]);
    settle(g, "gradient g", k->name, round);
    settle(d, "gradient d", k->name, round);
    twice w = twice_of(24, r, kind), b = twice_of(8, r, kind);
    vd_sfm_kern_c.cross(w.ref, j0, j1, p, p + 3);
    k->cross(w.got, j0, j1, p, p + 3);
    verdict(same(w.ref, w.got, w.n), "cross", k->name, round);
    vd_sfm_kern_c.whiten(w.ref, b.ref, p, p + 6);
    k->whiten(w.got, b.got, p, p + 6);
    settle(w, "whiten w", k->name, round);
    settle(b, "whiten b", k->name, round);
    vd_mem_free(v);
}

static void check_transposes(const vd_sfm_kern *k, vd_rng *r, int kind, int round) {
    const double *from[VD_BA_LANES];
    int n = 8 * (1 + round % (VD_BA_LANES / 8));
    double *v = values(16 * VD_BA_LANES, r, kind);
    vd_ba_batch *b = (void *)values(sizeof *b / sizeof(double), r, kind);
    twice lanes = twice_of(16 * VD_BA_LANES, r, kind),
          rec = twice_of(VD_BA_LANES * sizeof(vd_ba_record) / sizeof(double), r, kind);
    for (int l = 0; l < n; l++) from[l] = v + 16 * (l * 5 % n);
    vd_sfm_kern_c.load((void *)lanes.ref, from, 2, n);
    k->load((void *)lanes.got, from, 2, n);
    settle(lanes, "load", k->name, round);
    vd_sfm_kern_c.records((void *)rec.ref, b, n);
    k->records((void *)rec.got, b, n);
    settle(rec, "records", k->name, round);
    vd_mem_free(v);
    vd_mem_free(b);
}

static void check_points(const vd_sfm_kern *k, vd_rng *r, int kind, int round) {
    enum { MOST = 9 };
    int m = 1 + round % MOST;
    int32_t at[MOST], id[MOST];
    double *t = values(MOST * 24, r, kind), *x = values(8, r, kind);
    twice blocks = twice_of(MOST * VD_BA_BLOCK, r, kind), sums = twice_of(12, r, kind);
    for (int i = 0; i < MOST; i++) {
        at[i] = MOST - 1 - i;
        id[i] = i;
    }
    vd_sfm_kern_c.eliminate(blocks.ref, at, id, t, m, 1 + round % 8);
    k->eliminate(blocks.got, at, id, t, m, 1 + round % 8);
    settle(blocks, "eliminate", k->name, round);
    vd_ba_record *rec = (void *)values(MOST * sizeof(vd_ba_record) / sizeof(double), r, kind);
    vd_sfm_kern_c.point_sums(sums.ref, rec, m);
    k->point_sums(sums.got, rec, m);
    settle(sums, "point_sums", k->name, round);
    float f[24];
    for (int i = 0; i < 24; i++) f[i] = (float)t[i];
    twice y = twice_of(3, r, kind), z = twice_of(8, r, kind);
    vd_sfm_kern_c.gather(y.ref, f, x);
    k->gather(y.got, f, x);
    vd_sfm_kern_c.scatter(z.ref, f, x);
    k->scatter(z.got, f, x);
    settle(y, "gather", k->name, round);
    settle(z, "scatter", k->name, round);
    vd_mem_free(rec);
    vd_mem_free(t);
    vd_mem_free(x);
}

int main(void) {
    const unsigned level[] = { VD_CPU_AVX2, VD_CPU_AVX2 | VD_CPU_AVX512 };
    for (int l = 0; l < VD_COUNT(level); l++) {
        if ((vd_cpu_detected() & level[l]) != level[l]) continue;
        for (int round = 0; round < ROUNDS; round++) {
            vd_rng r = vd_rng_for(3, (uint64_t)l, (uint64_t)round);
            check_math(vd_math_kern_for(level[l]), &r, round % 3, round);
            check_batch(vd_sfm_kern_for(level[l]), &r, round % 3, round);
            check_rows(vd_sfm_kern_for(level[l]), &r, round % 3, round);
            check_transposes(vd_sfm_kern_for(level[l]), &r, round % 3, round);
            check_points(vd_sfm_kern_for(level[l]), &r, round % 3, round);
        }
    }
    printf("kern_sfm: %d passed, %d failed, 0 skipped\n", passed, failed);
    return failed > 0;
}
