/* Precision and recall out of hits and false alarms. SPDX-License-Identifier: Apache-2.0
 *
 * Recall changes at hits only, and precision falls from one hit to the next; so the best precision
 * from a recall on is that of one of the later hits, and the curve needs the hits alone, each with
 * the number of false alarms before it. Most predictions overlap nothing and are false alarms at
 * every threshold: one counter serves for all of them. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "eval/detect_int.h"
#include "eval/sum.h"

/* numpy.spacing(1): COCOeval keeps 0 / 0 away with it, and figures bear its trace. */
static const double SPACING = 0x1p-52;

typedef struct event {
    int64_t misses; /* false alarms before this hit */
    int64_t at;     /* index of the prediction */
} event;

typedef struct scratch {
    event *event;                       /* [threshold][number of the hit] */
    double *precision, *score, *recall; /* of one category: [T, R, A, M], recall [T, A, M] */
    int64_t *needed;                    /* hits for each recall */
    int64_t cap_event;
} scratch;

typedef struct job {
    const vd_detect_hits *hits;
    const vd_detect_rules *rules;
    vd_detect_curves *out;
    scratch *scratch;
} job;

/* The least number of hits that has recall r; 0: the first prediction will do. */
static void needed(int64_t *out, const vd_detect_rules *rules, int64_t positives) {
    int64_t hits = 1;
    for (int r = 0; r < rules->n_recalls; r++) {
        out[r] = 0;
        if (!(rules->recall[r] > 0)) continue;
        while (hits <= positives && (double)hits / (double)positives < rules->recall[r]) hits++;
        out[r] = hits;
    }
}

/* Collects the hits of each threshold; the index of the first prediction that counts, or -1. */
static int64_t collect(scratch *w, int64_t found[VD_DETECT_THRESHOLDS], const vd_detect_hit *hit,
                       int64_t n, int a, int32_t cap, int64_t stride, int n_thresholds) {
    int64_t miss[VD_DETECT_THRESHOLDS] = { 0 }, miss_all = 0, first = -1;
    unsigned all = (1u << n_thresholds) - 1;
    memset(found, 0, VD_DETECT_THRESHOLDS * sizeof *found);
    for (int64_t i = 0; i < n; i++) {
        if (hit[i].rank >= cap) continue;
        if (first < 0) first = i;
        unsigned m = hit[i].miss[a];
        if (m == all) {
            miss_all++;
            continue;
        }
        for (; m != 0; m &= m - 1) miss[__builtin_ctz(m)]++;
        for (unsigned h = hit[i].hit[a]; h != 0; h &= h - 1) {
            int t = __builtin_ctz(h);
            w->event[t * stride + found[t]++] = (event){ miss_all + miss[t], i };
        }
    }
    return first;
}

static double precision_at(const event *e, int64_t hits, double spacing) {
    double tp = (double)hits, fp = (double)e->misses;
    return tp / (fp + tp + spacing);
}

/* Fills [r * step] of one threshold. */
static void read_curve(double *precision, double *score, int64_t step, const event *e,
                       int64_t found, int64_t first, const vd_detect_hit *hit, const int64_t *need,
                       const vd_detect_rules *rules) {
    double best = 0, spacing = rules->metric >= VD_DETECT_VOC ? 0 : SPACING;
    int64_t left = found;
    for (int r = rules->n_recalls - 1; r >= 0; r--) {
        bool reached = first >= 0 && need[r] <= found;
        for (; reached && left >= VD_MAX(need[r], 1); left--)
            best = VD_MAX(best, precision_at(&e[left - 1], left, spacing));
        precision[r * step] = reached ? best : 0;
        score[r * step] = !reached       ? 0
                          : need[r] == 0 ? hit[first].score
                                         : hit[e[need[r] - 1].at].score;
    }
}

/* VOC: the area below the curve of the best precision from each recall on. */
static double area_below(const event *e, int64_t found, int64_t positives) {
    double best = 0, area = 0;
    for (int64_t h = found; h > 0; h--) {
        best = VD_MAX(best, precision_at(&e[h - 1], h, 0));
        area += best / (double)positives;
    }
    return area;
}

