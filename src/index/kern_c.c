/* The kernels in plain C: the reference. SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "index/kern.h"

/* Bits of a word (Warren, Hacker's Delight, section 5-1). */
static int bits(uint64_t x) {
    x -= x >> 1 & 0x5555555555555555u;
    x = (x & 0x3333333333333333u) + (x >> 2 & 0x3333333333333333u);
    x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fu;
    return (int)(x * 0x0101010101010101u >> 56);
}

static int scan(int32_t *hits, const uint64_t (*base)[4], int n, const uint64_t query[4],
                int radius) {
    int found = 0;
    for (int i = 0; i < n; i++) {
        int distance = 0;
        for (int k = 0; k < 4; k++) distance += bits(base[i][k] ^ query[k]);
        if (distance <= radius) hits[found++] = i;
    }
    return found;
}

enum { LANES = 16 };

static float dot_f32(const float *a, const float *b, int dim) {
    float sum[LANES] = { 0 };
    for (int i = 0; i < dim; i += LANES)
        for (int l = 0; l < LANES; l++) sum[l] = fmaf(a[i + l], b[i + l], sum[l]);
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int l = 0; l < half; l++) sum[l] += sum[l + half];
    return sum[0];
}

static void dots_f32(float *out, ptrdiff_t stride, const float *a, int na, const float *b, int nb,
                     int dim) {
    for (int i = 0; i < na; i++)
        for (int k = 0; k < nb; k++)
            out[i * stride + k] = dot_f32(a + (ptrdiff_t)i * dim, b + (ptrdiff_t)k * dim, dim);
}

static void dots_i8(int32_t *out, ptrdiff_t stride, const int8_t *a, int na, const int8_t *b,
                    int nb, int dim) {
    for (int i = 0; i < na; i++)
        for (int k = 0; k < nb; k++) {
            const int8_t *x = a + (ptrdiff_t)i * dim, *y = b + (ptrdiff_t)k * dim;
            int32_t sum = 0;
            for (int d = 0; d < dim; d++) sum += x[d] * y[d];
            out[i * stride + k] = sum;
        }
}

static int64_t gain(const uint16_t *s, const uint16_t *best, int64_t n) {
    int64_t sum = 0;
    for (int64_t i = 0; i < n; i++) sum += s[i] > best[i] ? s[i] - best[i] : 0;
    return sum;
}

const vd_index_kern vd_index_kern_c = { "c", scan, dots_f32, dots_i8, gain };
