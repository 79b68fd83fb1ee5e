/* The dense kernels in plain C: the reference. SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "math/kern.h"

static void tile_update(double *c, ptrdiff_t stride, const double *a, const double *b) {
    for (int i = 0; i < VD_TILE; i++)
        for (int j = 0; j < VD_TILE; j++) {
            double sum = 0;
            for (int k = 0; k < VD_TILE; k++)
                sum = fma(a[k * VD_TILE + i], b[k * VD_TILE + j], sum);
            c[i * stride + j] -= sum;
        }
}

static void tile_solve(double *b, const double *u) {
    for (int k = 0; k < VD_TILE; k++)
        for (int j = 0; j < VD_TILE; j++) {
            double x = b[k * VD_TILE + j];
            for (int m = 0; m < k; m++) x = fma(-u[m * VD_TILE + k], b[m * VD_TILE + j], x);
            b[k * VD_TILE + j] = x * u[k * VD_TILE + k];
        }
}

const vd_math_kern vd_math_kern_c = { "c", tile_update, tile_solve };
