/* The image kernels in plain C: the reference for every other variant.
 * SPDX-License-Identifier: Apache-2.0 */
#include "image/kern.h"

static void reduce_rows(uint16_t *dst, const uint8_t *const *rows, const int16_t *weight, int n,
                        int width) {
    for (int x = 0; x < width; x++) {
        int32_t sum = 64;
        for (int i = 0; i < n; i++) sum += weight[i] * rows[i][x];
        dst[x] = (uint16_t)(sum >> 7);
    }
}

static void reduce_cols(uint8_t *dst, const uint16_t *src, const int32_t *start,
                        const int16_t *weight, int taps, int n) {
    for (int j = 0; j < n; j++) {
        int32_t sum = 1 << 20;
        for (int k = 0; k < taps; k++)
            sum += weight[(ptrdiff_t)(k / 2) * 2 * n + 2 * j + k % 2] * src[start[j] + k];
        dst[j] = (uint8_t)(sum >> 21);
    }
}

static void luma_rgb(uint8_t *dst, const uint8_t *rgb, int n) {
    for (int i = 0; i < n; i++)
        dst[i] = (uint8_t)((19595 * rgb[3 * i] + 38470 * rgb[3 * i + 1] + 7471 * rgb[3 * i + 2] +
                            32768) >>
                           16);
}

static uint8_t clamp8(int32_t v) {
    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

static void rgb_ycc(uint8_t *rgb, const uint8_t *y, const uint8_t *cb, const uint8_t *cr, int n) {
    for (int i = 0; i < n; i++) {
        int32_t l = (y[i] << 16) + 32768, b = cb[i] - 128, r = cr[i] - 128;
        rgb[3 * i] = clamp8((l + 91881 * r) >> 16);
        rgb[3 * i + 1] = clamp8((l - 22554 * b - 46802 * r) >> 16);
        rgb[3 * i + 2] = clamp8((l + 116130 * b) >> 16);
    }
}

const vd_image_kern vd_image_kern_c = { "c", reduce_rows, reduce_cols, luma_rgb, rgb_ycc };
