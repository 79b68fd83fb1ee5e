/* eval detection --keep: what the catalog and the report get. SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "eval/detect_verdict.h"
#include "judge/detection.h"

enum { MOST_CURVES = 100, MOST_CELLS = 20000, LINES = 3 };

/* ---- classes ---- */

static vd_status classes_json(vd_str *out, const vd_detection *w, vd_err *err) {
    const vd_detect_hits *h = &w->hits[0];
    vd_str_add(out, ",\n\"class_figures\": [");
    for (int i = 0; i < w->figures.n; i++)
        vd_str_addf(out, "%s\"%s\"", i > 0 ? ", " : "", w->figures.name[i]);
    vd_str_add(out, "],\n\"classes\": [");
    for (int64_t k = 0; k < w->truth.n_categories; k++) {
        double number[VD_DETECT_NUMBERS];
        VD_TRY(vd_detect_summarise(number, &w->curves[0], &w->rules, w->truth.category, k, 1, err));
        vd_str_add(out, k > 0 ? ",\n{\"name\": " : "{\"name\": ");
        vd_str_json(out, w->truth.category[k].name);
        vd_str_addf(out, ", \"truths\": %lld, \"predictions\": %lld, \"figures\": [",
                    (long long)h->positives[k * w->rules.n_areas],
                    (long long)(h->begin[k + 1] - h->begin[k]));
        for (int i = 0; i < w->figures.n; i++) {
            if (i > 0) vd_str_addc(out, ',');
            vd_str_addf(out, "%.6g", number[i]);
        }
        vd_str_add(out, "]}");
    }
    vd_str_addc(out, ']');
    return VD_OK;
}

/* ---- curves ---- */

typedef struct line {
    const char *name;
    int threshold; /* index; -1: the mean of all */
} line;
static const line lines[LINES] = { { "mean", -1 }, { "0.5", 0 }, { "0.75", 5 } };

/* Precision at recall r, over sizes of all kinds and below the highest cap; -1: none. */
static double precision_at(const vd_detection *w, int t, int r, int64_t k) {
    const vd_detect_rules *u = &w->rules;
    int64_t step = u->n_areas * u->n_caps;
    return w->curves[0]
        .precision[(((int64_t)t * u->n_recalls + r) * w->truth.n_categories + k) * step +
                   u->n_caps - 1];
}

/* In thousandths, as the page draws them; the mean of classes first .. first + n - 1. */
static void line_json(vd_str *out, const vd_detection *w, const line *l, int64_t first, int64_t n) {
    for (int r = 0; r < w->rules.n_recalls; r++) {
        double sum = 0;
        int64_t found = 0;
        for (int t = 0; t < w->rules.n_thresholds; t++)
            for (int64_t k = first; k < first + n; k++) {
                double p = precision_at(w, t, r, k);
                if ((l->threshold >= 0 && t != l->threshold) || p < 0) continue;
                sum += p;
                found++;
            }
        vd_str_addf(out, "%s%d", r > 0 ? "," : "[",
                    found > 0 ? (int)lround(1000 * sum / (double)found) : -1);
    }
    vd_str_addc(out, ']');
}

static void curve_json(vd_str *out, const vd_detection *w, int64_t first, int64_t n) {
    int m = w->rules.n_thresholds > 1 ? LINES : 1;
    for (int i = 0; i < m; i++) {
        vd_str_addc(out, i > 0 ? ',' : '[');
        line_json(out, w, &lines[m > 1 ? i : 1], first, n);
    }
    vd_str_addc(out, ']');
}

typedef struct weighed {
    int64_t class, truths;
} weighed;

static int by_truths(const void *a, const void *b) {
    const weighed *p = a, *q = b;
    if (p->truths != q->truths) return p->truths < q->truths ? 1 : -1;
    return (p->class > q->class) - (p->class < q->class);
}

