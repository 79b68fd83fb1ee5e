/* Problem scores: metrics mapped to 0 (worst) .. 1 (clean), one row of a table a kind. A finding is
 * a score below the kind's threshold. SPDX-License-Identifier: Apache-2.0
 *
 * Kinds that CleanVision (0.3) has too keep its name, formula and default threshold: dark, light,
 * low_information, odd_aspect_ratio, odd_size. blurry takes the lower of its score and one from the
 * fineness of detail, because its thumbnail of 64 pixels sees extreme blur only; grayscale looks at
 * the pixels, not at the file's colour mode. */
#ifndef VD_MEASURE_SCORE_H
#define VD_MEASURE_SCORE_H

#include "measure/measure.h"

typedef enum vd_score_kind {
    VD_SCORE_DARK,
    VD_SCORE_LIGHT,
    VD_SCORE_BLURRY,
    VD_SCORE_MOTION_BLUR,
    VD_SCORE_LOW_INFORMATION,
    VD_SCORE_GRAYSCALE,
    VD_SCORE_ODD_ASPECT_RATIO,
    VD_SCORE_CLIPPED,
    VD_SCORE_NOISY,
    VD_SCORE_OVERCOMPRESSED,
    VD_SCORE_BANDING,
    VD_SCORE_KINDS
} vd_score_kind;

typedef struct vd_score_row {
    const char *key;
    double threshold; /* default */
    const char *help; /* one line for people */
    const char *formula;
} vd_score_row;

extern const vd_score_row vd_score_table[VD_SCORE_KINDS];

/* score[VD_SCORE_KINDS]; jpeg_quality 1 .. 100, 0 where the picture was no JPEG. */
void vd_score_picture(double score[VD_SCORE_KINDS], const vd_metrics *m, int jpeg_quality);

/* odd_size, a matter of the dataset. size = sqrt(width * height); q1 and q3 are its quartiles over
 * the dataset (vd_score_quartiles). With the fences q1 - 3 (q3 - q1) and q3 + 3 (q3 - q1), the
 * score is 1 - distance from their middle / their gap, at least 0; without a gap (all of one size),
 * 1 - distance / middle. The threshold is 0.5, and 1 without a gap: vd_score_odd_size_threshold. */
double vd_score_odd_size(double size, double q1, double q3);
double vd_score_odd_size_threshold(double q1, double q3);

/* Quartiles with linear interpolation between order statistics (as NumPy's default). Sorts `size`;
 * n >= 1. */
void vd_score_quartiles(double *q1, double *q3, double *size, int64_t n);
#endif
