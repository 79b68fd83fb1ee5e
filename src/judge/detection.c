/* Operation eval detection: boxes, masks and keypoints against a truth. SPDX-License-Identifier:
 * Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/npy.h"
#include "base/path.h"
#include "judge/detection.h"
#include "judge/label_sets.h"

enum { MOST_COLUMNS = VD_DETECT_NUMBERS + 4 };
static const vd_arg args[] = {
    { .name = "truth",
      .value = "FILE",
      .help = "COCO or LVIS annotations: images, annotations, categories" },
    { .name = "pred",
      .value = "FILE",
      .help = "results: [{image_id, category_id, score, bbox | segmentation | keypoints}, ...]" },
    { .name = "type",
      .type = VD_T_CHOICE,
      .choices = "bbox|segm|keypoints",
      .def = "bbox",
      .help = "what overlaps: boxes, masks, or keypoints by their distances" },
    { .name = "metric",
      .type = VD_T_CHOICE,
      .choices = "coco|lvis|voc|voc07",
      .def = "coco",
      .help = "whose rules; voc: area below the curve, voc07: at 11 recalls" },
    { .name = "compare",
      .value = "FILE",
      .help = "other results: one row a figure, with the difference and its interval" },
    JUDGE_BY_ARG(", " VD_OBJECT_AREA),
    JUDGE_DATASET_ARGS,
    JUDGE_SET_ARGS,
    { .name = "confidence",
      .value = "SCORE",
      .help =
          "least score of predictions that --keep counts; best: that of the highest F1; not given: all count" },
    { .name = "arrays",
      .value = "DIR",
      .help = "write precision.npy, scores.npy [T,R,K,A,M] and recall.npy [T,K,A,M] there" },
    { .name = "sigmas",
      .value = "S,S,...",
      .help = "of keypoints that are not COCO's 17: how exactly each can be placed" },
    BOOTSTRAP_ARGS,
};

typedef vd_detection work;

static void reset(work *w) {
    vd_detect_truth_reset(&w->truth);
    for (int i = 0; i < 2; i++) {
        vd_detect_set_reset(&w->set[i]);
        vd_detect_hits_reset(&w->hits[i]);
        vd_detect_curves_reset(&w->curves[i]);
        vd_mem_free(w->replicates[i]);
    }
    vd_pool_free(w->pool);
    vd_str_reset(&w->slices);
    vd_judge_reset(&w->data);
}

/* ---- arguments ---- */

static vd_status parse_sigmas(vd_detect_rules *r, const char *text, vd_err *err) {
    const char *p = text;
    r->n_keypoints = 0;
    for (;; p++) {
        char *end = NULL;
        double v = strtod(p, &end);
        if (end == p || !(v > 0 && v < 1e6) || (*end != ',' && *end != '\0'))
            return vd_fail(err, VD_E_ARG,
                           "eval detection: --sigmas '%.80s': number %d is not above 0", text,
                           r->n_keypoints + 1);
        if (r->n_keypoints == VD_DETECT_KEYPOINTS_MAX)
            return vd_fail(err, VD_E_LIMIT, "eval detection: --sigmas has more than %d numbers",
                           VD_DETECT_KEYPOINTS_MAX);
        r->sigma[r->n_keypoints++] = v;
        p = end;
        if (*p == '\0') return VD_OK;
    }
}

static int choice_of(const vd_opcall *c, const char *name, const char *const *text, int n) {
    for (int i = 0; i < n; i++)
        if (strcmp(vd_arg_text(c, name), text[i]) == 0) return i;
    return 0;
}

static vd_status choose_rules(const vd_opcall *c, vd_detect_rules *out, vd_err *err) {
    static const char *const types[] = { "bbox", "segm", "keypoints" };
    static const char *const metrics[] = { "coco", "lvis", "voc", "voc07" };
    int type = choice_of(c, "type", types, VD_COUNT(types));
    int metric = choice_of(c, "metric", metrics, VD_COUNT(metrics));
    if (metric != VD_DETECT_COCO && type == VD_DETECT_KEYPOINTS)
        return vd_fail(err, VD_E_ARG, "eval detection: --metric %s knows no keypoints",
                       metrics[metric]);
    if (vd_judge_by_class(c) && vd_arg_given(c, "compare"))
        return vd_fail(err, VD_E_ARG,
                       "eval detection: --by class and --compare exclude each other");
    if (vd_arg_given(c, "keep") && vd_arg_given(c, "compare"))
        return vd_fail(err, VD_E_ARG, "eval detection: --keep and --compare exclude each other");
    const char *const *by;
    int n = vd_judge_by(c, &by);
    for (int i = 0; i < n; i++)
        if (metric >= VD_DETECT_VOC && vd_judge_is_own(by[i], VD_OBJECT_AREA))
            return vd_fail(err, VD_E_ARG, "eval detection: --metric %s knows no sizes of objects",
                           metrics[metric]);
    vd_detect_rules_init(out, (vd_detect_metric)metric, (vd_detect_type)type);
    if (!vd_arg_given(c, "sigmas")) return VD_OK;
    if (type != VD_DETECT_KEYPOINTS)
        return vd_fail(err, VD_E_ARG, "eval detection: --sigmas is for --type keypoints");
    return parse_sigmas(out, vd_arg_text(c, "sigmas"), err);
}

