/* Operation eval labels: which labels of a classification are probably wrong.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/npy.h"
#include "base/path.h"
#include "eval/confident.h"
#include "ops/op.h"

static const vd_arg args[] = {
    { .name = "probabilities",
      .flags = VD_REQUIRED,
      .value = "FILE.npy",
      .help = "float32 or float64, items x classes, of models not trained on the item" },
    { .name = "labels",
      .flags = VD_REQUIRED,
      .value = "FILE.npy",
      .help = "the given classes, whole numbers from 0, one an item" },
    { .name = "rule",
      .type = VD_T_CHOICE,
      .choices = "noise-rate|class|both|counts",
      .def = "noise-rate",
      .help = "how the estimate of wrong labels becomes a list of them" },
    { .name = "classes", .value = "FILE", .help = "names of the classes, one a line, in order" },
    { .name = "joint",
      .value = "FILE.npy",
      .help = "writes the joint distribution of given and true labels here, float64" },
};

static const vd_column columns[] = {
    { "item", VD_INT, "", "row of the arrays, from 0", 0 },
    { "given", VD_INT, "", "its label", 0 },
    { "guess", VD_INT, "", "the most probable class", 0 },
    { "given_name", VD_TEXT, "", "with --classes", 0 },
    { "guess_name", VD_TEXT, "", "with --classes", 0 },
    { "self_confidence", VD_REAL, "", "probability of the given class", 0 },
    { "margin", VD_REAL, "", "what the most probable class has more", 0 },
};

/* What the arguments name, in memory. */
typedef struct labels {
    int64_t n;
    int classes;
    double *p;
    int32_t *label;
    char *names;
    char **name; /* [classes], into `names`; NULL without --classes */
} labels;

static void labels_reset(labels *l) {
    vd_mem_free(l->p);
    vd_mem_free(l->label);
    vd_mem_free(l->names);
    vd_mem_free(l->name);
}

static vd_status read_probabilities(labels *l, const char *path, vd_err *err) {
    int64_t classes = 0;
    VD_TRY(vd_npy_read_reals(&l->p, &l->n, &classes, path, err));
    l->classes = (int)VD_MIN(classes, INT32_MAX);
    return classes >= 1 && classes <= VD_CONFIDENT_MAX_CLASSES
               ? VD_OK
               : vd_fail(err, VD_E_FORMAT, "%s: %lld classes, from 1 to %d can be judged", path,
                         (long long)classes, VD_CONFIDENT_MAX_CLASSES);
}

static vd_status read_labels(labels *l, const char *path, vd_err *err) {
    vd_status st = VD_OK;
    int64_t *v = NULL, n = 0;
    VD_GO(vd_npy_read_wholes(&v, &n, path, err));
    if (n != l->n)
        VD_GO(vd_fail(err, VD_E_ARG, "%s: %lld labels, the probabilities are of %lld items", path,
                      (long long)n, (long long)l->n));
    l->label = vd_mem_array((size_t)n, sizeof *l->label);
    if (l->label == NULL) VD_GO(vd_nomem(err));
    for (int64_t i = 0; i < n; i++) {
        bool fits = v[i] >= 0 && v[i] < l->classes;
        l->label[i] = fits ? (int32_t)v[i] : -1;
        if (!fits)
            VD_GO(vd_fail(err, VD_E_ARG, "%s: item %lld has label %lld, classes are 0 to %d", path,
                          (long long)i, (long long)v[i], l->classes - 1));
    }
done:
    vd_mem_free(v);
    return st;
}

static vd_status read_names(labels *l, const char *path, vd_err *err) {
    enum { MOST_BYTES = 16 << 20 };
    size_t size = 0;
    int n = 0;
    if (path == NULL) return VD_OK;
    VD_TRY(vd_file_read(&l->names, &size, path, MOST_BYTES, err));
    l->name = vd_mem_array((size_t)l->classes, sizeof *l->name);
    if (l->name == NULL) return vd_nomem(err);
    for (char *p = l->names, *end; *p != '\0'; p = end) {
        end = p + strcspn(p, "\r\n");
        if (n < l->classes && end > p) l->name[n] = p;
        n += end > p;
        while (*end == '\r' || *end == '\n') *end++ = '\0';
    }
    return n == l->classes
               ? VD_OK
               : vd_fail(err, VD_E_ARG, "%s: %d names, there are %d classes", path, n, l->classes);
}

static vd_confident_rule rule_of(const char *name) {
    return strcmp(name, "class") == 0    ? VD_CONFIDENT_CLASS
           : strcmp(name, "both") == 0   ? VD_CONFIDENT_BOTH
           : strcmp(name, "counts") == 0 ? VD_CONFIDENT_COUNTS
                                         : VD_CONFIDENT_NOISE_RATE;
}

static vd_status send(vd_opcall *c, const labels *l, const vd_label_issue *found, int64_t n,
                      vd_err *err) {
    VD_TRY(vd_out_columns(c, NULL, 0, err));
    for (int64_t i = 0; i < n; i++) {
        const vd_label_issue *f = &found[i];
        const vd_value row[] = { vd_val_int(f->item),
                                 vd_val_int(f->given),
                                 vd_val_int(f->guess),
                                 vd_val_text(l->name != NULL ? l->name[f->given] : NULL),
                                 vd_val_text(l->name != NULL ? l->name[f->guess] : NULL),
                                 vd_val_real(f->self),
                                 vd_val_real(f->margin) };
        VD_TRY(vd_out_row(c, row, err));
    }
    vd_out_words(c, "%lld of %lld labels are probably wrong", (long long)n, (long long)l->n);
    return VD_OK;
}

static vd_status eval_labels_op(vd_opcall *c, vd_err *err) {
    vd_status st = VD_OK;
    labels l = { 0 };
    vd_confident joint = { 0 };
    vd_label_issue *found = NULL;
    int64_t n = 0;
    const char *joint_path = vd_arg_text(c, "joint");
    VD_GO(read_probabilities(&l, vd_arg_text(c, "probabilities"), err));
    VD_GO(read_labels(&l, vd_arg_text(c, "labels"), err));
    VD_GO(read_names(&l, vd_arg_text(c, "classes"), err));
    VD_GO(vd_confident_joint(&joint, l.label, l.p, l.n, l.classes, err));
    VD_GO(
        vd_confident_find(&found, &n, &joint, l.label, l.p, rule_of(vd_arg_text(c, "rule")), err));
    vd_npy shape = { .type = VD_NPY_F64, .n_dims = 2, .dim = { l.classes, l.classes } };
    if (joint_path != NULL) VD_GO(vd_npy_write(joint_path, &shape, joint.joint, err));
    st = send(c, &l, found, n, err);
done:
    vd_mem_free(found);
    vd_confident_reset(&joint);
    labels_reset(&l);
    return st;
}

const vd_op vd_op_eval_labels = {
    .name = "eval labels",
    .summary = "labels of a classification that are probably wrong",
    .help =
        "Confident learning: from a model's probabilities for items that it was not trained on, the joint distribution\n"
        "of given and true labels is estimated, with a threshold of its own for each class. noise-rate takes, for every\n"
        "pair of classes, as many items as are estimated to be confused, by their margin; class takes the least\n"
        "probable labels of each class; both, what the two agree on; counts, every item that is confidently of another\n"
        "class. Worst first. Works without a dataset.",
    .example = "vidimus eval labels --probabilities pred_probs.npy --labels labels.npy --json",
    .args = args,
    .n_args = VD_COUNT(args),
    .columns = columns,
    .n_columns = VD_COUNT(columns),
    .flags = VD_OP_FILES,
    .run = eval_labels_op,
};
