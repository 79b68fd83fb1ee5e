/* Constants of the fractal noise. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_SYNTH_NOISE_H
#define VD_SYNTH_NOISE_H

#include "base/err.h"

enum { VD_NOISE_OCTAVES = 12 };

typedef struct vd_p3f {
    float x, y, z;
} vd_p3f;

/* Frequencies of successive octaves differ by this factor. */
#define VD_NOISE_RATIO 2.3f

/* The frame of each octave: a rotation, row-major, and an offset; and a key for its values. Filled
 * once by vd_noise_init, then read by any number of threads. kern.h, `fractal`, says what it makes
 * of them. */
typedef struct vd_noise {
    float turn[VD_NOISE_OCTAVES][9], shift[VD_NOISE_OCTAVES][3];
    uint32_t key[VD_NOISE_OCTAVES];
} vd_noise;

void vd_noise_init(vd_noise *n, uint64_t seed);
#endif
