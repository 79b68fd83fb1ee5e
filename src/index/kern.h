/* Inner loops of search and selection: a table of slots for each CPU level, all of which give the
 * same bits. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_INDEX_KERN_H
#define VD_INDEX_KERN_H

#include "base/err.h"

enum { VD_VECTOR_PAD = 64 };

typedef struct vd_index_kern {
    const char *name;
    /* Writes the positions i < n, ascending, with distance(base[i], query) <= radius into hits[n]
     * and gives their number. */
    int (*scan)(int32_t *hits, const uint64_t (*base)[4], int n, const uint64_t query[4],
                int radius);

    /* Products of na rows with nb rows: out[i * stride + k] = a_i . b_k. Rows have `dim` elements,
     * a multiple of VD_VECTOR_PAD, without gaps, aligned to 64 bytes. Floats are summed in sixteen
     * lanes (lane l takes elements l, l + 16, ...) by fused multiply-add, and the lanes are added
     * in halves: 8 and 8, 4 and 4, 2 and 2, 1 and 1. */
    void (*dots_f32)(float *out, ptrdiff_t stride, const float *a, int na, const float *b, int nb,
                     int dim);
    /* Exact; dim up to 2^16. */
    void (*dots_i8)(int32_t *out, ptrdiff_t stride, const int8_t *a, int na, const int8_t *b,
                    int nb, int dim);
    /* Sum over i < n of max(0, s[i] - best[i]); values up to 32767, n any. */
    int64_t (*gain)(const uint16_t *s, const uint16_t *best, int64_t n);
} vd_index_kern;

extern const vd_index_kern vd_index_kern_c;
#if defined(__x86_64__)
extern const vd_index_kern vd_index_kern_avx2;
extern const vd_index_kern vd_index_kern_avx512;
#endif

/* The best table for a set of vd_cpu_features() bits. */
const vd_index_kern *vd_index_kern_for(unsigned features);
#endif
