/* Wrong labels of a classification, found with a model's probabilities. SPDX-License-Identifier:
 * Apache-2.0
 *
 * Confident learning (Northcutt, Jiang and Chuang, "Confident learning: estimating uncertainty in
 * dataset labels", JAIR 2021). The probabilities p must be out of sample: of models that were not
 * trained on the item. A class's threshold is the mean of p(class) over the items labelled so. An
 * item counts as confidently of class j where p(j) reaches j's threshold (of several such classes
 * the one with the largest p). The counts C[given][confident] are scaled so that each row sums to
 * the number of items with that label; divided by n they estimate the joint distribution Q of given
 * and true labels. Q says how many labels are wrong, the margin or p says which. */
#ifndef VD_EVAL_CONFIDENT_H
#define VD_EVAL_CONFIDENT_H

#include "base/err.h"

enum { VD_CONFIDENT_MAX_CLASSES = 1 << 15 };

typedef enum vd_confident_rule {
    /* Of each pair given i, true j: the n Q[i][j] items labelled i with the largest p(j) - p(i). */
    VD_CONFIDENT_NOISE_RATE,
    /* Of each class i: the n sum over j != i of Q[i][j] items labelled i with the least p(i). */
    VD_CONFIDENT_CLASS,
    VD_CONFIDENT_BOTH,  /* what both rules find */
    VD_CONFIDENT_COUNTS /* the items counted off the diagonal of C */
} vd_confident_rule;

/* A zeroed one is empty and valid. */
typedef struct vd_confident {
    int classes;
    int64_t n;
    double *threshold; /* [classes]; NaN of a class without items */
    int64_t *count;    /* C[classes][classes] */
    double *joint;     /* Q[classes][classes], sums to 1 */
} vd_confident;
void vd_confident_reset(vd_confident *c);

/* Estimates the joint distribution.
 *     shapes : label[n] in 0 .. classes-1; p[n][classes], each row sums to 1 within 0.01
 *     owns   : *out is replaced, untouched on failure
 *     fails  : VD_E_ARG (with the item and the value), VD_E_NOMEM */
vd_status vd_confident_joint(vd_confident *out, const int32_t *label, const double *p, int64_t n,
                             int classes, vd_err *err);

typedef struct vd_label_issue {
    int64_t item;
    int32_t given, guess; /* guess: the most probable class, the first of equals */
    double self;          /* p(given): how much the model believes the label */
    double margin;        /* p(guess) - p(given) */
} vd_label_issue;

/* The labels that are probably wrong, worst first: by p(given), then item. An item whose most
 * probable class is its label is never one of them, and of each class at least one item stays.
 *     owns   : *out is the caller's, to be freed by vd_mem_free
 *     fails  : VD_E_NOMEM */
vd_status vd_confident_find(vd_label_issue **out, int64_t *n_out, const vd_confident *c,
                            const int32_t *label, const double *p, vd_confident_rule rule,
                            vd_err *err);
#endif
