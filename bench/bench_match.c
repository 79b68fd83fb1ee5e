/* Descriptor matching: bench_match [N [SECONDS [A.pgm B.pgm]]]. The N features of two pictures, or
 * N x N descriptors with half of the second list noisy copies of the first; beside it a loop of
 * nothing but vpdpbusd on registers, the most this processor can do. Both by processor time of one
 * thread, in turns. Prints one JSON line. Descriptors of pictures take longer: more of them are
 * similar. SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/cpu.h"
#include "base/mem.h"
#include "base/rng.h"
#include "feature/match.h"
#include "pgm.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Like L1-root descriptors: many small values, Euclidean norm 512. */
static void fill(uint8_t *d, const uint8_t *from, uint64_t item) {
    vd_rng r = vd_rng_for(3, 0, item);
    double v[VD_SIFT_DIM], sum = 0;
    for (int k = 0; k < VD_SIFT_DIM; k++) {
        double u = vd_rng_f64(&r);
        v[k] = from == NULL ? u * u * u : fabs(from[k] + 12 * vd_rng_normal(&r));
        sum += v[k] * v[k];
    }
    for (int k = 0; k < VD_SIFT_DIM; k++) {
        int q = (int)lrint(512 * v[k] / sqrt(sum));
        d[k] = (uint8_t)VD_MIN(q, 255);
    }
}

#if defined(__x86_64__)
/* Operations per second of 8 independent accumulators, more than twice what its latency asks for.
 */
__attribute__((target("avx512f,avx512vnni"))) static double ceiling(double seconds) {
    __m512i x = _mm512_set1_epi32(0x01020304), y = _mm512_set1_epi32(0x05060708);
    __m512i a = x, b = x, c = x, d = x, e = x, f = x, g = x, h = x;
    double start = now(), took;
    int64_t rounds = 0;
    do {
        for (int k = 0; k < 100000; k++) {
            a = _mm512_dpbusd_epi32(a, x, y);
            b = _mm512_dpbusd_epi32(b, x, y);
            c = _mm512_dpbusd_epi32(c, x, y);
            d = _mm512_dpbusd_epi32(d, x, y);
            e = _mm512_dpbusd_epi32(e, x, y);
            f = _mm512_dpbusd_epi32(f, x, y);
            g = _mm512_dpbusd_epi32(g, x, y);
            h = _mm512_dpbusd_epi32(h, x, y);
            /* nothing is left out */
            __asm__ volatile("" : "+v"(a), "+v"(b), "+v"(c), "+v"(d));
            __asm__ volatile("" : "+v"(e), "+v"(f), "+v"(g), "+v"(h));
        }
        rounds += 100000;
        took = now() - start;
    } while (took < seconds);
    return (double)rounds * 8 * 128 / took;
}
#endif

typedef struct lists {
    uint8_t *a, *b;
    int na, nb;
} lists;

static bool synthetic(lists *l, int n) {
    l->a = vd_mem_aligned((size_t)n * VD_SIFT_DIM);
    l->b = vd_mem_aligned((size_t)n * VD_SIFT_DIM);
    l->na = l->nb = n;
    if (l->a == NULL || l->b == NULL) return false;
    for (int i = 0; i < n; i++) {
        uint8_t *a = l->a + (size_t)i * VD_SIFT_DIM;
        fill(a, NULL, (uint64_t)i);
        fill(l->b + (size_t)i * VD_SIFT_DIM, i % 2 ? a : NULL, (uint64_t)(i + n));
    }
    return true;
}

static uint8_t *of_picture(int *count, const char *path, int n) {
    int w, h;
    uint8_t *luma = pgm_read(path, &w, &h);
    vd_sift_opt opt = VD_SIFT_OPT;
    vd_features f = { 0 };
    opt.max_features = n;
    if (luma == NULL || vd_sift_extract(&f, luma, w, h, w, NULL, 0, &opt, NULL) != VD_OK)
        return NULL;
    free(luma);
    vd_mem_free(f.kp);
    *count = f.n;
    return f.desc;
}

static bool of_pictures(lists *l, int n, char **path) {
    l->a = of_picture(&l->na, path[0], n);
    l->b = of_picture(&l->nb, path[1], n);
    return l->a != NULL && l->b != NULL;
}

int main(int argc, char **argv) {
    enum { MOST = 1000 };
    static double took[MOST], limit[MOST];
    int n = argc > 1 ? atoi(argv[1]) : 8192, found = 0, rounds = 0;
    double seconds = argc > 2 ? atof(argv[2]) : 4, spent = 0;
    lists l = { 0 };
    vd_match_opt opt = VD_MATCH_OPT;
    vd_match_work *work = NULL;
    vd_err err = { 0 };
    char cpu[80];
    if (n < 1 || vd_match_work_new(&work, &err) != VD_OK ||
        !(argc > 4 ? of_pictures(&l, n, argv + 3) : synthetic(&l, n)))
        return 3;
    for (; rounds < MOST && (spent < seconds || rounds < 3); rounds++) {
        vd_match *m = NULL;
        double start = now();
        if (vd_match_pair(&m, &found, l.a, l.na, l.b, l.nb, &opt, work, &err) != VD_OK) return 3;
        took[rounds] = now() - start;
        spent += took[rounds];
        vd_mem_free(m);
#if defined(__x86_64__)
        limit[rounds] = vd_cpu_detected() & VD_CPU_VNNI ? ceiling(0.03) : 0;
#endif
    }
    qsort(took, (size_t)rounds, sizeof *took, by_value);
    qsort(limit, (size_t)rounds, sizeof *limit, by_value);
    double median = took[rounds / 2], ops = 2.0 * l.na * l.nb * VD_SIFT_DIM / median,
           most = limit[rounds / 2];
    vd_cpu_name(cpu, sizeof cpu);
    printf(
        "{\"bench\":\"match\",\"cpu\":\"%s\",\"threads\":1,\"input\":\"%s\",\"features\":[%d,%d],"
        "\"matches\":%d,\"ms\":%.2f,\"ms_least\":%.2f,\"pairs_per_s\":%.1f,\"tops\":%.4f,"
        "\"vpdpbusd_tops\":%.4f,\"share\":%.3f,\"target_share\":0.7}\n",
        cpu, argc > 4 ? "pictures" : "synthetic", l.na, l.nb, found, 1e3 * median, 1e3 * took[0],
        1 / median, 1e-12 * ops, 1e-12 * most, most > 0 ? ops / most : 0);
    vd_match_work_free(work);
    vd_mem_free(l.a);
    vd_mem_free(l.b);
    return 0;
}
