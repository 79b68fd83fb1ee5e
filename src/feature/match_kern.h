/* Inner loops of descriptor matching: a table of slots for each CPU level. Everything is in
 * integers and exact, so that all levels give the same bits. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_FEATURE_MATCH_KERN_H
#define VD_FEATURE_MATCH_KERN_H

#include "base/err.h"

enum {
    VD_DESC_BYTES = 128,
    VD_MATCH_ALIGN = 64, /* lists are padded to a multiple of so many, with zeros */
};

/* For every descriptor of a list: the largest product with the other list, the second largest,
 * and where the largest is (the first of equals). */
typedef struct vd_top2 {
    int32_t *best, *second, *index;
} vd_top2;

typedef struct vd_match_kern {
    const char *name;
    int row_bytes, col_bytes; /* a packed descriptor takes */
    int row_step;             /* rows are padded to a multiple of it */
    /* dst is aligned to 64 bytes; n descriptors and zeros up to `padded`. */
    void (*pack_rows)(void *dst, const uint8_t *desc, int n, int padded);
    void (*pack_cols)(void *dst, const uint8_t *desc, int n, int padded);
    /* Updates both lists by all products; n_rows is a multiple of row_step, n_cols of
     * VD_MATCH_ALIGN. What is in best and second at first is a floor: products up to it are not
     * looked at, and it is at least 0. */
    void (*top2)(const vd_top2 *rows, const vd_top2 *cols, const void *a, int n_rows, const void *b,
                 int n_cols);
    int32_t (*dot)(const uint8_t *a, const uint8_t *b);       /* of two descriptors as they are */
    int32_t (*dot8)(const int8_t *a, const int8_t *b, int n); /* n up to 2^17 */
    /* out[k] = the product of descriptor a with number which[k] of list b */
    void (*dots)(int32_t *out, const uint8_t *a, const uint8_t *b, const int32_t *which, int n);
    /* Those of n points (u, v) with d = |l0 u + l1 v + l2| <= e and d scale back <= e: positions,
     * ascending, and how many. Room for n. */
    int (*near_line)(int32_t *out, const double *u, const double *v, const double *back, int n,
                     const double l[3], double scale, double e);
} vd_match_kern;

extern const vd_match_kern vd_match_kern_c;
#if defined(__x86_64__)
extern const vd_match_kern vd_match_kern_avx2;
extern const vd_match_kern vd_match_kern_avx512;
extern const vd_match_kern vd_match_kern_vnni;
#endif

/* The best table for a set of vd_cpu_features() bits. */
const vd_match_kern *vd_match_kern_for(unsigned features);

/* One product of a row and a column into both lists. */
static inline void vd_top2_take(const vd_top2 *t, int at, int32_t value, int32_t index) {
    if (value > t->best[at]) {
        t->second[at] = t->best[at];
        t->best[at] = value;
        t->index[at] = index;
    } else if (value > t->second[at]) {
        t->second[at] = value;
    }
}

static inline int vd_near_line(int32_t *out, const double *u, const double *v, const double *back,
                               int from, int n, const double l[3], double scale, double e) {
    int count = 0;
    for (int i = from; i < n; i++) {
        double d = l[0] * u[i] + l[1] * v[i] + l[2];
        d = d < 0 ? -d : d;
        if (d <= e && d * (scale * back[i]) <= e) out[count++] = i;
    }
    return count;
}

/* For every level as it is: compilers vectorise it. */
static inline int32_t vd_dot8(const int8_t *restrict a, const int8_t *restrict b, int n) {
    int32_t sum = 0;
    for (int i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}
#endif