/* Curves of the classes with most objects. */
static vd_status curves_json(vd_str *out, const vd_detection *w, vd_err *err) {
    int64_t n_k = w->truth.n_categories;
    if (w->rules.n_recalls < 2) return VD_OK; /* VOC's area has none */
    weighed *v = vd_mem_array((size_t)n_k, sizeof *v);
    if (v == NULL) return vd_nomem(err);
    for (int64_t k = 0; k < n_k; k++)
        v[k] = (weighed){ k, w->hits[0].positives[k * w->rules.n_areas] };
    if (n_k > 1) qsort(v, (size_t)n_k, sizeof *v, by_truths);
    vd_str_addf(out, ",\n\"curves\": {\"lines\": %s, \"all\": ",
                w->rules.n_thresholds > 1 ? "[\"mean\", \"0.5\", \"0.75\"]" : "[\"0.5\"]");
    curve_json(out, w, 0, n_k);
    vd_str_add(out, ", \"classes\": {");
    for (int64_t i = 0; i < VD_MIN(n_k, MOST_CURVES) && v[i].truths > 0; i++) {
        vd_str_addf(out, "%s\"%lld\": ", i > 0 ? ",\n" : "", (long long)v[i].class);
        curve_json(out, w, v[i].class, 1);
    }
    vd_str_add(out, "}}");
    vd_mem_free(v);
    return VD_OK;
}

/* ---- confusions ---- */

static vd_status confusion_json(vd_str *out, const vd_detection *w, const vd_detect_verdicts *v,
                                double least_score, vd_err *err) {
    vd_detect_cell *cell = NULL;
    int64_t n = 0, least = 1, there = INT64_MAX;
    VD_TRY(vd_detect_confusion(&cell, &n, v, &w->truth, &w->set[0], err));
    for (; there > MOST_CELLS; least += there > MOST_CELLS) {
        there = 0;
        for (int64_t i = 0; i < n; i++) there += cell[i].count >= least;
    }
    vd_str_add(out, ",\n\"confusion\": {\"least_score\": ");
    vd_str_json_num(out, least_score);
    vd_str_addf(out, ", \"least_count\": %lld, \"cells\": [", (long long)least);
    for (int64_t i = 0, first = 1; i < n; i++) {
        if (cell[i].count < least) continue;
        vd_str_addf(out, "%s[%d,%d,%lld]", first ? "" : ",", cell[i].truth, cell[i].predicted,
                    (long long)cell[i].count);
        first = 0;
    }
    vd_str_add(out, "]}");
    vd_mem_free(cell);
    return VD_OK;
}

static void point_json(vd_str *out, const vd_detect_point *p) {
    const char *const name[] = { "score", "precision", "recall", "f1" };
    const double value[] = { p->score, p->precision, p->recall, p->f1 };
    vd_str_add(out, ",\n\"best\": {");
    for (int i = 0; i < VD_COUNT(name); i++) {
        vd_str_addf(out, "%s\"%s\": ", i > 0 ? ", " : "", name[i]);
        vd_str_json_num(out, value[i]);
    }
    vd_str_addc(out, '}');
}

static vd_status result_json(vd_str *out, const vd_detection *w, const vd_detect_verdicts *v,
                             const vd_detect_point *best, double least_score, vd_err *err) {
    VD_TRY(vd_judge_json(out, &w->figures, err));
    point_json(out, best);
    VD_TRY(classes_json(out, w, err));
    VD_TRY(curves_json(out, w, err));
    VD_TRY(confusion_json(out, w, v, least_score, err));
    vd_str_addf(out, ",\n\"slices\": [%s]}", vd_str_text(&w->slices));
    return vd_str_check(out, err);
}

/* ---- rows ---- */

static const char *class_name(const vd_detection *w, int64_t k) {
    return k >= 0 ? w->truth.category[k].name : NULL;
}

