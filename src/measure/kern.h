/* Inner loops of the measure room: a table of slots for each CPU level. All but two are integer
 * sums; the float ones add in an order that does not depend on the level (each output element in
 * index order, no fused multiply-add), so that every level gives the same bits. kern_ref.h is the
 * reference. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_MEASURE_KERN_H
#define VD_MEASURE_KERN_H

#include "base/err.h"

/* A grey level is clipped when the sensor or an editor pushed it to an end of the scale; lossy
 * coding moves it a little, hence two levels of tolerance. */
enum {
    VD_CLIP_LOW = 2,
    VD_CLIP_HIGH = 253,
    VD_NOISE_BLOCK = 32,
    VD_GRAD_MAX_WIDTH = 4096,
    VD_BAND_STEP = 36
};

/* Sums over one row of n samples; every kernel adds to what is there. */
typedef struct vd_row_sums {
    int64_t sum, squares, low, high; /* low: samples <= VD_CLIP_LOW, high: >= VD_CLIP_HIGH */
    int64_t step;                    /* sum of |row - previous row| */
} vd_row_sums;

/* Sums over the interior of a picture, from 3 x 3 neighbourhoods in grey levels:
 *   lap            N + S + W + E - 4 C
 *   gx gy          Sobel, [-1 0 1] x [1 2 1]
 *   xx xy yy       second derivatives times 4: [1 -2 1] x [1 2 1], [-1 0 1] x [-1 0 1], ... */
typedef struct vd_grad_sums {
    int64_t lap, lap2, gx2, gxgy, gy2, xx2, xxxy, xy2, xyyy, yy2;
} vd_grad_sums;

/* Sums over RGB pixels; yb = R + G - 2 B, saturation in 1/65536. */
typedef struct vd_colour_sums {
    int64_t rg, rg2, yb, yb2, saturation, coloured;
} vd_colour_sums;

/* A pixel is coloured when its channels differ by more than chroma subsampling and 8-bit
 * conversions leave on a grey picture. */
enum { VD_COLOURED = 12, VD_COLOUR_RUN = 256 };

typedef struct vd_measure_kern {
    const char *name;
    void (*row)(vd_row_sums *s, const uint8_t *row, const uint8_t *previous, int n);
    /* out[x % 8] += |row[x] - row[x - 1]| for 1 <= x < n. */
    void (*phase)(int64_t out[8], const uint8_t *row, int n);
    /* Isolated steps: positions i < n with a[i] == b[i] and c[i] == d[i], i % 8 != skip; out[0]
     * counts those with |b - c| = 1, out[1] those with 2 .. VD_BAND_STEP. */
    void (*isolated)(int64_t out[2], const uint8_t *a, const uint8_t *b, const uint8_t *c,
                     const uint8_t *d, int n, int skip);
    /* For x in 1 .. n-2, block i = (x - 1) / 32: out[2 i] += |L(x)|, out[2 i + 1] += r1[x], L being
     * the mask [1 -2 1] x [1 -2 1]. */
    void (*noise)(uint32_t *out, const uint8_t *r0, const uint8_t *r1, const uint8_t *r2, int n);
    /* x in 1 .. n-2; n <= VD_GRAD_MAX_WIDTH. */
    void (*grad)(vd_grad_sums *s, const uint8_t *r0, const uint8_t *r1, const uint8_t *r2, int n);
    /* acc[x] += w * src[x]. */
    void (*add_row)(float *acc, const uint8_t *src, float w, int n);
    /* out[16][16] = d[16][64] * a[64][64] * d^T, each sum in index order. */
    void (*dct)(float *out, const float *a, const float *d);
    /* sum of |trunc(100 (p - q) / 255)| over horizontal and vertical neighbours in a[64][64] */
    int (*quality)(const float *a);
    /* Adds n <= VD_COLOUR_RUN pixels; bright[i] = round(sqrt(.241 R^2 + .691 G^2 + .068 B^2)),
     * luma[i] as vd_image_kern.luma_rgb. */
    void (*colour)(vd_colour_sums *s, uint8_t *bright, uint8_t *luma, const uint8_t *rgb, int n);
} vd_measure_kern;

extern const vd_measure_kern vd_measure_kern_c;
#if defined(__x86_64__)
extern const vd_measure_kern vd_measure_kern_avx2;
extern const vd_measure_kern vd_measure_kern_avx512;
#endif

/* The best table for a set of vd_cpu_features() bits. */
const vd_measure_kern *vd_measure_kern_for(unsigned features);
#endif
