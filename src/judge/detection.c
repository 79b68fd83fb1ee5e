/* Operation eval detection: boxes, masks and keypoints against a truth. SPDX-License-Identifier:
 * Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/npy.h"
#include "base/path.h"
#include "eval/detect.h"
#include "judge/interval.h"

enum { MOST_COLUMNS = VD_DETECT_NUMBERS + 4 };
static const vd_arg args[] = {
    { .name = "truth",
      .flags = VD_REQUIRED,
      .value = "FILE",
      .help = "COCO or LVIS annotations: images, annotations, categories" },
    { .name = "pred",
      .flags = VD_REQUIRED,
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
    { .name = "by",
      .type = VD_T_CHOICE,
      .choices = "class",
      .help = "one row a class instead of one row" },
    { .name = "arrays",
      .value = "DIR",
      .help = "write precision.npy, scores.npy [T,R,K,A,M] and recall.npy [T,K,A,M] there" },
    { .name = "sigmas",
      .value = "S,S,...",
      .help = "of keypoints that are not COCO's 17: how exactly each can be placed" },
    BOOTSTRAP_ARGS,
};

/* What one call works with. */
typedef struct work {
    vd_detect_rules rules;
    vd_detect_truth truth;
    vd_detect_set set[2]; /* predictions, and those they are compared with */
    vd_detect_hits hits[2];
    vd_detect_curves curves[2];
    double *replicates[2];
    int64_t n_replicates;
    vd_pool *pool;
} work;