static vd_status add_row(vd_evaluation_rows *rows, const vd_detection *w, const char *image,
                         const vd_match_asset *asset, const vd_detect_verdict *v, vd_err *err) {
    const vd_detect_object *p = v->prediction >= 0 ? &w->set[0].object[v->prediction] : NULL;
    const vd_detect_object *t = v->object >= 0 ? &w->truth.objects.object[v->object] : NULL;
    const vd_detect_image *m = &w->truth.image[v->image];
    double box[4];
    const vd_evaluation_match row = {
        .asset = w->data.asset[v->image],
        .image = image,
        .verdict = vd_outcome_name[v->verdict],
        .truth_class = class_name(w, t != NULL ? t->category : -1),
        .predicted_class = class_name(w, p != NULL ? p->category : v->taken),
        .iou = p != NULL ? v->overlap : (double)NAN,
        .score = p != NULL ? p->score : (double)NAN,
        .box = box,
    };
    VD_TRY(vd_judge_upright(box, p != NULL ? p->box : t->box, asset, m->width, m->height, err));
    return vd_evaluation_add_match(rows, &row, err);
}

static void count_row(vd_evaluation_picture *p, const vd_detect_verdict *v,
                      const vd_detect_set *set) {
    p->hits += v->verdict == VD_HIT;
    if (v->verdict == VD_MISS) {
        p->misses++;
        p->harm += 1;
    } else if (v->verdict == VD_FALSE_ALARM || v->verdict == VD_CONFUSED) {
        p->false_alarms++;
        p->harm += VD_CLAMP(set->object[v->prediction].score, 0, 1);
    }
}

/* The rows of every picture of the truth, and its counts if it is an asset. */
static vd_status add_rows(vd_evaluation_rows *rows, vd_opcall *c, const vd_detection *w,
                          const vd_detect_verdicts *v, vd_err *err) {
    int64_t at = 0;
    for (int64_t i = 0; i < w->truth.n_images; i++) {
        const char *image = vd_detect_image_name(&w->truth, i);
        const vd_match_asset *asset = vd_judge_asset(&w->data, w->data.asset[i]);
        vd_evaluation_picture p = { .asset = w->data.asset[i] };
        for (; at < v->n && v->row[at].image == i; at++) {
            VD_TRY(add_row(rows, w, image != NULL ? image : "", asset, &v->row[at], err));
            count_row(&p, &v->row[at], &w->set[0]);
        }
        if (p.asset > 0) VD_TRY(vd_evaluation_add_picture(rows, &p, err));
        if (c->on_cancel != NULL && c->on_cancel(c->user))
            return vd_fail(err, VD_E_CANCEL, "eval detection: stopped");
    }
    return VD_OK;
}

static vd_status parse_confidence(double *out, const char *text, const vd_detect_point *best,
                                  vd_err *err) {
    char *end = NULL;
    *out = text == NULL ? -INFINITY : best->score;
    if (text == NULL || strcmp(text, "best") == 0) return VD_OK;
    errno = 0;
    *out = strtod(text, &end);
    return end != text && *end == '\0' && errno == 0 && isfinite(*out)
               ? VD_OK
               : vd_fail(err, VD_E_ARG,
                         "eval detection: --confidence '%.60s' is neither a score nor 'best'",
                         text);
}

vd_status vd_detection_keep(vd_opcall *c, const vd_detection *w, vd_err *err) {
    vd_status st = VD_OK;
    vd_detect_point best;
    vd_detect_verdicts v = { 0 };
    vd_judge_keep keep = { 0 };
    vd_str result = { 0 };
    double least = 0;
    VD_GO(vd_detect_best_point(&best, &w->hits[0], &w->rules, err));
    VD_GO(parse_confidence(&least, vd_arg_text(c, "confidence"), &best, err));
    VD_GO(vd_detect_verdicts_make(&v, &w->truth, &w->set[0], &w->hits[0], &w->rules, least, w->pool,
                                  err));
    VD_GO(result_json(&result, w, &v, &best, least, err));
    st = vd_judge_keep_begin(&keep, c, "detection", result.data, err);
    if (st == VD_OK) st = add_rows(keep.rows, c, w, &v, err);
    st = vd_judge_keep_end(&keep, c, st, err);
done:
    vd_detect_verdicts_reset(&v);
    vd_str_reset(&result);
    return st;
}
