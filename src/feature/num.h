/* Elementary functions of our own: the C library's differ in the last bit between processors (it
 * picks variants with and without fused multiply-add at run time), and features must not.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_FEATURE_NUM_H
#define VD_FEATURE_NUM_H

#include <math.h>

#define VD_FEATURE_PI 3.14159265358979323846

/* exp for |v| < 700, to about 1e-15 of the value. */
static inline double vd_feature_exp(double v) {
    double n = floor(v / 0.69314718055994531 + 0.5), r = v - n * 0.69314718055994531, sum = 1;
    for (int k = 14; k >= 1; k--) sum = 1 + sum * r / k;
    return ldexp(sum, (int)n);
}

/* 2^v, the same. */
static inline double vd_feature_exp2(double v) {
    return vd_feature_exp(v * 0.69314718055994531);
}

/* Sine and cosine of 2 pi * turn, turn in [0, 1], to about 1e-15: Taylor series within an eighth
 * of a turn from the nearest quarter. */
static inline void vd_feature_sincos(double turn, double *s, double *c) {
    int quarter = (int)(turn * 4 + 0.5);
    double a = (turn - quarter * 0.25) * (2 * VD_FEATURE_PI), a2 = a * a, sn = 1, cs = 1;
    for (int k = 18; k >= 2; k -= 2) {
        cs = 1 - cs * a2 / (k * (k - 1));
        sn = 1 - sn * a2 / (k * (k + 1));
    }
    sn *= a;
    switch (quarter & 3) {
    case 0: *s = sn, *c = cs; break;
    case 1: *s = cs, *c = -sn; break;
    case 2: *s = -sn, *c = -cs; break;
    default: *s = -cs, *c = sn; break;
    }
}
#endif
