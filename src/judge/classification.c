/* Operation eval classification: guessed classes against true ones. SPDX-License-Identifier:
 * Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/npy.h"
#include "eval/classify.h"
#include "judge/interval.h"
#include "ops/op.h"

static const vd_arg args[] = {
    { .name = "truth",
      .flags = VD_REQUIRED,
      .value = "FILE",
      .help = ".npy of whole numbers [N], or CSV: the item's name first, a column \"label\"" },
    { .name = "pred",
      .flags = VD_REQUIRED,
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
    { .name = "by",
      .type = VD_T_CHOICE,
      .choices = "class",
      .help = "one row a class instead of one row" },
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

static vd_status send_one(vd_opcall *c, const vd_class_items *items, const double *number,
                          const vd_class_opt *opt, vd_err *err) {
    static const char *const count_name[] = { "items", "classes", "missing", "surplus" };
    const int64_t count[] = { items->n, items->n_classes, items->missing, items->surplus };
    int64_t n = items->n > 0 ? vd_arg_int(c, "bootstrap") : 0;
    double *replicate = vd_mem_array((size_t)n * VD_CLASS_NUMBERS, sizeof *replicate);
    const vd_judge_figures f = { vd_class_number, number,    VD_CLASS_NUMBERS, count_name, count,
                                 VD_COUNT(count), replicate, VD_CLASS_NUMBERS, n };
    vd_pool *pool = NULL;
    vd_status st = replicate != NULL ? vd_judge_pool(&pool, c, err) : vd_nomem(err);
    if (st == VD_OK)
        st = vd_class_bootstrap(replicate, n, (uint64_t)vd_arg_int(c, "seed"), items, opt, pool,
                                err);
    if (st == VD_OK) st = vd_judge_send(c, &f, err);
    vd_pool_free(pool);
    vd_mem_free(replicate);
    return st;
}

static vd_status run(vd_opcall *c, vd_err *err) {
    vd_status st = VD_OK;
    vd_class_items items = { 0 };
    vd_class_opt opt = { (int)vd_arg_int(c, "top"), (int)vd_arg_int(c, "bins") };
    vd_class_tally *tally = NULL;
    double number[VD_CLASS_NUMBERS];
    VD_GO(vd_class_read(&items, vd_arg_text(c, "truth"), vd_arg_text(c, "pred"), err));
    tally = vd_mem_array((size_t)items.n_classes, sizeof *tally);
    if (tally == NULL) VD_GO(vd_nomem(err));
    vd_class_score(number, tally, &items, &opt);
    if (vd_arg_given(c, "confusion"))
        VD_GO(write_confusion(&items, vd_arg_text(c, "confusion"), err));
    VD_GO(vd_arg_given(c, "by") ? send_classes(c, &items, tally, err)
                                : send_one(c, &items, number, &opt, err));
    if (items.missing > 0)
        vd_out_words(c, "%lld items have no prediction and count as wrong",
                     (long long)items.missing);
done:
    vd_mem_free(tally);
    vd_class_items_reset(&items);
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
        "(top_k or ece of bare labels) is missing. NAME_low and NAME_high: a 95 % interval by bootstrap.",
    .example = "vidimus eval classification --truth labels.npy --pred scores.npy --json",
    .args = args,
    .n_args = VD_COUNT(args),
    .flags = VD_OP_ONE | VD_OP_DYNAMIC | VD_OP_FILES,
    .rows_if = "by",
    .run = run,
};
