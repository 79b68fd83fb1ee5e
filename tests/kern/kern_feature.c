/* Every kernel slot of the feature room at every CPU level the machine has, against the plain C
 * reference, bit for bit. bench_sift and bench_match time them.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/mem.h"
#include "base/rng.h"
#include "feature/kern.h"
#include "feature/match_kern.h"

typedef struct level {
    const char *name;
    const vd_match_kern *match;
    const vd_feature_kern *feature; /* NULL: none of its own */
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
    int n = VD_MIN(na, nb) * VD_DESC_BYTES - na % 3;
    verdict(vd_match_kern_c.dot8((int8_t *)a, (int8_t *)b, n) ==
                l->match->dot8((int8_t *)a, (int8_t *)b, n),
            "dot8", l, n, kinds[kind]);
    vd_mem_free(a);
    vd_mem_free(b);
}

/* Points about a line, some exactly at the limit, one that has no line back. */
static void check_guided(const level *l, int n) {
    enum { MOST_POINTS = 70 };
    vd_rng r = vd_rng_for(6, (uint64_t)n, 0);
    uint8_t *desc = vd_mem_alloc((MOST_POINTS + 1) * VD_DESC_BYTES);
    int32_t which[MOST_POINTS], ref[MOST_POINTS] = { 0 }, got[MOST_POINTS] = { 0 };
    double u[MOST_POINTS], v[MOST_POINTS], back[MOST_POINTS];
    const double line[3] = { 0.6, -0.8, 3 };
    if (desc == NULL) exit(3);
    fill(desc, MOST_POINTS + 1, 0, &r);
    for (int i = 0; i < n; i++) {
        which[i] = (int32_t)vd_rng_int(&r, MOST_POINTS);
        u[i] = vd_rng_range(&r, 0, 100);
        v[i] = i % 5 == 0 ? (0.6 * u[i] + 3 + 2) / 0.8 : u[i] + vd_rng_range(&r, -9, 9);
        back[i] = i % 7 == 3 ? INFINITY : vd_rng_range(&r, 0.1, 1);
    }
    const uint8_t *a = desc + (ptrdiff_t)MOST_POINTS * VD_DESC_BYTES;
    vd_match_kern_c.dots(ref, a, desc, which, n);
    l->match->dots(got, a, desc, which, n);
    verdict(memcmp(ref, got, sizeof ref) == 0, "dots", l, n, "random");
    int want = vd_match_kern_c.near_line(ref, u, v, back, n, line, 2, 2),
        have = l->match->near_line(got, u, v, back, n, line, 2, 2);
    verdict(want == have && memcmp(ref, got, (size_t)want * sizeof *ref) == 0, "near_line", l, n,
            "random");
    vd_mem_free(desc);
}

/* Rows of floats with room around them, and two outputs that are filled alike and compared whole
 * but for what a kernel may write beyond the end. */
enum { MOST = 600, ROOM = 64, ROWS = 2 * VD_BLUR_MAX_RADIUS + 9, OUT = 9 };

typedef struct rows {
    float in[ROWS][MOST + 2 * ROOM];
    uint8_t byte[2][MOST + ROOM];
    float ref[OUT][2 * MOST + 2 * ROOM], got[OUT][2 * MOST + 2 * ROOM];
} rows;

static void fill_rows(rows *t, int n, int kind) {
    vd_rng r = vd_rng_for(6, (uint64_t)n, (uint64_t)kind);
    for (int i = 0; i < ROWS; i++)
        for (int x = 0; x < MOST + 2 * ROOM; x++) {
            double v = vd_rng_f64(&r);
            t->in[i][x] = (float)(kind == 0   ? 255 * v
                                  : kind == 1 ? floor(4 * v) - 1.5 /* ties and both signs */
                                  : kind == 2 ? 255
                                              : 1e-6 * v);
        }
    for (int i = 0; i < 2; i++)
        for (int x = 0; x < MOST + ROOM; x++) t->byte[i][x] = (uint8_t)vd_rng_u64(&r);
    memset(t->ref, 0xa5, sizeof t->ref);
    memset(t->got, 0xa5, sizeof t->got);
}

