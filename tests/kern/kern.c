/* Every kernel slot at every CPU level the machine has, against the plain C reference, bit for bit:
 * widths 1 .. 513 and some large ones, misaligned inputs, random, all 0, all 255, and guard bytes
 * around every output. `kern --bench` prints timings instead.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cpu.h"
#include "base/mem.h"
#include "base/rng.h"
#include "image/kern.h"
#include "image/resize.h"
#include "index/kern.h"
#include "measure/kern.h"
#include "synth/kern.h"

enum { MOST = 4200, GUARD = 64, ROWS = 12 };

/* What one level offers, beside the reference. */
typedef struct level {
    const char *name;
    const vd_image_kern *image;
    const vd_measure_kern *measure;
    const vd_index_kern *index;
    const vd_synth_kern *synth;
} level;

/* Inputs of one check: rows of MOST + GUARD bytes, used from a misaligned start on. */
typedef struct input {
    uint8_t row[ROWS][MOST * 3 + GUARD];
    int n, shift;
    const char *kind;
} input;

static int passed, failed;

static void verdict(bool same, const char *slot, const level *l, const input *in) {
    if (same) {
        passed++;
        return;
    }
    failed++;
    if (failed < 20)
        fprintf(stderr, "FAILED %s at %s: n %d, shift %d, %s\n", slot, l->name, in->n, in->shift,
                in->kind);
}

static void fill(input *in, int n, int shift, int kind, uint64_t seed) {
    vd_rng r = vd_rng_for(seed, (uint64_t)n, (uint64_t)kind);
    in->n = n;
    in->shift = shift;
    in->kind = kind == 0 ? "random" : kind == 1 ? "zeros" : kind == 2 ? "255" : "near flat";
    for (int i = 0; i < ROWS; i++)
        for (int x = 0; x < 3 * n + GUARD; x++) {
            uint64_t v = vd_rng_u64(&r);
            in->row[i][x] = kind == 0   ? (uint8_t)v
                            : kind == 1 ? 0
                            : kind == 2 ? 255
                                        : (uint8_t)(100 + ((v & 7) == 0) * (1 + (v >> 8) % 3));
        }
}

/* Outputs: both filled with one pattern first, compared whole, so that a stray write shows. */
typedef struct output {
    uint8_t ref[MOST * 4 + 2 * GUARD], got[MOST * 4 + 2 * GUARD];
} output;

static void wipe(output *o) {
    memset(o->ref, 0xa5, sizeof o->ref);
    memset(o->got, 0xa5, sizeof o->got);
}
static bool same(const output *o) {
    return memcmp(o->ref, o->got, sizeof o->ref) == 0;
}

static void check_rows(const level *l, const input *in, output *o) {
    const uint8_t *rows[ROWS];
    int16_t weight[ROWS];
    for (int k = 1; k <= ROWS; k += k < 4 ? 1 : 4) {
        int left = 16384;
        for (int i = 0; i < k; i++) {
            rows[i] = in->row[i] + in->shift;
            weight[i] = (int16_t)(i == k - 1 ? left : left / 3);
            left -= weight[i];
        }
        wipe(o);
        vd_image_kern_c.reduce_rows((uint16_t *)(void *)(o->ref + GUARD), rows, weight, k, in->n);
        l->image->reduce_rows((uint16_t *)(void *)(o->got + GUARD), rows, weight, k, in->n);
        verdict(same(o), "reduce_rows", l, in);
    }
}

static void check_cols(const level *l, const input *in, output *o) {
    static uint16_t line[MOST + 2 * VD_KERN_PAD + 1024];
    vd_filter_cache cache = { 0 };
    const int part[] = { 1, 2, 3, 5, 17 };
    for (int x = 0; x < in->n; x++) line[x] = (uint16_t)(in->row[0][x] * 128);
    for (int i = 0; i < VD_COUNT(part); i++) {
        const vd_filter *f;
        vd_err err = { 0 };
        int out = (in->n + part[i] - 1) / part[i];
        if (vd_filter_get(&f, &cache, in->n, out, &err) != VD_OK) exit(3);
        for (int x = in->n; x < in->n + f->taps + VD_KERN_PAD; x++) line[x] = 0xffff;
        wipe(o);
        vd_image_kern_c.reduce_cols(o->ref + GUARD, line, f->start, f->weight, f->taps, out);
        l->image->reduce_cols(o->got + GUARD, line, f->start, f->weight, f->taps, out);
        verdict(same(o), "reduce_cols", l, in);
    }
    vd_filter_cache_reset(&cache);
}

