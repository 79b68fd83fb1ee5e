/* The incremental mapper: models one after the other, an image at a time. SPDX-License-Identifier:
 * Apache-2.0
 *
 *   start        two images and their points (mapper_start.c)
 *   next         the image that sees most, well spread, of what is there (mapper_register.c)
 *   triangulate  points that it makes possible (mapper_points.c)
 *   adjust       the neighbourhood; everything whenever the model grew enough (mapper_adjust.c)
 *
 * When no image can be added the model is settled and given away, and the images that are left try
 * for another one. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sfm/mapper_int.h"

enum { MOST_FAILURES = 30 }; /* models too small to keep, one after the other */

static bool grown(const vd_mapper *m) {
    return m->n_registered >= m->opt.growth * m->images_at_global ||
           m->n_alive >= m->opt.growth * 1.2 * m->points_at_global;
}

static vd_status add_image(vd_mapper *m, int32_t image, vd_err *err) {
    double begun = vd_time_mono_s();
    VD_TRY(vd_mapper_triangulate(m, image, err));
    m->stats.triangulate_s += vd_time_mono_s() - begun;
    if (grown(m)) return vd_mapper_settle(m, false, err);
    VD_TRY(vd_mapper_adjust_local(m, image, err));
    int64_t changed = 0;
    begun = vd_time_mono_s();
    VD_TRY(vd_mapper_filter_near(m, image, &changed, err));
    m->stats.filter_s += vd_time_mono_s() - begun;
    return VD_OK;
}

/* One model to its end. Whoever failed may try again once everything is settled. */
static vd_status grow(vd_mapper *m, vd_err *err) {
    for (int round = 0; round < 2; round++) {
        int32_t image = 0, before = m->n_registered;
        for (;;) {
            VD_TRY(vd_mapper_next(m, &image, err));
            if (image < 0) break;
            VD_TRY(add_image(m, image, err));
        }
        if (round > 0 && m->n_registered == before) break; /* settled already */
        VD_TRY(vd_mapper_settle(m, true, err));
        if (m->n_registered == m->in->n_images) break;
        for (int32_t i = 0; i < m->in->n_images; i++) m->info[i].tried_at = 0;
    }
    return VD_OK;
}

/* The state becomes model `at`. */
static vd_status keep(vd_sfm_result *out, const vd_mapper *m, int32_t at, vd_err *err) {
    vd_sfm_model model;
    VD_TRY(vd_model_export(&model, m, err));
    vd_sfm_model_reset(&out->model[at]);
    out->model[at] = model;
    for (int32_t i = 0; i < m->n_registered; i++) {
        vd_sfm_verdict *v = &out->verdict[m->registered[i]];
        v->reason = VD_SFM_REGISTERED;
        v->model = at;
        v->inliers = m->info[m->registered[i]].observations;
        v->of = m->in->image[m->registered[i]].n;
    }
    return VD_OK;
}

static vd_status keep_new(vd_sfm_result *out, const vd_mapper *m, int64_t *cap, vd_err *err) {
    VD_TRY(VD_GROW(out->model, *cap, out->n_models + 1, err));
    memset(&out->model[out->n_models], 0, sizeof *out->model);
    VD_TRY(keep(out, m, out->n_models, err));
    out->n_models++;
    return VD_OK;
}

/* Whoever was in a model and is in none any more. */
static void forget_lost(vd_sfm_result *out, int32_t a, int32_t b, const vd_mapper *m) {
    for (int32_t i = 0; i < out->n_images; i++) {
        vd_sfm_verdict *v = &out->verdict[i];
        if ((v->model != a && v->model != b) || m->info[i].state == VD_IMAGE_IN_MODEL) continue;
        v->model = -1;
        v->reason = VD_SFM_DROPPED;
    }
}

