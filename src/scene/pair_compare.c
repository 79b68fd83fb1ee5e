/* Matches of one pair and their geometry. SPDX-License-Identifier: Apache-2.0 */
#include "scene/pair_compare.h"

#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

enum {
    LEAST_MATCHES = 15,
    MOST_TRIALS =
        3000, /* find a pair with 70 % of its matches wrong; hopeless ones take them all */
    ENOUGH_TO_GUIDE = 30, /* inliers of the first features */
};
/* Features that are looked at first, and the matches that they must give to go on. Of 398 pairs of
 * a town that a full match verifies, 27 are lost by the first look, 6 by the others (all of fewer
 * than 30 inliers); of 385 that it does not verify, 140, 74 and 60 end at the three. */
static const struct { int features, least; } LOOKS[] = { { 1024, 6 }, { 2048, 10 }, { 4096, 15 } };
/* A guide from few features is off by some of the error that inliers may have. */
static const double GUIDE_ERRORS = 2;

void vd_pair_compare_params(vd_str *out) {
    for (int i = 0; i < VD_COUNT(LOOKS); i++)
        vd_str_addf(out, "look=%d,%d;", LOOKS[i].features, LOOKS[i].least);
    vd_str_addf(out, "guide=%d;", ENOUGH_TO_GUIDE);
}

vd_status vd_pair_work_init(vd_pair_work *w, vd_err *err) {
    return vd_match_work_new(&w->match, err);
}

void vd_pair_work_reset(vd_pair_work *w) {
    vd_match_work_free(w->match);
    for (int i = 0; i < 2; i++) {
        vd_mem_free(w->uv[i]);
        vd_mem_free(w->places[i]);
    }
    vd_mem_free(w->mask);
}

typedef struct comparison {
    const vd_view *view[2];
    const vd_camera *camera[2];
    const vd_features *features[2];
    bool calibrated;
    vd_pair_work *w;
    vd_pair_result *r;
} comparison;

static vd_status points_of(comparison *c, int side, const vd_match *m, int n, vd_err *err) {
    vd_pair_work *w = c->w;
    VD_TRY(VD_GROW(w->uv[side], w->cap_uv[side], 2 * (int64_t)n, err));
    for (int i = 0; i < n; i++) {
        const vd_keypoint *p = &c->features[side]->kp[side == 0 ? m[i].a : m[i].b];
        w->uv[side][2 * i] = p->x;
        w->uv[side][2 * i + 1] = p->y;
    }
    return VD_OK;
}

/* Finds the geometry of n matches, and leaves the inliers, the first r->n_inliers of m. */
static vd_status verify(comparison *c, vd_match *m, int n, vd_err *err) {
    vd_pair_result *r = c->r;
    vd_two_view_opt opt = VD_TWO_VIEW_OPT;
    r->n_inliers = 0;
    r->geometry = (vd_two_view){ 0 };
    if (n < LEAST_MATCHES) return VD_OK;
    for (int side = 0; side < 2; side++) VD_TRY(points_of(c, side, m, n, err));
    VD_TRY(VD_GROW(c->w->mask, c->w->cap_mask, n, err));
    opt.max_trials = MOST_TRIALS;
    opt.item = vd_mix64(c->view[0]->content) ^ c->view[1]->content;
    VD_TRY(vd_two_view_estimate(&r->geometry, c->w->mask, c->camera[0], c->camera[1], c->calibrated,
                                c->w->uv[0], c->w->uv[1], n, &opt, err));
    if (r->geometry.config == VD_TWO_VIEW_DEGENERATE) return VD_OK;
    for (int i = 0; i < n; i++)
        if (c->w->mask[i]) m[r->n_inliers++] = m[i];
    return VD_OK;
}

/* Matches m, of which *n are there, become the caller's or are freed. */
static vd_status settle(comparison *c, vd_match *m, int n, vd_err *err) {
    vd_status st = verify(c, m, n, err);
    c->r->matches = n;
    if (st == VD_OK && c->r->n_inliers > 0)
        c->r->inliers = m;
    else
        vd_mem_free(m);
    return st;
}

/* ---- along epipolar lines ---- */

/* Where the features lie: on the plane z = 1 of a camera that is known, else in pixels. A feature
 * that its camera has no ray for is put in the middle; no verification takes it. */
