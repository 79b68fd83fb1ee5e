/* Operations eval poses and compare: how far poses are from a truth, and models from each other.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>

#include "base/mem.h"
#include "ops/model_arg.h"
#include "ops/op.h"

#define MODEL_HELP                                                                                 \
    "reconstruction: a dataset (its largest scene), a COLMAP model folder, or transforms.json"

static vd_status model_poses(vd_pose_set *out, const char *path, vd_err *err) {
    vd_model m = { 0 };
    vd_status st = vd_model_from_arg(&m, path, err);
    if (st == VD_OK) st = vd_poses_of_model(out, &m, err);
    vd_model_reset(&m);
    return st;
}

static void say_centres(vd_opcall *c, const vd_pose_score *s) {
    char rotation[60] = "the cameras stand in a line: rotations cannot be told";
    if (isnan(s->centre_rmse)) {
        vd_out_words(c, "%lld images in common: too few places to align the worlds by",
                     (long long)s->registered);
        return;
    }
    if (!isnan(s->rotation_deg))
        snprintf(rotation, sizeof rotation, "rotation %.4g deg", s->rotation_deg);
    vd_out_words(c,
                 "%lld of %lld images; centre error: RMSE %.4g, median %.4g, mean %.4g, largest "
                 "%.4g; %s; scale %.6g",
                 (long long)s->registered, (long long)s->total, s->centre_rmse, s->centre_median,
                 s->centre_mean, s->centre_max, rotation, s->scale);
}

/* ---- eval poses ---- */

static const vd_arg poses_args[] = {
    { .name = "model", .flags = VD_POSITIONAL | VD_REQUIRED, .value = "MODEL", .help = MODEL_HELP },
    { .name = "truth",
      .flags = VD_REQUIRED,
      .value = "PATH",
      .help =
          "folder of .camera files (Strecha), a folder of synth or its truth.json, or a model" },
};

static const vd_column poses_columns[] = {
    { "registered", VD_INT, "", "images of the truth that the model has", 0 },
    { "total", VD_INT, "", "images of the truth", 0 },
    { "centre_rmse", VD_REAL, "truth's unit", "of camera centres after a similarity", 0 },
    { "rotation_deg", VD_REAL, "deg", "mean angle between rotations after it", 0 },
    { "auc_1", VD_REAL, "%", "area under the share of pairs below 1 deg", 0 },
    { "auc_3", VD_REAL, "%", "the same for 3 deg", 0 },
    { "auc_5", VD_REAL, "%", "the same for 5 deg", 0 },
};

static vd_status poses_op(vd_opcall *c, vd_err *err) {
    vd_status st = VD_OK;
    vd_pose_set model = { 0 }, truth = { 0 };
    vd_pose_score s;
    VD_GO(model_poses(&model, vd_arg_text(c, "model"), err));
    VD_GO(vd_truth_from_arg(&truth, vd_arg_text(c, "truth"), err));
    VD_GO(vd_pose_eval(&s, NULL, &model, &truth, err));
    const vd_value row[] = { vd_val_int(s.registered),   vd_val_int(s.total),
                             vd_val_real(s.centre_rmse), vd_val_real(s.rotation_deg),
                             vd_val_real(s.auc[0]),      vd_val_real(s.auc[1]),
                             vd_val_real(s.auc[2]) };
    VD_GO(vd_out_columns(c, NULL, 0, err));
    VD_GO(vd_out_row(c, row, err));
    say_centres(c, &s);
done:
    vd_pose_set_reset(&model);
    vd_pose_set_reset(&truth);
    return st;
}

