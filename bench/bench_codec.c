/* Decoding in the supervised process against the same libjpeg decode in this process: what
 * isolation costs. bench_codec FILE... prints one JSON line: CPU microseconds a picture of both
 * processes together and of the decode alone, medians of repetitions. SPDX-License-Identifier:
 * Apache-2.0 */
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <jpeglib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/path.h"
#include "image/codec.h"
#include "image/codec_test.h"

enum { REPEATS = 5, MAX_FILES = 4096 };

typedef struct file {
    char *data;
    size_t size;
    const char *name;
} file;

/* User and system time of another process, from its CPU clock. */
static double cpu_of(pid_t pid) {
    clockid_t clock;
    struct timespec t;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) != 0) return NAN;
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static vd_status on_frame(void *user, const vd_frame *f, const vd_media *m, int64_t index,
                          double time_s, vd_err *err) {
    int64_t *pixels = user;
    (void)m, (void)index, (void)time_s, (void)err;
    *pixels += (int64_t)f->width * f->height;
    return VD_OK;
}

/* The floor: libjpeg to planes in this process, with reused structures and buffers. */
static void decode_here(struct jpeg_decompress_struct *c, const file *f, uint8_t **buf,
                        int64_t *cap) {
    JSAMPROW rows[3][64];
    JSAMPARRAY planes[3] = { rows[0], rows[1], rows[2] };
    size_t at[3], size = 0;
    jpeg_mem_src(c, (const unsigned char *)f->data, f->size);
    jpeg_read_header(c, TRUE);
    c->raw_data_out = TRUE;
    int lines = c->max_v_samp_factor * 8;
    int64_t high = (c->image_height + (unsigned)lines - 1) / (unsigned)lines;
    for (int i = 0; i < c->num_components; i++) {
        at[i] = size;
        size += (size_t)c->comp_info[i].width_in_blocks * 8 *
                (size_t)(high * c->comp_info[i].v_samp_factor * 8);
    }
    if (VD_GROW(*buf, *cap, (int64_t)size, NULL) != VD_OK) exit(1);
    jpeg_start_decompress(c);
    for (int64_t y = 0; c->output_scanline < c->output_height; y++) {
        for (int i = 0; i < c->num_components; i++) {
            int n = c->comp_info[i].v_samp_factor * 8;
            for (int k = 0; k < n; k++)
                rows[i][k] =
                    *buf + at[i] + (size_t)(y * n + k) * c->comp_info[i].width_in_blocks * 8;
        }
        jpeg_read_raw_data(c, planes, (JDIMENSION)lines);
    }
    jpeg_finish_decompress(c);
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    vd_err err = { 0 };
    vd_codec *codec = NULL;
    const vd_decode_opt opt = VD_DECODE_OPT;
    int n = VD_MIN(argc - 1, MAX_FILES), loops;
    file *files = vd_mem_array((size_t)n + 1, sizeof *files);
    int64_t bytes = 0, pixels = 0, cap = 0;
    double there[REPEATS], here[REPEATS], wall[REPEATS];
    uint8_t *buf = NULL, *input = NULL;
    if (n < 1 || files == NULL || vd_codec_new(&codec, NULL, &err) != VD_OK) return 2;
    for (int i = 0; i < n; i++) {
        files[i].name = argv[i + 1];
        if (vd_file_read(&files[i].data, &files[i].size, argv[i + 1], 1u << 30, &err) != VD_OK) {
            fprintf(stderr, "%s\n", err.msg);
            return 2;
        }
        bytes += (int64_t)files[i].size;
    }
    struct jpeg_decompress_struct c;
    struct jpeg_error_mgr e;
    c.err = jpeg_std_error(&e);
    jpeg_create_decompress(&c);
    loops = (int)VD_CLAMP(40000000 / VD_MAX(bytes, 1), 1, 2000);
    for (int r = -1; r < REPEATS; r++) { /* the first round warms up */
        double t0 = (double)clock() / CLOCKS_PER_SEC, w0 = vd_time_mono_s();
        double k0 = r < 0 ? 0 : cpu_of(vd_codec_test_pid(codec));
        pixels = 0;
        for (int k = 0; k < loops; k++)
            for (int i = 0; i < n; i++) {
                vd_media m;
                vd_source s = { files[i].name, -1, 0, (int64_t)files[i].size };
                if (vd_codec_input(codec, files[i].size, &input, &err) != VD_OK) return 3;
                memcpy(input, files[i].data, files[i].size);
                if (vd_codec_decode(codec, &s, &opt, on_frame, &pixels, &m, &err) != VD_OK)
                    return 3;
            }
        double count = (double)loops * n;
        double t1 = (double)clock() / CLOCKS_PER_SEC, k1 = cpu_of(vd_codec_test_pid(codec));
        double w1 = vd_time_mono_s();
        for (int k = 0; k < loops; k++)
            for (int i = 0; i < n; i++) decode_here(&c, &files[i], &buf, &cap);
        double t2 = (double)clock() / CLOCKS_PER_SEC;
        if (r < 0) continue;
        there[r] = (t1 - t0 + k1 - k0) / count * 1e6;
        wall[r] = (w1 - w0) / count * 1e6;
        here[r] = (t2 - t1) / count * 1e6;
    }
    qsort(there, REPEATS, sizeof *there, by_value);
    qsort(here, REPEATS, sizeof *here, by_value);
    qsort(wall, REPEATS, sizeof *wall, by_value);
    double a = there[REPEATS / 2], b = here[REPEATS / 2];
    printf("{\"bench\":\"codec\",\"files\":%d,\"mean_pixels\":%.0f,\"process_cpu_us\":%.1f,"
           "\"in_process_cpu_us\":%.1f,\"overhead_us\":%.1f,\"overhead_percent\":%.2f,"
           "\"process_wall_us\":%.1f}\n",
           n, (double)pixels / loops / n, a, b, a - b, 100 * (a / b - 1), wall[REPEATS / 2]);
    jpeg_destroy_decompress(&c);
    vd_codec_free(codec);
    for (int i = 0; i < n; i++) vd_mem_free(files[i].data);
    vd_mem_free(files);
    vd_mem_free(buf);
    return 0;
}
