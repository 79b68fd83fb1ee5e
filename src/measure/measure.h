/* Quality metrics of one picture, from one pass over its luma and one over its small colour
 * rendition. SPDX-License-Identifier: Apache-2.0
 *
 * Grey levels are those of an 8-bit picture, 0 .. 255. Three scales are used: "full" is every
 * stored sample; "norm" is the luma rendition of at most 1024 pixels on the long side, so that
 * cameras of different resolution agree on one scene; "small" is the RGB rendition of at most 160
 * pixels. Where a figure is taken from "sampled rows", these are the rows y with y mod k = 0, k =
 * floor(pixels / 2^19) made odd: about half a million samples whatever the size, all up to 0.5 MP;
 * for blockiness and banding 2^16.
 *
 * All figures are sums of integers or sequential double arithmetic: the same on every CPU. */
#ifndef VD_MEASURE_MEASURE_H
#define VD_MEASURE_MEASURE_H

#include "image/rendition.h"
#include "measure/pdq.h"

typedef struct vd_metrics {
    /* focus, on norm */
    double sharpness;      /* variance of the 4-neighbour Laplacian; grey levels^2, >= 0
                              (Pech-Pacheco et al. 2000) */
    double tenengrad;      /* mean of gx^2 + gy^2, Sobel; grey levels^2, >= 0 (Krotkov 1987) */
    double fineness;       /* share of fine detail in what structure there is: mean squared spatial
                              frequency of the norm, R(theta) averaged over directions; 0 .. 4, low =
                              out of focus whatever the contrast */
    double least_fineness; /* min R over directions, on the norm halved (of more than 128 rows, 8 of
                              every 16): how fine the detail is along the blurred one */
    double motion_anisotropy;    /* 1 - min R / max R over directions, on the norm halved; 0 .. 1, 0
                                    where a side of the norm is below 64 */
    double motion_direction_deg; /* direction of least second derivative, on the norm halved, or on
                                    the norm where min R is less than 0.8 of that; 0 .. 180,
                                    counter-clockwise from +x in the upright picture: that of a
                                    motion blur, if any. R(theta) = sum (d2 I / d theta^2)^2 / sum
                                    (d I / d theta)^2 from 3 x 3 operators that are exact powers of
                                    one pair of filters; for min R and max R, what these lose on
                                    diagonals is made good */
    double short_least, short_anisotropy; /* the same two on the norm itself: smears of 5 to 8
                                             pixels */
    /* tone */
    double brightness;            /* mean luma, full; grey levels */
    double p1, p5, p50, p95, p99; /* luma percentiles (nearest rank), sampled rows; grey levels */
    double contrast;              /* standard deviation of luma (RMS contrast), full; grey levels */
    double clipped_low;           /* fraction of samples <= 2, full; 0 .. 1 */
    double clipped_high;          /* fraction of samples >= 253, full; 0 .. 1 */
    double entropy;               /* Shannon entropy of luma levels, sampled rows; bits, 0 .. 8 */
    double bright_p5, bright_p99; /* percentiles of sqrt(.241 R^2 + .691 G^2 + .068 B^2) / 255, 0 ..
                                     1 (CleanVision's brightness): the luma percentile corrected by
                                     what colour adds on small */
    /* colour, on small */
    double colourfulness; /* sqrt(var rg + var yb) + 0.3 sqrt(mean rg^2 + mean yb^2), rg = R - G,
                             yb = (R + G) / 2 - B; 0 .. about 200 (Hasler and Susstrunk 2003) */
    double saturation;    /* mean of (max - min) / max over pixels, HSV; 0 .. 1 */
    double coloured;      /* fraction of pixels with max - min > 12; 0 .. 1 */
    bool greyscale;       /* one channel, or coloured < 0.0005 and saturation < 0.05 */
    /* coding and sensor, full */
    double noise;      /* sigma of white noise in grey levels, >= 0: Immerkaer's (1996) estimate on
                          blocks of 32 x 16, tenth percentile of the blocks not clipped, corrected for
                          its bias on pure noise */
    double blockiness; /* mean step across the lines of an 8 x 8 grid over the mean step elsewhere;
                          about 1 without block artefacts; horizontal from sampled rows */
    double banding;    /* among isolated small steps (flat-step-flat, up to 36 levels) the share of
                          those above 1 level, times how common isolated steps are (up to 1 %); 0 ..
                          1 */
    /* shape */
    int channels;        /* 1 or 3, as decoded */
    double aspect_ratio; /* width / height, upright */
    /* CleanVision's blur figures, on a rendition of at most 64 pixels */
    double thumb_edges; /* standard deviation of an 8-neighbour edge filter; grey levels */
    double thumb_peaks; /* standard deviation of the luma histogram's 256 counts */
} vd_metrics;

/* Working memory of one worker. One thread at a time. */
typedef struct vd_measure vd_measure;
vd_status vd_measure_new(vd_measure **out, vd_err *err);
void vd_measure_free(vd_measure *m);

/* Measures a picture and fingerprints it.
 * owns   : nothing of `f`; the renditions stay with `m` until the next call
 * fails  : VD_E_ARG (no pixels), VD_E_NOMEM; outputs untouched then
 * cost   : see bench_measure; no allocation once the largest picture was seen */
vd_status vd_measure_frame(vd_metrics *out, vd_pdq *pdq, vd_measure *m, const vd_frame *f,
                           vd_err *err);

/* The renditions of the last picture: norm is luma, small is RGB (a thumbnail). */
const vd_pixels *vd_measure_norm(const vd_measure *m);
const vd_pixels *vd_measure_small(const vd_measure *m);
#endif
