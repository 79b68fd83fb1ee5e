/* The metric families, as measure.c calls them. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_MEASURE_PARTS_H
#define VD_MEASURE_PARTS_H

#include "measure/measure.h"

/* Full-resolution figures, gathered row by row. */
enum { VD_NOISE_BINS = 4096, VD_NOISE_ROWS = 16 };
typedef struct vd_full {
    const vd_measure_kern *kern;
    int32_t width, height, every; /* every: sampled rows */
    vd_row_sums sums;
    uint32_t hist[4][256];
    int64_t phase[8], phase_rows, grid_step, grid_rows, inner_step, inner_rows;
    int64_t isolated[2], looked_at;
    uint32_t *block; /* pairs of sums, see vd_measure_kern.noise */
    int64_t cap_block;
    int32_t block_rows;
    uint32_t noise[VD_NOISE_BINS];
    int64_t n_blocks;
    double n_log_n[1024]; /* v log2 v */
} vd_full;

void vd_full_init(vd_full *f, const vd_measure_kern *kern);
vd_status vd_full_begin(vd_full *f, int32_t width, int32_t height, vd_err *err);
void vd_full_row(void *full, int32_t y, const uint8_t *const row[VD_LUMA_HISTORY], int32_t width);
void vd_full_end(vd_metrics *out, vd_full *f);

void vd_focus_measure(vd_metrics *out, const vd_pixels *norm, const vd_measure_kern *kern);
/* Also writes the luma of `small`, width * height bytes. */
void vd_colour_measure(vd_metrics *out, uint8_t *luma, const vd_pixels *small, bool grey,
                       const vd_measure_kern *kern);

/* CleanVision's thumbnail figures from the luma of `small` (sw x sh, at most 160 each); w, h are
 * the full upright size. */
void vd_thumb_measure(vd_metrics *out, const uint8_t *luma, int32_t sw, int32_t sh, int32_t w,
                      int32_t h, const vd_measure_kern *kern);
#endif