/* ---- evaluation ---- */

static vd_status judge(vd_opcall *c, work *w, int side, vd_err *err) {
    VD_TRY(vd_detect_match(&w->hits[side], &w->truth, &w->set[side], &w->rules, w->pool, err));
    VD_TRY(vd_detect_curves_make(&w->curves[side], &w->hits[side], &w->rules, w->pool, err));
    if (c->on_cancel != NULL && c->on_cancel(c->user))
        return vd_fail(err, VD_E_CANCEL, "eval detection: stopped");
    if (w->n_replicates == 0) return VD_OK;
    return vd_detection_replicates(&w->replicates[side], c, w, &w->hits[side], &w->rules, err);
}

static void picture_of(const void *user, int64_t i, const char **name, int64_t *width,
                       int64_t *height) {
    const vd_detect_truth *t = user;
    *name = vd_detect_image_name(t, i);
    *width = t->image[i].width;
    *height = t->image[i].height;
}

static vd_status read_sides(vd_opcall *c, work *w, vd_err *err) {
    const char *const file[] = { vd_arg_text(c, "pred"), vd_arg_text(c, "compare") };
    const char *truth_set = vd_arg_text(c, "truth-set"), *set = vd_arg_text(c, "pred-set");
    VD_TRY(truth_set != NULL
               ? vd_judge_set_truth(&w->truth, &w->data, truth_set, &w->rules, err)
               : vd_detect_read_truth(&w->truth, vd_arg_text(c, "truth"), NULL, 0, &w->rules, err));
    VD_TRY(vd_judge_match(&w->data, w->truth.n_images, picture_of, &w->truth, err));
    if (set != NULL)
        VD_TRY(vd_judge_set_predictions(&w->set[0], &w->surplus, &w->data, set, &w->truth,
                                        &w->rules, err));
    for (int i = set != NULL; i < w->sides; i++)
        VD_TRY(vd_detect_read_predictions(&w->set[i], file[i], NULL, 0, &w->truth, &w->rules, err));
    return VD_OK;
}

/* ---- arrays ---- */

static vd_status write_array(const char *dir, const char *name, const vd_npy *shape,
                             const double *data, vd_err *err) {
    vd_str path = { 0 };
    vd_str_addf(&path, "%s/%s.npy", dir, name);
    vd_status st = vd_str_check(&path, err);
    if (st == VD_OK) st = vd_npy_write(path.data, shape, data, err);
    vd_str_reset(&path);
    return st;
}

static vd_status write_arrays(const work *w, const char *dir, vd_err *err) {
    const vd_detect_rules *r = &w->rules;
    const vd_detect_curves *c = &w->curves[0];
    const vd_npy five = {
        VD_NPY_F64, 5, { r->n_thresholds, r->n_recalls, c->n_categories, r->n_areas, r->n_caps }, 0
    };
    const vd_npy four = {
        VD_NPY_F64, 4, { r->n_thresholds, c->n_categories, r->n_areas, r->n_caps }, 0
    };
    VD_TRY(vd_dir_make(dir, err));
    VD_TRY(write_array(dir, "precision", &five, c->precision, err));
    VD_TRY(write_array(dir, "scores", &five, c->score, err));
    return write_array(dir, "recall", &four, c->recall, err);
}

/* ---- results ---- */

static vd_status headline(work *w, vd_err *err) {
    static const char *const count_name[] = { "images", "categories", "truths", "predictions" };
    const int64_t count[] = { w->truth.n_images, w->truth.n_categories, w->truth.objects.n,
                              w->set[0].n };
    memcpy(w->count, count, sizeof count);
    w->figures = (vd_judge_figures){ .value = w->number,
                                     .count_name = count_name,
                                     .count = w->count,
                                     .n_counts = VD_COUNT(count),
                                     .replicate = w->replicates[0],
                                     .stride = VD_DETECT_NUMBERS,
                                     .n_replicates = w->n_replicates };
    w->figures.n = vd_detect_numbers(&w->rules, &w->figures.name);
    return vd_detect_summarise(w->number, &w->curves[0], &w->rules, w->truth.category, 0,
                               w->truth.n_categories, err);
}

