/* Vectors. SPDX-License-Identifier: Apache-2.0 */
#include "index/vectors.h"

#include <math.h>
#include <string.h>

#include "base/cpu.h"
#include "base/mem.h"
#include "index/kern.h"

void vd_vectors_reset(vd_vectors *v) {
    vd_mem_free(v->f32);
    vd_mem_free(v->i8);
    vd_mem_free(v->scale);
    *v = (vd_vectors){ 0 };
}

/* Room for n rows, all zero. */
static vd_status vectors_init(vd_vectors *v, int64_t n, int dim, bool bytes, vd_err *err) {
    if (dim < 1 || dim > VD_VECTORS_MAX_DIM)
        return vd_fail(err, VD_E_ARG, "vectors: dimension %d, allowed are 1 to %d", dim,
                       VD_VECTORS_MAX_DIM);
    if (n < 0 || n > INT32_MAX)
        return vd_fail(err, VD_E_ARG, "vectors: %lld of them, allowed are up to %d", (long long)n,
                       INT32_MAX);
    *v = (vd_vectors){ .n = n, .dim = dim };
    v->stride = (dim + VD_VECTOR_PAD - 1) / VD_VECTOR_PAD * VD_VECTOR_PAD;
    size_t size = (size_t)n * (size_t)v->stride * (bytes ? 1 : sizeof(float));
    void *rows = vd_mem_aligned(size);
    if (bytes) {
        v->i8 = rows;
        v->scale = vd_mem_array((size_t)n, sizeof *v->scale);
    } else {
        v->f32 = rows;
    }
    if (rows == NULL || (bytes && v->scale == NULL)) {
        vd_vectors_reset(v);
        return vd_nomem(err);
    }
    memset(rows, 0, size);
    return VD_OK;
}

vd_status vd_vectors_f32(vd_vectors *out, const float *row, int64_t n, int dim, vd_err *err) {
    vd_vectors v;
    VD_TRY(vectors_init(&v, n, dim, false, err));
    for (int64_t i = 0; i < n; i++) {
        const float *x = row + i * dim;
        double sum = 0;
        for (int d = 0; d < dim; d++) sum += (double)x[d] * x[d];
        if (!isfinite(sum)) {
            vd_vectors_reset(&v);
            return vd_fail(err, VD_E_ARG, "vectors: row %lld has a value that is no number",
                           (long long)i);
        }
        double scale = sum > 0 ? 1 / sqrt(sum) : 0;
        for (int d = 0; d < dim; d++) v.f32[i * v.stride + d] = (float)(x[d] * scale);
    }
    vd_vectors_reset(out);
    *out = v;
    return VD_OK;
}

vd_status vd_vectors_i8(vd_vectors *out, const int8_t *row, int64_t n, int dim, vd_err *err) {
    vd_vectors v;
    VD_TRY(vectors_init(&v, n, dim, true, err));
    for (int64_t i = 0; i < n; i++) {
        const int8_t *x = row + i * dim;
        int64_t sum = 0;
        for (int d = 0; d < dim; d++) sum += x[d] * x[d];
        v.scale[i] = sum > 0 ? 1 / sqrt((double)sum) : 0;
        memcpy(v.i8 + i * v.stride, x, (size_t)dim);
    }
    vd_vectors_reset(out);
    *out = v;
    return VD_OK;
}

vd_status vd_vectors_take(vd_vectors *out, const vd_vectors *v, const int32_t *item, int64_t n,
                          vd_err *err) {
    vd_vectors t;
    VD_TRY(vectors_init(&t, n, v->dim, v->i8 != NULL, err));
    size_t row = (size_t)v->stride * (v->i8 != NULL ? 1 : sizeof(float));
    for (int64_t i = 0; i < n; i++) {
        if (v->i8 != NULL) {
            memcpy(t.i8 + i * v->stride, v->i8 + (int64_t)item[i] * v->stride, row);
            t.scale[i] = v->scale[item[i]];
        } else {
            memcpy(t.f32 + i * v->stride, v->f32 + (int64_t)item[i] * v->stride, row);
        }
    }
    vd_vectors_reset(out);
    *out = t;
    return VD_OK;
}

/* Columns a turn: their products stay on the stack. */
enum { TURN = 64 };

static void cosines_i8(const vd_index_kern *kern, float *out, ptrdiff_t stride, const vd_vectors *x,
                       int64_t a, int na, const vd_vectors *y, int64_t b, int nb) {
    int32_t dot[4 * TURN];
    for (int i = 0; i < na; i += 4)
        for (int k = 0; k < nb; k += TURN) {
            int rows = VD_MIN(4, na - i), cols = VD_MIN(TURN, nb - k);
            kern->dots_i8(dot, TURN, x->i8 + (a + i) * x->stride, rows, y->i8 + (b + k) * y->stride,
                          cols, x->stride);
            for (int r = 0; r < rows; r++)
                for (int c = 0; c < cols; c++)
                    out[(i + r) * stride + k + c] =
                        (float)(dot[r * TURN + c] * (x->scale[a + i + r] * y->scale[b + k + c]));
        }
}

void vd_vectors_cosines(float *out, ptrdiff_t stride, const vd_vectors *x, int64_t a, int na,
                        const vd_vectors *y, int64_t b, int nb) {
    const vd_index_kern *kern = vd_index_kern_for(vd_cpu_features());
    if (x->i8 != NULL) {
        cosines_i8(kern, out, stride, x, a, na, y, b, nb);
        return;
    }
    kern->dots_f32(out, stride, x->f32 + a * x->stride, na, y->f32 + b * y->stride, nb, x->stride);
    for (int i = 0; i < na; i++)
        for (int k = 0; k < nb; k++)
            out[i * stride + k] = VD_CLAMP(out[i * stride + k], -1.0f, 1.0f);
}
