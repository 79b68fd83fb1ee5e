/* Operation eval classification: guessed classes against true ones. SPDX-License-Identifier:
 * Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/npy.h"
#include "eval/classify.h"
#include "judge/classification.h"
#include "judge/label_sets.h"

static const vd_arg args[] = {
    { .name = "truth",
      .value = "FILE",
      .help = ".npy of whole numbers [N], or CSV: the item's name first, a column \"label\"" },
    { .name = "pred",
      .value = "FILE",
      .help = ".npy of whole numbers [N] or scores [N, C], or CSV: \"label\" (\"confidence\"), or "
              "a column a class" },
    { .name = "top", .type = VD_T_INT, .min = 1, .max = 1000000, .def = "5", .help = "k of top_k" },
    { .name = "bins",
      .type = VD_T_INT,
      .min = 1,
      .max = VD_CLASS_MAX_BINS,
      .def = "15",
      .help = "of the calibration error" },
    JUDGE_BY_ARG(""),
    JUDGE_DATASET_ARGS,
    JUDGE_SET_ARGS,
    { .name = "confusion",
      .value = "FILE",
      .help = "write a .npy there, int64 [C, C]: true class, guessed class" },
    BOOTSTRAP_ARGS,
};

static const vd_column class_columns[] = {
    { "class", VD_TEXT, "", "", 0 },      { "truths", VD_INT, "", "", 0 },
    { "predictions", VD_INT, "", "", 0 }, { "precision", VD_REAL, "", "", 0 },
    { "recall", VD_REAL, "", "", 0 },     { "f1", VD_REAL, "", "", 0 },
};

static vd_value share(int64_t a, int64_t b) {
    return b > 0 ? vd_val_real((double)a / (double)b) : vd_val_null();
}

static vd_status send_classes(vd_opcall *c, const vd_class_items *items,
                              const vd_class_tally *tally, vd_err *err) {
    VD_TRY(vd_out_columns(c, class_columns, VD_COUNT(class_columns), err));
    for (int64_t k = 0; k < items->n_classes; k++) {
        const vd_class_tally *t = &tally[k];
        char number[24];
        snprintf(number, sizeof number, "%lld", (long long)k);
        const vd_value row[] = {
            vd_val_text(items->name != NULL ? items->name[k] : number),
            vd_val_int(t->support),
            vd_val_int(t->guessed),
            share(t->hits, t->guessed),
            share(t->hits, t->support),
            share(2 * t->hits, t->support + t->guessed),
        };
        VD_TRY(vd_out_row(c, row, err));
    }
    return VD_OK;
}

static vd_status write_confusion(const vd_class_items *c, const char *path, vd_err *err) {
    int64_t n = c->n_classes;
    if (n > VD_CLASS_MAX_CONFUSION)
        return vd_fail(err, VD_E_LIMIT,
                       "eval classification: --confusion of %lld classes, limit %d", (long long)n,
                       VD_CLASS_MAX_CONFUSION);
    const vd_npy shape = { VD_NPY_I64, 2, { n, n }, 0 };
    int64_t *m = vd_mem_array((size_t)(n * n), sizeof *m);
    if (m == NULL) return vd_nomem(err);
    vd_class_confusion(m, c);
    vd_status st = vd_npy_write(path, &shape, m, err);
    vd_mem_free(m);
    return st;
}

/* ---- what is judged ---- */

static void picture_of(const void *user, int64_t i, const char **name, int64_t *width,
                       int64_t *height) {
    const vd_class_items *c = user;
    (void)width;
    (void)height;
    *name = c->id[i];
}

static vd_status read_sides(vd_opcall *c, vd_classification *w, vd_err *err) {
    const char *truth = vd_arg_text(c, "truth-set"), *pred = vd_arg_text(c, "pred-set");
    if ((truth != NULL) != (pred != NULL))
        return vd_fail(err, VD_E_ARG,
                       "eval classification: --truth-set and --pred-set go together");
    VD_TRY(truth != NULL
               ? vd_judge_set_classes(&w->items, &w->data, truth, pred, err)
               : vd_class_read(&w->items, vd_arg_text(c, "truth"), vd_arg_text(c, "pred"), err));
    if (w->data.ds != NULL && w->items.id == NULL)
        return vd_fail(err, VD_E_ARG,
                       "eval classification: %s does not name its items, so they are no assets;"
                       " a CSV does",
                       vd_arg_text(c, "truth"));
    return vd_judge_match(&w->data, w->items.n, picture_of, &w->items, err);
}

/* Figures of items with their replicates, to be freed by vd_mem_free. */
static vd_status judge(vd_judge_figures *out, double number[VD_CLASS_NUMBERS],
                       vd_class_tally *tally, double **replicates, const vd_opcall *c,
                       const vd_classification *w, const vd_class_items *items, vd_err *err) {
    int64_t n = items->n > 0 && !vd_judge_by_class(c) ? vd_arg_int(c, "bootstrap") : 0;
    vd_class_score(number, tally, items, &w->opt);
    *replicates = vd_mem_array((size_t)n * VD_CLASS_NUMBERS, sizeof **replicates);
    if (*replicates == NULL) return vd_nomem(err);
    *out = (vd_judge_figures){ .name = vd_class_number,
                               .value = number,
                               .n = VD_CLASS_NUMBERS,
                               .replicate = *replicates,
                               .stride = VD_CLASS_NUMBERS,
                               .n_replicates = n };
    return vd_class_bootstrap(*replicates, n, (uint64_t)vd_arg_int(c, "seed"), items, &w->opt,
                              w->pool, err);
}

