/* eval classification --keep: what the catalog and the report get. SPDX-License-Identifier:
 * Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "judge/classification.h"

enum { MOST_CLASSES = 20000, NUMBER = 24 };

/* A class's name; where classes are numbers, it is written to `number`. */
static const char *class_name(const vd_class_items *c, int64_t k, char number[NUMBER]) {
    if (k < 0) return NULL;
    if (c->name != NULL) return c->name[k];
    snprintf(number, NUMBER, "%lld", (long long)k);
    return number;
}

static void share_json(vd_str *out, int64_t a, int64_t b) {
    vd_str_json_num(out, b > 0 ? (double)a / (double)b : (double)NAN);
}

static void classes_json(vd_str *out, const vd_classification *w) {
    vd_str_add(out, ",\n\"class_figures\": [\"f1\", \"precision\", \"recall\"],\n\"classes\": [");
    for (int64_t k = 0; k < w->items.n_classes; k++) {
        const vd_class_tally *t = &w->tally[k];
        char number[NUMBER];
        vd_str_add(out, k > 0 ? ",\n{\"name\": " : "{\"name\": ");
        vd_str_json(out, class_name(&w->items, k, number));
        vd_str_addf(out, ", \"truths\": %lld, \"predictions\": %lld, \"figures\": [",
                    (long long)t->support, (long long)t->guessed);
        share_json(out, 2 * t->hits, t->support + t->guessed);
        vd_str_add(out, ", ");
        share_json(out, t->hits, t->guessed);
        vd_str_add(out, ", ");
        share_json(out, t->hits, t->support);
        vd_str_add(out, "]}");
    }
    vd_str_addc(out, ']');
}

static int by_classes(const void *a, const void *b) {
    const vd_class_item *p = a, *q = b;
    if (p->truth != q->truth) return p->truth < q->truth ? -1 : 1;
    return (p->guess > q->guess) - (p->guess < q->guess);
}

/* Cells that are not 0; a guess of -1: there is none. */
static vd_status confusion_json(vd_str *out, const vd_class_items *c, vd_err *err) {
    vd_class_item *v = vd_mem_array((size_t)c->n, sizeof *v);
    if (v == NULL) return vd_nomem(err);
    for (int64_t i = 0; i < c->n; i++) v[i] = c->item[i];
    if (c->n > 1) qsort(v, (size_t)c->n, sizeof *v, by_classes);
    vd_str_add(out, ",\n\"confusion\": {\"cells\": [");
    for (int64_t i = 0, end = 0; i < c->n; i = end) {
        while (end < c->n && by_classes(&v[i], &v[end]) == 0) end++;
        vd_str_addf(out, "%s[%d,%d,%lld]", i > 0 ? "," : "", v[i].truth, v[i].guess,
                    (long long)(end - i));
    }
    vd_str_add(out, "]}");
    vd_mem_free(v);
    return VD_OK;
}

static vd_status add_rows(vd_evaluation_rows *rows, const vd_classification *w, vd_err *err) {
    for (int64_t i = 0; i < w->items.n; i++) {
        const vd_class_item *item = &w->items.item[i];
        char truth[NUMBER], guess[NUMBER];
        bool hit = item->guess == item->truth;
        const vd_evaluation_match row = { .asset = w->data.asset[i],
                                          .image = w->items.id[i],
                                          .verdict = hit ? "hit" : "miss",
                                          .truth_class = class_name(&w->items, item->truth, truth),
                                          .predicted_class =
                                              class_name(&w->items, item->guess, guess),
                                          .iou = (double)NAN,
                                          .score = item->confidence };
        bool sure = item->guess >= 0 && !isnan(item->confidence);
        const vd_evaluation_picture p = {
            .asset = w->data.asset[i],
            .hits = hit,
            .misses = !hit,
            .false_alarms = -1,
            .harm = hit    ? 0
                    : sure ? VD_CLAMP(item->confidence, 0, 1)
                           : 1,
        };
        VD_TRY(vd_evaluation_add_match(rows, &row, err));
        if (p.asset > 0) VD_TRY(vd_evaluation_add_picture(rows, &p, err));
    }
    return VD_OK;
}

vd_status vd_classification_keep(vd_opcall *c, const vd_classification *w, vd_err *err) {
    vd_judge_keep keep = { 0 };
    vd_str result = { 0 };
    vd_status st = VD_OK;
    VD_GO(vd_judge_json(&result, &w->figures, err));
    if (w->items.n_classes <= MOST_CLASSES) {
        classes_json(&result, w);
        VD_GO(confusion_json(&result, &w->items, err));
    }
    vd_str_addf(&result, ",\n\"slices\": [%s]}", vd_str_text(&w->slices));
    VD_GO(vd_str_check(&result, err));
    st = vd_judge_keep_begin(&keep, c, "classification", result.data, err);
    if (st == VD_OK) st = add_rows(keep.rows, w, err);
    st = vd_judge_keep_end(&keep, c, st, err);
done:
    vd_str_reset(&result);
    return st;
}