/* One range of areas and cap of one category. */
static void one_curve(const job *j, scratch *w, int64_t k, int a, int m) {
    const vd_detect_rules *rules = j->rules;
    const vd_detect_hit *hit = j->hits->hit + j->hits->begin[k];
    int64_t n = j->hits->begin[k + 1] - j->hits->begin[k];
    int64_t positives = j->hits->positives[k * rules->n_areas + a], found[VD_DETECT_THRESHOLDS];
    int64_t step = rules->n_areas * rules->n_caps, at = a * rules->n_caps + m;
    if (positives == 0) return;
    int64_t first = collect(w, found, hit, n, a, rules->cap[m], positives, rules->n_thresholds);
    needed(w->needed, rules, positives);
    for (int t = 0; t < rules->n_thresholds; t++) {
        const event *e = w->event + t * positives;
        int64_t row = t * rules->n_recalls * step + at;
        w->recall[t * step + at] = (double)found[t] / (double)positives;
        if (rules->metric == VD_DETECT_VOC) {
            w->precision[row] = area_below(e, found[t], positives);
            w->score[row] = first >= 0 ? hit[first].score : 0;
        } else {
            read_curve(w->precision + row, w->score + row, step, e, found[t], first, hit, w->needed,
                       rules);
        }
    }
}

/* Whether a cap leaves out what the next lower one leaves out, too: then their curves are one. */
static bool same_as_lower(const job *j, int64_t k, int m) {
    if (m == 0) return false;
    for (int64_t i = j->hits->begin[k]; i < j->hits->begin[k + 1]; i++)
        if (j->hits->hit[i].rank >= j->rules->cap[m - 1]) return false;
    return true;
}

static void copy_lower(const job *j, scratch *w, int m) {
    const vd_detect_rules *rules = j->rules;
    int64_t rows = rules->n_thresholds * rules->n_recalls, step = rules->n_areas * rules->n_caps;
    for (int a = 0; a < rules->n_areas; a++) {
        int64_t to = a * rules->n_caps + m;
        for (int64_t i = 0; i < rows; i++) {
            w->precision[i * step + to] = w->precision[i * step + to - 1];
            w->score[i * step + to] = w->score[i * step + to - 1];
        }
        for (int t = 0; t < rules->n_thresholds; t++)
            w->recall[t * step + to] = w->recall[t * step + to - 1];
    }
}

/* Curves of a category are made side by side and copied out row by row: in the arrays they lie far
 * apart. */
static vd_status category_curves(void *user, int64_t k, int worker, vd_err *err) {
    const job *j = user;
    scratch *w = &j->scratch[worker];
    const vd_detect_rules *rules = j->rules;
    int64_t most = 0, step = rules->n_areas * rules->n_caps,
            rows = rules->n_thresholds * rules->n_recalls;
    for (int a = 0; a < rules->n_areas; a++)
        most = VD_MAX(most, j->hits->positives[k * rules->n_areas + a]);
    VD_TRY(VD_GROW(w->event, w->cap_event, most * rules->n_thresholds, err));
    for (int64_t i = 0; i < rows * step; i++) w->precision[i] = w->score[i] = -1;
    for (int64_t i = 0; i < rules->n_thresholds * step; i++) w->recall[i] = -1;
    for (int m = 0; m < rules->n_caps; m++) {
        if (same_as_lower(j, k, m))
            copy_lower(j, w, m);
        else
            for (int a = 0; a < rules->n_areas; a++) one_curve(j, w, k, a, m);
    }
    size_t bytes = (size_t)step * sizeof(double);
    int64_t n_k = j->out->n_categories;
    for (int64_t i = 0; i < rows; i++) {
        memcpy(j->out->precision + (i * n_k + k) * step, w->precision + i * step, bytes);
        memcpy(j->out->score + (i * n_k + k) * step, w->score + i * step, bytes);
    }
    for (int64_t t = 0; t < rules->n_thresholds; t++)
        memcpy(j->out->recall + (t * n_k + k) * step, w->recall + t * step, bytes);
    return VD_OK;
}

