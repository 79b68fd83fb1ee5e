/* Elementary functions of our own: the C library's differ in the last bit between CPUs (it picks
 * variants with and without fused multiply-add at run time), and a stored fact must not. Accurate
 * to about 1e-14. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_MEASURE_NUM_H
#define VD_MEASURE_NUM_H

#include <math.h>
#include <stdbool.h>

#define VD_PI 3.14159265358979323846

/* log2 of a positive finite number: 2 atanh((m - 1) / (m + 1)) for the mantissa. */
static inline double vd_num_log2(double v) {
    int e = 0;
    double m = frexp(v, &e);
    if (m < 0.70710678118654752) {
        m *= 2;
        e--;
    }
    double s = (m - 1) / (m + 1), s2 = s * s, sum = 0;
    for (int k = 25; k >= 1; k -= 2) sum = sum * s2 + 1.0 / k;
    return e + 2 * s * sum / 0.69314718055994531;
}

/* exp, 0 below -700. */
static inline double vd_num_exp(double v) {
    if (v < -700) return 0;
    if (v > 700) return INFINITY;
    double n = floor(v / 0.69314718055994531 + 0.5), r = v - n * 0.69314718055994531, sum = 1;
    for (int k = 14; k >= 1; k--) sum = 1 + sum * r / k;
    return ldexp(sum, (int)n);
}

/* cos(m * pi / 128) for any m >= 0. */
static inline double vd_num_cos128(int m) {
    m %= 256;
    if (m > 128) m = 256 - m;
    double sign = m > 64 ? -1 : 1;
    if (m > 64) m = 128 - m;
    bool use_sin = m > 32;
    double a = (use_sin ? 64 - m : m) * (VD_PI / 128), a2 = a * a, sum = 1;
    for (int k = use_sin ? 19 : 18; k >= 2; k -= 2) sum = 1 - sum * a2 / (k * (k - 1));
    return sign * (use_sin ? sum * a : sum);
}
#endif