static void check_colour(const level *l, const input *in, output *o) {
    const uint8_t *a = in->row[0] + in->shift, *b = in->row[1] + in->shift,
                  *c = in->row[2] + in->shift;
    wipe(o);
    vd_image_kern_c.luma_rgb(o->ref + GUARD, a, in->n);
    l->image->luma_rgb(o->got + GUARD, a, in->n);
    verdict(same(o), "luma_rgb", l, in);
    wipe(o);
    vd_image_kern_c.rgb_ycc(o->ref + GUARD, a, b, c, in->n);
    l->image->rgb_ycc(o->got + GUARD, a, b, c, in->n);
    verdict(same(o), "rgb_ycc", l, in);
    if (in->n > VD_COLOUR_RUN) return;
    vd_colour_sums s = { 0 }, t = { 0 };
    wipe(o);
    vd_measure_kern_c.colour(&s, o->ref + GUARD, o->ref + GUARD + MOST, a, in->n);
    l->measure->colour(&t, o->got + GUARD, o->got + GUARD + MOST, a, in->n);
    verdict(same(o) && memcmp(&s, &t, sizeof s) == 0, "colour", l, in);
}

static void check_sums(const level *l, const input *in) {
    const uint8_t *a = in->row[0] + in->shift, *b = in->row[1] + in->shift,
                  *c = in->row[2] + in->shift, *d = in->row[3] + in->shift;
    vd_row_sums s = { 1, 2, 3, 4, 5 }, t = s;
    vd_measure_kern_c.row(&s, a, b, in->n);
    l->measure->row(&t, a, b, in->n);
    verdict(memcmp(&s, &t, sizeof s) == 0, "row", l, in);
    int64_t p[8] = { 7 }, q[8] = { 7 };
    vd_measure_kern_c.phase(p, a, in->n);
    l->measure->phase(q, a, in->n);
    verdict(memcmp(p, q, sizeof p) == 0, "phase", l, in);
    for (int skip = -1; skip < 8; skip += 7) {
        int64_t u[2] = { 1, 2 }, v[2] = { 1, 2 };
        vd_measure_kern_c.isolated(u, a, b, c, d, in->n, skip);
        l->measure->isolated(v, a, b, c, d, in->n, skip);
        verdict(u[0] == v[0] && u[1] == v[1], "isolated", l, in);
    }
    vd_grad_sums g = { 0 }, h = { 0 };
    if (in->n <= VD_GRAD_MAX_WIDTH) {
        vd_measure_kern_c.grad(&g, a, b, c, in->n);
        l->measure->grad(&h, a, b, c, in->n);
        verdict(memcmp(&g, &h, sizeof g) == 0, "grad", l, in);
    }
}

static void check_noise(const level *l, const input *in, output *o) {
    wipe(o);
    memset(o->ref + GUARD, 0, MOST);
    memset(o->got + GUARD, 0, MOST);
    vd_measure_kern_c.noise((uint32_t *)(void *)(o->ref + GUARD), in->row[0] + in->shift,
                            in->row[1] + in->shift, in->row[2] + in->shift, in->n);
    l->measure->noise((uint32_t *)(void *)(o->got + GUARD), in->row[0] + in->shift,
                      in->row[1] + in->shift, in->row[2] + in->shift, in->n);
    verdict(same(o), "noise", l, in);
    wipe(o);
    for (int x = 0; x < in->n; x++) {
        float v = (float)in->row[3][x] / 7;
        memcpy(o->ref + GUARD + 4 * x, &v, 4);
        memcpy(o->got + GUARD + 4 * x, &v, 4);
    }
    vd_measure_kern_c.add_row((float *)(void *)(o->ref + GUARD), in->row[0] + in->shift, 0.3f,
                              in->n);
    l->measure->add_row((float *)(void *)(o->got + GUARD), in->row[0] + in->shift, 0.3f, in->n);
    verdict(same(o), "add_row", l, in);
}

