/* An evaluation beside a dataset: its pictures as assets, truths and predictions as label sets.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VD_JUDGE_DATASET_H
#define VD_JUDGE_DATASET_H

#include "judge/slices.h"
#include "store/evaluation.h"
#include "store/match.h"

#define JUDGE_DATASET_ARGS                                                                         \
    { .name = "dataset",                                                                           \
      .value = "DATASET",                                                                          \
      .help = "a dataset that has the pictures: for --by with facts, --keep and label sets" },     \
    {                                                                                              \
        .name = "keep", .value = "NAME",                                                           \
        .help = "keep the evaluation in the dataset, in place of one of that name"                 \
    }
#define JUDGE_SET_ARGS                                                                             \
    { .name = "truth-set",                                                                         \
      .value = "NAME",                                                                             \
      .help = "a label set of the dataset in place of --truth" },                                  \
    {                                                                                              \
        .name = "pred-set", .value = "NAME",                                                       \
        .help = "a label set of the dataset in place of --pred; no score counts as 1"              \
    }
#define JUDGE_BY_ARG(own)                                                                          \
    {                                                                                              \
        .name = "by", .flags = VD_MANY, .value = "FACT[:BINS]",                                    \
        .help = "one row a slice: class" own ", or with --dataset any fact"                        \
    }
#define JUDGE_BY_HELP                                                                                                    \
    "--by FACT slices the pictures by any column or SQL expression of asset_facts: numbers in 4 bins of equal counts\n"  \
    "(FACT:N in N, FACT:A,B,... between these edges), text by its 10 most common values. --keep keeps the figures and\n" \
    "what became of each object in the dataset, for eval worst, the report and conditions such as eval_misses > 2."

typedef struct vd_judge_data {
    vd_dataset *ds; /* for reading; NULL: the call names none */
    vd_match match;
    int64_t *asset; /* of each picture of the truth, 0: none */
    int64_t n, found;
    vd_arena arena; /* names of what was read out of label sets */
} vd_judge_data;

/* Checks which arguments go with which, and opens the dataset if there is one. --by `own` needs
 * none (NULL: no such). Fails with VD_E_ARG, and what opening fails with. */
vd_status vd_judge_open(vd_judge_data *d, const vd_opcall *c, const char *own, vd_err *err);
/* Whether `by` is `own`, with or without BINS. */
bool vd_judge_is_own(const char *by, const char *own);
void vd_judge_reset(vd_judge_data *d);

/* Whether rows are asked for by class; or by facts, which are then `by[n]`. */
bool vd_judge_by_class(const vd_opcall *c);
int vd_judge_by(const vd_opcall *c, const char *const **by);

/* Finds the assets of n pictures by their names (NULL: none); sizes may be 0. */
typedef void (*vd_judge_picture_fn)(const void *user, int64_t i, const char **name, int64_t *width,
                                    int64_t *height);
vd_status vd_judge_match(vd_judge_data *d, int64_t n, vd_judge_picture_fn picture, const void *user,
                         vd_err *err);
/* The asset of that id, NULL: none that is present. */
const vd_match_asset *vd_judge_asset(const vd_judge_data *d, int64_t id);
/* Says how many pictures are no assets, if any. */
void vd_judge_say_strangers(vd_opcall *c, const vd_judge_data *d);

/* A box of a picture stated as width x height, in the upright asset: turned where the stated size
 * is that of the picture as stored, and stretched where it is another one. */
vd_status vd_judge_upright(double out[4], const double box[4], const vd_match_asset *a,
                           int64_t width, int64_t height, vd_err *err);

/* Keeping: opens the dataset for writing, and the rows of the evaluation --keep. The caller adds
 * rows and calls vd_judge_keep_end, whatever happened. `result` is a JSON object. */
typedef struct vd_judge_keep {
    vd_dataset *ds;
    vd_evaluation_rows *rows;
} vd_judge_keep;
vd_status vd_judge_keep_begin(vd_judge_keep *k, const vd_opcall *c, const char *task,
                              const char *result, vd_err *err);
vd_status vd_judge_keep_end(vd_judge_keep *k, vd_opcall *c, vd_status so_far, vd_err *err);

/* {"figures": [[NAME, value, low, high], ...], "counts": {...} without the closing brace. */
vd_status vd_judge_json(vd_str *out, const vd_judge_figures *f, vd_err *err);
#endif
