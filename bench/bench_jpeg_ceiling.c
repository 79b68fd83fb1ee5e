/* The ceiling of ingest: libjpeg-turbo decoding files to planar YCbCr and nothing else.
 * bench_jpeg_ceiling THREADS LIST prints one JSON line; LIST names one file a line, all of them are
 * read into memory before the clock starts, planes are reused from one picture to the next.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <turbojpeg.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/pool.h"
#include "base/str.h"

enum { MAX_THREADS = 256, MAX_LINE = 4096 };

typedef struct file {
    char *data;
    size_t size;
    int64_t pixels; /* decoded; 0: not a JPEG that has planes (CMYK) */
} file;

typedef struct decoder {
    tjhandle handle;
    unsigned char *plane[3];
    int64_t cap[3];
} decoder;

typedef struct bench {
    file *files;
    int64_t n, cap;
    decoder decoder[MAX_THREADS];
} bench;

static vd_status decode(void *user, int64_t i, int worker, vd_err *err) {
    bench *b = user;
    file *f = &b->files[i];
    decoder *d = &b->decoder[worker];
    int width = 0, height = 0, subsampling = 0, space = 0;
    const unsigned char *data = (const unsigned char *)f->data;
    if (tjDecompressHeader3(d->handle, data, f->size, &width, &height, &subsampling, &space) != 0 ||
        space == TJCS_CMYK || space == TJCS_YCCK)
        return VD_OK;
    for (int k = 0; k < (subsampling == TJSAMP_GRAY ? 1 : 3); k++) {
        unsigned long size = tjPlaneSizeYUV(k, width, 0, height, subsampling);
        VD_TRY(VD_GROW(d->plane[k], d->cap[k], (int64_t)size, err));
    }
    /* a warning (trailing bytes) leaves whole planes and counts */
    if (tjDecompressToYUVPlanes(d->handle, data, f->size, d->plane, width, NULL, height, 0) == 0 ||
        tjGetErrorCode(d->handle) == TJERR_WARNING)
        f->pixels = (int64_t)width * height;
    return VD_OK;
}

static vd_status read_file(bench *b, const char *path, vd_err *err) {
    VD_TRY(VD_GROW(b->files, b->cap, b->n + 1, err));
    FILE *in = fopen(path, "rb");
    if (in == NULL) return vd_fail(err, VD_E_IO, "%s: cannot be opened", path);
    fseek(in, 0, SEEK_END);
    size_t size = (size_t)ftell(in);
    rewind(in);
    char *data = vd_mem_alloc(size + 1);
    bool ok = data != NULL && fread(data, 1, size, in) == size;
    fclose(in);
    if (!ok) return vd_fail(err, VD_E_IO, "%s: cannot be read", path);
    b->files[b->n++] = (file){ data, size, 0 };
    return VD_OK;
}

static vd_status read_list(bench *b, const char *list, vd_err *err) {
    char line[MAX_LINE];
    vd_status st = VD_OK;
    FILE *in = fopen(list, "r");
    if (in == NULL) return vd_fail(err, VD_E_IO, "%s: cannot be opened", list);
    while (st == VD_OK && fgets(line, sizeof line, in) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        st = read_file(b, line, err);
    }
    fclose(in);
    return st;
}

static double cpu_s(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

int main(int argc, char **argv) {
    static bench b; /* large for a stack */
    vd_err err = { 0 };
    vd_pool *pool = NULL;
    vd_status st = VD_OK;
    int threads = argc > 2 ? atoi(argv[1]) : 0;
    int64_t pictures = 0, pixels = 0;
    if (threads < 1 || threads > MAX_THREADS) {
        fprintf(stderr, "usage: bench_jpeg_ceiling THREADS LIST\n");
        return 2;
    }
    VD_GO(read_list(&b, argv[2], &err));
    VD_GO(vd_pool_new(&pool, threads, &err));
    for (int i = 0; i < threads; i++)
        if ((b.decoder[i].handle = tjInitDecompress()) == NULL) VD_GO(vd_nomem(&err));
    double cpu = cpu_s(), start = vd_time_mono_s();
    VD_GO(vd_pool_for(pool, b.n, decode, &b, &err));
    double wall = vd_time_mono_s() - start;
    cpu = cpu_s() - cpu;
    for (int64_t i = 0; i < b.n; i++) {
        pictures += b.files[i].pixels > 0;
        pixels += b.files[i].pixels;
    }
    printf(
        "{\"bench\":\"jpeg_ceiling\",\"threads\":%d,\"files\":%lld,\"decoded\":%lld,\"megapixels\":%.3f,"
        "\"wall_s\":%.4f,\"cpu_s\":%.4f}\n",
        threads, (long long)b.n, (long long)pictures, (double)pixels * 1e-6, wall, cpu);
done:
    if (st != VD_OK) fprintf(stderr, "%s\n", err.msg);
    for (int i = 0; i < threads; i++) {
        if (b.decoder[i].handle != NULL) tjDestroy(b.decoder[i].handle);
        for (int k = 0; k < 3; k++) vd_mem_free(b.decoder[i].plane[k]);
    }
    for (int64_t i = 0; i < b.n; i++) vd_mem_free(b.files[i].data);
    vd_mem_free(b.files);
    vd_pool_free(pool);
    return st == VD_OK ? 0 : 3;
}