static void check_pdq(const level *l, const input *in) {
    static float a[64 * 64], d[16 * 64], s[256], t[256];
    for (int i = 0; i < 64 * 64; i++) a[i] = in->row[i % ROWS][i / ROWS] * 0.37f;
    for (int i = 0; i < 16 * 64; i++) d[i] = (in->row[i % ROWS][400 + i / ROWS] - 128) / 700.0f;
    vd_measure_kern_c.dct(s, a, d);
    l->measure->dct(t, a, d);
    verdict(memcmp(s, t, sizeof s) == 0, "dct", l, in);
    verdict(vd_measure_kern_c.quality(a) == l->measure->quality(a), "quality", l, in);
}

static void check_scan(const level *l, const input *in) {
    static uint64_t base[MOST][4];
    static int32_t s[MOST + 1], t[MOST + 1];
    uint64_t query[4];
    int n = VD_MIN(in->n, MOST / 3);
    for (int i = 0; i < n; i++) memcpy(base[i], in->row[i % ROWS] + 8 * (i / ROWS) % (2 * n), 32);
    memcpy(query, base[n / 2], sizeof query);
    const int radius[] = { 0, 31, 100, 128, 255 };
    for (int k = 0; k < VD_COUNT(radius); k++) {
        memset(s, 0x5a, sizeof s);
        memset(t, 0x5a, sizeof t);
        int found = vd_index_kern_c.scan(s, (const uint64_t(*)[4])base, n, query, radius[k]);
        int got = l->index->scan(t, (const uint64_t(*)[4])base, n, query, radius[k]);
        verdict(found == got && memcmp(s, t, sizeof s) == 0, "scan", l, in);
    }
}

/* A scene and what the renderer's kernels work on, twice. */
typedef struct studio {
    vd_scene scene;
    vd_view view;
    int32_t *object;
    double *near;
    vd_found found;
    vd_rays rays[2];
    vd_patch patch[2];
    float sum[2][3 * MOST];
} studio;

static studio *open_studio(vd_world world, uint64_t seed) {
    vd_err err = { 0 };
    studio *u = vd_mem_aligned(sizeof *u);
    if (u == NULL) exit(3);
    memset(u, 0, sizeof *u);
    if (vd_scene_init(&u->scene, world, 90, seed, &err) != VD_OK) exit(3);
    const size_t n = (size_t)u->scene.n_objects;
    u->object = vd_mem_array(n, sizeof *u->object);
    u->near = vd_mem_array(n, sizeof *u->near);
    u->found.object = vd_mem_array(n, sizeof *u->found.object);
    u->found.stamp = vd_mem_array(n, sizeof *u->found.stamp);
    if (!u->object || !u->near || !u->found.object || !u->found.stamp) exit(3);
    for (size_t i = 0; i < n; i++) u->object[i] = (int32_t)i;
    u->view = (vd_view){ .scene = &u->scene, .camera = { 640, 480, 500, 320, 240, 0, 0 } };
    return u;
}

static void close_studio(studio *u) {
    vd_scene_reset(&u->scene);
    vd_mem_free(u->object);
    vd_mem_free(u->near);
    vd_mem_free(u->found.object);
    vd_mem_free(u->found.stamp);
    vd_mem_free(u);
}

static void look(studio *u, int64_t i, double k1) {
    const vd_rigid pose = vd_scene_view(&u->scene, i, 90, 3, 1);
    u->view.eye = vd_scene_eye(pose);
    u->view.camera.k1 = k1;
    vd_quat_matrix(u->view.m, pose.q);
}

/* n pixels of rows of 16 from (x, y) on. */
static void aim_at(studio *u, const vd_synth_kern *k, int which, int n, int x, int y) {
    vd_rays *r = &u->rays[which];
    r->n = n;
    for (int i = 0; i < vd_lanes(n); i++) {
        r->px[i] = x + VD_MIN(i, n - 1) % 16 + 0.5;
        r->py[i] = y + VD_MIN(i, n - 1) / 16 + 0.5;
    }
    k->aim(r, &u->view);
    k->trace(r, &u->view, u->object, u->near, u->scene.n_objects);
}

static void shade_first(studio *u, const vd_synth_kern *k, int which) {
    const vd_rays *r = &u->rays[0];
    vd_patch *p = &u->patch[which];
    int lane[VD_LANES], n = 0;
    for (int i = 0; i < r->n; i++)
        if (r->what[i] == r->what[0]) lane[n++] = i;
    p->n = n;
    p->what = r->what[0];
    for (int i = 0; i < vd_lanes(n); i++) {
        const int j = lane[VD_MIN(i, n - 1)];
        p->dx[i] = r->dx[j];
        p->dy[i] = r->dy[j];
        p->dz[i] = r->dz[j];
        p->t[i] = r->t[j];
    }
    k->shade(p, &u->view, &u->found);
}