const vd_op vd_op_eval_poses = {
    .name = "eval poses",
    .summary = "poses of cameras against a truth",
    .help =
        "Worlds are aligned by the similarity of the camera centres. The error of a pair of cameras is the larger of the\n"
        "angles between their relative rotations and between the directions from one to the other; a pair of which one\n"
        "is missing counts as 180 deg. Images are the same by name, or by its last component where that is unique.\n"
        "Figures that cannot be said (fewer than three images in common) are missing.",
    .example = "vidimus eval poses out/0 --truth gt_dense_cameras --json",
    .args = poses_args,
    .n_args = VD_COUNT(poses_args),
    .columns = poses_columns,
    .n_columns = VD_COUNT(poses_columns),
    .flags = VD_OP_ONE,
    .run = poses_op,
};

/* ---- compare ---- */

static const vd_arg compare_args[] = {
    { .name = "a", .flags = VD_POSITIONAL | VD_REQUIRED, .value = "MODEL_A", .help = MODEL_HELP },
    { .name = "b",
      .flags = VD_POSITIONAL | VD_REQUIRED,
      .value = "MODEL_B",
      .help = "the other, whose world and unit errors are told in" },
};

static const vd_column compare_columns[] = {
    { "image", VD_TEXT, "", "name in B, or in A where B has it not", 0 },
    { "in", VD_TEXT, "", "both, a, b: which models have it", 0 },
    { "centre_error", VD_REAL, "B's unit", "distance of the centres after a similarity", 0 },
    { "rotation_deg", VD_REAL, "deg", "angle between the rotations after it", 0 },
};

static vd_status compare_rows(vd_opcall *c, const vd_pose_set *a, const vd_pose_set *b,
                              const vd_pose_error *errors, uint8_t *in_b, vd_err *err) {
    for (int64_t i = 0; i < b->n; i++) {
        const vd_pose_error *e = &errors[i];
        const vd_value row[] = { vd_val_text(b->pose[i].name),
                                 vd_val_text(e->index >= 0 ? "both" : "b"), vd_val_real(e->centre),
                                 vd_val_real(e->rotation_deg) };
        if (e->index >= 0) in_b[e->index] = 1;
        VD_TRY(vd_out_row(c, row, err));
    }
    for (int64_t i = 0; i < a->n; i++) {
        const vd_value row[] = { vd_val_text(a->pose[i].name), vd_val_text("a"), vd_val_null(),
                                 vd_val_null() };
        if (!in_b[i]) VD_TRY(vd_out_row(c, row, err));
    }
    return VD_OK;
}

static vd_status compare_op(vd_opcall *c, vd_err *err) {
    vd_status st = VD_OK;
    vd_pose_set a = { 0 }, b = { 0 };
    vd_pose_error *errors = NULL;
    uint8_t *in_b = NULL;
    vd_pose_score s;
    VD_GO(model_poses(&a, vd_arg_text(c, "a"), err));
    VD_GO(model_poses(&b, vd_arg_text(c, "b"), err));
    errors = vd_mem_array((size_t)b.n, sizeof *errors);
    in_b = vd_mem_array((size_t)a.n, 1);
    if (errors == NULL || in_b == NULL) VD_GO(vd_nomem(err));
    VD_GO(vd_pose_eval(&s, errors, &a, &b, err));
    VD_GO(vd_out_columns(c, NULL, 0, err));
    VD_GO(compare_rows(c, &a, &b, errors, in_b, err));
    say_centres(c, &s);
done:
    vd_mem_free(errors);
    vd_mem_free(in_b);
    vd_pose_set_reset(&a);
    vd_pose_set_reset(&b);
    return st;
}

const vd_op vd_op_compare = {
    .name = "compare",
    .summary = "two reconstructions of the same images: errors of their poses",
    .help =
        "The world of A is aligned to that of B by the similarity of the camera centres that both have. The figures of\n"
        "all together: vidimus eval poses MODEL_A --truth MODEL_B.",
    .example = "vidimus compare out/0 reference/sparse/0",
    .args = compare_args,
    .n_args = VD_COUNT(compare_args),
    .columns = compare_columns,
    .n_columns = VD_COUNT(compare_columns),
    .run = compare_op,
};
