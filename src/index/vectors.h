/* A set of vectors, compared by the cosine of their angle. SPDX-License-Identifier: Apache-2.0
 *
 * Rows are float32 of unit length, or int8 as they came with the reciprocals of their lengths; both
 * lie padded with zeros, as the kernels want them (index/kern.h). Products are exact for int8 and
 * summed in a fixed order for floats: a cosine has the same bits on every processor. A row of zeros
 * is like nothing, itself included: its cosines are 0. */
#ifndef VD_INDEX_VECTORS_H
#define VD_INDEX_VECTORS_H

#include "base/err.h"

enum { VD_VECTORS_MAX_DIM = 1 << 16 };

/* Zeroed is valid and empty. Any number of readers. */
typedef struct vd_vectors {
    int64_t n;
    int dim, stride; /* elements of a row, and with its padding */
    float *f32;      /* n x stride; NULL where i8 is not */
    int8_t *i8;
    double *scale; /* with i8: 1 / length, 0 of a row of zeros */
} vd_vectors;
void vd_vectors_reset(vd_vectors *v);

/* Copies of the rows given: float32 ones scaled to unit length.
 *     shapes : row[n * dim]
 *     owns   : *out is replaced, untouched on failure
 *     fails  : VD_E_ARG (a value that is no number, dim outside 1 .. VD_VECTORS_MAX_DIM, n beyond
 *              2^31 - 1), VD_E_NOMEM */
vd_status vd_vectors_f32(vd_vectors *out, const float *row, int64_t n, int dim, vd_err *err);
vd_status vd_vectors_i8(vd_vectors *out, const int8_t *row, int64_t n, int dim, vd_err *err);

/* The rows item[0 .. n-1] as a set of its own. Fails with VD_E_NOMEM; *out is replaced. */
vd_status vd_vectors_take(vd_vectors *out, const vd_vectors *v, const int32_t *item, int64_t n,
                          vd_err *err);

/* out[i * stride + k] = cosine of row a + i of x and row b + k of y, -1 .. 1. Both sets have the
 * same dim and type. No allocation. */
void vd_vectors_cosines(float *out, ptrdiff_t stride, const vd_vectors *x, int64_t a, int na,
                        const vd_vectors *y, int64_t b, int nb);
#endif
