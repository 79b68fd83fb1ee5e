/* Problem scores. SPDX-License-Identifier: Apache-2.0 */
#include "measure/score.h"

#include <stdlib.h>

#include "measure/num.h"

const vd_score_row vd_score_table[VD_SCORE_KINDS] = {
    [VD_SCORE_DARK] = { "dark", 0.32, "even the brightest parts are dark", "bright_p99" },
    [VD_SCORE_LIGHT] = { "light", 0.05, "even the darkest parts are bright", "1 - bright_p5" },
    [VD_SCORE_BLURRY] = { "blurry", 0.29, "no fine detail: out of focus, moved or enlarged",
                          "min(1 - exp(-thumb_edges / 100) + (p if p > 0.18), fineness / (fineness + "
                          "1)), p = 1 - exp(-thumb_peaks / 100)" },
    [VD_SCORE_MOTION_BLUR] = { "motion_blur", 0.45, "detail is missing along one direction",
                               "min(s(motion_anisotropy, least_fineness, k, 0.55, 0.18), "
                               "s(short_anisotropy, short_least, 1.25, 0.48, 0.33)), s(a, r, k, m, "
                               "n) = max(k (1 - a), r / (r + m), n (1 - a) / r), k = 0.65 (1 + "
                               "fineness), at least 1, at most 1.3" },
    [VD_SCORE_LOW_INFORMATION] = { "low_information", 0.3, "few grey levels: nearly empty",
                                   "min((entropy + (log2 3 if in colour)) / 10, (contrast / (9 * "
                                   "bright_p99))^2), at most 1" },
    [VD_SCORE_GRAYSCALE] = { "grayscale", 0.5, "no colour", "0 if greyscale, else 1" },
    [VD_SCORE_ODD_ASPECT_RATIO] = { "odd_aspect_ratio", 0.35, "very wide or very tall",
                                    "min(aspect_ratio, 1 / aspect_ratio)" },
    [VD_SCORE_CLIPPED] = { "clipped", 0.65, "large parts are pure black or pure white",
                           "1 - clipped_low - clipped_high" },
    [VD_SCORE_NOISY] = { "noisy", 0.5, "sensor noise is visible", "8 / (8 + noise)" },
    [VD_SCORE_OVERCOMPRESSED] = { "overcompressed", 0.4, "coding artefacts are visible",
                                  "min(1 / (1 + (blockiness - 1 if above)), jpeg_quality / 50), at "
                                  "most 1" },
    [VD_SCORE_BANDING] = { "banding", 0.3, "smooth gradients are broken into steps",
                           "1 - banding" },
};

static double unit(double v) {
    return VD_CLAMP(v, 0.0, 1.0);
}

static double blurry(const vd_metrics *m) {
    double edges = 1 - vd_num_exp(-0.01 * m->thumb_edges);
    double peaks = 1 - vd_num_exp(-0.01 * m->thumb_peaks);
    double thumb = edges + (peaks > 0.18 ? peaks : 0);
    return VD_MIN(unit(thumb), m->fineness / (m->fineness + 1));
}

/* Three things make a motion blur: detail differs between directions; there is little of it along
 * the worst; and there is some across, or the picture is out of focus. The constants are the limits
 * of the three, scaled to one threshold. */
static double smeared(double anisotropy, double least, const double limit[3]) {
    double evenness = 1 - anisotropy, along = least / (least + limit[1]);
    double across = least > 0 ? limit[2] * evenness / least : 0;
    return unit(VD_MAX(limit[0] * evenness, VD_MAX(along, across)));
}

static double motion_blur(const vd_metrics *m) {
    /* in a picture that has fine detail after all, content is the likelier reason: hair, water */
    const double sure = VD_CLAMP(0.65 * (1 + m->fineness), 1.0, 1.3);
    const double limit[3] = { sure, 0.55, 0.18 }, limit_short[3] = { 1.25, 0.48, 0.33 };
    return VD_MIN(smeared(m->motion_anisotropy, m->least_fineness, limit),
                  smeared(m->short_anisotropy, m->short_least, limit_short));
}

void vd_score_picture(double score[VD_SCORE_KINDS], const vd_metrics *m, int jpeg_quality) {
    static const double log2_3 = 1.584962500721156; /* three equally frequent channels */
    double blocks = m->blockiness > 1 ? 1 / m->blockiness : 1;
    double quality = jpeg_quality > 0 ? jpeg_quality / 50.0 : 1;
    score[VD_SCORE_DARK] = m->bright_p99;
    score[VD_SCORE_LIGHT] = 1 - m->bright_p5;
    score[VD_SCORE_BLURRY] = blurry(m);
    score[VD_SCORE_MOTION_BLUR] = motion_blur(m);
    /* Entropy takes the noise on a bare wall for information; contrast, as a share of the light
     * there is, does not. */
    double information = (m->entropy + (m->channels > 1 ? log2_3 : 0)) / 10;
    double contrast = m->contrast / (9 * VD_MAX(m->bright_p99, 1e-3));
    score[VD_SCORE_LOW_INFORMATION] = unit(VD_MIN(information, contrast * contrast));
    score[VD_SCORE_GRAYSCALE] = m->greyscale ? 0 : 1;
    score[VD_SCORE_ODD_ASPECT_RATIO] = m->aspect_ratio > 1 ? 1 / m->aspect_ratio : m->aspect_ratio;
    score[VD_SCORE_CLIPPED] = unit(1 - m->clipped_low - m->clipped_high);
    score[VD_SCORE_NOISY] = 8 / (8 + m->noise);
    score[VD_SCORE_OVERCOMPRESSED] = unit(VD_MIN(blocks, quality));
    score[VD_SCORE_BANDING] = unit(1 - m->banding);
}

static const double fence = 3; /* interquartile ranges */

double vd_score_odd_size(double size, double q1, double q3) {
    double gap = (1 + 2 * fence) * (q3 - q1), middle = (q1 + q3) / 2;
    double unit_of = gap > 0 ? gap : middle;
    return unit_of > 0 ? unit(1 - fabs(size - middle) / unit_of) : 1;
}

double vd_score_odd_size_threshold(double q1, double q3) {
    return q3 > q1 ? 0.5 : 1;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(const double *sorted, int64_t n, double q) {
    double at = q * (double)(n - 1);
    int64_t i = (int64_t)at;
    return i + 1 < n ? sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i]) : sorted[n - 1];
}

void vd_score_quartiles(double *q1, double *q3, double *size, int64_t n) {
    qsort(size, (size_t)n, sizeof *size, by_value);
    *q1 = quantile(size, n, 0.25);
    *q3 = quantile(size, n, 0.75);
}
