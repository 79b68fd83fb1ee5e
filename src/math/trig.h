/* Sine and cosine that are the same on every machine. The maths library has several versions of its
 * own, for processors with and without fused multiplication, which differ in the last bit now and
 * then; what is told to be repeatable must not depend on that. SPDX-License-Identifier: Apache-2.0
 *
 * The argument is brought to within 45 degrees of a multiple of 90 by subtracting that multiple in
 * two parts (Cody and Waite, "Software manual for the elementary functions", 1980), then the Taylor
 * series is summed: its remainder is below 1e-19. Good to 2e-16 for arguments up to 1e5. */
#ifndef VD_MATH_TRIG_H
#define VD_MATH_TRIG_H

#include <math.h>

static inline double vd__sin_near(double x) {
    const double q = x * x;
    double sum = 1;
    for (int k = 18; k > 1; k -= 2) sum = 1 - q / (k * (k + 1)) * sum;
    return x * sum;
}

static inline double vd__cos_near(double x) {
    const double q = x * x;
    double sum = 1;
    for (int k = 17; k > 0; k -= 2) sum = 1 - q / (k * (k + 1)) * sum;
    return sum;
}

/* The sine of x plus `quarters` right angles. */
static inline double vd__sine(double x, int quarters) {
    const double n = floor(x * 0.63661977236758134 + 0.5);
    const double r = x - n * 1.57079632673412561417 - n * 6.07710050650619224932e-11;
    switch (((long long)n + quarters) & 3) {
    case 0: return vd__sin_near(r);
    case 1: return vd__cos_near(r);
    case 2: return -vd__sin_near(r);
    default: return -vd__cos_near(r);
    }
}

static inline double vd_sin(double x) {
    return vd__sine(x, 0);
}

static inline double vd_cos(double x) {
    return vd__sine(x, 1);
}
#endif
