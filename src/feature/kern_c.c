/* The feature kernels in plain C: the reference. SPDX-License-Identifier: Apache-2.0 */
#include "feature/kern_ref.h"

static void blur_rows(float *dst, ptrdiff_t stride, const float *const *rows, const float *w,
                      int radius, int n_out, int width) {
    ref_blur_rows(dst, stride, rows, w, radius, n_out, width);
}
static void blur_cols(float *dst, const float *src, const float *w, int radius, int width) {
    ref_blur_cols(dst, src, w, radius, width);
}
static void enlarge(float *dst, const uint8_t *a, const uint8_t *b, int n) {
    ref_enlarge(dst, a, b, 0, n);
}
static void halve(float *dst, const float *src, int n) {
    ref_halve(dst, src, n);
}
static void subtract(float *dst, const float *a, const float *b, int n) {
    ref_subtract(dst, a, b, n);
}
static void pack(uint16_t *dst, const float *src, int n) {
    ref_pack(dst, src, n);
}
static int extrema(int32_t *hits, const float *const d[9], int n, float threshold) {
    return ref_extrema(hits, d, n, threshold);
}
static void orient(float hist[VD_ORIENT_BINS], const vd_plane16 *p, float x, float y, float scale) {
    ref_orient(hist, p, x, y, scale);
}
static void describe(float out[128], const vd_plane16 *p, const vd_patch_at *at) {
    ref_describe(out, p, at);
}
static void normalise(uint8_t out[128], const float in[128]) {
    ref_normalise(out, in);
}

const vd_feature_kern vd_feature_kern_c = { "c",    blur_rows, blur_cols, enlarge,
                                            halve,  subtract,  pack,      extrema,
                                            orient, describe,  normalise };
