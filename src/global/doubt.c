/* Focal lengths that cannot be right. SPDX-License-Identifier: Apache-2.0 */
#include "global/doubt.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "sfm/bundle.h"

enum { PAIRS = 6, MATCHES = 400, LEAST_MATCHES = 50, FACTORS = 7 };
static const double FACTOR[FACTORS] = { 0.35, 0.5, 0.7, 1, 1.4, 2, 2.8 };
enum { AS_TOLD = 3 };
/* "Closely", in long sides of a picture: a pixel of 1600. */
static const double CLOSE = 1.0 / 1600;
/* Of what a fundamental matrix explains; above it there is no doubt. */
static const double DOUBT_SHARE = 0.85;
/* An angle between rays that is as good as any larger one. */
static const double WIDE_RAD = 0.3;
/* By so much another factor must explain more than 1 does. */
static const double CLEARLY = 1.15;

typedef struct doubting {
    const vd_sfm_input *in;
    int32_t (*pair)[PAIRS]; /* [n_cameras] those that tell most, -1: none */
    double *factor;
} doubting;

/* How many of a pair's matches, at most MATCHES of them, evenly taken, are close to E; and to F if
 * wanted. The focal lengths of both cameras are multiplied by k: a pair within one camera comes
 * first, and files that are wrong are wrong alike. */
static vd_status close_matches(const vd_sfm_input *in, const vd_sfm_pair *p, double k, int *e,
                               int *f, vd_err *err) {
    double uv[2][2 * MATCHES];
    vd_two_view_opt o = VD_TWO_VIEW_OPT;
    vd_two_view two;
    const vd_sfm_image *a = &in->image[p->a], *b = &in->image[p->b];
    vd_camera ca = in->camera[a->camera], cb = in->camera[b->camera];
    int n = VD_MIN(p->n, MATCHES);
    for (int i = 0; i < n; i++) {
        vd_sfm_match m = p->match[(int64_t)i * p->n / n];
        memcpy(uv[0] + 2 * i, a->uv + 2 * (ptrdiff_t)m.a, 2 * sizeof(double));
        memcpy(uv[1] + 2 * i, b->uv + 2 * (ptrdiff_t)m.b, 2 * sizeof(double));
    }
    for (int i = 0; i < vd_camera_layout_of(ca.model).focal; i++) ca.params[i] *= k;
    for (int i = 0; i < vd_camera_layout_of(cb.model).focal; i++) cb.params[i] *= k;
    o.max_error_px = CLOSE * VD_MAX(VD_MAX(ca.width, ca.height), VD_MAX(cb.width, cb.height));
    o.min_e_share = 0;
    o.item = (uint64_t)(p - in->pair);
    VD_TRY(vd_two_view_estimate(&two, NULL, &ca, &cb, true, uv[0], uv[1], n, &o, err));
    *e = two.inliers_e;
    if (f == NULL) return VD_OK;
    VD_TRY(vd_two_view_estimate(&two, NULL, &ca, &cb, false, uv[0], uv[1], n, &o, err));
    *f = two.inliers_f;
    return VD_OK;
}

static vd_status doubt_camera(void *user, int64_t camera, int worker, vd_err *err) {
    const doubting *d = user;
    const vd_sfm_input *in = d->in;
    const int32_t *pair = d->pair[camera];
    int sum[FACTORS] = { 0 }, all = 0, best = AS_TOLD, e, f;
    (void)worker;
    for (int i = 0; i < PAIRS && pair[i] >= 0; i++) {
        VD_TRY(close_matches(in, &in->pair[pair[i]], 1, &e, &f, err));
        sum[AS_TOLD] += e;
        all += f;
    }
    if (sum[AS_TOLD] >= DOUBT_SHARE * all) return VD_OK;
    for (int k = 0; k < FACTORS; k++) {
        for (int i = 0; i < PAIRS && pair[i] >= 0 && k != AS_TOLD; i++) {
            VD_TRY(close_matches(in, &in->pair[pair[i]], FACTOR[k], &e, NULL, err));
            sum[k] += e;
        }
        if (sum[k] > sum[best]) best = k;
    }
    if (sum[best] > CLEARLY * sum[AS_TOLD]) d->factor[camera] = FACTOR[best];
    return VD_OK;
}

