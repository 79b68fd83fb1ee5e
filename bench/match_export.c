/* Matching and retrieval of descriptors in NumPy files, for the scripts that measure them:
 *     match_export pair OUT.npy PROBE LEAST A.npy B.npy      matches, rows of a, b
 *     match_export counts OUT.npy PROBES A.npy B.npy ...     matches of the first 2^k features, k =
 *                                                            7 .. 6 + PROBES, of all pairs i < j
 *     match_export vlad OUT.npy WORDS FEATURES K A.npy ...   the K nearest of each
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/npy.h"
#include "feature/match.h"
#include "feature/vlad.h"

typedef struct list {
    uint8_t *desc;
    int n;
} list;

static vd_status read_list(list *l, const char *path, vd_err *err) {
    FILE *f = fopen(path, "rb");
    char head[256];
    vd_npy shape;
    if (f == NULL) return vd_fail(err, VD_E_IO, "%s: cannot be opened", path);
    size_t got = fread(head, 1, sizeof head, f);
    vd_status st = vd_npy_parse(&shape, head, got, err);
    if (st == VD_OK &&
        (shape.type != VD_NPY_U8 || shape.n_dims != 2 || shape.dim[1] != VD_SIFT_DIM))
        st = vd_fail(err, VD_E_FORMAT, "%s: no descriptors", path);
    if (st == VD_OK) {
        size_t bytes = (size_t)shape.dim[0] * VD_SIFT_DIM;
        l->n = (int)shape.dim[0];
        l->desc = vd_mem_aligned(bytes + 1);
        if (l->desc == NULL || fseek(f, (long)shape.data_at, SEEK_SET) != 0 ||
            fread(l->desc, 1, bytes, f) != bytes)
            st = vd_fail(err, VD_E_IO, "%s: cannot be read", path);
    }
    fclose(f);
    return st;
}

static vd_status write_table(const char *path, const int32_t *data, int64_t rows, int64_t cols,
                             vd_err *err) {
    vd_npy shape = { .type = VD_NPY_I32, .n_dims = 2, .dim = { rows, cols } };
    return vd_npy_write(path, &shape, data, err);
}

static vd_status pair(const char *out, char **arg, const list *l, vd_err *err) {
    vd_match_opt opt = VD_MATCH_OPT;
    vd_match_work *w = NULL;
    vd_match *m = NULL;
    int n = 0;
    opt.probe = atoi(arg[0]);
    opt.probe_least = atoi(arg[1]);
    VD_TRY(vd_match_work_new(&w, err));
    vd_status st = vd_match_pair(&m, &n, l[0].desc, l[0].n, l[1].desc, l[1].n, &opt, w, err);
    if (st == VD_OK) st = write_table(out, (const int32_t *)m, n, 2, err);
    vd_mem_free(m);
    vd_match_work_free(w);
    return st;
}

static vd_status counts(const char *out, char **arg, const list *l, int n, vd_err *err) {
    vd_match_opt opt = VD_MATCH_OPT;
    vd_match_work *w = NULL;
    int probes = atoi(arg[0]);
    int64_t at = 0, rows = (int64_t)n * (n - 1) / 2;
    int32_t *table = vd_mem_array((size_t)(rows * probes), sizeof *table);
    opt.probe = 0;
    if (table == NULL) return vd_nomem(err);
    vd_status st = vd_match_work_new(&w, err);
    for (int i = 0; i < n; i++)
        for (int j = i + 1; j < n; j++)
            for (int k = 0; k < probes && st == VD_OK; k++) {
                int most = 128 << k;
                vd_match *m = NULL;
                st = vd_match_pair(&m, &table[at++], l[i].desc, VD_MIN(l[i].n, most), l[j].desc,
                                   VD_MIN(l[j].n, most), &opt, w, err);
                vd_mem_free(m);
            }
    if (st == VD_OK) st = write_table(out, table, rows, probes, err);
    vd_match_work_free(w);
    vd_mem_free(table);
    return st;
}

/* Words from descriptors taken evenly from all pictures, as a stage would. */
static vd_status train(vd_vocabulary *v, const list *l, int n, int words, int most, vd_err *err) {
    int each = VD_MAX(1, VD_VLAD_SAMPLE / n), total = 0;
    uint8_t *sample = vd_mem_alloc((size_t)each * (size_t)n * VD_SIFT_DIM);
    if (sample == NULL) return vd_nomem(err);
    for (int i = 0; i < n; i++) {
        int have = VD_MIN(l[i].n, most), take = VD_MIN(have, each);
        for (int k = 0; k < take; k++, total++)
            memcpy(sample + (size_t)total * VD_SIFT_DIM,
                   l[i].desc + (size_t)((int64_t)have * k / take) * VD_SIFT_DIM, VD_SIFT_DIM);
    }
    vd_status st = vd_vlad_train(v, sample, total, words, 1, err);
    vd_mem_free(sample);
    return st;
}

static vd_status vlad(const char *out, char **arg, const list *l, int n, vd_err *err) {
    vd_vocabulary v = { 0 };
    int words = atoi(arg[0]), most = atoi(arg[1]), k = atoi(arg[2]);
    VD_TRY(train(&v, l, n, words, most, err));
    int size = vd_vlad_size(&v);
    int8_t *code = vd_mem_alloc((size_t)n * (size_t)size);
    int32_t *table = vd_mem_alloc((size_t)n * (size_t)k * sizeof *table);
    vd_status st = code == NULL || table == NULL ? vd_nomem(err) : VD_OK;
    for (int i = 0; i < n && st == VD_OK; i++)
        st = vd_vlad_encode(code + (size_t)i * (size_t)size, &v, l[i].desc, VD_MIN(l[i].n, most),
                            err);
    if (st == VD_OK) st = vd_vlad_nearest(table, k, code, n, size, 0, n, err);
    if (st == VD_OK) st = write_table(out, table, n, k, err);
    vd_vocabulary_reset(&v);
    vd_mem_free(code);
    vd_mem_free(table);
    return st;
}

int main(int argc, char **argv) {
    const char *what = argc > 3 ? argv[1] : "";
    int options = strcmp(what, "pair") == 0     ? 2
                  : strcmp(what, "counts") == 0 ? 1
                  : strcmp(what, "vlad") == 0   ? 3
                                                : 0;
    int n = argc - 3 - options;
    vd_err err = { 0 };
    vd_status st = VD_OK;
    if (options == 0 || n < 2) {
        fprintf(stderr, "usage: %s pair|counts|vlad OUT.npy OPTION... DESCRIPTORS.npy ...\n",
                argv[0]);
        return 2;
    }
    list *l = vd_mem_array((size_t)n, sizeof *l);
    if (l == NULL) return 3;
    for (int i = 0; i < n && st == VD_OK; i++) st = read_list(&l[i], argv[3 + options + i], &err);
    if (st == VD_OK)
        st = options == 2   ? pair(argv[2], argv + 3, l, &err)
             : options == 1 ? counts(argv[2], argv + 3, l, n, &err)
                            : vlad(argv[2], argv + 3, l, n, &err);
    if (st != VD_OK) fprintf(stderr, "%s\n", err.msg);
    for (int i = 0; i < n; i++) vd_mem_free(l[i].desc);
    vd_mem_free(l);
    return st == VD_OK ? 0 : 3;
}