static void reset(work *w) {
    vd_detect_truth_reset(&w->truth);
    for (int i = 0; i < 2; i++) {
        vd_detect_set_reset(&w->set[i]);
        vd_detect_hits_reset(&w->hits[i]);
        vd_detect_curves_reset(&w->curves[i]);
        vd_mem_free(w->replicates[i]);
    }
    vd_pool_free(w->pool);
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
    if (vd_arg_given(c, "by") && vd_arg_given(c, "compare"))
        return vd_fail(err, VD_E_ARG, "eval detection: --by and --compare exclude each other");
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
    w->replicates[side] = vd_mem_array((size_t)w->n_replicates * VD_DETECT_NUMBERS, sizeof(double));
    if (w->replicates[side] == NULL) return vd_nomem(err);
    return vd_detect_bootstrap(w->replicates[side], w->n_replicates,
                               (uint64_t)vd_arg_int(c, "seed"), &w->hits[side], &w->rules,
                               w->truth.category, w->pool, err);
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

static vd_status send_one(vd_opcall *c, const work *w, vd_err *err) {
    static const char *const count_name[] = { "images", "categories", "truths", "predictions" };
    const int64_t count[] = { w->truth.n_images, w->truth.n_categories, w->truth.objects.n,
                              w->set[0].n };
    double number[VD_DETECT_NUMBERS];
    vd_judge_figures f = { .value = number,
                           .count_name = count_name,
                           .count = count,
                           .n_counts = VD_COUNT(count),
                           .replicate = w->replicates[0],
                           .stride = VD_DETECT_NUMBERS,
                           .n_replicates = w->n_replicates };
    f.n = vd_detect_numbers(&w->rules, &f.name);
    VD_TRY(vd_detect_summarise(number, &w->curves[0], &w->rules, w->truth.category, 0,
                               w->truth.n_categories, err));
    return vd_judge_send(c, &f, err);
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

static const vd_column compare_columns[] = {
    { "figure", VD_TEXT, "", "", 0 },  { "pred", VD_REAL, "", "", 0 },
    { "compare", VD_REAL, "", "", 0 }, { "difference", VD_REAL, "", "", 0 },
    { "low", VD_REAL, "", "", 0 },     { "high", VD_REAL, "", "", 0 },
    { "p", VD_REAL, "", "", 0 },
};

/* The replicates of figure i in which both sides have it: how much more the second has. */
static int64_t differences(double *out, const work *w, int i) {
    int64_t n = 0;
    for (int64_t r = 0; r < w->n_replicates; r++) {
        double x = w->replicates[0][r * VD_DETECT_NUMBERS + i];
        double y = w->replicates[1][r * VD_DETECT_NUMBERS + i];
        if (x > -1 && y > -1) out[n++] = y - x;
    }
    return n;
}

/* Twice the smaller share of replicates on either side of 0, once they lie about the difference;
 * those at 0 are on both. Never below 1 in as many. */
static double two_sided(const double *d, int64_t n, double difference) {
    int64_t above = 0, below = 0;
    double mean = vd_judge_mean(d, n);
    for (int64_t i = 0; i < n; i++) {
        above += d[i] - mean + difference >= 0;
        below += d[i] - mean + difference <= 0;
    }
    return VD_MIN(1, 2 * (double)VD_MAX(VD_MIN(above, below), 1) / (double)n);
}

/* Replicates are pairs: their differences tell whether one side is better. */
static vd_status send_comparison(vd_opcall *c, const work *w, vd_err *err) {
    const char *const *name;
    int n = vd_detect_numbers(&w->rules, &name);
    double a[VD_DETECT_NUMBERS], b[VD_DETECT_NUMBERS], low = 0, high = 0;
    double *d = vd_arena_alloc(&c->arena, (size_t)w->n_replicates * sizeof *d);
    if (d == NULL) return vd_nomem(err);
    const vd_detect_category *category = w->truth.category;
    int64_t n_k = w->truth.n_categories;
    VD_TRY(vd_detect_summarise(a, &w->curves[0], &w->rules, category, 0, n_k, err));
    VD_TRY(vd_detect_summarise(b, &w->curves[1], &w->rules, category, 0, n_k, err));
    VD_TRY(vd_out_columns(c, compare_columns, VD_COUNT(compare_columns), err));
    for (int i = 0; i < n; i++) {
        int64_t m = differences(d, w, i);
        bool known = a[i] > -1 && b[i] > -1 && vd_judge_bounds(d, m, b[i] - a[i], &low, &high);
        double p = known ? two_sided(d, m, b[i] - a[i]) : 0;
        const vd_value row[] = { vd_val_text(name[i]),
                                 vd_val_real(a[i]),
                                 vd_val_real(b[i]),
                                 vd_val_real(b[i] - a[i]),
                                 known ? vd_val_real(low) : vd_val_null(),
                                 known ? vd_val_real(high) : vd_val_null(),
                                 known ? vd_val_real(p) : vd_val_null() };
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
}

static vd_status run(vd_opcall *c, vd_err *err) {
    vd_status st = VD_OK;
    work w = { 0 };
    const char *const file[] = { vd_arg_text(c, "pred"), vd_arg_text(c, "compare") };
    int sides = file[1] != NULL ? 2 : 1;
    VD_GO(choose_rules(c, &w.rules, err));
    VD_GO(vd_judge_pool(&w.pool, c, err));
    if (!vd_arg_given(c, "by")) w.n_replicates = vd_arg_int(c, "bootstrap");
    VD_GO(vd_detect_read_truth(&w.truth, vd_arg_text(c, "truth"), NULL, 0, &w.rules, err));
    for (int i = 0; i < sides; i++) {
        VD_GO(vd_detect_read_predictions(&w.set[i], file[i], NULL, 0, &w.truth, &w.rules, err));
        VD_GO(judge(c, &w, i, err));
    }
    if (vd_arg_given(c, "arrays")) VD_GO(write_arrays(&w, vd_arg_text(c, "arrays"), err));
    if (vd_arg_given(c, "by"))
        VD_GO(send_classes(c, &w, err));
    else if (sides == 2)
        VD_GO(send_comparison(c, &w, err));
    else
        VD_GO(send_one(c, &w, err));
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
        "two-sided p of paired replicates. Annotations without \"area\" have that of their outline or box.",
    .example =
        "vidimus eval detection --truth instances_val2017.json --pred results.json --type bbox --json",
    .args = args,
    .n_args = VD_COUNT(args),
    .flags = VD_OP_ONE | VD_OP_DYNAMIC | VD_OP_FILES,
    .rows_if = "by|compare",
    .run = run,
};
