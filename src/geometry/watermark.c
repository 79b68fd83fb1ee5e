/* An overlay: matches near the border that all moved by the same vector, as a watermark, a time
 * stamp or the bonnet of a car does, whatever the camera did. After COLMAP's test of the same
 * purpose. SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "geometry/two_view_int.h"

/* Vectors to try: those of matches spread over all. The right one is among them unless fewer than a
 * tenth of the matches share it. */
enum { CANDIDATES = 64 };

static double border_of(const vd_camera *c, double share) {
    double w = c->width, h = c->height;
    return share * sqrt(w * w + h * h);
}

static bool at_border(const vd_camera *c, const double *uv, double border) {
    double w = c->width, h = c->height;
    return uv[0] < border || uv[1] < border || uv[0] > w - border || uv[1] > h - border;
}

static int moved_alike(const vd_pair_work *w, const uint8_t *mask, double du, double dv) {
    double limit = w->opt->max_error_px * w->opt->max_error_px;
    int n = 0;
    for (int i = 0; i < w->n; i++) {
        double u = w->uv2[2 * i] - w->uv1[2 * i] - du,
               v = w->uv2[2 * i + 1] - w->uv1[2 * i + 1] - dv;
        n += mask[i] && u * u + v * v <= limit;
    }
    return n;
}

bool vd_pair_is_watermark(const vd_pair_work *w, const uint8_t *mask) {
    double border1 = border_of(w->c1, w->opt->watermark_border),
           border2 = border_of(w->c2, w->opt->watermark_border);
    int inliers = 0, border = 0;
    for (int i = 0; i < w->n; i++) {
        if (!mask[i]) continue;
        inliers++;
        border +=
            at_border(w->c1, w->uv1 + 2 * i, border1) && at_border(w->c2, w->uv2 + 2 * i, border2);
    }
    double needed = w->opt->watermark_share * inliers;
    if (inliers == 0 || border < needed) return false;
    int step = (inliers + CANDIDATES - 1) / CANDIDATES, at = 0;
    for (int i = 0; i < w->n; i++) {
        if (!mask[i] || at++ % step != 0) continue;
        if (moved_alike(w, mask, w->uv2[2 * i] - w->uv1[2 * i],
                        w->uv2[2 * i + 1] - w->uv1[2 * i + 1]) >= needed)
            return true;
    }
    return false;
}
