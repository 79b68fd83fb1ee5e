/* Inner loops of the dense linear algebra: a table of slots for each CPU level, all of which give
 * the same bits: sums run in index order, and where a product is added it is by one fused
 * multiply-add everywhere. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_MATH_KERN_H
#define VD_MATH_KERN_H

#include "base/err.h"

/* Tiles of the Cholesky factorisation; 48 is a multiple of what each level keeps in registers and
 * of the 6 parameters of a pose. */
enum { VD_TILE = 48 };

typedef struct vd_math_kern {
    const char *name;
    /* c[i][j] -= sum over k of a[k][i] b[k][j]; c has rows of `stride` doubles, a and b are packed
     * tiles of VD_TILE x VD_TILE. All 64-byte aligned, no overlap. */
    void (*tile_update)(double *c, ptrdiff_t stride, const double *a, const double *b);
    /* b = U^-T b for the upper triangular packed tile u, whose diagonal holds reciprocals. */
    void (*tile_solve)(double *b, const double *u);
} vd_math_kern;

extern const vd_math_kern vd_math_kern_c;
#if defined(__x86_64__)
extern const vd_math_kern vd_math_kern_avx2;
extern const vd_math_kern vd_math_kern_avx512;
#endif

/* The best table for a set of vd_cpu_features() bits. */
const vd_math_kern *vd_math_kern_for(unsigned features);
#endif