/* Joins models that turn out to show one scene. */
static vd_status join_models(vd_sfm_result *out, vd_mapper *m, vd_err *err) {
    for (int32_t a = 0; a < out->n_models; a++)
        for (int32_t b = 0; b < out->n_models; b++) {
            bool merged = false;
            if (a == b || out->model[a].n_images < out->model[b].n_images) continue;
            VD_TRY(vd_mapper_merge(m, &out->model[a], &out->model[b], &merged, err));
            if (!merged) continue;
            VD_TRY(vd_mapper_to_positions(m, err));
            forget_lost(out, a, b, m);
            VD_TRY(keep(out, m, a, err));
            vd_sfm_model_reset(&out->model[b]);
            out->n_models--;
            for (int32_t k = b; k < out->n_models; k++) out->model[k] = out->model[k + 1];
            memset(&out->model[out->n_models], 0, sizeof *out->model);
            for (int32_t i = 0; i < out->n_images; i++)
                out->verdict[i].model -= out->verdict[i].model > b;
            a = b = -1; /* the model that grew may fit others now */
            break;
        }
    return VD_OK;
}

/* A model that is too small: its images are free for others, and say why if none takes them. */
static void reject(vd_sfm_result *out, vd_mapper *m) {
    int32_t n = m->n_registered;
    for (int32_t i = 0; i < n; i++) {
        vd_sfm_verdict *v = &out->verdict[m->registered[i]];
        v->reason = VD_SFM_SMALL_MODEL;
        v->of = n;
    }
    for (int32_t i = 0; i < n; i++) m->info[m->registered[i]].state = VD_IMAGE_FREE;
    m->n_registered = 0;
}

/* What the pairs of an image that began no model have in common, by their matches; NO_START where
 * that is nothing. A far picture of a panorama passes for a plane. */
static int nature_of_pairs(const vd_mapper *m, int32_t image) {
    static const double MOST = 0.8;
    double matches[VD_TWO_VIEW_CONFIGS] = { 0 }, all = 0;
    for (int32_t k = m->pair_start[image]; k < m->pair_start[image + 1]; k++) {
        const vd_sfm_pair *p = &m->in->pair[m->pair_of[k]];
        matches[p->geometry.config] += p->n;
        all += p->n;
    }
    double flat = matches[VD_TWO_VIEW_PLANAR] + matches[VD_TWO_VIEW_PLANAR_OR_PANORAMIC];
    if (matches[VD_TWO_VIEW_WATERMARK] >= MOST * all) return VD_SFM_OVERLAY;
    if (matches[VD_TWO_VIEW_PANORAMIC] >= MOST * all) return VD_SFM_NO_PARALLAX;
    return flat >= MOST * all ? VD_SFM_PLANAR : VD_SFM_NO_START;
}

/* Who is not in a model says what came closest. */
static void explain(vd_sfm_result *out, const vd_mapper *m) {
    for (int32_t i = 0; i < m->in->n_images; i++) {
        vd_sfm_verdict *v = &out->verdict[i];
        const vd_image_info *info = &m->info[i];
        v->pairs = m->pair_start[i + 1] - m->pair_start[i];
        v->best = -1;
        for (int32_t k = m->pair_start[i]; k < m->pair_start[i + 1]; k++) {
            const vd_sfm_pair *p = &m->in->pair[m->pair_of[k]];
            if (p->n <= v->best_matches) continue;
            v->best_matches = p->n;
            v->best = p->a == i ? p->b : p->a;
        }
        if (v->reason == VD_SFM_REGISTERED && v->model >= 0) continue;
        v->model = -1;
        int nature = nature_of_pairs(m, i);
        if (v->pairs == 0) {
            v->reason = VD_SFM_NO_OVERLAP;
        } else if (info->of > 0) {
            v->reason = info->dropped ? VD_SFM_DROPPED : VD_SFM_RESECTION;
            v->inliers = info->inliers;
            v->of = info->of;
        } else if (nature == VD_SFM_OVERLAY || nature == VD_SFM_NO_PARALLAX) {
            v->reason = nature;
        } else if (m->tied[i] < m->opt.least_images || v->reason == VD_SFM_SMALL_MODEL) {
            v->of = v->reason == VD_SFM_SMALL_MODEL ? v->of : m->tied[i];
            v->reason = VD_SFM_SMALL_MODEL;
            v->inliers = v->best_matches;
        } else {
            v->reason = info->seen > 0 ? VD_SFM_FEW_POINTS : nature;
            v->inliers = info->seen;
            v->of = m->in->image[i].n;
        }
    }
}

