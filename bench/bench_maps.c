/* bench_maps [ROUNDS [DIR]]: what maps of the size of Cityscapes' take, 2048 x 1024 pixels with 100
 * instances: masks of a map, painting, writing a PNG, reading it through the decoding process; for
 * each processor milliseconds of this process, the best of the rounds. `decode_ms` is wall time,
 * which the other process has most of; VIDIMUS_LIBEXEC says where that one is. With DIR, 40 such
 * maps are written there for `labels.py
 * --maps`. SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/rng.h"
#include "labelkit/files.h"
#include "labelkit/maps.h"
#include "labelkit/paint.h"

enum { WIDTH = 2048, HEIGHT = 1024, INSTANCES = 100, STUFF = 12, FILES = 40 };

static double cpu_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

/* Bands of stuff with wavy edges, and ellipses over them. */
static void make_map(int32_t *map, vd_rng *r) {
    for (int x = 0; x < WIDTH; x++)
        for (int y = 0; y < HEIGHT; y++) {
            int wave = (int)(12 * sin(0.02 * x + 0.01 * y) + 9 * sin(0.11 * x));
            map[y * WIDTH + x] = 7 + VD_CLAMP((y + wave) * STUFF / HEIGHT, 0, STUFF - 1);
        }
    for (int i = 0; i < INSTANCES; i++) {
        double cx = vd_rng_f64(r) * WIDTH, cy = vd_rng_f64(r) * HEIGHT, a = 10 + 60 * vd_rng_f64(r),
               b = 10 + 60 * vd_rng_f64(r);
        for (int y = VD_MAX((int)(cy - b), 0); y < VD_MIN((int)(cy + b), HEIGHT); y++)
            for (int x = VD_MAX((int)(cx - a), 0); x < VD_MIN((int)(cx + a), WIDTH); x++)
                if ((x - cx) * (x - cx) / (a * a) + (y - cy) * (y - cy) / (b * b) < 1)
                    map[y * WIDTH + x] = (24 + i % 10) * 1000 + i / 10;
    }
}

typedef struct times {
    double masks, paint, write, decode, read_cpu;
    int64_t n, runs, bytes;
} times;

static void keep_best(double *best, double value) {
    if (*best == 0 || value < *best) *best = value;
}

static vd_status one_round(times *t, const int32_t *map, const char *file, vd_codec **codec,
                           vd_err *err) {
    vd_map_masks m = { 0 };
    vd_painter p = { 0 };
    vd_label_map back = { 0 };
    vd_status st = VD_OK;
    double t0 = cpu_ms();
    VD_GO(vd_map_masks_of(&m, map, HEIGHT, WIDTH, err));
    keep_best(&t->masks, cpu_ms() - t0);
    t->n = m.n;
    t->runs = 0;
    for (int64_t i = 0; i < m.n; i++) t->runs += m.mask[i].n;
    t0 = cpu_ms();
    VD_GO(vd_map_canvas_clear(&p.canvas, HEIGHT, WIDTH, err));
    for (int64_t i = 0; i < m.n; i++) vd_map_canvas_paint(&p.canvas, &m.mask[i], m.id[i]);
    keep_best(&t->paint, cpu_ms() - t0);
    t0 = cpu_ms();
    VD_GO(vd_paint_write(&p, VD_PAINT_GREY16, NULL, file, err));
    keep_best(&t->write, cpu_ms() - t0);
    t->bytes = p.png.size;
    t0 = cpu_ms();
    double wall = vd_time_mono_s();
    VD_GO(vd_label_map_read(&back, file, VD_MAP_IDS, VD_LABEL_MAP_PIXELS, codec, NULL, err));
    keep_best(&t->decode, 1e3 * (vd_time_mono_s() - wall));
    keep_best(&t->read_cpu, cpu_ms() - t0);
    for (int64_t i = 0; i < (int64_t)WIDTH * HEIGHT; i++)
        if (back.id[i] != map[i]) VD_GO(vd_fail(err, VD_E_INTERNAL, "pixel %lld", (long long)i));
done:
    vd_map_masks_reset(&m);
    vd_painter_reset(&p);
    vd_label_map_reset(&back);
    return st;
}

static vd_status write_files(const char *folder, int32_t *map, vd_rng *r, vd_err *err) {
    vd_painter p = { 0 };
    vd_status st = VD_OK;
    for (int i = 0; st == VD_OK && i < FILES; i++) {
        char name[128];
        vd_map_masks m = { 0 };
        make_map(map, r);
        snprintf(name, sizeof name, "gtFine/train/bench/bench_%06d_000019_gtFine_instanceIds.png",
                 i);
        st = vd_map_masks_of(&m, map, HEIGHT, WIDTH, err);
        if (st == VD_OK) st = vd_map_canvas_clear(&p.canvas, HEIGHT, WIDTH, err);
        for (int64_t k = 0; st == VD_OK && k < m.n; k++)
            vd_map_canvas_paint(&p.canvas, &m.mask[k], m.id[k]);
        if (st == VD_OK) st = vd_paint_write(&p, VD_PAINT_GREY16, folder, name, err);
        vd_map_masks_reset(&m);
    }
    vd_painter_reset(&p);
    return st;
}

int main(int argc, char **argv) {
    vd_err err = { 0 };
    vd_rng r = vd_rng_for(2048, 0, 0);
    const int rounds = argc > 1 ? atoi(argv[1]) : 9;
    int32_t *map = vd_mem_array((size_t)WIDTH * HEIGHT, sizeof *map);
    vd_codec *codec = NULL;
    times t = { 0 };
    vd_status st = map != NULL ? VD_OK : vd_nomem(&err);
    char file[] = "/tmp/vidimus-bench-map-XXXXXX";
    int fd = mkstemp(file);
    if (st == VD_OK) make_map(map, &r);
    for (int i = 0; st == VD_OK && i < rounds; i++) st = one_round(&t, map, file, &codec, &err);
    if (st == VD_OK && argc > 2) st = write_files(argv[2], map, &r, &err);
    if (st == VD_OK)
        printf("{\"bench\":\"maps\",\"width\":%d,\"height\":%d,\"ids\":%lld,\"runs\":%lld,"
               "\"masks_ms\":%.2f,\"paint_ms\":%.2f,\"png_write_ms\":%.2f,\"png_bytes\":%lld,"
               "\"decode_ms\":%.2f,\"decode_cpu_here_ms\":%.2f}\n",
               WIDTH, HEIGHT, (long long)t.n, (long long)t.runs, t.masks, t.paint, t.write,
               (long long)t.bytes, t.decode, t.read_cpu);
    else
        fprintf(stderr, "bench_maps: %s\n", err.msg);
    if (fd >= 0) close(fd);
    unlink(file);
    vd_codec_free(codec);
    vd_mem_free(map);
    return st != VD_OK;
}
