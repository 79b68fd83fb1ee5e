/* What each benchmark counts, the sets' memory, and parts of them. SPDX-License-Identifier:
 * Apache-2.0 */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "eval/detect.h"

static const double SMALL_PX2 = 32 * 32, MEDIUM_PX2 = 96 * 96, HUGE_PX2 = 1e5 * 1e5;
enum { NO_CAP = INT32_MAX };

/* numpy.linspace: the last value is set, those before are multiples of the rounded step. */
static void linspace(double *out, int n, double first, double last) {
    double step = (last - first) / (n - 1);
    for (int i = 0; i < n; i++) out[i] = i * step + first;
    out[n - 1] = last;
}

/* Keypoints of COCO: nose, eyes, ears, shoulders, elbows, wrists, hips, knees, ankles. */
static void coco_sigmas(vd_detect_rules *r) {
    static const double tenths[] = { .26, .25, .25,  .35,  .35, .79, .79, .72, .72,
                                     .62, .62, 1.07, 1.07, .87, .87, .89, .89 };
    r->n_keypoints = VD_COUNT(tenths);
    for (int i = 0; i < r->n_keypoints; i++) r->sigma[i] = tenths[i] / 10.0;
}

static void areas(vd_detect_rules *r, bool small) {
    const double range[][2] = {
        { 0, HUGE_PX2 }, { 0, SMALL_PX2 }, { SMALL_PX2, MEDIUM_PX2 }, { MEDIUM_PX2, HUGE_PX2 }
    };
    for (int i = 0; i < VD_COUNT(range); i++) {
        if (i == 1 && !small) continue;
        r->area[r->n_areas][0] = range[i][0];
        r->area[r->n_areas++][1] = range[i][1];
    }
}

void vd_detect_rules_init(vd_detect_rules *out, vd_detect_metric metric, vd_detect_type type) {
    vd_detect_rules r = { .metric = metric, .type = type, .n_caps = 1 };
    bool voc = metric == VD_DETECT_VOC || metric == VD_DETECT_VOC07;
    coco_sigmas(&r);
    r.cap[0] = NO_CAP;
    if (voc) {
        r.n_thresholds = 1;
        r.threshold[0] = .5;
        r.n_areas = 1;
        r.area[0][1] = INFINITY;
        r.n_recalls = metric == VD_DETECT_VOC ? 1 : 11;
        if (r.n_recalls > 1) linspace(r.recall, r.n_recalls, 0, 1);
        *out = r;
        return;
    }
    r.n_thresholds = VD_DETECT_THRESHOLDS;
    linspace(r.threshold, r.n_thresholds, .5, .95);
    r.n_recalls = VD_DETECT_RECALLS;
    linspace(r.recall, r.n_recalls, 0, 1);
    areas(&r, type != VD_DETECT_KEYPOINTS);
    if (metric == VD_DETECT_COCO && type == VD_DETECT_KEYPOINTS) {
        r.cap[0] = 20;
    } else if (metric == VD_DETECT_COCO) {
        r.n_caps = 3;
        r.cap[0] = 1;
        r.cap[1] = 10;
        r.cap[2] = 100;
    }
    *out = r;
}

void vd_detect_set_reset(vd_detect_set *s) {
    vd_mem_free(s->object);
    vd_mem_free(s->number);
    vd_mem_free(s->text);
    *s = (vd_detect_set){ 0 };
}

void vd_detect_truth_reset(vd_detect_truth *t) {
    for (int64_t i = 0; i < t->n_categories; i++) vd_mem_free(t->category[i].name);
    vd_mem_free(t->image);
    vd_mem_free(t->category);
    vd_mem_free(t->list);
    vd_mem_free(t->names);
    vd_detect_set_reset(&t->objects);
    *t = (vd_detect_truth){ 0 };
}

void vd_detect_hits_reset(vd_detect_hits *h) {
    vd_mem_free(h->hit);
    vd_mem_free(h->begin);
    vd_mem_free(h->positives);
    vd_mem_free(h->positive);
    *h = (vd_detect_hits){ 0 };
}

void vd_detect_curves_reset(vd_detect_curves *c) {
    vd_mem_free(c->precision);
    vd_mem_free(c->score);
    vd_mem_free(c->recall);
    *c = (vd_detect_curves){ 0 };
}

vd_status vd_detect_hits_part(vd_detect_hits *out, const vd_detect_hits *hits,
                              const int32_t *picture, int64_t n_pictures,
                              const vd_detect_rules *rules, vd_err *err) {
    int64_t n_k = hits->n_categories, n = 0;
    vd_detect_hits h = { .n_images = n_pictures, .n_categories = n_k };
    h.hit = vd_mem_alloc((size_t)hits->begin[n_k] * sizeof *h.hit);
    h.begin = vd_mem_array((size_t)n_k + 1, sizeof *h.begin);
    h.positives = vd_mem_array((size_t)n_k * (size_t)rules->n_areas, sizeof *h.positives);
    h.positive = vd_mem_alloc((size_t)hits->n_positive * sizeof *h.positive);
    if (h.hit == NULL || h.begin == NULL || h.positives == NULL || h.positive == NULL) {
        vd_detect_hits_reset(&h);
        return vd_nomem(err);
    }
    for (int64_t k = 0; k < n_k; k++) {
        for (int64_t i = hits->begin[k]; i < hits->begin[k + 1]; i++) {
            if (picture[hits->hit[i].image] < 0) continue;
            h.hit[n] = hits->hit[i];
            h.hit[n].image = picture[hits->hit[i].image];
            n++;
        }
        h.begin[k + 1] = n;
    }
    for (int64_t i = 0; i < hits->n_positive; i++) {
        vd_detect_positive p = hits->positive[i];
        if (picture[p.image] < 0) continue;
        p.image = picture[p.image];
        for (int a = 0; a < rules->n_areas; a++)
            h.positives[p.category * rules->n_areas + a] += p.areas >> a & 1;
        h.positive[h.n_positive++] = p;
    }
    *out = h;
    return VD_OK;
}
