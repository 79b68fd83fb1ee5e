/* Octaves are turned against each other by a fixed rotation, so that the axes of their lattices do
 * not show. SPDX-License-Identifier: Apache-2.0 */
#include "synth/noise.h"

#include <string.h>

#include "base/rng.h"

/* A rotation by 1.1 rad about (1, 2, 3). */
static const double TURN[9] = { 0.492615,  -0.636496, 0.593459, 0.792613, 0.609713,
                                -0.004013, -0.359281, 0.472358, 0.804855 };

void vd_noise_init(vd_noise *n, uint64_t seed) {
    vd_rng r = vd_rng_for(seed, 0x6e6f697365, 0);
    double m[9] = { 1, 0, 0, 0, 1, 0, 0, 0, 1 }, o[3] = { 0.37, 0.71, 0.13 };
    for (int k = 0; k < VD_NOISE_OCTAVES; k++) {
        double next[9], at[3];
        for (int i = 0; i < 3; i++) {
            const double *t = TURN + 3 * i;
            for (int j = 0; j < 3; j++) {
                n->turn[k][3 * i + j] = (float)m[3 * i + j];
                next[3 * i + j] = t[0] * m[j] + t[1] * m[3 + j] + t[2] * m[6 + j];
            }
            n->shift[k][i] = (float)o[i];
            at[i] = t[0] * o[0] + t[1] * o[1] + t[2] * o[2] + 5.31 * (i + 1);
        }
        n->key[k] = (uint32_t)vd_rng_u64(&r);
        memcpy(m, next, sizeof m);
        memcpy(o, at, sizeof o);
    }
}
