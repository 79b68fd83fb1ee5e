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

enum { MOST_TRIALS = 40 };

typedef struct candidate {
    double score;
    int32_t pair;
} candidate;

static int by_score(const void *a, const void *b) {
    const candidate *p = a, *q = b;
    if (p->score != q->score) return p->score > q->score ? -1 : 1;
    return (p->pair > q->pair) - (p->pair < q->pair);
}

static double score_of(const vd_mapper *m, const vd_sfm_pair *p) {
    double angle = p->geometry.median_angle_rad / m->opt.start_angle_rad;
    if (m->tied[p->a] < m->opt.least_images) return 0;
    if (m->info[p->a].state != VD_IMAGE_FREE || m->info[p->b].state != VD_IMAGE_FREE) return 0;
    switch (p->geometry.config) {
    case VD_TWO_VIEW_CALIBRATED: break;
    case VD_TWO_VIEW_UNCALIBRATED: return 0.2 * p->n; /* the angle is not known */
    case VD_TWO_VIEW_PLANAR_OR_PANORAMIC: return 0.1 * p->n;
    case VD_TWO_VIEW_PLANAR: angle *= 0.5; break; /* two poses explain a plane */
    default: return 0;
    }
    angle = VD_CLAMP(angle, 0, 1);
    return p->n * angle * angle;
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

/* The model of two images; false when it gives too few points. */
static vd_status try_pair(vd_mapper *m, const vd_sfm_pair *p, int least, double angle_rad,
                          bool *good, vd_err *err) {
    int64_t changed = 0;
    vd_two_view two = p->geometry;
    *good = false;
    vd_mapper_begin(m);
    if (two.config == VD_TWO_VIEW_UNCALIBRATED || two.config == VD_TWO_VIEW_PLANAR_OR_PANORAMIC)
        VD_TRY(estimate(m, p, &two, err));
    if (vd_v3_norm(two.cam2_from_cam1.t) == 0) return VD_OK;
    vd_mapper_register(m, p->a, (vd_rigid){ { 1, 0, 0, 0 }, { 0, 0, 0 } });
    vd_mapper_register(m, p->b, two.cam2_from_cam1);
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

static vd_status list_candidates(candidate **out, int32_t *n, const vd_mapper *m, vd_err *err) {
    candidate *c = vd_mem_array((size_t)m->in->n_pairs, sizeof *c);
    if (c == NULL) return vd_nomem(err);
    *n = 0;
    for (int32_t i = 0; i < m->in->n_pairs; i++) {
        double score = m->pair_tried[i] || !m->trusted[i] ? 0 : score_of(m, &m->in->pair[i]);
        if (score > 0) c[(*n)++] = (candidate){ score, i };
    }
    qsort(c, (size_t)*n, sizeof *c, by_score);
    *out = c;
    return VD_OK;
}

vd_status vd_mapper_start(vd_mapper *m, bool *found, vd_err *err) {
    double begun = vd_time_mono_s();
    vd_status st = VD_OK;
    candidate *c = NULL;
    int32_t n = 0;
    *found = false;
    VD_GO(list_candidates(&c, &n, m, err));
    /* what is asked of a pair sinks from round to round */
    for (int round = 0; round < 3 && !*found; round++) {
        int least = VD_MAX(m->opt.start_inliers >> round, 10);
        double angle_rad = VD_MAX(m->opt.min_angle_rad, m->opt.start_angle_rad / (4 << 2 * round));
        for (int32_t i = 0; i < VD_MIN(n, MOST_TRIALS) && !*found; i++) {
            const vd_sfm_pair *p = &m->in->pair[c[i].pair];
            if (p->n < least) continue;
            VD_GO(try_pair(m, p, least, angle_rad, found, err));
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
