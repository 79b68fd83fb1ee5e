/* The pair that a model begins with. SPDX-License-Identifier: Apache-2.0
 *
 * Pairs are tried from the most promising on: many inliers, seen under a wide angle, since a narrow
 * base makes for uncertain points on which everything later rests. What counts in the end is how
 * many points the pair gives. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sfm/mapper_int.h"

enum { MOST_TRIALS = 40, MOST_ESTIMATES = 100 };
static const double UNCALIBRATED = 0.5; /* what a motion is worth that rests on guessed cameras */

typedef struct candidate {
    double score;
    int32_t pair;
    vd_two_view two;
} candidate;

static int by_score(const void *a, const void *b) {
    const candidate *p = a, *q = b;
    if (p->score != q->score) return p->score > q->score ? -1 : 1;
    return (p->pair > q->pair) - (p->pair < q->pair);
}

static bool lacks_motion(const vd_two_view *t) {
    return t->config == VD_TWO_VIEW_UNCALIBRATED || t->config == VD_TWO_VIEW_PLANAR_OR_PANORAMIC;
}

static double score_of(const vd_mapper *m, const vd_two_view *t, int32_t n) {
    double angle = VD_CLAMP(t->median_angle_rad / m->opt.start_angle_rad, 0, 1);
    switch (t->config) {
    case VD_TWO_VIEW_CALIBRATED: return n * angle * angle;
    case VD_TWO_VIEW_PLANAR: return 0.25 * n * angle * angle; /* two poses explain a plane */
    default: return lacks_motion(t) ? n : 0;                  /* until it is known */
    }
}

/* The motion between the images of a pair that was verified without calibration, for what is known
 * of the cameras: may be wrong by what that is wrong, and adjustment has to mend it. */
static vd_status estimate(const vd_mapper *m, const vd_sfm_pair *p, vd_two_view *out, vd_err *err) {
    vd_status st = VD_OK;
    double *uv = vd_mem_alloc((size_t)p->n * 4 * sizeof *uv);
    vd_two_view_opt o = VD_TWO_VIEW_OPT;
    if (uv == NULL) VD_GO(vd_nomem(err));
    for (int32_t i = 0; i < p->n; i++) {
        memcpy(uv + 2 * i, m->in->image[p->a].uv + 2 * p->match[i].a, 2 * sizeof *uv);
        memcpy(uv + 2 * (p->n + i), m->in->image[p->b].uv + 2 * p->match[i].b, 2 * sizeof *uv);
    }
    o.max_error_px = m->opt.max_error_px;
    o.min_e_share = 0; /* whatever the share: it is this or nothing */
    o.seed = m->opt.seed;
    o.item = (uint64_t)(p - m->in->pair);
    VD_GO(vd_two_view_estimate(out, NULL, vd_camera_of(m, p->a), vd_camera_of(m, p->b), true, uv,
                               uv + 2 * p->n, p->n, &o, err));
done:
    vd_mem_free(uv);
    return st;
}

/* The pairs without a motion get one, those with most matches: to rank them like the others. */
static vd_status estimate_some(const vd_mapper *m, candidate *c, int32_t n, vd_err *err) {
    int done = 0;
    for (int32_t i = 0; i < n; i++) {
        const vd_sfm_pair *p = &m->in->pair[c[i].pair];
        if (!lacks_motion(&c[i].two)) continue;
        c[i].two.config = VD_TWO_VIEW_DEGENERATE;
        if (done++ < MOST_ESTIMATES) VD_TRY(estimate(m, p, &c[i].two, err));
        c[i].score = score_of(m, &c[i].two, p->n) * UNCALIBRATED;
    }
    return VD_OK;
}