static int by_size(const void *a, const void *b) {
    const vd_sfm_model *p = a, *q = b;
    if (p->n_images != q->n_images) return p->n_images > q->n_images ? -1 : 1;
    return (p->image[0] > q->image[0]) - (p->image[0] < q->image[0]);
}

static void largest_first(vd_sfm_result *out) {
    if (out->n_models > 1) qsort(out->model, (size_t)out->n_models, sizeof *out->model, by_size);
    for (int32_t k = 0; k < out->n_models; k++)
        for (int32_t i = 0; i < out->model[k].n_images; i++)
            out->verdict[out->model[k].image[i]].model = k;
}

/* What images saw of the models that did not take them. */
static void remember_seen(vd_mapper *m) {
    for (int32_t i = 0; i < m->in->n_images; i++)
        if (m->info[i].state == VD_IMAGE_FREE)
            m->info[i].seen = VD_MAX(m->info[i].seen, m->spread[i].visible);
}

static vd_status run(vd_sfm_result *out, vd_mapper *m, const vd_mapper_plan *plan, vd_err *err) {
    int64_t cap = 0;
    int failures = 0;
    while (out->n_models < m->opt.most_models && failures < MOST_FAILURES) {
        bool found;
        VD_TRY(plan->start(m, plan->user, &found, err));
        if (!found) break;
        VD_TRY(grow(m, err));
        remember_seen(m);
        if (m->n_registered >= m->opt.least_images) {
            VD_TRY(vd_mapper_to_positions(m, err));
            VD_TRY(keep_new(out, m, &cap, err));
            failures = 0;
        } else {
            reject(out, m);
            failures++;
        }
        vd_mapper_begin(m);
    }
    VD_TRY(join_models(out, m, err));
    explain(out, m);
    largest_first(out);
    return VD_OK;
}

vd_status vd_mapper_run(vd_sfm_result *out, const vd_sfm_input *in, const vd_mapper_plan *plan,
                        const vd_sfm_opt *opt, vd_sfm_stats *stats, vd_pool *pool, vd_err *err) {
    vd_status st = VD_OK;
    vd_mapper m = { 0 };
    vd_sfm_result r = { .n_images = in->n_images };
    double begun = vd_time_mono_s();
    VD_GO(vd_mapper_init(&m, in, plan->only, opt, pool, err));
    m.stats.tracks_s = vd_time_mono_s() - begun;
    r.verdict = vd_mem_array((size_t)in->n_images, sizeof *r.verdict);
    if (r.verdict == NULL) VD_GO(vd_nomem(err));
    for (int32_t i = 0; i < in->n_images; i++)
        r.verdict[i] = (vd_sfm_verdict){ .reason = VD_SFM_NO_START, .model = -1, .best = -1 };
    VD_GO(run(&r, &m, plan, err));
    m.stats.total_s = vd_time_mono_s() - begun;
    if (stats != NULL) *stats = m.stats;
    *out = r;
    r = (vd_sfm_result){ 0 };
done:
    vd_mapper_reset(&m);
    vd_sfm_result_reset(&r);
    return st;
}

static vd_status start_of_two(vd_mapper *m, void *user, bool *found, vd_err *err) {
    (void)user;
    return vd_mapper_start(m, found, err);
}

vd_status vd_sfm_incremental(vd_sfm_result *out, const vd_sfm_input *in, const vd_sfm_opt *opt,
                             vd_sfm_stats *stats, vd_pool *pool, vd_err *err) {
    const vd_mapper_plan plan = { .start = start_of_two };
    return vd_mapper_run(out, in, &plan, opt, stats, pool, err);
}
