/* Matches as the kernels want them: in random order, in float for scores and in double for
 * refinement, padded with NaN. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_GEOMETRY_SOA_H
#define VD_GEOMETRY_SOA_H

#include "geometry/kern.h"

/* A refinement during sampling takes no more matches than this: its answer is scored on all. */
enum { VD_SOA_SUBSET = 512 };

typedef struct vd_soa {
    int n, padded;
    float *f[6];    /* a, then b */
    double *d[6];   /* the same */
    float *error;   /* scratch */
    int32_t *from;  /* the position of each in the order it was given */
    double *few[6]; /* scratch for a subset, VD_SOA_SUBSET (or padded) long */
    vd_soa32 f32;
    vd_soa64 f64;
    void *memory;
} vd_soa;

/* For at most `most` matches. */
vd_status vd_soa_init(vd_soa *s, int most, vd_err *err);
void vd_soa_reset(vd_soa *s);

/* Takes rows a[3 n], b[3 n] of the matches that are marked (all when `use` is NULL), shuffled by
 * the random numbers of (seed, stream, item). */
void vd_soa_fill(vd_soa *s, const double *a, const double *b, const uint8_t *use, int n,
                 uint64_t seed, uint64_t stream, uint64_t item);

/* Packs the matches whose scratch error is below `limit`, the first `most` of them, into `few`;
 * gives their number, padded to VD_KERN_STEP with NaN. */
int vd_soa_pack(vd_soa *s, vd_soa64 *few, float limit, int most, int *kept);
#endif