/* The first n floats of the first k rows; nothing before them, nothing beyond the room. */
static bool same_rows(const rows *t, int k, int n) {
    for (int i = 0; i < OUT; i++) {
        const float *a = t->ref[i], *b = t->got[i];
        if (i >= k && memcmp(a, b, sizeof t->ref[i]) != 0) return false;
        if (memcmp(a, b, (size_t)(ROOM + n) * sizeof *a) != 0) return false;
        int end = ROOM + n + VD_FEATURE_PAD;
        if (end < 2 * MOST + 2 * ROOM &&
            memcmp(a + end, b + end, (size_t)(2 * MOST + 2 * ROOM - end) * sizeof *a) != 0)
            return false;
    }
    return true;
}

static void check_blur(const level *l, rows *t, int n, int kind) {
    static const char *const kinds[] = { "random", "ties", "255", "tiny" };
    const vd_feature_kern *c = &vd_feature_kern_c, *f = l->feature;
    const float *in[ROWS];
    float w[VD_BLUR_MAX_RADIUS + 1];
    for (int i = 0; i < ROWS; i++) in[i] = t->in[i] + ROOM;
    for (int k = 0; k <= VD_BLUR_MAX_RADIUS; k++) w[k] = 0.3f / (float)(k + 1);
    int radius = 1 + n % VD_BLUR_MAX_RADIUS, n_out = 1 + n % OUT;
    ptrdiff_t pitch = 2 * MOST + 2 * ROOM;
    fill_rows(t, n, kind);
    c->blur_rows(t->ref[0] + ROOM, pitch, in, w, radius, n_out, n);
    f->blur_rows(t->got[0] + ROOM, pitch, in, w, radius, n_out, n);
    verdict(same_rows(t, n_out, n), "blur_rows", l, n, kinds[kind]);
    fill_rows(t, n, kind);
    c->blur_cols(t->ref[0] + ROOM, in[0], w, radius, n);
    f->blur_cols(t->got[0] + ROOM, in[0], w, radius, n);
    verdict(same_rows(t, 1, n), "blur_cols", l, n, kinds[kind]);
    fill_rows(t, n, kind);
    c->subtract(t->ref[0] + ROOM, in[0], in[1], n);
    f->subtract(t->got[0] + ROOM, in[0], in[1], n);
    verdict(same_rows(t, 1, n), "subtract", l, n, kinds[kind]);
    fill_rows(t, n, kind);
    c->halve(t->ref[0] + ROOM, in[0], n / 2);
    f->halve(t->got[0] + ROOM, in[0], n / 2);
    verdict(memcmp(t->ref, t->got, sizeof t->ref) == 0, "halve", l, n, kinds[kind]);
    fill_rows(t, n, kind);
    c->enlarge(t->ref[0] + ROOM, t->byte[0], t->byte[1], n);
    f->enlarge(t->got[0] + ROOM, t->byte[0], t->byte[1], n);
    verdict(memcmp(t->ref, t->got, sizeof t->ref) == 0, "enlarge", l, n, kinds[kind]);
}