/* What a pair can tell: rays that are nearly parallel fit any focal length. */
static double telling(const vd_sfm_pair *p) {
    bool known = p->geometry.config == VD_TWO_VIEW_CALIBRATED;
    return VD_MIN(p->n, MATCHES) *
           (known ? fmin(p->geometry.median_angle_rad, WIDE_RAD) : WIDE_RAD);
}

/* Those that tell more first; within one camera before others. */
static bool before(const vd_sfm_input *in, int32_t k, int32_t l) {
    const vd_sfm_pair *p = &in->pair[k], *q = &in->pair[l];
    bool one_p = in->image[p->a].camera == in->image[p->b].camera;
    bool one_q = in->image[q->a].camera == in->image[q->b].camera;
    if (one_p != one_q) return one_p;
    double x = telling(p), y = telling(q);
    return x != y ? x > y : k < l;
}

static void enter(const vd_sfm_input *in, int32_t list[PAIRS], int32_t k) {
    int at = PAIRS;
    while (at > 0 && (list[at - 1] < 0 || before(in, k, list[at - 1]))) at--;
    if (at == PAIRS) return;
    memmove(list + at + 1, list + at, (size_t)(PAIRS - 1 - at) * sizeof *list);
    list[at] = k;
}

vd_status vd_focals_doubt(double *factor, const vd_sfm_input *in, const uint8_t *told,
                          vd_pool *pool, vd_err *err) {
    doubting d = { .in = in, .factor = factor };
    for (int32_t i = 0; i < in->n_cameras; i++) factor[i] = 1;
    if (in->camera_refine == NULL || in->n_cameras == 0) return VD_OK;
    d.pair = vd_mem_alloc((size_t)in->n_cameras * sizeof *d.pair);
    if (d.pair == NULL) return vd_nomem(err);
    memset(d.pair, 0xff, (size_t)in->n_cameras * sizeof *d.pair);
    for (int32_t k = 0; k < in->n_pairs; k++) {
        const vd_sfm_pair *p = &in->pair[k];
        int config = p->geometry.config;
        if (p->n < LEAST_MATCHES ||
            (config != VD_TWO_VIEW_CALIBRATED && config != VD_TWO_VIEW_UNCALIBRATED))
            continue;
        for (int side = 0; side < 2; side++) {
            int32_t camera = in->image[side ? p->b : p->a].camera;
            if (side && camera == in->image[p->a].camera) continue;
            if (told[camera] && in->camera_refine[camera] & VD_REFINE_FOCAL &&
                !vd_camera_is_fisheye(in->camera[camera].model))
                enter(in, d.pair[camera], k);
        }
    }
    vd_status st = vd_pool_for(pool, in->n_cameras, doubt_camera, &d, err);
    vd_mem_free(d.pair);
    return st;
}

typedef struct estimating {
    const vd_sfm_input *in;
    const double *factor;
    vd_sfm_pair *pair;
} estimating;

static vd_status estimate_pair(void *user, int64_t k, int worker, vd_err *err) {
    const estimating *w = user;
    vd_sfm_pair *p = &w->pair[k];
    const vd_sfm_image *a = &w->in->image[p->a], *b = &w->in->image[p->b];
    vd_two_view_opt o = VD_TWO_VIEW_OPT;
    (void)worker;
    if (w->factor[a->camera] == 1 && w->factor[b->camera] == 1) return VD_OK;
    double *uv = vd_mem_alloc((size_t)VD_MAX(p->n, 1) * 4 * sizeof *uv);
    if (uv == NULL) return vd_nomem(err);
    for (int32_t i = 0; i < p->n; i++) {
        memcpy(uv + 2 * i, a->uv + 2 * (ptrdiff_t)p->match[i].a, 2 * sizeof *uv);
        memcpy(uv + 2 * (p->n + i), b->uv + 2 * (ptrdiff_t)p->match[i].b, 2 * sizeof *uv);
    }
    o.item = (uint64_t)k;
    vd_status st =
        vd_two_view_estimate(&p->geometry, NULL, &w->in->camera[a->camera],
                             &w->in->camera[b->camera], true, uv, uv + 2 * p->n, p->n, &o, err);
    vd_mem_free(uv);
    return st;
}

vd_status vd_pairs_estimate(vd_sfm_pair *pair, const vd_sfm_input *in, const double *factor,
                            vd_pool *pool, vd_err *err) {
    estimating w = { in, factor, pair };
    return vd_pool_for(pool, in->n_pairs, estimate_pair, &w, err);
}