static void check_film(const level *l, studio *u, const input *in, output *o) {
    vd_film f = { .width = in->n,
                  .exposure = 0.7f,
                  .fall = 1e-7f,
                  .centre_x = 200,
                  .dy2 = 900,
                  .common = 3,
                  .own = 2,
                  .key = 99 };
    for (int c = 0; c < 3; c++) {
        for (int i = 0; i < in->n; i++) u->sum[0][c * MOST + i] = in->row[c][i] * 0.013f - 0.02f;
        f.light[c] = u->sum[0] + c * MOST;
    }
    wipe(o);
    vd_synth_kern_c.develop(o->ref + GUARD, &f);
    l->synth->develop(o->got + GUARD, &f);
    verdict(same(o), "develop", l, in);
    memcpy(u->sum[1], u->sum[0], sizeof u->sum[0]);
    vd_synth_kern_c.add(u->sum[0], u->sum[0] + MOST + 1, 0.37f, in->n);
    l->synth->add(u->sum[1], u->sum[1] + MOST + 1, 0.37f, in->n);
    verdict(memcmp(u->sum[0], u->sum[1], sizeof u->sum[0]) == 0, "add", l, in);
}

/* Patches of pictures, of 1 to VD_LANES pixels, with and without distortion. */
static void check_synth(const level *l, vd_world world) {
    static input in;
    static output o;
    studio *u = open_studio(world, 5);
    vd_rng r = vd_rng_for(7, (uint64_t)world, 0);
    for (int i = 0; i < 3000; i++) {
        in = (input){ .n = 1 + i % VD_LANES, .kind = world == VD_WORLD_TOWN ? "town" : "yard" };
        look(u, i % 90, i % 3 == 0 ? -0.1 : 0);
        const int x = (int)vd_rng_int(&r, 620), y = (int)vd_rng_int(&r, 470);
        aim_at(u, &vd_synth_kern_c, 0, in.n, x, y);
        aim_at(u, l->synth, 1, in.n, x, y);
        verdict(memcmp(&u->rays[0], &u->rays[1], sizeof u->rays[0]) == 0, "rays", l, &in);
        shade_first(u, &vd_synth_kern_c, 0);
        shade_first(u, l->synth, 1);
        const size_t size = (size_t)vd_lanes(u->patch[0].n) * sizeof(float);
        const vd_patch *a = &u->patch[0], *b = &u->patch[1];
        verdict(memcmp(a->red, b->red, size) == 0 && memcmp(a->green, b->green, size) == 0 &&
                    memcmp(a->blue, b->blue, size) == 0,
                "shade", l, &in);
        fill(&in, 1 + i % 513, 0, i % 4, (uint64_t)i);
        check_film(l, u, &in, &o);
    }
    close_studio(u);
}