static void check_detect(const level *l, rows *t, int n, int kind) {
    static const char *const kinds[] = { "random", "ties", "255", "tiny" };
    static int32_t a[MOST], b[MOST];
    const float *d[9];
    for (int i = 0; i < 9; i++) d[i] = t->in[i] + ROOM;
    fill_rows(t, n, kind);
    for (int i = 0; i < 2; i++) {
        float least = i ? 0.7f : 0;
        int p = vd_feature_kern_c.extrema(a, d, n, least), q = l->feature->extrema(b, d, n, least);
        verdict(p == q && memcmp(a, b, (size_t)p * sizeof *a) == 0, "extrema", l, n, kinds[kind]);
    }
    if (kind == 1) return; /* negative values cannot be packed */
    static uint16_t u[MOST + ROOM], v[MOST + ROOM];
    memset(u, 0x5a, sizeof u);
    memset(v, 0x5a, sizeof v);
    vd_feature_kern_c.pack(u, d[0], n);
    l->feature->pack(v, d[0], n);
    int end = n + VD_FEATURE_PAD;
    verdict(memcmp(u, v, (size_t)n * 2) == 0 &&
                memcmp(u + end, v + end, (size_t)(MOST + ROOM - end) * 2) == 0,
            "pack", l, n, kinds[kind]);
}

/* Windows in the middle, across the edges and beyond the corners of planes of all sizes. */
static void check_windows(const level *l, int item) {
    static uint16_t data[200 * 260];
    vd_rng r = vd_rng_for(7, 0, (uint64_t)item);
    vd_plane16 p = { data, 260, 2 + (int)vd_rng_int(&r, 200), 2 + (int)vd_rng_int(&r, 190) };
    for (int i = 0; i < VD_COUNT(data); i++)
        data[i] =
            (uint16_t)(item % 5 == 0   ? 0
                       : item % 5 == 1 ? (vd_rng_u64(&r) & 1) * 65280
                                       : 30000 + 9000 * sin(i * 0.11) + (vd_rng_u64(&r) & 2047));
    float x = (float)(vd_rng_f64(&r) * (p.width - 1)), y = (float)(vd_rng_f64(&r) * (p.height - 1)),
          scale = (float)vd_rng_range(&r, 0.4, 4.6), ref[128], got[128];
    double angle = vd_rng_range(&r, 0, 6.3), step = 0.75 * (double)scale;
    vd_feature_kern_c.orient(ref, &p, x, y, scale);
    l->feature->orient(got, &p, x, y, scale);
    verdict(memcmp(ref, got, VD_ORIENT_BINS * sizeof *ref) == 0, "orient", l, item, "window");
    const vd_patch_at at = { x, y, (float)(step * cos(angle)), (float)(step * sin(angle)) };
    vd_feature_kern_c.describe(ref, &p, &at);
    l->feature->describe(got, &p, &at);
    verdict(memcmp(ref, got, sizeof ref) == 0, "describe", l, item, "window");
    uint8_t a[128], b[128];
    vd_feature_kern_c.normalise(a, ref);
    l->feature->normalise(b, ref);
    verdict(memcmp(a, b, sizeof a) == 0, "normalise", l, item, "window");
}

static void check_features(const level *l) {
    static rows t;
    for (int n = 1; n <= 530; n++)
        for (int kind = 0; kind < 4; kind++) {
            if (kind > 0 && n % 7 > 1) continue;
            check_blur(l, &t, n, kind);
            check_detect(l, &t, n, kind);
        }
    for (int i = 0; i < 500; i++) check_windows(l, i);
}

static void check_level(const level *l) {
    if (l->feature != NULL) check_features(l);
    for (int n = 0; n < 70; n++) check_guided(l, n);
    for (int na = 1; na <= 40; na++) check_match(l, na, 1 + na * 7 % 150, na % 4);
    const int n[] = { 63, 64, 65, 127, 128, 129, 300, 513 };
    for (int i = 0; i < VD_COUNT(n); i++)
        for (int kind = 0; kind < 4; kind++) check_match(l, n[i], n[(i + 3) % VD_COUNT(n)], kind);
}

int main(void) {
    level all[] = {
        { "c", &vd_match_kern_c, &vd_feature_kern_c },
#if defined(__x86_64__)
        { "avx2", &vd_match_kern_avx2, &vd_feature_kern_avx2 },
        { "avx512", &vd_match_kern_avx512, &vd_feature_kern_avx512 },
        { "vnni", &vd_match_kern_vnni, NULL },
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