static vd_status send_classes(vd_opcall *c, const work *w, vd_err *err) {
    const char *const *name;
    int n = vd_detect_numbers(&w->rules, &name);
    vd_column column[MOST_COLUMNS] = { { "class", VD_TEXT, "", "", 0 },
                                       { "id", VD_INT, "", "", 0 },
                                       { "truths", VD_INT, "", "", 0 },
                                       { "predictions", VD_INT, "", "", 0 } };
    vd_value row[MOST_COLUMNS];
    enum { FIRST = 4 };
    for (int i = 0; i < n; i++) column[FIRST + i] = (vd_column){ name[i], VD_REAL, "", "", 0 };
    VD_TRY(vd_out_columns(c, column, FIRST + n, err));
    for (int64_t k = 0; k < w->truth.n_categories; k++) {
        const vd_detect_category *category = &w->truth.category[k];
        double number[VD_DETECT_NUMBERS];
        VD_TRY(vd_detect_summarise(number, &w->curves[0], &w->rules, w->truth.category, k, 1, err));
        row[0] = vd_val_text(category->name);
        row[1] = vd_val_int(category->id);
        row[2] = vd_val_int(w->hits[0].positives[k * w->rules.n_areas]);
        row[3] = vd_val_int(w->hits[0].begin[k + 1] - w->hits[0].begin[k]);
        for (int i = 0; i < n; i++) row[FIRST + i] = vd_val_real(number[i]);
        VD_TRY(vd_out_row(c, row, err));
    }
    return VD_OK;
}

static void say_missing(vd_opcall *c, const work *w) {
    int64_t unknown = 0, zero = 0;
    for (int64_t i = 0; i < w->set[0].n; i++) unknown += w->set[0].object[i].category < 0;
    for (int64_t i = 0; i < w->truth.objects.n; i++)
        zero += (w->truth.objects.object[i].flags & VD_DETECT_ID_ZERO) != 0;
    if (zero > 0)
        vd_out_words(c,
                     "an annotation has the id 0: like COCO's tool, matches with it count as none");
    else if (unknown > 0)
        vd_out_words(c, "%lld results do not count: of classes that are not known or not judged",
                     (long long)unknown);
    if (w->surplus > 0)
        vd_out_words(c, "%lld predictions are of pictures that the truth has not",
                     (long long)w->surplus);
    vd_judge_say_strangers(c, &w->data);
}

static vd_status send(vd_opcall *c, work *w, vd_err *err) {
    const char *const *by;
    int n = vd_judge_by(c, &by);
    if (vd_judge_by_class(c)) return send_classes(c, w, err);
    if (n > 0) return vd_detection_slices(c, w, by, n, err);
    if (w->sides == 2) return vd_detection_comparison(c, w, err);
    return vd_judge_send(c, &w->figures, err);
}

static vd_status run(vd_opcall *c, vd_err *err) {
    vd_status st = VD_OK;
    work w = { .sides = vd_arg_given(c, "compare") ? 2 : 1 };
    VD_GO(choose_rules(c, &w.rules, err));
    VD_GO(vd_judge_open(&w.data, c, VD_OBJECT_AREA, err));
    VD_GO(vd_judge_pool(&w.pool, c, err));
    if (!vd_judge_by_class(c)) w.n_replicates = vd_arg_int(c, "bootstrap");
    VD_GO(read_sides(c, &w, err));
    for (int i = 0; i < w.sides; i++) VD_GO(judge(c, &w, i, err));
    VD_GO(headline(&w, err));
    if (vd_arg_given(c, "arrays")) VD_GO(write_arrays(&w, vd_arg_text(c, "arrays"), err));
    VD_GO(send(c, &w, err));
    if (vd_arg_given(c, "keep")) VD_GO(vd_detection_keep(c, &w, err));
    say_missing(c, &w);
done:
    reset(&w);
    return st;
}

const vd_op vd_op_eval_detection = {
    .name = "eval detection",
    .summary = "boxes, masks or keypoints against a truth: average precision and recall",
    .help =
        "Figures of --metric coco are COCO's twelve (AP AP50 AP75 APs APm APl AR1 AR10 AR100 ARs ARm ARl; keypoints: AP\n"
        "AP50 AP75 APm APl AR AR50 AR75 ARm ARl), with the very bits of pycocotools; -1 where there is nothing to find.\n"
        "lvis: AP AP50 AP75 APs APm APl APr APc APf AR300 ARs ARm ARl; voc: AP50 AR50, boxes as continuous coordinates,\n"
        "objects marked \"difficult\" or \"ignore\" left out. NAME_low and NAME_high: a 95 % interval by\n"
        "bootstrap, replicates laid about the figure.\n"
        "--compare FILE gives rows: the figure of both, the difference (--compare less --pred), its 95 % interval and a\n"
        "two-sided p of paired replicates. Annotations without \"area\" have that of their outline or box.\n" JUDGE_BY_HELP,
    .example =
        "vidimus eval detection --truth instances_val2017.json --pred results.json --type bbox --json",
    .args = args,
    .n_args = VD_COUNT(args),
    .flags = VD_OP_ONE | VD_OP_DYNAMIC | VD_OP_FILES | VD_OP_WRITES,
    .rows_if = "by|compare",
    .run = run,
};
