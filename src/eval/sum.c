/* See sum.h. SPDX-License-Identifier: Apache-2.0 */
#include "eval/sum.h"

enum { LANES = 8, BLOCK = 128 };

double vd_sum_pairwise(const double *v, int64_t n) {
    double r[LANES], sum = 0;
    int64_t i = 0;
    if (n > BLOCK) {
        int64_t half = n / 2;
        half -= half % LANES;
        return vd_sum_pairwise(v, half) + vd_sum_pairwise(v + half, n - half);
    }
    if (n >= LANES) {
        for (int k = 0; k < LANES; k++) r[k] = v[k];
        for (i = LANES; i < n - n % LANES; i += LANES)
            for (int k = 0; k < LANES; k++) r[k] += v[i + k];
        sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
    }
    for (; i < n; i++) sum += v[i];
    return sum;
}
