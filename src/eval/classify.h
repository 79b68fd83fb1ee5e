/* Guessed classes against true ones. SPDX-License-Identifier: Apache-2.0
 *
 *   accuracy           share of items whose class is the guessed one, which is the class of the
 * highest score, the first of equals; top_k: whose class is among the k of the highest scores, of
 * equal ones the later class first (both as scikit-learn and NumPy have it) balanced_accuracy  mean
 * over the classes that occur of the share found macro_precision, macro_recall, macro_f1   means
 * over all classes that occur or are guessed, 0 where a denominator is 0 ece expected calibration
 * error: items by confidence into bins of equal width, open below; the mean of |share right - mean
 * confidence| by the number of items [Guo et al. 2017] An item without a prediction is wrong, and
 * counts not for ece. Sums are in the order of the truth. */
#ifndef VD_EVAL_CLASSIFY_H
#define VD_EVAL_CLASSIFY_H

#include "base/pool.h"

enum {
    VD_CLASS_NUMBERS = 7,
    VD_CLASS_MAX_BINS = 1000,
    VD_CLASS_MAX_CONFUSION = 4096, /* classes to a side */
    VD_CLASS_MAX_CLASSES = 1 << 24,
};
extern const char *const vd_class_number[VD_CLASS_NUMBERS]; /* accuracy, top_k, ... in this order */

typedef struct vd_class_item {
    int32_t truth, guess; /* classes; guess -1: none */
    int32_t rank;         /* classes that come before the true one; -1: only the guess is known */
    double confidence;    /* of the guess; NaN: not known */
} vd_class_item;

typedef struct vd_class_items {
    vd_class_item *item; /* in the order of the truth */
    int64_t n;
    char **name; /* of classes, or NULL: they are numbers from 0 */
    int64_t n_classes;
    int64_t missing, surplus; /* items without a prediction, predictions without an item */
    char **id;                /* what items are called, or NULL: they have places only */
    char *ids;                /* the memory of those texts */
} vd_class_items;

void vd_class_items_reset(vd_class_items *c);

/* Reads both sides. NumPy files: a truth of whole numbers [N]; predictions the same, or scores [N,
 * C] as float32 or float64; by position. CSV with a header: the first column names the item, a
 * column "label" its class; predictions have "label", and "confidence" if they like, or one column
 * a class with its score. Fails with VD_E_FORMAT, VD_E_LIMIT, VD_E_UNSUPPORTED, VD_E_IO,
 * VD_E_NOMEM. */
vd_status vd_class_read(vd_class_items *out, const char *truth, const char *pred, vd_err *err);

typedef struct vd_class_opt {
    int top, bins;
} vd_class_opt;

typedef struct vd_class_tally {
    int64_t support, guessed, hits;
} vd_class_tally;

/* What cannot be said is NaN. `tally` is [n_classes]. */
void vd_class_score(double out[VD_CLASS_NUMBERS], vd_class_tally *tally, const vd_class_items *c,
                    const vd_class_opt *opt);
/* The same of replicates of n items drawn with replacement: out[n_replicates * VD_CLASS_NUMBERS].
 * Fails with VD_E_NOMEM. */
vd_status vd_class_bootstrap(double *out, int64_t n_replicates, uint64_t seed,
                             const vd_class_items *c, const vd_class_opt *opt, vd_pool *pool,
                             vd_err *err);
/* How many items of class t were guessed as p: out[t * n_classes + p]. */
void vd_class_confusion(int64_t *out, const vd_class_items *c);
#endif