static void check_level(const level *l) {
    static input in;
    static output o;
    for (int n = 1; n <= 513; n++) {
        for (int kind = 0; kind < 4; kind++) {
            if (kind > 0 && n > 130 && n % 16 > 1) continue;
            fill(&in, n, n * 7 % 64, kind, 1);
            check_rows(l, &in, &o);
            check_cols(l, &in, &o);
            check_colour(l, &in, &o);
            check_sums(l, &in);
            check_noise(l, &in, &o);
            check_scan(l, &in);
        }
    }
    const int large[] = { 1024, 2048, 4095, 4096, 4200 };
    for (int i = 0; i < VD_COUNT(large); i++)
        for (int kind = 0; kind < 4; kind++) {
            fill(&in, large[i], i, kind, 2);
            check_rows(l, &in, &o);
            check_cols(l, &in, &o);
            check_colour(l, &in, &o);
            check_sums(l, &in);
            check_noise(l, &in, &o);
            check_pdq(l, &in);
        }
    check_synth(l, VD_WORLD_YARD);
    check_synth(l, VD_WORLD_TOWN);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#define TIMED(slot, call)                                                                          \
    do {                                                                                           \
        double best = 1e9;                                                                         \
        for (int i_ = 0; i_ < 50; i_++) {                                                          \
            double start_ = now();                                                                 \
            for (int k_ = 0; k_ < 20; k_++) {                                                      \
                call;                                                                              \
            }                                                                                      \
            best = VD_MIN(best, (now() - start_) / 20);                                            \
        }                                                                                          \
        printf("%-12s %-8s %8.3f us\n", slot, l->name, 1e6 * best);                                \
    } while (0)

/* Rows of 3072 samples; the least of 50 runs. */
static void bench_level(const level *l) {
    static input in;
    static output o;
    enum { N = 3072 };
    fill(&in, N, 0, 0, 3);
    const uint8_t *a = in.row[0], *b = in.row[1], *c = in.row[2], *d = in.row[3];
    const uint8_t *rows[4] = { a, b, c, d };
    const int16_t weight[4] = { 4096, 4096, 4096, 4096 };
    uint16_t *line = (uint16_t *)(void *)o.ref;
    vd_filter_cache cache = { 0 };
    const vd_filter *f;
    vd_err err = { 0 };
    if (vd_filter_get(&f, &cache, N, N / 3, &err) != VD_OK) exit(3);
    vd_row_sums s = { 0 };
    int64_t phase[8] = { 0 }, iso[2] = { 0 };
    vd_grad_sums g = { 0 };
    vd_colour_sums cs = { 0 };
    static float dct_in[64 * 64], dct_d[16 * 64], dct_out[256];
    static uint64_t hash[1024][4];
    static int32_t hits[1024];
    memcpy(hash, in.row[4], N);
    TIMED("reduce_rows", l->image->reduce_rows(line, rows, weight, 4, N));
    TIMED("reduce_cols", l->image->reduce_cols(o.got, line, f->start, f->weight, f->taps, N / 3));
    TIMED("luma_rgb", l->image->luma_rgb(o.got, a, N));
    TIMED("rgb_ycc", l->image->rgb_ycc(o.got, a, b, c, N));
    TIMED("row", l->measure->row(&s, a, b, N));
    TIMED("phase", l->measure->phase(phase, a, N));
    TIMED("isolated", l->measure->isolated(iso, a, b, c, d, N, -1));
    TIMED("noise", l->measure->noise((uint32_t *)(void *)o.got, a, b, c, N));
    TIMED("grad", l->measure->grad(&g, a, b, c, N));
    TIMED("colour256", l->measure->colour(&cs, o.got, o.ref, a, VD_COLOUR_RUN));
    TIMED("dct", l->measure->dct(dct_out, dct_in, dct_d));
    TIMED("scan1024", l->index->scan(hits, (const uint64_t(*)[4])hash, 1024, hash[3], 31));
    vd_filter_cache_reset(&cache);
    studio *u = open_studio(VD_WORLD_YARD, 1);
    look(u, 12, 0);
    aim_at(u, l->synth, 0, VD_LANES, 320, 400); /* the ground in front */
    TIMED("trace128", aim_at(u, l->synth, 0, VD_LANES, 320, 400));
    TIMED("shade128", shade_first(u, l->synth, 0));
    close_studio(u);
}

int main(int argc, char **argv) {
    bool bench = argc > 1 && strcmp(argv[1], "--bench") == 0;
    level all[] = {
        { "c", &vd_image_kern_c, &vd_measure_kern_c, &vd_index_kern_c, &vd_synth_kern_c },
#if defined(__x86_64__)
        { "avx2", &vd_image_kern_avx2, &vd_measure_kern_avx2, &vd_index_kern_avx2,
          &vd_synth_kern_avx2 },
        { "avx512", &vd_image_kern_avx512, &vd_measure_kern_avx512, &vd_index_kern_avx512,
          &vd_synth_kern_avx512 },
#endif
    };
    for (int i = 0; i < VD_COUNT(all); i++) {
        unsigned need = vd_cpu_mask_of(all[i].name);
        if ((vd_cpu_detected() & need) != need) {
            fprintf(stderr, "skip %s: this machine has no such instructions\n", all[i].name);
            continue;
        }
        if (bench)
            bench_level(&all[i]);
        else if (i > 0)
            check_level(&all[i]);
    }
    if (!bench) printf("%s: %d passed, %d failed\n", argv[0], passed, failed);
    return failed > 0;
}
