/* Sine and cosine against the maths library in a wider format. SPDX-License-Identifier: Apache-2.0
 */
#include "t.h"

#include "math/trig.h"

T(sine_and_cosine_are_right) {
    vd_rng r = t_rng(t);
    double off = 0, circle = 0;
    for (int i = 0; i < 200000; i++) {
        const double reach = i % 3 == 0   ? 1
                             : i % 3 == 1 ? 20
                                          : 1e5,
                     x = vd_rng_range(&r, -reach, reach);
        const double s = vd_sin(x), c = vd_cos(x);
        off = VD_MAX(off, fabs((double)((long double)s - sinl((long double)x))));
        off = VD_MAX(off, fabs((double)((long double)c - cosl((long double)x))));
        circle = VD_MAX(circle, fabs(s * s + c * c - 1));
    }
    T_LT(off, 2.3e-16);
    T_LT(circle, 5e-16);
    T_TRUE(vd_sin(0) == 0 && vd_cos(0) == 1);
}