static vd_status headline(const vd_opcall *c, vd_classification *w, vd_err *err) {
    static const char *const count_name[] = { "items", "classes", "missing", "surplus" };
    const vd_class_items *items = &w->items;
    const int64_t count[] = { items->n, items->n_classes, items->missing, items->surplus };
    memcpy(w->count, count, sizeof count);
    w->tally = vd_mem_array((size_t)items->n_classes, sizeof *w->tally);
    if (w->tally == NULL) return vd_nomem(err);
    VD_TRY(judge(&w->figures, w->number, w->tally, &w->replicates, c, w, items, err));
    w->figures.count_name = count_name;
    w->figures.count = w->count;
    w->figures.n_counts = VD_COUNT(count);
    return VD_OK;
}

/* ---- slices ---- */

/* The items of a slice, which have the figures of files that hold only these. */
static vd_status send_slice(vd_slice_table *t, const vd_classification *w, const vd_slices *s,
                            int k, vd_err *err) {
    static const char *const count_name[] = { "missing" };
    double number[VD_CLASS_NUMBERS], *replicates = NULL;
    vd_judge_figures f;
    vd_class_items part = { .name = w->items.name, .n_classes = w->items.n_classes };
    vd_class_tally *tally = vd_mem_array((size_t)part.n_classes, sizeof *tally);
    part.item = vd_mem_array((size_t)s->slice[k].n, sizeof *part.item);
    vd_status st = tally != NULL && part.item != NULL ? VD_OK : vd_nomem(err);
    for (int64_t i = 0; i < w->items.n && st == VD_OK; i++) {
        if (s->of[i] != k) continue;
        part.missing += w->items.item[i].guess < 0;
        part.item[part.n++] = w->items.item[i];
    }
    if (st == VD_OK) st = judge(&f, number, tally, &replicates, t->c, w, &part, err);
    if (st == VD_OK) {
        f.count_name = count_name;
        f.count = &part.missing;
        f.n_counts = 1;
        st = vd_slice_row(t, s, k, &f, err);
    }
    vd_mem_free(part.item);
    vd_mem_free(tally);
    vd_mem_free(replicates);
    return st;
}

static vd_status send_slices(vd_opcall *c, vd_classification *w, const char *const *by, int n,
                             vd_err *err) {
    vd_slice_table t = { .c = c, .json = vd_arg_given(c, "keep") ? &w->slices : NULL };
    vd_status st = VD_OK;
    for (int i = 0; i < n && st == VD_OK; i++) {
        vd_slices s = { 0 };
        st = vd_slices_make(&s, vd_dataset_db(w->data.ds), by[i], w->data.asset, w->items.n, err);
        for (int k = 0; k < s.n && st == VD_OK; k++) st = send_slice(&t, w, &s, k, err);
        vd_slices_reset(&s);
    }
    return st == VD_OK ? vd_str_check(&w->slices, err) : st;
}

static vd_status send(vd_opcall *c, vd_classification *w, vd_err *err) {
    const char *const *by;
    int n = vd_judge_by(c, &by);
    if (vd_judge_by_class(c)) return send_classes(c, &w->items, w->tally, err);
    return n > 0 ? send_slices(c, w, by, n, err) : vd_judge_send(c, &w->figures, err);
}

static void reset(vd_classification *w) {
    vd_judge_reset(&w->data);
    vd_class_items_reset(&w->items);
    vd_pool_free(w->pool);
    vd_mem_free(w->tally);
    vd_mem_free(w->replicates);
    vd_str_reset(&w->slices);
}

static vd_status run(vd_opcall *c, vd_err *err) {
    vd_status st = VD_OK;
    vd_classification w = { .opt = { (int)vd_arg_int(c, "top"), (int)vd_arg_int(c, "bins") } };
    VD_GO(vd_judge_open(&w.data, c, NULL, err));
    VD_GO(vd_judge_pool(&w.pool, c, err));
    VD_GO(read_sides(c, &w, err));
    VD_GO(headline(c, &w, err));
    if (vd_arg_given(c, "confusion"))
        VD_GO(write_confusion(&w.items, vd_arg_text(c, "confusion"), err));
    VD_GO(send(c, &w, err));
    if (vd_arg_given(c, "keep")) VD_GO(vd_classification_keep(c, &w, err));
    if (w.items.missing > 0)
        vd_out_words(c, "%lld items have no prediction and count as wrong",
                     (long long)w.items.missing);
    vd_judge_say_strangers(c, &w.data);
done:
    reset(&w);
    return st;
}

const vd_op vd_op_eval_classification = {
    .name = "eval classification",
    .summary = "guessed classes against true ones: accuracy, top k, calibration",
    .help =
        "The guess is the class of the highest score, the first of equals. top_k: the class is among the k highest.\n"
        "balanced_accuracy is the mean share found over the classes that occur; macro_* are means over all classes\n"
        "that occur or are guessed. ece: items by confidence in bins of equal width, the mean distance of the share\n"
        "right from the confidence. Two CSV are matched by the name of the item, else by place. What cannot be said\n"
        "(top_k or ece of bare labels) is missing. NAME_low and NAME_high: a 95 % interval by bootstrap.\n" JUDGE_BY_HELP,
    .example = "vidimus eval classification --truth labels.npy --pred scores.npy --json",
    .args = args,
    .n_args = VD_COUNT(args),
    .flags = VD_OP_ONE | VD_OP_DYNAMIC | VD_OP_FILES | VD_OP_WRITES,
    .rows_if = "by",
    .run = run,
};
