/* Counter-based random numbers: a draw depends on (seed, stream, item, draw index) and nothing
 * else, so results do not depend on threads or order. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_BASE_RNG_H
#define VD_BASE_RNG_H

#include <math.h>

#include "base/hash.h"

typedef struct vd_rng {
    uint64_t key, counter;
} vd_rng;

static inline vd_rng vd_rng_for(uint64_t seed, uint64_t stream, uint64_t item) {
    uint64_t k = vd_mix64(seed + 0x9e3779b97f4a7c15u);
    k = vd_mix64(k ^ (stream + 0x632be59bd9b4e019u));
    return (vd_rng){ vd_mix64(k ^ (item + 0xd1b54a32d192ed03u)), 0 };
}

static inline uint64_t vd_rng_u64(vd_rng *r) {
    return vd_mix64(r->key + 0x9e3779b97f4a7c15u * ++r->counter);
}

/* Uniform in [0, 1) with 53 bits. */
static inline double vd_rng_f64(vd_rng *r) {
    return (double)(vd_rng_u64(r) >> 11) * 0x1p-53;
}

/* Uniform in [lo, hi). */
static inline double vd_rng_range(vd_rng *r, double lo, double hi) {
    return lo + (hi - lo) * vd_rng_f64(r);
}

/* Uniform in [0, n), n > 0; bias below n / 2^64. */
static inline int64_t vd_rng_int(vd_rng *r, int64_t n) {
    return (int64_t)(((unsigned __int128)vd_rng_u64(r) * (uint64_t)n) >> 64);
}

/* Standard normal, Box-Muller; uses two draws. */
static inline double vd_rng_normal(vd_rng *r) {
    double u = 1.0 - vd_rng_f64(r), v = vd_rng_f64(r);
    return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}
#endif
