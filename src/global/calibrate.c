/* Focal lengths of a view graph's cameras. SPDX-License-Identifier: Apache-2.0 */
#include "global/calibrate.h"

#include <string.h>

#include "base/mem.h"
#include "global/focal.h"
#include "sfm/mapper_int.h"

enum { LEAST_MATCHES = 30 }; /* of a pair that says something about focal lengths */

static bool says_something(const vd_sfm_pair *p) {
    const double *f = p->geometry.F;
    double sum = 0;
    if (p->geometry.config != VD_TWO_VIEW_CALIBRATED &&
        p->geometry.config != VD_TWO_VIEW_UNCALIBRATED)
        return false;
    for (int i = 0; i < 9; i++) sum += f[i] * f[i];
    return p->n >= LEAST_MATCHES && sum > 0 && isfinite(sum);
}

/* Pairs of cameras that have a pinhole and of which one at least is not known. */
static int64_t list_pairs(vd_focal_pair *to, const vd_camera *camera, const vd_sfm_input *in,
                          const uint8_t *moves) {
    int64_t n = 0;
    for (int32_t k = 0; k < in->n_pairs; k++) {
        const vd_sfm_pair *p = &in->pair[k];
        int32_t a = in->image[p->a].camera, b = in->image[p->b].camera;
        if (!says_something(p) || (!moves[a] && !moves[b])) continue;
        if (vd_camera_is_fisheye(camera[a].model) || vd_camera_is_fisheye(camera[b].model))
            continue;
        to[n] = (vd_focal_pair){ .a = a, .b = b };
        memcpy(to[n++].F, p->geometry.F, sizeof to->F);
    }
    return n;
}

vd_status vd_sfm_calibrate(vd_camera *camera, const vd_sfm_input *in, const uint8_t *moves,
                           vd_pool *pool, vd_err *err) {
    vd_status st = VD_OK;
    double *factor = vd_mem_alloc((size_t)VD_MAX(in->n_cameras, 1) * sizeof *factor);
    vd_focal_pair *pair = vd_mem_alloc((size_t)VD_MAX(in->n_pairs, 1) * sizeof *pair);
    if (factor == NULL || pair == NULL) VD_GO(vd_nomem(err));
    int64_t n = list_pairs(pair, camera, in, moves);
    if (n == 0) goto done;
    VD_GO(vd_focals_find(factor, camera, moves, in->n_cameras, pair, n, pool, err));
    for (int32_t i = 0; i < in->n_cameras; i++) {
        vd_camera c = camera[i];
        for (int k = 0; k < vd_camera_layout_of(c.model).focal; k++) c.params[k] *= factor[i];
        if (vd_mapper_plausible(&c)) camera[i] = c;
    }
done:
    vd_mem_free(factor);
    vd_mem_free(pair);
    return st;
}