/* The model of two images; false when it gives too few points. */
static vd_status try_pair(vd_mapper *m, const candidate *c, int least, double angle_rad, bool *good,
                          vd_err *err) {
    const vd_sfm_pair *p = &m->in->pair[c->pair];
    int64_t changed = 0;
    *good = false;
    vd_mapper_begin(m);
    if (vd_v3_norm(c->two.cam2_from_cam1.t) == 0) return VD_OK;
    vd_mapper_register(m, p->a, (vd_rigid){ { 1, 0, 0, 0 }, { 0, 0, 0 } });
    vd_mapper_register(m, p->b, c->two.cam2_from_cam1);
    double narrow = m->opt.min_angle_rad;
    m->opt.min_angle_rad = angle_rad; /* the first points had better be certain */
    vd_status st = vd_mapper_triangulate(m, p->b, err);
    if (st == VD_OK && m->n_alive >= least) st = vd_mapper_adjust_global(m, true, err);
    m->opt.min_angle_rad = narrow;
    VD_TRY(st);
    if (m->n_alive < least) return VD_OK;
    VD_TRY(vd_mapper_filter(m, &changed, err));
    VD_TRY(vd_mapper_retriangulate(m, true, &changed, err));
    *good = m->n_alive >= least && m->n_registered == 2;
    return VD_OK;
}

static void give_up_pair(vd_mapper *m, const vd_sfm_pair *p) {
    vd_mapper_begin(m);
    m->info[p->a].state = m->info[p->b].state = VD_IMAGE_FREE;
}

/* Whether a pair may begin a model: of the component asked for, if one is. */
static bool may_start(const vd_mapper *m, int32_t pair, int32_t component) {
    const vd_sfm_pair *p = &m->in->pair[pair];
    if (m->pair_tried[pair] || !m->trusted[pair]) return false;
    if (component >= 0 && m->component[p->a] != component) return false;
    return m->tied[p->a] >= m->opt.least_images && m->info[p->a].state == VD_IMAGE_FREE &&
           m->info[p->b].state == VD_IMAGE_FREE;
}

static vd_status list_candidates(candidate **out, int32_t *n, const vd_mapper *m, int32_t component,
                                 vd_err *err) {
    candidate *c = vd_mem_array((size_t)m->in->n_pairs, sizeof *c);
    vd_status st = VD_OK;
    if (c == NULL) return vd_nomem(err);
    *n = 0;
    for (int32_t i = 0; i < m->in->n_pairs; i++) {
        const vd_sfm_pair *p = &m->in->pair[i];
        double score = may_start(m, i, component) ? score_of(m, &p->geometry, p->n) : 0;
        if (score > 0) c[(*n)++] = (candidate){ score, i, p->geometry };
    }
    qsort(c, (size_t)*n, sizeof *c, by_score);
    VD_GO(estimate_some(m, c, *n, err));
    qsort(c, (size_t)*n, sizeof *c, by_score);
    while (*n > 0 && c[*n - 1].score <= 0) --*n;
    *out = c;
    c = NULL;
done:
    vd_mem_free(c);
    return st;
}

vd_status vd_mapper_start(vd_mapper *m, int32_t component, bool *found, vd_err *err) {
    double begun = vd_time_mono_s();
    vd_status st = VD_OK;
    candidate *c = NULL;
    int32_t n = 0;
    *found = false;
    VD_GO(list_candidates(&c, &n, m, component, err));
    /* what is asked of a pair sinks from round to round */
    for (int round = 0; round < 3 && !*found; round++) {
        int least = VD_MAX(m->opt.start_inliers >> round, 10);
        double angle_rad = VD_MAX(m->opt.min_angle_rad, m->opt.start_angle_rad / (4 << 2 * round));
        for (int32_t i = 0; i < VD_MIN(n, MOST_TRIALS) && !*found; i++) {
            const vd_sfm_pair *p = &m->in->pair[c[i].pair];
            if (p->n < least) continue;
            VD_GO(try_pair(m, &c[i], least, angle_rad, found, err));
            if (*found)
                m->pair_tried[c[i].pair] = 1;
            else
                give_up_pair(m, p);
        }
    }
    m->stats.start_s += vd_time_mono_s() - begun;
done:
    vd_mem_free(c);
    return st;
}
