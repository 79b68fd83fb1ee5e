/* The metric families, as measure.c calls them. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_MEASURE_PARTS_H
#define VD_MEASURE_PARTS_H

#include "measure/measure.h"

/* How many samples are enough for a figure that is a mean or a rank over the picture: then it costs
 * the same for every size. Ranks far out want more than counts of artefacts, which are everywhere
 * or nowhere; noise has only a tenth of its blocks for an answer. */
enum { VD_SAMPLED_LEVELS = 1 << 19, VD_SAMPLED_STEPS = 1 << 16, VD_SAMPLED_NOISE = 1 << 19 };

/* Every how many rows to look at for about `samples` of `pixels`: odd, so that all phases of the
 * 8 x 8 blocks of JPEG come in turn. */
static inline int32_t vd_sampled_every(int64_t pixels, int64_t samples) {
    return (int32_t)(pixels / samples) | 1;
}

/* Full-resolution figures, gathered row by row. */
enum { VD_NOISE_BINS = 4096, VD_NOISE_ROWS = 16 };
typedef struct vd_full {
    const vd_measure_kern *kern;
    int32_t width, height;
    int32_t levels_every, steps_every; /* sampled rows */
    int32_t noise_every;               /* sampled bands of VD_NOISE_ROWS */
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
