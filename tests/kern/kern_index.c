/* The kernels of choosing at every CPU level the machine has, against the plain C reference, bit
 * for bit. SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/cpu.h"
#include "base/mem.h"
#include "base/rng.h"
#include "index/kern.h"

enum { ROWS = 11, MOST_DIM = 1024, MOST_GAIN = 1 << 21, GUARD = 8 };

static int passed, failed;

static void verdict(bool same, const char *slot, const char *level, int64_t n) {
    passed += same;
    failed += !same;
    if (!same && failed < 20)
        fprintf(stderr, "FAILED %s at %s: n %lld\n", slot, level, (long long)n);
}

typedef struct rows {
    float *f32[2];
    int8_t *i8[2];
    uint16_t *u16[2];
} rows;

static bool rows_init(rows *r) {
    bool ok = true;
    for (int s = 0; s < 2; s++) {
        r->f32[s] = vd_mem_aligned(ROWS * MOST_DIM * sizeof(float));
        r->i8[s] = vd_mem_aligned(ROWS * MOST_DIM);
        r->u16[s] = vd_mem_aligned((MOST_GAIN + 3) * sizeof(uint16_t));
        ok &= r->f32[s] != NULL && r->i8[s] != NULL && r->u16[s] != NULL;
    }
    return ok;
}

/* Kind 0: random; 1: the largest values there are; 2: zeros. */
static void fill(rows *r, int kind, uint64_t seed) {
    vd_rng g = vd_rng_for(seed, (uint64_t)kind, 0);
    for (int s = 0; s < 2; s++) {
        for (int i = 0; i < ROWS * MOST_DIM; i++) {
            uint64_t v = vd_rng_u64(&g);
            r->f32[s][i] = kind == 0   ? (float)((double)(int64_t)v * 0x1p-63)
                           : kind == 1 ? 3e38f
                                       : 0;
            r->i8[s][i] = kind == 0 ? (int8_t)v : kind == 1 ? -128 : 0;
        }
        for (int i = 0; i < MOST_GAIN + 3; i++)
            r->u16[s][i] = kind == 0   ? (uint16_t)(vd_rng_u64(&g) & 32767)
                           : kind == 1 ? (uint16_t)(s == 0 ? 32767 : 0)
                                       : 0;
    }
}

static void check_dots(const vd_index_kern *k, const rows *r) {
    float f[2][ROWS * (ROWS + 3) + GUARD];
    int32_t i[2][ROWS * (ROWS + 3) + GUARD];
    for (int dim = VD_VECTOR_PAD; dim <= MOST_DIM; dim += 5 * VD_VECTOR_PAD)
        for (int na = 1; na <= ROWS; na++)
            for (int nb = 1; nb <= ROWS; nb++) {
                memset(f, 0xa5, sizeof f);
                memset(i, 0xa5, sizeof i);
                vd_index_kern_c.dots_f32(f[0], nb + 3, r->f32[0], na, r->f32[1], nb, dim);
                k->dots_f32(f[1], nb + 3, r->f32[0], na, r->f32[1], nb, dim);
                verdict(memcmp(f[0], f[1], sizeof f[0]) == 0, "dots_f32", k->name, dim);
                vd_index_kern_c.dots_i8(i[0], nb + 3, r->i8[0], na, r->i8[1], nb, dim);
                k->dots_i8(i[1], nb + 3, r->i8[0], na, r->i8[1], nb, dim);
                verdict(memcmp(i[0], i[1], sizeof i[0]) == 0, "dots_i8", k->name, dim);
            }
}

static void check_gain(const vd_index_kern *k, const rows *r) {
    for (int64_t n = 0; n <= MOST_GAIN; n += n < 600 ? 1 : n)
        for (int shift = 0; shift < 3; shift++)
            verdict(vd_index_kern_c.gain(r->u16[0] + shift, r->u16[1] + shift, n) ==
                        k->gain(r->u16[0] + shift, r->u16[1] + shift, n),
                    "gain", k->name, n);
}

int main(void) {
    static const vd_index_kern *const kern[] = {
        &vd_index_kern_c,
#if defined(__x86_64__)
        &vd_index_kern_avx2,
        &vd_index_kern_avx512,
#endif
    };
    static const unsigned needs[] = { 0, VD_CPU_AVX2, VD_CPU_AVX512 };
    rows r;
    if (!rows_init(&r)) return 1;
    for (int kind = 0; kind < 3; kind++) {
        fill(&r, kind, 5);
        for (int i = 0; i < VD_COUNT(kern); i++) {
            if ((vd_cpu_detected() & needs[i]) != needs[i]) continue;
            check_dots(kern[i], &r);
            check_gain(kern[i], &r);
        }
    }
    for (int s = 0; s < 2; s++) {
        vd_mem_free(r.f32[s]);
        vd_mem_free(r.i8[s]);
        vd_mem_free(r.u16[s]);
    }
    printf("kern_index: %d passed, %d failed\n", passed, failed);
    return failed > 0;
}