static vd_status places_of(comparison *c, int side, vd_err *err) {
    const vd_features *f = c->features[side];
    vd_pair_work *w = c->w;
    VD_TRY(VD_GROW(w->places[side], w->cap_places[side], 2 * (int64_t)f->n, err));
    for (int i = 0; i < f->n; i++) {
        double at[2] = { f->kp[i].x, f->kp[i].y };
        if (c->calibrated && !vd_camera_unproject(c->camera[side], at, at)) at[0] = at[1] = 0;
        w->places[side][2 * i] = (float)at[0];
        w->places[side][2 * i + 1] = (float)at[1];
    }
    return VD_OK;
}

static bool is_epipolar(const comparison *c) {
    int config = c->r->geometry.config;
    return c->calibrated ? config == VD_TWO_VIEW_CALIBRATED : config == VD_TWO_VIEW_UNCALIBRATED;
}

/* The guide is the geometry that c->r has. */
static vd_status match_guided(comparison *c, const vd_match_opt *opt, vd_err *err) {
    const vd_features *a = c->features[0], *b = c->features[1];
    const vd_two_view_opt limits = VD_TWO_VIEW_OPT;
    vd_guide g = { .kind = VD_GUIDE_EPIPOLAR, .max_error = GUIDE_ERRORS * limits.max_error_px };
    vd_match *m = NULL;
    int n = 0;
    memcpy(g.m, c->calibrated ? c->r->geometry.E : c->r->geometry.F, sizeof g.m);
    if (c->calibrated)
        g.max_error /=
            (vd_camera_mean_focal(c->camera[0]) + vd_camera_mean_focal(c->camera[1])) / 2;
    for (int side = 0; side < 2; side++) VD_TRY(places_of(c, side, err));
    VD_TRY(vd_match_guided(&m, &n, a->desc, c->w->places[0], a->n, b->desc, c->w->places[1], b->n,
                           &g, opt, c->w->match, err));
    return settle(c, m, n, err);
}

/* The first features alone: matches and what geometry they give. */
static vd_status look(comparison *c, int features, int *n, const vd_match_opt *opt, vd_err *err) {
    vd_match *m = NULL;
    VD_TRY(vd_match_pair(&m, n, c->features[0]->desc, features, c->features[1]->desc, features, opt,
                         c->w->match, err));
    vd_status st = verify(c, m, *n, err);
    vd_mem_free(m);
    return st;
}

/* Whether the first features settled it: hopeless, or matched by their geometry. */
static vd_status by_first(comparison *c, bool *settled, const vd_match_opt *opt, vd_err *err) {
    int most = VD_MIN(c->features[0]->n, c->features[1]->n);
    *settled = false;
    for (int i = 0; i < VD_COUNT(LOOKS) && most > LOOKS[i].features && !*settled; i++) {
        int n;
        VD_TRY(look(c, LOOKS[i].features, &n, opt, err));
        if (n < LOOKS[i].least) {
            *c->r = (vd_pair_result){ 0 };
            *settled = true;
        } else if (c->r->n_inliers >= ENOUGH_TO_GUIDE && is_epipolar(c)) {
            VD_TRY(match_guided(c, opt, err));
            *settled = c->r->n_inliers > 0;
        }
    }
    return VD_OK;
}

vd_status vd_pair_compare(vd_pair_result *out, const vd_view_set *views, const vd_pair *p,
                          const vd_features *a, const vd_features *b, vd_pair_work *w,
                          vd_err *err) {
    const vd_view *va = &views->views[p->a], *vb = &views->views[p->b];
    comparison c = { .view = { va, vb },
                     .camera = { &views->cameras[va->camera], &views->cameras[vb->camera] },
                     .features = { a, b },
                     .calibrated = views->focal[va->camera] != VD_FOCAL_GUESS &&
                                   views->focal[vb->camera] != VD_FOCAL_GUESS,
                     .w = w,
                     .r = out };
    vd_match_opt opt = VD_MATCH_OPT;
    vd_match *m = NULL;
    bool settled;
    int n = 0;
    opt.probe = 0;
    VD_TRY(by_first(&c, &settled, &opt, err));
    if (settled) return VD_OK;
    VD_TRY(vd_match_pair(&m, &n, a->desc, a->n, b->desc, b->n, &opt, w->match, err));
    return settle(&c, m, n, err);
}
