/* What a picture looks like, as a short vector: colours, their places, and texture.
 * SPDX-License-Identifier: Apache-2.0
 *
 * For choosing pictures and telling scenes apart where no learned vectors are at hand. Four parts,
 * from the small colour rendition:
 *
 *     48  mean luma, R - G and (R + G) / 2 - B of 4 x 4 cells
 *     16  standard deviation of luma in these cells
 *     32  directions of the luma gradient in 2 x 2 cells, 8 bins over 180 degrees
 *     32  histogram of colour: 8 octants of the opponent plane, weak or strong, dark or light
 *
 * Histograms are shares under a square root (Hellinger's distance), less what an even one has. Sums
 * are of integers, so the same picture has the same vector on every processor. Vectors are compared
 * by their cosine (index/vectors.h). */
#ifndef VD_MEASURE_LOOK_H
#define VD_MEASURE_LOOK_H

#include "image/frame.h"

enum { VD_LOOK_DIM = 128 };

/* `rgb` has 3 channels, or 1 where there is no colour, and at most 2^20 pixels. */
void vd_look(int8_t look[VD_LOOK_DIM], const vd_pixels *rgb);
#endif
