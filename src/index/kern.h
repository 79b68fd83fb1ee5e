/* Inner loop of the Hamming search, one slot, a table for each CPU level.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_INDEX_KERN_H
#define VD_INDEX_KERN_H

#include "base/err.h"

typedef struct vd_index_kern {
    const char *name;
    /* Writes the positions i < n, ascending, with distance(base[i], query) <= radius into hits[n]
     * and gives their number. */
    int (*scan)(int32_t *hits, const uint64_t (*base)[4], int n, const uint64_t query[4],
                int radius);
} vd_index_kern;

extern const vd_index_kern vd_index_kern_c;
#if defined(__x86_64__)
extern const vd_index_kern vd_index_kern_avx2;
extern const vd_index_kern vd_index_kern_avx512;
#endif

/* The best table for a set of vd_cpu_features() bits. */
const vd_index_kern *vd_index_kern_for(unsigned features);
#endif
