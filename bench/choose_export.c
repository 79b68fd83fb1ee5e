/* Choices among the rows of a NumPy file, for the script that measures them:
 *     choose_export facility|parts|kcentre|balance OUT.npy COUNT JOBS IN.npy [PART BYTES]
 * PART and BYTES are those of vd_facility_opt. OUT gets the chosen rows; one JSON line has the
 * time, the processor time, the mean cosine of all rows to the most similar chosen one.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/npy.h"
#include "base/pool.h"
#include "index/choose.h"

static double cpu_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static vd_status read_rows(vd_vectors *v, const char *path, vd_err *err) {
    vd_npy shape;
    void *data = NULL;
    VD_TRY(vd_npy_read(&shape, &data, path, err));
    vd_status st = VD_OK;
    if (shape.n_dims != 2 || (shape.type != VD_NPY_F32 && shape.type != VD_NPY_I8))
        st = vd_fail(err, VD_E_FORMAT, "%s: no rows of float32 or int8", path);
    else if (shape.type == VD_NPY_I8)
        st = vd_vectors_i8(v, data, shape.dim[0], (int)shape.dim[1], err);
    else
        st = vd_vectors_f32(v, data, shape.dim[0], (int)shape.dim[1], err);
    vd_mem_free(data);
    return st;
}

static vd_status choose(int32_t *chosen, const char *what, const vd_vectors *v, int64_t count,
                        char **options, vd_pool *pool, vd_err *err) {
    vd_facility_opt o = VD_FACILITY_OPT;
    if (options != NULL) {
        o.part = atoll(options[0]);
        o.bytes = atoll(options[1]);
    }
    o.exact = strcmp(what, "facility") == 0 ? INT32_MAX : 0;
    if (strcmp(what, "kcentre") == 0) return vd_kcentre(chosen, NULL, v, count, NULL, 0, pool, err);
    if (strcmp(what, "balance") == 0) return vd_balance(chosen, v, count, NULL, pool, err);
    return vd_facility(chosen, NULL, v, count, &o, pool, err);
}

int main(int argc, char **argv) {
    vd_err err = { 0 };
    vd_vectors v = { 0 };
    vd_pool *pool = NULL;
    double value = 0;
    if (argc != 6 && argc != 8) {
        fprintf(stderr,
                "usage: %s facility|parts|kcentre|balance OUT.npy COUNT JOBS IN.npy [PART BYTES]\n",
                argv[0]);
        return 2;
    }
    int64_t count = atoll(argv[3]);
    int32_t *chosen = vd_mem_array((size_t)count, sizeof *chosen);
    vd_status st = chosen == NULL ? vd_nomem(&err) : read_rows(&v, argv[5], &err);
    if (st == VD_OK) st = vd_pool_new(&pool, atoi(argv[4]), &err);
    double wall = vd_time_mono_s(), cpu = cpu_s();
    if (st == VD_OK)
        st = choose(chosen, argv[1], &v, count, argc == 8 ? argv + 6 : NULL, pool, &err);
    wall = vd_time_mono_s() - wall;
    cpu = cpu_s() - cpu;
    if (st == VD_OK) st = vd_facility_value(&value, &v, chosen, count, pool, &err);
    vd_npy shape = { .type = VD_NPY_I32, .n_dims = 1, .dim = { count } };
    if (st == VD_OK) st = vd_npy_write(argv[2], &shape, chosen, &err);
    if (st == VD_OK)
        printf("{\"seconds\": %.3f, \"cpu\": %.3f, \"value\": %.9f}\n", wall, cpu, value);
    if (st != VD_OK) fprintf(stderr, "%s\n", err.msg);
    vd_pool_free(pool);
    vd_vectors_reset(&v);
    vd_mem_free(chosen);
    return st == VD_OK ? 0 : 3;
}