static vd_status make(job *j, int jobs, vd_pool *pool, vd_err *err) {
    const vd_detect_rules *rules = j->rules;
    size_t step = (size_t)(rules->n_areas * rules->n_caps);
    size_t curve = (size_t)(rules->n_thresholds * rules->n_recalls) * step,
           recall = (size_t)rules->n_thresholds * step, n = (size_t)j->out->n_categories;
    j->out->precision = vd_mem_alloc(curve * n * sizeof(double));
    j->out->score = vd_mem_alloc(curve * n * sizeof(double));
    j->out->recall = vd_mem_alloc(recall * n * sizeof(double));
    j->scratch = vd_mem_array((size_t)jobs, sizeof *j->scratch);
    if (j->out->precision == NULL || j->out->score == NULL || j->out->recall == NULL ||
        j->scratch == NULL)
        return vd_nomem(err);
    for (int i = 0; i < jobs; i++) {
        scratch *w = &j->scratch[i];
        w->precision = vd_mem_array(curve, sizeof(double));
        w->score = vd_mem_array(curve, sizeof(double));
        w->recall = vd_mem_array(recall, sizeof(double));
        w->needed = vd_mem_array((size_t)rules->n_recalls, sizeof *w->needed);
        if (w->precision == NULL || w->score == NULL || w->recall == NULL || w->needed == NULL)
            return vd_nomem(err);
    }
    return vd_pool_for(pool, j->out->n_categories, category_curves, j, err);
}

vd_status vd_detect_curves_make(vd_detect_curves *out, const vd_detect_hits *hits,
                                const vd_detect_rules *rules, vd_pool *pool, vd_err *err) {
    vd_detect_curves c = { .n_categories = hits->n_categories };
    job j = { hits, rules, &c, NULL };
    int jobs = pool != NULL ? vd_pool_jobs(pool) : 1;
    vd_status st = make(&j, jobs, pool, err);
    for (int i = 0; j.scratch != NULL && i < jobs; i++) {
        vd_mem_free(j.scratch[i].event);
        vd_mem_free(j.scratch[i].precision);
        vd_mem_free(j.scratch[i].score);
        vd_mem_free(j.scratch[i].recall);
        vd_mem_free(j.scratch[i].needed);
    }
    vd_mem_free(j.scratch);
    if (st == VD_OK)
        *out = c;
    else
        vd_detect_curves_reset(&c);
    return st;
}

/* ---- headline numbers ---- */

enum { AT_50 = 0, AT_75 = 5 };

static const char *const box_names[] = { "AP",  "AP50", "AP75",  "APs", "APm", "APl",
                                         "AR1", "AR10", "AR100", "ARs", "ARm", "ARl" };
static const vd_detect_number box_numbers[] = {
    { false, -1, 0, 2, 0 }, { false, AT_50, 0, 2, 0 }, { false, AT_75, 0, 2, 0 },
    { false, -1, 1, 2, 0 }, { false, -1, 2, 2, 0 },    { false, -1, 3, 2, 0 },
    { true, -1, 0, 0, 0 },  { true, -1, 0, 1, 0 },     { true, -1, 0, 2, 0 },
    { true, -1, 1, 2, 0 },  { true, -1, 2, 2, 0 },     { true, -1, 3, 2, 0 },
};
static const char *const keypoint_names[] = { "AP", "AP50", "AP75", "APm", "APl",
                                              "AR", "AR50", "AR75", "ARm", "ARl" };
static const vd_detect_number keypoint_numbers[] = {
    { false, -1, 0, 0, 0 },   { false, AT_50, 0, 0, 0 }, { false, AT_75, 0, 0, 0 },
    { false, -1, 1, 0, 0 },   { false, -1, 2, 0, 0 },    { true, -1, 0, 0, 0 },
    { true, AT_50, 0, 0, 0 }, { true, AT_75, 0, 0, 0 },  { true, -1, 1, 0, 0 },
    { true, -1, 2, 0, 0 },
};
static const char *const lvis_names[] = { "AP",  "AP50", "AP75",  "APs", "APm", "APl", "APr",
                                          "APc", "APf",  "AR300", "ARs", "ARm", "ARl" };
