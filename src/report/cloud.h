/* A cloud of points made small enough to look at: fewer points, in a box that outliers do not
 * stretch, 6 bytes a position and 3 a colour. SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_REPORT_CLOUD_H
#define VD_REPORT_CLOUD_H

#include "base/err.h"
#include "math/vec.h"

enum { VD_CLOUD_STEPS = 65535 };

typedef struct vd_cloud {
    int64_t n;             /* points kept */
    int64_t outside;       /* points of the input beyond the box, or not finite */
    double lo[3], size[3]; /* coordinate = lo + size * step / VD_CLOUD_STEPS */
    uint8_t *xyz;          /* 6 bytes a point: three steps, little-endian */
    uint8_t *rgb;          /* 3 bytes a point */
} vd_cloud;

/* At most `most` of the n points that lie in a robust box: the 1st to 99th percentile of each axis
 * and as much again on either side, but no further than points go. Which points, and their order,
 * follow from n alone; any beginning of them is spread evenly over the input, so that a viewer may
 * draw as many as it likes. A `rgb` of NULL makes all grey. `out` is untouched on failure
 * (VD_E_NOMEM) and else to be reset. */
vd_status vd_cloud_reduce(vd_cloud *out, const double *xyz, const uint8_t *rgb, int64_t n,
                          int64_t most, vd_err *err);
void vd_cloud_reset(vd_cloud *c);

/* Which way is up, from where cameras have their tops and where they look (unit vectors): the mean
 * top. Photos taken straight down from all headings have tops that cancel; there it is opposite to
 * where they look. +z when that says nothing either. */
vd_vec3 vd_cloud_up(const vd_vec3 *top, const vd_vec3 *forward, int64_t n);
#endif
