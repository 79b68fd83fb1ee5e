/* Matching in plain C, the reference, and the choice of the table.
 * SPDX-License-Identifier: Apache-2.0 */
#include "feature/match_kern.h"

#include <string.h>

#include "base/cpu.h"

static void pack(void *dst, const uint8_t *desc, int n, int padded) {
    memcpy(dst, desc, (size_t)n * VD_DESC_BYTES);
    memset((uint8_t *)dst + (size_t)n * VD_DESC_BYTES, 0, (size_t)(padded - n) * VD_DESC_BYTES);
}

static int32_t dot(const uint8_t *a, const uint8_t *b) {
    int32_t sum = 0;
    for (int k = 0; k < VD_DESC_BYTES; k++) sum += a[k] * b[k];
    return sum;
}

static void top2(const vd_top2 *rows, const vd_top2 *cols, const void *a, int n_rows, const void *b,
                 int n_cols) {
    const uint8_t *row = a, *col = b;
    for (int j0 = 0; j0 < n_cols; j0 += VD_MATCH_ALIGN)
        for (int i = 0; i < n_rows; i++)
            for (int j = j0; j < j0 + VD_MATCH_ALIGN; j++) {
                int32_t v =
                    dot(row + (ptrdiff_t)i * VD_DESC_BYTES, col + (ptrdiff_t)j * VD_DESC_BYTES);
                vd_top2_take(rows, i, v, j);
                vd_top2_take(cols, j, v, i);
            }
}

static int32_t dot8(const int8_t *a, const int8_t *b, int n) {
    return vd_dot8(a, b, n);
}

static void dots(int32_t *out, const uint8_t *a, const uint8_t *b, const int32_t *which, int n) {
    for (int k = 0; k < n; k++) out[k] = dot(a, b + (ptrdiff_t)which[k] * VD_DESC_BYTES);
}

static int near_line(int32_t *out, const double *u, const double *v, const double *back, int n,
                     const double l[3], double scale, double e) {
    return vd_near_line(out, u, v, back, 0, n, l, scale, e);
}

const vd_match_kern vd_match_kern_c = { "c",  VD_DESC_BYTES, VD_DESC_BYTES, 1,    pack,     pack,
                                        top2, dot,           dot8,          dots, near_line };

const vd_match_kern *vd_match_kern_for(unsigned features) {
#if defined(__x86_64__)
    /* AMX would come first: two tiles of products a descriptor, the same update after them. */
    if (features & VD_CPU_VNNI) return &vd_match_kern_vnni;
    if (features & VD_CPU_AVX512) return &vd_match_kern_avx512;
    if (features & VD_CPU_AVX2) return &vd_match_kern_avx2;
#endif
    (void)features;
    return &vd_match_kern_c;
}
