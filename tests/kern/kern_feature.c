/* Every kernel slot of the feature room at every CPU level the machine has, against the plain C
 * reference, bit for bit. `kern_feature --bench` prints timings instead.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cpu.h"
#include "base/mem.h"
#include "base/rng.h"
#include "feature/match_kern.h"

typedef struct level {
    const char *name;
    const vd_match_kern *match;
} level;

static int passed, failed;

static void verdict(bool same, const char *slot, const level *l, int n, const char *kind) {
    if (same) {
        passed++;
        return;
    }
    if (++failed < 20) fprintf(stderr, "FAILED %s at %s: n %d, %s\n", slot, l->name, n, kind);
}

/* The two lists of a check: what the kernel gets and what it makes of it. */
typedef struct lists {
    int n_rows, n_cols;
    vd_top2 row, col;
    int32_t *memory;
    int64_t n_memory;
} lists;

static int padded(int n, int step) {
    return (n + step - 1) / step * step;
}

static void top_of(lists *l, const vd_match_kern *k, const uint8_t *a, int na, const uint8_t *b,
                   int nb, int32_t least) {
    int rows = padded(na, k->row_step), cols = padded(nb, VD_MATCH_ALIGN);
    uint8_t *pa = vd_mem_aligned((size_t)rows * (size_t)k->row_bytes + 64),
            *pb = vd_mem_aligned((size_t)cols * (size_t)k->col_bytes + 64);
    l->n_memory = 3 * ((int64_t)rows + cols);
    l->memory = vd_mem_alloc((size_t)l->n_memory * sizeof *l->memory);
    if (pa == NULL || pb == NULL || l->memory == NULL) exit(3);
    int32_t *m = l->memory;
    l->row = (vd_top2){ m, m + rows, m + 2 * rows };
    m += 3 * rows;
    l->col = (vd_top2){ m, m + cols, m + 2 * cols };
    for (int64_t i = 0; i < l->n_memory; i++) l->memory[i] = least;
    for (int i = 0; i < rows; i++) l->row.index[i] = -1;
    for (int i = 0; i < cols; i++) l->col.index[i] = -1;
    memset(pa + (size_t)rows * (size_t)k->row_bytes, 0x5a, 64);
    memset(pb + (size_t)cols * (size_t)k->col_bytes, 0x5a, 64);
    k->pack_rows(pa, a, na, rows);
    k->pack_cols(pb, b, nb, cols);
    for (int i = 0; i < 64; i++)
        if (pa[(size_t)rows * (size_t)k->row_bytes + (size_t)i] != 0x5a ||
            pb[(size_t)cols * (size_t)k->col_bytes + (size_t)i] != 0x5a)
            failed++;
    k->top2(&l->row, &l->col, pa, rows, pb, cols);
    vd_mem_free(pa);
    vd_mem_free(pb);
}

static bool same_top(const vd_top2 *a, const vd_top2 *b, int n) {
    size_t bytes = (size_t)n * sizeof *a->best;
    return memcmp(a->best, b->best, bytes) == 0 && memcmp(a->second, b->second, bytes) == 0 &&
           memcmp(a->index, b->index, bytes) == 0;
}

/* 0: random; 1: all 255, every product and tie the largest possible; 2: all 0; 3: few values, so
 * that products tie often. */
static void fill(uint8_t *d, int n, int kind, vd_rng *r) {
    for (int i = 0; i < n * VD_DESC_BYTES; i++) {
        uint64_t v = vd_rng_u64(r);
        d[i] = kind == 0   ? (uint8_t)v
               : kind == 1 ? 255
               : kind == 2 ? 0
                           : (uint8_t)(i % VD_DESC_BYTES < 4 ? v & 3 : 9);
    }
}

static void check_match(const level *l, int na, int nb, int kind) {
    static const char *const kinds[] = { "random", "255", "zeros", "ties" };
    vd_rng r = vd_rng_for(5, (uint64_t)na, (uint64_t)(nb + 1000 * kind));
    uint8_t *a = vd_mem_alloc((size_t)na * VD_DESC_BYTES),
            *b = vd_mem_alloc((size_t)nb * VD_DESC_BYTES);
    if (a == NULL || b == NULL) exit(3);
    fill(a, na, kind, &r);
    fill(b, nb, kind, &r);
    const int32_t floors[] = { 0, 2100000 };
    for (int f = 0; f < 2; f++) {
        lists ref = { 0 }, got = { 0 };
        top_of(&ref, &vd_match_kern_c, a, na, b, nb, floors[f]);
        top_of(&got, l->match, a, na, b, nb, floors[f]);
        verdict(same_top(&ref.row, &got.row, na) && same_top(&ref.col, &got.col, nb), "top2", l,
                na * 10000 + nb, kinds[kind]);
        vd_mem_free(ref.memory);
        vd_mem_free(got.memory);
    }
    verdict(vd_match_kern_c.dot(a, b) == l->match->dot(a, b), "dot", l, na, kinds[kind]);
    vd_mem_free(a);
    vd_mem_free(b);
}

static void check_level(const level *l) {
    for (int na = 1; na <= 40; na++) check_match(l, na, 1 + na * 7 % 150, na % 4);
    const int n[] = { 63, 64, 65, 127, 128, 129, 300, 513 };
    for (int i = 0; i < VD_COUNT(n); i++)
        for (int kind = 0; kind < 4; kind++) check_match(l, n[i], n[(i + 3) % VD_COUNT(n)], kind);
}

int main(void) {
    level all[] = {
        { "c", &vd_match_kern_c },
#if defined(__x86_64__)
        { "avx2", &vd_match_kern_avx2 },
        { "avx512", &vd_match_kern_avx512 },
        { "vnni", &vd_match_kern_vnni },
#endif
    };
    for (int i = 1; i < VD_COUNT(all); i++) {
        unsigned need = vd_cpu_mask_of(all[i].name);
        if ((vd_cpu_detected() & need) != need) {
            fprintf(stderr, "skip %s: this machine has no such instructions\n", all[i].name);
            continue;
        }
        check_level(&all[i]);
    }
    printf("kern_feature: %d passed, %d failed\n", passed, failed);
    return failed > 0;
}
