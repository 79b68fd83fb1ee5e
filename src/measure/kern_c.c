/* The measure kernels in plain C: the reference. SPDX-License-Identifier: Apache-2.0 */
#include "measure/kern_ref.h"

static void row(vd_row_sums *s, const uint8_t *r, const uint8_t *previous, int n) {
    ref_row(s, r, previous, 0, n);
}
static void phase(int64_t out[8], const uint8_t *r, int n) {
    ref_phase(out, r, 1, n);
}
static void isolated(int64_t out[2], const uint8_t *a, const uint8_t *b, const uint8_t *c,
                     const uint8_t *d, int n, int skip) {
    ref_isolated(out, a, b, c, d, 0, n, skip);
}
static void noise(uint32_t *out, const uint8_t *r0, const uint8_t *r1, const uint8_t *r2, int n) {
    ref_noise(out, r0, r1, r2, 1, n);
}
static void grad(vd_grad_sums *s, const uint8_t *r0, const uint8_t *r1, const uint8_t *r2, int n) {
    ref_grad(s, r0, r1, r2, 1, n);
}
static void add_row(float *acc, const uint8_t *src, float w, int n) {
    ref_add_row(acc, src, w, n);
}
static void dct(float *out, const float *a, const float *d) {
    ref_dct(out, a, d);
}
static int quality(const float *a) {
    return ref_quality(a);
}
static void colour(vd_colour_sums *s, uint8_t *bright, uint8_t *luma, const uint8_t *rgb, int n) {
    ref_colour(s, bright, luma, rgb, n);
}

const vd_measure_kern vd_measure_kern_c = { "c",  row,     phase, isolated, noise,
                                            grad, add_row, dct,   quality,  colour };
