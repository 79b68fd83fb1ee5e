/* Inner loops of the image room: a table of slots for each CPU level. Every slot is integer
 * arithmetic with a stated rounding, so that all levels give the same bits; kern_c.c is the
 * reference and says in plain C what each slot means. tests/kern compares them.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_IMAGE_KERN_H
#define VD_IMAGE_KERN_H

#include "base/err.h"

enum { VD_KERN_PAD = 64 };

typedef struct vd_image_kern {
    const char *name;
    /* Weighted sum of n >= 1 rows: dst[x] = (sum_i weight[i] * rows[i][x] + 64) >> 7, weights 0 ..
     * 16384 that add up to 16384: dst is the mean in 1/128 grey levels, at most 32640. */
    void (*reduce_rows)(uint16_t *dst, const uint8_t *const *rows, const int16_t *weight, int n,
                        int width);
    /* Weighted sums along such a row: dst[j] = (sum_k w(j, k) * src[start[j] + k] + 2^20) >> 21 for
     * k < taps; taps is even, w(j, k) = weight[(k / 2) * 2 * n + 2 * j + k % 2], and src is
     * readable (any content: the weight is 0) up to start[j] + taps + VD_KERN_PAD. start never
     * decreases. */
    void (*reduce_cols)(uint8_t *dst, const uint16_t *src, const int32_t *start,
                        const int16_t *weight, int taps, int n);
    /* Luma of interleaved RGB: (19595 R + 38470 G + 7471 B + 32768) >> 16 (BT.601). */
    void (*luma_rgb)(uint8_t *dst, const uint8_t *rgb, int n);
    /* Interleaved RGB of full-range BT.601 YCbCr, coefficients in 1/65536, rounded, clamped. */
    void (*rgb_ycc)(uint8_t *rgb, const uint8_t *y, const uint8_t *cb, const uint8_t *cr, int n);
} vd_image_kern;

extern const vd_image_kern vd_image_kern_c;
#if defined(__x86_64__)
extern const vd_image_kern vd_image_kern_avx2;
extern const vd_image_kern vd_image_kern_avx512;
#endif

/* The best table for a set of vd_cpu_features() bits. */
const vd_image_kern *vd_image_kern_for(unsigned features);
#endif
