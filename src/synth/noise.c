/* Value noise on a periodic lattice: cubic weights between the corners of a cell, octaves turned
 * against each other by a fixed rotation, so that neither the period nor the axes show. All corners
 * of a cell lie together (128 KiB in all, which stays in the second-level cache), and the
 * interpolation runs on four lanes, by the compilers' vector types: plain multiplications and
 * additions in a fixed order, the same on every processor.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "synth/noise.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"

typedef float v4 __attribute__((vector_size(16)));
typedef int32_t v4i __attribute__((vector_size(16)));

static const float RATIO = 2.3f; /* of the frequencies of successive octaves */
enum { SIDE = VD_NOISE_SIDE, BITS = 4, MASK = SIDE - 1 };
_Static_assert(SIDE == 1 << BITS, "cells are addressed by bits");

/* A rotation by 1.1 rad about (1, 2, 3). */
static const double turn[9] = { 0.492615,  -0.636496, 0.593459, 0.792613, 0.609713,
                                -0.004013, -0.359281, 0.472358, 0.804855 };

static void set_frames(vd_noise *n) {
    double m[9] = { 1, 0, 0, 0, 1, 0, 0, 0, 1 }, o[3] = { 0.37, 0.71, 0.13 };
    for (int k = 0; k < VD_NOISE_OCTAVES; k++) {
        double next[9], at[3];
        for (int i = 0; i < 3; i++) {
            for (int j = 0; j < 3; j++) {
                n->frame[k][j][i] = (float)m[3 * i + j];
                next[3 * i + j] =
                    turn[3 * i] * m[j] + turn[3 * i + 1] * m[3 + j] + turn[3 * i + 2] * m[6 + j];
            }
            n->frame[k][3][i] = (float)o[i];
            at[i] = turn[3 * i] * o[0] + turn[3 * i + 1] * o[1] + turn[3 * i + 2] * o[2] +
                    5.31 * (i + 1);
        }
        for (int j = 0; j < 4; j++) n->frame[k][j][3] = 0;
        memcpy(m, next, sizeof m);
        memcpy(o, at, sizeof o);
    }
}

void vd_noise_init(vd_noise *n, uint64_t seed) {
    vd_rng r = vd_rng_for(seed, 0x6e6f697365, 0);
    float value[SIDE * SIDE * SIDE];
    for (int i = 0; i < VD_COUNT(value); i++) value[i] = (float)vd_rng_range(&r, -1.0, 1.0);
    for (int i = 0; i < VD_COUNT(value); i++)
        for (int k = 0; k < 8; k++) {
            int x = (i + (k >> 2)) & MASK, y = ((i >> BITS) + (k & 1)) & MASK,
                z = ((i >> 2 * BITS) + (k >> 1 & 1)) & MASK;
            n->cell[i][k] = value[x | y << BITS | z << 2 * BITS];
        }
    for (int i = 0; i < VD_NOISE_GAUSS; i++) n->gauss[i] = (float)vd_rng_normal(&r);
    set_frames(n);
}

static inline v4 load(const float *p) {
    v4 v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline float value_at(const vd_noise *n, v4 q) {
    v4i i = __builtin_convertvector(q, v4i);
    i += q < __builtin_convertvector(i, v4); /* towards minus infinity: true is -1 */
    v4 f = q - __builtin_convertvector(i, v4);
    v4 w = f * f * (3.0f - 2.0f * f);
    i &= MASK;
    const float *c = n->cell[i[0] | i[1] << BITS | i[2] << 2 * BITS];
    v4 a = load(c), b = load(c + 4);
    a += (b - a) * w[0];
    b = __builtin_shufflevector(a, a, 1, 1, 3, 3);
    a += (b - a) * w[1];
    return a[0] + (a[2] - a[0]) * w[2];
}

float vd_noise_fractal(const vd_noise *n, vd_p3f p, float wavelength, float gain, float width) {
    float sum = 0, amp = 1, length = wavelength, freq = 1.0f / wavelength;
    const float per_width = 1.0f / width;
    for (int k = 0; k < VD_NOISE_OCTAVES; k++) {
        float fade = length * per_width - 2.0f; /* 0 at two pixels a wavelength, 1 at three */
        if (fade <= 0) break;
        fade = fade < 1.0f ? fade : 1.0f;
        v4 q = load(n->frame[k][0]) * p.x + load(n->frame[k][1]) * p.y + load(n->frame[k][2]) * p.z;
        sum += amp * fade * value_at(n, q * freq + load(n->frame[k][3]));
        freq *= RATIO;
        length *= 1 / RATIO;
        amp *= gain;
    }
    return sum;
}

float vd_noise_cell(int x, int y, int z, uint32_t salt) {
    uint64_t h = (uint64_t)(uint32_t)x * 0x9e3779b97f4a7c15u ^
                 (uint64_t)(uint32_t)y * 0xc2b2ae3d27d4eb4fu ^
                 (uint64_t)(uint32_t)z * 0x165667b19e3779f9u ^ (uint64_t)salt << 32;
    return (float)(vd_mix64(h) >> 40) * 0x1p-24f;
}
