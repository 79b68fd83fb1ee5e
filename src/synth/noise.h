/* Band-limited fractal noise in three dimensions. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_SYNTH_NOISE_H
#define VD_SYNTH_NOISE_H

#include "base/err.h"

enum { VD_NOISE_SIDE = 16, VD_NOISE_OCTAVES = 12, VD_NOISE_GAUSS = 4096 };

/* A periodic lattice of values in [-1, 1], and a table of normal draws. Filled once by
 * vd_noise_init, then read by any number of threads. */
typedef struct vd_noise {
    /* The eight corners of each cell: those at x, then those at x + 1, each in the order (y, z),
     * (y + 1, z), (y, z + 1), (y + 1, z + 1). */
    _Alignas(16) float cell[VD_NOISE_SIDE * VD_NOISE_SIDE * VD_NOISE_SIDE][8];
    /* The frame of each octave: three columns of a rotation and an offset. */
    _Alignas(16) float frame[VD_NOISE_OCTAVES][4][4];
    float gauss[VD_NOISE_GAUSS];
} vd_noise;

typedef struct vd_p3f {
    float x, y, z;
} vd_p3f;

void vd_noise_init(vd_noise *n, uint64_t seed);

/* A sum of octaves: wavelengths `wavelength` (in the unit of p), 2.3 times less, ..., each `gain`
 * times as strong as the one before, the first of strength 1. Octaves fade out where their
 * wavelength comes near twice `width`, the size of a pixel on the surface, so that no picture shows
 * detail that it cannot resolve and two views of one place agree. */
float vd_noise_fractal(const vd_noise *n, vd_p3f p, float wavelength, float gain, float width);

/* A hash of three lattice coordinates and a salt to [0, 1). */
float vd_noise_cell(int x, int y, int z, uint32_t salt);
#endif
