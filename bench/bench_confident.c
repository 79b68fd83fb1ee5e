/* bench_confident PROBABILITIES.npy LABELS.npy [ROUNDS]: confident learning, arrays in memory.
 * Prints the median processor time of a round as JSON. SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "base/npy.h"
#include "eval/confident.h"

static double cpu_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b) {
    const double *p = a, *q = b;
    return (*p > *q) - (*p < *q);
}

int main(int argc, char **argv) {
    enum { MOST = 1000 };
    vd_err err = { 0 };
    vd_npy a = { 0 }, b = { 0 };
    void *p = NULL, *given = NULL;
    int rounds = argc > 3 ? VD_CLAMP(atoi(argv[3]), 1, MOST) : 51;
    double time[MOST];
    int64_t n = 0;
    if (argc < 3) {
        fprintf(stderr, "usage: %s PROBABILITIES.npy LABELS.npy [ROUNDS]\n", argv[0]);
        return 2;
    }
    vd_status st = vd_npy_read(&a, &p, argv[1], &err);
    if (st == VD_OK) st = vd_npy_read(&b, &given, argv[2], &err);
    if (st == VD_OK && (a.type != VD_NPY_F64 || a.n_dims != 2 || b.type != VD_NPY_U16 ||
                        vd_npy_count(&b) != a.dim[0]))
        st = vd_fail(&err, VD_E_FORMAT, "float64 probabilities and uint16 labels are wanted");
    int32_t *label = st == VD_OK ? vd_mem_array((size_t)a.dim[0], sizeof *label) : NULL;
    for (int64_t i = 0; label != NULL && i < a.dim[0]; i++) label[i] = ((uint16_t *)given)[i];
    for (int r = 0; label != NULL && st == VD_OK && r < rounds; r++) {
        vd_confident c = { 0 };
        vd_label_issue *found = NULL;
        time[r] = cpu_s();
        st = vd_confident_joint(&c, label, p, a.dim[0], (int)a.dim[1], &err);
        if (st == VD_OK)
            st = vd_confident_find(&found, &n, &c, label, p, VD_CONFIDENT_NOISE_RATE, &err);
        time[r] = cpu_s() - time[r];
        vd_mem_free(found);
        vd_confident_reset(&c);
    }
    if (st == VD_OK) {
        qsort(time, (size_t)rounds, sizeof *time, by_size);
        printf("{\"cpu_ms\": %.4f, \"found\": %lld}\n", 1e3 * time[rounds / 2], (long long)n);
    } else {
        fprintf(stderr, "%s\n", err.msg);
    }
    vd_mem_free(p);
    vd_mem_free(given);
    vd_mem_free(label);
    return st == VD_OK ? 0 : 3;
}
