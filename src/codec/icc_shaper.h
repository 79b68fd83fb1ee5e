/* Matrix-shaper profiles (ICC.1:2010, F.3): three tone curves and a 3 x 3 matrix, to 8-bit sRGB.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Nearly every RGB profile of a camera or a screen is of this kind. The general engine takes 4 ms
 * to prepare a transform and 14 ns for a pixel, several times what decoding it costs. */
#ifndef VD_CODEC_ICC_SHAPER_H
#define VD_CODEC_ICC_SHAPER_H

#include <stdbool.h>
#include <stdint.h>

enum { VD_SHAPER_STEPS = 8192 };

typedef struct vd_shaper {
    float linear[3][256]; /* light of each channel's 256 values, 0..1 */
    float m[9];           /* linear sRGB from linear device RGB */
    uint8_t srgb[VD_SHAPER_STEPS];
} vd_shaper;

/* `linear` has been filled; `xyz` is the row-major matrix of the colorants, each a column, relative
 * to D50. False for numbers that no colour device has. */
bool vd_shaper_init(vd_shaper *s, const double xyz[9]);

/* Relative colorimetric: colours outside sRGB are clipped. `in` and `out` may be the same. */
void vd_shaper_run(const vd_shaper *s, const uint8_t *in, uint8_t *out, int32_t n);
#endif
