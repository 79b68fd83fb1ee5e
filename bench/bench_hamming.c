/* Near-duplicate search over many hashes: bench_hamming [N] [JOBS]. Random hashes with planted
 * pairs at known distances; recall is checked for every planted pair, and against all-pairs
 * comparison on a subset. Prints one JSON line. SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cpu.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/rng.h"
#include "index/hamming.h"

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool has(const vd_pairs *p, int32_t a, int32_t b) {
    int64_t lo = 0, hi = p->n;
    while (lo < hi) {
        int64_t mid = (lo + hi) / 2;
        const vd_pair *q = &p->pair[mid];
        if (q->a < a || (q->a == a && q->b < b))
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < p->n && p->pair[lo].a == a && p->pair[lo].b == b;
}

/* One hash in ten is a copy of an earlier one with 0 .. 40 bits changed. */
static int64_t plant(uint64_t (*h)[4], int32_t *of, int64_t n) {
    int64_t within = 0;
    for (int64_t i = 0; i < n; i++) {
        vd_rng r = vd_rng_for(7, 0, (uint64_t)i);
        for (int k = 0; k < 4; k++) h[i][k] = vd_rng_u64(&r);
        of[i] = -1;
        if (i % 10 != 9) continue;
        int64_t from = vd_rng_int(&r, i);
        memcpy(h[i], h[from], sizeof h[i]);
        for (int k = (int)vd_rng_int(&r, 41); k > 0; k--) {
            int bit = (int)vd_rng_int(&r, 256);
            h[i][bit / 64] ^= (uint64_t)1 << bit % 64;
        }
        of[i] = vd_hamming((const uint64_t *)h[i], (const uint64_t *)h[from]) <= 31 ? (int32_t)from
                                                                                    : -1;
        within += of[i] >= 0;
    }
    return within;
}

int main(int argc, char **argv) {
    int64_t n = argc > 1 ? atoll(argv[1]) : 1000000, found = 0;
    int jobs = argc > 2 ? atoi(argv[2]) : 2;
    uint64_t(*h)[4] = vd_mem_array((size_t)n, sizeof *h);
    int32_t *of = vd_mem_array((size_t)n, sizeof *of);
    vd_pool *pool = NULL;
    vd_err err = { 0 };
    vd_pairs p = { 0 }, few = { 0 }, brute = { 0 };
    vd_hamming_opt opt = VD_HAMMING_OPT, band = opt, all = opt;
    if (h == NULL || of == NULL || vd_pool_new(&pool, jobs, &err) != VD_OK) return 3;
    int64_t planted = plant(h, of, n);
    double start = now();
    if (vd_hamming_pairs(&p, (const uint64_t(*)[4])h, n, &opt, pool, &err) != VD_OK) return 3;
    double wall = now() - start;
    for (int64_t i = 0; i < n; i++) found += of[i] >= 0 && has(&p, of[i], (int32_t)i);
    band.all_below = 1;
    all.all_below = INT64_MAX;
    int64_t m = VD_MIN(n, 20000);
    if (vd_hamming_pairs(&few, (const uint64_t(*)[4])h, m, &band, pool, &err) != VD_OK ||
        vd_hamming_pairs(&brute, (const uint64_t(*)[4])h, m, &all, pool, &err) != VD_OK)
        return 3;
    bool same = few.n == brute.n &&
                (few.n == 0 || memcmp(few.pair, brute.pair, (size_t)few.n * sizeof *few.pair) == 0);
    char cpu[80];
    vd_cpu_name(cpu, sizeof cpu);
    printf("{\"bench\":\"hamming\",\"cpu\":\"%s\",\"threads\":%d,\"hashes\":%lld,\"radius\":%d,"
           "\"wall_s\":%.3f,\"pairs\":%lld,\"planted\":%lld,\"planted_found\":%lld,"
           "\"subset_equals_all_pairs\":%s}\n",
           cpu, jobs, (long long)n, opt.radius, wall, (long long)p.n, (long long)planted,
           (long long)found, same ? "true" : "false");
    vd_pairs_reset(&p);
    vd_pairs_reset(&few);
    vd_pairs_reset(&brute);
    vd_pool_free(pool);
    vd_mem_free(h);
    vd_mem_free(of);
    return found == planted && same ? 0 : 1;
}