static const vd_detect_number lvis_numbers[] = {
    { false, -1, 0, 0, 0 },   { false, AT_50, 0, 0, 0 }, { false, AT_75, 0, 0, 0 },
    { false, -1, 1, 0, 0 },   { false, -1, 2, 0, 0 },    { false, -1, 3, 0, 0 },
    { false, -1, 0, 0, 'r' }, { false, -1, 0, 0, 'c' },  { false, -1, 0, 0, 'f' },
    { true, -1, 0, 0, 0 },    { true, -1, 1, 0, 0 },     { true, -1, 2, 0, 0 },
    { true, -1, 3, 0, 0 },
};
static const char *const voc_names[] = { "AP50", "AR50" };
static const vd_detect_number voc_numbers[] = { { false, -1, 0, 0, 0 }, { true, -1, 0, 0, 0 } };

static int numbers_of(const vd_detect_rules *rules, const char *const **names,
                      const vd_detect_number **numbers) {
    if (rules->metric >= VD_DETECT_VOC) {
        *names = voc_names;
        *numbers = voc_numbers;
        return VD_COUNT(voc_numbers);
    }
    if (rules->metric == VD_DETECT_LVIS) {
        *names = lvis_names;
        *numbers = lvis_numbers;
        return VD_COUNT(lvis_numbers);
    }
    bool keypoints = rules->type == VD_DETECT_KEYPOINTS;
    *names = keypoints ? keypoint_names : box_names;
    *numbers = keypoints ? keypoint_numbers : box_numbers;
    return keypoints ? VD_COUNT(keypoint_numbers) : VD_COUNT(box_numbers);
}

int vd_detect_numbers(const vd_detect_rules *rules, const char *const **names) {
    const vd_detect_number *numbers;
    return numbers_of(rules, names, &numbers);
}

int vd_detect__numbers(const vd_detect_rules *rules, const vd_detect_number **out) {
    const char *const *names;
    return numbers_of(rules, &names, out);
}

/* NumPy's mean of what is above -1, in the order of the array. */
static double mean_of(const vd_detect_number *what, const vd_detect_curves *c,
                      const vd_detect_rules *rules, const vd_detect_category *category,
                      int64_t first, int64_t n_k, double *value) {
    int64_t n = 0, step = rules->n_areas * rules->n_caps,
            at = what->area * rules->n_caps + what->cap;
    int rows = what->recall ? 1 : rules->n_recalls;
    const double *array = what->recall ? c->recall : c->precision;
    for (int t = 0; t < rules->n_thresholds; t++) {
        if (what->threshold >= 0 && t != what->threshold) continue;
        for (int64_t r = 0; r < rows; r++)
            for (int64_t k = first; k < first + n_k; k++) {
                if (what->frequency != 0 &&
                    (category == NULL || category[k].frequency != what->frequency))
                    continue;
                double v = array[((t * rows + r) * c->n_categories + k) * step + at];
                if (v > -1) value[n++] = v;
            }
    }
    return n > 0 ? vd_sum_pairwise(value, n) / (double)n : -1;
}

vd_status vd_detect_summarise(double out[VD_DETECT_NUMBERS], const vd_detect_curves *curves,
                              const vd_detect_rules *rules, const vd_detect_category *categories,
                              int64_t first, int64_t n, vd_err *err) {
    const char *const *names;
    const vd_detect_number *numbers;
    int count = numbers_of(rules, &names, &numbers);
    size_t most = (size_t)(rules->n_thresholds * rules->n_recalls) * (size_t)n;
    double *value = vd_mem_alloc(most * sizeof *value);
    if (value == NULL) return vd_nomem(err);
    for (int i = 0; i < count; i++)
        out[i] = mean_of(&numbers[i], curves, rules, categories, first, n, value);
    vd_mem_free(value);
    return VD_OK;
}
